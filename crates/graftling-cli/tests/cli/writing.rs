//! Summaries and translations from the command line: trained, evaluated, predicted in every form, and refused where they make no sense.

use crate::scratch::Scratch;

/// A folder with a tiny encoder-decoder that has learnt to copy two words, and what it learnt from.
fn scratch() -> Scratch {
    let scratch = Scratch::new();
    scratch.copy_model_of("tiny-bart", "bart");
    let words = ["good", "bad", "dull", "great", "small"];
    let row = |number: usize| {
        let text = format!("{} {}", words[number % 5], words[number * 2 % 5]);
        format!("{{\"document\": \"{text}\", \"summary\": \"{text}\"}}\n")
    };
    scratch.write("pairs.jsonl", (0..20).map(row).collect::<String>());
    let mut arguments =
        vec!["train", "--task", "summarization", "--model", "bart", "--train", "pairs.jsonl", "--validation", "pairs.jsonl"];
    arguments.extend(["--output", "run", "--epochs", "60", "--learning-rate", "1e-2", "--warmup", "0", "--batch-size", "10"]);
    arguments.extend(["--evaluate-every", "1000", "--max-target-length", "8", "--resamples", "100"]);
    let said = scratch.run(&arguments);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.stdout.contains("ROUGE-L") && said.stdout.contains("graftling predict --model run --text"), "{said:?}");
    assert!(said.stderr.contains("text from column \"document\", summary from column \"summary\" (found by name)"), "{said:?}");
    assert!(said.stderr.contains("rows have the source itself as the target"), "{said:?}");
    scratch
}

#[test]
fn what_is_written_is_told_in_every_form() {
    let scratch = scratch();
    let figures = scratch.json(&[
        "evaluate",
        "--model",
        "run",
        "--data",
        "pairs.jsonl",
        "--output",
        "written.jsonl",
        "--resamples",
        "none",
        "--json",
    ]);
    assert!(figures["eval_rougeL"].as_f64().is_some_and(|figure| figure > 0.9), "{figures}");
    assert!(figures["eval_untranslated_rate"].is_number() && figures["eval_gen_len"].is_number(), "{figures}");
    let rows: Vec<serde_json::Value> =
        scratch.read("written.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let right = rows.iter().filter(|row| row["prediction"] == row["summary"]).count();
    assert!(rows.len() == 20 && right >= 18, "{rows:?}");
    assert!(rows.iter().all(|row| row["finish_reason"] == "eos_token"), "{rows:?}");

    let said = scratch.run(&["predict", "--model", "run", "--text", "bad dull", "--text", "small great"]);
    assert_eq!((said.code, said.stdout.as_str()), (Some(0), "bad dull\nsmall great\n"), "{said:?}");
    let told = scratch.json(&["predict", "--model", "run", "--text", "bad dull", "--json"]);
    assert_eq!((&told["prediction"], &told["finish_reason"]), (&"bad dull".into(), &"eos_token".into()), "{told}");
    let said = scratch.run(&["predict", "--model", "run", "--input", "pairs.jsonl", "--output", "predicted.csv"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(
        scratch.read("predicted.csv").starts_with("document,summary,prediction,finish_reason\n"),
        "{}",
        scratch.read("predicted.csv")
    );
    let said = scratch.run_with_input(&["predict", "--model", "run"], b"great bad\n");
    assert_eq!((said.code, said.stdout.as_str()), (Some(0), "great bad\n"), "{said:?}");
    let said = scratch.run(&["predict", "--model", "run", "--text", ""]);
    assert!(said.code == Some(0) && said.stderr.contains("note: 1 text is empty; what is said of it says nothing\n"), "{said:?}");
    assert!(said.stderr.contains("note: 1 text is cut at the most new tokens"), "{said:?}");
    let long = ["good bad"; 40].join(" ");
    let said = scratch.run(&["predict", "--model", "run", "--text", &long]);
    assert!(said.stderr.contains("note: 1 source is cut to 48 tokens (max_length)"), "{said:?}");
    let said = scratch.run(&["predict", "--model", "run", "--input", "pairs.jsonl", "--label-column", "nosuch"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.stderr.contains("no column \"nosuch\" for the summary"), "{said:?}");
    scratch.write("other.csv", "title\ngood\n");
    let said = scratch.run(&["predict", "--model", "run", "--input", "other.csv"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.stderr.contains("no column for the text; the columns are \"title\""), "{said:?}");
    // The folder generates as the run did.
    let said = scratch.run(&["generate", "--model", "run", "--prompt", "bad dull"]);
    assert!(said.code == Some(0) && said.stdout.contains("bad dull"), "{said:?}");
    let said = scratch.run(&["compare", "run", "run", "--data", "pairs.jsonl", "--resamples", "100"]);
    assert!(said.code == Some(0) && said.stdout.contains("ROUGE-L"), "{said:?}");
}

#[test]
fn options_that_do_nothing_for_a_task_are_refused() {
    let scratch = Scratch::new();
    scratch.copy_model_of("tiny-bart", "bart");
    scratch.write("pairs.jsonl", "{\"document\": \"a\", \"summary\": \"b\", \"source\": \"a\", \"target\": \"b\"}\n");
    let refused = |task: &str, more: &[&str], told: &str| scratch.refuses_to_train(["bart", "pairs.jsonl"], task, more, told);
    refused("causal_lm", &["--source-prefix", "summarize: "], "it belongs to summarization and translation");
    refused("sequence_classification", &["--num-beams", "4"], "it belongs to summarization and translation");
    refused("summarization", &["--target-language", "de"], "it belongs to translation");
    refused("summarization", &["--class-weights", "balanced"], "it belongs to tasks with labels");
    refused("summarization", &["--long-texts", "windows"], "from all of its source at once");
    refused("summarization", &["--strategy", "head_only"], "freeze says what is not trained");
    refused("summarization", &["--text-pair-column", "b"], "one text is written from");
    refused("summarization", &["--template", "{document}", "--source-prefix", "x"], "what stands before the source");
    refused("summarization", &["--metric-for-best-model", "bleu"], "bleu is not a figure of summarization; accepted: auto, loss");
    refused("translation", &["--target-language", "german"], "is not the code of a language");
}

#[test]
fn translations_that_cannot_be_read_are_told_all_at_once() {
    let scratch = Scratch::new();
    scratch.copy_model_of("tiny-marian", "marian");
    scratch.write("t.jsonl", "{\"translation\": {\"en\": \"a\", \"de\": \"b\"}}\n{\"translation\": {\"en\": \"\", \"fr\": \"b\"}}\n{\"translation\": 3}\n");
    let start = ["train", "--task", "translation", "--model", "marian", "--train", "t.jsonl", "--output", "run"];
    let said = scratch.run(&[&start, &["--source-language", "en", "--target-language", "de"][..]].concat());
    assert_eq!(said.code, Some(1), "{said:?}");
    for told in [
        "t.jsonl:2: the text in \"en\" of \"translation\" is empty",
        "t.jsonl:2: \"translation\" has no text in \"de\"; it has en, fr",
        "t.jsonl:3: \"translation\" holds the number 3",
    ] {
        assert!(said.stderr.contains(told), "{told}: {said:?}");
    }
    let said = scratch.run(&start);
    assert!(said.stderr.contains("holds texts in en, de; say which is the source"), "{said:?}");
}
