//! `graftling compare`: fine-tuned models beside each other on the same labelled file. Knows nothing of how they are compared.

use std::path::{Path, PathBuf};

use clap::Args;
use graftling::metrics::{Difference, McNemar};
use graftling::{CompareRequest, Comparison, Contrast, Side};
use serde_json::{Map, Value, json};

use super::data_flags::DataFlags;
use crate::console::Console;
use crate::failure::{Ending, Failure};
use crate::progress::RunProgress;
use crate::text_table::{Side as Align, one_line, table};
use crate::{figures, models, report};

/// What may be typed after `compare`.
#[derive(Args)]
#[command(
    override_usage = "graftling compare RUN RUN... [--data FILE]",
    after_help = "The first run is what the others are compared with: a difference above 0 means that the other run's figure is higher.\n\
                  p is how often drawings of the examples would show a difference on the other side of none (paired bootstrap, two-sided)."
)]
pub struct Arguments {
    /// Run folders, or any fine-tuned models of one task and the same labels; two or more
    #[arg(value_name = "RUN", required = true, num_args = 2..)]
    runs: Vec<String>,
    /// The texts with their answers [default: the test file that the recipes of all runs name]
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// Print one JSON object with all figures on stdout
    #[arg(long)]
    json: bool,
    /// Draw the examples anew so many times for intervals and p values
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(100..=1_000_000), default_value_t = 1000)]
    resamples: u32,
    /// Threads to compute with [default: one a core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    #[command(flatten)]
    data_flags: DataFlags,
}

/// Compares, and tells the differences.
pub fn run(arguments: Arguments, console: &Console) -> Result<Ending, Failure> {
    let runs = arguments.runs.iter().map(|run| models::folder(run, console)).collect::<Result<Vec<_>, _>>()?;
    let request = CompareRequest {
        runs,
        data: arguments.data,
        format: arguments.data_flags.format,
        columns: arguments.data_flags.columns(),
        threads: arguments.threads.map(usize::from),
        resamples: arguments.resamples as usize,
    };
    let comparison = graftling::compare(&request, &mut RunProgress::new(console, 1))?;
    if arguments.json {
        console.print_json(&json_of(&comparison, request.resamples))?;
    } else {
        console.print(&text_of(&comparison, request.resamples, console))?;
    }
    Ok(Ending::Complete)
}

/// What a run is called in the tables.
fn letter(place: usize) -> String {
    let letters = ('A'..='Z').nth(place % 26).map(String::from).unwrap_or_default();
    if place < 26 { letters } else { format!("{letters}{}", place / 26) }
}

fn text_of(comparison: &Comparison, resamples: usize, console: &Console) -> String {
    let Comparison { data, task, sides, contrasts, options } = comparison;
    let examples = figures::counted(sides[0].evaluation.metrics.examples(), "example");
    let mut text = format!("{} ({examples}, {task})\n", data.display());
    for (place, side) in sides.iter().enumerate() {
        text += &format!("  {}  {}{}\n", letter(place), side.run.display(), decided(side));
    }
    text += &format!("\n{}", figures_table(sides));
    for (place, contrast) in contrasts.iter().enumerate() {
        text += &format!("\n{}", contrast_table(&letter(place + 1), contrast, resamples));
    }
    text += &format!("\n{}{}", without_recipes(sides), options_table(options, sides.len(), console.width()));
    text + &format!("\n{}", costs_table(sides))
}

/// What a run decides by, where something was fitted or given.
fn decided(side: &Side) -> String {
    let unfitted = side.evaluation.unfitted.as_ref();
    unfitted.map_or(String::new(), |unfitted| format!(" (decided by {})", unfitted.decisions.told(&side.evaluation.labels)))
}

/// Each figure of each run with its interval.
fn figures_table(sides: &[Side]) -> String {
    let mut rows = vec![vec![String::new()]];
    rows[0].extend((0..sides.len()).flat_map(|place| [letter(place), "from".to_owned(), "to".to_owned()]));
    let intervals = |side: &Side| side.evaluation.intervals.clone().map_or(Vec::new(), |intervals| intervals.figures);
    for interval in intervals(&sides[0]) {
        let mut row = vec![interval.name.name.to_owned()];
        for side in sides {
            match side.evaluation.intervals.as_ref().and_then(|intervals| intervals.get(interval.name.key)) {
                Some(it) => row.extend([it.value, it.low, it.high].map(|figure| format!("{figure:.4}"))),
                None => row.extend(["-"; 3].map(str::to_owned)),
            }
        }
        rows.push(row);
    }
    table(&numbers(3 * sides.len()), &rows)
}

fn contrast_table(letter: &str, contrast: &Contrast, resamples: usize) -> String {
    let mut text = differences_table(&format!("{letter} less A"), &contrast.differences, resamples);
    if let Some(McNemar { only_first, only_second, exact, p_value, .. }) = contrast.mcnemar {
        let test = if exact { "exact" } else { "chi-squared, corrected for continuity" };
        let p = probability(p_value);
        text += &format!("McNemar's test ({test}): {only_second} right by {letter} alone, {only_first} by A alone; p {p}\n");
    }
    text
}

/// The difference of each figure, with its interval and its p value.
pub fn differences_table(heading: &str, differences: &[Difference], resamples: usize) -> String {
    let heading = [heading, "difference", "from", "to", "p"].map(str::to_owned).to_vec();
    let row = |it: &Difference| {
        let signed = |figure: f64| format!("{figure:+.4}");
        vec![it.name.name.to_owned(), signed(it.value), signed(it.low), signed(it.high), probability(it.p_value)]
    };
    let rows: Vec<Vec<String>> = [heading].into_iter().chain(differences.iter().map(row)).collect();
    let resamples = figures::count(resamples as u64);
    format!("paired bootstrap, {resamples} resamples, 95 % intervals\n{}", table(&numbers(4), &rows))
}

/// The difference of each figure under its key.
pub fn differences_json(differences: &[Difference]) -> Map<String, Value> {
    let difference = |it: &Difference| {
        let figures = json!({
            "first": it.first, "second": it.second, "difference": it.value, "interval": [it.low, it.high], "p_value": it.p_value
        });
        (it.name.key.to_owned(), figures)
    };
    differences.iter().map(difference).collect()
}

/// Which sides have no options that could be told.
fn without_recipes(sides: &[Side]) -> String {
    let letters: Vec<String> =
        sides.iter().enumerate().filter(|(_, side)| !side.has_recipe).map(|(place, _)| letter(place)).collect();
    match letters.as_slice() {
        [] => String::new(),
        [one] => format!("{one} is no run of this program and has no recipe\n"),
        several => format!("{} are no runs of this program and have no recipes\n", several.join(", ")),
    }
}

fn options_table(options: &[(&str, Vec<Option<String>>)], runs: usize, width: usize) -> String {
    if options.is_empty() {
        return "no recipes differ\n".to_owned();
    }
    let room = width / (runs + 1);
    let mut rows = vec![vec!["option".to_owned()]];
    rows[0].extend((0..runs).map(letter));
    rows.extend(options.iter().map(|(name, values)| {
        let shown = |value: &Option<String>| one_line(value.as_deref().unwrap_or("-"), room);
        [(*name).to_owned()].into_iter().chain(values.iter().map(shown)).collect()
    }));
    table(&vec![Align::Left; runs + 1], &rows)
}

fn costs_table(sides: &[Side]) -> String {
    // They stand in a file that anybody may have written to.
    let seconds = |seconds: f64| figures::time(std::time::Duration::try_from_secs_f64(seconds).unwrap_or_default());
    let rate = |rate: f64| figures::count(rate.round() as u64);
    let evaluated = |side: &Side| figures::per_second(side.evaluation.tokens, side.evaluation.runtime);
    let told = |cost: Option<String>| cost.unwrap_or("-".to_owned());
    let mut rows: Vec<Vec<String>> = ["cost", "training took", "training tokens/s", "peak memory", "evaluation tokens/s"]
        .map(|name| vec![name.to_owned()])
        .into();
    for (place, side) in sides.iter().enumerate() {
        let costs = [
            letter(place),
            told(side.cost.train_seconds.map(seconds)),
            told(side.cost.train_tokens_per_second.map(rate)),
            told(side.cost.peak_memory_bytes.map(figures::size)),
            rate(evaluated(side)),
        ];
        rows.iter_mut().zip(costs).for_each(|(row, cost)| row.push(cost));
    }
    table(&numbers(sides.len()), &rows)
}

/// A column of names and so many of numbers.
fn numbers(count: usize) -> Vec<Align> {
    [Align::Left].into_iter().chain(std::iter::repeat_n(Align::Right, count)).collect()
}

/// `0.042`, or `<0.001`.
fn probability(p: f64) -> String {
    if p < 0.001 { "<0.001".to_owned() } else { format!("{p:.3}") }
}

fn json_of(comparison: &Comparison, resamples: usize) -> Value {
    let Comparison { data, task, sides, contrasts, options } = comparison;
    let run = |side: &Side| {
        let mut entries = report::evaluation_json(&side.evaluation);
        entries.insert("run".to_owned(), json!(side.run));
        entries.insert("has_recipe".to_owned(), json!(side.has_recipe));
        entries.insert("train_runtime".to_owned(), json!(side.cost.train_seconds));
        entries.insert("train_tokens_per_second".to_owned(), json!(side.cost.train_tokens_per_second));
        entries.insert("peak_memory_bytes".to_owned(), json!(side.cost.peak_memory_bytes));
        Value::Object(entries)
    };
    let contrast = |(contrast, run): (&Contrast, &Path)| {
        let differences = differences_json(&contrast.differences);
        json!({ "run": run, "differences": differences, "mcnemar": contrast.mcnemar })
    };
    let others = sides.iter().skip(1).map(|side| side.run.as_path());
    let options: Map<String, Value> = options.iter().map(|(name, values)| ((*name).to_owned(), json!(values))).collect();
    json!({
        "data": data,
        "task": task.word(),
        "resamples": resamples,
        "level": graftling::metrics::LEVEL,
        "runs": sides.iter().map(run).collect::<Vec<_>>(),
        "against_first": contrasts.iter().zip(others).map(contrast).collect::<Vec<_>>(),
        "options": options,
    })
}
