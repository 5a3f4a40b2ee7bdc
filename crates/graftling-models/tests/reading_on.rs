//! Whether a decoder that goes on from what it has read says what it says of the whole text, however the text is cut.

use std::path::{Path, PathBuf};

use graftling_models::{Model, PackedBatch, Past};
use graftling_tensor::{Graph, PackedWeights, Spans};

/// Sums in another order, over logits of size one to ten.
const TOLERANCE: f32 = 2e-5;

/// Every golden model with this head there is.
fn models(head: &str) -> Vec<(PathBuf, Model)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/families");
    let families = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path().join(head).join("model"));
    let mut folders: Vec<PathBuf> = families.filter(|folder| folder.exists()).collect();
    folders.sort();
    folders.into_iter().map(|folder| (folder.clone(), Model::from_checkpoint(&folder).unwrap())).collect()
}

fn text(length: usize, seed: u32) -> Vec<u32> {
    (0..length as u32).map(|place| 1 + (place * place * 7 + place * 3 + seed * 11) % 39).collect()
}

fn batch(text: &[u32]) -> PackedBatch {
    PackedBatch {
        input_ids: text.to_vec(),
        token_type_ids: vec![0; text.len()],
        spans: Spans::from_lengths([text.len()]),
        wanted: None,
    }
}

/// The logits after every token.
fn of_the_whole(model: &Model, text: &[u32]) -> Vec<Vec<f32>> {
    let logits = model.forward(&Graph::inference(&model.parameters), &batch(text));
    logits.tensor().to_vec().chunks_exact(40).map(<[f32]>::to_vec).collect()
}

/// The logits after every token of a text beside a source.
fn of_the_pair(model: &Model, source: &[u32], text: &[u32]) -> Vec<Vec<f32>> {
    let logits = model.forward_pair(&Graph::inference(&model.parameters), &batch(source), &batch(text));
    logits.tensor().to_vec().chunks_exact(40).map(<[f32]>::to_vec).collect()
}

fn assert_near(found: &[f32], expected: &[f32], case: &str) {
    let apart = found.iter().zip(expected).map(|(found, expected)| (found - expected).abs()).fold(0.0, f32::max);
    assert!(found.len() == expected.len() && apart < TOLERANCE, "{case}: off by {apart:.2e}");
}

#[test]
fn texts_that_are_read_in_pieces_go_on_as_when_they_are_read_at_once() {
    let models = models("causal");
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
    for (folder, model) in models("causal") {
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

#[test]
fn texts_beside_sources_go_on_as_when_both_are_read_at_once() {
    let models = models("seq2seq");
    assert!(models.len() >= 8, "{} models", models.len());
    for (folder, model) in &models {
        let case = folder.display().to_string();
        let weights = PackedWeights::new(&model.parameters);
        let sources = [text(9, 5), text(1, 6), text(24, 7)];
        let texts = [text(20, 1), text(9, 2), text(13, 3)];
        let wholes: Vec<_> = sources.iter().zip(&texts).map(|(source, text)| of_the_pair(model, source, text)).collect();
        let mut pasts = model.begin(&weights, &sources.each_ref().map(Vec::as_slice));
        assert!(pasts.iter().all(Past::is_empty));
        let mut begun = [0; 3];
        for ends in [[1, 1, 0], [2, 2, 1], [6, 3, 2], [7, 9, 3], [20, 9, 13]] {
            let mut going: Vec<(&mut Past, &[u32])> = Vec::new();
            let mut order = Vec::new();
            for (index, past) in pasts.iter_mut().enumerate().filter(|(index, _)| ends[*index] > begun[*index]) {
                going.push((past, &texts[index][begun[index]..ends[index]]));
                order.push(index);
            }
            let logits = model.read_on(&weights, &mut going).to_vec();
            for (found, index) in logits.chunks_exact(40).zip(order) {
                assert_near(found, &wholes[index][ends[index] - 1], &format!("{case}: text {index} to {}", ends[index]));
            }
            begun = ends;
        }
    }
}

#[test]
fn texts_beside_the_same_source_share_it_and_go_on_by_themselves() {
    for (folder, model) in models("seq2seq") {
        let case = folder.display().to_string();
        let weights = PackedWeights::new(&model.parameters);
        let (source, other) = (text(17, 5), text(6, 6));
        // As many as are taken together in products of matrices, beside a text with another source.
        let texts: Vec<Vec<u32>> = (0..11).map(|seed| [text(3, 1), text(4, seed)].concat()).collect();
        let mut pasts = model.begin(&weights, &[&source, &other]);
        model.read_on(&weights, &mut [(&mut pasts[0], &texts[0][..3])]);
        let last = pasts.pop().expect("a past");
        let mut pasts: Vec<Past> = (0..texts.len()).map(|_| pasts[0].clone()).chain([last]).collect();
        let mut going: Vec<(&mut Past, &[u32])> =
            pasts.iter_mut().zip(texts.iter().map(|text| &text[3..]).chain([&texts[2][..]])).collect();
        let logits = model.read_on(&weights, &mut going).to_vec();
        let expected =
            texts.iter().map(|text| of_the_pair(&model, &source, text)).chain([of_the_pair(&model, &other, &texts[2])]);
        for (place, (found, expected)) in logits.chunks_exact(40).zip(expected).enumerate() {
            assert_near(found, expected.last().unwrap(), &format!("{case}: text {place}"));
        }
    }
}

#[test]
#[should_panic(expected = "a decoder that looks at an encoder was given no source")]
fn a_text_without_its_source_is_a_mistake() {
    let (_, model) = models("seq2seq").remove(0);
    model.read_on(&PackedWeights::new(&model.parameters), &mut [(&mut Past::new(), &[1])]);
}
