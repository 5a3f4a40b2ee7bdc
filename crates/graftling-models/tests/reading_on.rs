//! Whether a decoder that goes on from what it has read says what it says of the whole text, however the text is cut.

mod golden_files;

use std::path::{Path, PathBuf};

use golden_files::{assert_near, packed};
use graftling_models::{Model, Past};
use graftling_tensor::{Graph, PackedWeights};

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

/// How many words a model writes.
fn words(model: &Model) -> usize {
    model.parameters.shape(model.vocabulary().expect("a vocabulary").weight)[0]
}

/// Of words that every vocabulary has, and no padding: behind that a RoBERTa counts places otherwise when it reads on, as in transformers.
fn text(length: usize, seed: u32) -> Vec<u32> {
    (0..length as u32).map(|place| 2 + (place * place * 7 + place * 3 + seed * 11) % 32).collect()
}

/// The logits after every token.
fn of_the_whole(model: &Model, text: &[u32]) -> Vec<Vec<f32>> {
    let logits = model.forward(&Graph::inference(&model.parameters), &packed(&[text]));
    logits.tensor().to_vec().chunks_exact(words(model)).map(<[f32]>::to_vec).collect()
}

/// The logits after every token of a text beside a source.
fn of_the_pair(model: &Model, source: &[u32], text: &[u32]) -> Vec<Vec<f32>> {
    let logits = model.forward_pair(&Graph::inference(&model.parameters), &packed(&[source]), &packed(&[text]));
    logits.tensor().to_vec().chunks_exact(words(model)).map(<[f32]>::to_vec).collect()
}

/// Texts that are read side by side, in steps.
struct Texts {
    texts: [Vec<u32>; 3],
    /// The logits after every token of each.
    wholes: [Vec<Vec<f32>>; 3],
    /// Where each text stands after each step; one that stays where it is takes no part.
    steps: &'static [[usize; 3]],
}

impl Texts {
    fn assert_go_on(&self, case: &str, model: &Model, pasts: &mut [Past]) {
        let weights = PackedWeights::new(&model.parameters);
        for ends in self.steps {
            let mut going: Vec<(&mut Past, &[u32])> = Vec::new();
            let mut order = Vec::new();
            for (index, past) in pasts.iter_mut().enumerate().filter(|(index, past)| ends[*index] > past.len()) {
                let begun = past.len();
                going.push((past, &self.texts[index][begun..ends[index]]));
                order.push(index);
            }
            let logits = model.read_on(&weights, &mut going).to_vec();
            assert_eq!(logits.len(), words(model) * order.len());
            for (found, index) in logits.chunks_exact(words(model)).zip(order) {
                let end = ends[index];
                assert_near(found, &self.wholes[index][end - 1], TOLERANCE, &format!("{case}: text {index} to {end}"));
                assert_eq!(pasts[index].tokens(), &self.texts[index][..end]);
            }
        }
    }
}

#[test]
fn texts_that_are_read_in_pieces_go_on_as_when_they_are_read_at_once() {
    let models = models("causal");
    assert!(models.len() >= 8, "{} models", models.len());
    for (folder, model) in &models {
        let texts = [text(24, 1), text(9, 2), text(15, 3)];
        let wholes = texts.each_ref().map(|text| of_the_whole(model, text));
        let texts = Texts { texts, wholes, steps: &[[5, 1, 0], [6, 2, 0], [6, 3, 7], [11, 9, 8], [12, 9, 9], [24, 9, 15]] };
        texts.assert_go_on(&folder.display().to_string(), model, &mut [Past::new(), Past::new(), Past::new()]);
    }
}

#[test]
fn texts_beside_sources_go_on_as_when_both_are_read_at_once() {
    let models = models("seq2seq");
    assert!(models.len() >= 8, "{} models", models.len());
    for (folder, model) in &models {
        let sources = [text(9, 5), text(1, 6), text(24, 7)];
        let texts = [text(20, 1), text(9, 2), text(13, 3)];
        let wholes = [0, 1, 2].map(|index| of_the_pair(model, &sources[index], &texts[index]));
        let mut pasts = model.begin(&PackedWeights::new(&model.parameters), &sources.each_ref().map(Vec::as_slice));
        assert!(pasts.iter().all(Past::is_empty));
        let texts = Texts { texts, wholes, steps: &[[1, 1, 0], [2, 2, 1], [6, 3, 2], [7, 9, 3], [20, 9, 13]] };
        texts.assert_go_on(&folder.display().to_string(), model, &mut pasts);
    }
}

#[test]
fn a_clone_goes_on_otherwise_and_leaves_the_other_as_it_was() {
    let source = text(11, 5);
    for (folder, model) in models("causal").into_iter().chain(models("seq2seq")) {
        let case = folder.display().to_string();
        let weights = PackedWeights::new(&model.parameters);
        let (one, other) = (text(12, 1), [text(7, 1), text(6, 4)].concat());
        let looks_at_a_source = model.facts().decoder.is_some();
        let mut past = if looks_at_a_source { model.begin(&weights, &[&source]).remove(0) } else { Past::new() };
        let whole =
            |text: &[u32]| if looks_at_a_source { of_the_pair(&model, &source, text) } else { of_the_whole(&model, text) };
        model.read_on(&weights, &mut [(&mut past, &one[..7])]);
        let mut fork = past.clone();
        let of_fork = model.read_on(&weights, &mut [(&mut fork, &other[7..])]).to_vec();
        let of_past = model.read_on(&weights, &mut [(&mut past, &one[7..])]).to_vec();
        assert_near(&of_fork, whole(&other).last().unwrap(), TOLERANCE, &case);
        assert_near(&of_past, whole(&one).last().unwrap(), TOLERANCE, &case);
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
        for (place, (found, expected)) in logits.chunks_exact(words(&model)).zip(expected).enumerate() {
            assert_near(found, expected.last().unwrap(), TOLERANCE, &format!("{case}: text {place}"));
        }
    }
}

#[test]
#[should_panic(expected = "a decoder that looks at an encoder was given no source")]
fn a_text_without_its_source_is_a_mistake() {
    let (_, model) = models("seq2seq").remove(0);
    model.read_on(&PackedWeights::new(&model.parameters), &mut [(&mut Past::new(), &[1])]);
}
