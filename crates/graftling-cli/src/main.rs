//! The command line: words typed become a recipe or a request; results go to stdout, everything else to stderr.
//!
//! The only crate that prints, reads environment variables and decides the exit code. Knows nothing of how a model computes.
#![forbid(unsafe_code)]

mod commands;
mod console;
mod data_file;
mod failure;
mod interrupt;
mod models;
mod prediction_columns;
mod progress;
mod recipe_flags;
mod report;
mod said;
mod text_table;
mod threads;

use std::process::ExitCode;

use clap::Parser;

use commands::Commands;
use console::Console;
use failure::USAGE;
use graftling::figures;

const EXIT_CODES: &str = "\
Exit codes: 0 done; 1 an error, told on stderr; 2 the command, a flag or the recipe is not valid; 130 interrupted (Ctrl-C).
The first Ctrl-C ends training after the step being taken and keeps its checkpoint; the second ends the program at once.
Results go to stdout, progress and notes to stderr.

Environment: GRAFTLING_HOME, HF_HOME, HF_HUB_CACHE, HF_TOKEN, HF_ENDPOINT, HF_HUB_OFFLINE say where models lie and come from;
NO_COLOR and HF_HUB_DISABLE_PROGRESS_BARS give plain lines instead of a live progress line.";

/// Fine-tunes pretrained text models on your own texts, evaluates them and uses them.
#[derive(Parser)]
#[command(name = "graftling", version, after_help = EXIT_CODES, max_term_width = 120)]
#[command(subcommand_required = true, arg_required_else_help = true)]
struct CommandLine {
    #[command(subcommand)]
    command: Commands,
}

fn main() -> ExitCode {
    let console = Console::from_process();
    let command_line = match CommandLine::try_parse() {
        Ok(command_line) => command_line,
        Err(error) => return usage(&error),
    };
    match command_line.command.run(&console) {
        Ok(ending) => ending.exit_code(),
        Err(failure) => {
            if let Some(text) = failure.text() {
                console.error(&text);
            }
            failure.exit_code()
        }
    }
}

/// Help that was asked for is a result; anything else the parser says is a usage error.
fn usage(error: &clap::Error) -> ExitCode {
    match (error.print(), error.use_stderr()) {
        // A reader that has gone away has seen enough.
        (Ok(()) | Err(_), false) => ExitCode::SUCCESS,
        (Ok(()) | Err(_), true) => ExitCode::from(USAGE),
    }
}
