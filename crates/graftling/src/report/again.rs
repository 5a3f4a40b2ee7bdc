//! The report of a run made anew from its folder: in another language, or with a file that the model is measured on now.
//! Knows nothing of how facts become a page.

use std::path::PathBuf;

use graftling_text::{Columns, FileFormat};

use super::Language;
use super::facts::{EvaluationCost, EvaluationFacts, Facts, ScoredSplit, SplitFacts};
use super::page::page;
use crate::evaluate::{EvaluateRequest, Evaluated, evaluated};
use crate::metrics::RESAMPLES;
use crate::run_folder::{REPORT_FACTS, RunFolder};
use crate::{Error, Observer, SplitName, threads};

/// What to report, and how.
#[derive(Clone, Debug)]
pub struct ReportRequest {
    /// The run folder.
    pub run: PathBuf,
    /// A file of labelled examples to evaluate the model on first; its figures join those of the run.
    pub data: Option<PathBuf>,
    /// How that file is written; `None` goes by its name.
    pub format: Option<FileFormat>,
    /// Which columns of it hold what; those not given are detected.
    pub columns: Columns,
    /// The language; `None` keeps the one that the report is in.
    pub language: Option<Language>,
    /// How many threads compute; `None` is one a core.
    pub threads: Option<usize>,
}

/// Makes the report of a finished run anew and gives its path: `report.html` in the run folder, with `report.json` beside it.
///
/// # Errors
/// Where the folder has no `report.json`, or one that is damaged; where the file to evaluate is wrong; where nothing can be written.
pub fn report(request: &ReportRequest, observer: &mut dyn Observer) -> Result<PathBuf, Error> {
    let path = request.run.join(REPORT_FACTS);
    let text = match std::fs::read(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(Error::NoReport { folder: request.run.clone() });
        }
        read => read.map_err(|source| Error::Read { path: path.clone(), source })?,
    };
    let mut facts: Facts =
        serde_json::from_slice(&text).map_err(|error| Error::NotAReport { path, reason: error.to_string() })?;
    if let Some(language) = request.language {
        facts.language = language;
    }
    if let Some(data) = &request.data {
        threads::pool(request.threads)?.install(|| measure(request, data.clone(), &mut facts, observer))?;
    }
    RunFolder::write_report(&request.run, &facts, &page(&facts))
}

/// Evaluates the model of the run on a file and puts what comes out into the facts.
fn measure(request: &ReportRequest, data: PathBuf, facts: &mut Facts, observer: &mut dyn Observer) -> Result<(), Error> {
    let asked = EvaluateRequest {
        format: request.format,
        columns: request.columns.clone(),
        threads: request.threads,
        resamples: Some(RESAMPLES),
        ..EvaluateRequest::new(request.run.clone(), data)
    };
    let Evaluated { loaded, data, examples, scored, evaluation } = evaluated(&asked, observer)?;
    let objective = loaded.objective.as_ref();
    let split = SplitName::Evaluation;
    let own = SplitFacts::new(split, &data, objective, (&examples.tokenized, &examples.targets), None);

    let scored = ScoredSplit { objective, data: &data, examples: &examples, scored: &scored, tokenizer: &loaded.tokenizer };
    facts.evaluations.iter_mut().for_each(|evaluation| evaluation.examined = None);
    facts.add(own, EvaluationFacts::new(split, &evaluation, Some(&scored)), EvaluationCost::new(split, &evaluation));
    Ok(())
}

impl Facts {
    /// The page.
    pub(crate) fn page(&self) -> String {
        page(self)
    }
}
