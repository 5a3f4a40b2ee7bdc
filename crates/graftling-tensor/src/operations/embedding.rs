//! The sum of rows looked up in embedding tables.
use crate::{Graph, ParameterId, Var};
impl Graph<'_> {
    /// `sum over tables of table[ids]`: each table `[entries, hidden]` with one id a row; gives `[rows, hidden]`.
    pub fn embedding_sum(&self, tables: &[(ParameterId, &[u32])]) -> Var {
        unimplemented!()
    }
}
