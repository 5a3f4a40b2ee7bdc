//! Picking rows.
use crate::{Graph, Var};
impl Graph<'_> {
    /// The rows of x `[rows, hidden]` at these places: `[places, hidden]`.
    pub fn gather_rows(&self, x: &Var, places: &[usize]) -> Var {
        unimplemented!()
    }
}
