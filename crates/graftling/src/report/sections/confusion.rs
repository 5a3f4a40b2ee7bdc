//! Which class was taken for which: as a matrix where that can be read, and the most frequent mistakes. Knows facts.

use maud::{Markup, html};

use crate::figures::count;
use crate::report::chart::matrix::{Labels, chart};
use crate::report::facts::{ConfusionFacts, Facts};
use crate::report::language::said;
use crate::report::{Language, text};

/// With more classes than this the mistakes are listed, too.
const PLAIN: usize = 6;
/// The columns a name may have.
const NAME: usize = 40;

/// The task whose classes are tags of words.
const TAGS: &str = "token_classification";

/// What classes and what has one are called.
struct Words {
    rows: &'static str,
    columns: &'static str,
    unit: &'static str,
    share: &'static str,
    counted: [&'static str; 2],
}

impl Words {
    fn of(facts: &Facts) -> Self {
        let language = facts.language;
        match facts.task.as_str() {
            TAGS => Self {
                rows: language.of("true tag", "真实标记"),
                columns: language.of("predicted tag", "预测标记"),
                unit: language.of("words", "词数"),
                share: language.of("of the true tag", "占该标记"),
                counted: ["words", "个词"],
            },
            _ => Self {
                rows: language.of("true label", "真实标签"),
                columns: language.of("predicted label", "预测标签"),
                unit: language.of("examples", "样本数"),
                share: language.of("of the true label", "占该标签"),
                counted: ["examples", "个样本"],
            },
        }
    }

    fn counted(&self, language: Language, all: &str) -> String {
        let [english, chinese] = self.counted;
        said!(language, "{all} {english}", "{all} {chinese}")
    }
}

pub(super) fn section(facts: &Facts) -> Option<Markup> {
    let language = facts.language;
    let (evaluation, examined) = super::examined(facts)?;
    let confusion = examined.confusion.as_ref()?;
    let split = language.split(&evaluation.split);
    let classes = count(confusion.classes as u64);
    let words = Words::of(facts);
    // Each word has its tag.
    let all = if facts.task == TAGS { confusion.cells.iter().map(|[.., times]| times).sum() } else { evaluation.examples };
    let counted = words.counted(language, &count(all));
    let labels =
        Labels {
            about: language.of("confusion matrix", "混淆矩阵"), rows: words.rows, columns: words.columns, sum: words.unit
        };
    Some(html! {
        @if !confusion.labels.is_empty() {
            figure {
                figcaption {
                    (said!(
                        language,
                        "{split} split, {counted}. A cell is shaded by its share of its row; what is right lies on the diagonal.",
                        "{split}，{counted}。单元格的深浅表示其占所在行的比例；对角线上为预测正确的部分。"
                    ))
                }
                (chart(confusion, &labels))
            }
        } @else {
            p { (said!(language, "{classes} classes are too many for a matrix.", "共 {classes} 个类别，无法以矩阵显示。")) }
        }
        @if confusion.classes > PLAIN { (mistakes(confusion, language, &words)) }
    })
}

fn mistakes(confusion: &ConfusionFacts, language: Language, words: &Words) -> Markup {
    html! {
        h3 { (language.of("Most frequent mistakes", "最常见的混淆")) }
        @if confusion.mistakes.is_empty() {
            p { (language.of("There are none.", "没有。")) }
        } @else {
            table {
                thead { tr {
                    th { (words.rows) }
                    th { (words.columns) }
                    th class="n" { (words.unit) }
                    th class="n" { (words.share) }
                } }
                tbody {
                    @for mistake in &confusion.mistakes { tr {
                        td { bdi { (text::name(&mistake.label, NAME)) } }
                        td { bdi { (text::name(&mistake.predicted, NAME)) } }
                        td class="n" { (count(mistake.count)) }
                        td class="n" { (format!("{:.1} %", 100.0 * mistake.count as f64 / mistake.support.max(1) as f64)) }
                    } }
                }
            }
        }
    }
}
