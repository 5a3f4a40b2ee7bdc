//! What a family's config comes down to: the data from which the bricks are built. Knows no family, no file and no weight.

mod dropout;

use graftling_tensor::{Activation, DistanceBuckets};

pub(crate) use dropout::Dropout;

/// The sizes and choices of an encoder, or of a decoder.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Architecture {
    pub vocabulary_size: usize,
    pub hidden_size: usize,
    pub embedding: EmbeddingWidth,
    pub num_hidden_layers: usize,
    pub layer_weights: LayerWeights,
    pub num_attention_heads: usize,
    pub intermediate_size: usize,
    pub position: Position,
    /// What attention itself knows of distances.
    pub distance: Distance,
    /// How many kinds of token (segments) have an embedding; `None` where the family has no such embedding.
    pub type_vocabulary_size: Option<usize>,
    pub layout: Layout,
    pub activation: Activation,
    pub norm_epsilon: f32,
    pub dropout: Dropout,
    pub pooler_activation: Activation,
    /// The activation before the norm of a masked language model's head.
    pub language_activation: Activation,
    /// The standard deviation from which new weights are drawn.
    pub initializer_range: f32,
}

impl Architecture {
    /// How wide the vectors of the embedding tables are.
    pub fn embedding_size(&self) -> usize {
        match self.embedding {
            EmbeddingWidth::Hidden => self.hidden_size,
            EmbeddingWidth::Projected(size) | EmbeddingWidth::ProjectedFirst(size) => size,
        }
    }

    /// How wide a head of attention is.
    pub fn head_size(&self) -> usize {
        match self.layout.heads {
            Heads::Even => self.hidden_size / self.num_attention_heads,
            Heads::Grouped { head_size, .. } => head_size,
        }
    }

    /// How many heads keys and values have.
    pub fn key_value_heads(&self) -> usize {
        match self.layout.heads {
            Heads::Even => self.num_attention_heads,
            Heads::Grouped { key_value_heads, .. } => key_value_heads,
        }
    }

    /// What the names of the layers' parameters begin with.
    pub fn stack(&self) -> &'static str {
        match (self.layout.head, self.layout.cross_attention) {
            (HeadLayout::Pooler | HeadLayout::Transform { .. }, CrossAttention::Absent) => "encoder",
            (HeadLayout::LastToken { .. }, _) | (_, CrossAttention::Present) => "decoder",
        }
    }

    /// What the names of the embeddings' parameters begin with.
    pub fn embeddings(&self) -> &'static str {
        match self.layout.cross_attention {
            CrossAttention::Absent => "embeddings",
            CrossAttention::Present => "decoder.embeddings",
        }
    }
}

/// How wide the embeddings are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EmbeddingWidth {
    /// As wide as the layers.
    Hidden,
    /// Of this width, and projected to that of the layers.
    Projected(usize),
    /// The same, with the projection before the norm, and without a bias.
    ProjectedFirst(usize),
}

/// A convolution over the embeddings of each token and its neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Convolution {
    /// How many tokens an output looks at: an odd number, with its own token in the middle.
    pub width: usize,
    pub activation: Activation,
}

/// Which weights each layer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LayerWeights {
    /// Its own.
    Own,
    /// Those of the first one.
    Shared,
}

/// How the bricks are put together, and which of them add a bias.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Layout {
    pub norms: NormPlacement,
    pub norm: NormKind,
    /// Whether what the embeddings give is normed.
    pub embedding_norm: EmbeddingNorm,
    /// How many tasks have an embedding, where every token has that of the first.
    pub task_types: Option<usize>,
    /// What word embeddings are multiplied with.
    pub embedding_scale: f32,
    pub words: Words,
    /// The id that stands for no word, of no row of the table: its embedding is zeros. A decoder that starts from nothing starts with it.
    pub no_word: Option<u32>,
    /// The token whose embedding is not trained where it is looked up; that it is trained elsewhere, as what comes next, it may be.
    pub padding: Option<u32>,
    pub cross_attention: CrossAttention,
    /// How tokens learn of the others of their sequence.
    pub mixing: Mixing,
    pub attention_scale: AttentionScale,
    pub feed_forward: FeedForwardKind,
    pub sight: Sights,
    pub heads: Heads,
    pub norm_bias: Bias,
    /// Of the projections to queries, keys and values.
    pub attention_bias: Bias,
    /// Of the projection of what attention finds.
    pub attention_output_bias: Bias,
    pub feed_forward_bias: Bias,
    /// What the first layer's output gets from the neighbours of each token.
    pub convolution: Option<Convolution>,
    pub head: HeadLayout,
}

impl Layout {
    /// As in BERT and its kin (Devlin et al. 2018).
    pub const BERT: Self = Self {
        norms: NormPlacement::AfterSums,
        norm: NormKind::Layer,
        embedding_norm: EmbeddingNorm::Normed,
        task_types: None,
        embedding_scale: 1.0,
        words: Words::Own,
        no_word: None,
        padding: None,
        cross_attention: CrossAttention::Absent,
        mixing: Mixing::Attention,
        attention_scale: AttentionScale::HEAD_SIZE,
        feed_forward: FeedForwardKind::Plain,
        sight: Sights::Alike(Sight::Everything),
        heads: Heads::Even,
        norm_bias: Bias::Added,
        attention_bias: Bias::Added,
        attention_output_bias: Bias::Added,
        feed_forward_bias: Bias::Added,
        convolution: None,
        head: HeadLayout::Pooler,
    };
}

/// Whether a projection or a norm adds a bias.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bias {
    Added,
    Absent,
}

/// Where the norms of a layer stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NormPlacement {
    /// Over each residual sum.
    AfterSums,
    /// Before attention and before the feed-forward part, with one more over what the last layer gives.
    BeforeParts,
    /// The same, but for the attention of the first layer: what the embeddings give is normed already.
    BeforePartsButTheFirst,
}

/// What a norm does to a vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NormKind {
    /// Brings it to mean 0 and variance 1 (Ba et al. 2016).
    Layer,
    /// Brings it to mean square 1 (Zhang and Sennrich 2019).
    RootMeanSquare,
}

/// Whether what the embeddings give is normed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EmbeddingNorm {
    Normed,
    Plain,
}

/// Whose table word embeddings are looked up in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Words {
    Own,
    /// That of the encoder which a decoder looks at.
    OfEncoder,
}

/// How the tokens of a layer learn of the others of their sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mixing {
    /// They look at each other.
    Attention,
    /// A state goes from each to the next (SSRU, Kim et al. 2019).
    Recurrence,
}

/// Whether each layer looks at what an encoder gives, between its attention to its own tokens and its feed-forward part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CrossAttention {
    Absent,
    Present,
}

/// What products of queries and keys are divided by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AttentionScale {
    /// The root of the size of a head.
    pub head_size: bool,
    /// The number of the layer, counted from one (GPT-2 by choice).
    pub layer: bool,
}

impl AttentionScale {
    /// The root of the size of a head alone.
    pub const HEAD_SIZE: Self = Self { head_size: true, layer: false };
    /// Nothing (T5).
    pub const NONE: Self = Self { head_size: false, layer: false };

    /// What queries of this layer, counted from zero, are multiplied with where products are divided by the root of a head's size anyway.
    pub fn of_queries(self, head_size: usize, layer: usize) -> f32 {
        let by_size = if self.head_size { 1.0 } else { (head_size as f32).sqrt() };
        if self.layer { by_size / (layer + 1) as f32 } else { by_size }
    }
}

/// The heads of attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heads {
    /// As many of keys and values as of queries, which cut the hidden size evenly.
    Even,
    /// Several heads of queries share one of keys and values (Ainslie et al. 2023).
    Grouped {
        key_value_heads: usize,
        head_size: usize,
        /// Whether the queries and the keys of each head are normed before they are turned.
        normed: bool,
    },
}

/// What stands between the projections of a feed-forward part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FeedForwardKind {
    /// The activation.
    Plain,
    /// The activation of one projection times another.
    Gated,
}

/// Which tokens of its sequence a token looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sight {
    /// All of them.
    Everything,
    /// So many before it, itself, and as many behind it.
    Window { reach: usize },
    /// So many before it, and itself.
    Past { reach: usize },
}

impl Sight {
    /// All before it, and itself.
    pub const PAST: Self = Self::Past { reach: usize::MAX };
}

/// The sight of the tokens of each layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sights {
    /// The same in all layers.
    Alike(Sight),
    ByLayer(Vec<Sight>),
}

impl Sights {
    /// The sight in a layer.
    pub fn of(&self, layer: usize) -> Sight {
        match self {
            Sights::Alike(sight) => *sight,
            Sights::ByLayer(sights) => sights[layer],
        }
    }
}

/// What stands between the encoder and the projection to labels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum HeadLayout {
    /// A projection with an activation over the first token where sequences are classified; nothing where tokens are.
    Pooler,
    /// A projection, an activation and a norm under every head.
    Transform {
        pooling: Pooling,
        dense: Bias,
        /// Of the projection to the vocabulary.
        decoder: Bias,
        /// The standard deviation from which a new projection is drawn, and that of a new classifier.
        deviations: [f32; 2],
    },
    /// Nothing, as in decoders: the last token stands for a sequence, whose classifier has no bias.
    LastToken {
        /// What makes logits of the vocabulary.
        vocabulary: VocabularyProjection,
        /// What is added to them.
        bias: VocabularyBias,
        /// What tokens are multiplied with before.
        scale: f32,
    },
}

impl HeadLayout {
    /// As in GPT-2 and its kin.
    pub const fn last_token(vocabulary: VocabularyProjection) -> Self {
        Self::LastToken { vocabulary, bias: VocabularyBias::Absent, scale: 1.0 }
    }
}

/// What projects a decoder's tokens to the vocabulary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum VocabularyProjection {
    /// The word embeddings.
    Tied,
    /// A matrix of its own.
    Own,
    /// A matrix of its own where the weights have one, or else the word embeddings: the config does not tell.
    AsStored,
}

/// What is added to the logits of the vocabulary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum VocabularyBias {
    Absent,
    /// A vector that is never trained.
    Fixed,
    Trained,
}

/// Which vector stands for a sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pooling {
    /// That of its first token.
    First,
    /// The mean of all tokens.
    Mean,
    /// That of its last token.
    Last,
}

/// How a token's place in its sequence reaches the model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Position {
    /// A learned embedding a place, in a table of `entries` rows; the first token takes row `offset`.
    Learned {
        entries: usize,
        offset: usize,
        /// A token with this id has the row of the same number and no place of its own: the next token takes the next row.
        padding: Option<u32>,
    },
    /// No embedding: in attention, queries and keys are turned by angles that grow with their places (Su et al. 2021).
    Rotary {
        /// The longest sequence that the model is made for.
        longest: usize,
        /// The base of the angles in layers whose tokens look at everything.
        base: f32,
        /// The base where they look at a window on both sides.
        base_in_windows: f32,
        scaling: RotaryScaling,
    },
    /// An embedding that is computed, not learned: sines of the place over one half of the values, cosines over the other (Vaswani et al.
    /// 2017, in the order of Marian).
    Sinusoidal {
        /// The longest sequence that the model is made for, where its config names one.
        longest: Option<usize>,
        spacing: SineSpacing,
    },
    /// No embedding: attention alone knows distances, and the farthest share one bucket, so that a sequence may have any length.
    Unembedded,
}

/// How fast sines turn: each pair slower than the one before, by the same factor, the first by one radian a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SineSpacing {
    /// So that the pair after the last would be 10,000 times slower than the first (transformers).
    PastLast,
    /// So that the last is (Marian).
    ToLast,
}

/// How the angles of rotary positions are stretched, so that a model reads longer texts than it was first trained on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum RotaryScaling {
    /// Not at all.
    None,
    /// All alike: places are divided by the factor (Chen et al. 2023).
    Linear { factor: f32 },
    /// Slow ones alone, with a passage between slow and fast, as in Llama 3.1 (`_compute_llama3_parameters` of transformers).
    Llama3 {
        factor: f32,
        low_frequency_factor: f32,
        high_frequency_factor: f32,
        /// The longest sequence that the model was first trained on.
        original_longest: usize,
    },
    /// The same with a linear passage over the pairs, and values that grow a little (Peng et al. 2023; `_compute_yarn_parameters`).
    Yarn {
        factor: f32,
        fast: f32,
        slow: f32,
        original_longest: usize,
        /// What turned values are multiplied with.
        attention_factor: f32,
        /// Whether the passage begins and ends at whole pairs.
        truncate: bool,
    },
}

impl Position {
    /// The longest sequence there are positions for; none where any has them.
    pub fn longest(self) -> Option<usize> {
        match self {
            Position::Learned { entries, offset, .. } => Some(entries.saturating_sub(offset)),
            Position::Rotary { longest, .. } => Some(longest),
            Position::Sinusoidal { longest, .. } => longest,
            Position::Unembedded => None,
        }
    }
}

/// What attention itself knows of how far tokens stand apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Distance {
    /// Nothing that is trained.
    Unknown,
    /// A trained number for each head and bucket of distances, the same in all layers.
    Biased(DistanceBuckets),
    /// A trained vector for each bucket of distances, the same in all layers, of which each layer makes what queries and keys are
    /// multiplied with (He et al. 2021, equation 4).
    Disentangled(Disentangled),
}

/// What is made of the vectors of distances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Disentangled {
    pub buckets: DistanceBuckets,
    pub vectors: DistanceNorm,
    pub projections: DistanceProjections,
    /// Whether queries are multiplied with vectors of distances.
    pub content_to_position: bool,
    /// Whether keys are.
    pub position_to_content: bool,
}

/// Whether the vectors of distances are normed before anything is made of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DistanceNorm {
    Normed,
    Plain,
}

/// What projects the vectors of distances in each layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DistanceProjections {
    /// The projections of tokens to keys and to queries.
    OfTokens,
    /// Their own.
    Own,
}
