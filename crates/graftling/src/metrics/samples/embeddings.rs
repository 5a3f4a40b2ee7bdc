//! Vectors of texts that are compared with each other. What stands in the place of an example is a pair, a triplet, or a text that is
//! searched by.

use super::{counting, names, total};
use crate::metrics::SearchFigures;
use crate::metrics::bootstrap::{FigureName, Resampled};
use crate::metrics::series::Series;
use crate::metrics::similarities::{BySimilarity, likeness};

/// What sentence vectors said of pairs, triplets or searches, by their cosines. The loss is one of batches and is not among the figures.
pub struct EmbeddingSample(Form);

enum Form {
    /// Scores and cosines.
    Scored(usize, Series),
    /// The best decisions of a drawing are those by its own best thresholds.
    Decided(BySimilarity),
    /// Whether each anchor is nearer to its positive.
    Triplets(Vec<bool>),
    /// The place of the first own candidate of each query. All candidates are searched, whichever queries are drawn.
    Search(Vec<usize>),
}

impl EmbeddingSample {
    /// Of pairs of vectors with scores.
    ///
    /// # Panics
    /// If there is not a score a pair.
    pub fn scored(pairs: &[[&[f32]; 2]], scores: &[f32]) -> Self {
        assert_eq!(pairs.len(), scores.len(), "sample: pairs and scores");
        let scores = scores.iter().map(|score| f64::from(*score)).collect();
        Self(Form::Scored(pairs.len(), Series::new(scores, cosines(pairs).collect())))
    }

    /// Of pairs of vectors that are alike or not.
    ///
    /// # Panics
    /// If it is not known of each pair.
    pub fn decided(pairs: &[[&[f32]; 2]], alike: &[bool]) -> Self {
        assert_eq!(pairs.len(), alike.len(), "sample: pairs and whether they are alike");
        let decisions: Vec<(f64, bool)> = cosines(pairs).zip(alike.iter().copied()).collect();
        Self(Form::Decided(BySimilarity::of(&decisions)))
    }

    /// Of anchor, positive and negative.
    pub fn triplets(triplets: &[[&[f32]; 3]]) -> Self {
        let nearer = |[anchor, positive, negative]: &[&[f32]; 3]| likeness(anchor, positive)[0] > likeness(anchor, negative)[0];
        Self(Form::Triplets(triplets.iter().map(nearer).collect()))
    }

    /// Of queries whose first own candidate has these places, from 0.
    pub fn search(places: Vec<usize>) -> Self {
        Self(Form::Search(places))
    }
}

fn cosines(pairs: &[[&[f32]; 2]]) -> impl Iterator<Item = f64> {
    pairs.iter().map(|[one, other]| likeness(one, other)[0])
}

impl Resampled for EmbeddingSample {
    fn examples(&self) -> usize {
        match &self.0 {
            Form::Scored(pairs, _) => *pairs,
            Form::Decided(pairs) => pairs.pairs(),
            Form::Triplets(right) => right.len(),
            Form::Search(places) => places.len(),
        }
    }

    fn names(&self) -> Vec<FigureName> {
        names(match &self.0 {
            Form::Scored(..) => &[("spearman_cosine", "Spearman of cosines"), ("pearson_cosine", "Pearson of cosines")],
            Form::Decided(_) => {
                &[("cosine_ap", "average precision"), ("cosine_f1", "best F1"), ("cosine_accuracy", "best accuracy")]
            }
            Form::Triplets(_) => &[("cosine_accuracy", "triplet accuracy")],
            Form::Search(_) => &[
                ("cosine_accuracy@1", "accuracy@1"),
                ("cosine_accuracy@3", "accuracy@3"),
                ("cosine_accuracy@10", "accuracy@10"),
                ("cosine_mrr@10", "MRR@10"),
            ],
        })
    }

    fn values(&self, weights: &[u32]) -> Vec<f64> {
        match &self.0 {
            Form::Scored(_, series) => {
                let [pearson, spearman] = series.correlations(weights).map(|figure| figure.unwrap_or(f64::NAN));
                vec![spearman, pearson]
            }
            Form::Decided(pairs) => {
                let figures = pairs.figures(weights);
                vec![figures.average_precision.unwrap_or(f64::NAN), figures.f1, figures.accuracy]
            }
            Form::Triplets(right) => {
                let counted: u32 = counting(weights).filter(|(place, _)| right[*place]).map(|(_, weight)| weight).sum();
                vec![f64::from(counted) / total(weights).max(1.0)]
            }
            Form::Search(places) => SearchFigures::counted(places, weights, 0).named().map(|(_, figure)| figure).to_vec(),
        }
    }

    /// Of a search whether the first candidate is one of the query's own. Decisions by thresholds that the same pairs have chosen are
    /// neither right nor wrong by themselves.
    fn right(&self) -> Option<Vec<bool>> {
        match &self.0 {
            Form::Scored(..) | Form::Decided(_) => None,
            Form::Triplets(right) => Some(right.clone()),
            Form::Search(places) => Some(places.iter().map(|place| *place == 0).collect()),
        }
    }
}
