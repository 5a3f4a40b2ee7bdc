//! Good and bad questions through their doors.

use std::fs;
use std::path::Path;

use super::{AnswerNeed, parse};
use crate::{
    Answer, Examples, Format, QuestionColumns, QuestionExample, QuestionFormat, TextError, random_split, read_questions,
    read_unanswered_questions, shared_contexts_notice,
};

fn made(text: &str, need: AnswerNeed) -> Result<Examples<QuestionExample>, TextError> {
    let flat = text.starts_with("{\"context\"") || text.starts_with("{\"id\"") || text.starts_with("{\"question\"");
    let (name, format) = if flat { ("a.jsonl", QuestionFormat::Table(Format::Jsonl)) } else { ("a.json", QuestionFormat::Squad) };
    parse(Path::new(name), text, format, &QuestionColumns::default(), need)
}

fn refusal(text: &str) -> String {
    match made(text, AnswerNeed::Required) {
        Ok(dataset) => panic!("{text:?} was accepted: {dataset:?}"),
        Err(error) => error.to_string(),
    }
}

/// A file of one paragraph with these questions.
fn nested(context: &str, questions: &str) -> String {
    format!(
        r#"{{"version": "v2.0", "data": [{{"title": "t", "paragraphs": [{{"context": "{context}", "qas": [{questions}]}}]}}]}}"#
    )
}

#[test]
fn squad_files_are_read_with_offsets_in_characters_and_bytes() {
    let text = nested(
        "Köln liegt am Rhein.",
        r#"{"id": "q1", "question": "Wo liegt Köln?", "answers": [{"text": "am Rhein", "answer_start": 11}, {"text": "Rhein", "answer_start": 14}]},
           {"id": 2, "question": "Wie alt?", "answers": [], "is_impossible": true, "plausible_answers": [{"text": "x", "answer_start": 0}]},
           {"id": "q3", "question": "Was?", "is_impossible": false, "answers": [{"text": "Köln", "answer_start": 0}]}"#,
    );
    let dataset = made(&text, AnswerNeed::Required).unwrap();
    let ids: Vec<&str> = dataset.examples.iter().map(|example| example.id.as_str()).collect();
    assert_eq!(ids, ["q1", "2", "q3"]);
    assert_eq!(
        dataset.examples[0].answers,
        [
            Answer { text: "am Rhein".into(), characters: (11, 19), bytes: (12, 20) },
            Answer { text: "Rhein".into(), characters: (14, 19), bytes: (15, 20) }
        ]
    );
    assert_eq!(dataset.examples[1].answers, []);
    assert_eq!(dataset.examples[2].answers[0].bytes, (0, 5));
    assert_eq!(dataset.notices, ["a.json: 1 question has no answer in the text"]);
    for example in &dataset.examples {
        for answer in &example.answers {
            assert_eq!(answer.text, example.context[answer.bytes.0..answer.bytes.1]);
        }
    }
}

#[test]
fn flat_rows_are_read() {
    let text = "{\"context\": \"去北京市\", \"question\": \"哪里?\", \"answers\": {\"text\": [\"北京\"], \"answer_start\": [1]}}\n\
         {\"id\": \"b\", \"context\": \"x\", \"question\": \"y\", \"answers\": {\"text\": [], \"answer_start\": []}}\n\
         {\"context\": \"x z\", \"question\": \"y\", \"answers\": [{\"text\": \"z\", \"answer_start\": 2}]}\n\
         {\"context\": \"x\", \"question\": \"y\", \"is_impossible\": true}\n";
    let dataset = made(text, AnswerNeed::Required).unwrap();
    let found: Vec<(&str, Option<usize>, usize)> =
        dataset.examples.iter().map(|example| (example.id.as_str(), example.line, example.answers.len())).collect();
    assert_eq!(found, [("1", Some(1), 1), ("b", Some(2), 0), ("3", Some(3), 1), ("4", Some(4), 0)]);
    assert_eq!(dataset.examples[0].answers[0].bytes, (3, 9));
}

#[test]
fn answers_that_are_not_there_are_refused_with_what_stands_there() {
    let text = nested(
        "The cat sat. The cat ran. The cat ate.",
        r#"{"id": "a", "question": "?", "answers": [{"text": "cat", "answer_start": 0}]},
           {"id": "b", "question": "?", "answers": [{"text": "dog", "answer_start": 4}, {"text": "ate.", "answer_start": 36}]},
           {"id": "c", "question": "?", "answers": [{"text": "ran", "answer_start": 99}]},
           {"id": "d", "question": "?", "answers": [{"text": "sat", "answer_start": -1}, {"text": "", "answer_start": 0}, {"answer_start": 0}]}"#,
    );
    let expected = "7 problems in a.json\n  \
        a.json:1: question \"a\": the answer \"cat\" is not at character 0 of the context, where \"The\" stands; it occurs at 4, 17, 30\n  \
        a.json:2: question \"b\": the answer \"dog\" is not at character 4 of the context, where \"cat\" stands; it does not occur in it\n  \
        a.json:2: question \"b\": the answer \"ate.\" is not at character 36 of the context, where \"e.\" stands; it occurs at 34\n  \
        a.json:3: question \"c\": the answer \"ran\" cannot be at character 99 of the context, which has 38; it occurs at 21\n  \
        a.json:4: question \"d\": the answer_start of answer 1 is the number -1 where a whole number of characters, from 0, is needed\n  \
        a.json:4: question \"d\": the text of answer 2 is empty; fill it in or drop the question\n  \
        a.json:4: question \"d\": the text of answer 3 is missing where a string is needed";
    assert_eq!(refusal(&text), expected);
    let flat = "{\"id\": \"x\", \"context\": \"a a a a a a a\", \"question\": \"?\", \"answers\": {\"text\": [\"a\"], \"answer_start\": [1]}}\n";
    assert_eq!(
        refusal(flat),
        "a.jsonl:1: question \"x\": the answer \"a\" is not at character 1 of the context, where \" \" stands; it occurs at 0, 2, 4, 6, \
         8 and 2 more places"
    );
}

#[test]
fn contradictions_and_wrong_parts_are_refused() {
    let answer = r#"[{"text": "x", "answer_start": 0}]"#;
    let cases = [
        (
            nested("x", &format!(r#"{{"id": "a", "question": "?", "is_impossible": true, "answers": {answer}}}"#)),
            "a.json:1: question \"a\": is_impossible is true, but there is 1 answer; drop what is wrong",
        ),
        (
            nested("x", r#"{"id": "a", "question": "?", "is_impossible": false, "answers": []}"#),
            "a.json:1: question \"a\": is_impossible is false, but there is no answer; add it or write true where the text has none",
        ),
        (
            nested(
                "x",
                &format!(
                    r#"{{"id": "a", "question": "?", "answers": {answer}}}, {{"id": "a", "question": "!", "answers": {answer}}}"#
                ),
            ),
            "a.json: question \"a\": \"!\" has the id of \"?\"; each question needs its own",
        ),
        (
            nested("x", r#"{"id": "a", "question": "?"}"#),
            "a.json:1: question \"a\": \"answers\" is missing where a list of objects, or an object of the lists text and answer_start, is \
             needed",
        ),
        (
            nested("x", r#"{"id": "a", "question": " ", "answers": []}, 7, {"id": [], "question": "?", "answers": [3]}"#),
            "3 problems in a.json\n  \
             a.json:1: question \"a\": data[0].paragraphs[0].qas[0].question is empty; fill it in or drop the question\n  \
             a.json: data[0].paragraphs[0].qas[1] is the number 7 where an object with id, question and answers is needed\n  \
             a.json: data[0].paragraphs[0].qas[2].id is a list where a string is needed",
        ),
        (nested(" ", ""), "a.json: data[0].paragraphs[0].context is empty; fill it in or drop the question"),
        ("{\"data\": {}}".to_owned(), "a.json: \"data\" is an object where a list is needed"),
        ("[]".to_owned(), "a.json: \"data\" is missing where a list is needed"),
        ("{\"data\": []}".to_owned(), "a.json: the file is empty"),
        (" ".to_owned(), "a.json: the file is empty"),
        (
            "{\"data\":\n [}".to_owned(),
            "a.json: not JSON at line 2, column 3: expected value; a file of one question a line must be named .jsonl",
        ),
        (
            "{\"data\": [{\"paragraphs\": null}, 5]}".to_owned(),
            "2 problems in a.json\n  a.json: data[0].paragraphs is null where a list is needed\n  \
             a.json: data[1].paragraphs is missing where a list is needed",
        ),
        (
            "{\"context\": \"x\", \"question\": \"?\", \"answers\": {\"text\": [\"x\"], \"answer_start\": []}}\n".to_owned(),
            "a.jsonl:1: question \"1\": \"answers\" has 1 text but 0 in answer_start",
        ),
        (
            "{\"context\": \"x\", \"question\": \"\", \"answers\": {\"text\": []}}\n".to_owned(),
            "2 problems in a.jsonl\n  a.jsonl:1: the text in \"question\" is empty; fill it in or drop the row\n  \
             a.jsonl:1: question \"1\": \"answer_start\" of \"answers\" is missing where a list is needed",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(refusal(&text), expected, "{text}");
    }
    let missing = refusal("{\"question\": \"?\", \"text\": \"x\"}\n");
    assert!(missing.contains("a.jsonl: no column for the context; the columns are \"question\", \"text\""), "{missing}");
    let columns = QuestionColumns { context: Some("text".to_owned()), ..Default::default() };
    let text = "{\"question\": \"?\", \"text\": \"x\", \"answers\": []}\n";
    let format = QuestionFormat::Table(Format::Jsonl);
    let dataset = parse(Path::new("a.jsonl"), text, format, &columns, AnswerNeed::Required).unwrap();
    assert_eq!(&*dataset.examples[0].context, "x");
}

#[test]
fn rows_of_csv_hold_their_answers_as_json() {
    let text = "id,title,question,context,answers,is_impossible\n\
         a,t,?,x z,\"{\"\"text\"\": [\"\"z\"\"], \"\"answer_start\"\": [2]}\",False\n\
         b,t,!,x z,\"[{\"\"text\"\": \"\"x\"\", \"\"answer_start\"\": 0}]\",\n\
         c,t,.,x z,,True\n";
    let read = |text: &str, columns: &QuestionColumns| {
        parse(Path::new("a.csv"), text, QuestionFormat::Table(Format::Csv), columns, AnswerNeed::Required)
    };
    let dataset = read(text, &QuestionColumns::default()).unwrap();
    let starts: Vec<Vec<usize>> =
        dataset.examples.iter().map(|example| example.answers.iter().map(|answer| answer.bytes.0).collect()).collect();
    assert_eq!(starts, [vec![2], vec![0], vec![]]);
    assert_eq!(
        dataset.notices,
        [
            "a.csv: questions from column \"question\", contexts from column \"context\", answers from column \"answers\" (found by name)",
            "a.csv: 1 question has no answer in the text"
        ]
    );
    let renamed = text.replacen("answers", "gold", 1);
    let columns = QuestionColumns { answers: Some("gold".to_owned()), ..Default::default() };
    assert_eq!(read(&renamed, &columns).unwrap().examples, dataset.examples);
    let misspelt = QuestionColumns { answers: Some("anwsers".to_owned()), ..Default::default() };
    let told = read(text, &misspelt).unwrap_err().to_string();
    assert!(told.starts_with("a.csv: no column \"anwsers\"") && told.contains("did you mean \"answers\"?"), "{told}");
    let twice = QuestionColumns { question: Some("context".to_owned()), ..Default::default() };
    let told = read(text, &twice).unwrap_err().to_string();
    assert_eq!(told, "a.csv: the column \"context\" cannot be both the question and the context");
    let python = "question,context,answers\n?,x z,\"{'text': ['z'], 'answer_start': [2]}\"\n";
    assert_eq!(
        read(python, &QuestionColumns::default()).unwrap_err().to_string(),
        "a.csv:2: question \"2\": \"answers\" is a string where a list of objects, or an object of the lists text and answer_start, is \
         needed"
    );
}

#[test]
fn what_a_person_should_know_of_questions_is_told() {
    let answer = r#"[{"text": "x", "answer_start": 0}]"#;
    let questions = format!(
        r#"{{"id": "a", "question": "?", "answers": {answer}}}, {{"id": "b", "question": "? ", "answers": []}}, {{"id": "c", "question": "?", "answers": {answer}}}"#
    );
    let text = nested("x y", &questions).replace("v2.0", "1.1");
    let dataset = made(&text, AnswerNeed::Required).unwrap();
    assert_eq!(
        dataset.notices,
        [
            "a.json: the version is 1.1, in which every question has an answer; those without are read as in 2.0",
            "a.json: 1 question has no answer in the text",
            "a.json: 2 questions are asked again about the same text, 1 of them with other answers (first: \"b\" repeats \"a\")"
        ]
    );
    let other = made(&nested("x y ", r#"{"id": "d", "question": "!", "answers": []}"#), AnswerNeed::Required).unwrap();
    assert_eq!(
        shared_contexts_notice(&dataset, &other).unwrap(),
        "a.json: 1 of 1 question is about texts that stand in a.json, too (first: that of \"d\" is that of \"a\" there); figures on them say \
         nothing about new texts"
    );
    let new = made(&nested("z", r#"{"id": "d", "question": "!", "answers": []}"#), AnswerNeed::Required).unwrap();
    assert_eq!(shared_contexts_notice(&dataset, &new), None);
    assert_eq!(refusal(&text.replace("\"1.1\"", "[]")), "a.json: \"version\" is a list where a string is needed");
    let columns = QuestionColumns { question: Some("q".to_owned()), ..Default::default() };
    let named = parse(Path::new("a.json"), &text, QuestionFormat::Squad, &columns, AnswerNeed::Required).unwrap_err().to_string();
    assert_eq!(named, "a.json: text_column names \"q\", but a file in SQuAD's layout has no columns; leave it out");
}

#[test]
fn questions_to_be_answered_need_no_answers() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("a.json", nested("x", r#"{"question": "?"}"#)),
        ("a.jsonl", "{\"context\": \"x\", \"question\": \"?\"}\n".to_owned()),
        ("a.csv", "question,context,answers\n?,x,\n".to_owned()),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        let dataset = read_unanswered_questions(&path, None, &QuestionColumns::default()).unwrap();
        assert_eq!((&*dataset.examples[0].context, dataset.examples[0].answers.len()), ("x", 0), "{name}");
        assert!(read_questions(&path, None, &QuestionColumns::default()).is_err(), "{name}");
    }
    let refused = read_questions(&folder.path().join("a.json.txt"), None, &QuestionColumns::default()).unwrap_err().to_string();
    assert!(refused.contains("a.json.txt: no such file"), "{refused}");
}

#[test]
fn a_split_keeps_the_questions_of_a_text_together() {
    let line = |row: usize| {
        format!(
            "{{\"context\": \"text {}\", \"question\": \"?\", \"answers\": {{\"text\": [], \"answer_start\": []}}}}\n",
            row / 4
        )
    };
    let rows: Vec<String> = (0..40).map(line).collect();
    let split = random_split(made(&rows.concat(), AnswerNeed::Required).unwrap(), 0.2, 3).unwrap();
    assert_eq!(split.validation.examples.len(), 8);
    assert!(split.validation.examples.iter().all(|one| split.train.examples.iter().all(|other| other.context != one.context)));
}

#[test]
fn every_prefix_of_a_file_is_read_or_refused() {
    let whole = nested("Köln", r#"{"id": "a", "question": "?", "answers": [{"text": "ln", "answer_start": 2}]}"#);
    assert!(made(&whole, AnswerNeed::Required).is_ok());
    for (end, _) in whole.char_indices() {
        assert!(made(&whole[..end], AnswerNeed::Required).is_err(), "{end}");
    }
}
