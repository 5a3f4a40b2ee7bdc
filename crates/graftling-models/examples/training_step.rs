//! Times training steps of a model of any family: `cargo run --release -p graftling-models --example training_step -- MODEL LENGTH COUNT [STEPS]`.
//! MODEL is a folder of a sequence classifier; a step is COUNT texts of LENGTH tokens, forward, backward and AdamW. Prints the seconds of
//! each step and the most memory that values took.

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use graftling_models::{Model, PackedBatch};
use graftling_tensor::{Gradients, Graph, Optimizer, OptimizerState, Rate, Spans, pool_statistics};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, length, count, ..] = &arguments[..] else {
        return Err("usage: training_step MODEL LENGTH COUNT [STEPS]".into());
    };
    let (length, count): (usize, usize) = (length.parse()?, count.parse()?);
    let steps: u64 = arguments.get(3).map_or(Ok(3), |steps| steps.parse())?;
    let mut model = Model::from_checkpoint(Path::new(folder))?;
    let vocabulary = model.facts().vocabulary_size as u32;
    let batch = PackedBatch {
        // 0 is padding in most families.
        input_ids: (0..(length * count) as u32).map(|place| 1 + place.wrapping_mul(2_654_435_761) % (vocabulary - 1)).collect(),
        token_type_ids: vec![0; length * count],
        spans: Spans::from_lengths(vec![length; count]),
        wanted: None,
    };
    let targets: Vec<usize> = (0..count).map(|text| text % model.labels().len()).collect();
    let optimizer = Optimizer::AdamW { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, bias_correction: true };
    let mut gradients = Gradients::new(&model.parameters);
    let mut state = OptimizerState::new(&model.parameters);
    let rates: Vec<Rate> = model.parameters.ids().map(|_| Rate { learning_rate: 1e-5, weight_decay: 0.01 }).collect();
    let mut seconds = Vec::new();
    for step in 0..steps {
        let start = Instant::now();
        gradients.clear();
        let graph = Graph::training(&model.parameters, step);
        let loss = graph.cross_entropy(&model.forward(&graph, &batch), &targets, count as f32);
        graph.backward(&loss, &mut gradients);
        state.step(&optimizer, &mut model.parameters, &gradients, 1.0, &rates);
        seconds.push(format!("{:.2}", start.elapsed().as_secs_f64()));
    }
    let megabytes = pool_statistics().2 / 1_000_000;
    println!("{count} texts of {length} tokens: {} s, {megabytes} MB of values at most", seconds.join(" "));
    Ok(())
}
