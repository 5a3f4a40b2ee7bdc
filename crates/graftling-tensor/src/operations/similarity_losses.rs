//! What the similarities and distances of texts cost: by the order of their scores, by a margin, by pairs of distances.

use super::slopes::recorded;
use crate::graph::{Graph, Var};

impl Graph<'_> {
    /// `ln(1 + sum exp(scale (s_i - s_j)))` over all pairs of similarities `s` of which `i` has the lower score and `j` the higher:
    /// one similarity and one score an example, in any shape; a scalar (CoSENT; `CoSENTLoss` of sentence-transformers).
    ///
    /// # Panics
    /// If there is not one score for each similarity.
    pub fn cosent(&self, similarities: &Var, scores: &[f32], scale: f32) -> Var {
        let values = similarities.tensor.values();
        assert_eq!(values.len(), scores.len(), "cosent: scores for similarities");
        let scale = f64::from(scale);
        let exponent = |lower: usize, higher: usize| scale * (f64::from(values[lower]) - f64::from(values[higher]));
        let every = || (0..scores.len()).flat_map(|lower| (0..scores.len()).map(move |higher| (lower, higher)));
        let pairs = || every().filter(|&(lower, higher)| scores[lower] < scores[higher]);
        // The 1 under the logarithm is an exponent of 0.
        let top = pairs().map(|(lower, higher)| exponent(lower, higher)).fold(0.0, f64::max);
        let mut slopes = vec![0.0; values.len()];
        let mut sum = (-top).exp();
        for (lower, higher) in pairs() {
            let term = (exponent(lower, higher) - top).exp();
            sum += term;
            slopes[lower] += term;
            slopes[higher] -= term;
        }
        let slopes = slopes.into_iter().map(|slope| (scale * slope / sum) as f32).collect();
        recorded(self, similarities, 1.0, top + sum.ln(), slopes)
    }

    /// The sum of half the squared distance where a pair is alike, and of half the squared lack of distance to `margin` where it is
    /// not, divided by `normalizer`; the distance is 1 less the similarity. One similarity and one truth an example; a scalar (Hadsell,
    /// Chopra and LeCun 2006; `ContrastiveLoss` of sentence-transformers).
    ///
    /// # Panics
    /// If there is not one truth for each similarity.
    pub fn contrastive(&self, similarities: &Var, alike: &[bool], margin: f32, normalizer: f32) -> Var {
        assert_eq!(similarities.tensor.values().len(), alike.len(), "contrastive: truths for similarities");
        let margin = f64::from(margin);
        let mut total = 0.0;
        let slope = |(similarity, alike): (&f32, &bool)| {
            let distance = 1.0 - f64::from(*similarity);
            let error = if *alike { distance } else { (margin - distance).max(0.0) };
            total += 0.5 * error * error;
            (if *alike { -error } else { error }) as f32
        };
        let slopes = similarities.tensor.values().iter().zip(alike).map(slope).collect();
        recorded(self, similarities, normalizer, total, slopes)
    }

    /// The sum of `max(near - far + margin, 0)` divided by `normalizer`, of distances in twos: of an anchor to the text that is like it,
    /// then to the one that is not; a scalar (`TripletLoss` of sentence-transformers).
    ///
    /// # Panics
    /// If the distances are not in twos.
    pub fn triplet_margin(&self, distances: &Var, margin: f32, normalizer: f32) -> Var {
        let values = distances.tensor.values();
        assert!(values.len().is_multiple_of(2), "triplet_margin: distances of shape {:?}", distances.tensor.shape());
        let mut total = 0.0;
        let mut slopes = Vec::with_capacity(values.len());
        for pair in values.chunks_exact(2) {
            let cost = f64::from(pair[0]) - f64::from(pair[1]) + f64::from(margin);
            total += cost.max(0.0);
            slopes.extend(if cost > 0.0 { [1.0, -1.0] } else { [0.0, 0.0] });
        }
        recorded(self, distances, normalizer, total, slopes)
    }
}
