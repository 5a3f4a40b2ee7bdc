//! The words that two answers are compared by. Knows nothing of questions.

/// What two answers are compared by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Segmentation {
    /// As SQuAD's scripts: words apart by white space; of punctuation only ASCII's is left out.
    Squad,
    /// The same with every punctuation left out, and each Chinese character and each kana a word of its own, as MLQA's script does for
    /// Chinese (Lewis and others, 2020).
    Mixed,
}

/// The words of an answer: in small letters, without punctuation and without English articles, in this order (`normalize_answer` of
/// SQuAD's scripts).
pub(super) fn words(answer: &str, segmentation: Segmentation) -> Vec<String> {
    let punctuation = |character: char| match segmentation {
        Segmentation::Squad => character.is_ascii_punctuation(),
        Segmentation::Mixed => is_punctuation(character),
    };
    let plain: String = answer.to_lowercase().chars().filter(|&character| !punctuation(character)).collect();
    let parts = plain.split(is_space).filter(|part| !part.is_empty()).flat_map(without_articles);
    match segmentation {
        Segmentation::Squad => parts.map(str::to_owned).collect(),
        Segmentation::Mixed => parts.flat_map(characters_apart).collect(),
    }
}

/// A word taken apart, so that each of its Chinese characters and kana is one by itself.
pub(super) fn characters_apart(word: &str) -> impl Iterator<Item = String> {
    word.split_inclusive(is_han_or_kana).flat_map(apart)
}

/// Whether a text has a Chinese character or a kana.
pub(super) fn has_han_or_kana(text: &str) -> bool {
    text.chars().any(is_han_or_kana)
}

/// What is left of a text without white space when articles are replaced by blanks: `\b(a|an|the)\b` of Python matches what stands
/// between characters that are no letters or digits. (Vowel signs of some Indic scripts are letters here and not there; an English article
/// does not stand next to one.)
fn without_articles(part: &str) -> Vec<&str> {
    let mut kept = Vec::new();
    let mut begin = 0;
    let mut word = 0;
    for end in part.char_indices().map(|(place, _)| place).chain([part.len()]) {
        let ends = part[end..].chars().next().is_none_or(|next| !next.is_alphanumeric());
        if !ends {
            continue;
        }
        if ["a", "an", "the"].contains(&&part[word..end]) {
            kept.push(&part[begin..word]);
            begin = end;
        }
        word = end + part[end..].chars().next().map_or(0, char::len_utf8);
    }
    kept.push(&part[begin..]);
    kept.retain(|piece| !piece.is_empty());
    kept
}

/// What stands before a character that ends a piece, and that character by itself.
fn apart(piece: &str) -> Vec<String> {
    match piece.chars().next_back() {
        Some(last) if is_han_or_kana(last) => {
            let before = &piece[..piece.len() - last.len_utf8()];
            [before.to_owned(), last.to_string()].into_iter().filter(|part| !part.is_empty()).collect()
        }
        _ => vec![piece.to_owned()],
    }
}

/// What Python's `str.split` takes for white space.
pub(super) fn is_space(character: char) -> bool {
    character.is_whitespace() || ('\u{1C}'..='\u{1F}').contains(&character)
}

/// Chinese characters (Unicode's script Han) and kana.
pub(super) fn is_han_or_kana(character: char) -> bool {
    matches!(u32::from(character),
        0x3005..=0x3007 | 0x3021..=0x3029 | 0x3038..=0x303B | 0x3041..=0x3096 | 0x309D..=0x309F | 0x30A1..=0x30FA | 0x30FC..=0x30FF
        | 0x31F0..=0x31FF | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0xFF66..=0xFF9D | 0x20000..=0x323AF)
}

/// ASCII's punctuation, and the characters of Unicode's category P that stand in texts of Europe and East Asia: Latin-1, general and
/// supplemental punctuation, and the blocks for Chinese and Japanese.
fn is_punctuation(character: char) -> bool {
    character.is_ascii_punctuation()
        || matches!(u32::from(character),
            0xA1 | 0xA7 | 0xAB | 0xB6 | 0xB7 | 0xBB | 0xBF
            | 0x2010..=0x2027 | 0x2030..=0x2043 | 0x2045..=0x2051 | 0x2053..=0x205E | 0x2308..=0x230B | 0x2329 | 0x232A
            | 0x3001..=0x3003 | 0x3008..=0x3011 | 0x3014..=0x301F | 0x3030 | 0x303D | 0x30A0 | 0x30FB
            | 0xFE10..=0xFE19 | 0xFE30..=0xFE52 | 0xFE54..=0xFE61 | 0xFE63 | 0xFE68 | 0xFE6A | 0xFE6B
            | 0xFF01..=0xFF03 | 0xFF05..=0xFF0A | 0xFF0C..=0xFF0F | 0xFF1A | 0xFF1B | 0xFF1F | 0xFF20 | 0xFF3B..=0xFF3D | 0xFF3F
            | 0xFF5B | 0xFF5D | 0xFF5F..=0xFF65)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_cut_as_squad_cuts_them() {
        let cases: [(&str, &[&str]); 9] = [
            ("The  Eiffel-Tower, in a park.", &["eiffeltower", "in", "park"]),
            ("an-apple", &["anapple"]),
            ("a", &[]),
            ("A.", &[]),
            ("...", &[]),
            ("theatre\u{a0}the\u{1c}END", &["theatre", "end"]),
            ("a–b the”", &["–b", "”"]),
            ("《红楼梦》the作者", &["《红楼梦》the作者"]),
            ("它 the 好", &["它", "好"]),
        ];
        for (answer, expected) in cases {
            assert_eq!(words(answer, Segmentation::Squad), expected, "{answer:?}");
        }
    }

    #[test]
    fn each_chinese_character_and_kana_is_a_word_where_it_is_asked_for() {
        let cases: [(&str, &[&str]); 4] = [
            ("《红楼梦》，1791年", &["红", "楼", "梦", "1791", "年"]),
            ("the カタカナ と abc def", &["カ", "タ", "カ", "ナ", "と", "abc", "def"]),
            ("Eiffel Tower", &["eiffel", "tower"]),
            ("。", &[]),
        ];
        for (answer, expected) in cases {
            assert_eq!(words(answer, Segmentation::Mixed), expected, "{answer:?}");
        }
    }
}
