//! Models for many languages: what is evaluated is read and written in those that are asked for.

use graftling::metrics::Metrics;
use graftling::{Collected, EvaluateRequest, Evaluation, Generator, NoAnswer, NoObserver, evaluate};

use crate::fixture::{Fixture, json};

/// Sources and targets in columns that no language names, and a tiny model whose tokenizer is of this class.
fn fixture(class: &str) -> Fixture {
    let fixture = Fixture::of_model("tiny-mbart");
    let mut tokenizer = json(&fixture.model().join("tokenizer_config.json"));
    tokenizer["tokenizer_class"] = class.into();
    fixture.write("model/tokenizer_config.json", tokenizer.to_string().as_bytes());
    let row = "{\"source\": \"the film was good\", \"target\": \"not good\"}\n{\"source\": \"dull\", \"target\": \"bad\"}\n";
    fixture.write("pairs.jsonl", row.as_bytes());
    fixture
}

fn request(fixture: &Fixture, source: Option<&str>, target: Option<&str>) -> EvaluateRequest {
    let [source_language, target_language] = [source, target].map(|language| language.map(str::to_owned));
    EvaluateRequest {
        source_language,
        target_language,
        with_predictions: true,
        ..EvaluateRequest::new(fixture.model(), fixture.path("pairs.jsonl"))
    }
}

fn loss(evaluation: &Evaluation) -> f64 {
    let Metrics::Written(figures) = &evaluation.metrics else { panic!("{:?}", evaluation.metrics) };
    figures.tokens.loss
}

#[test]
fn a_model_is_evaluated_in_the_languages_that_are_asked_for() {
    for class in ["MBartTokenizer", "MBart50Tokenizer"] {
        let fixture = fixture(class);
        // The folder knows another language, and ends of texts.
        let config = br#"{"decoder_start_token_id": 2, "eos_token_id": 2, "max_new_tokens": 6, "forced_bos_token_id": 5}"#;
        fixture.write("model/generation_config.json", config);
        let evaluated = |source, target| {
            let mut events = Collected::default();
            let evaluation = evaluate(&request(&fixture, source, target), &mut events).expect("an evaluation");
            (evaluation, events.notices)
        };
        let (english, notices) = evaluated(None, Some("en"));
        assert!(notices.iter().any(|notice| notice.starts_with("texts are translated from en_XX to en_XX")), "{notices:?}");
        let (german, notices) = evaluated(None, Some("de"));
        assert!(notices.iter().any(|notice| notice.starts_with("texts are translated from en_XX to de_DE")), "{notices:?}");
        let (from_german, _) = evaluated(Some("de_DE"), Some("de"));
        assert_ne!(loss(&english), loss(&german), "{class}: the language of the targets");
        assert_ne!(loss(&german), loss(&from_german), "{class}: the language of the sources");
        // What is written begins as generate begins it.
        let generator =
            Generator::load(&fixture.model()).and_then(|it| it.with_languages(Some("en"), Some("de"))).expect("a generator");
        let options = graftling::GenerationOptions { do_sample: Some(false), ..Default::default() };
        let written = generator.generate(&["the film was good"], &options).expect("a text").remove(0).continuations.remove(0);
        let predicted = german.predictions.expect("predictions").remove(0).said.to_string();
        assert_eq!(predicted, written.text.trim(), "{class}");
    }
}

#[test]
fn languages_that_a_model_does_not_know_are_refused_together() {
    let fixture = fixture("MBart50Tokenizer");
    let told = evaluate(&request(&fixture, Some("sw"), Some("is")), &mut NoObserver).expect_err("no such languages").to_string();
    assert!(told.contains("no language \"sw\", \"is\"") && told.contains("known are"), "{told}");
    let summaries = Fixture::of_model("tiny-bert");
    let request = EvaluateRequest {
        source_language: Some("en".to_owned()),
        target_language: Some("de".to_owned()),
        ..EvaluateRequest::new(summaries.model(), summaries.path("test.csv"))
    };
    let told = evaluate(&request, &mut NoObserver).expect_err("no translations").to_string();
    assert!(told.contains("target_language: it belongs to translation") && told.contains("source_language: "), "{told}");
}

#[test]
fn nothing_is_said_of_the_data_where_an_option_is_of_another_task() {
    let fixture = fixture("MBart50Tokenizer");
    let request = EvaluateRequest { no_answer: Some(NoAnswer::Never), ..request(&fixture, None, None) };
    let told = evaluate(&request, &mut NoObserver).expect_err("no questions").to_string();
    assert!(!told.contains('\n') && !told.contains("pairs.jsonl"), "{told}");
}
