//! The skeleton of encoders and of decoders: embeddings, then layers, and what all layers share of places. Knows no family and no task.

use std::ops::Range;

use graftling_tensor::{Graph, SequenceCache, Spans, Var};

use super::attention::{Places, Rows, Source};
use super::convolution::ConvolutionLayer;
use super::declarations::Declarations;
use super::distances::SharedDistances;
use super::embeddings::{Before, Embeddings};
use super::layer::Layer;
use super::memory::{Memory, Sources};
use super::mixing::Chosen;
use super::norm::Norm;
use super::rotary::Rotary;
use crate::architecture::{Architecture, Dropout, LayerWeights, NormPlacement, Sights};
use crate::batch::PackedBatch;
use crate::facts::Depth;

/// Token ids in, vectors out.
pub(crate) struct Stack {
    pub embeddings: Embeddings,
    /// Each layer, or the one whose weights all of them share.
    layers: Vec<Layer>,
    num_hidden_layers: usize,
    distances: SharedDistances,
    sights: Sights,
    rotary: Option<Rotary>,
    /// Stands over the first layer.
    convolution: Option<ConvolutionLayer>,
    /// Over what the last layer gives, where norms stand before the parts of a layer.
    norm: Option<Norm>,
}

/// The tokens whose vectors are looked at.
#[derive(Clone, Copy)]
pub(crate) enum Wanted<'a> {
    /// The first token of each sequence.
    FirstTokens,
    /// The last token of each sequence.
    LastTokens,
    /// Those in these rows, ascending.
    Tokens(&'a [usize]),
    EveryToken,
}

impl Stack {
    /// `encoder` is the one that a decoder looks at.
    pub fn new(declarations: &mut Declarations, architecture: &Architecture, encoder: Option<&Stack>) -> Self {
        let below = encoder.map_or(0, |encoder| encoder.num_hidden_layers);
        let words = encoder.map(|encoder| encoder.embeddings.word);
        let mut scope = declarations.scope(architecture.embeddings(), Depth::Embeddings);
        let embeddings = Embeddings::new(&mut scope, architecture, words);
        let distances = SharedDistances::new(declarations, architecture);
        let own = match architecture.layer_weights {
            LayerWeights::Own => architecture.num_hidden_layers,
            LayerWeights::Shared => 1,
        };
        let stack = architecture.stack();
        let layers = (0..own)
            .map(|index| {
                let mut scope = declarations.scope(&format!("{stack}.layers.{index}"), Depth::Layer(below + index));
                Layer::new(&mut scope, architecture, index)
            })
            .collect();
        let convolution = architecture.layout.convolution.map(|convolution| {
            let mut scope = declarations.scope("encoder.convolution", Depth::Layer(0));
            ConvolutionLayer::new(&mut scope, architecture, convolution)
        });
        let num_hidden_layers = architecture.num_hidden_layers;
        let norm = match architecture.layout.norms {
            NormPlacement::AfterSums => None,
            NormPlacement::BeforeParts | NormPlacement::BeforePartsButTheFirst => {
                let mut scope = declarations.scope(&format!("{stack}.norm"), Depth::Layer(below + num_hidden_layers - 1));
                Some(Norm::new(&mut scope, architecture.hidden_size, architecture))
            }
        };
        let sights = architecture.layout.sight.clone();
        Self { embeddings, layers, num_hidden_layers, distances, sights, rotary: Rotary::new(architecture), convolution, norm }
    }

    fn layer(&self, index: usize) -> &Layer {
        &self.layers[index.min(self.layers.len() - 1)]
    }

    /// The vectors of the tokens that are wanted, in their order: `[wanted, hidden_size]`.
    ///
    /// The last layer is computed for these tokens alone: for one token a sequence it costs a sixth of a full one.
    /// A decoder looks at the `source`.
    pub fn forward(
        &self,
        graph: &Graph<'_>,
        source: Option<Source<'_>>,
        batch: &PackedBatch,
        wanted: Wanted<'_>,
        dropout: &Dropout,
    ) -> Var {
        let spans = &batch.spans;
        let last = self.num_hidden_layers - 1;
        let embedded = self.embeddings.forward(graph, batch, &Before::Nothing, dropout.embeddings.unwrap_or(0.0));
        let positions = Before::Nothing.places(spans);
        let angles = self.rotary.as_ref().map(|rotary| rotary.angles(0..spans.lengths().max().unwrap_or(0)));
        let distances = self.distances.of_pass(graph, spans);
        // What a layer makes of all tokens, or of those in some rows.
        let layer = |index: usize, tokens: Rows<'_>, wanted: Option<Chosen<'_>>| {
            let sight = self.sights.of(index);
            let angles = angles.as_ref().map(|angles| angles.of(sight));
            let places = Places { sight, angles, distances: &distances };
            let output = self.layer(index).forward(graph, tokens, wanted, source, places, dropout);
            match &self.convolution {
                Some(convolution) if index == 0 => {
                    let rows = wanted.map(|chosen| chosen.places);
                    convolution.forward(graph, [&embedded, &output], spans, rows, dropout.embeddings.unwrap_or(0.0))
                }
                _ => output,
            }
        };
        let hidden = (0..last)
            .fold(embedded.clone(), |hidden, index| layer(index, Rows { hidden: &hidden, spans, positions: &positions }, None));
        let tokens = Rows { hidden: &hidden, spans, positions: &positions };
        let output = match wanted.rows(spans) {
            None => layer(last, tokens, None),
            Some((rows, spans)) => {
                let gathered = graph.gather_rows(&hidden, &rows);
                let positions: Vec<u32> = rows.iter().map(|row| positions[*row]).collect();
                let chosen = Rows { hidden: &gathered, spans: &spans, positions: &positions };
                layer(last, tokens, Some(Chosen { rows: chosen, places: &rows }))
            }
        };
        let normed = self.norm.as_ref().map_or_else(|| output.clone(), |norm| norm.forward(graph, &output));
        // Each call counts, and what a seed draws follows from the count.
        dropout.output.map_or_else(|| normed.clone(), |probability| graph.dropout(&normed, probability))
    }
}

impl Stack {
    /// The keys and values that the layers of a decoder find in what an encoder gave, `[tokens, hidden_size]`: a cache for each sequence.
    /// For inference alone.
    pub fn remembered(&self, graph: &Graph<'_>, hidden: &Var, spans: &Spans) -> Vec<SequenceCache> {
        let mut caches = vec![SequenceCache::new(); spans.count()];
        for index in 0..self.num_hidden_layers {
            self.layer(index).remember(graph, Rows { hidden, spans, positions: &[] }, index, &mut caches);
        }
        caches
    }

    /// Reads on in sequences of which so many tokens were read before, and memories hold what is remembered of them; gives the vector of the
    /// last token of each, `[sequences, hidden_size]`. For inference alone.
    ///
    /// # Panics
    /// If of a sequence something was read and nothing is remembered.
    pub fn read_on(&self, graph: &Graph<'_>, batch: &PackedBatch, read: &[usize], memories: &mut [&mut Memory]) -> Var {
        let spans = &batch.spans;
        for (memory, read) in memories.iter().zip(read) {
            assert_eq!(memory.is_empty(), *read == 0, "read_on: what is remembered of {read} tokens");
        }
        let before = Before::Tokens(read);
        let places = before.places(spans);
        // Where there are angles places are counted anew, so that there are angles of those alone that occur.
        let angles = self.rotary.as_ref().map(|rotary| rotary.angles(places.iter().map(|place| *place as usize)));
        let positions: Vec<u32> = if angles.is_some() { (0..places.len() as u32).collect() } else { places };
        let distances = self.distances.of_pass(graph, spans);
        let sources = Sources::of(memories, spans);
        let mut hidden = self.embeddings.forward(graph, batch, &before, 0.0);
        for index in 0..self.num_hidden_layers {
            let sight = self.sights.of(index);
            let places = Places { sight, angles: angles.as_ref().map(|angles| angles.of(sight)), distances: &distances };
            let source = sources.as_ref().map(|sources| sources.of_layer(index));
            let tokens = Rows { hidden: &hidden, spans, positions: &positions };
            hidden = self.layer(index).read_on(graph, tokens, (index, memories), places, source);
        }
        let last = graph.gather_rows(&hidden, &spans.last_rows());
        self.norm.as_ref().map_or_else(|| last.clone(), |norm| norm.forward(graph, &last))
    }
}

impl Wanted<'_> {
    /// The rows that are wanted and how many of them each sequence has, unless it is all of them.
    fn rows(self, spans: &Spans) -> Option<(Vec<usize>, Spans)> {
        match self {
            Self::FirstTokens => Some((spans.first_rows(), Spans::from_lengths(spans.lengths().map(|_| 1)))),
            Self::LastTokens => Some((spans.last_rows(), Spans::from_lengths(spans.lengths().map(|_| 1)))),
            Self::Tokens(rows) => {
                let lengths = (0..spans.count()).map(|sequence| {
                    let Range { start, end } = spans.range(sequence);
                    rows.partition_point(|row| *row < end) - rows.partition_point(|row| *row < start)
                });
                Some((rows.to_vec(), Spans::from_lengths(lengths)))
            }
            Self::EveryToken => None,
        }
    }
}
