//! Language models that are trained to go on with texts: losses as transformers computes them, and what a run leaves.

use std::fs;

use graftling::metrics::{LanguageMetrics, Metrics};
use graftling::{CompareRequest, EvaluateRequest, NoObserver, Predictor, compare, evaluate};
use serde_json::Value;

use crate::fixture::{Fixture, Refused, json, names, weights};

/// Single precision over a few hundred terms, on losses of about 7.
const TOLERANCE: f64 = 1e-5;

fn golden() -> Value {
    json(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/causal_lm.json").as_ref())
}

fn models(golden: &Value) -> impl Iterator<Item = (&str, &Value)> {
    golden["models"].as_array().expect("models").iter().map(|model| (model["model"].as_str().expect("a name"), model))
}

fn figures(metrics: &Metrics) -> LanguageMetrics {
    let Metrics::Language(figures) = metrics else { panic!("{metrics:?}") };
    *figures
}

/// How a folder does on one example.
fn evaluated(fixture: &Fixture, folder: &str, example: &Value) -> LanguageMetrics {
    fixture.write("one.jsonl", example.to_string().as_bytes());
    let request = EvaluateRequest::new(fixture.path(folder), fixture.path("one.jsonl"));
    figures(&evaluate(&request, &mut NoObserver).expect("an evaluation").metrics)
}

fn close(found: f64, expected: &Value, what: &str) {
    let expected = expected.as_f64().expect("a number");
    assert!((found - expected).abs() <= TOLERANCE * expected.abs(), "{what}: {found}, not {expected}");
}

/// A recipe of which nothing comes: its weights stay as they were, to seven digits and more.
fn standing_still(fixture: &Fixture, output: &str, data: &str, options: &str) {
    let path = fixture.path(data).display().to_string();
    let all =
        format!("task = 'causal_lm'\ntrain = {path:?}\nvalidation = {path:?}\nlearning_rate = 1e-12\nepochs = 1\n{options}");
    fixture.run(output, &all);
}

fn pairs(fixture: &Fixture, model: &Value) {
    let pairs = model["pairs"].as_array().expect("pairs");
    let line = |pair: &Value| format!("{}\n", serde_json::json!({"prompt": pair["prompt"], "completion": pair["completion"]}));
    fixture.write("pairs.jsonl", pairs.iter().map(line).collect::<String>().as_bytes());
}

#[test]
fn losses_are_those_of_transformers() {
    let golden = golden();
    for (name, model) in models(&golden) {
        let fixture = Fixture::of_model(name);
        pairs(&fixture, model);
        fixture.write("texts.txt", "the movie was good\n".repeat(4).as_bytes());
        let windows = format!("max_length = {}\nwindow_stride = {}", golden["max_length"], golden["stride"]);
        standing_still(&fixture, "windows", "texts.txt", &windows);
        standing_still(&fixture, "cut", "pairs.jsonl", &format!("max_length = {}", golden["cut_length"]));
        for text in model["texts"].as_array().expect("texts") {
            let example = serde_json::json!({"text": text["text"]});
            let whole = evaluated(&fixture, "model", &example);
            close(whole.loss, &text["loss"], &format!("{name}: {example}"));
            close(whole.perplexity(), &text["perplexity"], &format!("{name}, perplexity: {example}"));
            let windowed = evaluated(&fixture, "windows", &example);
            close(windowed.loss, &text["windowed_loss"], &format!("{name}, in windows: {example}"));
            let tokens = text["input_ids"].as_array().expect("ids").len() as u64 - 1;
            assert_eq!((whole.tokens, windowed.tokens), (tokens, tokens), "{example}");
        }
        for pair in model["pairs"].as_array().expect("pairs") {
            let example = serde_json::json!({"prompt": pair["prompt"], "completion": pair["completion"]});
            let (whole, cut) = (evaluated(&fixture, "model", &example), evaluated(&fixture, "cut", &example));
            close(whole.loss, &pair["loss"], &format!("{name}: {example}"));
            close(cut.loss, &pair["cut"]["loss"], &format!("{name}, cut: {example}"));
            assert_eq!(
                (Some(whole.tokens), Some(cut.tokens)),
                (pair["tokens"].as_u64(), pair["cut"]["tokens"].as_u64()),
                "{example}"
            );
        }
    }
}

#[test]
fn steps_over_completions_are_those_of_torch() {
    let golden = golden();
    for (name, model) in models(&golden) {
        let fixture = Fixture::of_model(name);
        pairs(&fixture, model);
        let path = fixture.path("pairs.jsonl").display().to_string();
        let (rate, decay) = (&golden["learning_rate"], &golden["weight_decay"]);
        let options = format!(
            "task = 'causal_lm'\ntrain = {path:?}\nvalidation = {path:?}\nepochs = 5\nschedule = 'constant'\nwarmup = 0\ndropout = 0.0\n\
             learning_rate = {rate}\nweight_decay = {decay}\n"
        );
        for (steps, more) in [("steps", ""), ("steps", "micro_batch_tokens = 160"), ("smoothed_steps", "label_smoothing = 0.1")] {
            let (_, events) = fixture.run("run", &format!("{options}overwrite_output = true\n{more}"));
            let expected = model[steps].as_array().expect("losses");
            assert_eq!(events.losses.len(), expected.len());
            for (step, (found, expected)) in events.losses.iter().zip(expected).enumerate() {
                close(f64::from(*found), expected, &format!("{name}, {steps} {more}, step {step}"));
            }
        }
    }
}

/// Texts of which every other is longer than twelve tokens.
fn texts() -> String {
    let line = |number: usize| {
        let word = ["good", "bad", "great", "dull"][number % 4];
        let ending = if number.is_multiple_of(2) { " and again the movie was not dull, the story is great" } else { "" };
        format!("the film was {word}{ending}\n")
    };
    (0..32).map(line).collect()
}

#[test]
fn a_run_learns_its_texts_and_leaves_all_that_belongs_to_a_language_model() {
    let fixture = Fixture::of_model("tiny-llama");
    fixture.write("texts.txt", texts().as_bytes());
    let path = fixture.path("texts.txt").display().to_string();
    let options = format!(
        "task = 'causal_lm'\ntrain = {path:?}\nvalidation = {path:?}\ntest = {path:?}\nepochs = 12\nwarmup = 0\nmax_length = 12\nlearning_rate = 1e-2\n"
    );
    let (summary, events) = fixture.run("run", &options);
    let validation = figures(&summary.validation.as_ref().expect("a validation").metrics);
    assert!(validation.loss < 1.0 && validation.loss < f64::from(events.losses[0]) / 4.0, "{validation:?} {:?}", events.losses);
    // Windows are trained on, and texts evaluated; no token is lost to either.
    assert!(summary.train_windows > 32 && validation.examples == 32, "{} {validation:?}", summary.train_windows);
    assert_eq!(summary.truncation.truncated_texts, 0);
    assert!(summary.validation.as_ref().is_some_and(|validation| validation.intervals.is_some()));
    let run = fixture.path("run");
    let read = |name: &str| fs::read_to_string(run.join(name)).expect(name);
    assert_eq!(
        read("generation_config.json"),
        fs::read_to_string(fixture.model().join("generation_config.json")).expect("settings")
    );
    assert_eq!(json(&run.join("config.json"))["architectures"][0], "LlamaForCausalLM");
    assert!(read("README.md").contains("pipeline_tag: text-generation") && read("README.md").contains("AutoModelForCausalLM"));
    let report = read("report.html");
    assert!(report.contains("whose tokens are least foreseen") && report.contains("perplexity"), "{report}");
    assert!(!weights(&run).iter().any(|(name, _)| name == "lm_head.weight"), "the head is the word embeddings");
    let refused = Predictor::load(&run).err().expect("no predictions").to_string();
    assert!(refused.contains("graftling generate"), "{refused}");
    let request = EvaluateRequest { with_predictions: true, ..EvaluateRequest::new(run.clone(), fixture.path("texts.txt")) };
    let refused = evaluate(&request, &mut NoObserver).unwrap_err().to_string();
    assert!(refused.starts_with("causal_lm foresees"), "{refused}");

    // Against what it started from, on the same texts; the run reads in windows, the model at once.
    let runs = vec![fixture.model(), run];
    let (format, columns, threads) = (None, Default::default(), None);
    let request = CompareRequest { runs, data: Some(fixture.path("texts.txt")), format, columns, threads, resamples: 200 };
    let comparison = compare(&request, &mut NoObserver).expect("a comparison");
    let perplexity = comparison.contrasts[0].differences.iter().find(|difference| difference.name.key == "perplexity");
    let perplexity = perplexity.expect("a difference of perplexity");
    assert!(perplexity.value < -100.0 && perplexity.high < 0.0, "{perplexity:?}");
}

#[test]
fn a_text_is_scored_the_same_whatever_stands_beside_it() {
    let fixture = Fixture::of_model("tiny-gpt2");
    fixture.write("texts.txt", texts().as_bytes());
    let together = figures(
        &evaluate(&EvaluateRequest::new(fixture.model(), fixture.path("texts.txt")), &mut NoObserver)
            .expect("an evaluation")
            .metrics,
    );
    let alone: Vec<LanguageMetrics> =
        texts().lines().take(4).map(|text| evaluated(&fixture, "model", &serde_json::json!({"text": text}))).collect();
    let (sum, tokens) = alone.iter().fold((0.0, 0), |sum, one| (sum.0 + one.loss * one.tokens as f64, sum.1 + one.tokens));
    assert_eq!(together.tokens, 8 * tokens);
    assert!((together.loss - sum / tokens as f64).abs() < 1e-5, "{} {}", together.loss, sum / tokens as f64);
}

#[test]
fn frozen_layers_stay_and_a_frozen_head_still_gives_gradients_to_what_is_below() {
    let fixture = Fixture::of_model("tiny-llama");
    fixture.write("texts.txt", texts().as_bytes());
    let path = fixture.path("texts.txt").display().to_string();
    let options = format!(
        "task = 'causal_lm'\ntrain = {path:?}\nvalidation = {path:?}\nfreeze = ['embeddings.*', 'decoder.layers.0.*']\nlayer_decay = 0.5\nepochs = 1\n"
    );
    fixture.run("run", &options);
    let (before, after) = (weights(&fixture.model()), weights(&fixture.path("run")));
    for ((name, before), (_, after)) in before.iter().zip(&after) {
        let is_frozen = name.contains("embed_tokens") || name.contains("layers.0.");
        assert_eq!(before == after, is_frozen, "{name}");
    }
}

#[test]
fn prompts_are_made_by_templates_in_training_and_in_evaluations() {
    let fixture = Fixture::of_model("tiny-llama");
    let row = |number: usize| {
        let word = ["good", "bad"][number % 2];
        format!(
            "{{\"title\": \"film {number}\", \"review\": \"the film was {word}\", \"verdict\": \"{word}\", \"year\": {number}}}\n"
        )
    };
    fixture.write("reviews.jsonl", (0..16).map(row).collect::<String>().as_bytes());
    let path = fixture.path("reviews.jsonl").display().to_string();
    let options = format!(
        "task = 'causal_lm'\ntrain = {path:?}\nvalidation = {path:?}\ntemplate = '{{title}} ({{year}}):\\n{{review}}\\nVerdict: '\n\
         label_column = 'verdict'\nepochs = 10\nlearning_rate = 1e-2\nwarmup = 0\n"
    );
    let (summary, _) = fixture.run("run", &options);
    let of_run = figures(&summary.validation.as_ref().expect("a validation").metrics);
    assert!(of_run.loss < 0.5, "{of_run:?}");
    let mut request = EvaluateRequest::new(summary.output.clone(), fixture.path("reviews.jsonl"));
    request.columns.label = Some("verdict".to_owned());
    assert_eq!(figures(&evaluate(&request, &mut NoObserver).expect("an evaluation").metrics), of_run, "the run's own template");
    request.template = Some("{review}".to_owned());
    let other = figures(&evaluate(&request, &mut NoObserver).expect("an evaluation").metrics);
    assert!(other.tokens == of_run.tokens && other.loss > of_run.loss, "{other:?}");
}

#[test]
fn what_cannot_be_gone_on_with_is_refused_before_anything_is_written() {
    let case = Refused::new;
    let prompts = ("p.jsonl", "{\"prompt\": \"a \", \"completion\": \"b\"}\n{\"prompt\": \"c \", \"completion\": \" \"}\n");
    let filled = ("f.jsonl", "{\"document\": \"a\", \"summary\": \"b\"}\n{\"document\": \"c\", \"summary\": \"d\"}\n");
    let texts = ("t.txt", "the film was good\nthe film was bad\n");
    let cases = [
        case("tiny-llama", prompts, "", "p.jsonl:2: the text in \"completion\" is empty"),
        case(
            "tiny-llama",
            filled,
            "template = '{documents}:'",
            "no column \"documents\" for the template; the columns are \"document\", \"summary\" (did you mean \"document\"?)",
        ),
        case("tiny-llama", filled, "template = 'Summary:'", "template \"Summary:\": it names no column"),
        case("tiny-llama", filled, "template = '{document}:'\nwindow_stride = 3", "window_stride: "),
        case("tiny-llama", filled, "", "no column for the text; the columns are \"document\", \"summary\""),
        case("tiny-llama", texts, "template = '{text}:'", "a file of plain texts has no columns"),
        case("tiny-llama", texts, "window_stride = 200", "stride 200 leaves no room"),
        case("tiny-bert", texts, "", "no token that a text ends with, as those of decoders have"),
    ];
    cases.iter().for_each(|case| case.check("causal_lm"));
}

#[test]
fn a_tokenizer_without_an_end_is_refused() {
    let fixture = Fixture::of_model("tiny-llama");
    for name in ["tokenizer.json", "tokenizer_config.json"] {
        let path = fixture.model().join(name);
        let text =
            fs::read_to_string(&path).expect(name).replace("<|endoftext|>", "<|pad|>").replace("\"eos_token\"", "\"pad_token\"");
        fs::write(&path, text.replace("\"bos_token\"", "\"unk_token\"")).expect(name);
    }
    fixture.write("texts.txt", texts().as_bytes());
    let path = fixture.path("texts.txt").display().to_string();
    let options = format!("task = 'causal_lm'\ntrain = {path:?}\nvalidation = {path:?}");
    let error = fixture.train(&fixture.recipe("run", &options)).expect_err("no end").to_string();
    assert!(error.contains("no token that a text ends with") && error.contains("eos_token"), "{error}");
}

#[test]
fn completions_that_do_not_fit_are_counted() {
    let fixture = Fixture::of_model("tiny-llama");
    let long = "and again the movie was good ".repeat(4);
    let rows = [("the film ", "was good"), ("the film ", long.as_str()), (long.as_str(), "was bad")];
    let lines = rows.map(|(prompt, completion)| format!("{}\n", serde_json::json!({"prompt": prompt, "completion": completion})));
    fixture.write("pairs.jsonl", lines.concat().as_bytes());
    let path = fixture.path("pairs.jsonl").display().to_string();
    let options = format!("task = 'causal_lm'\ntrain = {path:?}\nvalidation = {path:?}\nmax_length = 16\nepochs = 1");
    let (summary, _) = fixture.run("run", &options);
    let told = summary.truncation;
    assert_eq!((told.texts, told.truncated_texts, told.cut_completions), (3, 2, 1), "{told}");
    assert!(told.to_string().ends_with("; 1 completion does not fit by itself and loses the end"), "{told}");
    assert!(names(&fixture.path("run")).contains(&"generation_config.json".to_owned()));
}

#[test]
fn conversations_are_written_by_the_chat_template_and_only_answers_count() {
    let fixture = Fixture::of_model("tiny-llama");
    let line = |question: &str, answer: &str| {
        let messages = serde_json::json!([{"role": "user", "content": question}, {"role": "assistant", "content": answer}]);
        format!("{}\n", serde_json::json!({ "messages": messages }))
    };
    fixture.write(
        "chats.jsonl",
        (line("Was the film good?", "very good") + &line("Was the story good?", "not good")).repeat(4).as_bytes(),
    );
    let path = fixture.path("chats.jsonl").display().to_string();
    let options = format!(
        "task = 'causal_lm'\ntrain = {path:?}\nvalidation = {path:?}\nepochs = 8\nlearning_rate = 1e-2\nwarmup = 0\noverwrite_output = true\n"
    );
    let error = fixture.train(&fixture.recipe("run", &options)).expect_err("no template").to_string();
    assert!(error.contains(".jsonl: conversation on line 1: the tokenizer has no chat template"), "{error}");
    let template = "{% for message in messages %}{{ message.role + ': ' }}{{ message.content }}{{ eos_token }}{% endfor %}\
                    {% if add_generation_prompt %}assistant: {% endif %}";
    fixture.write("model/chat_template.jinja", template.as_bytes());
    let (summary, _) = fixture.run("run", &options);
    let validation = figures(&summary.validation.as_ref().expect("a validation").metrics);
    assert!(validation.loss < 1.0, "{validation:?}");
    assert_eq!(fs::read_to_string(fixture.path("run/chat_template.jinja")).expect("the template"), template);
    // The same answers behind the same texts as prompts.
    let prompt = |text: &str| format!("user: {text}<|endoftext|>assistant: ");
    let pair =
        |question: &str, answer: &str| format!("{}\n", serde_json::json!({"prompt": prompt(question), "completion": answer}));
    fixture.write("pairs.jsonl", (pair("Was the film good?", "very good") + &pair("Was the story good?", "not good")).as_bytes());
    let request = EvaluateRequest::new(summary.output.clone(), fixture.path("pairs.jsonl"));
    let pairs = figures(&evaluate(&request, &mut NoObserver).expect("an evaluation").metrics);
    assert!((pairs.loss - validation.loss).abs() < 1e-5 && 4 * pairs.tokens == validation.tokens, "{pairs:?} {validation:?}");
    let shouting = template.replace("{% for", "{{ raise_exception('no ' ~ messages[0].content) }}{% for");
    fixture.write("model/chat_template.jinja", shouting.as_bytes());
    let error = fixture.train(&fixture.recipe("run", &options)).expect_err("a template that refuses").to_string();
    assert!(error.ends_with(".jsonl: conversation on line 1: the chat template refuses it: no Was the film good?"), "{error}");
}

#[test]
fn a_model_without_a_run_scores_every_token_of_a_long_text() {
    let fixture = Fixture::of_model("tiny-llama");
    fixture.write("long.txt", "the movie was very good and the story is great ".repeat(40).as_bytes());
    let request = EvaluateRequest::new(fixture.model(), fixture.path("long.txt"));
    let evaluation = evaluate(&request, &mut NoObserver).expect("an evaluation");
    let Metrics::Language(figures) = &evaluation.metrics else { panic!("{:?}", evaluation.metrics) };
    assert!(figures.tokens > 256, "{} tokens", figures.tokens);
    assert_eq!(evaluation.truncation.cut_tokens, 0);
}
