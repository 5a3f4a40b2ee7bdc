//! Language models from the command line: trained on texts and on prompts, evaluated, and not asked for predictions.

use crate::scratch::Scratch;

/// A folder with a tiny decoder and a few texts and prompts.
fn scratch() -> Scratch {
    let scratch = Scratch::new();
    scratch.copy_model_of("tiny-llama", "llama");
    scratch.write("texts.txt", "the film was good\nthe movie was not good\nagain and again the story is dull\n".repeat(4));
    let row = |number: usize| format!("{{\"document\": \"the film was number {number}\", \"summary\": \"film {number}\"}}\n");
    scratch.write("prompts.jsonl", (0..12).map(row).collect::<String>());
    scratch
}

#[test]
fn a_model_is_adapted_to_texts_and_its_perplexity_told() {
    let scratch = scratch();
    let before = scratch.json(&["evaluate", "--model", "llama", "--data", "texts.txt", "--json"]);
    let mut arguments =
        vec!["train", "--task", "causal_lm", "--model", "llama", "--train", "texts.txt", "--validation", "texts.txt"];
    arguments.extend(["--output", "run", "--epochs", "6", "--learning-rate", "1e-2", "--warmup", "0", "--max-length", "8"]);
    let said = scratch.run(&arguments);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.stdout.contains("perplexity") && said.stdout.contains("graftling generate --model run --prompt"), "{said:?}");
    assert!(said.stderr.contains("are longer than 8 tokens and read in"), "{said:?}");
    let after = scratch.json(&["evaluate", "--model", "run", "--data", "texts.txt", "--json"]);
    let perplexity = |figures: &serde_json::Value| figures["eval_perplexity"].as_f64().unwrap();
    assert!(perplexity(&after) < perplexity(&before) / 10.0, "{before} {after}");
    assert_eq!(before["eval_scored_tokens"], after["eval_scored_tokens"], "windows lose no token");
    let said = scratch.run(&["predict", "--model", "run", "--text", "the film"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert_eq!(
        said.stderr,
        "error: run: this is a causal language model, which goes on with texts: graftling generate does that\n"
    );
    let said = scratch.run(&[
        "evaluate",
        "--model",
        "run",
        "--data",
        "prompts.jsonl",
        "--label-column",
        "summary",
        "--output",
        "said.jsonl",
    ]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.stderr.contains("there is no prediction for each to write") && !scratch.exists("said.jsonl"), "{said:?}");
}

#[test]
fn prompts_are_made_of_columns_by_a_template() {
    let scratch = scratch();
    let template = "Of {document}:\\n";
    let evaluated = |model: &str, template: &[&str]| {
        let arguments = [&["evaluate", "--model", model, "--data", "prompts.jsonl", "--json"], template].concat();
        scratch.json(&arguments)
    };
    let before = evaluated("llama", &["--template", template]);
    let mut arguments =
        vec!["train", "--task", "causal_lm", "--model", "llama", "--train", "prompts.jsonl", "--template", template];
    arguments.extend([
        "--validation",
        "prompts.jsonl",
        "--output",
        "run",
        "--epochs",
        "8",
        "--learning-rate",
        "1e-2",
        "--warmup",
        "0",
    ]);
    let said = scratch.run(&arguments);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.stderr.contains("completion from column \"summary\" (found by name)"), "{said:?}");
    let after = evaluated("run", &[]);
    let figure = |figures: &serde_json::Value, name: &str| figures[name].as_f64().unwrap();
    assert!(figure(&after, "eval_loss") < figure(&before, "eval_loss") / 2.0, "{before} {after}");
    assert_eq!(after["eval_scored_tokens"], before["eval_scored_tokens"]);
    // Another template is another question.
    assert_ne!(evaluated("run", &["--template", "{document}"])["eval_loss"], after["eval_loss"]);
    let said = scratch.run(&["evaluate", "--model", "llama", "--data", "prompts.jsonl", "--template", "{dokument}"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    let told = "error: prompts.jsonl: no column \"dokument\" for the template; the columns are \"document\", \"summary\" (did you mean \"document\"?)\n";
    assert!(said.stderr.ends_with(told), "{said:?}");
}

#[test]
fn options_of_other_tasks_are_refused() {
    let scratch = scratch();
    let refused = |task: &str, more: &[&str], told: &str| scratch.refuses_to_train(["llama", "texts.txt"], task, more, told);
    refused("sequence_classification", &["--template", "{text}"], "--template = \"{text}\" does not go with --task");
    refused("causal_lm", &["--focal-gamma", "2"], "it belongs to tasks with labels");
    refused("causal_lm", &["--text-pair-column", "b"], "a text is gone on with");
    refused("causal_lm", &["--window-stride", "0"], "a token is foreseen from one before it");
    refused("causal_lm", &["--window-pooling", "max"], "window-pooling");
    refused("causal_lm", &["--strategy", "head_only"], "freeze says what is not trained");
    refused("causal_lm", &["--template", "{a}", "--text-column", "b"], "the template names the columns of the prompt");
}
