//! What the report tells of texts that are written from others: lengths, their curve, rates of copies and repetitions, and samples.

use std::fs;

use graftling::metrics::{JudgedText, TextGenerationMetrics, TextGenerationSample, TextMetric};
use graftling::{EvaluateRequest, NoObserver, Said, evaluate};
use graftling_text::{EncodeOptions, TextInput, Tokenizer};
use serde_json::{Value, json as object};

use crate::fixture::{Fixture, json};
use crate::markup::elements;

/// Twelve sources of three to five words with targets of two to four, in lines of jsonl.
fn examples() -> Vec<[String; 2]> {
    let words = ["good", "bad", "dull", "great", "small"];
    let text = |number: usize, length: usize| (0..length).map(|place| words[(number + place) % 5]).collect::<Vec<_>>().join(" ");
    (0..12).map(|number| [text(number, 3 + number % 3), text(number, 2 + number % 3)]).collect()
}

fn lines(examples: &[[String; 2]]) -> String {
    let line = |(id, [source, target]): (usize, &[String; 2])| {
        format!("{}\n", object!({"document": source, "summary": target, "year": 1999, "id": id}))
    };
    examples.iter().enumerate().map(line).collect()
}

fn run(fixture: &Fixture, options: &str) -> Value {
    fixture.write("train.jsonl", lines(&examples()).as_bytes());
    let path = fixture.path("train.jsonl").display().to_string();
    let options = format!(
        "task = 'summarization'\ntrain = {path:?}\nvalidation = {path:?}\nmax_new_tokens = 12\noverwrite_output = true\nresamples = 100\n{options}"
    );
    let (summary, _) = fixture.run("run", &options);
    json(&summary.output.join("report.json"))
}

/// How many tokens a text has, with those around it and without.
fn tokens(fixture: &Fixture, text: &str) -> [usize; 2] {
    let tokenizer = Tokenizer::from_folder(&fixture.model()).expect("a tokenizer");
    let encodings = tokenizer.encode(&[TextInput { text, pair: None }], &EncodeOptions::truncated(usize::MAX)).expect("tokens");
    let special = &encodings.encodings[0].special_tokens_mask;
    [special.len(), special.iter().filter(|special| !**special).count()]
}

/// Least, most and mean of some lengths, and how many there are.
fn spread(lengths: &[usize]) -> [f64; 4] {
    let (least, most) = (lengths.iter().min().expect("a length"), lengths.iter().max().expect("a length"));
    [*least as f64, *most as f64, lengths.iter().sum::<usize>() as f64 / lengths.len() as f64, lengths.len() as f64]
}

fn told(distribution: &Value) -> [f64; 4] {
    let [least, most, mean] = ["least", "most", "mean"].map(|key| distribution[key].as_f64().expect(key));
    let count = distribution["counts"].as_array().expect("counts").iter().map(|count| count.as_f64().expect("a count")).sum();
    [least, most, mean, count]
}

#[test]
fn targets_have_as_much_room_as_the_model_where_nothing_is_said() {
    // A decoder starts with a token of its own in 48 positions; one alone keeps half of 128 for the source, or as many as it is told.
    for (model, options, room) in [("tiny-bart", "", 47), ("tiny-llama", "", 64), ("tiny-llama", "max_length = 100\n", 28)] {
        let facts = run(&Fixture::of_model(model), &format!("epochs = 1\n{options}"));
        assert_eq!(facts["data"][0]["targets"]["max_target_length"], room, "{model}");
    }
}

#[test]
fn sources_and_targets_have_lengths_of_their_own() {
    for (model, template) in [("tiny-bart", ""), ("tiny-llama", "template = '{document}'\n"), ("tiny-bert", "")] {
        let fixture = Fixture::of_model(model);
        let facts = run(&fixture, &format!("{template}max_length = 6\nmax_target_length = 4\n"));
        let lengths = |side: usize| examples().iter().map(|texts| tokens(&fixture, &texts[side])).collect::<Vec<_>>();
        let sources: Vec<usize> = lengths(0).into_iter().map(|[whole, _]| whole).collect();
        // Behind a prompt only an end is written beside the text.
        let target = |[whole, alone]: [usize; 2]| if template.is_empty() { whole } else { alone + 1 };
        let targets: Vec<usize> = lengths(1).into_iter().map(target).collect();
        let split = &facts["data"][0];
        assert_eq!(told(&split["lengths"]), spread(&sources), "{model}: {split}");
        assert_eq!(told(&split["targets"]["lengths"]), spread(&targets), "{model}: {split}");
        assert_eq!((&split["max_length"], &split["targets"]["max_target_length"]), (&6.into(), &4.into()), "{model}");
        let cut = |lengths: &[usize], longest| lengths.iter().filter(|length| **length > longest).count();
        assert_eq!(
            (split["truncated_texts"].as_u64(), split["targets"]["cut_targets"].as_u64()),
            (Some(cut(&sources, 6) as u64), Some(cut(&targets, 4) as u64)),
            "{model}: {split}"
        );
        let results = json(&fixture.path("run/all_results.json"));
        for key in ["train_truncated_targets", "eval_truncated_targets"] {
            assert_eq!(results[key], split["targets"]["cut_targets"], "{model}: {key}");
        }
        let page = fs::read_to_string(fixture.path("run/report.html")).expect("a report");
        let captions: Vec<String> =
            elements(&page).into_iter().filter(|element| element.name == "figcaption").map(|element| element.text).collect();
        for expected in ["training split, length of the sources", "validation split, length of the targets"] {
            assert!(captions.iter().any(|caption| caption == expected), "{model}: {captions:?}");
        }
    }
}

#[test]
fn lengths_have_a_curve_where_evaluations_write() {
    // The last is written without the token that it starts with.
    for (model, start) in [("tiny-bart", 0.0), ("tiny-bert", 1.0)] {
        let fixture = Fixture::of_model(model);
        let facts = run(&fixture, "max_target_length = 16\nmetric_for_best_model = 'rougeL'\n");
        let state = json(&fixture.path("run/trainer_state.json"));
        let log = state["log_history"].as_array().expect("a log");
        let expected: Vec<Value> = log
            .iter()
            .filter(|entry| !entry["eval_gen_len"].is_null())
            .map(|it| object!([it["step"], it["eval_gen_len"]]))
            .collect();
        let lengths = &facts["curves"]["lengths"];
        assert_eq!((expected.len(), &lengths["written"]), (2, &Value::Array(expected)), "{model}");
        let targets: Vec<usize> = examples().iter().map(|[_, target]| tokens(&fixture, target)[0]).collect();
        assert_eq!(lengths["references"].as_f64(), Some(spread(&targets)[2] - start), "{model}");
        let page = || fs::read_to_string(fixture.path("run/report.html")).expect("a report");
        assert!(page().contains("validation tokens written, mean"), "{model}");
        // Nothing is drawn where nothing was written before the end.
        assert!(
            run(&fixture, "max_target_length = 16\n")["curves"]["lengths"].is_null() && !page().contains("validation tokens")
        );
    }
}

/// What was written from each example, as the model at the top of the run folder writes it.
fn written(fixture: &Fixture) -> Vec<String> {
    let request = EvaluateRequest::new(fixture.path("run"), fixture.path("train.jsonl"));
    let evaluation = evaluate(&EvaluateRequest { with_predictions: true, ..request }, &mut NoObserver).expect("an evaluation");
    let text = |said| match said {
        Said::Written { prediction, .. } => prediction,
        other => panic!("{other:?}"),
    };
    evaluation.predictions.expect("predictions").into_iter().map(|prediction| text(prediction.said)).collect()
}

#[test]
fn rates_and_samples_are_those_of_what_was_written() {
    let prompt = "template = 'In {year}: {document} so'\n";
    for (model, template, has_source) in [
        ("tiny-bart", "", true),
        ("tiny-bart", prompt, true),
        ("tiny-llama", prompt, true),
        ("tiny-llama", "template = '{year} {id}'\n", false),
    ] {
        let fixture = Fixture::of_model(model);
        let facts = run(&fixture, &format!("{template}max_target_length = 16\nlearning_rate = 2e-2\nepochs = 8\n"));
        let (outputs, examples) = (written(&fixture), examples());
        let texts: Vec<JudgedText<'_>> = (outputs.iter().zip(&examples))
            .map(|(output, [source, target])| JudgedText {
                output,
                references: std::slice::from_ref(target),
                source: Some(source),
            })
            .collect();
        let of = |texts: &[JudgedText<'_>]| {
            let metrics =
                [TextMetric::Copying, TextMetric::Repetition, TextMetric::Distinct, TextMetric::Rouge(Default::default())];
            TextGenerationMetrics::new(&TextGenerationSample::new(&metrics, texts, None))
        };
        let (expected, evaluation) = (of(&texts), &facts["evaluations"][0]);
        let figures = &evaluation["figures"];
        for key in ["repetition_rate", "distinct_1", "distinct_2", "rougeL"] {
            let expected = expected.get(key).filter(|value| value.is_finite());
            assert_eq!(figures[key].as_f64(), expected, "{model} {template}: {key}");
        }
        for key in ["copy_rate", "untranslated_rate"] {
            let expected = expected.get(key).filter(|_| has_source);
            assert_eq!(figures[key].as_f64(), expected, "{model} {template}: {key}");
            assert_eq!(evaluation["intervals"]["ends"][key].is_array(), has_source, "{model} {template}: {key}");
        }

        let agreements: Vec<f64> = texts.iter().map(|text| of(&[*text]).get("rougeL").expect("ROUGE-L")).collect();
        let mut ranked: Vec<usize> = (0..agreements.len()).collect();
        ranked.sort_by(|&one, &other| agreements[other].total_cmp(&agreements[one]));
        let places = [("best", [0, 1, 2]), ("median", [4, 5, 6]), ("worst", [11, 10, 9])];
        let expected: Vec<Value> = places
            .iter()
            .flat_map(|(standing, places)| places.map(|place| (standing, ranked[place])))
            .map(|(standing, place)| {
                let [agreement, line] = [object!(agreements[place]), object!(place + 1)];
                object!([standing, agreement, line, examples[place][1], outputs[place]])
            })
            .collect();
        let samples = evaluation["examined"]["samples"].as_array().expect("samples");
        let found: Vec<Value> = samples
            .iter()
            .map(|it| Value::Array(["standing", "agreement", "line", "reference", "written"].map(|key| it[key].clone()).to_vec()))
            .collect();
        assert_eq!(found, expected, "{model} {template}");
    }
}
