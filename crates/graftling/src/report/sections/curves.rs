//! Learning curves: the loss in training and validation, the validation figures by step, how long what is written is, the learning rate. Knows
//! facts.

use maud::{Markup, html};

use crate::fit::CurvePoint;
use crate::report::chart::lines::{Labels, Line, chart};
use crate::report::chart::{BLUE, GREEN, ORANGE};
use crate::report::facts::Facts;
use crate::report::language::said;
use crate::report::names;

pub(super) fn section(facts: &Facts) -> Option<Markup> {
    let language = facts.language;
    let curves = &facts.curves;
    let step = language.of("step", "步");
    let training = |of: fn(&CurvePoint) -> f64| curves.training.iter().map(|point| (point.step as f64, of(point))).collect();
    let validation = |name: &str| {
        let figure = |figures: &serde_json::Map<String, serde_json::Value>| figures.get(name).and_then(|value| value.as_f64());
        curves.validation.iter().filter_map(|point| Some((point.step as f64, figure(&point.figures)?))).collect::<Vec<_>>()
    };
    let best: Vec<(f64, &str)> =
        facts.training.best_step.iter().map(|step| (*step as f64, language.of("best", "最佳"))).collect();
    let mut losses = vec![Line {
        name: language.of("training", "训练"),
        colour: BLUE,
        points: training(|point| point.loss),
        marked: curves.training.len() < 30,
    }];
    let of_validation = validation("loss");
    if !of_validation.is_empty() {
        losses.push(Line { name: language.of("validation", "验证"), colour: ORANGE, points: of_validation, marked: true });
    }
    let picture = |title: &str, line: Vec<Line<'_>>, marks: &[(f64, &str)], zero: bool| {
        html! {
            figure {
                figcaption { b { (title) } }
                (chart(&line, &Labels { about: title, x: step, y: title }, marks, zero))
            }
        }
    };
    let lengths = curves.lengths.as_ref().map(|lengths| {
        let written: Vec<(f64, f64)> = lengths.written.iter().map(|&(step, length)| (step as f64, length)).collect();
        let last = written.last().map_or(0.0, |(step, _)| *step);
        let references = vec![(0.0, lengths.references), (last, lengths.references)];
        vec![
            Line { name: language.of("written", "生成"), colour: ORANGE, points: written, marked: true },
            Line { name: language.of("references", "参考"), colour: GREEN, points: references, marked: false },
        ]
    });
    let one = |colour: &'static str, points, marked| vec![Line { name: "", colour, points, marked }];
    let each = curves.steps_each;
    Some(html! {
        div class="pair" {
            (picture(&names::of(language, "loss"), losses, &best, false))
            @for name in &curves.metrics {
                @let title = names::of(language, name);
                @let title = said!(language, "validation {title}", "验证集{title}");
                (picture(&title, one(ORANGE, validation(name), true), &best, false))
            }
            @if let Some(lengths) = lengths {
                @let title = names::of(language, "gen_len");
                @let title = said!(language, "validation {title}", "验证集{title}");
                (picture(&title, lengths, &best, false))
            }
            (picture(language.of("learning rate", "学习率"), one(GREEN, training(|point| point.learning_rate), false), &[], true))
            (picture(language.of("gradient norm", "梯度范数"), one(BLUE, training(|point| point.gradient_norm), false), &[], true))
        }
        @if each > 1 {
            p class="quiet" { (said!(language, "Each point of the training curves is the mean of {each} steps.", "训练曲线的每个点是 {each} 步的平均值。")) }
        }
        p class="quiet" {
            (language.of(
                "The training loss is that of the weights before each step, with dropout; the validation loss is without it. Norms are those before clipping.",
                "训练损失在每步更新之前计算，带有随机失活；验证损失不带。梯度范数为裁剪之前的值。",
            ))
        }
    })
}
