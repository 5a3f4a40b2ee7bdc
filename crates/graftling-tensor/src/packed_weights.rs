//! Weights in the order in which products read them, for many passes over the same weights. Knows nothing of operations.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use crate::kernels::product::PackedRight;
use crate::parameters::{ParameterId, Parameters};

/// The weights of linear operations, each packed by the first [`Graph`](crate::Graph) that multiplies by it and kept for the next.
///
/// It borrows the parameters, so that no weight can change while its packed copy is in use; it takes as much memory as the weights
/// it has met.
pub struct PackedWeights<'p> {
    pub(crate) parameters: &'p Parameters,
    kept: Kept,
}

/// Where copies are.
enum Kept {
    Here(RefCell<HashMap<ParameterId, Arc<PackedRight>>>),
    WithParameters,
}

impl<'p> PackedWeights<'p> {
    /// Nothing packed yet.
    pub fn new(parameters: &'p Parameters) -> Self {
        Self { parameters, kept: Kept::Here(RefCell::default()) }
    }

    /// The same with copies that stay with the parameters until these change or go: for many predictions of which none knows the others.
    pub fn lasting(parameters: &'p Parameters) -> Self {
        Self { parameters, kept: Kept::WithParameters }
    }

    /// The packed copy of a weight, made by `pack` where there is none.
    pub(crate) fn get(&self, weight: ParameterId, pack: impl FnOnce() -> PackedRight) -> Arc<PackedRight> {
        match &self.kept {
            Kept::Here(packed) => Arc::clone(packed.borrow_mut().entry(weight).or_insert_with(|| Arc::new(pack()))),
            Kept::WithParameters => self.parameters.packed(weight, pack),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Activation, Graph, Tensor};

    #[test]
    fn passes_over_packed_weights_give_the_bits_of_any_other_pass() {
        let wave = |count: usize, step: f32| (0..count).map(|i| (i as f32 * step).sin()).collect::<Vec<f32>>();
        let (rows, input, hidden) = (37, 50, 70);
        let mut parameters = Parameters::new();
        let up = parameters.add("up.weight", &[hidden, input], wave(hidden * input, 0.7));
        let up_bias = parameters.add("up.bias", &[hidden], wave(hidden, 0.3));
        let down = parameters.add("down.weight", &[input, hidden], wave(input * hidden, 1.3));
        let run = |graph: &Graph<'_>, first: f32| {
            let x = graph.constant(Tensor::from_vec(&[rows, input], wave(rows * input, first)));
            let inner = graph.linear(&x, up, Some(up_bias), Some(Activation::Gelu));
            graph.linear(&inner, down, None, None).tensor().to_vec()
        };
        let packed = PackedWeights::new(&parameters);
        // The second pass finds what the first one packed.
        for first in [0.1, 0.2] {
            let found = run(&Graph::inference_packed(&packed), first);
            assert_eq!(found, run(&Graph::inference(&parameters), first), "inference");
            assert_eq!(found, run(&Graph::training(&parameters, 1), first), "training");
        }
        let Kept::Here(packed) = packed.kept else { panic!("kept elsewhere") };
        assert_eq!(packed.borrow().len(), 2);
    }

    #[test]
    fn copies_that_stay_with_parameters_go_when_these_change() {
        let mut parameters = Parameters::new();
        let weight = parameters.add("weight", &[2, 3], vec![1.0; 6]);
        let product = |parameters: &Parameters| {
            let packed = PackedWeights::lasting(parameters);
            let graph = Graph::inference_packed(&packed);
            let x = graph.constant(Tensor::from_vec(&[1, 3], vec![1.0, 2.0, 3.0]));
            graph.linear(&x, weight, None, None).tensor().to_vec()
        };
        assert_eq!([product(&parameters), product(&parameters)], [vec![6.0; 2], vec![6.0; 2]]);
        parameters.values_mut(weight)[0] = 2.0;
        assert_eq!(product(&parameters), [7.0, 6.0]);
        parameters.all_values_mut().for_each(|(values, _)| values.fill(0.5));
        assert_eq!(product(&parameters), [3.0; 2]);
    }
}
