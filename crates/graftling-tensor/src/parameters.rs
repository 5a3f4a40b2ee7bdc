//! The named values of a model, which of them are trained, and packed copies of them that last. Knows nothing of files, gradients or
//! optimizers.

use std::collections::HashMap;
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
    values: Buffer,
    /// The values in the order products read them, where somebody keeps them here; gone with the first change.
    packed: OnceLock<Arc<PackedRight>>,
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
        let expected: usize = shape.iter().product();
        assert_eq!(values.len(), expected, "parameter {name}: {} values for shape {shape:?}", values.len());
        let id = ParameterId(self.entries.len());
        let previous = self.by_name.insert(name.to_owned(), id);
        assert!(previous.is_none(), "parameter {name}: added twice");
        let packed = OnceLock::new();
        self.entries.push(Parameter {
            name: name.to_owned(),
            shape: shape.to_vec(),
            trainable: true,
            values: values.into(),
            packed,
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
        &self.entries[id.0].values
    }

    /// The values of a parameter for writing.
    pub fn values_mut(&mut self, id: ParameterId) -> &mut [f32] {
        let entry = &mut self.entries[id.0];
        entry.packed.take();
        &mut entry.values
    }

    /// Whether a parameter is trained. A frozen one gets no gradient.
    pub fn is_trainable(&self, id: ParameterId) -> bool {
        self.entries[id.0].trainable
    }

    /// Freezes a parameter (`false`) or lets it be trained (`true`).
    pub fn set_trainable(&mut self, id: ParameterId, trainable: bool) {
        self.entries[id.0].trainable = trainable;
    }

    /// The packed copy of a parameter that is kept with it, made by `pack` where there is none.
    pub(crate) fn packed(&self, id: ParameterId, pack: impl FnOnce() -> PackedRight) -> Arc<PackedRight> {
        let kept = &self.entries[id.0].packed;
        if let Some(packed) = kept.get() {
            return Arc::clone(packed);
        }
        // Outside of the lock: who packs may take up another task meanwhile, which may want the same.
        let packed = Arc::new(pack());
        Arc::clone(kept.get_or_init(|| packed))
    }

    /// The values of every parameter in the order of ids, each with the size of its last dimension.
    pub(crate) fn all_values_mut(&mut self) -> impl Iterator<Item = (&mut [f32], usize)> {
        self.entries.iter_mut().map(|entry| {
            entry.packed.take();
            let columns = entry.shape.last().copied().unwrap_or(1);
            (&mut *entry.values, columns)
        })
    }
}
