//! The angles by which attention turns queries and keys. Knows no family.

use std::f32::consts::TAU;

use graftling_tensor::RotaryAngles;

use crate::architecture::{Architecture, Position, RotaryScaling, Sight};

/// The frequencies of a model with rotary positions.
pub(crate) struct Rotary {
    frequencies: Vec<f32>,
    frequencies_in_windows: Vec<f32>,
    /// What turned values are multiplied with.
    factor: f32,
}

/// The angles of some places, for both kinds of layers.
pub(crate) struct BatchAngles {
    everywhere: RotaryAngles,
    in_windows: RotaryAngles,
}

impl Rotary {
    /// Nothing where places reach the model in another way.
    pub fn new(architecture: &Architecture) -> Option<Self> {
        let head_size = architecture.head_size();
        match architecture.position {
            Position::Learned { .. } | Position::Sinusoidal { .. } | Position::Unembedded => None,
            Position::Rotary { base, base_in_windows, scaling, .. } => Some(Self {
                frequencies: scaled(frequencies(base, head_size), base, scaling),
                frequencies_in_windows: frequencies(base_in_windows, head_size),
                factor: match scaling {
                    RotaryScaling::Yarn { attention_factor, .. } => attention_factor,
                    RotaryScaling::None | RotaryScaling::Linear { .. } | RotaryScaling::Llama3 { .. } => 1.0,
                },
            }),
        }
    }

    /// The angles of these places, by their number among them.
    pub fn angles(&self, places: impl Iterator<Item = usize> + Clone) -> BatchAngles {
        BatchAngles {
            everywhere: RotaryAngles::of_places(&self.frequencies, self.factor, places.clone()),
            in_windows: RotaryAngles::of_places(&self.frequencies_in_windows, 1.0, places),
        }
    }
}

impl BatchAngles {
    /// The angles in a layer whose tokens see so far.
    pub fn of(&self, sight: Sight) -> &RotaryAngles {
        match sight {
            Sight::Everything | Sight::Past { .. } => &self.everywhere,
            Sight::Window { .. } => &self.in_windows,
        }
    }
}

/// `base^(-2 i / head_size)` for each pair of values (Su et al. 2021, section 3.2.2).
fn frequencies(base: f32, head_size: usize) -> Vec<f32> {
    (0..head_size / 2).map(|pair| f64::from(base).powf(-2.0 * pair as f64 / head_size as f64) as f32).collect()
}

/// The frequencies as the scaling stretches them.
fn scaled(mut frequencies: Vec<f32>, base: f32, scaling: RotaryScaling) -> Vec<f32> {
    match scaling {
        RotaryScaling::None => {}
        RotaryScaling::Linear { factor } => frequencies.iter_mut().for_each(|frequency| *frequency /= factor),
        RotaryScaling::Llama3 { factor, low_frequency_factor, high_frequency_factor, original_longest } => {
            for frequency in &mut frequencies {
                // How often the pair turns within the original length.
                let turns = original_longest as f32 * *frequency / TAU;
                let passage = (turns - low_frequency_factor) / (high_frequency_factor - low_frequency_factor);
                let kept = passage.clamp(0.0, 1.0);
                *frequency = (1.0 - kept) * *frequency / factor + kept * *frequency;
            }
        }
        RotaryScaling::Yarn { factor, fast, slow, original_longest, truncate, .. } => {
            let size = 2.0 * frequencies.len() as f64;
            // The pair that turns so often within the original length.
            let pair_of = |turns: f32| {
                size * (original_longest as f64 / (f64::from(turns) * std::f64::consts::TAU)).ln() / (2.0 * f64::from(base).ln())
            };
            let [first, last] = [pair_of(fast), pair_of(slow)];
            let [first, last] = if truncate { [first.floor(), last.ceil()] } else { [first, last] };
            let (first, last) = (first.max(0.0), last.min(size - 1.0));
            let width = if first == last { 0.001 } else { last - first };
            for (pair, frequency) in frequencies.iter_mut().enumerate() {
                let kept = 1.0 - ((pair as f64 - first) / width).clamp(0.0, 1.0) as f32;
                *frequency = *frequency / factor * (1.0 - kept) + *frequency * kept;
            }
        }
    }
    frequencies
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
