//! Dropout on its own.
use crate::{Graph, Var};
impl Graph<'_> {
    /// Zeroes each value with this probability and divides the others by `1 - probability`; the identity in inference.
    pub fn dropout(&self, x: &Var, probability: f32) -> Var {
        unimplemented!()
    }
}
