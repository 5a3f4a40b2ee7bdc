//! One update of all parameters in one pass over memory: clipping, weight decay and the formula of the optimizer together.
//! Knows nothing of schedules, recipes or names.

use rayon::prelude::*;

use crate::gradients::{Gradients, Reached};
use crate::kernels::simd::dispatch;
use crate::kernels::update::{Run, Step, Update};
use crate::parameters::{ParameterId, Parameters};
use crate::pool::Buffer;

/// How a momentum is summed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MomentumForm {
    /// `v = momentum v + g`, as `torch.optim.SGD` without dampening (Polyak, 1964).
    Accumulated,
    /// `v = momentum v + (1 - momentum) g`, a running mean.
    Averaged,
}

/// The formula of one update, with `g` the gradient after clipping.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Optimizer {
    /// `p -= rate (g + decay p)`.
    GradientDescent,
    /// `v` summed as `form` says over `g + decay p`, then `p -= rate v`; with `nesterov`, `v` is taken one update further
    /// (`torch.optim.SGD`): `p -= rate (g + momentum v)`, or in the averaged form `p -= rate ((1 - momentum) g + momentum v)`.
    Momentum {
        /// How much of the sum is kept.
        momentum: f32,
        /// How new gradients enter.
        form: MomentumForm,
        /// Whether to look one update ahead.
        nesterov: bool,
    },
    /// Adam (Kingma and Ba, 2015, algorithm 1), weight decay added to the gradient as in `torch.optim.Adam`.
    Adam {
        /// How much of the mean of gradients is kept.
        beta1: f32,
        /// How much of the mean of squared gradients is kept.
        beta2: f32,
        /// What is added to the root of the latter.
        epsilon: f32,
        /// Whether both means are divided by what they lack after few updates; without it, BERT's first optimizer.
        bias_correction: bool,
    },
    /// Adam with decoupled weight decay: `p *= 1 - rate decay` beforehand (Loshchilov and Hutter, 2019, algorithm 2).
    AdamW {
        /// As for [`Optimizer::Adam`].
        beta1: f32,
        /// As for [`Optimizer::Adam`].
        beta2: f32,
        /// As for [`Optimizer::Adam`].
        epsilon: f32,
        /// As for [`Optimizer::Adam`].
        bias_correction: bool,
    },
}

/// The rates of one parameter in one update.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// The learning rate.
    pub learning_rate: f32,
    /// The weight decay.
    pub weight_decay: f32,
}

/// The moments that an optimizer keeps of each parameter, made when it is first updated.
pub struct OptimizerState {
    entries: Vec<Entry>,
    steps: u64,
}

#[derive(Default)]
struct Entry {
    updates: u64,
    first: Option<Buffer>,
    second: Option<Buffer>,
    /// For a gradient that reaches only some rows: those reached by now. The others have no moments yet.
    reached: Vec<bool>,
}

/// What an optimizer keeps of one parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moments<'a> {
    /// How often it was updated.
    pub updates: u64,
    /// The running sum or mean of its gradients, where the optimizer keeps one; as many values as the parameter has.
    pub first: Option<&'a [f32]>,
    /// The running mean of their squares, where the optimizer keeps one.
    pub second: Option<&'a [f32]>,
}

/// About how many values one task updates.
const CHUNK: usize = 32 * 1024;

impl OptimizerState {
    /// No moments yet.
    pub fn new(parameters: &Parameters) -> Self {
        Self { entries: (0..parameters.len()).map(|_| Entry::default()).collect(), steps: 0 }
    }

    /// How many updates there have been.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// How often each parameter was updated, in the order of their ids.
    pub fn updates(&self) -> impl Iterator<Item = u64> {
        self.entries.iter().map(|entry| entry.updates)
    }

    /// What is kept of a parameter.
    pub fn moments(&self, id: ParameterId) -> Moments<'_> {
        let Entry { updates, first, second, .. } = &self.entries[id.0];
        Moments { updates: *updates, first: first.as_deref(), second: second.as_deref() }
    }

    /// Puts back what was kept of every parameter, in the order of their ids, after `steps` updates. The updates that follow are, to
    /// the bit, those that would have followed then.
    ///
    /// # Panics
    /// If there is not one entry for each parameter, or one of them has another number of values.
    pub fn restore(parameters: &Parameters, steps: u64, kept: &[Moments<'_>]) -> Self {
        assert_eq!(kept.len(), parameters.len(), "optimizer: moments for the parameters");
        let entry = |(id, moments): (ParameterId, &Moments<'_>)| {
            let buffer = |values: Option<&[f32]>| {
                let values = values?;
                assert_eq!(values.len(), parameters.values(id).len(), "optimizer: moments of {}", parameters.name(id));
                Some(Buffer::from(values.to_vec()))
            };
            // A row without moments is updated alike whether a gradient has reached it or not.
            let rows = |values: &[f32]| match parameters.shape(id) {
                [_, columns] => values.chunks(*columns).map(|row| row.iter().any(|value| *value != 0.0)).collect(),
                _ => Vec::new(),
            };
            let mut reached: Vec<bool> = moments.first.map_or_else(Vec::new, rows);
            let by_second = moments.second.map_or_else(Vec::new, rows);
            reached.iter_mut().zip(by_second).for_each(|(reached, second)| *reached |= second);
            Entry { updates: moments.updates, first: buffer(moments.first), second: buffer(moments.second), reached }
        };
        Self { entries: parameters.ids().zip(kept).map(entry).collect(), steps }
    }

    /// Updates every parameter that has a gradient. Gradients are multiplied with `gradient_scale` on the way (clipping);
    /// `rates` holds one entry for each parameter, in the order of their ids.
    ///
    /// # Panics
    /// If there is not one rate for each parameter.
    pub fn step(
        &mut self,
        optimizer: &Optimizer,
        parameters: &mut Parameters,
        gradients: &Gradients,
        gradient_scale: f32,
        rates: &[Rate],
    ) {
        assert_eq!(rates.len(), parameters.len(), "optimizer: rates for the parameters");
        self.steps += 1;
        let (keeps_first, keeps_second) = match optimizer {
            Optimizer::GradientDescent => (false, false),
            Optimizer::Momentum { .. } => (true, false),
            Optimizer::Adam { .. } | Optimizer::AdamW { .. } => (true, true),
        };
        let mut tasks = Vec::new();
        for (index, (entry, (values, columns))) in self.entries.iter_mut().zip(parameters.all_values_mut()).enumerate() {
            let Some(Reached { values: gradient, rows }) = gradients.reached(ParameterId(index)) else { continue };
            entry.updates += 1;
            let step = optimizer.at_update(entry.updates, gradient_scale, rates[index]);
            let moment = |wanted: bool, buffer: &mut Option<Buffer>| {
                // Zeroed pages that are never touched cost nothing.
                if wanted && buffer.is_none() {
                    *buffer = Some(vec![0.0; gradient.len()].into());
                }
            };
            moment(keeps_first, &mut entry.first);
            moment(keeps_second, &mut entry.second);
            let columns = columns.max(1);
            match rows {
                Some(rows) => {
                    // After a gradient for all rows, every row has moments.
                    entry.reached.resize(gradient.len() / columns, entry.updates > 1);
                    rows.iter().for_each(|row| entry.reached[*row as usize] = true);
                }
                // A gradient for all rows reaches all of them from now on.
                None => entry.reached.clear(),
            }
            let size = (CHUNK / columns).max(1) * columns;
            let mut first: &mut [f32] = entry.first.as_deref_mut().unwrap_or_default();
            let mut second: &mut [f32] = entry.second.as_deref_mut().unwrap_or_default();
            let mut reached: &[bool] = &entry.reached;
            for (values, gradient) in values.chunks_mut(size).zip(gradient.chunks(size)) {
                let (first_here, first_rest) = first.split_at_mut(values.len().min(first.len()));
                let (second_here, second_rest) = second.split_at_mut(values.len().min(second.len()));
                let (reached_here, reached_rest) = reached.split_at((values.len() / columns).min(reached.len()));
                (first, second, reached) = (first_rest, second_rest, reached_rest);
                let run = Run { values, first: first_here, second: second_here, gradient };
                tasks.push(Task { step, run, columns, reached: reached_here });
            }
        }
        tasks.into_par_iter().for_each(|task| {
            dispatch(
                #[inline(always)]
                || task.run(),
            )
        });
    }
}

/// A stretch of one parameter.
struct Task<'a> {
    step: Step,
    run: Run<'a>,
    columns: usize,
    /// Where not empty: which rows of the stretch have been reached by a gradient yet.
    reached: &'a [bool],
}

impl Task<'_> {
    #[inline(always)]
    fn run(self) {
        let Task { step, run, columns, reached } = self;
        if reached.is_empty() || step.coupled_decay != 0.0 {
            step.apply(run);
            return;
        }
        let Run { values, first, second, gradient } = run;
        let piece = |moment: &mut [f32], row: usize| -> std::ops::Range<usize> {
            if moment.is_empty() { 0..0 } else { row * columns..(row + 1) * columns }
        };
        for (row, reached) in reached.iter().enumerate() {
            let range = row * columns..(row + 1) * columns;
            if *reached {
                let (first_range, second_range) = (piece(first, row), piece(second, row));
                step.apply(Run {
                    values: &mut values[range.clone()],
                    first: &mut first[first_range],
                    second: &mut second[second_range],
                    gradient: &gradient[range],
                });
            } else if step.shrink != 1.0 {
                // Without moments and gradient, nothing but the decay is left of the update.
                values[range].iter_mut().for_each(|value| *value *= step.shrink);
            }
        }
    }
}

impl Optimizer {
    /// The numbers of the `update`-th update (from 1) of a parameter.
    fn at_update(&self, update: u64, gradient_scale: f32, rate: Rate) -> Step {
        let Rate { learning_rate, weight_decay } = rate;
        let coupled = |update| Step { update, gradient_scale, coupled_decay: weight_decay, shrink: 1.0 };
        match *self {
            Optimizer::GradientDescent => coupled(Update::Descent { rate: learning_rate }),
            Optimizer::Momentum { momentum, form, nesterov } => {
                let fresh = match form {
                    MomentumForm::Accumulated => 1.0,
                    MomentumForm::Averaged => 1.0 - momentum,
                };
                let (along_gradient, along_moment) = if nesterov { (fresh, momentum) } else { (0.0, 1.0) };
                coupled(Update::Momentum { rate: learning_rate, momentum, fresh, along_gradient, along_moment })
            }
            Optimizer::Adam { beta1, beta2, epsilon, bias_correction } => {
                coupled(adam(learning_rate, [beta1, beta2, epsilon], bias_correction.then_some(update)))
            }
            Optimizer::AdamW { beta1, beta2, epsilon, bias_correction } => Step {
                update: adam(learning_rate, [beta1, beta2, epsilon], bias_correction.then_some(update)),
                gradient_scale,
                coupled_decay: 0.0,
                shrink: 1.0 - learning_rate * weight_decay,
            },
        }
    }
}

fn adam(learning_rate: f32, [beta1, beta2, epsilon]: [f32; 3], corrected_at: Option<u64>) -> Update {
    let (mut rate, mut inverse_root) = (f64::from(learning_rate), 1.0);
    if let Some(update) = corrected_at {
        let update = i32::try_from(update).unwrap_or(i32::MAX);
        rate /= 1.0 - f64::from(beta1).powi(update);
        inverse_root = 1.0 / (1.0 - f64::from(beta2).powi(update)).sqrt();
    }
    Update::Adam { rate: rate as f32, beta1, beta2, epsilon, inverse_root: inverse_root as f32 }
}

#[cfg(test)]
mod tests;
