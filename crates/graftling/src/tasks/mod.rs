//! What a task adds to the one way of the data: targets, loss, answers, metrics. Knows nothing of files, batches or updates.
//!
//! To add a task, write its file here with an [`Objective`], give its word to [`recipe::Task`](crate::recipe::Task) and name the
//! file in the two functions below. What the loop, evaluation and prediction ask of a task is all in [`Objective`]; where its examples or
//! answers have a form that no other task has, the compiler asks for the variants of [`Data`], [`Target`], [`Answer`], [`Said`] and
//! [`Metrics`].

mod card_words;
mod causal_lm;
mod class_logits;
mod class_loss;
mod judged;
mod masked_lm;
mod multi_label_classification;
mod next_tokens;
mod question_answering;
mod sentence_embedding;
mod sequence_classification;
mod sequence_regression;
mod sequence_to_sequence;
mod token_classification;

use graftling_models::{Head, Model, ProblemType};
use graftling_tensor::{Graph, Var};
use graftling_text::{TextInput, TokenExample, Tokenizer};

use crate::data::Data;
use crate::decisions::{Decisions, FittedDecisions};
use crate::evaluate::ScoredBatch;
use crate::features::{Features, Packed, Tokenized};
use crate::inference::Batch;
use crate::metrics::{Metrics, Resampled};
use crate::recipe::{BestMetric, Recipe, TagScheme, Task};
use crate::{Error, NoAnswer, Said};
pub(crate) use card_words::{CardWords, Used};
use causal_lm::CausalLm;
pub(crate) use judged::{Agreement, Holds, Judged, Told, ToldWord, Verdict};
use masked_lm::MaskedLm;
use multi_label_classification::MultiLabel;
pub(crate) use next_tokens::Foreseen;
use question_answering::{Found, Gold, QuestionAnswering};
#[cfg(test)]
pub(crate) use sentence_embedding::search_places;
use sentence_embedding::{Compared, SentenceEmbedding};
use sequence_classification::SequenceClassification;
use sequence_regression::Regression;
use sequence_to_sequence::SequenceToSequence;
pub(crate) use sequence_to_sequence::{Reference, Written};
use token_classification::TokenClassification;

pub(crate) use class_logits::softmax_at;

/// What the model should say about one example.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Target {
    /// This class.
    Class(usize),
    /// Whether each label holds.
    Labels(Vec<bool>),
    /// These numbers.
    Numbers(Vec<f32>),
    /// A tag for each word.
    Tags {
        /// The tag of every word, as it is written; none where it is only trained on.
        tags: Vec<String>,
        /// The class of every word; none where the model does not know its tag.
        classes: Vec<Option<usize>>,
        /// The words that the model sees, one for each row of logits.
        seen: Vec<usize>,
    },
    /// What stands in the place of each token that is wanted.
    Tokens(Vec<u32>),
    /// What comes after each token that is wanted.
    Next(Vec<u32>),
    /// A text that is written from another.
    Written {
        /// Its tokens.
        tokens: Vec<u32>,
        /// The text itself and its source; none where it is only trained on.
        reference: Option<Reference>,
    },
    /// A passage of the context, or that there is none.
    Passage(Gold),
    /// What the vectors of several texts should be to each other.
    Compared(Compared),
}

impl Target {
    /// Takes note of what the model sees of the example, window by window.
    pub fn see(&mut self, windows: &[Features]) {
        match self {
            Self::Tags { seen, .. } => *seen = windows.iter().flat_map(Features::words_seen).copied().collect(),
            Self::Passage(gold) => gold.see(windows),
            Self::Next(tokens) | Self::Written { tokens, .. } => {
                *tokens = windows.iter().flat_map(Features::next_tokens).collect()
            }
            _ => {}
        }
    }

    /// The part of it that one window of the example is trained on: of tags those of the words that the window sees, of texts their tokens.
    pub fn of_window(&self, window: &Features) -> Self {
        if let Self::Tags { classes, .. } = self {
            let words = window.words_seen();
            let classes = words.iter().map(|&word| classes[word]).collect();
            return Self::Tags { tags: Vec::new(), classes, seen: (0..words.len()).collect() };
        }
        if let Self::Written { .. } = self {
            return Self::Written { tokens: window.next_tokens().collect(), reference: None };
        }
        let mut own = self.clone();
        own.see(std::slice::from_ref(window));
        own
    }

    /// Takes note of how many tokens the model sees in each window of each text, where the example is several texts.
    pub fn measure(&mut self, windows: Vec<Vec<usize>>) {
        if let Self::Compared(compared) = self {
            compared.windows = windows;
        }
    }

    /// The tokens that are foreseen one by one.
    ///
    /// # Panics
    /// If it is of another kind.
    pub fn tokens(&self) -> &[u32] {
        match self {
            Self::Tokens(tokens) | Self::Next(tokens) | Self::Written { tokens, .. } => tokens,
            other => panic!("tokens that are foreseen: {other:?}"),
        }
    }

    /// How many terms it adds to the loss, which is a mean over them.
    pub fn terms(&self) -> usize {
        match self {
            Self::Class(_) | Self::Compared(_) => 1,
            Self::Labels(labels) => labels.len(),
            Self::Numbers(numbers) => numbers.len(),
            Self::Tokens(tokens) | Self::Next(tokens) | Self::Written { tokens, .. } => tokens.len(),
            Self::Passage(gold) => gold.windows.len(),
            Self::Tags { seen, classes, .. } => seen.iter().filter(|&&word| classes[word].is_some()).count(),
        }
    }
}

/// What the model says about one example.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Answer {
    /// One logit a class, of which one is true.
    Label { logits: Vec<f32> },
    /// One logit a label, each of which holds or not.
    Labels { logits: Vec<f32> },
    /// Numbers.
    Numbers(Vec<f32>),
    /// One logit a class for each word that the model saw, those of a word end to end.
    Tags { logits: Vec<f32> },
    /// The most probable tokens in each place that is wanted, with their probabilities, the best first: as many as a person is told, or the best
    /// alone where it is compared with the truth.
    Tokens(Vec<Vec<(u32, f32)>>),
    /// How well the tokens of a text were foreseen.
    Foreseen(Foreseen),
    /// How well those of a target were, and what was written in its place.
    Written(Written),
    /// A passage of the context, or that there is none.
    Passage(Found),
    /// The vector of a text.
    Vector(Vec<f32>),
    /// How alike the first of several texts is to each of the others.
    Similarities(Vec<f32>),
}

/// What an answer was given to.
pub(crate) struct Spoken<'a> {
    /// The words that the model saw, one for each row of logits.
    pub seen: &'a [usize],
    /// The words, where the example is made of such.
    pub words: Option<&'a TokenExample>,
    /// What the model saw: one window, or those of a longer text.
    pub windows: &'a [Features],
    /// The tokenizer; none where nothing is said of single tokens.
    pub tokenizer: Option<&'a Tokenizer>,
}

/// What a task does with examples and logits, once it is known what there is to tell apart.
pub(crate) trait Objective: Send + Sync {
    /// The head that a model needs.
    fn head(&self) -> Head;

    /// The names of what the logits stand for, in their order.
    fn labels(&self) -> &[String];

    /// What the model's card says of the task.
    fn card(&self) -> CardWords;

    /// Learns what there is to know of the tokenizer, before anything is drawn, asked or said.
    fn meet(&mut self, _: &Tokenizer) -> Result<(), Error> {
        Ok(())
    }

    /// Writes beside the weights what answers depend on and the head does not tell.
    fn inscribe(&self, _: &mut Model) {}

    /// Takes note of what there is to know of the model: what was written beside the weights, and by which of its parameters losses are
    /// computed.
    fn recall(&mut self, _: &Model) {}

    /// Says when there is no answer to a question; `false` where nothing is answered.
    fn set_no_answer(&mut self, _: NoAnswer) -> bool {
        false
    }

    /// Says by the letter of which scheme entities are read; `false` where nothing is tagged.
    fn set_tag_scheme(&mut self, _: TagScheme) -> Result<bool, Error> {
        Ok(false)
    }

    /// Says in which language texts are written, by its code; `false` where that does not matter.
    fn set_target_language(&mut self, _: &str) -> Result<bool, Error> {
        Ok(false)
    }

    /// Decides what the recipe leaves to the model, which has this head; says what a person should know of it.
    fn settle(&mut self, _stored: Option<&Head>) -> Vec<String> {
        Vec::new()
    }

    /// What there is to do beside all this, where an example is several texts that are read apart and then compared.
    fn comparison(&self) -> Option<&dyn Comparison> {
        None
    }

    /// What the model sees of an example this time, and what it should say to that, where both are drawn anew at every step.
    fn drawn(&self, _: &Features, _key: u64) -> Option<(Features, Target)> {
        None
    }

    /// Marks what a person asks about in texts, where it is not the whole text.
    fn ask(&self, _: &[TextInput<'_>], _: &mut Tokenized) -> Result<(), Error> {
        Ok(())
    }

    /// What the model should say about each example; all that cannot be said is in the error.
    fn targets(&self, data: &Data) -> Result<Vec<Target>, Error>;

    /// What a person should know of examples that the model is measured on.
    fn notices(&self, _: &Data) -> Vec<String> {
        Vec::new()
    }

    /// What the model gives for a batch, from which losses and answers are computed: logits, unless a task takes something else.
    fn output(&self, model: &Model, graph: &Graph<'_>, packed: &Packed) -> Var {
        model.forward(graph, &packed.batch)
    }

    /// The sum of the loss terms of the examples divided by `normalizer`: a scalar. The logits, or whatever
    /// [`output`](Self::output) gives, have the rows of each target in turn.
    /// Evaluations report it, so it is the same whatever a recipe does in training.
    fn loss(&self, graph: &Graph<'_>, logits: &Var, targets: &[&Target], normalizer: f32) -> Var;

    /// The loss that training lowers, in the shape of [`loss`](Self::loss).
    fn training_loss(&self, graph: &Graph<'_>, logits: &Var, targets: &[&Target], normalizer: f32) -> Var {
        self.loss(graph, logits, targets, normalizer)
    }

    /// What the terms of an example weigh together in the mean that training lowers.
    fn training_weight(&self, target: &Target) -> f64 {
        target.terms() as f64
    }

    /// The logits of an answer that knows no text, only what the training examples are like on the whole: where a new head starts.
    /// None where the task has no such answer.
    fn prior(&self, _: &[Target]) -> Option<Vec<f32>> {
        None
    }

    /// What the rows of logits of one example say, each of so many columns; these are the windows that it was read in.
    fn answer(&self, logits: &[f32], columns: usize, windows: &[Features]) -> Answer;

    /// How each text of a batch is answered.
    fn answers(&self, batch: &Batch<'_>) -> Vec<Answer> {
        let mut answers = Vec::with_capacity(batch.texts.len());
        batch.each(|place, logits| answers.push(self.answer(logits, batch.columns(), batch.windows(place))));
        answers
    }

    /// How a batch of texts is answered, each of which has its target, and the losses of the answers.
    fn scored(&self, batch: &Batch<'_>, targets: &[&Target]) -> ScoredBatch {
        ScoredBatch::of_logits(self, batch, targets)
    }

    /// An answer in words, for a person or a program that asked for it.
    fn say(&self, answer: &Answer, of: &Spoken<'_>) -> Said;

    /// How good the answers are, where probabilities and decisions are made by these; `loss` is the mean over all terms, at their
    /// temperature.
    fn metrics(&self, by: &Decisions, answers: &[Answer], targets: &[Target], loss: f64) -> Metrics;

    /// What probabilities and decisions are made by, where something may be fitted or given for that.
    fn decisions(&self) -> Option<&Decisions> {
        None
    }

    /// The same, to make them by others from now on.
    fn decisions_mut(&mut self) -> Option<&mut Decisions> {
        None
    }

    /// The sum of the loss terms of each answer when its logits are divided by a temperature.
    ///
    /// # Panics
    /// If the task has no [`decisions`](Self::decisions).
    fn losses_at(&self, temperature: f64, _answers: &[Answer], _targets: &[Target]) -> Vec<f64> {
        panic!("a task without probabilities, at temperature {temperature}");
    }

    /// What the recipe wants to be fitted to the answers on the validation split; asked only where there are
    /// [`decisions`](Self::decisions).
    fn fit_decisions(&self, _: &Recipe, _answers: &[Answer], _targets: &[Target]) -> FittedDecisions {
        FittedDecisions::default()
    }

    /// The answers example by example, from which the figures can be computed for any drawing of the examples: what intervals and
    /// comparisons of two models are made from. `losses` has the sum of each example's loss terms, at the temperature of the
    /// [`decisions`](Self::decisions), where an example [has one of its own](Self::has_own_losses).
    fn sample(&self, answers: &[Answer], targets: &[Target], losses: Vec<f64>) -> Box<dyn Resampled>;

    /// Whether the loss of an example can be computed from the example alone; [`sample`](Self::sample) is told each then.
    fn has_own_losses(&self) -> bool {
        false
    }

    /// What an example holds that can be counted.
    fn holds(&self, _: &Target) -> Holds {
        Holds::Nothing
    }

    /// How one answer did, where answers are judged one by one.
    fn judged(&self, _: &Answer, _: &Target) -> Option<Judged> {
        None
    }

    /// One answer beside what is true, in words: of examples that [`judged`](Self::judged) finds wrong.
    fn told(&self, _: &Answer, _: &Target, _: &Spoken<'_>) -> Told {
        Told::Nothing
    }

    /// How well what was written agrees with what should have been; none where nothing was written.
    fn agreement(&self, _: &Answer, _: &Target) -> Option<Agreement> {
        None
    }

    /// The figures that checkpoints may be chosen by; the first is taken where none is named.
    fn best_metrics(&self) -> &'static [BestMetric];
}

/// What a task does whose examples are several texts, each of which the model reads by itself. Answers are given to texts.
pub(crate) trait Comparison {
    /// Whether the loss compares all examples of a step with each other, so that it is not a sum over micro-batches.
    fn spans_step(&self) -> bool;

    /// One answer from those to the texts of an example.
    fn together(&self, answers: &[Answer]) -> Answer;

    /// The mean loss of all examples, from the answers to all their texts in turn.
    fn mean_loss(&self, answers: &[Answer], targets: &[Target]) -> f64;
}

/// The objective that follows from a recipe and its training examples.
///
/// # Panics
/// If the examples are not in the form of the recipe's task.
pub(crate) fn from_examples(recipe: &Recipe, data: &Data) -> Result<Box<dyn Objective>, Error> {
    Ok(match (recipe.task, data) {
        (Task::SequenceClassification, Data::Labelled(dataset)) => {
            Box::new(SequenceClassification::from_examples(dataset, recipe)?)
        }
        (Task::MultiLabelClassification, Data::MultiLabelled(dataset)) => Box::new(MultiLabel::from_examples(dataset, recipe)?),
        (Task::SequenceRegression, Data::Numbered(dataset)) => Box::new(Regression::from_examples(dataset, recipe)?),
        (Task::TokenClassification, Data::Words(dataset)) => Box::new(TokenClassification::from_examples(dataset, recipe)?),
        (Task::MaskedLm, Data::Plain(_)) => Box::new(MaskedLm::new(Some(recipe))),
        (Task::CausalLm, Data::Language(examples)) => Box::new(CausalLm::from_examples(examples, recipe)?),
        (Task::Summarization | Task::Translation, Data::SourceTargets(..)) => Box::new(SequenceToSequence::from_recipe(recipe)?),
        (Task::QuestionAnswering, Data::Questions(questions)) => Box::new(QuestionAnswering::from_examples(questions, recipe)?),
        (Task::SentenceEmbedding, Data::Compared(_)) => Box::new(SentenceEmbedding::from_examples(recipe, data)?),
        (task, _) => panic!("examples of another form than {task} wants"),
    })
}

/// The task of a fine-tuned model, and its objective. The recipe is that of the run, where it is known.
pub(crate) fn from_model(model: &Model, recipe: Option<&Recipe>) -> Result<(Task, Box<dyn Objective>), Error> {
    if let Some(recipe) = recipe.filter(|recipe| recipe.task.writes()) {
        return Ok((recipe.task, Box::new(SequenceToSequence::from_recipe(recipe)?)));
    }
    Ok(match model.head() {
        Head::SequenceClassification { problem: ProblemType::SingleLabelClassification, labels } => {
            (Task::SequenceClassification, Box::new(SequenceClassification::from_labels(labels)))
        }
        Head::SequenceClassification { problem: ProblemType::MultiLabelClassification, labels } => {
            (Task::MultiLabelClassification, Box::new(MultiLabel::from_labels(labels)))
        }
        Head::SequenceClassification { problem: ProblemType::Regression, labels } => {
            (Task::SequenceRegression, Box::new(Regression::from_labels(labels, recipe)))
        }
        Head::TokenClassification { labels } => {
            (Task::TokenClassification, Box::new(TokenClassification::from_labels(labels, recipe)?))
        }
        Head::MaskedLanguageModelling => (Task::MaskedLm, Box::new(MaskedLm::new(recipe))),
        Head::CausalLanguageModelling => (Task::CausalLm, Box::new(CausalLm::from_recipe(recipe))),
        // What such models were made for, where no recipe says it.
        Head::SequenceToSequence => {
            let translates = model.facts().decoder.is_some_and(|decoder| decoder.conventions.translates);
            let task = if translates { Task::Translation } else { Task::Summarization };
            (task, Box::new(SequenceToSequence::of_family(task)))
        }
        Head::QuestionAnswering => (Task::QuestionAnswering, Box::new(QuestionAnswering::from_recipe(recipe))),
        Head::SentenceEmbedding { pooling, normalize } => {
            (Task::SentenceEmbedding, Box::new(SentenceEmbedding::from_head(*pooling, *normalize, recipe)))
        }
    })
}
