//! Charts as inline SVG: a frame with labelled axes, and what is drawn into it, a file each. Knows numbers and names; no run and no
//! language.
//!
//! Colours are those of Okabe and Ito (2008), which stay apart for the colour-blind; every series has its name beside it besides.

pub(super) mod bars;
pub(super) mod histogram;
pub(super) mod lines;
pub(super) mod matrix;
pub(super) mod reliability;
pub(super) mod scatter;

use maud::{Markup, html};

pub(super) const BLUE: &str = "#0072B2";
pub(super) const ORANGE: &str = "#D55E00";
pub(super) const GREEN: &str = "#009E73";
const GREY: &str = "#767676";

/// The width of a column of text at the size charts are lettered in.
const COLUMN: f64 = 6.3;
/// Room around the plot: left, right, top, bottom.
const MARGINS: [f64; 4] = [68.0, 16.0, 12.0, 44.0];

/// What an axis measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scale {
    /// Numbers of any kind.
    Numbers,
    /// What is counted: there is nothing between two whole numbers.
    Counts,
}

/// One axis: from where to where, and what it measures, with the unit.
pub(super) struct Axis<'a> {
    pub from: f64,
    pub to: f64,
    pub title: &'a str,
    pub scale: Scale,
}

impl<'a> Axis<'a> {
    /// Over all of some values, with a little room at both ends.
    pub fn around(values: impl Iterator<Item = f64>, title: &'a str) -> Self {
        let finite = values.filter(|value| value.is_finite());
        let (least, most) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), value| (a.min(value), b.max(value)));
        if least > most {
            return Self { from: 0.0, to: 1.0, title, scale: Scale::Numbers };
        }
        let room = match (most > least, most.abs()) {
            (true, _) => 0.06 * (most - least),
            (false, 0.0) => 1.0,
            (false, size) => 0.1 * size,
        };
        // Nothing that is counted or measured here goes below zero unless a value does.
        let from = if least >= 0.0 { (least - room).max(0.0) } else { least - room };
        Self { from, to: most + room, title, scale: Scale::Numbers }
    }

    /// From 0 to as many, with a little room above.
    pub fn of_counts(most: f64, title: &'a str) -> Self {
        Self { from: 0.0, to: most * 1.08, title, scale: Scale::Counts }
    }
}

/// A plot with two axes.
pub(super) struct Frame<'a> {
    pub width: f64,
    pub height: f64,
    pub x: Axis<'a>,
    pub y: Axis<'a>,
    /// Room at the right, for the names of lines.
    pub names: f64,
}

impl Frame<'_> {
    pub fn x(&self, value: f64) -> f64 {
        let [left, right, ..] = MARGINS;
        left + share(&self.x, value) * (self.width - left - right - self.names)
    }

    pub fn y(&self, value: f64) -> f64 {
        let [.., top, bottom] = MARGINS;
        self.height - bottom - share(&self.y, value) * (self.height - top - bottom)
    }

    /// The picture: grid, axes, and what is drawn between them. `about` says what is seen to those who do not see it.
    pub fn svg(&self, about: &str, body: &Markup) -> Markup {
        let [left, right, top, bottom] = MARGINS;
        let (end, base) = (self.width - right - self.names, self.height - bottom);
        let (x_ticks, y_ticks) = (ticks(&self.x, ((end - left) / 70.0) as usize), ticks(&self.y, ((base - top) / 38.0) as usize));
        html! {
            svg viewBox=(format!("0 0 {} {}", self.width, self.height)) width=(self.width) height=(self.height) role="img" aria-label=(about) {
                @for (value, text) in &y_ticks {
                    line class="grid" x1=(px(left)) x2=(px(end)) y1=(px(self.y(*value))) y2=(px(self.y(*value))) {}
                    text x=(px(left - 6.0)) y=(px(self.y(*value) + 4.0)) text-anchor="end" { (text) }
                }
                @for (value, text) in &x_ticks {
                    line class="axis" x1=(px(self.x(*value))) x2=(px(self.x(*value))) y1=(px(base)) y2=(px(base + 4.0)) {}
                    text x=(px(self.x(*value))) y=(px(base + 17.0)) text-anchor="middle" { (text) }
                }
                (body)
                line class="axis" x1=(px(left)) x2=(px(end)) y1=(px(base)) y2=(px(base)) {}
                text class="title" x=(px(f64::midpoint(left, end))) y=(px(self.height - 6.0)) text-anchor="middle" { (self.x.title) }
                text class="title" transform=(format!("translate(13 {}) rotate(-90)", px(f64::midpoint(top, base)))) text-anchor="middle" {
                    (self.y.title)
                }
            }
        }
    }
}

fn share(axis: &Axis<'_>, value: f64) -> f64 {
    if axis.to > axis.from { (value - axis.from) / (axis.to - axis.from) } else { 0.5 }
}

/// Numbers from here on would not fit beside an axis with all their digits.
const LONG: f64 = 1e7;

/// A place in a picture, to a tenth of a unit.
pub(super) fn px(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// Values at round numbers along an axis, about so many, each with its text: multiples of 1, 2 or 5 times a power of ten.
fn ticks(axis: &Axis<'_>, about: usize) -> Vec<(f64, String)> {
    let raw = (axis.to - axis.from) / about.max(2) as f64;
    if !(raw.is_finite() && raw > 0.0) {
        return vec![(axis.from, if axis.from.abs() < LONG { number(axis.from) } else { format!("{:e}", axis.from) })];
    }
    let power = 10_f64.powf(raw.log10().floor());
    let factor = match raw / power {
        near if near < 1.5 => 1.0,
        near if near < 3.5 => 2.0,
        near if near < 7.5 => 5.0,
        _ => 10.0,
    };
    let step = match axis.scale {
        Scale::Numbers => factor * power,
        Scale::Counts => (factor * power).max(1.0),
    };
    let first = (axis.from / step - 1e-6).ceil() as i64;
    let last = (axis.to / step + 1e-6).floor() as i64;
    let decimals = (-step.log10().floor()).max(0.0) as usize;
    let largest = axis.from.abs().max(axis.to.abs());
    let text = |value: f64| match decimals {
        0 if largest < LONG => number(value),
        1..=3 => format!("{value:.decimals$}"),
        _ if value == 0.0 => "0".to_owned(),
        _ => {
            // The digits that tell neighbours apart, and no others.
            let digits = (value.abs().log10().floor() - step.log10().floor()).max(0.0) as usize;
            format!("{value:.digits$e}")
        }
    };
    (first..=last).map(|count| count as f64 * step).map(|value| (value, text(value))).collect()
}

/// A whole number with its thousands set apart.
fn number(value: f64) -> String {
    let digits = crate::figures::count(value.abs().round() as u64);
    if value < -0.5 { format!("-{digits}") } else { digits }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_stand_at_round_numbers() {
        use Scale::{Counts, Numbers};
        let cases: [(f64, f64, Scale, usize, &[&str]); 10] = [
            (0.0, 1.0, Numbers, 5, &["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
            (0.0, 1834.0, Numbers, 4, &["0", "500", "1,000", "1,500"]),
            (-4.2, 4.3, Numbers, 4, &["-4", "-2", "0", "2", "4"]),
            (0.0, 2e-4, Numbers, 4, &["0", "5e-5", "1.0e-4", "1.5e-4", "2.0e-4"]),
            (0.31, 0.35, Numbers, 4, &["0.31", "0.32", "0.33", "0.34", "0.35"]),
            (7.0, 7.0, Numbers, 4, &["7"]),
            (-1e30, 2e30, Numbers, 3, &["-1e30", "0", "1e30", "2e30"]),
            (3.5, 6.5, Counts, 5, &["4", "5", "6"]),
            (0.0, 2.16, Counts, 5, &["0", "1", "2"]),
            (0.0, 1834.0, Counts, 4, &["0", "500", "1,000", "1,500"]),
        ];
        for (from, to, scale, about, expected) in cases {
            let told: Vec<String> =
                ticks(&Axis { from, to, title: "", scale }, about).into_iter().map(|(_, text)| text).collect();
            assert_eq!(told, expected, "{from} {to}");
        }
    }

    #[test]
    fn an_axis_holds_its_values_and_stays_above_zero_where_they_do() {
        let axis = Axis::around([0.01, 0.5].into_iter(), "");
        assert!(axis.from == 0.0 && axis.to > 0.5);
        let axis = Axis::around([3.0, f64::NAN].into_iter(), "");
        assert!(axis.from < 3.0 && axis.to > 3.0);
        assert_eq!(Axis::around([].into_iter(), "").to, 1.0);
    }
}
