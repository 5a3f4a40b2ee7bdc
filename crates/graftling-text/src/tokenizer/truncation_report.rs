//! The account of how many texts were cut, and by how much. Knows nothing of how they are cut.

use std::fmt;

use serde::Serialize;

use crate::wording::{counted, separated};

/// How many texts were cut to the maximal length, and by how much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TruncationReport {
    /// How many texts there are.
    pub texts: usize,
    /// How many of them were too long.
    pub truncated_texts: usize,
    /// How many tokens are left, special tokens included; those that windows share count once.
    pub tokens: usize,
    /// How many tokens were cut off.
    pub cut_tokens: usize,
    /// The maximal length of a text, special tokens included.
    pub max_length: usize,
    /// The length of the longest text before cutting, special tokens included.
    pub longest_tokens: usize,
    /// How many texts that are to be written were too long and lost their ends.
    pub cut_targets: usize,
    /// The maximal length of such a text, special tokens included; 0 where nothing is to be written.
    pub max_target_length: usize,
    /// How many completions do not even fit without their prompts, and lost their ends.
    pub cut_completions: usize,
}

impl fmt::Display for TruncationReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts = counted(self.texts, "text", "texts");
        let targets = match self.cut_targets {
            0 => String::new(),
            cut => format!("; {} cut to {} tokens", counted(cut, "target is", "targets are"), separated(self.max_target_length)),
        };
        if self.truncated_texts == 0 {
            let tokens = counted(self.tokens, "token", "tokens");
            return write!(formatter, "{texts}, {tokens}, longest {}; none is cut{targets}", separated(self.longest_tokens));
        }
        let share = 100.0 * self.cut_tokens as f64 / (self.tokens + self.cut_tokens) as f64;
        write!(
            formatter,
            "{} of {texts} cut to {} tokens: {} ({share:.1} %) {} lost, the longest text has {}",
            separated(self.truncated_texts),
            separated(self.max_length),
            counted(self.cut_tokens, "token", "tokens"),
            if self.cut_tokens == 1 { "is" } else { "are" },
            separated(self.longest_tokens)
        )?;
        match self.cut_completions {
            0 => formatter.write_str(&targets),
            count => write!(
                formatter,
                "; {} not fit by {} and {} the end",
                counted(count, "completion does", "completions do"),
                if count == 1 { "itself" } else { "themselves" },
                if count == 1 { "loses" } else { "lose" }
            ),
        }
    }
}
