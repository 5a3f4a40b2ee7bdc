//! Figures that say how far they can be trusted: intervals, runs compared, what was fitted on validation.

use crate::scratch::{Scratch, labelled};

#[test]
fn figures_come_with_intervals_unless_they_are_not_wanted() {
    let scratch = Scratch::with_run();
    let text = scratch.run(&["evaluate", "--model", "run", "--data", "train.csv"]).stdout;
    assert!(text.contains("\n95 % intervals, 1,000 resamples of the examples\n"), "{text}");
    let line = text.lines().find(|line| line.starts_with("accuracy ")).expect("a line of the accuracy");
    assert_eq!(line.split_whitespace().count(), 4, "{line}");
    let json = scratch.json(&["evaluate", "--model", "run", "--data", "train.csv", "--json", "--resamples", "200"]);
    assert_eq!((&json["eval_intervals"]["resamples"], &json["eval_intervals"]["level"]), (&200.into(), &0.95.into()));
    let ends = json["eval_intervals"]["f1_macro"].as_array().expect("two ends");
    let figure = json["eval_f1_macro"].as_f64().expect("a figure");
    assert!(ends[0].as_f64().unwrap() <= figure && figure <= ends[1].as_f64().unwrap(), "{json}");
    let none = scratch.run(&["evaluate", "--model", "run", "--data", "train.csv", "--resamples", "none"]).stdout;
    assert!(!none.contains("intervals"), "{none}");
    let said = scratch.run(&["evaluate", "--model", "run", "--data", "train.csv", "--resamples", "7"]);
    assert_eq!(said.code, Some(2));
    assert!(said.stderr.contains("accepted is none, or a whole number from 100 to 1000000"), "{}", said.stderr);
}

#[test]
fn two_runs_are_put_beside_each_other() {
    let scratch = Scratch::with_run();
    let train = ["train", "--model", "tiny", "--train", "train.csv", "--output", "longer", "--epochs", "4"];
    assert_eq!(scratch.run(&train).code, Some(0));
    scratch.write("test.csv", labelled(40));
    let said = scratch.run(&["compare", "run", "longer", "--data", "test.csv"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    for expected in [
        "test.csv (40 examples, sequence_classification)\n  A  run\n  B  longer\n",
        "paired bootstrap, 1,000 resamples, 95 % intervals\nB less A ",
        "McNemar's test (",
        "\nepochs  1.0  4.0\n",
        "training tokens/s",
    ] {
        assert!(said.stdout.contains(expected), "{expected}: {}", said.stdout);
    }
    let json = scratch.json(&["compare", "run", "longer", "--data", "test.csv", "--json", "--resamples", "100"]);
    let contrast = &json["against_first"][0];
    let accuracy = &contrast["differences"]["accuracy"];
    let figures = [0, 1].map(|side: usize| json["runs"][side]["eval_accuracy"].as_f64().unwrap());
    assert_eq!([&accuracy["first"], &accuracy["second"]].map(|figure| figure.as_f64().unwrap()), figures);
    let p_values = [&accuracy["p_value"], &contrast["mcnemar"]["p_value"]].map(|p| p.as_f64().unwrap());
    assert!(p_values.iter().all(|p| (0.0..=1.0).contains(p)), "{contrast}");
    assert_eq!(json["options"]["epochs"], serde_json::json!(["1.0", "4.0"]));
    std::fs::remove_file(scratch.path("longer/recipe.toml")).unwrap();
    let said = scratch.run(&["compare", "run", "longer", "--data", "test.csv", "--resamples", "100"]);
    assert!(said.stdout.contains("\nB is no run of this program and has no recipe\nno recipes differ\n"), "{said:?}");
}

#[test]
fn runs_without_a_common_test_file_or_with_other_labels_are_refused() {
    let scratch = Scratch::with_run();
    let said = scratch.run(&["compare", "run", "run"]);
    assert_eq!((said.code, said.stdout.as_str()), (Some(1), ""));
    assert!(said.stderr.contains("no test file in common (run: none; run: none)"), "{}", said.stderr);
    let said = scratch.run(&["compare", "run", "tiny", "--data", "train.csv"]);
    assert_eq!(said.code, Some(1));
    assert!(said.stderr.contains("their labels differ: only the first has none, only the second neutral"), "{}", said.stderr);
    assert_eq!(scratch.run(&["compare", "run"]).code, Some(2));
}

#[test]
fn what_was_fitted_on_validation_is_told_wherever_it_is_used() {
    let scratch = Scratch::new();
    // One in eight is labelled otherwise than its word says, so that there is a temperature.
    let plain = labelled(24);
    let rows = plain.lines().enumerate().map(|(line, row)| match line % 8 {
        1 => row.replace("positive", "negative") + "\n",
        _ => row.to_owned() + "\n",
    });
    let rows: String = rows.collect();
    scratch.write("noisy.csv", rows);
    let train = ["train", "--model", "tiny", "--train", "noisy.csv", "--validation", "noisy.csv", "--output", "run"];
    let said = scratch.run(&[&train[..], &["--epochs", "6", "--learning-rate", "2e-3", "--calibrate", "temperature"]].concat());
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.stdout.contains("\ndecided by temperature ") && said.stdout.contains("\n  without: "), "{}", said.stdout);
    let said = scratch.run(&["predict", "--model", "run", "--text", "a good film"]);
    assert!(said.stderr.starts_with("note: decided by temperature "), "{}", said.stderr);
    let json = scratch.json(&["evaluate", "--model", "run", "--data", "noisy.csv", "--json"]);
    assert!(json["eval_temperature"].is_number() && json["eval_loss"].as_f64() < json["eval_unfitted_loss"].as_f64(), "{json}");
    assert_eq!(json["eval_accuracy"], json["eval_unfitted_accuracy"]);
}
