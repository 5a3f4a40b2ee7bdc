//! A tiny student of Marian beyond what all families are tested for: what it starts from, and what it writes.
//!
//! The golden files are made by `tools/reference/marian_ssru.py`.

use std::fs;
use std::path::{Path, PathBuf};

use graftling_models::{Model, PackedBatch, Past};
use graftling_tensor::{Graph, PackedWeights, Spans};
use serde::Deserialize;

/// How many entries the vocabulary has; the id behind them is no word.
const VOCABULARY: usize = 40;
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
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/families/marian-ssru/seq2seq")
}

fn golden() -> (Model, Golden) {
    let golden = serde_json::from_str(&fs::read_to_string(folder().join("batches.json")).unwrap()).unwrap();
    (Model::from_checkpoint(&folder().join("model")).unwrap(), golden)
}

fn packed(texts: &[Vec<u32>], wanted: Option<Vec<usize>>) -> PackedBatch {
    PackedBatch {
        input_ids: texts.concat(),
        token_type_ids: vec![0; texts.concat().len()],
        spans: Spans::from_lengths(texts.iter().map(Vec::len)),
        wanted,
    }
}

fn logits(model: &Model, sources: &[Vec<u32>], targets: &[Vec<u32>], wanted: Option<Vec<usize>>) -> Vec<Vec<f32>> {
    let graph = Graph::inference(&model.parameters);
    let logits = model.forward_pair(&graph, &packed(sources, None), &packed(targets, wanted));
    logits.tensor().to_vec().chunks_exact(VOCABULARY).map(<[f32]>::to_vec).collect()
}

fn largest(logits: &[f32]) -> u32 {
    let best = (0..logits.len()).max_by(|left, right| logits[*left].total_cmp(&logits[*right]));
    best.expect("a vocabulary") as u32
}

fn assert_near(found: &[f32], expected: &[f32]) {
    let apart = found.iter().zip(expected).map(|(found, expected)| (found - expected).abs()).fold(0.0, f32::max);
    assert!(found.len() == expected.len() && apart < TOLERANCE, "off by {apart:.2e}");
}

#[test]
fn what_is_written_greedily_is_what_torch_writes() {
    let (model, golden) = golden();
    let weights = PackedWeights::new(&model.parameters);
    for (source, expected) in golden.batches[0].input_ids.iter().zip(&golden.written) {
        let mut past = model.begin(&weights, &[&source[..]]).remove(0);
        let mut ids = vec![model.decoder_start_token_id().expect("what it starts from")];
        for place in 0..expected.len() {
            let logits = model.read_on(&weights, &mut [(&mut past, &ids[place..])]).to_vec();
            ids.push(largest(&logits));
        }
        assert_eq!(ids[1..], expected[..]);
    }
}

#[test]
fn texts_that_are_read_in_pieces_and_their_clones_go_on_as_when_they_are_read_at_once() {
    let (model, golden) = golden();
    let weights = PackedWeights::new(&model.parameters);
    let source = &golden.batches[0].input_ids[2];
    let one: Vec<u32> = vec![VOCABULARY as u32, 7, 3, 30, 12, 12, 5, 21, 39];
    let other: Vec<u32> = [&one[..4], &[1, 2, 38]].concat();
    let [of_one, of_other] =
        [&one, &other].map(|ids| logits(&model, std::slice::from_ref(source), std::slice::from_ref(ids), None));
    let mut past = model.begin(&weights, &[&source[..]]).remove(0);
    let read = |past: &mut Past, ids: &[u32]| model.read_on(&weights, &mut [(past, ids)]).to_vec();
    assert_near(&read(&mut past, &one[..1]), &of_one[0]);
    assert_near(&read(&mut past, &one[1..4]), &of_one[3]);
    let mut fork = past.clone();
    assert_near(&read(&mut fork, &other[4..]), &of_other[6]);
    assert_near(&read(&mut past, &one[4..8]), &of_one[7]);
    assert_near(&read(&mut past, &one[8..]), &of_one[8]);
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
        assert_near(&found, &all[row]);
    }
}

#[test]
#[should_panic(expected = "embedding_sum: id 40")]
fn sources_have_no_token_that_is_no_word() {
    let (model, _) = golden();
    logits(&model, &[vec![3, VOCABULARY as u32]], &[vec![VOCABULARY as u32]], None);
}
