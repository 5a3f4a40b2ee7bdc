//! Help, misspelt commands, the catalogue, and what a model folder says of itself.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::scratch::Scratch;

#[test]
fn every_command_explains_itself() {
    let scratch = Scratch::new();
    let commands: [&[&str]; 13] = [
        &[],
        &["train"],
        &["evaluate"],
        &["compare"],
        &["predict"],
        &["report"],
        &["score"],
        &["models"],
        &["models", "list"],
        &["models", "pull"],
        &["models", "import"],
        &["models", "inspect"],
        &["quickstart"],
    ];
    for command in commands {
        let said = scratch.run(&[command, &["--help"]].concat());
        assert_eq!((said.code, said.stderr.as_str()), (Some(0), ""), "{command:?}");
        assert!(said.stdout.contains("Usage: graftling"), "{command:?}: {}", said.stdout);
    }
    let version = scratch.run(&["--version"]);
    assert_eq!(version.stdout, format!("graftling {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn help_tells_range_and_default_of_every_recipe_flag() {
    let help = Scratch::new().run(&["train", "--help"]).stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    for field in graftling::recipe::FIELDS {
        assert!(help.contains(&format!("--{}", field.flag())), "{}", field.name);
        assert!(help.contains(field.help), "{}", field.name);
    }
    assert!(help.contains("[accepted: auto, or a number above 0 and at most 10] [default: auto]"), "{help}");
    assert!(help.contains("130 stopped by Ctrl-C"), "{help}");
}

#[test]
fn a_missing_or_misspelt_command_is_a_usage_error_with_a_suggestion() {
    let scratch = Scratch::new();
    for (arguments, expected) in [
        (&[][..], "Usage: graftling <COMMAND>"),
        (&["trian"], "'train'"),
        (&["models", "lst"], "'list'"),
        (&["train", "--learning-rat", "1"], "'--learning-rate'"),
        (&["evaluate", "--model", "run"], "--data <FILE>"),
        (&["predict", "--model", "run", "--output", "x.csv"], "--input <FILE>"),
        (&["predict", "--model", "run", "--text", "a", "--output", "x.csv"], "cannot be used with"),
        (
            &["predict", "--model", "run", "--text", "a", "--text-column", "review"],
            "how the file of --input is read; give --input, or leave them out",
        ),
    ] {
        let said = scratch.run(arguments);
        assert_eq!((said.code, said.stdout.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(said.stderr.contains(expected), "{arguments:?}: {}", said.stderr);
    }
}

#[test]
fn the_catalogue_is_listed_as_a_table_and_as_json() {
    let scratch = Scratch::new();
    let table = scratch.run(&["models", "list"]).stdout;
    assert!(table.starts_with("name "), "{table}");
    let row = table.lines().find(|line| line.starts_with("all-MiniLM-L6-v2 ")).unwrap();
    assert!(row.contains("91.6 MB") && row.contains("Apache-2.0") && row.contains("  no  "), "{row}");
    let json = scratch.json(&["models", "list", "--json"]);
    assert_eq!(json[0]["name"], "all-MiniLM-L6-v2");
    assert!(json[0]["folder"].is_null());
}

#[test]
fn pulling_a_model_says_where_it_is_or_why_not() {
    let scratch = Scratch::new();
    let said = scratch.run(&["models", "pull", "./tiny"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.stdout.contains("your own folder"), "{}", said.stdout);
    let said = scratch.run(&["models", "pull", "all-minilm-l6-v1"]);
    assert_eq!(said.code, Some(1));
    assert!(said.stderr.contains("(did you mean \"all-MiniLM-L6-v2\"?)"), "{}", said.stderr);
    let said = scratch.run(&["models", "pull", "org/name"]);
    assert_eq!(said.code, Some(1));
    assert!(said.stderr.contains("HF_HUB_OFFLINE forbids the network"), "{}", said.stderr);
}

#[test]
fn a_model_folder_tells_its_config_and_its_weights() {
    let scratch = Scratch::new();
    let text = scratch.run(&["models", "inspect", "tiny"]).stdout;
    for expected in ["bert\n", "BertForSequenceClassification", "negative, neutral, positive", "classifier.weight ", "[3, 32]"] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    let json = scratch.json(&["models", "inspect", "tiny", "--json"]);
    assert_eq!((&json["model_type"], &json["hidden_size"], &json["vocab_size"]), (&"bert".into(), &32.into(), &92.into()));
    let weights = json["weights"].as_array().unwrap();
    assert!(weights.iter().any(|weight| weight["name"] == "bert.embeddings.word_embeddings.weight"), "{weights:?}");
}

#[test]
fn a_model_that_writes_from_sources_tells_its_decoder_and_where_any_length_has_places() {
    let scratch = Scratch::new();
    for family in ["marian-ssru", "bart"] {
        scratch.copy_model_of(&format!("families/{family}/seq2seq"), family);
    }
    let rows = |name: &str| -> Vec<String> {
        let text = scratch.run(&["models", "inspect", name]).stdout;
        let facts = text.split("\n\n").next().unwrap();
        facts.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
    };
    let student = rows("marian-ssru");
    for row in ["layers 2", "positions any number", "decoder layers 3", "decoder vocabulary 40", "decoder positions any number"] {
        assert!(student.iter().any(|found| found == row), "{row}: {student:?}");
    }
    assert!(!student.iter().any(|row| row.starts_with("token types")), "{student:?}");
    assert!(rows("bart").iter().any(|row| row == "decoder positions 24"));
    let json = scratch.json(&["models", "inspect", "marian-ssru", "--json"]);
    let decoder = serde_json::json!({ "num_hidden_layers": 3, "vocab_size": 40, "max_position_embeddings": null });
    assert_eq!((&json["max_position_embeddings"], &json["decoder"]), (&serde_json::Value::Null, &decoder));
    assert!(scratch.json(&["models", "inspect", "tiny", "--json"])["decoder"].is_null());
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let scratch = Scratch::new();
    let mut command = scratch.command(&["models", "inspect", "tiny", "--json"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}

#[test]
fn predictions_of_a_pipe_come_as_the_lines_come() {
    use std::io::Write;
    let scratch = Scratch::with_run();
    let mut command = scratch.command(&["predict", "--model", "run"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    for text in ["a good film", "a bad film"] {
        writeln!(input, "{text}").unwrap();
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        assert!(line.ends_with(&format!("  {text}\n")), "{line}");
    }
    drop(input);
    assert!(child.wait().unwrap().success());
}
