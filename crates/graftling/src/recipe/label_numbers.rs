//! Options that give labels numbers, by a word or one by one (`LABEL=NUMBER`): weights and thresholds.
//! Knows nothing of files or flags, nor which labels there are.

use super::value::{RecipeValue, Value, quoted};

/// What an error at a label counts for.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum ClassWeights {
    /// Every label the same.
    #[default]
    None,
    /// In inverse proportion to how often a label occurs in training (scikit-learn's `class_weight="balanced"`).
    Balanced,
    /// These labels so much, all others 1.
    Given(Vec<(String, f32)>),
}

impl ClassWeights {
    /// The words beside weights.
    pub const WORDS: &[&str] = &["none", "balanced"];
    /// The largest weight that is accepted.
    pub const MOST: f32 = 1e6;
}

/// `LABEL=NUMBER`; the label may itself have such a sign.
pub(super) fn of_label(text: &str) -> Option<(String, f32)> {
    let (label, number) = text.rsplit_once('=')?;
    let number: f32 = number.trim().parse().ok()?;
    (!label.trim().is_empty()).then(|| (label.trim().to_owned(), number))
}

/// Numbers of labels as they are written.
fn written_of_labels(numbers: &[(String, f32)]) -> Option<String> {
    numbers.iter().map(|(label, number)| format!("{label}={number}")).collect::<Vec<_>>().written()
}

impl RecipeValue for ClassWeights {
    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Word("none") => Some(Self::None),
            Value::Word("balanced") => Some(Self::Balanced),
            Value::Texts(texts) => texts.iter().map(|text| of_label(text)).collect::<Option<_>>().map(Self::Given),
            _ => None,
        }
    }

    fn written(&self) -> Option<String> {
        match self {
            Self::None => Some(quoted("none")),
            Self::Balanced => Some(quoted("balanced")),
            Self::Given(weights) => written_of_labels(weights),
        }
    }
}

/// The probability above which a label is taken to hold.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Thresholds {
    /// A half.
    #[default]
    Half,
    /// One for all labels: that with the highest micro F1 on the validation examples.
    One,
    /// One for each label: that with the highest F1 of the label on the validation examples.
    PerLabel,
    /// These for these labels, a half for all others.
    Given(Vec<(String, f32)>),
}

impl Thresholds {
    /// The words beside thresholds.
    pub const WORDS: &[&str] = &["half", "one", "per_label"];
}

impl RecipeValue for Thresholds {
    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Word("half") => Some(Self::Half),
            Value::Word("one") => Some(Self::One),
            Value::Word("per_label") => Some(Self::PerLabel),
            Value::Texts(texts) => texts.iter().map(|text| of_label(text)).collect::<Option<_>>().map(Self::Given),
            _ => None,
        }
    }

    fn written(&self) -> Option<String> {
        match self {
            Self::Half => Some(quoted("half")),
            Self::One => Some(quoted("one")),
            Self::PerLabel => Some(quoted("per_label")),
            Self::Given(thresholds) => written_of_labels(thresholds),
        }
    }
}
