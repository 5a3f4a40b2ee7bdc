//! What a person should know of texts as a model sees them: windows, words without tokens, a vocabulary that lacks what stands there. Knows no
//! model.

use graftling_text::{Tokenizer, TokenlessWords};

use super::Tokenized;

/// From which share on unknown tokens are told.
const TOLD_UNKNOWN: f64 = 0.05;

impl Tokenized {
    /// What a person should know of texts that are read in windows, and of words that the model cannot read.
    pub fn notices(&self, tokenizer: &Tokenizer) -> Vec<String> {
        let counts = || self.texts.iter().map(|windows| windows.len()).filter(|&windows| windows > 1);
        let (texts, windows) = (counts().count(), counts().sum::<usize>());
        let (are, longest) = (if texts == 1 { "text is" } else { "texts are" }, self.truncation.max_length);
        let read = (texts > 0).then(|| format!("{texts} {are} longer than {longest} tokens and read in {windows} windows"));
        read.into_iter().chain(self.tokenless_notice()).chain(self.unknown_notice(tokenizer)).collect()
    }

    fn tokenless_notice(&self) -> Option<String> {
        let TokenlessWords { words, first } = self.tokenless;
        let (sentence, word) = first?;
        let give = if words == 1 { "word gives" } else { "words give" };
        Some(format!(
            "{words} {give} no token (the first is word {} of sentence {}): no tag can be said of such, and it counts as O",
            word + 1,
            sentence + 1
        ))
    }

    fn unknown_notice(&self, tokenizer: &Tokenizer) -> Option<String> {
        let unknown = tokenizer.unknown_id()?;
        let ids = self.features.iter().flat_map(|features| features.source.iter().flatten().chain(features.read()));
        let share = ids.filter(|id| **id == unknown).count() as f64 / self.tokens().max(1) as f64;
        let name = tokenizer.token(unknown).unwrap_or_default();
        (share >= TOLD_UNKNOWN).then(|| {
            format!(
                "{:.0} % of the tokens are {name}: the model's vocabulary does not have what stands there and the model cannot tell it apart; \
                 is it a model of the language of these texts?",
                100.0 * share
            )
        })
    }
}
