//! What a run learns, and what its outcome does not depend on.

use std::fs;

use graftling::{EvaluateRequest, NoObserver, Predictor, Said, SplitName, TextInput, evaluate};

use crate::fixture::{Fixture, json, names, weights};

#[test]
fn a_run_learns_and_leaves_a_complete_folder() {
    let fixture = Fixture::new();
    let test =
        format!("test = {:?}\nepochs = 8\nseed = 1\nsave_total_limit = 'none'", fixture.path("test.csv").display().to_string());
    let (summary, observed) = fixture.run("run", &test);
    let run = fixture.path("run");

    assert!(summary.train_loss.is_finite() && observed.losses.last() < observed.losses.first());
    assert_eq!((summary.steps, summary.planned_steps, observed.losses.len()), (48, 48, 48));
    assert_eq!(summary.labels, ["negative", "positive"]);
    let best = summary.best.as_ref().expect("a best checkpoint");
    assert!(best.value > 0.9, "accuracy {}", best.value);

    let expected = [
        "README.md",
        "all_results.json",
        "checkpoint-12",
        "checkpoint-18",
        "checkpoint-24",
        "checkpoint-30",
        "checkpoint-36",
        "checkpoint-42",
        "checkpoint-48",
        "checkpoint-6",
        "config.json",
        "eval_results.json",
        "model.safetensors",
        "recipe.toml",
        "report.html",
        "report.json",
        "special_tokens_map.json",
        "test_results.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "train_results.json",
        "trainer_state.json",
    ];
    assert_eq!(names(&run), expected);
    let checkpoint = ["config.json", "model.safetensors", "optimizer.safetensors", "recipe.toml", "special_tokens_map.json"];
    let checkpoint = [&checkpoint[..], &["tokenizer.json", "tokenizer_config.json", "trainer_state.json"]].concat();
    assert_eq!(names(&run.join("checkpoint-48")), checkpoint);
    let best_weights = fs::read(best.checkpoint.join("model.safetensors")).unwrap();
    assert_eq!(fs::read(run.join("model.safetensors")).unwrap(), best_weights);

    let state = json(&run.join("trainer_state.json"));
    assert_eq!(state["global_step"], 48);
    assert_eq!(state["epoch"], 8.0);
    assert_eq!(state["best_metric"], best.value);
    assert_eq!(state["best_model_checkpoint"], best.checkpoint.display().to_string());
    let evaluated = state["log_history"].as_array().unwrap().iter().filter(|entry| entry.get("eval_loss").is_some());
    assert_eq!(evaluated.count(), 8);

    let all = json(&run.join("all_results.json"));
    for key in ["train_loss", "train_runtime", "train_samples_per_second", "train_tokens_per_second", "epoch", "eval_accuracy"] {
        assert!(all[key].is_number(), "{key}: {}", all[key]);
    }
    assert_eq!(all["eval_accuracy"], best.value);
    assert_eq!(all["test_loss"], json(&run.join("test_results.json"))["test_loss"]);

    // What is loaded again says what the run said.
    let request = EvaluateRequest {
        threads: Some(2),
        with_predictions: true,
        resamples: Some(100),
        ..EvaluateRequest::new(run.clone(), fixture.path("test.csv"))
    };
    let again = evaluate(&request, &mut NoObserver).expect("an evaluation");
    let tested = summary.test.expect("a test");
    assert_eq!(again.metrics, tested.metrics);
    let predictions = again.predictions.expect("predictions");
    assert_eq!(predictions.len(), 16);
    assert!(observed.evaluations.iter().any(|(_, split, _)| *split == SplitName::Test));
    let predictor = Predictor::load(&run).expect("a predictor");
    let said = predictor.predict(&[TextInput { text: "the movie was great", pair: None }]).expect("a prediction");
    assert!(matches!(&said[0].said, Said::Label { label, .. } if label == "positive"), "{:?}", said[0]);
}

#[test]
fn accumulation_and_micro_batches_equal_the_big_batch() {
    // With weights, the normalizer is no longer the number of examples.
    for loss in
        ["", "class_weights = ['negative=3']", "label_smoothing = 0.2\nclass_weights = ['negative=3']", "focal_gamma = 2.0"]
    {
        the_big_batch_is_equalled(loss);
    }
}

fn the_big_batch_is_equalled(loss: &str) {
    let fixture = Fixture::new();
    let (_, big) = fixture.run("big", &format!("batch_size = 16\n{loss}"));
    for (output, options) in
        [("accumulated", "batch_size = 4\ngradient_accumulation = 4"), ("cut", "batch_size = 16\nmicro_batch_tokens = 40")]
    {
        let (_, other) = fixture.run(output, &format!("{options}\n{loss}"));
        let output = format!("{output} {loss}");
        assert_eq!(big.losses.len(), other.losses.len());
        let gap = big.losses.iter().zip(&other.losses).map(|(left, right)| (left - right).abs()).fold(0.0, f32::max);
        assert!(gap < 1e-4, "{output}: losses differ by {gap}");
        let first = (big.losses[0] - other.losses[0]).abs();
        assert!(first < 1e-6, "{output}: the first losses differ by {first}");
        let norms = (big.gradient_norms[0] - other.gradient_norms[0]).abs() / big.gradient_norms[0];
        assert!(norms < 1e-6, "{output}: the first gradient norms differ by {norms}");
    }
}

#[test]
fn the_same_recipe_gives_the_same_bytes_on_any_number_of_threads() {
    let fixture = Fixture::new();
    let weights = |output: &str, options: &str| {
        let (summary, observed) = fixture.run(output, &format!("dropout = 0.1\n{options}"));
        (fs::read(summary.output.join("model.safetensors")).unwrap(), observed.losses)
    };
    let one = weights("one", "threads = 1");
    assert!(one == weights("again", "threads = 1"), "the same recipe twice");
    assert!(one == weights("two", "threads = 2"), "one thread and two");
    assert!(one == weights("three", "threads = 3"), "one thread and three");
    assert!(one != weights("seed", "threads = 1\nseed = 7"), "another seed");
}

#[test]
fn what_is_frozen_stays_and_everything_else_moves() {
    let fixture = Fixture::new();
    let before = weights(&fixture.model());
    struct Case(&'static str, &'static str, fn(&str) -> bool);
    let cases = [
        Case("full", "", |_| false),
        Case("head", "strategy = 'head_only'", |name| !name.contains("pooler") && !name.contains("classifier")),
        Case("freeze", "freeze = ['embeddings.*', '*layers.0.*']", |name| {
            name.contains("embeddings") || name.contains("layer.0.")
        }),
    ];
    for Case(output, options, is_frozen) in cases {
        let (summary, _) = fixture.run(output, options);
        for ((name, old), (new_name, new)) in before.iter().zip(weights(&summary.output)) {
            assert_eq!(*name, new_name);
            // The classifier is made anew, for two labels instead of three; the gradient of keys' biases is zero in exact arithmetic.
            if !name.starts_with("classifier") && !name.ends_with("key.bias") {
                assert_eq!(*old == new, is_frozen(name), "{output}: {name}");
            }
        }
    }
}

#[test]
fn every_optimizer_and_schedule_takes_its_steps() {
    let fixture = Fixture::new();
    for (index, options) in [
        "optimizer = 'adam'\nweight_decay = 0.01",
        "optimizer = 'adamw'\nbias_correction = false\nschedule = 'cosine'\nlayer_decay = 0.9",
        "optimizer = 'momentum'\nmomentum_form = 'averaged'\nlearning_rate = 0.1\nschedule = 'constant'",
        "optimizer = 'momentum'\nnesterov = true\nlearning_rate = 0.02\nwarmup = 3",
        "optimizer = 'gradient_descent'\nlearning_rate = 0.1\nmax_grad_norm = 'none'\nbatch_tokens = 64",
    ]
    .into_iter()
    .enumerate()
    {
        let (summary, observed) = fixture.run(&format!("run-{index}"), &format!("epochs = 3\n{options}"));
        assert_eq!(observed.losses.len() as u64, summary.planned_steps, "{options}");
        let mean = |losses: &[f32]| losses.iter().sum::<f32>() / losses.len() as f32;
        let (early, late) = observed.losses.split_at(observed.losses.len() / 2);
        assert!(mean(late) < mean(early), "{options}: {:?}", observed.losses);
    }
}

#[test]
fn a_run_of_warm_up_alone_says_so() {
    let fixture = Fixture::new();
    let told = |output: &str, options: &str| {
        let notices = fixture.run(output, options).1.notices;
        notices.into_iter().find(|notice| notice.contains("warm-up"))
    };
    let one = told("one", "max_steps = 1\nwarmup = 0.1").expect("a notice");
    assert!(one.starts_with("all steps of the training (1) are warm-up") && one.contains("nothing is learnt"), "{one}");
    let three = told("three", "max_steps = 3\nwarmup = 3").expect("a notice");
    assert!(three.contains("(3)") && !three.contains("nothing is learnt"), "{three}");
    assert_eq!(told("some", "max_steps = 3\nwarmup = 2"), None);
}
