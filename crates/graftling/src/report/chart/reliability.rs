//! A reliability diagram: how often decisions are right, over how sure they are, and how many there are of each sort.
//! Knows a calibration; no text.

use maud::{Markup, html};

use super::lines::Labels;
use super::{Axis, BLUE, Frame, GREY, Scale, px};
use crate::metrics::{Calibration, CalibrationBin};

/// The diagram, with an interval of 95 % at each point, and the counts below in bars of their own.
pub(in crate::report) fn chart(calibration: &Calibration, labels: &Labels<'_>, perfect: &str, count: &str) -> Markup {
    let from = calibration.bins.first().map_or(0.0, |bin| (bin.confidence * 10.0 - 0.5).floor().max(0.0) / 10.0);
    let x = |title| Axis { from, to: 1.0, title, scale: Scale::Numbers };
    let frame = Frame {
        width: 430.0,
        height: 340.0,
        x: x(labels.x),
        y: Axis { from: 0.0, to: 1.0, title: labels.y, scale: Scale::Numbers },
        names: 0.0,
    };
    let highest = calibration.bins.iter().map(|bin| bin.count).max().unwrap_or(1) as f64;
    let below = Frame { width: 430.0, height: 150.0, x: x(labels.x), y: Axis::of_counts(highest, count), names: 0.0 };
    let body = html! {
        line class="mark" x1=(px(frame.x(from))) y1=(px(frame.y(from))) x2=(px(frame.x(1.0))) y2=(px(frame.y(1.0))) {}
        text class="note" x=(px(frame.x(1.0) - 4.0)) y=(px(frame.y(0.04))) text-anchor="end" { (perfect) }
        @for bin in &calibration.bins {
            @let (low, high) = interval(bin);
            @let at = px(frame.x(bin.confidence));
            line stroke=(BLUE) stroke-width="1.4" x1=(at) x2=(at) y1=(px(frame.y(low))) y2=(px(frame.y(high))) {}
            circle cx=(at) cy=(px(frame.y(bin.accuracy))) r="3.6" fill=(BLUE) {}
        }
    };
    let bars = html! {
        @for bin in &calibration.bins {
            rect fill=(GREY) x=(px(below.x(bin.confidence) - 4.0)) width="8" y=(px(below.y(bin.count as f64))) height=(px(below.y(0.0) - below.y(bin.count as f64))) {}
        }
    };
    html! { (frame.svg(labels.about, &body)) (below.svg(count, &bars)) }
}

/// Wilson's interval of 95 % for the share of a bin that is right (Wilson, 1927).
fn interval(bin: &CalibrationBin) -> (f64, f64) {
    let (z, n, share) = (1.959_964, bin.count as f64, bin.accuracy);
    let centre = (share + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let half = z / (1.0 + z * z / n) * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
    ((centre - half).max(0.0), (centre + half).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_wilsons() {
        // scipy.stats.binomtest(8, 10).proportion_ci(method="wilson")
        let (low, high) = interval(&CalibrationBin { confidence: 0.9, accuracy: 0.8, count: 10 });
        assert!((low - 0.490_162).abs() < 1e-6 && (high - 0.943_318).abs() < 1e-6, "{low} {high}");
        assert_eq!(interval(&CalibrationBin { confidence: 0.9, accuracy: 1.0, count: 5 }).1, 1.0);
    }
}
