//! Checksums: what a file should be, and what it is.
//! Knows nothing of where a file comes from.

use crate::HubError;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// What the bytes of a file must hash to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Checksum {
    /// SHA-256 of the bytes, in lower-case hexadecimal (large files of a hub, catalogue files, wheels).
    Sha256(String),
    /// The name git gives a blob with these bytes: SHA-1 of `blob <size>\0` and the bytes (small files of a hub).
    GitBlob(String),
}

impl Checksum {
    /// The checksum that an entity tag of a hub stands for, where it has the form of one.
    pub(crate) fn from_etag(etag: &str) -> Option<Checksum> {
        let hexadecimal = etag.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        match (hexadecimal, etag.len()) {
            (true, 64) => Some(Checksum::Sha256(etag.to_owned())),
            (true, 40) => Some(Checksum::GitBlob(etag.to_owned())),
            _ => None,
        }
    }

    /// Checks a file on disk; the error names it as `file`. The file is left where it is.
    pub(crate) fn verify(&self, path: &Path, file: &str) -> Result<(), HubError> {
        let (expected, found) = match self {
            Checksum::Sha256(expected) => (expected, digest_of(path, Sha256::new())?),
            Checksum::GitBlob(expected) => {
                let bytes = path.metadata().map_err(HubError::disk(path, "read"))?.len();
                (expected, digest_of(path, Sha1::new_with_prefix(format!("blob {bytes}\0")))?)
            }
        };
        if *expected == found {
            return Ok(());
        }
        Err(HubError::Corrupt { file: file.to_owned(), expected: expected.clone(), found })
    }
}

/// The digest in lower-case hexadecimal.
pub(crate) fn hexadecimal(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn digest_of<D: Digest>(path: &Path, mut digest: D) -> Result<String, HubError> {
    let mut file = File::open(path).map_err(HubError::disk(path, "open"))?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer).map_err(HubError::disk(path, "read"))? {
            0 => return Ok(hexadecimal(&digest.finalize())),
            read => digest.update(&buffer[..read]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entity_tags_are_told_apart_by_their_length() {
        let sha256 = "a".repeat(64);
        let sha1 = "0".repeat(40);
        assert_eq!(Checksum::from_etag(&sha256), Some(Checksum::Sha256(sha256)));
        assert_eq!(Checksum::from_etag(&sha1), Some(Checksum::GitBlob(sha1)));
        for odd in ["", "W/abc", "g".repeat(40).as_str(), "A".repeat(64).as_str()] {
            assert_eq!(Checksum::from_etag(odd), None, "{odd}");
        }
    }

    #[test]
    fn a_git_blob_is_named_as_git_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hello");
        std::fs::write(&path, "hello\n").unwrap();
        // What `git hash-object` prints for these six bytes.
        let checksum = Checksum::GitBlob("ce013625030ba8dba906f756967f9e9ca394464a".to_owned());
        checksum.verify(&path, "hello").unwrap();
        std::fs::write(&path, "hello!").unwrap();
        assert!(matches!(checksum.verify(&path, "hello"), Err(HubError::Corrupt { .. })));
    }
}
