//! Tokens with probabilities to words, words to entities (transformers' `TokenClassificationPipeline`: `aggregate_words`,
//! `group_entities`, `aggregate_overlapping_entities`). Knows no model and no tokenizer.

use graftling_text::TextToken;

use super::{Aggregated, AggregationStrategy};
use crate::metrics::Scheme;

/// A token and the probability of each label.
#[derive(Clone)]
pub(super) struct Scored<'a> {
    pub token: &'a TextToken,
    pub probabilities: Vec<f32>,
}

/// A token or a word with its label.
struct Piece {
    label: usize,
    probability: f32,
    word: String,
    characters: (usize, usize),
}

/// Which labels go together.
pub(super) struct Grouping<'a> {
    labels: &'a [String],
    parts: Vec<Part<'a>>,
}

/// What a label says of the pieces before and after it.
struct Part<'a> {
    /// The type; neighbours of one entity share it.
    kind: &'a str,
    /// What an entity that begins with this label is called.
    name: &'a str,
    begins: bool,
    ends: bool,
}

impl<'a> Grouping<'a> {
    /// By the letters of the labels. Where they are those of IOBES (BIOES), BILOU or IOE2, their `E-`, `S-`, `L-` and `U-` end entities,
    /// which transformers does not know: it would tell each such piece apart from its entity. Labels of every other kind are read
    /// as transformers reads them.
    pub fn of_labels(labels: &'a [String]) -> Self {
        let scheme = Scheme::of_tags(labels);
        let ended = matches!(scheme, Some(Scheme::Ioe2 | Scheme::Iobes | Scheme::Bilou));
        let part = |label: &'a String| {
            let name = label.split_once('-').map_or(label.as_str(), |(_, name)| name);
            match label.split_once('-') {
                Some(("B", kind)) => Part { kind, name, begins: true, ends: false },
                Some(("I", kind)) => Part { kind, name, begins: false, ends: false },
                Some(("E" | "L", kind)) if ended => Part { kind, name, begins: false, ends: true },
                Some(("S" | "U", kind)) if ended => Part { kind, name, begins: true, ends: true },
                _ => Part { kind: label, name, begins: false, ends: false },
            }
        };
        Self { labels, parts: labels.iter().map(part).collect() }
    }

    /// Whether entities of this type can come out.
    pub fn has_type(&self, name: &str) -> bool {
        self.parts.iter().any(|part| part.name == name)
    }

    /// The entities of a text or of one of its windows, those that will be left out included. `joined` makes text of written tokens.
    pub fn put_together(
        &self,
        tokens: &[Scored<'_>],
        strategy: AggregationStrategy,
        joined: &impl Fn(Vec<String>) -> String,
    ) -> Vec<Aggregated> {
        let alone = |scored: &Scored<'_>| {
            let label = largest(&scored.probabilities);
            let TextToken { written, characters, .. } = scored.token;
            Piece { label, probability: scored.probabilities[label], word: written.clone(), characters: *characters }
        };
        if strategy == AggregationStrategy::None {
            let said = |scored: &Scored<'_>| {
                let Piece { label, probability, word, characters } = alone(scored);
                Aggregated { label: self.labels[label].clone(), probability, token: Some(scored.token.place), word, characters }
            };
            return tokens.iter().map(said).collect();
        }
        let pieces: Vec<Piece> = if strategy == AggregationStrategy::Simple {
            tokens.iter().map(alone).collect()
        } else {
            tokens.chunk_by(|_, next| next.token.goes_on).map(|word| of_word(word, strategy, joined)).collect()
        };
        let one_entity = |before: &Piece, next: &Piece| {
            let (before, next) = (&self.parts[before.label], &self.parts[next.label]);
            before.kind == next.kind && !before.ends && !next.begins
        };
        let entity = |pieces: &[Piece]| Aggregated {
            label: self.parts[pieces[0].label].name.to_owned(),
            probability: pieces.iter().map(|piece| piece.probability).sum::<f32>() / pieces.len() as f32,
            token: None,
            word: joined(pieces.iter().map(|piece| piece.word.clone()).collect()),
            characters: (pieces[0].characters.0, pieces[pieces.len() - 1].characters.1),
        };
        pieces.chunk_by(one_entity).map(entity).collect()
    }
}

/// One word, of one token or more.
fn of_word(tokens: &[Scored<'_>], strategy: AggregationStrategy, joined: &impl Fn(Vec<String>) -> String) -> Piece {
    let surest = |scored: &&Scored<'_>| scored.probabilities.iter().copied().fold(0.0, f32::max);
    let probabilities = match strategy {
        AggregationStrategy::Average => {
            let columns = 0..tokens[0].probabilities.len();
            let sum = |column: usize| tokens.iter().map(|scored| scored.probabilities[column]).sum::<f32>();
            columns.map(|column| sum(column) / tokens.len() as f32).collect()
        }
        AggregationStrategy::Max => {
            // The first of equally sure ones.
            let best = tokens.iter().reduce(|best, next| if surest(&next) > surest(&best) { next } else { best });
            best.map_or_else(Vec::new, |best| best.probabilities.clone())
        }
        _ => tokens[0].probabilities.clone(),
    };
    let label = largest(&probabilities);
    Piece {
        label,
        probability: probabilities[label],
        word: joined(tokens.iter().map(|scored| scored.token.written.clone()).collect()),
        characters: (tokens[0].token.characters.0, tokens[tokens.len() - 1].token.characters.1),
    }
}

/// Of entities that overlap the longest, of equally long ones the surest; in the order of their beginnings.
pub(super) fn without_overlaps(mut entities: Vec<Aggregated>) -> Vec<Aggregated> {
    entities.sort_by_key(|entity| entity.characters.0);
    let length = |entity: &Aggregated| entity.characters.1 - entity.characters.0;
    let mut kept: Vec<Aggregated> = Vec::with_capacity(entities.len());
    for entity in entities {
        match kept.last_mut() {
            Some(last) if entity.characters.0 < last.characters.1 => {
                let (own, other) = (length(&entity), length(last));
                if own > other || (own == other && entity.probability > last.probability) {
                    *last = entity;
                }
            }
            _ => kept.push(entity),
        }
    }
    kept
}

/// The first of the largest values.
fn largest(values: &[f32]) -> usize {
    values.iter().enumerate().fold(0, |best, (place, value)| if *value > values[best] { place } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tokens that are labelled like this with probability 0.9, the rest shared by the other labels; a token that begins with `#` goes
    /// on with the word before it.
    fn told(labels: &[&str], tokens: &[(&str, &str)], strategy: AggregationStrategy) -> Vec<(String, String)> {
        let labels: Vec<String> = labels.iter().map(|label| (*label).to_owned()).collect();
        let token = |(place, (written, _)): (usize, &(&str, &str))| TextToken {
            written: written.trim_start_matches('#').to_owned(),
            characters: (place, place + 1),
            goes_on: written.starts_with('#'),
            place,
        };
        let text: Vec<TextToken> = tokens.iter().enumerate().map(token).collect();
        let probabilities = |label: &str| labels.iter().map(|own| if own == label { 0.9 } else { 0.01 }).collect();
        let scored: Vec<Scored<'_>> =
            text.iter().zip(tokens).map(|(token, (_, label))| Scored { token, probabilities: probabilities(label) }).collect();
        let said = Grouping::of_labels(&labels).put_together(&scored, strategy, &|written| written.join(" "));
        said.into_iter().filter(|one| one.label != "O").map(|one| (one.label, one.word)).collect()
    }

    #[test]
    fn entities_are_right_in_every_scheme() {
        /// Scheme, labels, the tags of five words, and the entities they mean.
        type Case<'a> = (&'a str, &'a [&'a str], &'a [&'a str], &'a [(&'a str, &'a str)]);
        let cases: [Case<'_>; 6] = [
            ("IOB1", &["B-X", "I-X", "I-Y", "O"], &["I-X", "I-X", "B-X", "I-Y", "O"], &[("X", "a b"), ("X", "c"), ("Y", "d")]),
            ("IOB2", &["B-X", "I-X", "I-Y", "O"], &["B-X", "I-X", "B-X", "I-Y", "O"], &[("X", "a b"), ("X", "c"), ("Y", "d")]),
            (
                "BIOES",
                &["B-X", "I-X", "E-X", "S-X", "O"],
                &["B-X", "I-X", "E-X", "S-X", "S-X"],
                &[("X", "a b c"), ("X", "d"), ("X", "e")],
            ),
            (
                "BILOU",
                &["B-X", "I-X", "L-X", "U-X", "O"],
                &["B-X", "L-X", "U-X", "U-X", "O"],
                &[("X", "a b"), ("X", "c"), ("X", "d")],
            ),
            ("IOE2", &["I-X", "E-X", "O"], &["I-X", "E-X", "E-X", "O", "I-X"], &[("X", "a b"), ("X", "c"), ("X", "e")]),
            (
                "none",
                &["NOUN", "VERB", "O"],
                &["NOUN", "NOUN", "VERB", "O", "VERB"],
                &[("NOUN", "a b"), ("VERB", "c"), ("VERB", "e")],
            ),
        ];
        for (name, labels, tags, expected) in cases {
            let tokens: Vec<(&str, &str)> = ["a", "b", "c", "d", "e"].into_iter().zip(tags.iter().copied()).collect();
            let expected: Vec<(String, String)> =
                expected.iter().map(|(label, word)| ((*label).to_owned(), (*word).to_owned())).collect();
            for strategy in [AggregationStrategy::Simple, AggregationStrategy::First, AggregationStrategy::Max] {
                assert_eq!(told(labels, &tokens, strategy), expected, "{name} {strategy}");
            }
        }
    }

    #[test]
    fn a_word_is_of_one_type_unless_tokens_are_taken_as_they_are() {
        let tokens = [("micro", "B-ORG"), ("#soft", "I-NAME"), ("com", "I-ORG"), ("#pany", "I-ORG")];
        let labels = ["B-ORG", "I-NAME", "I-ORG", "O"];
        let told = |strategy| told(&labels, &tokens, strategy);
        let own =
            |said: &[(&str, &str)]| said.iter().map(|(one, two)| ((*one).to_owned(), (*two).to_owned())).collect::<Vec<_>>();
        assert_eq!(told(AggregationStrategy::Simple), own(&[("ORG", "micro"), ("NAME", "soft"), ("ORG", "com pany")]));
        assert_eq!(told(AggregationStrategy::First), own(&[("ORG", "micro soft com pany")]));
        assert_eq!(told(AggregationStrategy::None).len(), 4);
    }
}
