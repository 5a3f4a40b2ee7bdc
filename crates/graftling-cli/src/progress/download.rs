//! A model being fetched: a live line with bytes and speed on a terminal, a line a file elsewhere.
//! Knows nothing of where models come from but what the events say.

use graftling_hub::{HubEvent, Progress};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::console::Console;
use crate::figures;

const OF_KNOWN_SIZE: &str = "{prefix}  [{bar:20}] {decimal_bytes}/{decimal_total_bytes}  {decimal_bytes_per_sec}, {eta} left";
const OF_ANOTHER_PROGRAM: &str = "{wide_msg}";
const OF_UNKNOWN_SIZE: &str = "{prefix}  {decimal_bytes}  {decimal_bytes_per_sec}";

/// Files smaller than this come and go too quickly for a plain line.
const MENTIONED_BYTES: u64 = 10_000_000;

/// Shows a download on stderr.
pub struct DownloadProgress {
    console: Console,
    bar: Option<ProgressBar>,
}

impl DownloadProgress {
    /// Shows nothing until something is fetched.
    pub fn new(console: &Console) -> Self {
        Self { console: *console, bar: None }
    }

    fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| self.console.tell(text)),
            None => self.console.tell(text),
        }
    }

    fn start(&mut self, file: &str, bytes: Option<u64>, resumed_from: u64) {
        self.end();
        if !self.console.live {
            if bytes.is_none_or(|bytes| bytes >= MENTIONED_BYTES) {
                let size = bytes.map_or(String::new(), |bytes| format!(" ({})", figures::size(bytes)));
                let resumed = if resumed_from > 0 { format!(", from byte {resumed_from} on") } else { String::new() };
                self.line(&format!("fetching {file}{size}{resumed}"));
            }
            return;
        }
        let bar = ProgressBar::with_draw_target(bytes, ProgressDrawTarget::stderr_with_hz(10));
        let template = if bytes.is_some() { OF_KNOWN_SIZE } else { OF_UNKNOWN_SIZE };
        // The templates are fixed; a test shows that they are valid.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(file.to_owned());
        bar.set_position(resumed_from);
        bar.reset_eta();
        self.bar = Some(bar);
    }

    /// What a package client says is the log of another program: it passes by on a terminal and stays in a log.
    fn client(&mut self, client: &str, line: &str) {
        if !self.console.live {
            return self.line(&format!("{client}: {line}"));
        }
        let has_size = self.bar.as_ref().is_some_and(|bar| bar.length().is_some());
        if has_size {
            return;
        }
        let bar = self.bar.get_or_insert_with(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
            if let Ok(style) = ProgressStyle::with_template(OF_ANOTHER_PROGRAM) {
                bar.set_style(style);
            }
            bar
        });
        bar.set_message(format!("{client}: {line}"));
        bar.tick();
    }

    fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl Progress for DownloadProgress {
    fn event(&mut self, event: &HubEvent) {
        match event {
            HubEvent::Source { model, source } => self.line(&format!("{model}: asking {source}")),
            HubEvent::Waiting { lock } => {
                self.line(&format!("another program is fetching the same model; waiting for it (lock {})", lock.display()));
            }
            HubEvent::Started { file, bytes, resumed_from } => self.start(file, *bytes, *resumed_from),
            HubEvent::Advanced { bytes } => {
                if let Some(bar) = &self.bar {
                    bar.set_position(*bytes);
                }
            }
            HubEvent::Retrying { file, attempt, pause, reason } => {
                self.line(&format!("{file}: {reason}; attempt {attempt} in {}", figures::time(*pause)));
            }
            HubEvent::Verified { .. } => self.end(),
            HubEvent::PackageClient { client, line } => self.client(client, line),
            HubEvent::Fallback { from, reason, .. } => {
                self.end();
                self.line(&format!("note: {from}: {reason}"));
            }
            HubEvent::Incomplete { folder, reason } => {
                self.end();
                let folder = folder.display();
                self.line(&format!(
                    "note: {folder}: used as an older version left it, for the files that it lacks cannot be had: {reason}"
                ));
            }
            HubEvent::NotRecorded { path, reason } => {
                self.line(&format!("note: {}: {reason}; the files will be verified again next time", path.display()));
            }
            // A kind of event that is newer than this room has nothing that must be shown.
            _ => {}
        }
    }
}

impl Drop for DownloadProgress {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_are_valid() {
        for template in [OF_KNOWN_SIZE, OF_UNKNOWN_SIZE, OF_ANOTHER_PROGRAM] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }
}
