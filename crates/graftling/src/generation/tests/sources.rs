//! What transformers writes from sources with the tiny encoder-decoders (`tools/reference/generation_from_sources.py`).

use graftling_models::Model;
use graftling_tensor::Graph;
use serde_json::{Value, json};

use super::super::{BatchLimits, EarlyStopping, FolderDefaults, Generation, GenerationError, GenerationOptions, OptionProblem};
use super::families::{STUDENT, Written, are_as_expected, models, packed, write};
use super::{SCORE_TOLERANCE, config_file, softmax, unpacked};
use crate::Error;

const FAMILIES: [&str; 6] = ["bart", "mbart", "marian", "t5", "t5-gated", "encoder-decoder"];
/// How many new tokens the reference writes where a case does not say it.
const NEW_TOKENS: usize = 10;

fn golden() -> Value {
    unpacked(include_bytes!("../../../tests/golden/generated_from_sources.json.gz"))
}

fn sources(golden: &Value) -> Vec<Vec<u32>> {
    serde_json::from_value(golden["sources"].clone()).expect("lists of ids")
}

#[test]
fn every_way_to_write_from_a_source_writes_what_transformers_writes() {
    let golden = golden();
    let sources = sources(&golden);
    let (mut wrong, mut cases) = (Vec::new(), 0);
    for family in FAMILIES {
        let written = Written::of(family);
        // Few at once, so that sources wait for each other.
        let writer = written.writer(BatchLimits { sequences: 7, tokens: 200 });
        for case in golden["answers"][family].as_array().expect("cases") {
            let title = format!("{family}, {}", case["title"]);
            let mut options = config_file::options_of(case["options"].as_object().expect("options").clone(), 40);
            if options.max_length.is_none() {
                options.max_new_tokens = Some(NEW_TOKENS);
            }
            let answers = case["answers"].as_object().expect("answers");
            let asked: Vec<Vec<u32>> =
                answers.keys().map(|key| sources[key.parse::<usize>().expect("a place")].clone()).collect();
            let found = write(&writer, &asked, &options).unwrap_or_else(|error| panic!("{title}: {error}"));
            for ((source, expected), found) in answers.iter().zip(found) {
                cases += 1;
                let expected = expected.as_array().expect("texts");
                if !are_as_expected(&found.continuations, expected) {
                    wrong.push(format!("{title}, source {source}: {:?}\n  expected {expected:?}", found.continuations));
                }
            }
        }
    }
    assert!(cases > 400, "only {cases} cases");
    assert!(wrong.is_empty(), "{} of {cases} cases:\n{}", wrong.len(), wrong[..wrong.len().min(10)].join("\n"));
}

#[test]
fn what_is_written_from_a_source_does_not_depend_on_what_else_is_in_work() {
    let sources = sources(&golden());
    let common = GenerationOptions { max_new_tokens: Some(14), repetition_penalty: Some(1.4), ..GenerationOptions::default() };
    let draws = GenerationOptions { do_sample: Some(true), num_return_sequences: Some(3), ..common.clone() };
    let beams = GenerationOptions { num_beams: Some(4), num_return_sequences: Some(2), ..common.clone() };
    for family in FAMILIES.into_iter().chain([STUDENT]) {
        let written = Written::of(family);
        for options in [&common, &draws, &beams] {
            let together = write(&written.writer(BatchLimits::default()), &sources, options).expect("texts");
            for (sequences, tokens) in [(1, 1), (7, 120)] {
                let found = write(&written.writer(BatchLimits { sequences, tokens }), &sources, options).expect("texts");
                assert_eq!(found, together, "{family}, {sequences} sequences and {tokens} tokens, {options:?}");
            }
            if options.do_sample.is_none() {
                let writer = written.writer(BatchLimits::default());
                let alone: Vec<Generation> = sources
                    .iter()
                    .map(|source| write(&writer, std::slice::from_ref(source), options).expect("a text").remove(0))
                    .collect();
                assert_eq!(alone, together, "{family}, {options:?}");
            }
            let lengths: Vec<usize> = together.iter().map(|generation| generation.prompt_tokens).collect();
            assert_eq!(lengths, sources.iter().map(Vec::len).collect::<Vec<_>>());
        }
    }
}

#[test]
fn a_student_of_marian_writes_what_torch_writes_and_its_beams_are_as_probable_as_their_tokens() {
    let written = Written::of(STUDENT);
    let path = models().join("families").join(STUDENT).join("seq2seq/batches.json");
    let golden: Value = serde_json::from_str(&std::fs::read_to_string(path).expect("golden file")).expect("golden file");
    let sources: Vec<Vec<u32>> = serde_json::from_value(golden["batches"][0]["input_ids"].clone()).expect("lists of ids");
    let writer = written.writer(BatchLimits { sequences: 7, tokens: 200 });
    let greedy = GenerationOptions { max_new_tokens: Some(16), ..GenerationOptions::default() };
    let found = write(&writer, &sources, &greedy).expect("texts");
    let ids: Vec<Value> = found.iter().map(|generation| json!(generation.continuations[0].tokens)).collect();
    assert_eq!(json!(ids), golden["written"]);
    let beams = GenerationOptions { num_beams: Some(4), num_return_sequences: Some(3), ..greedy };
    for (source, generation) in sources.iter().zip(write(&writer, &sources, &beams).expect("texts")) {
        for continuation in generation.continuations {
            let expected = mean_log_probability(&written.model, source, &continuation.tokens);
            let score = f64::from(continuation.score.expect("the score of a beam"));
            assert!((score - expected).abs() <= SCORE_TOLERANCE, "{score} instead of {expected} from {source:?}");
        }
    }
}

/// Of the tokens of a text that is written from a source, all read at once.
fn mean_log_probability(model: &Model, source: &[u32], tokens: &[u32]) -> f64 {
    let start = model.decoder_start_token_id().expect("what a text starts with");
    let targets = [&[start][..], &tokens[..tokens.len() - 1]].concat();
    let logits = model.forward_pair(&Graph::inference(&model.parameters), &packed(source), &packed(&targets));
    let rows = logits.tensor().to_vec();
    let of_tokens = rows.chunks_exact(40).zip(tokens).map(|(row, token)| softmax(row)[*token as usize].ln());
    of_tokens.sum::<f64>() / tokens.len() as f64
}

#[test]
fn what_does_not_fit_is_refused_with_what_is_possible() {
    let written = Written::of("bart");
    let writer = written.writer(BatchLimits::default());
    let refused = |sources: &[Vec<u32>], options: GenerationOptions| match write(&writer, sources, &options) {
        Err(error) => error.to_string(),
        Ok(found) => panic!("{found:?}"),
    };
    let fits = GenerationOptions { max_new_tokens: Some(23), ..GenerationOptions::default() };
    assert_eq!(write(&writer, &[vec![5; 24]], &fits).expect("a text").len(), 1);
    let told = refused(&[vec![5; 3], vec![5; 25], vec![]], fits.clone());
    for expected in ["prompt 2 has 25 tokens, but the encoder has 24 positions", "prompt 3 gives no token"] {
        assert!(told.contains(expected), "{told}");
    }
    let told = refused(&[vec![5]], GenerationOptions { max_new_tokens: Some(24), ..fits.clone() });
    assert!(told.starts_with("max_new_tokens: found 24, accepted is a whole number from 1 to 23"), "{told}");
    let told = refused(&[vec![5]], GenerationOptions { max_length: Some(1), ..GenerationOptions::default() });
    assert!(told.starts_with("max_length: found 1, accepted is a whole number from 2"), "{told}");
    let told = refused(&[vec![5]], GenerationOptions { decoder_start_token_id: Some(40), ..fits.clone() });
    assert!(told.starts_with("decoder_start_token_id: found 40, accepted is token ids below 40"), "{told}");
    // A search that ends at once is over.
    let beams =
        GenerationOptions { num_beams: Some(2), early_stopping: Some(EarlyStopping::WhenFull), max_new_tokens: Some(1), ..fits };
    assert!(write(&writer, &[vec![5]], &beams).expect("a text")[0].continuations[0].tokens.len() == 1);
}

#[test]
fn what_a_folder_leaves_open_is_as_its_class_has_it() {
    let cases = [
        ("bart", json!({}), Some(2), Some(vec![2]), Some(vec![2])),
        ("bart", json!({"decoder_start_token_id": 5, "eos_token_id": [3, 4]}), Some(5), Some(vec![3, 4]), Some(vec![2])),
        ("mbart", json!({}), Some(0), Some(vec![2]), Some(vec![2])),
        ("mbart", json!({"decoder_start_token_id": null, "bos_token_id": 7}), Some(7), Some(vec![2]), Some(vec![2])),
        ("marian", json!({"decoder_start_token_id": 9}), Some(9), Some(vec![0]), Some(vec![0])),
        (STUDENT, json!({}), Some(40), Some(vec![0]), None),
        (STUDENT, json!({"bos_token_id": 7, "eos_token_id": 3}), Some(40), Some(vec![3]), None),
        (STUDENT, json!({"decoder_start_token_id": 40}), Some(40), Some(vec![0]), None),
        ("t5", json!({}), None, Some(vec![1]), None),
        ("encoder-decoder", json!({"decoder": {"bos_token_id": 6, "eos_token_id": 8}}), Some(6), Some(vec![8]), None),
        (
            "encoder-decoder",
            json!({"eos_token_id": 3, "decoder": {"bos_token_id": 6, "eos_token_id": 8}}),
            Some(6),
            Some(vec![3]),
            None,
        ),
    ];
    for (family, keys, start, ends, forced) in cases {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("config.json"), keys.to_string()).expect("a file");
        let options = FolderDefaults::read(folder.path(), Written::of(family).model.facts()).expect("options").options;
        let found = (options.decoder_start_token_id, options.eos_token_id, options.forced_eos_token_id);
        assert_eq!(found, (start, ends, forced), "{family}, {keys}");
    }
    // A file of its own says all.
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("config.json"), "{}").expect("a file");
    std::fs::write(folder.path().join("generation_config.json"), "{\"bos_token_id\": 4}").expect("a file");
    let options = FolderDefaults::read(folder.path(), Written::of("bart").model.facts()).expect("options").options;
    assert_eq!((options.decoder_start_token_id, options.eos_token_id), (Some(4), None));
}

#[test]
fn a_model_without_a_token_to_start_with_is_refused() {
    let mut written = Written::of("t5");
    written.model.set_config_value("decoder_start_token_id", Value::Null);
    written.defaults.options.decoder_start_token_id = None;
    let Err(Error::Generation(GenerationError::Options(problems))) =
        write(&written.writer(BatchLimits::default()), &[vec![5]], &GenerationOptions::default())
    else {
        panic!("it is refused")
    };
    assert!(
        matches!(&problems[..], [OptionProblem::NotAccepted { option, .. }] if option == "decoder_start_token_id"),
        "{problems:?}"
    );
}
