//! Text that a model writes, behind prompts or from sources: greedily, drawn, or by a search with beams. Each file holds one part of it.
//! Knows nothing of files of prompts, flags or HTTP.

mod beams;
mod config_file;
mod draw;
mod lines;
mod options;
mod problem;
mod processors;
mod queue;
mod request;
mod settings;
#[cfg(test)]
mod tests;
mod text_stream;
mod writer;

use std::fmt;
use std::ops::ControlFlow;
use std::path::Path;

use graftling_models::{Head, Model, ModelError, inspect};
use graftling_text::{Table, Tokenizer};
use serde::{Serialize, Serializer};
use serde_json::Value;

pub use options::{EarlyStopping, GenerationOptions};
pub use problem::{GenerationError, LengthLimit, OptionProblem};
pub use queue::BatchLimits;
pub(crate) use writer::Writer;

use crate::data::parsed;
use crate::loaded::recipe_of;
use crate::run_folder::check_has_model;
use crate::{Error, preparation};
pub(crate) use config_file::FolderDefaults;
use settings::{Limits, Settings};

/// A model that writes and is ready for prompts: a causal language model, which goes on with them, or one that writes another text from
/// each.
///
/// ```no_run
/// use std::path::Path;
///
/// use graftling::{GenerationOptions, Generator};
///
/// let generator = Generator::load(Path::new("smollm2"))?;
/// let options = GenerationOptions { max_new_tokens: Some(40), ..GenerationOptions::default() };
/// let generations = generator.generate(&["The capital of France is"], &options)?;
/// println!("{}", generations[0].continuations[0].text);
/// # Ok::<(), graftling::Error>(())
/// ```
pub struct Generator {
    model: Model,
    tokenizer: Tokenizer,
    folder: FolderDefaults,
    limits: BatchLimits,
}

/// What was generated behind one prompt, or from it.
#[derive(Clone, Debug, PartialEq)]
pub struct Generation {
    /// How many tokens the prompt has, special ones included.
    pub prompt_tokens: usize,
    /// As many as `num_return_sequences` asks for; beams with the best first.
    pub continuations: Vec<Continuation>,
}

/// What follows a prompt, or is written from it.
#[derive(Clone, Debug, PartialEq)]
pub struct Continuation {
    /// The text behind the prompt: without special tokens, and without the text that it was to stop at.
    pub text: String,
    /// The ids that were generated, with the end token and with what the text was cut of.
    pub tokens: Vec<u32>,
    /// Why it ends.
    pub finish_reason: FinishReason,
    /// Of a beam: its log-probability divided by its length to the power `length_penalty`.
    pub score: Option<f32>,
}

/// Why a continuation ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FinishReason {
    /// The model wrote an end token.
    EosToken,
    /// It wrote one of the `stop_strings`.
    StopString,
    /// There are as many tokens as there may be.
    Length,
    /// Whoever listened wanted no more of it.
    Cancelled,
}

impl fmt::Display for FinishReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::EosToken => "eos_token",
            Self::StopString => "stop_string",
            Self::Length => "length",
            Self::Cancelled => "cancelled",
        })
    }
}

impl Serialize for FinishReason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A piece of text that is certain: no half of a character, and no beginning of what may become a text to stop at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece<'a> {
    /// Which prompt it is behind, from 0.
    pub prompt: usize,
    /// Which of its continuations it belongs to, from 0.
    pub continuation: usize,
    /// The text, which is not empty.
    pub text: &'a str,
}

/// The template that a run made its prompts by; none where the folder is of no run, or of one without a template. Opens no model.
pub fn template_of_run(folder: &Path) -> Result<Option<String>, Error> {
    Ok(recipe_of(folder)?.and_then(|recipe| recipe.template))
}

/// The prompt of every row of a table, made by a template.
///
/// # Errors
/// If the text is no template, the table lacks a column that it names, or a row has no text there.
pub fn prompts_of(table: &Table, template: &str) -> Result<Vec<String>, Error> {
    Ok(parsed(template)?.fill(table)?)
}

/// Who is told what is generated while it is. A function from a piece of text is one.
pub trait Listener {
    /// A piece more of a continuation, which goes on no further if the answer is [`ControlFlow::Break`].
    fn text(&mut self, piece: Piece<'_>) -> ControlFlow<()>;

    /// All that was asked for behind a prompt is there; prompts are not done in their order.
    fn done(&mut self, _prompt: usize, _generation: &Generation) {}
}

impl<F: FnMut(Piece<'_>) -> ControlFlow<()>> Listener for F {
    fn text(&mut self, piece: Piece<'_>) -> ControlFlow<()> {
        self(piece)
    }
}

impl Generator {
    /// Opens the folder of a causal language model, or of one that writes one text from another.
    ///
    /// # Errors
    /// If the model is another, its tokenizer does not belong to it, or its `generation_config.json` asks for what is not offered.
    pub fn load(folder: &Path) -> Result<Self, Error> {
        Self::open(folder, Model::from_checkpoint)
    }

    /// The same for a process that ends soon: open at once and with half the memory, because weights stay in their file
    /// ([`Model::from_checkpoint_mapped`] says what that asks of the file).
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn load_mapped(folder: &Path) -> Result<Self, Error> {
        Self::open(folder, Model::from_checkpoint_mapped)
    }

    fn open(folder: &Path, model: fn(&Path) -> Result<Model, ModelError>) -> Result<Self, Error> {
        check_has_model(folder)?;
        let inspection = inspect(folder)?;
        if !matches!(inspection.head, Some(Head::CausalLanguageModelling | Head::SequenceToSequence)) {
            let head = match inspection.head {
                Some(head) => head.described().to_owned(),
                None => format!("a model without a head ({})", inspection.classes.join(", ")),
            };
            return Err(GenerationError::NoLanguageModel { folder: folder.to_owned(), head }.into());
        }
        let mut defaults = FolderDefaults::read(folder, &inspection.facts)?;
        let (model, tokenizer) = rayon::join(|| model(folder), || Tokenizer::from_folder(folder));
        let (model, tokenizer) = (model?, tokenizer?);
        preparation::check_vocabulary(folder, &tokenizer, model.facts())?;
        defaults.notices.extend(preparation::unknown_keys_notice(&model));
        Ok(Self { model, tokenizer, folder: defaults, limits: BatchLimits::default() })
    }

    /// The same, with other limits of how much is worked on at once.
    pub fn with_limits(self, limits: BatchLimits) -> Self {
        Self { limits, ..self }
    }

    /// The same for prompts and texts in these languages, as the tokenizer calls them (`de_DE`) or the language alone (`de`), where it takes any
    /// (mBART, mBART-50, NLLB); what is `None` stays. Texts are then written in the second one unless another first token is asked for.
    ///
    /// # Errors
    /// If the tokenizer takes no languages, or does not know one.
    pub fn with_languages(mut self, source: Option<&str>, target: Option<&str>) -> Result<Self, Error> {
        self.tokenizer.set_languages(source, target)?;
        if let (Some(_), Some((_, id))) = (target, self.tokenizer.target_language_token()) {
            let options = &mut self.folder.options;
            match self.tokenizer.language_before_targets()? {
                Some(first) => options.forced_bos_token_id = Some(first),
                // Behind targets it is what they start with: decoders are trained on targets whose last token was put first.
                None => options.decoder_start_token_id = Some(id),
            }
        }
        Ok(self)
    }

    /// What holds where nothing else is asked for: what the folder says.
    pub fn defaults(&self) -> &GenerationOptions {
        &self.folder.options
    }

    /// What a person should know about how the folder was understood.
    pub fn notices(&self) -> impl Iterator<Item = &str> {
        self.folder.notices.iter().chain(self.tokenizer.notices()).map(String::as_str)
    }

    /// Says what is wrong with options, before any prompt is there.
    pub fn check(&self, options: &GenerationOptions) -> Result<(), Error> {
        self.settings(options).map(|_| ())
    }

    /// How many continuations of each prompt these options give.
    pub fn continuations(&self, options: &GenerationOptions) -> Result<usize, Error> {
        Ok(self.settings(options)?.num_return_sequences)
    }

    /// What follows each prompt, or is written from it, in their order. It does not depend on the prompts beside it, but on its place among them where tokens are
    /// drawn.
    ///
    /// # Errors
    /// If options contradict each other, a prompt leaves no room for what is asked for, or no token is left that may come next.
    pub fn generate(&self, prompts: &[&str], options: &GenerationOptions) -> Result<Vec<Generation>, Error> {
        self.stream(prompts, options, &mut |_: Piece<'_>| ControlFlow::Continue(()))
    }

    /// The same, and tells each piece of text as soon as it is certain; beams are told when their search is over. The pieces of a
    /// continuation give its text.
    ///
    /// ```no_run
    /// use std::ops::ControlFlow;
    /// use std::path::Path;
    ///
    /// use graftling::{GenerationOptions, Generator, Piece};
    ///
    /// let generator = Generator::load(Path::new("smollm2"))?;
    /// generator.stream(&["Once upon a time"], &GenerationOptions::default(), &mut |piece: Piece<'_>| {
    ///     print!("{}", piece.text);
    ///     ControlFlow::Continue(())
    /// })?;
    /// # Ok::<(), graftling::Error>(())
    /// ```
    pub fn stream(
        &self,
        prompts: &[&str],
        options: &GenerationOptions,
        listener: &mut dyn Listener,
    ) -> Result<Vec<Generation>, Error> {
        self.writer().stream(prompts, options, listener)
    }

    /// What the assistant answers to each conversation, as the chat template beside the weights writes conversations: messages are objects
    /// with a `role` (`system`, `user`, `assistant`) and a `content`. Otherwise as [`stream`](Self::stream).
    ///
    /// # Errors
    /// As there, and if the folder has no chat template or it refuses a conversation.
    pub fn answer(
        &self,
        conversations: &[Vec<Value>],
        options: &GenerationOptions,
        listener: &mut dyn Listener,
    ) -> Result<Vec<Generation>, Error> {
        self.writer().answer(conversations, options, listener)
    }

    /// The id of a token for an option of this name: of one that is named as the vocabulary writes it, such as a language, or by its id.
    ///
    /// # Errors
    /// If no text that is written can have such a token.
    pub fn token_id(&self, option: &str, named: &str) -> Result<u32, Error> {
        let vocabulary = Limits::of(self.model.facts()).vocabulary;
        let id = named.parse().ok().or_else(|| self.tokenizer.for_targets().id(named));
        id.filter(|id| (*id as usize) < vocabulary).ok_or_else(|| {
            let accepted = format!("a token as the vocabulary writes it, or its id, below {vocabulary}");
            let problem = OptionProblem::NotAccepted { option: option.to_owned(), found: named.to_owned(), accepted };
            GenerationError::Options(vec![problem]).into()
        })
    }

    fn settings(&self, options: &GenerationOptions) -> Result<Settings, Error> {
        self.writer().settings(options)
    }

    fn writer(&self) -> Writer<'_> {
        Writer::new(&self.model, &self.tokenizer, &self.folder, self.limits).lasting()
    }
}
