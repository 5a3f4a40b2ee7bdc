//! Texts that are gone on with, each token foreseen from those before it: language modelling, and following prompts where only their
//! completions count. Knows nothing of how tokens become vectors.

use graftling_models::{Head, Model, PackedBatch, Vocabulary};
use graftling_tensor::{Graph, TokenLoss, TokenLossOptions, Var};
use graftling_text::{Examples, LanguageExample, Tokenizer};

use super::{Answer, Judged, Objective, Spoken, Target, Told, Verdict};
use crate::data::Data;
use crate::decisions::Decisions;
use crate::error::LanguageError;
use crate::evaluate::ScoredBatch;
use crate::features::Features;
use crate::inference::Batch;
use crate::metrics::{LanguageMetrics, LanguageSample, Metrics, Resampled};
use crate::recipe::{BestMetric, LongTexts, Recipe};
use crate::{Error, Said};

/// How tokens are foreseen.
pub(super) struct CausalLm {
    smoothing: f32,
    /// By what vectors become logits; [`recall`](Objective::recall) finds it.
    vocabulary: Option<Vocabulary>,
}

impl CausalLm {
    /// As the recipe has it, for training on these.
    pub fn from_examples(examples: &Examples<LanguageExample>, recipe: &Recipe) -> Result<Self, Error> {
        let has_texts = examples.examples.iter().any(|example| matches!(example, LanguageExample::Text(_)));
        let asked =
            [("long_texts", recipe.long_texts == Some(LongTexts::Windows)), ("window_stride", recipe.window_stride.is_some())];
        match asked.into_iter().find(|(_, asked)| *asked && !has_texts) {
            Some((option, _)) => Err(LanguageError::WindowsOfPrompts { option, path: examples.source.clone() }.into()),
            None => Ok(Self::from_recipe(Some(recipe))),
        }
    }

    /// As a recipe has it, where there is one.
    pub fn from_recipe(recipe: Option<&Recipe>) -> Self {
        Self { smoothing: recipe.map_or(0.0, |recipe| recipe.label_smoothing), vocabulary: None }
    }

    fn vocabulary(&self) -> Vocabulary {
        self.vocabulary.expect("causal language modelling: a model with a vocabulary")
    }

    fn loss_of(&self, graph: &Graph<'_>, vectors: &Var, targets: &[&Target], options: TokenLossOptions) -> Var {
        let Vocabulary { weight, bias } = self.vocabulary();
        graph.linear_cross_entropy(vectors, weight, bias, &all_tokens(targets), options)
    }
}

impl Objective for CausalLm {
    fn head(&self) -> Head {
        Head::CausalLanguageModelling
    }

    fn labels(&self) -> &[String] {
        &[]
    }

    fn meet(&mut self, tokenizer: &Tokenizer) -> Result<(), Error> {
        tokenizer.end_token().map(|_| ()).ok_or(LanguageError::NoEndToken.into())
    }

    fn recall(&mut self, model: &Model) {
        self.vocabulary = model.vocabulary();
    }

    fn targets(&self, data: &Data) -> Result<Vec<Target>, Error> {
        // What comes next stands in the text itself.
        Ok(vec![Target::Next(Vec::new()); data.len()])
    }

    /// Vectors: the logits of all tokens over a whole vocabulary would be the largest thing in memory.
    fn output(&self, model: &Model, graph: &Graph<'_>, batch: &PackedBatch) -> Var {
        model.forward_vectors(graph, batch)
    }

    fn loss(&self, graph: &Graph<'_>, vectors: &Var, targets: &[&Target], normalizer: f32) -> Var {
        self.loss_of(graph, vectors, targets, TokenLossOptions { smoothing: 0.0, normalizer })
    }

    fn training_loss(&self, graph: &Graph<'_>, vectors: &Var, targets: &[&Target], normalizer: f32) -> Var {
        self.loss_of(graph, vectors, targets, TokenLossOptions { smoothing: self.smoothing, normalizer })
    }

    fn answer(&self, _: &[f32], _: usize, _: &[Features]) -> Answer {
        panic!("causal language modelling: a text without what comes next has no answer")
    }

    fn scored(&self, batch: &Batch<'_>, targets: &[&Target]) -> ScoredBatch {
        let Vocabulary { weight, bias } = self.vocabulary();
        let losses = batch.graph.token_losses(batch.output, weight, bias, &all_tokens(targets));
        let mut rest = losses.as_slice();
        let foreseen = |target: &&Target| {
            let truths = tokens(target);
            let (own, others) = rest.split_at(truths.len());
            rest = others;
            let right = own.iter().zip(truths).filter(|(TokenLoss { best, .. }, truth)| best == *truth).count();
            let loss = own.iter().map(|token| f64::from(token.loss)).sum();
            (Answer::Foreseen { right, tokens: truths.len(), loss }, loss)
        };
        let (answers, losses): (Vec<Answer>, Vec<f64>) = targets.iter().map(foreseen).unzip();
        ScoredBatch { answers, loss: losses.iter().sum(), losses }
    }

    fn say(&self, _: &Answer, _: &Spoken<'_>) -> Said {
        panic!("causal language modelling: nothing is said of texts that are gone on with")
    }

    fn metrics(&self, _: &Decisions, answers: &[Answer], targets: &[Target], loss: f64) -> Metrics {
        let (right, tokens) =
            answers.iter().map(foreseen).fold((0, 0), |sum, (right, tokens, _)| (sum.0 + right, sum.1 + tokens));
        Metrics::Language(LanguageMetrics::new(targets.len() as u64, tokens as u64, right as u64, loss))
    }

    fn sample(&self, answers: &[Answer], _: &[Target], losses: Vec<f64>) -> Box<dyn Resampled> {
        let counts: Vec<(usize, usize)> = answers.iter().map(foreseen).map(|(right, tokens, _)| (tokens, right)).collect();
        Box::new(LanguageSample::new(&counts, losses))
    }

    fn has_own_losses(&self) -> bool {
        true
    }

    /// The texts whose tokens are least foreseen are furthest off.
    fn judged(&self, answer: &Answer, _: &Target) -> Option<Judged> {
        let (_, tokens, loss) = foreseen(answer);
        Some(Judged { verdict: Verdict::Off(loss / tokens.max(1) as f64), decisions: Vec::new(), numbers: Vec::new() })
    }

    fn told(&self, answer: &Answer, _: &Target, _: &Spoken<'_>) -> Told {
        let (right, tokens, _) = foreseen(answer);
        Told::Foreseen { right, tokens }
    }

    fn best_metrics(&self) -> &'static [BestMetric] {
        &[BestMetric::Loss, BestMetric::Accuracy]
    }
}

fn tokens(target: &Target) -> &[u32] {
    match target {
        Target::Next(tokens) => tokens,
        other => panic!("causal language modelling: {other:?}"),
    }
}

fn all_tokens(targets: &[&Target]) -> Vec<u32> {
    targets.iter().flat_map(|target| tokens(target)).copied().collect()
}

/// Tokens that were foreseen, all of them, and the sum of their losses.
fn foreseen(answer: &Answer) -> (usize, usize, f64) {
    match *answer {
        Answer::Foreseen { right, tokens, loss } => (right, tokens, loss),
        ref other => panic!("causal language modelling: {other:?}"),
    }
}
