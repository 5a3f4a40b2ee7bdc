//! How long the intervals of an evaluation take: `cargo run --release -p graftling --example intervals -- 100000`.

use std::time::Instant;

use graftling::metrics::{ClassificationSample, Intervals, MultiLabelSample, RESAMPLES, RegressionSample, Resampled};

fn main() {
    let typed = std::env::args().nth(1).and_then(|typed| typed.parse().ok());
    let examples: usize = typed.unwrap_or(10_000);
    // Any answers will do; these are told right two times in three.
    let number = |place: usize| (place as f32 * 0.618_034).fract();
    let probabilities: Vec<f32> = (0..examples).flat_map(|place| [1.0 - number(place), number(place)]).collect();
    let pairs = (0..examples).map(|place| (usize::from(place % 3 == 0), usize::from(number(place) > 0.5))).collect();
    let losses = vec![0.5; examples];
    let truths: Vec<bool> = (0..10 * examples).map(|place| place % 7 == 0).collect();
    let each: Vec<f32> = (0..10 * examples).map(number).collect();
    let said: Vec<bool> = each.iter().map(|probability| *probability > 0.5).collect();
    let numbers: Vec<f32> = (0..examples).map(number).collect();
    let samples: [(&str, Box<dyn Resampled>); 3] = [
        ("2 classes", Box::new(ClassificationSample::new(2, pairs, &probabilities, losses.clone()))),
        ("10 labels", Box::new(MultiLabelSample::new(10, &truths, &said, &each, losses.clone()))),
        ("numbers", Box::new(RegressionSample::new(&numbers, &each[..examples], 1, losses))),
    ];
    for (name, sample) in samples {
        let started = Instant::now();
        let intervals = Intervals::of(sample.as_ref(), RESAMPLES);
        let (count, seconds) = (intervals.figures.len(), started.elapsed().as_secs_f64());
        println!("{name}: {count} intervals of {examples} examples in {seconds:.3} s");
    }
}
