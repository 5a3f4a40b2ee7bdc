//! Tokenisation against the golden cases of transformers, and the folders that both must be able to open.
//! Knows nothing of the tokenizer library.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use graftling_text::{EncodeOptions, Encoding, TextInput, Tokenizer};
use serde::Deserialize;
use serde_json::Value;
use tempfile::TempDir;

#[derive(Deserialize)]
struct Golden {
    variants: Vec<Variant>,
}

#[derive(Deserialize)]
struct Variant {
    name: String,
    tokenizer_config: Option<Value>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    text: String,
    pair: Option<String>,
    max_length: usize,
    input_ids: Vec<u32>,
    token_type_ids: Vec<u32>,
    special_tokens_mask: Vec<u8>,
    offsets: Vec<(usize, usize)>,
    whole_length: usize,
}

fn golden(name: &str) -> Golden {
    let text = fs::read_to_string(golden_path(name)).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn golden_path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn variant(golden: &Golden, name: &str) -> usize {
    golden.variants.iter().position(|variant| variant.name == name).unwrap()
}

/// The small vocabulary with the settings of a variant.
fn vocabulary_folder(variant: &Variant) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(golden_path("small/vocab.txt"), folder.path().join("vocab.txt")).unwrap();
    if let Some(config) = &variant.tokenizer_config {
        fs::write(folder.path().join("tokenizer_config.json"), config.to_string()).unwrap();
    }
    folder
}

/// Every case that comes out differently, in words.
fn differences(tokenizer: &Tokenizer, cases: &[Case]) -> Vec<String> {
    cases.iter().filter_map(|case| difference(&encode(tokenizer, case), case)).collect()
}

fn encode(tokenizer: &Tokenizer, case: &Case) -> Encoding {
    let input = TextInput { text: &case.text, pair: case.pair.as_deref() };
    let encodings = tokenizer.encode(&[input], &EncodeOptions::truncated(case.max_length)).unwrap();
    encodings.encodings.into_iter().next().unwrap()
}

fn difference(found: &Encoding, case: &Case) -> Option<String> {
    let mask: Vec<bool> = case.special_tokens_mask.iter().map(|&mask| mask == 1).collect();
    let same = found.input_ids == case.input_ids
        && found.token_type_ids == case.token_type_ids
        && found.special_tokens_mask == mask
        && found.offsets == case.offsets
        && found.truncated_tokens == case.whole_length - case.input_ids.len();
    (!same).then(|| format!("{:?} + {:?} to {}:\n  {found:?}\n  {:?}", case.text, case.pair, case.max_length, case.input_ids))
}

fn assert_none(name: &str, differences: Vec<String>) {
    assert!(differences.is_empty(), "{name}: {} differ\n{}", differences.len(), differences.join("\n"));
}

#[test]
fn a_vocabulary_and_settings_give_the_ids_of_transformers() {
    for variant in golden("small.json").variants {
        let folder = vocabulary_folder(&variant);
        let tokenizer = Tokenizer::from_folder(folder.path()).unwrap();
        assert_none(&variant.name, differences(&tokenizer, &variant.cases));
    }
}

#[test]
fn truncation_and_padding_inside_tokenizer_json_are_ignored() {
    let golden = golden("small.json");
    let json = fs::read_to_string(golden_path("small/tokenizer.json")).unwrap();
    assert!(json.contains("\"truncation\":{") && json.contains("\"padding\":{"), "the file must hold what is to be ignored");
    let tokenizer = Tokenizer::from_folder(&golden_path("small")).unwrap();
    assert_none("tokenizer.json", differences(&tokenizer, &golden.variants[variant(&golden, "vocab.txt, no settings")].cases));
}

#[test]
fn settings_go_before_the_normalizer_of_tokenizer_json_and_say_so() {
    let golden = golden("small.json");
    for name in ["cased", "lower case, accents kept", "cased, accents stripped", "Chinese kept together"] {
        let variant = &golden.variants[variant(&golden, name)];
        let folder = vocabulary_folder(variant);
        fs::copy(golden_path("small/tokenizer.json"), folder.path().join("tokenizer.json")).unwrap();
        let tokenizer = Tokenizer::from_folder(folder.path()).unwrap();
        assert_none(name, differences(&tokenizer, &variant.cases));
        let [notice] = tokenizer.notices() else { panic!("{name}: {:?}", tokenizer.notices()) };
        assert!(notice.contains("disagrees with tokenizer_config.json, which is followed as in transformers"), "{notice}");
    }
}

#[test]
fn a_saved_tokenizer_gives_the_same_ids() {
    for variant in golden("small.json").variants {
        let folder = vocabulary_folder(&variant);
        let saved = tempfile::tempdir().unwrap();
        Tokenizer::from_folder(folder.path()).unwrap().save(saved.path()).unwrap();
        for with_vocabulary in [true, false] {
            if !with_vocabulary {
                fs::remove_file(saved.path().join("vocab.txt")).unwrap();
            }
            let tokenizer = Tokenizer::from_folder(saved.path()).unwrap();
            assert_none(&variant.name, differences(&tokenizer, &variant.cases));
            assert_eq!(tokenizer.notices(), [""; 0], "{}", variant.name);
        }
    }
}

#[test]
fn the_real_minilm_tokenizer_gives_the_ids_of_transformers() {
    let folder = tempfile::tempdir().unwrap();
    let mut json = Vec::new();
    GzDecoder::new(fs::File::open(golden_path("minilm_tokenizer.json.gz")).unwrap()).read_to_end(&mut json).unwrap();
    fs::write(folder.path().join("tokenizer.json"), json).unwrap();
    let tokenizer = Tokenizer::from_folder(folder.path()).unwrap();
    assert_eq!(tokenizer.vocabulary_size(), 30522);
    assert_none("MiniLM", differences(&tokenizer, &golden("minilm.json").variants[0].cases));
}

#[test]
fn many_texts_keep_their_order_and_are_counted() {
    let golden = golden("small.json");
    let variant = &golden.variants[variant(&golden, "vocab.txt, no settings")];
    let folder = vocabulary_folder(variant);
    let tokenizer = Tokenizer::from_folder(folder.path()).unwrap();
    let cases: Vec<&Case> = variant.cases.iter().filter(|case| case.max_length == 512).collect();
    let inputs: Vec<TextInput<'_>> =
        cases.iter().map(|case| TextInput { text: &case.text, pair: case.pair.as_deref() }).collect();
    let whole = tokenizer.encode(&inputs, &EncodeOptions::truncated(512)).unwrap();
    for (found, case) in whole.encodings.iter().zip(&cases) {
        assert_eq!(difference(found, case), None);
    }
    let cut = tokenizer.encode(&inputs, &EncodeOptions::truncated(20)).unwrap().truncation;
    let lengths: Vec<usize> = cases.iter().map(|case| case.whole_length).collect();
    assert_eq!(cut.texts, inputs.len());
    assert_eq!(cut.truncated_texts, lengths.iter().filter(|&&length| length > 20).count());
    assert_eq!(cut.cut_tokens, lengths.iter().map(|length| length.saturating_sub(20)).sum::<usize>());
    assert_eq!(cut.tokens + cut.cut_tokens, lengths.iter().sum::<usize>());
    assert_eq!((cut.max_length, Some(cut.longest_tokens)), (20, lengths.iter().max().copied()));
}
