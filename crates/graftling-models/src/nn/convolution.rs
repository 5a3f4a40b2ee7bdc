//! What the first layer's output gets from the neighbours of each token (DeBERTa-v2). Knows no family.

use graftling_tensor::{Activation, Graph, ParameterId, Spans, Var};

use super::declarations::Scope;
use super::norm::Norm;
use crate::architecture::{Architecture, Convolution};

/// `norm(layer + activation(dropout(convolution(embeddings))))`.
pub(crate) struct ConvolutionLayer {
    weight: ParameterId,
    bias: ParameterId,
    norm: Norm,
    activation: Activation,
}

impl ConvolutionLayer {
    pub fn new(scope: &mut Scope<'_>, architecture: &Architecture, convolution: Convolution) -> Self {
        let size = architecture.hidden_size;
        Self {
            weight: scope.weight("weight", &[size, size, convolution.width]),
            bias: scope.zeros("bias", size),
            norm: Norm::new(&mut scope.part("norm"), size, architecture),
            activation: convolution.activation,
        }
    }

    /// embedded: `[tokens, hidden_size]`; layer: the first layer's output for these `rows` of the tokens, or for all of them. Gives the
    /// shape of `layer`.
    pub fn forward(
        &self,
        graph: &Graph<'_>,
        [embedded, layer]: [&Var; 2],
        spans: &Spans,
        rows: Option<&[usize]>,
        dropout: f32,
    ) -> Var {
        let neighbours = graph.convolution(embedded, spans, self.weight, self.bias);
        let wanted = rows.map_or_else(|| neighbours.clone(), |rows| graph.gather_rows(&neighbours, rows));
        let active = graph.activate(&graph.dropout(&wanted, dropout), self.activation);
        self.norm.forward_residual(graph, &active, layer, 0.0)
    }
}
