//! Runs beside each other on the same file: differences, tests, options, and what cannot be compared.

use std::fs;
use std::path::PathBuf;

use graftling::{Collected, Columns, CompareRequest, Comparison, Error, NoObserver, compare};

use crate::fixture::Fixture;

fn request(runs: &[&PathBuf], data: Option<PathBuf>) -> CompareRequest {
    CompareRequest {
        runs: runs.iter().map(|run| (*run).clone()).collect(),
        data,
        format: None,
        columns: Columns::default(),
        threads: None,
        resamples: 200,
    }
}

fn compared(runs: &[&PathBuf], data: Option<PathBuf>) -> Result<Comparison, Error> {
    compare(&request(runs, data), &mut NoObserver)
}

#[test]
fn a_run_that_learnt_is_told_from_one_that_did_not_and_not_from_itself() {
    let fixture = Fixture::new();
    let test = format!("test = {:?}", fixture.path("test.csv").display().to_string());
    let poor = fixture.run("poor", &format!("{test}\nlearning_rate = 1e-8")).0.output;
    let good = fixture.run("good", &format!("{test}\nepochs = 8")).0.output;
    let comparison = compared(&[&poor, &good, &poor], None).expect("a comparison");
    assert_eq!(comparison.data, fixture.path("test.csv"));
    assert_eq!((comparison.sides.len(), comparison.contrasts.len()), (3, 2));

    let accuracy = |contrast: usize| {
        let all = &comparison.contrasts[contrast].differences;
        *all.iter().find(|difference| difference.name.key == "accuracy").expect("accuracy")
    };
    let better = accuracy(0);
    assert!(better.value > 0.2 && better.low > 0.0 && better.p_value < 0.05, "{better:?}");
    let flat: Vec<f64> = comparison.sides[..2]
        .iter()
        .map(|side| side.evaluation.metrics.flat("eval")["eval_accuracy"].as_f64().expect("accuracy"))
        .collect();
    assert_eq!([better.first, better.second], flat[..]);
    let mcnemar = comparison.contrasts[0].mcnemar.expect("McNemar's test");
    assert_eq!(mcnemar.both + mcnemar.only_first + mcnemar.only_second + mcnemar.neither, 16);
    assert!(mcnemar.exact && mcnemar.only_second > mcnemar.only_first, "{mcnemar:?}");

    let itself = accuracy(1);
    assert_eq!((itself.value, itself.low, itself.high, itself.p_value), (0.0, 0.0, 0.0, 1.0));
    assert_eq!(comparison.contrasts[1].mcnemar.map(|test| test.p_value), Some(1.0));

    let options: Vec<&str> = comparison.options.iter().map(|(name, _)| *name).collect();
    assert_eq!(options, ["epochs", "learning_rate"]);
    assert_eq!(comparison.options[0].1, ["2.0", "8.0", "2.0"].map(|value| Some(value.to_owned())));
    assert!(comparison.sides.iter().all(|side| side.cost.train_seconds.is_some() && side.evaluation.intervals.is_some()));
}

#[test]
fn what_is_told_of_the_file_is_told_once() {
    let fixture = Fixture::new();
    let run = fixture.run("run", "max_steps = 1\nepochs = 3").0.output;
    let mut collected = Collected::default();
    compare(&request(&[&run, &run, &run], Some(fixture.path("test.csv"))), &mut collected).expect("a comparison");
    let found = collected.notices.iter().filter(|notice| notice.contains("found by name")).count();
    assert_eq!(found, 1, "{:?}", collected.notices);
}

#[test]
fn losses_of_two_kinds_are_not_compared() {
    let fixture = Fixture::new();
    let numbers =
        fs::read_to_string(fixture.path("train.csv")).unwrap().replace(",positive", ",1.5").replace(",negative", ",-0.5");
    fixture.write("numbers.csv", numbers.as_bytes());
    let numbers = fixture.path("numbers.csv");
    let options =
        format!("max_steps = 1\nepochs = 3\ntask = 'sequence_regression'\ntrain = {numbers:?}\nvalidation = {numbers:?}");
    let run = |name: &str, loss: &str| fixture.run(name, &format!("{options}\nregression_loss = '{loss}'")).0.output;
    let (squared, absolute) = (run("squared", "mean_squared_error"), run("absolute", "mean_absolute_error"));
    let named = |runs: &[&PathBuf]| -> Vec<&str> {
        let comparison = compared(runs, Some(numbers.clone())).expect("a comparison");
        comparison.contrasts[0].differences.iter().map(|difference| difference.name.key).collect()
    };
    assert!(named(&[&squared, &squared]).contains(&"loss"));
    let differing = named(&[&squared, &absolute]);
    assert!(differing.contains(&"mae") && !differing.contains(&"loss"), "{differing:?}");
}

#[test]
fn what_cannot_be_compared_is_refused_with_what_differs() {
    let fixture = Fixture::new();
    let short = "max_steps = 1\nepochs = 3";
    let test = fixture.path("test.csv");
    let run = fixture.run("run", short).0.output;
    fixture.write("other.csv", fs::read_to_string(fixture.path("train.csv")).unwrap().replace("positive", "fine").as_bytes());
    let other = fixture.path("other.csv");
    let labels = fixture.run("labels", &format!("{short}\ntrain = {other:?}\nvalidation = {other:?}")).0.output;
    let numbers =
        fs::read_to_string(fixture.path("train.csv")).unwrap().replace(",positive", ",1.5").replace(",negative", ",-0.5");
    fixture.write("numbers.csv", numbers.as_bytes());
    let numbers = fixture.path("numbers.csv");
    let options = format!("{short}\ntask = 'sequence_regression'\ntrain = {numbers:?}\nvalidation = {numbers:?}");
    let regression = fixture.run("regression", &options).0.output;

    let refused = |runs: &[&PathBuf], data: Option<PathBuf>| compared(runs, data).map(|_| ()).unwrap_err().to_string();
    for (runs, data, complaint) in [
        (vec![&run], Some(&test), "a comparison takes two runs at least; 1 given"),
        (vec![&run, &labels], Some(&test), "their labels differ: only the first has positive, only the second fine"),
        (vec![&run, &regression], Some(&test), "one does sequence_classification, the other sequence_regression"),
        (vec![&run, &run], None, "run: none); give the file to compare them on (--data FILE)"),
    ] {
        let told = refused(&runs, data.cloned());
        assert!(told.contains(complaint), "{complaint}: {told}");
    }
}
