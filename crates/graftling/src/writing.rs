//! What a model in memory writes from texts: for the figures of a run and for predictions. Knows nothing of what is made of it.

use std::ops::ControlFlow;
use std::path::Path;

use graftling_models::Model;
use graftling_text::Tokenizer;
use serde_json::{Map, Value, json};

use crate::generation::{BatchLimits, FinishReason, FolderDefaults, GenerationOptions, Piece, Writer};
use crate::recipe::Recipe;
use crate::targets::{DecoderStart, Opening, Targets};
use crate::{Error, LanguageError};

/// Keys of a `generation_config.json` that say otherwise than was decided: the first would have transformers look into config.json instead,
/// the second contradicts the number of new tokens, the others are of texts that are drawn, or of several.
const NOT_KEPT: [&str; 12] = [
    "_from_model_config",
    "max_length",
    "do_sample",
    "temperature",
    "top_k",
    "top_p",
    "min_p",
    "typical_p",
    "epsilon_cutoff",
    "eta_cutoff",
    "top_h",
    "num_return_sequences",
];

/// Who decides how texts are written.
pub(crate) struct WritingOf<'a> {
    /// The folder of the model.
    pub folder: &'a Path,
    pub recipe: Option<&'a Recipe>,
    pub model: &'a Model,
    pub tokenizer: &'a Tokenizer,
    /// Whether the tokenizer was told in which language texts are written; the folder may know another from before.
    pub is_language_chosen: bool,
}

/// By what texts are written.
#[derive(Clone, Copy)]
pub(crate) struct WrittenBy<'a> {
    pub writing: &'a Writing,
    pub tokenizer: &'a Tokenizer,
}

impl<'a> WrittenBy<'a> {
    /// Where writing is the task.
    pub fn of(writing: &'a Option<Writing>, tokenizer: &'a Tokenizer) -> Option<Self> {
        Some(Self { writing: writing.as_ref()?, tokenizer })
    }
}

/// How texts are written.
pub(crate) struct Writing {
    defaults: FolderDefaults,
    options: GenerationOptions,
}

/// A text that was written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct WrittenText {
    /// Without special tokens, and without white space at its ends.
    pub text: String,
    /// How many tokens were written, the end token included.
    pub tokens: usize,
    /// Why it ends.
    pub finish_reason: FinishReason,
}

impl Writing {
    /// As a recipe says, or else the folder of the model. Nothing is drawn, so that figures are the same every time; a text has as many tokens
    /// as a target may have, unless the recipe (or without one the folder) says otherwise.
    pub fn new(targets: &Targets, of: &WritingOf<'_>) -> Result<Self, Error> {
        let WritingOf { folder, recipe, model, tokenizer, is_language_chosen } = *of;
        let defaults = FolderDefaults::read(folder, model.facts())?;
        let said = &defaults.options;
        let max_new_tokens = match recipe {
            Some(recipe) => Some(recipe.max_new_tokens.unwrap_or(targets.max_length)),
            None if said.max_new_tokens.or(said.max_length).is_some() => None,
            None => Some(targets.max_length),
        };
        let mut ends = said.eos_token_id.clone().unwrap_or_default();
        let end = tokenizer.end_of_targets()?;
        // Behind prompts a run is trained on the tokenizer's own end, whatever the folder says of others.
        let appended = recipe.is_some() && !matches!(targets.opening, Opening::Start(_));
        let untold = end.filter(|end| ends.is_empty() || (appended && !ends.contains(end)));
        let eos_token_id = match untold {
            Some(end) => {
                ends.push(end);
                Some(ends)
            }
            None if ends.is_empty() => return Err(LanguageError::NoEndToken.into()),
            None => None,
        };
        let language = tokenizer.language_before_targets()?;
        let forced_bos_token_id = match is_language_chosen {
            true => language.or(said.forced_bos_token_id),
            false => said.forced_bos_token_id.or(language),
        };
        let decoder_start_token_id = match targets.opening {
            Opening::Start(DecoderStart::Token(id) | DecoderStart::FirstOfTarget(id)) => Some(id),
            Opening::Start(DecoderStart::LastOfTarget) => {
                Some(tokenizer.around_targets()?.last().copied().ok_or(LanguageError::NoEndToken)?)
            }
            Opening::Behind(_) | Opening::Prompt => None,
        };
        let options = GenerationOptions {
            decoder_start_token_id,
            max_new_tokens,
            eos_token_id,
            do_sample: Some(false),
            forced_bos_token_id,
            num_return_sequences: Some(1),
            num_beams: recipe.and_then(|recipe| recipe.num_beams),
            length_penalty: recipe.and_then(|recipe| recipe.length_penalty).map(f64::from),
            no_repeat_ngram_size: recipe.and_then(|recipe| recipe.no_repeat_ngram_size),
            ..GenerationOptions::default()
        };
        let writing = Self { defaults, options };
        writing.writer(model, tokenizer).check(&writing.options)?;
        Ok(writing)
    }

    /// What is written from each source, or behind each prompt: ids with their special tokens.
    pub fn write(&self, model: &Model, tokenizer: &Tokenizer, sources: Vec<Vec<u32>>) -> Result<Vec<WrittenText>, Error> {
        let heard = &mut |_: Piece<'_>| ControlFlow::Continue(());
        let generations = self.writer(model, tokenizer).stream_ids(sources, &self.options, heard)?;
        let text = |generation: crate::Generation| {
            let Some(continuation) = generation.continuations.into_iter().next() else { panic!("write: a text of every source") };
            WrittenText {
                text: continuation.text.trim().to_owned(),
                tokens: continuation.tokens.len(),
                finish_reason: continuation.finish_reason,
            }
        };
        Ok(generations.into_iter().map(text).collect())
    }

    /// The text of `generation_config.json` for a model that is to write so wherever it is opened: that of before, or else what its
    /// `config.json` and its family say, which are not asked beside this file; with what was decided.
    pub fn config(&self) -> String {
        let mut keys: Map<String, Value> = self.defaults.keys.clone();
        NOT_KEPT.iter().for_each(|key| drop(keys.shift_remove(*key)));
        let GenerationOptions { max_new_tokens, num_beams, length_penalty, no_repeat_ngram_size, .. } = self.options;
        let ids = |ids: &Vec<u32>| if let [one] = ids.as_slice() { json!(one) } else { json!(ids) };
        let said = [
            ("bos_token_id", self.defaults.bos_token_id.map(|id| json!(id))),
            ("decoder_start_token_id", self.options.decoder_start_token_id.map(|id| json!(id))),
            ("forced_bos_token_id", self.options.forced_bos_token_id.map(|id| json!(id))),
            ("eos_token_id", self.options.eos_token_id.as_ref().or(self.defaults.options.eos_token_id.as_ref()).map(ids)),
            ("max_new_tokens", max_new_tokens.map(|tokens| json!(tokens))),
            ("num_beams", num_beams.map(|beams| json!(beams))),
            ("length_penalty", length_penalty.map(|penalty| json!(penalty))),
            ("no_repeat_ngram_size", no_repeat_ngram_size.map(|size| json!(size))),
        ];
        keys.extend(said.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))));
        format!("{:#}\n", Value::Object(keys))
    }

    fn writer<'a>(&'a self, model: &'a Model, tokenizer: &'a Tokenizer) -> Writer<'a> {
        Writer::new(model, tokenizer, &self.defaults, BatchLimits::default())
    }
}
