//! A parameter as a value of its own.

use crate::graph::{Backward, Graph, Sink, Var};
use crate::kernels::write_or_add;
use crate::parameters::ParameterId;
use crate::tensor::Tensor;

impl Graph<'_> {
    /// The values of a parameter, in its shape.
    pub fn parameter(&self, id: ParameterId) -> Var {
        let tensor = Tensor::from_vec(self.parameters().shape(id), self.parameters().values(id).to_vec());
        let backward = self.wants_gradient(&[], &[id]).then(|| -> Box<dyn Backward> { Box::new(ParameterBackward(id)) });
        self.record(tensor, backward)
    }
}

struct ParameterBackward(ParameterId);

impl Backward for ParameterBackward {
    fn backward(self: Box<Self>, upstream: Tensor, sink: &mut Sink) {
        sink.accumulate_parameter(self.0, |gradient, add| write_or_add(gradient, upstream.values(), add));
    }
}
