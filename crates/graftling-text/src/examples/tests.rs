//! Good and bad pairs, triplets and plain texts through their doors.

use std::fmt::Debug;
use std::fs;
use std::path::Path;

use crate::readers::parse;
use crate::{
    Columns, Examples, Format, PlainExample, PlainFormat, Table, TextError, TripletColumns, labelled_similarities, plain_texts,
    random_split, read_plain_texts, triplets,
};

fn table(text: &str) -> Table {
    let (name, format) = if text.starts_with('{') { ("a.jsonl", Format::Jsonl) } else { ("a.csv", Format::Csv) };
    parse(Path::new(name), text, format).unwrap()
}

fn message<T: Debug>(made: Result<T, TextError>) -> String {
    made.unwrap_err().to_string()
}

#[test]
fn pairs_have_one_score() {
    let dataset = labelled_similarities(table("sentence1,sentence2,score\na,b,4.5\n"), &Columns::default()).unwrap();
    let pair = &dataset.examples[0];
    assert_eq!((pair.first.as_str(), pair.second.as_str(), pair.score, pair.line), ("a", "b", 4.5, 2));
    let refused = message(labelled_similarities(table("text,score\na,1\n"), &Columns::default()));
    assert!(refused.starts_with("a.csv: no column for the second text; the columns are \"text\", \"score\""), "{refused}");
    let several = "{\"text\": \"a\", \"text_pair\": \"b\", \"label\": [1, 2]}\n";
    assert_eq!(
        message(labelled_similarities(table(several), &Columns::default())),
        "a.jsonl:1: 2 numbers where a pair of texts has one score"
    );
}

#[test]
fn triplets_need_three_columns_and_texts() {
    let dataset = triplets(table("positive,anchor,negative\np,a,n\n"), &TripletColumns::default()).unwrap();
    let triplet = &dataset.examples[0];
    assert_eq!([&triplet.anchor, &triplet.positive, &triplet.negative], ["a", "p", "n"]);
    assert_eq!(
        dataset.notices,
        [
            "a.csv: anchor from column \"anchor\", positive from column \"positive\", negative from column \"negative\" (found by name)"
        ]
    );
    let given = |anchor: &str, positive: &str, negative: &str| TripletColumns {
        anchor: Some(anchor.to_owned()),
        positive: Some(positive.to_owned()),
        negative: Some(negative.to_owned()),
    };
    assert_eq!(
        message(triplets(table("a,b,c\nx,y,\n"), &given("a", "b", "c"))),
        "a.csv:2: the text in \"c\" is empty; fill it in or drop the row"
    );
    assert_eq!(
        message(triplets(table("a,b\nx,y\n"), &given("a", "b", "b"))),
        "a.csv: the column \"b\" cannot be both the positive and the negative"
    );
    assert!(message(triplets(table("anchor,positiv\nx,y\n"), &TripletColumns::default())).starts_with("2 problems in a.csv"));
}

#[test]
fn plain_texts_are_lines_or_a_column() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.txt");
    fs::write(&path, "one\r\n\n  \n two, three \n").unwrap();
    let read = |path: &Path| {
        let dataset = read_plain_texts(path, None, None).unwrap();
        dataset.examples.into_iter().map(|example| (example.line, example.text)).collect::<Vec<_>>()
    };
    assert_eq!(read(&path), [(1, "one".to_owned()), (4, " two, three ".to_owned())]);
    let csv = folder.path().join("a.csv");
    fs::write(&csv, "id,text\n1,one\n2,\n3,two\n").unwrap();
    assert_eq!(read(&csv), [(2, "one".to_owned()), (4, "two".to_owned())]);
    let dataset = plain_texts(table("id,text\n1,one\n2,\n"), None).unwrap();
    assert_eq!(
        dataset.notices,
        ["a.csv: text from column \"text\" (found by name)", "a.csv: 1 text is empty and left out (first on line 3)"]
    );
    assert_eq!(read_plain_texts(&csv, Some(PlainFormat::Lines), None).unwrap().examples.len(), 4);
    assert_eq!(read_plain_texts(&csv, None, Some("id")).unwrap().examples[0].text, "1");
    fs::write(&path, "\n \n").unwrap();
    assert!(message(read_plain_texts(&path, None, None)).ends_with("a.txt: the file is empty"));
    assert!(message(read_plain_texts(&folder.path().join("a.doc"), None, None)).contains("no such file"));
    let refused = message(plain_texts(table("{\"text\": 5}\n{\"text\": \"a\"}\n"), None));
    assert_eq!(refused, "a.jsonl:1: \"text\" holds the number 5 where a text is needed; put it in double quotes");
}

#[test]
fn a_random_split_keeps_equal_texts_together_and_depends_on_the_seed_only() {
    let rows: Vec<String> = (0..200).map(|row| format!("text {}\n", row / 2)).collect();
    let dataset = || plain_texts(table(&format!("text\n{}", rows.concat())), None).unwrap();
    let split = random_split(dataset(), 0.2, 7).unwrap();
    assert_eq!((split.train.examples.len(), split.validation.examples.len()), (160, 40));
    let texts = |part: &Examples<PlainExample>| part.examples.iter().map(|one| one.text.clone()).collect::<Vec<_>>();
    let (train, validation) = (texts(&split.train), texts(&split.validation));
    assert!(validation.iter().all(|text| !train.contains(text)));
    assert_eq!(split, random_split(dataset(), 0.2, 7).unwrap());
    assert_ne!(split, random_split(dataset(), 0.2, 8).unwrap());
    assert!(
        split.train.notices.last().unwrap().ends_with("40 of 200 examples are set aside for validation (fraction 0.2, seed 7)")
    );
    let one = plain_texts(table("text\na\na\n"), None).unwrap();
    assert!(
        message(random_split(one.clone(), 0.5, 1)).contains("2 examples (those with the same text count as one) are too few")
    );
    assert!(message(random_split(one, 1.0, 1)).starts_with("validation fraction 1"));
}
