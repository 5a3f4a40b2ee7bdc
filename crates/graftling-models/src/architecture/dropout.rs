//! Where a family drops values in training, and with which probabilities. Knows no brick.

/// The probabilities with which values are dropped in training; `None` in a family that never drops there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Dropout {
    /// After the embeddings, those of distances and the convolution too.
    pub embeddings: Option<f32>,
    /// Of attention weights.
    pub attention_weights: f32,
    /// At the end of a layer's attention, or of what stands in its place.
    pub attention: Option<f32>,
    /// Between the projections of a layer's feed-forward part.
    pub feed_forward_inner: Option<f32>,
    /// At the end of a layer's feed forward part.
    pub feed_forward: Option<f32>,
    /// Before the pooler of a sequence classifier.
    pub pooler: Option<f32>,
    /// Before the classifier of sequences.
    pub classifier: Option<f32>,
    /// Before the classifier of tokens.
    pub token_classifier: f32,
    /// Before the projection that answers questions.
    pub answers: Option<f32>,
    /// Of what the last layer gives.
    pub output: Option<f32>,
}

impl Dropout {
    /// Nothing is dropped anywhere, as in inference.
    pub const NONE: Self = Self {
        embeddings: None,
        attention_weights: 0.0,
        attention: None,
        feed_forward_inner: None,
        feed_forward: None,
        pooler: None,
        classifier: None,
        token_classifier: 0.0,
        answers: None,
        output: None,
    };

    /// This probability wherever the family drops values.
    pub fn everywhere(self, probability: f32) -> Self {
        let instead = |known: Option<f32>| known.map(|_| probability);
        Self {
            embeddings: instead(self.embeddings),
            attention_weights: probability,
            attention: instead(self.attention),
            feed_forward_inner: instead(self.feed_forward_inner),
            feed_forward: instead(self.feed_forward),
            pooler: instead(self.pooler),
            classifier: instead(self.classifier),
            token_classifier: probability,
            answers: instead(self.answers),
            output: instead(self.output),
        }
    }
}
