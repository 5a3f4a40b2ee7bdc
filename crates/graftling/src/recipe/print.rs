//! Writes a recipe as TOML that reads back to the same recipe, and the table of all options for the guide.
//! Knows no option by name.

use super::field::{Field, FieldDefault, Group};
use super::options::{FIELDS, Recipe};
use super::value::quoted;

impl Recipe {
    /// The right-hand side of each option in a recipe file, in the order of [`FIELDS`]; `None` where it is not set.
    pub fn written_options(&self) -> Vec<Option<String>> {
        let words = FIELDS.iter().map(|field| field.kind.word().map(quoted));
        self.written().into_iter().zip(words).map(|(written, word)| written.or(word)).collect()
    }

    /// The complete recipe as TOML: every option with its value and a line of help; unset options stand as comments.
    pub fn to_toml(&self) -> String {
        let mut text = String::new();
        let mut group = None;
        for (field, written) in FIELDS.iter().zip(self.written_options()) {
            if group.replace(field.group) != Some(field.group) {
                let blank = if text.is_empty() { "" } else { "\n" };
                text += &format!("{blank}### {}\n", field.group);
            }
            text += &format!("# {}\n", field.help);
            text += &match written {
                Some(value) => format!("{} = {value}\n", field.name),
                None => format!("# {} = ... ({})\n", field.name, field.default_text()),
            };
        }
        text
    }
}

/// Every option as a Markdown table for each group: key, flag, what is accepted, default, meaning.
pub fn reference_markdown() -> String {
    let mut text = String::new();
    for group in Group::ALL {
        text += &format!("### {group}\n\n| option | accepted | default | meaning |\n|---|---|---|---|\n");
        for field in FIELDS.iter().filter(|field| field.group == *group) {
            text += &row(field);
        }
        text.push('\n');
    }
    text
}

fn row(field: &Field) -> String {
    let default = match field.default {
        FieldDefault::Typed(text) => format!("`{text}`"),
        FieldDefault::Required | FieldDefault::Unset(_) => field.default_text().to_owned(),
    };
    let help = field.help.replace('|', "\\|").replace('*', "\\*");
    format!("| `{}` | {} | {default} | {help} |\n", field.name, field.accepted())
}
