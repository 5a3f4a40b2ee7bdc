//! The temperature by which logits are divided so that probabilities say how often a model is right (Guo and others, 2017, "On
//! Calibration of Modern Neural Networks", section 4.2). Knows logits and truths only.
//!
//! The loss is convex in the inverse of the temperature, so its slope has one root at the most; Newton's method finds it, between ends that
//! close in.

/// How near the inverse temperature comes to the minimum, as a share of itself.
const PRECISION: f64 = 1e-13;
/// Newton's steps, or halvings, after which the ends are as near as numbers get.
const MOST_STEPS: usize = 200;
/// A slope as small as this beside what it grows to is none: it comes from rounding.
const ROUNDING: f64 = 1e-9;
/// An inverse temperature beyond this means that the examples set no limit.
const LARGEST: f64 = 1e6;

/// The temperature with the lowest mean cross-entropy: of `classes` logits an example, end to end, and the class of each.
///
/// `None` where no temperature has it: the colder the better, because every example is told right; or the hotter the better, because the
/// logits say nothing about the classes; or there is no example.
///
/// # Panics
/// If there are not as many logits as truths times classes, or a truth is not a class.
pub fn temperature_of_classes(classes: usize, logits: &[f32], truths: &[usize]) -> Option<f64> {
    assert_eq!(logits.len(), truths.len() * classes, "temperature: logits of {classes} classes for {} truths", truths.len());
    let rows = || logits.chunks_exact(classes.max(1)).zip(truths);
    let coldest = rows().map(|(row, truth)| f64::from(largest(row)) - f64::from(row[*truth])).sum();
    let slopes = |inverse: f64| {
        let (mut slope, mut curvature) = (0.0, 0.0);
        for (row, truth) in rows() {
            let largest = f64::from(largest(row));
            let (mut sum, mut first, mut second) = (0.0, 0.0, 0.0);
            for logit in row {
                let logit = f64::from(*logit) - largest;
                let weight = (inverse * logit).exp();
                sum += weight;
                first += weight * logit;
                second += weight * logit * logit;
            }
            let mean = first / sum;
            slope += mean - (f64::from(row[*truth]) - largest);
            curvature += second / sum - mean * mean;
        }
        (slope, curvature)
    };
    root(coldest, slopes).map(|inverse| 1.0 / inverse)
}

/// The temperature with the lowest mean binary cross-entropy over all labels: a logit and a truth for each decision.
///
/// `None` as for [`temperature_of_classes`].
///
/// # Panics
/// If there are not as many logits as truths.
pub fn temperature_of_labels(logits: &[f32], truths: &[bool]) -> Option<f64> {
    assert_eq!(logits.len(), truths.len(), "temperature: logits of labels and their truths");
    let decisions = || logits.iter().zip(truths).map(|(logit, truth)| (f64::from(*logit), *truth));
    let coldest = decisions().filter(|(logit, truth)| (*logit > 0.0) != *truth).map(|(logit, _)| logit.abs()).sum();
    let slopes = |inverse: f64| {
        decisions().fold((0.0, 0.0), |(slope, curvature), (logit, truth)| {
            let p = 1.0 / (1.0 + (-inverse * logit).exp());
            (slope + logit * (p - f64::from(u8::from(truth))), curvature + logit * logit * p * (1.0 - p))
        })
    };
    root(coldest, slopes).map(|inverse| 1.0 / inverse)
}

/// Where a slope that only grows is zero, from 0 on; `coldest` is what it grows to. `slopes` gives it and how fast it grows.
fn root(coldest: f64, slopes: impl Fn(f64) -> (f64, f64)) -> Option<f64> {
    if coldest <= 0.0 || slopes(0.0).0 >= -ROUNDING * coldest {
        return None;
    }
    let (mut low, mut high) = (0.0, 1.0);
    while slopes(high).0 < 0.0 {
        (low, high) = (high, 2.0 * high);
        if high > LARGEST {
            return None;
        }
    }
    let mut place = 0.5 * (low + high);
    for _ in 0..MOST_STEPS {
        let (slope, curvature) = slopes(place);
        if slope < 0.0 {
            low = place
        } else {
            high = place
        }
        let next = place - slope / curvature;
        let next = if next > low && next < high { next } else { 0.5 * (low + high) };
        let done = (next - place).abs() <= PRECISION * place;
        place = next;
        if done {
            break;
        }
    }
    Some(place)
}

fn largest(row: &[f32]) -> f32 {
    row.iter().copied().fold(f32::NEG_INFINITY, f32::max)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;
    use crate::metrics::best_threshold;

    /// As near as scipy's root is.
    const TOLERANCE: f64 = 1e-10;

    /// A case of `tools/reference/decisions.py`: the kind, how many classes, logits or probabilities as whole parts, truths as letters, the
    /// answer.
    #[derive(serde::Deserialize)]
    struct Case(String, usize, Vec<i32>, String, Option<f64>);

    #[derive(serde::Deserialize)]
    struct Golden {
        cases: Vec<Case>,
    }

    #[test]
    fn temperatures_and_thresholds_are_those_of_scipy_and_of_trying_all() {
        let mut text = String::new();
        let bytes = include_bytes!("../../tests/golden/decisions.json.gz");
        flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap();
        let golden: Golden = serde_json::from_str(&text).unwrap();
        let mut wrong = Vec::new();
        for (number, Case(kind, classes, parts, letters, expected)) in golden.cases.iter().enumerate() {
            let truths: Vec<usize> = letters.bytes().map(|letter| usize::from(letter - b'0')).collect();
            let holds: Vec<bool> = truths.iter().map(|truth| *truth == 1).collect();
            let shares = |of: f32| parts.iter().map(|part| *part as f32 / of).collect::<Vec<_>>();
            let found = match kind.as_str() {
                "classes" => temperature_of_classes(*classes, &shares(8.0), &truths),
                "labels" => temperature_of_labels(&shares(8.0), &holds),
                _ => best_threshold(shares(64.0).into_iter().zip(holds)),
            };
            let same = match (found, expected) {
                (Some(found), Some(expected)) => (found - expected).abs() <= TOLERANCE * expected,
                (found, expected) => found.is_none() && expected.is_none(),
            };
            if !same {
                wrong.push(format!("case {number} ({kind}): {found:?}, the reference says {expected:?}: {parts:?} {letters}"));
            }
        }
        assert!(golden.cases.len() >= 3000, "{} cases", golden.cases.len());
        assert!(wrong.is_empty(), "{} cases differ:\n{}", wrong.len(), wrong[..wrong.len().min(8)].join("\n"));
    }

    #[test]
    fn logits_that_were_made_too_large_are_brought_back() {
        // Classes drawn with the probabilities of the logits: 1 and -1 in the shares that a logistic function gives.
        let (mut logits, mut truths) = (Vec::new(), Vec::new());
        for example in 0..1000 {
            let right = example < 881;
            logits.extend([3.0, -3.0]);
            truths.push(usize::from(!right));
        }
        // 88.1 % is the share at a difference of 2, and the difference is 6.
        let temperature = temperature_of_classes(2, &logits, &truths).unwrap();
        assert!((temperature - 6.0 / f64::ln(0.881 / 0.119)).abs() < 1e-9, "{temperature}");
        assert_eq!(temperature_of_classes(2, &[], &[]), None);
    }
}
