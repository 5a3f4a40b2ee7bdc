//! What a config says of rotary positions, under the keys that decoders share. Knows no family.
//!
//! Older configs have `rope_theta` and `rope_scaling`, newer ones `rope_parameters`; as in transformers (`modeling_rope_utils`), what
//! scales in the older way goes before the newer one.

use super::config_reader::{ConfigReader, LARGEST_TABLE};
use crate::architecture::{Position, RotaryScaling};

/// The kinds of scaling that are offered.
#[derive(Clone, Copy)]
enum Kind {
    Default,
    /// The base grows in texts that are longer than the longest, and there are none.
    Dynamic,
    Linear,
    Llama3,
    Yarn,
}

const KINDS: [(&str, Kind); 5] = [
    ("default", Kind::Default),
    ("dynamic", Kind::Dynamic),
    ("linear", Kind::Linear),
    ("llama3", Kind::Llama3),
    ("yarn", Kind::Yarn),
];
/// Every key that a kind has.
const KEYS: [&str; 14] = [
    "rope_type",
    "type",
    "rope_theta",
    "factor",
    "low_freq_factor",
    "high_freq_factor",
    "original_max_position_embeddings",
    "attention_factor",
    "beta_fast",
    "beta_slow",
    "mscale",
    "mscale_all_dim",
    "truncate",
    "partial_rotary_factor",
];

/// Rotary positions of a model whose longest sequence has so many tokens, with this base where the config names none.
pub(super) fn position(config: &mut ConfigReader<'_>, longest: usize, default_base: f64) -> Position {
    config.only("partial_rotary_factor", 1.0);
    let older = if config.says("rope_theta") { base(config, default_base) } else { default_base as f32 };
    let key = if config.says("rope_scaling") { "rope_scaling" } else { "rope_parameters" };
    let Some(object) = config.object(key, &KEYS) else { return rotary(longest, older, RotaryScaling::None) };
    config.nested(key, object, |inner| {
        inner.only("partial_rotary_factor", 1.0);
        let base = base(inner, f64::from(older));
        let kind = inner.key_of("rope_type", "type");
        let kind = if inner.says("rope_type") { "rope_type" } else { kind };
        let scaling = match inner.word(kind, Kind::Default, &KINDS) {
            Kind::Default => RotaryScaling::None,
            // As `_compute_dynamic_ntk_parameters`: up to `max_position_embeddings` tokens it changes nothing.
            Kind::Dynamic => {
                factor(inner);
                RotaryScaling::None
            }
            Kind::Linear => RotaryScaling::Linear { factor: factor(inner) },
            Kind::Llama3 => llama3(inner),
            Kind::Yarn => yarn(inner),
        };
        rotary(longest, base, scaling)
    })
}

fn rotary(longest: usize, base: f32, scaling: RotaryScaling) -> Position {
    Position::Rotary { longest, base, base_in_windows: base, scaling }
}

fn base(config: &mut ConfigReader<'_>, default: f64) -> f32 {
    config.number("rope_theta", default, 1.0..=1e12)
}

fn factor(config: &mut ConfigReader<'_>) -> f32 {
    needed(config, "factor", 1.0)
}

fn original(config: &mut ConfigReader<'_>) -> usize {
    config.needed_size("original_max_position_embeddings", LARGEST_TABLE)
}

/// A number of at least so much that has to be there.
fn needed(config: &mut ConfigReader<'_>, key: &str, least: f64) -> f32 {
    if !config.says(key) {
        config.refuse(key, "absent", format!("numbers from {least} to 1000000"));
        return least as f32;
    }
    config.number(key, least, least..=1e6)
}

/// As `_compute_llama3_parameters`.
fn llama3(config: &mut ConfigReader<'_>) -> RotaryScaling {
    let [low, high] = ["low_freq_factor", "high_freq_factor"].map(|key| needed(config, key, 0.0));
    if !config.refused("low_freq_factor") && !config.refused("high_freq_factor") && high <= low {
        config.refuse("high_freq_factor", high, format!("numbers above low_freq_factor, {low}"));
    }
    RotaryScaling::Llama3 {
        factor: factor(config),
        low_frequency_factor: low,
        high_frequency_factor: high,
        original_longest: original(config),
    }
}

/// As `_compute_yarn_parameters`: what turned values are multiplied with follows from the factor where it is not named.
fn yarn(config: &mut ConfigReader<'_>) -> RotaryScaling {
    let factor = factor(config);
    let optional = |config: &mut ConfigReader<'_>, key: &str| config.says(key).then(|| config.number(key, 0.0, 0.0..=1e6));
    let given = optional(config, "attention_factor");
    let [one, all] = ["mscale", "mscale_all_dim"].map(|key| optional(config, key).filter(|scale| *scale != 0.0));
    let [fast, slow] = ["beta_fast", "beta_slow"].map(|key| optional(config, key).filter(|turns| *turns != 0.0));
    let grown = |scale: f32| if factor <= 1.0 { 1.0 } else { 0.1 * scale * factor.ln() + 1.0 };
    let followed = match (one, all) {
        (Some(one), Some(all)) => grown(one) / grown(all),
        _ => grown(1.0),
    };
    RotaryScaling::Yarn {
        factor,
        fast: fast.unwrap_or(32.0),
        slow: slow.unwrap_or(1.0),
        original_longest: original(config),
        attention_factor: given.unwrap_or(followed),
        truncate: config.switch("truncate", true),
    }
}
