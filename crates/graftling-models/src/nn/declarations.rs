//! The parameters that bricks ask for: name, shape and first values, before any weight is read. Knows no brick.
//!
//! Building a model costs next to nothing: its bricks hold places, and the values follow once the declared shapes have been
//! matched with a file. Places are given out in the order of declaring, which is the order in which values are added later.

use graftling_tensor::{ParameterId, Parameters};

use crate::facts::Depth;
use crate::initial::Initial;

/// One parameter that a brick asks for.
#[derive(Clone, Debug)]
pub(crate) struct Declaration {
    pub name: String,
    pub shape: Vec<usize>,
    pub initial: Initial,
    pub depth: Depth,
    /// Whether it is a part of the model that is never trained.
    pub is_fixed: bool,
}

impl Declaration {
    /// How many values it holds; the largest number there is where the product overflows, which no file can match.
    pub fn count(&self) -> usize {
        self.shape.iter().fold(1, |product, size| product.saturating_mul(*size))
    }
}

/// All parameters of a model, in order.
pub(crate) struct Declarations {
    entries: Vec<Declaration>,
    /// The same names without values, so that `graftling-tensor` gives out the places.
    places: Parameters,
    initializer_range: f32,
}

impl Declarations {
    pub fn new(initializer_range: f32) -> Self {
        Self { entries: Vec::new(), places: Parameters::new(), initializer_range }
    }

    /// Where bricks at this depth declare their parameters, under the dotted name `path`.
    pub fn scope(&mut self, path: &str, depth: Depth) -> Scope<'_> {
        let deviation = self.initializer_range;
        Scope { declarations: self, path: path.to_owned(), depth, deviation }
    }

    /// Every declaration with its place.
    pub fn iter(&self) -> impl Iterator<Item = (ParameterId, &Declaration)> {
        self.places.ids().zip(&self.entries)
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// How many values all parameters hold together.
    pub fn value_count(&self) -> usize {
        self.entries.iter().fold(0, |sum, declaration| sum.saturating_add(declaration.count()))
    }
}

/// A part of a model under construction: bricks declare their parameters here.
pub(crate) struct Scope<'a> {
    declarations: &'a mut Declarations,
    path: String,
    depth: Depth,
    deviation: f32,
}

impl Scope<'_> {
    /// The part called `name` within this one.
    pub fn part(&mut self, name: &str) -> Scope<'_> {
        let Scope { depth, deviation, .. } = *self;
        Scope { path: format!("{}.{name}", self.path), declarations: self.declarations, depth, deviation }
    }

    /// The same, with matrices that start from draws with this standard deviation.
    pub fn drawn(self, deviation: f32) -> Self {
        Self { deviation, ..self }
    }

    /// A matrix that starts from normal draws.
    pub fn weight(&mut self, name: &str, shape: &[usize]) -> ParameterId {
        self.declare(name, shape, Initial::Normal { deviation: self.deviation })
    }

    /// A vector that starts from zeros.
    pub fn zeros(&mut self, name: &str, size: usize) -> ParameterId {
        self.declare(name, &[size], Initial::Zeros)
    }

    /// A vector that starts from ones.
    pub fn ones(&mut self, name: &str, size: usize) -> ParameterId {
        self.declare(name, &[size], Initial::Ones)
    }

    /// A vector of zeros that is never trained.
    pub fn fixed(&mut self, name: &str, size: usize) -> ParameterId {
        let place = self.zeros(name, size);
        if let Some(entry) = self.declarations.entries.last_mut() {
            entry.is_fixed = true;
        }
        place
    }

    fn declare(&mut self, name: &str, shape: &[usize], initial: Initial) -> ParameterId {
        let name = format!("{}.{name}", self.path);
        let place = self.declarations.places.add(&name, &[0], Vec::new());
        self.declarations.entries.push(Declaration { name, shape: shape.to_vec(), initial, depth: self.depth, is_fixed: false });
        place
    }
}
