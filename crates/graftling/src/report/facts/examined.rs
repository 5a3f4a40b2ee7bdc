//! A split looked at example by example: classes, confusion, calibration, numbers, and the examples that went most wrong.
//! Knows answers and targets; no page.

use graftling_text::Tokenizer;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::data::MOST_OUTPUTS;
use super::{
    ClassFacts, ConfusionFacts, EvaluationFacts, HardFacts, IntervalFacts, MOST_LISTED, MOST_MATRIX_CLASSES, MistakeFacts,
    SampleFacts, ScatterFacts, Standing,
};
use crate::data::Data;
use crate::evaluate::{Examples, Scored};
use crate::metrics::{Calibration, CalibrationSums, ConfusionMatrix, Metrics};
use crate::report::names;
use crate::report::text::{self, CHARACTERS};
use crate::tasks::{Agreement, Judged, Objective, Spoken, Told, Verdict};
use crate::{Evaluation, SplitName};

/// Examples that went wrong and are shown.
const HARDEST: usize = 20;
/// Written texts that are shown of the best, of the worst, and of those in the middle.
const SAMPLES: usize = 3;
/// Mistakes that are listed.
const MISTAKES: usize = 20;
/// Points of a scatter plot.
const POINTS: usize = 1000;

/// What a split was looked at for beyond its figures; what its task does not have is not there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Examined {
    /// Each class, those with the lowest F1 first.
    pub classes: Vec<ClassFacts>,
    /// How many classes there are, listed or not.
    pub classes_in_all: usize,
    pub confusion: Option<ConfusionFacts>,
    pub calibration: Option<Calibration>,
    pub scatter: Vec<ScatterFacts>,
    /// How many answers are wrong, where each is right or wrong by itself.
    pub wrong: Option<usize>,
    /// The answers that are furthest off, the worst first.
    pub hardest: Vec<HardFacts>,
    /// Texts that were written, where that is the task.
    #[serde(default)]
    pub samples: Vec<SampleFacts>,
}

/// A split that was scored, with all that there is to know of it.
pub(crate) struct ScoredSplit<'a> {
    pub objective: &'a dyn Objective,
    pub data: &'a Data,
    pub examples: &'a Examples,
    pub scored: &'a Scored,
    pub tokenizer: &'a Tokenizer,
}

impl EvaluationFacts {
    /// The figures of an evaluation, looked at example by example where it is given.
    pub fn new(split: SplitName, evaluation: &Evaluation, scored: Option<&ScoredSplit<'_>>) -> Self {
        // The prefix is taken off again: every task writes its names behind one.
        let prefix = "x";
        let named = |name: &String| name.strip_prefix("x_").unwrap_or(name).to_owned();
        let figures: Map<String, Value> =
            evaluation.metrics.flat(prefix).into_iter().map(|(name, value)| (named(&name), value)).collect();
        Self {
            split: split.to_string(),
            examples: evaluation.metrics.examples(),
            headline: headline(&evaluation.metrics, &figures),
            figures,
            intervals: evaluation.intervals.as_ref().map(IntervalFacts::of),
            decisions: evaluation.unfitted.as_ref().map(|unfitted| unfitted.decisions.brief(&evaluation.labels)),
            examined: scored.map(|scored| Examined::new(&evaluation.metrics, scored)),
        }
    }
}

/// The names of the figures that matter most, in the order of the headline.
fn headline(metrics: &Metrics, figures: &Map<String, Value>) -> Vec<String> {
    let keys = metrics.headline().into_iter().map(|(told, _)| names::key_of(told));
    keys.filter(|key| figures.contains_key(key)).collect()
}

impl Examined {
    fn new(metrics: &Metrics, split: &ScoredSplit<'_>) -> Self {
        let mut classes: Vec<&_> = metrics.classes().iter().collect();
        classes.sort_by(|one, other| one.figures.f1.total_cmp(&other.figures.f1).then(other.support.cmp(&one.support)));
        let pairs = split.scored.answers.iter().zip(&split.examples.targets);
        let mut errors: Vec<(f64, usize)> = Vec::new();
        let mut sums = CalibrationSums::default();
        let mut outputs: Vec<Vec<[f32; 2]>> = Vec::new();
        let mut asked = false;
        for (place, (answer, target)) in pairs.enumerate() {
            let Some(Judged { verdict, decisions, numbers }) = split.objective.judged(answer, target) else { continue };
            asked |= verdict != Verdict::Open;
            errors.extend(match verdict {
                Verdict::Right | Verdict::Open => None,
                Verdict::Wrong => Some((split.scored.losses.get(place).copied().unwrap_or(0.0), place)),
                Verdict::Off(error) => Some((error, place)),
            });
            decisions.into_iter().for_each(|(confidence, right)| sums.add(f64::from(confidence), right));
            outputs.resize(numbers.len().min(MOST_OUTPUTS).max(outputs.len()), Vec::new());
            outputs.iter_mut().zip(numbers).for_each(|(output, pair)| output.push(pair));
        }
        let wrong = errors.len();
        errors.sort_by(|one, other| other.0.total_cmp(&one.0));
        errors.truncate(HARDEST);
        Self {
            classes: classes.iter().take(MOST_LISTED).map(|class| ClassFacts::of(class)).collect(),
            classes_in_all: classes.len(),
            confusion: metrics.confusion().map(|(confusion, labels)| ConfusionFacts::new(confusion, labels)),
            calibration: sums.finish(),
            scatter: outputs.into_iter().map(ScatterFacts::new).collect(),
            wrong: asked.then_some(wrong),
            hardest: errors.into_iter().map(|(error, place)| split.hard(place, error)).collect(),
            samples: split.samples(),
        }
    }
}

impl ScoredSplit<'_> {
    /// The texts that agree best and least with their references, and those in the middle.
    fn samples(&self) -> Vec<SampleFacts> {
        let pairs = self.scored.answers.iter().zip(&self.examples.targets).enumerate();
        let agreement = |(place, (answer, target))| Some((place, self.objective.agreement(answer, target)?));
        let agreements: Vec<(usize, Agreement)> = pairs.filter_map(agreement).collect();
        let values: Vec<f64> = agreements.iter().map(|(_, agreement)| agreement.value).collect();
        let chosen = chosen(&values).into_iter().map(|(standing, chosen)| (standing, agreements[chosen]));
        chosen.filter_map(|(standing, (place, agreement))| self.sample(place, standing, agreement)).collect()
    }

    fn sample(&self, place: usize, standing: Standing, agreement: Agreement) -> Option<SampleFacts> {
        let Told::Written { reference, written: Some(written) } = self.told(place) else { return None };
        let [reference, written] = [reference, written].map(|text| text::cut(&text, CHARACTERS));
        let Agreement { measure, value } = agreement;
        let (line, source) = (self.data.line(place), self.texts(place).into_iter().next()?);
        Some(SampleFacts { standing, agreement: value, measure: measure.to_owned(), line, source, reference, written })
    }

    fn hard(&self, place: usize, error: f64) -> HardFacts {
        HardFacts { line: self.data.line(place), error, texts: self.texts(place), told: self.told(place) }
    }

    /// The texts of an example, as much of them as is kept.
    fn texts(&self, place: usize) -> Vec<String> {
        self.data.texts_of(place).into_iter().map(|text| text::cut(text, CHARACTERS)).collect()
    }

    fn told(&self, place: usize) -> Told {
        let seen = self.examples.tokenized.words_seen(place);
        let words = self.data.sentences().map(|sentences| &sentences[place]);
        let windows = self.examples.tokenized.windows(place);
        let spoken = Spoken { seen: &seen, words, windows, tokenizer: Some(self.tokenizer) };
        self.objective.told(&self.scored.answers[place], &self.examples.targets[place], &spoken)
    }
}

/// The places of the best agreements, the best first; of those in the middle; and of the worst, the worst first. Of equal ones that of the
/// earlier text is the better. No text is chosen twice; of two texts none is in the middle.
fn chosen(agreements: &[f64]) -> Vec<(Standing, usize)> {
    let mut ranked: Vec<usize> = (0..agreements.len()).collect();
    // One that is not defined is none at all.
    let value = |place: usize| if agreements[place].is_nan() { f64::NEG_INFINITY } else { agreements[place] };
    ranked.sort_by(|&one, &other| value(other).total_cmp(&value(one)));
    let all = ranked.len();
    let each = SAMPLES.min(all / 3).max(1);
    let best = ranked.iter().take(each).map(|&place| (Standing::Best, place));
    let middle = if all < 3 { 0..0 } else { (all - each) / 2..(all - each) / 2 + each };
    let median = ranked[middle].iter().map(|&place| (Standing::Median, place));
    let worst = ranked.iter().skip(1).rev().take(each).map(|&place| (Standing::Worst, place));
    best.chain(median).chain(worst).collect()
}

impl ConfusionFacts {
    fn new(confusion: &ConfusionMatrix, labels: Vec<String>) -> Self {
        let is_small = labels.len() <= MOST_MATRIX_CLASSES;
        let mistake = |cell: &crate::metrics::Confusion| MistakeFacts {
            label: labels[cell.truth].clone(),
            predicted: labels[cell.predicted].clone(),
            count: cell.count,
            support: confusion.support(cell.truth),
        };
        let cells = confusion.cells().filter(|_| is_small);
        Self {
            classes: labels.len(),
            cells: cells.map(|cell| [cell.truth as u64, cell.predicted as u64, cell.count]).collect(),
            mistakes: confusion.top_confusions(MISTAKES).iter().map(mistake).collect(),
            labels: if is_small { labels } else { Vec::new() },
        }
    }
}

impl ScatterFacts {
    fn new(mut pairs: Vec<[f32; 2]>) -> Self {
        pairs.retain(|pair| pair.iter().all(|value| value.is_finite()));
        let each = pairs.len().div_ceil(POINTS).max(1);
        Self { of: pairs.len(), points: pairs.into_iter().step_by(each).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_the_middling_and_the_worst_are_chosen_by_their_agreement_and_none_twice() {
        type Chosen<'a> = [&'a [usize]; 3];
        let cases: [(&[f64], Chosen<'_>); 9] = [
            (&[], [&[], &[], &[]]),
            (&[0.5], [&[0], &[], &[]]),
            (&[0.1, 0.9], [&[1], &[], &[0]]),
            (&[0.1, 0.9, 0.5], [&[1], &[2], &[0]]),
            (&[0.1, 0.2, 0.3, 0.4, 0.5], [&[4], &[2], &[0]]),
            (&[0.1, 0.9, 0.2, 0.8, 0.3, 0.7, 0.4, 0.6, 0.5], [&[1, 3, 5], &[7, 8, 6], &[0, 2, 4]]),
            (&[0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0], [&[10, 9, 8], &[6, 5, 4], &[0, 1, 2]]),
            // Of equal ones the earlier goes first.
            (&[0.5, 0.5, 0.5, 1.0, 0.5, 0.0], [&[3, 0], &[1, 2], &[5, 4]]),
            (&[f64::NAN, 0.0, 0.5], [&[2], &[1], &[0]]),
        ];
        for (agreements, expected) in cases {
            let found = chosen(agreements);
            let of = |standing| found.iter().filter(|it| it.0 == standing).map(|it| it.1).collect::<Vec<_>>();
            assert_eq!([of(Standing::Best), of(Standing::Median), of(Standing::Worst)], expected, "{agreements:?}");
        }
    }
}
