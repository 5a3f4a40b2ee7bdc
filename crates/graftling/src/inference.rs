//! Runs a model over texts without training it: the one way for evaluation and prediction. Knows nothing of texts or labels.

use graftling_models::Model;
use graftling_tensor::{Graph, PackedWeights, Tensor, Var};

use crate::batching::{by_length, within_budget};
use crate::features::{Features, Packed, Tokenized, pack};
use crate::reading::Reading;
use crate::tasks::Objective;
use crate::threads;

/// What texts are run through.
#[derive(Clone, Copy)]
pub(crate) struct Scorer<'a> {
    pub model: &'a Model,
    pub objective: &'a dyn Objective,
    pub reading: &'a Reading,
}

/// Some texts, a pass to compute their loss in, and what the model gives for them: logits, or what their task takes instead.
pub(crate) struct Batch<'a> {
    /// The places of the texts.
    pub texts: &'a [usize],
    pub graph: &'a Graph<'a>,
    /// The rows of each text in turn: one, or one for each of its words that is seen.
    pub output: &'a Var,
    tokenized: &'a Tokenized,
}

impl Batch<'_> {
    /// How many values a row has.
    pub fn columns(&self) -> usize {
        self.output.tensor().columns()
    }

    /// The windows of the text at a place.
    pub fn windows(&self, place: usize) -> &[Features] {
        self.tokenized.windows(place)
    }

    /// Hands the values of each text to `visit`, with its place: all its rows, one after the other.
    pub fn each(&self, mut visit: impl FnMut(usize, &[f32])) {
        let columns = self.columns();
        let values = self.output.tensor().to_vec();
        let mut rest = &values[..];
        for &place in self.texts {
            let (values, others) = rest.split_at(rows(self.tokenized, place) * columns);
            visit(place, values);
            rest = others;
        }
    }
}

/// How many rows a text has when those of its windows are joined.
fn rows(tokenized: &Tokenized, text: usize) -> usize {
    let windows = tokenized.windows(text);
    let by_word = windows.first().is_some_and(Features::is_by_token);
    if by_word { windows.iter().map(|window| window.rows()).sum() } else { 1 }
}

/// Hands every text to `visit`, a batch of similar lengths at a time. A forward pass takes at most `budget` tokens unless one window is
/// longer; a text of many windows is read in several passes.
pub(crate) fn each_batch(scorer: &Scorer<'_>, tokenized: &Tokenized, budget: usize, mut visit: impl FnMut(Batch<'_>)) {
    let Scorer { model, objective, reading } = *scorer;
    let lengths: Vec<usize> = (0..tokenized.texts.len()).map(|text| tokenized.length(text)).collect();
    let windows = tokenized.lengths();
    let weights = PackedWeights::new(&model.parameters);
    let packed = |pass: &[usize]| -> Packed { pack(&pass.iter().map(|&window| &tokenized.features[window]).collect::<Vec<_>>()) };
    for texts in by_length((0..lengths.len()).collect(), &lengths, budget) {
        let of_texts: Vec<usize> = texts.iter().flat_map(|&text| tokenized.texts[text].clone()).collect();
        let whole = of_texts.len() == texts.len();
        let passes = within_budget(of_texts, &windows, budget);
        if let (true, [pass]) = (whole, passes.as_slice()) {
            let graph = Graph::inference_packed(&weights);
            let output = threads::awake(|| objective.output(model, &graph, &packed(pass)));
            visit(Batch { texts: &texts, graph: &graph, output: &output, tokenized });
            continue;
        }
        let mut values = Vec::new();
        let mut columns = 0;
        for pass in &passes {
            let graph = Graph::inference_packed(&weights);
            let output = threads::awake(|| objective.output(model, &graph, &packed(pass)));
            columns = output.tensor().columns();
            values.extend(output.tensor().to_vec());
        }
        let joined = joined(tokenized, &texts, reading, &values, columns);
        let graph = Graph::inference_packed(&weights);
        let output = graph.constant(Tensor::from_vec(&[joined.len() / columns.max(1), columns], joined));
        visit(Batch { texts: &texts, graph: &graph, output: &output, tokenized });
    }
}

/// The rows of each text in turn, from those of all their windows.
fn joined(tokenized: &Tokenized, texts: &[usize], reading: &Reading, values: &[f32], columns: usize) -> Vec<f32> {
    let mut joined = Vec::new();
    let mut rest = values;
    for &text in texts {
        let windows = tokenized.windows(text);
        let of_windows: usize = windows.iter().map(|window| window.rows()).sum();
        let (logits, others) = rest.split_at(of_windows * columns);
        if of_windows == rows(tokenized, text) {
            joined.extend_from_slice(logits);
        } else {
            let tokens: Vec<usize> = windows.iter().map(Features::tokens).collect();
            joined.extend(reading.pooled(logits, columns, &tokens));
        }
        rest = others;
    }
    joined
}
