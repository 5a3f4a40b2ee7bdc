//! Vectors of texts: learnt from pairs and triplets, measured, saved as sentence-transformers has them, and compared.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use graftling::metrics::{EmbeddingFigures, EmbeddingMetrics, Metrics};
use graftling::recipe::RecipeFile;
use graftling::{
    BareEncoder, Columns, CompareRequest, Error, EvaluateRequest, Evaluation, Event, NoObserver, Observer, Pooling, Predictor,
    Recipe, Said, TextInput, compare, evaluate, train,
};

use crate::fixture::{Fixture, json, names, weights};

const FIRST: [&str; 4] = ["good", "bad", "great", "dull"];
const SECOND: [&str; 4] = ["movie", "film", "story", "not"];

fn text(one: usize, two: usize) -> String {
    format!("the {} was {}", SECOND[two % 4], FIRST[one % 4])
}

/// The other way to say each of sixteen texts.
fn other(one: usize, two: usize) -> String {
    format!("{} again and {}", FIRST[one % 4], SECOND[two % 4])
}

/// Sixteen examples, each a line of JSON that `line` makes of the places of two words.
fn sixteen(line: impl Fn(usize, usize) -> String) -> String {
    (0..16).map(|number| line(number / 4, number % 4) + "\n").collect()
}

fn pairs() -> String {
    sixteen(|one, two| format!("{{\"anchor\": {:?}, \"positive\": {:?}}}", text(one, two), other(one, two)))
}

fn triplets() -> String {
    sixteen(|one, two| {
        let (anchor, positive, negative) = (text(one, two), other(one, two), other(one + 1, two));
        format!("{{\"anchor\": {anchor:?}, \"positive\": {positive:?}, \"negative\": {negative:?}}}")
    })
}

fn scored() -> String {
    sixteen(|one, two| {
        let score = [1.0, 0.25, 0.5, 0.0][(one + two) % 4];
        format!("{{\"sentence1\": {:?}, \"sentence2\": {:?}, \"score\": {score}}}", text(one, two), other(two, one))
    })
}

fn decided() -> String {
    sixteen(|one, two| {
        let (first, second) = (text(one, two), other(one + two % 2, two));
        format!("{{\"sentence1\": {first:?}, \"sentence2\": {second:?}, \"label\": {}}}", (two + 1) % 2)
    })
}

/// The options of a run over these examples, which are validated on, too.
fn options(fixture: &Fixture, name: &str, examples: &str, options: &str) -> String {
    fixture.write(name, examples.as_bytes());
    let path = fixture.path(name).display().to_string();
    format!("task = 'sentence_embedding'\ntrain = {path:?}\nvalidation = {path:?}\ndropout = 0.0\nwarmup = 0\n{options}")
}

fn request(run: &Path, data: &Path) -> EvaluateRequest {
    EvaluateRequest { with_predictions: true, ..EvaluateRequest::new(run, data) }
}

fn embeddings(evaluation: &Evaluation) -> &EmbeddingMetrics {
    match &evaluation.metrics {
        Metrics::Embeddings(metrics) => metrics,
        other => panic!("{other:?}"),
    }
}

/// The figure that counts.
fn worth(metrics: &EmbeddingMetrics) -> f64 {
    match metrics.figures {
        EmbeddingFigures::Scored { spearman, .. } => spearman[0].unwrap_or(0.0),
        EmbeddingFigures::Decided(figures) => figures.accuracy,
        EmbeddingFigures::Triplets { accuracy } => accuracy[0],
        EmbeddingFigures::Search(figures) => figures.accuracy_at_1,
    }
}

#[test]
fn sixteen_examples_of_every_form_are_learnt_by_every_loss() {
    let fixture = Fixture::new();
    let cases = [
        ("pairs", pairs(), "batch_size = 16", "accuracy"),
        ("triplets", triplets(), "batch_size = 16", "accuracy"),
        ("margin", triplets(), "embedding_loss = 'triplet'", "accuracy"),
        ("angle", triplets(), "embedding_loss = 'triplet'\ntriplet_distance = 'cosine'\nnormalize = true", "accuracy"),
        ("cosent", scored(), "batch_size = 16", "spearman"),
        ("cosine", scored(), "embedding_loss = 'cosine_similarity'\npooling = 'cls'", "spearman"),
        ("decided", decided(), "pooling = 'max'", "average_precision"),
    ];
    for (name, examples, further, metric) in cases {
        let options = options(&fixture, &format!("{name}.jsonl"), &examples, &format!("epochs = 60\n{further}"));
        let (summary, _) = fixture.run(name, &options);
        let validation = summary.validation.as_ref().expect("a validation");
        let metrics = embeddings(validation);
        assert!(worth(metrics) > 0.93, "{name}: {metrics:?}");
        assert_eq!(json(&summary.output.join("trainer_state.json"))["metric_for_best_model"], metric, "{name}");
        let again = evaluate(&request(&summary.output, &fixture.path(&format!("{name}.jsonl"))), &mut NoObserver);
        let again = again.expect("an evaluation");
        assert_eq!(again.metrics, validation.metrics, "{name}");
        assert_eq!(again.predictions.map(|all| all.len()), Some(16), "{name}");
    }
}

#[test]
fn figures_of_every_form_have_intervals_and_runs_are_compared_by_them() {
    let fixture = Fixture::new();
    let cases = [
        ("pairs", pairs(), vec!["cosine_accuracy@1", "cosine_accuracy@3", "cosine_accuracy@10", "cosine_mrr@10"], true),
        ("triplets", triplets(), vec!["cosine_accuracy"], true),
        ("scored", scored(), vec!["spearman_cosine", "pearson_cosine"], false),
        ("decided", decided(), vec!["cosine_ap", "cosine_f1", "cosine_accuracy"], false),
    ];
    for (name, examples, keys, is_right_or_wrong) in cases {
        let run = |output: &str, further: &str| {
            let options = options(&fixture, &format!("{name}.jsonl"), &examples, &format!("batch_size = 16\n{further}"));
            fixture.run(&format!("{name}-{output}"), &options).0
        };
        let (poor, good) = (run("poor", "learning_rate = 1e-9\nepochs = 1"), run("good", "epochs = 60"));
        let intervals = good.validation.as_ref().and_then(|it| it.intervals.clone()).expect("intervals");
        assert_eq!(intervals.figures.iter().map(|it| it.name.key).collect::<Vec<_>>(), keys, "{name}");
        let data = Some(fixture.path(&format!("{name}.jsonl")));
        let request = CompareRequest {
            runs: vec![poor.output.clone(), good.output.clone()],
            data,
            format: None,
            columns: Columns::default(),
            threads: None,
            resamples: 200,
        };
        let comparison = compare(&request, &mut NoObserver).expect("a comparison");
        let flat = good.validation.expect("a validation").metrics.flat("eval");
        let contrast = &comparison.contrasts[0];
        assert_eq!(contrast.differences.iter().map(|it| it.name.key).collect::<Vec<_>>(), keys, "{name}");
        assert_eq!(contrast.mcnemar.is_some(), is_right_or_wrong, "{name}");
        for difference in &contrast.differences {
            assert_eq!(
                flat[&format!("eval_{}", difference.name.key)].as_f64(),
                Some(difference.second),
                "{name}: {difference:?}"
            );
            assert!(difference.low <= difference.value && difference.value <= difference.high, "{name}: {difference:?}");
        }
        let first = &contrast.differences[0];
        assert!(first.value > 0.0 && first.low > 0.0 && first.p_value < 0.05, "{name}: {first:?}");
    }
}

#[test]
fn a_run_is_a_folder_of_sentence_transformers_and_gives_vectors_and_cosines() {
    let fixture = Fixture::new();
    let options = options(&fixture, "pairs.jsonl", &pairs(), "epochs = 2\nnormalize = true\nmax_length = 12");
    let (summary, events) = fixture.run("run", &options);
    assert!(events.notices.iter().any(|notice| notice.starts_with("pooling mean: the model has no modules.json")), "{events:?}");
    let run = &summary.output;
    let there = names(run);
    for name in ["1_Pooling", "2_Normalize", "modules.json", "sentence_bert_config.json", "config_sentence_transformers.json"] {
        assert!(there.iter().any(|found| found == name), "{name}: {there:?}");
    }
    assert_eq!(json(&run.join("1_Pooling/config.json"))["pooling_mode_mean_tokens"], true);
    assert_eq!(json(&run.join("sentence_bert_config.json"))["max_seq_length"], 12);
    assert_eq!(json(&run.join("config.json"))["architectures"][0], "BertModel");
    assert!(weights(run).iter().all(|(name, _)| !name.starts_with("bert.")), "bare names");
    let card = fs::read_to_string(run.join("README.md")).expect("a card");
    assert!(card.contains("pipeline_tag: sentence-similarity") && card.contains("SentenceTransformer(\"FOLDER\")"), "{card}");

    let predictor = Predictor::load(run).expect("a predictor");
    let input = |text, pair| TextInput { text, pair };
    let inputs = [input("the movie was good", None), input("the film was bad", None)];
    let vectors: Vec<Vec<f32>> = predictor.predict(&inputs).expect("vectors").into_iter().map(|it| vector(it.said)).collect();
    let dot: f32 = vectors[0].iter().zip(&vectors[1]).map(|(one, other)| one * other).sum();
    let length: f32 = vectors[0].iter().map(|value| value * value).sum();
    assert!((length - 1.0).abs() < 1e-5, "{length}");
    let pair = predictor.predict(&[input("the movie was good", Some("the film was bad"))]).expect("a cosine").remove(0);
    let Said::Similarity { similarity } = pair.said else { panic!("{pair:?}") };
    assert!((similarity - dot).abs() < 1e-5, "{similarity} {dot}");

    // The run is a model to start from, with what its folder says.
    let further = format!("model = {:?}\nepochs = 1", run.display().to_string());
    let recipe = fixture.recipe("further", &self::options(&fixture, "pairs.jsonl", &pairs(), &further));
    let summary = train(&recipe, run, &mut NoObserver, &AtomicBool::new(false)).expect("a run");
    assert_eq!(json(&summary.output.join("sentence_bert_config.json"))["max_seq_length"], 12);
    assert!(summary.output.join("2_Normalize").is_dir());
}

#[test]
fn a_default_prompt_stands_before_every_text_in_training_and_after() {
    let fixture = Fixture::new();
    let prompts = |name: &str| format!(r#"{{"prompts": {{"query": "the movie was "}}, "default_prompt_name": {name}}}"#);
    fixture.write("model/config_sentence_transformers.json", prompts("\"query\"").as_bytes());
    let (summary, collected) = fixture.run("run", &options(&fixture, "pairs.jsonl", &pairs(), "epochs = 1"));
    assert!(collected.notices.iter().any(|notice| notice.starts_with("\"the movie was \" is put before every text")));
    let run = summary.output;
    assert_eq!(json(&run.join("config_sentence_transformers.json"))["default_prompt_name"], "query");
    let again = evaluate(&request(&run, &fixture.path("pairs.jsonl")), &mut NoObserver).expect("an evaluation");
    assert_eq!(Some(again.metrics), summary.validation.map(|validation| validation.metrics));
    let said = |text: &str| {
        let predictor = Predictor::load(&run).expect("a predictor");
        vector(predictor.predict(&[TextInput { text, pair: None }]).expect("a vector").remove(0).said)
    };
    let prompted = said("good");
    fs::write(run.join("config_sentence_transformers.json"), prompts("null")).expect("no prompt");
    assert_eq!(said("the movie was good"), prompted);
    assert_ne!(said("good"), prompted);
}

fn vector(said: Said) -> Vec<f32> {
    match said {
        Said::Embedding { embedding } => embedding,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_step_does_not_depend_on_threads_or_on_how_it_is_cut() {
    let fixture = Fixture::new();
    for (name, examples, loss) in [
        ("pairs", pairs(), "multiple_negatives"),
        ("triplets", triplets(), "multiple_negatives"),
        ("scored", scored(), "cosent"),
        ("cosine", scored(), "cosine_similarity"),
        ("margin", triplets(), "triplet"),
    ] {
        let run = |output: &str, further: &str| {
            let further = format!("epochs = 3\nembedding_loss = '{loss}'\nbatch_size = 16\n{further}");
            let own = options(&fixture, &format!("{name}.jsonl"), &examples, &further);
            let (summary, events) = fixture.run(&format!("{name}-{output}"), &own);
            (weights(&summary.output), events.losses)
        };
        let one = run("one", "threads = 1");
        assert!(one == run("two", "threads = 2"), "{name}: one thread and two");
        let (_, losses) = run("cut", "micro_batch_tokens = 40\nthreads = 2");
        for (whole, cut) in one.1.iter().zip(&losses) {
            assert!((whole - cut).abs() < 1e-5 * whole.abs().max(1.0), "{name}: {whole} {cut}");
        }
        assert!(one.0 == run("again", "").0, "{name}: the same bytes");
    }
}

#[test]
fn the_gradient_of_a_cut_step_is_that_of_the_whole() {
    // Plain descent moves each parameter by its gradient.
    let fixture = Fixture::new();
    for (name, examples, loss) in [
        ("pairs", pairs(), "multiple_negatives"),
        ("triplets", triplets(), "multiple_negatives"),
        ("scored", scored(), "cosent"),
        ("cosine", scored(), "cosine_similarity"),
        ("decided", decided(), "contrastive"),
        ("margin", triplets(), "triplet"),
    ] {
        let run = |output: &str, further: &str| {
            let further = format!(
                "epochs = 1\noptimizer = 'gradient_descent'\nlearning_rate = 1.0\nmax_grad_norm = 'none'\nbatch_size = 16\n{further}"
            );
            let further = format!("embedding_loss = '{loss}'\n{further}");
            let own = options(&fixture, &format!("{name}.jsonl"), &examples, &further);
            weights(&fixture.run(&format!("{name}-{output}"), &own).0.output)
        };
        let (whole, cut) = (run("whole", ""), run("cut", "micro_batch_tokens = 30"));
        let pairs = whole.iter().zip(&cut).flat_map(|(one, cut)| one.1.iter().zip(&cut.1));
        let farthest = pairs.map(|(one, cut)| (one - cut).abs()).fold(0.0, f32::max);
        assert!(farthest < 1e-6, "{name}: {farthest}");
    }
}

/// Cuts a run off after a step.
struct CutAfter<'a>(u64, &'a AtomicBool);

impl Observer for CutAfter<'_> {
    fn observe(&mut self, event: &Event<'_>) {
        if matches!(event, Event::Stepped { step, .. } if *step == self.0) {
            self.1.store(true, Ordering::Relaxed);
        }
    }
}

#[test]
fn a_resumed_run_equals_the_unbroken_run() {
    let fixture = Fixture::new();
    let options = options(&fixture, "pairs.jsonl", &pairs(), "epochs = 3\nmicro_batch_tokens = 40\nmax_length = 12");
    let options = options.replace("dropout = 0.0", "dropout = 0.1");
    let (unbroken, _) = fixture.run("whole", &options);
    for after in 1..unbroken.planned_steps {
        let output = format!("cut-{after}");
        let stop = AtomicBool::new(false);
        train(&fixture.recipe(&output, &options), &fixture.model(), &mut CutAfter(after, &stop), &stop).expect("a run cut off");
        let (resumed, _) = fixture.run(&output, &format!("{options}\nresume = true"));
        for file in ["model.safetensors", "optimizer.safetensors", "1_Pooling/config.json"] {
            let read = |folder: &Path| fs::read(folder.join(file)).expect("a file");
            assert!(read(&resumed.last_checkpoint) == read(&unbroken.last_checkpoint), "{output}: {file}");
        }
        assert_eq!(resumed.validation.map(|it| it.metrics), unbroken.validation.clone().map(|it| it.metrics), "{output}");
    }
}

#[test]
fn long_texts_are_the_mean_of_their_windows_by_tokens() {
    let fixture = Fixture::new();
    let long = "the movie was good and the film was bad and the story was great";
    let examples = format!("{}{{\"anchor\": {long:?}, \"positive\": \"good and bad\"}}\n", pairs());
    let further = "epochs = 1\nmax_length = 8\nlong_texts = 'windows'\nwindow_stride = 0";
    let (summary, events) = fixture.run("windows", &options(&fixture, "long.jsonl", &examples, further));
    assert!(events.notices.iter().any(|notice| notice.contains("read in")), "{:?}", events.notices);
    assert_eq!(summary.train_examples, 17);
    let again = evaluate(&request(&summary.output, &fixture.path("long.jsonl")), &mut NoObserver).expect("an evaluation");
    assert_eq!(Some(again.metrics), summary.validation.map(|it| it.metrics));
    let predictor = Predictor::load(&summary.output).expect("a predictor");
    let of = |text: &str| predictor.predict(&[TextInput { text, pair: None }]).expect("a vector").remove(0);
    // 14 words in windows of six, each with two special tokens.
    let parts = ["the movie was good and the", "film was bad and the story", "was great"].map(of);
    let whole = of(long);
    assert_eq!(whole.tokens, 20);
    let (parts, whole): (Vec<Vec<f32>>, Vec<f32>) = (parts.map(|it| vector(it.said)).to_vec(), vector(whole.said));
    for (place, value) in whole.iter().enumerate() {
        let expected = (8.0 * parts[0][place] + 8.0 * parts[1][place] + 4.0 * parts[2][place]) / 20.0;
        assert!((value - expected).abs() < 1e-5, "{place}: {value} {expected}");
    }
}

#[test]
fn what_cannot_be_is_refused_with_what_would_be_accepted() {
    let fixture = Fixture::new();
    let refused = |name: &str, examples: &str, further: &str| -> String {
        let own = options(&fixture, name, examples, further);
        fixture.train(&fixture.recipe("refused", &own)).map(|_| ()).expect_err("an error").to_string()
    };
    let told = refused("a.jsonl", &pairs(), "embedding_loss = 'cosent'");
    assert!(told.contains("embedding_loss cosent wants pairs with scores, but these are pairs without scores"), "{told}");
    let told = refused("a.jsonl", &pairs(), "embedding_margin = 0.2\ngradient_accumulation = 2");
    assert!(told.contains("embedding_margin does not go with the loss multiple_negatives"), "{told}");
    assert!(told.contains("gradient_accumulation does not go with"), "{told}");
    let told = refused("a.jsonl", &scored().replace("0.25", "2.5"), "embedding_loss = 'cosine_similarity'");
    assert!(told.contains("a.jsonl:2: score 2.5 is not between -1 and 1"), "{told}");
    fixture.write("other.jsonl", scored().as_bytes());
    let path = fixture.path("other.jsonl").display().to_string();
    let told = refused("a.jsonl", &pairs(), &format!("test = {path:?}"));
    assert!(told.contains("other.jsonl:1: pairs with scores, but the training file has pairs without scores"), "{told}");
    let told = refused("a.jsonl", &pairs(), "metric_for_best_model = 'spearman'");
    assert!(told.contains("accepted: auto, accuracy, mrr, loss"), "{told}");

    let recipe = |further: &str| {
        let text = format!("model = 'm'\ntrain = 't.csv'\noutput = 'o'\n{further}");
        Recipe::check(RecipeFile::from_toml(&text).expect("TOML")).expect_err("errors").to_string()
    };
    for (further, told) in [
        ("pooling = 'mean'", "it belongs to sentence_embedding"),
        ("normalize = true", "it belongs to sentence_embedding"),
        ("task = 'sentence_embedding'\nlabel_smoothing = 0.1", "it belongs to tasks with labels"),
        ("task = 'sentence_embedding'\nstrategy = 'head_only'", "pooling has no parameters"),
        (
            "task = 'sentence_embedding'\nembedding_loss = 'triplet'\nembedding_scale = 10",
            "the losses cosent and multiple_negatives",
        ),
        ("task = 'sentence_embedding'\nembedding_loss = 'cosent'\ngradient_accumulation = 2", "compares all examples of a step"),
        ("task = 'sentence_embedding'\nembedding_loss = 'cosent'\nbatch_size = 1", "an example alone has nothing"),
        ("task = 'sentence_embedding'\nlong_texts = 'windows'\nwindow_pooling = 'max'", "each as often as it has tokens"),
    ] {
        assert!(recipe(further).contains(told), "{further}: {}", recipe(further));
    }
}

#[test]
fn an_encoder_without_a_head_gives_vectors_where_pooling_is_named() {
    let fixture = Fixture::new();
    let options = options(&fixture, "pairs.jsonl", &pairs(), "epochs = 1");
    let (summary, _) = fixture.run("run", &options);
    let encoder = BareEncoder { pooling: Pooling::Mean, normalize: false };
    let known = Predictor::load_encoder(&summary.output, encoder).err().expect("an error");
    assert!(matches!(known, Error::PoolingIsKnown { .. }), "{known}");
    let of = |predictor: Predictor| {
        vector(predictor.predict(&[TextInput { text: "the movie", pair: None }]).expect("a vector").remove(0).said)
    };
    let expected = of(Predictor::load(&summary.output).expect("a predictor"));
    fs::remove_file(summary.output.join("modules.json")).expect("a file less");
    let unknown = Predictor::load(&summary.output).err().expect("an error").to_string();
    assert!(unknown.contains("BertModel is an encoder without a head") && unknown.contains("mean, cls or max"), "{unknown}");
    assert_eq!(of(Predictor::load_encoder(&summary.output, encoder).expect("a predictor")), expected);
    fs::write(summary.output.join("modules.json"), MODULES_WITH_DENSE).expect("a file");
    let refused = Predictor::load(&summary.output).err().expect("an error").to_string();
    assert!(refused.contains("models.Dense") && refused.contains("Transformer, Pooling, and then Normalize"), "{refused}");
}

const MODULES_WITH_DENSE: &str = r#"[
  {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
  {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
  {"idx": 2, "name": "2", "path": "2_Dense", "type": "sentence_transformers.models.Dense"}
]"#;
