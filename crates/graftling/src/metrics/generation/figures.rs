//! The figures of generated texts, of one evaluation: printed and written as those of other tasks are. Knows no text.

use serde_json::{Map, Value, json};

use super::metric::TextMetric;
use super::perplexity::TokenLosses;
use super::rouge::RougeScores;
use crate::metrics::bootstrap::{FigureName, Resampled};
use crate::metrics::samples::TextGenerationSample;
use crate::metrics::tables::{aligned, figure};

/// The figures of one evaluation.
///
/// ```
/// use graftling::metrics::{Bleu, Intervals, JudgedText, TextGenerationMetrics, TextGenerationSample, TextMetric};
///
/// let references = ["The cat sat on the mat.".to_owned()];
/// let text = JudgedText { output: "The cat is on the mat.", references: &references, source: None };
/// let sample = TextGenerationSample::new(&[TextMetric::Bleu(Bleu::default())], &[text], None);
/// let metrics = TextGenerationMetrics::new(&sample);
/// assert_eq!(metrics.get("bleu").map(|bleu| format!("{bleu:.2}")), Some("48.89".to_owned()));
/// assert_eq!(Intervals::of(&sample, 100).figures.len(), 1);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct TextGenerationMetrics {
    /// Texts evaluated.
    pub examples: u64,
    /// The losses of the tokens of all references, where a model has told them.
    pub losses: Option<TokenLosses>,
    kinds: Vec<Kind>,
}

/// A kind of figures, and what they follow from.
#[derive(Clone, Debug, PartialEq)]
struct Kind {
    metric: TextMetric,
    sums: Vec<f64>,
    signature: Option<String>,
}

impl TextGenerationMetrics {
    /// The figures of all texts of a sample.
    pub fn new(sample: &TextGenerationSample) -> Self {
        let once = vec![1; sample.examples()];
        let kinds = sample.metrics.iter().map(|counted| Kind {
            metric: counted.metric,
            sums: counted.sums(&once),
            signature: counted.signature.clone(),
        });
        Self { examples: sample.examples() as u64, losses: sample.losses(&once), kinds: kinds.collect() }
    }

    /// A figure, by its key in files: `bleu`, `rougeL`.
    pub fn get(&self, key: &str) -> Option<f64> {
        self.figures().into_iter().find(|(name, _)| name.key == key).map(|(_, value)| value)
    }

    /// The figures that matter most: how well outputs agree with their references, and the loss.
    pub fn headline(&self) -> Vec<(&'static str, f64)> {
        let agreement =
            ["bleu", "chrf", "chrf++", "ter", "rouge1", "rouge2", "rougeL", "rougeLsum", "exact_match", "perplexity", "loss"];
        let figures = self.figures().into_iter().filter(|(name, _)| agreement.contains(&name.key));
        figures.map(|(name, value)| (name.name, value)).collect()
    }

    /// Every figure under the names that transformers' example scripts and sacrebleu give it (`eval_bleu`, `eval_rougeL`), and what was done
    /// to reach it (`eval_bleu_signature`).
    pub fn flat(&self, prefix: &str) -> Map<String, Value> {
        let mut flat = Map::new();
        let mut put = |name: &str, value: Value| flat.insert(format!("{prefix}_{name}"), value);
        for kind in &self.kinds {
            let figures = self.figures_of(kind);
            for (name, value) in &figures {
                put(name.key, json!(value));
            }
            for (name, value) in kind.metric.details(&kind.sums, self.texts()) {
                put(&name, value);
            }
            if let Some(signature) = &kind.signature {
                put(&format!("{}_signature", kind.key()), json!(signature));
            }
        }
        if let Some(losses) = self.losses {
            put("loss", json!(losses.mean()));
            put("perplexity", json!(losses.perplexity()));
            put("scored_tokens", json!(losses.tokens));
        }
        put("examples", json!(self.examples));
        flat
    }

    /// The figures as text, and what was done to reach them.
    pub fn table(&self) -> String {
        let shown = |value: f64| if value.is_finite() { figure(value) } else { "-".to_owned() };
        let mut rows = vec![["", "value"].map(str::to_owned).to_vec()];
        let mut told = Vec::new();
        for kind in &self.kinds {
            if let TextMetric::Rouge(_) = kind.metric {
                rows[0] = ["", "value", "precision", "recall"].map(str::to_owned).to_vec();
                let scores = RougeScores::of(&kind.sums, self.texts()).named();
                rows.extend(
                    scores.map(|(_, name, it)| vec![format!("{name}, F1"), shown(it.f1), shown(it.precision), shown(it.recall)]),
                );
            } else {
                rows.extend(self.figures_of(kind).into_iter().map(|(name, value)| vec![name.name.to_owned(), shown(value)]));
            }
            if let TextMetric::Bleu(bleu) = kind.metric {
                told.push(format!("BLEU: {}\n", bleu.of(&kind.sums)));
            }
        }
        rows.extend(self.of_losses().into_iter().map(|(name, value)| vec![name.name.to_owned(), shown(value)]));
        let signature = |kind: &Kind| Some(vec![kind.name().to_owned(), kind.signature.clone()?]);
        let signatures: Vec<Vec<String>> = self.kinds.iter().filter_map(signature).collect();
        format!("{}{}{}", aligned(&rows, 1), told.concat(), aligned(&signatures, 2))
    }

    /// Every figure of the kinds that were asked for, and those of the losses.
    fn figures(&self) -> Vec<(FigureName, f64)> {
        self.kinds.iter().flat_map(|kind| self.figures_of(kind)).chain(self.of_losses()).collect()
    }

    /// Perplexity and loss, where losses are known.
    fn of_losses(&self) -> Vec<(FigureName, f64)> {
        let figures = |losses: TokenLosses| [("perplexity", losses.perplexity()), ("loss", losses.mean())];
        let figures = self.losses.into_iter().flat_map(figures);
        figures.map(|(name, value)| (FigureName { key: name, name }, value)).collect()
    }

    fn figures_of(&self, kind: &Kind) -> Vec<(FigureName, f64)> {
        kind.metric.names().into_iter().zip(kind.metric.values(&kind.sums, self.texts())).collect()
    }

    /// What means are divided by; without texts they are 0.
    fn texts(&self) -> f64 {
        self.examples.max(1) as f64
    }
}

impl Kind {
    /// What the kind as a whole is called, in files and in a line of text.
    fn key(&self) -> &'static str {
        if let TextMetric::Rouge(_) = self.metric { "rouge" } else { self.metric.names()[0].key }
    }

    fn name(&self) -> &'static str {
        if let TextMetric::Rouge(_) = self.metric { "ROUGE" } else { self.metric.names()[0].name }
    }
}
