//! Intervals and differences against scikit-learn, scipy and numpy over the same drawings (golden file: `tools/reference/bootstrap.py`), what
//! intervals promise, and how long they take.

use std::io::Read;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::*;
use crate::metrics::{Difference, Intervals, Resampled, Scheme};
use crate::random;

/// The reference writes fourteen digits.
const TOLERANCE: f64 = 1e-12;

#[derive(Deserialize)]
struct Golden {
    resamples: usize,
    cases: Vec<Case>,
    pairs: Vec<Pair>,
}

/// A kind, what its figures are counted from, and value, low and high of each figure.
type Case = (String, Vec<Value>, Vec<Option<[f64; 3]>>);
/// Which answers were right, and their losses in eighths.
type Side = (Vec<usize>, Vec<u32>);
/// Two sets of answers, and first, second, low, high and p of each difference.
type Pair = ([Side; 2], Vec<Option<[f64; 5]>>);

fn golden() -> Golden {
    let mut text = String::new();
    let bytes = include_bytes!("../../../tests/golden/bootstrap.json.gz");
    flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn read<T: DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap()
}

fn digits(value: &Value) -> Vec<usize> {
    read::<String>(value).bytes().map(|letter| usize::from(letter - b'0')).collect()
}

fn eighths(value: &Value) -> Vec<f64> {
    read::<Vec<i32>>(value).into_iter().map(|eighths| f64::from(eighths) / 8.0).collect()
}

fn sixty_fourths(value: &Value) -> Vec<f32> {
    read::<Vec<u8>>(value).into_iter().map(|parts| f32::from(parts) / 64.0).collect()
}

/// What a case of the golden file is counted from.
fn sample(kind: &str, given: &[Value]) -> Box<dyn Resampled> {
    match kind {
        "classes" => {
            let (classes, probabilities): (usize, _) = (read(&given[0]), sixty_fourths(&given[2]));
            let largest = |row: &[f32]| (0..classes).rev().max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap();
            let pairs = digits(&given[1]).into_iter().zip(probabilities.chunks(classes).map(largest)).collect();
            Box::new(ClassificationSample::new(classes, pairs, &probabilities, eighths(&given[3])))
        }
        "labels" => {
            let truths: Vec<bool> = digits(&given[1]).into_iter().map(|truth| truth == 1).collect();
            let probabilities = sixty_fourths(&given[2]);
            let said: Vec<bool> = probabilities.iter().map(|p| *p > 0.5).collect();
            Box::new(MultiLabelSample::new(read(&given[0]), &truths, &said, &probabilities, eighths(&given[3])))
        }
        "numbers" => {
            let numbers = |value: &Value| eighths(value).into_iter().map(|number| number as f32).collect::<Vec<_>>();
            Box::new(RegressionSample::new(&numbers(&given[1]), &numbers(&given[2]), read(&given[0]), eighths(&given[3])))
        }
        "entities" => {
            let sentences = |value: &Value| -> Vec<Vec<String>> {
                read::<String>(value).split('|').map(|tags| tags.split(' ').map(str::to_owned).collect()).collect()
            };
            let (truths, said) = (sentences(&given[0]), sentences(&given[1]));
            let terms: Vec<usize> = read(&given[3]);
            Box::new(EntitySample::with_scheme(Some(Scheme::Iob2), &truths, &said, eighths(&given[2]), &terms))
        }
        "language" => {
            let (tokens, right): (Vec<usize>, Vec<usize>) = (read(&given[0]), read(&given[1]));
            Box::new(LanguageSample::new(&tokens.into_iter().zip(right).collect::<Vec<_>>(), eighths(&given[2])))
        }
        "triplets" => {
            let rows = vectors(given);
            Box::new(EmbeddingSample::triplets(&rows.chunks_exact(3).map(|it| [&*it[0], &*it[1], &*it[2]]).collect::<Vec<_>>()))
        }
        "scored" | "decided" => {
            let rows = vectors(given);
            let pairs: Vec<[&[f32]; 2]> = rows.chunks_exact(2).map(|pair| [&*pair[0], &*pair[1]]).collect();
            Box::new(match kind {
                "scored" => {
                    let quarters: Vec<u8> = read(&given[2]);
                    EmbeddingSample::scored(&pairs, &quarters.into_iter().map(|it| f32::from(it) / 4.0).collect::<Vec<_>>())
                }
                _ => EmbeddingSample::decided(&pairs, &digits(&given[2]).into_iter().map(|alike| alike == 1).collect::<Vec<_>>()),
            })
        }
        "search" => Box::new(EmbeddingSample::search(read(&given[0]))),
        other => panic!("{other}"),
    }
}

/// The vectors of all texts of a case in turn.
fn vectors(given: &[Value]) -> Vec<Vec<f32>> {
    let values: Vec<f32> = eighths(&given[1]).into_iter().map(|value| value as f32).collect();
    values.chunks_exact(read(&given[0])).map(<[f32]>::to_vec).collect()
}

fn near(found: f64, expected: f64) -> bool {
    (found - expected).abs() <= TOLERANCE * expected.abs().max(1.0)
}

#[test]
fn intervals_are_those_of_the_figures_recomputed_from_the_same_drawings() {
    let golden = golden();
    let mut wrong = Vec::new();
    for (number, (kind, given, expected)) in golden.cases.iter().enumerate() {
        let sample = sample(kind, given);
        let intervals = Intervals::of(sample.as_ref(), golden.resamples);
        assert_eq!(sample.names().len(), expected.len(), "case {number} ({kind})");
        for (name, expected) in sample.names().into_iter().zip(expected) {
            let found = intervals.figures.iter().find(|it| it.name == name).map(|it| [it.value, it.low, it.high]);
            let same = match (found, expected) {
                (Some(found), Some(expected)) => found.iter().zip(expected).all(|(found, expected)| near(*found, *expected)),
                (found, expected) => found.is_none() && expected.is_none(),
            };
            if !same {
                wrong
                    .push(format!("case {number} ({kind}): {}: {found:?}, the reference says {expected:?}: {given:?}", name.key));
            }
        }
    }
    assert!(golden.cases.len() >= 1400);
    assert!(wrong.is_empty(), "{} intervals differ:\n{}", wrong.len(), wrong[..wrong.len().min(8)].join("\n"));
}

#[test]
fn differences_are_those_of_the_same_drawings() {
    let golden = golden();
    for (number, (sides, expected)) in golden.pairs.iter().enumerate() {
        let [first, second] = sides.each_ref().map(|(right, losses)| {
            let counts: Vec<(usize, usize)> = right.iter().map(|right| (1, *right)).collect();
            LanguageSample::new(&counts, losses.iter().map(|eighths| f64::from(*eighths) / 8.0).collect())
        });
        let found = Difference::of(&first, &second, golden.resamples);
        assert_eq!(found.len(), expected.iter().flatten().count(), "pair {number}");
        for (found, expected) in found.iter().zip(expected.iter().flatten()) {
            let values = [found.first, found.second, found.low, found.high, found.p_value];
            assert!(values.iter().zip(expected).all(|(a, b)| near(*a, *b)), "pair {number}: {found:?}, not {expected:?}");
        }
    }
}

/// Numbers from 0 and below 1 that depend on the key alone.
fn uniform(key: u64, place: u64) -> f64 {
    random::below(key, place, 1 << 30) as f64 / f64::from(1 << 30)
}

/// Guesses at one token a text that are right with a probability.
fn guesses(key: u64, examples: u64, accuracy: f64) -> LanguageSample {
    let counts: Vec<(usize, usize)> = (0..examples).map(|text| (1, usize::from(uniform(key, text) < accuracy))).collect();
    LanguageSample::new(&counts, vec![0.0; counts.len()])
}

#[test]
fn an_interval_holds_what_it_is_an_estimate_of_about_as_often_as_it_says() {
    let held = (0..400).filter(|&run| {
        let intervals = Intervals::of(&guesses(random::key(run, &[1]), 200, 0.8), 300);
        let accuracy = intervals.get("accuracy").unwrap();
        (accuracy.low..=accuracy.high).contains(&0.8)
    });
    // Of 400 at 95 %, 380 are expected with a standard deviation of 4.4; percentiles of shares are known to hold a little less.
    let held = held.count();
    assert!((364..=395).contains(&held), "{held} of 400");
}

#[test]
fn a_difference_that_is_none_is_seldom_taken_for_one_and_a_large_one_always_is() {
    let significant = |run: u64, better: f64| {
        let sides = [guesses(random::key(run, &[2]), 200, 0.7), guesses(random::key(run, &[3]), 200, 0.7 + better)];
        let differences = Difference::of(&sides[0], &sides[1], 300);
        differences.iter().find(|it| it.name.key == "accuracy").unwrap().p_value < 0.05
    };
    let of_none = (0..200).filter(|&run| significant(run, 0.0)).count();
    assert!(of_none <= 22, "{of_none} of 200");
    assert!((0..50).all(|run| significant(run, 0.25)));
}

#[test]
fn the_same_answers_always_have_the_same_intervals_and_none_without_examples() {
    let sample = guesses(random::key(1, &[4]), 50, 0.5);
    assert_eq!(Intervals::of(&sample, 100), Intervals::of(&sample, 100));
    assert!(Intervals::of(&guesses(1, 0, 0.5), 100).figures.is_empty());
    let json = Intervals::of(&sample, 100).to_json();
    assert_eq!((json["resamples"].as_u64(), json["accuracy"].as_array().map(Vec::len)), (Some(100), Some(2)));
}
