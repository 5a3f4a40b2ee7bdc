//! Into which tokens BLEU takes a text apart: the tokenizers of sacrebleu that need no dictionary, and which of them goes with a language.
//! Knows nothing of how tokens are counted.

mod chinese;
mod international;
mod western;

use std::fmt::{self, Display, Formatter};

pub(super) use western::{ENTITIES, SIGNS, STOPS};

use super::language::TargetLanguage;
use crate::metrics::answer_words::{is_han_or_kana, is_space};

/// How a text is taken apart before n-grams are counted: a BLEU of one tokenizer cannot be compared with that of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BleuTokenizer {
    /// `13a`: punctuation and symbols of ASCII apart, as mteval-v13a does, which WMT's figures are computed with.
    Western,
    /// `zh`: each Chinese character by itself, and what is between them as `13a`.
    Chinese,
    /// `intl`: all punctuation and symbols of Unicode apart, as mteval-v14 does for international texts.
    International,
    /// `char`: each character by itself.
    Characters,
    /// `none`: at white space alone, for texts that are tokenized.
    Spaces,
}

/// The tokenizer for a language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LanguageTokenizer {
    /// The tokenizer.
    pub tokenizer: BleuTokenizer,
    /// What there is to know of it, where it is not the one that sacrebleu would take.
    pub notice: Option<&'static str>,
}

/// A name that is none of a tokenizer here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("tokenizer {name:?} {}; accepted are {}", reason(name), BleuTokenizer::WORDS.join(", "))]
pub struct UnknownTokenizer {
    /// What was given.
    pub name: String,
}

const JAPANESE: &str = "Japanese: sacrebleu's tokenizer ja-mecab needs a dictionary of words, which is not built in; BLEU counts characters (tok:char) \
                        and cannot be compared with a BLEU of tok:ja-mecab";
const KOREAN: &str = "Korean: sacrebleu's tokenizer ko-mecab needs a dictionary of words, which is not built in; BLEU counts characters (tok:char) \
                      and cannot be compared with a BLEU of tok:ko-mecab";

impl BleuTokenizer {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Western, Self::Chinese, Self::International, Self::Characters, Self::Spaces];
    /// What they are called, as in sacrebleu's signatures.
    pub const WORDS: [&'static str; 5] = ["13a", "zh", "intl", "char", "none"];

    /// The one of this name.
    ///
    /// # Errors
    /// Where there is none, with the reason for those of sacrebleu that are not offered.
    pub fn from_word(name: &str) -> Result<Self, UnknownTokenizer> {
        let place = Self::WORDS.iter().position(|word| *word == name);
        place.map(|place| Self::ALL[place]).ok_or_else(|| UnknownTokenizer { name: name.to_owned() })
    }

    /// What it is called.
    pub fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }

    /// The one for texts of a language: `zh` for Chinese, `char` for Japanese and Korean, whose words are not told apart here, and `13a` for all
    /// others, as sacrebleu has it.
    pub fn of_language(language: &TargetLanguage) -> LanguageTokenizer {
        let (tokenizer, notice) = match language {
            language if language.is_chinese() => (Self::Chinese, None),
            language if language.is_japanese() => (Self::Characters, Some(JAPANESE)),
            language if language.is_korean() => (Self::Characters, Some(KOREAN)),
            _ => (Self::Western, None),
        };
        LanguageTokenizer { tokenizer, notice }
    }

    /// The text with blanks between its tokens.
    pub(super) fn apart(self, text: &str) -> String {
        match self {
            Self::Western => western::apart(text),
            Self::Chinese => chinese::apart(text),
            Self::International => international::apart(text),
            Self::Characters => text.chars().flat_map(|character| [character, ' ']).collect(),
            Self::Spaces => text.to_owned(),
        }
    }
}

impl Display for BleuTokenizer {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.word())
    }
}

/// Whether most characters of texts are Chinese ones or kana, which stand next to each other without blanks between words.
pub fn is_without_blanks<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> bool {
    let (mut without, mut all) = (0_usize, 0_usize);
    for text in texts {
        for character in text.as_ref().chars().filter(|character| !is_space(*character)) {
            without += usize::from(is_han_or_kana(character));
            all += 1;
        }
    }
    2 * without > all
}

/// The words between white space, as Python's `str.split` finds them.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(is_space).filter(|word| !word.is_empty())
}

/// Why a name is not accepted.
fn reason(name: &str) -> &'static str {
    match name {
        "ja-mecab" | "ko-mecab" => "needs a dictionary of words that is not built in (char counts characters)",
        "spm" | "flores101" | "flores200" | "spBLEU-1K" => "needs a SentencePiece model that is not built in",
        _ => "is not known",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_has_its_tokenizer_and_what_is_different_is_told() {
        for (code, expected, told) in [
            ("en", BleuTokenizer::Western, false),
            ("zh", BleuTokenizer::Chinese, false),
            ("ja", BleuTokenizer::Characters, true),
            ("ko", BleuTokenizer::Characters, true),
        ] {
            let found = BleuTokenizer::of_language(&code.parse().unwrap());
            assert_eq!((found.tokenizer, found.notice.is_some()), (expected, told), "{code}");
        }
        assert!(is_without_blanks(["今天天气很好。", "GPT"]) && !is_without_blanks(["in 北京", ""]));
    }

    #[test]
    fn a_tokenizer_that_is_not_offered_is_refused_with_the_reason() {
        for tokenizer in BleuTokenizer::ALL {
            assert_eq!(BleuTokenizer::from_word(tokenizer.word()), Ok(tokenizer));
        }
        for (name, expected) in [
            (
                "ja-mecab",
                "tokenizer \"ja-mecab\" needs a dictionary of words that is not built in (char counts characters); accepted are 13a, zh, intl, char, none",
            ),
            ("flores200", "needs a SentencePiece model that is not built in; accepted"),
            ("moses", "tokenizer \"moses\" is not known; accepted are 13a"),
        ] {
            let error = BleuTokenizer::from_word(name).expect_err(name).to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn texts_are_taken_apart_as_sacrebleu_does() {
        use BleuTokenizer::{Characters, Chinese, International, Spaces, Western};
        for (tokenizer, text, expected) in [
            (Western, "It costs $1,000.50, he said.", "It costs $ 1,000.50 , he said ."),
            (Western, "&quot;A&amp;lt;B&quot; 10-20 U.S. state-of-the-art", "\" A < B \" 10 - 20 U . S . state-of-the-art"),
            (Western, "我喜欢。", "我喜欢。"),
            (Chinese, "我喜欢GPT-4o。", "我 喜 欢 GPT-4o 。"),
            (Chinese, "“a” 𠀀𠀁", "“ a ” 𠀀𠀁"),
            (International, "«a» 1,5 (x) 5% 2026.", "« a » 1,5 ( x ) 5 % 2026."),
            (Characters, "a 中。", "a 中 。"),
            (Spaces, "a,b  c", "a,b c"),
        ] {
            assert_eq!(words(&tokenizer.apart(text)).collect::<Vec<_>>().join(" "), expected, "{tokenizer} {text}");
        }
    }
}
