//! The loss that training lowers where there are labels: their weights, smoothing, focus. Knows no task and no text.

use graftling_tensor::{Graph, Var};
use graftling_text::LabelSet;

use crate::Error;
use crate::recipe::{ClassWeights, Recipe};

/// Cross-entropy as a recipe shapes it.
pub(super) struct ClassLoss {
    /// One weight a label; none where every label weighs 1.
    weights: Option<Vec<f32>>,
    smoothing: f32,
    gamma: f32,
}

impl ClassLoss {
    /// Cross-entropy as it is.
    pub fn plain() -> Self {
        Self { weights: None, smoothing: 0.0, gamma: 0.0 }
    }

    /// For one label an example, of examples with these. A balanced weight is `n / (C n_c)` for `n` examples, `C` labels and `n_c`
    /// examples of the label (scikit-learn's `compute_class_weight`).
    pub fn of_one_label(recipe: &Recipe, labels: &LabelSet, given: impl IntoIterator<Item = usize>) -> Result<Self, Error> {
        let counts = counts(labels, given);
        let examples: usize = counts.iter().sum();
        Self::new(recipe, labels, || counts.iter().map(|&count| ratio(examples, labels.len() * count)).collect())
    }

    /// For any number of labels an example, of `examples` that have these together: the weight is that of a label which holds. A
    /// balanced one is how many examples lack the label for each that has it.
    pub fn of_many_labels(
        recipe: &Recipe,
        labels: &LabelSet,
        given: impl IntoIterator<Item = usize>,
        examples: usize,
    ) -> Result<Self, Error> {
        let counts = counts(labels, given);
        Self::new(recipe, labels, || counts.iter().map(|&count| ratio(examples - count.min(examples), count)).collect())
    }

    fn new(recipe: &Recipe, labels: &LabelSet, balanced: impl FnOnce() -> Vec<f32>) -> Result<Self, Error> {
        let weights = match &recipe.class_weights {
            ClassWeights::None => None,
            ClassWeights::Balanced => Some(balanced()),
            ClassWeights::Given(given) => {
                let mut weights = vec![1.0; labels.len()];
                for (label, weight) in given {
                    let Some(class) = labels.id(label) else {
                        let nearest = labels.nearest(label).map(str::to_owned);
                        return Err(Error::WeightOfUnknownLabel {
                            label: label.clone(),
                            nearest,
                            labels: labels.names().to_vec(),
                        });
                    };
                    weights[class] = *weight;
                }
                Some(weights)
            }
        };
        Ok(Self { weights, smoothing: recipe.label_smoothing, gamma: recipe.focal_gamma })
    }

    /// What an example of this class weighs in the mean.
    pub fn weight(&self, class: usize) -> f64 {
        self.weights.as_ref().map_or(1.0, |weights| f64::from(weights[class]))
    }

    /// Logits that say of every text how often each class occurs, by weight: `ln(w_c n_c / sum w n)` for `n_c` examples of weight
    /// `w_c`. A class that does not occur counts as half an example.
    pub fn prior_of_classes(&self, count: usize, given: impl Iterator<Item = usize>) -> Vec<f32> {
        let mut examples = vec![0_usize; count];
        given.for_each(|class| examples[class] += 1);
        let share = |class: usize| (examples[class] as f64).max(0.5) * self.weight(class);
        let whole: f64 = (0..count).map(share).sum();
        (0..count).map(|class| (share(class) / whole).ln() as f32).collect()
    }

    /// The same for labels that each hold or not: `ln(w_l p_l / (1 - p_l))` (Lin et al. 2017, section 4.1, with the share that is
    /// found in place of a chosen one). Half an example more on either side keeps it finite.
    pub fn prior_of_labels<'a>(&self, count: usize, given: impl Iterator<Item = &'a [bool]>) -> Vec<f32> {
        let (mut held, mut examples) = (vec![0_usize; count], 0_usize);
        for labels in given {
            examples += 1;
            labels.iter().zip(&mut held).for_each(|(&holds, held)| *held += usize::from(holds));
        }
        let odds = |label: usize| {
            let holds = held[label] as f64 + 0.5;
            self.weight(label) * holds / (examples as f64 + 1.0 - holds)
        };
        (0..count).map(|label| odds(label).ln() as f32).collect()
    }

    /// The loss of logits with one class a row.
    pub fn of_classes(&self, graph: &Graph<'_>, logits: &Var, classes: &[usize], normalizer: f32) -> Var {
        let weights = self.weights.as_deref();
        if self.gamma > 0.0 {
            graph.focal_loss(logits, classes, self.gamma, weights, normalizer)
        } else if self.smoothing > 0.0 || weights.is_some() {
            graph.smoothed_cross_entropy(logits, classes, self.smoothing, weights, normalizer)
        } else {
            graph.cross_entropy(logits, classes, normalizer)
        }
    }

    /// The loss of logits whose labels each hold or not. Smoothing moves every truth by its half towards one half.
    pub fn of_labels(&self, graph: &Graph<'_>, logits: &Var, holds: &[bool], normalizer: f32) -> Var {
        let weights = self.weights.as_deref();
        if self.gamma > 0.0 {
            return graph.binary_focal_loss(logits, holds, self.gamma, weights, normalizer);
        }
        let truth = |holds: &bool| f32::from(u8::from(*holds)) * (1.0 - self.smoothing) + 0.5 * self.smoothing;
        graph.binary_cross_entropy(logits, &holds.iter().map(truth).collect::<Vec<_>>(), weights, normalizer)
    }
}

fn counts(labels: &LabelSet, given: impl IntoIterator<Item = usize>) -> Vec<usize> {
    let mut counts = vec![0; labels.len()];
    given.into_iter().for_each(|class| counts[class] += 1);
    counts
}

/// One where there is nothing to compare.
fn ratio(one: usize, other: usize) -> f32 {
    if one == 0 || other == 0 { 1.0 } else { (one as f64 / other as f64) as f32 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::RecipeFile;

    fn recipe(options: &str) -> Recipe {
        let text = format!("model = 'm'\ntrain = 't.csv'\noutput = 'o'\n{options}");
        Recipe::check(RecipeFile::from_toml(&text).unwrap()).unwrap()
    }

    fn labels() -> LabelSet {
        LabelSet::from_names(&["ham", "spam", "x=y"])
    }

    fn weights(options: &str) -> Option<Vec<f32>> {
        ClassLoss::of_one_label(&recipe(options), &labels(), [0, 0, 0, 0, 0, 1, 1, 1, 2, 2]).unwrap().weights
    }

    /// The balanced weights are those of scikit-learn 1.9's `compute_class_weight`.
    #[test]
    fn weights_are_those_of_the_recipe() {
        assert_eq!(weights(""), None);
        assert_eq!(weights("class_weights = 'balanced'"), Some(vec![10.0 / 15.0, 10.0 / 9.0, 10.0 / 6.0]));
        assert_eq!(weights("class_weights = ['spam=2.5', 'x=y=3']"), Some(vec![1.0, 2.5, 3.0]));
        let many =
            |options, examples| ClassLoss::of_many_labels(&recipe(options), &labels(), [0, 0, 0, 1], examples).unwrap().weights;
        assert_eq!(many("class_weights = 'balanced'", 3), Some(vec![1.0, 2.0, 1.0]));
    }

    /// No bias of its own makes the loss over the training labels smaller: a step of either sign from the prior makes it larger.
    #[test]
    fn the_prior_is_the_best_answer_that_knows_no_text() {
        let given = [0, 0, 0, 0, 0, 1, 1, 2];
        for options in ["", "class_weights = ['spam=2.5']", "class_weights = 'balanced'"] {
            let loss = ClassLoss::of_one_label(&recipe(options), &labels(), given).unwrap();
            best(&loss.prior_of_classes(3, given.into_iter()), |graph, logits| {
                let rows = graph.constant(graftling_tensor::Tensor::from_vec(&[8, 3], logits.repeat(8)));
                loss.of_classes(graph, &rows, &given, 1.0)
            });
        }
        let held = [[true, false, true], [true, false, true], [true, true, true], [false, false, true]];
        let loss =
            ClassLoss::of_many_labels(&recipe("class_weights = ['ham=3']"), &labels(), [0, 0, 0, 1, 2, 2, 2, 2], 4).unwrap();
        let prior = loss.prior_of_labels(3, held.iter().map(|labels| &labels[..]));
        let expected = [3.0 * 3.5 / 1.5, 1.5 / 3.5, 4.5 / 0.5].map(|odds: f64| odds.ln() as f32);
        assert_eq!(prior, expected);
    }

    fn best(prior: &[f32], loss: impl Fn(&Graph<'_>, &[f32]) -> Var) {
        let parameters = graftling_tensor::Parameters::new();
        let at = |logits: &[f32]| loss(&Graph::inference(&parameters), logits).tensor().item();
        for place in 0..prior.len() {
            for step in [-0.1, 0.1] {
                let mut other = prior.to_vec();
                other[place] += step;
                assert!(at(&other) > at(prior), "{prior:?} {place} {step}");
            }
        }
    }

    #[test]
    fn a_class_that_does_not_occur_has_a_finite_prior() {
        let prior = ClassLoss::plain().prior_of_classes(3, [0, 0, 1].into_iter());
        assert_eq!(prior, [2.0_f64 / 3.5, 1.0 / 3.5, 0.5 / 3.5].map(|share| share.ln() as f32));
        let none = ClassLoss::plain().prior_of_labels(1, [[false]; 3].iter().map(|labels| &labels[..]));
        assert_eq!(none, [(0.5_f64 / 3.5).ln() as f32]);
    }

    #[test]
    fn a_weight_of_a_label_that_is_not_there_is_refused_with_the_nearest() {
        let error =
            ClassLoss::of_one_label(&recipe("class_weights = ['spma=2']"), &labels(), [0, 1, 2]).err().unwrap().to_string();
        assert_eq!(error, "class_weights: training has no label \"spma\", only ham, spam, x=y (did you mean \"spam\"?)");
    }

    #[test]
    fn each_option_changes_the_loss() {
        let mut parameters = graftling_tensor::Parameters::new();
        let logits = parameters.add("logits", &[2, 3], vec![0.5, -1.0, 2.0, 1.5, 0.0, -0.5]);
        let graph = Graph::inference(&parameters);
        let logits = graph.parameter(logits);
        let options = ["", "class_weights = ['spam=2']", "label_smoothing = 0.1", "focal_gamma = 2.0"];
        let of_classes = options.map(|options| {
            let loss = ClassLoss::of_one_label(&recipe(options), &labels(), [0, 1, 2]).unwrap();
            loss.of_classes(&graph, &logits, &[1, 0], 2.0).tensor().item()
        });
        let of_labels = options.map(|options| {
            let loss = ClassLoss::of_many_labels(&recipe(options), &labels(), [0, 1, 2], 2).unwrap();
            loss.of_labels(&graph, &logits, &[false, true, false, true, true, false], 6.0).tensor().item()
        });
        assert_eq!(of_classes[0], graph.cross_entropy(&logits, &[1, 0], 2.0).tensor().item());
        for losses in [of_classes, of_labels] {
            for (place, loss) in losses.iter().enumerate().skip(1) {
                assert!((loss - losses[0]).abs() > 1e-3, "{}: {losses:?}", options[place]);
            }
        }
    }
}
