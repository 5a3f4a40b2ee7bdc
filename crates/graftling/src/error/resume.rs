//! Why a run is not gone on with. Knows nothing of runs.

use std::path::PathBuf;

use super::wording::splits;
use crate::SplitName;
use crate::figures::counted;
use crate::run_folder::RECIPE;

/// Why a run is not resumed.
#[derive(Debug, thiserror::Error)]
pub enum ResumeError {
    /// There is no run.
    #[error("{}: there is no recipe.toml of a run to resume here; start it anew without resume", folder.display())]
    NoRun {
        /// The output folder.
        folder: PathBuf,
    },
    /// The run was cut off before there was anything to keep.
    #[error(
        "{}: the run here was cut off before its first checkpoint, so that there is nothing to resume; start it anew with overwrite_output in \
         place of resume",
        folder.display()
    )]
    NoCheckpoint {
        /// The output folder.
        folder: PathBuf,
    },
    /// The run to go on with is another one.
    #[error("{}: a run is resumed as it was started, but {}; give the same, or start anew in another folder", recipe.display(), differences.join("; "))]
    OtherRecipe {
        /// The recipe of the run.
        recipe: PathBuf,
        /// Each option that differs, with both values.
        differences: Vec<String>,
    },
    /// The labels are not those that the run was started with.
    #[error(
        "{}: the run cannot be resumed, for the labels of the training examples are not those that it was started with; put the files back as \
         they were, or start anew with overwrite_output in place of resume",
        checkpoint.display()
    )]
    OtherLabels {
        /// The checkpoint.
        checkpoint: PathBuf,
    },
    /// The examples are not those that the run was started with.
    #[error(
        "{}: the run cannot be resumed, for the {} have changed since it was started; put the files back as they were, or start anew with \
         overwrite_output in place of resume",
        checkpoint.display(), splits(changed)
    )]
    OtherExamples {
        /// The checkpoint.
        checkpoint: PathBuf,
        /// The splits that are different.
        changed: Vec<SplitName>,
    },
    /// The checkpoint does not tell what examples it was made with.
    #[error(
        "{}: the run cannot be resumed, for its checkpoint does not tell which examples it was made with, as those of this version do; start \
         anew with overwrite_output in place of resume",
        checkpoint.display()
    )]
    OtherVersion {
        /// The checkpoint.
        checkpoint: PathBuf,
    },
    /// A run has not come to its end, so that there is no model at the top of its folder.
    #[error(
        "{}: the run here has not come to its end and has no model yet; go on with it (graftling train {} --resume), or open one of its \
         checkpoints",
        folder.display(), folder.join(RECIPE).display()
    )]
    NotFinished {
        /// The run folder.
        folder: PathBuf,
    },
    /// The run to go on with came to its end.
    #[error("{}: the run is finished, after {}; there is nothing to resume", folder.display(), counted(*steps, "step"))]
    Finished {
        /// The run folder.
        folder: PathBuf,
        /// How many steps it took.
        steps: u64,
    },
}
