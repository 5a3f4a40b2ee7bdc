//! The languages that texts are translated from and into: who names them, and how the tokenizers that take any are told. Knows no texts.

use graftling_text::{TextError, Tokenizer};

use crate::recipe::Recipe;

/// The language of the sources and that of their translations, where they are named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Languages {
    pub source: Option<String>,
    pub target: Option<String>,
}

impl Languages {
    /// As a recipe names them.
    pub fn of(recipe: &Recipe) -> Self {
        Self { source: recipe.source_language.clone(), target: recipe.target_language.clone() }
    }

    /// These; where one is not named, that of others.
    pub fn or(self, others: &Self) -> Self {
        Self { source: self.source.or_else(|| others.source.clone()), target: self.target.or_else(|| others.target.clone()) }
    }

    /// Tells them to a tokenizer of many languages, and gives what a person should know of it. Codes are the tokenizer's, or the language alone
    /// (`zh` for `zh_CN`). Any other tokenizer takes none: they are names of columns or keys then.
    pub fn choose(&self, tokenizer: &mut Tokenizer) -> Result<Option<String>, TextError> {
        if tokenizer.languages().is_none() {
            return Ok(None);
        }
        tokenizer.set_languages(self.source.as_deref(), self.target.as_deref())?;
        let told = |(source, target)| {
            format!("texts are translated from {source} to {target}: source_language and target_language choose others")
        };
        Ok(tokenizer.languages().map(told))
    }
}

/// What to tell of a model for many languages that is told the one by what stands before a source.
pub(crate) fn prefix_notice(tokenizer: &Tokenizer) -> Option<String> {
    let known = tokenizer.known_languages();
    let some = known.iter().take(LANGUAGES_TOLD).cloned().collect::<Vec<_>>().join(", ");
    (tokenizer.languages().is_none() && !known.is_empty())
        .then(|| format!("the model knows the languages {some}: source_prefix puts one of them before every source"))
}

/// How many languages a note names.
const LANGUAGES_TOLD: usize = 12;
