//! `graftling evaluate`: how well a fine-tuned model does on a labelled file.
//! Knows nothing of how the figures are computed.

use std::path::{Path, PathBuf};

use clap::Args;
use graftling::recipe::TagScheme;
use graftling::{EvaluateRequest, Evaluation};
use graftling_text::{ConllFile, FileFormat, PlainFormat, QuestionColumns, QuestionFormat, TokenFormat, read_questions};
use serde_json::{Value, json};

use super::answer_flags::AnswerFlags;
use super::data_flags::DataFlags;
use super::encoder_flags::EncoderFlags;
use super::reading_flags::ReadingFlags;
use crate::console::Console;
use crate::data_file::DataFile;
use crate::failure::{Ending, Failure};
use crate::progress::RunProgress;
use crate::{models, prediction_columns, report};

/// What may be typed after `evaluate`.
#[derive(Args)]
pub struct Arguments {
    /// The run folder, or any fine-tuned model of a known family
    #[arg(long, value_name = "RUN")]
    model: String,
    /// The texts with their answers: a csv, tsv or jsonl file; CoNLL for tagged words; .txt for masked_lm and causal_lm; .json
    /// for questions (SQuAD); each plain or .gz
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// Print one JSON object with all figures on stdout
    #[arg(long)]
    json: bool,
    /// Write the data again with what is said of it: columns more in a csv, tsv or jsonl file, or the predicted tag of each word as the
    /// last column of a CoNLL file; plain or .gz. Of questions in a .json file also to a .json file, as SQuAD's scripts read answers
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Draw the examples anew so many times for the intervals of the figures; none leaves them out
    #[arg(long, value_name = "none|N", value_parser = resamples, default_value = "1000")]
    resamples: Resamples,
    /// What prompts are made by from any columns, as in a recipe (causal_lm, summarization, translation) [default: as the run made them]
    #[arg(long, value_name = "TEMPLATE", allow_hyphen_values = true)]
    template: Option<String>,
    /// The language of the sources: the name of their column or key, and what the tokenizer of a model for many languages puts around them
    /// (translation) [default: as the run had it]
    #[arg(long, value_name = "CODE")]
    source_language: Option<String>,
    /// The same of the translations, which a model for many languages writes in it; by it goes the tokenizer of BLEU, too [default: as the run had
    /// it]
    #[arg(long, value_name = "CODE")]
    target_language: Option<String>,
    /// The scheme that the strict mode reads tags in: iob1, iob2, ioe2, iobes or bilou (token_classification) [default: as the run did, or by
    /// the letters of the tags]
    #[arg(long, value_name = "WORD", value_parser = tag_scheme)]
    tag_scheme: Option<TagScheme>,
    /// Threads to compute with [default: one a core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    #[command(flatten)]
    data_flags: DataFlags,
    #[command(flatten)]
    answer_flags: AnswerFlags,
    #[command(flatten)]
    reading_flags: ReadingFlags,
    #[command(flatten)]
    encoder_flags: EncoderFlags,
}

fn tag_scheme(typed: &str) -> Result<TagScheme, String> {
    let known = TagScheme::ALL.iter().copied().find(|scheme| scheme.word() == typed);
    known.ok_or_else(|| format!("accepted are {}", TagScheme::WORDS.join(", ")))
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
    let output = arguments.output.as_deref();
    let file = output.map(|output| file_to_write(output, &arguments)).transpose()?.flatten();
    let request = EvaluateRequest {
        run: models::folder(&arguments.model, console)?,
        data: arguments.data.clone(),
        format: arguments.data_flags.format,
        columns: arguments.data_flags.columns(),
        threads: arguments.threads.map(usize::from),
        with_predictions: output.is_some(),
        resamples: arguments.resamples.0,
        no_answer: arguments.answer_flags.null_score_diff_threshold,
        tag_scheme: arguments.tag_scheme,
        reading: arguments.reading_flags.choices(),
        encoder: arguments.encoder_flags.encoder(),
        template: arguments.template.clone(),
        source_language: arguments.source_language.clone(),
        target_language: arguments.target_language.clone(),
    };
    let evaluation = graftling::evaluate(&request, &mut RunProgress::new(console, 1))?;
    if let Some(output) = output {
        let file = file.map_or_else(|| Ok(DataFile::Sentences(ConllFile::read(&request.data)?)), Ok::<_, Failure>)?;
        let predictions = evaluation.predictions.as_deref().unwrap_or_default();
        prediction_columns::write(output, &file, predictions, arguments.data_flags.text_column.as_deref())?;
        console.tell(&format!("wrote {}", output.display()));
    }
    if arguments.json {
        console.print_json(&json_of(&request, &evaluation))?;
    } else {
        console.print(&report::evaluation(&request.data.display().to_string(), &evaluation, console))?;
    }
    Ok(Ending::Complete)
}

/// The file that will be written again, checked before anything is computed. A .txt is CoNLL to a token classifier and nothing to be written
/// to any other model, which the evaluation finds out: it is read behind it.
fn file_to_write(output: &Path, arguments: &Arguments) -> Result<Option<DataFile>, Failure> {
    let (data, format) = (&arguments.data, arguments.data_flags.format);
    prediction_columns::check_place(output, data)?;
    let holds_lines = match format {
        Some(format) => format == FileFormat::Lines,
        None => matches!(PlainFormat::of(data), Ok(PlainFormat::Lines)),
    };
    if holds_lines {
        TokenFormat::of(output)?;
        return Ok(None);
    }
    let file = match arguments.data_flags.is_squad(data) {
        true => DataFile::Questions(read_questions(data, Some(QuestionFormat::Squad), &QuestionColumns::default())?),
        false => DataFile::read(data, format)?,
    };
    prediction_columns::check(output, &file)?;
    Ok(Some(file))
}

fn json_of(request: &EvaluateRequest, evaluation: &Evaluation) -> Value {
    let mut entries = report::evaluation_json(evaluation);
    entries.insert("model".to_owned(), json!(request.run));
    entries.insert("data".to_owned(), json!(request.data));
    Value::Object(entries)
}
