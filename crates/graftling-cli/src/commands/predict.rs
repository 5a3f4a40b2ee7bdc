//! `graftling predict`: what a model says about texts from flags, from standard input, or from a file.
//! Knows nothing of how an answer is found.

use std::io::{self, BufRead, BufReader, IsTerminal};
use std::path::{Path, PathBuf};

use clap::Args;
use graftling::recipe::Task;
use graftling::{Columns, Predictor, TextInput};
use graftling_text::{
    ComparedTexts, Dataset, Example, Examples, QuestionExample, TokenColumns, TokenDataset, holds_comparisons, holds_word_lists,
    unlabelled, unlabelled_comparisons, unlabelled_tokens,
};

use super::aggregation_flags::AggregationFlags;
use super::answer_flags::AnswerFlags;
use super::data_flags::DataFlags;
use super::encoder_flags::EncoderFlags;
use super::reading_flags::ReadingFlags;
use super::teller::{Asked, Teller};
use crate::console::Console;
use crate::data_file::DataFile;
use crate::failure::{Ending, Failure};
use crate::{figures, models, prediction_columns, threads};

/// The most lines of standard input that are predicted together.
const LINES_TOGETHER: usize = 1024;
/// The most texts of a file that are predicted together; on a terminal a line tells how far it is.
const TEXTS_TOGETHER: usize = 4096;

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
    /// A file with texts (csv, tsv, jsonl; .txt, a text a line), with words to be tagged (jsonl with lists,
    /// CoNLL) or with questions (csv, tsv, jsonl; .json of SQuAD); plain or .gz
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// Write the input with columns for what is said of each row (label and probability, labels, numbers, entities, embedding, written text ...) to this csv,
    /// tsv or jsonl file, or CoNLL with the predicted tag of each word as its last column to a CoNLL file; plain or .gz. For questions in
    /// a .json file also a .json file with the answers alone
    #[arg(long, value_name = "FILE", requires = "input", conflicts_with = "text")]
    output: Option<PathBuf>,
    /// Print one JSON object for each text, a line each
    #[arg(long, conflicts_with = "output")]
    json: bool,
    /// Threads to compute with [default: one a core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    #[command(flatten)]
    aggregation: AggregationFlags,
    #[command(flatten)]
    data_flags: DataFlags,
    #[command(flatten)]
    answer_flags: AnswerFlags,
    #[command(flatten)]
    reading_flags: ReadingFlags,
    #[command(flatten)]
    encoder_flags: EncoderFlags,
}

/// Predicts, and tells each prediction.
pub fn run(arguments: Arguments, console: &Console) -> Result<Ending, Failure> {
    if arguments.input.is_none() && arguments.data_flags.is_given() {
        return Err(Failure::NoDataToRead { file: "--input" });
    }
    threads::compute_with(arguments.threads)?;
    match &arguments.input {
        Some(input) => predict_file(&arguments, input, console)?,
        None if arguments.text.is_empty() => predict_stdin(&arguments, console)?,
        None => predict_texts(&arguments, console)?,
    }
    Ok(Ending::Complete)
}

fn load<'a>(arguments: &Arguments, console: &'a Console) -> Result<Teller<'a>, Failure> {
    let folder = models::folder(&arguments.model, console)?;
    let mut predictor = match arguments.encoder_flags.encoder() {
        None => Predictor::load(&folder)?,
        Some(encoder) => Predictor::load_encoder(&folder, encoder)?,
    };
    predictor = predictor.with_reading(arguments.reading_flags.choices())?;
    if let Some(aggregation) = arguments.aggregation.aggregation() {
        predictor = predictor.with_aggregation(aggregation)?;
    }
    if let Some(no_answer) = arguments.answer_flags.null_score_diff_threshold {
        predictor = predictor.with_no_answer(no_answer)?;
    }
    Ok(Teller::new(predictor, console, arguments.json))
}

fn predict_texts(arguments: &Arguments, console: &Console) -> Result<(), Failure> {
    let (texts, pairs) = (arguments.text.len(), arguments.text_pair.len());
    if pairs > 0 && pairs != texts {
        return Err(Failure::Unpaired { texts, pairs });
    }
    let mut teller = load(arguments, console)?;
    let pairs = arguments.text_pair.iter().map(|pair| Some(pair.as_str())).chain(std::iter::repeat(None));
    let asked: Vec<Asked<'_>> =
        arguments.text.iter().zip(pairs).map(|(text, pair)| Asked::Text(TextInput { text, pair })).collect();
    teller.note_empty(&asked);
    let predictions = teller.ask(&asked)?;
    teller.tell(&asked, &predictions)?;
    teller.note_cut();
    Ok(())
}

fn predict_file(arguments: &Arguments, input: &Path, console: &Console) -> Result<(), Failure> {
    if let Some(output) = &arguments.output {
        prediction_columns::check_place(output, input)?;
    }
    let file = DataFile::read(input, arguments.data_flags.format)?;
    if let Some(output) = &arguments.output {
        prediction_columns::check(output, &file)?;
    }
    let columns = arguments.data_flags.columns();
    // Texts that are compared are so by a model of vectors alone; all else can be told before the model is there.
    let compared = match &file {
        DataFile::Rows(table) => Some(table).filter(|table| holds_comparisons(table, &columns)),
        _ => None,
    };
    let known = if compared.is_none() { Some(Contents::of(input, &file, &columns)) } else { None };
    let (known, mut teller) = match (known, load(arguments, console)) {
        // The columns of texts that others are written from have names of their own.
        (Some(Err(_)), Ok(teller)) if teller.predictor.task().writes() => (None, teller),
        (Some(Err(error)), _) => return Err(error),
        (known, teller) => (known.transpose()?, teller?),
    };
    let sources = match &file {
        DataFile::Rows(table) if teller.predictor.task().writes() => Some(teller.predictor.sources_of(table, &columns)?),
        _ => None,
    };
    let contents = match (sources, known, compared) {
        (Some(sources), ..) => Contents::Sources(sources),
        (None, Some(known), _) => known,
        (None, None, Some(table)) if teller.predictor.task() == Task::SentenceEmbedding => {
            Contents::Compared(unlabelled_comparisons(table)?)
        }
        (None, None, _) => Contents::of(input, &file, &columns)?,
    };
    contents.check(input, &file, teller.predictor.task(), arguments.data_flags.format.is_some())?;
    for notice in contents.notices() {
        console.tell(&format!("note: {notice}"));
    }
    let asked = contents.asked();
    let mut predictions = Vec::with_capacity(asked.len());
    for asked_now in asked.chunks(TEXTS_TOGETHER) {
        let new = teller.ask(asked_now)?;
        if arguments.output.is_none() {
            teller.tell(asked_now, &new)?;
            continue;
        }
        predictions.extend(new);
        if predictions.len() < asked.len() {
            let (done, all) = (figures::count(predictions.len() as u64), figures::count(asked.len() as u64));
            console.tell(&format!("{done} of {all} {}s", contents.noun()));
        }
    }
    teller.note_cut();
    if let Some(output) = &arguments.output {
        prediction_columns::write(output, &file, &predictions, arguments.data_flags.text_column.as_deref())?;
        console.tell(&format!("wrote {} for {}", output.display(), figures::counted(predictions.len() as u64, contents.noun())));
    }
    Ok(())
}

/// What a file holds to be predicted.
enum Contents<'a> {
    Texts(Dataset),
    /// Texts from which others are written, made as in the run.
    Sources(Dataset),
    Sentences(TokenDataset),
    Questions(&'a Examples<QuestionExample>),
    Compared(Examples<ComparedTexts>),
}

impl<'a> Contents<'a> {
    fn of(input: &Path, file: &'a DataFile, columns: &Columns) -> Result<Self, Failure> {
        let Columns { text, label, .. } = columns;
        match file {
            DataFile::Sentences(_) => columns.refuse(input, "the columns of a CoNLL file have no names")?,
            DataFile::Questions(_) => columns.refuse(input, "a file in SQuAD's layout has no columns")?,
            DataFile::Lines(_) => columns.refuse(input, "a file of plain texts has no columns")?,
            DataFile::Rows(_) => {}
        }
        Ok(match file {
            DataFile::Sentences(file) => Self::Sentences(file.sentences().clone()),
            DataFile::Questions(questions) => Self::Questions(questions),
            DataFile::Rows(table) if holds_word_lists(table, text.as_deref()) => {
                Columns { text: None, label: None, ..columns.clone() }.refuse(input, "the words of one text are tagged")?;
                let columns = TokenColumns { tokens: text.clone(), tags: label.clone(), ..TokenColumns::default() };
                Self::Sentences(unlabelled_tokens(table, &columns)?)
            }
            DataFile::Rows(table) => Self::Texts(unlabelled(table, columns)?),
            // The one column has no name in the file, so none is told as found.
            DataFile::Lines(table) => {
                Self::Texts(unlabelled(table, &Columns { text: Some(table.columns[0].clone()), ..Columns::default() })?)
            }
        })
    }

    /// Refuses what the model does not take, and what only a format that is given can tell.
    fn check(&self, input: &Path, file: &DataFile, task: Task, is_format_given: bool) -> Result<(), Failure> {
        let words = task == Task::TokenClassification;
        match (self, file) {
            (Self::Sentences(_), _) if !words => Err(Failure::WordsForTexts { path: input.to_owned(), task }),
            (_, DataFile::Lines(_)) if words && !is_format_given => Err(Failure::TextsOrWords { path: input.to_owned() }),
            _ => Ok(()),
        }
    }

    fn notices(&self) -> &[String] {
        match self {
            Self::Texts(dataset) | Self::Sources(dataset) => &dataset.notices,
            Self::Sentences(dataset) => &dataset.notices,
            Self::Questions(questions) => &questions.notices,
            Self::Compared(compared) => &compared.notices,
        }
    }

    fn noun(&self) -> &'static str {
        match self {
            Self::Texts(_) | Self::Sources(_) | Self::Questions(_) | Self::Compared(_) => "text",
            Self::Sentences(_) => "sentence",
        }
    }

    fn asked(&self) -> Vec<Asked<'_>> {
        match self {
            Self::Texts(dataset) => dataset.examples.iter().map(asked_of).collect(),
            Self::Sources(dataset) => dataset.examples.iter().map(|example| Asked::Source(&example.text)).collect(),
            Self::Sentences(dataset) => dataset.examples.iter().map(Asked::Words).collect(),
            Self::Questions(questions) => questions.examples.iter().map(question_of).collect(),
            Self::Compared(compared) => compared.examples.iter().map(compared_of).collect(),
        }
    }
}

fn asked_of(example: &Example) -> Asked<'_> {
    Asked::Text(TextInput { text: &example.text, pair: example.text_pair.as_deref() })
}

fn compared_of(example: &ComparedTexts) -> Asked<'_> {
    match example.texts.as_slice() {
        [text, pair] => Asked::Text(TextInput { text, pair: Some(pair) }),
        _ => Asked::Triplet(example),
    }
}

fn question_of(example: &QuestionExample) -> Asked<'_> {
    let input = TextInput { text: &example.question, pair: Some(&*example.context) };
    Asked::Question { id: &example.id, input }
}

fn predict_stdin(arguments: &Arguments, console: &Console) -> Result<(), Failure> {
    let mut teller = load(arguments, console)?;
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
        let asked: Vec<Asked<'_>> = texts.iter().map(|text| Asked::Text(TextInput { text, pair: None })).collect();
        teller.note_empty(&asked);
        let predictions = teller.ask(&asked)?;
        teller.tell(&asked, &predictions)?;
        teller.note_cut();
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
