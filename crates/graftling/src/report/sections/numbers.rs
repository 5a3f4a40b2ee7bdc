//! Predicted numbers over true ones. Knows facts.

use maud::{Markup, html};

use crate::figures::count;
use crate::report::chart::lines::Labels;
use crate::report::chart::scatter::chart;
use crate::report::facts::Facts;
use crate::report::language::said;

pub(super) fn section(facts: &Facts) -> Option<Markup> {
    let language = facts.language;
    let (evaluation, examined) = super::examined(facts)?;
    if examined.scatter.is_empty() {
        return None;
    }
    let split = language.split(&evaluation.split);
    let labels = Labels {
        about: language.of("predicted over true numbers", "预测值与真实值"),
        x: language.of("true number", "真实值"),
        y: language.of("predicted number", "预测值"),
    };
    Some(html! {
        div class="pair" {
            @for (place, scatter) in examined.scatter.iter().enumerate() {
                figure {
                    figcaption {
                        @if examined.scatter.len() > 1 {
                            @let number = place + 1;
                            b { (said!(language, "number {number}: ", "第 {number} 个数值：")) }
                        }
                        @let (points, of) = (count(scatter.points.len() as u64), count(scatter.of as u64));
                        (said!(language, "{split} split, {points} of {of} examples", "{split}，{of} 个样本中的 {points} 个"))
                    }
                    (chart(&scatter.points, &labels, language.of("predicted = true", "预测值 = 真实值")))
                }
            }
        }
    })
}
