//! Patterns over dotted parameter names, where `*` stands for any characters and `?` for one. Knows no parameter.

/// Whether the whole of `name` fits `pattern`.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut read) = (0, 0);
    // Where to go on when the characters after the last star do not fit: the star then takes one character more.
    let mut retry = None;
    while read < name.len() {
        match pattern.get(at) {
            Some('*') => {
                retry = Some((at + 1, read));
                at += 1;
            }
            Some(&wanted) if wanted == '?' || wanted == name[read] => {
                at += 1;
                read += 1;
            }
            _ => {
                let Some((after_star, taken)) = retry else { return false };
                retry = Some((after_star, taken + 1));
                (at, read) = (after_star, taken + 1);
            }
        }
    }
    pattern[at..].iter().all(|rest| *rest == '*')
}

/// How many near names an error shows.
const SHOWN: usize = 3;

/// The names that are most like a pattern which fits none: those that hold its longest plain part, or else the most similar ones.
pub(super) fn near(pattern: &str, names: &[&str]) -> Vec<String> {
    let plain = pattern.split(['*', '?']).max_by_key(|part| part.len()).unwrap_or_default().trim_matches('.');
    let holding = names.iter().filter(|name| !plain.is_empty() && name.contains(plain));
    let mut near: Vec<String> = holding.take(SHOWN).map(|name| (*name).to_owned()).collect();
    if near.is_empty() {
        let mut similar: Vec<(f64, &str)> = names.iter().map(|name| (strsim::jaro_winkler(pattern, name), *name)).collect();
        similar.sort_by(|left, right| right.0.total_cmp(&left.0));
        near.extend(similar.into_iter().take(SHOWN).map(|(_, name)| name.to_owned()));
    }
    near
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks_fit_what_they_should() {
        struct Case(&'static str, &'static str, bool);
        let cases = [
            Case("embeddings.*", "embeddings.word.weight", true),
            Case("embeddings.*", "encoder.embeddings.word", false),
            Case("*.bias", "encoder.layers.0.output.bias", true),
            Case("*.bias", "encoder.layers.0.output.biases", false),
            Case("encoder.layers.?.*", "encoder.layers.3.output.weight", true),
            Case("encoder.layers.?.*", "encoder.layers.13.output.weight", false),
            Case("*layers*weight", "encoder.layers.0.weight.weight", true),
            Case("pooler", "pooler.weight", false),
            Case("pooler.weight", "pooler.weight", true),
            Case("*", "", true),
            Case("", "pooler.weight", false),
            Case("*a*b", "aXbXab", true),
        ];
        for Case(pattern, name, expected) in cases {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn a_pattern_that_fits_nothing_has_near_names() {
        let names = ["embeddings.word.weight", "encoder.layers.0.output.bias", "pooler.weight"];
        assert_eq!(near("layers.0.*", &names), ["encoder.layers.0.output.bias"]);
        assert_eq!(near("poolr.weight", &names)[0], "pooler.weight");
    }
}
