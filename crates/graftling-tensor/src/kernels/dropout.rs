//! Dropout by a counter: whether a value is dropped is a hash of where it stands, so that the backward pass computes the
//! same mask again and nothing is stored. Knows nothing of tensors.

/// The mask of one dropout in one pass.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DropoutKey {
    key: u64,
    /// A value is dropped when its hash is below this.
    threshold: u32,
    /// What kept values are multiplied with.
    scale: f32,
}

/// The mask of one row.
#[derive(Clone, Copy)]
pub(crate) struct DropoutRow {
    low: u32,
    high: u32,
    threshold: u32,
    scale: f32,
}

impl DropoutKey {
    /// The mask of the `index`-th dropout of a pass with this seed, which drops with this probability.
    pub fn new(seed: u64, index: u64, probability: f32) -> Self {
        let threshold = (f64::from(probability) * 4_294_967_296.0) as u32;
        Self { key: mix(mix(seed) ^ index), threshold, scale: 1.0 / (1.0 - probability) }
    }

    /// The mask of row `row`.
    #[inline(always)]
    pub fn row(&self, row: usize) -> DropoutRow {
        let key = mix(self.key ^ row as u64);
        DropoutRow { low: key as u32, high: (key >> 32) as u32, threshold: self.threshold, scale: self.scale }
    }
}

impl DropoutRow {
    /// What value `column` of the row is multiplied with: 0 where it is dropped.
    #[inline(always)]
    pub fn factor(&self, column: usize) -> f32 {
        // Two rounds of the 32-bit finalizer of MurmurHash3 (Appleby), keyed before each.
        let mut hash = (column as u32).wrapping_mul(0x9e37_79b9) ^ self.low;
        hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
        hash = (hash ^ (hash >> 13)).wrapping_add(self.high).wrapping_mul(0xc2b2_ae35);
        hash ^= hash >> 16;
        if hash < self.threshold { 0.0 } else { self.scale }
    }
}

/// The finalizer of SplitMix64 (Steele, Lea and Flood, 2014).
fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_drop_the_asked_share_independently_of_neighbours_rows_and_seeds() {
        let (rows, columns) = (400, 500);
        let masks: Vec<Vec<bool>> = [(1, 0), (1, 1), (2, 0)]
            .map(|(seed, index)| {
                let key = DropoutKey::new(seed, index, 0.3);
                (0..rows).flat_map(|row| (0..columns).map(move |column| key.row(row).factor(column) == 0.0)).collect()
            })
            .to_vec();
        let share =
            |mask: &mut dyn Iterator<Item = bool>| mask.filter(|dropped| *dropped).count() as f64 / (rows * columns) as f64;
        // Four standard deviations of a share over 200,000 draws are 0.0041.
        let close = |found: f64, expected: f64| assert!((found - expected).abs() < 0.0041, "{found} instead of {expected}");
        for mask in &masks {
            close(share(&mut mask.iter().copied()), 0.3);
            close(share(&mut mask.iter().zip(&mask[1..]).map(|(a, b)| *a && *b)), 0.09);
            close(share(&mut mask.iter().zip(&mask[columns..]).map(|(a, b)| *a && *b)), 0.09);
        }
        close(share(&mut masks[0].iter().zip(&masks[1]).map(|(a, b)| *a && *b)), 0.09);
        close(share(&mut masks[0].iter().zip(&masks[2]).map(|(a, b)| *a && *b)), 0.09);
    }

    #[test]
    fn kept_values_are_scaled_so_that_the_mean_stays() {
        let row = DropoutKey::new(7, 3, 0.1).row(11);
        let factors: Vec<f32> = (0..1000).map(|column| row.factor(column)).collect();
        assert!(factors.iter().all(|factor| *factor == 0.0 || (*factor - 1.0 / 0.9).abs() < 1e-6));
    }
}
