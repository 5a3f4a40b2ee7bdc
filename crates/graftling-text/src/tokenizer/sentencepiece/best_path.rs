//! The likeliest way to put a text together from the pieces of a unigram model (Kudo, 2018), as sentencepiece finds it
//! (`Model::EncodeOptimized`): with its tie-breaks and in its precision. Knows nothing of how a text was normalised.

use std::ops::Range;

use super::proto::{ModelProto, PieceKind};
use super::trie::Trie;

/// How much worse a character that no piece covers is than the worst piece (`kUnkPenalty`).
const UNKNOWN_PENALTY: f32 = 10.0;

/// The pieces of a model with what each is worth.
pub(super) struct BestPath {
    trie: Trie,
    worth: Vec<Worth>,
    unknown_score: f32,
    best_score: f32,
}

#[derive(Clone, Copy)]
enum Worth {
    Score(f32),
    /// It is worth more than anything else.
    Always,
}

/// The best way to one place of a text.
#[derive(Clone, Copy)]
struct Step {
    /// The last piece of the way, where it is known.
    piece: Option<u32>,
    /// Where that piece begins; none where no way leads.
    from: Option<usize>,
    score: f32,
}

impl BestPath {
    pub fn of(proto: &ModelProto) -> BestPath {
        let found =
            proto.pieces.iter().zip(0..).filter(|(piece, _)| matches!(piece.kind, PieceKind::Normal | PieceKind::UserDefined));
        let worth = proto.pieces.iter().map(|piece| match piece.kind {
            PieceKind::UserDefined => Worth::Always,
            _ => Worth::Score(piece.score),
        });
        let scores = || proto.pieces.iter().filter(|piece| piece.kind == PieceKind::Normal).map(|piece| piece.score);
        BestPath {
            trie: Trie::new(found.map(|(piece, id)| (piece.text.as_str(), id))),
            worth: worth.collect(),
            unknown_score: scores().fold(f32::MAX, f32::min) - UNKNOWN_PENALTY,
            // As there: the least positive number, unless a score is greater.
            best_score: scores().fold(f32::MIN_POSITIVE, f32::max),
        }
    }

    /// The pieces of a normalised text and where they stand in it; a character that no piece covers has none.
    pub fn pieces(&self, text: &str) -> Vec<(Range<usize>, Option<u32>)> {
        let bytes = text.as_bytes();
        let mut best = vec![Step { piece: None, from: None, score: 0.0 }; bytes.len() + 1];
        for (start, character) in text.char_indices() {
            let so_far = best[start].score;
            let mut is_covered = false;
            for (length, id) in self.trie.beginnings(&bytes[start..]) {
                // All in single precision: which of two ways wins that are as good but for rounding turns on it.
                let score = match self.worth[id as usize] {
                    Worth::Score(score) => score,
                    Worth::Always => (f64::from(length as f32 * self.best_score) - 0.1) as f32,
                };
                best[start + length].offer(score + so_far, start, Some(id));
                is_covered |= length == character.len_utf8();
            }
            if !is_covered {
                best[start + character.len_utf8()].offer(self.unknown_score + so_far, start, None);
            }
        }
        let mut pieces = Vec::new();
        let mut end = bytes.len();
        while let Some(from) = best[end].from {
            pieces.push((from..end, best[end].piece));
            end = from;
        }
        pieces.reverse();
        pieces
    }
}

impl Step {
    /// Takes a way to this place where it is better than the best so far.
    fn offer(&mut self, score: f32, from: usize, piece: Option<u32>) {
        if self.from.is_none() || score > self.score {
            *self = Step { piece, from: Some(from), score };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokenizer::sentencepiece::proto::Piece;

    #[test]
    fn of_ways_that_are_as_good_the_one_with_the_longer_last_piece_is_taken() {
        let piece = |text: &str, score, kind| Piece { text: text.to_owned(), score, kind };
        let mut proto = ModelProto::read(&[0x0A, 0x03, 0x0A, 0x01, b'?']).unwrap();
        proto.pieces = vec![
            piece("?", 0.0, PieceKind::Unknown),
            piece("I", -46.146_23, PieceKind::Normal),
            piece("E", -8.392_005, PieceKind::Normal),
            piece("EE", -11.232_006, PieceKind::Normal),
            piece("kept", 0.0, PieceKind::UserDefined),
            piece("e", -1.0, PieceKind::Normal),
            piece("hidden", -1.0, PieceKind::Unused),
        ];
        let path = BestPath::of(&proto);
        let ids = |text| path.pieces(text).into_iter().map(|(_, id)| id).collect::<Vec<_>>();
        // In double precision "EE" and "E" would be better by half a unit in the last place; sentencepiece 0.2.3 says "E" and "EE".
        assert_eq!(ids("IEEE"), [Some(1), Some(2), Some(3)]);
        assert_eq!(ids("ekepte"), [Some(5), Some(4), Some(5)]);
        assert_eq!(ids("hid"), [None, None, None]);
        assert_eq!(ids(""), []);
    }
}
