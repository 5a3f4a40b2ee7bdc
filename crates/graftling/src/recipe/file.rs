//! What a person wrote: keys of `recipe.toml` and flags, as given, each with its place. Everything is optional here.
//! Knows TOML; does not know which options exist (`check` judges that, all complaints at once).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::Spanned;

use super::error::{Place, RecipeError, RecipeErrors};
use super::options::ALTERNATIVES;

/// A recipe as written: some options, from a file, from flags or from both.
#[derive(Debug, Clone, Default)]
pub struct RecipeFile {
    pub(super) given: Vec<Given>,
}

/// One option as written.
#[derive(Debug, Clone)]
pub(super) struct Given {
    /// The name with underscores.
    pub name: String,
    pub raw: Raw,
    pub place: Place,
}

/// A value as written.
#[derive(Debug, Clone)]
pub(super) enum Raw {
    /// Typed after a flag; more than one where the flag was repeated.
    Typed(Vec<String>),
    /// A value of a TOML file.
    Toml(toml::Value),
}

impl RecipeFile {
    /// Reads a `recipe.toml`.
    pub fn from_path(path: &Path) -> Result<RecipeFile, RecipeErrors> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| RecipeErrors::one(RecipeError::Unreadable { path: path.to_owned(), source }))?;
        parse(&text, path)
    }

    /// Reads the text of a `recipe.toml`; complaints name the file so.
    pub fn from_toml(text: &str) -> Result<RecipeFile, RecipeErrors> {
        parse(text, &PathBuf::from("recipe.toml"))
    }

    /// Takes what was typed after a flag; `name` may have hyphens or underscores. An option of several texts grows with each call,
    /// any other takes the last. Whether the option exists and the text is accepted is judged by `Recipe::check`.
    pub fn set(&mut self, name: &str, typed: &str) {
        let name = name.replace('-', "_");
        let earlier = self.given.iter_mut().find(|given| given.name == name && given.place == Place::Flag);
        match earlier.map(|given| &mut given.raw) {
            Some(Raw::Typed(texts)) => texts.push(typed.to_owned()),
            _ => self.given.push(Given { name, raw: Raw::Typed(vec![typed.to_owned()]), place: Place::Flag }),
        }
    }

    /// This recipe with the options of `over` in place of its own, and of what says the same in another way.
    pub fn merge(mut self, over: RecipeFile) -> RecipeFile {
        let in_place_of = |other: &Given, own: &Given| {
            let both = [other.name.as_str(), own.name.as_str()];
            both[0] == both[1] || ALTERNATIVES.iter().any(|[one, another]| both == [*one, *another] || both == [*another, *one])
        };
        self.given.retain(|own| !over.given.iter().any(|other| in_place_of(other, own)));
        self.given.extend(over.given);
        self
    }
}

fn parse(text: &str, path: &Path) -> Result<RecipeFile, RecipeErrors> {
    let place = |offset: usize| Place::File { path: path.to_owned(), line: 1 + text[..offset].matches('\n').count() };
    let table: BTreeMap<String, Spanned<toml::Value>> = toml::from_str(text).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start.min(text.len()));
        let message = error.message().lines().collect::<Vec<_>>().join(" ");
        RecipeErrors::one(RecipeError::NotToml { place: place(offset), message })
    })?;
    let mut keys: Vec<(String, Spanned<toml::Value>)> = table.into_iter().collect();
    keys.sort_by_key(|(_, value)| value.span().start);
    let given = keys.into_iter().map(|(name, value)| Given {
        name,
        place: place(value.span().start),
        raw: Raw::Toml(value.into_inner()),
    });
    Ok(RecipeFile { given: given.collect() })
}

impl Raw {
    /// What was written, for a complaint.
    pub fn found(&self) -> String {
        match self {
            Raw::Typed(texts) => texts.iter().map(|text| format!("{text:?}")).collect::<Vec<_>>().join(" "),
            Raw::Toml(toml::Value::Table(_)) => "a table".to_owned(),
            Raw::Toml(value) => value.to_string(),
        }
    }

    /// A text; of a repeated flag, the last.
    pub fn text(&self) -> Option<&str> {
        match self {
            Raw::Typed(texts) => texts.last().map(String::as_str),
            Raw::Toml(value) => value.as_str(),
        }
    }

    pub fn texts(&self) -> Option<Vec<String>> {
        match self {
            Raw::Typed(texts) => Some(texts.clone()),
            Raw::Toml(value) => value.as_array()?.iter().map(|text| text.as_str().map(str::to_owned)).collect(),
        }
    }

    pub fn flag(&self) -> Option<bool> {
        match self {
            Raw::Typed(texts) => texts.last()?.parse().ok(),
            Raw::Toml(value) => value.as_bool(),
        }
    }

    pub fn integer(&self) -> Option<u64> {
        match self {
            Raw::Typed(texts) => texts.last()?.parse().ok(),
            Raw::Toml(value) => u64::try_from(value.as_integer()?).ok(),
        }
    }

    /// A finite number.
    pub fn number(&self) -> Option<f64> {
        let number = match self {
            Raw::Typed(texts) => texts.last()?.parse().ok()?,
            Raw::Toml(toml::Value::Integer(integer)) => *integer as f64,
            Raw::Toml(value) => value.as_float()?,
        };
        number.is_finite().then_some(number)
    }
}
