//! What sentencepiece does to a text before it looks for pieces (`Normalizer::Normalize` of sentencepiece): characters replaced,
//! blanks dropped and marked. Knows nothing of pieces.

use super::charsmap::CharsMap;
use super::proto::{ModelProto, PieceKind};
use super::trie::Trie;

/// How a blank is written.
pub(super) const BLANK: &str = "▁";

/// The rules of a model.
pub(super) struct Normalizer {
    charsmap: Option<CharsMap>,
    /// Texts that are left as they are, where there are any.
    kept: Option<Trie>,
    blank_first: bool,
    drops_blanks: bool,
    marks_blanks: bool,
}

/// A text as pieces are looked for in it.
pub(super) struct Normalized {
    pub text: String,
    /// For each byte of it the place in the original text that it was made from, and one place more: where the last piece ends, before
    /// blanks that were dropped there.
    pub origins: Vec<usize>,
}

impl Normalizer {
    pub fn of(proto: &ModelProto) -> Result<Normalizer, String> {
        let kept: Vec<&str> =
            proto.pieces.iter().filter(|piece| piece.kind == PieceKind::UserDefined).map(|piece| &*piece.text).collect();
        Ok(Normalizer {
            charsmap: proto.checked_charsmap()?,
            kept: (!kept.is_empty()).then(|| Trie::new(kept.into_iter().zip(0..))),
            blank_first: proto.blank_first,
            drops_blanks: proto.drops_blanks,
            marks_blanks: proto.marks_blanks,
        })
    }

    pub fn normalized(&self, text: &str) -> Normalized {
        let mut done =
            Normalized { text: String::with_capacity(text.len() + BLANK.len()), origins: Vec::with_capacity(text.len() + 4) };
        let mut at = 0;
        while self.drops_blanks && at < text.len() {
            let (replaced, bytes) = self.next(&text[at..]);
            if replaced != " " {
                break;
            }
            at += bytes;
        }
        if at == text.len() {
            done.origins.push(at);
            return done;
        }
        if self.blank_first {
            self.push(&mut done, ' ', at);
        }
        let mut behind_blank = self.drops_blanks;
        while at < text.len() {
            let (replaced, bytes) = self.next(&text[at..]);
            let new = if behind_blank { replaced.trim_start_matches(' ') } else { replaced };
            new.chars().for_each(|character| self.push(&mut done, character, at));
            if !new.is_empty() {
                behind_blank = self.drops_blanks && new.ends_with(' ');
            }
            at += bytes;
        }
        let blank = if self.marks_blanks { BLANK } else { " " };
        while self.drops_blanks && done.text.ends_with(blank) {
            let length = done.text.len() - blank.len();
            at = done.origins[length];
            done.text.truncate(length);
            done.origins.truncate(length);
        }
        done.origins.push(at);
        done
    }

    /// What stands for the beginning of a text that is not empty, and how many bytes of it that is.
    fn next<'a>(&'a self, text: &'a str) -> (&'a str, usize) {
        let kept = self.kept.as_ref().and_then(|kept| kept.beginnings(text.as_bytes()).last());
        if let Some((bytes, _)) = kept {
            return (&text[..bytes], bytes);
        }
        if let Some((bytes, replaced)) = self.charsmap.as_ref().and_then(|map| map.longest(text)) {
            return (replaced, bytes);
        }
        let bytes = text.chars().next().map_or(0, char::len_utf8);
        (&text[..bytes], bytes)
    }

    fn push(&self, done: &mut Normalized, character: char, origin: usize) {
        let character = if self.marks_blanks && character == ' ' { '▁' } else { character };
        done.text.push(character);
        done.origins.extend(std::iter::repeat_n(origin, character.len_utf8()));
    }
}
