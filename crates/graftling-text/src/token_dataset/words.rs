//! Cuts plain text into the words that a token classifier gives tags to. Knows nothing of tags and files.

use unicode_categories::UnicodeCategories;

/// Where a word stands in its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WordSpan {
    /// Its first character and the one after its last, counted in characters (Unicode scalar values, as Python counts).
    pub characters: (usize, usize),
    /// The same in bytes of UTF-8.
    pub bytes: (usize, usize),
}

/// A word of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word<'a> {
    /// The word as it stands in the text.
    pub text: &'a str,
    /// Where it stands.
    pub span: WordSpan,
}

/// The script that decides where a word ends.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// White space: between words.
    Space,
    /// A character that is a word of its own: punctuation, Han, Kana.
    Alone,
    /// A combining mark or a joiner: belongs to the word before it, whatever that is.
    Mark,
    /// Anything else: part of a longer word.
    Part,
}

/// The words of a text in their order.
///
/// White space (Unicode) separates them. A punctuation mark (Unicode category P, and the ASCII signs that BERT counts among
/// them, such as `$` and `+`) and a Han or Kana character are each a word of their own, together with the combining marks that
/// follow.
pub fn words_of(text: &str) -> Vec<Word<'_>> {
    let mut spans: Vec<WordSpan> = Vec::new();
    let mut before = Kind::Space;
    for (characters, (byte, character)) in text.char_indices().enumerate() {
        let kind = kind(character);
        let joins = matches!((before, kind), (Kind::Part, Kind::Part) | (Kind::Part | Kind::Alone, Kind::Mark));
        let after = (characters + 1, byte + character.len_utf8());
        match spans.last_mut() {
            Some(span) if joins => (span.characters.1, span.bytes.1) = after,
            _ if kind == Kind::Space => {}
            _ => spans.push(WordSpan { characters: (characters, after.0), bytes: (byte, after.1) }),
        }
        before = match kind {
            // A mark leaves the word before it as it was; one that stands first begins a word.
            Kind::Mark if joins => before,
            Kind::Mark => Kind::Part,
            kind => kind,
        };
    }
    spans.into_iter().map(|span| Word { text: &text[span.bytes.0..span.bytes.1], span }).collect()
}

fn kind(character: char) -> Kind {
    if character.is_whitespace() {
        Kind::Space
    } else if character.is_mark() || matches!(character, '\u{200C}' | '\u{200D}') {
        Kind::Mark
    } else if character.is_ascii_punctuation() || character.is_punctuation() || is_han_or_kana(character) {
        Kind::Alone
    } else {
        Kind::Part
    }
}

/// The blocks that BERT's `_is_chinese_char` lists (and the later extensions of Han), with Hiragana and Katakana, which are written
/// without spaces, too.
pub(crate) fn is_han_or_kana(character: char) -> bool {
    matches!(u32::from(character),
        0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0x20000..=0x2FA1F | 0x30000..=0x323AF
        | 0x3005..=0x3007 | 0x3040..=0x30FF | 0x31F0..=0x31FF | 0xFF66..=0xFF9F | 0x1B000..=0x1B16F)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_end_at_space_and_punctuation_and_han_stands_alone() {
        let cases: [(&str, &[&str]); 14] = [
            ("", &[]),
            (" \t\n\u{3000}\u{a0}", &[]),
            ("Angela Merkel besuchte Köln.", &["Angela", "Merkel", "besuchte", "Köln", "."]),
            ("U.S. don't $5.99", &["U", ".", "S", ".", "don", "'", "t", "$", "5", ".", "99"]),
            ("去北京市。", &["去", "北", "京", "市", "。"]),
            ("AI公司Google成立", &["AI", "公", "司", "Google", "成", "立"]),
            ("カフェへ行く", &["カ", "フ", "ェ", "へ", "行", "く"]),
            ("か\u{3099}き", &["か\u{3099}", "き"]),
            ("नमस्ते दुनिया।", &["नमस्ते", "दुनिया", "।"]),
            ("cafe\u{301}s \u{301}x", &["cafe\u{301}s", "\u{301}x"]),
            ("한국어 테스트", &["한국어", "테스트"]),
            ("a\u{200d}b", &["a\u{200d}b"]),
            ("«¿qué?»", &["«", "¿", "qué", "?", "»"]),
            ("ok 👍🏽 5€", &["ok", "👍🏽", "5€"]),
        ];
        for (text, expected) in cases {
            let words: Vec<&str> = words_of(text).into_iter().map(|word| word.text).collect();
            assert_eq!(words, expected, "{text:?}");
        }
    }

    #[test]
    fn offsets_count_characters_and_bytes() {
        let text = "Grüße 北京!";
        let words = words_of(text);
        let found: Vec<_> = words.iter().map(|word| (word.span.characters, word.span.bytes)).collect();
        assert_eq!(found, [((0, 5), (0, 7)), ((6, 7), (8, 11)), ((7, 8), (11, 14)), ((8, 9), (14, 15))]);
        let characters: Vec<char> = text.chars().collect();
        for word in words {
            let (start, end) = word.span.characters;
            assert_eq!(word.text, characters[start..end].iter().collect::<String>());
            assert_eq!(word.text, &text[word.span.bytes.0..word.span.bytes.1]);
        }
    }
}
