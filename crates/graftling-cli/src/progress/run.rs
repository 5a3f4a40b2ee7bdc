//! A training or evaluation as it goes on: facts and notes as lines, steps as one live line or as a plain line now and then.
//! Knows nothing of results; they go to stdout when all is done.

use std::path::Path;
use std::time::{Duration, Instant};

use graftling::{Evaluation, Event, Observer, SplitName};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::pace::{Pace, is_due, time_left};
use crate::console::Console;
use crate::figures;
use crate::report::headline;

/// More labels than this are counted, not listed.
const LISTED_LABELS: usize = 8;

/// Shows a run on stderr.
pub struct RunProgress {
    console: Console,
    log_every: u64,
    bar: Option<ProgressBar>,
    pace: Pace,
    tokens: u64,
    /// When the last event ended; the next step began then.
    last: Instant,
    /// When the last plain line was told, or training began.
    told: Instant,
    /// The losses since the last plain line.
    losses: Vec<f32>,
}

/// The figures of one step.
struct Step {
    step: u64,
    steps: u64,
    epoch: f64,
    learning_rate: f32,
    elapsed: Duration,
}

impl RunProgress {
    /// A plain line stands for so many steps, or for fewer that take long.
    pub fn new(console: &Console, log_every: u64) -> Self {
        Self {
            console: *console,
            log_every,
            bar: None,
            pace: Pace::default(),
            tokens: 0,
            last: Instant::now(),
            told: Instant::now(),
            losses: Vec::new(),
        }
    }

    /// A line that stays, above the live one.
    fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| self.console.tell(text)),
            None => self.console.tell(text),
        }
    }

    fn start(&mut self, steps: u64) {
        self.last = Instant::now();
        self.told = self.last;
        if !self.console.live {
            return;
        }
        let bar = ProgressBar::with_draw_target(Some(steps), ProgressDrawTarget::stderr_with_hz(5));
        let template = if self.console.live_width() < ROOM_FOR_BAR { WITHOUT_BAR } else { WITH_BAR };
        // The templates are fixed; a test shows that they are valid.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        self.bar = Some(bar);
    }

    fn step(&mut self, step: &Step, loss: f32, tokens: u64) {
        self.pace.note(loss, tokens - self.tokens, self.last.elapsed());
        self.tokens = tokens;
        self.losses.push(loss);
        let Step { step: number, steps, epoch, learning_rate, elapsed } = *step;
        let (rate, speed) = (figures::rate(learning_rate), figures::count(self.pace.tokens_per_second().round() as u64));
        let left = match time_left(elapsed, number, steps) {
            _ if number >= steps => "done".to_owned(),
            left => format!("{} left", figures::time(left)),
        };
        if let Some(bar) = &self.bar {
            let loss = self.pace.loss();
            bar.set_message(format!("epoch {epoch:.2}  loss {loss:.4}  rate {rate}  {speed} tokens/s  {left}"));
            bar.set_position(number);
        } else if is_due(number, steps, self.log_every, self.told.elapsed()) {
            let loss = self.losses.iter().map(|&loss| f64::from(loss)).sum::<f64>() / self.losses.len() as f64;
            self.losses.clear();
            self.told = Instant::now();
            self.line(&format!("step {number}/{steps}  epoch {epoch:.2}  loss {loss:.4}  rate {rate}  {speed} tokens/s  {left}"));
        }
    }

    /// On a live line only: what comes out is told anyway.
    fn evaluating(&self, split: SplitName, examples: usize) {
        if let Some(bar) = &self.bar {
            bar.set_message(format!("evaluating {} ({split})", figures::counted(examples as u64, "example")));
        }
    }

    fn writing(&self, split: SplitName, texts: usize) {
        if let Some(bar) = &self.bar {
            bar.set_message(format!("writing {} ({split})", figures::counted(texts as u64, "text")));
        }
    }

    fn evaluated(&self, step: u64, split: SplitName, evaluation: &Evaluation) {
        match split {
            SplitName::Validation => self.line(&format!("step {step}: validation {}", headline(evaluation))),
            // These are results and go to stdout.
            SplitName::Test | SplitName::Evaluation | SplitName::Train => {}
        }
    }

    fn saved(&self, step: u64, folder: &Path, best: bool) {
        let best = if best { " (the best so far)" } else { "" };
        self.line(&format!("step {step}: saved {}{best}", folder.display()));
    }

    fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

const WITH_BAR: &str = "[{bar:20}] {pos}/{len}  {wide_msg}";
/// Where there is no room for both, the figures are worth more than the bar.
const WITHOUT_BAR: &str = "{pos}/{len}  {wide_msg}";
/// From this many columns on there is room for both.
const ROOM_FOR_BAR: usize = 110;

impl Observer for RunProgress {
    fn observe(&mut self, event: &Event<'_>) {
        match *event {
            Event::Notice(text) => self.line(&format!("note: {text}")),
            // The columns are told in a notice where they were found, and known where they were given.
            Event::DataRead { split, source, examples, .. } => {
                self.line(&format!("{split}: {} from {}", figures::counted(examples as u64, "example"), source.display()));
            }
            Event::ModelLoaded { folder, family, parameter_count, labels } => self.line(&format!(
                "model: {family}, {} parameters, from {}{}",
                figures::parameters(parameter_count as u64),
                folder.display(),
                labels_line(labels)
            )),
            Event::Tokenized { split, truncation } => self.line(&format!("{split}: {truncation}")),
            Event::TrainingStarted { steps, epochs, trainable_count, threads, .. } => {
                self.line(&format!(
                    "training: {} ({}), {} trainable parameters, {}",
                    figures::counted(steps, "step"),
                    figures::epochs(epochs),
                    figures::parameters(trainable_count as u64),
                    figures::counted(threads as u64, "thread"),
                ));
                self.start(steps);
            }
            Event::Stepped { step, steps, epoch, loss, learning_rate, tokens, elapsed, .. } => {
                self.step(&Step { step, steps, epoch, learning_rate, elapsed }, loss, tokens);
            }
            Event::Evaluating { split, examples } => self.evaluating(split, examples),
            Event::Writing { split, texts } => self.writing(split, texts),
            Event::Evaluated { step, split, evaluation } => self.evaluated(step, split, evaluation),
            Event::Saved { step, folder, best } => self.saved(step, folder, best),
            Event::Stopped { reason, step, .. } => {
                self.end();
                self.line(&format!("step {step}: {reason}; completing the run folder"));
            }
            Event::Finished(_) => {
                self.end();
                self.line("");
            }
        }
        self.last = Instant::now();
    }
}

impl Drop for RunProgress {
    fn drop(&mut self) {
        // After an error the line is cleared too, so that the error stands alone.
        self.end();
    }
}

/// A line for the labels, where they have names of their own.
fn labels_line(labels: &[String]) -> String {
    let named = labels.iter().enumerate().any(|(index, label)| *label != format!("LABEL_{index}"));
    if named { format!("\nlabels: {}", listed(labels)) } else { String::new() }
}

fn listed(labels: &[String]) -> String {
    let shown: Vec<&str> = labels.iter().take(LISTED_LABELS).map(String::as_str).collect();
    match labels.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {} more", shown.join(", "), figures::count(more as u64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_of_the_live_line_are_valid() {
        assert!(ProgressStyle::with_template(WITH_BAR).is_ok() && ProgressStyle::with_template(WITHOUT_BAR).is_ok());
    }

    #[test]
    fn many_labels_are_counted() {
        let labels: Vec<String> = (0..1200).map(|label| label.to_string()).collect();
        assert_eq!(listed(&labels), "0, 1, 2, 3, 4, 5, 6, 7 and 1,192 more");
        assert_eq!(listed(&labels[..2]), "0, 1");
        assert_eq!(labels_line(&["no".to_owned(), "yes".to_owned()]), "\nlabels: no, yes");
        // Numbers have no names, and guessed words no labels.
        assert_eq!((labels_line(&[]), labels_line(&["LABEL_0".to_owned()])), (String::new(), String::new()));
    }
}
