//! A row-major block of `f32` values with a shape. Knows no arithmetic.

use std::sync::Arc;

use crate::pool::Buffer;

/// A shared, immutable, row-major block of `f32` values with a shape. Cloning shares the values.
#[derive(Clone, Debug)]
pub struct Tensor {
    shape: Vec<usize>,
    values: Arc<Buffer>,
}

impl Tensor {
    /// A tensor of `shape` that takes over `values`.
    ///
    /// # Panics
    /// If the number of values is not the product of the shape.
    pub fn from_vec(shape: &[usize], values: Vec<f32>) -> Self {
        Self::from_buffer(shape, values.into())
    }

    pub(crate) fn from_buffer(shape: &[usize], values: Buffer) -> Self {
        let expected: usize = shape.iter().product();
        assert_eq!(values.len(), expected, "tensor: {} values for shape {shape:?}", values.len());
        Self { shape: shape.to_vec(), values: Arc::new(values) }
    }

    /// The sizes of the dimensions, outermost first.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The size of the first dimension (1 for a scalar).
    pub fn rows(&self) -> usize {
        self.shape.first().copied().unwrap_or(1)
    }

    /// How many values a row holds: the product of all dimensions but the first.
    pub fn columns(&self) -> usize {
        self.shape.iter().skip(1).product()
    }

    /// A copy of the values in row-major order.
    pub fn to_vec(&self) -> Vec<f32> {
        self.values.to_vec()
    }

    /// The only value of a tensor that holds one.
    ///
    /// # Panics
    /// If the tensor does not hold exactly one value.
    pub fn item(&self) -> f32 {
        assert_eq!(self.values.len(), 1, "tensor: item() of shape {:?}", self.shape);
        self.values[0]
    }

    /// The values in row-major order.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The values for writing: in place where nobody else holds them, a copy where somebody does.
    pub(crate) fn values_mut(&mut self) -> &mut [f32] {
        let buffer: &mut Buffer = Arc::make_mut(&mut self.values);
        buffer
    }
}
