//! Which tokens make a word together: what a tokenizer cuts texts into before it looks for tokens, and in texts with a script that is written
//! without spaces, of which that is a character or a whole clause, what a dictionary says.

use icu_segmenter::WordSegmenter;
use icu_segmenter::options::WordBreakInvariantOptions;

use super::encode::Encoding;
use crate::token_dataset::is_han_or_kana;

/// Where the words of a text end, as far as spaces do not tell it.
#[derive(Debug)]
pub struct WholeWords<'a> {
    text: &'a str,
    /// The byte after each word, in order; nothing where all words stand between spaces.
    ends: Vec<usize>,
}

/// Where a token stands.
#[derive(Clone, Copy)]
struct Place {
    /// What the tokenizer cut out and found this token in.
    piece: u32,
    /// The words of the dictionary that it has a part of: the first and the last.
    words: (usize, usize),
    /// Whether it has characters of a script that is written without spaces.
    is_unspaced: bool,
}

impl<'a> WholeWords<'a> {
    /// Of a text; one with Chinese, Japanese, Thai, Lao, Khmer or Burmese is divided by the dictionaries of ICU.
    pub fn of(text: &'a str) -> Self {
        let ends = match text.chars().any(is_unspaced) {
            true => WordSegmenter::new_dictionary(WordBreakInvariantOptions::default()).segment_str(text).skip(1).collect(),
            false => Vec::new(),
        };
        Self { text, ends }
    }

    /// The word of each token of an encoding of this text, from 0 in the order of the tokens; a special token has none. A token that reaches
    /// over several words of the dictionary, as pieces of SentencePiece do, makes one of them.
    pub fn of_tokens(&self, encoding: &Encoding) -> Vec<Option<u32>> {
        let mut words = Vec::with_capacity(encoding.word_ids.len());
        let (mut count, mut last) = (0, None);
        for (piece, &(start, end)) in encoding.word_ids.iter().zip(&encoding.offsets) {
            let place = piece.map(|piece| self.place(piece, start, end));
            if let Some(place) = place
                && !last.is_some_and(|last: Place| last.goes_on_in(place))
            {
                count += 1;
            }
            words.push(place.map(|_| count - 1));
            last = place;
        }
        words
    }

    fn place(&self, piece: u32, start: usize, end: usize) -> Place {
        let is_boundary = |at: &usize| self.text.is_char_boundary(*at);
        let start = (0..=start).rev().find(is_boundary).unwrap_or(0);
        let end = (end..=self.text.len()).find(is_boundary).unwrap_or(self.text.len());
        let token = self.text.get(start..end).unwrap_or("");
        let written = start + (token.len() - token.trim_start().len());
        let last = token.trim_end().char_indices().next_back().map_or(written, |(at, _)| start + at);
        let word = |at: usize| self.ends.partition_point(|end| *end <= at);
        Place { piece, words: (word(written), word(last)), is_unspaced: token.chars().any(is_unspaced) }
    }
}

impl Place {
    fn goes_on_in(self, next: Self) -> bool {
        next.words.0 <= self.words.1 && (self.piece == next.piece || self.is_unspaced && next.is_unspaced)
    }
}

/// Whether a character belongs to a script whose words no spaces tell apart.
fn is_unspaced(character: char) -> bool {
    let others = [0x0E00..=0x0EFF, 0x1000..=0x109F, 0x1780..=0x17FF];
    is_han_or_kana(character) || others.iter().any(|block| block.contains(&u32::from(character)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An encoding whose tokens are these parts of a text, one after the other, each of the piece that is told with it.
    fn words(text: &str, tokens: &[(u32, &str)]) -> Vec<u32> {
        let mut behind = 0;
        let offsets = tokens.iter().map(|(_, token)| {
            let start = behind + text[behind..].find(token).expect("a part of the text");
            behind = start + token.len();
            (start, behind)
        });
        let around = |inner: Vec<(usize, usize)>| [vec![(0, 0)], inner, vec![(0, 0)]].concat();
        let offsets = around(offsets.collect());
        let pieces = tokens.iter().map(|(piece, _)| Some(*piece));
        let encoding = Encoding {
            input_ids: vec![5; offsets.len()],
            token_type_ids: vec![0; offsets.len()],
            special_tokens_mask: vec![false; offsets.len()],
            word_ids: [None].into_iter().chain(pieces).chain([None]).collect(),
            sequence_ids: vec![None; offsets.len()],
            whole_tokens: 0,
            truncated_tokens: 0,
            example: 0,
            token_range: (0, tokens.len()),
            offsets,
        };
        let found = WholeWords::of(text).of_tokens(&encoding);
        assert_eq!((found.first(), found.last()), (Some(&None), Some(&None)), "{text}");
        found.into_iter().flatten().collect()
    }

    #[test]
    fn characters_of_a_chinese_word_belong_together() {
        let characters: Vec<(u32, &str)> =
            ["我", "们", "在", "北", "京", "学", "习", "。"].into_iter().zip(0..).map(|(one, at)| (at, one)).collect();
        assert_eq!(words("我们在北京学习。", &characters), [0, 0, 1, 2, 2, 3, 3, 4]);
    }

    #[test]
    fn pieces_of_a_clause_are_words_of_their_own_and_one_that_reaches_over_two_joins_them() {
        let apart = [(0, "我们"), (0, "在"), (0, "北京"), (0, "学"), (0, "习"), (0, "。")];
        assert_eq!(words("我们在北京学习。", &apart), [0, 1, 2, 3, 3, 4]);
        let joined = [(0, "我"), (0, "们在北"), (0, "京"), (0, "学习"), (0, "。")];
        assert_eq!(words("我们在北京学习。", &joined), [0, 0, 0, 1, 2]);
    }

    #[test]
    fn words_between_spaces_are_those_of_the_tokenizer_and_a_sign_in_a_chinese_text_stands_alone() {
        assert_eq!(
            words("It's unbelievable.", &[(0, "It"), (1, "'"), (2, "s"), (3, "un"), (3, "believable"), (4, ".")]),
            [0, 1, 2, 3, 3, 4]
        );
        assert_eq!(words("用 PyTorch，好", &[(0, "用"), (1, " Py"), (1, "Torch"), (1, "，"), (1, "好")]), [0, 1, 1, 2, 3]);
    }

    #[test]
    fn bytes_of_one_character_and_tokens_without_any_are_no_panic() {
        let mut behind = Encoding {
            input_ids: vec![5; 4],
            token_type_ids: vec![0; 4],
            special_tokens_mask: vec![false; 4],
            word_ids: vec![Some(0); 4],
            sequence_ids: vec![Some(0); 4],
            whole_tokens: 0,
            truncated_tokens: 0,
            example: 0,
            token_range: (0, 4),
            offsets: vec![(0, 0), (0, 1), (1, 3), (9, 40)],
        };
        assert_eq!(WholeWords::of("北").of_tokens(&behind), [Some(0), Some(0), Some(0), Some(1)]);
        behind.offsets = vec![(0, 3); 4];
        assert_eq!(WholeWords::of("北").of_tokens(&behind), [Some(0); 4]);
    }
}
