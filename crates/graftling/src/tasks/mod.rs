//! What a task adds to the one way of the data: targets, loss, decoding. Knows nothing of files, batches or updates.
//!
//! To add a task, write its file here with an [`Objective`], give its word to [`recipe::Task`](crate::recipe::Task) and name the
//! file in the two functions below. What the loop, evaluation and prediction ask of a task is all in [`Objective`].

mod sequence_classification;

use graftling_models::Head;
use graftling_tensor::{Graph, Var};
use graftling_text::Dataset;

use crate::Error;
use crate::recipe::Task;
use sequence_classification::SequenceClassification;

/// What the model should say about one example.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Target {
    /// This class.
    Class(usize),
}

/// What the model says about one example.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Decoded {
    /// The most probable class, and the probabilities of all.
    Class {
        /// The class.
        class: usize,
        /// One probability a class.
        probabilities: Vec<f32>,
    },
}

/// What a task does with examples and logits, once it is known what there is to tell apart.
pub(crate) trait Objective: Send + Sync {
    /// What the model should say about each example of a dataset; all that cannot be said is in the error.
    fn targets(&self, dataset: &Dataset) -> Result<Vec<Target>, Error>;

    /// The sum of the examples' losses divided by `normalizer`: a scalar. Logits have a row for each target.
    fn loss(&self, graph: &Graph<'_>, logits: &Var, targets: &[Target], normalizer: f32) -> Var;

    /// What one row of logits says.
    fn decode(&self, logits: &[f32]) -> Decoded;

    /// The head that a model needs for this task.
    fn head(&self) -> Head;

    /// The names of what the logits stand for, in their order.
    fn labels(&self) -> &[String];
}

/// The objective that follows from training examples.
pub(crate) fn from_examples(task: Task, dataset: &Dataset) -> Result<Box<dyn Objective>, Error> {
    match task {
        Task::SequenceClassification => Ok(Box::new(SequenceClassification::from_examples(dataset)?)),
    }
}

/// The objective of a fine-tuned model with these labels.
pub(crate) fn from_labels(task: Task, labels: &[String]) -> Box<dyn Objective> {
    match task {
        Task::SequenceClassification => Box::new(SequenceClassification::from_labels(labels)),
    }
}
