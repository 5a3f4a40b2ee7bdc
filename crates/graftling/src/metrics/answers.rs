//! The figures of answers to questions, as SQuAD's scripts count them (Rajpurkar and others, 2016 and 2018). Knows texts only; no model.

use serde_json::{Map, Value, json};

use super::answer_words::{Segmentation, has_han_or_kana, words};
use super::tables::{aligned, figure};
use crate::recipe::BestMetric;

/// An answer, and what it should have been.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct JudgedAnswer<'a> {
    /// The answers of the data; none where the context has none.
    pub golds: &'a [String],
    /// The answer that was given; empty where it is that there is none.
    pub answer: &'a str,
    /// The best passage, whether it was the answer or not.
    pub passage: &'a str,
    /// By how much no answer was preferred to it, where an answer may be empty.
    pub null_score_diff: Option<f32>,
}

/// How well answers agree with those of the data, in percent, as SQuAD's scripts write it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AnswerFigures {
    /// Questions.
    pub total: u64,
    /// Share of the answers with the words of one of the data's.
    pub exact_match: f64,
    /// Mean over questions of the F1 of words, against the answer of the data that it agrees with best.
    pub f1: f64,
}

/// The figures of questions with an answer and of those without.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AnswerParts {
    /// Of questions that have an answer, where there are any.
    pub has_answer: Option<AnswerFigures>,
    /// Of questions that have none.
    pub no_answer: AnswerFigures,
}

/// What a threshold for no answer could have reached on these questions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BestThreshold {
    /// The best figure, in percent.
    pub figure: f64,
    /// The `null_score_diff_threshold` that gives it, or 0 where answering nothing does, as SQuAD 2.0's script has it.
    pub threshold: f64,
    /// Whether answering nothing at all is as good as any threshold.
    pub by_silence: bool,
}

/// The figures of one evaluation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AnswerMetrics {
    /// The mean loss over all windows.
    pub loss: f64,
    /// Of all questions: by the rules of SQuAD 1.1, or of 2.0 where some have no answer.
    pub all: AnswerFigures,
    /// The questions with and without an answer apart, where some have none.
    pub parts: Option<AnswerParts>,
    /// The best exact match and the best F1 that a threshold could have reached, where some questions have no answer and answers may be
    /// empty.
    pub best: Option<[BestThreshold; 2]>,
    /// Of all questions with each Chinese character and each kana a word of its own, where there are such.
    pub mixed: Option<AnswerFigures>,
}

/// Exact match and F1 of one answer, from 0 to 1.
pub(super) type Scores = [f64; 2];

/// Those of each answer, and with each Chinese character and each kana a word of its own where there are such. Where any question has no
/// answer, empty answers are judged by the rules of SQuAD 2.0.
pub(super) fn scores(answers: &[JudgedAnswer<'_>]) -> (Vec<Scores>, Option<Vec<Scores>>) {
    let rules = if answers.iter().any(|judged| judged.golds.is_empty()) { Rules::Squad2 } else { Rules::Squad1 };
    let scored = |segmentation| -> Vec<Scores> {
        answers.iter().map(|judged| rules.best(judged.golds, judged.answer, segmentation)).collect()
    };
    let chinese =
        |judged: &JudgedAnswer<'_>| has_han_or_kana(judged.answer) || judged.golds.iter().any(|gold| has_han_or_kana(gold));
    (scored(Segmentation::Squad), answers.iter().any(chinese).then(|| scored(Segmentation::Mixed)))
}

impl AnswerMetrics {
    /// The figures of answers. Where any question has no answer, empty answers are judged by the rules of SQuAD 2.0.
    pub fn new(answers: &[JudgedAnswer<'_>], loss: f64) -> Self {
        let empty_count = answers.iter().any(|judged| judged.golds.is_empty());
        let (scores, mixed) = scores(answers);
        let part = |unanswerable: bool| {
            let of_part = answers.iter().zip(&scores).filter(|(judged, _)| judged.golds.is_empty() == unanswerable);
            AnswerFigures::new(of_part.map(|(_, scores)| scores))
        };
        let parts = empty_count
            .then(|| AnswerParts { has_answer: Some(part(false)).filter(|figures| figures.total > 0), no_answer: part(true) });
        let mixed = mixed.map(|scores| AnswerFigures::new(&scores));
        let best = if empty_count { best_thresholds(answers) } else { None };
        Self { loss, all: AnswerFigures::new(&scores), parts, best, mixed }
    }

    /// How many questions there were.
    pub fn examples(&self) -> u64 {
        self.all.total
    }

    /// The figure a recipe chose to judge checkpoints by, if it is one of answers. Without a Chinese character or a kana the mixed figures
    /// are the plain ones.
    pub fn value(&self, metric: BestMetric) -> Option<f64> {
        match metric {
            BestMetric::F1 => Some(self.all.f1),
            BestMetric::ExactMatch => Some(self.all.exact_match),
            BestMetric::F1Mixed => Some(self.mixed.unwrap_or(self.all).f1),
            BestMetric::Loss => Some(self.loss),
            _ => None,
        }
    }

    /// The figures that matter most.
    pub fn headline(&self) -> Vec<(&'static str, f64)> {
        let mixed = self.mixed.iter().flat_map(|mixed| [("exact match mixed", mixed.exact_match), ("F1 mixed", mixed.f1)]);
        let first = [("exact match", self.all.exact_match), ("F1", self.all.f1)];
        first.into_iter().chain(mixed).chain([("loss", self.loss)]).collect()
    }

    /// Every figure: those of all questions as `eval_exact_match` and `eval_f1`, and where some have no answer those of the parts
    /// under the names of SQuAD 2.0's script (`eval_HasAns_f1`, `eval_NoAns_exact`, `eval_best_f1_thresh`).
    pub fn flat(&self, prefix: &str) -> Map<String, Value> {
        let mut flat = Map::new();
        let mut put = |name: &str, value: Value| flat.insert(format!("{prefix}_{name}"), value);
        put("loss", json!(self.loss));
        put("exact_match", json!(self.all.exact_match));
        put("f1", json!(self.all.f1));
        if let Some(parts) = &self.parts {
            let named = [("HasAns", parts.has_answer), ("NoAns", Some(parts.no_answer))];
            for (name, figures) in named.into_iter().filter_map(|(name, figures)| Some((name, figures?))) {
                put(&format!("{name}_exact"), json!(figures.exact_match));
                put(&format!("{name}_f1"), json!(figures.f1));
                put(&format!("{name}_total"), json!(figures.total));
            }
        }
        for (name, best) in ["exact", "f1"].into_iter().zip(self.best.iter().flatten()) {
            put(&format!("best_{name}"), json!(best.figure));
            put(&format!("best_{name}_thresh"), json!(best.threshold));
        }
        if let Some(mixed) = &self.mixed {
            put("exact_match_mixed", json!(mixed.exact_match));
            put("f1_mixed", json!(mixed.f1));
        }
        flat
    }

    /// The figures as text.
    pub fn table(&self) -> String {
        let row = |name: &str, figures: &AnswerFigures| {
            vec![name.to_owned(), figure(figures.exact_match), figure(figures.f1), figures.total.to_string()]
        };
        let mut rows = vec![["questions", "exact match", "f1", "total"].map(str::to_owned).to_vec()];
        if let Some(parts) = &self.parts {
            rows.extend(parts.has_answer.iter().map(|figures| row("with an answer", figures)));
            rows.push(row("without an answer", &parts.no_answer));
        }
        rows.push(row("all", &self.all));
        rows.extend(self.mixed.iter().map(|mixed| row("all, by mixed segmentation", mixed)));
        let mut text = aligned(&rows, 1);
        if self.mixed.is_some() {
            text += "SQuAD's figures take words apart at white space alone; by mixed segmentation each Chinese character and each kana is a word\n";
        }
        if let Some([exact, f1]) = &self.best {
            let way = |best: &BestThreshold| match best.by_silence {
                true => "with no answer to any question".to_owned(),
                false => format!("with null_score_diff_threshold {}", best.threshold as f32),
            };
            let (one, other) = (way(exact), way(f1));
            let second = if one == other { "and".to_owned() } else { other };
            let (exact, f1) = (figure(exact.figure), figure(f1.figure));
            text += &format!("{one} the exact match would be {exact}, {second} the f1 {f1}\n");
        }
        text
    }
}

impl AnswerFigures {
    /// The means, summed in the order of the questions as the scripts do; 0 without questions.
    fn new<'a>(scores: impl IntoIterator<Item = &'a Scores>) -> Self {
        let (mut total, mut sums) = (0_u64, [0.0; 2]);
        for scores in scores {
            total += 1;
            sums.iter_mut().zip(scores).for_each(|(sum, score)| *sum += score);
        }
        let [exact_match, f1] = sums.map(|sum| 100.0 * sum / total.max(1) as f64);
        Self { total, exact_match, f1 }
    }
}

/// Which of SQuAD's scripts is followed; they differ in answers of which no word is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rules {
    /// Two answers without a word match exactly, with an F1 of 0.
    Squad1,
    /// They agree wholly; answers of the data without a word are passed over, and where none is left the empty answer is right.
    Squad2,
}

impl Rules {
    /// The scores against the answers of the data, the best of each.
    fn best(self, golds: &[String], answer: &str, segmentation: Segmentation) -> Scores {
        let said = words(answer, segmentation);
        let mut golds: Vec<Vec<String>> = golds.iter().map(|gold| words(gold, segmentation)).collect();
        if self == Self::Squad2 {
            golds.retain(|gold| !gold.is_empty());
            if golds.is_empty() {
                golds.push(Vec::new());
            }
        }
        let scores = golds.iter().map(|gold| self.scores(gold, &said));
        scores.fold([0.0; 2], |best, scores| [best[0].max(scores[0]), best[1].max(scores[1])])
    }

    fn scores(self, gold: &[String], said: &[String]) -> Scores {
        let exact = if gold == said { 1.0 } else { 0.0 };
        if gold.is_empty() || said.is_empty() {
            return [exact, if self == Self::Squad2 { exact } else { 0.0 }];
        }
        let mut rest: Vec<&String> = gold.iter().collect();
        let mut common = 0_u32;
        for word in said {
            if let Some(place) = rest.iter().position(|other| *other == word) {
                rest.swap_remove(place);
                common += 1;
            }
        }
        if common == 0 {
            return [exact, 0.0];
        }
        let (precision, recall) = (f64::from(common) / said.len() as f64, f64::from(common) / gold.len() as f64);
        [exact, 2.0 * precision * recall / (precision + recall)]
    }
}

/// The best exact match and F1 over all thresholds (`find_best_thresh` of SQuAD 2.0's script): answers that are not empty are the best
/// passages, and one is empty where no answer is preferred by more than the threshold.
fn best_thresholds(answers: &[JudgedAnswer<'_>]) -> Option<[BestThreshold; 2]> {
    let differences: Vec<f64> = answers.iter().map(|judged| judged.null_score_diff.map(f64::from)).collect::<Option<_>>()?;
    let scores: Vec<Scores> =
        answers.iter().map(|judged| Rules::Squad2.best(judged.golds, judged.passage, Segmentation::Squad)).collect();
    let mut order: Vec<usize> = (0..answers.len()).collect();
    order.sort_by(|&one, &other| differences[one].total_cmp(&differences[other]));
    let unanswerable = answers.iter().filter(|judged| judged.golds.is_empty()).count() as f64;
    Some([0, 1].map(|figure| {
        let (mut sum, mut best) = (unanswerable, BestThreshold { figure: unanswerable, threshold: 0.0, by_silence: true });
        for &place in &order {
            let JudgedAnswer { golds, passage, .. } = answers[place];
            sum += match (golds.is_empty(), passage.is_empty()) {
                (false, _) => scores[place][figure],
                (true, false) => -1.0,
                (true, true) => 0.0,
            };
            if sum > best.figure {
                best = BestThreshold { figure: sum, threshold: differences[place], by_silence: false };
            }
        }
        BestThreshold { figure: 100.0 * best.figure / answers.len() as f64, ..best }
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// The scripts write figures with nine places, and torchmetrics computes those of SQuAD 1.1 in single precision.
    const ROUNDED: f64 = 1e-8;
    const SINGLE: f64 = 1e-6;
    /// The same in percent.
    const PERCENT: f64 = 1e-4;

    fn golden() -> Value {
        serde_json::from_str(include_str!("../../tests/golden/answers.json")).expect("golden answers")
    }

    fn texts(value: &Value) -> Vec<String> {
        value.as_array().expect("texts").iter().map(|text| text.as_str().expect("a text").to_owned()).collect()
    }

    /// The answers of the data in a case.
    fn golds(case: &Value) -> Vec<String> {
        case[0].as_str().into_iter().flat_map(|golds| golds.split('|')).map(str::to_owned).collect()
    }

    fn near(figure: f64, expected: &Value, tolerance: f64) -> bool {
        expected.as_f64().is_some_and(|expected| (figure - expected).abs() <= tolerance)
    }

    #[test]
    fn answers_are_judged_as_the_scripts_judge_them() {
        let golden = golden();
        let mut wrong = Vec::new();
        for case in golden["cases"].as_array().expect("cases") {
            let (golds, said) = (golds(case), case[1].as_str().expect("an answer"));
            let mixed = if golds.is_empty() { Rules::Squad2 } else { Rules::Squad1 };
            let judged = [
                (Rules::Squad1, Segmentation::Squad, 2, SINGLE),
                (Rules::Squad2, Segmentation::Squad, 4, ROUNDED),
                (mixed, Segmentation::Mixed, 6, ROUNDED),
            ];
            for (rules, segmentation, column, tolerance) in judged {
                if case[column].is_null() {
                    continue;
                }
                let scores = rules.best(&golds, said, segmentation);
                if !near(scores[0], &case[column], tolerance) || !near(scores[1], &case[column + 1], tolerance) {
                    wrong.push(format!("{rules:?} {segmentation:?}: {scores:?} of {case}"));
                }
            }
        }
        assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
    }

    #[test]
    fn the_figures_of_many_are_those_of_the_scripts() {
        let golden = golden();
        let places = |value: &Value| -> Vec<usize> {
            value.as_array().expect("places").iter().map(|place| place.as_u64().expect("a place") as usize).collect()
        };
        let mut with_unanswerable = 0;
        for group in golden["groups"].as_array().expect("groups") {
            let cases: Vec<&Value> = places(&group["cases"]).into_iter().map(|place| &golden["cases"][place]).collect();
            let golds: Vec<Vec<String>> = cases.iter().map(|case| golds(case)).collect();
            let passages = texts(&group["passages"]);
            let judged: Vec<JudgedAnswer<'_>> = (0..cases.len())
                .map(|place| JudgedAnswer {
                    golds: &golds[place],
                    answer: cases[place][1].as_str().expect("an answer"),
                    passage: &passages[place],
                    null_score_diff: group["differences"][place].as_f64().map(|difference| difference as f32),
                })
                .collect();
            let metrics = AnswerMetrics::new(&judged, 0.5);
            let flat = metrics.flat("eval");
            if group["squad2"].is_null() {
                assert!(
                    near(metrics.all.exact_match, &group["exact_match"], PERCENT) && near(metrics.all.f1, &group["f1"], PERCENT),
                    "{group}"
                );
                assert!(metrics.parts.is_none() && metrics.best.is_none() && metrics.examples() == cases.len() as u64);
                continue;
            }
            with_unanswerable += 1;
            for (name, expected) in group["squad2"].as_object().expect("figures") {
                let found = match name.as_str() {
                    "exact" => metrics.all.exact_match,
                    "total" => metrics.all.total as f64,
                    name => flat[&format!("eval_{name}")].as_f64().expect("a figure"),
                };
                assert!(near(found, expected, 1e-7), "{name}: {found} of {group}");
            }
            for (name, expected) in group["best"].as_object().expect("figures") {
                assert!(
                    near(flat[&format!("eval_{name}")].as_f64().expect("a figure"), expected, 1e-7),
                    "{name}: {flat:?} of {group}"
                );
            }
        }
        assert!(with_unanswerable > 20);
    }

    #[test]
    fn a_threshold_that_is_the_best_for_both_figures_is_told_once() {
        let golds = ["a cat".to_owned()];
        let judged = |golds, null_score_diff| JudgedAnswer { golds, answer: "", passage: "cat", null_score_diff };
        let told = |answers: &[JudgedAnswer<'_>]| AnswerMetrics::new(answers, 0.0).table().lines().last().map(str::to_owned);
        let expected = "with null_score_diff_threshold -1 the exact match would be 100.0000, and the f1 100.0000";
        assert_eq!(told(&[judged(&golds, Some(-1.0)), judged(&[], Some(2.0))]).as_deref(), Some(expected));
        let silent = "with no answer to any question the exact match would be 50.0000, and the f1 50.0000";
        assert_eq!(told(&[judged(&golds, Some(3.0)), judged(&[], Some(-2.0))]).as_deref(), Some(silent));
    }

    #[test]
    fn mixed_figures_stand_beside_the_plain_ones_where_they_differ() {
        let golds = ["北京市".to_owned()];
        let judged = |answer| JudgedAnswer { golds: &golds, answer, passage: answer, null_score_diff: None };
        let metrics = AnswerMetrics::new(&[judged("北京")], 0.0);
        let mixed = metrics.mixed.expect("mixed figures");
        assert_eq!((metrics.all.f1, mixed.exact_match, mixed.f1), (0.0, 0.0, 80.0));
        assert_eq!(metrics.headline().len(), 5);
        assert!(metrics.table().contains("mixed segmentation"));
        let golds = ["Beijing".to_owned()];
        let plain =
            AnswerMetrics::new(&[JudgedAnswer { golds: &golds, answer: "in Beijing", passage: "", null_score_diff: None }], 0.0);
        assert_eq!((plain.mixed, plain.value(BestMetric::F1Mixed)), (None, Some(plain.all.f1)));
        assert_eq!(AnswerMetrics::new(&[], 0.0).all, AnswerFigures { total: 0, exact_match: 0.0, f1: 0.0 });
    }
}
