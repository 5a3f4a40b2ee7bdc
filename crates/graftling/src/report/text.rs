//! Texts from data made fit for a page: cut to a length, without characters that a page may not hold. Knows no markup; what is put into
//! a page is escaped there.

use unicode_width::UnicodeWidthChar;

/// Characters of a text that are kept of examples that are shown.
pub(crate) const CHARACTERS: usize = 600;
/// Stands for a character that a page may not hold.
const REPLACEMENT: char = '\u{FFFD}';

/// The beginning of a text, at most so many characters; what was cut shows as an ellipsis.
pub(crate) fn cut(text: &str, characters: usize) -> String {
    let mut kept: String = text.chars().take(characters).map(allowed).collect();
    if text.chars().nth(characters).is_some() {
        kept.truncate(kept.trim_end().len());
        kept.push('…');
    }
    kept
}

/// A name on one line, cut to so many columns of a fixed font (a Chinese character has two), without what turns the direction of writing.
pub(super) fn name(text: &str, columns: usize) -> String {
    let turns = |c: &char| matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    let on_a_line = |c: char| if c.is_whitespace() { ' ' } else { allowed(c) };
    let mut shown = String::new();
    let mut used = 0;
    let mut characters = text.chars().filter(|c| !turns(c)).map(on_a_line).peekable();
    while let Some(character) = characters.next() {
        let width = character.width().unwrap_or(0);
        // The last column is kept for an ellipsis, unless nothing follows.
        if used + width > columns.saturating_sub(usize::from(characters.peek().is_some())) {
            shown.push('…');
            return shown;
        }
        used += width;
        shown.push(character);
    }
    shown
}

/// Control characters and those that are no characters have no place in HTML.
fn allowed(character: char) -> char {
    let is_control = character.is_control() && !matches!(character, '\n' | '\t');
    if is_control || (character as u32) & 0xFFFE == 0xFFFE { REPLACEMENT } else { character }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_between_characters() {
        for (text, characters, expected) in [
            ("short", 5, "short"),
            ("a longer text", 8, "a longer…"),
            ("评论很长", 2, "评论…"),
            ("a \u{0}\r\nb", 9, "a \u{FFFD}\u{FFFD}\nb"),
        ] {
            assert_eq!(cut(text, characters), expected);
        }
    }

    #[test]
    fn names_keep_to_their_columns() {
        for (text, columns, expected) in [
            ("positive", 8, "positive"),
            ("positive", 7, "positi…"),
            ("物流很快", 8, "物流很快"),
            ("物流很快", 6, "物流…"),
            ("a\nb\u{202E}c", 9, "a bc"),
            ("", 3, ""),
        ] {
            assert_eq!(name(text, columns), expected);
        }
    }
}
