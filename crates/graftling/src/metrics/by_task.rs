//! The figures of an evaluation, whatever its task: one way to print, to write and to choose by them. Knows no model.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{
    AnswerMetrics, ClassMetrics, ClassificationMetrics, ConfusionMatrix, EmbeddingMetrics, EntityMetrics, LanguageMetrics,
    MultiLabelMetrics, ProbabilityMetrics, RegressionFigures, RegressionMetrics, WrittenMetrics,
};
use crate::recipe::BestMetric;

/// How good a model's answers are, by the kind of its task.
#[derive(Clone, Debug, PartialEq)]
pub enum Metrics {
    /// Of one label an example.
    Classification {
        /// The figures, by class and averaged.
        figures: ClassificationMetrics,
        /// Which class was taken for which, how often.
        confusion: ConfusionMatrix,
        /// What the probabilities are worth beside the decisions.
        probabilities: ProbabilityMetrics,
    },
    /// Of any number of labels an example.
    MultiLabel {
        /// The figures, by label and averaged.
        figures: MultiLabelMetrics,
        /// What the probabilities are worth beside the decisions.
        probabilities: ProbabilityMetrics,
    },
    /// Of numbers.
    Regression(RegressionMetrics),
    /// Of tags, and of the entities they spell.
    Entities(EntityMetrics),
    /// Of guessed tokens.
    Language(LanguageMetrics),
    /// Of texts that are written from others.
    Written(WrittenMetrics),
    /// Of answers to questions.
    Answers(AnswerMetrics),
    /// Of sentence vectors.
    Embeddings(EmbeddingMetrics),
}

impl Metrics {
    /// How many examples there were.
    pub fn examples(&self) -> u64 {
        match self {
            Self::Classification { figures, .. } => figures.examples,
            Self::MultiLabel { figures, .. } => figures.examples,
            Self::Regression(figures) => figures.examples,
            Self::Entities(figures) => figures.examples,
            Self::Language(figures) => figures.examples,
            Self::Written(figures) => figures.tokens.examples,
            Self::Answers(figures) => figures.examples(),
            Self::Embeddings(figures) => figures.examples,
        }
    }

    /// The mean loss.
    pub fn loss(&self) -> f64 {
        match self {
            Self::Classification { figures, .. } => figures.loss,
            Self::MultiLabel { figures, .. } => figures.loss,
            Self::Regression(figures) => figures.loss,
            Self::Entities(figures) => figures.loss,
            Self::Language(figures) => figures.loss,
            Self::Written(figures) => figures.tokens.loss,
            Self::Answers(figures) => figures.loss,
            Self::Embeddings(figures) => figures.loss,
        }
    }

    /// One figure, where the task has it.
    pub fn value(&self, metric: BestMetric) -> Option<f64> {
        match self {
            Self::Classification { figures, probabilities, .. } => figures.value(metric).or_else(|| probabilities.value(metric)),
            Self::MultiLabel { figures, probabilities, .. } => figures.value(metric).or_else(|| probabilities.value(metric)),
            Self::Regression(figures) => figures.value(metric),
            Self::Entities(figures) => figures.value(metric),
            Self::Language(figures) => figures.value(metric),
            Self::Written(figures) => figures.value(metric),
            Self::Answers(figures) => figures.value(metric),
            Self::Embeddings(figures) => figures.value(metric),
        }
    }

    /// What the probabilities are worth, where the task has figures of them.
    pub fn probabilities(&self) -> Option<&ProbabilityMetrics> {
        match self {
            Self::Classification { probabilities, .. } | Self::MultiLabel { probabilities, .. } => Some(probabilities),
            _ => None,
        }
    }

    /// The figures that matter most, each with its name in a line of text.
    pub fn headline(&self) -> Vec<(&'static str, f64)> {
        match self {
            Self::Classification { figures, .. } => vec![
                ("accuracy", figures.accuracy),
                ("macro F1", figures.macro_.f1),
                ("Matthews", figures.matthews),
                ("loss", figures.loss),
            ],
            Self::MultiLabel { figures, .. } => vec![
                ("micro F1", figures.micro.f1),
                ("macro F1", figures.macro_.f1),
                ("all labels right", figures.subset_accuracy),
                ("loss", figures.loss),
            ],
            Self::Regression(figures) => vec![
                ("Pearson", figures.mean.pearson.unwrap_or(f64::NAN)),
                ("Spearman", figures.mean.spearman.unwrap_or(f64::NAN)),
                ("MAE", figures.mean.mae),
                ("R2", figures.mean.r2.unwrap_or(f64::NAN)),
                ("loss", figures.loss),
            ],
            Self::Embeddings(figures) => figures.headline(),
            Self::Language(figures) => {
                vec![("perplexity", figures.perplexity()), ("accuracy", figures.accuracy), ("loss", figures.loss)]
            }
            Self::Written(figures) => figures.headline(),
            Self::Answers(figures) => figures.headline(),
            Self::Entities(figures) => figures.headline(),
        }
    }

    /// Every figure that is not of one class, under the names that transformers' Trainer would write.
    pub fn flat(&self, prefix: &str) -> Map<String, Value> {
        match self {
            Self::Classification { figures, probabilities, .. } => joined(figures.flat(prefix), probabilities.flat(prefix)),
            Self::MultiLabel { figures, probabilities } => joined(figures.flat(prefix), probabilities.flat(prefix)),
            Self::Regression(figures) => figures.flat(prefix),
            Self::Entities(figures) => figures.flat(prefix),
            Self::Language(figures) => figures.flat(prefix),
            Self::Written(figures) => figures.flat(prefix),
            Self::Answers(figures) => figures.flat(prefix),
            Self::Embeddings(figures) => figures.flat(prefix),
        }
    }

    /// The figures of each class, label or type, where there are such.
    pub fn classes(&self) -> &[ClassMetrics] {
        match self {
            Self::Classification { figures, .. } => &figures.classes,
            Self::MultiLabel { figures, .. } => &figures.labels,
            Self::Entities(figures) => &figures.default.types,
            Self::Regression(_) | Self::Language(_) | Self::Written(_) | Self::Answers(_) | Self::Embeddings(_) => &[],
        }
    }

    /// Which class was taken for which, and the names of the classes, where each example has one.
    pub fn confusion(&self) -> Option<(&ConfusionMatrix, Vec<String>)> {
        match self {
            Self::Classification { figures, confusion, .. } => {
                Some((confusion, figures.classes.iter().map(|class| class.label.clone()).collect()))
            }
            Self::Entities(figures) => Some((&figures.confusion, figures.tags.clone())),
            _ => None,
        }
    }

    /// What there is to tell beside the figures of [`flat`](Self::flat): each class, and every cell of the confusion matrix that is
    /// not zero, which stays small for thousands of classes.
    pub fn details(&self) -> Map<String, Value> {
        let mut details = Map::new();
        match self {
            Self::Classification { figures, confusion, .. } => {
                details.insert("classes".to_owned(), json!(figures.classes));
                details.insert("confusion".to_owned(), confusion.to_json(|class| &figures.classes[class].label));
            }
            Self::MultiLabel { figures, .. } => {
                details.insert("classes".to_owned(), json!(figures.labels));
            }
            Self::Entities(figures) => {
                details.insert("types".to_owned(), json!(figures.default.types));
                if let Some((_, strict)) = &figures.strict {
                    details.insert("strict_types".to_owned(), json!(strict.types));
                }
                details.insert("confusion".to_owned(), figures.confusion.to_json(|tag| &figures.tags[tag]));
            }
            Self::Language(_) | Self::Written(_) | Self::Answers(_) | Self::Embeddings(_) => {}
            Self::Regression(figures) => {
                let output = |figures: &RegressionFigures| figures.named().into_iter().collect::<BTreeMap<_, _>>();
                details.insert("outputs".to_owned(), json!(figures.outputs.iter().map(output).collect::<Vec<_>>()));
            }
        }
        details
    }

    /// All figures as text, no wider than `width` where that can be.
    pub fn tables(&self, width: usize) -> String {
        match self {
            Self::Classification { figures, confusion, probabilities } => {
                let labels: Vec<String> = figures.classes.iter().map(|class| class.label.clone()).collect();
                format!("{}\n{}\n{}", figures.table(), confusion.table(&labels, width), probabilities.line())
            }
            Self::MultiLabel { figures, probabilities } => format!("{}\n{}", figures.table(), probabilities.line()),
            Self::Regression(figures) => figures.table(),
            Self::Entities(figures) => figures.table(),
            Self::Language(figures) => figures.table(),
            Self::Written(figures) => figures.table(),
            Self::Answers(figures) => figures.table(),
            Self::Embeddings(figures) => figures.table(),
        }
    }
}

fn joined(mut one: Map<String, Value>, other: Map<String, Value>) -> Map<String, Value> {
    one.extend(other);
    one
}
