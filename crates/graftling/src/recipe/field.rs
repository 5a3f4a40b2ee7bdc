//! What is known of one recipe option: its name, the values it accepts (as data), its default, its help and its group.
//! Knows no option by name (`options` has the table) and no flag parser; the command line makes its flags from this.

use std::fmt;

use super::file::Raw;
use super::label_numbers::of_label;
use super::value::Value;

/// One option of a recipe; the same row makes a key of `recipe.toml` and a flag.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// The name in `recipe.toml`, with underscores.
    pub name: &'static str,
    /// The values it accepts.
    pub kind: Kind,
    /// What holds when it is not given.
    pub default: FieldDefault,
    /// One plain sentence or two.
    pub help: &'static str,
    /// The heading it is shown under.
    pub group: Group,
}

/// What holds when an option is not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldDefault {
    /// It must be given.
    Required,
    /// This value, as it would be typed.
    Typed(&'static str),
    /// Nothing; the text says what happens then.
    Unset(&'static str),
}

/// The heading an option is shown under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// What is run, and where it goes.
    Run,
    /// The data files and their columns.
    Data,
    /// How much is trained, in what portions.
    Batches,
    /// Optimizer, learning rate and schedule.
    Optimization,
    /// Which parameters train, at what share of the rate.
    Parameters,
    /// Evaluation during training, and what is kept.
    Evaluation,
}

impl Group {
    /// Every group, in the order of the table.
    pub const ALL: &[Group] =
        &[Group::Run, Group::Data, Group::Batches, Group::Optimization, Group::Parameters, Group::Evaluation];
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Group::Run => "Run",
            Group::Data => "Data",
            Group::Batches => "Length and batches",
            Group::Optimization => "Optimization",
            Group::Parameters => "What trains",
            Group::Evaluation => "Evaluation and checkpoints",
        })
    }
}

/// The values an option accepts. `words` are accepted beside numbers ("none", "auto", "epoch").
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// Any text that is not empty; the placeholder names it in help (MODEL, COLUMN).
    Text(&'static str),
    /// The path of a file or folder.
    Path(&'static str),
    /// Texts, given as a TOML array or by repeating the flag.
    Texts(&'static str),
    /// Numbers of labels, each given as `LABEL=NUMBER`, all above 0; or one of some words.
    OfLabels {
        /// The words.
        words: &'static [&'static str],
        /// What such a number is, in one word: `weight`.
        number: &'static str,
        /// The upper end.
        to: Bound,
    },
    /// true or false.
    Flag,
    /// One of these words.
    Choice {
        /// A word accepted beside the choices, for "not chosen".
        word: Option<&'static str>,
        /// The choices.
        choices: &'static [&'static str],
    },
    /// A whole number from `least` to `most`.
    Integer {
        /// A word accepted beside the numbers.
        word: Option<&'static str>,
        /// The smallest number accepted.
        least: u64,
        /// The largest number accepted.
        most: u64,
    },
    /// A number within a range.
    Number {
        /// A word accepted beside the numbers.
        word: Option<&'static str>,
        /// The lower end.
        from: Bound,
        /// The upper end.
        to: Bound,
    },
    /// A share from 0 to below 1, or a whole number of steps from 1 to `most`.
    ShareOrSteps {
        /// The largest number of steps accepted.
        most: u64,
    },
}

/// One end of a range of numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bound {
    /// The end itself is accepted.
    Included(f64),
    /// The end itself is not accepted.
    Excluded(f64),
}

impl Field {
    /// The name as a flag, with hyphens and without the leading two.
    pub fn flag(&self) -> String {
        self.name.replace('_', "-")
    }

    /// The default as printed in help and in the reference.
    pub fn default_text(&self) -> &'static str {
        match self.default {
            FieldDefault::Required => "required",
            FieldDefault::Typed(text) | FieldDefault::Unset(text) => text,
        }
    }

    /// What is accepted, as one phrase.
    pub fn accepted(&self) -> String {
        self.kind.to_string()
    }
}

impl Kind {
    /// What stands for the value in a line of help: `FILE`, `N`, `none|N`, `linear|cosine|constant`.
    pub fn placeholder(&self) -> String {
        match self {
            Kind::Text(name) | Kind::Path(name) | Kind::Texts(name) => (*name).to_owned(),
            Kind::OfLabels { words, number, .. } => format!("{}|LABEL={}", words.join("|"), number.to_uppercase()),
            Kind::Flag => "true|false".to_owned(),
            Kind::Choice { choices, .. } => self.word().into_iter().chain(choices.iter().copied()).collect::<Vec<_>>().join("|"),
            Kind::Integer { word: None, .. } => "N".to_owned(),
            Kind::Integer { word: Some(word), .. } => format!("{word}|N"),
            Kind::Number { word: None, .. } => "X".to_owned(),
            Kind::Number { word: Some(word), .. } => format!("{word}|X"),
            Kind::ShareOrSteps { .. } => "SHARE|STEPS".to_owned(),
        }
    }

    /// The word accepted beside the values proper.
    pub fn word(&self) -> Option<&'static str> {
        match self {
            Kind::Choice { word, .. } | Kind::Integer { word, .. } | Kind::Number { word, .. } => *word,
            _ => None,
        }
    }

    /// Every fixed word accepted, for suggestions.
    pub(super) fn words(&self) -> Vec<&'static str> {
        let choices = match self {
            Kind::Choice { choices, .. } => choices,
            Kind::OfLabels { words, .. } => words,
            _ => &[][..],
        };
        self.word().into_iter().chain(choices.iter().copied()).collect()
    }

    /// The value as this kind, or `None` where it is not accepted.
    pub(super) fn check(&self, raw: &Raw) -> Option<Value> {
        // A word that is typed beside labels would take their place without a word.
        let is_alone = !matches!(self, Kind::OfLabels { .. }) || raw.texts().is_none_or(|texts| texts.len() == 1);
        if let Some(text) = raw.text().filter(|_| is_alone)
            && let Some(word) = self.words().into_iter().find(|word| *word == text)
        {
            return Some(Value::Word(word));
        }
        match self {
            Kind::Text(_) | Kind::Path(_) => raw.text().filter(|text| !text.is_empty()).map(|text| Value::Text(text.to_owned())),
            Kind::Texts(_) => raw.texts().filter(|texts| texts.iter().all(|text| !text.is_empty())).map(Value::Texts),
            Kind::OfLabels { to, .. } => {
                let accepted = |number: f32| number > 0.0 && to.above(f64::from(number));
                let of_label = |text: &String| of_label(text).filter(|(_, number)| accepted(*number));
                let numbers = raw.texts()?.iter().map(of_label).collect::<Option<Vec<_>>>()?;
                let twice = |place: usize| numbers[..place].iter().any(|(label, _)| *label == numbers[place].0);
                (!numbers.is_empty() && !(0..numbers.len()).any(twice)).then(|| raw.texts().map(Value::Texts))?
            }
            Kind::Flag => raw.flag().map(Value::Flag),
            Kind::Choice { .. } => None,
            Kind::Integer { least, most, .. } => raw.integer().filter(|n| (*least..=*most).contains(n)).map(Value::Integer),
            Kind::Number { from, to, .. } => {
                // The number is used in single precision, where 0.99999999 is 1; it must lie inside the range there too.
                let inside = |x: f64| from.below(x) && to.above(x);
                raw.number().filter(|x| inside(*x) && inside(f64::from(*x as f32))).map(Value::Number)
            }
            Kind::ShareOrSteps { most } => match raw.integer() {
                Some(0) => Some(Value::Number(0.0)),
                Some(steps) => (steps <= *most).then_some(Value::Integer(steps)),
                None => raw.number().filter(|share| (0.0..1.0).contains(share)).map(Value::Number),
            },
        }
    }
}

impl Bound {
    /// Whether `x` is accepted by this as a lower end.
    fn below(self, x: f64) -> bool {
        match self {
            Bound::Included(end) => x >= end,
            Bound::Excluded(end) => x > end,
        }
    }

    /// Whether `x` is accepted by this as an upper end.
    fn above(self, x: f64) -> bool {
        match self {
            Bound::Included(end) => x <= end,
            Bound::Excluded(end) => x < end,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(word), Kind::Integer { .. } | Kind::Number { .. }) = (self.word(), self) {
            write!(f, "{word}, or ")?;
        }
        match self {
            Kind::Text(_) => f.write_str("a text that is not empty"),
            Kind::Path(_) => f.write_str("a path"),
            Kind::Texts(_) => f.write_str("texts that are not empty"),
            Kind::OfLabels { words, number, to } => {
                write!(f, "{}, or LABEL={} for each label once, ", words.join(", "), number.to_uppercase())?;
                match to {
                    Bound::Included(to) => write!(f, "with {number}s above 0 and at most {to}"),
                    Bound::Excluded(to) => write!(f, "with {number}s above 0 and below {to}"),
                }
            }
            Kind::Flag => f.write_str("true or false"),
            Kind::Choice { .. } => f.write_str(&self.words().join(", ")),
            Kind::Integer { least, most, .. } => write!(f, "a whole number from {least} to {most}"),
            Kind::Number { from, to, .. } => match (from, to) {
                (Bound::Included(from), Bound::Included(to)) => write!(f, "a number from {from} to {to}"),
                (Bound::Included(from), Bound::Excluded(to)) => write!(f, "a number from {from} and below {to}"),
                (Bound::Excluded(from), Bound::Included(to)) => write!(f, "a number above {from} and at most {to}"),
                (Bound::Excluded(from), Bound::Excluded(to)) => write!(f, "a number above {from} and below {to}"),
            },
            Kind::ShareOrSteps { most } => {
                write!(f, "a share of all steps, from 0 and below 1, or a whole number of steps up to {most}")
            }
        }
    }
}
