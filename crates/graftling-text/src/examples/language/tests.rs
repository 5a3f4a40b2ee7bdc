//! Texts, prompts and completions through their door, good and bad.

use std::fs;
use std::path::Path;

use super::*;
use crate::Format;
use crate::readers::parse;

fn table(text: &str) -> Table {
    let (name, format) = if text.starts_with('{') { ("a.jsonl", Format::Jsonl) } else { ("a.csv", Format::Csv) };
    parse(Path::new(name), text, format).unwrap()
}

fn columns(text: &str, completion: &str, template: &str) -> LanguageColumns {
    let given = |name: &str| (!name.is_empty()).then(|| name.to_owned());
    LanguageColumns { text: given(text), completion: given(completion), template: given(template).map(|it| it.parse().unwrap()) }
}

/// The examples in a few words: a text, or a prompt and its completion with an arrow between.
fn told(examples: &Examples<LanguageExample>) -> Vec<String> {
    let one = |example: &LanguageExample| match example {
        LanguageExample::Text(text) => text.text.clone(),
        LanguageExample::Completed { prompt, completion, .. } => format!("{prompt}->{completion}"),
        LanguageExample::Chat { messages, .. } => {
            messages.iter().map(|message| format!("{}: {}", message["role"], message["content"])).collect::<Vec<_>>().join("; ")
        }
    };
    examples.examples.iter().map(one).collect()
}

#[test]
fn columns_are_found_by_name_or_named() {
    let alpaca = "instruction,input,output\nAdd:,1 and 2, 3\n";
    let cases = [
        ("text,label\nA text.,x\n", columns("", "", ""), "A text."),
        ("prompt,completion\na , b\n", columns("", "", ""), "a -> b"),
        ("Question,Answer\na , b\n", columns("", "", ""), "a -> b"),
        (alpaca, columns("", "", ""), "Add:-> 3"),
        (alpaca, columns("", "", "{instruction}\\n{input}"), "Add:\n1 and 2-> 3"),
        ("input,output\na , b\n", columns("", "", ""), "a -> b"),
        ("prompt,completion,text\na , b,c\n", columns("text", "", ""), "c"),
        ("document,synopsis,id\na,b,7\n", columns("document", "synopsis", ""), "a->b"),
        ("document,synopsis,id\na,b,7\n", columns("", "synopsis", ""), "a->b"),
        ("document,synopsis,id\na,b,7\n", columns("", "", "{id}: {document}"), "7: a->b"),
        ("document,summary\na,b\n", columns("", "document", "{summary}"), "b->a"),
    ];
    for (text, columns, expected) in cases {
        let examples = language_examples(table(text), &columns).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        assert_eq!(told(&examples), [expected], "{text:?} {columns:?}");
    }
}

#[test]
fn what_is_not_clear_or_not_there_is_told() {
    let cases = [
        (
            "title,body\na,b\n",
            columns("", "", ""),
            "no column for the text; the columns are \"title\", \"body\"; looked for text,",
        ),
        (
            "prompt,completion,text\na,b,c\n",
            columns("", "", ""),
            "several columns could be the text: \"prompt\", \"completion\", \"text\"; name one with text_column",
        ),
        (
            "prompt,completion,response\na,b,c\n",
            columns("", "", ""),
            "several columns could be the text: \"prompt\", \"completion\", \"response\"",
        ),
        (
            "prompt,completion\na,b\n",
            columns("prompt", "compleetion", ""),
            "no column \"compleetion\" for the completion; the columns are \"prompt\", \"completion\" (did you mean \"completion\"?)",
        ),
        (
            "prompt,completion\na,b\n",
            columns("prompt", "prompt", ""),
            "the column \"prompt\" cannot be both the prompt and the completion",
        ),
        (
            "document,title\na,b\n",
            columns("", "", "{document}"),
            "no column for the completion; the columns are \"document\", \"title\"; looked for completion, response",
        ),
        ("prompt,completion\na,\n,b\n", columns("", "", ""), "2 problems in a.csv"),
    ];
    for (text, columns, expected) in cases {
        let error = language_examples(table(text), &columns).unwrap_err().to_string();
        assert!(error.contains(expected), "{text:?}: {error}");
    }
}

#[test]
fn a_person_is_told_what_is_not_read_and_what_runs_together() {
    let examples = language_examples(table("instruction,input,output\nAdd:,1,3\nSay it.,,x\n"), &columns("", "", "")).unwrap();
    let expected = [
        "a.csv: prompt from column \"instruction\", completion from column \"output\" (found by name)",
        "a.csv: the column \"input\" of 1 row is not read; a template makes prompts of both, such as \"{instruction}\\n\\n{input}\\n\\n\"",
        "a.csv: no white space stands between prompt and completion in 2 examples; a template puts some there, such as \"{prompt}\\n\" with \
         the name of the column",
    ];
    assert_eq!(examples.notices, expected);
    let apart = language_examples(table("prompt,completion\nQ:, a\n问：,答\n"), &columns("prompt", "completion", "")).unwrap();
    assert!(apart.notices.is_empty(), "{:?}", apart.notices);
}

#[test]
fn lines_are_texts_and_have_no_columns() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.txt");
    fs::write(&path, "one\n\ntwo\n").unwrap();
    let read = |columns: &LanguageColumns| read_language(&path, None, columns);
    let examples = read(&LanguageColumns::default()).unwrap();
    assert_eq!(told(&examples), ["one", "two"]);
    assert_eq!(examples.examples[1].line(), Some(3));
    for (given, named) in [
        (columns("text", "", ""), "text_column names \"text\""),
        (columns("", "label", ""), "label_column names \"label\""),
        (columns("", "", "{text}"), "template names \"text\""),
    ] {
        let error = read(&given).unwrap_err().to_string();
        assert!(error.ends_with(&format!("{named}, but a file of plain texts has no columns; leave it out")), "{error}");
    }
}

#[test]
fn conversations_are_lists_of_messages_with_an_answer() {
    let rows = "{\"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}, {\"role\": \"assistant\", \"content\": \"Ho\"}], \"id\": 1}\n";
    for named in ["", "messages"] {
        let examples = language_examples(table(rows), &columns(named, "", "")).unwrap();
        assert_eq!(told(&examples), ["\"user\": \"Hi\"; \"assistant\": \"Ho\""]);
        assert_eq!(examples.notices.len(), usize::from(named.is_empty()), "{:?}", examples.notices);
    }
    let first = "{\"messages\": [{\"role\": \"assistant\", \"content\": \"Ho\"}]}\n";
    let cases = [
        ("{\"messages\": \"Hi\"}", "\"messages\" holds a text where a list of messages is needed"),
        ("{\"messages\": [\"Hi\"]}", "message 1 is \"Hi\"; accepted: an object with the texts \"role\" and \"content\""),
        ("{\"messages\": [{\"role\": \"assistant\", \"content\": null}]}", "message 1 has no text as its \"content\""),
        (
            "{\"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}]}",
            "no message has the role \"assistant\", so there is nothing to learn",
        ),
    ];
    for (row, expected) in cases {
        let error = language_examples(table(&format!("{first}{row}\n")), &columns("", "", "")).unwrap_err().to_string();
        assert!(error.starts_with(&format!("a.jsonl:2: {expected}")), "{row}: {error}");
    }
}
