//! Texts that are longer than the model reads at once: what their ends say is learnt, scored and told.

use graftling::metrics::Metrics;
use graftling::recipe::{LongTexts, WindowPooling};
use graftling::{EvaluateRequest, Evaluation, NoObserver, Predictor, ReadingChoices, Said, TextInput, TrainSummary, evaluate};

use crate::fixture::{Fixture, weights};

/// Texts of which only the last word tells the label, in lines of jsonl.
fn telling_ends() -> String {
    telling_ends_of("\"text\": ", ["\"positive\"", "\"negative\""])
}

/// The same with other labels, and this before each text.
fn telling_ends_of(text: &str, labels: [&str; 2]) -> String {
    let rows = (0..24).map(|number| {
        let (word, label) = (["good", "bad"][number % 2], labels[number % 2]);
        let filling = "the story and this film ".repeat(number % 4);
        format!("{{{text}\"{filling}was {word}\", \"label\": {label}}}\n")
    });
    rows.collect()
}

/// Trains on a file until it is known, where it can be, and evaluates the run on it.
fn learn(fixture: &Fixture, output: &str, examples: &str, options: &str) -> (TrainSummary, Evaluation) {
    fixture.write("long.jsonl", examples.as_bytes());
    let path = fixture.path("long.jsonl").display().to_string();
    let options = format!("train = {path:?}\nvalidation = {path:?}\nepochs = 40\ndropout = 0.0\nwarmup = 0\n{options}");
    let (summary, _) = fixture.run(output, &options);
    let request = EvaluateRequest {
        with_predictions: true,
        resamples: Some(100),
        ..EvaluateRequest::new(summary.output.clone(), fixture.path("long.jsonl"))
    };
    let evaluation = evaluate(&request, &mut NoObserver).expect("an evaluation");
    // The budget of a pass is another in training: the losses are added in another order.
    let known = &summary.validation.as_ref().expect("a validation").metrics;
    for ((name, one), (_, other)) in known.headline().into_iter().zip(evaluation.metrics.headline()) {
        assert!((one - other).abs() < 1e-6, "{output}: {name} {one} {other}");
    }
    (summary, evaluation)
}

fn accuracy(evaluation: &Evaluation) -> f64 {
    let Metrics::Classification { figures, .. } = &evaluation.metrics else { panic!("{:?}", evaluation.metrics) };
    assert_eq!(figures.examples, 24, "a text counts once, whatever its windows");
    figures.accuracy
}

#[test]
fn the_end_of_a_long_text_counts_where_it_is_read_in_windows() {
    let fixture = Fixture::new();
    let (_, cut) = learn(&fixture, "cut", &telling_ends(), "max_length = 8");
    assert!(accuracy(&cut) < 0.9, "{}", accuracy(&cut));
    for pooling in ["mean", "max"] {
        let options = format!("max_length = 8\nlong_texts = 'windows'\nwindow_stride = 2\nwindow_pooling = '{pooling}'");
        let (summary, windows) = learn(&fixture, pooling, &telling_ends(), &options);
        assert_eq!(accuracy(&windows), 1.0, "{pooling}");
        assert_eq!((summary.truncation.truncated_texts, windows.truncation.cut_tokens), (0, 0), "{pooling}");
        // Six texts each of 2, 7, 12 and 17 words: in 1, 2, 3 and 4 windows of 6 that move on by 4.
        assert_eq!((summary.train_examples, summary.train_windows), (24, 6 * (1 + 2 + 3 + 4)), "{pooling}");
        let predictor = Predictor::load(&summary.output).expect("a predictor");
        let text = format!("{}was bad", "the story and this film ".repeat(3));
        let said = &predictor.predict(&[TextInput { text: &text, pair: None }]).expect("a prediction")[0];
        assert!(matches!(&said.said, Said::Label { label, .. } if label == "negative"), "{pooling}: {said:?}");
        assert_eq!((said.tokens, said.truncated_tokens), (17 + 3 * 2 + 4 * 2, 0), "{pooling}");
        let of_evaluation = windows.predictions.as_ref().expect("predictions").last().expect("a prediction");
        assert_eq!(of_evaluation, said, "{pooling}: evaluation and prediction");
    }
}

#[test]
fn a_model_without_a_recipe_reads_long_texts_as_it_is_told() {
    let fixture = Fixture::new();
    let options = "max_length = 8\nlong_texts = 'windows'\nwindow_stride = 2\nwindow_pooling = 'max'";
    let (summary, of_run) = learn(&fixture, "run", &telling_ends(), options);
    // What another program would have saved.
    std::fs::remove_file(summary.output.join("recipe.toml")).expect("a recipe");
    let text = format!("{}was bad", "the story and this film ".repeat(3));
    let asked = [TextInput { text: &text, pair: None }];
    let predictor = || Predictor::load(&summary.output).expect("a predictor");
    let eight = ReadingChoices { max_length: Some(8), ..ReadingChoices::default() };
    let cut = predictor().with_reading(eight).expect("a predictor").predict(&asked).expect("a prediction");
    assert_eq!((cut[0].tokens, cut[0].truncated_tokens), (8, 11));
    let windows = ReadingChoices {
        long_texts: Some(LongTexts::Windows),
        window_stride: Some(2),
        window_pooling: Some(WindowPooling::Max),
        ..eight
    };
    let request = |reading| EvaluateRequest {
        with_predictions: true,
        resamples: Some(100),
        reading,
        ..EvaluateRequest::new(summary.output.clone(), fixture.path("long.jsonl"))
    };
    let evaluation = evaluate(&request(windows), &mut NoObserver).expect("an evaluation");
    assert_eq!(evaluation.metrics.headline(), of_run.metrics.headline());
    assert_eq!(evaluation.predictions, of_run.predictions);
    let whole = predictor().with_reading(windows).expect("a predictor").predict(&asked).expect("a prediction");
    assert_eq!(Some(&whole[0]), evaluation.predictions.as_ref().and_then(|predictions| predictions.last()));

    let refused = |choices| evaluate(&request(choices), &mut NoObserver).expect_err("a refusal").to_string();
    assert_eq!(
        refused(ReadingChoices { max_length: Some(1000), ..windows }),
        "max_length: 1000 tokens, but the model has 64 positions; accepted is at most 64"
    );
    let told = refused(ReadingChoices { long_texts: None, ..windows });
    for option in ["window_stride", "window_pooling"] {
        let expected = format!(
            "{option}: it belongs to windows, and texts are cut; leave it out, or read long texts in windows (long_texts)"
        );
        assert!(told.contains(&expected), "{told}");
    }
    assert_eq!(
        refused(ReadingChoices { window_stride: Some(8), ..windows }),
        "stride 8 leaves no room for new tokens in a window: with max_length 8 and 2 special tokens it must be below 6"
    );
}

#[test]
fn windows_tell_several_labels_numbers_and_pairs_what_stands_at_the_end() {
    let fixture = Fixture::new();
    let cases = [
        ("multi_label_classification", telling_ends_of("\"text\": ", ["[\"good\", \"any\"]", "[\"bad\"]"])),
        ("sequence_regression", telling_ends_of("\"text\": ", ["1.5", "-0.5"])),
        ("sequence_classification", telling_ends_of("\"text_a\": \"how was it\", \"text_b\": ", ["\"good\"", "\"bad\""])),
    ];
    for (task, examples) in cases {
        let figure = |output: &str, options: &str| {
            let (_, evaluation) = learn(&fixture, output, &examples, &format!("task = '{task}'\nmax_length = 12\n{options}"));
            match &evaluation.metrics {
                Metrics::Classification { figures, .. } => figures.accuracy,
                Metrics::MultiLabel { figures, .. } => figures.subset_accuracy,
                Metrics::Regression(figures) => figures.mean.pearson.unwrap_or(0.0),
                other => panic!("{other:?}"),
            }
        };
        let (cut, whole) = (figure(&format!("{task}-cut"), ""), figure(&format!("{task}-whole"), "long_texts = 'windows'\n"));
        // A number is the mean of what its windows say, and the first ones say nothing.
        assert!(whole > 0.9 && whole > cut + 0.15, "{task}: {cut} where texts are cut, {whole} in windows");
    }
}

#[test]
fn a_budget_below_one_text_changes_no_figure() {
    let fixture = Fixture::new();
    let options = "max_length = 8\nlong_texts = 'windows'\nmicro_batch_tokens = ";
    let (_, large) = learn(&fixture, "large", &telling_ends(), &format!("{options}2048"));
    let (_, small) = learn(&fixture, "small", &telling_ends(), &format!("{options}16"));
    assert_eq!(accuracy(&large), accuracy(&small));
    assert!((large.metrics.loss() - small.metrics.loss()).abs() < 1e-3, "{} {}", large.metrics.loss(), small.metrics.loss());
}

#[test]
fn texts_that_fit_are_read_as_ever() {
    let fixture = Fixture::new();
    let (cut, _) = fixture.run("cut", "max_length = 64");
    let (windows, _) = fixture.run("windows", "max_length = 64\nlong_texts = 'windows'");
    assert_eq!(weights(&cut.output), weights(&windows.output));
}

#[test]
fn every_word_of_a_long_sentence_has_its_tag() {
    let fixture = Fixture::new();
    let sentence = |number: usize| {
        let filling = number % 4 * 3;
        let words: Vec<&str> = ["the", "story", "was"].into_iter().cycle().take(filling).chain(["anna", "not"]).collect();
        let tags: Vec<&str> = std::iter::repeat_n("O", filling).chain(["B-PER", "O"]).collect();
        format!("{{\"tokens\": {words:?}, \"tags\": {tags:?}}}\n")
    };
    let sentences: String = (0..24).map(sentence).collect();
    let recall = |output: &str, options: &str| {
        let options = format!("task = 'token_classification'\nmax_length = 9\n{options}");
        let (summary, evaluation) = learn(&fixture, output, &sentences, &options);
        let Metrics::Entities(figures) = &evaluation.metrics else { panic!("{:?}", evaluation.metrics) };
        (summary, figures.default.micro.recall)
    };
    assert!(recall("cut", "").1 < 0.8);
    // Windows that move by one token: most of them have no word of their own.
    assert_eq!(recall("close", "long_texts = 'windows'\nwindow_stride = 6").1, 1.0);
    let (summary, all) = recall("windows", "long_texts = 'windows'");
    assert_eq!(all, 1.0);
    let text = format!("{}anna", "the story was ".repeat(9));
    let predictor = Predictor::load(&summary.output).expect("a predictor");
    let said = &predictor.predict(&[TextInput { text: &text, pair: None }]).expect("a prediction")[0].said;
    let Said::Entities { entities, .. } = said else { panic!("{said:?}") };
    let found: Vec<_> = entities.iter().map(|entity| (entity.text.as_str(), entity.words)).collect();
    assert_eq!(found, [("anna", (27, 28))]);
}
