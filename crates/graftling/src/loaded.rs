//! A fine-tuned folder, opened: model, tokenizer, and what the logits mean. Knows nothing of what is asked of it.

use std::path::Path;

use graftling_models::{Head, Model, Pooling, inspect, sentence_head};
use graftling_text::Tokenizer;

use crate::decisions::Decisions;
use crate::inference::Scorer;
use crate::reading::Reading;
use crate::recipe::{Recipe, RecipeFile, Task};
use crate::run_folder::RECIPE;
use crate::sentence_settings::SentenceSettings;
use crate::tasks::{self, Objective};
use crate::{Error, NoAnswer, preparation};

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
}

impl Loaded {
    /// What texts are run through.
    pub fn scorer(&self) -> Scorer<'_> {
        Scorer { model: &self.model, objective: self.objective.as_ref(), reading: &self.reading }
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
    let (task, mut objective) = tasks::from_head(model.head(), recipe.as_ref())
        .ok_or_else(|| Error::NoTask { folder: folder.to_owned(), head: model.head().described() })?;
    objective.meet(&tokenizer)?;
    let read = Decisions::read(folder, task, objective.as_ref())?;
    if let (Some(read), Some(decisions)) = (read, objective.decisions_mut()) {
        *decisions = read;
    }
    objective.recall(&model);
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
    let max_length = sentences.max_length.or(wanted).unwrap_or(usual).min(model.facts().max_positions);
    let reading = Reading::new(task, recipe.as_ref(), max_length).with_prompt(sentences.prompt.as_deref());
    let template = recipe.and_then(|recipe| recipe.template);
    Ok(Loaded { model, tokenizer, task, objective, reading, template })
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
