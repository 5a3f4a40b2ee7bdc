//! Labels and texts that cannot be used, task by task: file, line, what was found, what is accepted.

use crate::bad_input::{BadFile, Case, check, check_files};

#[test]
fn labels_that_are_no_names_are_refused() {
    check_files(
        "sequence_classification",
        &[
            BadFile {
                name: "strings and numbers",
                file: "data.jsonl",
                contents: "{\"text\":\"a\",\"label\":\"x\"}\n{\"text\":\"c\",\"label\":3}\n{\"text\":\"b\",\"label\":\"y\"}\n",
                error: "error: data.jsonl: the labels in \"label\" mix types: line 1 has a string (\"x\"), line 2 has a number (3); write all of \
                    them the same way",
            },
            BadFile {
                name: "lists, objects, nothing",
                file: "data.jsonl",
                contents: "{\"text\":\"a\",\"label\":[\"x\"]}\n{\"text\":\"c\",\"label\":{\"x\":1}}\n{\"text\":\"b\",\"label\":null}\n",
                error: "error: 3 problems in data.jsonl\n  \
                    data.jsonl:1: \"label\" holds a list of labels ([\"x\"]) where one label is needed; multi_label_classification takes \
                    lists\n  \
                    data.jsonl:2: \"label\" holds an object where one label is needed: a name, a whole number, true or false\n  \
                    data.jsonl:3: no value for \"label\"; fill it in or drop the row",
            },
        ],
    );
    check_files(
        "multi_label_classification",
        &[BadFile {
            name: "lists of names and numbers",
            file: "data.jsonl",
            contents: "{\"text\":\"a\",\"label\":[\"x\",3]}\n{\"text\":\"c\",\"label\":\"y\"}\n{\"text\":\"d\",\"label\":4}\n",
            error: "error: 2 problems in data.jsonl\n  \
                    data.jsonl:1: \"label\" holds [\"x\",3]; accepted: a list of label names, or names with | between them\n  \
                    data.jsonl:3: \"label\" holds 4; accepted: a list of label names, or names with | between them",
        }],
    );
}

#[test]
fn numbers_that_are_none_are_refused() {
    check_files(
        "sequence_regression",
        &[
            BadFile {
                name: "words, infinities, nothing",
                file: "data.csv",
                contents: "text,label\na,1\nb,x\nc,inf\nd,\n",
                error: "error: 3 problems in data.csv\n  \
                    data.csv:3: \"label\" holds \"x\"; accepted: a finite number, or a list of such\n  \
                    data.csv:4: \"label\" holds \"inf\"; accepted: a finite number, or a list of such\n  \
                    data.csv:5: the label in \"label\" is empty; fill it in or drop the row",
            },
            BadFile {
                name: "lists of other lengths",
                file: "data.jsonl",
                contents: "{\"text\":\"a\",\"label\":[1,2]}\n{\"text\":\"c\",\"label\":[1]}\n",
                error: "error: data.jsonl:2: \"label\" holds 1 number where line 1 has 2; every row needs as many",
            },
        ],
    );
}

#[test]
fn files_of_another_task_are_refused() {
    check_files(
        "sequence_classification",
        &[
            BadFile {
                name: "texts alone where labels are needed",
                file: "data.txt",
                contents: "a text\nanother\n",
                error: "error: data.txt: .txt holds texts without labels, which the tasks masked_lm and causal_lm read, or CoNLL, which the task \
                    token_classification reads; accepted are .csv, .tsv, .jsonl and .ndjson",
            },
            BadFile {
                name: "texts that differ in no way",
                file: "data.csv",
                contents: "text,label\na,x\na,x\na,y\n",
                error: "error: data.csv: 3 examples (those with the same text count as one) are too few to set aside a fraction of 0.1",
            },
            BadFile {
                name: "texts that are none",
                file: "data.jsonl",
                contents: "{\"text\":5,\"label\":\"x\"}\n{\"text\":null,\"label\":\"y\"}\n{\"label\":\"y\"}\n",
                error: "error: 3 problems in data.jsonl\n  \
                    data.jsonl:1: \"text\" holds the number 5 where a text is needed; put it in double quotes\n  \
                    data.jsonl:2: the text in \"text\" is empty; fill it in or drop the row\n  \
                    data.jsonl:3: no value for \"text\"; fill it in or drop the row",
            },
        ],
    );
    check(&[Case {
        name: "a compressed file cut short",
        spoil: |scratch| scratch.write("data.csv.gz", b"\x1f\x8b\x08\0\0\0\0\0\0\x03cut"),
        arguments: &["train", "--model", "tiny", "--train", "data.csv.gz", "--output", "out"],
        code: 1,
        error: "error: data.csv.gz: the gzip data is damaged or cut short after ",
    }]);
}
