//! How a hub is reached: its address, a proxy, the certificates that are trusted. Sends nothing itself.

use crate::environment::Proxies;
use crate::{Environment, HubError};
use ureq::Proxy;
use ureq::tls::{PemItem, RootCerts, parse_pem};

/// The address from the environment, or else the hub's own.
pub(crate) fn endpoint(environment: &Environment) -> Result<String, HubError> {
    match &environment.endpoint {
        Some(endpoint) if endpoint.starts_with("https://") || endpoint.starts_with("http://") => Ok(endpoint.clone()),
        Some(endpoint) => {
            let reason = "is no address; it must begin with https:// or http://".to_owned();
            Err(HubError::BadSetting { variable: "HF_ENDPOINT", value: endpoint.clone(), reason })
        }
        None => default_endpoint(),
    }
}

// The hub's address is the business of its own client crate; it is read off an address that the crate builds.
fn default_endpoint() -> Result<String, HubError> {
    let api = hf_hub::api::sync::ApiBuilder::from_cache(hf_hub::Cache::new(std::path::PathBuf::new())).build();
    let url = api.map(|api| api.model("m".to_owned()).url("f")).unwrap_or_default();
    url.strip_suffix("/m/resolve/main/f").map(str::to_owned).ok_or_else(|| HubError::BadSetting {
        variable: "HF_ENDPOINT",
        value: String::new(),
        reason: "must be set, because the hub's client has no address of its own".to_owned(),
    })
}

/// The proxy for an address, where the environment names one.
pub(crate) fn proxy(proxies: &Proxies, endpoint: &str) -> Result<Option<Proxy>, HubError> {
    let setting = if endpoint.starts_with("https:") { &proxies.https } else { &proxies.http };
    let Some((variable, address)) = setting else { return Ok(None) };
    // The address may hold a password, so the error does not show it.
    let refused = |_| HubError::BadSetting {
        variable,
        value: "(hidden)".to_owned(),
        reason: "is not the address of a proxy, such as http://host:port".to_owned(),
    };
    let given = Proxy::new(address).map_err(refused)?;
    let mut builder = Proxy::builder(given.protocol()).host(given.host()).port(given.port());
    if let Some(user) = given.username() {
        builder = builder.username(user);
    }
    if let Some(password) = given.password() {
        builder = builder.password(password);
    }
    for host in &proxies.without {
        builder = builder.no_proxy(host);
    }
    builder.build().map(Some).map_err(refused)
}

/// The certificates that are trusted: a bundle of the environment's, or the built-in ones.
pub(crate) fn certificates(environment: &Environment) -> Result<RootCerts, HubError> {
    let Some((variable, path)) = &environment.certificates else { return Ok(RootCerts::WebPki) };
    let pem = std::fs::read(path).map_err(HubError::disk(path, "read certificates from"))?;
    let items = parse_pem(&pem).filter_map(|item| match item {
        Ok(PemItem::Certificate(certificate)) => Some(certificate),
        _ => None,
    });
    let found: Vec<_> = items.collect();
    if found.is_empty() {
        let reason = "holds no certificate in PEM form".to_owned();
        return Err(HubError::BadSetting { variable, value: path.display().to_string(), reason });
    }
    Ok(RootCerts::from(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hub_has_an_address_without_one_being_set() {
        let endpoint = default_endpoint().unwrap();
        assert!(endpoint.starts_with("https://") && !endpoint.ends_with('/'), "{endpoint}");
    }

    #[test]
    fn a_proxy_without_sense_is_named_by_its_variable() {
        let proxies = Proxies { https: Some(("HTTPS_PROXY", "::nonsense::".to_owned())), ..Proxies::default() };
        let error = proxy(&proxies, "https://mirror.example").unwrap_err().to_string();
        assert!(error.contains("HTTPS_PROXY") && !error.contains("nonsense"), "{error}");
        assert!(proxy(&proxies, "http://mirror.example").unwrap().is_none());
    }
}
