//! A fine-tuned folder, opened: model, tokenizer, and what the logits mean. Knows nothing of what is asked of it.

use std::path::Path;

use graftling_models::{Head, Model, Pooling, inspect, sentence_head};
use graftling_text::{Template, Tokenizer};

use crate::data::{Layout, parsed};
use crate::decisions::Decisions;
use crate::error::Complaints;
use crate::inference::Scorer;
use crate::languages::Languages;
use crate::reading::{Reading, ReadingChoices};
use crate::recipe::{Recipe, RecipeFile, TagScheme, Task};
use crate::run_folder::{RECIPE, check_has_model};
use crate::sentence_settings::SentenceSettings;
use crate::targets::Targets;
use crate::tasks::{self, Objective};
use crate::writing::{Writing, WritingOf};
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
    pub template: Option<Template>,
    /// The languages of sources and targets: those that were asked for, or else the run's, where it named them.
    pub languages: Languages,
    /// How texts are written, where that is the task.
    pub writing: Option<Writing>,
    /// What a person should know of how the model was opened.
    pub notices: Vec<String>,
}

impl Loaded {
    /// What texts are run through.
    pub fn scorer(&self) -> Scorer<'_> {
        Scorer { model: &self.model, objective: self.objective.as_ref(), reading: &self.reading }
    }

    /// Where the examples of a file stand: as it was asked for, and where nothing was, as in the run. Its template, and the language of its
    /// sources, are for tables whose columns nobody names.
    pub fn layout(&self, asked: Layout) -> Layout {
        let is_named = asked.columns.text.is_some();
        let is_free = !is_named && asked.languages.source.is_none();
        let template = asked.template.or_else(|| self.template.clone().filter(|_| is_free));
        let of_run = Languages { source: self.languages.source.clone().filter(|_| !is_named), ..self.languages.clone() };
        Layout { template, languages: asked.languages.or(&of_run), ..asked }
    }

    /// Reads long texts otherwise.
    pub fn read_by(&mut self, choices: ReadingChoices) -> Result<(), Error> {
        self.reading = self.reading.clone().by(choices, self.task, self.model.facts().longest())?;
        Ok(())
    }

    /// Reads tags by the letter of another scheme.
    pub fn set_tag_scheme(&mut self, scheme: TagScheme) -> Result<(), Error> {
        match self.objective.set_tag_scheme(scheme)? {
            true => Ok(()),
            false => Err(Error::TagSchemeOfOtherTask { task: self.task }),
        }
    }

    /// Takes another rule for when there is no answer to a question.
    pub fn set_no_answer(&mut self, no_answer: NoAnswer) -> Result<(), Error> {
        match self.objective.set_no_answer(no_answer) {
            true => Ok(()),
            false => Err(Error::NoAnswerOfOtherTask { task: self.task }),
        }
    }
}

/// Opens a run folder, or a checkpoint that another program wrote, or an encoder without a head that gives vectors in this way. Languages that
/// are asked for go before those of the folder.
pub(crate) fn load(folder: &Path, encoder: Option<BareEncoder>, asked: &Languages) -> Result<Loaded, Error> {
    check_has_model(folder)?;
    let model = || match encoder {
        None => Ok(Model::from_checkpoint(folder)?),
        Some(encoder) => bare(folder, encoder),
    };
    let (model, tokenizer) = rayon::join(model, || Tokenizer::from_folder(folder));
    let (model, mut tokenizer) = (model?, tokenizer?);
    preparation::check_vocabulary(folder, &tokenizer, model.facts())?;
    let recipe = recipe_of(folder)?;
    let (task, mut objective) = tasks::from_model(&model, recipe.as_ref())?;
    let task = task_of_languages(task, objective.as_mut(), asked)?;
    let told = if task == Task::Translation { asked.choose(&mut tokenizer)? } else { None };
    // A run has told it when it was trained.
    let is_asked = *asked != Languages::default();
    let unknown = preparation::unknown_keys_notice(&model).filter(|_| recipe.is_none());
    let notices = told.filter(|_| is_asked || recipe.is_none()).into_iter().chain(unknown).collect();
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
            let written = recipe.as_ref().and_then(|recipe| recipe.max_new_tokens);
            let asked = wanted.map(|wanted| wanted.min(positions));
            targets.source_length(task, asked, written, model.facts())?
        }
        None => sentences.max_length.or(wanted).unwrap_or(usual).min(positions),
    };
    let is_language_chosen = recipe.is_some() || asked.target.is_some();
    let of = WritingOf { folder, recipe: recipe.as_ref(), model: &model, tokenizer: &tokenizer, is_language_chosen };
    let writing = targets.as_ref().map(|targets| Writing::new(targets, &of)).transpose()?;
    let prefix = recipe.as_ref().and_then(|recipe| recipe.source_prefix.as_deref());
    let prompt = sentences.prompt.as_deref().or(prefix);
    let reading = Reading::new(task, recipe.as_ref(), max_length).with_prompt(prompt).with_targets(targets);
    let template = recipe.as_ref().and_then(|recipe| recipe.template.as_deref()).map(parsed).transpose()?;
    let languages = asked.clone().or(&recipe.as_ref().map(Languages::of).unwrap_or_default());
    Ok(Loaded { model, tokenizer, task, objective, reading, template, languages, writing, notices })
}

/// The task where these languages are asked for: a model of which nobody knows better translates then.
fn task_of_languages(task: Task, objective: &mut dyn Objective, asked: &Languages) -> Result<Task, Error> {
    let mut complaints = Complaints::default();
    let of_other_task = |option| LanguageError::LanguageOfOtherTask { option, task };
    let mut translates = task == Task::Translation;
    if let Some(code) = &asked.target {
        match complaints.note(objective.set_target_language(code)) {
            Some(true) => translates = true,
            Some(false) => drop(complaints.note::<()>(Err(of_other_task("target_language")))),
            None => {}
        }
    }
    if asked.source.is_some() && !translates {
        complaints.note::<()>(Err(of_other_task("source_language")));
    }
    complaints.check()?;
    Ok(if translates { Task::Translation } else { task })
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
