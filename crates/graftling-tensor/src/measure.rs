//! The bare matrix product, for benchmarks that compare it with others and for the share of its peak that training reaches.

use crate::kernels::product::{Target, View, multiply};

/// How the two sides of a product lie in memory, in the terms of BLAS for row-major matrices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Left `[rows, depth]`, right `[depth, columns]`: the gradient of a linear operation's input.
    Nn,
    /// Left `[rows, depth]`, right `[columns, depth]`: a linear operation's forward pass.
    Nt,
    /// Left `[depth, rows]`, right `[depth, columns]`: the gradient of a linear operation's weight.
    Tn,
}

/// `result = left right` on the threads of the current rayon pool, packing included.
///
/// # Panics
/// If a slice is too short for the sizes.
pub fn product(order: Order, [rows, depth, columns]: [usize; 3], left: &[f32], right: &[f32], result: &mut [f32]) {
    let left = if order == Order::Tn { View::transposed(left, rows) } else { View::new(left, depth) };
    let right = if order == Order::Nt { View::transposed(right, depth) } else { View::new(right, columns) };
    multiply(rows, depth, columns, left, right, Target::new(result, columns));
}
