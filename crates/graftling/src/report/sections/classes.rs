//! Precision, recall and F1 of each class as bars. Knows facts.

use maud::{Markup, html};

use crate::figures::count;
use crate::report::chart::bars::{Labels, charts};
use crate::report::facts::Facts;
use crate::report::language::said;

/// The most classes that are drawn.
const MOST_DRAWN: usize = 100;

pub(super) fn section(facts: &Facts) -> Option<Markup> {
    let language = facts.language;
    let (evaluation, examined) = super::examined(facts)?;
    if examined.classes.is_empty() {
        return None;
    }
    let split = language.split(&evaluation.split);
    let (all, drawn) = (count(examined.classes_in_all as u64), examined.classes.len().min(MOST_DRAWN));
    let labels = Labels {
        about: language.of("precision, recall and F1 by class", "各类别的精确率、召回率与 F1"),
        bars: [language.of("precision", "精确率"), language.of("recall", "召回率"), "F1"],
        count: language.of("true", "真实数量"),
    };
    Some(html! {
        figure {
            figcaption {
                @if drawn < examined.classes_in_all {
                    (said!(language, "{split} split: the {drawn} of {all} classes with the lowest F1, the lowest first.", "{split}：共 {all} 个类别，此处为 F1 最低的 {drawn} 个，最低者在前。"))
                } @else {
                    (said!(language, "{split} split; the class with the lowest F1 stands first.", "{split}；F1 最低的类别在前。"))
                }
            }
            (charts(&examined.classes[..drawn], &labels))
        }
    })
}
