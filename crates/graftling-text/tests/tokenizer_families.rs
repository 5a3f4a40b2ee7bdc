//! Tokenizers of many families against the golden cases of transformers: texts, words that are given, and windows of long texts.
//! Knows nothing of the tokenizer library.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use graftling_text::{EncodeOptions, Encoding, Encodings, TextInput, Tokenizer};
use serde::Deserialize;
use serde_json::{Map, Value};
use tempfile::TempDir;

#[derive(Deserialize)]
struct Golden {
    families: Vec<Family>,
}

#[derive(Deserialize)]
struct Family {
    name: String,
    takes_token_types: bool,
    tokenizer_config: Map<String, Value>,
    config: Map<String, Value>,
    /// The vocabularies that its folder has without a tokenizer.json; `A as B` has another name there.
    files: Vec<String>,
    tokenizer_json: Value,
    texts: Vec<Case>,
    words: Vec<Case>,
    windows: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    #[serde(default)]
    text: String,
    pair: Option<String>,
    #[serde(default)]
    words: Vec<String>,
    max_length: usize,
    stride: Option<usize>,
    #[serde(default)]
    side: String,
    encodings: Vec<Expected>,
}

#[derive(Debug, Deserialize, PartialEq)]
struct Expected {
    input_ids: Vec<u32>,
    token_type_ids: Vec<u32>,
    special_tokens_mask: Vec<u8>,
    sequence_ids: Vec<Option<u8>>,
    word_ids: Vec<Option<u32>>,
    offsets: Vec<(usize, usize)>,
}

fn golden() -> Golden {
    let mut text = String::new();
    GzDecoder::new(fs::File::open(golden_path("families.json.gz")).unwrap()).read_to_string(&mut text).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn golden_path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

/// A folder with the settings of a family and its tokenizer.json.
fn converted_folder(family: &Family, side: &str) -> TempDir {
    let folder = settings_folder(family, side);
    fs::write(folder.path().join("tokenizer.json"), family.tokenizer_json.to_string()).unwrap();
    folder
}

/// A folder with the settings of a family and its vocabulary.
fn vocabulary_folder(family: &Family, side: &str) -> TempDir {
    let folder = settings_folder(family, side);
    for file in &family.files {
        let small = || fs::read_to_string(golden_path("small/vocab.txt")).unwrap();
        match file.as_str() {
            "vocab.txt" => fs::write(folder.path().join("vocab.txt"), small()).unwrap(),
            "mpnet vocab.txt" => {
                let text = small().replace("<cls>\n", "<s>\n").replace("<sep>\n", "</s>\n");
                fs::write(folder.path().join("vocab.txt"), text).unwrap();
            }
            other => {
                let (source, name) = other.split_once(" as ").unwrap_or((other, other));
                fs::copy(golden_path("vocabularies").join(source), folder.path().join(name)).unwrap();
            }
        }
    }
    folder
}

fn settings_folder(family: &Family, side: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = family.tokenizer_config.clone();
    settings.insert("truncation_side".to_owned(), side.into());
    fs::write(folder.path().join("tokenizer_config.json"), Value::Object(settings).to_string()).unwrap();
    fs::write(folder.path().join("config.json"), Value::Object(family.config.clone()).to_string()).unwrap();
    folder
}

fn options(case: &Case) -> EncodeOptions {
    match case.stride {
        None => EncodeOptions::truncated(case.max_length),
        Some(stride) => EncodeOptions::windows(case.max_length, stride),
    }
}

fn encoded(tokenizer: &Tokenizer, case: &Case) -> Encodings {
    if case.words.is_empty() {
        let input = TextInput { text: &case.text, pair: case.pair.as_deref() };
        return tokenizer.encode(&[input], &options(case)).unwrap();
    }
    tokenizer.encode_words(&[&case.words[..]], &options(case)).unwrap()
}

fn as_expected(found: &Encoding) -> Expected {
    Expected {
        input_ids: found.input_ids.clone(),
        token_type_ids: found.token_type_ids.clone(),
        special_tokens_mask: found.special_tokens_mask.iter().map(|&special| u8::from(special)).collect(),
        sequence_ids: found.sequence_ids.clone(),
        word_ids: found.word_ids.clone(),
        offsets: found.offsets.clone(),
    }
}

/// Every case of a family that comes out differently, in words.
fn differences(family: &Family, tokenizers: &BTreeMap<&str, Tokenizer>) -> Vec<String> {
    let cases = family.texts.iter().chain(&family.words).chain(&family.windows);
    let differ = cases.filter_map(|case| {
        let side = if case.side.is_empty() { "right" } else { &case.side };
        let found: Vec<Expected> = encoded(&tokenizers[side], case).encodings.iter().map(as_expected).collect();
        let plain =
            |row: &Expected| if family.takes_token_types { row.token_type_ids.clone() } else { vec![0; row.input_ids.len()] };
        let same = found.len() == case.encodings.len()
            && found.iter().zip(&case.encodings).all(|(found, expected)| {
                found.token_type_ids == plain(expected)
                    && found.input_ids == expected.input_ids
                    && found.special_tokens_mask == expected.special_tokens_mask
                    && found.sequence_ids == expected.sequence_ids
                    && found.word_ids == expected.word_ids
                    && found.offsets == expected.offsets
            });
        let told = || {
            let (text, pair, words) = (&case.text, &case.pair, &case.words);
            format!(
                "{text:?} + {pair:?} {words:?} to {} {:?} {side}:\n  {found:?}\n  {:?}",
                case.max_length, case.stride, case.encodings
            )
        };
        (!same).then(told)
    });
    differ.collect()
}

fn assert_none(name: &str, differences: &[String]) {
    let first: Vec<&str> = differences.iter().take(3).map(String::as_str).collect();
    assert!(differences.is_empty(), "{name}: {} differ\n{}", differences.len(), first.join("\n"));
}

#[test]
fn tokenizer_json_of_each_family_gives_the_encodings_of_transformers() {
    let mut failures = Vec::new();
    for family in golden().families {
        let open = |side| {
            let folder = converted_folder(&family, side);
            (side, Tokenizer::from_folder(folder.path()).unwrap())
        };
        let found = differences(&family, &BTreeMap::from([open("right"), open("left")]));
        failures.extend(found.into_iter().map(|told| format!("{}: {told}", family.name)));
    }
    assert_none("tokenizer.json", &failures);
}

#[test]
fn vocabularies_of_each_family_give_the_encodings_of_transformers() {
    let mut failures = Vec::new();
    for family in golden().families.iter().filter(|family| !family.files.is_empty()) {
        let open = |side| {
            let folder = vocabulary_folder(family, side);
            (side, Tokenizer::from_folder(folder.path()).unwrap())
        };
        let found = differences(family, &BTreeMap::from([open("right"), open("left")]));
        failures.extend(found.into_iter().map(|told| format!("{}: {told}", family.name)));
    }
    assert_none("vocabularies", &failures);
}

#[test]
fn a_saved_tokenizer_gives_the_same_encodings() {
    let mut failures = Vec::new();
    for family in &golden().families {
        let open = |side| {
            let folder = if family.files.is_empty() { converted_folder(family, side) } else { vocabulary_folder(family, side) };
            let saved = tempfile::tempdir().unwrap();
            Tokenizer::from_folder(folder.path()).unwrap().save(saved.path()).unwrap();
            // Without config.json: what it said of the family must be kept.
            (side, Tokenizer::from_folder(saved.path()).unwrap())
        };
        let found = differences(family, &BTreeMap::from([open("right"), open("left")]));
        failures.extend(found.into_iter().map(|told| format!("{}: {told}", family.name)));
    }
    assert_none("saved", &failures);
}

#[test]
fn windows_know_their_example_and_reach_over_the_whole_text() {
    for family in golden().families {
        for side in ["right", "left"] {
            let folder = converted_folder(&family, side);
            let tokenizer = Tokenizer::from_folder(folder.path()).unwrap();
            let text = "The quick brown fox jumps over the lazy dog, and then it sleeps until the sun is up again.";
            let inputs = [("a", None), (text, None), ("why?", Some(text))].map(|(text, pair)| TextInput { text, pair });
            let encodings = tokenizer.encode(&inputs, &EncodeOptions::windows(16, 3)).unwrap();
            assert_eq!((encodings.truncation.texts, encodings.truncation.cut_tokens), (3, 0));
            let examples: Vec<usize> = encodings.encodings.iter().map(|encoding| encoding.example).collect();
            assert!(examples.is_sorted() && examples.first() == Some(&0) && examples.last() == Some(&2), "{examples:?}");
            for example in [1, 2] {
                let mut windows: Vec<&Encoding> = encodings.encodings.iter().filter(|one| one.example == example).collect();
                assert!(windows.len() > 1, "{}", family.name);
                if side == "left" {
                    windows.reverse();
                }
                let ranges: Vec<(usize, usize)> = windows.iter().map(|window| window.token_range).collect();
                assert_eq!(ranges[0].0, 0, "{}: {ranges:?}", family.name);
                for pair in ranges.windows(2) {
                    assert_eq!(pair[0].1, pair[1].0 + 3, "{} {side}: {ranges:?}", family.name);
                }
                let reach: Vec<(usize, usize)> = windows.iter().map(|window| window.offset_range().unwrap()).collect();
                assert_eq!((reach[0].0, reach[reach.len() - 1].1), (0, text.len()), "{}: {reach:?}", family.name);
            }
        }
    }
}

#[test]
fn words_without_a_token_are_counted() {
    let families = golden().families;
    let family = families.iter().find(|family| family.name == "electra").unwrap();
    let folder = converted_folder(family, "right");
    let tokenizer = Tokenizer::from_folder(folder.path()).unwrap();
    let sentences = [vec!["a", "word"], vec!["a", "\u{7}", "b", "\u{200b}"], vec![]];
    let inputs: Vec<&[&str]> = sentences.iter().map(Vec::as_slice).collect();
    let encodings = tokenizer.encode_words(&inputs, &EncodeOptions::truncated(3)).unwrap();
    assert_eq!((encodings.tokenless_words.words, encodings.tokenless_words.first), (2, Some((1, 1))));
    assert_eq!(encodings.encodings[2].input_ids.len(), 2);
    assert_eq!(encodings.encodings.iter().map(|one| one.truncated_tokens).collect::<Vec<_>>(), [1, 1, 0]);
}

#[test]
fn strides_and_first_texts_that_leave_no_room_are_refused() {
    let families = golden().families;
    let family = families.iter().find(|family| family.name == "electra").unwrap();
    let folder = converted_folder(family, "right");
    let tokenizer = Tokenizer::from_folder(folder.path()).unwrap();
    let refused = |text, pair, max_length, stride| {
        let inputs = [TextInput { text: "a", pair: Some("b") }, TextInput { text, pair }];
        tokenizer.encode(&inputs, &EncodeOptions::windows(max_length, stride)).unwrap_err().to_string()
    };
    assert_eq!(
        refused("a", None, 8, 6),
        "stride 6 leaves no room for new tokens in a window: with max_length 8 and 2 special tokens it must be below 6"
    );
    assert_eq!(
        refused("a b a b", Some("a a a a a a"), 10, 3),
        "pair 2: its first text has 4 tokens and leaves 3 for windows of the second, which must be more than the stride 3; shorten the \
         text, or set a larger max_length or a smaller stride"
    );
    assert_eq!(
        refused("a b a b a b a b", Some("b"), 10, 0),
        "pair 2: its first text has 8 tokens and leaves 0 for windows of the second, which must be more than the stride 0; shorten the \
         text, or set a larger max_length or a smaller stride"
    );
}

#[test]
fn a_first_text_that_leaves_no_room_for_windows_is_cut_to_half_and_told_once() {
    let families = golden().families;
    let family = families.iter().find(|family| family.name == "electra").unwrap();
    for side in ["right", "left"] {
        let folder = converted_folder(family, side);
        let tokenizer = Tokenizer::from_folder(folder.path()).unwrap();
        let long = "a b a b a b a b";
        let inputs = [TextInput { text: long, pair: Some("b") }, TextInput { text: long, pair: Some("b a b a b a") }];
        let Encodings { encodings, truncation, .. } =
            tokenizer.encode(&inputs, &EncodeOptions::windows_with_first_cut(10, 3)).unwrap();
        // Of ten tokens three are special; half of the others are three tokens of the first text, which leave four.
        let of_first = |one: &Encoding| one.sequence_ids.iter().filter(|sequence| **sequence == Some(0)).count();
        assert!(encodings.iter().all(|one| of_first(one) == 3 && one.input_ids.len() <= 10), "{side}: {encodings:?}");
        let told: Vec<(usize, usize)> = encodings.iter().map(|one| (one.example, one.truncated_tokens)).collect();
        assert_eq!(told, [(0, 5), (1, 5), (1, 0), (1, 0)], "{side}");
        assert_eq!((truncation.truncated_texts, truncation.cut_tokens), (2, 10));
    }
}
