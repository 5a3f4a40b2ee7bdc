//! What there is to learn: how often each label occurs, or how the numbers are spread, split by split. Knows facts.

use maud::{Markup, html};

use crate::figures::count;
use crate::report::chart::lines::Labels;
use crate::report::chart::{Scale, histogram};
use crate::report::facts::{Facts, SplitFacts};
use crate::report::language::said;
use crate::report::{Language, text};

/// The most labels in the table.
const MOST_SHOWN: usize = 100;
/// The length of the longest bar.
const BAR: f64 = 160.0;

pub(super) fn section(facts: &Facts) -> Option<Markup> {
    let train = facts.data.first()?;
    if !train.labels.is_empty() {
        return Some(counts(train, &facts.data, facts.language));
    }
    (!train.numbers.is_empty()).then(|| numbers(&facts.data, facts.language))
}

fn counts(train: &SplitFacts, splits: &[SplitFacts], language: Language) -> Markup {
    let total: u64 = train.labels.iter().map(|label| label.count).sum();
    let most = train.labels.first().map_or(1, |label| label.count.max(1)) as f64;
    let of = |split: &SplitFacts, label: &str| {
        let found = split.labels.iter().find(|other| other.label == label);
        found.map_or("–".to_owned(), |found| count(found.count))
    };
    let hidden = train.labels_in_all.saturating_sub(MOST_SHOWN);
    html! {
        table {
            thead { tr {
                th { (language.of("label", "标签")) }
                @for split in splits { th class="n" { (language.split(&split.split)) } }
                th { (language.of("share of all labels in training", "占训练集全部标签的比例")) }
            } }
            tbody {
                @for label in train.labels.iter().take(MOST_SHOWN) { tr {
                    th scope="row" { bdi { (text::name(&label.label, 50)) } }
                    @for split in splits { td class="n" { (of(split, &label.label)) } }
                    td style="white-space:nowrap" {
                        span class="bar" style=(format!("width:{:.0}px", BAR * label.count as f64 / most)) {}
                        (format!("{:.1} %", 100.0 * label.count as f64 / total.max(1) as f64))
                    }
                } }
                @if splits.iter().any(|split| split.without_labels.is_some()) { tr {
                    th scope="row" { (language.of("texts without any label", "没有标签的文本")) }
                    @for split in splits { td class="n" { (split.without_labels.map_or(String::new(), |none| count(none as u64))) } }
                    td {}
                } }
            }
        }
        @if hidden > 0 {
            @let hidden = count(hidden as u64);
            p class="quiet" { (said!(language, "and {hidden} labels that are less frequent", "另有 {hidden} 个更少见的标签")) }
        }
    }
}

fn numbers(splits: &[SplitFacts], language: Language) -> Markup {
    let (value, examples) = (language.of("number", "数值"), language.of("examples", "样本数"));
    html! {
        div class="pair" {
            @for split in splits {
                @for (place, spread) in split.numbers.iter().enumerate() {
                    figure {
                        figcaption {
                            b { (language.split(&split.split)) }
                            @if split.numbers.len() > 1 {
                                @let number = place + 1;
                                (said!(language, ", number {number}", "，第 {number} 个数值"))
                            }
                            @let (mean, least, most) = (super::number(spread.mean), super::number(spread.least), super::number(spread.most));
                            (said!(language, ": mean {mean}, from {least} to {most}", "：平均 {mean}，从 {least} 到 {most}"))
                        }
                        (histogram::chart(spread, &Labels { about: value, x: value, y: examples }, Scale::Numbers, None))
                    }
                }
            }
        }
    }
}
