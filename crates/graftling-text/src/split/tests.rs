//! The split: shares, repeats, seeds, and what is too small; and texts that two datasets share.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use super::*;
use crate::{ChosenColumns, SameText, TokenExample, leakage_notice};

fn dataset(name: &str, examples: impl IntoIterator<Item = (String, &'static str)>) -> Dataset {
    let example = |(index, (text, label)): (usize, (String, &str))| Example {
        text,
        text_pair: None,
        label: Some(label.to_owned()),
        line: index + 2,
    };
    Dataset {
        source: PathBuf::from(name),
        examples: examples.into_iter().enumerate().map(example).collect(),
        columns: ChosenColumns { text: "text".into(), text_pair: None, label: Some("label".into()) },
        notices: Vec::new(),
    }
}

fn counts(dataset: &Dataset) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for example in &dataset.examples {
        *counts.entry(example.label.clone().unwrap_or_default()).or_insert(0) += 1;
    }
    counts
}

fn thousand() -> Dataset {
    dataset("a.csv", (0..1000).map(|index| (format!("text {index}"), ["a", "b", "b", "c", "b", "b", "b"][index % 7])))
}

#[test]
fn every_label_gives_its_share_to_within_rounding() {
    for fraction in [0.1, 0.25, 0.015, 0.9] {
        let whole = counts(&thousand());
        let split = stratified_split(thousand(), fraction, 7).unwrap();
        for (label, count) in counts(&split.validation) {
            let share = whole[&label] as f64 * fraction;
            assert!((count as f64 - share).abs() < 1.0, "{label} at {fraction}: {count} against {share}");
        }
        assert_eq!(split.validation.examples.len(), (1000.0 * fraction).round() as usize, "{fraction}");
        assert_eq!(split.train.examples.len() + split.validation.examples.len(), 1000);
    }
}

#[test]
fn the_same_seed_draws_the_same_examples_and_another_seed_others() {
    let draw = |seed| stratified_split(thousand(), 0.1, seed).unwrap();
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1).validation.examples, draw(2).validation.examples);
    // The draw must not change from one version to the next: the first lines that seed 42 sets aside.
    let lines: Vec<usize> = draw(42).validation.examples.iter().take(5).map(|example| example.line).collect();
    assert_eq!(lines, DRAWN_BY_SEED_42);
}

/// As drawn when the split was first written.
const DRAWN_BY_SEED_42: [usize; 5] = [18, 32, 38, 45, 47];

#[test]
fn both_parts_keep_the_order_of_the_file() {
    let split = stratified_split(thousand(), 0.3, 3).unwrap();
    for part in [&split.train, &split.validation] {
        assert!(part.examples.is_sorted_by_key(|example| example.line));
    }
    let notice = "a.csv: 300 of 1000 examples are set aside for validation (fraction 0.3, by label, seed 3)";
    assert_eq!((split.train.notices, split.validation.notices), (vec![notice.to_owned()], vec![]));
}

#[test]
fn identical_texts_never_stand_on_both_sides() {
    for seed in 0..50 {
        let repeated = dataset("a.csv", (0..200).map(|index| (format!(" text {} ", index % 60), ["a", "b"][index % 2])));
        let split = stratified_split(repeated, 0.2, seed).unwrap();
        let trained: HashSet<&str> = split.train.examples.iter().map(|example| example.text.as_str()).collect();
        assert!(split.validation.examples.iter().all(|example| !trained.contains(example.text.as_str())), "seed {seed}");
        let parts = [&split.train, &split.validation].map(|part| (&*part.source, &*part.examples));
        assert_eq!(leakage_notice(parts[0], parts[1]), None);
    }
}

#[test]
fn every_label_keeps_an_example_to_train_on() {
    for seed in 0..50 {
        let rare = dataset(
            "a.csv",
            [("one", "rare"), ("two", "pair"), ("three", "pair"), ("four", "x"), ("five", "x"), ("six", "x")]
                .map(|(text, label)| (text.to_owned(), label)),
        );
        let split = stratified_split(rare, 0.9, seed).unwrap();
        assert_eq!(counts(&split.train).keys().collect::<Vec<_>>(), ["pair", "rare", "x"], "seed {seed}");
    }
}

#[test]
fn a_split_that_cannot_be_is_refused() {
    let two = || dataset("a.csv", [("one".to_owned(), "a"), ("two".to_owned(), "b")]);
    assert_eq!(
        stratified_split(two(), 0.1, 1).unwrap_err().to_string(),
        "a.csv: 2 examples (those with the same text count as one) are too few to set aside a fraction of 0.1 for validation and keep every label in training; \
         give a validation file or a larger fraction"
    );
    for fraction in [0.0, 1.0, -0.1, f64::NAN] {
        let expected = format!("validation fraction {fraction}: accepted are numbers above 0 and below 1, such as 0.1");
        assert_eq!(stratified_split(two(), fraction, 1).unwrap_err().to_string(), expected);
    }
}

#[test]
fn texts_of_the_training_data_are_found_in_the_test_data() {
    let training = dataset("train.csv", [("one".to_owned(), "a"), ("two".to_owned(), "b"), ("one".to_owned(), "a")]);
    let test = dataset("test.csv", [("three".to_owned(), "a"), (" one".to_owned(), "b"), ("two".to_owned(), "b")]);
    let told = |one: &Dataset, other: &Dataset| leakage_notice((&one.source, &one.examples), (&other.source, &other.examples));
    assert_eq!(
        told(&training, &test).as_deref(),
        Some(
            "test.csv: 2 of 3 texts stand in train.csv, too (first: line 3, \"one\", is line 2 there); \
             figures on them say nothing about new texts"
        )
    );
    assert_eq!(told(&test, &dataset("other.csv", [("four".to_owned(), "a")])), None);
}

#[test]
fn sentences_of_the_training_data_are_found_by_their_words() {
    let sentences = |texts: [&str; 2]| texts.map(|text| TokenExample::from_text(text, 7));
    let (training, test) = (sentences(["Anna came.", "Bob went."]), sentences(["Bob went .", "Bob came."]));
    let told = leakage_notice((Path::new("train.conll"), &training), (Path::new("test.conll"), &test));
    let expected = "test.conll: 1 of 2 texts stand in train.conll, too (first: line 7, \"Bob went .\", is line 7 there); ";
    assert!(told.as_ref().is_some_and(|told| told.starts_with(expected)), "{told:?}");
    assert_eq!(training[0].line(), Some(7));
}
