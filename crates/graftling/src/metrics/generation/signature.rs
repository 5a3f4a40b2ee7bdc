//! What was done to reach a figure, in the one line that sacrebleu writes beside it. Knows no figure.

use std::fmt::{self, Display, Formatter};

use super::JudgedText;

/// Whether capital letters counted.
pub(super) enum Case {
    /// They did.
    Mixed,
    /// They were small ones.
    Lower,
}

impl Case {
    pub fn mixed_unless(lowercase: bool) -> Self {
        if lowercase { Self::Lower } else { Self::Mixed }
    }
}

impl Display for Case {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Mixed => "mixed",
            Self::Lower => "lc",
        })
    }
}

/// How many references each text has (`var` where the texts differ), the settings, and our name and version.
pub(super) fn signature(texts: &[JudgedText<'_>], settings: &str) -> String {
    let mut counts = texts.iter().map(|text| text.references.len());
    let first = counts.next().unwrap_or(1);
    let references = if counts.all(|count| count == first) { first.to_string() } else { "var".to_owned() };
    format!("nrefs:{references}|{settings}|version:graftling-{}", env!("CARGO_PKG_VERSION"))
}
