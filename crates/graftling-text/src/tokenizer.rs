//! Turns texts into the token ids a model was trained on, by the files that lie beside its weights.
//! Knows nothing of tensors; the only room that names the tokenizer library.

mod byte_level;
mod chat;
mod class;
mod encode;
mod folder;
mod gguf;
mod given_words;
mod marks;
mod offsets;
mod save;
mod sentencepiece;
mod settings;
mod special_tokens;
#[cfg(test)]
mod tests;
mod text_tokens;
mod truncation_report;
mod windows;
mod wordpiece;

use std::sync::OnceLock;

pub use chat::{ChatEnding, ChatProblem, ChatTemplate, Conversation, strftime};
pub use encode::{EncodeOptions, Encoding, Encodings, FirstText, Overflow, TextInput, TokenlessWords};
pub use gguf::GgufVocabulary;
pub use text_tokens::TextToken;
pub use truncation_report::TruncationReport;

use tokenizers::{Model, PostProcessorWrapper, TruncationDirection};

use given_words::WordPipeline;
use settings::Settings;

/// The tokenizer of a model folder.
///
/// It does what `AutoTokenizer` of transformers does with the same folder. Truncation and padding that were saved inside
/// `tokenizer.json` are left out: how long texts may be is said at each [`encode`](Tokenizer::encode), and nothing here pads.
pub struct Tokenizer {
    /// Normalises and cuts into tokens; its own post-processor, truncation and padding are taken out.
    pipeline: tokenizers::Tokenizer,
    /// Puts the special tokens around a text or a pair.
    post_processor: Option<PostProcessorWrapper>,
    /// What encodes words that are given, made when it is first needed; `None` inside where the pipeline itself does.
    word_pipeline: OnceLock<Option<WordPipeline>>,
    /// Whether the model tells the texts of a pair apart by token types.
    takes_token_types: bool,
    /// Whether the post-processor takes spaces off the ends of tokens, for which offsets must count characters.
    trims_offsets: bool,
    settings: Settings,
    /// The text of vocab.txt where the tokenizer came from one.
    vocabulary_file: Option<String>,
    truncation_side: TruncationDirection,
    notices: Vec<String>,
}

impl Tokenizer {
    /// The highest token id and one: how many rows an embedding must have at least.
    pub fn vocabulary_size(&self) -> usize {
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
        self
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
