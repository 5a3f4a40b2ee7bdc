//! `graftling score`: how well generated texts agree with references, with no model. Knows nothing of how the figures are computed.

use std::path::{Path, PathBuf};

use clap::Args;
use graftling::metrics::{Difference, Intervals, JudgedText, TextGenerationMetrics, TextGenerationSample, is_without_blanks};
use graftling_text::{Cell, read_lines};
use serde_json::{Value, json};

use super::compare::{differences_json, differences_table};
use super::evaluate::{Resamples, resamples};
use super::text_metric_flags::TextMetricFlags;
use crate::console::Console;
use crate::failure::{Ending, Failure};
use crate::{figures, threads};

/// Told where the words of the references cannot be found without a word of their language.
const WITHOUT_BLANKS: &str = "note: the references are written in Chinese characters or kana, and BLEU by 13a and TER take what stands between two blanks for \
                              one word; give --target-language zh or ja";

/// What may be typed after `score`.
#[derive(Args)]
#[command(
    after_help = "All files have a text a line, plain or .gz; lines with the same number belong together. BLEU, chrF and TER are those of sacrebleu, ROUGE that \
                  of rouge_score; the line beside a figure says what was done to reach it."
)]
pub struct Arguments {
    /// The texts that were generated
    #[arg(long, value_name = "FILE")]
    hypotheses: PathBuf,
    /// What they should have been; give it again for each further reference of the same texts
    #[arg(long, value_name = "FILE", required = true)]
    references: Vec<PathBuf>,
    /// What they were generated from, for the metric copying
    #[arg(long, value_name = "FILE")]
    sources: Option<PathBuf>,
    /// The texts of another system: the differences of the hypotheses' figures from theirs, by the same drawings of the texts
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Print one JSON object with all figures on stdout
    #[arg(long)]
    json: bool,
    /// Draw the texts anew so many times for the intervals of the figures; none leaves them out
    #[arg(long, value_name = "none|N", value_parser = resamples, default_value = "1000")]
    resamples: Resamples,
    /// Threads to compute with [default: one a core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    #[command(flatten)]
    flags: TextMetricFlags,
}

/// Scores, and tells the figures.
pub fn run(arguments: Arguments, console: &Console) -> Result<Ending, Failure> {
    if arguments.baseline.is_some() && arguments.resamples.0.is_none() {
        return Err(Failure::BaselineWithoutResamples);
    }
    threads::compute_with(arguments.threads)?;
    let (metrics, notice) = arguments.flags.metrics(arguments.sources.is_some())?;
    let hypotheses = lines(&arguments.hypotheses)?;
    let beside = |path: &PathBuf| -> Result<Vec<String>, Failure> {
        let lines = lines(path)?;
        let (found, expected) = (lines.len(), hypotheses.len());
        let other =
            || Failure::OtherCountOfLines { path: path.clone(), found, hypotheses: arguments.hypotheses.clone(), expected };
        if found == expected { Ok(lines) } else { Err(other()) }
    };
    let references = arguments.references.iter().map(beside).collect::<Result<Vec<_>, _>>()?;
    let sources = arguments.sources.as_ref().map(beside).transpose()?;
    let baseline = arguments.baseline.as_ref().map(beside).transpose()?;
    let of_text = |place: usize| references.iter().map(|lines| lines[place].clone()).collect();
    let references: Vec<Vec<String>> = (0..hypotheses.len()).map(of_text).collect();
    let sample = |outputs: &[String]| {
        let text = |(place, output): (usize, _)| {
            let source = sources.as_ref().map(|sources| sources[place].as_str());
            JudgedText { output, references: &references[place], source }
        };
        let texts: Vec<JudgedText<'_>> = outputs.iter().map(String::as_str).enumerate().map(text).collect();
        TextGenerationSample::new(&metrics, &texts, None)
    };
    if let Some(notice) = notice {
        console.tell(&format!("note: {notice}"));
    }
    if arguments.flags.misses_language() && is_without_blanks(references.iter().flatten()) {
        console.tell(WITHOUT_BLANKS);
    }
    let judged = sample(&hypotheses);
    let against = baseline.as_deref().map(sample).zip(arguments.resamples.0);
    let scored = Scored {
        metrics: TextGenerationMetrics::new(&judged),
        intervals: arguments.resamples.0.map(|resamples| Intervals::of(&judged, resamples)),
        baseline: against.map(|(baseline, resamples)| Baseline {
            metrics: TextGenerationMetrics::new(&baseline),
            differences: Difference::of(&baseline, &judged, resamples),
            resamples,
        }),
    };
    if arguments.json {
        console.print_json(&json_of(&arguments, &scored))?;
    } else {
        console.print(&text_of(&arguments, &scored))?;
    }
    Ok(Ending::Complete)
}

/// What came out.
struct Scored {
    metrics: TextGenerationMetrics,
    intervals: Option<Intervals>,
    baseline: Option<Baseline>,
}

/// What came out of another system.
struct Baseline {
    metrics: TextGenerationMetrics,
    differences: Vec<Difference>,
    resamples: usize,
}

/// The lines of a file, empty ones too.
fn lines(path: &Path) -> Result<Vec<String>, Failure> {
    let rows = read_lines(path)?.rows.into_iter().flat_map(|row| row.cells);
    Ok(rows.map(|cell| if let Cell::Text(line) = cell { line } else { String::new() }).collect())
}

fn text_of(arguments: &Arguments, scored: &Scored) -> String {
    let headline = scored.metrics.headline().into_iter().map(|(name, value)| format!("{name} {value:.4}"));
    let texts = figures::counted(scored.metrics.examples, "text");
    let hypotheses = arguments.hypotheses.display();
    let mut text = format!("{hypotheses} ({texts}): {}\n\n{}", headline.collect::<Vec<_>>().join("  "), scored.metrics.table());
    let intervals = scored.intervals.as_ref().map(Intervals::table).filter(|table| !table.is_empty());
    text += &intervals.map_or(String::new(), |table| format!("\n{table}"));
    if let (Some(Baseline { differences, resamples, .. }), Some(path)) = (&scored.baseline, &arguments.baseline) {
        let heading = format!("less {}", path.display());
        text += &format!("\n{}", differences_table(&heading, differences, *resamples));
    }
    text
}

fn json_of(arguments: &Arguments, scored: &Scored) -> Value {
    let mut entries = scored.metrics.flat("eval");
    let mut put = |name: &str, value: Value| entries.insert(name.to_owned(), value);
    if let Some(intervals) = &scored.intervals {
        put("eval_intervals", intervals.to_json());
    }
    put("hypotheses", json!(arguments.hypotheses));
    put("references", json!(arguments.references));
    put("sources", json!(arguments.sources));
    if let Some(Baseline { metrics, differences, .. }) = &scored.baseline {
        let mut baseline = metrics.flat("eval");
        baseline.insert("hypotheses".to_owned(), json!(arguments.baseline));
        baseline.insert("differences".to_owned(), json!(differences_json(differences)));
        put("baseline", Value::Object(baseline));
    }
    Value::Object(entries)
}
