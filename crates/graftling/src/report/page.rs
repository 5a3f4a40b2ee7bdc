//! The page around the sections: one file that needs nothing else, on a screen and on paper. Knows no section by name.
//!
//! Texts from data go through [`maud`], which escapes every value that is put into its markup.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::facts::Facts;
use super::language::said;
use super::sections::Section;

/// Nothing may be fetched and nothing run, whatever a text from data would have.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// The whole page.
pub(super) fn page(facts: &Facts) -> String {
    let language = facts.language;
    let sections: Vec<(Section, Markup)> =
        Section::ALL.iter().filter_map(|section| Some((*section, section.of(facts)?))).collect();
    let name = facts.name();
    let markup = html! {
        (DOCTYPE)
        html lang=(language.tag()) {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (said!(language, "Training report: {name}", "训练报告：{name}")) }
                style { (PreEscaped(include_str!("style.css"))) }
            }
            body {
                h1 { (language.of("Training report: ", "训练报告：")) bdi { (name) } }
                nav {
                    @for (section, _) in sections.iter().filter(|(section, _)| section.title(language).is_some()) {
                        a href=(format!("#{}", section.word())) { (section.title(language).unwrap_or_default()) } " "
                    }
                }
                @for (section, body) in &sections {
                    section id=(section.word()) {
                        @if let Some(title) = section.title(language) { h2 { (title) } }
                        (body)
                    }
                }
            }
        }
    };
    markup.into_string() + "\n"
}
