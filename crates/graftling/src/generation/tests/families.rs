//! What transformers writes with the tiny model of every family that writes, the same with its cache and without
//! (`tools/reference/generation_by_family.py`); and what is written where the whole text is read again at every step.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use graftling_models::{Model, PackedBatch, Past};
use graftling_tensor::{Graph, PackedWeights, Spans};
use graftling_text::Tokenizer;
use serde_json::{Value, json};

use super::super::draw::highest;
use super::super::processors::{View, log_softmax, process, softmax};
use super::super::request::{Call, Prompt, Reading, Request};
use super::super::settings::Settings;
use super::super::text_stream::{Spelling, Standing};
use super::super::{BatchLimits, Continuation, FolderDefaults, Generation, GenerationOptions, Piece, Writer};
use super::{PROBABILITY_TOLERANCE, SCORE_TOLERANCE, config_file, unpacked};
use crate::Error;

/// A student of Marian, which transformers does not know (`tools/reference/marian_ssru.py`).
pub(super) const STUDENT: &str = "marian-ssru";
/// How many new tokens the reference writes, and how many it draws before a distribution.
const NEW_TOKENS: usize = 16;
const TOKENS_TO_DRAW: usize = 9;

pub(super) fn models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../graftling-models/tests/golden")
}

/// The folder of a family's tiny model that writes, if it has one.
fn folder(family: &str) -> Option<PathBuf> {
    let heads = ["causal", "seq2seq"].map(|head| models().join("families").join(family).join(head).join("model"));
    heads.into_iter().find(|folder| folder.exists())
}

/// A tiny model with what its folder says. It has no tokenizer; that of another one makes texts of its ids.
pub(super) struct Written {
    pub model: Model,
    pub tokenizer: Tokenizer,
    pub defaults: FolderDefaults,
}

impl Written {
    pub fn of(family: &str) -> Self {
        let folder = folder(family).expect("a model that writes");
        let model = Model::from_checkpoint(&folder).expect("a model");
        let defaults = FolderDefaults::read(&folder, model.facts()).expect("what the folder says");
        let tokenizer = Tokenizer::from_folder(&models().join("tiny-llama/model")).expect("a tokenizer");
        Self { model, tokenizer, defaults }
    }

    /// How many words it writes.
    fn words(&self) -> usize {
        let facts = self.model.facts();
        facts.decoder.map_or(facts.vocabulary_size, |decoder| decoder.vocabulary_size)
    }

    pub fn writer(&self, limits: BatchLimits) -> Writer<'_> {
        Writer::new(&self.model, &self.tokenizer, &self.defaults, limits)
    }
}

pub(super) fn write(writer: &Writer<'_>, prompts: &[Vec<u32>], options: &GenerationOptions) -> Result<Vec<Generation>, Error> {
    writer.stream_ids(prompts.to_vec(), options, &mut |_: Piece<'_>| ControlFlow::Continue(()))
}

/// Whether continuations have these ids, and scores as near as they can be.
pub(super) fn are_as_expected(found: &[Continuation], expected: &[Value]) -> bool {
    let is_near = |score: f32, expected: f64| (f64::from(score) - expected).abs() <= SCORE_TOLERANCE * expected.abs().max(1.0);
    found.len() == expected.len()
        && found.iter().zip(expected).all(|(found, expected)| {
            let score = match (found.score, expected[1].as_f64()) {
                (Some(score), Some(expected)) => is_near(score, expected),
                (None, None) => true,
                _ => false,
            };
            score && json!(found.tokens) == expected[0]
        })
}

/// One text.
pub(super) fn packed(ids: &[u32]) -> PackedBatch {
    PackedBatch {
        token_type_ids: vec![0; ids.len()],
        spans: Spans::from_lengths([ids.len()]),
        input_ids: ids.to_vec(),
        wanted: None,
    }
}

/// What stands before what is written: a source and a start, or a prompt.
struct Beginning {
    source: Option<Vec<u32>>,
    ids: Vec<u32>,
}

impl Beginning {
    fn of(prompt: &[u32], settings: &Settings) -> Self {
        match settings.decoder_start_token_id {
            Some(start) => Self { source: Some(prompt.to_vec()), ids: vec![start] },
            None => Self { source: None, ids: prompt.to_vec() },
        }
    }

    /// The scores of what comes after it and more ids, by logits.
    fn scores(&self, settings: &Settings, new: &[u32], max_new_tokens: usize, mut logits: Vec<f32>) -> Vec<f32> {
        let given = self.source.as_ref().unwrap_or(&self.ids);
        let ids = [self.ids.as_slice(), new].concat();
        process(settings, View { ids: &ids, prompt: self.ids.len(), given, max_new_tokens }, &mut logits);
        logits
    }

    /// The logits after it and more ids, all of which are read at once.
    fn read_whole(&self, model: &Model, new: &[u32]) -> Vec<f32> {
        let text = [self.ids.as_slice(), new].concat();
        let text = PackedBatch { wanted: Some(vec![text.len() - 1]), ..packed(&text) };
        let graph = Graph::inference(&model.parameters);
        let logits = match &self.source {
            Some(source) => model.forward_pair(&graph, &packed(source), &text),
            None => model.forward(&graph, &text),
        };
        logits.tensor().to_vec()
    }

    /// The same where each of them is read by itself, and what was read before is kept.
    fn read_on(&self, model: &Model, new: &[u32]) -> Vec<f32> {
        let weights = PackedWeights::new(&model.parameters);
        let mut past = match &self.source {
            Some(source) => model.begin(&weights, &[source]).remove(0),
            None => Past::new(),
        };
        let mut read = |ids: &[u32]| model.read_on(&weights, &mut [(&mut past, ids)]).to_vec();
        let first = read(&self.ids);
        new.iter().fold(first, |_, id| read(&[*id]))
    }
}

fn golden() -> Value {
    unpacked(include_bytes!("../../../tests/golden/generated_by_family.json.gz"))
}

fn prompts(golden: &Value) -> Vec<Vec<u32>> {
    serde_json::from_value(golden["prompts"].clone()).expect("lists of ids")
}

/// Options of a case, with nothing forced but what it says.
fn options(written: &Written, given: &Value, max_new_tokens: usize) -> GenerationOptions {
    let options = config_file::options_of(given.as_object().expect("options").clone(), written.words());
    let open_end = |ids: Option<Vec<u32>>| Some(ids.unwrap_or_default());
    GenerationOptions {
        max_new_tokens: Some(max_new_tokens),
        eos_token_id: open_end(options.eos_token_id),
        forced_eos_token_id: open_end(options.forced_eos_token_id),
        ..options
    }
}

/// Each family of the golden file with its model.
fn families(golden: &Value) -> Vec<(&str, Written)> {
    let families = golden["answers"].as_object().expect("families").keys();
    families.map(|family| (family.as_str(), Written::of(family))).collect()
}

#[test]
fn every_family_that_writes_has_golden_ids() {
    let golden = golden();
    let entries = std::fs::read_dir(models().join("families")).expect("the families");
    let names = entries.map(|entry| entry.expect("a family").file_name().into_string().expect("a name"));
    let writing: BTreeSet<String> = names.filter(|family| folder(family).is_some()).collect();
    let found: BTreeSet<String> = golden["answers"].as_object().expect("families").keys().cloned().collect();
    assert_eq!(found, writing);
}

#[test]
fn every_family_writes_what_transformers_writes_with_a_cache_and_without() {
    let golden = golden();
    let prompts = prompts(&golden);
    let (mut wrong, mut cases) = (Vec::new(), 0);
    for (family, written) in families(&golden) {
        // Few at once, so that prompts wait for each other.
        let writer = written.writer(BatchLimits { sequences: 7, tokens: 200 });
        for case in golden["answers"][family].as_array().expect("cases") {
            let title = format!("{family}, {}", case["title"]);
            let options = options(&written, &case["options"], NEW_TOKENS);
            let answers = case["answers"].as_object().expect("answers");
            let asked: Vec<Vec<u32>> =
                answers.keys().map(|key| prompts[key.parse::<usize>().expect("a place")].clone()).collect();
            let found = write(&writer, &asked, &options).unwrap_or_else(|error| panic!("{title}: {error}"));
            for ((prompt, expected), found) in answers.iter().zip(found) {
                cases += 1;
                let expected = expected.as_array().expect("texts");
                if !are_as_expected(&found.continuations, expected) {
                    wrong.push(format!("{title}, prompt {prompt}: {:?}\n  expected {expected:?}", found.continuations));
                }
            }
        }
    }
    assert!(cases > 800, "only {cases} cases");
    assert!(wrong.is_empty(), "{} of {cases} cases:\n{}", wrong.len(), wrong[..wrong.len().min(10)].join("\n"));
}

#[test]
fn a_text_that_is_read_anew_at_every_step_is_written_with_the_same_ids() {
    let golden = golden();
    let prompts = prompts(&golden);
    let (mut wrong, mut cases) = (Vec::new(), 0);
    for (family, written) in families(&golden) {
        let writer = written.writer(BatchLimits::default());
        let greedy =
            golden["answers"][family].as_array().expect("cases").iter().filter(|case| case["options"]["num_beams"].is_null());
        for case in greedy {
            let options = options(&written, &case["options"], NEW_TOKENS);
            let settings = writer.settings(&options).expect("settings");
            for (prompt, expected) in case["answers"].as_object().expect("answers") {
                cases += 1;
                let beginning = Beginning::of(&prompts[prompt.parse::<usize>().expect("a place")], &settings);
                let mut ids: Vec<u32> = Vec::new();
                while ids.len() < NEW_TOKENS && !ids.last().is_some_and(|last| settings.eos_token_id.contains(last)) {
                    let logits = beginning.read_whole(&written.model, &ids);
                    ids.extend(highest(&beginning.scores(&settings, &ids, NEW_TOKENS, logits)));
                }
                if json!(ids) != expected[0][0] {
                    wrong.push(format!("{family}, {}, prompt {prompt}: {ids:?}\n  expected {}", case["title"], expected[0][0]));
                }
            }
        }
    }
    assert!(cases > 300, "only {cases} cases");
    assert!(wrong.is_empty(), "{} of {cases} cases:\n{}", wrong.len(), wrong[..wrong.len().min(10)].join("\n"));
}

/// What the search of a call writes when it is given what the model says of whole texts, whatever it remembers of them.
fn searched_anew(written: &Written, writer: &Writer<'_>, prompt: &[u32], options: &GenerationOptions) -> Vec<Continuation> {
    let settings = writer.settings(options).expect("settings");
    let tokenizer = &written.tokenizer;
    let spelling = Spelling { tokenizer, special_ids: Vec::new(), stop_strings: Vec::new(), standing: Standing::Alone };
    let call = Call { settings: &settings, spelling };
    let beginning = Beginning::of(prompt, &settings);
    let Beginning { source, ids } = Beginning::of(prompt, &settings);
    let mut request = Request::new(&call, Prompt { index: 0, source, ids, max_new_tokens: NEW_TOKENS });
    let weights = PackedWeights::new(&written.model.parameters);
    if let Some(source) = request.source() {
        let past = written.model.begin(&weights, &[source]).remove(0);
        request.begin(past);
    }
    loop {
        let rows: Vec<Vec<f32>> = request
            .readings
            .iter_mut()
            .map(|Reading { past, unread }| {
                // A past tells which tokens a beam has; what the model says after it is not taken from there.
                written.model.read_on(&weights, &mut [(past, unread)]);
                let mut scores = beginning.read_whole(&written.model, &past.tokens()[beginning.ids.len()..]);
                log_softmax(&mut scores);
                scores
            })
            .collect();
        let (chosen, prompt) = request.choosing();
        let step = chosen.advance(&call, prompt, &rows.iter().map(Vec::as_slice).collect::<Vec<_>>()).expect("a step");
        if !request.goes_on(&step) {
            return request.outcome().continuations;
        }
    }
}

#[test]
fn beams_whose_texts_are_read_anew_at_every_step_end_with_the_same_ids() {
    let golden = golden();
    let prompts = prompts(&golden);
    let (mut wrong, mut cases) = (Vec::new(), 0);
    for (family, written) in families(&golden) {
        let writer = written.writer(BatchLimits::default());
        let beams =
            golden["answers"][family].as_array().expect("cases").iter().filter(|case| !case["options"]["num_beams"].is_null());
        for case in beams {
            let options = options(&written, &case["options"], NEW_TOKENS);
            // One text of each: with a whole one at every step for every beam they take their time.
            let (prompt, expected) = case["answers"].as_object().and_then(|answers| answers.iter().next()).expect("an answer");
            cases += 1;
            let place: usize = prompt.parse().expect("a place");
            let found = searched_anew(&written, &writer, &prompts[place], &options);
            let expected = expected.as_array().expect("texts");
            if !are_as_expected(&found, expected) {
                wrong.push(format!("{family}, {}, prompt {prompt}: {found:?}\n  expected {expected:?}", case["title"]));
            }
        }
    }
    assert!(cases > 130, "only {cases} cases");
    assert!(wrong.is_empty(), "{} of {cases} cases:\n{}", wrong.len(), wrong[..wrong.len().min(10)].join("\n"));
}

#[test]
fn tokens_behind_drawn_ones_are_as_probable_as_in_transformers_in_every_family() {
    let golden = golden();
    let prompts = prompts(&golden);
    let (mut wrong, mut cases) = (Vec::new(), 0);
    for (family, written) in families(&golden) {
        let writer = written.writer(BatchLimits::default());
        for case in golden["distributions"][family].as_array().expect("cases") {
            cases += 1;
            let options = GenerationOptions { do_sample: Some(true), ..options(&written, &case["options"], TOKENS_TO_DRAW) };
            let settings = writer.settings(&options).expect("settings");
            let beginning = Beginning::of(&prompts[case["prompt"].as_u64().expect("a place") as usize], &settings);
            let drawn: Vec<u32> = serde_json::from_value(case["drawn"].clone()).expect("ids");
            let mut expected = vec![0.0; written.words()];
            for pair in case["probabilities"].as_array().expect("probabilities") {
                expected[pair[0].as_u64().expect("an id") as usize] = pair[1].as_f64().expect("a probability");
            }
            let ways = [
                ("at once", beginning.read_whole(&written.model, &drawn)),
                ("one by one", beginning.read_on(&written.model, &drawn)),
            ];
            for (way, logits) in ways {
                let found = softmax(&beginning.scores(&settings, &drawn, TOKENS_TO_DRAW, logits));
                let possible = found.iter().map(|found| *found > 0.0).eq(expected.iter().map(|expected| *expected > 0.0));
                let farthest = found.iter().zip(&expected).map(|(found, expected)| (found - expected).abs()).fold(0.0, f64::max);
                if !possible || farthest > PROBABILITY_TOLERANCE {
                    wrong
                        .push(format!("{family}, {}, prompt {}, read {way}: {farthest:e} away", case["options"], case["prompt"]));
                }
            }
        }
    }
    assert!(cases > 300, "only {cases} cases");
    assert!(wrong.is_empty(), "{} of {cases} cases:\n{}", wrong.len(), wrong[..wrong.len().min(10)].join("\n"));
}
