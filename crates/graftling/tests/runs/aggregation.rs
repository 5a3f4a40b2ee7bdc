//! Tags of tokens put together as transformers' pipeline does it, on models, texts and windows of its own.

use std::fs;
use std::path::Path;

use graftling::{Aggregated, Aggregation, AggregationStrategy, Predictor, Said, TextInput, WindowMerging};
use serde_json::Value;

use crate::fixture::{Fixture, json};

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/aggregation");

/// The two programs sum in other orders.
const SCORE_TOLERANCE: f64 = 1e-5;

/// A golden model, as the run folder of a recipe with these options.
fn predictor(fixture: &Fixture, model: &str, options: &str) -> Predictor {
    let folder = fixture.path(model);
    if folder.exists() {
        fs::remove_dir_all(&folder).expect("the folder of another case");
    }
    fs::create_dir(&folder).expect("a folder");
    for entry in fs::read_dir(Path::new(GOLDEN).join(model)).expect("a golden model") {
        let path = entry.expect("a file").path();
        fs::copy(&path, folder.join(path.file_name().expect("a name"))).expect("a copy");
    }
    let recipe = format!("model = 'x'\ntrain = 'y'\noutput = 'z'\ntask = 'token_classification'\n{options}");
    fixture.write(&format!("{model}/recipe.toml"), recipe.as_bytes());
    Predictor::load(&folder).expect("a predictor")
}

fn entities(predictor: &Predictor, text: &str) -> Vec<Aggregated> {
    let said = predictor.predict(&[TextInput { text, pair: None }]).expect("a prediction").remove(0).said;
    let Said::Aggregated { entities } = said else { panic!("{said:?}") };
    entities
}

/// What differs, if anything.
fn difference(own: &[Aggregated], expected: &Value) -> Option<String> {
    let own_json = serde_json::to_value(own).expect("JSON");
    let (own, expected) = (own_json.as_array()?, expected.as_array()?);
    let differs = |(one, other): (&Value, &Value)| {
        let (Value::Object(one), Value::Object(other)) = (one, other) else { return true };
        let score = |object: &serde_json::Map<String, Value>| object["score"].as_f64().unwrap_or(f64::NAN);
        let near = (score(one) - score(other)).abs() < SCORE_TOLERANCE;
        let names = one.keys().eq(other.keys());
        !near || !names || one.iter().any(|(name, value)| name != "score" && other[name] != *value)
    };
    if own.len() != expected.len() {
        return Some(format!("{} entities instead of {}: {own_json}", own.len(), expected.len()));
    }
    let first = own.iter().zip(expected).find(|pair| differs(*pair))?;
    Some(format!("{} instead of {}", first.0, first.1))
}

#[test]
fn every_strategy_gives_what_the_pipeline_of_transformers_gives() {
    let fixture = Fixture::new();
    let golden = json(&Path::new(GOLDEN).join("cases.json"));
    let made_by = &golden["made_by"];
    let windows = format!("long_texts = 'windows'\nmax_length = {}\nwindow_stride = {}", made_by["window"], made_by["stride"]);
    let cases = golden["cases"].as_array().expect("cases");
    assert!(cases.len() > 400, "{}", cases.len());
    let mut wrong = Vec::new();
    for case in cases {
        let [model, strategy, merging, text] = [0, 1, 2, 4].map(|place| case[place].as_str().expect("a text"));
        let ignored = case[3].as_array().expect("labels").iter().filter_map(Value::as_str).map(str::to_owned);
        let aggregation = Aggregation {
            strategy: AggregationStrategy::from_word(strategy).expect("a strategy"),
            window_merging: WindowMerging::from_word(merging),
            ignored_labels: ignored.collect(),
        };
        let options = if merging.is_empty() { "max_length = 64" } else { &windows };
        let predictor = predictor(&fixture, model, options).with_aggregation(aggregation).expect("an aggregation");
        if let Some(difference) = difference(&entities(&predictor, text), &case[5]) {
            wrong.push(format!("{model} {strategy} {merging} {text:?}: {difference}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn a_chinese_character_is_a_word_whatever_the_tokenizer() {
    let fixture = Fixture::new();
    let aggregation = Aggregation { ignored_labels: Vec::new(), ..Aggregation::new(AggregationStrategy::First) };
    let predictor = predictor(&fixture, "bytes", "").with_aggregation(aggregation).expect("an aggregation");
    let text = "他在Google公司工作。";
    let ends: Vec<usize> = entities(&predictor, text).iter().map(|entity| entity.characters.1).collect();
    let starts: Vec<usize> = entities(&predictor, text).iter().map(|entity| entity.characters.0).collect();
    // Whatever is told, nothing begins or ends inside of a word that is written without spaces, Google for one.
    assert!(starts.iter().chain(&ends).all(|place| *place <= 2 || *place >= 8), "{starts:?} {ends:?}");
    assert_eq!((starts.first(), ends.last()), (Some(&0), Some(&text.chars().count())));
}

#[test]
fn texts_together_are_told_as_each_alone_and_an_empty_one_has_nothing() {
    let fixture = Fixture::new();
    let options = "long_texts = 'windows'\nmax_length = 16";
    let aggregation = Aggregation::new(AggregationStrategy::Average);
    let predictor = predictor(&fixture, "iob", options).with_aggregation(aggregation).expect("an aggregation");
    let long = "Angela Merkel visited unbelievable New York ".repeat(5);
    let inputs = ["", &long, "New York", ""].map(|text| TextInput { text, pair: None });
    let together = predictor.predict(&inputs).expect("predictions");
    for (input, among) in inputs.iter().zip(&together) {
        assert_eq!(predictor.predict(std::slice::from_ref(input)).expect("a prediction")[0], *among, "{}", input.text);
    }
    assert!(matches!(&together[0].said, Said::Aggregated { entities } if entities.is_empty()));
    assert!(together[1].tokens > 16 && together[1].truncated_tokens == 0, "{:?}", together[1]);
}

#[test]
fn what_does_not_apply_is_refused() {
    let fixture = Fixture::new();
    let (sequences, _) = fixture.run("run", "epochs = 1");
    let told = |predictor: Predictor, aggregation: Aggregation| {
        predictor.with_aggregation(aggregation).err().expect("an error").to_string()
    };
    let simple = Aggregation::new(AggregationStrategy::Simple);
    let run = Predictor::load(&sequences.output).expect("a predictor");
    let expected =
        "aggregation puts the tags of tokens together, but the task of this model is sequence_classification; leave it out";
    assert_eq!(told(run, simple.clone()), expected);
    let merged = Aggregation { window_merging: Some(WindowMerging::Entities), ..simple.clone() };
    let told_of = told(predictor(&fixture, "iob", "max_length = 64"), merged.clone());
    assert!(told_of.starts_with("window_merging: this model's texts are cut at 64 tokens, not read in windows"), "{told_of}");
    let none = Aggregation { strategy: AggregationStrategy::None, ..merged };
    let told_of = told(predictor(&fixture, "iob", "long_texts = 'windows'"), none);
    assert!(told_of.starts_with("aggregation none makes no entities"), "{told_of}");
    let unknown = Aggregation { ignored_labels: vec!["PRE".to_owned()], ..simple };
    let told_of = told(predictor(&fixture, "iob", ""), unknown);
    assert_eq!(told_of, "ignored label \"PRE\": the model has no such label, only B-LOC, B-PER, I-LOC, I-PER, O");
}
