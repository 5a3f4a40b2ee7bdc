//! Tells what kind of name a model was given by: a folder, a hub id, or a name of the catalogue.
//! Knows nothing of caches and networks; it only looks whether a folder is there.

use crate::HubError;
use crate::catalogue::{self, CatalogueEntry};
use crate::hub::Repository;
use std::path::{Path, PathBuf};

/// What a model's name means.
#[derive(Debug)]
pub(crate) enum ModelName {
    Folder(PathBuf),
    Hub(Repository),
    Catalogue(&'static CatalogueEntry),
}

/// A folder that is there wins; then what looks like a path, a hub id (one slash), or a catalogue name (none).
pub(crate) fn parse(name: &str) -> Result<ModelName, HubError> {
    let path = Path::new(name);
    if path.is_dir() {
        return Ok(ModelName::Folder(path.to_owned()));
    }
    if path.is_file() {
        return Err(HubError::NotAFolder { path: path.to_owned() });
    }
    let before_revision = name.split('@').next().unwrap_or_default();
    let slashes = before_revision.matches('/').count();
    let like_a_path = name.is_empty() || name.starts_with(['.', '/', '~']) || name.contains('\\') || name.ends_with('/');
    match slashes {
        _ if like_a_path => Err(HubError::NoSuchFolder { path: path.to_owned(), catalogue: catalogue::names() }),
        0 => match catalogue::entry(name) {
            Some(entry) => Ok(ModelName::Catalogue(entry)),
            None => Err(HubError::UnknownModel {
                name: name.to_owned(),
                suggestion: catalogue::nearest(name),
                catalogue: catalogue::names(),
            }),
        },
        1 => Ok(ModelName::Hub(Repository::parse(name)?)),
        _ => Err(HubError::NoSuchFolder { path: path.to_owned(), catalogue: catalogue::names() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(name: &str) -> String {
        match parse(name) {
            Ok(ModelName::Folder(path)) => format!("folder {}", path.display()),
            Ok(ModelName::Hub(repository)) => format!("hub {repository}"),
            Ok(ModelName::Catalogue(entry)) => format!("catalogue {}", entry.name),
            Err(error) => format!("{error}"),
        }
    }

    #[test]
    fn names_are_told_apart() {
        for (name, expected) in [
            ("src", "folder src"),
            ("all-minilm-l6-v2", "catalogue all-MiniLM-L6-v2"),
            ("org/name", "hub org/name"),
            ("org/name@v1.0", "hub org/name@v1.0"),
            ("org/name@refs/pr/3", "hub org/name@refs/pr/3"),
        ] {
            assert_eq!(described(name), expected);
        }
    }

    #[test]
    fn a_name_that_means_nothing_says_what_would() {
        for (name, part) in [
            ("all-MiniLM-L6-v1", "did you mean \"all-MiniLM-L6-v2\"?"),
            (
                "gpt2",
                "the catalogue, which has all-MiniLM-L6-v2, SmolLM2-135M-Instruct-GGUF; a model of the hub is named \"org/name\"",
            ),
            ("./nowhere", "no such folder"),
            ("a/b/c", "no such folder"),
            ("", "no such folder"),
            ("Cargo.toml", "this is a file"),
            ("org/na me", "a hub id is"),
            ("../x", "no such folder"),
            ("org/..", "a hub id is"),
            ("org/name@", "a hub id is"),
            ("org/name@../../x", "a hub id is"),
        ] {
            let text = described(name);
            assert!(text.contains(part), "{name}: {text}");
        }
    }
}
