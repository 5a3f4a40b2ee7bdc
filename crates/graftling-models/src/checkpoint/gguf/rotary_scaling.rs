//! How the angles of rotary positions are stretched for long contexts: as the keys of a file say it, or as its divisors of frequencies show it. Knows no tensor's
//! name.

use std::f64::consts::PI;

use serde_json::{Value, json};

use super::keys::Keys;
use crate::families::config_reader::LARGEST_TABLE;

/// How near the divisors of a file must be to those that are computed: they are stored in single precision.
const TOLERANCE: f64 = 1e-4;

/// A stretching of rotary positions, by the names of transformers' `rope_type`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum RotaryScaling {
    Default,
    Linear { factor: f64 },
    Yarn { factor: f64, original: usize },
    Llama3 { factor: f64, low: f64, high: f64, original: usize },
}

impl RotaryScaling {
    /// What the keys of an architecture say.
    pub fn of_keys(keys: &mut Keys<'_>) -> Self {
        for (name, only) in
            [("rope.scaling.attn_factor", 1), ("rope.scaling.yarn_ext_factor", 1), ("rope.scaling.yarn_attn_factor", 1)]
        {
            keys.only(name, only);
        }
        keys.only("rope.scaling.yarn_beta_fast", 32);
        keys.only("rope.scaling.yarn_beta_slow", 1);
        let factors = 1.0..=65536.0;
        let older = keys.number_if_there("rope.scale_linear", factors.clone()).filter(|factor| *factor != 1.0);
        let kind = keys.word("rope.scaling.type", &["none", "linear", "yarn"]);
        let factor = keys.number_if_there("rope.scaling.factor", factors);
        let original = keys.size_if_there("rope.scaling.original_context_length", LARGEST_TABLE);
        // Says whether the model was trained on long contexts; nothing is computed from it.
        keys.pass_over("rope.scaling.finetuned");
        match (kind, factor) {
            ("linear", Some(factor)) => Self::Linear { factor },
            ("yarn", Some(factor)) => match original {
                Some(original) => Self::Yarn { factor, original },
                None => {
                    let accepted = format!("whole numbers from 1 to {LARGEST_TABLE}, with the type \"yarn\"");
                    keys.refuse("rope.scaling.original_context_length", "missing".to_owned(), accepted);
                    Self::Default
                }
            },
            ("none", _) => older.map_or(Self::Default, |factor| Self::Linear { factor }),
            (kind, None) => {
                keys.refuse("rope.scaling.factor", "missing".to_owned(), format!("numbers from 1, with the type {kind:?}"));
                Self::Default
            }
            (_, Some(_)) => Self::Default,
        }
    }

    /// The parameters of Llama 3.1's scaling that give these divisors of the frequencies `base^(-2i / head_dim)`, if any do.
    ///
    /// transformers' `_compute_llama3_parameters` leaves waves alone that are shorter than `original / high`, divides the frequencies of those longer than
    /// `original / low` by `factor`, and blends in between by a share that is linear in the frequency. Only `original / low` and `original / high` can be seen, so
    /// `low` is taken for 1, as in every published model.
    pub fn of_divisors(divisors: &[f32], base: f64, head_dim: usize) -> Option<Self> {
        let divisors: Vec<f64> = divisors.iter().map(|divisor| f64::from(*divisor)).collect();
        let frequency = |place: usize| base.powf(-(2.0 * place as f64) / head_dim as f64);
        let turns: Vec<f64> = (0..divisors.len()).map(|place| frequency(place) / (2.0 * PI)).collect();
        let factor = divisors.iter().copied().fold(1.0, f64::max);
        if divisors.iter().all(|divisor| near(*divisor, 1.0)) {
            return Some(Self::Default);
        }
        let blended: Vec<(f64, f64)> = (divisors.iter().zip(&turns))
            .filter(|(divisor, _)| !near(**divisor, 1.0) && !near(**divisor, factor))
            .map(|(divisor, turns)| (*turns, (1.0 / divisor - 1.0 / factor) / (1.0 - 1.0 / factor)))
            .collect();
        let published = Some((4.0, 8192));
        let fitted = match (blended.first(), blended.last()) {
            (Some((first, first_share)), Some((last, last_share))) if blended.len() > 1 => {
                let slope = (first_share - last_share) / (first - last);
                let offset = slope * first - first_share;
                let (high, original) = ((1.0 + offset) / offset, slope / offset);
                let fits = high > 1.0 && (1.0..LARGEST_TABLE as f64).contains(&original);
                fits.then_some(((high * 1000.0).round() / 1000.0, original.round() as usize))
            }
            _ => None,
        };
        let candidates = [published, fitted].into_iter().flatten();
        let mut scalings = candidates.map(|(high, original)| (factor, 1.0, high, original));
        let found = scalings.find(|(factor, low, high, original)| {
            let original = *original as f64;
            divisors
                .iter()
                .zip(&turns)
                .all(|(divisor, turns)| near(*divisor, llama3_divisor(*turns, *factor, *low, *high, original)))
        });
        found.map(|(factor, low, high, original)| Self::Llama3 { factor, low, high, original })
    }

    /// As transformers 5 writes it under `rope_parameters`.
    pub fn parameters(self, base: f64) -> Value {
        match self {
            Self::Default => json!({ "rope_theta": base, "rope_type": "default" }),
            Self::Linear { factor } => json!({ "factor": factor, "rope_theta": base, "rope_type": "linear" }),
            Self::Yarn { factor, original } => json!({
                "factor": factor, "original_max_position_embeddings": original, "rope_theta": base, "rope_type": "yarn",
            }),
            Self::Llama3 { factor, low, high, original } => json!({
                "factor": factor,
                "high_freq_factor": high,
                "low_freq_factor": low,
                "original_max_position_embeddings": original,
                "rope_theta": base,
                "rope_type": "llama3",
            }),
        }
    }

    /// As transformers 4 reads it under `rope_scaling`, beside `rope_theta`.
    pub fn older_parameters(self, base: f64) -> Value {
        if self == Self::Default {
            return Value::Null;
        }
        let mut parameters = self.parameters(base);
        if let Some(parameters) = parameters.as_object_mut() {
            parameters.shift_remove("rope_theta");
        }
        parameters
    }
}

/// What the frequency of a wave is divided by that turns so many times a position.
fn llama3_divisor(turns: f64, factor: f64, low: f64, high: f64, original: f64) -> f64 {
    let turns = turns * original;
    if turns > high {
        return 1.0;
    }
    if turns < low {
        return factor;
    }
    let share = (turns - low) / (high - low);
    1.0 / ((1.0 - share) / factor + share)
}

fn near(one: f64, other: f64) -> bool {
    (one - other).abs() <= TOLERANCE * other.abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Divisors as llama.cpp's converter writes them (`generate_extra_tensors` of its Llama class).
    fn divisors(head_dim: usize, base: f64, factor: f64, low: f64, high: f64, original: usize) -> Vec<f32> {
        let turns = |place: usize| base.powf(-(2.0 * place as f64) / head_dim as f64) / (2.0 * PI);
        (0..head_dim / 2).map(|place| llama3_divisor(turns(place), factor, low, high, original as f64) as f32).collect()
    }

    #[test]
    fn divisors_tell_the_parameters_they_were_made_with() {
        for (head_dim, base, factor, high, original) in
            [(128, 500_000.0, 8.0, 4.0, 8192), (64, 500_000.0, 32.0, 4.0, 8192), (128, 10_000.0, 4.0, 8.0, 1000)]
        {
            let found = RotaryScaling::of_divisors(&divisors(head_dim, base, factor, 1.0, high, original), base, head_dim);
            assert_eq!(found, Some(RotaryScaling::Llama3 { factor, low: 1.0, high, original }));
        }
        assert_eq!(RotaryScaling::of_divisors(&[1.0; 8], 10_000.0, 16), Some(RotaryScaling::Default));
    }

    #[test]
    fn divisors_of_another_kind_are_not_taken_for_llamas() {
        let made = divisors(128, 500_000.0, 8.0, 1.0, 4.0, 8192);
        for place in [0, 33, 63] {
            let mut changed = made.clone();
            changed[place] *= 1.01;
            assert_eq!(RotaryScaling::of_divisors(&changed, 500_000.0, 128), None, "divisor {place}");
        }
        assert_eq!(RotaryScaling::of_divisors(&[f32::NAN; 64], 500_000.0, 128), None);
    }
}
