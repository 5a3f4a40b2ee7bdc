//! The examples of each split: how many, how long, cut, repeated, or seen in training. Knows facts.

use maud::{Markup, html};

use crate::figures::count;
use crate::report::chart::histogram;
use crate::report::chart::lines::Labels;
use crate::report::facts::{Facts, SplitFacts};
use crate::report::language::said;
use crate::report::text;

pub(super) fn section(facts: &Facts) -> Option<Markup> {
    let language = facts.language;
    let whole = |value: f64| count(value as u64);
    let share = |part: usize, of: usize| match part {
        0 => "0".to_owned(),
        part => format!("{} ({:.1} %)", count(part as u64), 100.0 * part as f64 / of.max(1) as f64),
    };
    // An example may be several texts, each of which the model reads by itself.
    let texts = |split: &SplitFacts| split.lengths.counts.iter().sum::<u64>() as usize;
    type Row<'a> = (&'static str, Box<dyn Fn(&SplitFacts) -> String + 'a>);
    let contradicting = facts.data.iter().any(|split| split.repeats.contradicting > 0);
    let windows = facts.data.iter().any(|split| split.texts_in_windows > 0);
    let mut rows: Vec<Row<'_>> = vec![
        (language.of("examples", "样本数"), Box::new(|split| count(split.examples as u64))),
        (
            language.of("tokens of a text, median", "每条文本的词元数，中位数"),
            Box::new(|split| whole(split.lengths.quartiles[1])),
        ),
        (language.of("tokens, 95 % have at most", "词元数，95 % 不超过"), Box::new(|split| whole(split.lengths.percentile_95))),
        (language.of("tokens of the longest text", "最长文本的词元数"), Box::new(|split| whole(split.lengths.most))),
        (language.of("texts that are cut", "被截断的文本"), Box::new(|split| share(split.truncated_texts, texts(split)))),
        (language.of("tokens that are lost", "丢失的词元"), Box::new(|split| count(split.cut_tokens as u64))),
        (
            language.of("texts that repeat an earlier one", "与前文重复的文本"),
            Box::new(|split| share(split.repeats.repeated, split.examples)),
        ),
    ];
    if windows {
        rows.push((
            language.of("texts read in windows", "分窗读取的文本"),
            Box::new(|split| share(split.texts_in_windows, texts(split))),
        ));
    }
    if contradicting {
        rows.push((
            language.of("of these with another answer", "其中答案不同者"),
            Box::new(|split| share(split.repeats.contradicting, split.examples)),
        ));
    }
    rows.push((
        language.of("texts that stand in the training split, too", "同时出现在训练集中的文本"),
        Box::new(|split| split.repeats.also_in_train.map_or("–".to_owned(), |also| share(also, split.examples))),
    ));
    let leaked = facts.data.iter().any(|split| split.repeats.also_in_train.is_some_and(|also| also > 0));
    let (tokens, count_of_texts, longest) = (
        language.of("tokens of a text", "每条文本的词元数"),
        language.of("texts", "文本数"),
        language.of("max_length", "最大长度"),
    );
    Some(html! {
        table {
            thead { tr {
                th {}
                @for split in &facts.data { th class="n" { (language.split(&split.split)) } }
            } }
            tbody {
                @for (name, value) in &rows { tr {
                    th scope="row" { (name) }
                    @for split in &facts.data { td class="n" { (value(split)) } }
                } }
            }
        }
        @if leaked {
            p { b { (language.of(
                "Texts of the training split stand in another one, too: figures on them say nothing about new texts.",
                "训练集中的文本也出现在其他数据集中：在这些文本上的指标不能说明模型对新文本的表现。",
            )) } }
        }
        @for split in &facts.data {
            p class="quiet" { (language.split(&split.split)) (language.of(": ", "：")) code { (text::name(&split.source, 200)) } }
        }
        div class="pair" {
            @for split in &facts.data {
                @let name = language.split(&split.split);
                figure {
                    figcaption { b { (said!(language, "{name} split, length of the texts", "{name}，文本长度")) } }
                    (histogram::chart(&split.lengths, &Labels { about: tokens, x: tokens, y: count_of_texts }, Some((split.max_length as f64, longest))))
                }
            }
        }
    })
}
