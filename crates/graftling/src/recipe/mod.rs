//! Recipes: what to do, from `recipe.toml` and flags to a checked `Recipe`, and back to a file.
//! Knows no flag parser, no model and no data; a relative path of a recipe means what it means to the process.
//!
//! ```
//! use graftling::recipe::{Recipe, RecipeFile};
//!
//! let file = RecipeFile::from_toml("model = 'minilm'\ntrain = 'reviews.csv'\noutput = 'run'\nepochs = 2")?;
//! let mut flags = RecipeFile::default();
//! flags.set("learning-rate", "2e-5");
//! let recipe = Recipe::check(file.merge(flags))?;
//! assert_eq!((recipe.epochs, recipe.learning_rate, recipe.batch_size), (2.0, Some(2e-5), 32));
//! # Ok::<(), graftling::recipe::RecipeErrors>(())
//! ```

mod check;
mod choices;
mod error;
mod field;
mod file;
mod label_numbers;
mod options;
mod print;
#[cfg(test)]
mod tests;
mod value;

pub use check::field;
pub use choices::{
    BestMetric, Calibrate, DataFormat, EmbeddingLoss, EvaluateEvery, HeadBias, InitialWeights, LongTexts, MomentumForm,
    OptimizerChoice, Pooling, RegressionLoss, ReportLanguage, Sampling, ScheduleKind, Strategy, TagScheme, Task, TripletDistance,
    Warmup, WindowPooling,
};
pub use error::{Place, RecipeError, RecipeErrors};
pub use field::{Bound, Field, FieldDefault, Group, Kind};
pub use file::RecipeFile;
pub use label_numbers::{ClassWeights, Thresholds};
pub use options::{FIELDS, Recipe};
pub use print::{in_a_shell, reference_markdown};
