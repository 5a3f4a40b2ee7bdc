//! Training and evaluating from flags and from a recipe file.

use crate::scratch::{Scratch, labelled};

const TRAIN: [&str; 7] = ["train", "--model", "tiny", "--train", "train.csv", "--output", "run"];

fn train(extra: &[&'static str]) -> Vec<&'static str> {
    [&TRAIN[..], extra].concat()
}

#[test]
fn training_prints_one_json_object_with_all_results() {
    let scratch = Scratch::new();
    scratch.write("test.csv", labelled(10));
    let json = scratch.json(&train(&["--test", "test.csv", "--epochs", "2", "--batch-size", "8", "--json"]));
    for key in [
        "train_runtime",
        "train_loss",
        "train_tokens",
        "train_tokens_per_second",
        "train_steps",
        "eval_accuracy",
        "eval_f1_macro",
        "eval_loss",
        "test_accuracy",
        "test_matthews",
        "epoch",
    ] {
        assert!(json[key].is_number(), "{key}: {json}");
    }
    assert_eq!(json["peak_memory_bytes"].is_number(), cfg!(target_os = "linux"), "{json}");
    assert_eq!(json["output"], "run");
    assert_eq!(json["labels"], serde_json::json!(["negative", "positive"]));
    let counts = json["test_confusion"].as_array().unwrap().iter().map(|cell| cell["count"].as_u64().unwrap());
    assert_eq!(counts.sum::<u64>(), 10);
    for name in ["config.json", "model.safetensors", "tokenizer.json", "recipe.toml", "all_results.json"] {
        assert!(scratch.exists(&format!("run/{name}")), "{name}");
    }
}

#[test]
fn training_tells_its_progress_in_plain_lines_and_its_results_on_stdout() {
    let scratch = Scratch::new();
    scratch.write("test.csv", labelled(10));
    let said = scratch.run(&train(&["--test", "test.csv", "--epochs", "2", "--batch-size", "8", "--log-every", "1"]));
    assert_eq!(said.code, Some(0), "{said:?}");
    for expected in [
        "train: 22 examples from train.csv",
        "validation: 2 examples",
        "labels: negative, positive",
        "training: 6 steps (2 epochs)",
        "step 1/6  epoch 0.33  loss ",
        "step 6/6  epoch 2.00  loss ",
        "step 3: validation accuracy ",
        "step 3: saved run/checkpoint-3 (the best so far)",
    ] {
        assert!(said.stderr.contains(expected), "{expected}: {}", said.stderr);
    }
    assert!(!said.stderr.contains('\r') && !said.stderr.contains('\x1b'), "{:?}", said.stderr);
    for expected in
        ["trained 6 steps on 22 examples for 2 epochs in ", "test (10 examples): accuracy ", "true \\ predicted", "\nnext:\n"]
    {
        assert!(said.stdout.contains(expected), "{expected}: {}", said.stdout);
    }
    assert!(said.stdout.contains("predict --model run --text"), "{}", said.stdout);
}

#[test]
fn training_ends_with_the_place_of_its_report_which_can_be_made_anew() {
    let scratch = Scratch::with_run();
    let page = scratch.read("run/report.html");
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("lang=\"en\""), "{page}");
    scratch.write("test.csv", labelled(10));
    let said = scratch.run(&["report", "run", "--language", "zh", "--data", "test.csv", "--text-column", "text"]);
    assert_eq!((said.code, said.stdout.as_str()), (Some(0), "the report is run/report.html\n"), "{said:?}");
    assert!(scratch.read("run/report.html").contains("lang=\"zh-CN\""));
    assert!(scratch.read("run/report.json").contains("\"evaluation\""));
    let refused = scratch.run(&["report", "run", "--text-column", "text"]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.stderr.contains("give --data, or leave them out"), "{}", refused.stderr);
    let told = scratch.run(&train(&["--max-steps", "1", "--overwrite-output"]));
    assert!(told.stdout.contains("\nthe report is run/report.html\n\nnext:\n"), "{}", told.stdout);
}

#[test]
fn flags_go_before_the_recipe_file_and_the_run_holds_the_whole_recipe() {
    let scratch = Scratch::new();
    scratch.write("recipe.toml", "model = 'tiny'\ntrain = 'train.csv'\noutput = 'run'\nmax_steps = 5\nseed = 7\n");
    let json = scratch.json(&["train", "recipe.toml", "--max-steps", "2", "--freeze", "embeddings.*", "--json"]);
    assert_eq!(json["train_steps"], 2);
    let recipe = scratch.read("run/recipe.toml");
    for line in ["max_steps = 2\n", "seed = 7\n", "freeze = [\"embeddings.*\"]\n", "model = \"tiny\"\n"] {
        assert!(recipe.contains(line), "{line}: {recipe}");
    }
    let again = scratch.run(&["train", "run/recipe.toml", "--output", "again", "--overwrite-output"]);
    assert_eq!(again.code, Some(0), "{again:?}");
    let weights = |run: &str| std::fs::read(scratch.path(run).join("model.safetensors")).unwrap();
    assert!(weights("run") == weights("again"), "the recipe of a run gives the same weights again");
}

#[test]
fn a_run_is_replaced_only_on_request() {
    let scratch = Scratch::with_run();
    let refused = scratch.run(&train(&["--max-steps", "1"]));
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("error: run: the output folder is not empty"), "{}", refused.stderr);
    let replaced = scratch.run(&train(&["--max-steps", "1", "--overwrite-output"]));
    assert_eq!(replaced.code, Some(0), "{replaced:?}");
    assert!(scratch.exists("run/checkpoint-1") && scratch.read("run/recipe.toml").contains("max_steps = 1\n"));
}

#[test]
fn evaluation_prints_tables_or_one_json_object_and_writes_the_predictions() {
    let scratch = Scratch::with_run();
    scratch.write("数据.csv", "id,text,label\n1,\"a good film\",positive\n2,一部坏电影,negative\n");
    let said = scratch.run(&["evaluate", "--model", "run", "--data", "数据.csv"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.stdout.starts_with("数据.csv (2 examples): accuracy "), "{}", said.stdout);
    assert!(said.stdout.contains("precision") && said.stdout.contains("true \\ predicted"), "{}", said.stdout);

    let json = scratch.json(&["evaluate", "--model", "run", "--data", "数据.csv", "--json", "--output", "judged.csv"]);
    for key in ["eval_accuracy", "eval_f1_weighted", "eval_loss", "eval_runtime", "eval_tokens_per_second"] {
        assert!(json[key].is_number(), "{key}: {json}");
    }
    assert_eq!(json["eval_samples"], 2);
    assert_eq!(json["classes"].as_array().unwrap().len(), 2);
    let judged = scratch.read("judged.csv");
    let lines: Vec<&str> = judged.lines().collect();
    assert_eq!(lines[0], "id,text,label,predicted_label,probability");
    assert!(lines[2].starts_with("2,一部坏电影,negative,"), "{judged}");
    assert_eq!(lines.len(), 3);
}
