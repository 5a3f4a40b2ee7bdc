//! The tape: runs operations at once and, in training, remembers how to send gradients back. Knows no operation by name.
//!
//! Each operation is a file in `operations/` that adds a method to [`Graph`]. A method computes its output, and where a gradient
//! will be wanted it records a [`Backward`] that owns just the tensors its backward pass needs. The backward pass walks the tape
//! from its end and drops every record as soon as it has been used, so that memory falls as the pass proceeds.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use crate::gradients::Gradients;
use crate::kernels::dropout::DropoutKey;
use crate::kernels::product::{FEW_ROWS, RightSide, View, as_it_lies, pack_right};
use crate::packed_weights::PackedWeights;
use crate::parameters::{ParameterId, Parameters};
use crate::pool::Buffer;
use crate::tensor::Tensor;

/// A value computed in a [`Graph`]. Cloning shares it.
#[derive(Clone, Debug)]
pub struct Var {
    pub(crate) tensor: Tensor,
    /// The place on the tape whose gradient this value wants; `None` where no parameter that is trained lies behind it.
    pub(crate) node: Option<usize>,
}

impl Var {
    /// The value itself.
    pub fn tensor(&self) -> &Tensor {
        &self.tensor
    }
}

/// Whether gradients and dropout are wanted. Dropout cannot run without a seed.
#[derive(Clone, Copy)]
enum Mode<'p> {
    Train { seed: u64 },
    Infer { packed: Option<&'p PackedWeights<'p>> },
}

/// How an operation sends the gradient of its output back to its inputs.
pub(crate) trait Backward {
    /// Takes the gradient of the output (in the output's shape) and adds what follows from it to `sink`.
    fn backward(self: Box<Self>, upstream: Tensor, sink: &mut Sink);
}

/// Where backward passes put gradients: of parameters, and of earlier values on the tape.
pub(crate) struct Sink<'a> {
    pub parameters: &'a Parameters,
    gradients: &'a mut Gradients,
    pending: Vec<Option<Tensor>>,
}

impl Sink<'_> {
    /// Adds `gradient` to what has arrived for `node` so far. Nothing happens for `None`, which wants no gradient.
    pub fn add(&mut self, node: Option<usize>, gradient: Tensor) {
        let Some(node) = node else { return };
        match &mut self.pending[node] {
            Some(sum) => crate::kernels::add_assign(sum.values_mut(), gradient.values()),
            empty => *empty = Some(gradient),
        }
    }

    /// Lets `write(values, add)` put a gradient of `shape` straight into what has arrived for `node`:
    /// it adds to the values where `add` is true and overwrites them where it is false.
    pub fn accumulate(&mut self, node: Option<usize>, shape: &[usize], write: impl FnOnce(&mut [f32], bool)) {
        let Some(node) = node else { return };
        match &mut self.pending[node] {
            Some(sum) => write(sum.values_mut(), true),
            empty => {
                let mut values = Buffer::stale(shape.iter().product());
                write(&mut values, false);
                *empty = Some(Tensor::from_buffer(shape, values));
            }
        }
    }

    /// The same for the gradient of a parameter. Nothing happens for a frozen one.
    pub fn accumulate_parameter(&mut self, id: ParameterId, write: impl FnOnce(&mut [f32], bool)) {
        if let Some((values, add)) = self.gradients.accumulate(id) {
            write(values, add);
        }
    }

    /// The same for a gradient that lies ready, which may be kept as it is.
    pub fn give_parameter(&mut self, id: ParameterId, gradient: Buffer) {
        self.gradients.take_over(id, gradient);
    }

    /// The same for a gradient that reaches only some `rows`: `add(index, row of the gradient)` is called for each of them.
    pub fn accumulate_parameter_rows(&mut self, id: ParameterId, rows: &[u32], add: impl FnMut(usize, &mut [f32])) {
        self.gradients.accumulate_rows(id, rows, add);
    }
}

/// One forward pass, and in training the tape of it.
pub struct Graph<'p> {
    parameters: &'p Parameters,
    mode: Mode<'p>,
    tape: RefCell<Vec<Box<dyn Backward>>>,
    dropouts: Cell<u64>,
}

impl<'p> Graph<'p> {
    /// A pass that keeps what a backward pass needs, and whose dropout draws from `seed`: give each micro-batch its own.
    pub fn training(parameters: &'p Parameters, seed: u64) -> Self {
        Self::with_mode(parameters, Mode::Train { seed })
    }

    /// A pass that keeps nothing and drops nothing out.
    pub fn inference(parameters: &'p Parameters) -> Self {
        Self::with_mode(parameters, Mode::Infer { packed: None })
    }

    /// The same for one pass of many with these weights, which are packed for products once and not in every pass.
    pub fn inference_packed(weights: &'p PackedWeights<'p>) -> Self {
        Self::with_mode(weights.parameters, Mode::Infer { packed: Some(weights) })
    }

    fn with_mode(parameters: &'p Parameters, mode: Mode<'p>) -> Self {
        Self { parameters, mode, tape: RefCell::default(), dropouts: Cell::new(0) }
    }

    /// A value that wants no gradient.
    pub fn constant(&self, tensor: Tensor) -> Var {
        Var { tensor, node: None }
    }

    /// Sends the gradient of `loss`, a scalar, back through the tape and adds it to `gradients`.
    ///
    /// # Panics
    /// If `loss` is not a scalar, or the graph was made by [`Graph::inference`].
    pub fn backward(self, loss: &Var, gradients: &mut Gradients) {
        assert!(matches!(self.mode, Mode::Train { .. }), "backward: this graph was made for inference");
        assert_eq!(loss.tensor.columns() * loss.tensor.rows(), 1, "backward: loss of shape {:?}", loss.tensor.shape());
        let mut tape = self.tape.into_inner();
        let mut sink = Sink { parameters: self.parameters, gradients, pending: vec![None; tape.len()] };
        sink.add(loss.node, Tensor::from_vec(loss.tensor.shape(), vec![1.0]));
        while let Some(operation) = tape.pop() {
            if let Some(upstream) = sink.pending.pop().expect("one pending gradient for each operation") {
                operation.backward(upstream, &mut sink);
            }
        }
    }

    pub(crate) fn parameters(&self) -> &'p Parameters {
        self.parameters
    }

    pub(crate) fn is_training(&self) -> bool {
        matches!(self.mode, Mode::Train { .. })
    }

    /// A weight `[out, in]`, turned, as the right side of a product with so many rows: packed where that is worth it, or by an earlier pass.
    pub(crate) fn turned_weight(&self, weight: ParameterId, rows: usize) -> RightSide<'p> {
        let parameters = self.parameters;
        let [out, input] = *parameters.shape(weight) else {
            panic!("a product with {} of shape {:?}", parameters.name(weight), parameters.shape(weight))
        };
        let view = View::transposed(parameters.values(weight), input);
        let is_needed_once = rows <= FEW_ROWS;
        let pack = || pack_right(view, input, out);
        let packed = match self.mode {
            Mode::Infer { packed: Some(packed) } => packed.get(weight, is_needed_once, pack),
            Mode::Infer { packed: None } | Mode::Train { .. } => (!is_needed_once).then(|| Arc::new(pack())),
        };
        packed.map_or_else(|| RightSide::Unpacked(as_it_lies(view, input, out)), RightSide::Packed)
    }

    /// Whether an operation on these values and parameters will be asked for a gradient.
    pub(crate) fn wants_gradient(&self, inputs: &[&Var], parameters: &[ParameterId]) -> bool {
        self.is_training()
            && (inputs.iter().any(|input| input.node.is_some()) || parameters.iter().any(|id| self.parameters.is_trainable(*id)))
    }

    /// The value of an operation that wants no gradient, or, with `backward`, of one that is put on the tape.
    pub(crate) fn record(&self, tensor: Tensor, backward: Option<Box<dyn Backward>>) -> Var {
        let node = backward.map(|operation| {
            let mut tape = self.tape.borrow_mut();
            tape.push(operation);
            tape.len() - 1
        });
        Var { tensor, node }
    }

    /// The key of the next dropout of this pass, or `None` where nothing is to be dropped.
    pub(crate) fn dropout_key(&self, probability: f32) -> Option<DropoutKey> {
        assert!((0.0..1.0).contains(&probability), "dropout: probability {probability} is outside [0, 1)");
        let Mode::Train { seed } = self.mode else { return None };
        let index = self.dropouts.replace(self.dropouts.get() + 1);
        (probability > 0.0).then(|| DropoutKey::new(seed, index, probability))
    }
}
