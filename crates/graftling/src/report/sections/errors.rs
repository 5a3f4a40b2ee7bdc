//! The examples that the model is furthest off at, with their texts. Knows facts; texts from data are escaped and kept to themselves.

use maud::{Markup, html};

use super::{number, samples};
use crate::figures::count;
use crate::report::Language;
use crate::report::facts::{Facts, HardFacts};
use crate::report::language::said;
use crate::report::text::{self, CHARACTERS};
use crate::tasks::{Told, ToldWord};

/// The columns a label may have.
const NAME: usize = 60;
/// Words of a sentence that are shown.
const WORDS: usize = 150;

pub(super) fn section(facts: &Facts) -> Option<Markup> {
    let language = facts.language;
    let (evaluation, examined) = super::examined(facts)?;
    let wrong = examined.wrong?;
    let split = language.split(&evaluation.split);
    let (examples, shown) = (count(evaluation.examples), examined.hardest.len());
    if wrong == 0 {
        return Some(
            html! { p { (said!(language, "{split} split: no answer to {examples} examples is wrong.", "{split}：{examples} 个样本全部正确。")) } },
        );
    }
    Some(html! {
        p {
            @let wrong = count(wrong as u64);
            @match examined.hardest.first().map_or(&Told::Nothing, |case| &case.told) {
                Told::Numbers { .. } => (said!(
                    language,
                    "{split} split: the {shown} of {examples} examples whose predicted number is furthest from the true one.",
                    "{split}：{examples} 个样本中预测值与真实值相差最大的 {shown} 个。"
                )),
                Told::Written { .. } => (said!(
                    language,
                    "{split} split: the {shown} of {examples} examples whose targets are least foreseen, by the mean loss of their tokens, the highest first.",
                    "{split}：{examples} 个样本中目标文本平均损失最高（最难预测）的 {shown} 个，最高者在前。"
                )),
                Told::Foreseen { .. } => (said!(
                    language,
                    "{split} split: the {shown} of {examples} examples whose tokens are least foreseen, by their mean loss, the highest first.",
                    "{split}：{examples} 个样本中平均损失最高（最难预测）的 {shown} 个，最高者在前。"
                )),
                Told::Tags { .. } => (said!(
                    language,
                    "{split} split: {wrong} of {examples} sentences have a wrong tag; here are the {shown} with the highest loss, summed over their words. Below each word stands its true tag, and the predicted one where it is another.",
                    "{split}：{examples} 个句子中有 {wrong} 个含有错误标注；此处为损失（各词之和）最高的 {shown} 个。词下为真实标注；预测不同时，其下为预测标注。"
                )),
                Told::Answer { .. } => (said!(
                    language,
                    "{split} split: {wrong} of {examples} questions have no answer in the words of the data's; here are the {shown} that miss most of F1 and are surest of it.",
                    "{split}：{examples} 个问题中有 {wrong} 个的答案与数据不同；此处为缺失 F1 最多且模型最有把握的 {shown} 个。"
                )),
                _ => (said!(
                    language,
                    "{split} split: {wrong} of {examples} examples are answered wrongly; here are the {shown} with the highest loss, the highest first.",
                    "{split}：{examples} 个样本中有 {wrong} 个出错；此处为损失最高的 {shown} 个，最高者在前。"
                )),
            }
        }
        @for case in &examined.hardest { (shown_case(case, language)) }
    })
}

fn shown_case(case: &HardFacts, language: Language) -> Markup {
    let shows_texts = matches!(&case.told, Told::Tags { .. } | Told::Written { .. });
    html! {
        div class="case" {
            div class="said" {
                @if let Told::Foreseen { .. } | Told::Written { .. } = &case.told {
                    @let perplexity = number(case.error.exp());
                    span class="wrong" { (said!(language, "perplexity {perplexity}", "困惑度 {perplexity}")) }
                    @if let Told::Foreseen { .. } = &case.told { ", " }
                }
                (told(&case.told, language))
                @if let Some(line) = case.line { small { (said!(language, " line {line}", " 第 {line} 行")) } }
            }
            @if let Told::Tags { words } = &case.told { (tagged(words)) }
            @if let Told::Written { reference, written } = &case.told {
                @let [reference, written] = [Some(reference), written.as_ref()].map(|text| text.map(|text| text::cut(text, CHARACTERS)));
                (samples::beside(language, written.as_deref(), &reference.unwrap_or_default(), &case.texts))
            }
            @if !shows_texts {
                @for text in &case.texts { div class="text" dir="auto" { (text) } }
            }
        }
    }
}

/// What is true and what was said.
fn told(told: &Told, language: Language) -> Markup {
    let (truth, said) = (language.of("true: ", "真实："), language.of("predicted: ", "预测："));
    let named = |label: &str| html! { b { bdi { (text::name(label, NAME)) } } };
    let several = |labels: &[(String, f32)]| {
        html! { @for (place, (label, probability)) in labels.iter().enumerate() {
            @if place > 0 { ", " }
            (named(label)) (format!(" ({probability:.3})"))
        } }
    };
    match told {
        Told::Nothing | Told::Tags { .. } | Told::Written { .. } => html! {},
        Told::Label { label, label_probability, predicted, probability } => html! {
            span class="wrong" { (said) (named(predicted)) (format!(" ({probability:.3})")) }
            ", "
            span class="right" { (truth) (named(label)) (format!(" ({label_probability:.3})")) }
            "; "
        },
        Told::Labels { labels, missed, added } => html! {
            span class="right" {
                (truth)
                @if labels.is_empty() { (language.of("none", "无")) }
                @for (place, label) in labels.iter().enumerate() { @if place > 0 { ", " } (named(label)) }
            }
            "; "
            @if !missed.is_empty() { span class="wrong" { (language.of("missed: ", "遗漏：")) (several(missed)) } "; " }
            @if !added.is_empty() { span class="wrong" { (language.of("added: ", "多报：")) (several(added)) } "; " }
        },
        Told::Answer { answers, predicted, probability } => html! {
            @let quoted = |answer: &str| if answer.is_empty() { html! { (language.of("no answer", "无答案")) } } else { named(answer) };
            span class="wrong" { (said) (quoted(predicted)) (format!(" ({probability:.3})")) }
            ", "
            span class="right" {
                (truth)
                @if answers.is_empty() { (quoted("")) }
                @for (place, answer) in answers.iter().enumerate() { @if place > 0 { ", " } (quoted(answer)) }
            }
            "; "
        },
        Told::Foreseen { right, tokens } => {
            let (right, tokens) = (count(*right as u64), count(*tokens as u64));
            html! { (said!(language, "{right} of {tokens} tokens foreseen", "{tokens} 个词元中预测正确 {right} 个")) "; " }
        }
        Told::Numbers { numbers, predicted } => html! {
            @let list = |values: &[f32]| values.iter().map(|value| number(f64::from(*value))).collect::<Vec<_>>().join(", ");
            span class="wrong" { (said) b { (list(predicted)) } }
            ", "
            span class="right" { (truth) b { (list(numbers)) } }
            "; "
        },
    }
}

/// A sentence with both taggings: below each word that is part of something the true tag, and the predicted one where it is another.
fn tagged(words: &[ToldWord]) -> Markup {
    html! {
        div class="words" {
            @for word in words.iter().take(WORDS) {
                @let off = word.tag != word.predicted;
                span class=(if off { "word off" } else { "word" }) {
                    bdi { (text::name(&word.word, NAME)) }
                    @if off || word.tag != "O" { small class="right" { (text::name(&word.tag, NAME)) } }
                    @if off { small class="wrong" { (text::name(&word.predicted, NAME)) } }
                }
                " "
            }
            @if words.len() > WORDS { "…" }
        }
    }
}
