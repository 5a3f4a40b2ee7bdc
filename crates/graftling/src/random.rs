//! Reproducible random numbers from a seed and a place. Knows nothing of what they decide.
//!
//! Counter-based: the n-th number of a stream is a hash of the stream's key and n, so that any epoch or step can be drawn
//! without drawing those before it, with the same outcome on every machine.

/// The finaliser of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// The increment of SplitMix64: 2^64 divided by the golden ratio, made odd.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// A number that depends on the seed and on every coordinate of a place, in their order.
pub(crate) fn key(seed: u64, place: &[u64]) -> u64 {
    place.iter().fold(mix(seed.wrapping_add(GOLDEN)), |state, &coordinate| mix(state.wrapping_add(GOLDEN) ^ mix(coordinate)))
}

/// The number at a place of the stream of a key, in `0..count`.
pub(crate) fn below(key: u64, place: u64, count: usize) -> usize {
    let random = mix(key.wrapping_add(GOLDEN.wrapping_mul(place)));
    // The high half of the product is such a number; its bias is below 2^-30 for any data set that fits in memory.
    ((u128::from(random) * count as u128) >> 64) as usize
}

/// The number at a place of the stream of a key, in `[0, 1)`, with 53 random bits.
pub(crate) fn unit(key: u64, place: u64) -> f64 {
    (mix(key.wrapping_add(GOLDEN.wrapping_mul(place))) >> 11) as f64 / (1_u64 << 53) as f64
}

/// The numbers `0..count` in an order that depends on the key alone (Fisher and Yates).
pub(crate) fn permutation(count: usize, key: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    for last in (1..count).rev() {
        order.swap(last, below(key, last as u64, last + 1));
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permutation_holds_every_number_once() {
        for count in [0, 1, 2, 3, 1000] {
            let mut order = permutation(count, key(42, &[count as u64]));
            order.sort_unstable();
            assert_eq!(order, (0..count).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_permutation_is_the_same_everywhere_and_for_ever() {
        assert_eq!(permutation(10, key(42, &[0])), permutation(10, key(42, &[0])));
        assert_ne!(permutation(10, key(42, &[0])), permutation(10, key(42, &[1])));
        assert_ne!(permutation(10, key(42, &[0])), permutation(10, key(43, &[0])));
        assert_ne!(key(1, &[2, 3]), key(1, &[3, 2]));
    }

    #[test]
    fn numbers_below_one_fill_it_evenly() {
        let mut counts = [0_u32; 10];
        for place in 0..10_000 {
            counts[(10.0 * unit(key(3, &[1]), place)) as usize] += 1;
        }
        // 1000 are expected in each tenth, with a standard deviation of 30.
        assert!(counts.iter().all(|count| (850..1150).contains(count)), "{counts:?}");
    }

    #[test]
    fn every_place_of_a_permutation_sees_every_number() {
        let mut seen = [[0_u32; 5]; 5];
        for draw in 0..5000 {
            for (place, number) in permutation(5, key(7, &[draw])).into_iter().enumerate() {
                seen[place][number] += 1;
            }
        }
        // 1000 are expected in each cell, with a standard deviation of 28.
        assert!(seen.iter().flatten().all(|&count| (860..1140).contains(&count)), "{seen:?}");
    }
}
