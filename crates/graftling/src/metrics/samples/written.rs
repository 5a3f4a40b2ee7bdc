//! Texts that are written from others: whole texts are drawn, with their sources and references.

use super::{LanguageSample, TextGenerationSample};
use crate::metrics::bootstrap::{FigureName, Resampled};

/// The tokens of targets that were foreseen, and the texts that were written.
pub struct WrittenSample {
    tokens: LanguageSample,
    texts: Option<TextGenerationSample>,
}

impl WrittenSample {
    /// Of the same examples; no texts where none were written.
    ///
    /// # Panics
    /// If there are not as many texts as targets.
    pub fn new(tokens: LanguageSample, texts: Option<TextGenerationSample>) -> Self {
        if let Some(texts) = &texts {
            assert_eq!(texts.examples(), tokens.examples(), "sample: texts");
        }
        Self { tokens, texts }
    }
}

impl Resampled for WrittenSample {
    fn examples(&self) -> usize {
        self.tokens.examples()
    }

    fn names(&self) -> Vec<FigureName> {
        self.texts.iter().flat_map(Resampled::names).chain(self.tokens.names()).collect()
    }

    fn values(&self, weights: &[u32]) -> Vec<f64> {
        self.texts.iter().flat_map(|texts| texts.values(weights)).chain(self.tokens.values(weights)).collect()
    }

    fn right(&self) -> Option<Vec<bool>> {
        self.texts.as_ref()?.right()
    }
}
