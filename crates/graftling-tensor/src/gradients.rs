//! The gradients of the trainable parameters, summed over the micro-batches of a step. Knows nothing of optimizers.
//!
//! A batch reaches only the rows of an embedding table that its texts use. Such a gradient remembers which rows those are, so
//! that norms, updates and clearing pass over the others.

use crate::kernels::add_assign;
use crate::kernels::rows::{BLOCK, sum};
use crate::kernels::simd::dispatch;
use crate::parameters::{ParameterId, Parameters};
use crate::pool::Buffer;

/// One gradient for each trainable parameter that a loss has reached since [`Gradients::clear`].
///
/// Buffers are made on first use and kept, so that a second step allocates nothing.
pub struct Gradients {
    entries: Vec<Entry>,
}

struct Entry {
    trainable: bool,
    len: usize,
    columns: usize,
    extent: Extent,
    values: Option<Buffer>,
}

/// What of a gradient's buffer belongs to the present step.
enum Extent {
    /// Nothing; the values are left over and will be overwritten.
    Nothing,
    /// These rows, each named once and marked; all other values are zero.
    Rows(Rows),
    /// Everything.
    All,
}

/// Rows of a gradient that a step has reached.
#[derive(Default)]
struct Rows {
    reached: Vec<u32>,
    marks: Vec<bool>,
}

/// The values of a gradient, for an update.
pub(crate) struct Reached<'a> {
    /// All values, row-major.
    pub values: &'a [f32],
    /// The rows that are not zero, where only some are known not to be.
    pub rows: Option<&'a [u32]>,
}

impl Gradients {
    /// Room for the gradients of the parameters that are trainable now.
    pub fn new(parameters: &Parameters) -> Self {
        let entries = parameters
            .ids()
            .map(|id| Entry {
                trainable: parameters.is_trainable(id),
                len: parameters.values(id).len(),
                columns: parameters.shape(id).last().copied().unwrap_or(1),
                extent: Extent::Nothing,
                values: None,
            })
            .collect();
        Self { entries }
    }

    /// Forgets all gradients; the next backward pass starts from zero.
    pub fn clear(&mut self) {
        for entry in &mut self.entries {
            match (&mut entry.extent, entry.values.as_deref_mut()) {
                (Extent::Rows(rows), Some(values)) => {
                    for row in rows.reached.drain(..) {
                        rows.marks[row as usize] = false;
                        values[row as usize * entry.columns..][..entry.columns].fill(0.0);
                    }
                }
                (extent, _) => *extent = Extent::Nothing,
            }
        }
    }

    /// The gradient of a parameter, or `None` where the parameter is frozen or no loss depended on it.
    pub fn get(&self, id: ParameterId) -> Option<&[f32]> {
        self.reached(id).map(|reached| reached.values)
    }

    pub(crate) fn reached(&self, id: ParameterId) -> Option<Reached<'_>> {
        let entry = &self.entries[id.0];
        let values = entry.values.as_deref()?;
        match &entry.extent {
            Extent::Nothing => None,
            Extent::Rows(rows) if rows.reached.is_empty() => None,
            Extent::Rows(rows) => Some(Reached { values, rows: Some(&rows.reached) }),
            Extent::All => Some(Reached { values, rows: None }),
        }
    }

    /// The square root of the sum of all squares, the same whatever the number of threads
    /// (`torch.nn.utils.get_total_norm` with p = 2).
    pub fn norm(&self) -> f32 {
        use rayon::prelude::*;
        const CHUNK: usize = BLOCK * 512;
        let mut pieces: Vec<&[f32]> = Vec::new();
        for index in 0..self.entries.len() {
            let Some(Reached { values, rows }) = self.reached(ParameterId(index)) else { continue };
            let columns = self.entries[index].columns;
            match rows {
                Some(rows) => pieces.extend(rows.iter().map(|row| &values[*row as usize * columns..][..columns])),
                None => pieces.extend(values.chunks(CHUNK)),
            }
        }
        let squares = |piece: &&[f32]| {
            f64::from(dispatch(
                #[inline(always)]
                || sum(piece, |value| value * value),
            ))
        };
        let parts: Vec<f64> = pieces.par_iter().with_min_len(8).map(squares).collect();
        parts.iter().sum::<f64>().sqrt() as f32
    }

    /// The buffer of a parameter's gradient and whether to add to it (`true`) or to overwrite it; `None` for a frozen one.
    pub(crate) fn accumulate(&mut self, id: ParameterId) -> Option<(&mut [f32], bool)> {
        let entry = &mut self.entries[id.0];
        if !entry.trainable {
            return None;
        }
        // Where rows were reached the others are zero, so that everything may be added to.
        let add = !matches!(entry.extent, Extent::Nothing);
        entry.extent = Extent::All;
        let len = entry.len;
        Some((entry.values.get_or_insert_with(|| Buffer::stale(len)), add))
    }

    /// Keeps a gradient of all values of a parameter, or adds it to what is there; nothing for a frozen parameter.
    pub(crate) fn take_over(&mut self, id: ParameterId, gradient: Buffer) {
        let entry = &mut self.entries[id.0];
        match (&entry.extent, entry.values.as_deref_mut()) {
            _ if !entry.trainable => {}
            (Extent::Rows(_) | Extent::All, Some(values)) => {
                add_assign(values, &gradient);
                entry.extent = Extent::All;
            }
            _ => {
                entry.values = Some(gradient);
                entry.extent = Extent::All;
            }
        }
    }

    /// Calls `add(index, row of the gradient)` for each of `rows`, to which it adds; nothing for a frozen parameter.
    pub(crate) fn accumulate_rows(&mut self, id: ParameterId, rows: &[u32], mut add: impl FnMut(usize, &mut [f32])) {
        let entry = &mut self.entries[id.0];
        if !entry.trainable {
            return;
        }
        if matches!(entry.extent, Extent::Nothing) {
            // Zeroed pages that are never touched cost nothing.
            entry.values = Some(vec![0.0; entry.len].into());
            entry.extent = Extent::Rows(Rows { reached: Vec::new(), marks: vec![false; entry.len / entry.columns.max(1)] });
        }
        let (Some(values), columns) = (entry.values.as_deref_mut(), entry.columns) else { return };
        for (index, row) in rows.iter().enumerate() {
            if let Extent::Rows(rows) = &mut entry.extent
                && !std::mem::replace(&mut rows.marks[*row as usize], true)
            {
                rows.reached.push(*row);
            }
            add(index, &mut values[*row as usize * columns..][..columns]);
        }
    }
}
