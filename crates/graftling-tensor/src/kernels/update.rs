//! One update of a run of values: the arithmetic of the optimizers. Knows nothing of parameters or schedules.

/// An update with its numbers worked out for this step and parameter.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Update {
    /// `p -= rate g`.
    Descent { rate: f32 },
    /// `v = momentum v + fresh g; p -= rate (along_gradient g + along_moment v)`.
    Momentum { rate: f32, momentum: f32, fresh: f32, along_gradient: f32, along_moment: f32 },
    /// `m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2; p -= rate m / (sqrt(v) inverse_root + epsilon)`.
    Adam { rate: f32, beta1: f32, beta2: f32, epsilon: f32, inverse_root: f32 },
}

/// An update and how weight decay and clipping enter it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    pub update: Update,
    /// What gradients are multiplied with.
    pub gradient_scale: f32,
    /// What is added to the gradient for each unit of the parameter (L2).
    pub coupled_decay: f32,
    /// What the parameter is multiplied with beforehand (decoupled decay).
    pub shrink: f32,
}

/// Runs of the same values: the parameter, its two moments, and its gradient. Moments that an update has no use for are empty.
pub(crate) struct Run<'a> {
    pub values: &'a mut [f32],
    pub first: &'a mut [f32],
    pub second: &'a mut [f32],
    pub gradient: &'a [f32],
}

impl Step {
    /// Updates a run, compiled for the instructions of the caller.
    #[inline(always)]
    pub fn apply(&self, run: Run) {
        let Step { update, gradient_scale, coupled_decay, shrink } = *self;
        let Run { values, first, second, gradient } = run;
        let gradient_of = |value: f32, gradient: f32| gradient.mul_add(gradient_scale, coupled_decay * value);
        match update {
            Update::Descent { rate } => {
                for (value, gradient) in values.iter_mut().zip(gradient) {
                    *value = (*value * shrink) - rate * gradient_of(*value, *gradient);
                }
            }
            Update::Momentum { rate, momentum, fresh, along_gradient, along_moment } => {
                for ((value, gradient), moment) in values.iter_mut().zip(gradient).zip(first) {
                    let gradient = gradient_of(*value, *gradient);
                    *moment = momentum.mul_add(*moment, fresh * gradient);
                    *value = (*value * shrink) - rate * along_gradient.mul_add(gradient, along_moment * *moment);
                }
            }
            Update::Adam { rate, beta1, beta2, epsilon, inverse_root } => {
                for (((value, gradient), m), v) in values.iter_mut().zip(gradient).zip(first).zip(second) {
                    let gradient = gradient_of(*value, *gradient);
                    *m = beta1.mul_add(*m, (1.0 - beta1) * gradient);
                    *v = beta2.mul_add(*v, (1.0 - beta2) * gradient * gradient);
                    *value = (*value * shrink) - rate * *m / v.sqrt().mul_add(inverse_root, epsilon);
                }
            }
        }
    }
}
