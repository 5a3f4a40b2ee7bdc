//! The tokens that stand around every text that is written from another: its end, and the code of its language. Knows nothing of models, which
//! may say otherwise.

use super::{EncodeOptions, TextInput, Tokenizer};
use crate::TextError;

impl Tokenizer {
    /// The tokens that are put around every text that is written, in their order.
    ///
    /// # Errors
    /// If the tokenizer cannot encode an empty text.
    pub fn around_targets(&self) -> Result<Vec<u32>, TextError> {
        let nothing = [TextInput { text: "", pair: None }];
        let around = self.for_targets().encode(&nothing, &EncodeOptions::truncated(usize::MAX))?;
        Ok(around.encodings.into_iter().flat_map(|encoding| encoding.input_ids).collect())
    }

    /// The token that what is written ends with, where the folder of the model does not say it: the end token, or the last of those that are put
    /// around every text.
    ///
    /// # Errors
    /// As [`around_targets`](Tokenizer::around_targets).
    pub fn end_of_targets(&self) -> Result<Option<u32>, TextError> {
        match self.for_targets().end_token() {
            Some((_, id)) => Ok(Some(id)),
            None => Ok(self.around_targets()?.last().copied()),
        }
    }

    /// The token that says which language is written, and its id, where texts are written in a language that was chosen: what
    /// generation begins with (`forced_bos_token_id` of transformers).
    pub fn target_language_token(&self) -> Option<(String, u32)> {
        let (_, target) = self.languages()?;
        Some((target.to_owned(), self.pipeline.token_to_id(target)?))
    }

    /// The id of that token where every text that is written begins with it; none where it stands elsewhere.
    ///
    /// # Errors
    /// As [`around_targets`](Tokenizer::around_targets).
    pub fn language_before_targets(&self) -> Result<Option<u32>, TextError> {
        let Some((_, language)) = self.target_language_token() else { return Ok(None) };
        Ok(self.around_targets()?.first().copied().filter(|first| *first == language))
    }
}
