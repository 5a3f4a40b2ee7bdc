//! Everything that can be wrong with a request for text, with the facts of each case. Knows no way to put it right but says it.

use std::path::PathBuf;

use graftling_text::ChatProblem;

use crate::figures;

/// Why no text can be generated.
#[derive(Debug, thiserror::Error)]
pub enum GenerationError {
    /// The file of a folder that says how to generate asks for what is not offered, or holds what it cannot.
    #[error("{}: {}", path.display(), lines(problems))]
    Config {
        /// The file.
        path: PathBuf,
        /// Every key that is refused.
        problems: Vec<OptionProblem>,
    },
    /// Options that cannot be.
    #[error("{}", lines(.0))]
    Options(Vec<OptionProblem>),
    /// The model is not one that writes texts.
    #[error("{}: this is {head}, which does not write texts; give a causal language model (...ForCausalLM, GPT2LMHeadModel) or one that writes one text from another (...ForConditionalGeneration, MarianMTModel, EncoderDecoderModel)", folder.display())]
    NoLanguageModel {
        /// The folder of the model.
        folder: PathBuf,
        /// What its head is called.
        head: String,
    },
    /// A prompt fills the positions of the model, or the length that was asked for.
    #[error("prompt {index} has {}, but {} and at least one has to be left; shorten it", counted(*tokens), limit.described())]
    PromptTooLong {
        /// Which prompt, from 1.
        index: usize,
        /// How many tokens it has.
        tokens: usize,
        /// What it does not leave room in.
        limit: LengthLimit,
    },
    /// A source is longer than what an encoder can read.
    #[error("prompt {index} has {}, but the encoder has {positions} positions; shorten it", counted(*tokens))]
    SourceTooLong {
        /// Which prompt, from 1.
        index: usize,
        /// How many tokens it has.
        tokens: usize,
        /// How many of them the model can read.
        positions: usize,
    },
    /// A prompt leaves less room than is asked for.
    #[error(
        "prompt {index} has {} and max_new_tokens is {max_new_tokens}, but the model has {positions} positions; possible are {} \
         new ones behind this prompt",
        counted(*tokens), positions - tokens
    )]
    NoRoom {
        /// Which prompt, from 1.
        index: usize,
        /// How many tokens it has.
        tokens: usize,
        /// How many more are asked for.
        max_new_tokens: usize,
        /// How many tokens the model can read.
        positions: usize,
    },
    /// A prompt without a token, for a model that has no token to begin with.
    #[error("prompt {index} gives no token, and the model names no bos_token_id to begin with; give at least one character")]
    EmptyPrompt {
        /// Which prompt, from 1.
        index: usize,
    },
    /// The model has no chat template, or one that cannot be read.
    #[error("{0}")]
    ChatTemplate(ChatProblem),
    /// The chat template does not write a conversation.
    #[error("conversation {index}: {problem}")]
    Conversation {
        /// Which conversation, from 1.
        index: usize,
        /// What the template says.
        problem: ChatProblem,
    },
    /// A source without a token.
    #[error("prompt {index} gives no token; give at least one character")]
    EmptySource {
        /// Which prompt, from 1.
        index: usize,
    },
    /// No token is left that may come next.
    #[error(
        "prompt {index}: behind {new_tokens} new tokens no token is left that may come next; forbid fewer (no_repeat_ngram_size, \
         suppress_tokens, bad_words_ids, min_new_tokens)"
    )]
    EverythingForbidden {
        /// Which prompt, from 1.
        index: usize,
        /// How many tokens were generated.
        new_tokens: usize,
    },
    /// The model gives what are no numbers.
    #[error(
        "prompt {index}: behind {new_tokens} new tokens the logits of the model are not all numbers; its weights are damaged, or its training diverged"
    )]
    NotNumbers {
        /// Which prompt, from 1.
        index: usize,
        /// How many tokens were generated.
        new_tokens: usize,
    },
}

/// What a prompt leaves no room in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LengthLimit {
    /// What the model can read.
    Positions(usize),
    /// The `max_length` that was asked for.
    MaxLength(usize),
}

impl LengthLimit {
    fn described(self) -> String {
        match self {
            Self::Positions(positions) => format!("the model has {positions} positions"),
            Self::MaxLength(length) => format!("max_length is {length}"),
        }
    }
}

/// What is wrong with an option.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OptionProblem {
    /// A value that is not accepted.
    #[error("{option}: found {found}, accepted is {accepted}")]
    NotAccepted {
        /// The option.
        option: String,
        /// Its value.
        found: String,
        /// What would be.
        accepted: String,
    },
    /// An option that another one leaves nothing to do.
    #[error("{option} does not go with {other}: {reason}")]
    Contradiction {
        /// The option.
        option: &'static str,
        /// The other one, with its value.
        other: String,
        /// Why not, and what to do.
        reason: &'static str,
    },
}

fn counted(tokens: usize) -> String {
    figures::counted(tokens as u64, "token")
}

fn lines(problems: &[OptionProblem]) -> String {
    problems.iter().map(OptionProblem::to_string).collect::<Vec<_>>().join("\n")
}
