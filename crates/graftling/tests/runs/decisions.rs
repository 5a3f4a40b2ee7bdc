//! Temperature and thresholds: fitted on the validation split, kept beside the model, obeyed by whatever opens it.

use std::fs;
use std::path::Path;

use graftling::metrics::Metrics;
use graftling::{
    Aggregation, AggregationStrategy, Error, EvaluateRequest, Evaluation, NoObserver, Predictor, Said, TextInput, evaluate,
};

use crate::fixture::{Fixture, json};

/// Texts of which some have labels that their words do not tell: no model gets all of them right.
fn noisy(label: impl Fn(usize) -> &'static str) -> String {
    let words = ["good", "bad", "great", "dull"];
    let row = |number: usize| format!("{{\"text\": \"the movie was {}\", \"label\": {}}}\n", words[number % 4], label(number));
    (0..48).map(row).collect()
}

fn evaluation(run: &Path, data: &Path) -> Evaluation {
    let request = EvaluateRequest { resamples: Some(100), ..EvaluateRequest::new(run.to_owned(), data.to_owned()) };
    evaluate(&request, &mut NoObserver).expect("an evaluation")
}

fn refused(run: &Path) -> Error {
    match Predictor::load(run) {
        Ok(_) => panic!("a refusal"),
        Err(error) => error,
    }
}

#[test]
fn a_temperature_lowers_the_validation_loss_changes_no_label_and_stays_with_the_model() {
    let fixture = Fixture::new();
    // One in six is labelled otherwise than its word says.
    let label =
        |number: usize| if number.is_multiple_of(2) != number.is_multiple_of(6) { "\"positive\"" } else { "\"negative\"" };
    fixture.write("noisy.jsonl", noisy(label).as_bytes());
    let path = fixture.path("noisy.jsonl");
    let options = |calibrate: &str| {
        format!("train = {path:?}\nvalidation = {path:?}\ntest = {path:?}\nepochs = 8\ndropout = 0.0\n{calibrate}")
    };
    let (plain, _) = fixture.run("plain", &options(""));
    let (fitted, _) = fixture.run("fitted", &options("calibrate = 'temperature'"));
    let (before, after) = (plain.validation.unwrap(), fitted.validation.clone().unwrap());
    let unfitted = after.unfitted.as_ref().expect("the figures without the temperature");
    let temperature = unfitted.decisions.temperature.expect("a temperature");
    assert_eq!(unfitted.metrics, before.metrics);
    assert!(after.metrics.loss() < before.metrics.loss(), "{temperature}: {} {}", after.metrics.loss(), before.metrics.loss());
    let figures = |metrics: &Metrics| match metrics {
        Metrics::Classification { figures, confusion, .. } => (figures.accuracy, confusion.clone()),
        other => panic!("{other:?}"),
    };
    assert_eq!(figures(&after.metrics), figures(&before.metrics));

    let kept = json(&fitted.output.join("decisions.json"));
    assert_eq!(kept["temperature"].as_f64(), Some(temperature));
    assert!(!plain.output.join("decisions.json").exists());
    let again = evaluation(&fitted.output, &path);
    assert_eq!(again.metrics, after.metrics);
    assert_eq!(fitted.test.unwrap().metrics, after.metrics);
    let results = json(&fitted.output.join("all_results.json"));
    assert_eq!(results["test_temperature"].as_f64(), Some(temperature));
    assert!(results["eval_loss"].as_f64() < results["eval_unfitted_loss"].as_f64(), "{results}");
    assert!(results["eval_intervals"]["calibration_error"][1].is_number(), "{results}");

    let said = |run: &Path| {
        let text = TextInput { text: "the movie was great", pair: None };
        match Predictor::load(run).expect("a predictor").predict(&[text]).expect("a prediction").remove(0).said {
            Said::Label { label, probability, .. } => (label, f64::from(probability)),
            other => panic!("{other:?}"),
        }
    };
    let ((label, p), (same, q)) = (said(&plain.output), said(&fitted.output));
    assert_eq!(label, same);
    let logit = |p: f64| (p / (1.0 - p)).ln();
    assert!((logit(p) / temperature - logit(q)).abs() < 1e-3, "{p} at 1, {q} at {temperature}");
}

#[test]
fn a_temperature_of_tags_lowers_the_loss_changes_no_tag_and_is_obeyed() {
    let fixture = Fixture::new();
    // One name in six is tagged as nothing.
    let sentence = |number: usize| {
        let tag = if number.is_multiple_of(6) { "O" } else { "B-X" };
        format!("the\tO\n{}\t{tag}\nwas\tO\n\n", ["movie", "film"][number % 2])
    };
    fixture.write("noisy.conll", (0..48).map(sentence).collect::<String>().as_bytes());
    let path = fixture.path("noisy.conll");
    let options = |calibrate: &str| {
        let files = format!("train = {path:?}\nvalidation = {path:?}\ntest = {path:?}");
        format!("task = 'token_classification'\n{files}\nepochs = 4\ndropout = 0.0\n{calibrate}")
    };
    let (plain, _) = fixture.run("plain", &options(""));
    let (fitted, _) = fixture.run("fitted", &options("calibrate = 'temperature'"));
    let (before, after) = (plain.validation.unwrap().metrics, fitted.validation.unwrap());
    let unfitted = after.unfitted.as_ref().expect("the figures without the temperature");
    let temperature = unfitted.decisions.temperature.expect("a temperature");
    assert_eq!(unfitted.metrics, before);
    assert!(after.metrics.loss() < before.loss(), "{temperature}: {} {}", after.metrics.loss(), before.loss());
    let (Metrics::Entities(one), Metrics::Entities(other)) = (&after.metrics, &before) else { panic!("entities") };
    assert_eq!((&one.default, &one.strict, one.accuracy), (&other.default, &other.strict, other.accuracy));
    let again = evaluation(&fitted.output, &path);
    assert_eq!(again.metrics, after.metrics);
    let interval = again.intervals.as_ref().and_then(|intervals| intervals.get("loss")).expect("an interval of the loss");
    assert!((interval.value - after.metrics.loss()).abs() < 1e-9, "{interval:?}");
    assert_eq!(fitted.test.unwrap().metrics, after.metrics);

    // Of two tags the logarithm of the odds is the difference of the logits.
    let odds = |run: &Path, aggregation: Option<AggregationStrategy>| {
        let mut predictor = Predictor::load(run).expect("a predictor");
        if let Some(strategy) = aggregation {
            predictor = predictor.with_aggregation(Aggregation::new(strategy)).expect("an aggregation");
        }
        let p = match predictor.predict(&[TextInput { text: "the movie was", pair: None }]).expect("a prediction").remove(0).said
        {
            Said::Entities { entities, .. } => entities[0].probability,
            Said::Aggregated { entities } => entities[0].probability,
            other => panic!("{other:?}"),
        };
        f64::from(p / (1.0 - p)).ln()
    };
    for aggregation in [None, Some(AggregationStrategy::None)] {
        let (cold, warm) = (odds(&plain.output, aggregation), odds(&fitted.output, aggregation));
        assert!((cold / temperature - warm).abs() < 1e-3, "{aggregation:?}: {cold} at 1, {warm} at {temperature}");
    }
}

#[test]
fn thresholds_raise_f1_on_validation_and_are_obeyed_afterwards() {
    let fixture = Fixture::new();
    // A rare label, whose probability stays below a half; and one that validation does not have.
    let label = |number: usize| match (number % 4, number % 12) {
        (0, 0) => "[\"praise\", \"rare\"]",
        (0 | 2, _) => "[\"praise\"]",
        (1, 1) => "[\"absent\"]",
        _ => "[]",
    };
    let examples = noisy(label);
    fixture.write("train.jsonl", examples.as_bytes());
    fixture.write("validation.jsonl", examples.replace("[\"absent\"]", "[]").as_bytes());
    let (train, validation) = (fixture.path("train.jsonl"), fixture.path("validation.jsonl"));
    let options = |thresholds: &str| {
        let files = format!("train = {train:?}\nvalidation = {validation:?}");
        format!("task = 'multi_label_classification'\n{files}\nepochs = 6\ndropout = 0.0\nthresholds = {thresholds}")
    };
    let f1 = |metrics: &Metrics| match metrics {
        Metrics::MultiLabel { figures, .. } => (figures.micro.f1, figures.macro_.f1),
        other => panic!("{other:?}"),
    };
    for (output, thresholds) in [("one", "'one'"), ("each", "'per_label'"), ("given", "['rare=0.2', 'praise=0.4']")] {
        let (summary, collected) = fixture.run(output, &options(thresholds));
        let after = summary.validation.expect("a validation");
        let unfitted = after.unfitted.as_ref().expect("the figures at a half");
        let kept = unfitted.decisions.thresholds.clone().expect("thresholds");
        assert_eq!(after.labels, ["absent", "praise", "rare"]);
        let (fitted, half) = (f1(&after.metrics), f1(&unfitted.metrics));
        match output {
            "one" => assert!(fitted.0 >= half.0 && kept.iter().all(|it| *it == kept[0]), "{fitted:?} {half:?} {kept:?}"),
            "each" => {
                assert!(fitted.1 > half.1 && kept[0] == 0.5 && kept[2] < 0.5, "{fitted:?} {half:?} {kept:?}");
                let told = "no validation example has absent: the threshold stays 0.5";
                assert!(collected.notices.iter().any(|notice| notice == told), "{:?}", collected.notices);
            }
            _ => assert_eq!(kept, [0.5, f64::from(0.4_f32), f64::from(0.2_f32)]),
        }
        assert_eq!(evaluation(&summary.output, &validation).metrics, after.metrics, "{output}");
        let results = json(&summary.output.join("eval_results.json"));
        assert_eq!(results["eval_thresholds"]["rare"].as_f64(), Some(kept[2]));
        assert_eq!(results["eval_unfitted_f1_micro"].as_f64(), Some(half.0));

        let predictor = Predictor::load(&summary.output).expect("a predictor");
        let text = TextInput { text: "the movie was good", pair: None };
        let Said::Labels { labels, probabilities } = predictor.predict(&[text]).expect("a prediction").remove(0).said else {
            panic!("labels")
        };
        let decided = probabilities.iter().zip(&kept).filter(|((_, p), threshold)| f64::from(*p) > **threshold);
        assert_eq!(labels, decided.map(|((label, _), _)| label.clone()).collect::<Vec<_>>(), "{output}");
    }
}

#[test]
fn what_does_not_belong_to_the_model_is_refused() {
    let fixture = Fixture::new();
    let (summary, _) = fixture.run("run", "max_steps = 1\nepochs = 3");
    let run = summary.output;
    for (written, complaint) in [
        ("{", "decisions.json: expected is an object with temperature and thresholds, either of which may be missing"),
        ("{\"temperatur\": 1}", "unknown field `temperatur`"),
        ("{\"temperature\": 0}", "the temperature is 0; accepted is a number above 0"),
        ("{\"thresholds\": {\"negative\": 0.5}}", "there are thresholds for negative, but the model has negative, positive"),
        (
            "{\"thresholds\": {\"negative\": 0.5, \"positive\": 1}}",
            "the threshold of \"positive\" is 1; accepted is a number from 0",
        ),
        (
            "{\"thresholds\": {\"negative\": 0.5, \"positive\": 0.3}}",
            "thresholds belong to multi_label_classification, but the model is of sequence_classification",
        ),
    ] {
        fs::write(run.join("decisions.json"), written).unwrap();
        let told = refused(&run).to_string();
        assert!(told.contains(complaint), "{written}: {told}");
    }
    let (numbers, _) = {
        fixture.write(
            "numbers.jsonl",
            (0..8).map(|n| format!("{{\"text\": \"good {n}\", \"label\": {n}.5}}\n")).collect::<String>().as_bytes(),
        );
        let path = fixture.path("numbers.jsonl");
        fixture.run(
            "numbers",
            &format!("task = 'sequence_regression'\ntrain = {path:?}\nvalidation = {path:?}\nmax_steps = 1\nepochs = 3"),
        )
    };
    fs::write(numbers.output.join("decisions.json"), "{\"temperature\": 2}").unwrap();
    let told = refused(&numbers.output).to_string();
    assert!(told.contains("but the model is of sequence_regression"), "{told}");
}

#[test]
fn a_threshold_of_a_label_that_is_not_there_is_refused_with_the_nearest() {
    let fixture = Fixture::new();
    fixture.write("noisy.jsonl", noisy(|_| "[\"praise\"]").as_bytes());
    let path = fixture.path("noisy.jsonl");
    let options =
        format!("task = 'multi_label_classification'\ntrain = {path:?}\nvalidation = {path:?}\nthresholds = ['prais=0.3']");
    let told = fixture.train(&fixture.recipe("run", &options)).map(|_| ()).unwrap_err().to_string();
    assert_eq!(told, "thresholds: training has no label \"prais\", only praise (did you mean \"praise\"?)");
}
