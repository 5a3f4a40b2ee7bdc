//! Texts to pieces and back as sentencepiece itself does it, to the byte: the tokenizer library's own way differs in combining
//! characters, in blanks and in ties. Knows nothing of vocabularies besides the model's own.

use std::path::Path;

use super::best_path::BestPath;
use super::normalizer::{BLANK, Normalizer};
use super::proto::{Algorithm, ModelProto, PieceKind};
use crate::TextError;

/// A unigram model, ready to work.
pub(in crate::tokenizer) struct Processor {
    proto: ModelProto,
    /// The numbers of the pieces in the order of their texts.
    by_text: Vec<u32>,
    normalizer: Normalizer,
    best_path: BestPath,
    /// The piece of each byte, where characters that no piece covers become their bytes.
    byte_pieces: Option<Vec<u32>>,
}

/// A piece of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::tokenizer) struct Found {
    /// As it is written: a piece of the model, or characters that it does not know.
    pub text: String,
    /// Its number in the model; none of what it does not know.
    pub id: Option<u32>,
    /// Its first byte in the text and the one after its last.
    pub offsets: (usize, usize),
}

impl Processor {
    /// From the bytes of the model at `path`.
    pub fn read(path: &Path, bytes: &[u8]) -> Result<Processor, TextError> {
        let made = ModelProto::read(bytes).and_then(Self::new);
        made.map_err(|reason| TextError::TokenizerFile { path: path.to_owned(), reason })
    }

    fn new(mut proto: ModelProto) -> Result<Processor, String> {
        if proto.algorithm != Algorithm::Unigram {
            return Err("accepted here are models of the type unigram alone".to_owned());
        }
        if proto.denormalizes {
            return Err("it changes texts when it puts them together (denormalizer_spec), which is not offered".to_owned());
        }
        let text = |id: u32| proto.pieces[id as usize].text.as_str();
        let mut by_text: Vec<u32> = (0..proto.pieces.len() as u32).collect();
        by_text.sort_by_key(|&id| text(id));
        if let Some(same) = by_text.windows(2).find(|pair| text(pair[0]) == text(pair[1])) {
            return Err(format!("the pieces {} and {} are both {:?}", same[0], same[1], text(same[0])));
        }
        let byte_piece = |byte: u8| {
            let written = format!("<0x{byte:02X}>");
            let id = numbered(&proto, &by_text, &written).filter(|&id| proto.pieces[id as usize].kind == PieceKind::Byte);
            id.ok_or_else(|| format!("unknown characters are to become bytes, but there is no piece {written}"))
        };
        let byte_pieces =
            proto.byte_fallback.then(|| (0..=255).map(byte_piece).collect::<Result<Vec<u32>, String>>()).transpose()?;
        let (normalizer, best_path) = (Normalizer::of(&proto)?, BestPath::of(&proto));
        // The normalizer has read it.
        proto.charsmap = Vec::new();
        Ok(Processor { proto, by_text, normalizer, best_path, byte_pieces })
    }

    /// The pieces, in the order of their numbers.
    pub fn pieces(&self) -> impl ExactSizeIterator<Item = &str> {
        self.proto.pieces.iter().map(|piece| piece.text.as_str())
    }

    /// The pieces that texts are made of.
    pub fn text_pieces(&self) -> impl Iterator<Item = &str> {
        let of_text = |kind| matches!(kind, PieceKind::Normal | PieceKind::UserDefined | PieceKind::Byte);
        self.proto.pieces.iter().filter(move |piece| of_text(piece.kind)).map(|piece| piece.text.as_str())
    }

    /// The pieces that are no text: the model's own tokens and the unknown piece.
    pub fn special_pieces(&self) -> impl Iterator<Item = &str> {
        let special = |kind| matches!(kind, PieceKind::Control | PieceKind::Unknown);
        self.proto.pieces.iter().filter(move |piece| special(piece.kind)).map(|piece| piece.text.as_str())
    }

    /// The piece of a number.
    pub fn piece(&self, id: u32) -> Option<&str> {
        self.proto.pieces.get(id as usize).map(|piece| piece.text.as_str())
    }

    /// What is written for everything unknown, and its number.
    pub fn unknown(&self) -> (&str, u32) {
        (&self.proto.pieces[self.proto.unknown_id].text, self.proto.unknown_id as u32)
    }

    /// The pieces of a text (`SentencePieceProcessor::Encode`).
    pub fn encode(&self, text: &str) -> Vec<Found> {
        let normalized = self.normalizer.normalized(text);
        let mut found: Vec<Found> = Vec::new();
        for (range, id) in self.best_path.pieces(&normalized.text) {
            let offsets = (normalized.origins[range.start], normalized.origins[range.end]);
            let written = &normalized.text[range];
            match (id, &self.byte_pieces) {
                (Some(_), _) => found.push(Found { text: written.to_owned(), id, offsets }),
                (None, Some(bytes)) => found.extend(written.bytes().map(|byte| {
                    let id = bytes[usize::from(byte)];
                    Found { text: self.proto.pieces[id as usize].text.clone(), id: Some(id), offsets }
                })),
                // Unknown characters that follow each other are one piece.
                (None, None) => match found.last_mut().filter(|last| last.id.is_none()) {
                    Some(last) => {
                        last.text.push_str(written);
                        last.offsets.1 = offsets.1;
                    }
                    None => found.push(Found { text: written.to_owned(), id, offsets }),
                },
            }
        }
        found
    }

    /// The text of pieces (`SentencePieceProcessor::Decode`).
    pub fn decode<'a>(&self, pieces: impl Iterator<Item = &'a str>) -> String {
        let mut text = String::new();
        let mut bytes: Vec<u8> = Vec::new();
        let mut at_start = true;
        let mut blank_dropped = false;
        for piece in pieces {
            let kind = numbered(&self.proto, &self.by_text, piece).map(|id| self.proto.pieces[id as usize].kind);
            if let Some(byte) = byte_of(piece).filter(|_| kind == Some(PieceKind::Byte)) {
                bytes.push(byte);
                continue;
            }
            push_bytes(&mut text, &mut bytes);
            at_start &= !blank_dropped && text.is_empty();
            blank_dropped = false;
            match kind {
                Some(PieceKind::Control) => {}
                Some(PieceKind::Unknown) => text.push_str(&self.proto.unknown_text),
                None => text.push_str(piece),
                Some(_) => {
                    let mut shown = piece;
                    if at_start && (self.proto.blank_first || self.proto.drops_blanks) {
                        let rest = piece.strip_prefix(BLANK);
                        blank_dropped = rest.is_some() && !self.proto.drops_blanks;
                        shown = rest.unwrap_or(piece);
                    }
                    text.push_str(&shown.replace(BLANK, " "));
                }
            }
        }
        push_bytes(&mut text, &mut bytes);
        text
    }
}

/// The number of the piece with a text.
fn numbered(proto: &ModelProto, by_text: &[u32], text: &str) -> Option<u32> {
    let place = by_text.binary_search_by(|&id| proto.pieces[id as usize].text.as_str().cmp(text));
    place.ok().map(|place| by_text[place])
}

/// The byte that a piece such as `<0xE5>` is.
pub(in crate::tokenizer) fn byte_of(piece: &str) -> Option<u8> {
    let digits = piece.strip_prefix("<0x")?.strip_suffix('>')?;
    let plain = digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    plain.then(|| u8::from_str_radix(digits, 16).ok())?
}

/// Puts bytes behind a text; each that belongs to no character is shown as one of its own.
fn push_bytes(text: &mut String, bytes: &mut Vec<u8>) {
    let mut rest = bytes.as_slice();
    while !rest.is_empty() {
        let valid = match std::str::from_utf8(rest) {
            Ok(all) => all.len(),
            Err(error) => error.valid_up_to(),
        };
        let (good, bad) = rest.split_at(valid);
        text.push_str(&String::from_utf8_lossy(good));
        if let Some((_, behind)) = bad.split_first() {
            text.push(char::REPLACEMENT_CHARACTER);
            rest = behind;
        } else {
            rest = bad;
        }
    }
    bytes.clear();
}
