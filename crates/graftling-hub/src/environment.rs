//! The settings that decide where models lie and which servers may be asked, taken from a look-up of variables.
//! Reads no environment by itself, so that tests and other callers decide what it holds.

use crate::{HubError, PackageClient};
use std::path::PathBuf;
use std::time::Duration;

/// Everything the outside world says about fetching models; the variables are those of the hub's own clients.
///
/// | variable | meaning |
/// |---|---|
/// | `GRAFTLING_HOME` | models of the catalogue; else `$XDG_CACHE_HOME/graftling`, else `~/.cache/graftling` |
/// | `HF_HUB_CACHE` | the hub cache; else `$HF_HOME/hub`, where `HF_HOME` is `$XDG_CACHE_HOME/huggingface` or `~/.cache/huggingface` |
/// | `HF_TOKEN` | the token; else the file `HF_TOKEN_PATH`, else the file `$HF_HOME/token` |
/// | `HF_ENDPOINT` | a mirror of the hub |
/// | `HF_HUB_OFFLINE`, `TRANSFORMERS_OFFLINE` | `1`, `ON`, `YES` or `TRUE`: no network |
/// | `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY` | the proxy, and the hosts reached without it |
/// | `SSL_CERT_FILE`, `REQUESTS_CA_BUNDLE` | certificates to trust instead of the built-in ones |
#[derive(Clone)]
pub struct Environment {
    pub(crate) home: Option<PathBuf>,
    pub(crate) hub_cache: Option<PathBuf>,
    pub(crate) token: Option<String>,
    pub(crate) token_file: Option<PathBuf>,
    pub(crate) endpoint: Option<String>,
    pub(crate) offline: Option<&'static str>,
    pub(crate) proxies: Proxies,
    pub(crate) certificates: Option<(&'static str, PathBuf)>,
    pub(crate) package_clients: Vec<PackageClient>,
    pub(crate) patience: Patience,
}

/// The proxies of the environment.
#[derive(Clone, Default)]
pub(crate) struct Proxies {
    pub(crate) https: Option<(&'static str, String)>,
    pub(crate) http: Option<(&'static str, String)>,
    pub(crate) without: Vec<String>,
}

/// How long to wait, and how often to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For a connection to be made; short, so that a machine without the hub comes to the next source quickly.
    pub connect: Duration,
    /// For the next byte of a transfer; a longer silence counts as a broken connection.
    pub silence: Duration,
    /// Before the second attempt; doubled before each further one.
    pub first_pause: Duration,
    /// Attempts without a new byte before giving up.
    pub attempts: u32,
}

impl Default for Patience {
    fn default() -> Self {
        Patience {
            connect: Duration::from_secs(4),
            silence: Duration::from_secs(30),
            first_pause: Duration::from_millis(500),
            attempts: 5,
        }
    }
}

impl Environment {
    /// Takes the settings from a look-up such as `|name| std::env::var(name).ok()`; an empty value counts as not set.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Environment {
        let get = |name: &str| lookup(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        let user = get("HOME").or_else(|| get("USERPROFILE")).map(PathBuf::from);
        let folder = |name: &str| get(name).map(|value| expand(&value, user.as_ref()));
        let first = |names: &[&'static str]| names.iter().find_map(|name| get(name).map(|value| (*name, value)));

        let cache = folder("XDG_CACHE_HOME").or_else(|| user.as_ref().map(|user| user.join(".cache")));
        let hub_home = folder("HF_HOME").or_else(|| cache.as_ref().map(|cache| cache.join("huggingface")));
        let is_on = |name: &str| get(name).is_some_and(|value| means_yes(&value));
        Environment {
            home: folder("GRAFTLING_HOME").or_else(|| cache.as_ref().map(|cache| cache.join("graftling"))),
            hub_cache: folder("HF_HUB_CACHE").or_else(|| hub_home.as_ref().map(|home| home.join("hub"))),
            token: get("HF_TOKEN"),
            token_file: folder("HF_TOKEN_PATH").or_else(|| hub_home.as_ref().map(|home| home.join("token"))),
            endpoint: get("HF_ENDPOINT").map(|value| value.trim_end_matches('/').to_owned()),
            offline: ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"].into_iter().find(|name| is_on(name)),
            proxies: Proxies {
                https: first(&["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]),
                http: first(&["http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"]),
                without: first(&["NO_PROXY", "no_proxy"])
                    .map(|(_, hosts)| hosts.split(',').map(|host| host.trim().to_owned()).collect())
                    .unwrap_or_default(),
            },
            certificates: first(&["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"]).map(|(name, path)| (name, PathBuf::from(path))),
            package_clients: PackageClient::usual(),
            patience: Patience::default(),
        }
    }

    /// The same settings with other package clients, tried in the given order.
    pub fn with_package_clients(mut self, clients: Vec<PackageClient>) -> Environment {
        self.package_clients = clients;
        self
    }

    /// The same settings with other waiting times.
    pub fn with_patience(mut self, patience: Patience) -> Environment {
        self.patience = patience;
        self
    }

    /// The folder of catalogue models.
    pub(crate) fn models_folder(&self) -> Result<PathBuf, HubError> {
        let home = self.home.as_ref().ok_or(HubError::NoHome { accepted: "GRAFTLING_HOME, XDG_CACHE_HOME or HOME" })?;
        Ok(home.join("models"))
    }

    /// The hub cache.
    pub(crate) fn hub_cache(&self) -> Result<PathBuf, HubError> {
        self.hub_cache.clone().ok_or(HubError::NoHome { accepted: "HF_HUB_CACHE, HF_HOME, XDG_CACHE_HOME or HOME" })
    }

    /// The token to send, from the variable or the first token file that is there.
    pub(crate) fn token(&self) -> Result<Option<String>, HubError> {
        if self.token.is_some() {
            return Ok(self.token.clone());
        }
        let Some(path) = self.token_file.as_ref().filter(|path| path.is_file()) else { return Ok(None) };
        let content = std::fs::read_to_string(path).map_err(HubError::disk(path, "read the token from"))?;
        Ok(Some(content.trim().to_owned()).filter(|token| !token.is_empty()))
    }
}

// The token and the passwords in proxy addresses stay out of logs.
impl std::fmt::Debug for Environment {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Environment")
            .field("home", &self.home)
            .field("hub_cache", &self.hub_cache)
            .field("token", &self.token.as_ref().map(|_| "(hidden)"))
            .field("endpoint", &self.endpoint)
            .field("offline", &self.offline)
            .field("package_clients", &self.package_clients)
            .finish_non_exhaustive()
    }
}

fn expand(value: &str, user: Option<&PathBuf>) -> PathBuf {
    match (value.strip_prefix('~'), user) {
        (Some(""), Some(user)) => user.clone(),
        (Some(rest), Some(user)) if rest.starts_with('/') => user.join(rest.trim_start_matches('/')),
        _ => PathBuf::from(value),
    }
}

fn means_yes(value: &str) -> bool {
    ["1", "ON", "YES", "TRUE"].contains(&value.to_ascii_uppercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        Environment::from_lookup(|name| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_string()))
    }

    #[test]
    fn folders_follow_the_order_of_the_variables() {
        struct Case {
            variables: &'static [(&'static str, &'static str)],
            hub_cache: &'static str,
            home: &'static str,
        }
        let cases = [
            Case { variables: &[("HOME", "/h")], hub_cache: "/h/.cache/huggingface/hub", home: "/h/.cache/graftling" },
            Case {
                variables: &[("HOME", "/h"), ("XDG_CACHE_HOME", "/x")],
                hub_cache: "/x/huggingface/hub",
                home: "/x/graftling",
            },
            Case {
                variables: &[("HOME", "/h"), ("HF_HOME", "~/hf"), ("GRAFTLING_HOME", "/g")],
                hub_cache: "/h/hf/hub",
                home: "/g",
            },
            Case {
                variables: &[("HOME", "/h"), ("HF_HOME", "/f"), ("HF_HUB_CACHE", "/c")],
                hub_cache: "/c",
                home: "/h/.cache/graftling",
            },
        ];
        for case in cases {
            let environment = environment(case.variables);
            assert_eq!(environment.hub_cache.as_deref(), Some(case.hub_cache.as_ref()), "{:?}", case.variables);
            assert_eq!(environment.home.as_deref(), Some(case.home.as_ref()), "{:?}", case.variables);
        }
        assert!(matches!(environment(&[]).models_folder(), Err(HubError::NoHome { .. })));
    }

    #[test]
    fn offline_is_said_in_four_words_and_either_variable() {
        for yes in ["1", "on", "YES", "True"] {
            assert_eq!(environment(&[("HF_HUB_OFFLINE", yes)]).offline, Some("HF_HUB_OFFLINE"));
            assert_eq!(environment(&[("TRANSFORMERS_OFFLINE", yes)]).offline, Some("TRANSFORMERS_OFFLINE"));
        }
        for no in ["0", "", "no", "false"] {
            assert_eq!(environment(&[("HF_HUB_OFFLINE", no)]).offline, None);
        }
    }

    #[test]
    fn the_token_variable_wins_over_its_file_and_stays_out_of_debug_output() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        std::fs::write(&file, "from-file\n").unwrap();
        let path = file.to_str().unwrap();
        let from_file = environment(&[("HF_TOKEN_PATH", path)]);
        assert_eq!(from_file.token().unwrap().as_deref(), Some("from-file"));
        let from_home = environment(&[("HF_HOME", folder.path().to_str().unwrap())]);
        assert_eq!(from_home.token().unwrap().as_deref(), Some("from-file"));
        let from_variable = environment(&[("HF_TOKEN_PATH", path), ("HF_TOKEN", "secret-word")]);
        assert_eq!(from_variable.token().unwrap().as_deref(), Some("secret-word"));
        assert!(!format!("{from_variable:?}").contains("secret-word"));
    }
}
