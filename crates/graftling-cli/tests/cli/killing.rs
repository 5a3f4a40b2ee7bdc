//! Processes that are killed without a word (SIGKILL) while they train or finish a run, and two that want one folder.
#![cfg(unix)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStderr, Stdio};

use serde_json::Value;

use crate::scratch::{Scratch, labelled};

/// A run in a folder that evaluates often, and writes from two splits when it is trained.
fn arguments<'a>(output: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let given = "train --task summarization --label-column label --model bart --train train.csv --validation validation.csv --test test.csv \
                 --max-length 20 --max-target-length 8 --batch-size 8 --epochs 2 --log-every 1 --evaluate-every 2 --resamples none --output";
    given.split(' ').chain([output]).chain(more.iter().copied()).collect()
}

fn scratch() -> Scratch {
    let scratch = Scratch::new();
    scratch.copy_model_of("tiny-bart", "bart");
    scratch.write("validation.csv", labelled(8));
    scratch.write("test.csv", labelled(16));
    scratch
}

fn spawned(scratch: &Scratch, arguments: &[&str]) -> (Child, BufReader<ChildStderr>) {
    let mut child = scratch.command(arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let stderr = BufReader::new(child.stderr.take().unwrap());
    (child, stderr)
}

/// What came out of a run, without times and without the name of its folder.
fn outcome(run: &Path) -> Vec<(String, Vec<u8>)> {
    let figures = |path: &Path| {
        let mut figures: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        let is_of_time =
            |name: &str| ["runtime", "per_second", "step_time", "peak_memory"].iter().any(|part| name.contains(part));
        figures.as_object_mut().unwrap().retain(|name, _| !is_of_time(name));
        figures.to_string().into_bytes()
    };
    let mut names: Vec<String> = run.read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    let content = |name: &str| match name {
        _ if name.ends_with("_results.json") => figures(&run.join(name)),
        _ if name.ends_with(".safetensors") || name == "README.md" || name.contains("config") => {
            fs::read(run.join(name)).unwrap()
        }
        _ if name.starts_with("checkpoint-") => fs::read(run.join(name).join("model.safetensors")).unwrap(),
        _ => Vec::new(),
    };
    names.iter().map(|name| (name.clone(), content(name))).collect()
}

/// That a run which was killed ends as one that was not.
fn assert_resumed(scratch: &Scratch, whole: &[(String, Vec<u8>)], case: &str) {
    if !scratch.exists("cut/all_results.json") {
        let said = scratch.run(&arguments("cut", &["--resume"]));
        assert_eq!(said.code, Some(0), "{case}: {said:?}");
    }
    let cut = outcome(&scratch.path("cut"));
    let names = |outcome: &[(String, Vec<u8>)]| outcome.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(
        names(&cut).iter().filter(|name| *name != LOCK).collect::<Vec<_>>(),
        names(whole).iter().collect::<Vec<_>>(),
        "{case}"
    );
    for ((name, this), (_, that)) in cut.iter().filter(|(name, _)| name != LOCK).zip(whole) {
        assert!(this == that, "{case}: {name} differs");
    }
    fs::remove_dir_all(scratch.path("cut")).unwrap();
}

/// What a killed process leaves, and the next one takes over.
const LOCK: &str = ".graftling.lock";

#[test]
fn a_run_killed_while_it_trains_ends_as_one_that_was_not() {
    let scratch = scratch();
    let said = scratch.run(&arguments("whole", &[]));
    assert_eq!(said.code, Some(0), "{said:?}");
    let whole = outcome(&scratch.path("whole"));
    // After the first checkpoint, while the next one may be written, and once more where it has gone on.
    let (mut child, stderr) = spawned(&scratch, &arguments("cut", &[]));
    let mut lines = stderr.lines().map(Result::unwrap);
    assert!(lines.any(|line| line.contains("saved cut/checkpoint-2")), "no first checkpoint");
    child.kill().unwrap();
    child.wait().unwrap();
    // It may have gone on before the kill came, and then the first checkpoint may have made room for a better one.
    let kept = outcome(&scratch.path("cut"));
    assert!(kept.iter().any(|(name, _)| name.starts_with("checkpoint-")), "no checkpoint is kept");
    // On a machine that has much else to do the kill may have come late.
    if !scratch.exists("cut/config.json") {
        let said = scratch.run(&["predict", "--model", "cut", "--text", "a good film"]);
        assert!(
            said.code == Some(1) && said.stderr.contains("go on with it (graftling train cut/recipe.toml --resume)"),
            "{said:?}"
        );
    }
    if scratch.exists("cut/all_results.json") {
        return assert_resumed(&scratch, &whole, "at its end");
    }
    let (mut child, stderr) = spawned(&scratch, &arguments("cut", &["--resume"]));
    let mut lines = stderr.lines().map(Result::unwrap);
    assert!(lines.any(|line| line.starts_with("step ")), "training did not go on");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_resumed(&scratch, &whole, "in training");
}

#[test]
fn a_run_killed_while_it_is_finished_ends_as_one_that_was_not() {
    let scratch = scratch();
    let said = scratch.run(&arguments("whole", &[]));
    assert_eq!(said.code, Some(0), "{said:?}");
    let whole = outcome(&scratch.path("whole"));
    // Wherever the kill meets it, soon after one of these is there, or at its very end, the outcome is the same.
    for mark in ["checkpoint-6", "model.safetensors", "tokenizer.json", "config.json", "train_results.json", "report.json"] {
        let (mut child, stderr) = spawned(&scratch, &arguments("cut", &[]));
        // Nobody reads what it tells; it must not wait for that.
        let reader = std::thread::spawn(move || stderr.lines().map_while(Result::ok).count());
        while !scratch.exists(&format!("cut/{mark}")) && child.try_wait().unwrap().is_none() {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        // A process that has come to its end is not there any more.
        child.kill().ok();
        child.wait().unwrap();
        reader.join().unwrap();
        assert_resumed(&scratch, &whole, mark);
    }
}

#[test]
fn a_second_process_does_not_write_where_one_trains() {
    let scratch = Scratch::new();
    let start = |more: &[&'static str]| {
        let given =
            "train --model tiny --train train.csv --output run --max-steps 10000000 --evaluate-every 10000000 --log-every 1";
        given.split(' ').chain(more.iter().copied()).collect::<Vec<_>>()
    };
    let (mut child, stderr) = spawned(&scratch, &start(&[]));
    let mut lines = stderr.lines().map(Result::unwrap);
    assert!(lines.any(|line| line.starts_with("step 2/")), "training never came to its second step");
    for more in [&[][..], &["--overwrite-output"], &["--resume"]] {
        let said = scratch.run(&start(more));
        let told = format!("run: another run writes here (process {})", child.id());
        assert!(said.code == Some(1) && said.stderr.contains(&told), "{more:?}: {said:?}");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // What it left holds nobody up.
    assert!(scratch.exists(&format!("run/{LOCK}")));
    let said = scratch.run(&start(&["--resume"]));
    assert!(said.code == Some(1) && said.stderr.contains("with overwrite_output in place of resume"), "{said:?}");
    let given = "train --model tiny --train train.csv --output run --max-steps 2 --overwrite-output";
    let said = scratch.run(&given.split(' ').collect::<Vec<_>>());
    assert_eq!(said.code, Some(0), "{said:?}");
}
