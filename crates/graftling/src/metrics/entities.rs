//! The figures of entities found in sentences, as seqeval 1.2.2 counts them: in its default mode, and in its strict mode where the tags
//! have a scheme; and of tags that spell no entities, each of which is a class of words. Knows tags only; no model and no word.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Map, Value, json};

use super::confusion_matrix::ConfusionMatrix;
use super::counts::Counts;
use super::scheme::{Scheme, Span, tolerant_entities};
use super::tables::{aligned, classes_table, row};
use super::{Averages, ClassMetrics};
use crate::recipe::BestMetric;

/// The figures of one evaluation.
#[derive(Clone, Debug, PartialEq)]
pub struct EntityMetrics {
    /// Sentences evaluated.
    pub examples: u64,
    /// Mean loss over all words.
    pub loss: f64,
    /// Share of words whose tag was predicted.
    pub accuracy: f64,
    /// What is found.
    pub units: Units,
    /// By the tolerant rules of `conlleval`, seqeval's default mode; of words, by their tags.
    pub default: EntityFigures,
    /// By the letter of the scheme that the tags are written in, where they have one.
    pub strict: Option<(Scheme, EntityFigures)>,
    /// The tags that words have or were given: those of a type side by side, and those without one last.
    pub tags: Vec<String>,
    /// Which of these tags was taken for which, word by word.
    pub confusion: ConfusionMatrix,
}

/// What tags stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Units {
    /// Entities of one word or more.
    Entities,
    /// Words, each by itself: parts of speech, for instance.
    Words,
}

/// Entities that are right when type, beginning and end are; or words that are right when their tag is.
#[derive(Clone, Debug, PartialEq)]
pub struct EntityFigures {
    /// All entities pooled.
    pub micro: Averages,
    /// Mean over types.
    pub macro_: Averages,
    /// Mean over types, each weighing as many entities as it has.
    pub weighted: Averages,
    /// Each type, in the order of the names.
    pub types: Vec<ClassMetrics>,
}

impl EntityMetrics {
    /// The figures of predicted tags against true ones, sentence by sentence; in the strict mode by the letter of a scheme, where there is one.
    ///
    /// # Panics
    /// If there are not as many predicted sentences and words as true ones.
    pub fn with_scheme<T: AsRef<str>>(scheme: Option<Scheme>, truths: &[Vec<T>], predictions: &[Vec<T>], loss: f64) -> Self {
        let default = EntityFigures::new(&SpanCounts::tolerant(truths, predictions));
        let strict = |scheme| Some((scheme, EntityFigures::new(&SpanCounts::strict(scheme, truths, predictions)?)));
        let strict = scheme.and_then(strict);
        Self { units: Units::Entities, default, strict, ..Self::of_words(truths, predictions, loss) }
    }

    /// Of tags that spell no entities: each is a class of words, judged as scikit-learn judges classes.
    ///
    /// # Panics
    /// If there are not as many predicted sentences and words as true ones.
    pub fn of_words<T: AsRef<str>>(truths: &[Vec<T>], predictions: &[Vec<T>], loss: f64) -> Self {
        assert_eq!(truths.len(), predictions.len(), "entity metrics: sentences");
        let words: u64 = truths.iter().map(|truth| truth.len() as u64).sum();
        let right: u64 = truths.iter().zip(predictions).map(|(truth, said)| right_words(truth, said)).sum();
        let (tags, confusion) = confusion(truths, predictions);
        Self {
            examples: truths.len() as u64,
            loss,
            accuracy: if words == 0 { 0.0 } else { right as f64 / words as f64 },
            units: Units::Words,
            default: EntityFigures::new(&SpanCounts::of_words(truths, predictions)),
            strict: None,
            tags,
            confusion,
        }
    }

    /// The figures that matter most, each with its name in a line of text.
    pub fn headline(&self) -> Vec<(&'static str, f64)> {
        let last = [("tag accuracy", self.accuracy), ("loss", self.loss)];
        match self.units {
            Units::Entities => {
                let strict = self.strict.as_ref().map(|(_, strict)| ("strict F1", strict.micro.f1));
                [("entity F1", self.default.micro.f1)].into_iter().chain(strict).chain(last).collect()
            }
            Units::Words => [("macro F1", self.default.macro_.f1)].into_iter().chain(last).collect(),
        }
    }

    /// The figure a recipe chose to judge checkpoints by, if it is one of entities.
    pub fn value(&self, metric: BestMetric) -> Option<f64> {
        match metric {
            BestMetric::F1 => Some(self.default.micro.f1),
            // Tags that spell no scheme have no such figure.
            BestMetric::StrictF1 => Some(self.strict.as_ref().map_or(f64::NAN, |(_, strict)| strict.micro.f1)),
            BestMetric::F1Macro => Some(self.default.macro_.f1),
            BestMetric::F1Weighted => Some(self.default.weighted.f1),
            BestMetric::Accuracy => Some(self.accuracy),
            BestMetric::Loss => Some(self.loss),
            _ => None,
        }
    }

    /// Every figure that is not of one type: the default ones under the names that transformers' example scripts give them
    /// (`eval_precision`, `eval_recall`, `eval_f1`, `eval_accuracy`), the strict ones with `strict` before theirs.
    pub fn flat(&self, prefix: &str) -> Map<String, Value> {
        let mut flat = Map::new();
        let mut put = |name: &str, value: Value| flat.insert(format!("{prefix}_{name}"), value);
        put("loss", json!(self.loss));
        put("accuracy", json!(self.accuracy));
        let modes = [("", Some(&self.default)), ("strict_", self.strict.as_ref().map(|(_, figures)| figures))];
        for (mode, figures) in modes.into_iter().filter_map(|(mode, figures)| Some((mode, figures?))) {
            for (average, figures) in [("", figures.micro), ("_macro", figures.macro_), ("_weighted", figures.weighted)] {
                put(&format!("{mode}precision{average}"), json!(figures.precision));
                put(&format!("{mode}recall{average}"), json!(figures.recall));
                put(&format!("{mode}f1{average}"), json!(figures.f1));
            }
        }
        put("scheme", json!(self.strict.as_ref().map(|(scheme, _)| scheme.to_string())));
        put("examples", json!(self.examples));
        flat
    }

    /// Precision, recall and F1 of each type and averaged, in both modes where there are two and they differ.
    pub fn table(&self) -> String {
        if self.units == Units::Words {
            return self.default.table_of_words();
        }
        let default = self.default.table();
        match &self.strict {
            None => format!("entities, seqeval's default mode; its strict mode knows no scheme of these tags\n{default}"),
            Some((scheme, strict)) if *strict == self.default => {
                format!("entities, the same in seqeval's default mode and in its strict mode ({scheme})\n{default}")
            }
            Some((scheme, strict)) => format!(
                "entities, seqeval's default mode\n{default}\nentities, seqeval's strict mode ({scheme})\n{}",
                strict.table()
            ),
        }
    }
}

/// Of how many words the tag was said.
pub(super) fn right_words<T: AsRef<str>>(truth: &[T], said: &[T]) -> u64 {
    assert_eq!(truth.len(), said.len(), "entity metrics: words");
    truth.iter().zip(said).filter(|(truth, said)| truth.as_ref() == said.as_ref()).count() as u64
}

/// Every tag that occurs, by its type and then its letter, tags without a type last; and which was taken for which.
fn confusion<T: AsRef<str>>(truths: &[Vec<T>], predictions: &[Vec<T>]) -> (Vec<String>, ConfusionMatrix) {
    let order = |tag: &'_ str| {
        let (letter, kind) = tag.split_once('-').unwrap_or((tag, ""));
        (kind.is_empty(), kind.to_owned(), letter.to_owned())
    };
    let all = truths.iter().chain(predictions).flatten().map(AsRef::as_ref);
    let mut tags: Vec<&str> = all.collect::<BTreeSet<_>>().into_iter().collect();
    tags.sort_by_cached_key(|tag| order(tag));
    let places: HashMap<&str, usize> = tags.iter().enumerate().map(|(place, tag)| (*tag, place)).collect();
    let words = truths.iter().flatten().zip(predictions.iter().flatten());
    let pairs = words.map(|(truth, said)| (places[truth.as_ref()], places[said.as_ref()]));
    let confusion = ConfusionMatrix::from_pairs(tags.len(), pairs);
    (tags.into_iter().map(str::to_owned).collect(), confusion)
}

/// What was right, predicted and true of each type, sentence by sentence.
pub(super) struct SpanCounts {
    /// Every type that occurs, in the order of the names.
    pub types: Vec<String>,
    /// Of each sentence the types that it has.
    sentences: Vec<Vec<(usize, Counts)>>,
}

impl SpanCounts {
    /// By the tolerant rules of `conlleval`.
    pub fn tolerant<T: AsRef<str>>(truths: &[Vec<T>], predictions: &[Vec<T>]) -> Self {
        let entities = |sentences: &[Vec<T>]| sentences.iter().map(|tags| tolerant_entities(tags)).collect::<Vec<_>>();
        Self::new(&entities(truths), &entities(predictions))
    }

    /// Of each word by itself.
    pub fn of_words<T: AsRef<str>>(truths: &[Vec<T>], predictions: &[Vec<T>]) -> Self {
        let word = |(place, tag): (usize, &T)| Span { kind: tag.as_ref().to_owned(), start: place, end: place + 1 };
        let words = |sentences: &[Vec<T>]| -> Vec<Vec<Span>> {
            sentences.iter().map(|tags| tags.iter().enumerate().map(word).collect()).collect()
        };
        Self::new(&words(truths), &words(predictions))
    }

    /// By the letter of a scheme; `None` where the tags are not of it.
    pub fn strict<T: AsRef<str>>(scheme: Scheme, truths: &[Vec<T>], predictions: &[Vec<T>]) -> Option<Self> {
        let entities = |sentences: &[Vec<T>]| sentences.iter().map(|tags| scheme.entities(tags)).collect::<Option<Vec<_>>>();
        Some(Self::new(&entities(truths)?, &entities(predictions)?))
    }

    fn new(truths: &[Vec<Span>], predictions: &[Vec<Span>]) -> Self {
        let all = truths.iter().chain(predictions).flatten().map(|span| span.kind.as_str());
        let types: Vec<&str> = all.collect::<BTreeSet<_>>().into_iter().collect();
        let place = |span: &Span| types.binary_search(&span.kind.as_str()).expect("every type is listed");
        let of_sentence = |(truths, predictions): (&Vec<Span>, &Vec<Span>)| {
            let mut counts: BTreeMap<usize, Counts> = BTreeMap::new();
            let truths: BTreeSet<&Span> = truths.iter().collect();
            let predictions: BTreeSet<&Span> = predictions.iter().collect();
            for span in truths.union(&predictions) {
                let decision = Counts::of(truths.contains(*span), predictions.contains(*span));
                counts.entry(place(span)).or_default().add(decision, 1);
            }
            counts.into_iter().collect()
        };
        let sentences = truths.iter().zip(predictions).map(of_sentence).collect();
        Self { types: types.into_iter().map(str::to_owned).collect(), sentences }
    }

    /// Of each type, where each sentence counts `times` times.
    pub fn counts(&self, times: impl Fn(usize) -> u64) -> Vec<Counts> {
        let mut all = vec![Counts::default(); self.types.len()];
        for (place, sentence) in self.sentences.iter().enumerate() {
            let times = times(place);
            sentence.iter().for_each(|(kind, counts)| all[*kind].add(*counts, times));
        }
        all
    }
}

impl EntityFigures {
    fn new(spans: &SpanCounts) -> Self {
        let counts = spans.counts(|_| 1);
        let types: Vec<ClassMetrics> =
            spans.types.iter().zip(&counts).map(|(kind, counts)| ClassMetrics::new(kind, *counts)).collect();
        Self {
            micro: Counts::pooled(&counts).figures(),
            macro_: Averages::mean(types.iter().map(|of_type| (1, of_type.figures))),
            weighted: Averages::mean(types.iter().map(|of_type| (of_type.support, of_type.figures))),
            types,
        }
    }

    fn table(&self) -> String {
        let entities: u64 = self.types.iter().map(|of_type| of_type.support).sum();
        let (title, mut rows) = classes_table(["type", "types"], &self.types);
        for (name, figures) in [("micro", self.micro), ("macro", self.macro_), ("weighted", self.weighted)] {
            rows.push(row(name, &figures, entities));
        }
        format!("{title}{}", aligned(&rows, 1))
    }

    /// Pooled they are the accuracy, which is told elsewhere.
    fn table_of_words(&self) -> String {
        let words: u64 = self.types.iter().map(|of_tag| of_tag.support).sum();
        let (title, mut rows) = classes_table(["tag", "tags"], &self.types);
        rows.extend([("macro", self.macro_), ("weighted", self.weighted)].map(|(name, figures)| row(name, &figures, words)));
        format!("{title}{}", aligned(&rows, 1))
    }
}
