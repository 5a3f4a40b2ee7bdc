//! Measures the matrix product alone and prints the best rate as JSON: the peak that training is compared with.
//!
//! `cargo run --release -p graftling-tensor --example matmul_peak [-- --shapes]`

use std::time::Instant;

use graftling_tensor::measure::{Order, product};

fn rate(order: Order, shape: [usize; 3], threads: usize, repeats: usize) -> Result<f64, rayon::ThreadPoolBuildError> {
    let [rows, depth, columns] = shape;
    let left = vec![0.5f32; rows * depth];
    let right = vec![0.25f32; depth * columns];
    let mut result = vec![0.0f32; rows * columns];
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    let mut best = f64::INFINITY;
    for _ in 0..repeats {
        let start = Instant::now();
        pool.install(|| product(order, shape, &left, &right, &mut result));
        best = best.min(start.elapsed().as_secs_f64());
    }
    Ok(2.0 * (rows * depth * columns) as f64 / best / 1e9)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    if std::env::args().any(|argument| argument == "--shapes") {
        for tokens in [800, 4096] {
            for (depth, columns) in [(384, 384), (384, 1536), (1536, 384), (768, 768), (768, 3072), (3072, 768)] {
                for (order, shape) in [
                    (Order::Nt, [tokens, depth, columns]),
                    (Order::Nn, [tokens, columns, depth]),
                    (Order::Tn, [columns, tokens, depth]),
                ] {
                    println!("{order:?} {shape:?}: {:.0} {:.0} GFLOP/s", rate(order, shape, 1, 10)?, rate(order, shape, 2, 10)?);
                }
            }
        }
    }
    let shape = [2016, 768, 3072];
    println!("{{\"gflops_1\": {:.1}, \"gflops_2\": {:.1}}}", rate(Order::Nn, shape, 1, 20)?, rate(Order::Nn, shape, 2, 20)?);
    Ok(())
}
