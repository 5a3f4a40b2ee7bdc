//! The report that every run leaves: its sections, its figures, its safety, its languages.

use std::fs;
use std::path::Path;

use graftling::recipe::ReportLanguage;
use graftling::{Collected, Columns, Event, NoObserver, Observer, ReportRequest, TrainSummary, report, train};
use serde_json::Value;

use crate::fixture::{Fixture, json};
use crate::markup::{Element, elements};

fn page(run: &Path) -> String {
    fs::read_to_string(run.join("report.html")).expect("a report")
}

/// The words of the sections of a page, in their order.
fn sections(elements: &[Element]) -> Vec<&str> {
    elements.iter().filter(|element| element.name == "section").filter_map(|element| element.attribute("id")).collect()
}

/// A page that is well formed and asks for nothing.
fn checked(page: &str) -> Vec<Element> {
    let elements = elements(page);
    assert!(elements.iter().all(|element| !["script", "link", "img", "iframe", "object"].contains(&element.name.as_str())));
    for element in &elements {
        for (name, value) in &element.attributes {
            assert!(!name.starts_with("on") && !["src", "srcset", "data"].contains(&name.as_str()), "{element:?}");
            assert!(name != "href" || value.starts_with('#'), "{element:?}");
        }
    }
    let style = elements.iter().find(|element| element.name == "style").expect("a style");
    assert!(!style.text.contains("url(") && !style.text.contains("@import"));
    elements
}

/// Sixteen texts, each with what `label` makes of its number, in lines of jsonl.
fn sixteen(label: impl Fn(usize) -> String) -> String {
    let words = ["good", "bad", "great", "dull"];
    let row =
        |number: usize| format!("{{\"text\": \"the {} film {number}\", \"label\": {}}}\n", words[number % 4], label(number));
    (0..16).map(row).collect()
}

/// Sixteen questions about texts, in lines of jsonl.
fn questions() -> String {
    let answers = "{\"text\": [\"good\"], \"answer_start\": [4]}";
    let row = |number: usize| {
        format!("{{\"context\": \"the good film {number}\", \"question\": \"what film\", \"answers\": {answers}}}\n")
    };
    (0..16).map(row).collect()
}

/// Sixteen pairs of texts that are alike, in lines of jsonl.
fn pairs() -> String {
    (0..16).map(|number| format!("{{\"anchor\": \"film {number}\", \"positive\": \"movie {number}\"}}\n")).collect()
}

/// Sixteen texts with what is to be written from each, under these names, in lines of jsonl.
fn written(source: &str, target: &str) -> String {
    (0..16).map(|number| format!("{{\"{source}\": \"the good film {number}\", \"{target}\": \"good {number}\"}}\n")).collect()
}

/// A tiny model that can do a task.
fn model_of(task: &str) -> &'static str {
    match task {
        "causal_lm" => "tiny-llama",
        "summarization" => "tiny-bart",
        "translation" => "tiny-t5",
        _ => "tiny-bert",
    }
}

/// What a task that writes needs, so that its tiny model has room.
fn options_of(task: &str) -> &'static str {
    if ["summarization", "translation"].contains(&task) { "max_target_length = 16\nmax_new_tokens = 4\n" } else { "" }
}

/// Trains a task for a few steps on a file that is training and test split as well.
fn run(fixture: &Fixture, task: &str, name: &str, examples: &str, options: &str) -> TrainSummary {
    fixture.write(name, examples.as_bytes());
    let path = fixture.path(name).display().to_string();
    let options = format!("task = '{task}'\ntrain = {path:?}\nvalidation = {path:?}\ntest = {path:?}\n{options}");
    fixture.run(&format!("run-{task}"), &options).0
}

const ALWAYS: [&str; 8] = ["summary", "figures", "curves", "data", "cost", "recipe", "model", "notes"];

#[test]
fn every_task_has_the_sections_that_apply_and_no_others() {
    let tagged: String = (0..16).map(|number| format!("anna\tB-PER\nis\tO\nin\tO\nfilm\tB-LOC\n{number}\tO\n\n")).collect();
    let plain: String = (0..16).map(|number| format!("the good film {number} was not bad\n")).collect();
    let several = |number: usize| ["[]", "[\"a\"]", "[\"a\", \"b\"]"][number % 3].to_owned();
    let cases: [(&str, &str, String, &[&str]); 10] = [
        (
            "sequence_classification",
            "one.jsonl",
            sixteen(|number| format!("\"label {}\"", number % 3)),
            &["confusion", "classes", "calibration", "errors", "labels"],
        ),
        ("multi_label_classification", "any.jsonl", sixteen(several), &["classes", "calibration", "errors", "labels"]),
        ("sequence_regression", "numbers.jsonl", sixteen(|number| format!("{}.5", number)), &["numbers", "errors", "labels"]),
        ("token_classification", "tags.conll", tagged, &["confusion", "classes", "calibration", "errors", "labels"]),
        ("masked_lm", "plain.txt", plain, &["calibration"]),
        ("question_answering", "questions.jsonl", questions(), &["calibration", "errors"]),
        ("sentence_embedding", "pairs.jsonl", pairs(), &[]),
        ("causal_lm", "completed.jsonl", written("prompt", "completion"), &["errors"]),
        ("summarization", "documents.jsonl", written("document", "summary"), &["samples", "errors"]),
        ("translation", "sources.jsonl", written("source", "target"), &["samples", "errors"]),
    ];
    for (task, name, examples, own) in cases {
        let fixture = Fixture::of_model(model_of(task));
        let summary = run(&fixture, task, name, &examples, options_of(task));
        assert_eq!(summary.report, Some(summary.output.join("report.html")), "{task}");
        let elements = checked(&page(&summary.output));
        let found = sections(&elements);
        let mut expected: Vec<&str> = ALWAYS.iter().chain(own).copied().collect();
        let mut sorted = found.clone();
        expected.sort_unstable();
        sorted.sort_unstable();
        assert_eq!(sorted, expected, "{task}");
        let links: Vec<&str> = elements.iter().filter_map(|element| element.attribute("href")).collect();
        assert_eq!(links.len(), found.len() - 1, "{task}: a link for each section with a heading");
        agrees_with_the_results(&summary, task);
    }
}

/// `report.json` says what the results files say.
fn agrees_with_the_results(summary: &TrainSummary, task: &str) {
    let facts = json(&summary.output.join("report.json"));
    assert_eq!(facts["task"], task);
    let files = [("eval", "validation"), ("test", "test")];
    for (place, (prefix, split)) in files.into_iter().enumerate() {
        let results = json(&summary.output.join(format!("{prefix}_results.json")));
        let evaluation = &facts["evaluations"][place];
        assert_eq!(evaluation["split"], split);
        assert_eq!(evaluation["examples"], results[format!("{prefix}_samples")], "{task}");
        let figures = evaluation["figures"].as_object().expect("figures");
        assert!(figures.len() >= 3, "{task}: {figures:?}");
        for (name, value) in figures {
            assert_eq!(value, &results[format!("{prefix}_{name}")], "{task}: {split} {name}");
        }
        let ends = evaluation["intervals"]["ends"].as_object().expect("intervals");
        assert!(!ends.is_empty(), "{task}");
        for (name, ends) in ends {
            assert_eq!(ends, &results[format!("{prefix}_intervals")][name], "{task}: {split} {name}");
        }
        let headline = evaluation["headline"].as_array().expect("a headline");
        let named = summary.test.as_ref().expect("a test").metrics.headline();
        assert_eq!(headline.len(), named.len(), "{task}: every figure of the headline has its name: {headline:?}");
        if split == "test" {
            for (name, (told, value)) in headline.iter().zip(named) {
                assert_eq!(
                    figures[name.as_str().unwrap()].as_f64().unwrap_or(f64::NAN).to_bits(),
                    value.to_bits(),
                    "{task}: {told}"
                );
            }
            let calibration = &evaluation["examined"]["calibration"]["error"];
            if let Some(error) = results["test_calibration_error"].as_f64() {
                assert!((calibration.as_f64().expect("a calibration") - error).abs() < 1e-6, "{task}: {calibration} {error}");
            }
        }
    }
    let results = json(&summary.output.join("train_results.json"));
    assert_eq!(facts["training"]["train_loss"], results["train_loss"], "{task}");
    assert_eq!(facts["training"]["steps"], results["train_steps"], "{task}");
    assert_eq!(facts["cost"]["tokens"], results["train_tokens"], "{task}");
    assert!(!facts["curves"]["metrics"].as_array().expect("validation figures").is_empty(), "{task}");
    let curve = facts["curves"]["training"].as_array().expect("a curve");
    assert_eq!(curve.len() as u64, summary.steps, "{task}");
    let mean = curve.iter().map(|point| point["loss"].as_f64().unwrap()).sum::<f64>() / curve.len() as f64;
    assert!((mean - summary.train_loss).abs() < 1e-9, "{task}");
}

#[test]
fn a_report_tells_what_decisions_are_made_by() {
    let fixture = Fixture::new();
    let examples = sixteen(|number| ["[]", "[\"a\"]", "[\"a\", \"b\"]"][number % 3].to_owned());
    let summary = run(&fixture, "multi_label_classification", "any.jsonl", &examples, "thresholds = ['a=0.3']");
    let page = page(&summary.output);
    checked(&page);
    assert!(page.contains("thresholds: a 0.300, b 0.500"), "{page}");
}

#[test]
fn texts_and_labels_from_data_stay_texts() {
    let fixture = Fixture::new();
    let labels = ["<script>alert(1)</script>", "a\"b'&<b>", "שלום", "]]></style>"];
    let long = "word ".repeat(30_000);
    let texts = [
        "</td></table></section>",
        "<img src=x onerror=alert(1)>",
        "مرحبا بالعالم 👩‍👩‍👧‍👦 \u{202E}abc",
        "a\u{0}b\u{1b}[31m\u{FFFF}",
        long.as_str(),
    ];
    let rows = (0..40)
        .map(|number| serde_json::json!({ "text": format!("{} {number}", texts[number % 5]), "label": labels[number % 4] }));
    let rows: String = rows.map(|row| format!("{row}\n")).collect();
    let summary = run(&fixture, "sequence_classification", "hostile.jsonl", &rows, "label_smoothing = 0.1\nmax_length = 32");
    let text = page(&summary.output);
    let elements = checked(&text);
    assert!(!text.contains("<script") && !text.contains("<img") && text.len() < 300_000, "{}", text.len());
    for label in &labels[..3] {
        assert!(elements.iter().any(|element| element.name == "bdi" && element.text == *label), "{label}");
    }
    assert!(elements.iter().any(|element| element.text.starts_with("</td></table></section>")));
    let shown = elements.iter().filter(|element| element.attribute("class") == Some("text") && element.name == "div");
    assert!(shown.clone().count() > 3 && shown.clone().all(|element| element.text.chars().count() <= 601));
    assert!(shown.into_iter().all(|element| element.attribute("dir") == Some("auto")));
}

#[test]
fn thousands_of_classes_stay_a_small_page() {
    let fixture = Fixture::new();
    let rows: String = (0..1200).map(|number| format!("the film {number},label number {:04}\n", number % 600)).collect();
    let summary = run(
        &fixture,
        "sequence_classification",
        "many.csv",
        &format!("text,label\n{rows}"),
        "batch_size = 600\nepochs = 1\nresamples = 'none'",
    );
    let text = page(&summary.output);
    let elements = checked(&text);
    assert!(text.len() < 400_000, "{} bytes", text.len());
    let facts = fs::metadata(summary.output.join("report.json")).expect("facts").len();
    assert!(facts < 400_000, "{facts} bytes");
    assert!(elements.iter().any(|element| element.text.contains("600 classes are too many for a matrix")));
}

#[test]
fn the_same_run_has_the_same_report_but_for_what_it_took() {
    let fixture = Fixture::new();
    let options = format!("test = {:?}\noverwrite_output = true", fixture.path("test.csv").display().to_string());
    let [first, again] = [1, 2].map(|threads| {
        let (summary, _) = fixture.run("run", &format!("{options}\nthreads = {threads}"));
        let mut facts = json(&summary.output.join("report.json"));
        facts.as_object_mut().expect("facts").remove("cost");
        let text = page(&summary.output);
        let (before, rest) = text.split_once("<section id=\"cost\">").expect("a section of costs");
        let (_, after) = rest.split_once("</section>").expect("its end");
        // The number of threads is an option, and so in recipe and command.
        let other = |text: &str| text.replace("threads 2", "threads 1");
        (facts["evaluations"].clone(), facts["curves"].clone(), facts["data"].clone(), other(before), after.len())
    });
    assert_eq!(first, again);
}

#[test]
fn a_run_that_was_cut_off_has_the_curves_of_the_whole_one() {
    let fixture = Fixture::new();
    let (whole, _) = fixture.run("whole", "epochs = 3");
    /// Stops a run after its first checkpoint, as Ctrl-C does.
    struct Stopping(std::sync::Arc<std::sync::atomic::AtomicBool>);
    impl Observer for Stopping {
        fn observe(&mut self, event: &Event<'_>) {
            self.0.fetch_or(matches!(event, Event::Saved { .. }), std::sync::atomic::Ordering::Relaxed);
        }
    }
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let recipe = fixture.recipe("cut", "epochs = 3");
    let cut = train(&recipe, &fixture.model(), &mut Stopping(stop.clone()), &stop).expect("a run");
    assert!(cut.stopped.is_some() && cut.steps < whole.steps);
    assert!(page(&cut.output).contains("stopped on request"));
    let (resumed, _) = fixture.run("cut", "epochs = 3\nresume = true\nreport_language = 'zh'");
    let [one, other] = [&whole, &resumed].map(|summary| json(&summary.output.join("report.json")));
    for part in ["curves", "training", "data", "model"] {
        let mut parts = [one[part].clone(), other[part].clone()];
        // How long evaluations took is not among the curves.
        parts.iter_mut().for_each(|part| drop(part.as_object_mut().and_then(|part| part.remove("folder"))));
        assert_eq!(parts[0], parts[1], "{part}");
    }
    assert_eq!(other["language"], "zh");
}

/// Words that a Chinese report has in common with an English one.
const SHARED: [&str; 23] = [
    "ROUGE",
    "Lsum",
    "BLEU",
    "TER",
    "chrF",
    "chrf",
    "distinct",
    "F",
    "ROC",
    "AUC",
    "R",
    "Graftling",
    "run",
    "UTC",
    "negative",
    "positive",
    "text",
    "en",
    "zh",
    "tokens",
    "label",
    "F1",
    "graftling",
];

#[test]
fn a_chinese_report_has_no_english_heading() {
    let several = sixteen(|number| ["[]", "[\"label\"]", "[\"label\", \"text\"]"][number % 3].to_owned());
    let numbers = sixteen(|number| format!("{number}.5"));
    let tagged: String = (0..16).map(|_| "anna\tB-label\nis\tO\nin\tO\nfilm\tO\n\n").collect();
    let cases = [
        ("sequence_classification", "one.jsonl", sixteen(|number| format!("\"{}\"", ["positive", "negative"][number % 2]))),
        ("multi_label_classification", "any.jsonl", several),
        ("sequence_regression", "numbers.jsonl", numbers),
        ("token_classification", "tags.conll", tagged),
        ("masked_lm", "plain.txt", "the good film was not bad\n".repeat(16)),
        ("question_answering", "questions.jsonl", questions()),
        ("causal_lm", "completed.jsonl", written("prompt", "completion")),
        ("summarization", "documents.jsonl", written("document", "summary")),
        ("translation", "sources.jsonl", written("source", "target")),
    ];
    for (task, name, examples) in cases {
        let fixture = Fixture::of_model(model_of(task));
        let metric = if options_of(task).is_empty() { "" } else { "metric_for_best_model = 'METRIC'\n" };
        let metric = metric.replace("METRIC", if task == "summarization" { "rougeL" } else { "chrf" });
        let options = format!("report_language = 'zh'\n{}{metric}", options_of(task));
        let summary = run(&fixture, task, name, &examples, &options);
        let elements = checked(&page(&summary.output));
        let html = elements.last().expect("a page");
        assert_eq!((html.name.as_str(), html.attribute("lang")), ("html", Some("zh-CN")));
        let headings = ["title", "h1", "h2", "h3", "th", "figcaption", "a"];
        for element in &elements {
            let is_heading = headings.contains(&element.name.as_str()) || element.name == "text" || element.name == "p";
            let is_data = element.within.iter().any(|outer| ["ul", "pre"].contains(&outer.as_str()))
                || element.text.contains(name)
                || element.text.contains(": nrefs:");
            if !is_heading || is_data || element.text.contains(task) {
                continue;
            }
            for word in element.text.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| word.len() > 1) {
                let known = SHARED.contains(&word) || word == "classification" || task.contains(word);
                assert!(known, "{task}: <{}> has the word {word:?}: {}", element.name, element.text);
            }
        }
    }
}

#[test]
fn a_report_is_chinese_where_the_texts_are() {
    let fixture = Fixture::new();
    let rows: String = (0..16).map(|number| format!("这部电影真的{}看 {number},{number}\n", ["好", "难"][number % 2])).collect();
    let rows = rows.replace(",1", ",好评").replace(",0", ",差评");
    let rows: String = rows
        .lines()
        .map(|line| format!("{},{}\n", line.split(',').next().unwrap(), if line.contains("好看") { "好评" } else { "差评" }))
        .collect();
    let summary = run(&fixture, "sequence_classification", "zh.csv", &format!("text,label\n{rows}"), "");
    let elements = checked(&page(&summary.output));
    assert!(elements.iter().any(|element| element.name == "h2" && element.text == "学习曲线"));
    assert!(elements.iter().any(|element| element.name == "text" && element.text == "好评"));
}

fn again(run: &Path) -> ReportRequest {
    ReportRequest { run: run.to_owned(), data: None, format: None, columns: Columns::default(), language: None, threads: None }
}

#[test]
fn a_report_is_made_anew_in_another_language_and_with_other_data() {
    let fixture = Fixture::new();
    let (summary, _) = fixture.run("run", "");
    let run = &summary.output;
    let before = page(run);
    report(&again(run), &mut NoObserver).expect("a report");
    assert_eq!(page(run), before, "nothing else was asked for");
    let path = report(&ReportRequest { language: Some(ReportLanguage::Zh), ..again(run) }, &mut NoObserver).expect("a report");
    assert_eq!(path, run.join("report.html"));
    assert!(checked(&page(run)).iter().any(|element| element.text == "学习曲线"));
    for _ in 0..2 {
        let data = Some(fixture.path("test.csv"));
        let request = ReportRequest { data, language: Some(ReportLanguage::En), ..again(run) };
        report(&request, &mut NoObserver).expect("a report");
        let facts = json(&run.join("report.json"));
        let splits: Vec<&Value> = facts["evaluations"].as_array().unwrap().iter().map(|it| &it["split"]).collect();
        assert_eq!(splits, ["validation", "evaluation"]);
        assert!(facts["evaluations"][0]["examined"].is_null() && facts["evaluations"][1]["examined"].is_object());
        let elements = checked(&page(run));
        assert!(elements.iter().any(|element| element.name == "figcaption" && element.text.starts_with("evaluation split")));
    }
}

#[test]
fn every_figure_of_every_split_is_shown_and_facts_that_do_not_fit_together_break_nothing() {
    let fixture = Fixture::new();
    let labels = sixteen(|number| format!("\"label {}\"", number % 3));
    let run = run(&fixture, "sequence_classification", "one.jsonl", &labels, "").output;
    let mut facts = json(&run.join("report.json"));
    let test = &mut facts["evaluations"][1];
    test["figures"]["of_the_test_alone"] = 0.5.into();
    test["examined"]["wrong"] = 7.into();
    test["examined"]["hardest"] = Value::Array(Vec::new());
    test["examined"]["confusion"]["cells"] = serde_json::json!([[0, 0, 3], [9, 1, 2], [1, 9, 2]]);
    fs::write(run.join("report.json"), facts.to_string()).expect("other facts");
    report(&again(&run), &mut NoObserver).expect("a report");
    let page = page(&run);
    checked(&page);
    assert!(page.contains("of_the_test_alone"));
}

#[test]
fn texts_that_are_cut_are_a_share_of_the_texts_and_not_of_the_examples() {
    let fixture = Fixture::new();
    let run = run(&fixture, "sentence_embedding", "pairs.jsonl", &pairs(), "max_length = 3").output;
    let facts = json(&run.join("report.json"));
    assert_eq!((&facts["data"][0]["examples"], &facts["data"][0]["truncated_texts"]), (&16.into(), &32.into()));
    assert!(page(&run).contains("32 (100.0 %)"));
}

#[test]
fn what_is_no_run_has_no_report_to_make_anew() {
    let fixture = Fixture::new();
    let refused = report(&again(&fixture.model()), &mut NoObserver).unwrap_err().to_string();
    assert!(
        refused.ends_with("has no report.json; a run that is complete leaves one: give the folder of such a run"),
        "{refused}"
    );
    fixture.write("model/report.json", b"{\"language\": \"fr\"}");
    let refused = report(&again(&fixture.model()), &mut NoObserver).unwrap_err().to_string();
    assert!(
        refused.contains("report.json: not the facts of a report of this version (language \"fr\" is not one of en, zh"),
        "{refused}"
    );
}

#[test]
fn a_report_that_cannot_be_written_loses_no_model() {
    let fixture = Fixture::new();
    /// Puts something in the way of the report while the run goes on.
    struct Hindering(std::path::PathBuf, Collected);
    impl Observer for Hindering {
        fn observe(&mut self, event: &Event<'_>) {
            if matches!(event, Event::Saved { .. }) {
                fs::create_dir_all(self.0.join("report.html/in the way")).expect("a folder");
            }
            self.1.observe(event);
        }
    }
    let recipe = fixture.recipe("run", "");
    let mut observer = Hindering(fixture.path("run"), Collected::default());
    let summary = train(&recipe, &fixture.model(), &mut observer, &false.into()).expect("a run");
    assert_eq!(summary.report, None);
    let told = observer.1.notices.last().expect("a notice");
    assert!(told.starts_with("there is no report: ") && told.ends_with("the run is complete without it"), "{told}");
    assert!(summary.output.join("model.safetensors").is_file() && summary.output.join("all_results.json").is_file());
}
