//! How a model in memory writes: options completed, texts made tokens, and both worked through. Knows no folder.

use graftling_models::Model;
use graftling_tensor::PackedWeights;
use graftling_text::{ChatEnding, EncodeOptions, Encoding, TextInput, Tokenizer};
use serde_json::Value;

use super::config_file::FolderDefaults;
use super::options::GenerationOptions;
use super::problem::GenerationError;
use super::queue::{self, BatchLimits};
use super::request::{Call, Prompt};
use super::settings::{Limits, Settings};
use super::text_stream::{Spelling, Standing};
use super::{Generation, Listener};
use crate::Error;
use crate::error::Complaints;

/// A model that writes, borrowed from whoever has it: a [`Generator`](super::Generator), or an evaluation of a model that is being trained.
pub(crate) struct Writer<'a> {
    model: &'a Model,
    /// Packed for products by the first call and kept for the next.
    weights: PackedWeights<'a>,
    tokenizer: &'a Tokenizer,
    defaults: &'a FolderDefaults,
    limits: BatchLimits,
}

impl<'a> Writer<'a> {
    /// `defaults` are those of the folder that the model came from.
    pub fn new(model: &'a Model, tokenizer: &'a Tokenizer, defaults: &'a FolderDefaults, limits: BatchLimits) -> Self {
        Self { model, weights: PackedWeights::new(&model.parameters), tokenizer, defaults, limits }
    }

    /// The same for a model that nobody trains: packed weights stay with it for the next writer.
    pub fn lasting(self) -> Self {
        Self { weights: PackedWeights::lasting(&self.model.parameters), ..self }
    }

    /// Complete and consistent options.
    pub(super) fn settings(&self, options: &GenerationOptions) -> Result<Settings, Error> {
        let defaults = &self.defaults.options;
        // A model that was never saved has it in its config alone.
        let decoder_start_token_id = defaults.decoder_start_token_id.or_else(|| self.model.decoder_start_token_id());
        let defaults = GenerationOptions { decoder_start_token_id, ..defaults.clone() };
        Ok(Settings::new(options, &defaults, Limits::of(self.model.facts()))?)
    }

    /// Says what is wrong with options, before there is any text.
    pub fn check(&self, options: &GenerationOptions) -> Result<(), Error> {
        self.settings(options).map(|_| ())
    }

    /// What is written behind each text, in their order; or from each, by a model that writes one text from another.
    ///
    /// # Errors
    /// If options contradict each other, a text leaves no room for what is asked for, or no token is left that may come next.
    pub fn stream(
        &self,
        texts: &[&str],
        options: &GenerationOptions,
        listener: &mut dyn Listener,
    ) -> Result<Vec<Generation>, Error> {
        let inputs: Vec<TextInput<'_>> = texts.iter().map(|text| TextInput { text, pair: None }).collect();
        // Nothing is cut: a text that is too long is refused.
        let encodings = self.tokenizer.encode(&inputs, &EncodeOptions::truncated(usize::MAX))?.encodings;
        self.stream_ids(encodings.into_iter().map(|encoding| encoding.input_ids).collect(), options, listener)
    }

    /// The answers to conversations, by the chat template of the tokenizer. It writes special tokens itself, so that none are put around.
    pub fn answer(
        &self,
        conversations: &[Vec<Value>],
        options: &GenerationOptions,
        listener: &mut dyn Listener,
    ) -> Result<Vec<Generation>, Error> {
        let template = self.tokenizer.chat_template().map_err(GenerationError::ChatTemplate)?;
        let text = |(messages, index): (&Vec<Value>, usize)| {
            let refused = |problem| GenerationError::Conversation { index, problem };
            template.text(messages, ChatEnding::AnswerWanted).map_err(refused)
        };
        let texts = conversations.iter().zip(1..).map(text).collect::<Result<Vec<String>, GenerationError>>()?;
        let inputs: Vec<TextInput<'_>> = texts.iter().map(|text| TextInput { text, pair: None }).collect();
        let encodings = self.tokenizer.encode(&inputs, &EncodeOptions::truncated(usize::MAX))?.encodings;
        let written = |encoding: Encoding| {
            let ids = encoding.input_ids.into_iter().zip(encoding.special_tokens_mask);
            ids.filter(|(_, is_put_around)| !is_put_around).map(|(id, _)| id).collect()
        };
        self.stream_ids(encodings.into_iter().map(written).collect(), options, listener)
    }

    /// The same behind or from texts that are tokens already, special ones included.
    pub fn stream_ids(
        &self,
        texts: Vec<Vec<u32>>,
        options: &GenerationOptions,
        listener: &mut dyn Listener,
    ) -> Result<Vec<Generation>, Error> {
        let settings = self.settings(options)?;
        let prompts = self.prompts(texts, &settings)?;
        let (tokenizer, standing) = match settings.decoder_start_token_id {
            Some(_) => (self.tokenizer.for_targets(), Standing::Alone),
            None => (self.tokenizer, Standing::BehindPrompts),
        };
        let (special_ids, stop_strings) = (tokenizer.special_ids(), settings.stop_strings.clone());
        let call = Call { settings: &settings, spelling: Spelling { tokenizer, special_ids, stop_strings, standing } };
        Ok(queue::work_through(self.model, &self.weights, &call, prompts, self.limits, listener)?)
    }

    /// Texts with how far each may go. What is wrong with any of them is told at once.
    fn prompts(&self, texts: Vec<Vec<u32>>, settings: &Settings) -> Result<Vec<Prompt>, Error> {
        let mut complaints = Complaints::default();
        let mut prompts = Vec::with_capacity(texts.len());
        for (index, ids) in texts.into_iter().enumerate() {
            let prompt = match settings.decoder_start_token_id {
                Some(start) => Self::from_source(index, ids, start, settings),
                None => self.behind(index, ids, settings),
            };
            prompts.extend(complaints.note(prompt));
        }
        complaints.check()?;
        Ok(prompts)
    }

    fn behind(&self, index: usize, ids: Vec<u32>, settings: &Settings) -> Result<Prompt, GenerationError> {
        let ids = if ids.is_empty() { Vec::from_iter(self.defaults.bos_token_id) } else { ids };
        if ids.is_empty() {
            return Err(GenerationError::EmptyPrompt { index: index + 1 });
        }
        let max_new_tokens = settings.new_tokens(index + 1, ids.len())?;
        Ok(Prompt { index, source: None, ids, max_new_tokens })
    }

    fn from_source(index: usize, source: Vec<u32>, start: u32, settings: &Settings) -> Result<Prompt, GenerationError> {
        if source.is_empty() {
            return Err(GenerationError::EmptySource { index: index + 1 });
        }
        let max_new_tokens = settings.new_tokens(index + 1, source.len())?;
        Ok(Prompt { index, source: Some(source), ids: vec![start], max_new_tokens })
    }
}
