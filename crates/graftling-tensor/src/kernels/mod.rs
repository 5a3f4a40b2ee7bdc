//! Loops over plain slices: the only place with `unsafe`. Knows nothing of tensors or tapes.

pub(crate) mod attention;
pub(crate) mod cached_attention;
pub(crate) mod columns;
mod disjoint;
pub(crate) mod dropout;
pub(crate) mod math;
pub(crate) mod product;
pub(crate) mod recurrence;
pub(crate) mod relative;
pub(crate) mod rows;
pub(crate) mod simd;
pub(crate) mod update;

/// `sum += values`.
pub(crate) fn add_assign(sum: &mut [f32], values: &[f32]) {
    assert_eq!(sum.len(), values.len(), "sum of {} values and {}", sum.len(), values.len());
    rows::for_blocks(
        sum,
        512,
        #[inline(always)]
        |first, block| {
            let from = &values[first * 512..][..block.len()];
            for (sum, value) in block.iter_mut().zip(from) {
                *sum += value;
            }
        },
    );
}

/// Overwrites `target` with `values` or adds them to it.
pub(crate) fn write_or_add(target: &mut [f32], values: &[f32], add: bool) {
    if add {
        add_assign(target, values);
    } else {
        target.copy_from_slice(values);
    }
}
