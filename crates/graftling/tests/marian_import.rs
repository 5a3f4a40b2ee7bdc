//! Model files of Marian in every form become the folders of the student that they hold: config, weights, tokenizer.
//! The golden files are made by tools/reference/marian_import.py. Knows nothing of how a file is read.

mod imported;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use graftling::{Error, GenerationOptions, Generator, ImportRequest, Imported, WeightDtype, import};
use graftling_text::{EncodeOptions, TextInput, Tokenizer};
use imported::{Weight, check_weights, read_json};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

/// The types of tensors, with how many there are of each.
type Types = &'static [(&'static str, usize)];

/// Each file, the weights that it holds, and the types of its tensors.
const FILES: [(&str, &str, Types); 5] = [
    ("student.npz", "float32", &[("float32", 55)]),
    ("deflated.npz", "float32", &[("float32", 55)]),
    ("float32.bin", "float32", &[("float32", 55)]),
    ("mixed.bin", "mixed", &[("float32", 35), ("intgemm8", 20)]),
    ("intgemm8.bin", "intgemm8", &[("float32", 34), ("intgemm8", 21)]),
];
const VOCABULARY: &str = "../graftling-text/tests/golden/vocabularies/marian-source.model";

#[derive(Deserialize)]
struct Golden {
    config: Map<String, Value>,
    float32: BTreeMap<String, Weight>,
    mixed: BTreeMap<String, Weight>,
    intgemm8: BTreeMap<String, Weight>,
    /// Of the student with a vocabulary and a table for each language.
    config_of_two: Map<String, Value>,
    two_tables: BTreeMap<String, Weight>,
    texts: Vec<Case>,
    written: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    text: String,
    input_ids: Vec<u32>,
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/marian").join(name)
}

fn vocabulary(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(VOCABULARY).with_file_name(name)
}

fn golden() -> Golden {
    serde_json::from_reader(GzDecoder::new(fs::File::open(path("expected.json.gz")).unwrap())).unwrap()
}

/// A folder with a model file, under its own name, and vocabularies under those that are given.
fn with_files(model: &str, bytes: &[u8], vocabularies: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(model), bytes).unwrap();
    for (name, from) in vocabularies {
        fs::copy(vocabulary(from), folder.path().join(name)).unwrap();
    }
    folder
}

fn run(folder: &TempDir, model: &str, dtype: WeightDtype) -> Result<Imported, Error> {
    let (file, output) = (folder.path().join(model), folder.path().join("model"));
    import(&ImportRequest { file: &file, output: &output, dtype })
}

fn imported(model: &str) -> (TempDir, Imported) {
    let folder = with_files(model, &fs::read(path(model)).unwrap(), &[("vocab.spm", "marian-source.model")]);
    let imported = run(&folder, model, WeightDtype::F32).unwrap_or_else(|error| panic!("{model}: {error}"));
    (folder, imported)
}

/// What importing this file says, with nothing left behind.
fn refusal(model: &str, bytes: &[u8], vocabularies: &[(&str, &str)]) -> String {
    let folder = with_files(model, bytes, vocabularies);
    let error = run(&folder, model, WeightDtype::F32).expect_err("it is refused");
    assert!(!folder.path().join("model").exists(), "nothing is left: {error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1 + vocabularies.len(), "nothing is left: {error}");
    error.to_string().replace(&format!("{}/", folder.path().display()), "").replace(&folder.path().display().to_string(), "HERE")
}

#[test]
fn configs_say_what_the_settings_of_marian_do() {
    for (model, ..) in FILES {
        let (folder, summary) = imported(model);
        assert_eq!(read_json(&folder, "config.json"), Value::Object(golden().config), "{model}");
        assert_eq!((summary.model_type, summary.num_hidden_layers, summary.decoder_layers), ("marian-ssru", 2, Some(1)));
        assert_eq!((summary.max_positions, summary.notices), (None, Vec::new()), "{model}");
    }
}

#[test]
fn weights_are_those_that_the_file_was_made_of() {
    let golden = golden();
    for (model, kind, types) in FILES {
        let (folder, summary) = imported(model);
        let expected = match kind {
            "float32" => &golden.float32,
            "mixed" => &golden.mixed,
            _ => &golden.intgemm8,
        };
        check_weights(model, &folder, &summary, expected);
        assert_eq!(summary.types, types, "{model}");
    }
}

fn check_texts(tokenizer: &Tokenizer, cases: &[Case]) {
    for Case { text, input_ids } in cases {
        let input = TextInput { text, pair: None };
        let encodings = tokenizer.encode(&[input], &EncodeOptions::truncated(1000)).unwrap().encodings;
        assert_eq!(&encodings[0].input_ids, input_ids, "{text:?}");
    }
}

#[test]
fn each_language_may_have_its_own_vocabulary_and_table() {
    let model = "two_tables.npz";
    let vocabularies = [("srcvocab.enzh.spm", "marian-source.model"), ("trgvocab.enzh.spm", "marian-target.model")];
    let folder = with_files(model, &fs::read(path(model)).unwrap(), &vocabularies);
    let summary = run(&folder, model, WeightDtype::F32).unwrap();
    let golden = golden();
    assert_eq!(read_json(&folder, "config.json"), Value::Object(golden.config_of_two));
    check_weights(model, &folder, &summary, &golden.two_tables);
    let folder_of_model = folder.path().join("model");
    for (name, from) in [("source.spm", "marian-source.model"), ("target.spm", "marian-target.model")] {
        assert_eq!(fs::read(folder_of_model.join(name)).unwrap(), fs::read(vocabulary(from)).unwrap());
    }
    let tokenizer = Tokenizer::from_folder(&folder_of_model).unwrap();
    check_texts(&tokenizer, &golden.texts);
    check_texts(tokenizer.for_targets(), &golden.written);
    assert_eq!(
        (summary.vocabulary_size, summary.written_vocabulary_size),
        (tokenizer.read_vocabulary_size(), Some(tokenizer.for_targets().read_vocabulary_size()))
    );
    assert_eq!(summary.notices, Vec::<String>::new());
    let generator = Generator::load(&folder_of_model).unwrap();
    let options = GenerationOptions { max_new_tokens: Some(5), ..GenerationOptions::default() };
    assert_eq!(generator.generate(&["The house is small."], &options).unwrap().len(), 1);
}

#[test]
fn the_vocabulary_stays_as_it_is_and_gives_the_ids_of_sentencepiece() {
    let (folder, _) = imported("intgemm8.bin");
    let folder_of_model = folder.path().join("model");
    let mut names: Vec<_> =
        fs::read_dir(&folder_of_model).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    let expected =
        ["config.json", "model.safetensors", "source.spm", "special_tokens_map.json", "tokenizer_config.json"].map(str::to_owned);
    assert_eq!(names, expected);
    assert_eq!(fs::read(folder_of_model.join("source.spm")).unwrap(), fs::read(vocabulary("marian-source.model")).unwrap());
    let tokenizer = Tokenizer::from_folder(&folder_of_model).unwrap();
    check_texts(&tokenizer, &golden().texts);
}

#[test]
fn an_imported_student_writes() {
    let (folder, _) = imported("student.npz");
    let generator = Generator::load(&folder.path().join("model")).unwrap();
    let options = GenerationOptions { max_new_tokens: Some(5), ..GenerationOptions::default() };
    let generated = generator.generate(&["The house is small."], &options).unwrap();
    assert_eq!(generated.len(), 1);
}

#[test]
fn what_ends_a_text_is_what_the_vocabulary_says() {
    // Its pieces are fewer than the embeddings, and its end has the id 2.
    let model = "float32.bin";
    let folder = with_files(model, &fs::read(path(model)).unwrap(), &[("vocab.spm", "marian-bare.model")]);
    let summary = run(&folder, model, WeightDtype::F16).unwrap();
    let config = read_json(&folder, "config.json");
    assert_eq!((&config["eos_token_id"], &config["unk_token_id"], &config["dtype"]), (&json!(2), &json!(0), &json!("float16")));
    let tokens = Tokenizer::from_folder(&folder.path().join("model")).unwrap().vocabulary_size();
    let rows = summary.vocabulary_size;
    assert!(tokens < rows);
    let expected = format!("vocab.spm has {tokens} tokens, the model embeddings for {rows}; what no token has is never read");
    assert_eq!(summary.notices, [expected]);
}

#[test]
fn copies_of_one_vocabulary_are_one() {
    let model = "mixed.bin";
    let copies = [("vocab.en.spm", "marian-source.model"), ("vocab.pt.spm", "marian-source.model")];
    let folder = with_files(model, &fs::read(path(model)).unwrap(), &copies);
    run(&folder, model, WeightDtype::Bf16).unwrap();
}

#[test]
fn vocabularies_that_do_not_fit_are_refused() {
    let bytes = fs::read(path("float32.bin")).unwrap();
    let cases: [(&[(&str, &str)], &str); 4] = [
        (
            &[],
            "model.bin: no vocabulary beside it: Marian's students have a SentencePiece model (.spm) for both languages, or one for each; put it into \
             HERE",
        ),
        (
            &[("vocab.en.spm", "marian-source.model"), ("vocab.zh.spm", "marian-target.model")],
            "model.bin: several vocabularies beside it (vocab.en.spm, vocab.zh.spm); accepted: one SentencePiece model (.spm) that both languages \
             share, or one for each, which are called source.spm and target.spm (or srcvocab and trgvocab and whatever follows); put the model file \
             and its vocabulary into a folder of their own",
        ),
        (
            &[("srcvocab.spm", "marian-source.model"), ("trgvocab.spm", "marian-target.model")],
            "model.bin: the model has one table of embeddings for both languages, but two vocabularies lie beside it (srcvocab.spm, trgvocab.spm); \
             keep the one that belongs to it",
        ),
        (
            &[("vocab.spm", "marian-student.model")],
            "vocab.spm: the tokenizer has ids up to 699 but the model has embeddings for 420 only",
        ),
    ];
    for (vocabularies, expected) in cases {
        assert_eq!(refusal("model.bin", &bytes, vocabularies), expected);
    }
    let folder = with_files("model.bin", &bytes, &[]);
    fs::write(folder.path().join("vocab.spm"), "no model").unwrap();
    let told = run(&folder, "model.bin", WeightDtype::F32).unwrap_err().to_string();
    assert!(told.contains("vocab.spm: "), "{told}");
}

#[test]
fn damage_is_found_while_weights_are_written_and_leaves_nothing() {
    let vocabularies = [("vocab.spm", "marian-source.model")];
    // A value in an entry of the archive: its checksum no longer fits.
    let mut bytes = fs::read(path("student.npz")).unwrap();
    let place = bytes.windows(12).position(|window| window == b"decoder_l1_c").unwrap() + 200;
    bytes[place] ^= 1;
    let told = refusal("student.npz", &bytes, &vocabularies);
    assert!(told.starts_with("student.npz: the entry \"decoder_l1_context_W"), "{told}");
    assert!(told.ends_with("fetch or copy it again"), "{told}");
    // The last values of a .bin are those of the settings; before them stand a norm's.
    let mut bytes = fs::read(path("float32.bin")).unwrap();
    let settings = bytes.windows(8).position(|window| window == b"bert-tra").unwrap();
    bytes[settings - 4..settings].copy_from_slice(&f32::NAN.to_le_bytes());
    assert_eq!(
        refusal("float32.bin", &bytes, &vocabularies),
        "float32.bin: its tensors are not those of its architecture: weight \"encoder_l2_self_bv\" holds NaN at place 7; only finite numbers can be \
         used"
    );
}
