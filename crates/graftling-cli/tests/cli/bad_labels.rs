//! Labels and texts that cannot be used, task by task: file, line, what was found, what is accepted.

use crate::bad_input::{Case, check};

macro_rules! train {
    ($task:literal, $file:literal) => {
        &["train", "--task", $task, "--model", "tiny", "--train", $file, "--output", "out"]
    };
}

#[test]
fn labels_that_are_no_names_are_refused() {
    check(&[
        Case {
            name: "strings and numbers",
            spoil: |scratch| {
                scratch.write(
                    "data.jsonl",
                    "{\"text\":\"a\",\"label\":\"x\"}\n{\"text\":\"c\",\"label\":3}\n{\"text\":\"b\",\"label\":\"y\"}\n",
                );
            },
            arguments: train!("sequence_classification", "data.jsonl"),
            code: 1,
            error: "error: data.jsonl: the labels in \"label\" mix types: line 1 has a string (\"x\"), line 2 has a number (3); write all of \
                    them the same way",
        },
        Case {
            name: "lists, objects, nothing",
            spoil: |scratch| {
                scratch.write(
                    "data.jsonl",
                    "{\"text\":\"a\",\"label\":[\"x\"]}\n{\"text\":\"c\",\"label\":{\"x\":1}}\n{\"text\":\"b\",\"label\":null}\n",
                );
            },
            arguments: train!("sequence_classification", "data.jsonl"),
            code: 1,
            error: "error: 3 problems in data.jsonl\n  \
                    data.jsonl:1: \"label\" holds a list of labels ([\"x\"]) where one label is needed; multi_label_classification takes \
                    lists\n  \
                    data.jsonl:2: \"label\" holds an object where one label is needed: a name, a whole number, true or false\n  \
                    data.jsonl:3: no value for \"label\"; fill it in or drop the row",
        },
        Case {
            name: "lists of names and numbers",
            spoil: |scratch| {
                scratch.write(
                    "data.jsonl",
                    "{\"text\":\"a\",\"label\":[\"x\",3]}\n{\"text\":\"c\",\"label\":\"y\"}\n{\"text\":\"d\",\"label\":4}\n",
                );
            },
            arguments: train!("multi_label_classification", "data.jsonl"),
            code: 1,
            error: "error: 2 problems in data.jsonl\n  \
                    data.jsonl:1: \"label\" holds [\"x\",3]; accepted: a list of label names, or names with | between them\n  \
                    data.jsonl:3: \"label\" holds 4; accepted: a list of label names, or names with | between them",
        },
    ]);
}

#[test]
fn numbers_that_are_none_are_refused() {
    check(&[
        Case {
            name: "words, infinities, nothing",
            spoil: |scratch| scratch.write("data.csv", "text,label\na,1\nb,x\nc,inf\nd,\n"),
            arguments: train!("sequence_regression", "data.csv"),
            code: 1,
            error: "error: 3 problems in data.csv\n  \
                    data.csv:3: \"label\" holds \"x\"; accepted: a finite number, or a list of such\n  \
                    data.csv:4: \"label\" holds \"inf\"; accepted: a finite number, or a list of such\n  \
                    data.csv:5: the label in \"label\" is empty; fill it in or drop the row",
        },
        Case {
            name: "lists of other lengths",
            spoil: |scratch| scratch.write("data.jsonl", "{\"text\":\"a\",\"label\":[1,2]}\n{\"text\":\"c\",\"label\":[1]}\n"),
            arguments: train!("sequence_regression", "data.jsonl"),
            code: 1,
            error: "error: data.jsonl:2: \"label\" holds 1 number where line 1 has 2; every row needs as many",
        },
    ]);
}

#[test]
fn files_of_another_task_are_refused() {
    check(&[
        Case {
            name: "texts alone where labels are needed",
            spoil: |scratch| scratch.write("data.txt", "a text\nanother\n"),
            arguments: train!("sequence_classification", "data.txt"),
            code: 1,
            error: "error: data.txt: .txt holds texts without labels, which the task masked_lm reads, or CoNLL, which the task \
                    token_classification reads; accepted are .csv, .tsv, .jsonl and .ndjson",
        },
        Case {
            name: "texts that differ in no way",
            spoil: |scratch| scratch.write("data.csv", "text,label\na,x\na,x\na,y\n"),
            arguments: train!("sequence_classification", "data.csv"),
            code: 1,
            error: "error: data.csv: 3 examples (those with the same text count as one) are too few to set aside a fraction of 0.1",
        },
        Case {
            name: "a compressed file cut short",
            spoil: |scratch| scratch.write("data.csv.gz", b"\x1f\x8b\x08\0\0\0\0\0\0\x03cut"),
            arguments: train!("sequence_classification", "data.csv.gz"),
            code: 1,
            error: "error: data.csv.gz: the gzip data is damaged or cut short after ",
        },
        Case {
            name: "texts that are none",
            spoil: |scratch| {
                scratch.write("data.jsonl", "{\"text\":5,\"label\":\"x\"}\n{\"text\":null,\"label\":\"y\"}\n{\"label\":\"y\"}\n")
            },
            arguments: train!("sequence_classification", "data.jsonl"),
            code: 1,
            error: "error: 3 problems in data.jsonl\n  \
                    data.jsonl:1: \"text\" holds the number 5 where a text is needed; put it in double quotes\n  \
                    data.jsonl:2: the text in \"text\" is empty; fill it in or drop the row\n  \
                    data.jsonl:3: no value for \"text\"; fill it in or drop the row",
        },
    ]);
}
