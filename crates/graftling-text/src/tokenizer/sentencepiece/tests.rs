//! Damaged and odd SentencePiece models. The ids themselves are checked against transformers in tests/tokenizer_families.rs.

use std::fs;
use std::path::Path;

use super::proto::{Algorithm, ModelProto, PieceKind};
use crate::{EncodeOptions, TextInput, Tokenizer};

fn golden(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/vocabularies").join(name)).unwrap()
}

/// A field of a message: its number, then bytes.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2, bytes.len() as u8][..], bytes].concat()
}

/// What opening and using a model gives, in words.
fn outcome(bytes: &[u8], class: &str, settings: &str) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let name = if class == "MarianTokenizer" { "source.spm" } else { "spiece.model" };
    fs::write(folder.path().join(name), bytes).unwrap();
    let config = format!("{{\"tokenizer_class\": \"{class}\"{settings}}}");
    fs::write(folder.path().join("tokenizer_config.json"), config).unwrap();
    let input = TextInput { text: "The ﬁ　Ａ word, 北京 é\u{301}", pair: Some("b") };
    let tried = Tokenizer::from_folder(folder.path()).and_then(|tokenizer| {
        let encodings = tokenizer.encode(&[input], &EncodeOptions::truncated(64))?;
        tokenizer.text_of(&encodings.encodings[0].input_ids, &[]);
        Ok(())
    });
    tried.map_err(|error| error.to_string().replace(&folder.path().display().to_string(), "{folder}"))
}

#[test]
fn the_fields_of_a_model_are_read() {
    let cases = [
        ("unigram.model", Algorithm::Unigram, (0, "<unk>"), false),
        ("albert.model", Algorithm::Unigram, (1, "<unk>"), false),
        ("deberta.model", Algorithm::Unigram, (3, "[UNK]"), false),
        ("bpe.model", Algorithm::Bpe, (0, "<unk>"), false),
        ("fallback.model", Algorithm::Bpe, (0, "<unk>"), true),
    ];
    for (name, algorithm, (unknown, piece), byte_fallback) in cases {
        let model = ModelProto::read(&golden(name)).unwrap();
        let found = (model.algorithm, model.unknown_id, model.unknown_piece.as_str(), model.byte_fallback);
        assert_eq!(found, (algorithm, unknown, piece, byte_fallback), "{name}");
        assert_eq!(model.pieces[unknown].text, piece, "{name}");
        assert!(!model.charsmap.is_empty() && model.pieces.len() > 400, "{name}");
    }
    let albert = ModelProto::read(&golden("albert.model")).unwrap();
    let of_kind =
        |kind| albert.pieces.iter().filter(|piece| piece.kind == kind).map(|piece| piece.text.as_str()).collect::<Vec<_>>();
    assert_eq!(of_kind(PieceKind::Control), ["<pad>", "[CLS]", "[SEP]", "[MASK]"]);
    assert_eq!(of_kind(PieceKind::UserDefined), ["(", ")"]);
}

#[test]
fn models_that_make_no_sense_are_refused() {
    let damaged = "it is damaged, cut short, or no SentencePiece model";
    let piece = field(1, &field(1, b"<unk>"));
    let five = piece.repeat(5);
    let long = [&[0x0A, 0x84, 0x27, 0x0A, 0x81, 0x27][..], &vec![b'a'; 4993]].concat();
    let cases: Vec<(Vec<u8>, String)> = vec![
        (vec![], "no pieces in it; this is no SentencePiece model".into()),
        (b"hello world".to_vec(), format!("a field of the unknown wire type 4 (byte 3 of the file); {damaged}")),
        (vec![0x0A], format!("the file ends inside a number (byte 1 of the file); {damaged}")),
        (
            vec![0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F],
            format!("a field of 4294967295 bytes where 0 are left (byte 6 of the file); {damaged}"),
        ),
        (
            vec![0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01],
            format!("a field of 18446744073709551615 bytes where 0 are left (byte 11 of the file); {damaged}"),
        ),
        (vec![0xFF; 12], format!("a number of more than ten bytes (byte 10 of the file); {damaged}")),
        (vec![0x0B], format!("a field of the unknown wire type 3 (byte 1 of the file); {damaged}")),
        (field(1, &field(1, b"a\xFF")), "piece 0: invalid UTF-8 at byte 5 of the file".into()),
        (field(1, &field(1, b"")), "piece 0: it is empty".into()),
        (field(1, &[&field(1, b"a")[..], &[0x15, 0, 0, 0xC0, 0x7F]].concat()), "piece 0: its score is NaN".into()),
        (long, "piece 0: 4993 bytes; at most 4096 are accepted".into()),
        ([&five[..], &field(2, &[0x18, 9])].concat(), "the model type is 9; accepted are 1 (unigram) and 2 (bpe)".into()),
        (
            [&five[..], &field(2, &[0x18, 3])].concat(),
            "a model of whole words or of characters is not offered; accepted are unigram and bpe".into(),
        ),
        ([&five[..], &field(2, &[0xC0, 0x02, 77])].concat(), "the unknown piece is 77, but there are 5 pieces".into()),
        (
            [&five[..], &field(2, &[0xC0, 0x01, 1])].concat(),
            "it puts blanks behind words (treat_whitespace_as_suffix), which is not offered".into(),
        ),
        (
            [&five[..], &field(3, &field(2, b"\xFF\xFF\xFF\xFF"))].concat(),
            "its map of characters (precompiled_charsmap) is damaged: it says that 4294967295 bytes of its 4 are a trie".into(),
        ),
        (piece, "1 pieces are too few".into()),
    ];
    let failures: Vec<String> = cases
        .into_iter()
        .filter_map(|(bytes, expected)| {
            let expected = Err(format!("{{folder}}/spiece.model: {expected}"));
            let told = outcome(&bytes, "XLMRobertaTokenizer", "");
            (told != expected).then(|| format!("{:?}\n  {told:?}\n  {expected:?}", &bytes[..bytes.len().min(24)]))
        })
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn models_that_sentencepiece_cannot_work_with_are_refused() {
    let unknown = field(1, &[&field(1, b"<unk>")[..], &[0x18, 2]].concat());
    let pieces = |more: &[&[u8]]| more.iter().fold(unknown.clone(), |bytes, piece| [bytes, field(1, &field(1, piece))].concat());
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (pieces(&[b"a", b"b", b"a"]), "the pieces 1 and 3 are both \"a\""),
        (
            [pieces(&[b"</s>"]), field(2, &[0x98, 0x02, 1])].concat(),
            "unknown characters are to become bytes, but there is no piece <0x00>",
        ),
        (
            [pieces(&[b"</s>"]), field(5, &field(2, b"map"))].concat(),
            "it changes texts when it puts them together (denormalizer_spec), which is not offered",
        ),
        (pieces(&[b"a"]), "the vocabulary lacks the eos_token \"</s>\""),
        ([pieces(&[b"</s>"]), field(2, &[0x18, 2])].concat(), "accepted here are models of the type unigram alone"),
    ];
    for (bytes, expected) in cases {
        assert_eq!(outcome(&bytes, "MarianTokenizer", ""), Err(format!("{{folder}}/source.spm: {expected}")));
    }
    assert_eq!(outcome(&pieces(&[b"</s>"]), "MarianTokenizer", ""), Ok(()));
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let cases = [
        (
            "T5Tokenizer",
            "t5.model",
            ", \"extra_ids\": 4000000000",
            "\"extra_ids\" is 4000000000; accepted: a whole number from 0 to 10000",
        ),
        ("T5Tokenizer", "t5.model", ", \"extra_ids\": -1", "\"extra_ids\" is -1; accepted: a whole number from 0 to 10000"),
        ("AlbertTokenizer", "albert.model", ", \"keep_accents\": \"no\"", "\"keep_accents\" is \"no\"; accepted: true, false"),
    ];
    for (class, model, settings, expected) in cases {
        let told = outcome(&golden(model), class, settings).unwrap_err();
        assert_eq!(told, format!("{{folder}}/tokenizer_config.json: {expected}"));
    }
    assert_eq!(outcome(&golden("t5.model"), "T5Tokenizer", ", \"extra_ids\": 0"), Ok(()));
}

#[test]
fn every_prefix_and_every_flipped_byte_of_a_model_is_read_or_refused() {
    let cases = [
        ("unigram.model", "XLMRobertaTokenizer"),
        ("fallback.model", "T5Tokenizer"),
        ("marian-student.model", "MarianTokenizer"),
        ("marian-symbols.model", "MarianTokenizer"),
    ];
    for (name, class) in cases {
        let whole = golden(name);
        assert_eq!(outcome(&whole, class, ""), Ok(()));
        let (mut read, mut refused) = (0, 0);
        let mut attempt = |bytes: &[u8]| *(if outcome(bytes, class, "").is_ok() { &mut read } else { &mut refused }) += 1;
        for end in (0..whole.len()).step_by(97) {
            attempt(&whole[..end]);
        }
        for place in (0..whole.len()).step_by(61) {
            let mut flipped = whole.clone();
            flipped[place] ^= 1 << (place % 7);
            attempt(&flipped);
        }
        assert!(read > 0 && refused > 0, "{name}: {read} read, {refused} refused");
    }
}

#[test]
fn added_tokens_that_a_class_has_of_itself_are_looked_for_and_others_are_told() {
    let notices = |model: &str, name: &str, config: &str, added: &str| {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(name), golden(model)).unwrap();
        fs::write(folder.path().join("tokenizer_config.json"), config).unwrap();
        fs::write(folder.path().join("added_tokens.json"), added).unwrap();
        Tokenizer::from_folder(folder.path()).unwrap().notices().to_vec()
    };
    let sentinels = "{\"tokenizer_class\": \"T5Tokenizer\", \"extra_ids\": 2, \
                     \"additional_special_tokens\": [\"<extra_id_0>\", \"<extra_id_1>\"]}";
    assert_eq!(notices("t5.model", "spiece.model", sentinels, "{}"), Vec::<String>::new());
    let masked = "{\"tokenizer_class\": \"DebertaV2Tokenizer\"}";
    assert_eq!(notices("deberta.model", "spm.model", masked, "{\"[MASK]\": 520}"), Vec::<String>::new());
    let told = notices("deberta.model", "spm.model", masked, "{\"[MASK]\": 520, \"[E1]\": 521}");
    assert!(told.len() == 1 && told[0].contains("taken apart: \"[E1]\"; transformers reads them"), "{told:?}");
}
