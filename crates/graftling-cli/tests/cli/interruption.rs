//! Ctrl-C, and writes that fail: what is kept.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::scratch::Scratch;

#[cfg(unix)]
#[test]
fn ctrl_c_stops_after_a_step_and_keeps_a_complete_checkpoint() {
    let scratch = Scratch::new();
    let mut command = scratch.command(&[
        "train",
        "--model",
        "tiny",
        "--train",
        "train.csv",
        "--output",
        "run",
        "--max-steps",
        "10000000",
        "--evaluate-every",
        "10000000",
        "--log-every",
        "1",
    ]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(stderr.any(|line| line.starts_with("step 2/")), "training never came to its second step");
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let rest: Vec<String> = stderr.collect();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{rest:?}");
    assert!(rest.iter().any(|line| line.contains("press Ctrl-C again to quit at once")), "no word about the stop");
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(stdout.contains("stopped on request: "), "{stdout}");
    assert!(stdout.contains(" train run/recipe.toml --resume\n"), "{stdout}");
    let checkpoint = scratch.path("run").read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let checkpoint = checkpoint.filter(|name| name.starts_with("checkpoint-")).collect::<Vec<_>>();
    assert_eq!(checkpoint.len(), 1, "{checkpoint:?}");
    for folder in ["run".to_owned(), format!("run/{}", checkpoint[0])] {
        let said = scratch.run(&["predict", "--model", &folder, "--text", "a good film"]);
        assert_eq!(said.code, Some(0), "{folder}: {said:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_write_that_fails_leaves_nothing_under_a_final_name() {
    let scratch = Scratch::new();
    // A limit on the size of files fails a write in the middle, as a full disk does; 16 blocks are less than the weights.
    let script = format!(
        "trap '' XFSZ; ulimit -f 16; exec {} train --model tiny --train train.csv --output run --max-steps 2",
        env!("CARGO_BIN_EXE_graftling")
    );
    let output = Command::new("sh").args(["-c", &script]).current_dir(scratch.path("")).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(
        stderr.contains("error: ") && stderr.contains("cannot be written") && stderr.contains("bytes are needed"),
        "{stderr}"
    );
    assert!(!scratch.exists("run/model.safetensors") && !scratch.exists("run/checkpoint-2"), "{stderr}");
}
