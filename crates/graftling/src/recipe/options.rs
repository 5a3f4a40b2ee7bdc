//! The table of recipe options: one row each, from which `Recipe`, `FIELDS`, `recipe.toml`, the flags and the reference are made.
//! To add an option, add a row. Knows nothing of how a value is parsed or printed.

use std::path::PathBuf;

use super::check::Values;
use super::choices::{
    BestMetric, Calibrate, DataFormat, EmbeddingLoss, EvaluateEvery, HeadBias, InitialWeights, LongTexts, MomentumForm,
    OptimizerChoice, Pooling, RegressionLoss, ReportLanguage, Sampling, ScheduleKind, Strategy, TagScheme, Task, TripletDistance,
    Warmup, WindowPooling,
};
use super::field::FieldDefault::{Required, Typed, Unset};
use super::field::{Bound, Field, Group, Kind};
use super::label_numbers::{ClassWeights, Thresholds};
use super::value::RecipeValue;

/// A row: `/// help`, then `name: type = kind, default;`.
macro_rules! options {
    ($( $group:ident { $( $( #[doc = $help:literal] )+ $name:ident : $type:ty = $kind:expr, $default:expr; )+ } )+) => {
        /// Every option of a recipe, in the order of the documentation.
        pub const FIELDS: &[Field] = &[$( $( Field {
            name: stringify!($name),
            kind: $kind,
            default: $default,
            help: concat!($( $help ),+).trim_ascii(),
            group: Group::$group,
        } ),+ ),+];

        /// What to do: a recipe that is complete and checked, with nothing optional where a default exists.
        #[derive(Debug, Clone, PartialEq)]
        pub struct Recipe { $( $( $( #[doc = $help] )+ pub $name: $type, )+ )+ }

        impl Recipe {
            /// Every field read from the checked values.
            pub(super) fn read(values: &mut Values) -> Recipe {
                Recipe { $( $( $name: values.take(stringify!($name)), )+ )+ }
            }

            /// The right-hand side of every field's TOML line, in the order of `FIELDS`; `None` where it is not set.
            pub(super) fn written(&self) -> Vec<Option<String>> {
                vec![$( $( self.$name.written() ),+ ),+]
            }
        }
    };
}

options! {
    Run {
        /// The model to start from: a folder, a name on the hub (org/name or org/name@revision) or a name of the built-in catalogue.
        model: String = Kind::Text("MODEL"), Required;
        /// What the model learns to do.
        task: Task = choice(Task::WORDS), Typed("sequence_classification");
        /// The run folder to write.
        output: PathBuf = Kind::Path("FOLDER"), Required;
        /// Replace a run folder that is already there.
        overwrite_output: bool = Kind::Flag, Typed("false");
        /// Go on with the run in the output folder from its last checkpoint; everything else must be as it was.
        resume: bool = Kind::Flag, Typed("false");
        /// Seed of everything random: the split, the new head, the shuffle and dropout.
        seed: u64 = integer(0, u32::MAX as u64), Typed("42");
        /// Threads to compute with; auto is one a core. The weights do not depend on it.
        threads: Option<usize> = integer_or("auto", 1, 1024), Typed("auto");
    }
    Data {
        /// The examples to train on: a csv, tsv or jsonl file; CoNLL for tagged words, .txt for masked_lm and causal_lm, .json
        /// (SQuAD) for question_answering; each plain or .gz.
        train: PathBuf = Kind::Path("FILE"), Required;
        /// The examples to choose the best checkpoint by.
        validation: Option<PathBuf> = Kind::Path("FILE"), Unset("a part of the training file, see validation_fraction");
        /// The examples to evaluate the finished model on.
        test: Option<PathBuf> = Kind::Path("FILE"), Unset("no test");
        /// The share of the training file held out for validation, each label in proportion; questions about one text stay together.
        validation_fraction: f64 = number(Bound::Excluded(0.0), Bound::Excluded(1.0)), Typed("0.1");
        /// How the data files are written; auto goes by their names. conll is for token_classification, txt (a text a line) for
        /// masked_lm and causal_lm, squad (json) for question_answering.
        format: Option<DataFormat> = Kind::Choice { word: Some("auto"), choices: DataFormat::WORDS }, Typed("auto");
        /// The column that holds the text, the question, the prompt, or the source.
        text_column: Option<String> = Kind::Text("COLUMN"), Unset("found by its name");
        /// The column that holds the second text of a pair, or the context of a question.
        text_pair_column: Option<String> = Kind::Text("COLUMN"), Unset("found by its name");
        /// The column that holds the label, the answers to a question, the completion of a prompt, or the target.
        label_column: Option<String> = Kind::Text("COLUMN"), Unset("found by its name");
        /// What prompts are made by from any columns, whose names stand in braces: "Summarize: {document}\n\nSummary:". A backslash and n
        /// are a line break, braces that are meant as such are doubled (causal_lm, summarization, translation).
        template: Option<String> = Kind::Text("TEMPLATE"), Unset("the prompt is a column as it is");
        /// What is put before every source, as T5 wants it: "summarize: " (summarization, translation).
        source_prefix: Option<String> = Kind::Text("TEXT"), Unset("nothing");
        /// The language of the sources: their key in a column of objects, {"translation": {"en": "...", "de": "..."}}, or the name of their
        /// column, where text_column and template say nothing; a tokenizer of many languages is told it, too (mBART: en_XX, or en) (translation).
        source_language: Option<String> = Kind::Text("CODE"), Unset("the columns have names of their own");
        /// The language of the targets, as that of the sources; by it goes the tokenizer of BLEU, too (translation).
        target_language: Option<String> = Kind::Text("CODE"), Unset("BLEU takes texts apart as 13a does");
    }
    Batches {
        /// The most tokens of a text (special ones included) that the model reads at once, of a source where others are written; auto is 512
        /// (384 for question_answering), or less where the model takes less.
        max_length: Option<usize> = integer_or("auto", 3, 1_048_576), Typed("auto");
        /// The most tokens of a target (special ones included) that is trained on; longer ones are cut; auto is 128, or less where the model
        /// has no room for so many (summarization, translation).
        max_target_length: Option<usize> = integer_or("auto", 2, 1_048_576), Typed("auto");
        /// What becomes of a text that is longer: its end is cut off, or it is read in windows of max_length, in training and after. Of
        /// a pair the second text is divided. auto is windows for masked_lm, causal_lm and question_answering (which
        /// reads every text whole) and cut for other tasks. A prompt with its completion is read at once: the prompt is cut at its front.
        long_texts: Option<LongTexts> = Kind::Choice { word: Some("auto"), choices: LongTexts::WORDS }, Typed("auto");
        /// Tokens that two neighbouring windows of a text share; auto is a quarter of max_length, a third for question_answering, none for
        /// masked_lm, or the one token from which the next is foreseen for causal_lm; tokens that are shared count once.
        window_stride: Option<usize> = integer_or("auto", 0, 1_048_576), Typed("auto");
        /// How the logits of a text's windows become those of the text: their mean, or the largest of each label. Words take theirs
        /// from the window in which they stand furthest from an edge.
        window_pooling: WindowPooling = choice(WindowPooling::WORDS), Typed("mean");
        /// Passes over the training examples.
        epochs: f64 = number(Bound::Excluded(0.0), Bound::Included(10_000.0)), Typed("3");
        /// Stop after this many steps instead of after the given epochs.
        max_steps: Option<u64> = integer_or("none", 1, 1_000_000_000), Typed("none");
        /// Examples in a batch.
        batch_size: usize = integer(1, 1_048_576), Typed("32");
        /// Tokens in a batch, instead of a number of examples.
        batch_tokens: Option<usize> = integer_or("none", 16, 1 << 30), Typed("none");
        /// Tokens of one forward pass at most, unless a single text has more: it bounds the memory; a batch is cut into as many
        /// passes as it takes.
        micro_batch_tokens: usize = integer(16, 1 << 30), Typed("2048");
        /// Batches whose gradients make one step.
        gradient_accumulation: usize = integer(1, 1_048_576), Typed("1");
        /// Which examples an epoch has: all of them once; or as many of each label as the most frequent has (oversample) or the rarest
        /// (undersample), drawn anew each epoch (sequence_classification).
        sampling: Sampling = choice(Sampling::WORDS), Typed("all");
    }
    Optimization {
        /// The highest learning rate, reached after warm-up; auto is 5e-5 for a model 768 wide, and in inverse proportion to the
        /// width for others (1e-4 at 384).
        learning_rate: Option<f32> = number_or("auto", Bound::Excluded(0.0), Bound::Included(10.0)), Typed("auto");
        /// The formula of an update.
        optimizer: OptimizerChoice = choice(OptimizerChoice::WORDS), Typed("adamw");
        /// Decay of the gradient's running mean (adam, adamw).
        beta1: f32 = number(Bound::Included(0.0), Bound::Excluded(1.0)), Typed("0.9");
        /// Decay of the squared gradient's running mean (adam, adamw).
        beta2: f32 = number(Bound::Included(0.0), Bound::Excluded(1.0)), Typed("0.999");
        /// Added to the denominator (adam, adamw).
        epsilon: f32 = number(Bound::Excluded(0.0), Bound::Included(1.0)), Typed("1e-8");
        /// Correct the running means for having started at zero (adam, adamw).
        bias_correction: bool = Kind::Flag, Typed("true");
        /// Share of the last velocity that is kept (momentum).
        momentum: f32 = number(Bound::Included(0.0), Bound::Excluded(1.0)), Typed("0.9");
        /// The form of the velocity (momentum): accumulated is momentum * v + gradient, averaged weighs the gradient by 1 - momentum.
        momentum_form: MomentumForm = choice(MomentumForm::WORDS), Typed("accumulated");
        /// Look ahead along the velocity (momentum).
        nesterov: bool = Kind::Flag, Typed("false");
        /// Weight decay; never on biases and norm weights.
        weight_decay: f32 = number(Bound::Included(0.0), Bound::Included(10.0)), Typed("0");
        /// What a predicted number costs by its distance from the true one (sequence_regression).
        regression_loss: RegressionLoss = choice(RegressionLoss::WORDS), Typed("mean_squared_error");
        /// The distance up to which the loss huber is a square (sequence_regression).
        huber_delta: f32 = number(Bound::Excluded(0.0), Bound::Included(1e9)), Typed("1.0");
        /// What an error at a label counts for; balanced is in inverse proportion to how often the label occurs. Labels that are not
        /// named count once (all tasks with labels).
        class_weights: ClassWeights = WEIGHTS, Typed("none");
        /// Share of the truth that is spread over all labels, for labels that are not wholly trusted (all tasks with labels), or over the
        /// vocabulary (causal_lm, summarization, translation).
        label_smoothing: f32 = number(Bound::Included(0.0), Bound::Excluded(1.0)), Typed("0");
        /// The power of focal loss: the larger, the less an example adds that is told right already; 0 is cross-entropy (all tasks with
        /// labels).
        focal_gamma: f32 = number(Bound::Included(0.0), Bound::Included(10.0)), Typed("0");
        /// Share of the tokens that are chosen to be guessed, others at every step; of these, 80 % are masked, 10 % replaced by any
        /// token and 10 % left (masked_lm).
        mask_probability: f32 = number(Bound::Excluded(0.0), Bound::Excluded(1.0)), Typed("0.15");
        /// Choose whole words, not tokens; in texts without spaces a dictionary tells the words (masked_lm).
        whole_word_masking: bool = Kind::Flag, Typed("false");
        /// How the vectors of a text's tokens become one; auto is what the model's modules.json says, or mean (sentence_embedding).
        pooling: Option<Pooling> = Kind::Choice { word: Some("auto"), choices: Pooling::WORDS }, Typed("auto");
        /// Bring the vectors of texts to length 1 (sentence_embedding).
        normalize: Option<bool> = Kind::Flag, Unset("what the model's modules.json says, or false");
        /// What sentence vectors are trained by; auto is multiple_negatives for triplets and for pairs without scores, contrastive for
        /// scores 0 and 1, and cosent for other scores (sentence_embedding).
        embedding_loss: Option<EmbeddingLoss> = Kind::Choice { word: Some("auto"), choices: EmbeddingLoss::WORDS }, Typed("auto");
        /// What cosines are multiplied by, the inverse of a temperature (the losses cosent and multiple_negatives).
        embedding_scale: f32 = number(Bound::Excluded(0.0), Bound::Included(1e4)), Typed("20.0");
        /// How far apart texts should be (the losses contrastive and triplet); auto is 0.5 for cosines and 5 for the Euclidean distance.
        embedding_margin: Option<f32> = number_or("auto", Bound::Excluded(0.0), Bound::Included(1e4)), Typed("auto");
        /// How far apart the vectors of a triplet are (the loss triplet).
        triplet_distance: TripletDistance = choice(TripletDistance::WORDS), Typed("euclidean");
        /// How the learning rate goes on after warm-up.
        schedule: ScheduleKind = choice(ScheduleKind::WORDS), Typed("linear");
        /// How long the learning rate climbs from zero: a share of all steps (below 1) or a number of steps.
        warmup: Warmup = Kind::ShareOrSteps { most: 1_000_000_000 }, Typed("0.1");
        /// Gradients whose norm is larger are scaled down to it.
        max_grad_norm: Option<f32> = number_or("none", Bound::Excluded(0.0), Bound::Included(1e9)), Typed("1.0");
    }
    Parameters {
        /// What training starts from: the weights of the model's folder (pretrained), or draws from the seed by its config alone (random), to see
        /// what pretraining is worth.
        initial_weights: InitialWeights = choice(InitialWeights::WORDS), Typed("pretrained");
        /// Which parameters are trained: all (full), or the head only: the classifier and the pooler below it (head_only).
        strategy: Strategy = choice(Strategy::WORDS), Typed("full");
        /// Names of parameters that are not trained; * stands for any characters, ? for one.
        freeze: Vec<String> = Kind::Texts("PATTERN"), Unset("none");
        /// The learning rate of each layer as a share of the layer above it; 1 is the same rate everywhere.
        layer_decay: f32 = number(Bound::Excluded(0.0), Bound::Included(1.0)), Typed("1.0");
        /// Where the bias of a new classifier starts: at how often each label occurs in training (prior; of numbers, their mean), or at zero
        /// as in transformers. auto is prior for multi_label_classification and sequence_regression, and zero for other tasks.
        head_bias: Option<HeadBias> = Kind::Choice { word: Some("auto"), choices: HeadBias::WORDS }, Typed("auto");
        /// Share of activations dropped in training; auto is what the model's config says.
        dropout: Option<f32> = number_or("auto", Bound::Included(0.0), Bound::Excluded(1.0)), Typed("auto");
    }
    Evaluation {
        /// When to evaluate on the validation examples: after each epoch, or each so many steps.
        evaluate_every: EvaluateEvery = integer_or("epoch", 1, 1_000_000_000), Typed("epoch");
        /// Stop after this many evaluations in a row without a better one.
        early_stopping: Option<usize> = integer_or("none", 1, 1_000_000), Typed("none");
        /// The validation figure that decides which checkpoint is best; auto is accuracy, or for other tasks f1_micro
        /// (multi_label_classification), mse (sequence_regression), f1 (entities of token_classification, question_answering), loss (masked_lm, causal_lm, summarization, translation), and of
        /// sentence_embedding spearman, average_precision or accuracy, by the form of the examples.
        metric_for_best_model: Option<BestMetric> = Kind::Choice { word: Some("auto"), choices: BestMetric::WORDS }, Typed("auto");
        /// How many texts are followed side by side where a model writes; auto is as the model's generation_config.json says, or 1
        /// (summarization, translation).
        num_beams: Option<usize> = integer_or("auto", 1, 1024), Typed("auto");
        /// The most tokens that a model writes; auto is max_target_length (summarization, translation).
        max_new_tokens: Option<usize> = integer_or("auto", 1, 1_048_576), Typed("auto");
        /// A finished beam is judged by its log-probability divided by its length to this power; auto is as the model's
        /// generation_config.json says, or 1 (summarization, translation with beams).
        length_penalty: Option<f32> = number_or("auto", Bound::Included(-100.0), Bound::Included(100.0)), Typed("auto");
        /// No run of so many tokens is written twice, 0 is any; auto is as the model's generation_config.json says, or 0 (summarization,
        /// translation).
        no_repeat_ngram_size: Option<usize> = integer_or("auto", 0, 1_048_576), Typed("auto");
        /// What is fitted on the validation examples at the end, so that probabilities say how often the model is right: a temperature
        /// that logits are divided by. The most probable label stays the same (all tasks with labels).
        calibrate: Calibrate = choice(Calibrate::WORDS), Typed("none");
        /// The probability above which a label holds: a half; or, fitted on the validation examples at the end, one for all labels with
        /// the highest micro F1, or one for each label with the highest F1 of its own; or those given, and a half for other labels
        /// (multi_label_classification).
        thresholds: Thresholds = THRESHOLDS, Typed("half");
        /// How many times the examples are drawn anew for the intervals of the figures (percentile bootstrap, at the end of the run).
        resamples: Option<usize> = integer_or("none", 100, 1_000_000), Typed("1000");
        /// How many of the most probable beginnings and ends are paired to answers, and how many answers share the probability
        /// (question_answering).
        n_best_size: usize = integer(1, 1000), Typed("20");
        /// The most tokens of an answer (question_answering).
        max_answer_length: usize = integer(1, 1_048_576), Typed("30");
        /// By how much the score of no answer must exceed that of the best passage for the answer to be empty; auto is 0 where training
        /// has questions without an answer. Where it has none, an answer is never empty (question_answering).
        null_score_diff_threshold: Option<f32> = number_or("auto", Bound::Included(-1e6), Bound::Included(1e6)), Typed("auto");
        /// The scheme that the strict mode reads tags in; auto goes by their letters, as seqeval does, by which IOB1 is IOB2
        /// (token_classification).
        tag_scheme: Option<TagScheme> = Kind::Choice { word: Some("auto"), choices: TagScheme::WORDS }, Typed("auto");
        /// Checkpoints kept beside the best one; older ones are removed.
        save_total_limit: Option<usize> = integer_or("none", 1, 1_000_000), Typed("1");
        /// Report the loss each so many steps.
        log_every: u64 = integer(1, 1_000_000_000), Typed("50");
        /// The language of report.html; auto is Chinese where the training texts are, and English otherwise.
        report_language: Option<ReportLanguage> = Kind::Choice { word: Some("auto"), choices: ReportLanguage::WORDS }, Typed("auto");
    }
}

/// Options that say the same thing in two ways: one that is typed stands in place of the other in a file.
pub(super) const ALTERNATIVES: [[&str; 2]; 3] =
    [["epochs", "max_steps"], ["batch_size", "batch_tokens"], ["validation_fraction", "validation"]];

const WEIGHTS: Kind =
    Kind::OfLabels { words: ClassWeights::WORDS, number: "weight", to: Bound::Included(ClassWeights::MOST as f64) };
const THRESHOLDS: Kind = Kind::OfLabels { words: Thresholds::WORDS, number: "threshold", to: Bound::Excluded(1.0) };

const fn choice(choices: &'static [&'static str]) -> Kind {
    Kind::Choice { word: None, choices }
}

const fn integer(least: u64, most: u64) -> Kind {
    Kind::Integer { word: None, least, most }
}

const fn integer_or(word: &'static str, least: u64, most: u64) -> Kind {
    Kind::Integer { word: Some(word), least, most }
}

const fn number(from: Bound, to: Bound) -> Kind {
    Kind::Number { word: None, from, to }
}

const fn number_or(word: &'static str, from: Bound, to: Bound) -> Kind {
    Kind::Number { word: Some(word), from, to }
}
