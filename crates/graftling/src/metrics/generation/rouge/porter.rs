//! Porter's stemmer ("An algorithm for suffix stripping", 1980) with NLTK's extensions, which rouge_score stems with. Knows ASCII letters.

/// Words that follow no rule, and those that stay as they are.
const IRREGULAR: [(&str, &str); 7] = [
    ("skies", "sky"),
    ("dying", "die"),
    ("lying", "lie"),
    ("tying", "tie"),
    ("innings", "inning"),
    ("outings", "outing"),
    ("cannings", "canning"),
];
const KEPT: [&str; 9] = ["sky", "news", "inning", "outing", "canning", "howe", "proceed", "exceed", "succeed"];

/// An ending, and what comes in its place.
type Rule = (&'static str, &'static str);

const PLURAL: [Rule; 4] = [("sses", "ss"), ("ies", "i"), ("ss", "ss"), ("s", "")];
const SHORT_ENDINGS: [Rule; 3] = [("at", "ate"), ("bl", "ble"), ("iz", "ize")];
const DOUBLE_SUFFIXES: [Rule; 22] = [
    ("ational", "ate"),
    ("tional", "tion"),
    ("enci", "ence"),
    ("anci", "ance"),
    ("izer", "ize"),
    ("bli", "ble"),
    ("alli", "al"),
    ("entli", "ent"),
    ("eli", "e"),
    ("ousli", "ous"),
    ("ization", "ize"),
    ("ation", "ate"),
    ("ator", "ate"),
    ("alism", "al"),
    ("iveness", "ive"),
    ("fulness", "ful"),
    ("ousness", "ous"),
    ("aliti", "al"),
    ("iviti", "ive"),
    ("biliti", "ble"),
    ("fulli", "ful"),
    ("logi", "log"),
];
const ADJECTIVES: [Rule; 7] =
    [("icate", "ic"), ("ative", ""), ("alize", "al"), ("iciti", "ic"), ("ical", "ic"), ("ful", ""), ("ness", "")];
const SUFFIXES: [Rule; 19] = [
    ("al", ""),
    ("ance", ""),
    ("ence", ""),
    ("er", ""),
    ("ic", ""),
    ("able", ""),
    ("ible", ""),
    ("ant", ""),
    ("ement", ""),
    ("ment", ""),
    ("ent", ""),
    ("ion", ""),
    ("ou", ""),
    ("ism", ""),
    ("ate", ""),
    ("iti", ""),
    ("ous", ""),
    ("ive", ""),
    ("ize", ""),
];

/// The stem of a word of small letters and digits.
pub(super) fn stem(word: &str) -> String {
    let irregular = IRREGULAR.iter().find(|(irregular, _)| *irregular == word);
    if let Some((_, stem)) = irregular {
        return (*stem).to_owned();
    }
    if word.len() <= 2 || KEPT.contains(&word) {
        return word.to_owned();
    }
    let steps = [plural, past, final_y, double_suffix, adjective, suffix, final_e, final_l];
    steps.iter().fold(word.to_owned(), |word, step| step(&word).unwrap_or(word))
}

/// Step 1a; of `ies` after one letter the `e` stays.
fn plural(word: &str) -> Option<String> {
    match word.strip_suffix("ies") {
        Some(stem) if stem.len() == 1 => Some(format!("{stem}ie")),
        _ => replaced(word, &PLURAL, |_, _| true),
    }
}

/// Step 1b; of `ied` after one letter the `e` stays.
fn past(word: &str) -> Option<String> {
    if let Some(stem) = word.strip_suffix("ied") {
        return Some(format!("{stem}{}", if stem.len() == 1 { "ie" } else { "i" }));
    }
    if let Some(stem) = word.strip_suffix("eed") {
        return (measure(stem) > 0).then(|| format!("{stem}ee"));
    }
    let stem = ["ed", "ing"].iter().find_map(|suffix| word.strip_suffix(suffix).filter(|stem| has_vowel(stem)))?;
    if let Some(whole) = replaced(stem, &SHORT_ENDINGS, |_, _| true) {
        return Some(whole);
    }
    if ends_in_double_consonant(stem) {
        let kept = if stem.ends_with(['l', 's', 'z']) { stem } else { &stem[..stem.len() - 1] };
        return Some(kept.to_owned());
    }
    let e = if measure(stem) == 1 && ends_short(stem) { "e" } else { "" };
    Some(format!("{stem}{e}"))
}

/// Step 1c; only after a consonant that is not the first letter.
fn final_y(word: &str) -> Option<String> {
    replaced(word, &[("y", "i")], |stem, _| stem.len() > 1 && consonants(stem).last() == Some(&true))
}

/// Step 2; what `alli` leaves goes through it again, and the `l` of `logi` counts as part of the stem.
fn double_suffix(word: &str) -> Option<String> {
    if let Some(stem) = word.strip_suffix("alli").filter(|stem| measure(stem) > 0) {
        let word = format!("{stem}al");
        return Some(double_suffix(&word).unwrap_or(word));
    }
    replaced(word, &DOUBLE_SUFFIXES, |stem, suffix| measure(&word[..stem.len() + usize::from(suffix == "logi")]) > 0)
}

/// Step 3.
fn adjective(word: &str) -> Option<String> {
    replaced(word, &ADJECTIVES, |stem, _| measure(stem) > 0)
}

/// Step 4; `ion` goes after `s` and `t` only.
fn suffix(word: &str) -> Option<String> {
    replaced(word, &SUFFIXES, |stem, suffix| measure(stem) > 1 && (suffix != "ion" || stem.ends_with(['s', 't'])))
}

/// Step 5a.
fn final_e(word: &str) -> Option<String> {
    replaced(word, &[("e", "")], |stem, _| measure(stem) > 1 || measure(stem) == 1 && !ends_short(stem))
}

/// Step 5b.
fn final_l(word: &str) -> Option<String> {
    replaced(word, &[("ll", "l")], |stem, _| measure(&word[..stem.len() + 1]) > 1)
}

/// The word by the first rule whose ending it has, where the condition on stem and ending holds; no other rule is tried then.
fn replaced(word: &str, rules: &[Rule], condition: impl Fn(&str, &str) -> bool) -> Option<String> {
    let (stem, rule) = rules.iter().find_map(|rule| Some((word.strip_suffix(rule.0)?, rule)))?;
    condition(stem, rule.0).then(|| format!("{stem}{}", rule.1))
}

/// Whether each letter is a consonant. `y` is one at the beginning and after a vowel; digits are.
fn consonants(word: &str) -> Vec<bool> {
    let mut consonants = Vec::with_capacity(word.len());
    for letter in word.bytes() {
        consonants.push(match letter {
            b'a' | b'e' | b'i' | b'o' | b'u' => false,
            b'y' => consonants.last().is_none_or(|before| !before),
            _ => true,
        });
    }
    consonants
}

/// How many times vowels are followed by consonants: the `m` of the paper.
fn measure(stem: &str) -> usize {
    consonants(stem).windows(2).filter(|pair| **pair == [false, true]).count()
}

fn has_vowel(stem: &str) -> bool {
    consonants(stem).contains(&false)
}

fn ends_in_double_consonant(word: &str) -> bool {
    let letters = word.as_bytes();
    letters.len() >= 2 && letters[letters.len() - 1] == letters[letters.len() - 2] && consonants(word).last() == Some(&true)
}

/// Consonant, vowel, consonant other than w, x and y (the `*o` of the paper); also a word that is a vowel and a consonant.
fn ends_short(word: &str) -> bool {
    match consonants(word)[..] {
        [.., true, false, true] => !word.ends_with(['w', 'x', 'y']),
        [first, second] => !first && second,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    /// A word a line: the word, how many of its letters go, and what comes in their place, by NLTK.
    #[test]
    fn stems_are_those_of_nltk() {
        let bytes = include_bytes!("../../../../tests/golden/stems.txt.gz");
        let mut text = String::new();
        flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap();
        let (mut words, mut wrong) = (0, Vec::new());
        for line in text.lines() {
            let mut parts = line.split(' ');
            let (word, gone) = (parts.next().unwrap(), parts.next().unwrap().parse::<usize>().unwrap());
            let expected = format!("{}{}", &word[..word.len() - gone], parts.next().unwrap_or_default());
            words += 1;
            if stem(word) != expected {
                wrong.push(format!("{word}: {}, not {expected}", stem(word)));
            }
        }
        assert!(words > 20_000, "{words} words");
        assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong[..wrong.len().min(20)].join("\n"));
    }
}
