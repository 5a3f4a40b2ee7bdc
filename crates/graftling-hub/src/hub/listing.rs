//! What a hub says a model holds, read from its answer. Knows nothing of connections.

use crate::digest::Checksum;
use serde::Deserialize;

/// The files of a model at one commit.
#[derive(Debug)]
pub(crate) struct Listing {
    pub(crate) commit: String,
    pub(crate) files: Vec<ListedFile>,
}

/// A file as the hub lists it; a mirror may leave the identity out.
#[derive(Debug)]
pub(crate) struct ListedFile {
    pub(crate) name: String,
    pub(crate) identity: Option<(String, Option<u64>)>,
}

/// Reads the hub's answer; nothing of it becomes a path unless it is harmless as one.
pub(crate) fn parse_listing(text: &str) -> Result<Listing, String> {
    #[derive(Deserialize)]
    struct Model {
        sha: String,
        siblings: Vec<Sibling>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Sibling {
        rfilename: String,
        size: Option<u64>,
        blob_id: Option<String>,
        lfs: Option<LargeFile>,
    }
    #[derive(Deserialize)]
    struct LargeFile {
        sha256: String,
        size: u64,
    }
    let model: Model = serde_json::from_str(text).map_err(|error| format!("not a listing of a model: {error}"))?;
    // The commit becomes a folder's name.
    if model.sha.len() < 7 || !model.sha.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(format!("the commit {:?} is not hexadecimal", model.sha));
    }
    let listed = |file: Sibling| {
        let identity = match (file.lfs, file.blob_id) {
            (Some(large), _) => Some((large.sha256, Some(large.size))),
            (None, Some(blob)) => Some((blob, file.size)),
            (None, None) => None,
        };
        let identity = identity.filter(|(etag, _)| Checksum::from_etag(etag).is_some());
        ListedFile { name: file.rfilename, identity }
    };
    Ok(Listing { commit: model.sha, files: model.siblings.into_iter().map(listed).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_with_an_odd_commit_is_refused() {
        assert!(parse_listing(r#"{"sha": "../../x", "siblings": []}"#).is_err());
        assert!(parse_listing("<html>").is_err());
        let listing = parse_listing(r#"{"sha": "0123abcd", "siblings": [{"rfilename": "config.json"}]}"#).unwrap();
        assert_eq!(listing.files[0].name, "config.json");
        assert!(listing.files[0].identity.is_none());
    }
}
