//! The tokens of a text as answers about them are put together: how they are written, where they stand, which of them go on with a
//! word; and tokens joined to text again. Knows nothing of what is said of tokens.

use tokenizers::{Decoder, ModelWrapper};

use super::{Encoding, Tokenizer};
use crate::token_dataset::is_han_or_kana;

/// A token of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextToken {
    /// As the vocabulary writes it; where the vocabulary does not have it, as it stands in the text.
    pub written: String,
    /// Its first character in the text and the one after its last, counted in characters (Unicode scalar values, as Python counts).
    pub characters: (usize, usize),
    /// Whether it belongs to the word of the token before it.
    pub goes_on: bool,
    /// Its place in the encoding, special tokens counted.
    pub place: usize,
}

impl Tokenizer {
    /// The tokens of a text in one of its encodings, without the special ones.
    ///
    /// What belongs to one word is told as transformers' `TokenClassificationPipeline.gather_pre_entities` tells it: where the
    /// vocabulary marks tokens that go on (`##ing`), a token that is written longer than it stands in the text does; elsewhere every
    /// token does that has no space before it. In Chinese and Japanese, which are written without spaces, that would be whole
    /// sentences: there a Han or Kana character begins a word and ends one, as in [`words_of`](crate::words_of).
    pub fn text_tokens(&self, text: &str, encoding: &Encoding) -> Vec<TextToken> {
        let characters: Vec<(usize, char)> = text.char_indices().collect();
        let marks_words = self.continuing_prefix().is_some();
        let unknown = self.unknown_id();
        let of_text = encoding.special_tokens_mask.iter().enumerate().filter(|(_, special)| !**special);
        let token = |(place, _): (usize, &bool)| {
            let (first, last) = encoding.offsets[place];
            let start = characters.partition_point(|(byte, _)| *byte <= first).saturating_sub(usize::from(first < text.len()));
            let end = characters.partition_point(|(byte, _)| *byte < last).max(start);
            let id = encoding.input_ids[place];
            let written = self.token(id).unwrap_or_default();
            let around = &characters[start.saturating_sub(1)..characters.len().min(start + 1)];
            let joined = if marks_words {
                written.chars().count() != end - start
            } else {
                start > 0 && around.iter().all(|(_, character)| *character != ' ')
            };
            let alone = start > 0 && around.iter().any(|(_, character)| is_han_or_kana(*character));
            let is_unknown = Some(id) == unknown;
            let shown = characters[start..end].iter().map(|(_, character)| character);
            let written = if is_unknown { shown.collect() } else { written };
            TextToken { written, characters: (start, end), goes_on: joined && !alone && !is_unknown, place }
        };
        of_text.map(token).collect()
    }

    /// Written tokens joined to a text, as `convert_tokens_to_string` of transformers does it.
    pub fn joined_tokens(&self, written: Vec<String>) -> String {
        if let Some(pieces) = &self.pieces {
            return pieces.joined(&self.pipeline, &written);
        }
        match self.pipeline.get_decoder() {
            // A decoder that does not understand the tokens leaves them as they are written.
            Some(decoder) => decoder.decode(written.clone()).unwrap_or_else(|_| written.join(" ")),
            None => written.join(" "),
        }
    }

    /// What the vocabulary puts before tokens that go on with a word.
    fn continuing_prefix(&self) -> Option<&str> {
        let prefix = match self.pipeline.get_model() {
            ModelWrapper::WordPiece(model) => Some(model.continuing_subword_prefix.as_str()),
            ModelWrapper::BPE(model) => model.continuing_subword_prefix.as_deref(),
            ModelWrapper::WordLevel(_) | ModelWrapper::Unigram(_) => None,
        };
        prefix.filter(|prefix| !prefix.is_empty())
    }
}
