//! What the run took: time, speed, memory. The only section that differs between two runs of one recipe. Knows facts.

use std::time::Duration;

use maud::{Markup, html};

use super::pairs;
use crate::figures::{count, per_second, size};
use crate::report::date;
use crate::report::facts::Facts;
use crate::report::language::said;

pub(super) fn section(facts: &Facts) -> Option<Markup> {
    let language = facts.language;
    let cost = &facts.cost;
    let duration = |seconds: f64| Duration::try_from_secs_f64(seconds).unwrap_or_default();
    let (runtime, steps) = (duration(cost.runtime_seconds), duration(cost.step_seconds));
    let speed = |number: u64, time: Duration| match per_second(number, time) {
        slow if slow < 10.0 => format!("{slow:.1}"),
        speed => count(speed.round() as u64),
    };
    let mut rows = vec![
        (
            language.of("training, evaluations and checkpoints included", "训练时间（含评估与检查点）").to_owned(),
            html! { (language.time(runtime)) },
        ),
        (language.of("steps alone", "仅训练步").to_owned(), html! { (language.time(steps)) }),
        (
            language.of("training speed", "训练速度").to_owned(),
            html! {
                @let (tokens, examples) = (speed(cost.tokens, steps), speed(cost.examples_seen, steps));
                (said!(language, "{tokens} tokens/s, {examples} examples/s", "{tokens} 词元/秒，{examples} 样本/秒"))
            },
        ),
        (language.of("tokens trained on", "训练的词元数").to_owned(), html! { (count(cost.tokens)) }),
    ];
    for evaluation in &cost.evaluations {
        let (split, took) = (language.split(&evaluation.split), duration(evaluation.seconds));
        let (tokens, took) = (speed(evaluation.tokens, took), language.time(took));
        rows.push((
            said!(language, "evaluation of the {split} split", "评估{split}"),
            html! { (said!(language, "{took}, {tokens} tokens/s", "{took}，{tokens} 词元/秒")) },
        ));
    }
    if let Some(peak) = cost.peak_memory_bytes {
        rows.push((language.of("peak memory of the process", "进程内存峰值").to_owned(), html! { (size(peak)) }));
    }
    rows.push((language.of("threads", "线程数").to_owned(), html! { (cost.threads) }));
    rows.push((language.of("finished", "完成时间").to_owned(), html! { (date::utc(cost.finished)) }));
    Some(pairs(&rows))
}
