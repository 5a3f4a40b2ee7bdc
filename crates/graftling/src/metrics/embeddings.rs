//! The figures of sentence vectors, by what is known of the texts: scores, yes or no, triplets, or pairs to be found again.
//! Knows numbers only; no model and no text.

use serde_json::{Map, Value, json};

use super::series::Series;
use super::similarities::{DecisionFigures, MEASURES, SearchFigures, likeness};
use super::tables::{aligned, figure};
use crate::recipe::BestMetric;

/// The figures of one evaluation.
#[derive(Clone, Debug, PartialEq)]
pub struct EmbeddingMetrics {
    /// Examples evaluated.
    pub examples: u64,
    /// The loss that training minimised, over batches in the order of the file.
    pub loss: f64,
    /// What the vectors are worth.
    pub figures: EmbeddingFigures,
}

/// What sentence vectors are worth. Where there are four figures, they go by cosine, dot product, Manhattan and Euclidean distance.
#[derive(Clone, Debug, PartialEq)]
pub enum EmbeddingFigures {
    /// Of pairs with scores (sentence-transformers' `EmbeddingSimilarityEvaluator`).
    Scored {
        /// Pearson's correlation of likeness and score; none where one side is constant.
        pearson: [Option<f64>; 4],
        /// Spearman's.
        spearman: [Option<f64>; 4],
    },
    /// Of pairs that are alike or not, by their cosines.
    Decided(DecisionFigures),
    /// Of triplets (sentence-transformers' `TripletEvaluator`).
    Triplets {
        /// The share of anchors that are more alike to their positive than to their negative.
        accuracy: [f64; 4],
    },
    /// Of pairs that are alike: how well the second texts are found by the first, by their cosines.
    Search(SearchFigures),
}

impl EmbeddingFigures {
    /// Of pairs of vectors with scores.
    pub fn scored(pairs: &[[&[f32]; 2]], scores: &[f32]) -> Self {
        let scores: Vec<f64> = scores.iter().map(|score| f64::from(*score)).collect();
        let of_pairs: Vec<[f64; 4]> = pairs.iter().map(|[one, other]| likeness(one, other)).collect();
        let column = |measure: usize| of_pairs.iter().map(|likeness| likeness[measure]).collect::<Vec<f64>>();
        let each = [0, 1, 2, 3].map(column);
        let once = vec![1; scores.len()];
        let correlated = each.map(|each| Series::new(scores.clone(), each).correlations(&once));
        Self::Scored { pearson: correlated.map(|[pearson, _]| pearson), spearman: correlated.map(|[_, spearman]| spearman) }
    }

    /// Of pairs of vectors that are alike or not.
    pub fn decided(pairs: &[[&[f32]; 2]], alike: &[bool]) -> Self {
        let decisions: Vec<(f64, bool)> =
            pairs.iter().zip(alike).map(|([one, other], alike)| (likeness(one, other)[0], *alike)).collect();
        Self::Decided(DecisionFigures::new(&decisions))
    }

    /// Of anchor, positive and negative. As there, an anchor that is equally far from both counts as wrong.
    pub fn triplets(triplets: &[[&[f32]; 3]]) -> Self {
        let mut right = [0_u64; 4];
        for [anchor, positive, negative] in triplets {
            let (near, far) = (likeness(anchor, positive), likeness(anchor, negative));
            for (measure, right) in right.iter_mut().enumerate() {
                *right += u64::from(near[measure] > far[measure]);
            }
        }
        Self::Triplets { accuracy: right.map(|right| right as f64 / triplets.len().max(1) as f64) }
    }

    /// Each figure with the name that sentence-transformers gives it.
    pub fn named(&self) -> Vec<(String, Option<f64>)> {
        match self {
            Self::Scored { pearson, spearman } => {
                let of = |name: &str, figures: &[Option<f64>; 4]| -> Vec<(String, Option<f64>)> {
                    MEASURES.iter().zip(figures).map(|(measure, figure)| (format!("{name}_{measure}"), *figure)).collect()
                };
                [of("pearson", pearson), of("spearman", spearman)].concat()
            }
            Self::Decided(figures) => {
                figures.named().into_iter().map(|(name, figure)| (format!("cosine_{name}"), figure)).collect()
            }
            Self::Triplets { accuracy } => {
                MEASURES.iter().zip(accuracy).map(|(measure, figure)| (format!("{measure}_accuracy"), Some(*figure))).collect()
            }
            Self::Search(figures) => {
                figures.named().into_iter().map(|(name, figure)| (format!("cosine_{name}"), Some(figure))).collect()
            }
        }
    }
}

impl EmbeddingMetrics {
    /// One figure, where the examples have it. What is not defined is not a number.
    pub fn value(&self, metric: BestMetric) -> Option<f64> {
        match (&self.figures, metric) {
            (_, BestMetric::Loss) => Some(self.loss),
            (EmbeddingFigures::Scored { pearson, .. }, BestMetric::Pearson) => Some(pearson[0].unwrap_or(f64::NAN)),
            (EmbeddingFigures::Scored { spearman, .. }, BestMetric::Spearman) => Some(spearman[0].unwrap_or(f64::NAN)),
            (EmbeddingFigures::Decided(figures), BestMetric::AveragePrecision) => {
                Some(figures.average_precision.unwrap_or(f64::NAN))
            }
            (EmbeddingFigures::Decided(figures), BestMetric::F1) => Some(figures.f1),
            (EmbeddingFigures::Decided(figures), BestMetric::Accuracy) => Some(figures.accuracy),
            (EmbeddingFigures::Triplets { accuracy }, BestMetric::Accuracy) => Some(accuracy[0]),
            (EmbeddingFigures::Search(figures), BestMetric::Accuracy) => Some(figures.accuracy_at_1),
            (EmbeddingFigures::Search(figures), BestMetric::Mrr) => Some(figures.mrr_at_10),
            _ => None,
        }
    }

    /// The figures that matter most, each with its name in a line of text.
    pub fn headline(&self) -> Vec<(&'static str, f64)> {
        let mut headline = match &self.figures {
            EmbeddingFigures::Scored { pearson, spearman } => vec![
                ("Spearman of cosines", spearman[0].unwrap_or(f64::NAN)),
                ("Pearson of cosines", pearson[0].unwrap_or(f64::NAN)),
            ],
            EmbeddingFigures::Decided(figures) => vec![
                ("average precision", figures.average_precision.unwrap_or(f64::NAN)),
                ("best F1", figures.f1),
                ("best accuracy", figures.accuracy),
            ],
            EmbeddingFigures::Triplets { accuracy } => vec![("triplet accuracy", accuracy[0])],
            EmbeddingFigures::Search(figures) => vec![("accuracy@1", figures.accuracy_at_1), ("MRR@10", figures.mrr_at_10)],
        };
        headline.push(("loss", self.loss));
        headline
    }

    /// Every figure under the names that sentence-transformers would write: `eval_spearman_cosine`, `eval_cosine_mrr@10`. What is not
    /// defined is null.
    pub fn flat(&self, prefix: &str) -> Map<String, Value> {
        let mut flat = Map::new();
        let mut put = |name: &str, value: Value| flat.insert(format!("{prefix}_{name}"), value);
        put("loss", json!(self.loss));
        for (name, value) in self.figures.named() {
            put(&name, json!(value));
        }
        if let EmbeddingFigures::Search(figures) = &self.figures {
            put("queries", json!(figures.queries));
            put("candidates", json!(figures.candidates));
        }
        put("examples", json!(self.examples));
        flat
    }

    /// The figures under their names.
    pub fn table(&self) -> String {
        let told = |value: Option<f64>| value.map_or("-".to_owned(), figure);
        match &self.figures {
            EmbeddingFigures::Scored { pearson, spearman } => {
                let mut rows = vec![vec!["likeness by".to_owned(), "pearson".to_owned(), "spearman".to_owned()]];
                for (measure, name) in MEASURES.iter().enumerate() {
                    rows.push(vec![(*name).to_owned(), told(pearson[measure]), told(spearman[measure])]);
                }
                aligned(&rows, 1)
            }
            EmbeddingFigures::Triplets { accuracy } => {
                let mut rows = vec![vec!["likeness by".to_owned(), "accuracy".to_owned()]];
                rows.extend(MEASURES.iter().zip(accuracy).map(|(name, value)| vec![(*name).to_owned(), figure(*value)]));
                aligned(&rows, 1)
            }
            EmbeddingFigures::Decided(_) | EmbeddingFigures::Search(_) => {
                let (names, values): (Vec<String>, Vec<Option<f64>>) = self.figures.named().into_iter().unzip();
                let names = names.iter().map(|name| name.trim_start_matches("cosine_").to_owned()).collect();
                aligned(&[names, values.into_iter().map(told).collect()], 0)
            }
        }
    }
}
