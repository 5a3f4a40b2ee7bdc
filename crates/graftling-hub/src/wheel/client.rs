//! The machine's own package client as a program that is asked to download, and only to download.
//! Knows nothing of wheels' contents.

use crate::{HubError, HubEvent, Progress};
use std::ffi::OsString;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Sender};

/// A program that understands `download`, with what must stand before that word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageClient {
    /// What it is called in messages.
    pub name: String,
    /// The program, looked up on the search path.
    pub program: OsString,
    /// The arguments before `download`.
    pub arguments: Vec<String>,
}

// Binary wheels only, no dependencies: nothing that is downloaded gets a chance to run.
const DOWNLOAD: [&str; 6] = ["download", "--no-deps", "--only-binary", ":all:", "--no-input", "--disable-pip-version-check"];

/// The form of progress that is meant for programs.
const PLAIN_PROGRESS: &str = "raw";

impl PackageClient {
    /// A client under its own name.
    pub fn new(program: &str, arguments: &[&str]) -> PackageClient {
        let words: Vec<&str> = [program].into_iter().chain(arguments.iter().copied()).collect();
        PackageClient {
            name: words.join(" "),
            program: program.into(),
            arguments: arguments.iter().map(|argument| argument.to_string()).collect(),
        }
    }

    /// The clients a machine usually has, in the order in which they are tried. uv has no `download` of its own and its
    /// `install` unpacks into an environment, so uv is asked to lend pip.
    pub fn usual() -> Vec<PackageClient> {
        vec![
            PackageClient::new("pip", &[]),
            PackageClient::new("python3", &["-m", "pip"]),
            PackageClient::new("uv", &["tool", "run", "--no-python-downloads", "pip"]),
        ]
    }

    /// Downloads one wheel into a folder. The inner error says in words why this client could not.
    pub(crate) fn download(
        &self,
        requirement: &str,
        into: &Path,
        progress: &mut dyn Progress,
    ) -> Result<Result<(), String>, HubError> {
        // Older versions of pip do not know the plain form of progress; they say so before doing anything.
        match self.run(requirement, into, PLAIN_PROGRESS, progress)? {
            Outcome::Failed(complaint) if complaint.about_progress => match self.run(requirement, into, "off", progress)? {
                Outcome::Done => Ok(Ok(())),
                Outcome::Failed(complaint) => Ok(Err(complaint.words)),
            },
            Outcome::Failed(complaint) => Ok(Err(complaint.words)),
            Outcome::Done => Ok(Ok(())),
        }
    }

    fn run(&self, requirement: &str, into: &Path, progress_bar: &str, progress: &mut dyn Progress) -> Result<Outcome, HubError> {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).args(DOWNLOAD).args(["--progress-bar", progress_bar]);
        command.arg("--dest").arg(into).arg(requirement);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Outcome::failed("not on this machine")),
            Err(error) => return Ok(Outcome::failed(&error.to_string())),
        };
        let (sender, lines) = mpsc::channel();
        forward(child.stdout.take(), Stream::Output, sender.clone());
        forward(child.stderr.take(), Stream::Error, sender);
        let mut said = Said { client: &self.name, requirement, held_back: Vec::new(), started: false };
        let mut complaint = Complaint::default();
        for (stream, line) in lines {
            match stream {
                Stream::Output => said.output(line, progress),
                Stream::Error => {
                    complaint.read(&line);
                    said.held_back.push(line);
                }
            }
        }
        let status = child.wait().map_err(HubError::disk(&self.program, "wait for"))?;
        if !status.success() && complaint.about_progress && progress_bar == PLAIN_PROGRESS {
            // It explains its options at length, which is no news to anyone: it is asked again in the way it knows.
            return Ok(Outcome::Failed(complaint));
        }
        said.release(progress);
        if status.success() {
            return Ok(Outcome::Done);
        }
        if complaint.words.is_empty() {
            complaint.words = format!("ended with {status} and no message");
        }
        Ok(Outcome::Failed(complaint))
    }
}

/// How a client ended.
enum Outcome {
    Done,
    Failed(Complaint),
}

impl Outcome {
    fn failed(words: &str) -> Outcome {
        Outcome::Failed(Complaint { words: words.to_owned(), ..Complaint::default() })
    }
}

#[derive(Clone, Copy)]
enum Stream {
    Output,
    Error,
}

/// What explains a failure best: the last line that says "error", or else the last line.
#[derive(Default)]
struct Complaint {
    words: String,
    says_error: bool,
    about_progress: bool,
}

impl Complaint {
    fn read(&mut self, line: &str) {
        let says_error = line.to_ascii_lowercase().contains("error");
        if says_error || !self.says_error {
            self.words = line.to_owned();
        }
        self.says_error |= says_error;
        self.about_progress |= line.contains("--progress-bar");
    }
}

/// What a client says, on its way to events. Warnings wait for the next line of output or for the end.
struct Said<'a> {
    client: &'a str,
    requirement: &'a str,
    held_back: Vec<String>,
    started: bool,
}

impl Said<'_> {
    fn output(&mut self, line: String, progress: &mut dyn Progress) {
        let Some((bytes, total)) = raw_progress(&line) else {
            self.held_back.push(line);
            return self.release(progress);
        };
        if !self.started {
            let file = self.requirement.to_owned();
            progress.event(&HubEvent::Started { file, bytes: Some(total), resumed_from: 0 });
        }
        self.started = true;
        progress.event(&HubEvent::Advanced { bytes });
    }

    fn release(&mut self, progress: &mut dyn Progress) {
        for line in self.held_back.drain(..) {
            progress.event(&HubEvent::PackageClient { client: self.client.to_owned(), line });
        }
    }
}

fn forward(stream: Option<impl Read + Send + 'static>, which: Stream, lines: Sender<(Stream, String)>) {
    let Some(stream) = stream else { return };
    std::thread::spawn(move || {
        for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
            let text = String::from_utf8_lossy(&line).trim().to_owned();
            if !text.is_empty() && lines.send((which, text)).is_err() {
                return;
            }
        }
    });
}

/// The two numbers of a line such as `Progress 1024 of 4096`.
fn raw_progress(line: &str) -> Option<(u64, u64)> {
    let (here, total) = line.strip_prefix("Progress ")?.split_once(" of ")?;
    Some((here.parse().ok()?, total.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_progress_is_told_from_other_lines() {
        assert_eq!(raw_progress("Progress 12 of 90"), Some((12, 90)));
        for line in ["Progress", "Progress x of 9", "Collecting name==1.0", ""] {
            assert_eq!(raw_progress(line), None, "{line}");
        }
    }

    #[test]
    fn the_usual_clients_stand_in_their_order() {
        let names: Vec<String> = PackageClient::usual().into_iter().map(|client| client.name).collect();
        assert_eq!(names, ["pip", "python3 -m pip", "uv tool run --no-python-downloads pip"]);
    }
}
