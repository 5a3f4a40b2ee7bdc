//! The examples of each split: how many, how long, cut, repeated, or seen in training; sources and targets apart where texts are written from
//! others. Knows facts.

use maud::{Markup, html};

use crate::figures::count;
use crate::report::Language;
use crate::report::chart::lines::Labels;
use crate::report::chart::{Scale, histogram};
use crate::report::facts::{Distribution, Facts, SplitFacts};
use crate::report::language::said;
use crate::report::text;

pub(super) fn section(facts: &Facts) -> Option<Markup> {
    let language = facts.language;
    let share = |part: usize, of: usize| match part {
        0 => "0".to_owned(),
        part => format!("{} ({:.1} %)", count(part as u64), 100.0 * part as f64 / of.max(1) as f64),
    };
    // An example may be several texts, each of which the model reads by itself.
    let texts = |split: &SplitFacts| split.lengths.counts.iter().sum::<u64>() as usize;
    let are_sources = facts.data.iter().any(|split| split.targets.is_some());
    let contradicting = facts.data.iter().any(|split| split.repeats.contradicting > 0);
    let windows = facts.data.iter().any(|split| split.texts_in_windows > 0);
    let mut rows: Vec<Row<'_>> = vec![(language.of("examples", "样本数"), Box::new(|split| count(split.examples as u64)))];
    let read = if are_sources { Told::sources(language) } else { Told::texts(language) };
    let written = Told::targets(language);
    rows.extend(of_lengths(read));
    rows.push((read.cut, Box::new(|split| share(split.truncated_texts, texts(split)))));
    rows.push((language.of("tokens that are lost", "丢失的词元"), Box::new(|split| count(split.cut_tokens as u64))));
    if are_sources {
        rows.extend(of_lengths(written));
        let cut = |split: &SplitFacts| Some(share(split.targets.as_ref()?.cut_targets, split.examples));
        rows.push((written.cut, Box::new(move |split| cut(split).unwrap_or("–".to_owned()))));
    }
    rows.push((
        language.of("texts that repeat an earlier one", "与前文重复的文本"),
        Box::new(|split| share(split.repeats.repeated, split.examples)),
    ));
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
                (spread(&name, read, &split.lengths, split.max_length, language))
                @if let Some(targets) = &split.targets {
                    (spread(&name, written, &targets.lengths, targets.max_target_length, language))
                }
            }
        }
    })
}

/// A row of the table: what it tells, of each split.
type Row<'a> = (&'static str, Box<dyn Fn(&SplitFacts) -> String + 'a>);

/// What is said of texts of one kind.
#[derive(Clone, Copy)]
struct Told {
    /// What they are called.
    name: &'static str,
    median: &'static str,
    most: &'static str,
    longest: &'static str,
    cut: &'static str,
    tokens: &'static str,
    /// How many there are.
    count: &'static str,
    /// The option that their lengths are held to.
    limit: &'static str,
    lengths: fn(&SplitFacts) -> Option<&Distribution>,
}

impl Told {
    fn texts(language: Language) -> Self {
        Self {
            name: language.of("texts", "文本"),
            median: language.of("tokens of a text, median", "每条文本的词元数，中位数"),
            most: language.of("tokens, 95 % have at most", "词元数，95 % 不超过"),
            longest: language.of("tokens of the longest text", "最长文本的词元数"),
            cut: language.of("texts that are cut", "被截断的文本"),
            tokens: language.of("tokens of a text", "每条文本的词元数"),
            count: language.of("texts", "文本数"),
            limit: language.of("max_length", "最大长度"),
            lengths: |split| Some(&split.lengths),
        }
    }

    fn sources(language: Language) -> Self {
        Self {
            name: language.of("sources", "原文"),
            median: language.of("tokens of a source, median", "每条原文的词元数，中位数"),
            most: language.of("tokens of a source, 95 % have at most", "每条原文的词元数，95 % 不超过"),
            longest: language.of("tokens of the longest source", "最长原文的词元数"),
            cut: language.of("sources that are cut", "被截断的原文"),
            tokens: language.of("tokens of a source", "每条原文的词元数"),
            count: language.of("sources", "原文数"),
            ..Self::texts(language)
        }
    }

    fn targets(language: Language) -> Self {
        Self {
            name: language.of("targets", "目标文本"),
            median: language.of("tokens of a target, median", "每条目标文本的词元数，中位数"),
            most: language.of("tokens of a target, 95 % have at most", "每条目标文本的词元数，95 % 不超过"),
            longest: language.of("tokens of the longest target", "最长目标文本的词元数"),
            cut: language.of("targets that are cut", "被截断的目标文本"),
            tokens: language.of("tokens of a target", "每条目标文本的词元数"),
            count: language.of("targets", "目标文本数"),
            limit: language.of("max_target_length", "目标最大长度"),
            lengths: |split| Some(&split.targets.as_ref()?.lengths),
        }
    }
}

/// How long texts of a kind are, in three rows.
fn of_lengths(told: Told) -> [Row<'static>; 3] {
    let row = |of: fn(&Distribution) -> f64| {
        Box::new(move |split: &SplitFacts| (told.lengths)(split).map_or("–".to_owned(), |it| count(of(it) as u64)))
    };
    let Told { median, most, longest, .. } = told;
    [(median, row(|it| it.quartiles[1])), (most, row(|it| it.percentile_95)), (longest, row(|it| it.most))]
}

/// How their lengths are spread.
fn spread(split: &str, told: Told, lengths: &Distribution, limit: usize, language: Language) -> Markup {
    let Told { name, tokens, count, limit: limited_by, .. } = told;
    html! {
        figure {
            figcaption { b { (said!(language, "{split} split, length of the {name}", "{split}，{name}长度")) } }
            (histogram::chart(lengths, &Labels { about: tokens, x: tokens, y: count }, Scale::Counts, Some((limit as f64 + 0.5, limited_by))))
        }
    }
}
