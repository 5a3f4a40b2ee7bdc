//! The report of a run: `report.html` for a person and `report.json` with the same facts for a program. Writes what a run knows; computes
//! nothing that a run does not.

mod again;
mod chart;
mod date;
mod facts;
mod language;
mod names;
mod page;
mod sections;
mod text;

pub use again::{ReportRequest, report};
pub(crate) use facts::{Facts, ModelDescription, Run, ScoredSplit, SplitFacts, Texts};
pub(crate) use language::Language;
pub(crate) use language::said;
