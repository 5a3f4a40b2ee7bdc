//! Summaries and translations, by models with an encoder and by decoders alone: losses and steps as transformers has them, and what a run leaves.

use std::fs;
use std::path::Path;

use graftling::metrics::{Metrics, WrittenMetrics};
use graftling::{Columns, EvaluateRequest, NoObserver, Predictor, Said, TextInput, evaluate};
use serde_json::{Value, json as object};

use crate::fixture::{Fixture, Refused, TINY_MODELS, json, weights};

/// Single precision over a few dozen terms, on losses of about 4.
const TOLERANCE: f64 = 1e-5;
/// Ten updates of AdamW apart.
const TOLERANCE_OF_STEPS: f64 = 1e-4;

fn golden() -> Value {
    json(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/sequence_to_sequence.json").as_ref())
}

fn models(golden: &Value) -> impl Iterator<Item = (&str, &Value)> {
    golden["models"].as_array().expect("models").iter().map(|model| (model["model"].as_str().expect("a name"), model))
}

fn figures(metrics: &Metrics) -> &WrittenMetrics {
    let Metrics::Written(figures) = metrics else { panic!("{metrics:?}") };
    figures
}

fn close(found: f64, expected: &Value, tolerance: f64, what: &str) {
    let expected = expected.as_f64().expect("a number");
    assert!((found - expected).abs() <= tolerance * expected.abs(), "{what}: {found}, not {expected}");
}

/// The pairs of a model as a file of translations.
fn write_pairs(fixture: &Fixture, name: &str, pairs: &[Value]) {
    let line = |pair: &Value| format!("{}\n", object!({"source": pair["source"], "target": pair["target"]}));
    fixture.write(name, pairs.iter().map(line).collect::<String>().as_bytes());
}

fn options_of(fixture: &Fixture, data: &str, golden: &Value) -> String {
    let path = fixture.path(data).display().to_string();
    let [length, target_length] = ["max_length", "max_target_length"].map(|key| &golden[key]);
    format!(
        "task = 'translation'\ntrain = {path:?}\nvalidation = {path:?}\nmax_length = {length}\nmax_target_length = {target_length}\n\
         max_new_tokens = 4\nschedule = 'constant'\nwarmup = 0\nresamples = 'none'\n"
    )
}

#[test]
fn losses_of_targets_are_those_of_transformers() {
    let golden = golden();
    for (name, model) in models(&golden) {
        let fixture = Fixture::of_model(name);
        let pairs = model["pairs"].as_array().expect("pairs");
        write_pairs(&fixture, "pairs.jsonl", pairs);
        // Its weights stay as they were, to seven digits and more.
        let (summary, _) =
            fixture.run("still", &format!("{}learning_rate = 1e-12\nepochs = 1", options_of(&fixture, "pairs.jsonl", &golden)));
        let cut = object!([summary.truncation.truncated_texts, summary.truncation.cut_targets]);
        assert_eq!(cut, model["cut"], "{name}: {:?}", summary.truncation);
        for pair in pairs {
            write_pairs(&fixture, "one.jsonl", std::slice::from_ref(pair));
            let request = EvaluateRequest::new(fixture.path("still"), fixture.path("one.jsonl"));
            let evaluation = evaluate(&request, &mut NoObserver).expect("an evaluation");
            let found = figures(&evaluation.metrics);
            close(found.tokens.loss, &pair["loss"], TOLERANCE, &format!("{name}: {pair}"));
            let [sources, labels] = ["input_ids", "labels"].map(|key| pair[key].as_array().expect("ids").len() as u64);
            assert_eq!((found.tokens.tokens, evaluation.tokens), (labels, sources + labels), "{name}: {pair}");
        }
    }
}

#[test]
fn steps_are_those_of_the_trainer() {
    let golden = golden();
    for (name, model) in models(&golden) {
        let fixture = Fixture::of_model(name);
        write_pairs(&fixture, "pairs.jsonl", model["pairs"].as_array().expect("pairs"));
        let (rate, decay) = (&golden["learning_rate"], &golden["weight_decay"]);
        let options = format!(
            "{}epochs = 10\nlearning_rate = {rate}\nweight_decay = {decay}\noverwrite_output = true\nevaluate_every = 10\n",
            options_of(&fixture, "pairs.jsonl", &golden)
        );
        for (steps, more) in [("steps", ""), ("steps", "micro_batch_tokens = 30"), ("smoothed_steps", "label_smoothing = 0.1")] {
            let (_, events) = fixture.run("run", &format!("{options}{more}"));
            let expected = model[steps].as_array().expect("losses");
            assert_eq!(events.losses.len(), expected.len());
            for (step, (found, expected)) in events.losses.iter().zip(expected).enumerate() {
                close(f64::from(*found), expected, TOLERANCE_OF_STEPS, &format!("{name}, {steps} {more}, step {step}"));
            }
        }
    }
}

/// Texts of a few words, each to be written as it is.
fn copies(rows: std::ops::Range<usize>, [source, target]: [&str; 2]) -> String {
    let words = ["good", "bad", "dull", "great", "small"];
    let row = |number: usize| {
        let text: Vec<&str> =
            (0..2 + number % 2).map(|place| words[(number / 2 + place * (1 + number % 3)) % words.len()]).collect();
        format!("{}\n", object!({source: text.join(" "), target: text.join(" ")}))
    };
    rows.map(row).collect()
}

struct Copying {
    fixture: Fixture,
    options: String,
}

/// A recipe that learns to copy.
fn copying(model: &str, task: &str, columns: [&str; 2], more: &str) -> Copying {
    let fixture = Fixture::of_model(model);
    fixture.write("train.jsonl", copies(0..40, columns).as_bytes());
    fixture.write("test.jsonl", copies(0..10, columns).as_bytes());
    let [train, test] = ["train.jsonl", "test.jsonl"].map(|name| fixture.path(name).display().to_string());
    let options = format!(
        "task = {task:?}\ntrain = {train:?}\nvalidation = {test:?}\ntest = {test:?}\nlearning_rate = 1e-2\nwarmup = 0\nmax_new_tokens = 8\nresamples = 100\n{more}"
    );
    Copying { fixture, options }
}

#[test]
fn an_encoder_with_a_decoder_learns_to_write_and_leaves_all_that_belongs_to_it() {
    let columns = ["document", "summary"];
    // The last is an encoder, and becomes a pair.
    for model in ["tiny-bart", "tiny-t5", "tiny-pair", "tiny-bert"] {
        let Copying { fixture, options } =
            copying(model, "summarization", columns, "epochs = 60\nevaluate_every = 100\nmax_target_length = 16\n");
        let (summary, events) = fixture.run("run", &options);
        let test = figures(&summary.test.as_ref().expect("a test").metrics);
        assert!(test.tokens.loss < 0.2 && test.tokens.loss < f64::from(events.losses[0]) / 10.0, "{model}: {test:?}");
        let texts = test.texts.as_ref().expect("texts were written");
        assert!(texts.get("rougeL") > Some(0.9), "{model}: {}", texts.table());
        // As long as the targets are, whatever the tokenizer makes of words.
        let expected = test.tokens.tokens as f64 / test.tokens.examples as f64;
        let written = test.generated_length.expect("a length");
        assert!((written - expected).abs() < 1.0, "{model}: {written}, not {expected}");
        let intervals = summary.test.as_ref().and_then(|test| test.intervals.clone()).expect("intervals");
        let keys: Vec<&str> = intervals.figures.iter().map(|figure| figure.name.key).collect();
        assert!(
            ["rouge1", "rougeLsum", "copy_rate", "perplexity", "accuracy", "loss"].iter().all(|key| keys.contains(key)),
            "{keys:?}"
        );

        let run = fixture.path("run");
        let predictor = Predictor::load(&run).expect("a predictor");
        let text = |text| TextInput { text, pair: None };
        let said: Vec<Said> =
            predictor.predict(&[text("good bad"), text("dull great")]).expect("texts").into_iter().map(|one| one.said).collect();
        for (said, expected) in said.iter().zip(["good bad", "dull great"]) {
            let Said::Written { prediction, .. } = said else { panic!("{said:?}") };
            assert_eq!(prediction, expected, "{model}");
        }
        let evaluation = evaluate(
            &EvaluateRequest { with_predictions: true, ..EvaluateRequest::new(run.clone(), fixture.path("test.jsonl")) },
            &mut NoObserver,
        )
        .expect("an evaluation");
        assert_eq!(figures(&evaluation.metrics).texts, test.texts, "{model}: the run's own figures");
        assert_eq!(evaluation.predictions.map(|predictions| predictions.len()), Some(10));

        let generation = json(&run.join("generation_config.json"));
        assert!(generation["decoder_start_token_id"].is_u64() && generation["eos_token_id"].is_u64(), "{generation}");
        assert_eq!(generation["max_new_tokens"], 8, "{generation}");
        let read = |name: &str| fs::read_to_string(run.join(name)).expect(name);
        assert!(read("README.md").contains("pipeline_tag: summarization") && read("README.md").contains("AutoModelForSeq2SeqLM"));
        let report = read("report.html");
        assert!(
            report.contains("Texts that were written")
                && report.contains("ROUGE-L")
                && report.contains("outputs equal to their source")
        );
        assert!(read("test_results.json").contains("test_rougeL") && read("test_results.json").contains("test_gen_len"));
    }
}

#[test]
fn a_run_goes_on_to_write_as_its_folder_did_and_draws_nothing() {
    let Copying { fixture, options } =
        copying("tiny-bart", "summarization", ["document", "summary"], "epochs = 1\nmax_target_length = 16\n");
    let file = fixture.model().join("generation_config.json");
    let written = |config: &Value, output: &str| {
        let (summary, _) = fixture.run(output, &options);
        let run = fixture.path(output);
        let evaluation =
            evaluate(&EvaluateRequest::new(run.clone(), fixture.path("test.jsonl")), &mut NoObserver).expect("an evaluation");
        let test = summary.test.as_ref().expect("a test");
        assert_eq!(figures(&evaluation.metrics).texts, figures(&test.metrics).texts, "{config}: the run's own figures");
        json(&run.join("generation_config.json"))
    };

    // A folder of before says all of it in config.json, which is not asked beside a generation_config.json.
    let before = fs::read(fixture.model().join("config.json")).expect("a config");
    let mut config = json(&fixture.model().join("config.json"));
    for (key, value) in [("num_beams", 3), ("no_repeat_ngram_size", 2), ("min_length", 5), ("max_length", 9)] {
        config[key] = value.into();
    }
    fixture.write("model/config.json", config.to_string().as_bytes());
    fs::remove_file(&file).expect("another file of settings");
    let said = written(&config, "beams");
    let found =
        ["num_beams", "no_repeat_ngram_size", "min_length", "pad_token_id", "max_new_tokens"].map(|key| said[key].clone());
    assert_eq!(found, [3, 2, 5, 1, 8].map(Value::from), "{said}");
    assert_eq!(said.get("max_length"), None, "{said}");
    fixture.write("model/config.json", &before);

    let config = object!({
        "do_sample": true, "temperature": 0.5, "top_k": 5, "num_return_sequences": 2, "decoder_start_token_id": 2, "eos_token_id": 2
    });
    fs::write(&file, config.to_string()).expect("a file of settings");
    let said = written(&config, "drawn");
    for key in ["do_sample", "temperature", "top_k", "num_return_sequences"] {
        assert_eq!(said.get(key), None, "{key}: {said}");
    }
}

#[test]
fn texts_begin_with_the_language_that_a_run_was_trained_on() {
    let more = "epochs = 1\nmax_target_length = 16\nsource_language = 'en'\ntarget_language = 'de'\n";
    let Copying { fixture, options } = copying("tiny-mbart", "translation", ["en", "de"], more);
    let mut tokenizer = json(&fixture.model().join("tokenizer_config.json"));
    tokenizer["tokenizer_class"] = "MBart50Tokenizer".into();
    fixture.write("model/tokenizer_config.json", tokenizer.to_string().as_bytes());
    let known = graftling_text::Tokenizer::from_folder(&fixture.model()).expect("a tokenizer");
    let [english, german] = ["en_XX", "de_DE"].map(|code| known.id(code).expect("a language"));
    let mut config = json(&fixture.model().join("generation_config.json"));
    config["forced_bos_token_id"] = english.into();
    fixture.write("model/generation_config.json", config.to_string().as_bytes());
    fixture.run("run", &options);
    assert_eq!(json(&fixture.path("run/generation_config.json"))["forced_bos_token_id"], german);
}

#[test]
fn an_encoder_alone_becomes_a_pair_that_knows_how_texts_begin_and_end() {
    let Copying { fixture, options } =
        copying("tiny-bert", "translation", ["source", "target"], "epochs = 1\nmax_target_length = 16\n");
    let (_, events) = fixture.run("run", &options);
    let config = json(&fixture.path("run").join("config.json"));
    // Its tokenizer puts [CLS], 2, and [SEP], 3, around a text.
    let found = ["model_type", "decoder_start_token_id", "eos_token_id", "pad_token_id", "decoder_start_is_not_written"];
    let found = found.map(|key| config[key].clone());
    assert_eq!(found, [object!("encoder-decoder"), object!(2), object!(3), object!(0), object!(true)], "{config}");
    // Of the targets count the words and [SEP].
    let evaluation =
        evaluate(&EvaluateRequest::new(fixture.path("run"), fixture.path("test.jsonl")), &mut NoObserver).expect("an evaluation");
    let tokenizer = graftling_text::Tokenizer::from_folder(&fixture.model()).expect("a tokenizer");
    let text = fs::read_to_string(fixture.path("test.jsonl")).expect("the pairs");
    let targets: Vec<String> = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["target"].as_str().expect("a text").to_owned())
        .collect();
    let inputs: Vec<TextInput<'_>> = targets.iter().map(|text| TextInput { text, pair: None }).collect();
    let encoded = tokenizer.encode(&inputs, &graftling_text::EncodeOptions::truncated(100)).expect("tokens").encodings;
    let written: usize = encoded.iter().map(|encoding| encoding.input_ids.len() - 1).sum();
    assert_eq!(figures(&evaluation.metrics).tokens.tokens, written as u64);
    let new: Vec<&String> = events.notices.iter().filter(|notice| notice.contains("drawn anew")).collect();
    let [new] = new[..] else { panic!("{new:?}") };
    assert!(new.contains("decoder.layers.*.cross_attention.query.weight") && !new.contains("layers.*.attention"), "{new}");

    let (_, events) = fixture.run("random", &format!("{options}initial_weights = 'random'"));
    assert!(events.notices.iter().any(|notice| notice.starts_with("all weights are drawn")), "{:?}", events.notices);
    assert_ne!(weights(&fixture.path("run")), weights(&fixture.path("random")));
}

#[test]
fn a_student_of_marian_learns_to_write_from_no_word() {
    let more = "epochs = 60\nevaluate_every = 100\nmax_target_length = 16\n";
    let Copying { fixture, options } = copying("tiny-bart", "translation", ["source", "target"], more);
    // It has no tokenizer; that of a model with as many words is as good.
    let student = Path::new(TINY_MODELS).join("families/marian-ssru/seq2seq/model");
    fs::copy(student.join("model.safetensors"), fixture.model().join("model.safetensors")).expect("a copy of the student");
    let mut config = json(&student.join("config.json"));
    config["eos_token_id"] = 2.into();
    fixture.write("model/config.json", config.to_string().as_bytes());
    fs::remove_file(fixture.model().join("generation_config.json")).expect("that of another model");

    let (summary, _) = fixture.run("run", &options);
    let test = figures(&summary.test.as_ref().expect("a test").metrics);
    assert!(test.tokens.loss < 0.2, "{test:?}");
    assert!(test.texts.as_ref().and_then(|texts| texts.get("chrf")) > Some(90.0), "{:?}", test.texts);
    let generation = json(&fixture.path("run/generation_config.json"));
    assert_eq!(generation["decoder_start_token_id"], 40, "{generation}");
    let predictor = Predictor::load(&fixture.path("run")).expect("a predictor");
    let said = predictor.predict(&[TextInput { text: "good bad", pair: None }]).expect("a text").remove(0).said;
    assert_eq!(said.to_string(), "good bad");
    let card = fs::read_to_string(fixture.path("run/README.md")).expect("a card");
    assert!(!card.contains("transformers"), "{card}");
}

#[test]
fn a_decoder_alone_learns_to_write_behind_prompts() {
    for (model, more) in [("tiny-llama", ""), ("tiny-gpt2", "template = '{source} = '\n")] {
        let more = format!(
            "{more}epochs = 50\nevaluate_every = 100\nmetric_for_best_model = 'chrf'\nmax_length = 32\nmax_target_length = 16\n"
        );
        let Copying { fixture, options } = copying(model, "translation", ["source", "target"], &more);
        let (summary, events) = fixture.run("run", &options);
        let test = figures(&summary.test.as_ref().expect("a test").metrics);
        assert!(test.tokens.loss < 0.2, "{model}: {test:?}");
        let texts = test.texts.as_ref().expect("texts were written");
        assert!(texts.get("chrf") > Some(90.0), "{model}: {}", texts.table());
        assert!(summary.best.as_ref().is_some_and(|best| best.value > 90.0), "{:?}", summary.best);
        let (_, _, validation) = events.evaluations.last().expect("an evaluation");
        assert!(figures(&validation.metrics).texts.is_some(), "{model}: texts are written in training, too");
        let predictor = Predictor::load(&summary.output).expect("a predictor");
        let said = predictor.predict(&[TextInput { text: "good bad", pair: None }]).expect("a text").remove(0).said;
        assert_eq!(said.to_string(), "good bad", "{model}");
        let table = graftling_text::read_table(&fixture.path("test.jsonl"), None).expect("a table");
        let sources = predictor.sources_of(&table, &Columns::default()).expect("sources");
        let first = sources.examples[0].text.as_str();
        let said = predictor.predict_sources(&[first]).expect("a text").remove(0).said;
        assert_eq!(format!("{said} = "), if more.contains("template") { first.to_owned() } else { format!("{first} = ") });
        // Of a template's one column the text is known; all that is right here is copied from it.
        assert!(texts.get("copy_rate") > Some(0.9), "{model}: {}", texts.table());
    }
}

#[test]
fn what_is_written_behind_a_prompt_ends_as_targets_do() {
    let more = "epochs = 1\nmax_length = 32\nmax_target_length = 16\n";
    let Copying { fixture, options } = copying("tiny-gpt2", "translation", ["source", "target"], more);
    fixture.write("model/generation_config.json", br#"{"eos_token_id": 9}"#);
    fixture.run("run", &options);
    let tokenizer = graftling_text::Tokenizer::from_folder(&fixture.model()).expect("a tokenizer");
    let (_, end) = tokenizer.end_token().expect("an end");
    assert_eq!(json(&fixture.path("run/generation_config.json"))["eos_token_id"], object!([9, end]));
}

#[test]
fn sources_of_a_table_are_found_as_in_training() {
    let more = "epochs = 1\nmax_target_length = 16\nsource_language = 'en'\ntarget_language = 'zh'\n";
    let fixture = Fixture::of_model("tiny-marian");
    let row = |number: usize| {
        let word = ["good", "bad"][number % 2];
        format!("{}\n", object!({"translation": {"en": format!("the house is {word} again {number}"), "zh": "gut"}}))
    };
    fixture.write("train.jsonl", (0..12).map(row).collect::<String>().as_bytes());
    let path = fixture.path("train.jsonl").display().to_string();
    let options =
        format!("task = 'translation'\ntrain = {path:?}\nvalidation = {path:?}\nmax_new_tokens = 4\nresamples = 'none'\n{more}");
    let (summary, _) = fixture.run("run", &options);
    let results = fs::read_to_string(summary.output.join("eval_results.json")).expect("results");
    assert!(results.contains("tok:zh"), "the tokenizer of the target language: {results}");
    let predictor = Predictor::load(&summary.output).expect("a predictor");
    let table = graftling_text::read_table(&fixture.path("train.jsonl"), None).expect("a table");
    let sources = predictor.sources_of(&table, &Columns::default()).expect("sources");
    assert_eq!(sources.examples[0].text, "the house is good again 0");
    let request =
        EvaluateRequest { target_language: Some("de".to_owned()), ..EvaluateRequest::new(summary.output.clone(), path) };
    let refused = evaluate(&request, &mut NoObserver).expect_err("no German texts").to_string();
    assert!(refused.contains("\"translation\" has no text in \"de\"; it has en, zh"), "{refused}");
    let request = EvaluateRequest {
        source_language: Some("en".to_owned()),
        columns: Columns { text: Some("translation".to_owned()), ..Columns::default() },
        ..EvaluateRequest::new(summary.output, fixture.path("train.jsonl"))
    };
    // A column that is named goes before the language, which then is the tokenizer's alone.
    let refused = evaluate(&request, &mut NoObserver).expect_err("no texts").to_string();
    assert!(refused.contains("\"translation\""), "{refused}");
    let plain = lines_of(["english", "chinese"]);
    fixture.write("plain.jsonl", plain.as_bytes());
    let request = EvaluateRequest {
        data: fixture.path("plain.jsonl"),
        columns: Columns { text: Some("english".to_owned()), label: Some("chinese".to_owned()), ..Columns::default() },
        ..request
    };
    evaluate(&request, &mut NoObserver).expect("an evaluation");
}

/// A dozen translations in columns of these names.
fn lines_of([source, target]: [&str; 2]) -> String {
    (0..12).map(|number| format!("{}\n", object!({source: format!("the house is good {number}"), target: "gut"}))).collect()
}

#[test]
fn what_cannot_be_written_is_refused_before_anything_is() {
    let case = Refused::new;
    let pairs =
        ("p.jsonl", "{\"document\": \"a film\", \"summary\": \"good\"}\n{\"document\": \"a house\", \"summary\": \"bad\"}\n");
    let empty = ("e.csv", "document,summary\n,good\na film,\n");
    let cases = [
        case("tiny-bart", empty, "max_target_length = 16", "e.csv:2: the text in \"document\" is empty"),
        case("tiny-bart", empty, "max_target_length = 16", "e.csv:3: the text in \"summary\" is empty"),
        case("tiny-bart", pairs, "max_target_length = 48", "48 tokens may be written, but the model has 48 positions for them"),
        case(
            "tiny-bart",
            pairs,
            "max_target_length = 16\nmax_length = 49",
            "max_length: 49 tokens, but the model has 48 positions",
        ),
        case("tiny-llama", pairs, "max_length = 100\nmax_target_length = 40", "need 140, but the model has 128 positions"),
        case(
            "tiny-bart",
            pairs,
            "max_target_length = 2",
            "max_target_length: 2 tokens leave no room for a target; accepted is 3",
        ),
        case(
            "tiny-bart",
            pairs,
            "max_target_length = 16\nmetric_for_best_model = 'bleu'",
            "bleu is not a figure of summarization; accepted: auto, loss, accuracy, rouge1, rouge2, rougeL, rougeLsum",
        ),
        case("tiny-bart", pairs, "max_target_length = 16\nlength_penalty = 2.0", "it is about beams"),
    ];
    cases.iter().for_each(|case| case.check("summarization"));
}

#[test]
fn a_pair_whose_tokenizer_does_not_say_where_texts_begin_is_refused() {
    let Copying { fixture, options } = copying("tiny-bert", "translation", ["source", "target"], "max_target_length = 16\n");
    let path = fixture.model().join("tokenizer.json");
    let mut tokenizer = json(&path);
    tokenizer["post_processor"] = Value::Null;
    fs::write(&path, tokenizer.to_string()).expect("a tokenizer without [CLS] and [SEP]");
    let error = fixture.train(&fixture.recipe("run", &options)).expect_err("no start").to_string();
    assert!(
        error.contains("its tokenizer puts no tokens before and behind texts") && error.contains("belongs to the model"),
        "{error}"
    );
}

#[test]
fn a_pair_whose_decoder_has_fewer_words_than_the_tokenizer_is_refused() {
    let Copying { fixture, options } = copying("tiny-pair", "translation", ["source", "target"], "max_target_length = 16\n");
    let path = fixture.model().join("config.json");
    let mut config = json(&path);
    config["decoder"]["vocab_size"] = 20.into();
    fs::write(&path, config.to_string()).expect("a decoder with 20 words");
    let error = fixture.train(&fixture.recipe("run", &options)).expect_err("too few words").to_string();
    assert!(error.contains("ids up to 39 but the model has embeddings for 20 only"), "{error}");
}
