//! Every operation's gradient against central differences: one row of the table for each operation and option.

mod attention_cases;
mod disentangled_cases;

use attention_cases::ATTENTION;
use disentangled_cases::DISENTANGLED;
use graftling_tensor::{
    Activation, AttentionOptions, Gradients, Graph, ParameterId, Parameters, RotaryAngles, Spans, Tensor, TokenLossOptions, Var,
};

/// The step of a difference. The loss is a sum over a few dozen single-precision values of size one: it is known to about 1e-6,
/// so a difference is known to 1e-6 / 2e-2 = 5e-5, and its curvature adds about STEP^2.
const STEP: f32 = 1e-2;
/// How far a gradient may be from its difference, for gradients of size one.
const TOLERANCE: f32 = 2e-3;

mod compared_rows;

type Build = fn(&Graph, &[ParameterId]) -> Var;

struct Case {
    name: &'static str,
    /// Shapes of the differentiable inputs.
    shapes: &'static [&'static [usize]],
    build: Build,
}

fn spans(lengths: &[usize]) -> Spans {
    Spans::from_lengths(lengths.iter().copied())
}

fn linear(graph: &Graph, ids: &[ParameterId], activation: Option<Activation>) -> Var {
    graph.linear(&graph.parameter(ids[0]), ids[1], Some(ids[2]), activation)
}

fn gated(graph: &Graph, ids: &[ParameterId], activation: Activation, dropout: f32) -> Var {
    graph.gated(&graph.parameter(ids[0]), &graph.parameter(ids[1]), activation, dropout)
}

fn rotary(graph: &Graph, ids: &[ParameterId], heads: usize) -> Var {
    graph.rotary(graph.parameter(ids[0]), heads, &RotaryAngles::new(&[1.0, 0.3], 1.5, 6), &[0, 5, 2, 3])
}

fn recurrence(graph: &Graph, [gate, candidate]: [ParameterId; 2], lengths: &[usize], start: Option<Vec<f32>>) -> Var {
    let [gate, candidate] = [gate, candidate].map(|id| graph.parameter(id));
    let columns = gate.tensor().columns();
    let start = start.map(|values| Tensor::from_vec(&[lengths.len(), columns], values));
    graph.recurrence(&gate, &candidate, &spans(lengths), start.as_ref()).output
}

/// The loss of a head whose weight is the second input.
fn head_loss(graph: &Graph, x: &Var, ids: &[ParameterId], bias: Option<usize>, smoothing: f32) -> Var {
    let options = TokenLossOptions { smoothing, normalizer: 4.0 };
    graph.linear_cross_entropy(x, ids[1], bias.map(|bias| ids[bias]), &[1, 3, 0, 1, 2], options)
}

const LINEAR: &[&[usize]] = &[&[5, 6], &[7, 6], &[7]];
const GATED: &[&[usize]] = &[&[5, 6], &[5, 6]];

const CASES: &[Case] = &[
    Case {
        name: "convolution",
        shapes: &[&[9, 4], &[3, 4, 3], &[3]],
        build: |graph, ids| graph.convolution(&graph.parameter(ids[0]), &spans(&[3, 1, 5]), ids[1], ids[2]),
    },
    Case {
        name: "convolution, wider than a sequence",
        shapes: &[&[5, 3], &[4, 3, 5], &[4]],
        build: |graph, ids| graph.convolution(&graph.parameter(ids[0]), &spans(&[2, 3]), ids[1], ids[2]),
    },
    Case {
        name: "activation, gelu",
        shapes: &[&[4, 5]],
        build: |graph, ids| graph.activate(&graph.parameter(ids[0]), Activation::Gelu),
    },
    Case {
        name: "activation, tanh",
        shapes: &[&[4, 5]],
        build: |graph, ids| graph.activate(&graph.parameter(ids[0]), Activation::Tanh),
    },
    Case { name: "parameter", shapes: &[&[2, 3]], build: |graph, ids| graph.parameter(ids[0]) },
    Case { name: "linear", shapes: LINEAR, build: |graph, ids| linear(graph, ids, None) },
    Case {
        name: "linear without bias",
        shapes: LINEAR,
        build: |graph, ids| graph.linear(&graph.parameter(ids[0]), ids[1], None, None),
    },
    Case {
        name: "linear without bias, gelu",
        shapes: LINEAR,
        build: |graph, ids| graph.linear(&graph.parameter(ids[0]), ids[1], None, Some(Activation::Gelu)),
    },
    Case { name: "linear, gelu", shapes: LINEAR, build: |graph, ids| linear(graph, ids, Some(Activation::Gelu)) },
    Case { name: "linear, gelu by tanh", shapes: LINEAR, build: |graph, ids| linear(graph, ids, Some(Activation::GeluTanh)) },
    Case { name: "linear, relu", shapes: LINEAR, build: |graph, ids| linear(graph, ids, Some(Activation::Relu)) },
    Case { name: "linear, silu", shapes: LINEAR, build: |graph, ids| linear(graph, ids, Some(Activation::Silu)) },
    Case { name: "linear, tanh", shapes: LINEAR, build: |graph, ids| linear(graph, ids, Some(Activation::Tanh)) },
    Case {
        name: "one weight used twice",
        shapes: &[&[3, 4], &[4, 4]],
        build: |graph, ids| {
            let once = graph.linear(&graph.parameter(ids[0]), ids[1], None, Some(Activation::Tanh));
            graph.linear(&once, ids[1], None, None)
        },
    },
    Case {
        name: "layer norm",
        shapes: &[&[4, 9], &[9], &[9]],
        build: |graph, ids| graph.layer_norm(&graph.parameter(ids[0]), ids[1], Some(ids[2]), 1e-5),
    },
    Case {
        name: "add and norm",
        shapes: &[&[4, 9], &[4, 9], &[9], &[9]],
        build: |graph, ids| graph.add_norm(&graph.parameter(ids[0]), &graph.parameter(ids[1]), 0.0, ids[2], Some(ids[3]), 1e-5),
    },
    Case {
        name: "add and norm with dropout",
        shapes: &[&[4, 9], &[4, 9], &[9], &[9]],
        build: |graph, ids| graph.add_norm(&graph.parameter(ids[0]), &graph.parameter(ids[1]), 0.3, ids[2], Some(ids[3]), 1e-5),
    },
    Case {
        name: "add and norm of a value with itself",
        shapes: &[&[4, 9], &[9], &[9]],
        build: |graph, ids| {
            let x = graph.parameter(ids[0]);
            graph.add_norm(&x, &x, 0.3, ids[1], Some(ids[2]), 1e-5)
        },
    },
    Case {
        name: "layer norm that adds nothing",
        shapes: &[&[4, 9], &[9]],
        build: |graph, ids| graph.layer_norm(&graph.parameter(ids[0]), ids[1], None, 1e-5),
    },
    Case {
        name: "add and norm that adds nothing",
        shapes: &[&[4, 9], &[4, 9], &[9]],
        build: |graph, ids| graph.add_norm(&graph.parameter(ids[0]), &graph.parameter(ids[1]), 0.3, ids[2], None, 1e-5),
    },
    Case {
        name: "rms norm",
        shapes: &[&[4, 9], &[9]],
        build: |graph, ids| graph.rms_norm(&graph.parameter(ids[0]), ids[1], 1e-5),
    },
    Case {
        name: "rms norm of the groups of a row",
        shapes: &[&[4, 9], &[3]],
        build: |graph, ids| graph.rms_norm(&graph.parameter(ids[0]), ids[1], 1e-2),
    },
    Case {
        name: "residual sum",
        shapes: &[&[4, 9], &[4, 9]],
        build: |graph, ids| graph.residual_sum(&graph.parameter(ids[0]), &graph.parameter(ids[1]), 0.0),
    },
    Case {
        name: "residual sum with dropout",
        shapes: &[&[4, 9], &[4, 9]],
        build: |graph, ids| graph.residual_sum(&graph.parameter(ids[0]), &graph.parameter(ids[1]), 0.3),
    },
    Case {
        name: "residual sum of a value with itself",
        shapes: &[&[4, 9]],
        build: |graph, ids| {
            let x = graph.parameter(ids[0]);
            graph.residual_sum(&x, &x, 0.3)
        },
    },
    Case { name: "gated, gelu", shapes: GATED, build: |graph, ids| gated(graph, ids, Activation::Gelu, 0.0) },
    Case { name: "gated, silu, with dropout", shapes: GATED, build: |graph, ids| gated(graph, ids, Activation::Silu, 0.3) },
    Case {
        name: "gated by itself",
        shapes: &[&[5, 300]],
        build: |graph, ids| {
            let x = graph.parameter(ids[0]);
            graph.gated(&x, &x, Activation::Tanh, 0.0)
        },
    },
    Case { name: "rotary", shapes: &[&[4, 8]], build: |graph, ids| rotary(graph, ids, 2) },
    Case { name: "rotary over the first values of a head", shapes: &[&[4, 6]], build: |graph, ids| rotary(graph, ids, 1) },
    Case {
        name: "recurrence",
        shapes: &[&[6, 4], &[6, 4]],
        build: |graph, ids| recurrence(graph, [ids[0], ids[1]], &[3, 1, 2], None),
    },
    Case {
        name: "recurrence from states, wider than what is taken at a time",
        shapes: &[&[3, 131], &[3, 131]],
        build: |graph, ids| recurrence(graph, [ids[0], ids[1]], &[2, 1], Some(values(2 * 131, 5))),
    },
    Case {
        name: "recurrence of a value that is its own gate",
        shapes: &[&[5, 3]],
        build: |graph, ids| recurrence(graph, [ids[0]; 2], &[5], None),
    },
    Case { name: "zeroed rows", shapes: &[&[4, 3]], build: |graph, ids| graph.zeroed_rows(graph.parameter(ids[0]), &[1, 3]) },
    Case {
        name: "mean of rows",
        shapes: &[&[6, 4]],
        build: |graph, ids| graph.span_mean(&graph.parameter(ids[0]), &spans(&[1, 3, 2])),
    },
    Case {
        name: "mean of rows that are used twice",
        shapes: &[&[6, 4], &[4], &[4]],
        build: |graph, ids| {
            let x = graph.parameter(ids[0]);
            let means = graph.span_mean(&x, &spans(&[4, 2]));
            let first = graph.gather_rows(&x, &[0, 4]);
            graph.add_norm(&means, &first, 0.0, ids[1], Some(ids[2]), 1e-5)
        },
    },
    Case { name: "dropout", shapes: &[&[5, 8]], build: |graph, ids| graph.dropout(&graph.parameter(ids[0]), 0.4) },
    Case { name: "scaled", shapes: &[&[5, 8]], build: |graph, ids| graph.scaled(graph.parameter(ids[0]), -1.5) },
    Case {
        name: "sum of embeddings",
        shapes: &[&[6, 4], &[3, 4]],
        build: |graph, ids| graph.embedding_sum(&[(ids[0], &[5, 0, 5, 2]), (ids[1], &[0, 1, 1, 0])]),
    },
    Case {
        name: "a table used for rows and as a weight",
        shapes: &[&[6, 4]],
        build: |graph, ids| graph.linear(&graph.embedding_sum(&[(ids[0], &[5, 0, 5])]), ids[0], None, None),
    },
];

/// Losses are scalars in their own right.
const LOSSES: &[Case] = &[
    Case {
        name: "cross-entropy",
        shapes: &[&[3, 4]],
        build: |graph, ids| graph.cross_entropy(&graph.parameter(ids[0]), &[1, 3, 1], 5.0),
    },
    Case {
        name: "cross-entropy, smoothed",
        shapes: &[&[3, 4]],
        build: |graph, ids| graph.smoothed_cross_entropy(&graph.parameter(ids[0]), &[1, 3, 1], 0.2, None, 3.0),
    },
    Case {
        name: "cross-entropy, smoothed and weighted",
        shapes: &[&[3, 4]],
        build: |graph, ids| {
            let weights = Some(&[0.5, 2.0, 3.0, 0.0][..]);
            graph.smoothed_cross_entropy(&graph.parameter(ids[0]), &[1, 3, 2], 0.1, weights, 5.0)
        },
    },
    Case {
        name: "cross-entropy of a linear",
        shapes: &[&[5, 3], &[4, 3], &[4]],
        build: |graph, ids| head_loss(graph, &graph.parameter(ids[0]), ids, Some(2), 0.0),
    },
    Case {
        name: "cross-entropy of a linear without bias",
        shapes: &[&[5, 3], &[4, 3], &[4]],
        build: |graph, ids| head_loss(graph, &graph.parameter(ids[0]), ids, None, 0.0),
    },
    Case {
        name: "cross-entropy of a linear, smoothed",
        shapes: &[&[5, 3], &[4, 3], &[4]],
        build: |graph, ids| head_loss(graph, &graph.parameter(ids[0]), ids, Some(2), 0.2),
    },
    Case {
        name: "cross-entropy of a linear, smoothed, without bias",
        shapes: &[&[5, 3], &[4, 3], &[4]],
        build: |graph, ids| head_loss(graph, &graph.parameter(ids[0]), ids, None, 0.2),
    },
    Case {
        name: "cross-entropy of a linear whose weight is a table of embeddings",
        shapes: &[&[3, 3], &[4, 3]],
        build: |graph, ids| {
            let embedded = graph.embedding_sum(&[(ids[1], &[2, 0, 2, 3, 1])]);
            head_loss(graph, &graph.linear(&embedded, ids[0], None, Some(Activation::Tanh)), ids, None, 0.1)
        },
    },
    Case {
        name: "cross-entropy of a linear, twice, one of them scaled",
        shapes: &[&[5, 3], &[4, 3], &[4]],
        build: |graph, ids| {
            let x = graph.parameter(ids[0]);
            let [first, second] = [0.0, 0.3].map(|smoothing| head_loss(graph, &x, ids, Some(2), smoothing));
            graph.residual_sum(&first, &graph.inner_product(&second, &[0.6]), 0.0)
        },
    },
    Case {
        name: "focal loss",
        shapes: &[&[3, 4]],
        build: |graph, ids| graph.focal_loss(&graph.parameter(ids[0]), &[1, 3, 1], 2.0, None, 3.0),
    },
    Case {
        name: "focal loss, weighted",
        shapes: &[&[3, 4]],
        build: |graph, ids| graph.focal_loss(&graph.parameter(ids[0]), &[1, 3, 0], 0.5, Some(&[0.5, 2.0, 3.0, 1.5]), 3.0),
    },
    Case {
        name: "binary focal loss",
        shapes: &[&[2, 3]],
        build: |graph, ids| {
            let targets = [true, false, false, true, true, false];
            graph.binary_focal_loss(&graph.parameter(ids[0]), &targets, 2.0, None, 6.0)
        },
    },
    Case {
        name: "binary focal loss, weighted",
        shapes: &[&[2, 3]],
        build: |graph, ids| {
            let targets = [true, false, false, true, true, false];
            graph.binary_focal_loss(&graph.parameter(ids[0]), &targets, 0.7, Some(&[0.5, 2.0, 3.0]), 6.0)
        },
    },
    Case {
        name: "cross-entropy over the rows of sequences",
        shapes: &[&[6, 2]],
        build: |graph, ids| {
            graph.span_cross_entropy(&graph.parameter(ids[0]), &spans(&[3, 1, 2]), &[[2, 0], [0, 0], [1, 1]], 3.0)
        },
    },
    Case {
        name: "mean squared error",
        shapes: &[&[3, 1]],
        build: |graph, ids| graph.mean_squared_error(&graph.parameter(ids[0]), &[0.5, -1.0, 2.0], 3.0),
    },
    Case {
        name: "binary cross-entropy",
        shapes: &[&[2, 3]],
        build: |graph, ids| graph.binary_cross_entropy(&graph.parameter(ids[0]), &[1.0, 0.0, 0.0, 0.25, 1.0, 1.0], None, 6.0),
    },
    Case {
        name: "binary cross-entropy, weighted",
        shapes: &[&[2, 3]],
        build: |graph, ids| {
            let weights = Some(&[0.5, 2.0, 3.0][..]);
            graph.binary_cross_entropy(&graph.parameter(ids[0]), &[1.0, 0.0, 0.0, 0.25, 1.0, 1.0], weights, 6.0)
        },
    },
    Case {
        name: "mean absolute error",
        shapes: &[&[3, 2]],
        build: |graph, ids| graph.mean_absolute_error(&graph.parameter(ids[0]), &[0.5, -1.0, 2.0, 1.5, -3.0, 4.0], 3.0),
    },
    Case {
        name: "huber",
        shapes: &[&[3, 2]],
        build: |graph, ids| graph.huber(&graph.parameter(ids[0]), &[0.3, -0.2, 2.0, 1.5, -3.0, 0.1], 0.75, 3.0),
    },
];

fn values(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(12345);
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / 16_777_216.0
    };
    (0..count).map(|_| (next() + next() + next() - 1.5) * 1.2).collect()
}

/// A weighted mean of the output, by squared error against fixed targets, so that every value counts differently.
fn loss(graph: &Graph, case: &Case, ids: &[ParameterId], is_loss: bool) -> Var {
    let output = (case.build)(graph, ids);
    if is_loss {
        return output;
    }
    let count = output.tensor().shape().iter().product::<usize>();
    graph.mean_squared_error(&output, &values(count, 99), count as f32 / 4.0)
}

fn check(case: &Case, is_loss: bool) -> Vec<String> {
    let mut parameters = Parameters::new();
    let ids: Vec<ParameterId> = case
        .shapes
        .iter()
        .enumerate()
        .map(|(index, shape)| parameters.add(&format!("p{index}"), shape, values(shape.iter().product(), index as u32)))
        .collect();
    let mut gradients = Gradients::new(&parameters);
    // Two backward passes into the same gradients: the second must add to the first.
    for _ in 0..2 {
        let graph = Graph::training(&parameters, 7);
        let loss = loss(&graph, case, &ids, is_loss);
        graph.backward(&loss, &mut gradients);
    }
    let unused = case.name.contains("without bias").then_some(2);
    let mut wrong = Vec::new();
    for (index, id) in ids.iter().enumerate() {
        let Some(gradient) = gradients.get(*id).map(<[f32]>::to_vec) else {
            if unused != Some(index) {
                wrong.push(format!("{}: no gradient for input {index}", case.name));
            }
            continue;
        };
        let stride = gradient.len().div_ceil(60);
        for place in (0..gradient.len()).step_by(stride) {
            let mut at = |shift: f32| {
                let before = parameters.values(*id)[place];
                parameters.values_mut(*id)[place] = before + shift;
                let graph = Graph::training(&parameters, 7);
                let value = f64::from(loss(&graph, case, &ids, is_loss).tensor().item());
                parameters.values_mut(*id)[place] = before;
                value
            };
            let difference = ((at(STEP) - at(-STEP)) / f64::from(2.0 * STEP)) as f32;
            let found = gradient[place] / 2.0;
            if (found - difference).abs() > TOLERANCE * difference.abs().max(1.0) {
                wrong.push(format!("{}: input {index} at {place}: {found} but the difference says {difference}", case.name));
            }
        }
    }
    wrong
}

#[test]
fn every_gradient_is_the_one_that_differences_say() {
    let cases = CASES.iter().chain(ATTENTION).chain(DISENTANGLED).chain(compared_rows::CASES).flat_map(|case| check(case, false));
    let losses = LOSSES.iter().chain(compared_rows::LOSSES).flat_map(|case| check(case, true));
    let wrong: Vec<String> = cases.chain(losses).collect();
    assert!(wrong.is_empty(), "{} wrong gradients:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_frozen_parameter_gets_no_gradient_and_leaves_the_others_as_they_are() {
    let mut parameters = Parameters::new();
    let x = parameters.add("x", &[3, 4], values(12, 1));
    let first = parameters.add("first", &[4, 4], values(16, 2));
    let second = parameters.add("second", &[2, 4], values(8, 3));
    let run = |parameters: &Parameters| {
        let mut gradients = Gradients::new(parameters);
        let graph = Graph::training(parameters, 1);
        let hidden = graph.linear(&graph.parameter(x), first, None, Some(Activation::Gelu));
        let loss = graph.cross_entropy(&graph.linear(&hidden, second, None, None), &[0, 1, 1], 3.0);
        graph.backward(&loss, &mut gradients);
        [x, first, second].map(|id| gradients.get(id).map(<[f32]>::to_vec))
    };
    let all = run(&parameters);
    parameters.set_trainable(first, false);
    let [x_gradient, frozen, second_gradient] = run(&parameters);
    assert_eq!((x_gradient, frozen, second_gradient), (all[0].clone(), None, all[2].clone()));
    parameters.set_trainable(x, false);
    assert_eq!(run(&parameters), [None, None, all[2].clone()]);
}

#[test]
fn inference_drops_nothing_out() {
    let parameters = Parameters::new();
    let graph = Graph::inference(&parameters);
    let x = graph.constant(Tensor::from_vec(&[2, 3], values(6, 1)));
    assert_eq!(graph.dropout(&x, 0.5).tensor().to_vec(), x.tensor().to_vec());
}

#[test]
fn neighbours_in_a_batch_do_not_change_a_sequence() {
    let mut parameters = Parameters::new();
    let weight = parameters.add("weight", &[8, 8], values(64, 1));
    let run = |lengths: &[usize], rows: std::ops::Range<usize>| {
        let graph = Graph::inference(&parameters);
        let all = values(40 * 8, 5);
        let x = graph.constant(Tensor::from_vec(&[rows.len(), 8], all[rows.start * 8..rows.end * 8].to_vec()));
        let key = graph.linear(&x, weight, None, None);
        let spans = spans(lengths);
        graph
            .attention(&x, &key, &key, &spans, &spans, AttentionOptions { heads: 2, key_heads: 2, dropout: 0.1 })
            .tensor()
            .to_vec()
    };
    let together = run(&[3, 20, 17], 0..40);
    assert_eq!(together[3 * 8..23 * 8], run(&[20], 3..23));
}
