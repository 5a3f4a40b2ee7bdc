//! Whether the model is right as often as it is sure: a reliability diagram. Knows facts.

use maud::{Markup, html};

use super::figure;
use crate::report::chart::lines::Labels;
use crate::report::chart::reliability::chart;
use crate::report::facts::Facts;
use crate::report::language::said;

pub(super) fn section(facts: &Facts) -> Option<Markup> {
    let language = facts.language;
    let (evaluation, examined) = super::examined(facts)?;
    let calibration = examined.calibration.as_ref()?;
    let split = language.split(&evaluation.split);
    let error = figure(Some(calibration.error));
    let labels = Labels {
        about: language.of("reliability diagram", "可靠性图"),
        x: language.of("confidence: probability of what is said", "置信度：预测结果的概率"),
        y: language.of("share that is right", "正确的比例"),
    };
    let decisions = language.of("decisions", "判断数");
    Some(html! {
        p {
            (said!(
                language,
                "{split} split. Expected calibration error: {error}. Decisions are sorted by confidence into 15 bins of equal width; each point is a bin, with its 95 % interval (Wilson). A point below the dashed line means that the model is surer than it should be.",
                "{split}。期望校准误差：{error}。按置信度将判断分入 15 个等宽区间；每个点为一个区间，竖线为 95 % 置信区间（威尔逊法）。点低于虚线表示模型过于自信。"
            ))
        }
        figure { (chart(calibration, &labels, language.of("as often right as sure", "置信度与正确率一致"), decisions)) }
    })
}
