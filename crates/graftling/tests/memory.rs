//! Language models whose vocabulary is large beside everything else: neither training nor an evaluation nor a prediction holds the logits of all
//! tokens, `[tokens, vocabulary]`. One test alone, for the memory of all threads is counted.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use graftling::metrics::Metrics;
use graftling::recipe::RecipeFile;
use graftling::{EvaluateRequest, NoObserver, Predictor, Recipe, Said, TextInput, evaluate, train};
use graftling_models::{Head, Model};
use peak_alloc::PeakAlloc;
use serde_json::{Value, json};
use tempfile::TempDir;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const VOCABULARY: usize = 50_000;
/// How many tokens one forward pass has: that of an evaluation takes no more.
const TOKENS: usize = 2048;
const WORDS_A_TEXT: usize = 500;
const TEXTS: usize = 4;
/// What the logits of a pass would take.
const ALL_LOGITS: usize = TOKENS * VOCABULARY * 4;
/// What may be taken: the logits of a block of 256 tokens are an eighth; the vocabulary with its tokenizer and a weight of 32 values a word with
/// its gradients and the optimizer's moments are no more together.
const ALLOWED: usize = ALL_LOGITS / 3;

/// A tiny model of the fixtures that knows more words, with weights that are drawn.
struct Widened {
    folder: TempDir,
}

impl Widened {
    fn new(name: &str, head: Head) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../graftling-models/tests/golden");
        let read = |name: &str, file: &str| -> Value {
            let text = fs::read_to_string(models.join(name).join("model").join(file)).expect("a file of a tiny model");
            serde_json::from_str(&text).expect("JSON")
        };
        let mut config = read(name, "config.json");
        let longest = WORDS_A_TEXT + 8;
        for (key, value) in [
            ("vocab_size", json!(VOCABULARY)),
            ("max_position_embeddings", json!(longest)),
            ("bos_token_id", json!(0)),
            ("eos_token_id", json!(2)),
        ] {
            config[key] = value;
        }
        let mut tokenizer = read("tiny-bart", "tokenizer.json");
        let vocabulary = tokenizer["model"]["vocab"].as_object_mut().expect("words");
        for id in vocabulary.len()..VOCABULARY - 1 {
            vocabulary.insert(word(id), json!(id));
        }
        vocabulary.insert("[MASK]".into(), json!(VOCABULARY - 1));
        let mask = json!({
            "id": VOCABULARY - 1, "content": "[MASK]", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false,
            "special": true,
        });
        tokenizer["added_tokens"].as_array_mut().expect("tokens").push(mask);
        let mut settings = read("tiny-bart", "tokenizer_config.json");
        settings["mask_token"] = json!("[MASK]");
        settings["model_max_length"] = json!(longest);
        for (file, value) in [("config.json", config), ("tokenizer.json", tokenizer), ("tokenizer_config.json", settings)] {
            fs::write(folder.path().join(file), value.to_string()).expect("a file of a model");
        }
        let (model, _) = Model::from_config(folder.path(), head, 1).expect("a model");
        model.save(folder.path()).expect("a checkpoint");
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

fn word(id: usize) -> String {
    format!("w{id}")
}

/// A text of words from all over the vocabulary.
fn text(seed: usize) -> String {
    let words = (0..WORDS_A_TEXT).map(|place| word(100 + (seed * 7919 + place * 104_729) % (VOCABULARY - 200)));
    words.collect::<Vec<_>>().join(" ")
}

/// What `work` takes at most beyond what there was before.
fn peak<T>(work: impl FnOnce() -> T) -> (usize, T) {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let done = work();
    (MEMORY.peak_usage().saturating_sub(before), done)
}

#[test]
fn logits_of_all_tokens_are_never_held_at_once() {
    let cases = [
        ("tiny-llama", Head::CausalLanguageModelling, "causal_lm", "texts.txt", ""),
        ("tiny-bart", Head::SequenceToSequence, "summarization", "pairs.jsonl", "max_target_length = 504\nmax_new_tokens = 2\n"),
        ("tiny-bert", Head::MaskedLanguageModelling, "masked_lm", "texts.txt", "mask_probability = 0.98\n"),
    ];
    for (model, head, task, file, more) in cases {
        let widened = Widened::new(model, head);
        let texts: Vec<String> = (0..TEXTS).map(text).collect();
        fs::write(widened.path("texts.txt"), texts.join("\n")).expect("texts");
        let pairs = texts.iter().map(|text| json!({"document": "the film was good", "summary": text}).to_string());
        fs::write(widened.path("pairs.jsonl"), pairs.collect::<Vec<_>>().join("\n")).expect("pairs");
        let [path, folder, run] = [file, "", "run"].map(|name| widened.path(name).display().to_string());
        let options = format!(
            "task = '{task}'\nmodel = {folder:?}\ntrain = {path:?}\nvalidation = {path:?}\noutput = {run:?}\nepochs = 1\n\
             batch_size = {TEXTS}\nmicro_batch_tokens = {}\nmax_length = {}\n{more}",
            2 * TOKENS,
            WORDS_A_TEXT + 8,
        );
        let recipe = Recipe::check(RecipeFile::from_toml(&options).expect("options")).expect("a recipe");
        let train = || train(&recipe, widened.folder.path(), &mut NoObserver, &AtomicBool::new(false)).expect("a run");
        let (taken, summary) = peak(train);
        assert!(taken < ALLOWED, "{task} takes {taken} bytes to train, {ALLOWED} are allowed");
        let request = EvaluateRequest::new(summary.output.clone(), widened.path(file));
        let (taken, evaluation) = peak(|| evaluate(&request, &mut NoObserver).expect("an evaluation"));
        let tokens = match &evaluation.metrics {
            Metrics::Language(metrics) => metrics.tokens,
            Metrics::Written(metrics) => metrics.tokens.tokens,
            other => panic!("{other:?}"),
        };
        assert!(tokens as usize > TOKENS * 9 / 10, "{task}: {tokens} tokens are foreseen");
        assert!(taken < ALLOWED, "{task} takes {taken} bytes to evaluate, {ALLOWED} are allowed");
        if task == "masked_lm" {
            let masks = vec!["[MASK]"; WORDS_A_TEXT].join(" ");
            let inputs = [TextInput { text: &masks, pair: None }; TEXTS];
            let predictor = Predictor::load(&summary.output).expect("a predictor");
            let (taken, predictions) = peak(|| predictor.predict(&inputs).expect("predictions"));
            assert!(taken < ALLOWED, "{task} takes {taken} bytes to predict, {ALLOWED} are allowed");
            let guessed = |said: &Said| matches!(said, Said::Masks { masks } if masks.len() == WORDS_A_TEXT);
            assert!(predictions.iter().all(|prediction| guessed(&prediction.said)));
        }
    }
}
