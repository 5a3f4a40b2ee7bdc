//! (being written)
use crate::{Gradients, Parameters};
/// How momentum is summed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MomentumForm {
    /// `v = momentum v + g`.
    Accumulated,
    /// `v = momentum v + (1 - momentum) g`.
    Averaged,
}
/// The formula of one update.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Optimizer {
    GradientDescent,
    Momentum { momentum: f32, form: MomentumForm, nesterov: bool },
    Adam { beta1: f32, beta2: f32, epsilon: f32, bias_correction: bool },
    AdamW { beta1: f32, beta2: f32, epsilon: f32, bias_correction: bool },
}
/// The rates of one parameter in one update.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// The learning rate.
    pub learning_rate: f32,
    /// The weight decay.
    pub weight_decay: f32,
}
/// The moments of all parameters.
pub struct OptimizerState {}
#[allow(missing_docs, unused_variables)]
impl OptimizerState {
    pub fn new(parameters: &Parameters) -> Self {
        unimplemented!()
    }
    pub fn step(
        &mut self,
        optimizer: &Optimizer,
        parameters: &mut Parameters,
        gradients: &Gradients,
        gradient_scale: f32,
        rates: &[Rate],
    ) {
        unimplemented!()
    }
    pub fn steps(&self) -> u64 {
        unimplemented!()
    }
}
#[allow(missing_docs)]
impl Gradients {
    pub fn norm(&self) -> f32 {
        unimplemented!()
    }
}
