//! `graftling report`: the report of a finished run, made anew. Knows nothing of what stands in it.

use std::path::PathBuf;

use clap::Args;
use graftling::ReportRequest;
use graftling::recipe::ReportLanguage;

use super::data_flags::DataFlags;
use crate::console::Console;
use crate::failure::{Ending, Failure};
use crate::progress::RunProgress;

/// What may be typed after `report`.
#[derive(Args)]
pub struct Arguments {
    /// The run folder
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Evaluate the model on this file first; its figures and errors join those of the run
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// The language: en or zh [default: the one that the report is in]
    #[arg(long, value_name = "en|zh", value_parser = language)]
    language: Option<ReportLanguage>,
    /// Threads to compute with [default: one a core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024), requires = "data")]
    threads: Option<u16>,
    #[command(flatten)]
    data_flags: DataFlags,
}

/// Writes the report and tells its path.
pub fn run(arguments: Arguments, console: &Console) -> Result<Ending, Failure> {
    if arguments.data.is_none() && arguments.data_flags.is_given() {
        return Err(Failure::NoDataToRead { file: "--data" });
    }
    let request = ReportRequest {
        run: arguments.run,
        format: arguments.data_flags.format,
        columns: arguments.data_flags.columns(),
        data: arguments.data,
        language: arguments.language,
        threads: arguments.threads.map(usize::from),
    };
    let path = graftling::report(&request, &mut RunProgress::new(console, 1))?;
    console.print(&format!("the report is {}\n", path.display()))?;
    Ok(Ending::Complete)
}

fn language(word: &str) -> Result<ReportLanguage, String> {
    let known = ReportLanguage::ALL.iter().copied().find(|language| language.word() == word);
    known.ok_or_else(|| format!("accepted are {}", ReportLanguage::WORDS.join(", ")))
}
