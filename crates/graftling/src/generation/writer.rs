//! How a model in memory writes: options completed, texts made tokens, and both worked through. Knows no folder.

use graftling_models::Model;
use graftling_tensor::PackedWeights;
use graftling_text::{EncodeOptions, TextInput, Tokenizer};

use super::config_file::FolderDefaults;
use super::options::GenerationOptions;
use super::problem::GenerationError;
use super::queue::{self, BatchLimits};
use super::request::{Call, Prompt};
use super::settings::Settings;
use super::text_stream::Writing;
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

    /// Complete and consistent options.
    pub(super) fn settings(&self, options: &GenerationOptions) -> Result<Settings, Error> {
        Ok(Settings::new(options, &self.defaults.options, self.model.facts().vocabulary_size)?)
    }

    /// Says what is wrong with options, before there is any text.
    pub fn check(&self, options: &GenerationOptions) -> Result<(), Error> {
        self.settings(options).map(|_| ())
    }

    /// What is written behind each text, in their order.
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

    /// The same behind texts that are tokens already, special ones included.
    pub fn stream_ids(
        &self,
        texts: Vec<Vec<u32>>,
        options: &GenerationOptions,
        listener: &mut dyn Listener,
    ) -> Result<Vec<Generation>, Error> {
        let settings = self.settings(options)?;
        let prompts = self.prompts(texts, &settings)?;
        let writing = Writing {
            tokenizer: self.tokenizer,
            special_ids: self.tokenizer.special_ids(),
            stop_strings: settings.stop_strings.clone(),
        };
        let call = Call { settings: &settings, writing };
        Ok(queue::work_through(self.model, &self.weights, &call, prompts, self.limits, listener)?)
    }

    /// Texts with how far each may go. What is wrong with any of them is told at once.
    fn prompts(&self, texts: Vec<Vec<u32>>, settings: &Settings) -> Result<Vec<Prompt>, Error> {
        let mut complaints = Complaints::default();
        let mut prompts = Vec::with_capacity(texts.len());
        for (index, ids) in texts.into_iter().enumerate() {
            let ids = if ids.is_empty() { Vec::from_iter(self.defaults.bos_token_id) } else { ids };
            let room = match ids.len() {
                0 => Err(GenerationError::EmptyPrompt { index: index + 1 }),
                tokens => settings.new_tokens(index + 1, tokens, self.model.facts().max_positions),
            };
            if let Some(max_new_tokens) = complaints.note(room) {
                prompts.push(Prompt { index, ids, max_new_tokens });
            }
        }
        complaints.check()?;
        Ok(prompts)
    }
}
