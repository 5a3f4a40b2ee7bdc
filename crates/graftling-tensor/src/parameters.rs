//! The named values of a model, which of them are trained, and packed copies of them that last. Knows nothing of files, gradients or
//! optimizers.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use crate::kernels::product::PackedRight;
use crate::pool::Buffer;

/// A parameter's place in its [`Parameters`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ParameterId(pub(crate) usize);

struct Parameter {
    name: String,
    shape: Vec<usize>,
    trainable: bool,
    values: Values,
    /// The values in the order products read them, where somebody keeps them here; gone with the first change.
    packed: OnceLock<Arc<PackedRight>>,
    /// Whether somebody who keeps such copies here has met the parameter.
    is_met: AtomicBool,
}

/// Values that somebody else holds, as the map of a file does.
pub type SharedValues = Arc<dyn AsRef<[f32]> + Send + Sync>;

enum Values {
    Own(Buffer),
    /// Until they are first written.
    Shared(SharedValues),
}

impl Values {
    fn get(&self) -> &[f32] {
        match self {
            Self::Own(values) => values,
            Self::Shared(values) => (**values).as_ref(),
        }
    }

    fn get_mut(&mut self) -> &mut [f32] {
        if let Self::Shared(values) = self {
            *self = Self::Own((**values).as_ref().to_vec().into());
        }
        match self {
            Self::Own(values) => values,
            Self::Shared(_) => unreachable!("copied above"),
        }
    }
}

/// All parameters of a model, each with a dotted name, a shape, its values, and whether it is trained.
#[derive(Default)]
pub struct Parameters {
    entries: Vec<Parameter>,
    by_name: HashMap<String, ParameterId>,
}

impl Parameters {
    /// No parameters yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a trainable parameter and returns its place.
    ///
    /// # Panics
    /// If the name is taken, or `values` does not hold as many values as `shape` says.
    pub fn add(&mut self, name: &str, shape: &[usize], values: Vec<f32>) -> ParameterId {
        self.add_values(name, shape, Values::Own(values.into()))
    }

    /// The same with values that are left where they are until the parameter is first written: it gets a copy of its own then.
    ///
    /// # Panics
    /// As [`add`](Self::add).
    pub fn add_shared(&mut self, name: &str, shape: &[usize], values: SharedValues) -> ParameterId {
        self.add_values(name, shape, Values::Shared(values))
    }

    fn add_values(&mut self, name: &str, shape: &[usize], values: Values) -> ParameterId {
        let (expected, count) = (shape.iter().product::<usize>(), values.get().len());
        assert_eq!(count, expected, "parameter {name}: {count} values for shape {shape:?}");
        let id = ParameterId(self.entries.len());
        let previous = self.by_name.insert(name.to_owned(), id);
        assert!(previous.is_none(), "parameter {name}: added twice");
        self.entries.push(Parameter {
            name: name.to_owned(),
            shape: shape.to_vec(),
            trainable: true,
            values,
            packed: OnceLock::new(),
            is_met: AtomicBool::new(false),
        });
        id
    }

    /// How many parameters there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// All places, in the order of adding.
    pub fn ids(&self) -> impl Iterator<Item = ParameterId> + use<> {
        (0..self.entries.len()).map(ParameterId)
    }

    /// The parameter with this name.
    pub fn find(&self, name: &str) -> Option<ParameterId> {
        self.by_name.get(name).copied()
    }

    /// The dotted name of a parameter.
    pub fn name(&self, id: ParameterId) -> &str {
        &self.entries[id.0].name
    }

    /// The shape of a parameter.
    pub fn shape(&self, id: ParameterId) -> &[usize] {
        &self.entries[id.0].shape
    }

    /// The values of a parameter, row-major.
    pub fn values(&self, id: ParameterId) -> &[f32] {
        self.entries[id.0].values.get()
    }

    /// The values of a parameter for writing.
    pub fn values_mut(&mut self, id: ParameterId) -> &mut [f32] {
        let entry = &mut self.entries[id.0];
        entry.packed.take();
        *entry.is_met.get_mut() = false;
        entry.values.get_mut()
    }

    /// Whether a parameter is trained. A frozen one gets no gradient.
    pub fn is_trainable(&self, id: ParameterId) -> bool {
        self.entries[id.0].trainable
    }

    /// Freezes a parameter (`false`) or lets it be trained (`true`).
    pub fn set_trainable(&mut self, id: ParameterId, trainable: bool) {
        self.entries[id.0].trainable = trainable;
    }

    /// The packed copy of a parameter that is kept with it, made by `pack` where there is none; or none where the parameter is met for
    /// the first time and `may_wait`.
    pub(crate) fn packed(&self, id: ParameterId, may_wait: bool, pack: impl FnOnce() -> PackedRight) -> Option<Arc<PackedRight>> {
        let Parameter { packed: kept, is_met, .. } = &self.entries[id.0];
        if let Some(packed) = kept.get() {
            return Some(Arc::clone(packed));
        }
        if !is_met.swap(true, Ordering::Relaxed) && may_wait {
            return None;
        }
        // Outside of the lock: who packs may take up another task meanwhile, which may want the same.
        let packed = Arc::new(pack());
        Some(Arc::clone(kept.get_or_init(|| packed)))
    }

    /// The values of every parameter in the order of ids, each with the size of its last dimension.
    pub(crate) fn all_values_mut(&mut self) -> impl Iterator<Item = (&mut [f32], usize)> {
        self.entries.iter_mut().map(|entry| {
            entry.packed.take();
            *entry.is_met.get_mut() = false;
            let columns = entry.shape.last().copied().unwrap_or(1);
            (entry.values.get_mut(), columns)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_values_are_copied_by_the_first_write() {
        let file: Arc<Vec<f32>> = Arc::new(vec![1.0, 2.0, 3.0]);
        let mut parameters = Parameters::new();
        let [first, second] = ["first", "second"].map(|name| parameters.add_shared(name, &[3], Arc::<Vec<f32>>::clone(&file)));
        assert!(std::ptr::eq(parameters.values(first), file.as_slice()));
        parameters.values_mut(first)[1] = 5.0;
        assert_eq!(parameters.values(first), [1.0, 5.0, 3.0]);
        assert_eq!((parameters.values(second), file.as_slice()), (&[1.0, 2.0, 3.0][..], &[1.0, 2.0, 3.0][..]));
        assert_eq!(Arc::strong_count(&file), 2);
    }
}
