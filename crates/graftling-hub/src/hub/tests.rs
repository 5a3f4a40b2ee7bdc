//! The hub client against a hub on the loopback interface, through the doors `resolve` and `pull`.
//! Knows the layout of the cache, because other clients share it.

use crate::loopback::{Behaviour, COMMIT, Loopback, Recorder, environment, nobody, sha256};
use crate::{HubError, HubEvent, Origin, Silent, pull, resolve};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const WEIGHTS: &str = "model.safetensors";

fn weights() -> Vec<u8> {
    (0..300_000u32).map(|index| (index.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

fn file(name: &str, text: &str) -> (String, Vec<u8>) {
    (name.to_owned(), text.as_bytes().to_vec())
}

fn a_model() -> Behaviour {
    let small = [file("config.json", "{}"), file("tokenizer.json", "{\"t\": 1}"), file("README.md", "# A model")];
    let files = small.into_iter().chain([(WEIGHTS.to_owned(), weights())]).collect();
    Behaviour { files, ..Behaviour::default() }
}

fn with_files(files: &[(&str, &str)]) -> Behaviour {
    Behaviour { files: files.iter().map(|(name, text)| file(name, text)).collect(), ..Behaviour::default() }
}

struct Machine {
    hub: Loopback,
    folder: TempDir,
}

impl Machine {
    fn with(behaviour: Behaviour) -> Machine {
        Machine { hub: Loopback::start(behaviour), folder: tempfile::tempdir().unwrap() }
    }

    fn environment(&self, variables: &[(&str, &str)]) -> crate::Environment {
        environment(&self.hub.endpoint, self.folder.path(), variables)
    }

    fn resolve(&self) -> Result<PathBuf, HubError> {
        resolve("org/name", &self.environment(&[]), &mut Silent)
    }

    fn repository(&self) -> PathBuf {
        self.folder.path().join(".cache/huggingface/hub/models--org--name")
    }

    fn blob(&self) -> PathBuf {
        self.repository().join("blobs").join(sha256(&weights()))
    }

    fn partial(&self) -> PathBuf {
        crate::disk::with_suffix(&self.blob(), ".partial")
    }
}

fn every_name_under(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { every_name_under(&path) } else { vec![path.display().to_string()] }).collect()
}

#[test]
fn a_model_lands_in_the_standard_layout_and_then_needs_no_network() {
    let machine = Machine::with(a_model());
    let folder = machine.resolve().unwrap();
    assert_eq!(folder, machine.repository().join("snapshots").join(COMMIT));
    assert_eq!(std::fs::read_to_string(machine.repository().join("refs/main")).unwrap(), COMMIT);
    assert_eq!(std::fs::read(folder.join(WEIGHTS)).unwrap(), weights());
    if cfg!(unix) {
        let link = std::fs::read_link(folder.join(WEIGHTS)).unwrap();
        assert_eq!(link, Path::new("../../blobs").join(sha256(&weights())));
    }
    assert!(!folder.join("README.md").exists(), "only what a model needs is fetched");
    assert!(every_name_under(machine.folder.path()).iter().all(|name| !name.ends_with(".partial")));

    let before = machine.hub.requests().len();
    assert_eq!(machine.resolve().unwrap(), folder);
    for offline in ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"] {
        let pulled = pull("org/name", &machine.environment(&[(offline, "1")]), &mut Silent).unwrap();
        assert_eq!((pulled.folder, pulled.origin), (folder.clone(), Origin::HubCache("org/name".to_owned())));
    }
    assert_eq!(machine.hub.requests().len(), before);
}

#[test]
fn a_broken_connection_is_resumed_where_it_broke() {
    let machine = Machine::with(Behaviour { cuts: vec![100_000, 50_000, 0, 1_000], ..a_model() });
    let mut recorder = Recorder::default();
    let pulled = pull("org/name", &machine.environment(&[]), &mut recorder).unwrap();
    assert_eq!(pulled.origin, Origin::Hub("org/name".to_owned()));
    assert_eq!(std::fs::read(pulled.folder.join(WEIGHTS)).unwrap(), weights());
    let transfers: Vec<String> = machine.hub.requests().into_iter().filter(|request| request.contains("/store/")).collect();
    let expected = ["", " from 100000", " from 150000", " from 150000", " from 151000"];
    assert_eq!(transfers, expected.map(|range| format!("GET /store/{WEIGHTS}{range}")));
    let retries = recorder.0.iter().filter(|event| matches!(event, HubEvent::Retrying { .. })).count();
    assert_eq!(retries, 4);
    let last = recorder.0.iter().rev().find_map(|event| match event {
        HubEvent::Advanced { bytes } => Some(*bytes),
        _ => None,
    });
    assert_eq!(last, Some(weights().len() as u64));
}

#[test]
fn what_an_earlier_run_left_is_used_if_it_fits() {
    struct Case {
        left: Vec<u8>,
        without_ranges: bool,
        transfers: &'static [&'static str],
    }
    let right = weights()[..1000].to_vec();
    let cases = [
        Case { left: right.clone(), without_ranges: false, transfers: &[" from 1000"] },
        Case { left: right, without_ranges: true, transfers: &[" from 1000"] },
        Case { left: vec![0; 1000], without_ranges: false, transfers: &[" from 1000", ""] },
        Case { left: vec![0; 400_000], without_ranges: false, transfers: &[""] },
        Case { left: weights(), without_ranges: false, transfers: &[] },
    ];
    for (number, case) in cases.into_iter().enumerate() {
        let machine = Machine::with(Behaviour { without_ranges: case.without_ranges, ..a_model() });
        std::fs::create_dir_all(machine.blob().parent().unwrap()).unwrap();
        std::fs::write(machine.partial(), case.left).unwrap();
        let folder = machine.resolve().unwrap();
        assert_eq!(std::fs::read(folder.join(WEIGHTS)).unwrap(), weights(), "case {number}");
        let requests = machine.hub.requests();
        let transfers: Vec<&str> =
            requests.iter().filter_map(|request| request.strip_prefix(&format!("GET /store/{WEIGHTS}"))).collect();
        assert_eq!(transfers, case.transfers, "case {number}");
    }
}

#[test]
fn wrong_bytes_never_get_a_final_name() {
    let mut wrong = weights();
    wrong[77] ^= 1;
    let machine = Machine::with(Behaviour { wrong_bytes: Some(wrong), ..a_model() });
    let error = machine.resolve().unwrap_err();
    assert!(matches!(&error, HubError::Corrupt { file, .. } if file == WEIGHTS), "{error}");
    assert!(!machine.blob().exists() && !machine.partial().exists());
    assert!(!machine.repository().join("refs/main").exists());

    let mut longer = weights();
    longer.push(0);
    machine.hub.change(|hub| hub.wrong_bytes = Some(longer));
    assert!(matches!(machine.resolve().unwrap_err(), HubError::BadAnswer { .. }));
    assert!(!machine.blob().exists());
}

#[test]
fn refusals_say_what_to_do() {
    let none: &[(&str, &str)] = &[];
    let token: &[(&str, &str)] = &[("HF_TOKEN", "t")];
    for (refusal, variables, parts) in [
        ((401, ""), none, ["answered 401", "set HF_TOKEN"]),
        ((403, "GatedRepo"), token, ["(GatedRepo it is)", "accept the model's terms"]),
        ((404, "RepoNotFound"), none, ["no such model", "check the spelling"]),
        ((404, "RevisionNotFound"), none, ["no such revision", "check the spelling"]),
        ((418, ""), none, ["answered 418", "expected 200"]),
        ((500, ""), none, ["answered 500", "gave up after 3 attempts"]),
    ] {
        let machine = Machine::with(Behaviour { refusal: Some(refusal), ..Behaviour::default() });
        let text = resolve("org/name", &machine.environment(variables), &mut Silent).unwrap_err().to_string();
        assert!(parts.iter().all(|part| text.contains(part)), "{refusal:?}: {text}");
    }
}

#[test]
fn a_token_opens_a_closed_model() {
    let machine = Machine::with(Behaviour { token: Some("secret".to_owned()), ..a_model() });
    assert!(matches!(machine.resolve(), Err(HubError::AccessRefused { status: 401, token_sent: false, .. })));
    resolve("org/name", &machine.environment(&[("HF_TOKEN", "secret")]), &mut Silent).unwrap();
}

#[test]
fn a_busy_hub_is_asked_again() {
    let machine = Machine::with(Behaviour { busy_answers: 2, ..a_model() });
    machine.resolve().unwrap();
}

#[test]
fn without_a_hub_the_error_comes_quickly_and_the_cache_still_serves() {
    let machine = Machine::with(a_model());
    let lonely = environment(&nobody(), machine.folder.path(), &[]);
    // The name is one that no server may ever give an address (RFC 6761).
    let nameless = environment("http://hub.invalid", machine.folder.path(), &[]);
    for environment in [&lonely, &nameless] {
        let began = Instant::now();
        assert!(matches!(resolve("org/name", environment, &mut Silent), Err(HubError::NotHere { .. })));
        assert!(began.elapsed() < Duration::from_secs(3));
    }
    let offline = machine.environment(&[("HF_HUB_OFFLINE", "1")]);
    let text = resolve("org/name", &offline, &mut Silent).unwrap_err().to_string();
    assert!(text.contains("HF_HUB_OFFLINE forbids the network"), "{text}");
    assert!(machine.hub.requests().is_empty());

    let folder = machine.resolve().unwrap();
    let mut recorder = Recorder::default();
    assert_eq!(pull("org/name", &lonely, &mut recorder).unwrap().folder, folder);
    assert!(recorder.0.iter().any(|event| matches!(event, HubEvent::Fallback { .. })));
}

#[test]
fn a_model_without_what_it_needs_is_refused_before_any_transfer() {
    for (files, part) in [
        (vec![("config.json", "{}"), ("vocab.txt", "a"), ("pytorch_model.bin", "x")], "convert once with"),
        (vec![("config.json", "{}"), ("vocab.txt", "a")], "lacks model.safetensors"),
        (vec![(WEIGHTS, "x"), ("vocab.txt", "a")], "lacks config.json"),
        (vec![(WEIGHTS, "x"), ("config.json", "{}")], "lacks a vocabulary"),
    ] {
        let machine = Machine::with(with_files(&files));
        let text = machine.resolve().unwrap_err().to_string();
        assert!(text.contains(part), "{text}");
        assert_eq!(machine.hub.requests().len(), 1, "{part}");
    }
}

#[test]
fn shards_are_fetched_by_their_index_and_a_hostile_index_is_refused() {
    let index = |shard: &str| format!(r#"{{"weight_map": {{"a": "one.safetensors", "b": "{shard}"}}}}"#);
    let small = [("config.json", "{}"), ("vocab.txt", "a"), ("one.safetensors", "1"), ("two.safetensors", "2")];
    let with_index = |shard: &str| {
        let mut behaviour = with_files(&small);
        behaviour.files.push(file("model.safetensors.index.json", &index(shard)));
        Machine::with(behaviour)
    };
    let machine = with_index("two.safetensors");
    let folder = machine.resolve().unwrap();
    assert_eq!(std::fs::read(folder.join("two.safetensors")).unwrap(), b"2");
    // A cache that lost a shard is no model.
    std::fs::remove_file(folder.join("two.safetensors")).unwrap();
    let before = machine.hub.requests().len();
    machine.resolve().unwrap();
    assert!(folder.join("two.safetensors").exists() && machine.hub.requests().len() > before);

    for shard in ["../../../evil.safetensors", "/evil.safetensors", "three.bin"] {
        let text = with_index(shard).resolve().unwrap_err().to_string();
        assert!(text.contains("only plain names"), "{shard}: {text}");
    }
    assert!(matches!(with_index("three.safetensors").resolve(), Err(HubError::NotFound { .. })));
}

#[test]
fn a_mirror_that_lists_no_checksums_is_asked_for_each() {
    let machine = Machine::with(Behaviour { listing_without_identities: true, ..a_model() });
    let folder = machine.resolve().unwrap();
    assert_eq!(std::fs::read(folder.join(WEIGHTS)).unwrap(), weights());
    assert!(machine.blob().exists(), "the blob is named by the checksum of the first answer");
    assert!(machine.hub.requests().iter().any(|request| request.starts_with("HEAD ")));
}

#[test]
fn pull_repairs_what_resolve_trusts() {
    let machine = Machine::with(a_model());
    let folder = machine.resolve().unwrap();
    let mut damaged = weights();
    damaged[0] ^= 1;
    std::fs::write(machine.blob(), damaged).unwrap();
    assert_eq!(machine.resolve().unwrap(), folder);
    let offline = machine.environment(&[("HF_HUB_OFFLINE", "1")]);
    assert!(matches!(pull("org/name", &offline, &mut Silent), Err(HubError::Corrupt { .. })));
    pull("org/name", &machine.environment(&[]), &mut Silent).unwrap();
    assert_eq!(std::fs::read(folder.join(WEIGHTS)).unwrap(), weights());
}

#[test]
fn pulls_at_the_same_time_do_not_disturb_each_other() {
    let machine = Machine::with(a_model());
    std::thread::scope(|scope| {
        let pulls: Vec<_> = (0..4).map(|_| scope.spawn(|| machine.resolve().unwrap())).collect();
        for pull in pulls {
            assert_eq!(std::fs::read(pull.join().unwrap().join(WEIGHTS)).unwrap(), weights());
        }
    });
    let transfers = machine.hub.requests().iter().filter(|request| request.contains("/store/")).count();
    assert_eq!(transfers, 1, "the others wait for the first");
}

#[test]
fn a_revision_is_a_branch_or_a_commit() {
    let machine = Machine::with(a_model());
    let environment = machine.environment(&[]);
    let branch = resolve("org/name@refs/pr/3", &environment, &mut Silent).unwrap();
    assert!(machine.repository().join("refs/refs/pr/3").is_file());
    let before = machine.hub.requests().len();
    assert_eq!(resolve(&format!("org/name@{COMMIT}"), &environment, &mut Silent).unwrap(), branch);
    assert_eq!(machine.hub.requests().len(), before);
}
