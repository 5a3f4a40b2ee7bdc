//! Tokens that are foreseen one by one from vectors: their losses, and how many of them are right. What tasks share that go on with texts,
//! write them or guess words in them. Knows nothing of where vectors come from.

use graftling_models::{Model, Vocabulary};
use graftling_tensor::{Graph, Tensor, TokenLoss, TokenLossOptions, Var};

use super::Target;
use crate::inference::Batch;

/// Rows whose logits are held at once where they are looked at themselves.
const ROWS: usize = 64;

/// By what tokens are foreseen from vectors.
#[derive(Default)]
pub(super) struct NextTokens {
    smoothing: f32,
    /// By what vectors become logits; [`recall`](Self::recall) finds it.
    vocabulary: Option<Vocabulary>,
}

/// How well the tokens of a text were foreseen.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Foreseen {
    /// Tokens whose most probable guess was right.
    pub right: usize,
    /// All of them.
    pub tokens: usize,
    /// The sum of their losses.
    pub loss: f64,
}

impl Foreseen {
    /// The mean loss of a token.
    pub fn mean_loss(&self) -> f64 {
        self.loss / self.tokens.max(1) as f64
    }

    /// Of all texts together.
    pub fn sum(texts: impl Iterator<Item = Self>) -> Self {
        texts.fold(Self::default(), |sum, one| Self {
            right: sum.right + one.right,
            tokens: sum.tokens + one.tokens,
            loss: sum.loss + one.loss,
        })
    }
}

impl NextTokens {
    /// With this share of the truth spread over the vocabulary in training.
    pub fn smoothed(smoothing: f32) -> Self {
        Self { smoothing, vocabulary: None }
    }

    /// Takes note of the parameters by which the model makes logits.
    pub fn recall(&mut self, model: &Model) {
        self.vocabulary = model.vocabulary();
    }

    fn vocabulary(&self) -> Vocabulary {
        self.vocabulary.expect("tokens that are foreseen: a model with a vocabulary")
    }

    /// The sum of the losses of all tokens divided by `normalizer`.
    pub fn loss(&self, graph: &Graph<'_>, vectors: &Var, targets: &[&Target], normalizer: f32) -> Var {
        self.loss_of(graph, vectors, targets, TokenLossOptions { smoothing: 0.0, normalizer })
    }

    /// The same with the smoothing of training.
    pub fn training_loss(&self, graph: &Graph<'_>, vectors: &Var, targets: &[&Target], normalizer: f32) -> Var {
        self.loss_of(graph, vectors, targets, TokenLossOptions { smoothing: self.smoothing, normalizer })
    }

    fn loss_of(&self, graph: &Graph<'_>, vectors: &Var, targets: &[&Target], options: TokenLossOptions) -> Var {
        let Vocabulary { weight, bias } = self.vocabulary();
        graph.linear_cross_entropy(vectors, weight, bias, &all_tokens(targets), options)
    }

    /// How well the tokens of each text of a batch are foreseen.
    pub fn foreseen(&self, batch: &Batch<'_>, targets: &[&Target]) -> Vec<Foreseen> {
        let of_text = |(own, target): (Vec<TokenLoss>, &&Target)| {
            let right = own.iter().zip(target.tokens()).filter(|(TokenLoss { best, .. }, truth)| best == *truth).count();
            Foreseen { right, tokens: own.len(), loss: own.iter().map(|token| f64::from(token.loss)).sum() }
        };
        self.losses(batch, targets).into_iter().zip(targets).map(of_text).collect()
    }

    /// The loss of each token of each text of a batch, and what is most probable in its place.
    pub fn losses(&self, batch: &Batch<'_>, targets: &[&Target]) -> Vec<Vec<TokenLoss>> {
        let Vocabulary { weight, bias } = self.vocabulary();
        let losses = batch.graph.token_losses(batch.output, weight, bias, &all_tokens(targets));
        let mut rest = losses.as_slice();
        let of_text = |target: &&Target| {
            let (own, others) = rest.split_at(target.tokens().len());
            rest = others;
            own.to_vec()
        };
        targets.iter().map(of_text).collect()
    }

    /// Hands the logits of each row of a batch to `visit`, in their order. Those of a few rows are held at once.
    pub fn each_logits(&self, batch: &Batch<'_>, mut visit: impl FnMut(&[f32])) {
        let Vocabulary { weight, bias } = self.vocabulary();
        let columns = batch.columns();
        for rows in batch.output.tensor().values().chunks(ROWS * columns) {
            let rows = batch.graph.constant(Tensor::from_vec(&[rows.len() / columns, columns], rows.to_vec()));
            let logits = batch.graph.linear(&rows, weight, bias, None);
            logits.tensor().values().chunks_exact(logits.tensor().columns()).for_each(&mut visit);
        }
    }
}

fn all_tokens(targets: &[&Target]) -> Vec<u32> {
    targets.iter().flat_map(|target| target.tokens()).copied().collect()
}
