//! What the card of a model says of its task. Knows no task.

/// How many labels a card names; a model may have thousands.
const LABELS_SHOWN: usize = 30;

/// The words of a task in a model card.
pub(crate) struct CardWords {
    /// The hub's name for the task.
    pub pipeline: &'static str,
    pub title: &'static str,
    /// What the model gives, behind "This model gives".
    pub gives: String,
    pub used: Used,
}

/// How the model is used.
pub(crate) enum Used {
    /// `graftling predict` with these flags, or this class of transformers.
    Predicting { flags: &'static str, class: &'static str },
    /// `graftling generate`, or this class of transformers.
    Generating { class: &'static str },
    /// `graftling predict`, or sentence-transformers.
    Embedding,
}

impl CardWords {
    /// Of a task that says something of texts, in a model that this class of transformers opens.
    pub fn of_texts(pipeline: &'static str, class: &'static str, title: &'static str, gives: impl Into<String>) -> Self {
        Self { pipeline, title, gives: gives.into(), used: Used::Predicting { flags: "--text TEXT", class } }
    }
}

/// `each`, the number of labels, and the first of them.
pub(super) fn labels_told(each: &str, labels: &[String]) -> String {
    let shown = labels.iter().take(LABELS_SHOWN).cloned().collect::<Vec<_>>().join(", ");
    let more = match labels.len().saturating_sub(LABELS_SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{each} {} labels: {shown}{more}", labels.len())
}
