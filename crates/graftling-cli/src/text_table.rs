//! Plain tables and lines for a terminal, by display width, so that Chinese and other wide characters line up.
//! Knows nothing of what the cells mean.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// To which side the cells of a column go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// Rows of cells, each column as wide as its widest cell, two spaces apart; a line each.
pub fn table(sides: &[Side], rows: &[Vec<String>]) -> String {
    let widths: Vec<usize> =
        (0..sides.len()).map(|column| rows.iter().map(|row| row[column].width()).max().unwrap_or(0)).collect();
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(sides).zip(&widths).map(|((cell, side), &width)| padded(cell, *side, width));
        text += cells.collect::<Vec<_>>().join("  ").trim_end();
        text.push('\n');
    }
    text
}

/// The text with spaces up to a display width.
pub fn padded(text: &str, side: Side, width: usize) -> String {
    let padding = " ".repeat(width.saturating_sub(text.width()));
    match side {
        Side::Left => format!("{text}{padding}"),
        Side::Right => format!("{padding}{text}"),
    }
}

/// The text on one line, control characters written out, cut to a display width; what was cut shows as an ellipsis.
pub fn one_line(text: &str, width: usize) -> String {
    let mut line = String::new();
    for character in text.chars() {
        if character.is_control() { line.extend(character.escape_default()) } else { line.push(character) }
    }
    if line.width() <= width {
        return line;
    }
    let mut cut = String::new();
    let mut used = 1;
    for character in line.chars() {
        used += character.width().unwrap_or(0);
        if used > width {
            break;
        }
        cut.push(character);
    }
    cut + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_characters_line_up() {
        let rows = [["名称", "1"], ["name", "22"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(table(&[Side::Left, Side::Right], &rows), "名称   1\nname  22\n");
        assert_eq!(padded("正面", Side::Left, 6), "正面  ");
    }

    #[test]
    fn a_line_is_cut_by_width_and_stays_one_line() {
        for (text, width, expected) in [
            ("short", 10, "short"),
            ("a\nb\tc", 10, "a\\nb\\tc"),
            ("一二三四", 5, "一二…"),
            ("abcdef", 4, "abc…"),
            ("abc", 3, "abc"),
        ] {
            assert_eq!(one_line(text, width), expected, "{text:?}");
        }
    }
}
