//! The words that ROUGE compares, as numbers. Knows no score.

use std::collections::HashMap;
use std::sync::LazyLock;

use regex::Regex;

use super::porter::stem;
use super::{Rouge, RougeTokenizer};
use crate::metrics::answer_words::characters_apart;

/// Words of this many letters and fewer keep their endings.
const NOT_STEMMED: usize = 3;

/// What is in a word in any script.
static WORDS: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"[\p{L}\p{M}\p{N}]+").expect("a pattern of words"));

/// Words of texts that are compared with each other; equal words have the same number.
pub(super) struct Words {
    settings: Rouge,
    numbers: HashMap<String, u32>,
}

impl Words {
    pub fn new(settings: Rouge) -> Self {
        Self { settings, numbers: HashMap::new() }
    }

    /// The words of each line of a text.
    pub fn lines(&mut self, text: &str) -> Vec<Vec<u32>> {
        let words = match self.settings.tokenizer {
            RougeTokenizer::Unicode => unicode,
            RougeTokenizer::RougeScore => ascii,
        };
        text.split('\n').map(|line| words(line).into_iter().filter_map(|word| self.number(word)).collect()).collect()
    }

    /// The number of a word, or of its stem.
    fn number(&mut self, word: String) -> Option<u32> {
        let english = word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        let word = if self.settings.stemmer && english && word.len() > NOT_STEMMED { stem(&word) } else { word };
        let next = self.numbers.len() as u32;
        (!word.is_empty()).then(|| *self.numbers.entry(word).or_insert(next))
    }
}

/// Letters, marks and numbers in a row, in small letters; each Chinese character and each kana by itself.
pub(in super::super) fn unicode(text: &str) -> Vec<String> {
    WORDS.find_iter(&text.to_lowercase()).flat_map(|word| characters_apart(word.as_str())).collect()
}

/// `a` to `z` and digits in a row, in small letters (`tokenize` of rouge_score).
fn ascii(text: &str) -> Vec<String> {
    let text = text.to_lowercase();
    let parts = text.split(|character: char| !(character.is_ascii_lowercase() || character.is_ascii_digit()));
    parts.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_every_script_are_found() {
        for (text, by_unicode, by_ascii) in [
            ("It's 3.14, naïve_x!", "it s 3 14 naïve x", "it s 3 14 na ve x"),
            ("《红楼梦》GPT-4 カナ", "红 楼 梦 gpt 4 カ ナ", "gpt 4"),
            ("привет, мир", "привет мир", ""),
            ("नमस्ते दुनिया 안녕하세요", "नमस्ते दुनिया 안녕하세요", ""),
            ("", "", ""),
        ] {
            assert_eq!((unicode(text).join(" "), ascii(text).join(" ")), (by_unicode.to_owned(), by_ascii.to_owned()), "{text}");
        }
    }
}
