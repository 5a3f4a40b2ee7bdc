//! The loss of a language model's head against the operations that it stands for, which hold all logits.

use graftling_tensor::{Gradients, Graph, ParameterId, Parameters, Tensor, TokenLossOptions, Var};

/// Single-precision sums of a few thousand values of size one, divided by the number of rows.
const TOLERANCE: f32 = 2e-6;

/// Values in [-1, 1], from a seed.
fn values(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(12345);
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / 8_388_608.0 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// A head with its inputs.
struct Model {
    parameters: Parameters,
    x: ParameterId,
    weight: ParameterId,
    bias: ParameterId,
    targets: Vec<u32>,
}

impl Model {
    fn new([rows, input, classes]: [usize; 3]) -> Self {
        let mut parameters = Parameters::new();
        let x = parameters.add("x", &[rows, input], values(rows * input, 1));
        let weight = parameters.add("weight", &[classes, input], values(classes * input, 2));
        let bias = parameters.add("bias", &[classes], values(classes, 3));
        let targets = (0..rows).map(|row| (row * 7919 % classes) as u32).collect();
        Self { parameters, x, weight, bias, targets }
    }

    fn fused(&self, graph: &Graph<'_>, x: &Var, bias: Option<ParameterId>, smoothing: f32) -> Var {
        let options = TokenLossOptions { smoothing, normalizer: self.targets.len() as f32 };
        graph.linear_cross_entropy(x, self.weight, bias, &self.targets, options)
    }

    fn apart(&self, graph: &Graph<'_>, x: &Var, bias: Option<ParameterId>, smoothing: f32) -> Var {
        let logits = graph.linear(x, self.weight, bias, None);
        let labels: Vec<usize> = self.targets.iter().map(|target| *target as usize).collect();
        let normalizer = labels.len() as f32;
        if smoothing > 0.0 {
            graph.smoothed_cross_entropy(&logits, &labels, smoothing, None, normalizer)
        } else {
            graph.cross_entropy(&logits, &labels, normalizer)
        }
    }

    /// The loss that `loss` makes of x, and the gradients of x, weight and bias.
    fn run(&self, loss: impl Fn(&Graph<'_>, &Var) -> Var) -> (f32, [Option<Vec<f32>>; 3]) {
        let mut gradients = Gradients::new(&self.parameters);
        let graph = Graph::training(&self.parameters, 1);
        let loss = loss(&graph, &graph.parameter(self.x));
        let value = loss.tensor().item();
        graph.backward(&loss, &mut gradients);
        (value, [self.x, self.weight, self.bias].map(|id| gradients.get(id).map(<[f32]>::to_vec)))
    }
}

#[test]
fn the_loss_of_a_head_and_its_gradients_are_those_of_linear_and_cross_entropy() {
    // Blocks of rows and chunks of classes, whole and not.
    for sizes in [[1, 5, 3], [33, 20, 70], [256, 40, 129], [600, 40, 5000], [300, 8, 4096], [7, 16, 9000]] {
        let model = Model::new(sizes);
        for (bias, smoothing) in [(None, 0.0), (Some(model.bias), 0.0), (None, 0.1), (Some(model.bias), 0.1)] {
            let (found, found_gradients) = model.run(|graph, x| model.fused(graph, x, bias, smoothing));
            let (expected, expected_gradients) = model.run(|graph, x| model.apart(graph, x, bias, smoothing));
            let case = format!("{sizes:?}, bias {}, smoothing {smoothing}", bias.is_some());
            assert!((found - expected).abs() < TOLERANCE * expected, "{case}: {found} for {expected}");
            for (input, (found, expected)) in found_gradients.iter().zip(&expected_gradients).enumerate() {
                assert_eq!(found.is_some(), expected.is_some(), "{case}: input {input}");
                for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
                    assert!((found - expected).abs() < TOLERANCE, "{case}: input {input}: {found} for {expected}");
                }
            }
        }
    }
}

/// Of torch 2.15 in double precision: `linear`, then `cross_entropy` with the sum of the losses and this `label_smoothing`.
#[test]
fn values_are_those_of_torch() {
    let mut parameters = Parameters::new();
    let x = parameters.add("x", &[2, 2], vec![0.5, -1.25, 2.0, 0.75]);
    let weight = parameters.add("weight", &[3, 2], vec![0.5, 2.0, -1.5, 1.0, 0.25, -0.75]);
    let bias = parameters.add("bias", &[3], vec![0.1, -0.2, 0.3]);
    let cases: [(f32, f32, [&[f32]; 3]); 2] = [
        (
            0.0,
            5.20241,
            [
                &[-0.039_868, 0.124_415, 1.966_959, 0.758_842],
                &[1.831_292, 0.646_222, -1.974_949, -0.779_142, 0.143_657, 0.132_92],
                &[0.936_783, -0.967_369, 0.030_586],
            ],
        ),
        (
            0.1,
            5.180_326,
            [
                &[0.010_132, -0.025_585, 1.841_959, 0.783_842],
                &[1.747_959, 0.662_889, -1.858_282, -0.687_476, 0.110_324, 0.024_586],
                &[0.870_116, -0.934_035, 0.063_919],
            ],
        ),
    ];
    for (smoothing, expected, expected_gradients) in cases {
        let mut gradients = Gradients::new(&parameters);
        let graph = Graph::training(&parameters, 1);
        let options = TokenLossOptions { smoothing, normalizer: 1.0 };
        let loss = graph.linear_cross_entropy(&graph.parameter(x), weight, Some(bias), &[2, 1], options);
        let found = loss.tensor().item();
        assert!((found - expected).abs() < TOLERANCE * expected, "smoothing {smoothing}: {found} for {expected}");
        graph.backward(&loss, &mut gradients);
        for (id, expected) in [x, weight, bias].into_iter().zip(expected_gradients) {
            let found = gradients.get(id).expect("a gradient");
            let near = found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < TOLERANCE);
            assert!(near, "smoothing {smoothing}: {found:?} for {expected:?}");
        }
    }
}

#[test]
fn nothing_depends_on_the_number_of_threads() {
    let model = Model::new([300, 40, 5000]);
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a thread pool");
        pool.install(|| model.run(|graph, x| model.fused(graph, x, Some(model.bias), 0.1)))
    };
    let alone = run(1);
    for threads in [2, 3, 5] {
        assert!(run(threads) == alone, "{threads} threads");
    }
}

#[test]
fn what_is_frozen_gets_no_gradient_and_leaves_the_others_as_they_are() {
    let mut model = Model::new([300, 12, 50]);
    let run = |model: &Model| model.run(|graph, x| model.fused(graph, x, Some(model.bias), 0.1));
    let (loss, all) = run(&model);
    let ids = [model.x, model.weight, model.bias];
    for frozen in 1..8 {
        for (index, id) in ids.iter().enumerate() {
            model.parameters.set_trainable(*id, frozen >> index & 1 == 0);
        }
        let expected = [0, 1, 2].map(|index| all[index].clone().filter(|_| frozen >> index & 1 == 0));
        assert_eq!(run(&model), (loss, expected), "frozen: {frozen:b}");
    }
}

#[test]
fn the_losses_of_tokens_are_those_that_the_loss_is_the_sum_of() {
    for sizes in [[1, 5, 3], [600, 40, 5000], [290, 16, 9000]] {
        let model = Model::new(sizes);
        let graph = Graph::inference(&model.parameters);
        let x = graph.parameter(model.x);
        let losses = graph.token_losses(&x, model.weight, Some(model.bias), &model.targets);
        let logits = graph.linear(&x, model.weight, Some(model.bias), None).tensor().to_vec();
        for (row, (token, logits)) in losses.iter().zip(logits.chunks_exact(sizes[2])).enumerate() {
            let best = (0..sizes[2]).rev().max_by(|left, right| logits[*left].total_cmp(&logits[*right])).unwrap();
            assert_eq!(token.best as usize, best, "{sizes:?}: row {row}");
            let all: f64 = logits.iter().map(|logit| f64::from(logit - logits[best]).exp()).sum();
            let apart = (f64::from(token.probability) * all - 1.0).abs();
            assert!(apart < f64::from(TOLERANCE), "{sizes:?}: row {row}: {} for {}", token.probability, all.recip());
        }
        let total: f64 = losses.iter().map(|token| f64::from(token.loss)).sum();
        let (mean, expected) = ((total / sizes[0] as f64) as f32, model.fused(&graph, &x, Some(model.bias), 0.0).tensor().item());
        assert!((mean - expected).abs() < TOLERANCE * expected, "{sizes:?}: {mean} for {expected}");
    }
}

#[test]
fn no_targets_have_no_loss() {
    let model = Model::new([0, 5, 3]);
    let graph = Graph::training(&model.parameters, 1);
    let x = graph.constant(Tensor::from_vec(&[0, 5], Vec::new()));
    let options = TokenLossOptions { smoothing: 0.0, normalizer: 4.0 };
    let loss = graph.linear_cross_entropy(&x, model.weight, None, &[], options);
    assert_eq!(loss.tensor().item(), 0.0);
    assert_eq!(graph.token_losses(&x, model.weight, None, &[]), []);
    let mut gradients = Gradients::new(&model.parameters);
    graph.backward(&loss, &mut gradients);
    assert_eq!(gradients.get(model.weight), None);
}
