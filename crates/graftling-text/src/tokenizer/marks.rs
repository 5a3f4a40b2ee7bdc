//! Tokens that a model gives a meaning of their own, by id. Knows nothing of texts.

use tokenizers::{Model, ModelWrapper};

use super::Tokenizer;
use super::sentencepiece::processor::byte_of;

impl Tokenizer {
    /// The token that stands for a word to be guessed, as it is written in texts, and its id; none where the vocabulary has no such.
    pub fn mask_token(&self) -> Option<(String, u32)> {
        let told = self.settings.mask_token("[MASK]").ok().map(|token| token.content);
        let candidates = told.into_iter().chain(["[MASK]".to_owned(), "<mask>".to_owned()]);
        candidates.into_iter().find_map(|token| {
            let id = self.pipeline.token_to_id(&token)?;
            Some((token, id))
        })
    }

    /// The id of the token that fills the shorter texts of a batch in other programs, where the settings name one that the vocabulary has.
    pub fn padding_id(&self) -> Option<u32> {
        self.pipeline.token_to_id(&self.settings.special_token("pad_token", "").ok()?.content)
    }

    /// The token that a text ends with, as it is written in texts, and its id; none where the vocabulary has no such.
    pub fn end_token(&self) -> Option<(String, u32)> {
        let told = self.settings.special_token("eos_token", "").ok().map(|token| token.content);
        // What transformers' classes of decoders take where nothing is said.
        let candidates = told.into_iter().chain(["<|endoftext|>".to_owned(), "</s>".to_owned()]);
        candidates.into_iter().find_map(|token| {
            let id = self.pipeline.token_to_id(&token)?;
            Some((token, id))
        })
    }

    /// The ids of all tokens that are no part of a text: class, separator, padding, mask and whatever else was added as special.
    pub fn special_ids(&self) -> Vec<u32> {
        let added = self.pipeline.get_added_tokens_decoder();
        let mut ids: Vec<u32> = added.into_iter().filter(|(_, token)| token.special).map(|(id, _)| id).collect();
        ids.sort_unstable();
        ids
    }

    /// The text that a token stands for when it stands alone, without blanks around it; of a token without a text, its name.
    pub fn token_text(&self, id: u32) -> Option<String> {
        let name = self.token(id)?;
        let text = self.decoded(&[id]);
        Some(if text.trim().is_empty() { name } else { text.trim().to_owned() })
    }

    /// The text of tokens that follow each other, without those whose id is in `left_out`.
    pub fn text_of(&self, ids: &[u32], left_out: &[u32]) -> String {
        let shown: Vec<u32> = ids.iter().copied().filter(|id| !left_out.contains(id)).collect();
        self.decoded(&shown)
    }

    fn decoded(&self, ids: &[u32]) -> String {
        match &self.pieces {
            Some(pieces) => pieces.decode(&self.pipeline, ids),
            None => self.pipeline.decode(ids, false).unwrap_or_default(),
        }
    }

    /// Whether a token is one byte (`<0xE5>`), which is a character only together with the bytes around it.
    pub fn is_byte(&self, id: u32) -> bool {
        self.pipeline.id_to_token(id).is_some_and(|name| byte_of(&name).is_some())
    }

    /// The id of the token that stands for what the vocabulary does not have; none where it has everything.
    pub fn unknown_id(&self) -> Option<u32> {
        let told = self.settings.special_token("unk_token", "").ok().map(|token| token.content);
        let of_model = match self.pipeline.get_model() {
            ModelWrapper::WordPiece(model) => Some(model.unk_token.clone()),
            ModelWrapper::WordLevel(model) => Some(model.unk_token.clone()),
            ModelWrapper::BPE(model) => model.unk_token.clone(),
            ModelWrapper::Unigram(model) => return model.token_to_id(&told.filter(|token| !token.is_empty())?),
        };
        told.into_iter().filter(|token| !token.is_empty()).chain(of_model).find_map(|token| self.pipeline.token_to_id(&token))
    }
}
