//! How surprising references are to a model. Knows losses only; no token.

/// The losses of the tokens of references.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TokenLosses {
    /// Their sum, of `-log` of the probability of the true token.
    pub sum: f64,
    /// How many tokens they are of; those of a prompt and of padding are not among them.
    pub tokens: u64,
}

impl TokenLosses {
    /// The mean loss of a token; not a number without tokens.
    pub fn mean(self) -> f64 {
        self.sum / self.tokens as f64
    }

    /// `exp` of the mean loss: among how many equally probable tokens the choice would be as hard.
    pub fn perplexity(self) -> f64 {
        self.mean().exp()
    }
}
