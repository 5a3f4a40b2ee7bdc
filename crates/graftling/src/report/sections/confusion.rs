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

pub(super) fn section(facts: &Facts) -> Option<Markup> {
    let language = facts.language;
    let (evaluation, examined) = super::examined(facts)?;
    let confusion = examined.confusion.as_ref()?;
    let split = language.split(&evaluation.split);
    let (classes, examples) = (count(confusion.classes as u64), count(evaluation.examples));
    let labels = Labels {
        about: language.of("confusion matrix", "混淆矩阵"),
        rows: language.of("true label", "真实标签"),
        columns: language.of("predicted label", "预测标签"),
        sum: language.of("examples", "样本数"),
    };
    Some(html! {
        @if !confusion.labels.is_empty() {
            figure {
                figcaption {
                    (said!(
                        language,
                        "{split} split, {examples} examples. A cell is shaded by its share of the examples of its row; what is right lies on the diagonal.",
                        "{split}，{examples} 个样本。单元格的深浅表示其占所在行样本的比例；对角线上为预测正确的样本。"
                    ))
                }
                (chart(confusion, &labels))
            }
        } @else {
            p { (said!(language, "{classes} classes are too many for a matrix.", "共 {classes} 个类别，无法以矩阵显示。")) }
        }
        @if confusion.classes > PLAIN { (mistakes(confusion, language)) }
    })
}

fn mistakes(confusion: &ConfusionFacts, language: Language) -> Markup {
    html! {
        h3 { (language.of("Most frequent mistakes", "最常见的混淆")) }
        @if confusion.mistakes.is_empty() {
            p { (language.of("There are none.", "没有。")) }
        } @else {
            table {
                thead { tr {
                    th { (language.of("true label", "真实标签")) }
                    th { (language.of("predicted label", "预测标签")) }
                    th class="n" { (language.of("examples", "样本数")) }
                    th class="n" { (language.of("of the true label", "占该标签")) }
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
