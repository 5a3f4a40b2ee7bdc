//! The gradients of the trainable parameters, summed over the micro-batches of a step. Knows nothing of optimizers.

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
    /// Whether the buffer holds a gradient of the present step; stale values are overwritten, not added to.
    written: bool,
    values: Option<Buffer>,
}

impl Gradients {
    /// Room for the gradients of the parameters that are trainable now.
    pub fn new(parameters: &Parameters) -> Self {
        let entries = parameters
            .ids()
            .map(|id| Entry {
                trainable: parameters.is_trainable(id),
                len: parameters.values(id).len(),
                written: false,
                values: None,
            })
            .collect();
        Self { entries }
    }

    /// Forgets all gradients; the next backward pass starts from zero.
    pub fn clear(&mut self) {
        for entry in &mut self.entries {
            entry.written = false;
        }
    }

    /// The gradient of a parameter, or `None` where the parameter is frozen or no loss depended on it.
    pub fn get(&self, id: ParameterId) -> Option<&[f32]> {
        let entry = &self.entries[id.0];
        if entry.written { entry.values.as_deref() } else { None }
    }

    /// The gradient of a parameter for writing, or `None` as in [`Gradients::get`].
    pub fn get_mut(&mut self, id: ParameterId) -> Option<&mut [f32]> {
        let entry = &mut self.entries[id.0];
        if entry.written { entry.values.as_deref_mut() } else { None }
    }

    /// The buffer of a parameter's gradient and whether to add to it (`true`) or to overwrite it; `None` for a frozen one.
    pub(crate) fn accumulate(&mut self, id: ParameterId) -> Option<(&mut [f32], bool)> {
        let entry = &mut self.entries[id.0];
        if !entry.trainable {
            return None;
        }
        let add = std::mem::replace(&mut entry.written, true);
        let len = entry.len;
        Some((entry.values.get_or_insert_with(|| Buffer::stale(len)), add))
    }
}
