//! `graftling generate`: what a model writes behind prompts, or from them, that come from flags, from standard input, or from a file.
//! Knows nothing of how tokens are chosen.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use graftling::{
    Columns, Continuation, FileFormat, FinishReason, Generation, Generator, Listener, Piece, prompts_of, template_of_run,
};
use graftling_text::{Cell, NewColumn, Table, open_conversations, unlabelled};
use serde_json::{Map, Value, json};

use super::data_flags::format;
use super::generation_flags::GenerationFlags;
use super::prompts::{PROMPT, Prompts};
use crate::console::Console;
use crate::data_file::DataFile;
use crate::failure::{Ending, Failure};
use crate::text_table::one_line;
use crate::{figures, models, prediction_columns, said, threads};

/// The columns that are added to a file.
const COLUMNS: &[&str] = &["generated_text", "finish_reason"];

/// What may be typed after `generate`.
#[derive(Args)]
#[command(
    override_usage = "graftling generate --model MODEL --prompt TEXT...\n       graftling generate --model MODEL --input FILE [--output FILE]\n       graftling generate --model MODEL < prompt.txt",
    after_help = "Without --prompt and --input, all of standard input is one prompt, without the line break at its end. One continuation of one prompt is written as it comes; several are a line each, with line breaks as \\n. Options that are not given are as generation_config.json in the model's folder says, or else as transformers has them."
)]
pub struct Arguments {
    /// The folder or name of a causal language model, or of a model that writes one text from another
    #[arg(long, value_name = "MODEL")]
    model: String,
    /// A text to go on with, or to write another from; may be repeated
    #[arg(long, value_name = "TEXT", conflicts_with = "input", allow_hyphen_values = true)]
    prompt: Vec<String>,
    /// A file with prompts (csv, tsv, jsonl, in the column prompt or one with a text; .txt, a prompt a line); plain or .gz
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// Write the input with the columns generated_text and finish_reason to this csv, tsv or jsonl file; plain or .gz
    #[arg(long, value_name = "FILE", requires = "input", conflicts_with = "prompt")]
    output: Option<PathBuf>,
    /// Print one JSON object for each continuation, a line each
    #[arg(long, conflicts_with = "output")]
    json: bool,
    /// Threads to compute with [default: one a core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// How the file of --input is written: csv, tsv, jsonl or txt (a prompt a line) [default: by its name]
    #[arg(long, value_name = "WORD", requires = "input", conflicts_with = "prompt", value_parser = format)]
    format: Option<FileFormat>,
    /// The column of --input that holds the prompts [default: prompt, or found by its name]
    #[arg(long, value_name = "COLUMN", requires = "input", conflicts_with = "prompt")]
    text_column: Option<String>,
    /// What the prompts of --input are made by from any columns, whose names stand in braces [default: the template of the run, if it has one
    /// and there is no column prompt]
    #[arg(long, value_name = "TEMPLATE", requires = "input", conflicts_with_all = ["text_column", "prompt"], allow_hyphen_values = true)]
    template: Option<String>,
    /// Take each prompt for what a user says, and write the answer by the chat template in the model's folder; with --input also
    /// conversations from a column of lists (messages)
    #[arg(long)]
    chat: bool,
    /// What the system says before each user
    #[arg(long, value_name = "TEXT", requires = "chat", allow_hyphen_values = true)]
    system: Option<String>,
    /// The language of the prompts, as the tokenizer of a model for many languages calls it (en_XX), or the language alone (en) [default: as the
    /// model's folder says]
    #[arg(long, value_name = "CODE")]
    source_language: Option<String>,
    /// The language to write in, in the same way [default: as the model's folder says]
    #[arg(long, value_name = "CODE")]
    target_language: Option<String>,
    #[command(flatten)]
    generation: GenerationFlags,
}

impl Arguments {
    /// These texts, each as it is or as what a user says.
    fn prompts(&self, texts: Vec<String>) -> Prompts {
        if self.chat { Prompts::of_users(texts, self.system.as_deref()) } else { Prompts::Texts(texts) }
    }
}

/// Generates, and tells what comes.
pub fn run(arguments: &Arguments, console: &Console) -> Result<Ending, Failure> {
    threads::compute_with(arguments.threads)?;
    match &arguments.input {
        Some(input) => behind_a_file(arguments, input, console)?,
        None if arguments.prompt.is_empty() => {
            let generator = load(arguments, console)?;
            let prompt = standard_input(console)?;
            behind(&generator, &arguments.prompts(vec![prompt]), arguments, console)?;
        }
        None => {
            let generator = load(arguments, console)?;
            behind(&generator, &arguments.prompts(arguments.prompt.clone()), arguments, console)?;
        }
    }
    Ok(Ending::Complete)
}

/// Opens the model; options that cannot be are told before any prompt is read.
fn load(arguments: &Arguments, console: &Console) -> Result<Generator, Failure> {
    let folder = models::folder(&arguments.model, console)?;
    let (source, target) = (arguments.source_language.as_deref(), arguments.target_language.as_deref());
    let generator = Generator::load_mapped(&folder)?.with_limits(arguments.generation.limits()).with_languages(source, target)?;
    generator.check(&arguments.generation.options(&generator)?)?;
    for notice in generator.notices() {
        console.tell(&format!("note: {notice}"));
    }
    Ok(generator)
}

/// Prints what follows each prompt.
fn behind(
    generator: &Generator,
    prompts: &Prompts,
    arguments: &Arguments,
    console: &Console,
) -> Result<Vec<Generation>, Failure> {
    let options = arguments.generation.options(generator)?;
    let several = generator.continuations(&options)? > 1;
    let told = match (arguments.output.is_some(), arguments.json) {
        (true, _) => Told::Count,
        (false, true) => Told::Json,
        (false, false) if prompts.len() > 1 || several => Told::Lines,
        (false, false) => Told::Pieces,
    };
    let mut teller = Teller { prompts, console, told, several, done: BTreeMap::new(), next: 0, failure: None };
    let generations = match prompts {
        Prompts::Texts(texts) => {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            generator.stream(&texts, &options, &mut teller)?
        }
        Prompts::Conversations(conversations) => generator.answer(conversations, &options, &mut teller)?,
    };
    if let Some(failure) = teller.failure {
        return Err(failure);
    }
    let ends_early = |continuation: &&Continuation| continuation.finish_reason == FinishReason::Length;
    let cut = generations.iter().flat_map(|generation| &generation.continuations).filter(ends_early).count();
    if cut > 0 && options.max_new_tokens.is_none() {
        let texts = figures::counted(cut as u64, "text");
        console.tell(&format!("note: {texts} cut at the most new tokens; --max-new-tokens gives more"));
    }
    Ok(generations)
}

fn behind_a_file(arguments: &Arguments, input: &Path, console: &Console) -> Result<(), Failure> {
    if let Some(output) = &arguments.output {
        prediction_columns::check_place(output, input)?;
    }
    let file = DataFile::read(input, arguments.format)?;
    let named = arguments.text_column.as_deref();
    let (table, column) = match &file {
        DataFile::Rows(table) => {
            let of_table = table.columns.iter().find(|name| name.trim().eq_ignore_ascii_case(PROMPT));
            (table, named.or(of_table.map(String::as_str)))
        }
        DataFile::Lines(table) => {
            let columns = Columns { text: arguments.text_column.clone(), ..Columns::default() };
            columns.refuse(input, "a file of plain texts has no columns")?;
            (table, Some(table.columns[0].as_str()))
        }
        DataFile::Sentences(_) | DataFile::Questions(_) => return Err(Failure::NoPrompts { path: input.to_owned() }),
    };
    if let Some(output) = &arguments.output {
        file.check_output(output, COLUMNS)?;
    }
    let conversations = if arguments.chat && arguments.template.is_none() { open_conversations(table, named)? } else { None };
    let of_run = match (&arguments.template, column) {
        (None, None) if !arguments.chat => template_of_run(&models::folder(&arguments.model, console)?)?,
        _ => None,
    };
    let (prompts, found) = match (conversations, arguments.template.as_ref().or(of_run.as_ref())) {
        (Some(conversations), _) => (Prompts::of_conversations(conversations, arguments.system.as_deref()), None),
        (None, Some(template)) => {
            let found = of_run.is_some().then(|| format!("prompts by the template of the run, {template:?}"));
            (arguments.prompts(prompts_of(table, template)?), found)
        }
        (None, None) => {
            let (prompts, name) = prompts_in(table, column, input)?;
            (arguments.prompts(prompts), column.is_none().then(|| format!("prompts from the column {name}")))
        }
    };
    let generator = load(arguments, console)?;
    if let Some(found) = found {
        console.tell(&format!("note: {}: {found}", input.display()));
    }
    let began = Instant::now();
    let generations = behind(&generator, &prompts, arguments, console)?;
    let took = began.elapsed();
    if let Some(output) = &arguments.output {
        file.write(output, &columns(&generations), &[])?;
        let tokens = generations.iter().flat_map(|generation| &generation.continuations).map(|one| one.tokens.len() as u64).sum();
        console.tell(&format!(
            "wrote {} for {}: {} in {} ({} tokens/s)",
            output.display(),
            figures::counted(prompts.len() as u64, "prompt"),
            figures::counted(tokens, "token"),
            figures::time(took),
            figures::count(figures::per_second(tokens, took).round() as u64),
        ));
    }
    Ok(())
}

/// The prompts that stand in a column as they are, and its name.
fn prompts_in(table: &Table, column: Option<&str>, input: &Path) -> Result<(Vec<String>, String), Failure> {
    let dataset = unlabelled(table, &Columns { text: column.map(str::to_owned), ..Columns::default() })?;
    if dataset.columns.text_pair.is_some() {
        return Err(Failure::PairOfPrompts { path: input.to_owned() });
    }
    Ok((dataset.examples.into_iter().map(|example| example.text).collect(), dataset.columns.text))
}

/// What was generated, as columns; where any prompt has several continuations, every cell holds a list.
fn columns(generations: &[Generation]) -> Vec<NewColumn> {
    let several = generations.iter().any(|generation| generation.continuations.len() != 1);
    let column = |name: &str, of: &dyn Fn(&Continuation) -> String| {
        let cell = |generation: &Generation| match generation.continuations.as_slice() {
            [one] if !several => Cell::Text(of(one)),
            all => Cell::Json(all.iter().map(of).collect()),
        };
        NewColumn { name: name.to_owned(), cells: generations.iter().map(cell).collect() }
    };
    vec![column(COLUMNS[0], &|one| one.text.clone()), column(COLUMNS[1], &|one| one.finish_reason.to_string())]
}

/// All of standard input, without the line break at its end.
fn standard_input(console: &Console) -> Result<String, Failure> {
    if io::stdin().is_terminal() {
        console.tell("type a prompt; end with Ctrl-D");
    }
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes).map_err(Failure::Stdin)?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        let before = &error.as_bytes()[..offset];
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |place| place + 1);
        Failure::StdinEncoding { line: 1 + before.iter().filter(|byte| **byte == b'\n').count(), offset: offset - start }
    })?;
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(&text);
    let text = text.strip_suffix('\n').unwrap_or(text);
    Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
}

/// How continuations are told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    /// One, as it comes.
    Pieces,
    /// Each on a line, in the order of their prompts.
    Lines,
    /// Each as an object on a line.
    Json,
    /// How many prompts are done.
    Count,
}

/// Tells continuations while they come.
struct Teller<'a> {
    prompts: &'a Prompts,
    console: &'a Console,
    told: Told,
    several: bool,
    /// Prompts that are done before those in front of them.
    done: BTreeMap<usize, Generation>,
    /// The first prompt that is not told yet.
    next: usize,
    failure: Option<Failure>,
}

impl Listener for Teller<'_> {
    fn text(&mut self, piece: Piece<'_>) -> ControlFlow<()> {
        if self.told == Told::Pieces {
            self.print(piece.text);
        }
        // Nobody reads any more: nothing more is wanted.
        if self.failure.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn done(&mut self, prompt: usize, generation: &Generation) {
        if self.told == Told::Pieces {
            self.print("\n");
            return;
        }
        self.done.insert(prompt, generation.clone());
        while let Some(generation) = self.done.remove(&self.next) {
            if self.told == Told::Count {
                self.count();
            } else {
                for (place, continuation) in generation.continuations.iter().enumerate() {
                    self.print(&self.line(&generation, place, continuation));
                }
            }
            self.next += 1;
        }
    }
}

impl Teller<'_> {
    fn print(&mut self, text: &str) {
        if self.failure.is_none() {
            self.failure = self.console.print(text).err();
        }
    }

    fn line(&self, generation: &Generation, place: usize, continuation: &Continuation) -> String {
        let Continuation { text, tokens, finish_reason, score } = continuation;
        if self.told == Told::Lines {
            return one_line(text, usize::MAX) + "\n";
        }
        let mut entries = Map::new();
        entries.extend([self.prompts.entry(self.next)]);
        entries.insert(COLUMNS[0].to_owned(), json!(text));
        if self.several {
            entries.insert("sequence".to_owned(), json!(place + 1));
        }
        entries.insert(COLUMNS[1].to_owned(), json!(finish_reason));
        entries.insert("prompt_tokens".to_owned(), json!(generation.prompt_tokens));
        entries.insert("tokens".to_owned(), json!(tokens.len()));
        entries.extend(score.map(|score| ("score".to_owned(), said::number(score))));
        format!("{}\n", Value::Object(entries))
    }

    /// A line at every tenth of the prompts.
    fn count(&self) {
        let (done, all) = (self.next + 1, self.prompts.len());
        if done < all && 10 * done / all > 10 * self.next / all {
            let (done, all) = (figures::count(done as u64), figures::count(all as u64));
            self.console.tell(&format!("{done} of {all} prompts"));
        }
    }
}
