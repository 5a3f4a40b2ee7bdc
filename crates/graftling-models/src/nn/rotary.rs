//! The angles by which attention turns queries and keys. Knows no family.

use graftling_tensor::RotaryAngles;

use crate::architecture::{Architecture, Position, Sight};

/// The frequencies of a model with rotary positions.
pub(crate) struct Rotary {
    frequencies: Vec<f32>,
    frequencies_in_windows: Vec<f32>,
}

/// The angles of all places of a batch, for both kinds of layers.
pub(crate) struct BatchAngles {
    everywhere: RotaryAngles,
    in_windows: RotaryAngles,
}

impl Rotary {
    /// Nothing where places reach the model in another way.
    pub fn new(architecture: &Architecture) -> Option<Self> {
        let head_size = architecture.hidden_size / architecture.num_attention_heads;
        match architecture.position {
            Position::Learned { .. } | Position::Unembedded { .. } => None,
            Position::Rotary { base, base_in_windows, .. } => Some(Self {
                frequencies: frequencies(base, head_size),
                frequencies_in_windows: frequencies(base_in_windows, head_size),
            }),
        }
    }

    /// The angles of the places `0..longest`.
    pub fn angles(&self, longest: usize) -> BatchAngles {
        BatchAngles {
            everywhere: RotaryAngles::new(&self.frequencies, longest),
            in_windows: RotaryAngles::new(&self.frequencies_in_windows, longest),
        }
    }
}

impl BatchAngles {
    /// The angles in a layer whose tokens see so far.
    pub fn of(&self, sight: Sight) -> &RotaryAngles {
        match sight {
            Sight::Everything => &self.everywhere,
            Sight::Window { .. } => &self.in_windows,
        }
    }
}

/// `base^(-2 i / head_size)` for each pair of values (Su et al. 2021, section 3.2.2).
fn frequencies(base: f32, head_size: usize) -> Vec<f32> {
    (0..head_size / 2).map(|pair| f64::from(base).powf(-2.0 * pair as f64 / head_size as f64) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frequencies_fall_from_one_by_the_base() {
        assert_eq!(frequencies(10_000.0, 8), [1.0, 0.1, 0.01, 0.001]);
        assert_eq!(frequencies(16.0, 2), [1.0]);
    }
}
