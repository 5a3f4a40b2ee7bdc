//! Predictions and evaluations of data in every form: words of CoNLL, lists of words, lines of text; each plain and compressed.

use std::io::{Read, Write};

use serde_json::Value;

use crate::scratch::Scratch;

/// Sentences of which the first word is a name; a comment, a document's beginning and a blank line at the end stay where they are.
const CONLL: &str = "-DOCSTART-\n\n#one\nanna\tX\tB-PER\nwas\tY\tO\nhere\tZ\tO\n\nthe\tX\tO\nold\tY\tB-LOC\ntown\tZ\tI-LOC\n\n";

/// A folder with a run that tags words, trained for a moment.
fn tagger() -> Scratch {
    let scratch = Scratch::new();
    scratch.write("train.conll", CONLL.repeat(6));
    let mut arguments = vec!["train", "--task", "token_classification", "--model", "tiny", "--train", "train.conll"];
    arguments.extend(["--validation", "train.conll", "--output", "run", "--epochs", "1", "--max-length", "12"]);
    let said = scratch.run(&arguments);
    assert_eq!(said.code, Some(0), "{said:?}");
    scratch.write("data.conll", CONLL);
    scratch
}

fn run(scratch: &Scratch, arguments: &[&str]) -> String {
    let said = scratch.run(arguments);
    assert_eq!(said.code, Some(0), "{arguments:?}: {said:?}");
    said.stdout
}

fn objects(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn unpacked(scratch: &Scratch, name: &str) -> String {
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(scratch.path(name)).unwrap()).read_to_string(&mut text).unwrap();
    text
}

/// The last column of every word.
fn last_column(conll: &str) -> Vec<&str> {
    let words = conll.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#') && !line.starts_with("-DOCSTART-"));
    words.map(|line| line.split(['\t', ' ']).next_back().unwrap()).collect()
}

#[test]
fn conll_is_written_again_with_one_column_more_and_nothing_else() {
    let scratch = tagger();
    run(&scratch, &["evaluate", "--model", "run", "--data", "data.conll", "--output", "judged.conll"]);
    let judged = scratch.read("judged.conll");
    let without: Vec<String> = judged
        .split('\n')
        .map(|line| match line.matches('\t').count() {
            3 => line.rsplit_once('\t').unwrap().0.to_owned(),
            _ => line.to_owned(),
        })
        .collect();
    assert_eq!(without.join("\n"), CONLL, "{judged}");
    assert_eq!(judged.matches('\t').count(), 3 * 6, "{judged}");
    // The same predictions by predict, on a compressed file whose columns are apart by blanks, with Windows' line ends.
    let mut file =
        flate2::write::GzEncoder::new(std::fs::File::create(scratch.path("words.bio.gz")).unwrap(), Default::default());
    file.write_all(CONLL.replace('\t', " ").replace('\n', "\r\n").as_bytes()).unwrap();
    file.finish().unwrap();
    run(&scratch, &["predict", "--model", "run", "--input", "words.bio.gz", "--output", "said.conll.gz"]);
    let said = unpacked(&scratch, "said.conll.gz");
    assert_eq!(last_column(&said), last_column(&judged));
    assert!(said.contains("anna X B-PER ") && said.contains("\r\n#one\r\n"), "{said}");
    // A file of words alone has two columns then, which evaluate reads.
    scratch.write("words.conll", "anna\nwas\n\nhere\n");
    run(&scratch, &["predict", "--model", "run", "--input", "words.conll", "--output", "tagged.txt"]);
    assert_eq!(last_column(&scratch.read("tagged.txt")).len(), 3);
    let figures = scratch.json(&["evaluate", "--model", "run", "--data", "tagged.txt", "--json", "--output", "again.txt"]);
    assert_eq!(figures["eval_accuracy"], 1.0, "{figures}");
    assert_eq!(scratch.read("again.txt").lines().next().unwrap().split(' ').count(), 3);
}

#[test]
fn names_that_tell_no_format_are_read_as_it_is_given_and_tags_by_the_scheme_that_is() {
    let scratch = Scratch::new();
    // As the files of CoNLL-2003 are called and tagged.
    let iob1 = CONLL.replace("\tB-", "\tI-");
    scratch.write("eng.train", iob1.repeat(6));
    scratch.write("eng.testa", &iob1);
    let mut arguments = vec!["train", "--task", "token_classification", "--model", "tiny", "--format", "conll"];
    arguments.extend([
        "--train",
        "eng.train",
        "--validation",
        "eng.testa",
        "--test",
        "eng.testa",
        "--output",
        "run",
        "--epochs",
        "1",
    ]);
    arguments.extend(["--tag-scheme", "iob1", "--metric-for-best-model", "strict_f1", "--max-length", "12"]);
    run(&scratch, &arguments);
    let evaluate = ["evaluate", "--model", "run", "--data", "eng.testa", "--format", "conll"];
    let figures =
        |more: &[&str]| -> Value { serde_json::from_str(&run(&scratch, &[&evaluate[..], &["--json"], more].concat())).unwrap() };
    assert_eq!(figures(&[])["eval_scheme"], "IOB1");
    assert_eq!(figures(&["--tag-scheme", "iob2"])["eval_scheme"], "IOB2");
    // Every entity of IOB1 is one of the tolerant mode, in which the schemes are the same.
    assert_eq!(figures(&[])["eval_strict_f1"], figures(&[])["eval_f1"]);
    // Of its letters there is none that IOE2 lacks: it is read as it is asked for.
    assert_eq!(figures(&["--tag-scheme", "ioe2"])["eval_scheme"], "IOE2");
    run(&scratch, &[&evaluate[..], &["--output", "judged.conll"]].concat());
    run(&scratch, &["predict", "--model", "run", "--input", "eng.testa", "--format", "conll", "--output", "said.conll"]);
    assert_eq!(scratch.read("said.conll"), scratch.read("judged.conll"));
    scratch.write("lines.dat", "anna was here\nthe old town\n");
    run(&scratch, &["predict", "--model", "run", "--input", "lines.dat", "--format", "txt", "--output", "lines.csv"]);
    assert_eq!(scratch.read("lines.csv").lines().count(), 3);
    let said = scratch.run(&["evaluate", "--model", "run", "--data", "lines.dat", "--format", "squad"]);
    let error = "error: lines.dat: a file in this format cannot be read here: squad holds questions about texts, which the task \
                 question_answering reads; accepted: conll, jsonl, csv and tsv";
    assert!(said.code == Some(1) && said.stderr.starts_with(error), "{said:?}");
}

#[test]
fn words_in_lists_and_words_of_conll_are_told_alike() {
    let scratch = tagger();
    scratch.write(
        "data.jsonl",
        "{\"tokens\":[\"anna\",\"was\",\"here\"],\"ner_tags\":[\"B-PER\",\"O\",\"O\"]}\n\
         {\"tokens\":[\"the\",\"old\",\"town\"],\"ner_tags\":[\"O\",\"B-LOC\",\"I-LOC\"]}\n",
    );
    run(&scratch, &["evaluate", "--model", "run", "--data", "data.jsonl", "--output", "judged.jsonl"]);
    run(&scratch, &["evaluate", "--model", "run", "--data", "data.conll", "--output", "judged2.jsonl.gz"]);
    let (lists, conll) = (objects(&scratch.read("judged.jsonl")), objects(&unpacked(&scratch, "judged2.jsonl.gz")));
    assert_eq!((lists.len(), conll.len()), (2, 2));
    for (list, conll) in lists.iter().zip(&conll) {
        assert_eq!((&list["tokens"], &list["ner_tags"]), (&conll["tokens"], &conll["tags"]));
        assert_eq!(list["predicted_tags"], conll["predicted_tags"]);
        assert_eq!(list["predicted_entities"], conll["predicted_entities"]);
        assert_eq!(list["predicted_tags"].as_array().unwrap().len(), 3);
    }
    let printed = objects(&run(&scratch, &["predict", "--model", "run", "--input", "data.jsonl", "--json"]));
    assert_eq!(printed[1]["words"], lists[1]["tokens"]);
    assert_eq!(printed[1]["predicted_tags"], lists[1]["predicted_tags"]);
    assert!(run(&scratch, &["predict", "--model", "run", "--input", "data.conll"]).lines().all(|line| line.contains("  ")));
    // Texts with their entities keep them, and what is predicted stands beside them.
    scratch.write("texts.jsonl", "{\"text\":\"anna was here\",\"entities\":[{\"start\":0,\"end\":4,\"label\":\"PER\"}]}\n");
    run(&scratch, &["evaluate", "--model", "run", "--data", "texts.jsonl", "--output", "judged3.jsonl"]);
    let row = &objects(&scratch.read("judged3.jsonl"))[0];
    assert!(row["entities"][0]["label"] == "PER" && row["predicted_entities"].is_array() && row.get("predicted_tags").is_none());
}

#[test]
fn a_column_that_is_not_read_is_not_named() {
    let scratch = tagger();
    scratch.write("texts.txt", "a good film\n");
    scratch.write("words.jsonl", "{\"tokens\": [\"anna\"], \"ner_tags\": [\"B-PER\"]}\n");
    let evaluate = ["evaluate", "--model", "run", "--data"];
    let predict = ["predict", "--model", "run", "--input"];
    let adapt = ["train", "--model", "tiny", "--task", "masked_lm", "--output", "out", "--train"];
    for (command, file, column, expected) in [
        (
            &evaluate[..],
            "data.conll",
            "text",
            "data.conll: text_column names \"x\", but the columns of a CoNLL file have no names",
        ),
        (
            &evaluate[..],
            "data.conll",
            "label",
            "data.conll: label_column names \"x\", but the columns of a CoNLL file have no names",
        ),
        (&evaluate[..], "words.jsonl", "text-pair", "text_pair_column names \"x\", but the words of one text are tagged"),
        (&predict[..], "data.conll", "label", "label_column names \"x\", but the columns of a CoNLL file have no names"),
        (&predict[..], "words.jsonl", "text-pair", "text_pair_column names \"x\", but the words of one text are tagged"),
        (&predict[..], "texts.txt", "text", "text_column names \"x\", but a file of plain texts has no columns; leave it out"),
        (&adapt[..], "texts.txt", "text", "text_column names \"x\", but a file of plain texts has no columns; leave it out"),
    ] {
        let said = scratch.run(&[command, &[file, &format!("--{column}-column"), "x"]].concat());
        assert_eq!((said.code, said.stderr.contains(expected)), (Some(1), true), "{command:?} {file} {column}: {said:?}");
    }
}

#[test]
fn a_text_a_line_is_predicted_from_a_txt_file() {
    let scratch = Scratch::with_run();
    let texts = "a good film\n\na bad film\n";
    scratch.write("texts.txt", texts);
    let file = scratch.run(&["predict", "--model", "run", "--input", "texts.txt"]);
    assert_eq!(file.stdout, scratch.run_with_input(&["predict", "--model", "run"], texts.as_bytes()).stdout);
    assert!(
        file.stderr.contains("texts.txt: 1 text is empty (first on line 2)") && !file.stderr.contains("found by name"),
        "{}",
        file.stderr
    );
    run(&scratch, &["predict", "--model", "run", "--input", "texts.txt", "--output", "said.csv"]);
    let said = scratch.read("said.csv");
    assert!(said.starts_with("text,predicted_label,probability\na good film,"), "{said}");
    assert_eq!(said.lines().count(), 4, "{said}");
}

#[test]
fn tokens_are_put_together_as_transformers_names_them() {
    let scratch = tagger();
    let every = ["predict", "--model", "run", "--text", "the old town", "--json", "--aggregation", "none", "--ignore-labels", ""];
    let tokens = objects(&run(&scratch, &every))[0]["entities"].clone();
    assert!(tokens.as_array().unwrap().len() >= 3, "{tokens}");
    assert_eq!((&tokens[0]["index"], &tokens[0]["start"]), (&1.into(), &0.into()), "{tokens}");
    for strategy in ["simple", "first", "average", "max"] {
        let arguments = ["predict", "--model", "run", "--text", "the old town", "--json", "--aggregation", strategy];
        let said = &objects(&run(&scratch, &arguments))[0]["entities"];
        let keys = |entity: &Value| entity.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        let named = |entity| keys(entity) == ["entity_group", "score", "word", "start", "end"];
        assert!(said.as_array().unwrap().iter().all(named), "{strategy}: {said}");
    }
}
