//! The accepted word that a misspelt one most likely means. Knows nothing of where the words come from.

/// The nearest of the candidates, where one is near enough to be meant.
pub(crate) fn nearest<'a, T: AsRef<str>>(word: &str, candidates: &'a [T]) -> Option<&'a str> {
    let word = folded(word);
    // A number that is one digit away from another is a different number, not a slip.
    if word.is_empty() || word.parse::<f64>().is_ok() {
        return None;
    }
    let length = word.chars().count();
    candidates
        .iter()
        .map(AsRef::as_ref)
        .filter_map(|candidate| {
            let other = folded(candidate);
            let longer = length.max(other.chars().count());
            let distance = strsim::damerau_levenshtein(&word, &other);
            let near = distance < longer && distance <= (longer / 3).max(1);
            near.then_some((distance, candidate))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

fn folded(word: &str) -> String {
    // Long values cannot be slips of a name, and the distance takes time quadratic in their length.
    word.trim().to_lowercase().chars().take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_the_word_that_was_meant() {
        let cases = [
            ("posittive", Some("positive")),
            ("Positive", Some("positive")),
            (" neutral", Some("neutral")),
            ("nuetral", Some("neutral")),
            ("banana", None),
            ("", None),
            ("1", None),
        ];
        for (word, expected) in cases {
            assert_eq!(nearest(word, &["negative", "neutral", "positive", "2"]), expected, "{word}");
        }
        assert_eq!(nearest("标记", &["文本", "标签"]), Some("标签"));
    }
}
