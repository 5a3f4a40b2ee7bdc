//! Lines over steps: one or several, each with its name at its end. Knows points; no run.

use maud::{Markup, html};

use super::{Axis, Frame, Scale, px};

/// A line.
pub(in crate::report) struct Line<'a> {
    pub name: &'a str,
    pub colour: &'a str,
    pub points: Vec<(f64, f64)>,
    /// Whether each point is a measurement of its own, to be seen as such.
    pub marked: bool,
}

/// What a chart of lines is called, and what its axes are.
pub(in crate::report) struct Labels<'a> {
    pub about: &'a str,
    pub x: &'a str,
    pub y: &'a str,
}

/// The lines in one plot. `marks` are steps that deserve a line of their own, with a word.
pub(in crate::report) fn chart(lines: &[Line<'_>], labels: &Labels<'_>, marks: &[(f64, &str)], zero: bool) -> Markup {
    let points = || lines.iter().flat_map(|line| &line.points).filter(|(_, y)| y.is_finite());
    let last = points().map(|(x, _)| *x).fold(1.0, f64::max);
    let mut y = Axis::around(points().map(|(_, y)| *y), labels.y);
    if zero {
        y.from = y.from.min(0.0);
    }
    let longest = lines.iter().map(|line| unicode_width::UnicodeWidthStr::width(line.name)).max().unwrap_or(0);
    let names = if lines.len() > 1 { longest as f64 * super::COLUMN + 8.0 } else { 0.0 };
    let frame =
        Frame { width: 430.0, height: 240.0, x: Axis { from: 0.0, to: last, title: labels.x, scale: Scale::Counts }, y, names };
    let drawn = |line: &Line<'_>| {
        let places = line.points.iter().filter(|(_, y)| y.is_finite()).map(|(x, y)| (px(frame.x(*x)), px(frame.y(*y))));
        places.collect::<Vec<_>>()
    };
    let body = html! {
        @for (step, word) in marks {
            line class="mark" x1=(px(frame.x(*step))) x2=(px(frame.x(*step))) y1="12" y2="196" {}
            @let late = *step > 0.6 * last;
            text class="note" x=(px(frame.x(*step) + if late { -4.0 } else { 4.0 })) y="10" text-anchor=(if late { "end" } else { "start" }) { (word) }
        }
        @for line in lines {
            @let places = drawn(line);
            @if places.len() > 1 {
                polyline fill="none" stroke=(line.colour) stroke-width="1.6"
                    points=(places.iter().map(|(x, y)| format!("{x},{y}")).collect::<Vec<_>>().join(" ")) {}
            }
            @if line.marked || places.len() == 1 {
                @for (x, y) in &places { circle cx=(x) cy=(y) r="3" fill=(line.colour) {} }
            }
        }
        @if lines.len() > 1 {
            @for (line, at) in lines.iter().zip(name_places(lines, &frame)) {
                text x=(px(frame.x(last) + 6.0)) y=(px(at + 4.0)) fill=(line.colour) { (line.name) }
            }
        }
    };
    frame.svg(labels.about, &body)
}

/// Where the names of lines stand: at their ends, moved apart where these are close.
fn name_places(lines: &[Line<'_>], frame: &Frame<'_>) -> Vec<f64> {
    let end = |line: &Line<'_>| line.points.iter().rev().find(|(_, y)| y.is_finite()).map_or(frame.y.from, |(_, y)| *y);
    let mut places: Vec<(usize, f64)> = lines.iter().map(|line| frame.y(end(line))).enumerate().collect();
    places.sort_by(|one, other| one.1.total_cmp(&other.1));
    for place in 1..places.len() {
        places[place].1 = places[place].1.max(places[place - 1].1 + 14.0);
    }
    places.sort_by_key(|(line, _)| *line);
    places.into_iter().map(|(_, at)| at).collect()
}
