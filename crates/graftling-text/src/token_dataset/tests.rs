//! Good and bad CoNLL files, lists and entities through the doors of the datasets of words.

use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::{Compression, write::GzEncoder};

use super::{TagNeed, parse};
use crate::{Format, TextError, TokenColumns, TokenDataset, TokenExample, TokenFormat, WordOrigin, read_labelled_tokens};

fn made(text: &str, need: TagNeed) -> Result<TokenDataset, TextError> {
    let (name, format) =
        if text.starts_with('{') { ("a.jsonl", TokenFormat::Table(Format::Jsonl)) } else { ("a.conll", TokenFormat::Conll) };
    parse(Path::new(name), text, format, &TokenColumns::default(), need)
}

fn labelled(text: &str) -> TokenDataset {
    made(text, TagNeed::Required).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

fn refusal(text: &str) -> String {
    match made(text, TagNeed::Required) {
        Ok(dataset) => panic!("{text:?} was accepted: {dataset:?}"),
        Err(error) => error.to_string(),
    }
}

/// Words and tags as `word/tag`.
fn written(example: &TokenExample) -> String {
    let tags = example.tags.clone().unwrap_or_default();
    let pairs = example.words.iter().enumerate().map(|(index, word)| match tags.get(index) {
        Some(tag) => format!("{word}/{tag}"),
        None => word.clone(),
    });
    pairs.collect::<Vec<_>>().join(" ")
}

#[test]
fn conll_files_are_read_as_sentences() {
    let cases: [(&str, &[&str]); 10] = [
        ("a\tO\nb\tB-X\n\nc\tO\n", &["a/O b/B-X", "c/O"]),
        ("a O\r\nb B-X\r\n\r\n\r\nc O", &["a/O b/B-X", "c/O"]),
        ("EU NNP B-NP B-ORG\nrejects VBZ B-VP O\n", &["EU/B-ORG rejects/O"]),
        ("-DOCSTART- -X- O O\n\na x y O\n-DOCSTART- -X- -X- O\nb x y O\n", &["a/O", "b/O"]),
        ("# id = 1\nSalt Lake\tB-PLACE\n#\tO\n", &["Salt Lake/B-PLACE #/O"]),
        ("# O\na B-X\n#comment\nb O\n", &["#/O a/B-X b/O"]),
        ("  a   O  \n \t \n b\u{a0}c  O\n", &["a/O", "b\u{a0}c/O"]),
        ("\u{a0} O\n", &["\u{a0}/O"]),
        ("#a O\n#b O\n", &["#a/O #b/O"]),
        ("北 B-LOC\n京 I-LOC\n", &["北/B-LOC 京/I-LOC"]),
    ];
    for (text, expected) in cases {
        let found: Vec<String> = labelled(text).examples.iter().map(written).collect();
        assert_eq!(found, expected, "{text:?}");
    }
}

#[test]
fn a_word_knows_its_line() {
    let dataset = labelled("# c = d\na\tO\n# e\nb\tO\n\nc\tO\n");
    let lines: Vec<Vec<usize>> =
        dataset.examples.iter().map(|example| (0..example.words.len()).map(|word| example.line_of(word)).collect()).collect();
    assert_eq!(lines, [vec![2, 4], vec![6]]);
    assert_eq!(dataset.examples[0].line, 2);
}

#[test]
fn bad_conll_files_are_refused_with_their_lines() {
    let needed = "every line needs the same columns, the word first and its tag last, and a blank line ends a sentence";
    let conllu = "1\ta\t_\tX\t_\t_\t0\troot\t_\t_\n2\tb\t_\tX\t_\t_\t1\tx\t_\t_\n\n1\tc\t_\tX\t_\t_\t0\troot\t_\t_\n";
    let cases = [
        ("", "a.conll: the file is empty".to_owned()),
        ("\n \n\t\n", "a.conll: the file is empty".to_owned()),
        ("# only\n-DOCSTART- O\n", "a.conll: no sentence in the file, only comments and blank lines".to_owned()),
        (
            "a O\nb x O\n\nc\n",
            format!(
                "2 problems in a.conll\n  \
                 a.conll:2: 3 columns separated by blanks where line 1 has 2; {needed}\n  \
                 a.conll:4: 1 column separated by blanks where line 1 has 2; {needed}"
            ),
        ),
        ("\n\na\tO\nb O\n", format!("a.conll:4: 1 column separated by tabs where line 3 has 2; {needed}")),
        ("a\tO\n\tO\n", "a.conll:2: the word is empty; fill it in, or drop it and its tag".to_owned()),
        (
            "a\nb\n\nc\n",
            "a.conll:1: one column only (\"a\") where a tag is needed after the word, separated by a tab or blanks".to_owned(),
        ),
        (
            conllu,
            "a.conll:1: the first of ten columns counts the words, as in CoNLL-U; keep the column of the words and that of the \
             tags (cut -f 2,4 keeps words and parts of speech)"
                .to_owned(),
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(refusal(text), expected, "{text:?}");
    }
}

#[test]
fn words_without_tags_are_enough_to_predict() {
    let cases: [(&str, &[&str]); 6] = [
        ("a\n# comment\n#tag\n\nb\n", &["a #tag", "b"]),
        ("a O\nb O\n", &["a/O b/O"]),
        ("{\"tokens\": [\"a\", \"b\"]}\n{\"tokens\": []}\n", &["a b", ""]),
        ("{\"tokens\": [\"a\"], \"ner_tags\": [\"O\"]}\n{\"tokens\": [\"b\"]}\n", &["a/O", "b"]),
        ("{\"text\": \"Go to Rome!\"}\n{\"text\": null}\n", &["Go to Rome !", ""]),
        ("{\"text\": \"Rome!\", \"entities\": [{\"start\": 0, \"end\": 4, \"label\": \"LOC\"}]}\n", &["Rome/B-LOC !/O"]),
    ];
    for (text, expected) in cases {
        let dataset = made(text, TagNeed::Optional).unwrap();
        assert_eq!(dataset.examples.iter().map(written).collect::<Vec<_>>(), expected, "{text:?}");
    }
    let empty = made("{\"tokens\": []}\n{\"tokens\": [\"a\"]}\n", TagNeed::Optional).unwrap();
    assert_eq!(
        empty.notices,
        ["a.jsonl: words from column \"tokens\" (found by name)", "a.jsonl: 1 row has no word (first on line 1) and get no tags"]
    );
}

#[test]
fn lists_of_words_and_tags_are_read_from_jsonl() {
    for tags in ["ner_tags", "tags", "labels"] {
        let dataset = labelled(&format!("{{\"tokens\": [\"New\", \"York\"], \"{tags}\": [\"B-LOC\", \" I-LOC\"]}}\n"));
        assert_eq!(written(&dataset.examples[0]), "New/B-LOC York/I-LOC");
        assert_eq!(dataset.examples[0].origin, WordOrigin::List);
        assert_eq!(
            dataset.notices,
            [format!("a.jsonl: words from column \"tokens\", tags from column \"{tags}\" (found by name)")]
        );
    }
}

#[test]
fn bad_lists_are_refused_with_their_lines() {
    let lines = [
        r#"{"tokens": ["a", "b"], "ner_tags": ["O"]}"#,
        r#"{"tokens": ["a"], "ner_tags": [3]}"#,
        r#"{"tokens": "a b", "ner_tags": ["O", "O"]}"#,
        r#"{"tokens": ["a", 5, " "], "ner_tags": ["O", null, ""]}"#,
        r#"{"tokens": [], "ner_tags": []}"#,
        r#"{"tokens": ["a"]}"#,
        r#"{"ner_tags": ["O"], "tokens": {"a": 1}}"#,
    ];
    let expected = "10 problems in a.jsonl\n  \
        a.jsonl:1: 2 words but 1 tag\n  \
        a.jsonl:2: item 1 of \"ner_tags\" is the number 3; numbers say nothing without their list of names, write the names of the \
        tags, such as \"B-PER\"\n  \
        a.jsonl:3: \"tokens\" holds a string where a list is needed, such as [\"...\", \"...\"]; jsonl has lists, csv and tsv have none\n  \
        a.jsonl:4: item 2 of \"tokens\" is the number 5 where a string is needed\n  \
        a.jsonl:4: item 3: the word is empty; fill it in, or drop it and its tag\n  \
        a.jsonl:4: item 2 of \"ner_tags\" is null where a string is needed\n  \
        a.jsonl:4: item 3: the tag is empty; a word outside of all entities has \"O\"\n  \
        a.jsonl:5: \"tokens\" holds no word; fill it in or drop the row\n  \
        a.jsonl:6: no value for \"ner_tags\"; fill it in or drop the row\n  \
        a.jsonl:7: \"tokens\" holds an object where a list is needed, such as [\"...\", \"...\"]; jsonl has lists, csv and tsv have none";
    assert_eq!(refusal(&lines.join("\n")), expected);
}

#[test]
fn entities_become_words_with_iob2_tags() {
    let cases = [
        (
            r#"{"text": "Grüße aus New York, USA.", "entities": [{"start": 20, "end": 23, "label": "LOC"}, {"start": 10, "end": 18, "label": "LOC", "id": 7}]}"#,
            "Grüße/O aus/O New/B-LOC York/I-LOC ,/O USA/B-LOC ./O",
        ),
        (
            r#"{"text": "他在北京市工作", "entities": [{"start": 2, "end": 5, "label": "地点"}]}"#,
            "他/O 在/O 北/B-地点 京/I-地点 市/I-地点 工/O 作/O",
        ),
        (
            r#"{"text": "the ex-Google dev", "entities": [{"start": 7, "end": 13, "label": "ORG"}]}"#,
            "the/O ex/O -/O Google/B-ORG dev/O",
        ),
        (
            r#"{"text": "ab cd", "entities": [{"start": 0, "end": 3, "label": "X"}, {"start": 3, "end": 5, "label": "X"}]}"#,
            "ab/B-X cd/B-X",
        ),
        (r#"{"text": "none here", "entities": []}"#, "none/O here/O"),
        (
            r#"{"text": "5km x", "entities": [{"start": 1, "end": 3, "label": "UNIT"}, {"start": 0, "end": 1, "label": "NUM"}]}"#,
            "5/B-NUM km/B-UNIT x/O",
        ),
    ];
    for (text, expected) in cases {
        let dataset = labelled(text);
        let example = &dataset.examples[0];
        assert_eq!(written(example), expected);
        let WordOrigin::Text { text, spans } = &example.origin else { panic!("{:?}", example.origin) };
        let characters: Vec<char> = text.chars().collect();
        for (word, span) in example.words.iter().zip(spans) {
            assert_eq!(*word, text[span.bytes.0..span.bytes.1]);
            assert_eq!(*word, characters[span.characters.0..span.characters.1].iter().collect::<String>());
        }
    }
    let notices = labelled(cases[5].0).notices;
    assert_eq!(
        notices,
        [
            "a.jsonl: texts from column \"text\", entities from column \"entities\" (found by name)",
            "a.jsonl: 2 entities begin or end inside a word, which is cut there (first on line 1)"
        ]
    );
}

#[test]
fn bad_entities_are_refused_with_their_lines() {
    let lines = [
        r#"{"text": "Köln", "entities": [{"start": 0, "end": 5, "label": "LOC"}]}"#,
        r#"{"text": "Köln", "entities": [{"start": 4, "end": 4, "label": "LOC"}]}"#,
        r#"{"text": "Köln am Rhein", "entities": [{"start": 5, "end": 13, "label": "B"}, {"start": 0, "end": 7, "label": "A"}]}"#,
        r#"{"text": "Köln", "entities": [{"start": -1, "end": 4, "label": "LOC"}, 7, {"start": 0, "end": 4, "label": " "}]}"#,
        r#"{"text": "Köln", "entities": [{"start": 0, "label": "LOC"}]}"#,
        r#"{"text": "a  b", "entities": [{"start": 1, "end": 3, "label": "LOC"}]}"#,
        r#"{"text": "a", "entities": {}}"#,
        r#"{"text": "a"}"#,
        r#"{"text": "", "entities": []}"#,
        r#"{"text": "a", "entities": [{"start": 0, "end": 18446744073709551615, "label": "X"}]}"#,
    ];
    let parts = "accepted are {\"start\": 0, \"end\": 5, \"label\": \"PER\"} and the like, start and end counted in characters";
    let count = "count in characters, not bytes, from 0";
    let expected = format!(
        "12 problems in a.jsonl\n  \
        a.jsonl:1: entity 1 is from 0 to 5, but the text has 4 characters; {count}\n  \
        a.jsonl:2: entity 1 is from 4 to 4; the start must be below the end\n  \
        a.jsonl:3: entity 2 (\"A\", 0 to 7) and entity 1 (\"B\", 5 to 13) overlap; each word has one tag, keep one of them\n  \
        a.jsonl:4: the \"start\" of entity 1 is the number -1; {parts}\n  \
        a.jsonl:4: the whole of entity 2 is the number 7; {parts}\n  \
        a.jsonl:4: the \"label\" of entity 3 is an empty string; {parts}\n  \
        a.jsonl:5: the \"end\" of entity 1 is missing; {parts}\n  \
        a.jsonl:6: entity 1 is from 1 to 3, where the text has white space only\n  \
        a.jsonl:7: \"entities\" holds an object where a list is needed, such as [{{\"start\": 0, \"end\": 5, \"label\": \"PER\"}}]; \
         jsonl has lists, csv and tsv have none\n  \
        a.jsonl:8: no value for \"entities\"; fill it in or drop the row\n  \
        a.jsonl:9: the text in \"text\" is empty; fill it in or drop the row\n  \
        a.jsonl:10: entity 1 is from 0 to 18446744073709551615, but the text has 1 character; {count}"
    );
    assert_eq!(refusal(&lines.join("\n")), expected);
}

#[test]
fn columns_by_hand_decide_the_layout() {
    let text = r#"{"tokens": ["x", "y"], "upos": ["A", "B"], "ner_tags": ["O", "O"], "body": "Go!", "entities": []}"#;
    let given = |tokens: &str, tags: &str, text: &str| {
        let given = |name: &str| (!name.is_empty()).then(|| name.to_owned());
        TokenColumns { tokens: given(tokens), tags: given(tags), text: given(text), entities: None }
    };
    let parsed =
        |columns: &TokenColumns| parse(Path::new("a.jsonl"), text, TokenFormat::Table(Format::Jsonl), columns, TagNeed::Required);
    let found = |columns: &TokenColumns| written(&parsed(columns).unwrap().examples[0]);
    assert_eq!(found(&TokenColumns::default()), "x/O y/O");
    assert_eq!(found(&given("", "upos", "")), "x/A y/B");
    assert_eq!(found(&given("", "", "body")), "Go/O !/O");
    let refused = |columns: &TokenColumns| parsed(columns).unwrap_err().to_string();
    let columns = "the columns are \"tokens\", \"upos\", \"ner_tags\", \"body\", \"entities\"";
    assert_eq!(
        refused(&given("tokns", "", "")),
        format!("a.jsonl: no column \"tokns\" for the list of words; {columns} (did you mean \"tokens\"?)")
    );
    assert_eq!(
        refused(&given("tokens", "", "body")),
        "a.jsonl: the columns \"tokens\" and \"body\" are of different layouts; name a list of words and a list of tags, or a text \
         and its entities"
    );
    assert_eq!(
        refused(&given("tokens", "tokens", "")),
        "a.jsonl: the column \"tokens\" cannot be both the list of words and the list of tags"
    );
    assert_eq!(
        refusal("{\"token\": [\"a\"], \"tag\": [\"O\"]}\n"),
        "2 problems in a.jsonl\n  \
         a.jsonl: no column for the list of words; the columns are \"token\", \"tag\"; looked for tokens, words; name the column with \
         text_column, \"token\" for instance\n  \
         a.jsonl: no column for the list of tags; the columns are \"token\", \"tag\"; looked for ner_tags, tags, labels, pos_tags; \
         name the column with label_column, \"tag\" for instance"
    );
}

#[test]
fn entities_that_begin_with_i_are_told_and_kept() {
    let cases = [
        ("a B-X\nb I-X\nc O\n", None),
        ("a I-X\nb I-X\n\nc I-Y\n", Some("2 entities begin with an I- tag and not with a B- tag (first on line 1)")),
        ("a B-X\nb I-Y\n", Some("1 entity begins with an I- tag and not with a B- tag (first on line 2)")),
        ("a NOUN\nb VERB\n", None),
    ];
    for (text, expected) in cases {
        let notices: Vec<String> = expected
            .iter()
            .map(|told| {
                format!("a.conll: {told}; a slip in IOB2, and right in IOB1, which the strict mode reads with tag_scheme = iob1")
            })
            .collect();
        assert_eq!(labelled(text).notices, notices, "{text:?}");
    }
}

#[test]
fn all_tags_that_occur_are_sorted() {
    assert_eq!(labelled("a B-PER\nb I-PER\n\nc O\n").tag_set().names(), ["B-PER", "I-PER", "O"]);
}

#[test]
fn the_name_of_a_file_tells_its_format() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.conll", "a.BIO", "a.iob", "a.iob2", "a.txt", "a.txt.gz"] {
        let path = folder.path().join(name);
        let mut file = fs::File::create(&path).unwrap();
        if name.ends_with(".gz") {
            let mut packed = GzEncoder::new(file, Compression::default());
            packed.write_all(b"a\tO\n").unwrap();
            packed.finish().unwrap();
        } else {
            file.write_all(b"\xEF\xBB\xBFa\tO\n").unwrap();
        }
        let dataset = read_labelled_tokens(&path, None, &TokenColumns::default()).unwrap();
        assert_eq!(written(&dataset.examples[0]), "a/O", "{name}");
    }
    let path = folder.path().join("a.dat");
    fs::write(&path, "a\tO\n").unwrap();
    let refused = read_labelled_tokens(&path, None, &TokenColumns::default()).unwrap_err().to_string();
    let accepted = "accepted are .conll, .bio, .iob, .iob2, .txt, .jsonl, .ndjson, .csv and .tsv, each also with .gz";
    assert_eq!(
        refused,
        format!(
            "{}: the name does not tell the format; {accepted} (or name that of a table by hand: csv, tsv, jsonl)",
            path.display()
        )
    );
    assert!(read_labelled_tokens(&path, Some(TokenFormat::Conll), &TokenColumns::default()).is_ok());
    let missing = read_labelled_tokens(&folder.path().join("b.conll"), None, &TokenColumns::default()).unwrap_err().to_string();
    assert!(missing.ends_with("b.conll: no such file (did you mean \"a.conll\"?)"), "{missing}");
}

#[test]
fn a_text_to_predict_is_cut_into_words() {
    let example = TokenExample::from_text("Go to 北京!", 3);
    assert_eq!((written(&example).as_str(), example.line), ("Go to 北 京 !", 3));
}

#[test]
fn every_prefix_of_hostile_bytes_is_read_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.conll");
    let bytes = b"# c\n-DOCSTART- O\n\na\tO\n\xFF\tO\n\0\tB-X\n\xE5\x8C\x97 I-X\n".to_vec();
    let (mut read, mut refused) = (0, 0);
    for end in 0..=bytes.len() {
        fs::write(&path, &bytes[..end]).unwrap();
        let tried = read_labelled_tokens(&path, None, &TokenColumns::default());
        *(if tried.is_ok() { &mut read } else { &mut refused }) += 1;
    }
    assert!(read > 0 && refused > 0, "{read} read, {refused} refused");
}
