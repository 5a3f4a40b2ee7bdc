//! The sum of rows looked up in embedding tables.

use crate::graph::{Backward, Graph, Sink, Var};
use crate::kernels::rows::for_blocks;
use crate::parameters::ParameterId;
use crate::pool::Buffer;
use crate::tensor::Tensor;

impl Graph<'_> {
    /// The sum over the tables of `table[ids]`: each table `[entries, hidden]`, with one id a row; gives `[rows, hidden]`.
    ///
    /// # Panics
    /// If there is no table, the tables' widths or the numbers of ids differ, or an id lies outside its table.
    pub fn embedding_sum(&self, tables: &[(ParameterId, &[u32])]) -> Var {
        let parameters = self.parameters();
        let rows = tables.first().expect("embedding_sum: at least one table").1.len();
        let columns = parameters.shape(tables[0].0)[1];
        for (table, ids) in tables {
            let shape = parameters.shape(*table);
            assert_eq!((shape[1], ids.len()), (columns, rows), "embedding_sum: width and ids of {}", parameters.name(*table));
            if let Some(id) = ids.iter().find(|id| **id as usize >= shape[0]) {
                panic!("embedding_sum: id {id} for {} of shape {shape:?}", parameters.name(*table));
            }
        }
        let mut output = Buffer::stale(rows * columns);
        for_blocks(
            &mut output,
            columns,
            #[inline(always)]
            |first, block| {
                for (row, to) in block.chunks_exact_mut(columns).enumerate() {
                    for (index, (table, ids)) in tables.iter().enumerate() {
                        let from = &parameters.values(*table)[ids[first + row] as usize * columns..][..columns];
                        if index == 0 {
                            to.copy_from_slice(from);
                        } else {
                            for (to, from) in to.iter_mut().zip(from) {
                                *to += from;
                            }
                        }
                    }
                }
            },
        );
        let trained: Vec<ParameterId> = tables.iter().map(|(table, _)| *table).collect();
        let backward = self.wants_gradient(&[], &trained).then(|| -> Box<dyn Backward> {
            Box::new(EmbeddingBackward { tables: tables.iter().map(|(table, ids)| (*table, ids.to_vec())).collect() })
        });
        self.record(Tensor::from_buffer(&[rows, columns], output), backward)
    }
}

struct EmbeddingBackward {
    tables: Vec<(ParameterId, Vec<u32>)>,
}

impl Backward for EmbeddingBackward {
    fn backward(self: Box<Self>, upstream: Tensor, sink: &mut Sink) {
        let columns = upstream.columns();
        for (table, ids) in &self.tables {
            sink.accumulate_parameter_rows(*table, ids, |row, to| {
                for (to, from) in to.iter_mut().zip(&upstream.values()[row * columns..]) {
                    *to += from;
                }
            });
        }
    }
}
