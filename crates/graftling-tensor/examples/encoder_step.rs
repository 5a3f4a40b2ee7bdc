//! Times training steps of a BERT-shaped encoder of random weights, without any text: for profiles and instruction counts.
//!
//! `cargo run --release -p graftling-tensor --example encoder_step -- [HIDDEN LAYERS HEADS LENGTHS STEPS THREADS]`, where LENGTHS
//! is `COUNTxLENGTH` or comma-separated lengths: `384 6 12 32x25 10 2`.

use std::time::Instant;

use graftling_tensor::{
    Activation, AttentionOptions, Gradients, Graph, Optimizer, OptimizerState, ParameterId, Parameters, Rate, Spans, Var,
};

const VOCABULARY: usize = 30_522;

struct Layer {
    projections: [(ParameterId, ParameterId); 4],
    norms: [(ParameterId, ParameterId); 2],
    feed_forward: [(ParameterId, ParameterId); 2],
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let argument = |index: usize, default: &str| arguments.get(index).cloned().unwrap_or_else(|| default.to_owned());
    let number = |index: usize, default: &str| argument(index, default).parse::<usize>().expect("a whole number");
    let (hidden, layers, heads) = (number(0, "384"), number(1, "6"), number(2, "12"));
    let lengths: Vec<usize> = match argument(3, "32x25").split_once('x') {
        Some((count, length)) => vec![length.parse().expect("a length"); count.parse().expect("a count")],
        None => argument(3, "").split(',').map(|length| length.parse().expect("a length")).collect(),
    };
    let (steps, threads) = (number(4, "10"), number(5, "2"));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a thread pool");
    pool.install(|| run(hidden, layers, heads, &lengths, steps));
}

fn run(hidden: usize, count: usize, heads: usize, lengths: &[usize], steps: usize) {
    let mut parameters = Parameters::new();
    let mut seed = 1u32;
    let mut add = |name: String, shape: &[usize], centre: f32| {
        let values = (0..shape.iter().product())
            .map(|_| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                centre + ((seed >> 8) as f32 / 16_777_216.0 - 0.5) * 0.07
            })
            .collect();
        parameters.add(&name, shape, values)
    };
    let mut linear =
        |name: String, out: usize, input: usize| (add(name.clone() + ".w", &[out, input], 0.0), add(name + ".b", &[out], 0.0));
    let mut stack = Vec::new();
    for i in 0..count {
        stack.push((
            ["q", "k", "v", "o"].map(|name| linear(format!("{i}.{name}"), hidden, hidden)),
            [linear(format!("{i}.up"), 4 * hidden, hidden), linear(format!("{i}.down"), hidden, 4 * hidden)],
        ));
    }
    let pooler = linear("pooler".into(), hidden, hidden);
    let classifier = linear("classifier".into(), 2, hidden);
    let layers: Vec<Layer> = stack
        .into_iter()
        .enumerate()
        .map(|(i, (projections, feed_forward))| {
            let norms = [0, 1].map(|j| (add(format!("{i}.n{j}.w"), &[hidden], 1.0), add(format!("{i}.n{j}.b"), &[hidden], 0.0)));
            Layer { projections, norms, feed_forward }
        })
        .collect();
    let words = add("words".into(), &[VOCABULARY, hidden], 0.0);
    let positions = add("positions".into(), &[512, hidden], 0.0);
    let norm = (add("norm.w".into(), &[hidden], 1.0), add("norm.b".into(), &[hidden], 0.0));

    let spans = Spans::from_lengths(lengths.iter().copied());
    let tokens = spans.rows();
    let ids: Vec<u32> = (0..tokens as u32).map(|i| i.wrapping_mul(2_654_435_761) % VOCABULARY as u32).collect();
    let places: Vec<u32> = lengths.iter().flat_map(|length| 0..*length as u32).collect();
    let labels: Vec<usize> = (0..lengths.len()).map(|i| i % 2).collect();
    let optimizer = Optimizer::AdamW { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, bias_correction: true };
    let rates = vec![Rate { learning_rate: 1e-4, weight_decay: 0.0 }; parameters.len()];
    let mut state = OptimizerState::new(&parameters);
    let mut gradients = Gradients::new(&parameters);
    let mut seconds: Vec<[f64; 3]> = Vec::new();
    for step in 0..steps {
        let start = Instant::now();
        gradients.clear();
        let graph = Graph::training(&parameters, step as u64);
        let dense = |x: &Var, (w, b): (ParameterId, ParameterId), activation| graph.linear(x, w, Some(b), activation);
        let embedded = graph.embedding_sum(&[(words, &ids), (positions, &places)]);
        let mut x = graph.dropout(&graph.layer_norm(&embedded, norm.0, Some(norm.1), 1e-12), 0.1);
        for layer in &layers {
            let [q, k, v] = [0, 1, 2].map(|i| dense(&x, layer.projections[i], None));
            let context = graph.attention(&q, &k, &v, &spans, &spans, AttentionOptions { heads, key_heads: heads, dropout: 0.1 });
            let attended = dense(&context, layer.projections[3], None);
            x = graph.add_norm(&attended, &x, 0.1, layer.norms[0].0, Some(layer.norms[0].1), 1e-12);
            let up = dense(&x, layer.feed_forward[0], Some(Activation::Gelu));
            let down = dense(&up, layer.feed_forward[1], None);
            x = graph.add_norm(&down, &x, 0.1, layer.norms[1].0, Some(layer.norms[1].1), 1e-12);
        }
        let pooled = dense(&graph.gather_rows(&x, &spans.first_rows()), pooler, Some(Activation::Tanh));
        let loss = graph.cross_entropy(&dense(&pooled, classifier, None), &labels, labels.len() as f32);
        let forward = start.elapsed().as_secs_f64();
        graph.backward(&loss, &mut gradients);
        let both = start.elapsed().as_secs_f64();
        let scale = (1.0 / (gradients.norm() + 1e-6)).min(1.0);
        state.step(&optimizer, &mut parameters, &gradients, scale, &rates);
        let total = start.elapsed().as_secs_f64();
        seconds.push([forward, both - forward, total - both]);
    }
    let median = |part: usize| {
        let mut times: Vec<f64> = seconds.iter().map(|step| step[part]).collect();
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    };
    let [forward, backward, update] = [0, 1, 2].map(median);
    let total = forward + backward + update;
    let products = 6.0 * (tokens * count * 12 * hidden * hidden) as f64;
    println!(
        "{tokens} tokens: forward {:.1} ms, backward {:.1} ms, clip and update {:.1} ms; {:.0} tokens/s, {:.0} GFLOP/s in products",
        forward * 1e3,
        backward * 1e3,
        update * 1e3,
        tokens as f64 / total,
        products / total / 1e9
    );
}
