//! The words a recipe option may take, as types: optimizers, schedules, strategies, warm-up, evaluation rhythm, best metric.
//! Knows nothing of files or flags; a word stands here once and serves parsing, printing and help.

use std::fmt;

use graftling_text::TargetKind;

use super::value::{RecipeValue, Value, quoted};

/// Declares an enum whose variants are words of the recipe; the first variant is the one meant when nothing is said.
macro_rules! words {
    ($( #[doc = $doc:literal] $name:ident { $( #[doc = $variant_doc:literal] $variant:ident = $word:literal ),+ $(,)? } )+) => { $(
        #[doc = $doc]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $( #[doc = $variant_doc] $variant ),+ }

        impl $name {
            /// Every variant, in the order of the documentation.
            pub const ALL: &[$name] = &[$( $name::$variant ),+];
            /// The word of every variant, as written in a recipe.
            pub const WORDS: &[&str] = &[$( $word ),+];

            /// The word written in a recipe.
            pub fn word(self) -> &'static str {
                match self { $( $name::$variant => $word ),+ }
            }
        }

        impl Default for $name {
            fn default() -> Self { Self::ALL[0] }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.pad(self.word()) }
        }

        impl RecipeValue for $name {
            fn read(value: &Value) -> Option<Self> {
                let Value::Word(word) = value else { return None };
                Self::ALL.iter().copied().find(|choice| choice.word() == *word)
            }
            fn written(&self) -> Option<String> { Some(quoted(self.word())) }
        }
    )+ };
}

words! {
    /// What the model learns to do.
    Task {
        /// One label for each text or pair of texts.
        SequenceClassification = "sequence_classification",
        /// Any number of labels for each text or pair of texts.
        MultiLabelClassification = "multi_label_classification",
        /// A number, or several, for each text or pair of texts.
        SequenceRegression = "sequence_regression",
        /// A tag for each word: named entities, parts of speech.
        TokenClassification = "token_classification",
        /// Words that were masked are guessed from those around them: texts without labels, to learn a domain from.
        MaskedLm = "masked_lm",
        /// A text is gone on with, token by token: language modelling, and following instructions.
        CausalLm = "causal_lm",
        /// The passage of a text that answers a question about it.
        QuestionAnswering = "question_answering",
        /// A vector for each text, near to those of texts that are like it.
        SentenceEmbedding = "sentence_embedding",
        /// A summary of each text.
        Summarization = "summarization",
        /// A translation of each text.
        Translation = "translation",
    }
    /// How a data file is written, where its name does not tell.
    DataFormat {
        /// Comma-separated values with a header.
        Csv = "csv",
        /// Tab-separated values with a header.
        Tsv = "tsv",
        /// One JSON object a line.
        Jsonl = "jsonl",
        /// A word a line with its tag, for token_classification.
        Conll = "conll",
        /// A text a line, for masked_lm and causal_lm.
        Lines = "txt",
        /// SQuAD's json, for question_answering.
        Squad = "squad",
    }
    /// The scheme by whose letter entities are read in seqeval's strict mode.
    TagScheme {
        /// `I-` inside; `B-` only where an entity follows another of its type at once.
        Iob1 = "iob1",
        /// `B-` begins every entity, `I-` goes on.
        Iob2 = "iob2",
        /// `I-` inside, `E-` ends every entity.
        Ioe2 = "ioe2",
        /// `B-` begins, `I-` goes on, `E-` ends, `S-` is an entity of one word (BIOES).
        Iobes = "iobes",
        /// The same with `L-` for the last word and `U-` for a single one.
        Bilou = "bilou",
    }
    /// The formula that turns gradients into an update.
    OptimizerChoice {
        /// Adam with decoupled weight decay.
        AdamW = "adamw",
        /// Adam; weight decay is added to the gradient.
        Adam = "adam",
        /// Gradient descent with momentum.
        Momentum = "momentum",
        /// Plain gradient descent.
        GradientDescent = "gradient_descent",
    }
    /// Which of the two common forms of momentum is meant.
    MomentumForm {
        /// velocity = momentum * velocity + gradient.
        Accumulated = "accumulated",
        /// velocity = momentum * velocity + (1 - momentum) * gradient.
        Averaged = "averaged",
    }
    /// How the learning rate goes on after warm-up.
    ScheduleKind {
        /// Falls in a straight line to zero at the last step.
        Linear = "linear",
        /// Falls along half a cosine to zero at the last step.
        Cosine = "cosine",
        /// Stays.
        Constant = "constant",
    }
    /// What the distance of predicted and true numbers costs (sequence_regression).
    RegressionLoss {
        /// Its square.
        MeanSquaredError = "mean_squared_error",
        /// Its size.
        MeanAbsoluteError = "mean_absolute_error",
        /// Its square up to huber_delta, and in proportion to its size from there on.
        Huber = "huber",
    }
    /// Where the bias of a new head starts.
    HeadBias {
        /// At the answer that knows only how often each label occurs in training, or the mean number.
        Prior = "prior",
        /// At zero, as in transformers.
        Zero = "zero",
    }
    /// How the vectors of a text's tokens become one (sentence_embedding).
    Pooling {
        /// Their mean.
        Mean = "mean",
        /// The vector of the first token.
        Cls = "cls",
        /// The largest value in each place.
        Max = "max",
    }
    /// What sentence vectors are trained by (sentence_embedding).
    EmbeddingLoss {
        /// The order of the scores: a pair with a higher score should have the higher cosine.
        Cosent = "cosent",
        /// The squared difference of cosine and score.
        CosineSimilarity = "cosine_similarity",
        /// Each first text should find its own among the second texts, and the negatives, of the whole batch.
        MultipleNegatives = "multiple_negatives",
        /// Pairs that are alike should be near, others at least a margin apart.
        Contrastive = "contrastive",
        /// The positive should be nearer than the negative, by a margin.
        Triplet = "triplet",
    }
    /// How far apart the vectors of a triplet are.
    TripletDistance {
        /// By the Euclidean distance.
        Euclidean = "euclidean",
        /// By 1 less the cosine.
        Cosine = "cosine",
    }
    /// Which examples an epoch has.
    Sampling {
        /// Every example once.
        All = "all",
        /// As many of each label as the most frequent one has: examples of the others stand there more than once.
        Oversample = "oversample",
        /// As many of each label as the rarest one has: others than before in every epoch.
        Undersample = "undersample",
    }
    /// What becomes of a text that is longer than max_length.
    LongTexts {
        /// Its end is cut off.
        Cut = "cut",
        /// It is read in windows of max_length tokens.
        Windows = "windows",
    }
    /// How the logits of a text's windows become those of the text.
    WindowPooling {
        /// Their mean.
        Mean = "mean",
        /// The largest of each label.
        Max = "max",
    }
    /// What is fitted on the validation examples so that probabilities say how often the model is right.
    Calibrate {
        /// Nothing.
        None = "none",
        /// One number that all logits are divided by.
        Temperature = "temperature",
    }
    /// The language that the report of a run is written in.
    ReportLanguage {
        /// English.
        En = "en",
        /// Chinese.
        Zh = "zh",
    }
    /// What the values of parameters start from.
    InitialWeights {
        /// The checkpoint of the model's folder.
        Pretrained = "pretrained",
        /// Draws from the seed, by the model's config alone.
        Random = "random",
    }
    /// Which parameters are trained.
    Strategy {
        /// All of them.
        Full = "full",
        /// The head only, which is the classifier and the pooler below it; the encoder stays as it was.
        HeadOnly = "head_only",
    }
    /// The validation figure that decides which checkpoint is best.
    BestMetric {
        /// Share of examples whose label was predicted.
        Accuracy = "accuracy",
        /// F1, every class weighing the same.
        F1Macro = "f1_macro",
        /// F1 over all decisions pooled.
        F1Micro = "f1_micro",
        /// F1, every class weighing as many examples as it has.
        F1Weighted = "f1_weighted",
        /// Matthews correlation coefficient.
        Matthews = "matthews",
        /// F1 of the entities found (seqeval's default mode), or of the words of answers (SQuAD's).
        F1 = "f1",
        /// F1 of the entities found, in seqeval's strict mode.
        StrictF1 = "strict_f1",
        /// F1 of the words of answers, each Chinese or Japanese character being one.
        F1Mixed = "f1_mixed",
        /// Share of the answers that are word for word those of the data.
        ExactMatch = "exact_match",
        /// Pearson's correlation.
        Pearson = "pearson",
        /// Spearman's correlation.
        Spearman = "spearman",
        /// Share of the variance that is explained.
        R2 = "r2",
        /// Mean squared error; lower is better.
        Mse = "mse",
        /// Mean absolute error; lower is better.
        Mae = "mae",
        /// The area under the ROC curve; of several classes or labels their mean.
        RocAuc = "roc_auc",
        /// The area under precision and recall; of several classes or labels their mean.
        AveragePrecision = "average_precision",
        /// The mean of one through the place at which a text finds its own.
        Mrr = "mrr",
        /// F1 of the words that summary and reference share.
        Rouge1 = "rouge1",
        /// F1 of the pairs of words that they share.
        Rouge2 = "rouge2",
        /// F1 of their longest common subsequence of words.
        RougeL = "rougeL",
        /// The same line by line.
        RougeLsum = "rougeLsum",
        /// BLEU of translations.
        Bleu = "bleu",
        /// chrF of translations.
        Chrf = "chrf",
        /// Mean loss; lower is better.
        Loss = "loss",
    }
}

impl Task {
    /// What is written from texts; none of a task that writes none.
    pub fn target_kind(self) -> Option<TargetKind> {
        match self {
            Self::Summarization => Some(TargetKind::Summary),
            Self::Translation => Some(TargetKind::Translation),
            _ => None,
        }
    }

    /// Whether texts are written from others.
    pub fn writes(self) -> bool {
        self.target_kind().is_some()
    }
}

impl BestMetric {
    /// Whether it is of texts that a model writes, which takes time.
    pub fn is_of_texts(self) -> bool {
        use BestMetric::{Bleu, Chrf, Rouge1, Rouge2, RougeL, RougeLsum};
        matches!(self, Rouge1 | Rouge2 | RougeL | RougeLsum | Bleu | Chrf)
    }

    /// Whether a larger figure is the better one.
    pub fn higher_is_better(self) -> bool {
        !matches!(self, BestMetric::Loss | BestMetric::Mse | BestMetric::Mae)
    }

    /// Whether `figure` is strictly better than `best`. A figure that is not a number never is, and any number is better than one.
    pub fn improves(self, figure: f64, best: f64) -> bool {
        let better = if self.higher_is_better() { figure > best } else { figure < best };
        better || (best.is_nan() && !figure.is_nan())
    }
}

/// How long the learning rate climbs from zero before the schedule takes over.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Warmup {
    /// A share of all steps, from 0 up to but not including 1.
    Fraction(f64),
    /// A number of steps.
    Steps(u64),
}

impl Warmup {
    /// Steps of warm-up in a run of `training_steps`; a share is rounded up, as in transformers' `TrainingArguments.get_warmup_steps`.
    pub fn steps(self, training_steps: u64) -> u64 {
        match self {
            Warmup::Fraction(fraction) => (training_steps as f64 * fraction).ceil() as u64,
            Warmup::Steps(steps) => steps,
        }
    }
}

impl Default for Warmup {
    fn default() -> Self {
        Warmup::Steps(0)
    }
}

impl RecipeValue for Warmup {
    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Number(fraction) => Some(Warmup::Fraction(*fraction)),
            Value::Integer(steps) => Some(Warmup::Steps(*steps)),
            _ => None,
        }
    }

    fn written(&self) -> Option<String> {
        match self {
            Warmup::Fraction(fraction) => fraction.written(),
            Warmup::Steps(steps) => steps.written(),
        }
    }
}

impl EmbeddingLoss {
    /// What a loss looks at in texts of each form; the first form is the one it is meant for.
    pub fn forms(self) -> &'static str {
        match self {
            EmbeddingLoss::Cosent => "pairs with scores",
            EmbeddingLoss::CosineSimilarity => "pairs with scores from -1 to 1",
            EmbeddingLoss::MultipleNegatives => "pairs that are alike, without scores, or triplets",
            EmbeddingLoss::Contrastive => "pairs with the score 0 or 1",
            EmbeddingLoss::Triplet => "triplets",
        }
    }

    /// Whether it compares each example with all others of the step.
    pub fn spans_step(self) -> bool {
        matches!(self, EmbeddingLoss::Cosent | EmbeddingLoss::MultipleNegatives)
    }

    /// Whether it has a margin.
    pub fn has_margin(self) -> bool {
        matches!(self, EmbeddingLoss::Contrastive | EmbeddingLoss::Triplet)
    }
}

impl HeadBias {
    /// Where the bias starts in a task, where a recipe does not say.
    pub fn usual(task: Task) -> HeadBias {
        if matches!(task, Task::MultiLabelClassification | Task::SequenceRegression) { HeadBias::Prior } else { HeadBias::Zero }
    }
}

impl LongTexts {
    /// What a task does with long texts where nothing is said.
    pub fn usual(task: Task) -> LongTexts {
        if matches!(task, Task::MaskedLm | Task::CausalLm | Task::QuestionAnswering) {
            LongTexts::Windows
        } else {
            LongTexts::Cut
        }
    }
}

/// How often the validation data is evaluated (and a checkpoint considered) during training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EvaluateEvery {
    /// After each pass over the training data.
    #[default]
    Epoch,
    /// After each so many steps, and at the end.
    Steps(u64),
}

impl RecipeValue for EvaluateEvery {
    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Word("epoch") => Some(EvaluateEvery::Epoch),
            Value::Integer(steps) => Some(EvaluateEvery::Steps(*steps)),
            _ => None,
        }
    }

    fn written(&self) -> Option<String> {
        match self {
            EvaluateEvery::Epoch => Some(quoted("epoch")),
            EvaluateEvery::Steps(steps) => steps.written(),
        }
    }
}
