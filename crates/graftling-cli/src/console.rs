//! The two streams a person sees: what they can show, and how lines get there. Knows nothing of what the lines say.

use std::env;
use std::io::{self, IsTerminal, Write};

use serde_json::Value;

use crate::failure::Failure;

/// The width of tables where stdout is no terminal.
const PLAIN_WIDTH: usize = 100;

/// What the streams of this process can show.
#[derive(Clone, Copy, Debug)]
pub struct Console {
    /// Whether a line that changes in place may be shown on stderr.
    pub live: bool,
    /// Whether stderr may have colours.
    colour: bool,
    /// How many columns stdout has, where it is a terminal.
    terminal_width: Option<usize>,
}

impl Console {
    /// Looks at the streams and the environment of this process.
    pub fn from_process() -> Self {
        let is_set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
        let colour = io::stderr().is_terminal() && !is_set("NO_COLOR") && env::var("TERM").as_deref() != Ok("dumb");
        let bars = env::var("HF_HUB_DISABLE_PROGRESS_BARS").unwrap_or_default().to_ascii_uppercase();
        let terminal = io::stdout().is_terminal().then(console::Term::stdout);
        Self {
            live: colour && !["1", "ON", "YES", "TRUE"].contains(&bars.as_str()),
            colour,
            terminal_width: terminal.map(|terminal| usize::from(terminal.size().1)),
        }
    }

    /// How wide a table may be.
    pub fn width(&self) -> usize {
        self.terminal_width.unwrap_or(PLAIN_WIDTH)
    }

    /// How wide a line may be; a line that goes to a file may be as long as it is.
    pub fn line_width(&self) -> usize {
        self.terminal_width.unwrap_or(usize::MAX)
    }

    /// How many columns a live line on stderr may have.
    pub fn live_width(&self) -> usize {
        usize::from(console::Term::stderr().size().1)
    }

    /// A line on stderr.
    pub fn tell(&self, text: &str) {
        write_stderr(text);
    }

    /// An error on stderr.
    pub fn error(&self, text: &str) {
        let (on, off) = if self.colour { ("\x1b[1;31m", "\x1b[0m") } else { ("", "") };
        write_stderr(&format!("{on}error:{off} {text}"));
    }

    /// Results on stdout.
    pub fn print(&self, text: &str) -> Result<(), Failure> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(Failure::Stdout)
    }

    /// One JSON value on a line of stdout.
    pub fn print_json(&self, value: &Value) -> Result<(), Failure> {
        self.print(&format!("{value}\n"))
    }
}

fn write_stderr(text: &str) {
    // Where stderr is closed nobody listens, and there is no other place to complain.
    if writeln!(io::stderr().lock(), "{text}").is_err() {}
}
