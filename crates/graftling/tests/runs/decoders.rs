//! Decoders under the tasks that encoders have: what is learnt from the last token, written, and said again.

use graftling::{Error, Predictor, Said, TextInput};

use crate::fixture::{Fixture, json, weights};

const DECODERS: [(&str, &str); 2] =
    [("tiny-llama", "LlamaForSequenceClassification"), ("tiny-gpt2", "GPT2ForSequenceClassification")];

#[test]
fn decoders_learn_to_classify_and_say_the_same_when_they_are_opened_again() {
    for (name, class) in DECODERS {
        let fixture = Fixture::of_model(name);
        let (summary, _) = fixture.run("run", "epochs = 10\nseed = 1\ndropout = 0.0");
        let best = summary.best.as_ref().expect("a best checkpoint");
        assert!(best.value > 0.9, "{name}: accuracy {}", best.value);
        assert_eq!(json(&fixture.path("run/config.json"))["architectures"][0], class);
        let names: Vec<String> = weights(&fixture.path("run")).into_iter().map(|(name, _)| name).collect();
        assert!(names.contains(&"score.weight".to_owned()) && !names.contains(&"lm_head.weight".to_owned()), "{names:?}");
        let predictor = Predictor::load(&fixture.path("run")).expect("a predictor");
        let said = |texts: &[&str]| -> Vec<String> {
            let inputs: Vec<TextInput<'_>> = texts.iter().map(|text| TextInput { text, pair: None }).collect();
            let predictions = predictor.predict(&inputs).expect("predictions");
            predictions.into_iter().map(|prediction| format!("{:?}", prediction.said)).collect()
        };
        let (good, bad) = ("the movie was good very again", "the movie was badthe story and this film  not");
        let together = said(&[good, bad]);
        assert_eq!(together, [said(&[good]), said(&[bad])].concat(), "{name}: a text does not depend on those beside it");
        let labels: Vec<Said> = [good, bad]
            .iter()
            .map(|text| predictor.predict(&[TextInput { text, pair: None }]).expect("a prediction").remove(0).said)
            .collect();
        for (said, expected) in labels.iter().zip(["positive", "negative"]) {
            let Said::Label { label, .. } = said else { panic!("{said:?}") };
            assert_eq!(label, expected, "{name}");
        }
    }
}

#[test]
fn long_texts_are_read_in_windows_and_their_ends_count() {
    let fixture = Fixture::of_model("tiny-llama");
    let rows = (0..24).map(|number| {
        let (word, label) = [("good", "positive"), ("bad", "negative")][number % 2];
        format!("{{\"text\": \"{}was {word}\", \"label\": \"{label}\"}}\n", "the story and this film ".repeat(number % 4))
    });
    fixture.write("long.jsonl", rows.collect::<String>().as_bytes());
    let path = fixture.path("long.jsonl").display().to_string();
    let options =
        format!("train = {path:?}\nvalidation = {path:?}\nepochs = 25\nwarmup = 0\nlong_texts = 'windows'\nmax_length = 8");
    let (summary, _) = fixture.run("run", &options);
    assert!(summary.best.as_ref().expect("a best checkpoint").value > 0.9);
}

#[test]
fn a_classifier_without_a_bias_cannot_start_from_the_prior() {
    let fixture = Fixture::of_model("tiny-gpt2");
    let error = fixture.train(&fixture.recipe("run", "head_bias = 'prior'")).expect_err("no bias");
    assert!(matches!(error, Error::NoClassifierBias { family: "gpt2" }), "{error}");
    assert!(!fixture.path("run").exists());
}

#[test]
fn masked_words_are_not_for_decoders() {
    let fixture = Fixture::of_model("tiny-llama");
    fixture.write("texts.txt", b"the movie was good\nthe film was bad\n");
    let path = fixture.path("texts.txt").display().to_string();
    let options = format!("task = 'masked_lm'\ntrain = {path:?}\nvalidation = {path:?}");
    let error = fixture.train(&fixture.recipe("run", &options)).expect_err("no such head").to_string();
    assert!(error.contains("mask"), "{error}");
}
