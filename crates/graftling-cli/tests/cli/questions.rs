//! Questions about texts on the command line: trained on, evaluated, answered, and refused where they are wrong.

use serde_json::{Value, json};

use crate::scratch::Scratch;

const CONTEXT: &str = "电影: the film was good and the story was dull";

/// SQuAD's layout with two contexts, and one question without an answer.
fn squad() -> Value {
    let question = |id: &str, question: &str, answers: Value| json!({ "id": id, "question": question, "answers": answers });
    let good = json!([{ "text": "good", "answer_start": 17 }, { "text": "the film was good", "answer_start": 4 }]);
    let first = [question("a", "how was the film", good), question("b", "how was the movie", json!([]))];
    let second = [question("c", "what was dull", json!([{ "text": "the story", "answer_start": 0 }]))];
    let paragraphs = [json!({ "context": CONTEXT, "qas": first }), json!({ "context": "the story was dull", "qas": second })];
    json!({ "version": "v2.0", "data": [{ "title": "t", "paragraphs": paragraphs }] })
}

/// The same questions as rows.
fn rows() -> String {
    let answers = |text: &str, start: usize| json!({ "text": [text], "answer_start": [start] }).to_string().replace('"', "\"\"");
    format!(
        "id,title,question,context,answers\na,t,how was the film,{CONTEXT},\"{}\"\nb,t,how was the movie,{CONTEXT},\"{}\"\n\
         c,t,what was dull,the story was dull,\"{}\"\n",
        answers("good", 17),
        "[]",
        answers("the story", 0)
    )
}

const TRAIN: &[&str] = &["train", "--task", "question_answering", "--model", "tiny", "--train", "q.json", "--output", "run"];

fn with_run() -> Scratch {
    let scratch = Scratch::new();
    scratch.write("q.json", squad().to_string());
    scratch.write("q.csv", rows());
    let said = scratch.run(&[TRAIN, &["--epochs", "1", "--validation", "q.csv"]].concat());
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.stderr.contains("note: q.csv: 3 of 3 questions are about texts that stand in q.json, too"), "{}", said.stderr);
    assert!(said.stdout.contains("predict --model run --question \"...\" --context \"...\""), "{}", said.stdout);
    assert!(!said.stderr.contains("labels:"), "{}", said.stderr);
    scratch
}

#[test]
fn questions_are_evaluated_and_answered_from_every_kind_of_file() {
    let scratch = with_run();
    let figures = scratch.json(&["evaluate", "--model", "run", "--data", "q.json", "--output", "answers.json", "--json"]);
    for name in ["eval_exact_match", "eval_f1", "eval_HasAns_f1", "eval_best_f1_thresh", "eval_loss"] {
        assert!(figures[name].is_number(), "{name} of {figures}");
    }
    assert_eq!((&figures["eval_HasAns_total"], &figures["eval_NoAns_total"]), (&2.into(), &1.into()));
    let answers: Value = serde_json::from_str(&scratch.read("answers.json")).unwrap();
    assert_eq!(answers.as_object().unwrap().keys().collect::<Vec<_>>(), ["a", "b", "c"]);

    let said = scratch.run(&["evaluate", "--model", "run", "--data", "q.csv", "--output", "judged.jsonl"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.stdout.contains("without an answer"), "{}", said.stdout);
    let objects: Vec<Value> = scratch.read("judged.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(objects.len(), 3);
    for object in &objects {
        assert_eq!(object["predicted_answer"], answers[object["id"].as_str().unwrap()], "{object}");
    }

    // Always a passage, with its place in characters.
    let always = ["--null-score-diff-threshold", "none", "--json"];
    for input in ["q.json", "q.csv"] {
        let said = scratch.run(&[&["predict", "--model", "run", "--input", input], &always[..]].concat());
        let lines: Vec<Value> = said.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 3, "{said:?}");
        for line in &lines {
            let [start, end] = [0, 1].map(|end| line["characters"][end].as_u64().unwrap() as usize);
            let context: Vec<char> = line["text_pair"].as_str().unwrap().chars().collect();
            assert_eq!(line["answer"], context[start..end].iter().collect::<String>(), "{line}");
            assert!(line["probability"].as_f64().unwrap() > 0.0 && line.get("null_score_diff").is_none(), "{line}");
        }
        assert_eq!(lines[0]["id"], if input == "q.json" { Value::from("a") } else { Value::Null });
    }
    let said = scratch.run(&["predict", "--model", "run", "--question", "how was the film", "--context", CONTEXT]);
    assert!(said.code == Some(0) && said.stdout.ends_with("  how was the film\n"), "{said:?}");
    let never = ["--null-score-diff-threshold", "-1e5", "--json"];
    let asked = ["predict", "--model", "run", "--text", "how was the film", "--text-pair", CONTEXT];
    let none = scratch.json(&[&asked[..], &never].concat());
    assert_eq!((&none["answer"], &none["characters"]), (&"".into(), &Value::Null), "{none}");
    let said = scratch.run(&["predict", "--model", "run", "--input", "q.json", "--output", "said.json.gz"]);
    assert!(said.code == Some(0) && scratch.exists("said.json.gz"), "{said:?}");
}

#[test]
fn questions_that_cannot_be_used_are_refused() {
    let scratch = with_run();
    let broken = |change: fn(&mut Value)| {
        let mut whole = squad();
        change(&mut whole["data"][0]["paragraphs"][0]);
        whole.to_string()
    };
    let files: [(&str, String, &str); 9] = [
        (
            "moved.json",
            broken(|paragraph| paragraph["qas"][0]["answers"][0]["answer_start"] = 19.into()),
            "moved.json:1: question \"a\": the answer \"good\" is not at character 19 of the context, where \"od a\" stands; it occurs at 17",
        ),
        (
            "beyond.json",
            broken(|paragraph| paragraph["qas"][0]["answers"][0]["answer_start"] = 99.into()),
            "beyond.json:1: question \"a\": the answer \"good\" cannot be at character 99 of the context, which has 44; it occurs at 17",
        ),
        ("other.json", broken(|paragraph| paragraph["qas"][0]["answers"][0]["text"] = "great".into()), "it does not occur in it"),
        (
            "keys.json",
            broken(|paragraph| *paragraph = json!({ "text": "x", "qas": [] })),
            "keys.json: data[0].paragraphs[0].context is missing where a string is needed",
        ),
        ("list.json", "[1, 2]".to_owned(), "list.json: \"data\" is missing where a list is needed"),
        ("cut.json", squad().to_string()[..90].to_owned(), "cut.json: not JSON at line 1, column "),
        (
            "id.csv",
            rows().replace("\nb,t", "\na,t"),
            "id.csv:3: question \"a\": \"how was the movie\" has the id of \"how was the film\"",
        ),
        ("none.csv", "question,context\nq,c\n".to_owned(), "none.csv: no column for the list of answers; the columns are"),
        ("name.csv", rows().replace("context", "kontext"), "name.csv: no column for the context; the columns are"),
    ];
    let mut wrong = Vec::new();
    for (name, text, expected) in &files {
        scratch.write(name, text);
        let trained = ["train", "--task", "question_answering", "--model", "tiny", "--train", name, "--output", "out"];
        for arguments in [&trained[..], &["evaluate", "--model", "run", "--data", name]] {
            let said = scratch.run(arguments);
            if said.code != Some(1) || !said.stderr.contains(expected) || scratch.exists("out") {
                wrong.push(format!("{arguments:?}: expected {expected}\n{}", said.stderr));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn flags_that_do_not_go_with_questions_are_refused() {
    let scratch = with_run();
    let label_run = scratch.run(&["train", "--model", "tiny", "--train", "train.csv", "--output", "labels", "--epochs", "1"]);
    assert_eq!(label_run.code, Some(0), "{label_run:?}");
    let cases: [(&[&str], i32, &str); 8] = [
        (&["predict", "--model", "run", "--question", "how"], 1, "error: text 1 (\"how\") is a question without a context"),
        (
            &["evaluate", "--model", "run", "--data", "q.json", "--text-column", "question"],
            1,
            "q.json: text_column names \"question\", but a file in SQuAD's layout has no columns; leave it out",
        ),
        (
            &["predict", "--model", "labels", "--text", "a", "--null-score-diff-threshold", "0"],
            1,
            "null_score_diff_threshold belongs to question_answering, but the model is of the task sequence_classification",
        ),
        (
            &["evaluate", "--model", "run", "--data", "q.json", "--null-score-diff-threshold", "much"],
            2,
            "accepted are none and a number",
        ),
        (
            &["predict", "--model", "labels", "--input", "q.json", "--output", "out.json"],
            1,
            "out.json: a .json file holds answers to questions, which this model does not give",
        ),
        (
            &["predict", "--model", "run", "--input", "q.csv", "--output", "out.json"],
            1,
            "out.json: .json is read as questions in SQuAD's layout alone",
        ),
        (&[TRAIN, &["--overwrite-output", "--long-texts", "cut"]].concat(), 2, "--long-texts = \"cut\" does not go with --task"),
        (
            &["train", "--model", "tiny", "--train", "train.csv", "--output", "out", "--n-best-size", "3"],
            2,
            "it belongs to question_answering",
        ),
    ];
    for (arguments, code, expected) in cases {
        let said = scratch.run(arguments);
        assert!(said.code == Some(code) && said.stderr.contains(expected), "{arguments:?}: {said:?}");
        assert!(!scratch.exists("out") && !scratch.exists("out.json"), "{arguments:?}");
    }
}
