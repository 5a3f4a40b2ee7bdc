//! How alike vectors are, by four measures, and what that is worth: as a decision, and as a search. Knows numbers only.

/// The measures of likeness, the larger the more alike: cosine, dot product, and the Manhattan and the Euclidean distance, negated. They
/// are computed in double precision.
pub const MEASURES: [&str; 4] = ["cosine", "dot", "manhattan", "euclidean"];

/// How alike two vectors of one length are, by cosine, dot product, and the Manhattan and the Euclidean distance, negated. A vector of zeros is alike to none: its cosine is 0.
pub fn likeness(one: &[f32], other: &[f32]) -> [f64; 4] {
    let pairs = || one.iter().zip(other).map(|(one, other)| (f64::from(*one), f64::from(*other)));
    let length = |vector: &[f32]| vector.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt().max(SHORTEST);
    let dot: f64 = pairs().map(|(one, other)| one * other).sum();
    let manhattan: f64 = pairs().map(|(one, other)| (one - other).abs()).sum();
    let euclidean = pairs().map(|(one, other)| (one - other).powi(2)).sum::<f64>().sqrt();
    [dot / length(one) / length(other), dot, -manhattan, -euclidean]
}

/// No vector is divided by less.
const SHORTEST: f64 = 1e-12;

/// What similarities are worth where each pair is alike or not (sentence-transformers' `BinaryClassificationEvaluator`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DecisionFigures {
    /// The largest share of right decisions that any threshold gives.
    pub accuracy: f64,
    /// The similarity from which on a pair is taken to be alike, for this accuracy.
    pub accuracy_threshold: f64,
    /// The largest F1 of the pairs that are alike that any threshold gives.
    pub f1: f64,
    /// The threshold for this F1.
    pub f1_threshold: f64,
    /// The precision at this threshold.
    pub precision: f64,
    /// The recall at this threshold.
    pub recall: f64,
    /// The area under precision and recall, as a sum of steps (`sklearn.metrics.average_precision_score`); none where no pair is alike.
    pub average_precision: Option<f64>,
}

impl DecisionFigures {
    /// Of pairs with these similarities and truths. A threshold stands in the middle between two neighbouring similarities.
    pub fn new(pairs: &[(f64, bool)]) -> Self {
        BySimilarity::of(pairs).figures(&vec![1; pairs.len()])
    }

    /// Each figure with the name that sentence-transformers gives it.
    pub fn named(&self) -> [(&'static str, Option<f64>); 7] {
        [
            ("accuracy", Some(self.accuracy)),
            ("accuracy_threshold", Some(self.accuracy_threshold)),
            ("f1", Some(self.f1)),
            ("f1_threshold", Some(self.f1_threshold)),
            ("precision", Some(self.precision)),
            ("recall", Some(self.recall)),
            ("ap", self.average_precision),
        ]
    }
}

/// Pairs that are alike or not, from the most similar to the least, whose figures are computed for any number of times that each counts.
pub(super) struct BySimilarity {
    pairs: usize,
    /// Similarities, each with its pairs: their places, and whether they are alike.
    groups: Vec<(f64, Vec<(usize, bool)>)>,
}

impl BySimilarity {
    /// Of pairs with these similarities and truths.
    pub fn of(pairs: &[(f64, bool)]) -> Self {
        let mut order: Vec<usize> = (0..pairs.len()).collect();
        order.sort_by(|&one, &other| pairs[other].0.total_cmp(&pairs[one].0));
        let equal = order.chunk_by(|&one, &next| pairs[one].0 == pairs[next].0);
        let group = |places: &[usize]| (pairs[places[0]].0, places.iter().map(|&place| (place, pairs[place].1)).collect());
        Self { pairs: pairs.len(), groups: equal.map(group).collect() }
    }

    /// How many pairs there are.
    pub fn pairs(&self) -> usize {
        self.pairs
    }

    /// The figures where the pair at each place counts `weights[place]` times.
    pub fn figures(&self, weights: &[u32]) -> DecisionFigures {
        // Of each similarity how many pairs have it, and how many of them are alike.
        let counted = |(similarity, pairs): &(f64, Vec<(usize, bool)>)| {
            let count = |(place, alike): &(usize, bool)| [weights[*place], weights[*place] * u32::from(*alike)].map(u64::from);
            let [all, alike] = pairs.iter().map(count).fold([0, 0], |sum, one| [sum[0] + one[0], sum[1] + one[1]]);
            (all > 0).then_some((*similarity, all, alike))
        };
        let groups: Vec<(f64, u64, u64)> = self.groups.iter().filter_map(counted).collect();
        let (all, alike) = groups.iter().fold((0, 0), |sum, (_, all, alike)| (sum.0 + all, sum.1 + alike));
        let (count, unlike) = (all.max(1) as f64, all - alike);
        let mut figures = DecisionFigures {
            // Nothing is taken to be alike.
            accuracy: unlike as f64 / count,
            accuracy_threshold: groups.first().map_or(0.0, |(highest, ..)| highest.next_up()),
            f1: 0.0,
            f1_threshold: 0.0,
            precision: 0.0,
            recall: 0.0,
            average_precision: None,
        };
        let (mut taken, mut right, mut area) = (0, 0, 0.0);
        for (place, &(similarity, all, holding)) in groups.iter().enumerate() {
            taken += all;
            right += holding;
            area += holding as f64 * right as f64 / taken as f64;
            let threshold = match groups.get(place + 1) {
                None => similarity,
                Some((next, ..)) => {
                    let middle = (similarity + next) / 2.0;
                    if middle == *next { similarity } else { middle }
                }
            };
            let accuracy = (right + unlike - (taken - right)) as f64 / count;
            if accuracy > figures.accuracy {
                (figures.accuracy, figures.accuracy_threshold) = (accuracy, threshold);
            }
            if right == 0 {
                continue;
            }
            let (precision, recall) = (right as f64 / taken as f64, right as f64 / alike as f64);
            let f1 = 2.0 * precision * recall / (precision + recall);
            if f1 > figures.f1 {
                figures = DecisionFigures { f1, f1_threshold: threshold, precision, recall, ..figures };
            }
        }
        figures.average_precision = (alike > 0).then(|| area / alike as f64);
        figures
    }
}

/// How well texts are found by those that are like them (sentence-transformers' `InformationRetrievalEvaluator`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SearchFigures {
    /// Texts that were searched by: the distinct first texts.
    pub queries: u64,
    /// Texts that were searched: the distinct second ones.
    pub candidates: u64,
    /// The share of queries whose most alike candidate is one of their own.
    pub accuracy_at_1: f64,
    /// The share that have one of their own among the three most alike.
    pub accuracy_at_3: f64,
    /// The share that have one of their own among the ten most alike.
    pub accuracy_at_10: f64,
    /// The mean of one through the place of a query's first own candidate, or 0 where it is not among the first ten.
    pub mrr_at_10: f64,
}

/// How far down a list is looked at.
const PLACES: usize = 10;

impl SearchFigures {
    /// Of queries whose first own candidate has these places, from 0.
    pub fn new(places: &[usize], candidates: u64) -> Self {
        Self::counted(places, &vec![1; places.len()], candidates)
    }

    /// The same where each query counts so many times.
    pub(super) fn counted(places: &[usize], weights: &[u32], candidates: u64) -> Self {
        let queries: u64 = weights.iter().map(|weight| u64::from(*weight)).sum();
        let mean = |of: &dyn Fn(usize) -> f64| -> f64 {
            let each = places.iter().zip(weights).map(|(place, weight)| f64::from(*weight) * of(*place));
            each.sum::<f64>() / queries.max(1) as f64
        };
        let within = |places_shown: usize| mean(&|place| f64::from(u8::from(place < places_shown)));
        Self {
            queries,
            candidates,
            accuracy_at_1: within(1),
            accuracy_at_3: within(3),
            accuracy_at_10: within(PLACES),
            mrr_at_10: mean(&|place| if place < PLACES { 1.0 / (place + 1) as f64 } else { 0.0 }),
        }
    }

    /// Each figure with the name that sentence-transformers gives it.
    pub fn named(&self) -> [(&'static str, f64); 4] {
        [
            ("accuracy@1", self.accuracy_at_1),
            ("accuracy@3", self.accuracy_at_3),
            ("accuracy@10", self.accuracy_at_10),
            ("mrr@10", self.mrr_at_10),
        ]
    }
}

/// The place, from 0, of the first of a query's own candidates when all are ordered by likeness; equal ones stand in their own order.
pub fn place_of_first(likeness: &[f32], own: &[usize]) -> usize {
    let before = |candidate: usize, other: usize| {
        likeness[other] > likeness[candidate] || (likeness[other] == likeness[candidate] && other < candidate)
    };
    let first = own.iter().copied().reduce(|best, candidate| if before(best, candidate) { candidate } else { best });
    first.map_or(usize::MAX, |first| (0..likeness.len()).filter(|&other| before(first, other)).count())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::EmbeddingFigures;

    /// Form, width, vectors in eighths, scores, figures, and of pairs without scores the numbers of their texts.
    #[derive(serde::Deserialize)]
    struct Case(String, usize, Vec<i8>, Vec<f32>, Vec<Option<f64>>, #[serde(default)] Vec<usize>);

    #[derive(serde::Deserialize)]
    struct Golden {
        cases: Vec<Case>,
    }

    /// Figures stand in the file with seven places.
    const TOLERANCE: f64 = 1e-6;

    fn figures(case: &Case) -> EmbeddingFigures {
        let Case(form, width, vectors, scores, _, identities) = case;
        let values: Vec<f32> = vectors.iter().map(|part| f32::from(*part) / 8.0).collect();
        let rows: Vec<&[f32]> = values.chunks_exact(*width).collect();
        let pairs: Vec<[&[f32]; 2]> = rows.chunks_exact(2).map(|pair| [pair[0], pair[1]]).collect();
        match form.as_str() {
            "scored" => EmbeddingFigures::scored(&pairs, scores),
            "decided" => EmbeddingFigures::decided(&pairs, &scores.iter().map(|score| *score == 1.0).collect::<Vec<_>>()),
            "triplets" => {
                let triplets: Vec<[&[f32]; 3]> = rows.chunks_exact(3).map(|it| [it[0], it[1], it[2]]).collect();
                EmbeddingFigures::triplets(&triplets)
            }
            _ => {
                let identities: Vec<[usize; 2]> = identities.chunks_exact(2).map(|pair| [pair[0], pair[1]]).collect();
                let (places, candidates) = crate::tasks::search_places(&pairs, &identities);
                EmbeddingFigures::Search(SearchFigures::new(&places, candidates))
            }
        }
    }

    #[test]
    fn figures_are_those_of_the_evaluators_of_sentence_transformers() {
        let golden: Golden = serde_json::from_str(include_str!("../../tests/golden/similarities.json")).unwrap();
        let mut wrong = Vec::new();
        for (number, case) in golden.cases.iter().enumerate() {
            let found: Vec<Option<f64>> = figures(case).named().into_iter().map(|(_, figure)| figure).collect();
            let same = |(found, expected): (&Option<f64>, &Option<f64>)| match (found, expected) {
                (Some(found), Some(expected)) => (found - expected).abs() < TOLERANCE,
                (found, expected) => found.is_none() && expected.is_none(),
            };
            if found.len() != case.4.len() || !found.iter().zip(&case.4).all(same) {
                wrong.push(format!("case {number} ({}): {found:?}, sentence-transformers says {:?}", case.0, case.4));
            }
        }
        assert!(golden.cases.len() >= 1000, "{} cases", golden.cases.len());
        assert!(wrong.is_empty(), "{} cases differ:\n{}", wrong.len(), wrong.join("\n"));
    }

    #[test]
    fn of_equal_candidates_the_first_stands_first() {
        assert_eq!(place_of_first(&[0.5, 0.5, 0.75], &[1]), 2);
        assert_eq!(place_of_first(&[0.5, 0.5, 0.75], &[1, 0]), 1);
        assert_eq!(place_of_first(&[0.5, 0.5, 0.75], &[2, 0]), 0);
    }
}
