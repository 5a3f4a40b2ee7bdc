//! The schemes by which tags of words say where entities begin and end (Ramshaw and Marcus 1995; seqeval 1.2.2). Knows tags only.

use std::fmt;

use crate::recipe::TagScheme;

/// An entity: its type, and the words it is made of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The type, `PER` for instance; `_` where a tag has none.
    pub kind: String,
    /// The first word.
    pub start: usize,
    /// The word after the last one.
    pub end: usize,
}

/// How tags are to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `I-` inside; `B-` only where an entity follows another of its type at once.
    Iob1,
    /// `B-` begins every entity, `I-` goes on.
    Iob2,
    /// `I-` inside, `E-` ends every entity.
    Ioe2,
    /// `B-` begins, `I-` goes on, `E-` ends, `S-` is an entity of one word (BIOES).
    Iobes,
    /// The same with `L-` for the last word and `U-` for a single one.
    Bilou,
}

/// What must be true of the types of two neighbours.
#[derive(Clone, Copy, PartialEq)]
enum Types {
    Any,
    Same,
    Different,
}
use Types::{Any, Different, Same};

/// The letter of one tag, the letter of the next, and their types; `*` stands for any letter.
type Pattern = (char, char, Types);

/// What two neighbours mean: an entity starts with the second, goes on with it, or ended with the first.
struct Patterns {
    start: &'static [Pattern],
    inside: &'static [Pattern],
    end: &'static [Pattern],
}

impl fmt::Display for Scheme {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Iob1 => "IOB1",
            Self::Iob2 => "IOB2",
            Self::Ioe2 => "IOE2",
            Self::Iobes => "IOBES",
            Self::Bilou => "BILOU",
        })
    }
}

impl From<TagScheme> for Scheme {
    fn from(chosen: TagScheme) -> Self {
        match chosen {
            TagScheme::Iob1 => Self::Iob1,
            TagScheme::Iob2 => Self::Iob2,
            TagScheme::Ioe2 => Self::Ioe2,
            TagScheme::Iobes => Self::Iobes,
            TagScheme::Bilou => Self::Bilou,
        }
    }
}

impl Scheme {
    /// The scheme that a set of tags is written in, as seqeval's `auto_detect` finds it by their letters; `None` where it is none of
    /// IOB2, IOE2, IOBES and BILOU. IOB1 has the letters of IOB2 and cannot be told from it by the set of tags.
    pub fn of_tags<T: AsRef<str>>(tags: &[T]) -> Option<Self> {
        let mut letters: Vec<char> = tags.iter().filter_map(|tag| tag.as_ref().chars().next()).collect();
        letters.sort_unstable();
        letters.dedup();
        let letters: String = letters.into_iter().collect();
        match letters.as_str() {
            "BIO" | "BI" | "BO" | "B" => Some(Self::Iob2),
            "EIO" | "EI" | "EO" | "E" => Some(Self::Ioe2),
            "BEIOS" | "BEIS" | "BEIO" | "BEOS" | "BEI" | "BES" | "BEO" | "BE" | "S" => Some(Self::Iobes),
            "BILOU" | "BILU" | "BILO" | "BLOU" | "BIL" | "BLU" | "BLO" | "BL" | "U" => Some(Self::Bilou),
            _ => None,
        }
    }

    /// The first of these tags that has no letter of the scheme.
    pub(crate) fn stranger<T: AsRef<str>>(self, tags: &[T]) -> Option<&str> {
        let known = |tag: &&str| tag.chars().next().is_some_and(|letter| letter == 'O' || self.letters().contains(letter));
        tags.iter().map(AsRef::as_ref).find(|tag| !known(tag))
    }

    /// The letters that the scheme knows beside `O`.
    fn letters(self) -> &'static str {
        match self {
            Self::Iob1 | Self::Iob2 => "IB",
            Self::Ioe2 => "IE",
            Self::Iobes => "IBES",
            Self::Bilou => "IBLU",
        }
    }

    fn patterns(self) -> Patterns {
        match self {
            Self::Iob1 => Patterns {
                start: &[('O', 'I', Any), ('I', 'I', Different), ('B', 'I', Any), ('I', 'B', Same), ('B', 'B', Same)],
                inside: &[('B', 'I', Same), ('I', 'I', Same)],
                end: &[
                    ('I', 'I', Different),
                    ('I', 'O', Any),
                    ('I', 'B', Any),
                    ('B', 'O', Any),
                    ('B', 'I', Different),
                    ('B', 'B', Same),
                ],
            },
            Self::Iob2 => Patterns {
                start: &[('*', 'B', Any)],
                inside: &[('B', 'I', Same), ('I', 'I', Same)],
                end: &[
                    ('I', 'O', Any),
                    ('I', 'I', Different),
                    ('I', 'B', Any),
                    ('B', 'O', Any),
                    ('B', 'I', Different),
                    ('B', 'B', Any),
                ],
            },
            Self::Ioe2 => Patterns {
                start: &[
                    ('O', 'I', Any),
                    ('O', 'E', Any),
                    ('E', 'I', Any),
                    ('E', 'E', Any),
                    ('I', 'I', Different),
                    ('I', 'E', Different),
                ],
                inside: &[('I', 'E', Same), ('I', 'I', Same)],
                end: &[('E', '*', Any)],
            },
            Self::Iobes => Patterns {
                start: &[('*', 'B', Any), ('*', 'S', Any)],
                inside: &[('B', 'I', Same), ('B', 'E', Same), ('I', 'I', Same), ('I', 'E', Same)],
                end: &[('S', '*', Any), ('E', '*', Any)],
            },
            Self::Bilou => Patterns {
                start: &[('*', 'B', Any), ('*', 'U', Any)],
                inside: &[('B', 'I', Same), ('B', 'L', Same), ('I', 'I', Same), ('I', 'L', Same)],
                end: &[('U', '*', Any), ('L', '*', Any)],
            },
        }
    }

    /// The entities that the tags of a sentence spell by the letter of the scheme; anything else is none (seqeval's strict mode).
    /// `None` where a tag has a letter that the scheme does not know.
    pub fn entities<T: AsRef<str>>(self, tags: &[T]) -> Option<Vec<Span>> {
        let tags: Vec<(char, &str)> = tags.iter().map(|tag| parts(tag.as_ref())).chain([OUTSIDE]).collect();
        if tags.iter().any(|(letter, _)| *letter != 'O' && !self.letters().contains(*letter)) {
            return None;
        }
        let Patterns { start, inside, end } = self.patterns();
        let mut spans = Vec::new();
        let (mut place, mut before) = (0, OUTSIDE);
        while place < tags.len() {
            if fits(start, before, tags[place]) {
                let first = place;
                place += 1;
                while place < tags.len() && fits(inside, tags[place - 1], tags[place]) {
                    place += 1;
                }
                // The last tag is outside, which nothing goes on with: there is always one after the entity.
                if fits(end, tags[place - 1], tags[place]) {
                    spans.push(Span { kind: tags[first].1.to_owned(), start: first, end: place });
                }
            } else {
                place += 1;
            }
            before = tags[place - 1];
        }
        Some(spans)
    }
}

const OUTSIDE: (char, &str) = ('O', "_");

/// The letter of a tag and its type.
fn parts(tag: &str) -> (char, &str) {
    let mut characters = tag.chars();
    let letter = characters.next().unwrap_or('O');
    match characters.as_str().trim_matches('-') {
        "" => (letter, "_"),
        kind => (letter, kind),
    }
}

fn fits(patterns: &[Pattern], before: (char, &str), now: (char, &str)) -> bool {
    patterns.iter().any(|&(first, second, types)| {
        (first == '*' || first == before.0)
            && (second == '*' || second == now.0)
            && match types {
                Any => true,
                Same => before.1 == now.1,
                Different => before.1 != now.1,
            }
    })
}

/// The entities that the tags of a sentence mean to a tolerant reader, whatever their scheme: an `I-` after `O` begins one, another type
/// begins the next (the rules of `conlleval`; seqeval's `get_entities`).
pub fn tolerant_entities<T: AsRef<str>>(tags: &[T]) -> Vec<Span> {
    let mut spans = Vec::new();
    let (mut before, mut start) = (('O', ""), 0);
    let tags = tags.iter().map(|tag| tolerant_parts(tag.as_ref())).chain([('O', "_")]);
    for (place, now) in tags.enumerate() {
        let changed = before.1 != now.1;
        let ended = match (before.0, now.0) {
            ('E' | 'S', _) | ('B' | 'I', 'B' | 'S' | 'O') => true,
            (letter, _) => letter != 'O' && letter != '.' && changed,
        };
        if ended {
            spans.push(Span { kind: before.1.to_owned(), start, end: place });
        }
        let begun = match (before.0, now.0) {
            (_, 'B' | 'S') | ('E' | 'S' | 'O', 'E' | 'I') => true,
            (_, letter) => letter != 'O' && letter != '.' && changed,
        };
        if begun {
            start = place;
        }
        before = now;
    }
    spans
}

/// The letter of a tag and what stands behind its first hyphen.
fn tolerant_parts(tag: &str) -> (char, &str) {
    let mut characters = tag.chars();
    let letter = characters.next().unwrap_or('O');
    let rest = characters.as_str();
    match rest.split_once('-').map_or(rest, |(_, kind)| kind) {
        "" => (letter, "_"),
        kind => (letter, kind),
    }
}
