//! Compares the matrix product of graftling-tensor with those of the crates `gemm` and `faer`, at the shapes of BERT training,
//! in the three orders that training needs, at one and two threads: `cargo run --release --manifest-path benches/matmul/Cargo.toml`.
//!
//! Every product runs in turn, five rounds of each after one that is not counted; the table gives the median rate in GFLOP/s.
//! All three get row-major sides of one order and write a row-major result, packing included.

use std::time::Instant;

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use graftling_tensor::measure::{Order, product};

const ROUNDS: usize = 5;

struct Sides {
    order: Order,
    shape: [usize; 3],
    left: Vec<f32>,
    right: Vec<f32>,
}

impl Sides {
    fn new(order: Order, shape: [usize; 3]) -> Self {
        let [rows, depth, columns] = shape;
        let values = |count: usize, seed: u32| (0..count as u32).map(|i| (i.wrapping_mul(seed) >> 8) as f32 / 16_777_216.0 - 0.5).collect();
        Self { order, shape, left: values(rows * depth, 2_654_435_761), right: values(depth * columns, 2_246_822_519) }
    }

    /// Strides (row, column) of both sides as logical [rows, depth] and [depth, columns].
    fn strides(&self) -> [(isize, isize); 2] {
        let [rows, depth, columns] = self.shape.map(|size| size as isize);
        let left = if self.order == Order::Tn { (1, rows) } else { (depth, 1) };
        let right = if self.order == Order::Nt { (1, depth) } else { (columns, 1) };
        [left, right]
    }

    fn by_ours(&self, result: &mut [f32], _threads: usize) {
        product(self.order, self.shape, &self.left, &self.right, result);
    }

    fn by_gemm(&self, result: &mut [f32], threads: usize) {
        let [rows, depth, columns] = self.shape;
        let [left, right] = self.strides();
        let parallelism = if threads == 1 { gemm::Parallelism::None } else { gemm::Parallelism::Rayon(threads) };
        // SAFETY: the pointers and strides describe the slices, which hold as many values as the shape says.
        unsafe {
            gemm::gemm(
                rows, columns, depth, result.as_mut_ptr(), 1, columns as isize, false, self.left.as_ptr(), left.1, left.0,
                self.right.as_ptr(), right.1, right.0, 0.0f32, 1.0f32, false, false, false, parallelism,
            );
        }
    }

    fn by_faer(&self, result: &mut [f32], threads: usize) {
        let [rows, depth, columns] = self.shape;
        let left = match self.order {
            Order::Tn => MatRef::from_column_major_slice(&self.left, rows, depth),
            _ => MatRef::from_row_major_slice(&self.left, rows, depth),
        };
        let right = match self.order {
            Order::Nt => MatRef::from_column_major_slice(&self.right, depth, columns),
            _ => MatRef::from_row_major_slice(&self.right, depth, columns),
        };
        let parallelism = if threads == 1 { Par::Seq } else { Par::rayon(threads) };
        matmul(MatMut::from_row_major_slice_mut(result, rows, columns), Accum::Replace, left, right, 1.0, parallelism);
    }
}

type Run = fn(&Sides, &mut [f32], usize);
const PRODUCTS: [(&str, Run); 3] = [("ours", Sides::by_ours), ("gemm", Sides::by_gemm), ("faer", Sides::by_faer)];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("| order | rows x depth x columns | threads | {} |", PRODUCTS.map(|(name, _)| name).join(" | "));
    println!("|---|---|---|---|---|---|");
    let mut ratios: [Vec<f64>; 3] = Default::default();
    for (hidden, tokens) in [(384, 800), (384, 4096), (768, 800), (768, 2048)] {
        for (input, out) in [(hidden, hidden), (hidden, 4 * hidden), (4 * hidden, hidden)] {
            let orders = [(Order::Nt, [tokens, input, out]), (Order::Nn, [tokens, out, input]), (Order::Tn, [out, tokens, input])];
            for (order, shape) in orders {
                let sides = Sides::new(order, shape);
                for threads in [1, 2] {
                    let rates = rates(&sides, threads)?;
                    for (ratios, rate) in ratios.iter_mut().zip(rates) {
                        ratios.push(rate / rates[0]);
                    }
                    let [rows, depth, columns] = shape;
                    println!("| {order:?} | {rows} x {depth} x {columns} | {threads} | {:.0} | {:.0} | {:.0} |", rates[0], rates[1], rates[2]);
                }
            }
        }
    }
    for ((name, _), ratios) in PRODUCTS.iter().zip(&mut ratios) {
        ratios.sort_by(f64::total_cmp);
        println!("{name}: median {:.2} of ours, from {:.2} to {:.2}", ratios[ratios.len() / 2], ratios[0], ratios[ratios.len() - 1]);
    }
    Ok(())
}

/// The median rate of each product in GFLOP/s; their results must agree.
fn rates(sides: &Sides, threads: usize) -> Result<[f64; 3], Box<dyn std::error::Error>> {
    let [rows, depth, columns] = sides.shape;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    let mut results = [(); 3].map(|()| vec![0.0f32; rows * columns]);
    let mut seconds: [Vec<f64>; 3] = Default::default();
    for round in 0..=ROUNDS {
        for (index, (_, run)) in PRODUCTS.iter().enumerate() {
            let start = Instant::now();
            pool.install(|| run(sides, &mut results[index], threads));
            if round > 0 {
                seconds[index].push(start.elapsed().as_secs_f64());
            }
        }
    }
    for other in &results[1..] {
        let apart = results[0].iter().zip(other).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(apart < 1e-3 * (depth as f32).sqrt(), "products differ by {apart}");
    }
    Ok(seconds.map(|mut seconds| {
        seconds.sort_by(f64::total_cmp);
        2.0 * (rows * depth * columns) as f64 / seconds[ROUNDS / 2] / 1e9
    }))
}
