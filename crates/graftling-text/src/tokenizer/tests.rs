//! Bad tokenizer folders, settings, truncation at its edges, and hostile texts. The ids themselves are checked against
//! transformers in tests/tokenization_parity.rs.

use std::fs;
use std::path::Path;

use super::{EncodeOptions, TextInput, Tokenizer, TruncationReport};

const VOCABULARY: &str = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\n##a\nword\n";

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        fs::write(folder.path().join(name), content).unwrap();
    }
    folder
}

fn tokenizer(config: &str) -> Tokenizer {
    let folder = folder(&[("vocab.txt", VOCABULARY), ("tokenizer_config.json", config)]);
    Tokenizer::from_folder(folder.path()).unwrap()
}

fn ids(tokenizer: &Tokenizer, text: &str, pair: Option<&str>, max_length: usize) -> Vec<u32> {
    let encodings = tokenizer.encode(&[TextInput { text, pair }], &EncodeOptions::truncated(max_length)).unwrap();
    encodings.encodings[0].input_ids.clone()
}

#[test]
fn a_folder_without_a_usable_tokenizer_is_refused() {
    let cases: [(&[(&str, &str)], &str); 18] = [
        (
            &[("sentencepiece.bpe.model", "x"), ("tokenizer_config.json", "{\"tokenizer_class\": \"NllbTokenizer\"}")],
            "{folder}: no tokenizer here: there is no tokenizer.json, and of its class no other file is read; \
             found \"sentencepiece.bpe.model\", which transformers turns into a tokenizer.json when it saves the tokenizer",
        ),
        (
            &[],
            "{folder}: no tokenizer here: neither tokenizer.json, vocab.txt, vocab.json with merges.txt, nor a SentencePiece model",
        ),
        (
            &[("target.spm", ""), ("vocab.json", "")],
            "{folder}: no tokenizer here: neither tokenizer.json, vocab.txt, vocab.json with merges.txt, nor a SentencePiece model; \
             found \"vocab.json\", \"target.spm\", which transformers turns into a tokenizer.json when it saves the tokenizer",
        ),
        (
            &[("vocab.txt", VOCABULARY), ("config.json", "{\"model_type\": \"roberta\"}")],
            "{folder}: no tokenizer here: neither tokenizer.json nor vocab.json with merges.txt; \
             found \"vocab.txt\", which transformers turns into a tokenizer.json when it saves the tokenizer; \
             a vocab.txt of BERT's kind is read as it is where tokenizer_config.json says \"tokenizer_class\": \"BertTokenizer\"",
        ),
        (
            &[("vocab.json", "{}"), ("merges.txt", "")],
            "{folder}/vocab.json: a vocabulary alone does not tell how texts are cut; tokenizer_class in tokenizer_config.json must \
             name one of {classes}, or model_type in config.json a model that uses one",
        ),
        (
            &[("spiece.model", "x"), ("tokenizer_config.json", "{\"tokenizer_class\": \"MyTokenizer\"}")],
            "{folder}/spiece.model: a vocabulary alone does not tell how texts are cut; tokenizer_class in tokenizer_config.json is \
             \"MyTokenizer\" and must name one of {classes}",
        ),
        (
            &[("vocab.txt", VOCABULARY), ("tokenizer_config.json", "{\"tokenizer_class\": \"BertJapaneseTokenizer\"}")],
            "{folder}/vocab.txt: a vocabulary alone does not tell how texts are cut; tokenizer_class in tokenizer_config.json is \
             \"BertJapaneseTokenizer\" and must name one of {classes}",
        ),
        (
            &[
                ("vocab.txt", VOCABULARY),
                ("config.json", "{\"model_type\": \"bert\", \"tokenizer_class\": \"BertJapaneseTokenizer\"}"),
            ],
            "{folder}/vocab.txt: a vocabulary alone does not tell how texts are cut; tokenizer_class in config.json is \
             \"BertJapaneseTokenizer\" and must name one of {classes}",
        ),
        (&[("vocab.txt", "")], "{folder}/vocab.txt: the vocabulary is empty"),
        (&[("vocab.txt", "[PAD]\n[UNK]\n[CLS]\na\n")], "{folder}/vocab.txt: the vocabulary lacks the sep_token \"[SEP]\""),
        (
            &[("vocab.txt", VOCABULARY), ("tokenizer_config.json", "{\"unk_token\": {\"content\": \"<unk>\"}}")],
            "{folder}/vocab.txt: the vocabulary lacks the unk_token \"<unk>\"",
        ),
        (
            &[("vocab.txt", VOCABULARY), ("special_tokens_map.json", "{\"cls_token\": \"<s>\"}")],
            "{folder}/vocab.txt: the vocabulary lacks the cls_token \"<s>\"",
        ),
        (
            &[("vocab.txt", VOCABULARY), ("tokenizer_config.json", "{\"sep_token\": 3}")],
            "{folder}/tokenizer_config.json: \"sep_token\" is 3; accepted: a string, or an object with \"content\"",
        ),
        (
            &[("vocab.txt", VOCABULARY), ("tokenizer_config.json", "{\"do_lower_case\": \"yes\"}")],
            "{folder}/tokenizer_config.json: \"do_lower_case\" is \"yes\"; accepted: true, false",
        ),
        (
            &[("vocab.txt", VOCABULARY), ("tokenizer_config.json", "{\"truncation_side\": \"middle\"}")],
            "{folder}/tokenizer_config.json: \"truncation_side\" is \"middle\"; accepted: \"right\", \"left\"",
        ),
        (
            &[("vocab.txt", VOCABULARY), ("tokenizer_config.json", "{\"model_max_length\": -1}")],
            "{folder}/tokenizer_config.json: \"model_max_length\" is -1; accepted: a whole number from 1",
        ),
        (&[("vocab.txt", VOCABULARY), ("tokenizer_config.json", "[]")], "{folder}/tokenizer_config.json: holds no JSON object"),
        (
            &[("tokenizer.json", "{\"version\": \"1.0\"}")],
            "{folder}/tokenizer.json: not a tokenizer: Model missing. at line 1 column 18",
        ),
    ];
    for (files, expected) in cases {
        let folder = folder(files);
        let message = Tokenizer::from_folder(folder.path()).unwrap_err().to_string();
        let classes = "BertTokenizer, ElectraTokenizer, MobileBertTokenizer, DistilBertTokenizer, MPNetTokenizer, RobertaTokenizer, \
            BartTokenizer, LongformerTokenizer, GPT2Tokenizer, DebertaTokenizer, XLMRobertaTokenizer, CamembertTokenizer, \
            AlbertTokenizer, DebertaV2Tokenizer, T5Tokenizer, MarianTokenizer, MBartTokenizer, MBart50Tokenizer, NllbTokenizer";
        let expected = expected.replace("{folder}", &folder.path().display().to_string()).replace("{classes}", classes);
        assert_eq!(message, expected);
    }
    let missing = Tokenizer::from_folder(Path::new("/no/such/folder")).unwrap_err().to_string();
    assert_eq!(missing, "/no/such/folder: no such file");
}

#[test]
fn bad_byte_level_vocabularies_are_refused() {
    let whole = "{\"<s>\": 0, \"</s>\": 1, \"<unk>\": 2, \"<pad>\": 3, \"a\": 4, \"b\": 5, \"ab\": 6}";
    let merges = "#version: 0.2\na b\n";
    let cases = [
        ("[]", merges, "", "{folder}/vocab.json: holds no JSON object of tokens and their ids"),
        ("{", merges, "", "{folder}/vocab.json: not JSON: EOF while parsing an object at line 1 column 1"),
        ("{}", merges, "", "{folder}/vocab.json: the vocabulary is empty"),
        (
            "{\"a\": -1}",
            "",
            "",
            "{folder}/vocab.json: the id of the token \"a\" is -1; accepted are whole numbers from 0 below 16777216",
        ),
        (
            "{\"a\": 4294967296}",
            "",
            "",
            "{folder}/vocab.json: the id of the token \"a\" is 4294967296; accepted are whole numbers from 0 below 16777216",
        ),
        ("{\"a\": 1, \"b\": 1}", "", "", "{folder}/vocab.json: the tokens \"a\" and \"b\" have one id, 1"),
        (whole, "a b\nab\n", "", "{folder}/merges.txt: line 2: \"ab\" is not two tokens with a blank between them"),
        (whole, "a b c\n", "", "{folder}/merges.txt: line 1: \"a b c\" is not two tokens with a blank between them"),
        (whole, "a c\n", "", "{folder}/merges.txt: line 1: the token \"c\" is not in vocab.json"),
        (whole, "ab ab\n", "", "{folder}/merges.txt: line 1: the token \"abab\" is not in vocab.json"),
        (whole, merges, "\"cls_token\": \"[CLS]\"", "{folder}/vocab.json: the vocabulary lacks the cls_token \"[CLS]\""),
        (
            whole,
            merges,
            "\"add_prefix_space\": 1",
            "{folder}/tokenizer_config.json: \"add_prefix_space\" is 1; accepted: true, false",
        ),
    ];
    for (vocabulary, merges, setting, expected) in cases {
        let config =
            format!("{{\"tokenizer_class\": \"RobertaTokenizer\"{}{setting}}}", if setting.is_empty() { "" } else { ", " });
        let folder = folder(&[("vocab.json", vocabulary), ("merges.txt", merges), ("tokenizer_config.json", &config)]);
        let message = Tokenizer::from_folder(folder.path()).unwrap_err().to_string();
        let place = folder.path().display().to_string();
        assert_eq!(message.replace(&place, "{folder}"), expected, "{vocabulary} {merges} {setting}");
    }
}

#[test]
fn token_types_are_left_out_where_settings_or_class_say_so() {
    let types = |config: &str, model: &str| {
        let folder = folder(&[("vocab.txt", VOCABULARY), ("tokenizer_config.json", config), ("config.json", model)]);
        let tokenizer = Tokenizer::from_folder(folder.path()).unwrap();
        let input = TextInput { text: "a", pair: Some("b") };
        let encodings = tokenizer.encode(&[input], &EncodeOptions::truncated(8)).unwrap();
        encodings.encodings[0].token_type_ids.iter().sum::<u32>()
    };
    let cases = [
        ("{}", "{}", 2),
        ("{}", "not json", 2),
        ("{}", "{\"model_type\": \"electra\"}", 2),
        ("{}", "{\"model_type\": \"ernie\"}", 2),
        ("{}", "{\"model_type\": \"distilbert\"}", 0),
        ("{\"tokenizer_class\": \"DistilBertTokenizerFast\"}", "{}", 0),
        ("{\"tokenizer_class\": \"BertTokenizer\"}", "{\"model_type\": \"distilbert\"}", 2),
        ("{\"model_input_names\": [\"input_ids\", \"attention_mask\"]}", "{}", 0),
        ("{\"model_input_names\": [\"token_type_ids\"]}", "{\"model_type\": \"distilbert\"}", 2),
    ];
    for (config, model, expected) in cases {
        assert_eq!(types(config, model), expected, "{config} {model}");
    }
}

#[test]
fn a_class_may_stand_in_the_config_of_the_model() {
    let model = "{\"model_type\": \"albert\", \"tokenizer_class\": \"BertTokenizer\"}";
    let folder = folder(&[("vocab.txt", VOCABULARY), ("config.json", model)]);
    assert_eq!(ids(&Tokenizer::from_folder(folder.path()).unwrap(), "a", None, 8), ids(&tokenizer("{}"), "a", None, 8));
}

#[test]
fn added_tokens_that_are_not_looked_for_are_told() {
    let added = |files: &[(&str, &str)]| {
        let folder = folder(&[&[("vocab.txt", VOCABULARY)], files].concat());
        Tokenizer::from_folder(folder.path()).unwrap().notices().to_vec()
    };
    assert!(added(&[]).is_empty());
    assert!(added(&[("added_tokens.json", "{\"[SEP]\": 3}")]).is_empty(), "it has a role, and is looked for");
    let cases = [
        ("added_tokens.json", "{\"<e1>\": 60, \"<e2>\": 61}"),
        ("special_tokens_map.json", "{\"additional_special_tokens\": [\"<e2>\", {\"content\": \"<e1>\"}]}"),
        ("tokenizer_config.json", "{\"additional_special_tokens\": [\"<e1>\", \"<e2>\"]}"),
        ("tokenizer_config.json", "{\"added_tokens_decoder\": {\"5\": {\"content\": \"<e1>\"}, \"6\": {\"content\": \"<e2>\"}}}"),
    ];
    for case in cases {
        let notices = added(&[case]);
        assert!(
            notices.len() == 1 && notices[0].contains("taken apart: \"<e1>\", \"<e2>\"; transformers reads them"),
            "{notices:?}"
        );
    }
}

#[test]
fn a_vocabulary_that_is_not_utf8_is_refused_with_the_place() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("vocab.txt"), b"[PAD]\nab\xFF\n").unwrap();
    let message = Tokenizer::from_folder(folder.path()).unwrap_err().to_string();
    assert!(message.contains("vocab.txt:2: invalid UTF-8 at byte 8 (0xFF)"), "{message}");
}

#[test]
fn the_longest_input_is_read_where_there_is_a_limit() {
    let cases = [
        ("{}", None),
        ("{\"model_max_length\": 512}", Some(512)),
        ("{\"model_max_length\": 512.0}", Some(512)),
        ("{\"model_max_length\": null}", None),
        ("{\"model_max_length\": 1000000000000000019884624838656}", None),
        ("{\"model_max_length\": 1e30}", None),
    ];
    for (config, expected) in cases {
        assert_eq!(tokenizer(config).model_max_length(), expected, "{config}");
    }
}

#[test]
fn saving_keeps_what_it_does_not_know_and_adds_what_transformers_needs() {
    let saved = tempfile::tempdir().unwrap();
    let mut tokenizer = tokenizer("{\"do_lower_case\": false, \"mine\": [1], \"model_max_length\": 1e30}");
    let read = |name: &str| -> serde_json::Value {
        serde_json::from_str(&fs::read_to_string(saved.path().join(name)).unwrap()).unwrap()
    };
    tokenizer.save(saved.path()).unwrap();
    assert_eq!(read("tokenizer_config.json").get("model_max_length"), None);
    tokenizer.set_model_max_length(128);
    tokenizer.save(saved.path()).unwrap();
    let expected = serde_json::json!({
        "do_lower_case": false, "mine": [1], "model_max_length": 128, "tokenizer_class": "BertTokenizer",
        "tokenize_chinese_chars": true, "strip_accents": null,
        "unk_token": "[UNK]", "sep_token": "[SEP]", "pad_token": "[PAD]", "cls_token": "[CLS]", "mask_token": "[MASK]"
    });
    assert_eq!(read("tokenizer_config.json"), expected);
    let special = serde_json::json!({
        "unk_token": "[UNK]", "sep_token": "[SEP]", "pad_token": "[PAD]", "cls_token": "[CLS]", "mask_token": "[MASK]"
    });
    assert_eq!(read("special_tokens_map.json"), special);
    let json = read("tokenizer.json");
    assert_eq!((&json["truncation"], &json["padding"]), (&serde_json::Value::Null, &serde_json::Value::Null));
    assert_eq!(fs::read_to_string(saved.path().join("vocab.txt")).unwrap(), VOCABULARY);
    assert_eq!(Tokenizer::from_folder(saved.path()).unwrap().model_max_length(), Some(128));
}

#[test]
fn saving_into_a_folder_that_is_not_there_is_refused() {
    let message = tokenizer("{}").save(Path::new("/no/such/folder")).unwrap_err().to_string();
    assert!(message.starts_with("/no/such/folder/tokenizer.json: cannot create: "), "{message}");
}

#[test]
fn the_maximal_length_counts_the_special_tokens() {
    let tokenizer = tokenizer("{}");
    assert_eq!(ids(&tokenizer, "a b a", None, 4), [2, 5, 6, 3]);
    assert_eq!(ids(&tokenizer, "a b", Some("b b b b"), 7), [2, 5, 6, 3, 6, 6, 3]);
    let refused = |pair| {
        let input = TextInput { text: "a", pair };
        tokenizer.encode(&[input], &EncodeOptions::truncated(2)).unwrap_err().to_string()
    };
    let expected = |special: usize| {
        format!(
            "max_length 2 leaves no room for text: this tokenizer adds {special} special tokens; at least {} is needed",
            special + 1
        )
    };
    assert_eq!((refused(None), refused(Some("b"))), (expected(2), expected(3)));
}

#[test]
fn what_was_cut_is_counted_and_worded() {
    let tokenizer = tokenizer("{}");
    let inputs = ["a", "a b a b", "a b a b a b"].map(|text| TextInput { text, pair: None });
    let cut = tokenizer.encode(&inputs, &EncodeOptions::truncated(5)).unwrap().truncation;
    let expected = TruncationReport {
        texts: 3,
        truncated_texts: 2,
        tokens: 13,
        cut_tokens: 4,
        max_length: 5,
        longest_tokens: 8,
        cut_completions: 0,
        ..TruncationReport::default()
    };
    assert_eq!(cut, expected);
    assert_eq!(cut.to_string(), "2 of 3 texts cut to 5 tokens: 4 tokens (23.5 %) are lost, the longest text has 8");
    let whole = tokenizer.encode(&inputs, &EncodeOptions::truncated(8)).unwrap().truncation;
    assert_eq!(whole.to_string(), "3 texts, 17 tokens, longest 8; none is cut");
    assert_eq!(tokenizer.encode(&[], &EncodeOptions::truncated(8)).unwrap().encodings, []);
}

#[test]
fn special_tokens_in_a_text_are_taken_as_such_unless_settings_say_otherwise() {
    assert_eq!(ids(&tokenizer("{}"), "a [SEP] b", None, 16), [2, 5, 3, 6, 3]);
    assert_eq!(ids(&tokenizer("{\"split_special_tokens\": true}"), "a [SEP] b", None, 16), [2, 5, 1, 1, 1, 6, 3]);
}

#[test]
fn the_vocabulary_size_covers_every_id() {
    let tokenizer = tokenizer("{}");
    assert_eq!((tokenizer.vocabulary_size(), tokenizer.token(8), tokenizer.token(9)), (9, Some("word".into()), None));
}

/// Work that grows with the square of the length would take hours here, not a moment: no clock is needed to see it.
#[test]
fn a_megabyte_of_one_hostile_character_is_encoded_to_its_first_tokens() {
    let tokenizer = tokenizer("{}");
    for unit in ["a", "\u{301}", "\u{323}\u{301}", "a ", "[", "好"] {
        let text = unit.repeat((1 << 20) / unit.len());
        let encoded = tokenizer.encode(&[TextInput { text: &text, pair: None }], &EncodeOptions::truncated(64)).unwrap();
        let encoding = &encoded.encodings[0];
        assert!(encoding.input_ids.len() <= 64 && encoding.input_ids.first() == Some(&2), "{unit:?}: {:?}", encoding.input_ids);
    }
}

#[test]
fn every_prefix_and_every_flipped_byte_of_a_tokenizer_is_read_or_refused() {
    let saved = tempfile::tempdir().unwrap();
    tokenizer("{}").save(saved.path()).unwrap();
    let whole = fs::read(saved.path().join("tokenizer.json")).unwrap();
    let input = TextInput { text: "a word [SEP]", pair: Some("b") };
    let (mut read, mut refused) = (0, 0);
    let mut attempt = |bytes: &[u8]| {
        fs::write(saved.path().join("tokenizer.json"), bytes).unwrap();
        let tried =
            Tokenizer::from_folder(saved.path()).and_then(|tokenizer| tokenizer.encode(&[input], &EncodeOptions::truncated(16)));
        *(if tried.is_ok() { &mut read } else { &mut refused }) += 1;
    };
    for end in (0..whole.len()).step_by(11) {
        attempt(&whole[..end]);
    }
    for place in (0..whole.len()).step_by(5) {
        let mut flipped = whole.clone();
        flipped[place] ^= 1 << (place % 7);
        attempt(&flipped);
    }
    assert!(read > 0 && refused > 0, "{read} read, {refused} refused");
}
