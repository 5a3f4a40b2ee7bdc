//! Texts to the tokens of a Marian folder and back, where sentencepiece itself cuts them and a vocabulary beside it numbers the pieces
//! (transformers' MarianTokenizer). Knows no file.

use std::sync::Arc;

use tokenizers::{Encoding, NormalizerWrapper, OffsetReferential, OffsetType, Token};

use super::sentencepiece::processor::{Found, Processor};

/// What cuts texts and puts them together in place of the tokenizer library, which then has the vocabulary and the special tokens alone.
#[derive(Clone)]
pub(super) struct PieceTokens {
    /// Cuts texts.
    pub cuts: Arc<Processor>,
    /// Puts texts together.
    pub joins: Arc<Processor>,
    pub numbering: Numbering,
    /// Of all that the vocabulary lacks.
    pub unknown_id: u32,
    /// Whether blanks before punctuation are dropped from texts that are put together (`clean_up_tokenization_spaces`).
    pub cleans_up: bool,
}

/// Whose numbers the pieces have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Numbering {
    /// Those of a vocabulary beside the model: special tokens and language codes are found in texts.
    Vocabulary,
    /// Those of the model: what looks like a special token in a text is text.
    Model,
}

impl PieceTokens {
    /// The tokens of a text, without those that go around it.
    pub fn encode(&self, vocabulary: &tokenizers::Tokenizer, text: &str) -> Encoding {
        let mut tokens = Vec::new();
        let mut words = Vec::new();
        self.cut(vocabulary, text, &mut tokens);
        let mut word = 0;
        for (place, token) in tokens.iter().enumerate() {
            word += u32::from(place > 0 && token.value.starts_with('▁'));
            words.push(word);
        }
        with_words(tokens, words)
    }

    /// The tokens of words that are given, each cut for itself; offsets count within the word.
    pub fn encode_words(&self, vocabulary: &tokenizers::Tokenizer, words: &[&str]) -> Encoding {
        let mut tokens = Vec::new();
        let mut of_words = Vec::new();
        for (text, word) in words.iter().zip(0..) {
            self.cut(vocabulary, text, &mut tokens);
            of_words.resize(tokens.len(), word);
        }
        with_words(tokens, of_words)
    }

    /// The text of tokens.
    pub fn decode(&self, vocabulary: &tokenizers::Tokenizer, ids: &[u32]) -> String {
        // A number that the vocabulary leaves free is taken for the model's own, as in transformers.
        let written = |id: &u32| vocabulary.id_to_token(*id).or_else(|| self.joins.piece(*id).map(str::to_owned));
        self.joined(vocabulary, &ids.iter().filter_map(written).collect::<Vec<_>>())
    }

    /// The text of tokens as they are written.
    pub fn joined(&self, vocabulary: &tokenizers::Tokenizer, written: &[String]) -> String {
        if self.numbering == Numbering::Model {
            return self.joins.decode(written.iter().map(String::as_str));
        }
        let added = vocabulary.get_added_vocabulary();
        let mut text = String::new();
        let mut rest = written;
        while !rest.is_empty() {
            let (plain, behind) =
                rest.split_at(rest.iter().position(|token| added.is_special_token(token)).unwrap_or(rest.len()));
            text += &self.joins.decode(plain.iter().map(String::as_str));
            rest = match behind.split_first() {
                Some((token, behind)) => {
                    text += token;
                    text.push(' ');
                    behind
                }
                None => behind,
            };
        }
        let text = text.replace('▁', " ");
        let text = text.trim_matches(is_python_space);
        if self.cleans_up { cleaned(text) } else { text.to_owned() }
    }

    /// Cuts a text at its special tokens and each part into pieces.
    fn cut(&self, vocabulary: &tokenizers::Tokenizer, text: &str, tokens: &mut Vec<Token>) {
        if self.numbering == Numbering::Model {
            tokens.extend(self.cuts.encode(text).into_iter().map(|found| {
                let id = found.id.unwrap_or(self.unknown_id);
                Token::new(id, found.text, found.offsets)
            }));
            return;
        }
        let parts = vocabulary.get_added_vocabulary().extract_and_normalize(None::<&NormalizerWrapper>, text);
        for (_, (start, end), found) in parts.get_splits(OffsetReferential::Original, OffsetType::Byte) {
            match found {
                Some(found) => tokens.extend(found.iter().map(|token| Token::new(token.id, token.value.clone(), (start, end)))),
                None => self.cut_part(vocabulary, &text[start..end], start, tokens),
            }
        }
    }

    fn cut_part(&self, vocabulary: &tokenizers::Tokenizer, part: &str, start: usize, tokens: &mut Vec<Token>) {
        let code = language_code(part).unwrap_or_default();
        let whole = (!code.is_empty()).then(|| Found { text: code.to_owned(), id: None, offsets: (0, code.len()) });
        let moved = |found: Found| Found { offsets: (found.offsets.0 + code.len(), found.offsets.1 + code.len()), ..found };
        let pieces = self.cuts.encode(&part[code.len()..]).into_iter().map(moved);
        tokens.extend(whole.into_iter().chain(pieces).map(|found| {
            let id = vocabulary.token_to_id(&found.text).unwrap_or(self.unknown_id);
            Token::new(id, found.text, (start + found.offsets.0, start + found.offsets.1))
        }));
    }
}

/// Whether a token is a language code.
pub(super) fn is_language_code(token: &str) -> bool {
    token.len() > 4 && token.starts_with(">>") && token.ends_with("<<")
}

/// The language code that a part of a text begins with, such as `>>zh<<`: it is looked up whole. A part begins where the text does and
/// behind each special token, as in transformers; a code that is itself listed as an added token is found anywhere.
fn language_code(text: &str) -> Option<&str> {
    let end = text.starts_with(">>").then(|| text.find("<<")).flatten()?;
    Some(&text[..end + "<<".len()])
}

/// Tokens with the number of the word that each belongs to.
fn with_words(tokens: Vec<Token>, words: Vec<u32>) -> Encoding {
    let mut encoding = Encoding::from_tokens(tokens, 0);
    for (place, word) in encoding.get_word_ids_mut().iter_mut().zip(words) {
        *place = Some(word);
    }
    encoding
}

/// What Python's `str.strip` takes off.
fn is_python_space(character: char) -> bool {
    character.is_whitespace() || ('\u{1C}'..='\u{1F}').contains(&character)
}

/// `clean_up_tokenization` of transformers.
fn cleaned(text: &str) -> String {
    const REPLACED: [(&str, &str); 10] = [
        (" .", "."),
        (" ?", "?"),
        (" !", "!"),
        (" ,", ","),
        (" ' ", "'"),
        (" n't", "n't"),
        (" 'm", "'m"),
        (" 's", "'s"),
        (" 've", "'ve"),
        (" 're", "'re"),
    ];
    REPLACED.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}
