//! What can be wrong with words, tags and entities of one line, and how it is said.
//! Knows nothing of how it is found.

use std::fmt;

use crate::wording::{counted, quoted};

/// One thing that is wrong with an example whose words have tags.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum TokenProblem {
    /// A line has more or fewer columns than the first one.
    Ragged { found: usize, expected: usize, first_line: usize, separator: &'static str },
    /// The file has words and nothing else.
    OnlyWords { word: String },
    /// The first column counts the words of a sentence.
    NumberedWords,
    /// The file has comments and blank lines only.
    NoSentence,
    /// An example has no words.
    NoWords { column: String },
    /// A word is empty or only white space.
    EmptyWord { item: Option<usize> },
    /// A tag is empty or only white space.
    EmptyTag { item: Option<usize> },
    /// A value is no list of words or tags.
    NotAList { column: String, found: String },
    /// A value is no list of entities.
    NoEntityList { column: String, found: String },
    /// An item of a list is no string.
    NotAString { column: String, item: usize, found: String },
    /// A tag is a number.
    NumberTag { column: String, item: usize, found: String },
    /// There are more or fewer tags than words.
    TagCount { words: usize, tags: usize },
    /// An entity is no object, or a part of it is missing or of the wrong type.
    EntityPart { item: usize, part: EntityPart, found: String },
    /// An entity begins at its end or after it.
    EntityOrder { item: usize, start: u64, end: u64 },
    /// An entity ends behind the text.
    EntityBeyond { item: usize, start: u64, end: u64, characters: usize },
    /// An entity has only white space in it.
    EntityBlank { item: usize, start: usize, end: usize },
    /// Two entities share characters.
    EntityOverlap { first: EntityAt, second: EntityAt },
}

/// Which part of an entity is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EntityPart {
    Whole,
    Start,
    End,
    Label,
}

/// An entity as a message names it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct EntityAt {
    pub item: usize,
    pub label: String,
    pub start: usize,
    pub end: usize,
}

impl fmt::Display for EntityAt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "entity {} ({}, {} to {})", self.item, quoted(&self.label), self.start, self.end)
    }
}

impl fmt::Display for TokenProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ragged { found, expected, first_line, separator } => write!(
                formatter,
                "{} separated by {separator} where line {first_line} has {expected}; every line needs the same columns, \
                 the word first and its tag last, and a blank line ends a sentence",
                counted(*found, "column", "columns")
            ),
            Self::OnlyWords { word } => write!(
                formatter,
                "one column only ({}) where a tag is needed after the word, separated by a tab or blanks",
                quoted(word)
            ),
            Self::NumberedWords => formatter.write_str(
                "the first of ten columns counts the words, as in CoNLL-U; keep the column of the words and that of the tags \
                 (cut -f 2,4 keeps words and parts of speech)",
            ),
            Self::NoSentence => formatter.write_str("no sentence in the file, only comments and blank lines"),
            Self::NoWords { column } => write!(formatter, "{} holds no word; fill it in or drop the row", quoted(column)),
            Self::EmptyWord { item } => write!(formatter, "{}the word is empty; fill it in, or drop it and its tag", Item(*item)),
            Self::EmptyTag { item } => {
                write!(formatter, "{}the tag is empty; a word outside of all entities has \"O\"", Item(*item))
            }
            Self::NotAList { column, found } => {
                write!(
                    formatter,
                    "{} holds {found} where a list is needed, such as [\"...\", \"...\"]; jsonl has lists, csv and tsv have none",
                    quoted(column)
                )
            }
            Self::NoEntityList { column, found } => write!(
                formatter,
                "{} holds {found} where a list is needed, such as [{{\"start\": 0, \"end\": 5, \"label\": \"PER\"}}]; jsonl has lists, \
                 csv and tsv have none",
                quoted(column)
            ),
            Self::NotAString { column, item, found } => {
                write!(formatter, "item {item} of {} is {found} where a string is needed", quoted(column))
            }
            Self::NumberTag { column, item, found } => write!(
                formatter,
                "item {item} of {} is {found}; numbers say nothing without their list of names, write the names of the tags, \
                 such as \"B-PER\"",
                quoted(column)
            ),
            Self::TagCount { words, tags } => {
                write!(formatter, "{} but {}", counted(*words, "word", "words"), counted(*tags, "tag", "tags"))
            }
            Self::EntityPart { item, part, found } => write!(
                formatter,
                "{} of entity {item} is {found}; accepted are {{\"start\": 0, \"end\": 5, \"label\": \"PER\"}} and the like, \
                 start and end counted in characters",
                match part {
                    EntityPart::Whole => "the whole",
                    EntityPart::Start => "the \"start\"",
                    EntityPart::End => "the \"end\"",
                    EntityPart::Label => "the \"label\"",
                }
            ),
            Self::EntityOrder { item, start, end } => {
                write!(formatter, "entity {item} is from {start} to {end}; the start must be below the end")
            }
            Self::EntityBeyond { item, start, end, characters } => write!(
                formatter,
                "entity {item} is from {start} to {end}, but the text has {}; count in characters, not bytes, from 0",
                counted(*characters, "character", "characters")
            ),
            Self::EntityBlank { item, start, end } => {
                write!(formatter, "entity {item} is from {start} to {end}, where the text has white space only")
            }
            Self::EntityOverlap { first, second } => {
                write!(formatter, "{first} and {second} overlap; each word has one tag, keep one of them")
            }
        }
    }
}

/// `item 3: `, or nothing where the line tells enough.
struct Item(Option<usize>);

impl fmt::Display for Item {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |item| write!(formatter, "item {item}: "))
    }
}
