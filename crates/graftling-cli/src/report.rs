//! Results in words and tables, and as JSON. Knows nothing of how they came about or where they go.

use std::env;
use std::path::Path;

use graftling::metrics::Metrics;
use graftling::recipe::in_a_shell;
use graftling::{Evaluation, TrainSummary};
use serde_json::{Map, Value, json};
use unicode_width::UnicodeWidthStr;

use crate::console::Console;
use crate::figures;

/// The figures of an evaluation that matter most, on one line.
pub fn headline(evaluation: &Evaluation) -> String {
    headline_of(&evaluation.metrics)
}

fn headline_of(metrics: &Metrics) -> String {
    let figures = metrics.headline().into_iter().map(|(name, figure)| format!("{name} {figure:.4}"));
    figures.collect::<Vec<_>>().join("  ")
}

/// What was fitted or given to decide by, and the figures with it and without, where something was.
fn decisions(evaluation: &Evaluation) -> String {
    let Some(unfitted) = &evaluation.unfitted else { return String::new() };
    let probabilities = |metrics: &Metrics| match metrics.probabilities() {
        Some(it) => format!("  Brier {:.4}  calibration error {:.4}", it.brier, it.calibration_error),
        None => String::new(),
    };
    let line = |metrics: &Metrics| format!("{}{}", headline_of(metrics), probabilities(metrics));
    let told = unfitted.decisions.told(&evaluation.labels);
    format!("decided by {told}\n  with it: {}\n  without: {}\n", line(&evaluation.metrics), line(&unfitted.metrics))
}

/// An evaluation with its tables.
pub fn evaluation(title: &str, evaluation: &Evaluation, console: &Console) -> String {
    let examples = figures::counted(evaluation.metrics.examples(), "example");
    let tables = evaluation.metrics.tables(console.width());
    let (headline, decisions, intervals) = (headline(evaluation), decisions(evaluation), intervals(evaluation));
    format!("{title} ({examples}): {headline}\n{decisions}\n{tables}{intervals}")
}

/// The intervals of the figures, after a blank line, where there are some.
fn intervals(evaluation: &Evaluation) -> String {
    let table = evaluation.intervals.as_ref().map(|intervals| intervals.table());
    table.filter(|table| !table.is_empty()).map_or(String::new(), |table| format!("\n{table}"))
}

/// What a finished training run has to report.
pub fn training(summary: &TrainSummary, console: &Console) -> String {
    let speed = figures::per_second(summary.tokens, summary.step_time);
    let windows = match summary.train_windows > summary.train_examples {
        true => format!(" in {}", figures::counted(summary.train_windows as u64, "window")),
        false => String::new(),
    };
    let mut text = format!(
        "trained {} on {}{windows} for {} in {} ({} tokens/s",
        figures::counted(summary.steps, "step"),
        figures::counted(summary.train_examples as u64, "example"),
        figures::epochs(summary.epoch),
        figures::time(summary.runtime),
        figures::count(speed.round() as u64),
    );
    if let Some(peak) = summary.peak_memory_bytes {
        text += &format!(", peak memory {}", figures::size(peak));
    }
    text += ")\n";
    if let Some(reason) = summary.stopped {
        text += &format!("{reason}: {} of {} steps were taken\n", summary.steps, summary.planned_steps);
    }
    text += &format!("training texts: {}\n", summary.truncation);
    if let Some(validation) = &summary.validation {
        let step = summary.best.as_ref().map_or(String::new(), |best| format!(" at step {}", best.step));
        let examples = figures::counted(validation.metrics.examples(), "example");
        text += &format!("validation{step} ({examples}): {}\n{}", headline(validation), decisions(validation));
        if validation.unfitted.is_some() {
            text += "  what was fitted of it was fitted at the end, for the step that is the best without it\n";
        }
    }
    match (&summary.test, &summary.validation) {
        (Some(test), _) => text += &evaluation("test", test, console),
        (None, Some(validation)) => {
            text += &format!("\n{}{}", validation.metrics.tables(console.width()), intervals(validation));
        }
        (None, None) => {}
    }
    text += &format!("\nthe model is in {}", summary.output.display());
    match &summary.best {
        Some(best) if best.checkpoint != summary.last_checkpoint => {
            text += &format!(" (the best checkpoint, {})\n", name(&best.checkpoint));
        }
        _ => text += &format!(" (also as {})\n", name(&summary.last_checkpoint)),
    }
    if let Some(report) = &summary.report {
        text += &format!("the report is {}\n", report.display());
    }
    text
}

/// What a person may type next.
pub fn next_commands(commands: &[String]) -> String {
    let lines = commands.iter().map(|command| format!("  {} {command}\n", program()));
    format!("\nnext:\n{}", lines.collect::<String>())
}

/// A path as a shell takes it.
pub fn quoted(path: &Path) -> String {
    in_a_shell(&path.display().to_string())
}

/// An evaluation as JSON: the figures under the names of transformers' Trainer, then the details of the task's own.
pub fn evaluation_json(evaluation: &Evaluation) -> Map<String, Value> {
    let mut entries = evaluation.flat("eval");
    entries.insert("labels".to_owned(), json!(evaluation.labels));
    entries.extend(evaluation.metrics.details());
    entries
}

/// The widest of these names, up to a limit.
pub fn widest(names: &[String], limit: usize) -> usize {
    names.iter().map(|name| name.width()).max().unwrap_or(0).min(limit)
}

/// This program as it was called, so that a suggested command works from the same place.
fn program() -> String {
    let called = env::args().next().filter(|called| called.contains('/'));
    called.map_or("graftling".to_owned(), |called| quoted(Path::new(&called)))
}

fn name(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_quoted_where_a_shell_needs_it() {
        for (path, text) in
            [("runs/a-1.0", "runs/a-1.0"), ("评论/模型", "评论/模型"), ("my run", "'my run'"), ("it's", r"'it'\''s'"), ("", "''")]
        {
            assert_eq!(quoted(Path::new(path)), text);
        }
    }
}
