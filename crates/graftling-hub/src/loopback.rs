//! A hub on the loopback interface for tests: listings, files, redirects, ranges, refusals and broken connections.
//! Knows nothing of the code under test but the hub's addresses.

use crate::digest::hexadecimal;
use crate::{Environment, HubEvent, Patience, Progress};
use sha1::{Digest, Sha1};
use sha2::Sha256;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// What the hub holds and how it behaves.
#[derive(Debug, Clone, Default)]
pub struct Behaviour {
    /// Name and bytes; safetensors are large files that lie behind a redirect.
    pub files: Vec<(String, Vec<u8>)>,
    /// Leave checksums and sizes out of the listing, as some mirrors do.
    pub listing_without_identities: bool,
    /// Answer a range with the whole file.
    pub without_ranges: bool,
    /// Refuse requests without this token.
    pub token: Option<String>,
    /// Refuse every request with this status and error code.
    pub refusal: Option<(u16, &'static str)>,
    /// Answer the first requests with 503.
    pub busy_answers: usize,
    /// Break the connection of the first transfers of large files after so many bytes.
    pub cuts: Vec<usize>,
    /// Send these bytes instead of those of the large file.
    pub wrong_bytes: Option<Vec<u8>>,
}

/// A running hub.
pub struct Loopback {
    pub endpoint: String,
    state: Arc<Mutex<State>>,
}

struct State {
    behaviour: Behaviour,
    requests: Vec<String>,
}

impl Loopback {
    pub fn start(behaviour: Behaviour) -> Loopback {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State { behaviour, requests: Vec::new() }));
        let shared = Arc::clone(&state);
        // The thread waits for connections until the test process ends.
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let state = Arc::clone(&shared);
                std::thread::spawn(move || answer(stream, &state));
            }
        });
        Loopback { endpoint, state }
    }

    /// Every request so far: method, path and the range asked for.
    pub fn requests(&self) -> Vec<String> {
        self.state.lock().unwrap().requests.clone()
    }

    pub fn change(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut self.state.lock().unwrap().behaviour);
    }
}

/// Settings that point at a hub and keep everything under one folder.
pub fn environment(endpoint: &str, folder: &Path, variables: &[(&str, &str)]) -> Environment {
    let home = folder.display().to_string();
    let lookup = |name: &str| match name {
        "HOME" => Some(home.clone()),
        "HF_ENDPOINT" => Some(endpoint.to_owned()),
        name => variables.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_string()),
    };
    let second = Duration::from_secs(1);
    let patience = Patience { connect: second, silence: 5 * second, first_pause: second / 1000, attempts: 3 };
    Environment::from_lookup(lookup).with_patience(patience).with_package_clients(Vec::new())
}

/// An address where nothing listens.
pub fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// A watcher that remembers everything.
#[derive(Debug, Default)]
pub struct Recorder(pub Vec<HubEvent>);

impl Progress for Recorder {
    fn event(&mut self, event: &HubEvent) {
        self.0.push(event.clone());
    }
}

pub fn sha256(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

fn is_large(name: &str) -> bool {
    name.ends_with(".safetensors")
}

fn etag(name: &str, bytes: &[u8]) -> String {
    if is_large(name) {
        return sha256(bytes);
    }
    let mut blob = format!("blob {}\0", bytes.len()).into_bytes();
    blob.extend(bytes);
    hexadecimal(&Sha1::digest(&blob))
}

struct Request {
    method: String,
    path: String,
    range: Option<usize>,
    token: Option<String>,
}

fn read_request(stream: &TcpStream) -> Option<Request> {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let first = lines.next()?;
    let mut words = first.split(' ');
    let mut request = Request { method: words.next()?.to_owned(), path: words.next()?.to_owned(), range: None, token: None };
    for line in lines.take_while(|line| !line.is_empty()) {
        let (name, value) = line.split_once(": ")?;
        match name.to_ascii_lowercase().as_str() {
            "range" => request.range = value.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok(),
            "authorization" => request.token = value.strip_prefix("Bearer ").map(str::to_owned),
            _ => {}
        }
    }
    Some(request)
}

/// Status line with headers, the body, and how much of the body is sent.
struct Answer {
    head: String,
    body: Vec<u8>,
    sent: usize,
}

impl Answer {
    fn new(head: impl Into<String>, body: Vec<u8>) -> Answer {
        Answer { head: head.into(), sent: body.len(), body }
    }
}

fn answer(mut stream: TcpStream, state: &Mutex<State>) {
    let Some(request) = read_request(&stream) else { return };
    let answer = {
        let mut state = state.lock().unwrap();
        let range = request.range.map(|start| format!(" from {start}")).unwrap_or_default();
        state.requests.push(format!("{} {}{range}", request.method, request.path));
        decide(&request, &mut state.behaviour)
    };
    let length = if request.method == "HEAD" && answer.head.starts_with("302") { 0 } else { answer.body.len() };
    let head = format!("HTTP/1.1 {}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n", answer.head);
    let body = if request.method == "HEAD" { &[] } else { &answer.body[..answer.sent] };
    // A client that went away is what some tests are about.
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body)).ok();
}

fn decide(request: &Request, behaviour: &mut Behaviour) -> Answer {
    if let Some((status, code)) = behaviour.refusal {
        return Answer::new(format!("{status} No\r\nx-error-code: {code}\r\nx-error-message: {code} it is"), Vec::new());
    }
    if behaviour.token.is_some() && behaviour.token != request.token && !request.path.starts_with("/store/") {
        return Answer::new("401 Unauthorized", Vec::new());
    }
    if behaviour.busy_answers > 0 {
        behaviour.busy_answers -= 1;
        return Answer::new("503 Busy", Vec::new());
    }
    if request.path.starts_with("/api/models/org/name/revision/") {
        return Answer::new("200 OK", listing(behaviour).into_bytes());
    }
    let wanted = request.path.strip_prefix(&format!("/org/name/resolve/{COMMIT}/"));
    let stored = request.path.strip_prefix("/store/");
    let Some(name) = wanted.or(stored) else { return Answer::new("404 Not Found", Vec::new()) };
    let Some((_, bytes)) = behaviour.files.iter().find(|(file, _)| file == name).cloned() else {
        return Answer::new("404 Not Found\r\nx-error-code: EntryNotFound", Vec::new());
    };
    let etag = etag(name, &bytes);
    if is_large(name) && stored.is_none() {
        let head = format!("302 Found\r\nlocation: /store/{name}\r\nx-linked-etag: \"{etag}\"\r\nx-linked-size: {}", bytes.len());
        return Answer::new(head, Vec::new());
    }
    let bytes = behaviour.wrong_bytes.clone().filter(|_| is_large(name)).unwrap_or(bytes);
    let mut answer = match request.range.filter(|_| !behaviour.without_ranges) {
        Some(start) if start >= bytes.len() => Answer::new("416 Range Not Satisfiable", Vec::new()),
        Some(start) => {
            let range = format!("bytes {start}-{}/{}", bytes.len() - 1, bytes.len());
            Answer::new(format!("206 Partial Content\r\ncontent-range: {range}"), bytes[start..].to_vec())
        }
        None => Answer::new(format!("200 OK\r\netag: \"{etag}\""), bytes),
    };
    if is_large(name) && request.method == "GET" && !behaviour.cuts.is_empty() {
        answer.sent = behaviour.cuts.remove(0).min(answer.body.len());
    }
    answer
}

fn listing(behaviour: &Behaviour) -> String {
    let sibling = |(name, bytes): &(String, Vec<u8>)| {
        let (size, etag) = (bytes.len(), etag(name, bytes));
        match (behaviour.listing_without_identities, is_large(name)) {
            (true, _) => format!(r#"{{"rfilename": "{name}"}}"#),
            (_, true) => format!(
                r#"{{"rfilename": "{name}", "size": {size}, "blobId": "{:040}", "lfs": {{"sha256": "{etag}", "size": {size}, "pointerSize": 134}}}}"#,
                7
            ),
            (_, false) => format!(r#"{{"rfilename": "{name}", "size": {size}, "blobId": "{etag}"}}"#),
        }
    };
    let siblings: Vec<String> = behaviour.files.iter().map(sibling).collect();
    format!(r#"{{"id": "org/name", "sha": "{COMMIT}", "siblings": [{}]}}"#, siblings.join(", "))
}
