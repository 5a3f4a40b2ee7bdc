//! The head of a report: what was trained on what, and the figures that matter most. Knows facts.

use maud::{Markup, html};

use super::{figure, interval};
use crate::decisions::BriefDecisions;
use crate::figures::count;
use crate::report::facts::{EvaluationFacts, Facts};
use crate::report::language::said;
use crate::report::{Language, names, text};

/// More figures than these do not fit beside each other on a page.
const MOST_COLUMNS: usize = 5;
/// The columns a label may have in a line of text.
const NAME: usize = 40;

pub(super) fn section(facts: &Facts) -> Option<Markup> {
    let language = facts.language;
    let training = &facts.training;
    let (task, model) = (&facts.task, &facts.model.name);
    let (examples, steps) = (count(training.examples as u64), count(training.steps));
    let epoch = super::number((training.epoch * 100.0).round() / 100.0);
    let epochs = if epoch == "1" { "epoch" } else { "epochs" };
    let headline = facts.evaluations.first().map_or(&[][..], |evaluation| &evaluation.headline);
    Some(html! {
        p {
            (said!(language, "{task}: ", "{task}："))
            bdi { (model) }
            (said!(
                language,
                ", fine-tuned on {examples} examples in {steps} steps ({epoch} {epochs}).",
                "，在 {examples} 个样本上微调了 {steps} 步（{epoch} 轮）。"
            ))
            @if let (Some(step), Some(value)) = (training.best_step, training.best_metric) {
                @let (step, metric, value) = (count(step), names::of(language, &training.metric_for_best_model), figure(Some(value)));
                (said!(
                    language,
                    " The model is the one of step {step}, the best on the validation split by {metric} ({value}).",
                    "模型取自第 {step} 步，其验证集上的{metric}最佳（{value}）。"
                ))
            }
        }
        @if let Some(reason) = training.stopped {
            @let planned = count(training.planned_steps);
            p { (said!(language, "Training ended after {steps} of {planned} planned steps: ", "训练在计划的 {planned} 步中的第 {steps} 步结束：")) (language.stopped(reason)) }
        }
        @if !headline.is_empty() {
            (if headline.len() > MOST_COLUMNS { by_figure(facts, headline) } else { by_split(facts, headline) })
        }
        @if let Some(decided) = facts.evaluations.first().and_then(|evaluation| evaluation.decisions.as_ref()) {
            p {
                (language.of("Figures are those of decisions by ", "各项指标按以下设定作出判断："))
                (decided_by(decided, language))
                (language.of(
                    "; what was fitted of it was fitted at the end, for the step that is the best without it.",
                    "；其中拟合所得的部分在选定步数之后拟合，选择步数时未使用。",
                ))
            }
        }
    })
}

/// Temperature and thresholds in a few words, with the names of labels as they fit.
fn decided_by(decided: &BriefDecisions, language: Language) -> String {
    let thresholds = decided.thresholds.iter().map(|(label, value)| (text::name(label, NAME), *value)).collect();
    BriefDecisions { thresholds, ..decided.clone() }.told(language)
}

/// A row for each split.
fn by_split(facts: &Facts, headline: &[String]) -> Markup {
    let language = facts.language;
    html! {
        table class="lead" {
            thead { tr {
                th { (language.of("split", "数据集")) }
                th class="n" { (language.of("examples", "样本数")) }
                @for name in headline { th class="n" { (names::of(language, name)) } }
            } }
            tbody {
                @for evaluation in &facts.evaluations { tr {
                    th scope="row" { (language.split(&evaluation.split)) }
                    td class="n" { (count(evaluation.examples)) }
                    @for name in headline { (cell(evaluation, name)) }
                } }
            }
        }
    }
}

/// A row for each figure.
fn by_figure(facts: &Facts, headline: &[String]) -> Markup {
    let language = facts.language;
    html! {
        table class="lead" {
            thead { tr {
                th { (language.of("figure", "指标")) }
                @for evaluation in &facts.evaluations {
                    @let examples = count(evaluation.examples);
                    th class="n" { (language.split(&evaluation.split)) br; small { (said!(language, "{examples} examples", "{examples} 个样本")) } }
                }
            } }
            tbody {
                @for name in headline { tr {
                    th scope="row" { (names::of(language, name)) }
                    @for evaluation in &facts.evaluations { (cell(evaluation, name)) }
                } }
            }
        }
    }
}

fn cell(evaluation: &EvaluationFacts, name: &str) -> Markup {
    html! {
        td class="n" {
            (figure(evaluation.figures.get(name).and_then(|value| value.as_f64())))
            @if let Some(range) = interval(evaluation, name) { br; small { (range) } }
        }
    }
}
