//! A fine-tuned folder, opened: model, tokenizer, and what the logits mean. Knows nothing of what is asked of it.

use std::path::Path;

use graftling_models::{Head, Model, Pooling, inspect, sentence_head};
use graftling_text::Tokenizer;

use crate::decisions::Decisions;
use crate::evaluate::WrittenBy;
use crate::inference::Scorer;
use crate::reading::Reading;
use crate::recipe::{Recipe, RecipeFile, Task};
use crate::run_folder::RECIPE;
use crate::sentence_settings::SentenceSettings;
use crate::targets::Targets;
use crate::tasks::{self, Objective};
use crate::writing::Writing;
use crate::{Error, LanguageError, NoAnswer, preparation};

/// The most tokens in one forward pass of an evaluation or prediction, unless a single text is longer.
pub(crate) const INFERENCE_TOKENS: usize = 2048;

/// How an encoder without a head gives vectors of texts, where no folder of sentence-transformers says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BareEncoder {
    /// How the vectors of a text's tokens become one.
    pub pooling: Pooling,
    /// Whether vectors are brought to length 1.
    pub normalize: bool,
}

/// A fine-tuned model with all that belongs to it.
pub(crate) struct Loaded {
    pub model: Model,
    pub tokenizer: Tokenizer,
    pub task: Task,
    pub objective: Box<dyn Objective>,
    pub reading: Reading,
    /// What the run made its prompts by.
    pub template: Option<String>,
    /// The languages of the run's sources and targets, where it named them.
    pub languages: [Option<String>; 2],
    /// How texts are written, where that is the task.
    pub writing: Option<Writing>,
}

impl Loaded {
    /// What texts are run through.
    pub fn scorer(&self) -> Scorer<'_> {
        Scorer { model: &self.model, objective: self.objective.as_ref(), reading: &self.reading }
    }

    /// By what texts are written, where that is the task.
    pub fn written_by(&self) -> Option<WrittenBy<'_>> {
        let writing = self.writing.as_ref()?;
        Some(WrittenBy { writing, tokenizer: &self.tokenizer })
    }

    /// The language in which texts are written; a model of which nobody knows better translates then.
    pub fn set_target_language(&mut self, code: &str) -> Result<(), Error> {
        match self.objective.set_target_language(code)? {
            true => {
                self.task = Task::Translation;
                Ok(())
            }
            false => Err(LanguageError::LanguageOfOtherTask { option: "target_language", task: self.task }.into()),
        }
    }

    /// With another rule for when there is no answer to a question, where one is given.
    pub fn with_no_answer(mut self, no_answer: Option<NoAnswer>) -> Result<Self, Error> {
        match no_answer {
            Some(no_answer) if !self.objective.set_no_answer(no_answer) => Err(Error::NoAnswerOfOtherTask { task: self.task }),
            _ => Ok(self),
        }
    }
}

/// Opens a run folder, or a checkpoint that another program wrote, or an encoder without a head that gives vectors in this way.
pub(crate) fn load(folder: &Path, encoder: Option<BareEncoder>) -> Result<Loaded, Error> {
    let model = || match encoder {
        None => Ok(Model::from_checkpoint(folder)?),
        Some(encoder) => bare(folder, encoder),
    };
    let (model, tokenizer) = rayon::join(model, || Tokenizer::from_folder(folder));
    let (model, tokenizer) = (model?, tokenizer?);
    preparation::check_vocabulary(folder, &tokenizer, model.facts())?;
    let recipe = recipe_of(folder)?;
    let (task, mut objective) = tasks::from_model(&model, recipe.as_ref())?;
    let read = Decisions::read(folder, task, objective.as_ref())?;
    if let (Some(read), Some(decisions)) = (read, objective.decisions_mut()) {
        *decisions = read;
    }
    objective.recall(&model);
    objective.meet(&tokenizer)?;
    // A run's texts were cut as its recipe said; elsewhere the tokenizer may know how long texts were. What is read in windows needs no
    // longer ones than usual.
    let usual = Reading::usual_max_length(task);
    let wanted = match &recipe {
        Some(recipe) => recipe.max_length,
        None => {
            let windowed = Reading::is_windowed(task, None);
            tokenizer.model_max_length().map(|length| if windowed { length.min(usual) } else { length })
        }
    };
    let sentences = match model.head() {
        Head::SentenceEmbedding { .. } => SentenceSettings::read(folder)?,
        _ => SentenceSettings::default(),
    };
    let targets = Targets::of(task, recipe.as_ref(), &model)?;
    let positions = model.facts().longest();
    let max_length = match &targets {
        Some(targets) => {
            let written = recipe.as_ref().and_then(|recipe| recipe.max_new_tokens).unwrap_or(0);
            let asked = wanted.map(|wanted| wanted.min(positions));
            targets.source_length(task, asked, written, model.facts())?
        }
        None => sentences.max_length.or(wanted).unwrap_or(usual).min(positions),
    };
    let writes = |targets| Writing::of(folder, recipe.as_ref(), targets, &model, &tokenizer);
    let writing = targets.as_ref().map(writes).transpose()?;
    let prefix = recipe.as_ref().and_then(|recipe| recipe.source_prefix.as_deref());
    let prompt = sentences.prompt.as_deref().or(prefix);
    let reading = Reading::new(task, recipe.as_ref(), max_length).with_prompt(prompt).with_targets(targets);
    let (template, languages) =
        recipe.map_or((None, [None, None]), |recipe| (recipe.template, [recipe.source_language, recipe.target_language]));
    Ok(Loaded { model, tokenizer, task, objective, reading, template, languages, writing })
}

/// An encoder without a head. That it has none is made sure of: another says itself what it gives.
fn bare(folder: &Path, encoder: BareEncoder) -> Result<Model, Error> {
    let head = match inspect(folder)?.head {
        None => sentence_head(folder)?,
        head => head,
    };
    if let Some(head) = head {
        return Err(Error::PoolingIsKnown { folder: folder.to_owned(), head: head.described() });
    }
    let BareEncoder { pooling, normalize } = encoder;
    Ok(Model::from_pretrained(folder, Head::SentenceEmbedding { pooling, normalize }, 0)?.0)
}

/// The recipe that a run folder was made by; a checkpoint from elsewhere has none.
pub(crate) fn recipe_of(folder: &Path) -> Result<Option<Recipe>, Error> {
    let path = folder.join(RECIPE);
    if !path.is_file() {
        return Ok(None);
    }
    Ok(Some(Recipe::check(RecipeFile::from_path(&path)?)?))
}
