//! Writes a recipe as TOML that reads back to the same recipe, and the table of all options for the guide.
//! Knows no option by name.

use super::field::{Field, FieldDefault, Group, Kind};
use super::options::{FIELDS, Recipe};
use super::value::quoted;

/// An option of a recipe with its value.
pub(crate) struct WrittenOption {
    /// What is known of the option.
    pub field: &'static Field,
    /// The right-hand side of its TOML line; none where it is not set.
    value: Option<String>,
}

impl WrittenOption {
    /// The value as it would be typed after a flag, a text for each time; none where the option is not set.
    fn typed(&self) -> Option<Vec<String>> {
        let value = format!("value = {}", self.value.as_ref()?).parse::<toml::Table>().ok()?.remove("value")?;
        let plain = |value: &toml::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Some(match &value {
            toml::Value::Array(values) => values.iter().map(plain).collect(),
            other => vec![plain(other)],
        })
    }

    /// The value as a person reads it; none where the option is not set.
    pub fn shown(&self) -> Option<String> {
        self.typed().filter(|texts| !texts.is_empty()).map(|texts| texts.join(", "))
    }

    /// Whether the value is what holds when nothing is given.
    pub fn is_default(&self) -> bool {
        match (self.typed(), self.field.default) {
            (Some(texts), FieldDefault::Typed(_)) => self.field.is_default(texts),
            (typed, FieldDefault::Unset(_)) => typed.is_none_or(|texts| texts.is_empty()),
            _ => false,
        }
    }
}

impl Recipe {
    /// The right-hand side of each option in a recipe file, in the order of [`FIELDS`]; `None` where it is not set.
    pub fn written_options(&self) -> Vec<Option<String>> {
        let words = FIELDS.iter().map(|field| field.kind.word().map(quoted));
        self.written().into_iter().zip(words).map(|(written, word)| written.or(word)).collect()
    }

    /// Every option with its value, in the order of the documentation.
    pub(crate) fn options(&self) -> Vec<WrittenOption> {
        FIELDS.iter().zip(self.written_options()).map(|(field, value)| WrittenOption { field, value }).collect()
    }

    /// A command that makes the run again: every option that is not its default, as a flag.
    pub(crate) fn command(&self) -> String {
        let mut command = "graftling train".to_owned();
        for option in self.options().iter().filter(|option| !option.is_default() && option.field.name != "resume") {
            let is_switch = option.field.kind == Kind::Flag;
            for text in option.typed().unwrap_or_default() {
                let sign = if is_switch { "=" } else { " " };
                command += &format!(" --{}{sign}{}", option.field.flag(), in_a_shell(&text));
            }
        }
        command
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

/// A text as a shell takes it for one word.
pub fn in_a_shell(text: &str) -> String {
    let plain = |character: char| character.is_alphanumeric() || "/._-+@:,=".contains(character);
    if !text.is_empty() && text.chars().all(plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
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
