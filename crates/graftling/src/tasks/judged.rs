//! What a report is told of examples and answers one by one, in a form that every task can give or leave out.
//! Knows no page.

use serde::{Deserialize, Serialize};

/// What an example holds that can be counted.
pub(crate) enum Holds {
    /// Nothing of that kind.
    Nothing,
    /// Labels by their numbers, for each part of the example one.
    Labels(Vec<usize>),
    /// Any number of labels of the whole example, by their numbers.
    Set(Vec<usize>),
    /// Numbers.
    Numbers(Vec<f32>),
}

/// How one answer did.
pub(crate) struct Judged {
    pub verdict: Verdict,
    /// How sure each decision in it was, and whether it was right.
    pub decisions: Vec<(f32, bool)>,
    /// True and predicted numbers.
    pub numbers: Vec<[f32; 2]>,
}

/// Whether an answer is right.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Verdict {
    Right,
    /// Wrong: the larger the loss of the example, the worse.
    Wrong,
    /// Wrong by so much, where that is no loss.
    Off(f64),
    /// It is not asked of a whole answer.
    Open,
}

impl Verdict {
    /// Right, or wrong.
    pub(super) fn new(is_right: bool) -> Self {
        if is_right { Self::Right } else { Self::Wrong }
    }
}

/// How well a text that was written agrees with what it should have been.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Agreement {
    /// What it is measured by.
    pub measure: &'static str,
    /// From 0 to 1.
    pub value: f64,
}

/// One answer beside what is true, in words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Told {
    /// Nothing but how far off it is.
    Nothing,
    /// One label each.
    Label {
        /// The true label, and its probability.
        label: String,
        label_probability: f32,
        /// What was said, and its probability.
        predicted: String,
        probability: f32,
    },
    /// Any number of labels; of each that is wrong its probability.
    Labels {
        labels: Vec<String>,
        /// Labels that hold and were not said.
        missed: Vec<(String, f32)>,
        /// Labels that were said and do not hold.
        added: Vec<(String, f32)>,
    },
    /// Numbers.
    Numbers { numbers: Vec<f32>, predicted: Vec<f32> },
    /// Tokens of a text, of which some were foreseen.
    Foreseen {
        /// Those whose most probable guess was right.
        right: usize,
        /// All of them.
        tokens: usize,
    },
    /// A text that was written, where something was.
    Written {
        /// That of the data.
        reference: String,
        /// What was written.
        written: Option<String>,
    },
    /// The answer to a question; empty where there is none.
    Answer {
        /// Those of the data.
        answers: Vec<String>,
        /// What was said, and its probability.
        predicted: String,
        probability: f32,
    },
    /// A tag for each word.
    Tags { words: Vec<ToldWord> },
}

/// A word with its true and its predicted tag.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ToldWord {
    pub word: String,
    pub tag: String,
    pub predicted: String,
}
