//! Reads a SentencePiece `.model`: the fields of its protocol buffer (sentencepiece_model.proto, `ModelProto`) that cutting texts
//! takes. Knows nothing of what is made of them.

use super::charsmap::CharsMap;

/// A SentencePiece model as its file holds it.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelProto {
    /// The pieces; their places are their ids.
    pub pieces: Vec<Piece>,
    /// How pieces are put together.
    pub algorithm: Algorithm,
    /// The piece for what is unknown.
    pub unknown_id: usize,
    /// How that piece is written.
    pub unknown_piece: String,
    /// What it is put together as (`unk_surface`).
    pub unknown_text: String,
    /// Whether unknown characters become pieces of their bytes.
    pub byte_fallback: bool,
    /// Replacements of characters, as a double-array trie with the texts it leads to.
    pub charsmap: Vec<u8>,
    /// Whether a text begins with a blank that it has not (`add_dummy_prefix`).
    pub blank_first: bool,
    /// Whether blanks at both ends are dropped, and repeated ones become one (`remove_extra_whitespaces`).
    pub drops_blanks: bool,
    /// Whether blanks are written `▁` (`escape_whitespaces`).
    pub marks_blanks: bool,
    /// Whether texts are changed again when they are put together (`denormalizer_spec`).
    pub denormalizes: bool,
}

/// A piece of the vocabulary.
#[derive(Clone, Debug, PartialEq)]
pub struct Piece {
    pub text: String,
    pub score: f32,
    pub kind: PieceKind,
}

/// What a piece is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PieceKind {
    /// Text.
    Normal,
    /// A token of the model's own, such as `<s>`.
    Control,
    /// Text that is never cut.
    UserDefined,
    /// What stands for everything unknown.
    Unknown,
    /// A byte, written `<0xE5>`.
    Byte,
    /// Text that is not to be found.
    Unused,
}

/// How pieces are put together (`TrainerSpec.ModelType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    Unigram,
    Bpe,
    Word,
    Character,
}

/// No piece is as long; a longer one would take time with the square of its length.
const LONGEST_PIECE_BYTES: usize = 4096;

impl ModelProto {
    /// Reads a whole file; an error says at which byte it makes no sense.
    pub fn read(bytes: &[u8]) -> Result<ModelProto, String> {
        let mut model = ModelProto {
            pieces: Vec::new(),
            algorithm: Algorithm::Unigram,
            unknown_id: 0,
            unknown_piece: "<unk>".to_owned(),
            unknown_text: " \u{2047} ".to_owned(),
            byte_fallback: false,
            charsmap: Vec::new(),
            blank_first: true,
            drops_blanks: true,
            marks_blanks: true,
            denormalizes: false,
        };
        let mut fields = Fields { bytes, at: 0, base: 0 };
        while let Some((number, value)) = fields.next()? {
            match (number, value) {
                (1, Wire::Bytes(inner)) => {
                    let piece = piece(inner).map_err(|reason| format!("piece {}: {reason}", model.pieces.len()))?;
                    model.pieces.push(piece);
                }
                (2, Wire::Bytes(inner)) => model.read_trainer(inner)?,
                (3, Wire::Bytes(inner)) => model.read_normalizer(inner)?,
                (5, Wire::Bytes(inner)) => model.read_denormalizer(inner)?,
                _ => {}
            }
        }
        if model.pieces.is_empty() {
            return Err("no pieces in it; this is no SentencePiece model".to_owned());
        }
        if model.unknown_id >= model.pieces.len() {
            return Err(format!("the unknown piece is {}, but there are {} pieces", model.unknown_id, model.pieces.len()));
        }
        Ok(model)
    }

    /// The map of characters, where there is one.
    pub fn checked_charsmap(&self) -> Result<Option<CharsMap>, String> {
        let read = (!self.charsmap.is_empty()).then(|| CharsMap::read(&self.charsmap)).transpose();
        read.map_err(|reason| format!("its map of characters (precompiled_charsmap) is damaged: {reason}"))
    }

    fn read_trainer(&mut self, mut fields: Fields<'_>) -> Result<(), String> {
        while let Some((number, value)) = fields.next()? {
            match (number, value) {
                (3, Wire::Number(kind)) => {
                    self.algorithm = match kind {
                        1 => Algorithm::Unigram,
                        2 => Algorithm::Bpe,
                        3 => Algorithm::Word,
                        4 => Algorithm::Character,
                        other => return Err(format!("the model type is {other}; accepted are 1 (unigram) and 2 (bpe)")),
                    }
                }
                (24, Wire::Number(suffix)) if suffix != 0 => {
                    return Err("it puts blanks behind words (treat_whitespace_as_suffix), which is not offered".to_owned());
                }
                (35, Wire::Number(fallback)) => self.byte_fallback = fallback != 0,
                (40, Wire::Number(id)) => {
                    self.unknown_id = usize::try_from(id).map_err(|_| format!("the unknown piece is {id}"))?;
                }
                (44, Wire::Bytes(text)) => self.unknown_text = text.utf8()?,
                (45, Wire::Bytes(text)) => self.unknown_piece = text.utf8()?,
                _ => {}
            }
        }
        Ok(())
    }

    fn read_normalizer(&mut self, mut fields: Fields<'_>) -> Result<(), String> {
        while let Some((number, value)) = fields.next()? {
            match (number, value) {
                (2, Wire::Bytes(map)) => self.charsmap = map.bytes.to_vec(),
                (3, Wire::Number(first)) => self.blank_first = first != 0,
                (4, Wire::Number(drops)) => self.drops_blanks = drops != 0,
                (5, Wire::Number(marks)) => self.marks_blanks = marks != 0,
                _ => {}
            }
        }
        Ok(())
    }

    fn read_denormalizer(&mut self, mut fields: Fields<'_>) -> Result<(), String> {
        while let Some((number, value)) = fields.next()? {
            if let (2, Wire::Bytes(map)) = (number, value) {
                self.denormalizes = !map.bytes.is_empty();
            }
        }
        Ok(())
    }
}

fn piece(mut fields: Fields<'_>) -> Result<Piece, String> {
    let mut piece = Piece { text: String::new(), score: 0.0, kind: PieceKind::Normal };
    while let Some((number, value)) = fields.next()? {
        match (number, value) {
            (1, Wire::Bytes(text)) if text.bytes.len() > LONGEST_PIECE_BYTES => {
                return Err(format!("{} bytes; at most {LONGEST_PIECE_BYTES} are accepted", text.bytes.len()));
            }
            (1, Wire::Bytes(text)) => piece.text = text.utf8()?,
            (2, Wire::Single(score)) if !score.is_finite() => return Err(format!("its score is {score}")),
            (2, Wire::Single(score)) => piece.score = score,
            (3, Wire::Number(kind)) => {
                piece.kind = match kind {
                    2 => PieceKind::Unknown,
                    3 => PieceKind::Control,
                    4 => PieceKind::UserDefined,
                    5 => PieceKind::Unused,
                    6 => PieceKind::Byte,
                    _ => PieceKind::Normal,
                }
            }
            _ => {}
        }
    }
    if piece.text.is_empty() { Err("it is empty".to_owned()) } else { Ok(piece) }
}

/// The value of a field.
enum Wire<'a> {
    Number(u64),
    Single(f32),
    Double,
    Bytes(Fields<'a>),
}

/// The fields of a message, one after the other.
struct Fields<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Where the message begins in the file.
    base: usize,
}

impl<'a> Fields<'a> {
    fn next(&mut self) -> Result<Option<(u64, Wire<'a>)>, String> {
        if self.at == self.bytes.len() {
            return Ok(None);
        }
        let tag = self.number()?;
        let value = match tag & 7 {
            0 => Wire::Number(self.number()?),
            1 => {
                self.take(8)?;
                Wire::Double
            }
            2 => {
                let length = self.number()?;
                let base = self.base + self.at;
                Wire::Bytes(Fields { bytes: self.take(length)?, at: 0, base })
            }
            5 => {
                let bytes = self.take(4)?;
                Wire::Single(f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
            }
            other => return Err(self.refuse(&format!("a field of the unknown wire type {other}"))),
        };
        Ok(Some((tag >> 3, value)))
    }

    /// A number of up to ten bytes, seven bits each, the lowest first.
    fn number(&mut self) -> Result<u64, String> {
        let mut number = 0u64;
        for shift in (0..70).step_by(7) {
            let Some(&byte) = self.bytes.get(self.at) else { return Err(self.refuse("the file ends inside a number")) };
            self.at += 1;
            number |= u64::from(byte & 0x7F).checked_shl(shift).unwrap_or(0);
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(self.refuse("a number of more than ten bytes"))
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8], String> {
        let left = self.bytes.len() - self.at;
        match usize::try_from(length).ok().filter(|&length| length <= left) {
            None => Err(self.refuse(&format!("a field of {length} bytes where {left} are left"))),
            Some(length) => {
                let taken = &self.bytes[self.at..self.at + length];
                self.at += length;
                Ok(taken)
            }
        }
    }

    fn utf8(&self) -> Result<String, String> {
        String::from_utf8(self.bytes.to_vec())
            .map_err(|error| format!("invalid UTF-8 at byte {} of the file", self.base + error.utf8_error().valid_up_to()))
    }

    fn refuse(&self, what: &str) -> String {
        format!("{what} (byte {} of the file); it is damaged, cut short, or no SentencePiece model", self.base + self.at)
    }
}
