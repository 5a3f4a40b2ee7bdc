//! Turns texts into the token ids a model was trained on, by the files that lie beside its weights.
//! Knows nothing of tensors; the only room that names the tokenizer library.

mod around_targets;
mod byte_level;
mod chat;
mod class;
mod encode;
mod folder;
mod gguf;
mod given_words;
mod languages;
mod marian;
mod marks;
mod offsets;
mod piece_tokens;
mod save;
mod sentencepiece;
mod settings;
mod special_tokens;
#[cfg(test)]
mod tests;
mod text_tokens;
mod truncation_report;
mod whole_words;
mod windows;
mod wordpiece;

use std::sync::{Arc, OnceLock};

pub use chat::{ChatEnding, ChatProblem, ChatTemplate, Conversation};
pub use encode::{EncodeOptions, Encoding, Encodings, FirstText, Overflow, TextInput, TokenlessWords};
pub use gguf::GgufVocabulary;
pub use text_tokens::TextToken;
pub use truncation_report::TruncationReport;
pub use whole_words::WholeWords;

use tokenizers::{Model, PostProcessorWrapper, TruncationDirection};

use given_words::WordPipeline;
use languages::Languages;
use piece_tokens::PieceTokens;
use save::KeptFile;
use settings::Settings;

/// The tokenizer of a model folder.
///
/// It does what `AutoTokenizer` of transformers does with the same folder. Truncation and padding that were saved inside
/// `tokenizer.json` are left out: how long texts may be is said at each [`encode`](Tokenizer::encode), and nothing here pads.
pub struct Tokenizer {
    /// Normalises and cuts into tokens, unless `pieces` does; its own post-processor, truncation and padding are taken out.
    pipeline: Arc<tokenizers::Tokenizer>,
    /// Cuts texts and puts them together in its place (Marian).
    pieces: Option<Arc<PieceTokens>>,
    /// Puts the special tokens around a text or a pair.
    post_processor: Option<PostProcessorWrapper>,
    /// What encodes words that are given, made when it is first needed; `None` inside where the pipeline itself does.
    word_pipeline: OnceLock<Option<WordPipeline>>,
    /// Whether the model tells the texts of a pair apart by token types.
    takes_token_types: bool,
    /// Whether the post-processor takes spaces off the ends of tokens, for which offsets must count characters.
    trims_offsets: bool,
    settings: Settings,
    /// Another tokenizer for the texts that are written, where there is one.
    targets: Option<Box<Tokenizer>>,
    /// The languages of texts, where their codes go around them.
    languages: Option<Languages>,
    /// The files of the folder that go into every other as they are.
    kept_files: Vec<KeptFile>,
    truncation_side: TruncationDirection,
    notices: Vec<String>,
}

impl Tokenizer {
    /// The highest token id and one, of texts that are read and of those that are written: how many rows an embedding of both must have at
    /// least.
    pub fn vocabulary_size(&self) -> usize {
        let others = self.targets.as_ref().filter(|targets| !Arc::ptr_eq(&targets.pipeline, &self.pipeline));
        let own = self.read_vocabulary_size();
        others.map_or(own, |targets| own.max(targets.vocabulary_size()))
    }

    /// The highest token id and one, of texts that are read alone.
    pub fn read_vocabulary_size(&self) -> usize {
        let highest_added = self.pipeline.get_added_tokens_decoder().keys().copied().max();
        let highest = self.pipeline.get_model().get_vocab().values().copied().max().max(highest_added);
        highest.map_or(0, |id| id as usize + 1)
    }

    /// The longest input that the tokenizer's settings allow, special tokens included, where they say so.
    pub fn model_max_length(&self) -> Option<usize> {
        self.settings.model_max_length
    }

    /// What [`save`](Tokenizer::save) is to write as the longest input.
    pub fn set_model_max_length(&mut self, model_max_length: usize) {
        self.settings.model_max_length = Some(model_max_length);
    }

    /// What a person should know about how the folder was understood.
    pub fn notices(&self) -> &[String] {
        &self.notices
    }

    /// By what texts that are written from other texts are made tokens, and made texts again: itself, unless the folder has another
    /// tokenizer for them or other special tokens.
    pub fn for_targets(&self) -> &Self {
        self.targets.as_deref().unwrap_or(self)
    }

    /// One with the same vocabulary and settings, and without another for the texts that are written.
    fn sharing(&self) -> Self {
        Self {
            pipeline: self.pipeline.clone(),
            pieces: self.pieces.clone(),
            post_processor: self.post_processor.clone(),
            word_pipeline: OnceLock::new(),
            takes_token_types: self.takes_token_types,
            trims_offsets: self.trims_offsets,
            targets: None,
            languages: self.languages.clone(),
            kept_files: Vec::new(),
            settings: self.settings.clone(),
            truncation_side: self.truncation_side,
            notices: Vec::new(),
        }
    }

    /// The id of a token that is written as the vocabulary writes it.
    pub fn id(&self, token: &str) -> Option<u32> {
        self.pipeline.token_to_id(token)
    }

    /// The token of an id, as the vocabulary writes it.
    pub fn token(&self, id: u32) -> Option<String> {
        self.pipeline.id_to_token(id)
    }
}

impl std::fmt::Debug for Tokenizer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Tokenizer").field("vocabulary_size", &self.vocabulary_size()).finish_non_exhaustive()
    }
}
