//! What transformers writes with the tiny decoders, and how probable it holds each next token (`tools/reference/generation.py`).

mod families;
mod sources;

use std::io::Read;
use std::path::Path;

use graftling_models::Past;
use graftling_tensor::PackedWeights;
use graftling_text::{EncodeOptions, TextInput};
use serde_json::{Map, Value, json};

use super::processors::{View, log_softmax, process, softmax};
use super::settings::{Limits, Search, Settings};
use super::{BatchLimits, GenerationOptions, Generator, config_file};

const MODELS: [&str; 2] = ["tiny-llama", "tiny-gpt2"];
/// How far a score of a beam, which is a sum of up to forty log-probabilities in single precision, may be from the reference's.
const SCORE_TOLERANCE: f64 = 1e-4;
/// How far a probability may be: logits are computed here in single precision, there in double.
const PROBABILITY_TOLERANCE: f64 = 1e-5;
/// How many new tokens the reference generates where a case does not say it.
const NEW_TOKENS: usize = 12;

fn golden() -> Value {
    unpacked(include_bytes!("../../tests/golden/generated.json.gz"))
}

fn unpacked(bytes: &[u8]) -> Value {
    let mut text = String::new();
    flate2::read::GzDecoder::new(bytes).read_to_string(&mut text).expect("the golden file");
    serde_json::from_str(&text).expect("JSON")
}

fn generator(name: &str) -> Generator {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../graftling-models/tests/golden");
    Generator::load(&models.join(name).join("model")).expect("a generator")
}

fn options(generator: &Generator, given: &Value) -> GenerationOptions {
    let keys: Map<String, Value> = given.as_object().expect("options").clone();
    let mut options = config_file::options_of(keys, generator.model.facts().vocabulary_size);
    // transformers lets the number of new tokens go before that of all; here a person may give but one of them.
    options.min_length = options.min_length.filter(|_| options.min_new_tokens.is_none());
    options
}

fn prompts(golden: &Value) -> Vec<String> {
    golden["prompts"].as_array().expect("prompts").iter().map(|prompt| prompt.as_str().expect("a text").to_owned()).collect()
}

#[test]
fn every_way_to_generate_writes_what_transformers_writes() {
    let golden = golden();
    let prompts = prompts(&golden);
    let (mut wrong, mut cases) = (Vec::new(), 0);
    for name in MODELS {
        // Few at once, so that prompts wait for each other.
        let generator = generator(name).with_limits(BatchLimits { sequences: 7, tokens: 500 });
        for case in golden["answers"][name].as_array().expect("cases") {
            let title = format!("{name}, {}", case["title"]);
            let mut options = options(&generator, &case["options"]);
            if options.max_length.is_none() {
                options.max_new_tokens = options.max_new_tokens.or(Some(NEW_TOKENS));
            }
            let answers = case["answers"].as_object().expect("answers");
            let asked: Vec<&str> = answers.keys().map(|key| prompts[key.parse::<usize>().expect("a place")].as_str()).collect();
            let found = generator.generate(&asked, &options).unwrap_or_else(|error| panic!("{title}: {error}"));
            for ((prompt, expected), found) in answers.iter().zip(found) {
                cases += 1;
                let ids: Vec<Value> = found.continuations.iter().map(|continuation| json!(continuation.tokens)).collect();
                let expected = expected.as_array().expect("continuations");
                if ids != expected.iter().map(|continuation| continuation[0].clone()).collect::<Vec<_>>() {
                    wrong.push(format!("{title}, prompt {prompt}: {ids:?}\n  expected {expected:?}"));
                    continue;
                }
                for (continuation, expected) in found.continuations.iter().zip(expected) {
                    let far = match (continuation.score, expected[1].as_f64()) {
                        (Some(score), Some(expected)) => {
                            (f64::from(score) - expected).abs() > SCORE_TOLERANCE * expected.abs().max(1.0)
                        }
                        (None, None) => false,
                        _ => true,
                    };
                    if far {
                        wrong.push(format!("{title}, prompt {prompt}: score {:?}, expected {}", continuation.score, expected[1]));
                    }
                }
            }
        }
    }
    assert!(cases > 1000, "only {cases} cases");
    assert!(wrong.is_empty(), "{} of {cases} cases:\n{}", wrong.len(), wrong[..wrong.len().min(10)].join("\n"));
}

#[test]
fn a_length_penalty_that_outweighs_every_score_still_leaves_what_was_written() {
    let generator = generator("tiny-llama");
    for length_penalty in [-100.0, -30.0, 30.0, 100.0] {
        let options = GenerationOptions {
            num_beams: Some(2),
            num_return_sequences: Some(2),
            length_penalty: Some(length_penalty),
            max_new_tokens: Some(20),
            ..GenerationOptions::default()
        };
        let found = generator.generate(&["a"], &options).expect("texts");
        let lengths: Vec<usize> = found[0].continuations.iter().map(|continuation| continuation.tokens.len()).collect();
        assert!(!lengths.is_empty() && lengths.iter().all(|length| (1..=20).contains(length)), "{length_penalty}: {lengths:?}");
    }
}

#[test]
fn tokens_are_as_probable_as_in_transformers_after_every_processor() {
    let golden = golden();
    let prompts = prompts(&golden);
    let (mut wrong, mut cases) = (Vec::new(), 0);
    for name in MODELS {
        let generator = generator(name);
        let vocabulary = generator.model.facts().vocabulary_size;
        let weights = PackedWeights::new(&generator.model.parameters);
        for case in golden["distributions"][name].as_array().expect("cases") {
            cases += 1;
            let prompt = &prompts[case["prompt"].as_u64().expect("a place") as usize];
            let options =
                GenerationOptions { do_sample: Some(true), max_new_tokens: Some(4), ..options(&generator, &case["options"]) };
            let limits = Limits::of(generator.model.facts());
            let settings = Settings::new(&options, generator.defaults(), limits).expect("settings");
            let input = TextInput { text: prompt, pair: None };
            let ids = generator
                .tokenizer
                .encode(&[input], &EncodeOptions::truncated(99))
                .expect("tokens")
                .encodings
                .remove(0)
                .input_ids;
            let mut scores = generator.model.read_on(&weights, &mut [(&mut Past::new(), &ids)]).to_vec();
            if matches!(settings.search, Search::Beams { .. }) {
                log_softmax(&mut scores);
            }
            process(&settings, View { ids: &ids, prompt: ids.len(), given: &ids, max_new_tokens: 4 }, &mut scores);
            let mut expected = vec![0.0; vocabulary];
            for pair in case["probabilities"].as_array().expect("probabilities") {
                expected[pair[0].as_u64().expect("an id") as usize] = pair[1].as_f64().expect("a probability");
            }
            let found = softmax(&scores);
            let possible = |probabilities: &[f64]| probabilities.iter().map(|probability| *probability > 0.0).collect::<Vec<_>>();
            let farthest = found.iter().zip(&expected).map(|(found, expected)| (found - expected).abs()).fold(0.0, f64::max);
            if possible(&found) != possible(&expected) || farthest > PROBABILITY_TOLERANCE {
                wrong.push(format!("{name}, {}, prompt {}: {farthest:e} away", case["options"], case["prompt"]));
            }
        }
    }
    assert!(cases > 100, "only {cases} cases");
    assert!(wrong.is_empty(), "{} of {cases} cases:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn tokens_are_drawn_as_often_as_transformers_holds_them_probable() {
    let golden = golden();
    let prompts = prompts(&golden);
    let generator = generator("tiny-llama");
    for given in [json!({"top_k": 5}), json!({"temperature": 0.6, "top_k": 20, "top_p": 0.8})] {
        let cases = golden["distributions"]["tiny-llama"].as_array().expect("cases");
        let case = cases.iter().find(|case| case["options"] == given && case["prompt"] == 1).expect("such a case");
        let options = GenerationOptions {
            do_sample: Some(true),
            max_new_tokens: Some(1),
            num_return_sequences: Some(1000),
            ..options(&generator, &given)
        };
        let drawn = generator.generate(&[prompts[1].as_str(); 10], &options).expect("texts");
        let mut counts = vec![0_u32; generator.model.facts().vocabulary_size];
        for continuation in drawn.iter().flat_map(|generation| &generation.continuations) {
            counts[continuation.tokens[0] as usize] += 1;
        }
        let (mut chi_squared, mut possible) = (0.0, Vec::new());
        for pair in case["probabilities"].as_array().expect("probabilities") {
            let id = pair[0].as_u64().expect("an id") as usize;
            let expected = 10_000.0 * pair[1].as_f64().expect("a probability");
            chi_squared += (f64::from(counts[id]) - expected).powi(2) / expected;
            possible.push(id);
        }
        assert!(counts.iter().enumerate().all(|(id, count)| *count == 0 || possible.contains(&id)), "{counts:?}");
        // Its mean is the number of tokens less one, its variance twice that: five standard deviations above.
        let freedom = possible.len() as f64 - 1.0;
        assert!(chi_squared < freedom + 5.0 * (2.0 * freedom).sqrt(), "{given}: {chi_squared} with {freedom} degrees of freedom");
    }
}
