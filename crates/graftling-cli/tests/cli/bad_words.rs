//! Words with tags that cannot be used, in CoNLL and in jsonl: file, line, what was found, what is accepted.

use crate::bad_input::{BadFile, Case, check, check_files, nothing};

const TAG: &[&str] = &["train", "--task", "token_classification", "--model", "tiny", "--train", "data.conll", "--output", "out"];

#[test]
fn conll_that_cannot_be_used_is_refused() {
    check_files(
        "token_classification",
        &[
            BadFile {
                name: "ragged columns",
                file: "data.conll",
                contents: "anna\tX\tB-PER\nwas\tO\n\nhere\tZ\tO\textra\n",
                error: "error: 2 problems in data.conll\n  \
                    data.conll:2: 2 columns separated by tabs where line 1 has 3; every line needs the same columns, the word first \
                    and its tag last, and a blank line ends a sentence\n  \
                    data.conll:4: 4 columns separated by tabs where line 1 has 3; ",
            },
            BadFile {
                name: "words alone",
                file: "data.conll",
                contents: "anna\nwas\n",
                error: "error: data.conll:1: one column only (\"anna\") where a tag is needed after the word, separated by a tab or blanks",
            },
            BadFile {
                name: "an empty word",
                file: "data.conll",
                contents: "anna\tB-PER\n\tO\n",
                error: "error: data.conll:2: the word is empty; fill it in, or drop it and its tag",
            },
            BadFile {
                name: "comments alone",
                file: "data.conll",
                contents: "# nothing\n\n",
                error: "error: data.conll: no sentence in the file, only comments and blank lines",
            },
        ],
    );
    check(&[
        Case {
            name: "CoNLL for a task of texts",
            spoil: |scratch| scratch.write("data.conll", "anna\tB-PER\n"),
            arguments: &["train", "--model", "tiny", "--train", "data.conll", "--output", "out"],
            code: 1,
            error: "error: data.conll: CoNLL holds words with tags, which the task token_classification reads; accepted are .csv, .tsv",
        },
        Case {
            name: "CoNLL by its format for a task of texts",
            spoil: |scratch| scratch.write("data", "anna\tB-PER\n"),
            arguments: &["train", "--model", "tiny", "--train", "data", "--format", "conll", "--output", "out"],
            code: 1,
            error: "error: data: a file in this format cannot be read here: conll holds words with tags, which the task \
                    token_classification reads; accepted: csv, tsv and jsonl",
        },
        Case {
            name: "tags of another scheme",
            spoil: |scratch| scratch.write("data.conll", "anna\tB-PER\nbob\tE-PER\n\nwas\tO\n"),
            arguments: &[
                "train",
                "--task",
                "token_classification",
                "--model",
                "tiny",
                "--train",
                "data.conll",
                "--output",
                "out",
                "--tag-scheme",
                "iob2",
            ],
            code: 1,
            error: "error: tag_scheme: the tag \"E-PER\" is not of IOB2; accepted: auto, or the scheme that all tags are written in",
        },
        Case {
            name: "a scheme of tags for a model without tags",
            spoil: nothing,
            arguments: &["evaluate", "--model", "tiny", "--data", "train.csv", "--tag-scheme", "iob1"],
            code: 1,
            error: "error: tag_scheme: it belongs to token_classification, but the task of the model is sequence_classification; \
                    leave it out",
        },
        Case {
            name: "CoNLL for a model of texts",
            spoil: |scratch| scratch.write("data.conll", "anna\tB-PER\n"),
            arguments: &["predict", "--model", "tiny", "--input", "data.conll"],
            code: 1,
            error: "error: data.conll: the file holds sentences whose words are given, but the task of this model is \
                    sequence_classification, which takes texts",
        },
        Case {
            name: "rows of texts written as CoNLL",
            spoil: nothing,
            arguments: &["predict", "--model", "tiny", "--input", "train.csv", "--output", "out.conll"],
            code: 1,
            error: "error: out.conll: CoNLL holds words with tags, which the task token_classification reads; accepted are .csv, .tsv",
        },
        Case {
            name: "tokens put together for a model of texts",
            spoil: nothing,
            arguments: &["predict", "--model", "tiny", "--text", "a", "--aggregation", "first"],
            code: 1,
            error: "error: aggregation puts the tags of tokens together, but the task of this model is sequence_classification; ",
        },
    ]);
}

#[test]
fn an_inside_from_nowhere_is_told_with_its_line() {
    let scratch = crate::scratch::Scratch::new();
    scratch.write("data.conll", "anna\tB-PER\nwas\tO\n\nbob\tI-PER\nhere\tO\n");
    let said = scratch.run(&[TAG, &["--validation", "data.conll", "--epochs", "1"]].concat());
    let note = "data.conll: 1 entity begins with an I- tag and not with a B- tag (first on line 4); a slip in IOB2, and right in IOB1, which the strict mode reads with tag_scheme = iob1";
    assert!(said.code == Some(0) && said.stderr.contains(note), "{said:?}");
}

#[test]
fn words_in_jsonl_that_cannot_be_used_are_refused() {
    check_files(
        "token_classification",
        &[
            BadFile {
                name: "lines that are no objects",
                file: "data.jsonl",
                contents: "{\"tokens\":[\"a\"],\"tags\":[\"O\"]}\n12\n[1]\n{\"tokens\":\n",
                error: "error: 3 problems in data.jsonl\n  \
                    data.jsonl:2: the line holds a number where an object is needed, a key for each column, such as {\"text\": \"...\"}\n  \
                    data.jsonl:3: the line holds a list where an object is needed, a key for each column, such as {\"text\": \"...\"}\n  \
                    data.jsonl:4: not JSON at column ",
            },
            BadFile {
                name: "a key twice",
                file: "data.jsonl",
                contents: "{\"tokens\":[\"a\"],\"tags\":[\"O\"],\"tags\":[\"B-X\"]}\n",
                error: "error: data.jsonl:1: the key \"tags\" is there twice; each line must name a value once",
            },
            BadFile {
                name: "lists that do not fit",
                file: "data.jsonl",
                contents: "{\"tokens\":[\"a\",\"b\"],\"tags\":[\"O\"]}\n{\"tokens\":[\"a\"],\"tags\":[3]}\n{\"tokens\":\"a b\",\"tags\":[]}\n",
                error: "error: 3 problems in data.jsonl\n  \
                    data.jsonl:1: 2 words but 1 tag\n  \
                    data.jsonl:2: item 1 of \"tags\" is the number 3; numbers say nothing without their list of names, write the names \
                    of the tags, such as \"B-PER\"\n  \
                    data.jsonl:3: \"tokens\" holds a string where a list is needed, such as [\"...\", \"...\"]; jsonl has lists, csv and \
                    tsv have none",
            },
            BadFile {
                name: "offsets outside of the text",
                file: "data.jsonl",
                contents: "{\"text\":\"安娜来了\",\"entities\":[{\"start\":0,\"end\":6,\"label\":\"PER\"}]}\n\
                     {\"text\":\"bob\",\"entities\":[{\"start\":2,\"end\":1,\"label\":\"PER\"}]}\n\
                     {\"text\":\"bob\",\"entities\":[{\"start\":-1,\"end\":1,\"label\":\"PER\"}]}\n\
                     {\"text\":\"bob\",\"entities\":\"bob\"}\n",
                error: "error: 4 problems in data.jsonl\n  \
                    data.jsonl:1: entity 1 is from 0 to 6, but the text has 4 characters; count in characters, not bytes, from 0\n  \
                    data.jsonl:2: entity 1 is from 2 to 1; the start must be below the end\n  \
                    data.jsonl:3: the \"start\" of entity 1 is the number -1; accepted are {\"start\": 0, \"end\": 5, \"label\": \"PER\"} and \
                    the like, start and end counted in characters\n  \
                    data.jsonl:4: \"entities\" holds a string where a list is needed, such as [{\"start\": 0, \"end\": 5, ",
            },
        ],
    );
    check(&[Case {
        name: "no column of words",
        spoil: nothing,
        arguments: &["train", "--task", "token_classification", "--model", "tiny", "--train", "train.csv", "--output", "out"],
        code: 1,
        error: "error: train.csv: no column for the list of entities; the columns are \"text\", \"label\"; looked for entities; name the \
                    column with label_column",
    }]);
}
