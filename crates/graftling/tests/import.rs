//! GGUF files of every architecture become the folders that transformers would have of the same models: config, weights, tokenizer.
//! The golden files are made by tools/reference/gguf_import.py. Knows nothing of how a file is read.

mod imported;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use graftling::{Error, ImportRequest, Imported, OutputError, WeightDtype, import};
use graftling_text::{EncodeOptions, TextInput, Tokenizer};
use imported::{Weight, check_weights, read_json};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

const MODELS: [&str; 6] = ["smollm", "llama3", "mistral", "qwen2", "qwen3", "gpt2"];
/// Longer than every text.
const MAX_LENGTH: usize = 100_000;

#[derive(Deserialize)]
struct Golden {
    config: Map<String, Value>,
    weights: BTreeMap<String, Weight>,
    chat_template: Option<String>,
    texts: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    text: String,
    pair: Option<String>,
    input_ids: Vec<u32>,
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/gguf").join(name)
}

fn golden(name: &str) -> Golden {
    let file = fs::File::open(path(&format!("{name}.json.gz"))).unwrap();
    serde_json::from_reader(GzDecoder::new(file)).unwrap()
}

fn imported(name: &str) -> (TempDir, Imported) {
    let folder = tempfile::tempdir().unwrap();
    let (file, output) = (path(&format!("{name}.gguf")), folder.path().join("model"));
    let imported = import(&ImportRequest { file: &file, output: &output, dtype: WeightDtype::F32 });
    let imported = imported.unwrap_or_else(|error| panic!("{name}: {error}"));
    (folder, imported)
}

/// What importing this file says.
fn refusal(file: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let (path, output) = (folder.path().join("model.gguf"), folder.path().join("model"));
    fs::write(&path, file).unwrap();
    let error = import(&ImportRequest { file: &path, output: &output, dtype: WeightDtype::F32 }).expect_err("it is refused");
    let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["model.gguf"], "nothing is left: {error}");
    error.to_string().replace(&path.display().to_string(), "FILE")
}

/// A golden file with some of its bytes replaced by as many others.
fn changed(name: &str, from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut bytes = fs::read(path(&format!("{name}.gguf"))).unwrap();
    let place = bytes.windows(from.len()).position(|window| window == from).unwrap();
    bytes[place..place + to.len()].copy_from_slice(to);
    bytes
}

#[test]
fn configs_are_those_of_transformers() {
    for name in MODELS {
        let (folder, _) = imported(name);
        let config = read_json(&folder, "config.json");
        for (key, expected) in golden(name).config {
            let found = &config[&key];
            let same = match (found.as_f64(), expected.as_f64()) {
                (Some(found), Some(expected)) => found == expected,
                _ => found == &expected,
            };
            assert!(same, "{name}: {key} is {found}, not {expected}");
        }
        assert_eq!(config["dtype"], "float32");
    }
}

#[test]
fn transformers_4_finds_the_rotary_positions_under_its_own_keys() {
    let (folder, _) = imported("llama3");
    let config = read_json(&folder, "config.json");
    assert_eq!(config["rope_theta"], json!(500_000.0));
    let scaling = json!({
        "factor": 32.0,
        "high_freq_factor": 4.0,
        "low_freq_factor": 1.0,
        "original_max_position_embeddings": 8192,
        "rope_type": "llama3",
    });
    assert_eq!(config["rope_scaling"], scaling);
}

#[test]
fn weights_are_those_of_the_model_the_file_was_made_of() {
    for name in MODELS {
        let (folder, summary) = imported(name);
        check_weights(name, &folder, &summary, &golden(name).weights);
    }
}

#[test]
fn tokenizers_give_the_ids_of_the_models_own() {
    for name in MODELS {
        let (folder, _) = imported(name);
        let tokenizer = Tokenizer::from_folder(&folder.path().join("model")).unwrap();
        let golden = golden(name);
        let mut differ = Vec::new();
        for Case { text, pair, input_ids } in &golden.texts {
            let input = TextInput { text, pair: pair.as_deref() };
            let encodings = tokenizer.encode(&[input], &EncodeOptions::truncated(MAX_LENGTH)).unwrap().encodings;
            if encodings.len() != 1 || &encodings[0].input_ids != input_ids {
                differ.push(format!("{text:?} + {pair:?}: {:?}, not {input_ids:?}", encodings[0].input_ids));
            }
        }
        let (count, first) = (differ.len(), differ.first());
        assert_eq!(count, 0, "{name}: of {} texts; the first is {first:?}", golden.texts.len());
        let config = read_json(&folder, "tokenizer_config.json");
        assert_eq!(config.get("chat_template").and_then(Value::as_str), golden.chat_template.as_deref(), "{name}");
    }
}

#[test]
fn a_folder_has_all_files_and_the_ends_of_generation() {
    let (folder, summary) = imported("smollm");
    let names = fs::read_dir(folder.path().join("model")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    let expected = [
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "special_tokens_map.json",
        "tokenizer.json",
        "tokenizer_config.json",
    ];
    assert_eq!(names, expected);
    assert_eq!(read_json(&folder, "generation_config.json"), json!({ "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 2 }));
    let special = json!({ "bos_token": "<|im_start|>", "eos_token": "<|im_end|>", "pad_token": "<|im_end|>" });
    assert_eq!(read_json(&folder, "special_tokens_map.json"), special);
    assert_eq!((summary.model_type, summary.num_hidden_layers, summary.max_positions), ("llama", 2, Some(256)));
    assert_eq!(summary.notices, Vec::<String>::new());
}

#[test]
fn what_is_supposed_of_an_older_file_is_told() {
    let (_folder, summary) = imported("gpt2");
    let supposed = "tokenizer.ggml.pre, which says how texts are cut into words, is missing; taken for \"gpt-2\", as all models of the family gpt2 do it";
    assert_eq!(summary.notices, [supposed]);
}

#[test]
fn half_the_bits_take_half_the_room() {
    for (dtype, word) in [(WeightDtype::F16, "float16"), (WeightDtype::Bf16, "bfloat16")] {
        let folder = tempfile::tempdir().unwrap();
        let (file, output) = (path("qwen3.gguf"), folder.path().join("model"));
        let summary = import(&ImportRequest { file: &file, output: &output, dtype }).unwrap();
        assert_eq!(fs::metadata(output.join("model.safetensors")).unwrap().len(), summary.size_bytes);
        assert!(summary.size_bytes < 2 * summary.parameter_count as u64 + 5000);
        assert_eq!(read_json(&folder, "config.json")["dtype"], word);
    }
}

#[test]
fn an_output_that_is_in_use_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = path("smollm.gguf");
    let run = |output: &Path| import(&ImportRequest { file: &file, output, dtype: WeightDtype::F32 });
    fs::write(folder.path().join("notes.txt"), "mine").unwrap();
    let error = run(folder.path()).unwrap_err();
    assert!(matches!(error, Error::Import(_)), "{error}");
    assert_eq!(
        error.to_string(),
        format!("{}: the output folder is not empty (it holds \"notes.txt\"); choose another", folder.path().display())
    );
    assert!(matches!(run(&folder.path().join("notes.txt")), Err(Error::Output(OutputError::IsAFile { .. }))));
    let empty = folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    run(&empty).unwrap();
    assert!(empty.join("config.json").is_file());
}

#[test]
fn files_that_are_refused_leave_nothing_behind() {
    let other = |beginning: &str| {
        format!(
            "FILE: no model file that is known here: it begins with {beginning}; accepted: GGUF files, which begin with \"GGUF\", and the .bin and .npz \
             files of Marian"
        )
    };
    assert_eq!(refusal(b"{}"), other("\"{}\""));
    assert_eq!(refusal(b""), other("nothing"));
    assert_eq!(
        refusal(&changed("smollm", b"\x06\0\0\0\0\0\0\0smollm", b"\x06\0\0\0\0\0\0\0olmoo2")),
        "FILE: tokenizer.ggml.pre, which says how texts are cut into words, is \"olmoo2\"; accepted: gpt-2, smollm, llama-bpe, llama3, llama-v3, qwen2, \
         tekken; take a file that names one of these"
    );
    // The weights are refused while they are written: their values are looked at once.
    let mut odd = fs::read(path("smollm.gguf")).unwrap();
    let end = odd.len();
    odd[end - 4..].copy_from_slice(&f32::INFINITY.to_le_bytes());
    let told = refusal(&odd);
    assert!(
        told.starts_with(
            "FILE: its tensors are not those of its architecture: weight \"output_norm.weight\" holds inf at place 31"
        ),
        "{told}"
    );
}
