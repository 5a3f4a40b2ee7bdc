//! What is wrong with how long texts are to be read by a model that is there. Knows neither model nor texts.

use crate::recipe::Task;

/// Why texts are not read as was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadingError {
    /// The model reads a source to write from it.
    #[error(
        "max_length, long_texts, window_stride, window_pooling: the task of this model is {task}, which reads each text at once and as \
         the run said; leave them out"
    )]
    Writes {
        /// The task.
        task: Task,
    },
    /// An answer may stand behind the cut.
    #[error("long_texts: an answer may stand anywhere, so that every text is read whole; accepted is windows")]
    AnswersAnywhere,
    /// An option of windows where there are none.
    #[error("{option}: it belongs to windows, and texts are cut; leave it out, or read long texts in windows (long_texts)")]
    NoWindows {
        /// The option.
        option: &'static str,
    },
    /// There are no logits of whole texts.
    #[error("window_pooling: the task of this model is {task}, which has no logits of a whole text; leave it out")]
    NothingToPool {
        /// The task.
        task: Task,
    },
    /// The first token of a window would be foreseen from nothing.
    #[error("window_stride: 0 tokens, but a token is foreseen from one before it; share at least one")]
    Unforeseen,
}
