//! Full fine-tuning: everything is trained. Knows no parameter by name.

use graftling_models::Depth;

/// Whether a parameter at this depth is trained.
pub(super) fn trains(_depth: Depth) -> bool {
    true
}
