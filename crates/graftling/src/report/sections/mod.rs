//! The sections of a report, one file each: what stands in it, in both languages. A section that has nothing to say is left out.
//!
//! To add one, write its file with a function from facts to markup (nothing where it does not apply) and give it a line in the table
//! below. Which facts a task has, its [`Objective`](crate::tasks::Objective) and `Metrics` decide; no section asks for a task.

mod calibration;
mod classes;
mod confusion;
mod cost;
mod curves;
mod data;
mod errors;
mod figures;
mod labels;
mod model;
mod notes;
mod numbers;
mod recipe;
mod samples;
mod summary;

use maud::{Markup, html};

use super::Language;
use super::facts::{EvaluationFacts, Examined, Facts};

/// A row: the variant, its word in links, its file, its title in English and Chinese; none where it needs none.
macro_rules! sections {
    ($( $variant:ident = $word:literal, $file:ident, $title:expr; )+) => {
        /// A part of the page.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Section { $( $variant ),+ }

        impl Section {
            /// Every section, in the order of the page.
            pub const ALL: &[Section] = &[$( Section::$variant ),+];

            /// The name in links.
            pub fn word(self) -> &'static str {
                match self { $( Self::$variant => $word ),+ }
            }

            /// The heading.
            pub fn title(self, language: Language) -> Option<&'static str> {
                let title: Option<(&'static str, &'static str)> = match self { $( Self::$variant => $title ),+ };
                title.map(|(english, chinese)| language.of(english, chinese))
            }

            /// What stands in it; nothing where it does not apply.
            pub fn of(self, facts: &Facts) -> Option<Markup> {
                match self { $( Self::$variant => $file::section(facts) ),+ }
            }
        }
    };
}

sections! {
    Summary = "summary", summary, None;
    Figures = "figures", figures, Some(("Figures", "指标"));
    Curves = "curves", curves, Some(("Learning curves", "学习曲线"));
    Confusion = "confusion", confusion, Some(("Confusion matrix", "混淆矩阵"));
    Classes = "classes", classes, Some(("Precision, recall and F1 by class", "各类别的精确率、召回率与 F1"));
    Calibration = "calibration", calibration, Some(("Calibration", "校准"));
    Numbers = "numbers", numbers, Some(("Predicted and true numbers", "预测值与真实值"));
    Samples = "samples", samples, Some(("Texts that were written", "生成的文本"));
    Errors = "errors", errors, Some(("Hardest errors", "最难的错误"));
    Data = "data", data, Some(("Data", "数据"));
    Labels = "labels", labels, Some(("What there is to learn", "标签与数值的分布"));
    Cost = "cost", cost, Some(("Speed and memory", "速度与内存"));
    Recipe = "recipe", recipe, Some(("Recipe", "训练配置"));
    Model = "model", model, Some(("Model and version", "模型与版本"));
    Notes = "notes", notes, Some(("Notes of the run", "运行中的提示"));
}

/// The evaluation that was looked at example by example, and what was seen.
fn examined(facts: &Facts) -> Option<(&EvaluationFacts, &Examined)> {
    facts.evaluations.iter().rev().find_map(|evaluation| Some((evaluation, evaluation.examined.as_ref()?)))
}

/// A table of two columns, a name and a value.
fn pairs(rows: &[(String, Markup)]) -> Markup {
    html! {
        table { tbody {
            @for (name, value) in rows { tr { th scope="row" { (name) } td { (value) } } }
        } }
    }
}

/// The range of a figure, where there is one.
fn interval(evaluation: &EvaluationFacts, name: &str) -> Option<String> {
    let [low, high] = evaluation.intervals.as_ref()?.ends.get(name)?;
    Some(format!("{} – {}", figure(Some(*low)), figure(Some(*high))))
}

/// A figure in a table.
fn figure(value: Option<f64>) -> String {
    match value {
        Some(value) if value.is_finite() && value.abs() >= 1e5 => format!("{value:.3e}"),
        Some(value) if value.is_finite() => format!("{value:.4}"),
        _ => "–".to_owned(),
    }
}

/// A number of the data: no more digits than tell it apart.
fn number(value: f64) -> String {
    let text = format!("{value:.4}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}
