//! Texts that are gone on with, each token foreseen from those before it: language modelling, and following prompts where only their
//! completions count. Knows nothing of how tokens become vectors.

use graftling_models::{Head, Model};
use graftling_tensor::{Graph, Var};
use graftling_text::{Examples, LanguageExample, Tokenizer};

use super::next_tokens::{Foreseen, NextTokens};
use super::{Answer, CardWords, Judged, Objective, Spoken, Target, Told, Used, Verdict};
use crate::data::Data;
use crate::decisions::Decisions;
use crate::error::LanguageError;
use crate::evaluate::ScoredBatch;
use crate::features::{Features, Packed};
use crate::inference::Batch;
use crate::metrics::{LanguageMetrics, LanguageSample, Metrics, Resampled};
use crate::recipe::{BestMetric, LongTexts, Recipe};
use crate::{Error, Said};

/// How tokens are foreseen.
pub(super) struct CausalLm {
    tokens: NextTokens,
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
        Self { tokens: NextTokens::smoothed(recipe.map_or(0.0, |recipe| recipe.label_smoothing)) }
    }
}

impl Objective for CausalLm {
    fn head(&self) -> Head {
        Head::CausalLanguageModelling
    }

    fn labels(&self) -> &[String] {
        &[]
    }

    fn card(&self) -> CardWords {
        CardWords {
            pipeline: "text-generation",
            title: "Language model",
            gives: "what comes next in a text, token by token".to_owned(),
            used: Used::Generating { class: "AutoModelForCausalLM" },
        }
    }

    fn meet(&mut self, tokenizer: &Tokenizer) -> Result<(), Error> {
        tokenizer.end_token().map(|_| ()).ok_or(LanguageError::NoEndToken.into())
    }

    fn recall(&mut self, model: &Model) {
        self.tokens.recall(model);
    }

    fn targets(&self, data: &Data) -> Result<Vec<Target>, Error> {
        // What comes next stands in the text itself.
        Ok(vec![Target::Next(Vec::new()); data.len()])
    }

    /// Vectors: the logits of all tokens over a whole vocabulary would be the largest thing in memory.
    fn output(&self, model: &Model, graph: &Graph<'_>, packed: &Packed) -> Var {
        model.forward_vectors(graph, &packed.batch)
    }

    fn loss(&self, graph: &Graph<'_>, vectors: &Var, targets: &[&Target], normalizer: f32) -> Var {
        self.tokens.loss(graph, vectors, targets, normalizer)
    }

    fn training_loss(&self, graph: &Graph<'_>, vectors: &Var, targets: &[&Target], normalizer: f32) -> Var {
        self.tokens.training_loss(graph, vectors, targets, normalizer)
    }

    fn answer(&self, _: &[f32], _: usize, _: &[Features]) -> Answer {
        panic!("causal language modelling: a text without what comes next has no answer")
    }

    fn scored(&self, batch: &Batch<'_>, targets: &[&Target]) -> ScoredBatch {
        ScoredBatch::of_tokens(self.tokens.foreseen(batch, targets), Answer::Foreseen)
    }

    fn say(&self, _: &Answer, _: &Spoken<'_>) -> Said {
        panic!("causal language modelling: nothing is said of texts that are gone on with")
    }

    fn metrics(&self, _: &Decisions, answers: &[Answer], targets: &[Target], loss: f64) -> Metrics {
        let Foreseen { right, tokens, .. } = Foreseen::sum(answers.iter().map(foreseen));
        Metrics::Language(LanguageMetrics::new(targets.len() as u64, tokens as u64, right as u64, loss))
    }

    fn sample(&self, answers: &[Answer], _: &[Target], losses: Vec<f64>) -> Box<dyn Resampled> {
        let counts: Vec<(usize, usize)> = answers.iter().map(foreseen).map(|text| (text.tokens, text.right)).collect();
        Box::new(LanguageSample::new(&counts, losses))
    }

    fn has_own_losses(&self) -> bool {
        true
    }

    /// The texts whose tokens are least foreseen are furthest off.
    fn judged(&self, answer: &Answer, _: &Target) -> Option<Judged> {
        let verdict = Verdict::Off(foreseen(answer).mean_loss());
        Some(Judged { verdict, decisions: Vec::new(), numbers: Vec::new() })
    }

    fn told(&self, answer: &Answer, _: &Target, _: &Spoken<'_>) -> Told {
        let Foreseen { right, tokens, .. } = foreseen(answer);
        Told::Foreseen { right, tokens }
    }

    fn best_metrics(&self) -> &'static [BestMetric] {
        &[BestMetric::Loss, BestMetric::Accuracy]
    }
}

/// How well the tokens of a text were foreseen.
fn foreseen(answer: &Answer) -> Foreseen {
    match answer {
        Answer::Foreseen(foreseen) => *foreseen,
        other => panic!("causal language modelling: {other:?}"),
    }
}
