//! Every task learns sixteen examples by heart, and what is loaded again says what the run said.

use graftling::metrics::Metrics;
use graftling::{EvaluateRequest, Evaluation, NoObserver, Predictor, Said, TextInput, evaluate};

use crate::fixture::{Fixture, json, weights};

/// Sixteen texts that differ in two words, each with what `label` makes of the places of these words.
fn sixteen(label: impl Fn(usize, usize) -> String) -> String {
    let (first, second) = (["good", "bad", "great", "dull"], ["movie", "film", "story", "not"]);
    let rows = (0..16).map(|number| {
        let (one, two) = (number / 4, number % 4);
        format!("{{\"text\": \"the {} was {}\", \"label\": {}}}\n", second[two], first[one], label(one, two))
    });
    rows.collect()
}

/// Trains on the sixteen examples until they are known, and evaluates the run on them.
fn learn(fixture: &Fixture, task: &str, examples: &str, options: &str) -> (std::path::PathBuf, Evaluation) {
    fixture.write("sixteen.jsonl", examples.as_bytes());
    let path = fixture.path("sixteen.jsonl").display().to_string();
    let (summary, _) = fixture.run(
        task,
        &format!("task = '{task}'\ntrain = {path:?}\nvalidation = {path:?}\nepochs = 60\ndropout = 0.0\nwarmup = 0\n{options}"),
    );
    let request = EvaluateRequest {
        with_predictions: true,
        resamples: Some(100),
        ..EvaluateRequest::new(summary.output.clone(), fixture.path("sixteen.jsonl"))
    };
    let evaluation = evaluate(&request, &mut NoObserver).expect("an evaluation");
    assert_eq!(Some(&evaluation.metrics), summary.validation.as_ref().map(|validation| &validation.metrics), "{task}");
    intervals_are_around_the_headline(&evaluation);
    (summary.output, evaluation)
}

/// Every figure of the headline has an interval, and all examples counted once give the figure itself.
fn intervals_are_around_the_headline(evaluation: &Evaluation) {
    let intervals = evaluation.intervals.as_ref().expect("intervals");
    for (name, figure) in evaluation.metrics.headline() {
        let interval = intervals.get(name).unwrap_or_else(|| panic!("{name} has no interval: {intervals:?}"));
        assert!((interval.value - figure).abs() < 1e-6, "{name}: {figure}, but {interval:?}");
        assert!(interval.low <= interval.value + 1e-9 && interval.value <= interval.high + 1e-9, "{name}: {interval:?}");
    }
}

fn said(run: &std::path::Path, text: &str) -> Said {
    let predictor = Predictor::load(run).expect("a predictor");
    predictor.predict(&[TextInput { text, pair: None }]).expect("a prediction").remove(0).said
}

/// The model card of a run.
fn card(run: &std::path::Path) -> String {
    std::fs::read_to_string(run.join("README.md")).expect("a card")
}

#[test]
fn any_number_of_labels_a_text_are_learnt() {
    let fixture = Fixture::new();
    let label = |one: usize, two: usize| match (one.is_multiple_of(2), two.is_multiple_of(2)) {
        (true, true) => "[\"praise\", \"plain\"]",
        (true, false) => "[\"praise\"]",
        (false, true) => "\"plain\"",
        (false, false) => "[]",
    };
    let (run, evaluation) = learn(&fixture, "multi_label_classification", &sixteen(|one, two| label(one, two).to_owned()), "");
    let Metrics::MultiLabel { figures: metrics, .. } = &evaluation.metrics else { panic!("{:?}", evaluation.metrics) };
    assert_eq!((metrics.subset_accuracy, metrics.micro.f1, metrics.samples.recall), (1.0, 1.0, 0.75));
    assert_eq!(evaluation.labels, ["plain", "praise"]);
    assert!(matches!(said(&run, "the movie was good"), Said::Labels { labels, .. } if labels == ["plain", "praise"]));
    assert!(matches!(said(&run, "the film was bad"), Said::Labels { labels, .. } if labels.is_empty()));
    assert_eq!(json(&run.join("config.json"))["problem_type"], "multi_label_classification");
    assert_eq!(json(&run.join("trainer_state.json"))["metric_for_best_model"], "f1_micro");
}

#[test]
fn a_new_head_starts_at_what_the_examples_are_like() {
    let fixture = Fixture::new();
    let rare = |one: usize, two: usize| if one + two == 6 { "\"rare\"" } else { "\"common\"" }.to_owned();
    let tenths = |one: usize, two: usize| format!("{}", one * 4 + two);
    let cases = [
        ("sequence_classification", sixteen(rare), "", vec![0.0, 0.0]),
        ("sequence_classification", sixteen(rare), "head_bias = 'prior'", vec![(15.0_f32 / 16.0).ln(), (1.0_f32 / 16.0).ln()]),
        ("multi_label_classification", sixteen(rare), "head_bias = 'zero'", vec![0.0, 0.0]),
        ("multi_label_classification", sixteen(rare), "", vec![(15.5_f32 / 1.5).ln(), (1.5_f32 / 15.5).ln()]),
        ("sequence_regression", sixteen(tenths), "", vec![7.5]),
    ];
    for (task, examples, options, expected) in cases {
        fixture.write("sixteen.jsonl", examples.as_bytes());
        let path = fixture.path("sixteen.jsonl").display().to_string();
        let recipe = format!(
            "task = '{task}'\ntrain = {path:?}\nvalidation = {path:?}\nlearning_rate = 1e-9\noverwrite_output = true\n{options}"
        );
        let (summary, _) = fixture.run("started", &recipe);
        let weights = weights(&summary.output);
        let (_, bias) = weights.iter().find(|(name, _)| name == "classifier.bias").expect("a bias");
        let near = bias.iter().zip(&expected).all(|(bias, expected)| (bias - expected).abs() < 1e-5);
        assert!(near && bias.len() == expected.len(), "{task} {options}: {bias:?} instead of {expected:?}");
    }
}

#[test]
fn a_new_head_of_tags_starts_at_how_often_each_occurs_on_request() {
    let fixture = Fixture::new();
    fixture.write("tags.conll", "anna\tB-PER\nis\tO\ngood\tO\nnot\tO\n\n".repeat(8).as_bytes());
    let path = fixture.path("tags.conll").display().to_string();
    for (options, expected) in [("", [0.0, 0.0]), ("head_bias = 'prior'", [0.25_f32.ln(), 0.75_f32.ln()])] {
        let recipe = format!(
            "task = 'token_classification'\ntrain = {path:?}\nvalidation = {path:?}\nlearning_rate = 1e-9\noverwrite_output = true\n{options}"
        );
        let weights = weights(&fixture.run("tagger", &recipe).0.output);
        let (_, bias) = weights.iter().find(|(name, _)| name == "classifier.bias").expect("a bias");
        assert!(bias.iter().zip(&expected).all(|(bias, expected)| (bias - expected).abs() < 1e-5), "{options}: {bias:?}");
    }
}

#[test]
fn rare_labels_are_learnt_with_weights_focus_and_sampling() {
    let fixture = Fixture::new();
    let label = |one: usize, _: usize| if one == 3 { "\"rare\"" } else { "\"common\"" }.to_owned();
    let options = [
        ("class_weights = 'balanced'", 60 * 2),
        ("class_weights = ['rare=3']\nlabel_smoothing = 0.05", 60 * 2),
        ("focal_gamma = 2.0", 60 * 2),
        ("sampling = 'oversample'", 60 * 3),
        ("sampling = 'undersample'", 60),
    ];
    for (options, steps) in options {
        let options = format!("{options}\noverwrite_output = true");
        let (run, evaluation) = learn(&fixture, "sequence_classification", &sixteen(label), &options);
        let Metrics::Classification { figures, .. } = &evaluation.metrics else { panic!("{:?}", evaluation.metrics) };
        assert_eq!(figures.accuracy, 1.0, "{options}");
        assert_eq!(json(&run.join("trainer_state.json"))["max_steps"], steps, "{options}");
        assert!(matches!(said(&run, "the movie was dull"), Said::Label { label, .. } if label == "rare"), "{options}");
    }
}

#[test]
fn a_number_a_text_is_learnt_by_every_loss() {
    let fixture = Fixture::new();
    let examples = sixteen(|one, two| format!("{}", one as f32 - 0.5 * two as f32));
    for loss in ["mean_squared_error", "mean_absolute_error", "huber"] {
        let options = format!("regression_loss = '{loss}'\noverwrite_output = true");
        let (run, evaluation) = learn(&fixture, "sequence_regression", &examples, &options);
        let Metrics::Regression(metrics) = &evaluation.metrics else { panic!("{:?}", evaluation.metrics) };
        assert!(metrics.mean.mae < 0.2 && metrics.mean.pearson.is_some_and(|pearson| pearson > 0.98), "{loss}: {metrics:?}");
        let Said::Numbers { numbers } = said(&run, "the movie was dull") else { panic!("numbers") };
        assert!(numbers.len() == 1 && (numbers[0] - 3.0).abs() < 0.4, "{loss}: {numbers:?}");
        assert_eq!(json(&run.join("config.json"))["problem_type"], "regression");
        assert!(card(&run).contains("This model gives a text a number."));
    }
}

#[test]
fn several_numbers_a_text_are_learnt_together() {
    let fixture = Fixture::new();
    let examples = sixteen(|one, two| format!("[{one}, {}]", 0.5 * two as f32));
    let (run, evaluation) = learn(&fixture, "sequence_regression", &examples, "");
    let Metrics::Regression(metrics) = &evaluation.metrics else { panic!("{:?}", evaluation.metrics) };
    assert!(metrics.outputs.len() == 2 && metrics.outputs.iter().all(|output| output.mae < 0.2), "{metrics:?}");
    let Said::Numbers { numbers } = said(&run, "the story was great") else { panic!("numbers") };
    assert!((numbers[0] - 2.0).abs() < 0.4 && (numbers[1] - 1.0).abs() < 0.4, "{numbers:?}");
}

#[test]
fn checkpoints_are_chosen_by_areas_and_by_strict_entities() {
    let of_class = sixteen(|one, two| format!("\"{}\"", (one + two) % 2));
    let of_labels = sixteen(|one, two| format!("[\"{one}\", \"{two}\"]"));
    for (task, name, examples, metric) in [
        ("sequence_classification", "c.jsonl", of_class, "roc_auc"),
        ("multi_label_classification", "m.jsonl", of_labels, "average_precision"),
        ("token_classification", "t.conll", tagged(), "strict_f1"),
    ] {
        let fixture = Fixture::new();
        fixture.write(name, examples.as_bytes());
        let path = fixture.path(name).display().to_string();
        let (summary, _) = fixture.run(
            "run",
            &format!(
                "task = '{task}'\ntrain = {path:?}\nvalidation = {path:?}\nepochs = 4\nmetric_for_best_model = '{metric}'\n"
            ),
        );
        let state = json(&summary.output.join("trainer_state.json"));
        let told = state["log_history"]
            .as_array()
            .expect("a history")
            .iter()
            .filter_map(|entry| entry[format!("eval_{metric}")].as_f64());
        let best = told.fold(f64::NEG_INFINITY, f64::max);
        assert_eq!(state["best_metric"].as_f64(), Some(best), "{task}: {metric}");
    }
}

/// Sentences of which one or two words are a name, in CoNLL.
fn tagged() -> String {
    let (names, verbs) = (["anna", "bob", "carl", "dora"], ["is", "was", "never", "not"]);
    let sentence = |number: usize| {
        let (name, verb) = (names[number / 4], verbs[number % 4]);
        let tail = if number.is_multiple_of(2) { "in\tO\nthe\tB-LOC\nfilm\tI-LOC\n" } else { "very\tO\ngood\tO\n" };
        format!("{name}\tB-PER\n{verb}\tO\n{tail}\n")
    };
    (0..16).map(sentence).collect()
}

#[test]
fn tags_of_words_are_learnt_and_told_as_entities() {
    let fixture = Fixture::new();
    fixture.write("sixteen.conll", tagged().as_bytes());
    let path = fixture.path("sixteen.conll").display().to_string();
    let options =
        format!("task = 'token_classification'\ntrain = {path:?}\nvalidation = {path:?}\nepochs = 40\ndropout = 0.0\nwarmup = 0");
    let (summary, _) = fixture.run("tags", &options);
    let request = EvaluateRequest {
        with_predictions: true,
        resamples: Some(100),
        ..EvaluateRequest::new(summary.output.clone(), fixture.path("sixteen.conll"))
    };
    let evaluation = evaluate(&request, &mut NoObserver).expect("an evaluation");
    assert_eq!(Some(&evaluation.metrics), summary.validation.as_ref().map(|validation| &validation.metrics));
    intervals_are_around_the_headline(&evaluation);
    let Metrics::Entities(metrics) = &evaluation.metrics else { panic!("{:?}", evaluation.metrics) };
    assert_eq!((metrics.accuracy, metrics.default.micro.f1), (1.0, 1.0));
    assert_eq!(metrics.strict.as_ref().map(|(scheme, strict)| (scheme.to_string(), strict.micro.f1)), Some(("IOB2".into(), 1.0)));
    let Said::Entities { entities, .. } = said(&summary.output, "anna  was in the film") else { panic!("entities") };
    let found: Vec<_> = entities.iter().map(|it| (it.label.as_str(), it.text.as_str(), it.characters)).collect();
    assert_eq!(found, [("PER", "anna", Some((0, 4))), ("LOC", "the film", Some((13, 21)))]);
    assert_eq!(json(&summary.output.join("config.json"))["architectures"][0], "BertForTokenClassification");
    assert!(card(&summary.output).contains("This model gives each word of a text one of 4 labels: B-LOC, B-PER, I-LOC, O."));

    // Cut to four tokens, two of which are special: what is cut off counts as missed, and nothing else changes.
    let (cut, _) = fixture.run("cut", &format!("{options}\nmax_length = 5"));
    let Some(Metrics::Entities(metrics)) = cut.validation.map(|validation| validation.metrics) else { panic!("entities") };
    assert!(metrics.default.micro.recall < 1.0 && metrics.default.types.iter().any(|it| it.label == "LOC"), "{metrics:?}");
}

#[test]
fn parts_of_speech_are_judged_word_by_word() {
    let fixture = Fixture::new();
    let sentence = |number: usize| {
        let (noun, verb) = (["film", "movie", "story", "anna"][number / 4], ["is", "was", "never", "not"][number % 4]);
        format!("{noun}\tNOUN\n{verb}\tVERB\ngood\tADJ\n\n")
    };
    fixture.write("sixteen.conll", (0..16).map(sentence).collect::<String>().as_bytes());
    let path = fixture.path("sixteen.conll").display().to_string();
    let files = format!("task = 'token_classification'\ntrain = {path:?}\nvalidation = {path:?}");
    let options = format!("{files}\nmetric_for_best_model = 'f1_macro'\nepochs = 30\ndropout = 0.0\nwarmup = 0");
    let (summary, _) = fixture.run("run", &options);
    let evaluation = summary.validation.expect("a validation");
    intervals_are_around_the_headline(&evaluation);
    let names: Vec<&str> = evaluation.metrics.classes().iter().map(|class| class.label.as_str()).collect();
    assert_eq!(names, ["ADJ", "NOUN", "VERB"]);
    assert_eq!(evaluation.metrics.headline()[0], ("macro F1", 1.0));
    let report = json(&summary.output.join("report.json"));
    assert_eq!(report["evaluations"][0]["headline"], serde_json::json!(["f1_macro", "accuracy", "loss"]));
}

#[test]
fn a_word_of_which_the_tokenizer_leaves_nothing_is_told() {
    let fixture = Fixture::new();
    fixture.write("tags.conll", "anna\tB-PER\n\u{200B}\tO\nis\tO\n\n".repeat(8).as_bytes());
    let path = fixture.path("tags.conll").display().to_string();
    let options = format!("task = 'token_classification'\ntrain = {path:?}\nvalidation = {path:?}\nmax_steps = 1\nepochs = 3");
    let (_, collected) = fixture.run("run", &options);
    let told = "8 words give no token (the first is word 2 of sentence 1): no tag can be said of such, and it counts as O";
    assert!(collected.notices.iter().any(|notice| notice == told), "{:?}", collected.notices);
}

#[test]
fn what_words_a_split_sets_aside_follows_from_the_seed() {
    let fixture = Fixture::new();
    fixture.write("sixteen.conll", tagged().as_bytes());
    let path = fixture.path("sixteen.conll").display().to_string();
    let options = format!("task = 'token_classification'\ntrain = {path:?}\nmax_steps = 1\nepochs = 3");
    let recipe = |output: &str, seed: u64| {
        // The fixture's own recipe names a validation file.
        let mut recipe = fixture.recipe(output, &format!("{options}\nseed = {seed}"));
        (recipe.validation, recipe.validation_fraction) = (None, 0.25);
        recipe
    };
    let [first, again, other] =
        [("a", 1), ("b", 1), ("c", 2)].map(|(output, seed)| fixture.train(&recipe(output, seed)).unwrap().0);
    assert_eq!((first.train_examples, first.validation.as_ref().map(|it| it.metrics.examples())), (12, Some(4)));
    let loss = |summary: &graftling::TrainSummary| summary.validation.as_ref().map(|it| it.metrics.loss());
    assert_eq!(loss(&first), loss(&again));
    assert_ne!(loss(&first), loss(&other));
}

#[test]
fn a_metric_of_another_task_is_refused() {
    let fixture = Fixture::new();
    let recipe = fixture.recipe("run", "metric_for_best_model = 'pearson'");
    let told = fixture.train(&recipe).expect_err("an error").to_string();
    let accepted = "accepted: auto, accuracy, f1_macro, f1_micro, f1_weighted, matthews, roc_auc, average_precision, loss";
    assert_eq!(told, format!("metric_for_best_model pearson is not a figure of sequence_classification; {accepted}"));
    assert!(!fixture.path("run").exists());
}

#[test]
fn the_largest_numbers_that_are_read_have_losses() {
    let fixture = Fixture::new();
    let rows: String = (0..16).map(|number| format!("the film {number},{}1e18\n", ["", "-"][number % 2])).collect();
    fixture.write("large.csv", format!("text,label\n{rows}").as_bytes());
    let path = fixture.path("large.csv").display().to_string();
    let options = format!(
        "task = 'sequence_regression'\ntrain = {path:?}\nvalidation = {path:?}\nbatch_size = 16\nepochs = 1\nlearning_rate = 1e-3"
    );
    let (summary, events) = fixture.run("run", &options);
    assert!(summary.train_loss.is_finite() && events.losses.iter().all(|loss| loss.is_finite()), "{summary:?}");
}
