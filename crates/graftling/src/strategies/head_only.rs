//! Training only what stands on top of the encoder: the pooler, where there is one, and the classifier. Knows no parameter by name.

use graftling_models::Depth;

/// Whether a parameter at this depth is trained.
pub(super) fn trains(depth: Depth) -> bool {
    depth == Depth::Head
}
