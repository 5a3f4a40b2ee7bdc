//! Divides a long text into windows that share some tokens, as transformers does with `stride` and
//! `return_overflowing_tokens=True`. Knows nothing of special tokens.

use tokenizers::TruncationDirection;

use super::Tokenizer;
use super::encode::{FirstText, Tokens};
use crate::TextError;

/// The tokens of a window, and which of the divided text's they are.
pub(super) type Window = (Tokens, (usize, usize));

impl Tokenizer {
    /// The windows of a text or of the second text of a pair, in the order of transformers: from the start of the text, or from
    /// its end where the settings cut on the left. `room` counts the tokens of text and pair together. Where a first text
    /// that leaves no room for windows is cut, the number of tokens that costs is told.
    pub(super) fn divided(
        &self,
        example: usize,
        tokens: Tokens,
        (room, stride, first_text): (usize, usize, FirstText),
    ) -> Result<(Vec<Window>, usize), TextError> {
        let Tokens { text, pair } = tokens;
        let (mut first, mut last) = match pair {
            None => (None, text),
            Some(pair) => (Some(text), pair),
        };
        let whole_first = first.as_ref().map_or(0, tokenizers::Encoding::len);
        let cuts = first_text == FirstText::CutToHalf;
        if let Some(first) = first.as_mut().filter(|_| cuts && stride >= room.saturating_sub(whole_first)) {
            first.truncate(whole_first.min(room / 2), 0, self.truncation_side);
            first.take_overflowing();
        }
        let first_tokens = first.as_ref().map_or(0, tokenizers::Encoding::len);
        let window = room.saturating_sub(first_tokens);
        if stride >= window {
            return Err(TextError::WindowRoom { index: example + 1, first_tokens: whole_first, window, stride });
        }
        let whole = last.len();
        last.truncate(window, stride, self.truncation_side);
        let others = last.take_overflowing();
        let pieces = std::iter::once(last).chain(others).enumerate().map(|(number, piece)| {
            let moved = number * (window - stride);
            let range = match self.truncation_side {
                TruncationDirection::Right => (moved, moved + piece.len()),
                TruncationDirection::Left => (whole - moved - piece.len(), whole - moved),
            };
            let tokens = match &first {
                None => Tokens { text: piece, pair: None },
                Some(first) => Tokens { text: first.clone(), pair: Some(piece) },
            };
            (tokens, range)
        });
        Ok((pieces.collect(), whole_first - first_tokens))
    }
}
