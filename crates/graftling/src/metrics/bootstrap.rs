//! How far figures can be trusted: percentile intervals and paired differences by drawing the examples anew (Efron 1979; Efron and
//! Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13). Knows no task: it asks for figures where each example counts so
//! many times.
//!
//! To give a new kind of figures intervals, implement [`Resampled`] for what it is counted from.

use rayon::prelude::*;
use serde_json::{Map, Value, json};

use super::tables::{aligned, figure};
use crate::{figures, random};

/// How many times the examples are drawn where nobody says otherwise.
pub const RESAMPLES: usize = 1000;
/// The share of the resamples whose figures lie in an interval.
pub const LEVEL: f64 = 0.95;

/// Sets the draws of a bootstrap apart from whatever else is drawn.
const BOOTSTRAP: u64 = 5;
/// Fixed, so that the same answers always have the same intervals, and two runs are drawn alike.
const SEED: u64 = 0;

/// What a figure is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FigureName {
    /// In files, as in [`Metrics::flat`](super::Metrics::flat): `f1_macro`.
    pub key: &'static str,
    /// In a line of text, as in [`Metrics::headline`](super::Metrics::headline): `macro F1`.
    pub name: &'static str,
}

/// Answers to examples, from which the figures can be computed anew where each example counts so many times.
pub trait Resampled: Send + Sync {
    /// How many examples there are.
    fn examples(&self) -> usize;

    /// What the figures are called, in the order of [`values`](Self::values).
    fn names(&self) -> Vec<FigureName>;

    /// The figures where the example at each place counts `weights[place]` times; not a number where one is not defined.
    fn values(&self, weights: &[u32]) -> Vec<f64>;

    /// Whether each example was answered right, where an answer is right or wrong.
    fn right(&self) -> Option<Vec<bool>> {
        None
    }
}

/// A figure with the range in which it lies for most drawings of the examples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// What it is called.
    pub name: FigureName,
    /// The figure of all examples, each counted once.
    pub value: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// The intervals of an evaluation.
#[derive(Clone, Debug, PartialEq)]
pub struct Intervals {
    /// How many times the examples were drawn.
    pub resamples: usize,
    /// The share of the resamples whose figures lie in an interval.
    pub level: f64,
    /// One for each figure that has one.
    pub figures: Vec<Interval>,
}

/// How much a figure of one model is above that of another on the same examples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// What the figure is called.
    pub name: FigureName,
    /// The figure of the first.
    pub first: f64,
    /// The figure of the second.
    pub second: f64,
    /// The second less the first.
    pub value: f64,
    /// The lower end of the interval of the difference.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// How often drawings of the examples would show a difference on either side of none, at the least twice that of the rarer side:
    /// `min(1, 2 (1 + rarer) / (1 + resamples))` (Davison and Hinkley, "Bootstrap Methods and their Application", 1997, section 4.2).
    pub p_value: f64,
}

impl Intervals {
    /// The interval of each figure: the percentiles of its values over drawings of as many examples as there are, with replacement.
    ///
    /// Percentiles lie between two values in proportion (numpy's `linear`). A figure without examples has no interval, nor one that is
    /// not defined for all examples or for half of the drawings; drawings for which it is not defined do not enter.
    pub fn of(examples: &dyn Resampled, resamples: usize) -> Self {
        let point = examples.values(&vec![1; examples.examples()]);
        let drawn = drawn(examples.examples(), resamples, |weights| examples.values(weights));
        let figures = examples.names().into_iter().zip(point).enumerate().filter_map(|(place, (name, value))| {
            let (low, high) = ends(drawn.iter().map(|values| values[place]), resamples)?;
            value.is_finite().then_some(Interval { name, value, low, high })
        });
        Self { resamples, level: LEVEL, figures: figures.collect() }
    }

    /// The interval of a figure, by its key or its name.
    pub fn get(&self, name: &str) -> Option<&Interval> {
        self.figures.iter().find(|figure| figure.name.key == name || figure.name.name == name)
    }

    /// Level, resamples, and the ends of each interval under the key of its figure.
    pub fn to_json(&self) -> Value {
        let mut entries = Map::new();
        entries.insert("level".to_owned(), json!(self.level));
        entries.insert("resamples".to_owned(), json!(self.resamples));
        entries.extend(self.figures.iter().map(|it| (it.name.key.to_owned(), json!([it.low, it.high]))));
        Value::Object(entries)
    }

    /// A line for each figure: its name, its value, and the ends of its interval.
    pub fn table(&self) -> String {
        let resamples = figures::count(self.resamples as u64);
        let title = format!("{:.0} % intervals, {resamples} resamples of the examples\n", 100.0 * self.level);
        let row = |it: &Interval| vec![it.name.name.to_owned(), figure(it.value), figure(it.low), figure(it.high)];
        let heading = ["", "value", "from", "to"].map(str::to_owned).to_vec();
        let rows: Vec<Vec<String>> = [heading].into_iter().chain(self.figures.iter().map(row)).collect();
        if self.figures.is_empty() { String::new() } else { title + &aligned(&rows, 1) }
    }
}

impl Difference {
    /// The difference of each figure that both models have: both are judged by the same drawings of the examples.
    ///
    /// # Panics
    /// If the two were not asked the same number of examples.
    pub fn of(first: &dyn Resampled, second: &dyn Resampled, resamples: usize) -> Vec<Self> {
        let count = first.examples();
        assert_eq!(count, second.examples(), "paired bootstrap: examples");
        let names = second.names();
        let place_in_second = |name| names.iter().position(|other| *other == name);
        let shared: Vec<(FigureName, usize, usize)> = (first.names().into_iter().enumerate())
            .filter_map(|(place, name)| Some((name, place, place_in_second(name)?)))
            .collect();
        let pairs = |weights: &[u32]| -> Vec<(f64, f64)> {
            let (first, second) = (first.values(weights), second.values(weights));
            shared.iter().map(|(_, one, two)| (first[*one], second[*two])).collect()
        };
        let drawn = drawn(count, resamples, |weights| pairs(weights).into_iter().map(|(first, second)| second - first).collect());
        let points = shared.iter().map(|(name, ..)| *name).zip(pairs(&vec![1; count]));
        let differences = points.enumerate().filter_map(|(place, (name, (first, second)))| {
            let values = || drawn.iter().map(|values| values[place]);
            let (low, high) = ends(values(), resamples)?;
            let value = second - first;
            value.is_finite().then(|| Self { name, first, second, value, low, high, p_value: p_value(values()) })
        });
        differences.collect()
    }
}

/// The values of each drawing of `examples` examples with replacement.
fn drawn(examples: usize, resamples: usize, values: impl Fn(&[u32]) -> Vec<f64> + Sync) -> Vec<Vec<f64>> {
    if examples == 0 {
        return Vec::new();
    }
    let drawing = |weights: &mut Vec<u32>, resample: usize| {
        draw(resample, weights);
        values(weights)
    };
    (0..resamples).into_par_iter().map_init(|| vec![0; examples], drawing).collect()
}

/// How often each example is in a drawing.
fn draw(resample: usize, weights: &mut [u32]) {
    weights.fill(0);
    let key = random::key(SEED, &[BOOTSTRAP, resample as u64]);
    for place in 0..weights.len() {
        weights[random::below(key, place as u64, weights.len())] += 1;
    }
}

/// The percentiles that leave the same share out on both sides.
fn ends(values: impl Iterator<Item = f64>, resamples: usize) -> Option<(f64, f64)> {
    let mut values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
    values.sort_by(f64::total_cmp);
    let outside = (1.0 - LEVEL) / 2.0;
    (!values.is_empty() && 2 * values.len() >= resamples).then(|| (quantile(&values, outside), quantile(&values, 1.0 - outside)))
}

/// The value at a share of sorted values.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    below + (above - below) * place.fract()
}

fn p_value(values: impl Iterator<Item = f64>) -> f64 {
    let (mut all, mut at_most, mut at_least) = (0_usize, 0_usize, 0_usize);
    for value in values.filter(|value| value.is_finite()) {
        all += 1;
        at_most += usize::from(value <= 0.0);
        at_least += usize::from(value >= 0.0);
    }
    (2.0 * (1 + at_most.min(at_least)) as f64 / (1 + all) as f64).min(1.0)
}
