//! Every option of the recipe, those that differ from their defaults first. Knows facts.

use maud::{Markup, html};

use crate::report::facts::{Facts, OptionFacts};
use crate::report::{Language, text};

/// The columns a value may have.
const VALUE: usize = 300;

pub(super) fn section(facts: &Facts) -> Option<Markup> {
    let language = facts.language;
    let (usual, changed): (Vec<_>, Vec<_>) = facts.recipe.iter().partition(|option| option.is_default);
    Some(html! {
        h3 { (language.of("Given, or other than the default", "已指定或不同于默认值")) }
        (table(&changed, true, language))
        h3 { (language.of("As the default is", "保持默认值")) }
        (table(&usual, false, language))
    })
}

fn table(options: &[&OptionFacts], with_default: bool, language: Language) -> Markup {
    html! {
        table {
            thead { tr {
                th { (language.of("option", "选项")) }
                th { (language.of("value", "值")) }
                @if with_default { th { (language.of("default", "默认值")) } }
            } }
            tbody {
                @for option in options { tr {
                    td class="key" { code { (option.name) } }
                    td { code { (option.value.as_deref().map_or_else(|| option.default.clone(), |value| text::name(value, VALUE))) } }
                    @if with_default { td { code { (option.default) } } }
                } }
            }
        }
    }
}
