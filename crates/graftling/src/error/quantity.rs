//! The figures of training whose divergence is an error. Knows no training.

use std::fmt::{self, Display, Formatter};

/// A figure that training watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// The mean loss of a step.
    Loss,
    /// The norm of all gradients.
    GradientNorm,
    /// The mean loss on the validation split.
    ValidationLoss,
}

impl Display for Quantity {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Loss => "loss",
            Self::GradientNorm => "gradient norm",
            Self::ValidationLoss => "validation loss",
        })
    }
}
