//! Bad input is told plainly before any work is done, and nothing is written.

use std::fs;

use crate::fixture::{Fixture, examples};

struct Case {
    name: &'static str,
    break_it: fn(&Fixture),
    options: &'static str,
    /// All of these stand in the message.
    expected: &'static [&'static str],
}

/// Changes one text in a file of the model.
fn edit(fixture: &Fixture, file: &str, from: &str, to: &str) {
    let path = fixture.model().join(file);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{file} has no {from}");
    fs::write(&path, text.replace(from, to)).unwrap();
}

const CASES: &[Case] = &[
    Case {
        name: "missing file",
        break_it: |fixture| fs::remove_file(fixture.path("train.csv")).unwrap(),
        options: "",
        expected: &["train.csv: no such file"],
    },
    Case {
        name: "misspelt column",
        break_it: |_| {},
        options: "text_column = 'txet'",
        expected: &["train.csv", "no column \"txet\"", "did you mean \"text\"?"],
    },
    Case {
        name: "missing label column",
        break_it: |fixture| fixture.write("train.csv", b"text,lable\ngood,a\nbad,b\n"),
        options: "",
        expected: &["train.csv", "no column for the label", "\"lable\" for instance"],
    },
    Case {
        name: "empty file",
        break_it: |fixture| fixture.write("train.csv", b""),
        options: "",
        expected: &["train.csv", "empty"],
    },
    Case {
        name: "header only",
        break_it: |fixture| fixture.write("train.csv", b"text,label\n"),
        options: "",
        expected: &["train.csv", "header"],
    },
    Case {
        name: "a row with too few fields",
        break_it: |fixture| fixture.write("train.csv", b"text,label\ngood,a\nbad\nfine,b\n"),
        options: "",
        expected: &["train.csv:3: 1 field where the header names 2"],
    },
    Case {
        name: "invalid UTF-8",
        break_it: |fixture| fixture.write("train.csv", b"text,label\ngood\xff,a\n"),
        options: "",
        expected: &["train.csv", "UTF-8", "15"],
    },
    Case {
        name: "one class only",
        break_it: |fixture| fixture.write("train.csv", b"text,label\ngood,a\nfine,a\n"),
        options: "",
        expected: &["all 2 rows have the label \"a\""],
    },
    Case {
        name: "a label that training never saw",
        break_it: |fixture| fixture.write("validation.csv", b"text,label\ngood,posittive\n"),
        options: "",
        expected: &["validation.csv:2: label \"posittive\" is not one of negative, positive (did you mean \"positive\"?)"],
    },
    Case {
        name: "empty text",
        break_it: |fixture| fixture.write("train.csv", b"text,label\ngood,a\n  ,b\n"),
        options: "",
        expected: &["train.csv:3", "empty"],
    },
    Case {
        name: "labels that are numbers",
        break_it: |fixture| fixture.write("train.csv", b"text,label\ngood,0.5\nbad,1.25\n"),
        options: "",
        expected: &["train.csv", "0.5", "regression"],
    },
    Case {
        name: "a number whose square is infinite",
        break_it: |fixture| fixture.write("train.csv", b"text,label\ngood,0.5\nbad,1e38\n"),
        options: "task = 'sequence_regression'",
        expected: &["train.csv:3: \"label\" holds 1e38; accepted: numbers from -1e18 to 1e18"],
    },
    Case {
        name: "one number where the model gives two",
        break_it: |fixture| {
            fixture.write("train.csv", b"text,label\ngood,\"[1, 2]\"\nbad,\"[2, 3]\"\n");
            fixture.write("validation.csv", b"text,label\ngood,1\n");
        },
        options: "task = 'sequence_regression'",
        expected: &["validation.csv:2: the label is 1 number, but the model gives 2"],
    },
    Case {
        name: "a truncated weight file",
        break_it: |fixture| {
            let path = fixture.model().join("model.safetensors");
            let bytes = fs::read(&path).unwrap();
            fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        },
        options: "",
        expected: &["model.safetensors"],
    },
    Case {
        name: "a flipped bit in the header of the weight file",
        break_it: |fixture| {
            let path = fixture.model().join("model.safetensors");
            let mut bytes = fs::read(&path).unwrap();
            bytes[9] ^= 0x40;
            fs::write(&path, bytes).unwrap();
        },
        options: "",
        expected: &["model.safetensors"],
    },
    Case {
        name: "absurd sizes",
        break_it: |fixture| edit(fixture, "config.json", "\"hidden_size\": 32", "\"hidden_size\": 4000000000000"),
        options: "",
        expected: &["config.json", "hidden_size"],
    },
    Case {
        name: "an unknown family",
        break_it: |fixture| edit(fixture, "config.json", "\"model_type\": \"bert\"", "\"model_type\": \"tapir\""),
        options: "",
        expected: &["model_type is \"tapir\"", "bert"],
    },
    Case {
        name: "a tokenizer with more ids than embeddings",
        break_it: |fixture| edit(fixture, "tokenizer.json", "\"##ed\": 91", "\"##ed\": 91, \"##er\": 92"),
        options: "",
        expected: &["ids up to 92", "embeddings for 92"],
    },
    Case {
        name: "no tokenizer",
        break_it: |fixture| {
            for name in ["tokenizer.json", "vocab.txt"] {
                fs::remove_file(fixture.model().join(name)).unwrap();
            }
        },
        options: "",
        expected: &["model", "tokenizer.json"],
    },
    Case {
        name: "texts longer than the positions",
        break_it: |_| {},
        options: "max_length = 65",
        expected: &["max_length: 65", "64 positions"],
    },
    Case {
        name: "a pattern that fits nothing",
        break_it: |_| {},
        options: "freeze = ['embedings.*']",
        expected: &["no parameter fits \"embedings.*\"", "near names are embeddings."],
    },
    Case { name: "nothing to train", break_it: |_| {}, options: "freeze = ['*']", expected: &["leaves no parameter to train"] },
    Case { name: "too long a warm-up", break_it: |_| {}, options: "warmup = 100", expected: &["warmup takes 100 steps"] },
    Case {
        name: "no room for that many checkpoints",
        break_it: |_| {},
        options: "epochs = 10000\nbatch_size = 1\nevaluate_every = 1\nsave_total_limit = 'none'",
        expected: &["run: ", "are needed for checkpoints but", "save_total_limit"],
    },
    Case {
        name: "several at once",
        break_it: |fixture| {
            fixture.write("train.csv", b"text,label\ngood,a\nbad\nfine,b\n");
            fs::remove_file(fixture.path("validation.csv")).unwrap();
        },
        options: "max_length = 65",
        expected: &["train.csv:3", "validation.csv: no such file", "64 positions"],
    },
];

#[test]
fn bad_input_is_told_before_any_work_and_nothing_is_written() {
    let mut failures = Vec::new();
    for case in CASES {
        let fixture = Fixture::new();
        (case.break_it)(&fixture);
        let message = match fixture.train(&fixture.recipe("run", case.options)) {
            Ok(_) => "it was accepted".to_owned(),
            Err(error) => error.to_string(),
        };
        if !case.expected.iter().all(|part| message.contains(part)) {
            failures.push(format!("{}: {message:?}, but expected {:?}", case.name, case.expected));
        }
        if fixture.path("run").exists() {
            failures.push(format!("{}: the output folder was made", case.name));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn examples_that_stand_in_two_splits_are_noticed() {
    let fixture = Fixture::new();
    fixture.write("validation.csv", examples(0..10).as_bytes());
    let (_, observed) = fixture.run("run", "epochs = 1");
    assert!(observed.notices.iter().any(|notice| notice.contains("validation.csv: 10 of 10")), "{:?}", observed.notices);
}
