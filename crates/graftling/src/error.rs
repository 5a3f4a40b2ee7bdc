//! Everything that can go wrong in the library, with the facts of each case. Knows no way to put it right but says it.

mod complaints;
mod freezing;
mod language;
mod output;
mod quantity;
mod reading;
mod resume;
mod wording;

use std::io;
use std::path::PathBuf;

use graftling_models::ModelError;
use graftling_text::TextError;

use crate::aggregation::AggregationStrategy;
use crate::compare::ComparisonProblem;
use crate::decisions::DecisionsProblem;
use crate::figures::counted;
use crate::generation::GenerationError;
use crate::import::ImportProblem;
use crate::metrics::Scheme;
use crate::recipe::{BestMetric, EmbeddingLoss, RecipeErrors, Task};
use crate::schedule::WarmupTooLong;
pub(crate) use complaints::Complaints;
pub use freezing::FreezingError;
pub use language::LanguageError;
pub use output::OutputError;
pub use quantity::Quantity;
pub use reading::ReadingError;
pub use resume::ResumeError;
use wording::{did_you_mean, lines, needed, none_answered, size, tests};

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Several things at once; there are at least two.
    #[error("{}", lines(.0))]
    Several(Vec<Error>),
    /// Something is wrong with an example of a file.
    #[error("{}{}: {error}", path.display(), line.map_or_else(String::new, |line| format!(":{line}")))]
    InFile {
        /// The file.
        path: PathBuf,
        /// The line where the example begins, from 1, where it has one of its own.
        line: Option<usize>,
        /// What is wrong.
        error: Box<Error>,
    },
    /// A recipe is not one.
    #[error(transparent)]
    Recipe(#[from] RecipeErrors),
    /// A file of texts or a tokenizer cannot be used.
    #[error(transparent)]
    Text(#[from] TextError),
    /// A language model or its texts cannot be used.
    #[error(transparent)]
    Language(#[from] LanguageError),
    /// Texts are not read as was asked.
    #[error(transparent)]
    Reading(#[from] ReadingError),
    /// A model cannot be read or written.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A file cannot be imported.
    #[error(transparent)]
    Import(#[from] ImportProblem),
    /// Nothing can be written to the output folder.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// A run is not gone on with.
    #[error(transparent)]
    Resume(#[from] ResumeError),
    /// No text can be generated.
    #[error(transparent)]
    Generation(#[from] GenerationError),
    /// The checkpoints of a task cannot be chosen by this figure.
    #[error(
        "metric_for_best_model {metric} is not a figure of {task}; accepted: auto, {}",
        accepted.iter().map(|metric| metric.word()).collect::<Vec<_>>().join(", ")
    )]
    MetricOfOtherTask {
        /// The figure that was asked for.
        metric: BestMetric,
        /// The task.
        task: Task,
        /// The figures that the task has.
        accepted: &'static [BestMetric],
    },
    /// A bias is to start somewhere and there is none.
    #[error("head_bias prior: the classifier of a {family} has no bias that could start at the prior; accepted: auto, zero")]
    NoClassifierBias {
        /// The family of the model.
        family: &'static str,
    },
    /// A weight for a label that does not occur.
    #[error("class_weights: training has no label {label:?}, only {}{}", labels.join(", "), did_you_mean(nearest))]
    WeightOfUnknownLabel {
        /// The label of the weight.
        label: String,
        /// The label most like it.
        nearest: Option<String>,
        /// All labels of the training file.
        labels: Vec<String>,
    },
    /// A threshold for a label that does not occur.
    #[error("thresholds: training has no label {label:?}, only {}{}", labels.join(", "), did_you_mean(nearest))]
    ThresholdOfUnknownLabel {
        /// The label of the threshold.
        label: String,
        /// The label most like it.
        nearest: Option<String>,
        /// All labels of the training file.
        labels: Vec<String>,
    },
    /// The file of temperature and thresholds beside a model is not one.
    #[error("{}: {problem}; train anew, or remove the file to decide without it", path.display())]
    Decisions {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: DecisionsProblem,
    },
    /// A comparison takes two.
    #[error("a comparison takes two runs at least; {given} given")]
    TooFewRuns {
        /// How many were given.
        given: usize,
    },
    /// Runs that have nothing to be compared by.
    #[error("{} and {} cannot be compared: {problem}", first.display(), second.display())]
    NotComparable {
        /// The first run.
        first: PathBuf,
        /// The other one.
        second: PathBuf,
        /// Why not.
        problem: ComparisonProblem,
    },
    /// The recipes of runs do not name the same test file.
    #[error("the runs have no test file in common ({}); give the file to compare them on (--data FILE)", tests(named))]
    NoCommonTest {
        /// Each run, and the test file that its recipe names.
        named: Vec<(PathBuf, Option<PathBuf>)>,
    },
    /// A pair of texts, where words are to be tagged.
    #[error("text {index} is a pair, but this model gives tags to the words of one text; give one text")]
    PairOfWords {
        /// Which text, from 1.
        index: usize,
    },
    /// Tokens are put together for a model that tells nothing of tokens.
    #[error("aggregation puts the tags of tokens together, but the task of this model is {task}; leave it out")]
    AggregationOfOtherTask {
        /// The task.
        task: Task,
    },
    /// Tokens are put together where words are given.
    #[error(
        "aggregation {strategy} puts the tokens of texts together, but these are sentences whose words are given; leave it out, or give \
         the texts"
    )]
    AggregationOfWords {
        /// The strategy.
        strategy: AggregationStrategy,
    },
    /// Words are given to a model of texts.
    #[error("these are sentences whose words are given, but the task of this model is {task}, which takes texts")]
    WordsOfOtherTask {
        /// The task.
        task: Task,
    },
    /// Texts are to be compared by a model that gives no vectors.
    #[error(
        "these are texts to be compared with each other, but the task of this model is {task}, which gives no vectors of texts"
    )]
    TogetherOfOtherTask {
        /// The task.
        task: Task,
    },
    /// Windows are put together for a model that reads none.
    #[error(
        "window_merging: this model's texts are cut at {max_length} tokens, not read in windows; leave it out, or train with \
         long_texts = \"windows\""
    )]
    NoWindowsToMerge {
        /// The most tokens of a text.
        max_length: usize,
    },
    /// Tokens by themselves make no entities that could be merged.
    #[error("aggregation none makes no entities, so window_merging entities has none to merge; accepted with it is tokens")]
    NoEntitiesToMerge,
    /// A label that a model does not have is to be left out.
    #[error("ignored label {label:?}: the model has no such label, only {}", labels.join(", "))]
    IgnoredUnknownLabel {
        /// The label.
        label: String,
        /// All labels of the model.
        labels: Vec<String>,
    },
    /// There is nothing to tell apart.
    #[error("{}: the only tag is {}; at least two different tags are needed", path.display(), tags.first().map_or("none", |tag| tag))]
    OneTag {
        /// The training file.
        path: PathBuf,
        /// All tags that occur.
        tags: Vec<String>,
    },
    /// Tags cannot be read by the scheme that was asked for.
    #[error("tag_scheme: the tag {tag:?} is not of {scheme}; accepted: auto, or the scheme that all tags are written in")]
    TagOfOtherScheme {
        /// The scheme.
        scheme: Scheme,
        /// The first tag that has no letter of it.
        tag: String,
    },
    /// A scheme of tags for a model that gives none.
    #[error("tag_scheme: it belongs to token_classification, but the task of the model is {task}; leave it out")]
    TagSchemeOfOtherTask {
        /// The task.
        task: Task,
    },
    /// An example has more or fewer numbers than the model gives.
    #[error("{}:{line}: the label is {}, but the model gives {expected}", path.display(), counted(*found as u64, "number"))]
    OtherCountOfNumbers {
        /// The file.
        path: PathBuf,
        /// The line where the example begins.
        line: usize,
        /// How many it has.
        found: usize,
        /// How many the model gives.
        expected: usize,
    },
    /// A loss of sentence vectors cannot be computed of such examples.
    #[error("{}: embedding_loss {loss} wants {}, but these are {found}; auto takes a loss for them", path.display(), loss.forms())]
    LossOfOtherForm {
        /// The loss that was asked for.
        loss: EmbeddingLoss,
        /// The training file.
        path: PathBuf,
        /// What its examples are.
        found: &'static str,
    },
    /// An option does not go with the loss that follows from the examples.
    #[error("{option} does not go with the loss {loss}, which {found} have; leave it out, or name another embedding_loss")]
    OptionOfOtherLoss {
        /// The option.
        option: &'static str,
        /// The loss.
        loss: EmbeddingLoss,
        /// What the examples are.
        found: &'static str,
    },
    /// Texts that are compared come in another form than those that are trained on.
    #[error("{}:{line}: {found}, but the training file has {expected}; all files of a run have one form", path.display())]
    OtherFormOfTexts {
        /// The file.
        path: PathBuf,
        /// The line of the first example that shows it.
        line: usize,
        /// What its examples are.
        found: &'static str,
        /// What they would have to be.
        expected: &'static str,
    },
    /// A score that no cosine can reach.
    #[error(
        "{}:{line}: score {score} is not between -1 and 1, as cosine_similarity needs it; divide the scores by the largest one, or take the loss cosent, to \
         which their order alone matters",
        path.display()
    )]
    ScoreIsNoCosine {
        /// The file.
        path: PathBuf,
        /// The line of the example.
        line: usize,
        /// The score.
        score: f32,
    },
    /// A setting of a folder of sentence-transformers that is not offered.
    #[error("{}: {key} is {found}; accepted is {accepted}", path.display())]
    SentenceSetting {
        /// The file.
        path: PathBuf,
        /// The setting.
        key: &'static str,
        /// Its value.
        found: String,
        /// What would be accepted.
        accepted: &'static str,
    },
    /// Pooling was named for a model that says itself what it gives.
    #[error("{}: this is {head}, which says itself what it gives; leave pooling and normalize out", folder.display())]
    PoolingIsKnown {
        /// The folder of the model.
        folder: PathBuf,
        /// What its head is called.
        head: &'static str,
    },
    /// A model has a head that is of no use to any task.
    #[error("{}: this is {head}, which can neither be evaluated nor predicted with; give a fine-tuned model", folder.display())]
    NoTask {
        /// The folder of the model.
        folder: PathBuf,
        /// What its head is called.
        head: &'static str,
    },
    /// A file or folder could not be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file or folder could not be written; what stood there before is still there.
    #[error("{}: cannot be written{}: {source}; finished checkpoints are kept", path.display(), needed(*bytes))]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// How many bytes it was to hold; 0 for a folder.
        bytes: u64,
        /// What the system said.
        source: io::Error,
    },
    /// There is no room for what a run will write.
    #[error(
        "{}: {} are needed for checkpoints but {} are free; free some space, choose another output, or keep fewer with save_total_limit",
        folder.display(), size(*needed_bytes), size(*available_bytes)
    )]
    NotEnoughSpace {
        /// The run folder.
        folder: PathBuf,
        /// What the run will write at most.
        needed_bytes: u64,
        /// What is free.
        available_bytes: u64,
    },
    /// A file of a checkpoint does not hold what it should.
    #[error("{}: damaged, or not written by this program; remove its checkpoint to resume from an earlier one, or start anew", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// A folder has no report to make anew.
    #[error("{}: has no report.json; a run that is complete leaves one: give the folder of such a run", folder.display())]
    NoReport {
        /// The folder.
        folder: PathBuf,
    },
    /// The facts of a report cannot be read.
    #[error("{}: not the facts of a report of this version ({reason}); train again to make them anew", path.display())]
    NotAReport {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The tokenizer gives ids that have no embedding.
    #[error(
        "{}: the tokenizer has ids up to {} but the model has embeddings for {embeddings} only: they do not belong together",
        folder.display(), vocabulary - 1
    )]
    VocabularyTooLarge {
        /// The model folder.
        folder: PathBuf,
        /// The highest id of the tokenizer, and one.
        vocabulary: usize,
        /// How many embeddings the model has.
        embeddings: usize,
    },
    /// Texts would be longer than the model can take.
    #[error("max_length: {max_length} tokens, but the model has {positions} positions; accepted is at most {positions}")]
    MaxLengthTooLong {
        /// What the recipe says.
        max_length: usize,
        /// What the model takes.
        positions: usize,
    },
    /// A question came without the text to look for its answer in.
    #[error(
        "text {index} ({text:?}) is a question without a context to look for its answer in; give both: --question and --context, or a file with both columns"
    )]
    QuestionWithoutContext {
        /// Which text, from 1.
        index: usize,
        /// Its beginning.
        text: String,
    },
    /// No question has an answer.
    #[error("{}: {} in its context, so there is nothing to learn; give some that have one", path.display(), none_answered(*questions))]
    NoAnswers {
        /// The training file.
        path: PathBuf,
        /// How many questions it has.
        questions: usize,
    },
    /// A threshold for answers that are never given.
    #[error(
        "null_score_diff_threshold: every question of {} has an answer, so the model cannot learn that there is none; leave it out, or give \
         questions without one",
        path.display()
    )]
    NothingUnanswerable {
        /// The training file.
        path: PathBuf,
    },
    /// A rule for when there is no answer, for a model that answers nothing.
    #[error("null_score_diff_threshold belongs to question_answering, but the model is of the task {task}")]
    NoAnswerOfOtherTask {
        /// The task of the model.
        task: Task,
    },
    /// A text gives no token at all.
    #[error("text {index} ({text:?}) gives no token; give a text with at least one known character")]
    NoTokens {
        /// Which text, from 1.
        index: usize,
        /// Its beginning.
        text: String,
    },
    /// What a recipe freezes is not to be frozen.
    #[error(transparent)]
    Freezing(#[from] FreezingError),
    /// Warm-up would last longer than the training.
    #[error(transparent)]
    Warmup(#[from] WarmupTooLong),
    /// A figure of training is no longer a number.
    #[error(
        "step {step}: the {quantity} is {value} at learning rate {learning_rate:e}; {}; \
         try a smaller learning rate, more warm-up or clipping",
        last_checkpoint.as_ref().map_or("there is no checkpoint yet".to_owned(), |folder| format!("the last good checkpoint is {}", folder.display()))
    )]
    Diverged {
        /// The step that would have been next.
        step: u64,
        /// Which figure.
        quantity: Quantity,
        /// Its value: infinite, or not a number.
        value: f32,
        /// The learning rate of the step.
        learning_rate: f32,
        /// The last checkpoint, where there is one.
        last_checkpoint: Option<PathBuf>,
    },
    /// Stopped on request before anything was done that could be kept.
    #[error("stopped on request before the first step; nothing was written")]
    Interrupted,
    /// The threads to compute with could not be started.
    #[error("threads: {threads} threads cannot be started: {reason}")]
    Threads {
        /// How many.
        threads: usize,
        /// What the system said.
        reason: String,
    },
}
