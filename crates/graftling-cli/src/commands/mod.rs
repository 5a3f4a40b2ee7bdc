//! The commands, one a file: what may be typed after each, and what is then done. This file holds their list.

mod aggregation_flags;
mod answer_flags;
mod compare;
mod data_flags;
mod encoder_flags;
mod evaluate;
mod generate;
mod generation_flags;
mod models;
mod predict;
mod prompts;
mod quickstart;
mod reading_flags;
mod report;
mod score;
mod teller;
mod text_metric_flags;
mod train;

use clap::Subcommand;

pub use data_flags::is_squad;

use crate::console::Console;
use crate::failure::{Ending, Failure};

/// What to do.
#[derive(Subcommand)]
pub enum Commands {
    /// Fine-tune a pretrained model on texts and leave a run folder.
    Train(Box<train::Arguments>),
    /// Measure a fine-tuned model on texts whose answers are known.
    Evaluate(evaluate::Arguments),
    /// Put fine-tuned models beside each other on the same texts: differences, whether they are chance, options, costs.
    Compare(compare::Arguments),
    /// Say what a fine-tuned model makes of texts: labels, numbers, entities, masked words, answers, summaries, translations.
    Predict(predict::Arguments),
    /// Go on with texts, or write others from them (summaries, translations): greedily, drawn, or by a search with beams.
    Generate(Box<generate::Arguments>),
    /// Make the report of a finished run anew: in another language, or with a file that the model is measured on now.
    Report(report::Arguments),
    /// Judge generated texts by references: BLEU, chrF, TER, ROUGE and more.
    Score(score::Arguments),
    /// List the built-in models, fetch one, or look into a model folder.
    #[command(subcommand)]
    Models(models::Commands),
    /// Fetch a small model, fine-tune it on real movie reviews, and try it: about three minutes.
    Quickstart(quickstart::Arguments),
}

impl Commands {
    /// Does it.
    pub fn run(self, console: &Console) -> Result<Ending, Failure> {
        match self {
            Self::Train(arguments) => train::run(*arguments, console),
            Self::Evaluate(arguments) => evaluate::run(arguments, console),
            Self::Compare(arguments) => compare::run(arguments, console),
            Self::Predict(arguments) => predict::run(arguments, console),
            Self::Generate(arguments) => generate::run(&arguments, console),
            Self::Report(arguments) => report::run(arguments, console),
            Self::Score(arguments) => score::run(arguments, console),
            Self::Models(command) => models::run(command, console),
            Self::Quickstart(arguments) => quickstart::run(arguments, console),
        }
    }
}
