//! `graftling evaluate`: how well a fine-tuned model does on a labelled file.
//! Knows nothing of how the figures are computed.

use std::path::PathBuf;

use clap::Args;
use graftling::{EvaluateRequest, Evaluation};
use graftling_text::{QuestionColumns, read_questions, read_table};
use serde_json::{Value, json};

use super::answer_flags::AnswerFlags;
use super::data_flags::DataFlags;
use crate::console::Console;
use crate::failure::{Ending, Failure};
use crate::progress::RunProgress;
use crate::{models, prediction_columns, report};

/// What may be typed after `evaluate`.
#[derive(Args)]
pub struct Arguments {
    /// The run folder, or any fine-tuned model of a known family
    #[arg(long, value_name = "RUN")]
    model: String,
    /// The texts with their answers: a csv, tsv or jsonl file; CoNLL for tagged words; .txt for masked_lm; .json for
    /// questions (SQuAD); each plain or .gz
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// Print one JSON object with all figures on stdout
    #[arg(long)]
    json: bool,
    /// Write the rows of a csv, tsv or jsonl file with columns for what is said of each to this csv, tsv or jsonl file, plain or
    /// .gz; of questions in a .json file also to a .json file, as SQuAD's scripts read answers
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Draw the examples anew so many times for the intervals of the figures; none leaves them out
    #[arg(long, value_name = "none|N", value_parser = resamples, default_value = "1000")]
    resamples: Resamples,
    /// Threads to compute with [default: one a core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    #[command(flatten)]
    data_flags: DataFlags,
    #[command(flatten)]
    answer_flags: AnswerFlags,
}

/// How many times the examples are drawn, where they are.
#[derive(Clone, Copy)]
pub struct Resamples(pub Option<usize>);

/// What may be typed after `--resamples`, as the recipe's option of that name.
pub fn resamples(typed: &str) -> Result<Resamples, String> {
    let number = || typed.parse().ok().filter(|number| (100..=1_000_000).contains(number));
    match typed {
        "none" => Ok(Resamples(None)),
        _ => {
            number().map(|number| Resamples(Some(number))).ok_or("accepted is none, or a whole number from 100 to 1000000".into())
        }
    }
}

/// Evaluates, and tells the figures.
pub fn run(arguments: Arguments, console: &Console) -> Result<Ending, Failure> {
    let table = match &arguments.output {
        Some(output) => {
            let table = match arguments.data_flags.is_squad(&arguments.data) {
                true => read_questions(&arguments.data, None, &QuestionColumns::default())?.table(),
                false => read_table(&arguments.data, arguments.data_flags.format)?,
            };
            prediction_columns::check(output, &arguments.data, &table)?;
            Some((output, table))
        }
        None => None,
    };
    let request = EvaluateRequest {
        run: models::folder(&arguments.model, console)?,
        data: arguments.data,
        format: arguments.data_flags.format,
        columns: arguments.data_flags.columns(),
        threads: arguments.threads.map(usize::from),
        with_predictions: table.is_some(),
        resamples: arguments.resamples.0,
        no_answer: arguments.answer_flags.null_score_diff_threshold,
    };
    let evaluation = graftling::evaluate(&request, &mut RunProgress::new(console, 1))?;
    if let Some((output, table)) = table {
        prediction_columns::write(output, &table, evaluation.predictions.as_deref().unwrap_or_default())?;
        console.tell(&format!("wrote {}", output.display()));
    }
    if arguments.json {
        console.print_json(&json_of(&request, &evaluation))?;
    } else {
        console.print(&report::evaluation(&request.data.display().to_string(), &evaluation, console))?;
    }
    Ok(Ending::Complete)
}

fn json_of(request: &EvaluateRequest, evaluation: &Evaluation) -> Value {
    let mut entries = report::evaluation_json(evaluation);
    entries.insert("model".to_owned(), json!(request.run));
    entries.insert("data".to_owned(), json!(request.data));
    Value::Object(entries)
}
