//! Every figure of every split that was evaluated. Knows facts.

use maud::{Markup, html};
use serde_json::Value;

use super::{figure, interval};
use crate::figures::count;
use crate::report::facts::Facts;
use crate::report::language::said;
use crate::report::names;

pub(super) fn section(facts: &Facts) -> Option<Markup> {
    let language = facts.language;
    if facts.evaluations.is_empty() {
        return None;
    }
    Some(html! {
        table {
            thead { tr {
                th { (language.of("figure", "指标")) }
                @for evaluation in &facts.evaluations {
                    th class="n" { (language.split(&evaluation.split)) }
                    @if let Some(intervals) = &evaluation.intervals {
                        @let level = (100.0 * intervals.level).round();
                        th class="n" { (said!(language, "{level} % interval", "{level} % 区间")) }
                    }
                }
                th { (language.of("name in the results files", "结果文件中的名称")) }
            } }
            tbody {
                @for name in names(facts).into_iter().filter(|name| !is_signature(name)) { tr {
                    th scope="row" { (names::of(language, name)) }
                    @for evaluation in &facts.evaluations {
                        td class="n" { (shown(name, evaluation.figures.get(name))) }
                        @if evaluation.intervals.is_some() { td class="n ci" { (interval(evaluation, name).unwrap_or_default()) } }
                    }
                    td class="key" { code { (name) } }
                } }
            }
        }
        @for (name, signature) in signatures(facts) {
            p class="quiet" { (names::of(language, name.trim_end_matches(SIGNATURE))) ": " code { (signature) } }
        }
        @if let Some(resamples) = facts.evaluations.iter().find_map(|evaluation| Some(evaluation.intervals.as_ref()?.resamples)) {
            @let resamples = count(resamples as u64);
            p class="quiet" {
                (said!(
                    language,
                    "Intervals are the percentiles of {resamples} drawings of the examples with replacement: how far a figure would move with other examples of the same kind, not with another seed.",
                    "区间为对样本有放回地抽取 {resamples} 次所得的百分位数：表示换一批同类样本时指标的变动，不含更换随机种子的变动。"
                ))
            }
        }
        p class="quiet" {
            (language.of(
                "A dash stands for what is not defined, such as a correlation with something constant. The guide has the formula of each figure.",
                "短横表示未定义的值，例如与常数的相关系数。各指标的公式见使用指南。",
            ))
        }
    })
}

/// The figures that any split has, those of the first one first: a split may have questions without an answer, or Chinese ones, that
/// another lacks.
fn names(facts: &Facts) -> Vec<&String> {
    let mut names: Vec<&String> = Vec::new();
    for name in facts.evaluations.iter().flat_map(|evaluation| evaluation.figures.keys()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// What the name of a text ends with that says how a figure was reached.
const SIGNATURE: &str = "_signature";

fn is_signature(name: &str) -> bool {
    name.ends_with(SIGNATURE)
}

/// How figures were reached, which is the same in every split.
fn signatures(facts: &Facts) -> Vec<(&String, &str)> {
    let of_name = |name| facts.evaluations.iter().find_map(|evaluation| evaluation.figures.get(name)?.as_str());
    names(facts).into_iter().filter(|name| is_signature(name)).filter_map(|name| Some((name, of_name(name)?))).collect()
}

/// Figures that are mostly whole: the mean of several references need not be.
const COUNTS: [&str; 2] = ["ter_num_edits", "ter_ref_length"];

/// Whole numbers are counts; texts stand as they are, and of several numbers each has a line.
fn shown(name: &str, value: Option<&Value>) -> String {
    let whole = |number: f64| (COUNTS.contains(&name) && number.fract() == 0.0).then(|| count(number as u64));
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(values)) => values.iter().map(|value| figure(value.as_f64())).collect::<Vec<_>>().join("\n"),
        Some(value) => value.as_u64().map(count).or_else(|| whole(value.as_f64()?)).unwrap_or_else(|| figure(value.as_f64())),
        None => figure(None),
    }
}
