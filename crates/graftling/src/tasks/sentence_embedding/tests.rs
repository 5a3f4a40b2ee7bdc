//! The losses against those of sentence-transformers, with their gradients.

use graftling_tensor::{Gradients, Graph, Parameters};

use super::*;

/// Loss, its options, texts an example, width, vectors in sixteenths, scores, the loss, and its gradient by each value.
#[derive(serde::Deserialize)]
struct Case(String, Options, usize, usize, Vec<i8>, Vec<f32>, f64, Vec<f32>);

#[derive(serde::Deserialize)]
struct Options {
    scale: Option<f32>,
    margin: Option<f32>,
    distance: Option<String>,
}

#[derive(serde::Deserialize)]
struct Golden {
    cases: Vec<Case>,
}

/// Single precision, at losses of up to a hundred and slopes of up to ten.
const TOLERANCE: f64 = 2e-5;

#[test]
fn losses_and_gradients_are_those_of_sentence_transformers() {
    let golden: Golden = serde_json::from_str(include_str!("../../../tests/golden/embedding_losses.json")).unwrap();
    let mut wrong = Vec::new();
    for (number, Case(name, options, sides, width, vectors, scores, expected, slopes)) in golden.cases.iter().enumerate() {
        let loss = EmbeddingLoss::ALL.iter().copied().find(|loss| loss.word() == name).unwrap();
        let by_cosine = options.distance.as_deref() == Some("cosine");
        let objective = SentenceEmbedding {
            loss: Some(loss),
            scale: options.scale.unwrap_or(20.0),
            margin: options.margin,
            distance: if by_cosine { TripletDistance::Cosine } else { TripletDistance::Euclidean },
            ..SentenceEmbedding::new(None)
        };
        let form = match (sides, name.as_str()) {
            (3, _) => Form::Triplets,
            (_, "multiple_negatives") => Form::Pairs,
            (_, "contrastive") => Form::Decided,
            _ => Form::Scored,
        };
        let examples = vectors.len() / width / sides;
        let target = |example: usize| {
            let score = scores.get(example).copied().unwrap_or(1.0);
            Target::Compared(Compared { form, score, identities: [example; 2], windows: vec![vec![1]; *sides] })
        };
        let targets: Vec<Target> = (0..examples).map(target).collect();
        let mut parameters = Parameters::new();
        let values = vectors.iter().map(|part| f32::from(*part) / 16.0).collect();
        let id = parameters.add("vectors", &[examples * sides, *width], values);
        let graph = Graph::training(&parameters, 0);
        let targets: Vec<&Target> = targets.iter().collect();
        let found = objective.loss(&graph, &graph.parameter(id), &targets, examples as f32);
        let value = f64::from(found.tensor().item());
        let mut gradients = Gradients::new(&parameters);
        graph.backward(&found, &mut gradients);
        let near = |found: f64, expected: f64| (found - expected).abs() <= TOLERANCE * expected.abs().max(1.0);
        let found = gradients.get(id).unwrap();
        let apart = found.iter().zip(slopes).filter(|(found, slope)| !near(f64::from(**found), f64::from(**slope))).count();
        if !near(value, *expected) || apart > 0 || found.len() != slopes.len() {
            wrong.push(format!("case {number} ({name}): {value}, {apart} slopes differ; sentence-transformers says {expected}"));
        }
    }
    assert!(golden.cases.len() >= 80, "{} cases", golden.cases.len());
    assert!(wrong.is_empty(), "{} cases differ:\n{}", wrong.len(), wrong.join("\n"));
}
