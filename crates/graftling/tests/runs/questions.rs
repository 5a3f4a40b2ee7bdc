//! Questions answered from texts: learnt, also where there is no answer, and from contexts longer than the model reads at once.

use std::fs;
use std::path::{Path, PathBuf};

use graftling::metrics::{AnswerMetrics, Metrics};
use graftling::recipe::RecipeFile;
use graftling::{EvaluateRequest, Evaluation, NoAnswer, NoObserver, Predictor, Recipe, Said, TextInput, TrainSummary, evaluate};
use serde_json::{Value, json as object};

use crate::fixture::{Fixture, json, weights};

const NAMES: [&str; 4] = ["movie", "film", "story", "dog"];
const WORDS: [&str; 4] = ["good", "bad", "great", "dull"];

/// A context about two things, and a question about the first of them, or about a third that it says nothing about. `filling` stands
/// before it.
fn paragraph(number: usize, answerable: bool, filling: &str) -> Value {
    let (first, second) = (NAMES[number % 4], NAMES[(number + 1) % 4]);
    let (answer, other) = (WORDS[number / 4 % 4], WORDS[(number / 4 + number + 1) % 4]);
    let context = format!("{filling}the {first} was {answer} and the {second} was {other}");
    let asked = if answerable { first } else { NAMES[(number + 2) % 4] };
    let start = filling.chars().count() + format!("the {first} was ").len();
    let answers = if answerable { object!([{ "text": answer, "answer_start": start }]) } else { object!([]) };
    let id = format!("{}{number}", if answerable { "q" } else { "n" });
    object!({ "context": context, "qas": [{ "id": id, "question": format!("how was the {asked}"), "answers": answers }] })
}

/// What stands before every other of the short contexts: characters that take more than a byte.
const BEFORE: [&str; 2] = ["", "电影！"];

/// Sixteen questions, and eight without an answer where they are wanted.
fn sixteen(unanswerable: bool) -> Value {
    let answerable = (0..16).map(|number| paragraph(number, true, BEFORE[number % 2]));
    let others = (0..8).filter(|_| unanswerable).map(|number| paragraph(number, false, ""));
    object!({ "version": "v2.0", "data": [{ "title": "t", "paragraphs": answerable.chain(others).collect::<Vec<_>>() }] })
}

const OPTIONS: &str = "task = 'question_answering'\ndropout = 0.0\nwarmup = 0\n";

/// Writes questions, trains on them until they are known, and evaluates the run on them.
fn learn(fixture: &Fixture, output: &str, questions: &Value, options: &str) -> (TrainSummary, Evaluation) {
    fixture.write("questions.json", questions.to_string().as_bytes());
    let path = fixture.path("questions.json").display().to_string();
    let options = format!("{OPTIONS}train = {path:?}\nvalidation = {path:?}\n{options}");
    let (summary, _) = fixture.run(output, &options);
    let evaluation = judge(fixture, &summary.output, None);
    let of_run = summary.validation.as_ref().expect("a validation");
    assert_eq!(figures(&evaluation).all, figures(of_run).all, "{output}");
    let intervals = evaluation.intervals.as_ref().expect("intervals");
    for (name, figure) in evaluation.metrics.headline().into_iter().filter(|(name, _)| *name != "loss") {
        let interval = intervals.get(name).expect("an interval");
        assert!((interval.value - figure).abs() < 1e-9 && interval.low <= figure && figure <= interval.high, "{interval:?}");
    }
    // Sums over other batches differ in their last bits.
    assert!((evaluation.metrics.loss() - of_run.metrics.loss()).abs() < 1e-6, "{output}");
    (summary, evaluation)
}

fn judge(fixture: &Fixture, run: &Path, no_answer: Option<NoAnswer>) -> Evaluation {
    let request = EvaluateRequest {
        with_predictions: true,
        no_answer,
        resamples: Some(100),
        ..EvaluateRequest::new(run.to_owned(), fixture.path("questions.json"))
    };
    evaluate(&request, &mut NoObserver).expect("an evaluation")
}

fn figures(evaluation: &Evaluation) -> &AnswerMetrics {
    match &evaluation.metrics {
        Metrics::Answers(figures) => figures,
        other => panic!("{other:?}"),
    }
}

/// The answer to a question and its characters.
fn answer(run: &Path, question: &str, context: &str) -> (String, Option<(usize, usize)>) {
    let predictor = Predictor::load(run).expect("a predictor");
    let said = predictor.predict(&[TextInput { text: question, pair: Some(context) }]).expect("a prediction").remove(0).said;
    let Said::Answer { answer, characters, .. } = said else { panic!("{said:?}") };
    (answer, characters)
}

/// A copy of a run as another program would have saved it: nothing that only this one writes.
fn from_elsewhere(fixture: &Fixture, run: &Path) -> PathBuf {
    let folder = fixture.path("elsewhere");
    fs::create_dir(&folder).unwrap();
    for name in ["model.safetensors", "tokenizer.json", "tokenizer_config.json"] {
        fs::copy(run.join(name), folder.join(name)).unwrap();
    }
    let mut config = json(&run.join("config.json"));
    config.as_object_mut().unwrap().remove("version_2_with_negative").expect("the key");
    fs::write(folder.join("config.json"), config.to_string()).unwrap();
    folder
}

#[test]
fn answers_are_learnt_and_never_empty_where_every_question_has_one() {
    let fixture = Fixture::new();
    let (summary, evaluation) = learn(&fixture, "run", &sixteen(false), "epochs = 25");
    let figures = figures(&evaluation);
    assert_eq!((figures.all.exact_match, figures.all.f1, figures.all.total), (100.0, 100.0, 16));
    assert!(figures.parts.is_none() && figures.best.is_none() && figures.mixed.is_none(), "{figures:?}");
    let context = "电影！the film was good and the story was great";
    assert_eq!(answer(&summary.output, "how was the film", context), ("good".to_owned(), Some((16, 20))));
    let predictor = Predictor::load(&summary.output).expect("a predictor");
    let off = TextInput { text: "!", pair: Some("again") };
    let said = &predictor.predict(&[off]).expect("a prediction")[0].said;
    assert!(matches!(said, Said::Answer { answer, null_score_diff: None, .. } if answer == "again"), "{said:?}");
    let refused = predictor.predict(&[off, TextInput { text: "how", pair: None }]).unwrap_err().to_string();
    assert!(refused.starts_with("text 2 (\"how\") is a question without a context"), "{refused}");

    let config = json(&summary.output.join("config.json"));
    assert_eq!(config["architectures"][0], "BertForQuestionAnswering");
    assert_eq!(config["version_2_with_negative"], false);
    assert_eq!(json(&summary.output.join("trainer_state.json"))["metric_for_best_model"], "f1");
    assert_eq!(json(&summary.output.join("eval_results.json"))["eval_exact_match"], 100.0);
    let card = fs::read_to_string(summary.output.join("README.md")).expect("a card");
    assert!(card.contains("This model gives the passage of a text that answers a question about it."), "{card}");
}

#[test]
fn that_there_is_no_answer_is_learnt_where_questions_have_none() {
    let fixture = Fixture::new();
    let (summary, evaluation) = learn(&fixture, "run", &sixteen(true), "epochs = 50");
    let parts = figures(&evaluation).parts.expect("both kinds of questions");
    assert_eq!(parts.has_answer.map(|part| (part.exact_match, part.total)), Some((100.0, 16)));
    assert_eq!((parts.no_answer.f1, parts.no_answer.total), (100.0, 8));
    let best = figures(&evaluation).best.expect("a threshold");
    assert_eq!((best[0].figure, best[1].figure), (100.0, 100.0));
    let empty = |evaluation: &Evaluation| {
        let said = evaluation.predictions.iter().flatten().map(|prediction| &prediction.said);
        said.filter(|said| matches!(said, Said::Answer { answer, characters: None, .. } if answer.is_empty())).count()
    };
    assert_eq!(empty(&evaluation), 8);
    assert_eq!(json(&summary.output.join("config.json"))["version_2_with_negative"], true);

    // The rule may be another than the model was trained with.
    assert_eq!(empty(&judge(&fixture, &summary.output, Some(NoAnswer::Never))), 0);
    assert_eq!(empty(&judge(&fixture, &summary.output, Some(NoAnswer::Above(-1e5)))), 24);
    let at_best = judge(&fixture, &summary.output, Some(NoAnswer::Above(best[1].threshold as f32)));
    assert_eq!(figures(&at_best).all.f1, 100.0);
    let elsewhere = from_elsewhere(&fixture, &summary.output);
    let always = judge(&fixture, &elsewhere, None);
    assert_eq!((empty(&always), figures(&always).parts.map(|parts| parts.no_answer.f1)), (0, Some(0.0)));
    assert_eq!(empty(&judge(&fixture, &elsewhere, Some(NoAnswer::Above(0.0)))), 8);
}

/// Contexts of which most of the tokens stand before what is asked for, or behind it.
fn long() -> Value {
    let filling = |number: usize| ["it is a very good and bad movie ", "great ", ""][number % 3].repeat(number % 5 * 2);
    let paragraphs: Vec<Value> = (0..16).map(|number| paragraph(number, true, &filling(number))).collect();
    object!({ "data": [{ "paragraphs": paragraphs }] })
}

#[test]
fn an_answer_far_beyond_the_length_of_the_model_is_found() {
    let fixture = Fixture::new();
    let (summary, evaluation) = learn(&fixture, "run", &long(), "epochs = 40\nmax_length = 24\nwindow_stride = 8");
    assert_eq!(figures(&evaluation).all.exact_match, 100.0, "{evaluation:?}");
    assert!(summary.train_windows > 30, "{} windows", summary.train_windows);
    let recipe = fs::read_to_string(summary.output.join("recipe.toml")).expect("a recipe");
    assert!(recipe.contains("window_stride = 8"), "{recipe}");
    let filling = "it is a very good and bad movie ".repeat(8);
    let context = format!("{filling}the film was great and the story was good");
    let start = filling.len() + "the film was ".len();
    assert_eq!(answer(&summary.output, "how was the film", &context), ("great".to_owned(), Some((start, start + 5))));
}

#[test]
fn runs_are_the_same_on_any_number_of_threads_and_whatever_stands_beside() {
    let fixture = Fixture::new();
    let options = "epochs = 2\nmax_length = 20\nwindow_stride = 6\noverwrite_output = true\nthreads = ";
    let (one, _) = learn(&fixture, "one", &long(), &format!("{options}1"));
    let (two, _) = learn(&fixture, "two", &long(), &format!("{options}2"));
    assert_eq!(weights(&one.output), weights(&two.output));
    let predictor = Predictor::load(&one.output).expect("a predictor");
    let contexts: Vec<String> = (1..6).map(|count| "the story was not good ".repeat(count * 3)).collect();
    let inputs: Vec<TextInput<'_>> =
        contexts.iter().map(|context| TextInput { text: "how was it", pair: Some(context) }).collect();
    let together = predictor.predict(&inputs).expect("predictions");
    for (input, said) in inputs.iter().zip(&together) {
        assert_eq!(&predictor.predict(&[*input]).expect("a prediction")[0], said);
    }
}

#[test]
fn a_budget_below_one_context_changes_no_figure() {
    let fixture = Fixture::new();
    let options = "epochs = 3\nmax_length = 20\nwindow_stride = 6\nmicro_batch_tokens = ";
    let (_, large) = learn(&fixture, "large", &long(), &format!("{options}4096"));
    let (_, small) = learn(&fixture, "small", &long(), &format!("{options}20"));
    // Gradients are summed in other portions, no more.
    assert!((large.metrics.loss() - small.metrics.loss()).abs() < 1e-3, "{} {}", large.metrics.loss(), small.metrics.loss());
}

#[test]
fn a_validation_part_shares_no_context_and_shared_contexts_are_told() {
    let fixture = Fixture::new();
    let mut paragraphs: Vec<Value> = (0..16).map(|number| paragraph(number, true, "")).collect();
    for paragraph in &mut paragraphs {
        let mut again = paragraph["qas"][0].clone();
        again["id"] = format!("{} again", again["id"].as_str().unwrap()).into();
        again["question"] = "was it good".into();
        paragraph["qas"].as_array_mut().unwrap().push(again);
    }
    fixture.write("questions.json", object!({ "data": [{ "paragraphs": paragraphs }] }).to_string().as_bytes());
    let quoted = |name: &str| format!("{:?}", fixture.path(name).display().to_string());
    let (data, model, output) = (quoted("questions.json"), quoted("model"), quoted("split"));
    let options = format!(
        "{OPTIONS}model = {model}\ntrain = {data}\ntest = {data}\noutput = {output}\nvalidation_fraction = 0.25\nepochs = 1"
    );
    let recipe = Recipe::check(RecipeFile::from_toml(&options).unwrap()).unwrap();
    let (summary, observed) = fixture.train(&recipe).expect("a run");
    assert_eq!((summary.train_examples, summary.validation.map(|it| it.metrics.examples())), (24, Some(8)));
    assert!(!observed.notices.iter().any(|notice| notice.contains("8 of 8 questions")), "{:?}", observed.notices);
    assert!(
        observed.notices.iter().any(|notice| notice.contains("24 of 32 questions are about texts")),
        "{:?}",
        observed.notices
    );
}

#[test]
fn what_cannot_be_learnt_or_chosen_by_is_refused() {
    let none = object!({ "data": [{ "paragraphs": [paragraph(1, false, ""), paragraph(2, false, "")] }] });
    let long_question = object!({ "data": [{ "paragraphs": [{ "context": "the film was good ".repeat(20), "qas": [
        { "id": "a", "question": "how was the film ".repeat(6), "answers": [{ "text": "good", "answer_start": 13 }] }] }] }] });
    let cases = [
        (&none, "", "none of the 2 questions has an answer in its context"),
        (&sixteen(false), "null_score_diff_threshold = 1.5", "null_score_diff_threshold: every question of "),
        (&sixteen(false), "metric_for_best_model = 'accuracy'", "accepted: auto, f1, exact_match, f1_mixed, loss"),
        (&long_question, "max_length = 32", "shorten the text, or set a larger max_length or a smaller stride"),
    ];
    for (questions, options, expected) in cases {
        let fixture = Fixture::new();
        fixture.write("questions.json", questions.to_string().as_bytes());
        let path = fixture.path("questions.json").display().to_string();
        let recipe = fixture.recipe("run", &format!("{OPTIONS}train = {path:?}\nvalidation = {path:?}\n{options}"));
        let told = fixture.train(&recipe).expect_err("an error").to_string();
        assert!(told.contains(expected), "{told}");
        assert!(!fixture.path("run").exists());
    }
    let fixture = Fixture::new();
    let (summary, _) = fixture.run("labels", "epochs = 1");
    let labels = Predictor::load(&summary.output).expect("a predictor").with_no_answer(NoAnswer::Never);
    let told = labels.err().expect("an error").to_string();
    assert_eq!(
        told,
        "null_score_diff_threshold belongs to question_answering, but the model is of the task sequence_classification"
    );
}

#[test]
fn a_question_that_leaves_no_room_for_its_context_is_told_with_its_place() {
    let fixture = Fixture::new();
    let line = |question: &str| {
        format!(
            "{}\n",
            object!({"question": question, "context": "the film was good", "answers": [{"text": "good", "answer_start": 13}]})
        )
    };
    let long = "is the film very very very very very very very very good".to_owned();
    fixture.write("q.jsonl", [line("is it good"), line(&long)].concat().as_bytes());
    let path = fixture.path("q.jsonl").display().to_string();
    let options = format!("task = 'question_answering'\ntrain = {path:?}\nvalidation = {path:?}\nmax_length = 12\n");
    let told = fixture.train(&fixture.recipe("run", &options)).expect_err("a refusal").to_string();
    assert!(told.starts_with(&format!("{path}:2: pair 2: its first text has")), "{told}");
}
