//! A tiny student of Marian beyond what all families are tested for: what it starts from, and what it writes.
//!
//! The golden files are made by `tools/reference/marian_ssru.py`.

mod golden_files;

use std::fs;
use std::path::{Path, PathBuf};

use golden_files::{assert_near, packed};
use graftling_models::{Model, PackedBatch};
use graftling_tensor::{Gradients, Graph, PackedWeights};
use serde::Deserialize;

/// How many entries the vocabulary has; the id behind them is no word.
const VOCABULARY: usize = 40;
/// How wide its vectors are.
const WIDTH: usize = 12;
/// Sums in another order, over logits of size one to ten.
const TOLERANCE: f32 = 2e-5;

#[derive(Deserialize)]
struct Golden {
    batches: Vec<Batch>,
    /// What torch writes, greedily, from each source of the first batch.
    written: Vec<Vec<u32>>,
}

#[derive(Deserialize)]
struct Batch {
    input_ids: Vec<Vec<u32>>,
    decoder_input_ids: Vec<Vec<u32>>,
}

fn folder() -> PathBuf {
    folder_of("marian-ssru")
}

fn folder_of(variant: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/families").join(variant).join("seq2seq")
}

fn golden() -> (Model, Golden) {
    golden_of("marian-ssru")
}

fn golden_of(variant: &str) -> (Model, Golden) {
    let folder = folder_of(variant);
    let golden = serde_json::from_str(&fs::read_to_string(folder.join("batches.json")).unwrap()).unwrap();
    (Model::from_checkpoint(&folder.join("model")).unwrap(), golden)
}

fn logits(model: &Model, sources: &[Vec<u32>], targets: &[Vec<u32>], wanted: Option<Vec<usize>>) -> Vec<Vec<f32>> {
    let graph = Graph::inference(&model.parameters);
    let logits = model.forward_pair(&graph, &packed(sources), &PackedBatch { wanted, ..packed(targets) });
    logits.tensor().to_vec().chunks_exact(VOCABULARY).map(<[f32]>::to_vec).collect()
}

fn largest(logits: &[f32]) -> u32 {
    let best = (0..logits.len()).max_by(|left, right| logits[*left].total_cmp(&logits[*right]));
    best.expect("a vocabulary") as u32
}

#[test]
fn what_is_written_greedily_is_what_torch_writes() {
    for variant in ["marian-ssru", "marian-ssru-two"] {
        let (model, golden) = golden_of(variant);
        let weights = PackedWeights::new(&model.parameters);
        for (source, expected) in golden.batches[0].input_ids.iter().zip(&golden.written) {
            let mut past = model.begin(&weights, &[&source[..]]).remove(0);
            let mut ids = vec![model.decoder_start_token_id().expect("what it starts from")];
            for place in 0..expected.len() {
                let logits = model.read_on(&weights, &mut [(&mut past, &ids[place..])]).to_vec();
                ids.push(largest(&logits));
            }
            assert_eq!(ids[1..], expected[..], "{variant}");
        }
    }
}

#[test]
fn with_two_tables_it_starts_from_the_id_behind_that_of_the_target() {
    let (model, golden) = golden_of("marian-ssru-two");
    assert_eq!(model.decoder_start_token_id(), Some(40));
    assert!(golden.batches[0].decoder_input_ids.iter().all(|ids| ids[0] == 40));
    let rows = |name: &str| model.parameters.shape(model.parameters.find(name).unwrap())[0];
    assert_eq!((rows("embeddings.word.weight"), rows("decoder.embeddings.word.weight")), (46, 40));
}

#[test]
fn what_it_starts_from_is_the_id_behind_the_vocabulary() {
    let (model, golden) = golden();
    assert_eq!(model.decoder_start_token_id(), Some(VOCABULARY as u32));
    assert!(golden.batches[0].decoder_input_ids.iter().all(|ids| ids[0] == VOCABULARY as u32));
    let words = model.parameters.find("embeddings.word.weight").unwrap();
    assert_eq!(model.parameters.shape(words)[0], VOCABULARY);
}

#[test]
fn tokens_that_are_wanted_alone_have_the_logits_that_they_have_among_all() {
    let (model, golden) = golden();
    let Batch { input_ids, decoder_input_ids } = &golden.batches[0];
    let all = logits(&model, input_ids, decoder_input_ids, None);
    // The last of one sequence, some in the midst of another, and none of the others.
    let wanted = vec![3, 11, 14, 20];
    let some = logits(&model, input_ids, decoder_input_ids, Some(wanted.clone()));
    assert_eq!(some.len(), wanted.len());
    for (row, found) in wanted.into_iter().zip(some) {
        assert_near(&found, &all[row], TOLERANCE, &format!("row {row}"));
    }
}

#[test]
fn what_the_config_calls_padding_is_not_trained_where_it_is_read() {
    const PADDING: usize = 5;
    let copy = tempfile::tempdir().unwrap();
    let stored = folder().join("model");
    fs::copy(stored.join("model.safetensors"), copy.path().join("model.safetensors")).unwrap();
    let config = fs::read_to_string(stored.join("config.json")).unwrap();
    let padded = config.replace("\"pad_token_id\": null", &format!("\"pad_token_id\": {PADDING}"));
    assert_ne!(config, padded);
    fs::write(copy.path().join("config.json"), padded).unwrap();
    let of_words = |folder: &Path| -> Vec<f32> {
        let model = Model::from_checkpoint(folder).unwrap();
        let mut gradients = Gradients::new(&model.parameters);
        let graph = Graph::training(&model.parameters, 1);
        let [source, target] = [packed(&[[3, 5, 9]]), packed(&[[VOCABULARY as u32, 5, 7]])];
        let loss = graph.cross_entropy(&model.forward_pair(&graph, &source, &target), &[PADDING, 7, 0], 3.0);
        graph.backward(&loss, &mut gradients);
        gradients.get(model.parameters.find("embeddings.word.weight").unwrap()).unwrap().to_vec()
    };
    let [without, with] = [&stored, copy.path()].map(of_words);
    for (row, (without, with)) in without.chunks_exact(WIDTH).zip(with.chunks_exact(WIDTH)).enumerate() {
        assert_eq!(without == with, row != PADDING, "row {row}");
    }
    // As a word that comes next it is.
    assert!(with[PADDING * WIDTH..][..WIDTH].iter().any(|value| *value != 0.0));
}

#[test]
#[should_panic(expected = "embedding_sum: id 40")]
fn sources_have_no_token_that_is_no_word() {
    let (model, _) = golden();
    logits(&model, &[vec![3, VOCABULARY as u32]], &[vec![VOCABULARY as u32]], None);
}
