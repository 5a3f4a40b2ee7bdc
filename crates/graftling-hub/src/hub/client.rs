//! Requests to a hub: what a model holds, and the bytes of a file.
//! Knows nothing of the cache; every answer is checked before anything of it becomes a path.

use super::listing::{ListedFile, Listing, parse_listing};
use super::{Repository, connection};
use crate::{Environment, HubError, HubEvent, Patience, Progress};
use std::io::ErrorKind;
use std::time::Duration;
use ureq::config::RedirectAuthHeaders;
use ureq::http::{Response, StatusCode};
use ureq::tls::TlsConfig;
use ureq::{Agent, Body, Timeout};

/// A listing of a model's files is text of this size at the very most.
const LARGEST_LISTING_BYTES: u64 = 64 << 20;
/// No pause before a further attempt is longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// A connection to a hub or one of its mirrors.
pub(crate) struct HubClient {
    agent: Agent,
    endpoint: String,
    token: Option<String>,
    pub(crate) patience: Patience,
}

/// A file that can be fetched and checked.
#[derive(Debug)]
pub(crate) struct RemoteFile {
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) etag: String,
    pub(crate) bytes: Option<u64>,
    pub(crate) model: String,
}

/// Why a request failed, as far as it matters for what comes next.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Trying again is of no use.
    Final(HubError),
    /// No connection could be made.
    Unreachable(String),
    /// It may pass.
    Passing(String),
}

impl HubClient {
    pub(crate) fn new(environment: &Environment) -> Result<HubClient, HubError> {
        let patience = environment.patience;
        let endpoint = connection::endpoint(environment)?;
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .redirect_auth_headers(RedirectAuthHeaders::SameHost)
            .accept_encoding("identity")
            .user_agent(concat!("graftling/", env!("CARGO_PKG_VERSION")))
            .timeout_resolve(Some(patience.connect))
            .timeout_connect(Some(patience.connect))
            .timeout_recv_response(Some(patience.silence))
            .timeout_per_read(Some(patience.silence))
            .proxy(connection::proxy(&environment.proxies, &endpoint)?)
            .tls_config(TlsConfig::builder().root_certs(connection::certificates(environment)?).build())
            .build();
        Ok(HubClient { agent: config.into(), endpoint, token: environment.token()?, patience })
    }

    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The commit a revision stands for, and the files it has.
    pub(crate) fn listing(&self, repository: &Repository, progress: &mut dyn Progress) -> Result<Listing, HubError> {
        let path = hub_repository(repository.id(), repository.revision()).api_url();
        let url = format!("{}/api/{path}?blobs=true", self.endpoint);
        let model = repository.to_string();
        let text = self.patiently(&format!("the list of files of {model}"), progress, || {
            let mut response = self.get(&url, 0, &model)?;
            let body = response.body_mut().with_config().limit(LARGEST_LISTING_BYTES);
            body.read_to_string().map_err(classified)
        })?;
        parse_listing(&text).map_err(|reason| HubError::BadAnswer { url, reason })
    }

    /// The address, size and checksum of a listed file; asked for where the listing does not say them.
    pub(crate) fn identified(
        &self,
        file: &ListedFile,
        repository: &Repository,
        commit: &str,
        progress: &mut dyn Progress,
    ) -> Result<RemoteFile, HubError> {
        let path = hub_repository(repository.id(), commit).url();
        let url = format!("{}/{path}/resolve/{commit}/{}", self.endpoint, file.name);
        let model = repository.to_string();
        let (etag, bytes) = match &file.identity {
            Some(identity) => identity.clone(),
            None => self.patiently(&url, progress, || self.head(&url, &model))?,
        };
        // The entity tag becomes a file name.
        if etag.is_empty() || !etag.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            let reason = format!("the entity tag {etag:?} is not a checksum");
            return Err(HubError::BadAnswer { url, reason });
        }
        Ok(RemoteFile { name: file.name.clone(), url, etag, bytes, model })
    }

    /// Asks for a file from byte `from` on; any answer but 200, 206 and 416 is a failure.
    pub(crate) fn get(&self, url: &str, from: u64, model: &str) -> Result<Response<Body>, Failure> {
        let mut request = self.agent.get(url);
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if from > 0 {
            request = request.header("range", format!("bytes={from}-"));
        }
        let response = request.call().map_err(classified)?;
        match response.status() {
            StatusCode::OK | StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE => Ok(response),
            status => Err(self.refused(status, &response, url, model)),
        }
    }

    /// Runs a request until it succeeds, fails for good, or has failed too often.
    fn patiently<T>(
        &self,
        what: &str,
        progress: &mut dyn Progress,
        request: impl Fn() -> Result<T, Failure>,
    ) -> Result<T, HubError> {
        let mut attempts = 1;
        loop {
            match request() {
                Ok(answer) => return Ok(answer),
                Err(Failure::Final(error)) => return Err(error),
                // A machine that cannot reach the hub at all should come to its next source quickly.
                Err(Failure::Unreachable(reason)) => {
                    return Err(HubError::Unreachable { endpoint: self.endpoint.clone(), reason });
                }
                Err(Failure::Passing(reason)) => attempts = self.pause(what, attempts, reason, progress)?,
            }
        }
    }

    /// Waits before the next attempt and returns its number, or gives up.
    pub(crate) fn pause(&self, file: &str, attempts: u32, reason: String, progress: &mut dyn Progress) -> Result<u32, HubError> {
        if attempts >= self.patience.attempts {
            return Err(HubError::Interrupted { file: file.to_owned(), attempts, reason });
        }
        let pause = self.patience.first_pause.saturating_mul(1 << (attempts - 1).min(16)).min(LONGEST_PAUSE);
        let attempt = attempts + 1;
        progress.event(&HubEvent::Retrying { file: file.to_owned(), attempt, pause, reason });
        std::thread::sleep(pause);
        Ok(attempt)
    }

    // Large files answer with a redirect to their store; the checksum stands in that first answer, so it is not followed.
    fn head(&self, url: &str, model: &str) -> Result<(String, Option<u64>), Failure> {
        for redirects in [0, 10] {
            let request = self.agent.head(url).config().max_redirects(redirects).max_redirects_will_error(false).build();
            let request = match &self.token {
                Some(token) => request.header("authorization", format!("Bearer {token}")),
                None => request,
            };
            let response = request.call().map_err(classified)?;
            let status = response.status();
            if !status.is_success() && !status.is_redirection() {
                return Err(self.refused(status, &response, url, model));
            }
            let direct = status.is_success();
            let etag = header(&response, "x-linked-etag").or_else(|| header(&response, "etag").filter(|_| direct));
            let bytes = header(&response, "x-linked-size").or_else(|| header(&response, "content-length").filter(|_| direct));
            if let Some(etag) = etag {
                let plain = etag.trim_start_matches("W/").trim_matches('"').to_owned();
                return Ok((plain, bytes.and_then(|bytes| bytes.parse().ok())));
            }
        }
        let reason = "answers without an entity tag, so the file could not be checked".to_owned();
        Err(Failure::Final(HubError::BadAnswer { url: url.to_owned(), reason }))
    }

    fn refused(&self, status: StatusCode, response: &Response<Body>, url: &str, model: &str) -> Failure {
        let (model, endpoint) = (model.to_owned(), self.endpoint.clone());
        let words: Option<String> = header(response, "x-error-message").map(|words| words.chars().take(200).collect());
        let detail = words.map(|words| format!(" ({words})")).unwrap_or_default();
        match status.as_u16() {
            status @ (401 | 403) => {
                Failure::Final(HubError::AccessRefused { model, endpoint, status, detail, token_sent: self.token.is_some() })
            }
            404 | 410 => {
                let what = match header(response, "x-error-code").as_deref() {
                    Some("RevisionNotFound") => "revision".to_owned(),
                    Some("EntryNotFound") => format!("file {url}"),
                    _ => "model".to_owned(),
                };
                Failure::Final(HubError::NotFound { model, endpoint, what, detail })
            }
            408 | 429 | 500..=599 => Failure::Passing(format!("the server answered {status}{detail}")),
            _ => {
                let reason = format!("answered {status}{detail}; expected 200");
                Failure::Final(HubError::BadAnswer { url: url.to_owned(), reason })
            }
        }
    }
}

/// What a failed request means for the next step.
pub(crate) fn classified(error: ureq::Error) -> Failure {
    use ureq::Error;
    match error {
        Error::Timeout(Timeout::Resolve | Timeout::Connect) => Failure::Unreachable(error.to_string()),
        Error::HostNotFound | Error::ConnectionFailed => Failure::Unreachable(error.to_string()),
        Error::Tls(_) | Error::Rustls(_) | Error::InvalidProxyUrl => Failure::Unreachable(error.to_string()),
        // A connection that was made and then broke; anything else (no such host, no route, refused) never was one.
        Error::Io(error) if BROKEN.contains(&error.kind()) => Failure::Passing(error.to_string()),
        Error::Io(error) => Failure::Unreachable(error.to_string()),
        _ => Failure::Passing(error.to_string()),
    }
}

const BROKEN: [ErrorKind; 6] = [
    ErrorKind::ConnectionReset,
    ErrorKind::ConnectionAborted,
    ErrorKind::BrokenPipe,
    ErrorKind::UnexpectedEof,
    ErrorKind::TimedOut,
    ErrorKind::WouldBlock,
];

fn header(response: &Response<Body>, name: &str) -> Option<String> {
    response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

fn hub_repository(id: &str, revision: &str) -> hf_hub::Repo {
    hf_hub::Repo::with_revision(id.to_owned(), hf_hub::RepoType::Model, revision.to_owned())
}
