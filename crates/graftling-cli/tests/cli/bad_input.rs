//! Input that cannot be used: a clear error, the right exit code, and nothing under a final name.

use std::fs;

use crate::scratch::{Scratch, labelled};

/// How a folder is spoilt, what is typed, and what is said.
pub struct Case {
    pub name: &'static str,
    pub spoil: fn(&Scratch),
    pub arguments: &'static [&'static str],
    pub code: i32,
    pub error: &'static str,
}

const TRAIN: &[&str] = &["train", "--model", "tiny", "--train", "train.csv", "--output", "out"];
const TEST: &[&str] = &["train", "--model", "tiny", "--train", "train.csv", "--test", "test.csv", "--output", "out"];
const PREDICT: &[&str] = &["predict", "--model", "tiny", "--input", "train.csv", "--output", "out.csv"];

pub fn nothing(_: &Scratch) {}

/// A training file that a task cannot use, and what is said.
pub struct BadFile {
    pub name: &'static str,
    pub file: &'static str,
    pub contents: &'static str,
    pub error: &'static str,
}

/// Runs every case; all that go wrong are told.
pub fn check(cases: &[Case]) {
    let wrong: Vec<String> =
        cases.iter().filter_map(|case| wrong(case.name, case.spoil, case.arguments, case.code, case.error)).collect();
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

/// Trains the task on every file, which is refused; all that go wrong are told.
pub fn check_files(task: &str, files: &[BadFile]) {
    let wrong = files.iter().filter_map(|BadFile { name, file, contents, error }| {
        let arguments = ["train", "--task", task, "--model", "tiny", "--train", file, "--output", "out"];
        wrong(name, |scratch| scratch.write(file, contents), &arguments, 1, error)
    });
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{} of {} files:\n{}", wrong.len(), files.len(), wrong.join("\n"));
}

/// What is wrong with how a command that should fail does.
fn wrong(name: &str, spoil: impl Fn(&Scratch), arguments: &[&str], code: i32, expected: &str) -> Option<String> {
    let scratch = Scratch::new();
    spoil(&scratch);
    let before = scratch.names();
    let said = scratch.run(arguments);
    let after: Vec<String> = scratch.names().into_iter().filter(|name| !name.starts_with('.')).collect();
    let error = said.stderr.lines().skip_while(|line| !line.starts_with("error: ")).collect::<Vec<_>>().join("\n");
    let right = said.code == Some(code) && said.stdout.is_empty() && error.starts_with(expected) && before == after;
    (!right).then(|| format!("{name}: code {:?}\n  said:     {error}\n  expected: {expected}\n  left: {after:?}", said.code))
}

#[test]
fn data_that_cannot_be_used_is_refused() {
    check(&[
        Case {
            name: "missing file",
            spoil: nothing,
            arguments: &["train", "--model", "tiny", "--train", "trian.csv", "--output", "out"],
            code: 1,
            error: "error: trian.csv: no such file (did you mean \"train.csv\"?)",
        },
        Case {
            name: "missing file and a model that would have to be fetched",
            spoil: nothing,
            arguments: &["train", "--model", "all-MiniLM-L6-v2", "--train", "trian.csv", "--output", "out"],
            code: 1,
            error: "error: trian.csv: no such file (did you mean \"train.csv\"?)",
        },
        Case {
            name: "misspelt column",
            spoil: nothing,
            arguments: &["train", "--model", "tiny", "--train", "train.csv", "--output", "out", "--label-column", "lable"],
            code: 1,
            error: "error: train.csv: no column \"lable\" for the label; the columns are \"text\", \"label\" (did you mean \"label\"?)",
        },
        Case {
            name: "missing column",
            spoil: |scratch| scratch.write("train.csv", "words,label\na,x\nb,y\n"),
            arguments: TRAIN,
            code: 1,
            error: "error: train.csv: no column for the text; the columns are \"words\", \"label\"; looked for ",
        },
        Case {
            name: "empty file",
            spoil: |scratch| scratch.write("train.csv", ""),
            arguments: TRAIN,
            code: 1,
            error: "error: train.csv: the file is empty",
        },
        Case {
            name: "header only",
            spoil: |scratch| scratch.write("train.csv", "text,label\n"),
            arguments: TRAIN,
            code: 1,
            error: "error: train.csv: only a header (\"text\", \"label\") and no rows",
        },
        Case {
            name: "too few fields",
            spoil: |scratch| scratch.write("train.csv", "text,label\na good one,positive\na bad one\n"),
            arguments: TRAIN,
            code: 1,
            error: "error: train.csv:3: 1 field where the header names 2",
        },
        Case {
            name: "invalid UTF-8",
            spoil: |scratch| scratch.write("train.csv", b"text,label\ncaf\xE9,positive\nbad,negative\n"),
            arguments: TRAIN,
            code: 1,
            error: "error: train.csv:2: invalid UTF-8 at byte 14 (0xE9); ",
        },
        Case {
            name: "one class",
            spoil: |scratch| scratch.write("train.csv", "text,label\na,positive\nb,positive\n"),
            arguments: TRAIN,
            code: 1,
            error: "error: train.csv: all 2 rows have the label \"positive\"; at least two different labels are needed",
        },
        Case {
            name: "a label that training never saw",
            spoil: |scratch| scratch.write("test.csv", "text,label\na,positive\nb,posittive\n"),
            arguments: TEST,
            code: 1,
            error: "error: test.csv:3: label \"posittive\" is not one of negative, positive (did you mean \"positive\"?)",
        },
        Case {
            name: "an empty text",
            spoil: |scratch| scratch.write("train.csv", "text,label\na,positive\n\" \",negative\n"),
            arguments: TRAIN,
            code: 1,
            error: "error: train.csv:3: the text in \"text\" is empty; fill it in or drop the row",
        },
        Case {
            name: "labels that look like numbers",
            spoil: |scratch| scratch.write("train.csv", "text,label\na,0.25\nb,1.5\n"),
            arguments: TRAIN,
            code: 1,
            error: "error: train.csv:2: the label 0.25 in \"label\" is a number that is not whole, so this looks like regression",
        },
        Case {
            name: "a file of another kind",
            spoil: |scratch| scratch.write("data.parquet", "PAR1"),
            arguments: &["train", "--model", "tiny", "--train", "data.parquet", "--output", "out"],
            code: 1,
            error: "error: data.parquet: the name does not tell the format; accepted are .csv, .tsv, .jsonl and .ndjson",
        },
        Case {
            name: "two files missing",
            spoil: nothing,
            arguments: &["train", "--model", "org/name", "--train", "a.csv", "--test", "b.csv", "--output", "out"],
            code: 1,
            error: "error: a.csv: no such file\nb.csv: no such file",
        },
    ]);
}

#[test]
fn models_that_cannot_be_used_are_refused() {
    check(&[
        Case {
            name: "no such folder",
            spoil: nothing,
            arguments: &["train", "--model", "./tyni", "--train", "train.csv", "--output", "out"],
            code: 1,
            error: "error: model \"./tyni\": no such folder",
        },
        Case {
            name: "truncated weights",
            spoil: |scratch| {
                let path = scratch.path("tiny/model.safetensors");
                let bytes = fs::read(&path).unwrap();
                fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
            },
            arguments: TRAIN,
            code: 1,
            error: "error: tiny/model.safetensors: cut off or damaged: ",
        },
        Case {
            name: "a flipped bit in the header's length",
            spoil: |scratch| {
                let path = scratch.path("tiny/model.safetensors");
                let mut bytes = fs::read(&path).unwrap();
                bytes[7] ^= 0x40;
                fs::write(path, bytes).unwrap();
            },
            arguments: TRAIN,
            code: 1,
            error: "error: tiny/model.safetensors: ",
        },
        Case {
            name: "absurd sizes",
            spoil: |scratch| spoil_config(scratch, "\"hidden_size\": 32", "\"hidden_size\": 4000000000000"),
            arguments: TRAIN,
            code: 1,
            error: "error: tiny/config.json: ",
        },
        Case {
            name: "an unknown family",
            spoil: |scratch| spoil_config(scratch, "\"model_type\": \"bert\"", "\"model_type\": \"mamba\""),
            arguments: TRAIN,
            code: 1,
            error: "error: tiny/config.json: model_type is \"mamba\"; known families are bert",
        },
        Case {
            name: "a tokenizer of another model",
            spoil: |scratch| {
                let path = scratch.path("tiny/tokenizer.json");
                let text = fs::read_to_string(&path).unwrap();
                let more = text.replacen("\"vocab\": {", "\"vocab\": {\"extra\": 4242,", 1);
                assert_ne!(text, more, "the vocabulary of the tokenizer was not found");
                fs::write(path, more).unwrap();
            },
            arguments: TRAIN,
            code: 1,
            error: "error: tiny: the tokenizer has ids up to 4242 but the model has embeddings for 92 only",
        },
        Case {
            name: "no tokenizer",
            spoil: |scratch| {
                fs::remove_file(scratch.path("tiny/tokenizer.json")).unwrap();
                fs::remove_file(scratch.path("tiny/vocab.txt")).unwrap();
            },
            arguments: TRAIN,
            code: 1,
            error: "error: tiny: no tokenizer here: neither tokenizer.json nor vocab.txt",
        },
        Case {
            name: "a text longer than the model takes",
            spoil: nothing,
            arguments: &["train", "--model", "tiny", "--train", "train.csv", "--output", "out", "--max-length", "65"],
            code: 1,
            error: "error: max_length: 65 tokens, but the model has 64 positions; accepted is at most 64",
        },
    ]);
}

fn spoil_config(scratch: &Scratch, from: &str, to: &str) {
    let config = scratch.read("tiny/config.json");
    assert!(config.contains(from), "{config}");
    scratch.write("tiny/config.json", config.replace(from, to));
}

#[test]
fn recipes_that_cannot_be_used_are_refused_with_every_complaint() {
    check(&[
        Case {
            name: "nothing given",
            spoil: nothing,
            arguments: &["train"],
            code: 2,
            error: "error: model is not given: give --model MODEL, or model = ... in recipe.toml\noutput is not given: ",
        },
        Case {
            name: "a value behind a switch",
            spoil: nothing,
            arguments: &["train", "--model", "tiny", "--train", "train.csv", "--output", "out", "--nesterov", "false"],
            code: 2,
            error: "error: invalid value 'false' for '[recipe.toml]': a switch takes its value behind an equals sign, as in --nesterov=false",
        },
        Case {
            name: "a number below zero with an exponent",
            spoil: nothing,
            arguments: &["train", "--model", "tiny", "--train", "train.csv", "--output", "out", "--learning-rate", "-1e-4"],
            code: 2,
            error: "error: --learning-rate: found \"-1e-4\", accepted is auto, or a number above 0 and at most 10",
        },
        Case {
            name: "a template for a prompt that is typed",
            spoil: nothing,
            arguments: &["generate", "--model", "tiny", "--prompt", "a", "--template", "{b}"],
            code: 2,
            error: "error: the argument '--prompt <TEXT>' cannot be used with '--template <TEMPLATE>'",
        },
        Case {
            name: "values out of range",
            spoil: nothing,
            arguments: &[
                "train",
                "--model",
                "tiny",
                "--train",
                "train.csv",
                "--output",
                "out",
                "--learning-rate",
                "-1",
                "--optimizer",
                "adamv",
            ],
            code: 2,
            error: "error: --learning-rate: found \"-1\", accepted is auto, or a number above 0 and at most 10\n\
                    --optimizer: found \"adamv\", accepted is adamw, adam, momentum, gradient_descent (did you mean \"adam",
        },
        Case {
            name: "an unknown key",
            spoil: |scratch| {
                scratch.write("recipe.toml", "model = 'tiny'\nlearning_rat = 1\ntrain = 'train.csv'\noutput = 'out'\n")
            },
            arguments: &["train", "recipe.toml"],
            code: 2,
            error: "error: recipe.toml:2: unknown option \"learning_rat\" (did you mean \"learning_rate\"?)",
        },
        Case {
            name: "no such recipe",
            spoil: nothing,
            arguments: &["train", "recpie.toml"],
            code: 2,
            error: "error: recpie.toml: cannot be read: ",
        },
        Case {
            name: "output folder not empty",
            spoil: |scratch| {
                fs::create_dir(scratch.path("out")).unwrap();
                scratch.write("out/thesis.txt", "precious");
            },
            arguments: &["train", "--model", "tiny", "--train", "train.csv", "--output", "out", "--overwrite-output"],
            code: 1,
            error: "error: out: the output folder holds \"thesis.txt\" but no run; overwrite_output only replaces what a run wrote",
        },
        Case {
            name: "quickstart over an earlier one",
            spoil: |scratch| {
                fs::create_dir(scratch.path("graftling-quickstart")).unwrap();
                scratch.write("graftling-quickstart/config.json", "{}");
            },
            arguments: &["quickstart"],
            code: 1,
            error: "error: graftling-quickstart: the folder of an earlier quickstart is still there; give --overwrite-output",
        },
    ]);
}

#[test]
fn predictions_that_could_not_be_written_are_refused_before_they_are_made() {
    check(&[
        Case {
            name: "no such folder",
            spoil: nothing,
            arguments: &["predict", "--model", "tiny", "--input", "train.csv", "--output", "no/out.csv"],
            code: 1,
            error: "error: no/out.csv: the folder no does not exist; create it first, or choose another output",
        },
        Case {
            name: "output over input",
            spoil: nothing,
            arguments: &["predict", "--model", "tiny", "--input", "train.csv", "--output", "train.csv"],
            code: 1,
            error: "error: train.csv: the output would replace the file that is read; choose another output",
        },
        Case {
            name: "an unknown format",
            spoil: nothing,
            arguments: &["predict", "--model", "tiny", "--input", "train.csv", "--output", "out.xlsx"],
            code: 1,
            error: "error: out.xlsx: the name does not tell the format; accepted are .csv, .tsv",
        },
        Case {
            name: "a column of that name",
            spoil: |scratch| scratch.write("train.csv", "text,probability\na,1\n"),
            arguments: PREDICT,
            code: 1,
            error: "error: out.csv: the table has a column \"probability\" already; ",
        },
        Case {
            name: "a misspelt text column",
            spoil: nothing,
            arguments: &["predict", "--model", "tiny", "--input", "train.csv", "--text-column", "txt"],
            code: 1,
            error: "error: train.csv: no column \"txt\" for the text; the columns are \"text\", \"label\" (did you mean \"text\"?)",
        },
        Case {
            name: "a text without its second",
            spoil: nothing,
            arguments: &["predict", "--model", "tiny", "--text", "a", "--text", "b", "--text-pair", "c"],
            code: 2,
            error: "error: --text-pair is given 1 times but --text 2 times; give one --text-pair for each --text, or none",
        },
        Case {
            name: "a label the model does not know",
            spoil: |scratch| scratch.write("train.csv", "text,label\na,positive\nb,negativ\n"),
            arguments: &["evaluate", "--model", "tiny", "--data", "train.csv"],
            code: 1,
            error: "error: train.csv:3: label \"negativ\" is not one of negative, neutral, positive (did you mean \"negative\"?)",
        },
    ]);
}

#[test]
fn a_pretrained_model_without_a_head_is_refused_by_predict() {
    let scratch = Scratch::new();
    spoil_config(&scratch, "BertForSequenceClassification", "BertModel");
    let said = scratch.run(&["predict", "--model", "tiny", "--text", "a"]);
    assert_eq!((said.code, said.stdout.as_str()), (Some(1), ""), "{said:?}");
    assert!(said.stderr.starts_with("error: tiny/config.json: BertModel is an encoder without a head"), "{}", said.stderr);
}

#[test]
fn standard_input_that_is_not_utf8_is_told_by_its_line() {
    let scratch = Scratch::new();
    let said = scratch.run_with_input(&["predict", "--model", "tiny"], b"fine\nb\xE9d\n");
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.stderr.contains("error: standard input:2: invalid UTF-8 at byte 1 of the line"), "{}", said.stderr);
}

#[test]
fn every_complaint_about_files_is_told_at_once() {
    let scratch = Scratch::new();
    scratch.write("test.csv", labelled(4).replace("positive", "posittive"));
    fs::create_dir(scratch.path("out")).unwrap();
    scratch.write("out/x", "");
    let said = scratch.run(TEST);
    assert!(said.stderr.contains("out: the output folder is not empty"), "{}", said.stderr);
    assert!(said.stderr.contains("test.csv:2: label \"posittive\""), "{}", said.stderr);
}
