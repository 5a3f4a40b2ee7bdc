//! Loops over plain slices. Knows nothing of tensors or tapes.
pub(crate) mod dropout;
pub(crate) mod product;
pub(crate) mod simd;
pub(crate) fn add_assign(sum: &mut [f32], values: &[f32]) {
    for (a, b) in sum.iter_mut().zip(values) {
        *a += b;
    }
}
