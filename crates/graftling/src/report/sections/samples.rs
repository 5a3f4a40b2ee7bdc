//! Texts that the model wrote, beside what they should have been: the best, those in the middle, and the worst. Knows facts; texts from data are
//! escaped and kept to themselves.

use maud::{Markup, html};

use super::number;
use crate::report::Language;
use crate::report::facts::{Facts, SampleFacts, Standing};
use crate::report::language::said;

pub(super) fn section(facts: &Facts) -> Option<Markup> {
    let language = facts.language;
    let (evaluation, examined) = super::examined(facts)?;
    let split = language.split(&evaluation.split);
    let of = |standing: Standing| examined.samples.iter().filter(move |sample| sample.standing == standing);
    let measure = examined.samples.first()?.measure.as_str();
    Some(html! {
        p {
            (said!(
                language,
                "{split} split: what the model wrote by itself, by its agreement with the reference ({measure} from 0 to 1).",
                "{split}：模型自行生成的文本，按与参考文本的一致程度排列（{measure}，0 到 1）。"
            ))
        }
        @for (standing, title) in [
            (Standing::Best, language.of("The best", "最好的")),
            (Standing::Median, language.of("Those in the middle", "居中的")),
            (Standing::Worst, language.of("The worst", "最差的")),
        ] {
            @if of(standing).next().is_some() { h3 { (title) } }
            @for sample in of(standing) {
                @let SampleFacts { agreement, line, source, reference, written, .. } = sample;
                div class="case" {
                    div class="said" {
                        (measure) " " b { (number(*agreement)) }
                        @if let Some(line) = line { small { (said!(language, " line {line}", " 第 {line} 行")) } }
                    }
                    (beside(language, Some(written), reference, std::slice::from_ref(source)))
                }
            }
        }
    })
}

/// A text that was written, if it was, beside what it should have been and what it was written from.
pub(super) fn beside(language: Language, written: Option<&str>, reference: &str, sources: &[String]) -> Markup {
    html! {
        @if let Some(written) = written {
            div class="text" dir="auto" { b { (language.of("written: ", "生成：")) } (written) }
        }
        div class="text right" dir="auto" { b { (language.of("reference: ", "参考：")) } (reference) }
        @for source in sources { div class="text" dir="auto" { small { (language.of("source: ", "原文：")) (source) } } }
    }
}
