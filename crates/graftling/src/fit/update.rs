//! The parts of one update: gradients of a step, the guard over its figures, clipping, and the formula a recipe names.
//! Knows nothing of evaluation or checkpoints.

use std::borrow::Cow;
use std::path::PathBuf;

use graftling_tensor::{Gradients, Graph, MomentumForm, Optimizer};

use super::compared;
use super::plan::PlannedStep;
use crate::error::Quantity;
use crate::features::{Features, Packed, pack};
use crate::preparation::Prepared;
use crate::recipe::{self, OptimizerChoice, Recipe};
use crate::tasks::Target;
use crate::{Error, random};

/// Sets the dropout of each micro-batch apart from whatever else the seed decides.
const DROPOUT: u64 = 2;
/// And what a task draws of each example at each step.
const DRAWN: u64 = 3;

/// The windows of an example as the model sees them, and what it should say to them.
type Seen<'a> = (Cow<'a, [Features]>, Cow<'a, Target>);

/// Adds the gradients of a step's micro-batches and gives its mean loss. Every part is divided by the weight of the terms that the
/// loss of the whole step has, so that the sum is that of one big batch.
pub(super) fn accumulate(prepared: &Prepared, planned: &PlannedStep, seed: u64, gradients: &mut Gradients) -> f32 {
    let Prepared { model, objective, train, .. } = prepared;
    let seen = |&example: &usize| {
        let key = random::key(seed, &[DRAWN, planned.number, example as u64]);
        let windows = &train.tokenized.features[train.windows[example].clone()];
        match windows {
            [alone] => match objective.drawn(alone, key) {
                Some((features, target)) => (Cow::Owned(vec![features]), Cow::Owned(target)),
                None => (Cow::Borrowed(windows), Cow::Borrowed(&train.targets[example])),
            },
            _ => (Cow::Borrowed(windows), Cow::Borrowed(&train.targets[example])),
        }
    };
    let micro_batches: Vec<Vec<Seen<'_>>> =
        planned.step.micro_batches.iter().map(|micro_batch| micro_batch.iter().map(seen).collect()).collect();
    let packed =
        |micro_batch: &[Seen<'_>]| pack(&micro_batch.iter().flat_map(|(features, _)| features.iter()).collect::<Vec<_>>());
    let seed_of = |index: usize| random::key(seed, &[DROPOUT, planned.number, index as u64]);
    let weight: f64 = micro_batches.iter().flatten().map(|(_, target)| objective.training_weight(target)).sum();
    let normalizer = if weight > 0.0 { weight as f32 } else { 1.0 };
    let spans_step = objective.comparison().is_some_and(|comparison| comparison.spans_step());
    if spans_step && micro_batches.len() > 1 {
        let batches: Vec<Packed> = micro_batches.iter().map(|micro_batch| packed(micro_batch)).collect();
        let targets: Vec<&Target> = micro_batches.iter().flatten().map(|(_, target)| &**target).collect();
        return compared::accumulate(prepared, &batches, &targets, normalizer, seed_of, gradients);
    }
    let mut sum = 0.0;
    for (index, micro_batch) in micro_batches.iter().enumerate() {
        let graph = Graph::training(&model.parameters, seed_of(index));
        let output = objective.output(model, &graph, &packed(micro_batch));
        let targets: Vec<&Target> = micro_batch.iter().map(|(_, target)| &**target).collect();
        let loss = objective.training_loss(&graph, &output, &targets, normalizer);
        sum += f64::from(loss.tensor().item());
        drop(output);
        graph.backward(&loss, gradients);
    }
    sum as f32
}

/// What an error about a step says beside the figure.
pub(super) struct Watch {
    pub step: u64,
    pub learning_rate: f32,
    pub last_checkpoint: Option<PathBuf>,
}

impl Watch {
    /// Refuses to go on from a loss or gradients that are no longer numbers.
    pub fn check(&self, loss: f32, norm: f32) -> Result<(), Error> {
        self.check_one(Quantity::Loss, loss)?;
        self.check_one(Quantity::GradientNorm, norm)
    }

    /// Refuses one figure.
    pub fn check_one(&self, quantity: Quantity, value: f32) -> Result<(), Error> {
        if value.is_finite() {
            return Ok(());
        }
        let Self { step, learning_rate, ref last_checkpoint } = *self;
        Err(Error::Diverged { step, quantity, value, learning_rate, last_checkpoint: last_checkpoint.clone() })
    }
}

/// What gradients of this norm are multiplied by, as in torch's `clip_grad_norm_`.
pub(super) fn clip(norm: f32, most: Option<f32>) -> f32 {
    most.map_or(1.0, |most| (most / (norm + 1e-6)).min(1.0))
}

/// The formula of an update that a recipe names.
pub(super) fn optimizer(recipe: &Recipe) -> Optimizer {
    let &Recipe { beta1, beta2, epsilon, bias_correction, momentum, nesterov, .. } = recipe;
    match recipe.optimizer {
        OptimizerChoice::AdamW => Optimizer::AdamW { beta1, beta2, epsilon, bias_correction },
        OptimizerChoice::Adam => Optimizer::Adam { beta1, beta2, epsilon, bias_correction },
        OptimizerChoice::GradientDescent => Optimizer::GradientDescent,
        OptimizerChoice::Momentum => {
            let form = match recipe.momentum_form {
                recipe::MomentumForm::Accumulated => MomentumForm::Accumulated,
                recipe::MomentumForm::Averaged => MomentumForm::Averaged,
            };
            Optimizer::Momentum { momentum, form, nesterov }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gradients_are_clipped_as_in_torch() {
        struct Case(f32, Option<f32>, f32);
        let cases =
            [Case(0.5, Some(1.0), 1.0), Case(4.0, Some(1.0), 1.0 / 4.000_001), Case(4.0, None, 1.0), Case(0.0, Some(1.0), 1.0)];
        for Case(norm, most, expected) in cases {
            assert_eq!(clip(norm, most), expected, "{norm} {most:?}");
        }
    }

    #[test]
    fn figures_that_are_no_numbers_are_refused_by_name() {
        let watch = Watch { step: 7, learning_rate: 0.5, last_checkpoint: Some(PathBuf::from("run/checkpoint-5")) };
        assert!(watch.check(0.1, 2.0).is_ok());
        let error = watch.check(f32::NAN, 2.0).unwrap_err().to_string();
        assert!(error.starts_with("step 7: the loss is NaN at learning rate 5e-1"), "{error}");
        assert!(error.contains("run/checkpoint-5"), "{error}");
        let error = watch.check(0.1, f32::INFINITY).unwrap_err().to_string();
        assert!(error.contains("the gradient norm is inf"), "{error}");
    }
}
