//! The tokenizer `zh`: sacrebleu's `TokenizerZh`. Knows which characters stand by themselves.

use super::western;
use crate::metrics::answer_words::is_space;

/// The text with blanks between its tokens.
pub(super) fn apart(text: &str) -> String {
    let mut line = String::with_capacity(2 * text.len());
    for character in text.trim_matches(is_space).chars() {
        if stands_alone(character) { line.extend([' ', character, ' ']) } else { line.push(character) }
    }
    western::signs_apart(&line)
}

/// The ranges of sacrebleu. It writes two of them, which are meant to lie beyond four digits, such that they become U+2001 to U+2A6D
/// and U+2F81 to U+2FA1: punctuation, arrows and mathematical signs stand alone, and rare Chinese characters (from U+20000 on) do
/// not.
fn stands_alone(character: char) -> bool {
    matches!(u32::from(character),
        0x2001..=0x2A6D | 0x2E80..=0x2EFF | 0x2F00..=0x2FDF | 0x2FF0..=0x303F | 0x3100..=0x312F | 0x31A0..=0x31BF | 0x31C0..=0x31EF
        | 0x3200..=0x33FF | 0x3400..=0x4DB5 | 0x4E00..=0x9FBB | 0xF900..=0xFA2D | 0xFA30..=0xFA6A | 0xFA70..=0xFAD9
        | 0xFE10..=0xFE1F | 0xFE30..=0xFE4F | 0xFF00..=0xFFEF)
}
