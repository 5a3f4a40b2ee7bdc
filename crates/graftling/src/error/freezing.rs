//! What can be wrong with the parameters that a recipe freezes. Knows no model.

/// What went wrong with the patterns of `freeze`.
#[derive(Debug, thiserror::Error)]
pub enum FreezingError {
    /// A pattern fits no parameter.
    #[error("freeze: no parameter fits {pattern:?}; near names are {}", near.join(", "))]
    NoSuchParameter {
        /// The pattern.
        pattern: String,
        /// Names that are like it.
        near: Vec<String>,
    },
    /// Everything is frozen.
    #[error("freeze: {freeze:?} leaves no parameter to train; freeze less")]
    NothingToTrain {
        /// The patterns.
        freeze: Vec<String>,
    },
}
