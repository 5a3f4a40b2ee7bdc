//! A layer of an encoder or a decoder: what mixes the tokens of a sequence, in some decoders attention to an encoder, and a feed-forward
//! part, each with its norm and its residual sum. Knows no family and no task.

use graftling_tensor::{Graph, SequenceCache, Var};

use super::attention::{Attention, Places, Rows, Source};
use super::declarations::Scope;
use super::feed_forward::FeedForward;
use super::memory::Memory;
use super::mixing::{Chosen, TokenMixing};
use super::norm::Norm;
use crate::architecture::{Architecture, CrossAttention, Dropout, NormPlacement};

/// One layer.
pub(crate) struct Layer {
    mixing: TokenMixing,
    around_mixing: Around,
    /// To what an encoder gives.
    cross: Option<(Attention, Around)>,
    feed_forward: FeedForward,
    around_feed_forward: Around,
}

impl Layer {
    pub fn new(scope: &mut Scope<'_>, architecture: &Architecture, index: usize) -> Self {
        let layout = &architecture.layout;
        let around = |scope: &mut Scope<'_>, part: &str, is_normed: bool| Around {
            placement: layout.norms,
            norm: (!is_normed).then(|| Norm::new(&mut scope.part(part).part("norm"), architecture.hidden_size, architecture)),
        };
        let is_normed = layout.norms == NormPlacement::BeforePartsButTheFirst && index == 0;
        // The order of declaring is that of the file that is written.
        let mixing_name = TokenMixing::name(layout.mixing);
        let mixing = TokenMixing::new(&mut scope.part(mixing_name), architecture, index);
        let around_mixing = around(scope, mixing_name, is_normed);
        let cross = match layout.cross_attention {
            CrossAttention::Absent => None,
            CrossAttention::Present => {
                let attention = Attention::new(&mut scope.part("cross_attention"), architecture, index);
                Some((attention, around(scope, "cross_attention", false)))
            }
        };
        let feed_forward = FeedForward::new(&mut scope.part("feed_forward"), architecture);
        let around_feed_forward = around(scope, "feed_forward", false);
        Self { mixing, around_mixing, cross, feed_forward, around_feed_forward }
    }

    /// Keeps what the layer finds in what an encoder gave: a cache for each sequence.
    ///
    /// # Panics
    /// If the layer looks at no encoder.
    pub fn remember(&self, graph: &Graph<'_>, source: Rows<'_>, index: usize, caches: &mut [SequenceCache]) {
        let Some((attention, _)) = &self.cross else { panic!("begin: a layer that looks at no encoder") };
        attention.remember(graph, source, index, caches);
    }

    /// The new vectors of the `tokens`, or of the `wanted` ones among them alone; each looks at the tokens of its sequence.
    pub fn forward(
        &self,
        graph: &Graph<'_>,
        tokens: Rows<'_>,
        wanted: Option<Chosen<'_>>,
        source: Option<Source<'_>>,
        places: Places<'_>,
        dropout: &Dropout,
    ) -> Var {
        let seen = self.around_mixing.enter(graph, tokens.hidden);
        let seen = Rows { hidden: &seen, ..tokens };
        let Some(Chosen { rows, places: chosen }) = wanted else {
            let mixed = self.mixing.forward(graph, None, seen, places, dropout);
            return self.after_mixing(graph, &mixed, tokens, source, dropout);
        };
        let looking = self.around_mixing.enter(graph, rows.hidden);
        let looking = Chosen { rows: Rows { hidden: &looking, ..rows }, places: chosen };
        let mixed = self.mixing.forward(graph, Some(looking), seen, places, dropout);
        self.after_mixing(graph, &mixed, rows, source, dropout)
    }

    /// The same for new tokens whose sequences were read before, in inference.
    pub fn read_on(
        &self,
        graph: &Graph<'_>,
        tokens: Rows<'_>,
        (index, memories): (usize, &mut [&mut Memory]),
        places: Places<'_>,
        source: Option<Source<'_>>,
    ) -> Var {
        let entered = self.around_mixing.enter(graph, tokens.hidden);
        let mixed = self.mixing.read_on(graph, Rows { hidden: &entered, ..tokens }, (index, memories), places);
        self.after_mixing(graph, &mixed, tokens, source, &Dropout::NONE)
    }

    /// What follows once tokens have learned of those of their sequence.
    fn after_mixing(
        &self,
        graph: &Graph<'_>,
        mixed: &Var,
        queries: Rows<'_>,
        source: Option<Source<'_>>,
        dropout: &Dropout,
    ) -> Var {
        let mut hidden = self.around_mixing.leave(graph, mixed, queries.hidden, dropout.attention);
        if let Some((attention, around)) = &self.cross {
            let Some(source) = source else { panic!("attention: a decoder that looks at an encoder was given no source") };
            let looking = around.enter(graph, &hidden);
            let attended = attention.forward_across(graph, Rows { hidden: &looking, ..queries }, source, dropout);
            hidden = around.leave(graph, &attended, &hidden, dropout.attention);
        }
        let fed = self.around_feed_forward.enter(graph, &hidden);
        let fed = self.feed_forward.forward(graph, &fed, dropout.feed_forward_inner);
        self.around_feed_forward.leave(graph, &fed, &hidden, dropout.feed_forward)
    }
}

/// What stands around a part of a layer: a norm before it or over its residual sum.
struct Around {
    placement: NormPlacement,
    /// None before a part whose input is normed already.
    norm: Option<Norm>,
}

impl Around {
    /// What the part is given.
    fn enter(&self, graph: &Graph<'_>, hidden: &Var) -> Var {
        match &self.norm {
            Some(norm) if self.placement != NormPlacement::AfterSums => norm.forward(graph, hidden),
            _ => hidden.clone(),
        }
    }

    /// The sum of what the part gives and of what stood before it.
    fn leave(&self, graph: &Graph<'_>, branch: &Var, hidden: &Var, dropout: Option<f32>) -> Var {
        let dropout = dropout.unwrap_or(0.0);
        match &self.norm {
            Some(norm) if self.placement == NormPlacement::AfterSums => norm.forward_residual(graph, branch, hidden, dropout),
            _ => graph.residual_sum(branch, hidden, dropout),
        }
    }
}
