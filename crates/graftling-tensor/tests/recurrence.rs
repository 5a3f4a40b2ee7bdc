//! The recurrence against torch in double precision (`tools/reference/recurrence.py`), and against itself in pieces.

use graftling_tensor::{Gradients, Graph, Parameters, Spans, Tensor};
use serde_json::Value;

/// Values and gradients of size one, each known to a few units in the last place.
const TOLERANCE: f32 = 1e-6;

fn numbers(value: &Value) -> Vec<f32> {
    value.as_array().expect("an array").iter().map(|number| number.as_f64().expect("a number") as f32).collect()
}

fn assert_near(found: &[f32], expected: &[f32], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (place, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((found - expected).abs() < TOLERANCE, "{what}: value {place}: {found} for {expected}");
    }
}

#[test]
fn outputs_states_and_gradients_are_those_of_torch() {
    let golden: Value = serde_json::from_str(include_str!("golden/recurrence.json")).expect("golden file");
    for case in golden["cases"].as_array().expect("cases") {
        let name = case["name"].as_str().expect("name");
        let lengths: Vec<usize> = numbers(&case["lengths"]).into_iter().map(|length| length as usize).collect();
        let columns = case["columns"].as_u64().expect("columns") as usize;
        let spans = Spans::from_lengths(lengths.iter().copied());
        let shape = [spans.rows(), columns];
        let start = (!case["start"].is_null()).then(|| Tensor::from_vec(&[spans.count(), columns], numbers(&case["start"])));
        let mut parameters = Parameters::new();
        let [gate, candidate] = ["gate", "candidate"].map(|name| parameters.add(name, &shape, numbers(&case[name])));
        let mut gradients = Gradients::new(&parameters);
        let graph = Graph::training(&parameters, 1);
        let found = graph.recurrence(&graph.parameter(gate), &graph.parameter(candidate), &spans, start.as_ref());
        assert_near(&found.output.tensor().to_vec(), &numbers(&case["output"]), &format!("{name}: output"));
        assert_near(&found.states.to_vec(), &numbers(&case["states"]), &format!("{name}: states"));
        let loss = graph.inner_product(&found.output, &numbers(&case["upstream"]));
        graph.backward(&loss, &mut gradients);
        for (id, key) in [(gate, "gate_gradient"), (candidate, "candidate_gradient")] {
            assert_near(gradients.get(id).expect("a gradient"), &numbers(&case[key]), &format!("{name}: {key}"));
        }
    }
}

#[test]
fn a_sequence_that_goes_on_from_its_states_is_the_one_that_is_read_at_once() {
    // Wider than what is taken at a time, and more rows than one thread takes.
    const COLUMNS: usize = 300;
    const ROWS: usize = 150;
    let value = |index: usize| ((index * 7919 % 1013) as f32 / 506.5 - 1.0) * 2.0;
    let rows = |range: std::ops::Range<usize>, further: usize| {
        let values = (range.start * COLUMNS..range.end * COLUMNS).map(|index| value(index + further)).collect();
        Tensor::from_vec(&[range.len(), COLUMNS], values)
    };
    let parameters = Parameters::new();
    let graph = Graph::inference(&parameters);
    let read = |range: std::ops::Range<usize>, spans: &Spans, start: Option<&Tensor>| {
        let [gate, candidate] = [0, 31].map(|further| graph.constant(rows(range.clone(), further)));
        graph.recurrence(&gate, &candidate, spans, start)
    };
    let whole = read(0..ROWS, &Spans::from_lengths([ROWS]), None);
    let mut pieces = Vec::new();
    let mut states = None;
    for range in [0..1, 1..90, 90..91, 91..ROWS] {
        let piece = read(range.clone(), &Spans::from_lengths([range.len()]), states.as_ref());
        pieces.extend(piece.output.tensor().to_vec());
        states = Some(piece.states);
    }
    assert_eq!(pieces, whole.output.tensor().to_vec());
    assert_eq!(states.expect("states").to_vec(), whole.states.to_vec());
    // Neighbours change nothing, and a sequence of which nothing is read stays where it is.
    let start = Tensor::from_vec(&[3, COLUMNS], (0..3 * COLUMNS).map(value).collect());
    let beside = read(0..ROWS, &Spans::from_lengths([60, 0, 90]), Some(&start));
    assert_eq!(beside.states.to_vec()[COLUMNS..2 * COLUMNS], start.to_vec()[COLUMNS..2 * COLUMNS]);
    let last = Tensor::from_vec(&[1, COLUMNS], start.to_vec()[2 * COLUMNS..].to_vec());
    let alone = read(60..ROWS, &Spans::from_lengths([90]), Some(&last));
    assert_eq!(beside.output.tensor().to_vec()[60 * COLUMNS..], alone.output.tensor().to_vec());
}

#[test]
fn what_is_no_number_stays_none_in_its_column_from_there_on() {
    const COLUMNS: usize = 3;
    let spans = Spans::from_lengths([4, 2]);
    let mut parameters = Parameters::new();
    let value = |index: usize| (index as f32 * 0.7).sin();
    let mut candidates: Vec<f32> = (0..6 * COLUMNS).map(value).collect();
    candidates[COLUMNS + 1] = f32::NAN;
    let gate = parameters.add("gate", &[6, COLUMNS], (0..6 * COLUMNS).map(|index| value(index + 5)).collect());
    let candidate = parameters.add("candidate", &[6, COLUMNS], candidates);
    let mut gradients = Gradients::new(&parameters);
    let graph = Graph::training(&parameters, 1);
    let found = graph.recurrence(&graph.parameter(gate), &graph.parameter(candidate), &spans, None);
    let is_none = |values: &[f32]| -> Vec<usize> { (0..values.len()).filter(|place| values[*place].is_nan()).collect() };
    let rows = [1, 2, 3].map(|row| row * COLUMNS + 1);
    assert_eq!(is_none(found.output.tensor().values()), rows);
    assert_eq!(is_none(found.states.values()), [1]);
    let loss = graph.inner_product(&found.output, &[1.0; 6 * COLUMNS]);
    graph.backward(&loss, &mut gradients);
    assert_eq!(is_none(gradients.get(gate).expect("a gradient")), rows);
    // As of torch: the gradient goes through where no number stands.
    let of_candidate = gradients.get(candidate).expect("a gradient");
    assert!(rows.iter().all(|place| of_candidate[*place] > 0.0), "{of_candidate:?}");
}
