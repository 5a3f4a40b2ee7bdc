//! Conversations as transformers writes them, and templates that fail.

use serde_json::{Value, json};

use super::*;

fn template(source: &str) -> Result<ChatTemplate, ChatProblem> {
    let tokens = vec![("bos_token", "<s>".to_owned()), ("eos_token", "</s>".to_owned())];
    ChatTemplate::new(source.to_owned(), tokens)
}

#[test]
fn texts_are_those_of_transformers() {
    let golden: Value = serde_json::from_str(include_str!("../../../tests/golden/chats.json")).unwrap();
    let mut failures = Vec::new();
    for case in golden["cases"].as_array().unwrap() {
        let template = template(case["template"].as_str().unwrap()).unwrap();
        let messages = case["messages"].as_array().unwrap();
        for (ending, expected) in [(ChatEnding::Closed, &case["closed"]), (ChatEnding::AnswerWanted, &case["answer_wanted"])] {
            let text = template.text(messages, ending).unwrap();
            if expected.as_str() != Some(text.as_str()) {
                failures.push(format!("{}: {text:?}, not {expected}", case["name"]));
            }
        }
        let conversation = template.conversation(messages).unwrap();
        let said: Vec<&str> = conversation.said.iter().map(|said| &conversation.text[said.clone()]).collect();
        if json!(said) != case["said"] {
            failures.push(format!("{}: the assistant says {said:?}, not {}", case["name"], case["said"]));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn templates_that_fail_say_why() {
    let messages = [json!({"role": "user", "content": "Hi"}), json!({"role": "assistant", "content": "Ho"})];
    let unreadable = template("{% for %}").err().unwrap().to_string();
    assert!(unreadable.starts_with("the chat template cannot be read: "), "{unreadable}");
    let cases = [
        ("{{ raise_exception('no ' ~ messages[0].role) }}", "the chat template refuses it: no user"),
        ("{{ strftime_now('%Q') }}", "the chat template refuses it: strftime_now knows no %Q"),
        (
            "{% for _ in range(100000) %}{% for _ in range(100000) %}{{ 1 }}{% endfor %}{% endfor %}",
            "the chat template refuses it",
        ),
    ];
    for (source, told) in cases {
        let error = template(source).unwrap().text(&messages, ChatEnding::Closed).unwrap_err().to_string();
        assert!(error.starts_with(told), "{source}: {error}");
    }
    // The number of messages stands before all of them.
    let rewritten = template("{{ messages | length }}{% for message in messages %}{{ message.content }}{% endfor %}").unwrap();
    assert_eq!(rewritten.conversation(&messages), Err(ChatProblem::Rewritten { message: 2 }));
}
