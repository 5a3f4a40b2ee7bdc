//! Passages of a context: which tokens of a window they are, and where they stand in the text. Knows no model and no question.

mod best;

use std::sync::Arc;

use graftling_text::Encoding;

pub use best::NoAnswer;
pub(crate) use best::{Best, Choice, WindowLogits};

/// A stretch of a text: its first byte and the one after its last.
pub(crate) type Bytes = (usize, usize);

/// The tokens of a context in one window, and where each of them stands in it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Passages {
    /// The whole context, whatever the window.
    pub context: Arc<str>,
    /// The place of the first token of the context in the window.
    pub first: usize,
    /// The bytes of each token of the context in the window.
    pub offsets: Vec<Bytes>,
}

impl Passages {
    /// The context's part of a window over a question and its context.
    pub fn of(window: &Encoding, context: &Arc<str>) -> Self {
        let is_context = |sequence: &Option<u8>| *sequence == Some(1);
        let first = window.sequence_ids.iter().position(is_context).unwrap_or(0);
        let offsets = window.offsets.iter().zip(&window.sequence_ids).filter(|(_, sequence)| is_context(sequence));
        Self { context: Arc::clone(context), first, offsets: offsets.map(|(offsets, _)| *offsets).collect() }
    }

    /// The tokens of the window that a passage begins and ends with; nothing where it does not stand in the window whole.
    ///
    /// As in transformers' `run_qa.py` (`prepare_train_features`) the first is the last token that begins at or before the passage,
    /// and the last the first token that ends at or behind it. Where several tokens make up one character the two may be the wrong
    /// way round, and are turned.
    pub fn tokens_of(&self, (start, end): Bytes) -> Option<[usize; 2]> {
        let (first, last) = (self.offsets.first()?, self.offsets.last()?);
        if first.0 > start || last.1 < end {
            return None;
        }
        let from = self.offsets.partition_point(|token| token.0 <= start) - 1;
        let to = self.offsets.iter().rposition(|token| token.1 < end).map_or(0, |before| before + 1);
        Some([self.first + from.min(to), self.first + from.max(to)])
    }

    /// What stands at some bytes of the context, without white space around it, and its characters.
    pub fn read(&self, (start, end): Bytes) -> (String, (usize, usize)) {
        let whole = &self.context[start..end];
        let text = whole.trim();
        let before = start + (whole.len() - whole.trim_start().len());
        let from = self.context[..before].chars().count();
        (text.to_owned(), (from, from + text.chars().count()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passages(context: &str, offsets: &[Bytes]) -> Passages {
        Passages { context: context.into(), first: 3, offsets: offsets.to_vec() }
    }

    #[test]
    fn a_passage_is_found_by_its_bytes_where_the_window_holds_it() {
        let window = passages("New York is big.", &[(4, 8), (9, 11), (12, 15), (15, 16)]);
        let cases = [
            ((4, 8), Some([3, 3])),
            ((4, 15), Some([3, 5])),
            ((12, 16), Some([5, 6])),
            // Parts of tokens take the whole token, and the gaps between them the tokens around.
            ((5, 7), Some([3, 3])),
            ((8, 11), Some([3, 4])),
            // What begins before the window or ends behind it is not in it.
            ((0, 8), None),
        ];
        for (bytes, expected) in cases {
            assert_eq!(window.tokens_of(bytes), expected, "{bytes:?}");
        }
        assert_eq!(passages("New York is big.", &[(4, 8), (9, 11)]).tokens_of((9, 15)), None);
        assert_eq!(passages("", &[]).tokens_of((0, 1)), None);
    }

    #[test]
    fn answers_stand_at_the_tokens_where_transformers_puts_them() {
        let golden: serde_json::Value =
            serde_json::from_str(include_str!("../tests/golden/passages.json")).expect("golden passages");
        let number = |value: &serde_json::Value| value.as_u64().expect("a number") as usize;
        let cases = golden["positions"].as_array().expect("cases");
        for case in cases {
            let offsets = case[1].as_str().expect("offsets").split(' ').filter_map(|token| token.split_once('-'));
            let place = |text: &str| text.parse::<usize>().expect("a place");
            let offsets: Vec<Bytes> = offsets.map(|(start, end)| (place(start), place(end))).collect();
            let window = Passages { context: "".into(), first: number(&case[0]), offsets };
            let expected = (!case[4].is_null()).then(|| [number(&case[4]), number(&case[5])]);
            assert_eq!(window.tokens_of((number(&case[2]), number(&case[3]))), expected, "{case}");
        }
        assert!(cases.iter().filter(|case| !case[4].is_null()).count() > 100);
    }

    #[test]
    fn a_character_of_several_tokens_is_whole() {
        let window = passages("a😀b", &[(0, 1), (1, 5), (1, 5), (1, 5), (5, 6)]);
        assert_eq!(window.tokens_of((1, 5)), Some([4, 6]));
    }

    #[test]
    fn passages_are_read_with_their_characters_and_without_white_space() {
        let window = passages("去 北京 市", &[]);
        assert_eq!(window.read((3, 11)), ("北京".to_owned(), (2, 4)));
        assert_eq!(window.read((4, 10)), ("北京".to_owned(), (2, 4)));
    }
}
