//! Brings one file to the disk: resumed where an earlier attempt stopped, checked, and renamed only when it is whole.
//! Knows nothing of models and of the layout of the cache.

use super::client::{Failure, HubClient, RemoteFile, classified};
use crate::digest::Checksum;
use crate::{HubError, HubEvent, Progress, disk};
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use ureq::Body;
use ureq::http::{Response, StatusCode};

/// Fetches a file to `destination`. The caller holds the lock of that name.
pub(crate) fn download(
    client: &HubClient,
    remote: &RemoteFile,
    destination: &Path,
    progress: &mut dyn Progress,
) -> Result<(), HubError> {
    disk::create_parent(destination)?;
    let partial = disk::with_suffix(destination, ".partial");
    let mut resumed = transfer(client, remote, &partial, progress)?;
    if let Some(checksum) = Checksum::from_etag(&remote.etag) {
        while let Err(error) = checksum.verify(&partial, &remote.name) {
            disk::remove_file(&partial)?;
            // The bytes of an earlier attempt may be those of another file; a second download in one piece settles it.
            if !resumed {
                return Err(error);
            }
            resumed = transfer(client, remote, &partial, progress)?;
        }
        progress.event(&HubEvent::Verified { file: remote.name.clone() });
    }
    disk::rename(&partial, destination)
}

/// Fetches until the file has its size; true where bytes of an earlier run were kept.
fn transfer(client: &HubClient, remote: &RemoteFile, partial: &Path, progress: &mut dyn Progress) -> Result<bool, HubError> {
    let options = File::options().create(true).append(true).open(partial);
    let mut file = options.map_err(HubError::disk(partial, "create"))?;
    let mut here = file.metadata().map_err(HubError::disk(partial, "read"))?.len();
    if remote.bytes.is_some_and(|bytes| here > bytes) {
        here = cut(&mut file, partial)?;
    }
    let resumed = here > 0;
    progress.event(&HubEvent::Started { file: remote.name.clone(), bytes: remote.bytes, resumed_from: here });
    let mut attempts = 1;
    loop {
        if remote.bytes == Some(here) {
            break;
        }
        let before = here;
        let reason = match attempt(client, remote, partial, &mut file, &mut here, progress) {
            Ok(()) if remote.bytes.is_none_or(|bytes| bytes == here) => break,
            Ok(()) => format!("the transfer ended after {here} of {} bytes", remote.bytes.unwrap_or_default()),
            Err(Failure::Final(error)) => return Err(error),
            Err(Failure::Unreachable(reason) | Failure::Passing(reason)) => reason,
        };
        // Only attempts that bring nothing wear out the patience.
        attempts = client.pause(&remote.name, if here > before { 1 } else { attempts }, reason, progress)?;
    }
    file.sync_all().map_err(HubError::disk(partial, "flush"))?;
    Ok(resumed)
}

fn attempt(
    client: &HubClient,
    remote: &RemoteFile,
    partial: &Path,
    file: &mut File,
    here: &mut u64,
    progress: &mut dyn Progress,
) -> Result<(), Failure> {
    let response = client.get(&remote.url, *here, &remote.model)?;
    let continues = response.status() == StatusCode::PARTIAL_CONTENT && range_start(&response) == Some(*here);
    if *here > 0 && !continues {
        *here = cut(file, partial).map_err(Failure::Final)?;
    }
    if response.status() == StatusCode::RANGE_NOT_SATISFIABLE {
        return Err(Failure::Passing("the server has no such range; starting over".to_owned()));
    }
    let mut body = response.into_body().into_reader();
    let mut buffer = vec![0; 1 << 17];
    loop {
        let read = match body.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) => read,
            Err(error) => return Err(classified(ureq::Error::from(error))),
        };
        let arrived = *here + read as u64;
        if let Some(bytes) = remote.bytes.filter(|bytes| arrived > *bytes) {
            let reason = format!("sends more than the {bytes} bytes that were announced");
            cut(file, partial).map_err(Failure::Final)?;
            return Err(Failure::Final(HubError::BadAnswer { url: remote.url.clone(), reason }));
        }
        file.write_all(&buffer[..read]).map_err(|error| Failure::Final(HubError::disk(partial, "write")(error)))?;
        *here = arrived;
        progress.event(&HubEvent::Advanced { bytes: arrived });
    }
}

fn cut(file: &mut File, path: &Path) -> Result<u64, HubError> {
    file.set_len(0).map_err(HubError::disk(path, "empty"))?;
    Ok(0)
}

fn range_start(response: &Response<Body>) -> Option<u64> {
    let range = response.headers().get("content-range")?.to_str().ok()?;
    range.strip_prefix("bytes ")?.split('-').next()?.parse().ok()
}
