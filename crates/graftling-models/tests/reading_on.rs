//! Whether a decoder that goes on from what it has read says what it says of the whole text, however the text is cut.

use std::path::{Path, PathBuf};

use graftling_models::{Model, PackedBatch, Past};
use graftling_tensor::{Graph, PackedWeights, Spans};

/// Sums in another order, over logits of size one to ten.
const TOLERANCE: f32 = 2e-5;

/// Every golden causal language model there is.
fn models() -> Vec<(PathBuf, Model)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/families");
    let families = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path().join("causal/model"));
    let mut folders: Vec<PathBuf> = families.filter(|folder| folder.exists()).collect();
    folders.sort();
    folders.into_iter().map(|folder| (folder.clone(), Model::from_checkpoint(&folder).unwrap())).collect()
}

fn text(length: usize, seed: u32) -> Vec<u32> {
    (0..length as u32).map(|place| 1 + (place * place * 7 + place * 3 + seed * 11) % 39).collect()
}

/// The logits after every token.
fn of_the_whole(model: &Model, text: &[u32]) -> Vec<Vec<f32>> {
    let batch = PackedBatch {
        input_ids: text.to_vec(),
        token_type_ids: vec![0; text.len()],
        spans: Spans::from_lengths([text.len()]),
        wanted: None,
    };
    let logits = model.forward(&Graph::inference(&model.parameters), &batch);
    logits.tensor().to_vec().chunks_exact(40).map(<[f32]>::to_vec).collect()
}

fn assert_near(found: &[f32], expected: &[f32], case: &str) {
    let apart = found.iter().zip(expected).map(|(found, expected)| (found - expected).abs()).fold(0.0, f32::max);
    assert!(found.len() == expected.len() && apart < TOLERANCE, "{case}: off by {apart:.2e}");
}

#[test]
fn texts_that_are_read_in_pieces_go_on_as_when_they_are_read_at_once() {
    let models = models();
    assert!(models.len() >= 8, "{} models", models.len());
    for (folder, model) in &models {
        let case = folder.display().to_string();
        let weights = PackedWeights::new(&model.parameters);
        let texts = [text(24, 1), text(9, 2), text(15, 3)];
        let wholes = texts.each_ref().map(|text| of_the_whole(model, text));
        let mut pasts = [Past::new(), Past::new(), Past::new()];
        // Where each text stands after each step; one that stays where it is takes no part.
        for ends in [[5, 1, 0], [6, 2, 0], [6, 3, 7], [11, 9, 8], [12, 9, 9], [24, 9, 15]] {
            let mut parts: Vec<(usize, &mut Past, usize)> =
                pasts.iter_mut().enumerate().map(|(index, past)| (index, past, ends[index])).collect();
            parts.retain(|(_, past, end)| *end > past.len());
            let order: Vec<(usize, usize)> = parts.iter().map(|(index, _, end)| (*index, *end)).collect();
            let mut going: Vec<(&mut Past, &[u32])> = parts
                .into_iter()
                .map(|(index, past, end)| {
                    let start = past.len();
                    (past, &texts[index][start..end])
                })
                .collect();
            let logits = model.read_on(&weights, &mut going).to_vec();
            for (row, (index, end)) in order.into_iter().enumerate() {
                assert_near(
                    &logits[row * 40..(row + 1) * 40],
                    &wholes[index][end - 1],
                    &format!("{case}: text {index} to {end}"),
                );
                assert_eq!(pasts[index].tokens(), &texts[index][..end]);
            }
        }
    }
}

#[test]
fn a_clone_goes_on_otherwise_and_leaves_the_other_as_it_was() {
    for (folder, model) in models() {
        let case = folder.display().to_string();
        let weights = PackedWeights::new(&model.parameters);
        let (one, other) = (text(12, 1), [text(7, 1), text(6, 4)].concat());
        let mut past = Past::new();
        model.read_on(&weights, &mut [(&mut past, &one[..7])]);
        let mut fork = past.clone();
        let of_fork = model.read_on(&weights, &mut [(&mut fork, &other[7..])]).to_vec();
        let of_past = model.read_on(&weights, &mut [(&mut past, &one[7..])]).to_vec();
        assert_near(&of_fork, of_the_whole(&model, &other).last().unwrap(), &case);
        assert_near(&of_past, of_the_whole(&model, &one).last().unwrap(), &case);
    }
}
