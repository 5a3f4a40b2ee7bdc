//! What stands above the encoder: what a model is asked for, and under which labels. Knows no family and no weight's value.

use graftling_tensor::ParameterId;

/// What the head of a model gives, with the names of what it gives them for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Head {
    /// One row of logits a sequence.
    SequenceClassification {
        /// What the logits of a row have to do with each other.
        problem: ProblemType,
        /// What each logit stands for.
        labels: Vec<String>,
    },
    /// One row of logits a token.
    TokenClassification {
        /// What each logit stands for.
        labels: Vec<String>,
    },
    /// One row of logits a token, one logit an entry of the vocabulary.
    MaskedLanguageModelling,
    /// One row of logits a token, one logit an entry of the vocabulary: which token comes next.
    CausalLanguageModelling,
    /// The same for each token of a second sequence, with another sequence in view that is read first.
    SequenceToSequence,
    /// Two logits a token: that an answer begins with it, and that one ends with it.
    QuestionAnswering,
    /// One vector a sequence, as wide as a token's.
    SentenceEmbedding {
        /// How the vectors of the tokens become one.
        pooling: Pooling,
        /// Whether vectors of texts are brought to length 1. The model itself does not: a text may be read in several sequences,
        /// whose vectors are joined first.
        normalize: bool,
    },
}

/// By which parameters vectors become logits over a vocabulary: `x W^T + b`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vocabulary {
    /// The matrix, `[vocabulary, hidden_size]`: one of its own, or the word embeddings.
    pub weight: ParameterId,
    /// The bias, `[vocabulary]`, in some families.
    pub bias: Option<ParameterId>,
}

/// How the vectors of the tokens of a sequence, special ones included, become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pooling {
    /// Their mean.
    Mean,
    /// The vector of the first token.
    Cls,
    /// The largest value in each place.
    Max,
}

impl Pooling {
    /// Every pooling.
    pub const ALL: [Self; 3] = [Self::Mean, Self::Cls, Self::Max];

    /// The name it has in a config of sentence-transformers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Cls => "cls",
            Self::Max => "max",
        }
    }

    /// The pooling of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|pooling| pooling.name() == name)
    }
}

/// What the logits of a sequence have to do with each other: the `problem_type` of a config.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProblemType {
    /// The labels exclude each other.
    SingleLabelClassification,
    /// Each label holds or not by itself.
    MultiLabelClassification,
    /// The logits are numbers.
    Regression,
}

impl ProblemType {
    /// Every problem type.
    pub const ALL: [Self; 3] = [Self::SingleLabelClassification, Self::MultiLabelClassification, Self::Regression];

    /// The name it has in a config.
    pub fn name(self) -> &'static str {
        match self {
            Self::SingleLabelClassification => "single_label_classification",
            Self::MultiLabelClassification => "multi_label_classification",
            Self::Regression => "regression",
        }
    }

    /// How few labels are enough.
    pub(crate) fn fewest_labels(self) -> usize {
        match self {
            Self::SingleLabelClassification => 2,
            Self::MultiLabelClassification | Self::Regression => 1,
        }
    }
}

/// A head without its labels: what tells the classes of a family apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeadKind {
    SequenceClassification,
    TokenClassification,
    MaskedLanguageModelling,
    CausalLanguageModelling,
    SequenceToSequence,
    QuestionAnswering,
    SentenceEmbedding,
}

impl HeadKind {
    pub const ALL: [Self; 7] = [
        Self::SequenceClassification,
        Self::TokenClassification,
        Self::MaskedLanguageModelling,
        Self::CausalLanguageModelling,
        Self::SequenceToSequence,
        Self::QuestionAnswering,
        Self::SentenceEmbedding,
    ];

    /// What most names of transformers' classes with this head end with.
    pub fn class_suffix(self) -> &'static str {
        match self {
            Self::SequenceClassification => "ForSequenceClassification",
            Self::TokenClassification => "ForTokenClassification",
            Self::MaskedLanguageModelling => "ForMaskedLM",
            Self::CausalLanguageModelling => "ForCausalLM",
            Self::SequenceToSequence => "ForConditionalGeneration",
            Self::QuestionAnswering => "ForQuestionAnswering",
            Self::SentenceEmbedding => "Model",
        }
    }

    /// What the head is called in messages.
    pub fn described(self) -> &'static str {
        match self {
            Self::SequenceClassification => "a sequence classifier",
            Self::TokenClassification => "a token classifier",
            Self::MaskedLanguageModelling => "a masked language model",
            Self::CausalLanguageModelling => "a causal language model",
            Self::SequenceToSequence => "a model that writes one text from another",
            Self::QuestionAnswering => "a model that answers questions",
            Self::SentenceEmbedding => "a sentence encoder",
        }
    }

    /// Why its weights are left out where another head is wanted.
    pub fn left_out(self) -> &'static str {
        match self {
            Self::SequenceClassification => "the head of sequence classification",
            Self::TokenClassification => "the head of token classification",
            Self::MaskedLanguageModelling => "the head of masked language modelling",
            Self::CausalLanguageModelling => "the head of causal language modelling",
            Self::SequenceToSequence => "the head of sequence-to-sequence modelling",
            Self::QuestionAnswering => "the head of question answering",
            Self::SentenceEmbedding => "the pooler of the bare encoder",
        }
    }

    /// Whether the head is made for labels of its own.
    pub fn has_labels(self) -> bool {
        matches!(self, Self::SequenceClassification | Self::TokenClassification)
    }

    /// Whether its checkpoints are those of the encoder alone, without the name of the backbone before each weight.
    pub fn is_bare(self) -> bool {
        self == Self::SentenceEmbedding
    }
}

impl Head {
    /// A head for labels that exclude each other.
    pub fn single_label(labels: &[String]) -> Self {
        Self::SequenceClassification { problem: ProblemType::SingleLabelClassification, labels: labels.to_vec() }
    }

    /// What each logit of a row stands for; nothing where the logits have no names.
    pub fn labels(&self) -> &[String] {
        match self {
            Self::SequenceClassification { labels, .. } | Self::TokenClassification { labels } => labels,
            Self::MaskedLanguageModelling
            | Self::CausalLanguageModelling
            | Self::SequenceToSequence
            | Self::QuestionAnswering
            | Self::SentenceEmbedding { .. } => &[],
        }
    }

    /// What the head is called in messages, "a token classifier" for instance.
    pub fn described(&self) -> &'static str {
        self.kind().described()
    }

    pub(crate) fn kind(&self) -> HeadKind {
        match self {
            Self::SequenceClassification { .. } => HeadKind::SequenceClassification,
            Self::TokenClassification { .. } => HeadKind::TokenClassification,
            Self::MaskedLanguageModelling => HeadKind::MaskedLanguageModelling,
            Self::CausalLanguageModelling => HeadKind::CausalLanguageModelling,
            Self::SequenceToSequence => HeadKind::SequenceToSequence,
            Self::QuestionAnswering => HeadKind::QuestionAnswering,
            Self::SentenceEmbedding { .. } => HeadKind::SentenceEmbedding,
        }
    }

    pub(crate) fn problem(&self) -> Option<ProblemType> {
        match self {
            Self::SequenceClassification { problem, .. } => Some(*problem),
            _ => None,
        }
    }

    /// How few labels are enough.
    pub(crate) fn fewest_labels(&self) -> usize {
        match self {
            Self::SequenceClassification { problem, .. } => problem.fewest_labels(),
            Self::TokenClassification { .. } => 2,
            Self::MaskedLanguageModelling
            | Self::CausalLanguageModelling
            | Self::SequenceToSequence
            | Self::QuestionAnswering
            | Self::SentenceEmbedding { .. } => 0,
        }
    }
}
