//! How numbers are spread, as bars over their values. Knows a distribution; no text.

use maud::{Markup, html};

use super::lines::Labels;
use super::{Axis, BLUE, Frame, Scale, px};
use crate::report::facts::Distribution;

/// The bars, and a line with a word at a value that matters, where there is one in sight.
pub(in crate::report) fn chart(spread: &Distribution, labels: &Labels<'_>, scale: Scale, mark: Option<(f64, &str)>) -> Markup {
    let to = spread.from + spread.width * spread.counts.len() as f64;
    let highest = spread.counts.iter().copied().max().unwrap_or(1) as f64;
    let x = Axis { from: spread.from, to, title: labels.x, scale };
    let frame = Frame { width: 430.0, height: 200.0, x, y: Axis::of_counts(highest, labels.y), names: 0.0 };
    let bar = |place: usize| spread.from + spread.width * place as f64;
    let body = html! {
        @for (place, count) in spread.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            @let (left, right, top) = (frame.x(bar(place)), frame.x(bar(place + 1)), frame.y(*count as f64));
            rect fill=(BLUE) x=(px(left + 0.5)) width=(px((right - left - 1.0).max(0.8))) y=(px(top)) height=(px(frame.y(0.0) - top)) {}
        }
        @if let Some((value, word)) = mark.filter(|(value, _)| *value > spread.from && *value < to) {
            line class="mark" x1=(px(frame.x(value))) x2=(px(frame.x(value))) y1="12" y2=(px(frame.y(0.0))) {}
            @let late = frame.x(value) > 300.0;
            text class="note" x=(px(frame.x(value) + if late { -4.0 } else { 4.0 })) y="10" text-anchor=(if late { "end" } else { "start" }) { (word) }
        }
    };
    frame.svg(labels.about, &body)
}
