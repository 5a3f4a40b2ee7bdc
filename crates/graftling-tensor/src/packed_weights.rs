//! Weights in the order in which products read them, for many passes over the same weights. Knows nothing of operations.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use crate::kernels::product::PackedRight;
use crate::parameters::{ParameterId, Parameters};

/// The weights of linear operations, each packed for the [`Graph`](crate::Graph)s that multiply by it, and kept for the next.
///
/// A weight is packed when it is met for the second time, or with so many rows that it pays at once: one short text takes no time and
/// no memory for copies. It borrows the parameters, so that no weight can change while its packed copy is in use; it takes as much
/// memory as the weights it has packed.
pub struct PackedWeights<'p> {
    pub(crate) parameters: &'p Parameters,
    kept: Kept,
}

/// Where copies are.
enum Kept {
    /// With nothing for weights that were met once.
    Here(RefCell<HashMap<ParameterId, Option<Arc<PackedRight>>>>),
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

    /// The packed copy of a weight, made by `pack` where there is none; or none where the weight is met for the first time and `may_wait`.
    pub(crate) fn get(
        &self,
        weight: ParameterId,
        may_wait: bool,
        pack: impl FnOnce() -> PackedRight,
    ) -> Option<Arc<PackedRight>> {
        let Kept::Here(kept) = &self.kept else {
            return self.parameters.packed(weight, may_wait, pack);
        };
        let mut kept = kept.borrow_mut();
        match kept.get(&weight) {
            None if may_wait => {
                kept.insert(weight, None);
                None
            }
            Some(Some(packed)) => Some(Arc::clone(packed)),
            None | Some(None) => {
                let packed = Arc::new(pack());
                kept.insert(weight, Some(Arc::clone(&packed)));
                Some(packed)
            }
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
        let count = || {
            let Kept::Here(packed) = &packed.kept else { panic!("kept elsewhere") };
            packed.borrow().values().flatten().count()
        };
        // The second pass packs, and the third finds what it packed.
        for (first, kept) in [(0.1, 0), (0.2, 2), (0.3, 2)] {
            let found = run(&Graph::inference_packed(&packed), first);
            assert_eq!(found, run(&Graph::inference(&parameters), first), "inference");
            assert_eq!(found, run(&Graph::training(&parameters, 1), first), "training");
            assert_eq!(count(), kept);
        }
    }

    #[test]
    fn a_weight_is_packed_at_once_for_many_rows() {
        let mut parameters = Parameters::new();
        let weight = parameters.add("weight", &[2, 3], vec![1.0; 6]);
        let packed = PackedWeights::new(&parameters);
        let graph = Graph::inference_packed(&packed);
        graph.linear(&graph.constant(Tensor::from_vec(&[113, 3], vec![1.0; 339])), weight, None, None);
        let Kept::Here(packed) = &packed.kept else { panic!("kept elsewhere") };
        assert_eq!(packed.borrow().values().flatten().count(), 1);
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
        let is_packed = |parameters: &Parameters| parameters.packed(weight, true, || panic!("packed anew")).is_some();
        assert_eq!([product(&parameters), product(&parameters)], [vec![6.0; 2], vec![6.0; 2]]);
        assert!(is_packed(&parameters));
        parameters.values_mut(weight)[0] = 2.0;
        assert!(!is_packed(&parameters));
        assert_eq!([product(&parameters), product(&parameters)], [[7.0, 6.0], [7.0, 6.0]]);
        parameters.all_values_mut().for_each(|(values, _)| values.fill(0.5));
        assert_eq!([product(&parameters), product(&parameters)], [[3.0; 2], [3.0; 2]]);
    }
}
