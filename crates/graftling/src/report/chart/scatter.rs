//! Predicted numbers over true ones, with the line on which both are equal. Knows points; no text.

use maud::{Markup, html};

use super::lines::Labels;
use super::{Axis, BLUE, Frame, px};

/// The points, on two axes of one scale.
pub(in crate::report) fn chart(points: &[[f32; 2]], labels: &Labels<'_>, equal: &str) -> Markup {
    let both = Axis::around(points.iter().flatten().map(|value| f64::from(*value)), "");
    let axis = |title| Axis { from: both.from, to: both.to, title, scale: both.scale };
    let frame = Frame { width: 430.0, height: 412.0, x: axis(labels.x), y: axis(labels.y), names: 0.0 };
    let (from, to) = (both.from, both.to);
    let body = html! {
        line class="mark" x1=(px(frame.x(from))) y1=(px(frame.y(from))) x2=(px(frame.x(to))) y2=(px(frame.y(to))) {}
        g fill=(BLUE) fill-opacity="0.4" {
            @for [truth, said] in points {
                circle cx=(px(frame.x(f64::from(*truth)))) cy=(px(frame.y(f64::from(*said)))) r="2.4" {}
            }
        }
        text class="note" x=(px(frame.x(to) - 6.0)) y=(px(frame.y(to) + 24.0)) text-anchor="end" { (equal) }
    };
    frame.svg(labels.about, &body)
}
