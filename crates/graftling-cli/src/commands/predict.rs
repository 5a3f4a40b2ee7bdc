//! `graftling predict`: what a model says about texts from flags, from standard input, or from a file.
//! Knows nothing of how an answer is found.

use std::io::{self, BufRead, BufReader, IsTerminal};
use std::path::{Path, PathBuf};

use clap::Args;
use graftling::{Prediction, Predictor, Said, TextInput};
use graftling_text::{QuestionColumns, Table, read_table, read_unanswered_questions, unlabelled};
use serde_json::{Map, Value, json};
use unicode_width::UnicodeWidthStr;

use super::answer_flags::AnswerFlags;
use super::data_flags::DataFlags;
use crate::console::Console;
use crate::failure::{Ending, Failure};
use crate::text_table::one_line;
use crate::{figures, models, prediction_columns, report, said};

/// The most lines of standard input that are predicted together.
const LINES_TOGETHER: usize = 1024;
/// The most texts of a file that are predicted together; on a terminal a line tells how far it is.
const TEXTS_TOGETHER: usize = 4096;
/// Between what is said and the text it is said of.
const GAP: &str = "  ";

/// What may be typed after `predict`.
#[derive(Args)]
#[command(
    override_usage = "graftling predict --model RUN --text TEXT...\n       graftling predict --model RUN --question TEXT --context TEXT\n       graftling predict --model RUN --input FILE [--output FILE]\n       graftling predict --model RUN < texts.txt",
    after_help = "Without --text and --input, standard input is read, one text a line. Each text gives one line: what the model says (for one label, the label and its probability), then the text."
)]
pub struct Arguments {
    /// The run folder, or any fine-tuned model of a known family
    #[arg(long, value_name = "RUN")]
    model: String,
    /// A text, or a question; may be repeated
    #[arg(long, visible_alias = "question", value_name = "TEXT", conflicts_with = "input", allow_hyphen_values = true)]
    text: Vec<String>,
    /// The second text of a pair, or the context of a question, one for each --text
    #[arg(long, visible_alias = "context", value_name = "TEXT", requires = "text", allow_hyphen_values = true)]
    text_pair: Vec<String>,
    /// A csv, tsv or jsonl file with texts, or a .json file with questions (SQuAD), plain or .gz
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// Write the input with columns for what is said of each row (label and probability, labels, numbers, entities ...) to this csv,
    /// tsv or jsonl file, plain or .gz; for questions in a .json file also a .json file with the answers alone
    #[arg(long, value_name = "FILE", requires = "input")]
    output: Option<PathBuf>,
    /// Print one JSON object for each text, a line each
    #[arg(long, conflicts_with = "output")]
    json: bool,
    /// Threads to compute with [default: one a core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    #[command(flatten)]
    data_flags: DataFlags,
    #[command(flatten)]
    answer_flags: AnswerFlags,
}

/// Predicts, and tells each prediction.
pub fn run(arguments: Arguments, console: &Console) -> Result<Ending, Failure> {
    if let Some(threads) = arguments.threads.map(usize::from) {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
        pool.map_err(|error| Failure::Threads { threads, reason: error.to_string() })?;
    }
    match &arguments.input {
        Some(input) => predict_file(&arguments, input, console)?,
        None if arguments.text.is_empty() => predict_stdin(&arguments, console)?,
        None => predict_texts(&arguments, console)?,
    }
    Ok(Ending::Complete)
}

fn predict_texts(arguments: &Arguments, console: &Console) -> Result<(), Failure> {
    let (texts, pairs) = (arguments.text.len(), arguments.text_pair.len());
    if pairs > 0 && pairs != texts {
        return Err(Failure::Unpaired { texts, pairs });
    }
    let teller = Teller::load(arguments, console)?;
    let pairs = arguments.text_pair.iter().map(|pair| Some(pair.as_str())).chain(std::iter::repeat(None));
    let inputs: Vec<TextInput<'_>> = arguments.text.iter().zip(pairs).map(|(text, pair)| TextInput { text, pair }).collect();
    let predictions = teller.predictor.predict(&inputs)?;
    teller.tell(&inputs, &[], &predictions)
}

fn predict_file(arguments: &Arguments, input: &Path, console: &Console) -> Result<(), Failure> {
    let texts = Texts::read(input, &arguments.data_flags)?;
    let table = &texts.table;
    if let Some(output) = &arguments.output {
        prediction_columns::check(output, input, table)?;
    }
    let teller = Teller::load(arguments, console)?;
    for notice in &texts.notices {
        console.tell(&format!("note: {notice}"));
    }
    let inputs: Vec<TextInput<'_>> = texts.inputs.iter().map(|(text, pair)| TextInput { text, pair: pair.as_deref() }).collect();
    let mut predictions = Vec::with_capacity(inputs.len());
    for inputs in inputs.chunks(TEXTS_TOGETHER) {
        let new = teller.predictor.predict(inputs)?;
        if arguments.output.is_none() {
            let ids = texts.ids.get(predictions.len()..).unwrap_or_default();
            teller.tell(inputs, ids, &new)?;
        }
        predictions.extend(new);
        if predictions.len() < texts.inputs.len() && arguments.output.is_some() {
            let (done, all) = (figures::count(predictions.len() as u64), figures::count(texts.inputs.len() as u64));
            console.tell(&format!("{done} of {all} texts"));
        }
    }
    if let Some(output) = &arguments.output {
        prediction_columns::write(output, table, &predictions)?;
        console.tell(&format!("wrote {} for {}", output.display(), figures::counted(predictions.len() as u64, "text")));
    }
    Ok(())
}

/// The texts of a file, and the rows that they stand in.
struct Texts {
    table: Table,
    inputs: Vec<(String, Option<String>)>,
    /// What a file of questions calls each of them; none elsewhere.
    ids: Vec<String>,
    notices: Vec<String>,
}

impl Texts {
    fn read(input: &Path, flags: &DataFlags) -> Result<Self, Failure> {
        if flags.is_squad(input) {
            let columns = flags.columns();
            let columns = QuestionColumns { question: columns.text, context: columns.text_pair, answers: columns.label };
            let questions = read_unanswered_questions(input, None, &columns)?;
            let each = questions.examples.iter();
            return Ok(Self {
                table: questions.table(),
                inputs: each.clone().map(|example| (example.question.clone(), Some(example.context.to_string()))).collect(),
                ids: each.map(|example| example.id.clone()).collect(),
                notices: questions.notices,
            });
        }
        let table = read_table(input, flags.format)?;
        let dataset = unlabelled(&table, &flags.columns())?;
        let inputs = dataset.examples.into_iter().map(|example| (example.text, example.text_pair)).collect();
        Ok(Self { table, inputs, ids: Vec::new(), notices: dataset.notices })
    }
}

fn predict_stdin(arguments: &Arguments, console: &Console) -> Result<(), Failure> {
    let teller = Teller::load(arguments, console)?;
    if io::stdin().is_terminal() {
        console.tell("type a text a line; end with Ctrl-D");
    }
    let mut reader = BufReader::with_capacity(1 << 20, io::stdin().lock());
    let mut line = 0;
    loop {
        let texts = lines(&mut reader, &mut line)?;
        if texts.is_empty() {
            return Ok(());
        }
        let inputs: Vec<TextInput<'_>> = texts.iter().map(|text| TextInput { text, pair: None }).collect();
        teller.tell(&inputs, &[], &teller.predictor.predict(&inputs)?)?;
    }
}

/// The lines that are there by now: one that may have to be waited for, and those that came with it.
fn lines<R: io::Read>(reader: &mut BufReader<R>, line: &mut usize) -> Result<Vec<String>, Failure> {
    let mut texts = Vec::new();
    while texts.len() < LINES_TOGETHER && (texts.is_empty() || reader.buffer().contains(&b'\n')) {
        let mut bytes = Vec::new();
        if reader.read_until(b'\n', &mut bytes).map_err(Failure::Stdin)? == 0 {
            break;
        }
        *line += 1;
        let text = String::from_utf8(bytes)
            .map_err(|error| Failure::StdinEncoding { line: *line, offset: error.utf8_error().valid_up_to() })?;
        let text = text.strip_suffix('\n').unwrap_or(&text);
        let text = if *line == 1 { text.strip_prefix('\u{FEFF}').unwrap_or(text) } else { text };
        texts.push(text.strip_suffix('\r').unwrap_or(text).to_owned());
    }
    Ok(texts)
}

/// A model that tells what it says about texts.
struct Teller<'a> {
    predictor: Predictor,
    console: &'a Console,
    json: bool,
    label_width: usize,
}

impl<'a> Teller<'a> {
    fn load(arguments: &Arguments, console: &'a Console) -> Result<Self, Failure> {
        let mut predictor = Predictor::load(&models::folder(&arguments.model, console)?)?;
        if let Some(no_answer) = arguments.answer_flags.null_score_diff_threshold {
            predictor = predictor.with_no_answer(no_answer)?;
        }
        let label_width = report::widest(predictor.labels(), said::LABEL_WIDTH);
        if let Some(decisions) = predictor.decisions() {
            console.tell(&format!("note: decided by {}", decisions.told(predictor.labels())));
        }
        Ok(Self { predictor, console, json: arguments.json, label_width })
    }

    /// Tells what is said of each text; those of some files have ids.
    fn tell(&self, inputs: &[TextInput<'_>], ids: &[String], predictions: &[Prediction]) -> Result<(), Failure> {
        let mut text = String::new();
        let ids = ids.iter().map(Some).chain(std::iter::repeat(None));
        for ((input, id), prediction) in inputs.iter().zip(ids).zip(predictions) {
            text += &if self.json { json_of(input, id, prediction).to_string() } else { self.line(input, prediction) };
            text.push('\n');
        }
        self.console.print(&text)
    }

    fn line(&self, input: &TextInput<'_>, prediction: &Prediction) -> String {
        let said = said::in_a_line(&prediction.said, self.label_width);
        let room = self.console.line_width().saturating_sub(said.width() + GAP.len());
        let text = match input.pair {
            // A context is long, and the answer a part of it.
            Some(pair) if !matches!(prediction.said, Said::Answer { .. }) => one_line(&format!("{} | {pair}", input.text), room),
            _ => one_line(input.text, room),
        };
        format!("{said}{GAP}{text}").trim_end().to_owned()
    }
}

/// The text and all that the model says about it.
fn json_of(input: &TextInput<'_>, id: Option<&String>, prediction: &Prediction) -> Value {
    let mut entries = Map::new();
    entries.extend(id.map(|id| ("id".to_owned(), json!(id))));
    entries.insert("text".to_owned(), json!(input.text));
    if let Some(pair) = input.pair {
        entries.insert("text_pair".to_owned(), json!(pair));
    }
    if let Value::Object(said) = json!(prediction) {
        entries.extend(said);
    }
    Value::Object(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_as_they_are_typed_and_keep_their_number() {
        let mut reader = BufReader::new("\u{FEFF}one\r\n\ntwo\nlast".as_bytes());
        let mut line = 0;
        assert_eq!(lines(&mut reader, &mut line).unwrap(), ["one", "", "two"]);
        assert_eq!(lines(&mut reader, &mut line).unwrap(), ["last"]);
        assert!(lines(&mut reader, &mut line).unwrap().is_empty());
    }

    #[test]
    fn a_line_that_is_not_utf8_is_told_by_its_number() {
        let mut reader = BufReader::new(&b"fine\nb\xE9d\n"[..]);
        let mut line = 0;
        let failure = lines(&mut reader, &mut line).unwrap_err().to_string();
        assert!(failure.starts_with("standard input:2: invalid UTF-8 at byte 1 of the line"), "{failure}");
    }
}
