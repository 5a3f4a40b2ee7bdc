//! How much of a text the model reads at once, what becomes of longer ones, and what stands before each. Knows neither tokenizer nor model.

use std::sync::Arc;

use crate::Error;
use crate::error::{Complaints, ReadingError};
use crate::recipe::{self, Recipe, Task, WindowPooling};
use crate::targets::Targets;

/// How long texts are read by a model that is there already. What is not said stays as the run had it, or as is usual of a model that no run
/// made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadingChoices {
    /// The most tokens that are read at once, special ones included.
    pub max_length: Option<usize>,
    /// What becomes of longer texts.
    pub long_texts: Option<recipe::LongTexts>,
    /// How many tokens two neighbouring windows share.
    pub window_stride: Option<usize>,
    /// How the logits of the windows of a text become those of the text.
    pub window_pooling: Option<WindowPooling>,
}

/// How texts are brought to the length that a model takes: the same in training and after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    /// The most tokens at once, special ones included.
    pub max_length: usize,
    /// What becomes of longer texts.
    pub long_texts: LongTexts,
    /// What is put before every text whose vector is wanted, or from which another is to be written.
    pub prompt: Option<Arc<str>>,
    /// What is written from texts, where that is the task.
    pub targets: Option<Targets>,
}

/// How the rows of the windows of a text become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Joining {
    /// Their mean.
    Mean,
    /// The largest value in each place.
    Max,
    /// Their mean, each row counting as often as its window has tokens.
    ByTokens,
}

/// What becomes of texts that are longer than the model reads at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LongTexts {
    /// Their ends are cut off.
    Cut,
    /// They are read in windows.
    Windows {
        /// How many tokens two neighbouring windows share.
        stride: usize,
        /// How the logits of the windows become those of the text.
        joining: Joining,
    },
}

impl Reading {
    /// Whether longer texts are read in windows: as the recipe says; without one they are where an answer may stand anywhere in them,
    /// and where every token is foreseen.
    pub fn is_windowed(task: Task, recipe: Option<&Recipe>) -> bool {
        match recipe {
            _ if task == Task::QuestionAnswering => true,
            Some(recipe) => recipe.long_texts.unwrap_or(recipe::LongTexts::usual(task)) == recipe::LongTexts::Windows,
            None => task == Task::CausalLm,
        }
    }

    /// Texts of so many tokens as they are, and longer ones in windows or cut.
    pub fn new(task: Task, recipe: Option<&Recipe>, max_length: usize) -> Self {
        let long_texts = match Self::is_windowed(task, recipe) {
            false => LongTexts::Cut,
            true => LongTexts::Windows {
                stride: recipe.and_then(|recipe| recipe.window_stride).unwrap_or(usual_stride(task, max_length)),
                joining: Joining::by(task, recipe.map_or(WindowPooling::default(), |recipe| recipe.window_pooling)),
            },
        };
        Self { max_length, long_texts, prompt: None, targets: None }
    }

    /// The same with other choices, for a model of so many positions.
    ///
    /// # Errors
    /// If the model or the task does not go with them, or they do not go with each other; all of it is said at once. Whether windows move on
    /// the tokenizer says, which knows what goes around a text.
    pub fn by(self, choices: ReadingChoices, task: Task, positions: usize) -> Result<Self, Error> {
        if choices == ReadingChoices::default() {
            return Ok(self);
        }
        let ReadingChoices { max_length, long_texts, window_stride, window_pooling } = choices;
        let mut complaints = Complaints::default();
        let length = max_length.unwrap_or(self.max_length);
        if length > positions {
            complaints.note::<()>(Err(Error::MaxLengthTooLong { max_length: length, positions }));
        }
        let mut refuse = |is_wrong: bool, error: ReadingError| {
            if is_wrong {
                complaints.note::<()>(Err(Error::from(error)));
            }
        };
        refuse(task.writes(), ReadingError::Writes { task });
        let cut = long_texts == Some(recipe::LongTexts::Cut);
        refuse(cut && task == Task::QuestionAnswering, ReadingError::AnswersAnywhere);
        let before = match self.long_texts {
            LongTexts::Windows { stride, joining } => Some((stride, joining)),
            LongTexts::Cut => None,
        };
        let is_windowed = long_texts.map_or(before.is_some(), |word| word == recipe::LongTexts::Windows);
        for (option, is_given) in [("window_stride", window_stride.is_some()), ("window_pooling", window_pooling.is_some())] {
            refuse(is_given && !is_windowed, ReadingError::NoWindows { option });
        }
        let has_logits = matches!(task, Task::SequenceClassification | Task::MultiLabelClassification | Task::SequenceRegression);
        refuse(window_pooling.is_some() && is_windowed && !has_logits, ReadingError::NothingToPool { task });
        refuse(task == Task::CausalLm && window_stride == Some(0), ReadingError::Unforeseen);
        // What the run shared may be more than shorter windows have.
        let kept = before.map(|(stride, _)| stride).filter(|stride| *stride < length && max_length.is_none());
        let stride = window_stride.or(kept).unwrap_or(usual_stride(task, length));
        complaints.check()?;
        let joining = match (window_pooling, before) {
            (None, Some((_, joining))) => joining,
            (pooling, _) => Joining::by(task, pooling.unwrap_or_default()),
        };
        let long_texts = if is_windowed { LongTexts::Windows { stride, joining } } else { LongTexts::Cut };
        Ok(Self { max_length: length, long_texts, ..self })
    }

    /// The same with this before every text.
    pub fn with_prompt(self, prompt: Option<&str>) -> Self {
        Self { prompt: prompt.map(Arc::from), ..self }
    }

    /// The same for a task that writes from texts.
    pub fn with_targets(self, targets: Option<Targets>) -> Self {
        Self { targets, ..self }
    }

    /// The longest text, in tokens, of a task where nobody says otherwise and the model takes it.
    pub fn usual_max_length(task: Task) -> usize {
        if task == Task::QuestionAnswering { 384 } else { 512 }
    }

    /// The logits of a text from those of its windows, one row of `columns` each; the windows have so many tokens.
    pub fn pooled(&self, windows: &[f32], columns: usize, tokens: &[usize]) -> Vec<f32> {
        let LongTexts::Windows { joining, .. } = self.long_texts else { return windows.to_vec() };
        let rows = || windows.chunks_exact(columns.max(1));
        let all = tokens.iter().sum::<usize>() as f64;
        let of_column = |column: usize| match joining {
            Joining::Mean => (rows().map(|row| f64::from(row[column])).sum::<f64>() / rows().len() as f64) as f32,
            Joining::ByTokens => {
                let weighted = rows().zip(tokens).map(|(row, tokens)| f64::from(row[column]) * (*tokens as f64 / all));
                weighted.sum::<f64>() as f32
            }
            Joining::Max => rows().map(|row| row[column]).fold(f32::NEG_INFINITY, f32::max),
        };
        (0..columns).map(of_column).collect()
    }
}

impl Joining {
    fn by(task: Task, pooling: WindowPooling) -> Self {
        match pooling {
            _ if task == Task::SentenceEmbedding => Self::ByTokens,
            WindowPooling::Mean => Self::Mean,
            WindowPooling::Max => Self::Max,
        }
    }
}

/// How many tokens neighbouring windows share where nobody says it.
fn usual_stride(task: Task, max_length: usize) -> usize {
    match task {
        // A language model sees every token once.
        Task::MaskedLm => 0,
        // The same, and the first of a window is foreseen from the last of the one before.
        Task::CausalLm => 1,
        // 128 of 384, as in transformers' example for SQuAD.
        Task::QuestionAnswering => max_length / 3,
        _ => max_length / 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logits_of_windows_are_pooled_by_the_rule_that_is_named() {
        let reading = |joining| Reading {
            max_length: 8,
            long_texts: LongTexts::Windows { stride: 2, joining },
            prompt: None,
            targets: None,
        };
        let windows = [1.0, -2.0, 0.5, 4.0, 3.0, -2.0];
        assert_eq!(reading(Joining::Mean).pooled(&windows, 2, &[8, 8, 4]), [1.5, 0.0]);
        assert_eq!(reading(Joining::Max).pooled(&windows, 2, &[8, 8, 4]), [3.0, 4.0]);
        assert_eq!(reading(Joining::ByTokens).pooled(&windows, 2, &[4, 8, 4]), [1.25, 1.0]);
        assert_eq!(reading(Joining::Mean).pooled(&windows[..2], 2, &[8]), [1.0, -2.0]);
    }
}
