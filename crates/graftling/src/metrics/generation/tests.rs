//! Figures of generated texts against sacrebleu and rouge_score (golden file: `tools/reference/generation_metrics.py`), their intervals, and how
//! they are printed and written.

use std::collections::HashSet;
use std::io::Read;

use serde::Deserialize;

use super::*;
use crate::metrics::{Difference, Intervals, Resampled, TextGenerationSample};
use crate::random;

/// The reference writes nine digits; what is left is rounding.
const TOLERANCE: f64 = 1e-6;

#[derive(Deserialize)]
struct Golden {
    tokenizers: Vec<String>,
    resamples: usize,
    corpora: Vec<Corpus>,
    intervals: Vec<Drawn>,
}

/// An output and its references.
type Text = (String, Vec<String>);
/// Whether letters are made small, smoothing, its value, the options of TER, whether words are stemmed.
type Options = (bool, String, Option<f64>, String, bool);
/// Texts, options, and what the programs say: BLEU by tokenizer and the precisions of the first; chrF and chrF++; TER by default and with the
/// options; ROUGE of each text; signatures.
type Corpus = (Vec<Text>, Options, Vec<f64>, Vec<f64>, Vec<f64>, Vec<Vec<f64>>, Vec<String>);
/// Texts, and value, low and high of each figure.
type Drawn = (Vec<Text>, Vec<Option<[f64; 3]>>);

fn golden() -> Golden {
    let mut text = String::new();
    let bytes = include_bytes!("../../../tests/golden/generation.json.gz");
    flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn judged(texts: &[Text]) -> Vec<JudgedText<'_>> {
    texts.iter().map(|(output, references)| JudgedText { output, references, source: None }).collect()
}

fn smoothing(word: &str, value: Option<f64>) -> Smoothing {
    match word {
        "exp" => Smoothing::Exp,
        "floor" => Smoothing::Floor(value.unwrap_or(0.1)),
        "add-k" => Smoothing::AddK(value.unwrap_or(1.0)),
        _ => Smoothing::None,
    }
}

/// The two that are compared, where they differ.
fn differing(found: &[f64], expected: &[f64]) -> Option<String> {
    let near = |(found, expected): (&f64, &f64)| (found - expected).abs() <= TOLERANCE * expected.abs().max(1.0);
    let same = found.len() == expected.len() && found.iter().zip(expected).all(near);
    (!same).then(|| format!("{found:?}, not {expected:?}"))
}

/// What differs from what the programs say of a corpus.
fn differences(tokenizers: &[BleuTokenizer], corpus: &Corpus) -> Vec<String> {
    let (texts, options, bleu, chrf, ter, rouge, signatures) = corpus;
    let (lowercase, word, value, digits, stemmer) = options;
    let judged = judged(texts);
    let smoothing = smoothing(word, *value);
    let bleus: Vec<Bleu> = tokenizers.iter().map(|&tokenizer| Bleu { tokenizer, smoothing, lowercase: *lowercase }).collect();
    let variants = [ChrfVariant::Characters, ChrfVariant::CharactersAndWords];
    let chrfs = variants.map(|variant| Chrf { variant, lowercase: *lowercase });
    let [normalized, no_punctuation, asian_support, case_sensitive] = [0, 1, 2, 3].map(|place| digits.as_bytes()[place] == b'1');
    let ters = [Ter::default(), Ter { normalized, no_punctuation, asian_support, case_sensitive }];
    let stems = Rouge { tokenizer: RougeTokenizer::RougeScore, stemmer: *stemmer };
    let mut found: Vec<f64> = bleus.iter().map(|bleu| bleu.score(&judged).score).collect();
    found.extend(bleus[0].score(&judged).precisions);
    let compared = [
        ("BLEU", differing(&found, bleu)),
        ("chrF", differing(&chrfs.map(|chrf| chrf.score(&judged)), chrf)),
        ("TER", differing(&ters.map(|ter| ter.score(&judged).score), ter)),
    ];
    let of_each = judged.iter().zip(rouge).map(|(text, expected)| ("ROUGE", differing(&stems.statistics(text), expected)));
    let told = |(name, difference): (&str, Option<String>)| Some(format!("{name} {} of {options:?} {texts:?}", difference?));
    let mut wrong: Vec<String> = compared.into_iter().chain(of_each).filter_map(told).collect();
    let mut said: Vec<String> = bleus.iter().map(|bleu| bleu.signature(&judged)).collect();
    said.extend(chrfs.iter().map(|chrf| chrf.signature(&judged)));
    said.extend(ters.iter().map(|ter| ter.signature(&judged)));
    let settings = |signature: &String| signature.split("|version:").next().map(str::to_owned);
    let other = said.iter().zip(signatures).filter(|(said, expected)| settings(said) != settings(expected));
    wrong.extend(other.map(|(said, expected)| format!("{said}, not {expected}")));
    wrong
}

#[test]
fn figures_are_those_of_sacrebleu_and_rouge_score() {
    let golden = golden();
    let tokenizers: Vec<BleuTokenizer> = golden.tokenizers.iter().map(|word| BleuTokenizer::from_word(word).unwrap()).collect();
    let wrong: Vec<String> = golden.corpora.par_iter().flat_map(|corpus| differences(&tokenizers, corpus)).collect();
    assert!(golden.corpora.len() >= 1000);
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong[..wrong.len().min(8)].join("\n"));
}

#[test]
fn intervals_are_those_of_the_figures_recomputed_from_the_same_drawings() {
    let golden = golden();
    let metrics = [
        TextMetric::Bleu(Bleu::default()),
        TextMetric::Chrf(Chrf::new(ChrfVariant::Characters)),
        TextMetric::Chrf(Chrf::new(ChrfVariant::CharactersAndWords)),
        TextMetric::Ter(Ter::default()),
        TextMetric::Rouge(Rouge { tokenizer: RougeTokenizer::RougeScore, stemmer: false }),
    ];
    for (number, (texts, expected)) in golden.intervals.iter().enumerate() {
        let sample = TextGenerationSample::new(&metrics, &judged(texts), None);
        let intervals = Intervals::of(&sample, golden.resamples);
        assert_eq!(sample.names().len(), expected.len());
        for (name, expected) in sample.names().iter().zip(expected) {
            let found = intervals.get(name.key).map(|it| [it.value, it.low, it.high]);
            let difference = match (found, expected) {
                (Some(found), Some(expected)) => differing(&found, expected),
                (found, expected) => (found.is_some() != expected.is_some()).then(|| format!("{found:?}, not {expected:?}")),
            };
            assert_eq!(difference, None, "corpus {number}: {}", name.key);
        }
    }
    assert!(golden.intervals.len() >= 50);
}

/// All kinds of figures.
fn every_metric() -> Vec<TextMetric> {
    vec![
        TextMetric::Bleu(Bleu::default()),
        TextMetric::Chrf(Chrf::new(ChrfVariant::Characters)),
        TextMetric::Chrf(Chrf::new(ChrfVariant::CharactersAndWords)),
        TextMetric::Ter(Ter::default()),
        TextMetric::Rouge(Rouge::default()),
        TextMetric::ExactMatch,
        TextMetric::Distinct,
        TextMetric::Repetition,
        TextMetric::Copying,
    ]
}

#[test]
fn figures_are_printed_and_written_under_their_names() {
    let references = [["the cat sat on the mat".to_owned()], ["le chat".to_owned()]];
    let text = |place: usize, output, source| JudgedText { output, references: &references[place], source: Some(source) };
    let texts = [text(0, "the cat sat on the mat", "a cat sat there"), text(1, "the dog", "the dog")];
    let losses = [TokenLosses { sum: 3.0, tokens: 6 }, TokenLosses { sum: 5.0, tokens: 2 }];
    let sample = TextGenerationSample::new(&every_metric(), &texts, Some(&losses));
    let metrics = TextGenerationMetrics::new(&sample);
    let flat = metrics.flat("eval");
    for (key, expected) in [
        ("eval_exact_match", 50.0),
        ("eval_rouge1", 0.5),
        ("eval_rouge1_recall", 0.5),
        ("eval_distinct_1", 6.0 / 8.0),
        ("eval_repetition_rate", 0.0),
        ("eval_copy_rate", 2.0 / 6.0),
        ("eval_untranslated_rate", 0.5),
        ("eval_loss", 1.0),
        ("eval_perplexity", 1_f64.exp()),
        ("eval_scored_tokens", 8.0),
        ("eval_ter_num_edits", 2.0),
        ("eval_ter", 25.0),
        ("eval_examples", 2.0),
    ] {
        let found = flat[key].as_f64().unwrap_or(f64::NAN);
        assert!((found - expected).abs() < 1e-12, "{key}: {found}, not {expected}");
    }
    assert!(
        flat["eval_bleu_signature"]
            .as_str()
            .unwrap()
            .starts_with("nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:graftling-")
    );
    assert_eq!(metrics.get("rougeL"), flat["eval_rougeL"].as_f64());
    assert_eq!(metrics.get("perplexity"), Some(1_f64.exp()));
    let table = metrics.table();
    for expected in
        ["\nROUGE-Lsum, F1  ", "precision", "untranslated rate", "BLEU: precisions", "\nROUGE   nrefs:1|tok:unicode|stem:no"]
    {
        assert!(table.contains(expected), "{expected}: {table}");
    }
    let names: Vec<&str> = metrics.headline().iter().map(|(name, _)| *name).collect();
    assert_eq!(names.first().zip(names.last()), Some((&"BLEU", &"loss")));
    assert_eq!(sample.right(), Some(vec![true, false]));
    let intervals = Intervals::of(&sample, 100);
    let without: Vec<&str> = sample.names().iter().map(|name| name.key).filter(|key| intervals.get(key).is_none()).collect();
    assert!(without.is_empty(), "every figure has an interval: {without:?}");
}

/// Texts of 5 to 14 words of 400, the first of which are frequent (Zipf's law).
fn drawn_texts(corpus: u64, texts: u64) -> Vec<String> {
    let word = |key: u64, place: u64| format!("w{}", 400_f64.powf(random::unit(key, place)) as usize);
    let text = |text: u64| {
        let key = random::key(7, &[corpus, text]);
        (1..6 + random::below(key, 0, 10) as u64).map(|place| word(key, place)).collect::<Vec<_>>().join(" ")
    };
    (0..texts).map(text).collect()
}

fn distinct_sample(outputs: &[String]) -> TextGenerationSample {
    let texts: Vec<JudgedText<'_>> = outputs.iter().map(|output| JudgedText { output, references: &[], source: None }).collect();
    TextGenerationSample::new(&[TextMetric::Distinct], &texts, None)
}

/// Different words and pairs of words for each word.
fn distinct_by_sets<'a>(texts: impl Iterator<Item = &'a String>) -> [f64; 2] {
    let texts: Vec<Vec<&str>> = texts.map(|text| text.split(' ').collect()).collect();
    let words: HashSet<&str> = texts.iter().flatten().copied().collect();
    let pairs: HashSet<&[&str]> = texts.iter().flat_map(|text| text.windows(2)).collect();
    let all = texts.iter().map(Vec::len).sum::<usize>() as f64;
    [words.len() as f64 / all, pairs.len() as f64 / all]
}

#[test]
fn different_words_of_all_texts_and_of_all_but_one_are_those_of_their_sets() {
    let texts = drawn_texts(0, 40);
    let sample = distinct_sample(&texts);
    assert_eq!(sample.values(&[1; 40])[..], distinct_by_sets(texts.iter()));
    for left_out in 0..texts.len() {
        let mut weights = [1; 40];
        weights[left_out] = 0;
        let others = texts.iter().enumerate().filter(|(place, _)| *place != left_out).map(|(_, text)| text);
        assert_eq!(sample.values(&weights)[..], distinct_by_sets(others), "without text {left_out}");
    }
}

/// What the percentiles of sets drawn anew would miss every time: texts that come again add no words.
#[test]
fn intervals_of_different_words_hold_what_other_texts_of_the_same_kind_have() {
    const CORPORA: u64 = 60;
    let corpora: Vec<Vec<String>> = (0..CORPORA).map(|corpus| drawn_texts(corpus, 60)).collect();
    let figures: Vec<[f64; 2]> = corpora.iter().map(|texts| distinct_by_sets(texts.iter())).collect();
    for (place, key) in ["distinct_1", "distinct_2"].into_iter().enumerate() {
        let mean = figures.iter().map(|figure| figure[place]).sum::<f64>() / CORPORA as f64;
        let deviation = (figures.iter().map(|figure| (figure[place] - mean).powi(2)).sum::<f64>() / CORPORA as f64).sqrt();
        let intervals = corpora.iter().map(|texts| *Intervals::of(&distinct_sample(texts), 200).get(key).expect(key));
        let (mut holding, mut width) = (0, 0.0);
        for interval in intervals {
            assert!(interval.low <= interval.value && interval.value <= interval.high, "{interval:?}");
            holding += u32::from(interval.low <= mean && mean <= interval.high);
            width += (interval.high - interval.low) / CORPORA as f64;
        }
        assert!(holding >= 54, "{key}: {holding} of {CORPORA} intervals hold {mean}");
        // 3.92 deviations, as wide as 95 % of a normal distribution are.
        let ratio = width / (3.92 * deviation);
        assert!((0.8..1.5).contains(&ratio), "{key}: intervals are {ratio} times as wide as figures are spread");
    }
}

#[test]
fn texts_with_fewer_different_words_are_told_apart_by_the_same_drawings() {
    let varied = drawn_texts(1, 60);
    let dull: Vec<String> = varied.iter().map(|text| text.replace("w1", "w").replace("w2", "w")).collect();
    let [one, other] = [&dull, &varied].map(|texts| distinct_sample(texts));
    for difference in Difference::of(&one, &other, 200) {
        let expected = difference.second - difference.first;
        assert!(difference.value == expected && difference.low <= expected && expected <= difference.high, "{difference:?}");
        assert!(difference.low > 0.0 && difference.p_value < 0.05, "{difference:?}");
    }
    assert!(Difference::of(&one, &one, 200).iter().all(|same| (same.value, same.p_value) == (0.0, 1.0)));
}

#[test]
fn nothing_to_judge_gives_no_figure_and_no_panic() {
    let sample = TextGenerationSample::new(&every_metric(), &[], None);
    let metrics = TextGenerationMetrics::new(&sample);
    assert_eq!((metrics.examples, metrics.get("bleu"), metrics.get("rouge1")), (0, Some(0.0), Some(0.0)));
    assert!(metrics.flat("eval")["eval_repetition_rate"].is_null());
    assert!(metrics.table().lines().any(|line| line.split_whitespace().eq(["repetition", "rate", "-"])), "{}", metrics.table());
    assert!(Intervals::of(&sample, 100).figures.is_empty());
    let references = [String::new()];
    let empty = [JudgedText { output: "", references: &references, source: Some("") }];
    let metrics = TextGenerationMetrics::new(&TextGenerationSample::new(&every_metric(), &empty, None));
    assert_eq!(
        ["bleu", "chrf", "ter", "rougeL", "exact_match"].map(|key| metrics.get(key)),
        [0.0, 0.0, 0.0, 0.0, 100.0].map(Some)
    );
}
