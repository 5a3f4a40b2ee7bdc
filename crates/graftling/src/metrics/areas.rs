//! The areas under the curves of scores: ROC-AUC and average precision, where each example counts so many times. Knows numbers only.
//!
//! Decisions are sorted once; areas for any weights of the examples are then one walk over them.

use rayon::prelude::*;

/// How many decisions (examples times classes) may stand in drawings of the examples: an area is a walk over them for each drawing.
pub(super) const MOST_DRAWN: usize = 1 << 21;

/// Decisions by falling score.
struct Column {
    decisions: Vec<Decision>,
}

struct Decision {
    example: u32,
    holds: bool,
    /// Whether the next one has the same score.
    is_tied: bool,
}

/// The two areas; absent where one is not defined: without an example that holds, or for ROC-AUC without one that does not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Area {
    /// The share of pairs of one that holds and one that does not in which the former has the higher score; equal ones count half.
    pub roc_auc: Option<f64>,
    /// The sum of each precision times the recall that it adds.
    pub average_precision: Option<f64>,
}

/// The curves of an evaluation: one for each class against the rest (of two classes that of the second), or for each label.
pub(super) struct Areas {
    columns: Vec<Column>,
    /// All decisions in one, where labels hold or not by themselves.
    pooled: Option<Column>,
}

impl Areas {
    /// Of one class an example: `classes` probabilities for each, end to end.
    pub fn of_classes(classes: usize, probabilities: &[f32], truths: &[usize]) -> Self {
        let decided = if classes == 2 { 1..2 } else { 0..classes };
        let column = |class: usize| {
            let of_class = probabilities.iter().skip(class).step_by(classes).zip(truths);
            Column::new(of_class.enumerate().map(|(example, (p, truth))| (*p, example, *truth == class)).collect())
        };
        Self { columns: decided.into_par_iter().map(column).collect(), pooled: None }
    }

    /// Of labels that hold or not by themselves: one probability and truth for each label of each example, end to end.
    pub fn of_labels(labels: usize, probabilities: &[f32], truths: &[bool]) -> Self {
        let all = || probabilities.iter().zip(truths).enumerate().map(|(place, (p, truth))| (*p, place / labels, *truth));
        let column = |label: usize| Column::new(all().skip(label).step_by(labels).collect());
        Self { columns: (0..labels).into_par_iter().map(column).collect(), pooled: Some(Column::new(all().collect())) }
    }

    /// The mean over the curves, where an example counts so many times; absent where one of them is not defined.
    pub fn mean(&self, times: impl Fn(usize) -> u64 + Sync) -> Area {
        let each: Vec<Area> = self.columns.iter().map(|column| column.area(&times)).collect();
        let mean_of = |area: fn(&Area) -> Option<f64>| {
            let all: Option<Vec<f64>> = each.iter().map(area).collect();
            all.filter(|all| !all.is_empty()).map(|all| all.iter().sum::<f64>() / all.len() as f64)
        };
        Area { roc_auc: mean_of(|area| area.roc_auc), average_precision: mean_of(|area| area.average_precision) }
    }

    /// Of all decisions of labels in one curve.
    pub fn pooled(&self, times: impl Fn(usize) -> u64) -> Option<Area> {
        self.pooled.as_ref().map(|pooled| pooled.area(times))
    }
}

impl Column {
    /// Of the score of each decision, its example, and whether it holds.
    fn new(mut scored: Vec<(f32, usize, bool)>) -> Self {
        scored.sort_by(|one, other| other.0.total_cmp(&one.0));
        let tied = |place: usize| scored.get(place + 1).is_some_and(|next| next.0 == scored[place].0);
        let decision = |place: usize| Decision { example: scored[place].1 as u32, holds: scored[place].2, is_tied: tied(place) };
        Self { decisions: (0..scored.len()).map(decision).collect() }
    }

    fn area(&self, times: impl Fn(usize) -> u64) -> Area {
        let (mut under_roc, mut under_precision) = (0.0, 0.0);
        // So far, and of those with the same score.
        let (mut holding, mut others) = (0, 0);
        let (mut new_holding, mut new_others) = (0, 0);
        for decision in &self.decisions {
            let times = times(decision.example as usize);
            if decision.holds {
                new_holding += times;
            } else {
                new_others += times;
            }
            if decision.is_tied || new_holding + new_others == 0 {
                continue;
            }
            under_roc += new_others as f64 * (holding as f64 + 0.5 * new_holding as f64);
            holding += new_holding;
            others += new_others;
            under_precision += new_holding as f64 * holding as f64 / (holding + others) as f64;
            (new_holding, new_others) = (0, 0);
        }
        Area {
            roc_auc: (holding > 0 && others > 0).then(|| under_roc / (holding as f64 * others as f64)),
            average_precision: (holding > 0).then(|| under_precision / holding as f64),
        }
    }
}
