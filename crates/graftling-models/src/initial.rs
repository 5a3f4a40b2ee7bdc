//! The values of new parameters, from a seed. Knows no brick and no family.

/// What a new parameter starts from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Initial {
    /// Draws from a normal distribution around 0 with this standard deviation.
    Normal {
        deviation: f32,
    },
    Zeros,
    Ones,
}

impl Initial {
    /// The values of the new parameter `name`: the same for the same seed, whatever other parameters there are.
    pub fn values(self, seed: u64, name: &str, count: usize) -> Vec<f32> {
        match self {
            Initial::Normal { deviation } => {
                let stream = mix(seed ^ fnv1a(name));
                (0..count as u64).map(|index| (f64::from(deviation) * standard_normal(stream, index)) as f32).collect()
            }
            Initial::Zeros => vec![0.0; count],
            Initial::Ones => vec![1.0; count],
        }
    }
}

/// Draw number `index` of a stream, by the Box-Muller transform of two uniform draws.
fn standard_normal(stream: u64, index: u64) -> f64 {
    let radius = (-2.0 * (1.0 - uniform(stream, 2 * index)).ln()).sqrt();
    radius * (std::f64::consts::TAU * uniform(stream, 2 * index + 1)).cos()
}

/// In `[0, 1)`, with 53 random bits.
fn uniform(stream: u64, counter: u64) -> f64 {
    (mix(stream.wrapping_add(counter.wrapping_mul(0x9E37_79B9_7F4A_7C15))) >> 11) as f64 / (1_u64 << 53) as f64
}

/// The finalizer of SplitMix64 (Steele, Lea, Flood 2014).
fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

/// The 64-bit FNV-1a hash.
fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NORMAL: Initial = Initial::Normal { deviation: 0.02 };

    #[test]
    fn draws_follow_the_normal_distribution() {
        let count = 200_000;
        let values = NORMAL.values(7, "classifier.weight", count);
        let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / count as f64;
        let moment = |power: i32| values.iter().map(|v| (f64::from(*v) / 0.02).powi(power)).sum::<f64>() / count as f64;
        // Four standard errors of each estimate.
        assert!(mean.abs() < 4.0 * 0.02 / (count as f64).sqrt(), "mean {mean}");
        assert!((moment(2) - 1.0).abs() < 4.0 * (2.0 / count as f64).sqrt(), "variance {}", moment(2));
        assert!((moment(4) - 3.0).abs() < 4.0 * (96.0 / count as f64).sqrt(), "fourth moment {}", moment(4));
        let beyond_two = values.iter().filter(|v| v.abs() > 0.04).count() as f64 / count as f64;
        assert!((beyond_two - 0.0455).abs() < 0.002, "share beyond two deviations {beyond_two}");
    }

    #[test]
    fn neighbouring_draws_are_not_correlated() {
        let values = NORMAL.values(1, "w", 100_000);
        let product: f64 = values.windows(2).map(|pair| f64::from(pair[0]) * f64::from(pair[1])).sum();
        assert!((product / 100_000.0 / 0.0004).abs() < 0.015);
    }

    #[test]
    fn values_depend_on_seed_and_name_only() {
        assert_eq!(NORMAL.values(3, "a", 10), NORMAL.values(3, "a", 20)[..10]);
        assert_ne!(NORMAL.values(3, "a", 10), NORMAL.values(4, "a", 10));
        assert_ne!(NORMAL.values(3, "a", 10), NORMAL.values(3, "b", 10));
        assert_eq!((Initial::Zeros.values(3, "a", 2), Initial::Ones.values(3, "a", 2)), (vec![0.0; 2], vec![1.0; 2]));
    }
}
