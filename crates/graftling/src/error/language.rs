//! What can go wrong with language modelling alone. Knows no other task.

use std::path::PathBuf;

use graftling_text::{ChatProblem, TemplateProblem};

use super::wording::leave;
use crate::metrics::NotALanguage;
use crate::recipe::Task;

/// What went wrong with a language model or its texts.
#[derive(Debug, thiserror::Error)]
pub enum LanguageError {
    /// A tokenizer has no token to put in the place of a word.
    #[error("masked_lm: the tokenizer has no mask token ([MASK], <mask>); give a model that was trained with one")]
    NoMaskToken,
    /// So few tokens are read at once that none is foreseen from another.
    #[error(
        "causal_lm: {max_length} token is read at once (max_length, model_max_length, or the positions of the model); accepted is {fewest} and more"
    )]
    TooShort {
        /// How many.
        max_length: usize,
        /// How many are enough.
        fewest: usize,
    },
    /// A text has no word to guess.
    #[error("text {index} ({text:?}) has no {mask}; put it in the place of the word to be guessed")]
    NothingMasked {
        /// Which text, from 1.
        index: usize,
        /// Its beginning.
        text: String,
        /// The mask token.
        mask: String,
    },
    /// Nothing says where a text ends.
    #[error(
        "the tokenizer has no token that a text ends with, as those of decoders have (GPT-2, Llama ...); give such a model, or name \
         its token as \"eos_token\" in tokenizer_config.json"
    )]
    NoEndToken,
    /// A template is not one.
    #[error("template {template:?}: {problem}")]
    Template {
        /// The text.
        template: String,
        /// What is wrong with it.
        problem: TemplateProblem,
    },
    /// A template for a task without prompts.
    #[error(
        "template: it makes the prompts of causal_lm and the sources of summarization and translation, but the task is {task}; leave it out"
    )]
    TemplateOfOtherTask {
        /// The task.
        task: Task,
    },
    /// Windows were asked for where every example is read at once.
    #[error(
        "{option}: {} holds prompts with their completions, each of which is read at once; leave it out, and raise max_length where completions \
         are cut",
        path.display()
    )]
    WindowsOfPrompts {
        /// The option that was given.
        option: &'static str,
        /// The training file.
        path: PathBuf,
    },
    /// A prediction for each example was asked where words of all of them are drawn.
    #[error("masked_lm is evaluated on words that are drawn from all texts, so there is no prediction for each example to write")]
    NoPredictionOfMasks,
    /// A prediction for each example was asked where texts are gone on with.
    #[error(
        "causal_lm foresees the tokens of texts that are there, so there is no prediction for each to write; graftling generate goes on with texts"
    )]
    NoPredictionEach,
    /// A conversation cannot be made a text.
    #[error("conversation on line {line}: {problem}")]
    Chat {
        /// The line of its file, from 1.
        line: usize,
        /// Why not.
        problem: ChatProblem,
    },
    /// The chat template leaves nothing of what the assistant says.
    #[error(
        "conversation on line {line}: the chat template leaves no token of what the assistant says; fill it in or drop the row"
    )]
    NothingSaid {
        /// The line of its file, from 1.
        line: usize,
    },
    /// A causal language model was asked for predictions.
    #[error("{}: this is a causal language model, which goes on with texts: graftling generate does that", folder.display())]
    Generates {
        /// The folder of the model.
        folder: PathBuf,
    },
    /// What is written does not fit behind a source of any length, or has no positions of its own.
    #[error(
        "max_target_length, max_new_tokens: {written} tokens may be written, but the model has {positions} positions{}; lower them",
        if *is_alone { ", and the source needs some of them" } else { " for them" }
    )]
    TargetsTooLong {
        /// How many may be written.
        written: usize,
        /// What the model takes.
        positions: usize,
        /// Whether sources have no positions of their own.
        is_alone: bool,
    },
    /// A source leaves no room for what is written behind it.
    #[error(
        "max_length: a source of {max_length} tokens and {written} that may be written (max_target_length, max_new_tokens) need {}, but the model \
         has {positions} positions; lower one of them",
        max_length + written
    )]
    NoRoomForTargets {
        /// The most tokens of a source.
        max_length: usize,
        /// How many may be written.
        written: usize,
        /// What the model takes.
        positions: usize,
    },
    /// What stands around a source leaves no room for it.
    #[error("max_length: {} no room for a source; accepted is {fewest} and more", leave(*max_length))]
    NoRoomForSource {
        /// How many.
        max_length: usize,
        /// How many are enough.
        fewest: usize,
    },
    /// What stands around a target leaves no room for it.
    #[error("max_target_length: {} no room for a target; accepted is {fewest} and more", leave(*max_target_length))]
    NoRoomForTarget {
        /// How many.
        max_target_length: usize,
        /// How many are enough.
        fewest: usize,
    },
    /// Neither the model nor its tokenizer says how what is written begins and ends.
    #[error(
        "nothing says with which token a text begins that is written: this {family} model has no \"decoder_start_token_id\" in config.json, and its \
         tokenizer puts no tokens before and behind texts ([CLS] and [SEP], <s> and </s>) that could be taken; see whether the tokenizer belongs to \
         the model"
    )]
    NoTokensAround {
        /// The family of the model.
        family: &'static str,
    },
    /// Nothing says with which token a decoder begins.
    #[error(
        "config.json of this {family} model has {} as \"decoder_start_token_id\"; give the token that what is written begins with: a token id below \
         {vocabulary}",
        found.as_deref().unwrap_or("nothing")
    )]
    NoDecoderStart {
        /// The family of the model.
        family: &'static str,
        /// What the config says.
        found: Option<String>,
        /// How many tokens the decoder knows.
        vocabulary: usize,
    },
    /// A model that writes no texts from others was asked for the texts that it does it from.
    #[error("the model is of the task {task}, which writes no texts from others")]
    WritesNothing {
        /// The task of the model.
        task: Task,
    },
    /// A text alone does not fill a template.
    #[error("the run made its sources by a template of several columns ({}); give a file that has them", columns.join(", "))]
    TemplateOfSeveral {
        /// The columns that it names.
        columns: Vec<String>,
    },
    /// Two texts where one is written from one.
    #[error("text {index} has a second text; a summary or a translation is written from one")]
    PairOfSources {
        /// Which text, from 1.
        index: usize,
    },
    /// A target language that is none.
    #[error("target_language: {0}")]
    TargetLanguage(NotALanguage),
    /// A language was named for a task in which it does not matter.
    #[error("{option}: it belongs to translation, but the model is of the task {task}; leave it out")]
    LanguageOfOtherTask {
        /// The option.
        option: &'static str,
        /// The task of the model.
        task: Task,
    },
}
