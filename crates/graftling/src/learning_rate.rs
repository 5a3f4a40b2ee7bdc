//! The learning rate where a recipe names none. Knows the model's width and nothing else of it.

/// The learning rate where a recipe names none: transformers' 5e-5 for a model as wide as BERT-base, and more for narrower ones.
/// With Adam the best rate falls as one over the width (Yang and others, "Tensor Programs V", 2022, table 3).
pub(crate) fn for_width(hidden_size: usize) -> f32 {
    const RATE_AT_768: f64 = 5e-5;
    (RATE_AT_768 * 768.0 / hidden_size as f64) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_of_no_choice_falls_with_the_width() {
        for (hidden_size, expected) in [(768, 5e-5), (384, 1e-4), (1024, 3.75e-5), (128, 3e-4)] {
            assert_eq!(for_width(hidden_size), expected, "{hidden_size}");
        }
    }
}
