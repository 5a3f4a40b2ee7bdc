//! Weights in the order in which products read them, for many passes over the same weights. Knows nothing of operations.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use crate::kernels::product::PackedRight;
use crate::parameters::{ParameterId, Parameters};

/// The weights of linear operations, each packed by the first [`Graph`](crate::Graph) that multiplies by it and kept for the next.
///
/// It borrows the parameters, so that no weight can change while its packed copy is in use; it takes as much memory as the weights
/// it has met.
pub struct PackedWeights<'p> {
    pub(crate) parameters: &'p Parameters,
    packed: RefCell<HashMap<ParameterId, Rc<PackedRight>>>,
}

impl<'p> PackedWeights<'p> {
    /// Nothing packed yet.
    pub fn new(parameters: &'p Parameters) -> Self {
        Self { parameters, packed: RefCell::default() }
    }

    /// The packed copy of a weight, made by `pack` where there is none.
    pub(crate) fn get(&self, weight: ParameterId, pack: impl FnOnce() -> PackedRight) -> Rc<PackedRight> {
        Rc::clone(self.packed.borrow_mut().entry(weight).or_insert_with(|| Rc::new(pack())))
    }
}
