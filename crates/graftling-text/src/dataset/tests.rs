//! Good and bad columns, texts and labels through the doors of the datasets.

use std::path::Path;

use crate::readers::parse;
use crate::{Columns, Dataset, Format, Table, TextError, labelled, multi_labelled, numbered, unlabelled};

fn made(text: &str, columns: &Columns) -> Result<Dataset, TextError> {
    let (name, format) = if text.starts_with('{') { ("a.jsonl", Format::Jsonl) } else { ("a.csv", Format::Csv) };
    labelled(parse(Path::new(name), text, format)?, columns)
}

fn jsonl(rows: &[&str]) -> Table {
    parse(Path::new("a.jsonl"), &rows.join("\n"), Format::Jsonl).unwrap()
}

fn csv(text: &str) -> Table {
    parse(Path::new("a.csv"), text, Format::Csv).unwrap()
}

fn refusal(text: &str, columns: &Columns) -> String {
    match made(text, columns) {
        Ok(dataset) => panic!("{text:?} was accepted: {dataset:?}"),
        Err(error) => error.to_string(),
    }
}

fn columns(text: &str, pair: &str, label: &str) -> Columns {
    let given = |name: &str| (!name.is_empty()).then(|| name.to_owned());
    Columns { text: given(text), text_pair: given(pair), label: given(label) }
}

#[test]
fn columns_are_found_by_name_and_told() {
    let cases = [
        ("text,label", "a.csv: text from column \"text\", labels from column \"label\" (found by name)"),
        ("id,Sentence,class", "a.csv: text from column \"Sentence\", labels from column \"class\" (found by name)"),
        ("文本,标签", "a.csv: text from column \"文本\", labels from column \"标签\" (found by name)"),
        ("评论,类别", "a.csv: text from column \"评论\", labels from column \"类别\" (found by name)"),
        ("content,text,labels", "a.csv: text from column \"text\", labels from column \"labels\" (found by name)"),
        (
            "sentence1,sentence2,label,category",
            "a.csv: text from column \"sentence1\", second text from column \"sentence2\", labels from column \
             \"label\" (found by name)",
        ),
        (
            "label,text_b,text_a",
            "a.csv: text from column \"text_a\", second text from column \"text_b\", labels from column \"label\" \
             (found by name)",
        ),
        (
            "premise,hypothesis,label",
            "a.csv: text from column \"premise\", second text from column \"hypothesis\", labels from column \
             \"label\" (found by name)",
        ),
        (
            "question,sentence,label",
            "a.csv: text from column \"question\", second text from column \"sentence\", labels from column \"label\" \
             (found by name)",
        ),
    ];
    for (header, expected) in cases {
        let fields = header.split(',').map(|name| format!("{name} value")).collect::<Vec<_>>().join(",");
        let dataset = made(&format!("{header}\n{fields}\n"), &Columns::default()).unwrap();
        assert_eq!(dataset.notices, [expected], "{header}");
        let example = &dataset.examples[0];
        assert_eq!(example.text, format!("{} value", dataset.columns.text));
        assert_eq!(example.text_pair, dataset.columns.text_pair.as_ref().map(|name| format!("{name} value")));
        assert_eq!(example.label, dataset.columns.label.as_ref().map(|name| format!("{name} value")));
    }
}

#[test]
fn columns_given_by_hand_need_no_notice() {
    let dataset = made("a,b,text,label\nx,y,z,w\n", &columns("b", "a", "text")).unwrap();
    assert_eq!(dataset.notices, [""; 0]);
    let example = &dataset.examples[0];
    assert_eq!((example.text.as_str(), example.text_pair.as_deref(), example.label.as_deref()), ("y", Some("x"), Some("z")));
}

#[test]
fn missing_and_unclear_columns_are_refused_with_the_near_one() {
    let looked_for = "looked for text, sentence, review, content, 文本, 内容, 评论, or text + text_pair, sentence1 + sentence2, \
         text_a + text_b, premise + hypothesis, question1 + question2, question + sentence, question + answer, \
          question + context, \
         question + passage, question + paragraph, query + context, query + passage, query + paragraph; name the column with text_column";
    let labels =
        "looked for label, labels, class, category, sentiment, score, similarity, 标签, 类别; name the column with label_column";
    let cases = [
        (
            "review,stars,label\na,b,c\n",
            columns("reveiw", "", ""),
            "a.csv: no column \"reveiw\" for the text; the columns are \"review\", \"stars\", \"label\" (did you mean \
             \"review\"?)".to_owned(),
        ),
        (
            "text,label\na,b\n",
            columns("body", "second", "lable"),
            "3 problems in a.csv\n  a.csv: no column \"lable\" for the label; the columns are \"text\", \"label\" (did you mean \"label\"?)\n  \
             a.csv: no column \"second\" for the second text; the columns are \"text\", \"label\"\n  \
             a.csv: no column \"body\" for the text; the columns are \"text\", \"label\""
                .to_owned(),
        ),
        (
            "txet,lable\na,b\n",
            Columns::default(),
            format!(
                "2 problems in a.csv\n  a.csv: no column for the text; the columns are \"txet\", \"lable\"; {looked_for}, \"txet\" for instance\n  \
                 a.csv: no column for the label; the columns are \"txet\", \"lable\"; {labels}, \"lable\" for instance"
            ),
        ),
        (
            "text;label\na;b\n",
            columns("text", "", "label"),
            "2 problems in a.csv\n  a.csv: no column \"label\" for the label; the columns are \"text;label\"; \
             the header is separated by semicolons: save the file with commas or tabs\n  \
             a.csv: no column \"text\" for the text; the columns are \"text;label\"; \
             the header is separated by semicolons: save the file with commas or tabs"
                .to_owned(),
        ),
        (
            "review,content,label\na,b,c\n",
            Columns::default(),
            "a.csv: several columns could be the text: \"review\", \"content\"; name one with text_column".to_owned(),
        ),
        (
            "text,class,category\na,b,c\n",
            Columns::default(),
            "a.csv: several columns could be the label: \"class\", \"category\"; name one with label_column".to_owned(),
        ),
        (
            "question,answer,context,label\na,b,c,d\n",
            Columns::default(),
            "a.csv: several columns could be the text: \"question\", \"answer\", \"context\"; name one with \
             text_column".to_owned(),
        ),
        (
            "text,label\na,b\n",
            columns("text", "", "text"),
            "a.csv: the column \"text\" cannot be both the text and the label".to_owned(),
        ),
    ];
    for (text, columns, expected) in cases {
        assert_eq!(refusal(text, &columns), expected, "{text:?}");
    }
}

#[test]
fn bad_texts_and_labels_are_refused_with_their_lines() {
    let cases = [
        (
            "text,label\n,a\n  ,b\nc,\n",
            "3 problems in a.csv\n  \
          a.csv:2: the text in \"text\" is empty; fill it in or drop the row\n  \
          a.csv:3: the text in \"text\" is empty; fill it in or drop the row\n  \
          a.csv:4: the label in \"label\" is empty; fill it in or drop the row",
        ),
        (
            "{\"text\": null, \"label\": \"a\"}\n{\"label\": \"b\"}\n{\"text\": 5, \"label\": null}\n",
            "4 problems in a.jsonl\n  \
          a.jsonl:1: the text in \"text\" is empty; fill it in or drop the row\n  \
          a.jsonl:2: no value for \"text\"; fill it in or drop the row\n  \
          a.jsonl:3: \"text\" holds the number 5 where a text is needed; put it in double quotes\n  \
          a.jsonl:3: no value for \"label\"; fill it in or drop the row",
        ),
        (
            "{\"text\": \"a\", \"label\": [\"x\", \"y\"]}\n{\"text\": \"b\", \"label\": {}}\n",
            "2 problems in a.jsonl\n  \
          a.jsonl:1: \"label\" holds a list of labels ([\"x\",\"y\"]) where one label is needed; \
          multi_label_classification takes lists\n  \
          a.jsonl:2: \"label\" holds an object where one label is needed: a name, a whole number, true or false",
        ),
        (
            "{\"text\": \"a\", \"label\": \"1\"}\n{\"text\": \"b\", \"label\": 1}\n{\"text\": \"c\", \"label\": 2}\n",
            "a.jsonl: the labels in \"label\" mix types: line 1 has a string (\"1\"), line 2 has a number (1); write \
             all of them the same way",
        ),
        (
            "{\"text\": \"a\", \"label\": true}\n{\"text\": \"b\", \"label\": \"no\"}\n",
            "a.jsonl: the labels in \"label\" mix types: line 1 has true or false (true), line 2 has a string (\"no\"); \
          write all of them the same way",
        ),
        (
            "text,label\na,1\nb,0.5\nc,2\n",
            "a.csv:3: the label 0.5 in \"label\" is a number that is not whole, so this looks like \
          regression (the task sequence_regression); classes must be names or whole numbers",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(refusal(text, &Columns::default()), expected, "{text:?}");
    }
}

#[test]
fn many_different_numbers_are_refused_as_regression() {
    let numbers = |count: usize, each: usize| {
        let rows: Vec<String> = (0..count * each).map(|row| format!("text {row},{}\n", row % count)).collect();
        format!("text,label\n{}", rows.concat())
    };
    let expected = |distinct: usize, rows: usize| {
        format!(
            "a.csv: \"label\" holds {distinct} different whole numbers in {rows} rows, so this looks like regression (the task \
             sequence_regression); if they are classes, write them as names, such as \"class_7\""
        )
    };
    assert_eq!(refusal(&numbers(101, 5), &Columns::default()), expected(101, 505));
    assert_eq!(refusal(&numbers(30, 1), &Columns::default()), expected(30, 30));
    for accepted in [numbers(100, 2), numbers(2, 3), numbers(10, 1)] {
        let dataset = made(&accepted, &Columns::default()).unwrap();
        assert!(
            dataset.notices[1].starts_with("a.csv: the labels are whole numbers and are taken as the names of"),
            "{:?}",
            dataset.notices
        );
    }
}

#[test]
fn what_is_accepted_but_odd_is_told_in_notices() {
    let cases: [(&str, &[&str]); 5] = [
        (
            "text,label\na,0\nb,1\n",
            &["a.csv: the labels are whole numbers and are taken as the names of 2 classes: \"0\", \"1\""],
        ),
        (
            "text,label\na,2020\nb,old\n",
            &["a.csv: some labels are numbers and others are not; all are taken as names of classes: \"2020\""],
        ),
        ("text,label\na, x\nb,x\n", &["a.csv: white space around 1 label is dropped (first on line 2)"]),
        (
            "text,label\na,Good\nb,good\nc,bad\n",
            &["a.csv: these labels differ only in upper and lower case and count as different classes: \"Good\", \"good\""],
        ),
        (
            "text,label\na,x\nb,y\na ,x\na,y\n",
            &[
                "a.csv: 2 rows repeat a text that stands earlier in the file (first: line 4 repeats line 2)",
                "a.csv: 1 row gives such a text another label (first: line 5 against line 2); a model can only learn one of them",
            ],
        ),
    ];
    for (text, expected) in cases {
        let dataset = made(text, &Columns::default()).unwrap();
        assert_eq!(dataset.notices[1..], *expected, "{text:?}");
    }
    assert_eq!(made("text,label\na, x\n", &Columns::default()).unwrap().examples[0].label.as_deref(), Some("x"));
}

#[test]
fn json_labels_become_names() {
    let dataset = made("{\"text\": \"a\", \"label\": true}\n{\"text\": \"b\", \"label\": false}\n", &Columns::default()).unwrap();
    assert_eq!(dataset.examples[1].label.as_deref(), Some("false"));
}

#[test]
fn prediction_needs_no_labels_and_keeps_every_row() {
    let table = |text: &str| parse(Path::new("a.csv"), text, Format::Csv).unwrap();
    let kept = table("id,text\n1,a\n2,\n");
    let bare = unlabelled(&kept, &Columns::default()).unwrap();
    assert_eq!(bare.examples.len(), kept.rows.len());
    assert_eq!((bare.examples.len(), bare.examples[0].label.as_deref()), (2, None));
    assert_eq!(
        bare.notices,
        [
            "a.csv: text from column \"text\" (found by name)",
            "a.csv: 1 text is empty (first on line 3); the predictions for them say nothing"
        ]
    );
    let with_labels = unlabelled(table("text,label\na,x\nb,\n"), &Columns::default()).unwrap();
    assert_eq!(with_labels.examples.iter().map(|example| example.label.as_deref()).collect::<Vec<_>>(), [Some("x"), None]);
    let refused = unlabelled(table("text\na\n"), &columns("", "", "label")).unwrap_err().to_string();
    assert_eq!(refused, "a.csv: no column \"label\" for the label; the columns are \"text\"");
}

#[test]
fn control_characters_of_a_file_stay_out_of_messages() {
    let message = refusal("te\u{1b}[31mxt,label\na,b\n", &columns("text", "", ""));
    assert!(message.contains("\"te\\u{1b}[31mxt\""), "{message}");
}

#[test]
fn several_labels_come_as_lists_or_with_bars_between_them() {
    let table = jsonl(&[
        r#"{"text": "one", "labels": ["a", "b"]}"#,
        r#"{"text": "two", "labels": []}"#,
        r#"{"text": "three", "labels": "b | c"}"#,
        r#"{"text": "four", "labels": ["c", "c"]}"#,
    ]);
    let dataset = multi_labelled(table, &Columns::default()).unwrap();
    let labels: Vec<Vec<String>> = dataset.examples.into_iter().map(|example| example.label.unwrap()).collect();
    assert_eq!(labels, [vec!["a", "b"], vec![], vec!["b", "c"], vec!["c"]]);
    let notices = dataset.notices.join("\n");
    assert!(notices.contains("3 labels, 1.25 a text; 1 text without any"), "{notices}");
    assert!(notices.contains("1 row names a label twice, which counts once (first: line 4)"), "{notices}");
    let dataset = multi_labelled(csv("text,labels\none,a|b\ntwo,\n"), &Columns::default()).unwrap();
    assert_eq!(dataset.examples[1].label, Some(Vec::new()));
    // As a table from jsonl is written to csv.
    let written = csv("text,labels\none,\"[\"\"a\"\",\"\"b\"\"]\"\ntwo,[]\nthree,[1]|c\nfour,[1]\n");
    let dataset = multi_labelled(written, &Columns::default()).unwrap();
    let labels: Vec<Vec<String>> = dataset.examples.into_iter().map(|example| example.label.unwrap()).collect();
    assert_eq!(labels, [vec!["a", "b"], vec![], vec!["[1]", "c"], vec!["[1]"]]);
}

#[test]
fn what_is_no_list_of_labels_is_told_with_its_line() {
    let table = jsonl(&[
        r#"{"text": "one", "labels": 3}"#,
        r#"{"text": "two", "labels": ["a", 1]}"#,
        r#"{"text": "three", "labels": "a||b"}"#,
        r#"{"text": "four"}"#,
    ]);
    let told = multi_labelled(table, &Columns::default()).unwrap_err().to_string();
    for expected in [
        ":1: \"labels\" holds 3; accepted: a list of label names, or names with | between them",
        ":2: \"labels\" holds [\"a\",1]; accepted",
        ":3: ",
        ":4: ",
    ] {
        assert!(told.contains(expected), "{expected}\n{told}");
    }
    let told = multi_labelled(csv("text,labels\none,\ntwo,\n"), &Columns::default()).unwrap_err().to_string();
    assert!(told.contains("none of the 2 rows has a label"), "{told}");
}

#[test]
fn numbers_are_read_alone_and_in_lists() {
    let dataset = numbered(csv("text,score\none,-1.5\ntwo, 2e1 \n"), &Columns::default()).unwrap();
    let numbers = |dataset: Dataset<Vec<f32>>| dataset.examples.into_iter().map(|it| it.label.unwrap()).collect::<Vec<_>>();
    assert!(dataset.notices.iter().any(|notice| notice.ends_with("the labels are numbers from -1.5 to 20")));
    assert_eq!(numbers(dataset), [[-1.5], [20.0]]);
    let lists = jsonl(&[r#"{"text": "one", "label": [1, 2.5]}"#, r#"{"text": "two", "label": [0, -3]}"#]);
    assert_eq!(numbers(numbered(lists, &Columns::default()).unwrap()), [[1.0, 2.5], [0.0, -3.0]]);
    let written = csv("text,label\none,\"[1,2.5]\"\ntwo,\"[0,-3]\"\n");
    assert_eq!(numbers(numbered(written, &Columns::default()).unwrap()), [[1.0, 2.5], [0.0, -3.0]]);
}

#[test]
fn what_is_no_number_is_told_with_its_line() {
    let table = jsonl(&[
        r#"{"text": "one", "label": [1, 2]}"#,
        r#"{"text": "two", "label": "n/a"}"#,
        r#"{"text": "three", "label": [1, 2, 3]}"#,
        r#"{"text": "four", "label": "nan"}"#,
        r#"{"text": "five", "label": true}"#,
        r#"{"text": "six", "label": []}"#,
        r#"{"text": "seven", "label": [1, -1e38]}"#,
        r#"{"text": "eight", "label": [1, 1e39]}"#,
        r#"{"text": "nine", "label": "2e18"}"#,
        r#"{"text": "ten", "label": [1e18, -1e18]}"#,
    ]);
    let told = numbered(table, &Columns::default()).unwrap_err().to_string();
    for expected in [
        ":2: \"label\" holds \"n/a\"; accepted: a finite number, or a list of such",
        ":3: \"label\" holds 3 numbers where line 1 has 2; every row needs as many",
        ":4: \"label\" holds \"nan\"",
        ":5: \"label\" holds true; accepted",
        ":6: \"label\" holds []; accepted",
        ":7: \"label\" holds -1e38; accepted: numbers from -1e18 to 1e18",
        ":8: \"label\" holds 3.4e38 and more; accepted: numbers",
        ":9: \"label\" holds 2e18; accepted: numbers",
    ] {
        assert!(told.contains(expected), "{expected}\n{told}");
    }
    assert!(!told.contains(":10:"), "{told}");
}
