//! Tokenizers of encoder-decoders against the golden cases of transformers and sentencepiece: texts that are read, texts that are written,
//! and tokens put together again. Knows nothing of the tokenizer library.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use graftling_text::{EncodeOptions, TextInput, Tokenizer};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

#[derive(Deserialize)]
struct Golden {
    folders: Vec<Folder>,
}

#[derive(Deserialize)]
struct Folder {
    name: String,
    /// SentencePiece models, by the name that they have in the folder.
    files: Map<String, Value>,
    /// The JSON files of the folder.
    jsons: Map<String, Value>,
    special_ids: Vec<u32>,
    texts: Vec<Text>,
    decoded: Vec<Decoded>,
    cut: Vec<Cut>,
}

#[derive(Deserialize)]
struct Text {
    text: String,
    source: Vec<u32>,
    target: Vec<u32>,
    /// Where the pieces of the source stand, without what goes around them.
    offsets: Option<Vec<(usize, usize)>>,
}

#[derive(Deserialize)]
struct Decoded {
    ids: Vec<u32>,
    whole: String,
    /// Without special tokens.
    text: String,
}

#[derive(Deserialize)]
struct Cut {
    text: String,
    max_length: usize,
    source: Vec<u32>,
    target: Vec<u32>,
}

fn golden() -> Vec<Folder> {
    let mut text = String::new();
    GzDecoder::new(fs::File::open(golden_path("translation.json.gz")).unwrap()).read_to_string(&mut text).unwrap();
    serde_json::from_str::<Golden>(&text).unwrap().folders
}

fn named(name: &str) -> Folder {
    golden().into_iter().find(|folder| folder.name == name).unwrap()
}

fn golden_path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

impl Folder {
    fn written(&self) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, source) in &self.files {
            fs::copy(golden_path("vocabularies").join(source.as_str().unwrap()), folder.path().join(name)).unwrap();
        }
        for (name, content) in &self.jsons {
            fs::write(folder.path().join(name), content.to_string()).unwrap();
        }
        folder
    }

    /// The folder with other settings.
    fn with(mut self, file: &str, content: Value) -> Folder {
        self.jsons.insert(file.to_owned(), content);
        self
    }
}

fn ids(tokenizer: &Tokenizer, text: &str, max_length: usize) -> Vec<u32> {
    let encodings = tokenizer.encode(&[TextInput { text, pair: None }], &EncodeOptions::truncated(max_length)).unwrap();
    encodings.encodings[0].input_ids.clone()
}

/// All that a tokenizer makes otherwise than the golden cases.
fn differences(folder: &Folder, tokenizer: &Tokenizer) -> Vec<String> {
    let targets = tokenizer.for_targets();
    let mut told = Vec::new();
    let mut compare = |what: &str, about: &dyn std::fmt::Debug, found: &dyn std::fmt::Debug, expected: &dyn std::fmt::Debug| {
        let (found, expected) = (format!("{found:?}"), format!("{expected:?}"));
        if found != expected {
            told.push(format!("{}, {what} of {about:?}:\n  {found}\n  {expected}", folder.name));
        }
    };
    for case in &folder.texts {
        compare("source", &case.text, &ids(tokenizer, &case.text, usize::MAX), &case.source);
        compare("target", &case.text, &ids(targets, &case.text, usize::MAX), &case.target);
        if let Some(offsets) = &case.offsets {
            let inputs = [TextInput { text: &case.text, pair: None }];
            let found = tokenizer.encode(&inputs, &EncodeOptions::truncated(usize::MAX)).unwrap().encodings.remove(0).offsets;
            compare("offsets", &case.text, &&found[..found.len() - 1], &&offsets[..]);
        }
    }
    for case in &folder.cut {
        compare("cut source", &case.text, &ids(tokenizer, &case.text, case.max_length), &case.source);
        compare("cut target", &case.text, &ids(targets, &case.text, case.max_length), &case.target);
    }
    compare("special tokens", &"all", &targets.special_ids(), &folder.special_ids);
    for case in &folder.decoded {
        compare("all", &case.ids, &targets.text_of(&case.ids, &[]), &case.whole);
        compare("text", &case.ids, &targets.text_of(&case.ids, &targets.special_ids()), &case.text);
    }
    told
}

fn assert_none(differences: &[String]) {
    let first: Vec<&str> = differences.iter().take(12).map(String::as_str).collect();
    assert!(differences.is_empty(), "{} differ\n{}", differences.len(), first.join("\n"));
}

#[test]
fn texts_become_the_ids_of_transformers_and_ids_its_texts() {
    let told: Vec<String> = golden()
        .iter()
        .flat_map(|folder| differences(folder, &Tokenizer::from_folder(folder.written().path()).unwrap()))
        .collect();
    assert_none(&told);
}

#[test]
fn a_saved_folder_gives_the_same_and_keeps_its_models() {
    let mut told = Vec::new();
    for folder in golden() {
        let (written, saved) = (folder.written(), tempfile::tempdir().unwrap());
        Tokenizer::from_folder(written.path()).unwrap().save(saved.path()).unwrap();
        if folder.files.contains_key("source.spm") {
            for name in folder.files.keys().chain(folder.jsons.keys().filter(|name| name.contains("vocab"))) {
                let read = |folder: &TempDir| fs::read(folder.path().join(name)).unwrap();
                assert_eq!(read(&saved), read(&written), "{}: {name}", folder.name);
            }
            assert!(!saved.path().join("tokenizer.json").exists(), "{}", folder.name);
        }
        // Without config.json: what it said of the family must be kept.
        told.extend(differences(&folder, &Tokenizer::from_folder(saved.path()).unwrap()));
    }
    assert_none(&told);
}

#[test]
fn words_that_are_given_know_their_tokens() {
    let tokenizer = Tokenizer::from_folder(named("marian").written().path()).unwrap();
    let words = ["The", "quick", "", "fox.", ">>zh<<"];
    let given = tokenizer.encode_words(&[&words[..]], &EncodeOptions::truncated(64)).unwrap();
    let encoding = &given.encodings[0];
    assert_eq!((given.tokenless_words.words, given.tokenless_words.first), (1, Some((0, 2))));
    let alone = |word: &str| ids(&tokenizer, word, 64);
    let expected: Vec<u32> =
        words.iter().flat_map(|word| alone(word)[..alone(word).len() - 1].to_vec()).chain(alone("")).collect();
    assert_eq!(encoding.input_ids, expected);
    assert!(encoding.word_ids[..encoding.word_ids.len() - 1].is_sorted());
    assert_eq!(encoding.word_ids.last(), Some(&None));
    // Of a pair the end stands once, as in transformers.
    let pair = [TextInput { text: "The", pair: Some("fox.") }];
    let joined = tokenizer.encode(&pair, &EncodeOptions::truncated(64)).unwrap().encodings.remove(0);
    let first = alone("The");
    assert_eq!(joined.input_ids, [&first[..first.len() - 1], &alone("fox.")].concat());
    assert!(joined.token_type_ids.iter().all(|kind| *kind == 0));
}

#[test]
fn bart_cuts_texts_as_roberta_does() {
    let opened = |config: Value| {
        let folder = tempfile::tempdir().unwrap();
        for name in ["vocab.json", "merges.txt"] {
            fs::copy(golden_path("vocabularies").join(name), folder.path().join(name)).unwrap();
        }
        fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
        Tokenizer::from_folder(folder.path()).unwrap()
    };
    let (bart, roberta) = (opened(json!({"model_type": "bart"})), opened(json!({"model_type": "roberta"})));
    for case in named("t5").texts {
        assert_eq!(ids(&bart, &case.text, 512), ids(&roberta, &case.text, 512), "{:?}", case.text);
        assert_eq!(ids(bart.for_targets(), &case.text, 512), ids(&bart, &case.text, 512));
    }
}

#[test]
fn an_embedding_needs_rows_for_the_larger_of_two_vocabularies() {
    for name in ["marian", "marian, two vocabularies", "student, a model for each side"] {
        let tokenizer = Tokenizer::from_folder(named(name).written().path()).unwrap();
        let highest = |tokenizer: &Tokenizer| (0..5000).filter(|id| tokenizer.token(*id).is_some()).max().unwrap() as usize;
        assert_eq!(tokenizer.vocabulary_size(), highest(&tokenizer).max(highest(tokenizer.for_targets())) + 1, "{name}");
    }
}

#[test]
fn languages_are_chosen_and_kept() {
    let folder = named("mbart {}");
    let mut tokenizer = Tokenizer::from_folder(folder.written().path()).unwrap();
    assert_eq!(tokenizer.languages(), Some(("en_XX", "en_XX")));
    tokenizer.set_languages(Some("de_DE"), Some("zh_CN")).unwrap();
    assert_eq!(tokenizer.languages(), Some(("de_DE", "zh_CN")));
    let both = tokenizer.set_languages(Some("xx"), Some("yy")).unwrap_err().to_string();
    assert!(both.contains("no language \"xx\", \"yy\""), "{both}");
    tokenizer.set_languages(Some("de"), None).unwrap();
    let (code, id) = tokenizer.target_language_token().unwrap();
    assert_eq!((code.as_str(), ids(tokenizer.for_targets(), "a", 9).last()), ("zh_CN", Some(&id)));
    let named_languages = golden().into_iter().find(|folder| folder.name.starts_with("mbart {'src")).unwrap();
    assert_none(&differences(&named_languages, &tokenizer));
    let saved = tempfile::tempdir().unwrap();
    tokenizer.save(saved.path()).unwrap();
    let again = Tokenizer::from_folder(saved.path()).unwrap();
    assert_eq!(again.languages(), Some(("de_DE", "zh_CN")));
    assert_none(&differences(&named_languages, &again));
    assert_eq!(tokenizer.known_languages().len(), 25);
    let plain = json!({"model": {"type": "WordLevel", "vocab": {"a": 0, "</s>": 1}, "unk_token": "a"}, "added_tokens": []});
    let mut without_codes = named("mbart {}").with("tokenizer.json", plain);
    without_codes.files.clear();
    assert_eq!(Tokenizer::from_folder(without_codes.written().path()).unwrap().languages(), None);
    let marian = Tokenizer::from_folder(named("marian").written().path()).unwrap();
    assert_eq!(
        (marian.languages(), marian.known_languages()),
        (None, vec![">>cmn_Hans<<".to_owned(), ">>de<<".into(), ">>zh<<".into()])
    );
}

/// What opening a folder says, or choosing a language in it.
fn refused(folder: &Folder, language: Option<&str>) -> String {
    let written = folder.written();
    let opened = Tokenizer::from_folder(written.path());
    let told = opened.and_then(|mut tokenizer| tokenizer.set_languages(None, language)).unwrap_err().to_string();
    told.replace(&written.path().display().to_string(), "{folder}")
}

#[test]
fn languages_that_are_not_there_are_refused() {
    let mbart = || golden().into_iter().find(|folder| folder.name == "mbart {}").unwrap();
    let known = "known are ar_AR, cs_CZ, de_DE, en_XX, es_XX, et_EE, fi_FI, fr_XX, gu_IN, hi_IN, it_IT, ja_XX, kk_KZ, ko_KR, lt_LT, lv_LV, my_MM, \
                 ne_NP, nl_XX, ro_RO, ru_RU, si_LK, tr_TR, vi_VN, zh_CN";
    assert_eq!(
        refused(&mbart(), Some("de_DF")),
        format!("{{folder}}/tokenizer_config.json: no language \"de_DF\" (did you mean \"de_DE\"?); {known}")
    );
    let settings = json!({"tokenizer_class": "MBartTokenizer", "src_lang": "xx"});
    assert_eq!(
        refused(&mbart().with("tokenizer_config.json", settings), None),
        format!("{{folder}}/tokenizer_config.json: no language \"xx\"; {known}")
    );
    assert_eq!(
        refused(&named("marian"), Some("zh")),
        "{folder}/tokenizer_config.json: the language \"zh\" is named, but texts tell it here at their beginning, such as \
         \">>cmn_Hans<< text\"; known are >>cmn_Hans<<, >>de<<, >>zh<<"
    );
    assert_eq!(
        refused(&named("t5"), Some("de_DE")),
        "{folder}/tokenizer_config.json: the language \"de_DE\" is named, but this tokenizer knows no codes of languages: leave it out"
    );
}

#[test]
fn files_that_do_not_go_together_are_refused() {
    let told = |folder: Folder| refused(&folder, None);
    let marian = || named("marian");
    let mut without_target = marian();
    without_target.files.remove("target.spm");
    assert_eq!(
        told(without_target),
        "{folder}/target.spm: no such file; beside source.spm and vocab.json it says how texts that are written are cut: fetch it, too"
    );
    let ids = json!({"</s>": 0, "<unk>": 1, "▁the": 2, "<pad>": 3});
    let message = told(marian().with("vocab.json", ids));
    let expected = "{folder}/vocab.json: it has 1 of the ";
    let end = " pieces of source.spm, and the others would all be unknown: the two files are of different models";
    assert!(message.starts_with(expected) && message.ends_with(end), "{message}");
    let mut vocabulary = marian().jsons["vocab.json"].clone();
    vocabulary.as_object_mut().unwrap().remove("</s>");
    assert_eq!(told(marian().with("vocab.json", vocabulary)), "{folder}/vocab.json: the vocabulary lacks the eos_token \"</s>\"");
    let two = || named("marian, two vocabularies");
    assert_eq!(
        told(two().with("config.json", json!({"model_type": "marian"}))),
        "{folder}/tokenizer_config.json: \"separate_vocabs\" is true; accepted: false, for config.json has one table of embeddings for both \
         (share_encoder_decoder_embeddings)"
    );
    let mut other = two().jsons["target_vocab.json"].clone();
    other["</s>"] = 5000.into();
    assert_eq!(
        told(two().with("target_vocab.json", other)),
        "{folder}/target_vocab.json: the eos_token \"</s>\" has the id 5000 here and 0 in vocab.json; it must be the same in both"
    );
    let mut none = two();
    none.jsons.remove("target_vocab.json");
    assert_eq!(told(none), "{folder}/target_vocab.json: no such file");
    let added = json!({"added_tokens_decoder": {"7": {"content": "<new>", "special": true}}});
    assert_eq!(
        told(marian().with("tokenizer_config.json", added)),
        "{folder}/tokenizer_config.json: \"added_tokens_decoder\" is \"<new> with the id 7\"; accepted: tokens with the ids that the vocabulary \
         gives them"
    );
    let mut shared = named("student, a model for each side");
    shared.jsons["config.json"].as_object_mut().unwrap().remove("share_encoder_decoder_embeddings");
    assert_eq!(
        told(shared),
        "{folder}/target.spm: it is another model than source.spm, and without vocab.json each numbers its own pieces; but config.json has one \
         table of embeddings for both (share_encoder_decoder_embeddings): fetch vocab.json, or the target.spm that belongs to source.spm"
    );
    let mut pairs = named("a model alone");
    pairs.files.insert("source.spm".to_owned(), "bpe.model".into());
    assert_eq!(told(pairs), "{folder}/source.spm: accepted here are models of the type unigram alone");
    let mut no_end = named("a model alone");
    no_end.files.insert("source.spm".to_owned(), "deberta.model".into());
    assert_eq!(told(no_end), "{folder}/source.spm: the vocabulary lacks the eos_token \"</s>\"");
}

#[test]
fn one_model_under_two_names_is_one_model() {
    let mut the_same = named("student");
    the_same.files.insert("target.spm".to_owned(), the_same.files["source.spm"].clone());
    assert_none(&differences(&the_same, &Tokenizer::from_folder(the_same.written().path()).unwrap()));
}

#[test]
fn an_added_token_does_not_take_the_number_of_a_piece() {
    let mut vocabulary = named("marian").jsons["vocab.json"].clone();
    let numbers = vocabulary.as_object_mut().unwrap();
    // The last number is that of a piece, and one before it is free.
    let (last, the) = (numbers["<pad>"].clone(), numbers["▁the"].clone());
    numbers.extend([("<pad>".to_owned(), the), ("▁the".to_owned(), last)]);
    let free = numbers.remove("a").unwrap();
    let new = json!({"tokenizer_class": "MarianTokenizer", "additional_special_tokens": ["<new>"]});
    let mut folder = named("marian").with("vocab.json", vocabulary).with("tokenizer_config.json", new);
    assert_eq!(refused(&folder, None), "{folder}/vocab.json: the vocabulary lacks the added token \"<new>\"");
    folder.jsons["vocab.json"]["<new>"] = free.clone();
    let tokenizer = Tokenizer::from_folder(folder.written().path()).unwrap();
    assert_eq!(ids(&tokenizer, "a <new> b", 99).iter().filter(|id| Some(u64::from(**id)) == free.as_u64()).count(), 1);
}

#[test]
fn a_tokenizer_json_goes_first_where_the_class_says_that_it_does() {
    let plain = json!({"model": {"type": "WordLevel", "vocab": {"a": 0, "</s>": 1}, "unk_token": "a"}, "added_tokens": []});
    let opened = |folder: Folder| Tokenizer::from_folder(folder.written().path()).unwrap();
    for (class, goes_first) in [("PreTrainedTokenizerFast", true), ("TokenizersBackend", true), ("MarianTokenizer", false)] {
        let folder = || named("marian").with("tokenizer_config.json", json!({"tokenizer_class": class}));
        assert_eq!(opened(folder()).token(0), Some("</s>".to_owned()), "{class}");
        let first = if goes_first { "a" } else { "</s>" };
        assert_eq!(opened(folder().with("tokenizer.json", plain.clone())).token(0), Some(first.to_owned()), "{class}");
    }
}
