//! Vocabularies whose parts contradict each other or are of kinds that are not offered. That those of real models give the right ids is in the library's
//! tests/import.rs.

use std::path::Path;

use super::GgufVocabulary;
use crate::{EncodeOptions, TextInput, Tokenizer};

fn texts(all: &[&str]) -> Vec<String> {
    all.iter().map(|text| (*text).to_owned()).collect()
}

fn byte_pairs() -> GgufVocabulary {
    GgufVocabulary {
        model: Some("gpt2".to_owned()),
        pre: Some("gpt-2".to_owned()),
        model_type: "llama".to_owned(),
        tokens: texts(&["a", "b", "ab", "<s>", "</s>", "[PAD5]"]),
        token_types: vec![1, 1, 1, 3, 3, 5],
        merges: texts(&["a b"]),
        bos_token_id: Some(3),
        eos_token_id: Some(4),
        model_max_length: Some(16),
        ..GgufVocabulary::default()
    }
}

fn pieces() -> GgufVocabulary {
    GgufVocabulary {
        model: Some("llama".to_owned()),
        tokens: texts(&["<unk>", "<s>", "</s>", "<0x41>", "a", "b", "▁", "▁a", "ab", "▁ab"]),
        token_types: vec![2, 3, 3, 6, 1, 1, 1, 1, 1, 1],
        scores: vec![0.0, 0.0, 0.0, 0.0, -5.0, -6.0, -7.0, -2.0, -1.0, -3.0],
        merges: Vec::new(),
        bos_token_id: Some(1),
        eos_token_id: Some(2),
        ..byte_pairs()
    }
}

fn ids(vocabulary: &GgufVocabulary, text: &str, pair: Option<&str>) -> Vec<u32> {
    let tokenizer = Tokenizer::from_gguf(Path::new("model.gguf"), vocabulary).unwrap();
    let encodings = tokenizer.encode(&[TextInput { text, pair }], &EncodeOptions::truncated(16)).unwrap();
    encodings.encodings[0].input_ids.clone()
}

#[test]
fn the_beginning_and_the_end_go_around_texts_where_they_are_asked_for() {
    let framed = |add_bos_token, add_eos_token| GgufVocabulary { add_bos_token, add_eos_token, ..byte_pairs() };
    assert_eq!(ids(&framed(None, None), "ab<s>", None), [2, 3]);
    assert_eq!(ids(&framed(Some(true), None), "ab", Some("b")), [3, 2, 3, 1]);
    assert_eq!(ids(&framed(Some(true), Some(true)), "ab", Some("b")), [3, 2, 4, 3, 1, 4]);
    let pieces = |add_bos_token| GgufVocabulary { add_bos_token, ..pieces() };
    assert_eq!(ids(&pieces(None), "ab", None), [1, 9]);
    assert_eq!(ids(&pieces(Some(false)), "ab", None), [9]);
}

#[test]
fn pieces_fall_back_to_bytes_and_then_to_the_unknown() {
    assert_eq!(ids(&pieces(), "aAü", None), [1, 7, 3, 0]);
    let bare = GgufVocabulary { add_space_prefix: Some(false), ..pieces() };
    assert_eq!(ids(&bare, "ab ab", None), [1, 8, 9]);
}

#[test]
fn fillers_of_a_vocabulary_are_no_tokens() {
    let tokenizer = Tokenizer::from_gguf(Path::new("model.gguf"), &byte_pairs()).unwrap();
    assert_eq!((tokenizer.vocabulary_size(), tokenizer.token(5)), (5, None));
}

#[test]
fn several_chat_templates_are_listed_by_name() {
    let named_chat_templates = vec![("rag".to_owned(), "{{ documents }}".to_owned())];
    let vocabulary = GgufVocabulary { chat_template: Some("{{ messages }}".to_owned()), named_chat_templates, ..byte_pairs() };
    let folder = tempfile::tempdir().unwrap();
    Tokenizer::from_gguf(Path::new("model.gguf"), &vocabulary).unwrap().save(folder.path()).unwrap();
    let config = std::fs::read_to_string(folder.path().join("tokenizer_config.json")).unwrap();
    let config: serde_json::Value = serde_json::from_str(&config).unwrap();
    let expected = serde_json::json!([
        { "name": "default", "template": "{{ messages }}" },
        { "name": "rag", "template": "{{ documents }}" },
    ]);
    assert_eq!(config["chat_template"], expected);
}

#[test]
fn vocabularies_that_contradict_themselves_are_refused() {
    let with = |base: GgufVocabulary, change: fn(&mut GgufVocabulary)| {
        let mut vocabulary = base;
        change(&mut vocabulary);
        let told = Tokenizer::from_gguf(Path::new("model.gguf"), &vocabulary).unwrap_err().to_string();
        told.strip_prefix("model.gguf: ").unwrap().to_owned()
    };
    let cases: [(String, &str); 18] = [
        (with(byte_pairs(), |v| v.model = None), "tokenizer.ggml.model is missing; accepted: gpt2, llama"),
        (with(byte_pairs(), |v| v.model = Some("t5".into())), "tokenizer.ggml.model is \"t5\"; accepted: gpt2, llama"),
        (with(byte_pairs(), |v| v.tokens.clear()), "tokenizer.ggml.tokens is missing or empty: the file has no vocabulary"),
        (with(byte_pairs(), |v| v.token_types.truncate(5)), "tokenizer.ggml.token_type has 5 values for 6 tokens"),
        (with(byte_pairs(), |v| v.scores = vec![0.0]), "tokenizer.ggml.scores has 1 values for 6 tokens"),
        (with(byte_pairs(), |v| v.token_types[2] = 9), "tokenizer.ggml.token_type of token 2 is 9; accepted: 1 to 6"),
        (with(byte_pairs(), |v| v.tokens[1] = "a".into()), "the tokens 0 and 1 are both \"a\""),
        (with(byte_pairs(), |v| v.tokens[1] = "x".repeat(5000)), "token 1 has 5000 bytes; accepted: up to 4096"),
        (with(byte_pairs(), |v| v.eos_token_id = Some(6)), "tokenizer.ggml.eos_token_id is 6; accepted: ids of the 6 tokens"),
        (
            with(byte_pairs(), |v| (v.add_bos_token, v.bos_token_id) = (Some(true), None)),
            "tokenizer.ggml.add_bos_token is on, but tokenizer.ggml.bos_token_id is missing",
        ),
        (
            with(byte_pairs(), |v| (v.add_bos_token, v.bos_token_id) = (Some(true), Some(5))),
            "tokenizer.ggml.add_bos_token is on, but tokenizer.ggml.bos_token_id is 5, which fills the vocabulary up and is no token",
        ),
        (
            with(byte_pairs(), |v| v.merges[0] = "a  b".into()),
            "tokenizer.ggml.merges: merge 0: \"a  b\" is not two tokens with a blank between them",
        ),
        (with(byte_pairs(), |v| v.merges.push("b a".into())), "tokenizer.ggml.merges: merge 1: \"ba\" is not among the tokens"),
        (
            with(byte_pairs(), |v| v.pre = None),
            "tokenizer.ggml.pre, which says how texts are cut into words, is missing; accepted: gpt-2, smollm, llama-bpe, llama3, llama-v3, qwen2, tekken; \
             take a file that names one of these",
        ),
        (
            with(byte_pairs(), |v| v.add_space_prefix = Some(true)),
            "tokenizer.ggml.add_space_prefix is true; accepted for byte pairs: false",
        ),
        (
            with(pieces(), |v| v.remove_extra_whitespaces = Some(true)),
            "tokenizer.ggml.remove_extra_whitespaces is true; accepted: false",
        ),
        (
            with(pieces(), |v| v.scores.clear()),
            "tokenizer.ggml.scores is missing: without scores nothing says which pieces are merged first",
        ),
        (with(pieces(), |v| v.scores[4] = f32::NAN), "tokenizer.ggml.scores of token 4 is NaN"),
    ];
    for (told, expected) in cases {
        assert_eq!(told, expected);
    }
}
