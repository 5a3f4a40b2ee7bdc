//! A confusion matrix: true classes in rows, predicted ones in columns, each cell shaded by its share of the row. Knows counts and
//! names; no text.

use maud::{Markup, html};
use unicode_width::UnicodeWidthStr;

use super::{COLUMN, px};
use crate::report::facts::ConfusionFacts;
use crate::report::text;

/// Up to so many classes have their counts written into the cells.
const MOST_WRITTEN: usize = 24;
/// The width of the page.
const WIDTH: f64 = 860.0;
/// The columns a name may have.
const NAME: usize = 26;

/// What is seen, and what rows, columns and the sums of the rows are called.
pub(in crate::report) struct Labels<'a> {
    pub about: &'a str,
    pub rows: &'a str,
    pub columns: &'a str,
    pub sum: &'a str,
}

/// The matrix, of as many classes as have names.
pub(in crate::report) fn chart(confusion: &ConfusionFacts, labels: &Labels<'_>) -> Markup {
    let names: Vec<String> = confusion.labels.iter().map(|label| text::name(label, NAME)).collect();
    let count = names.len();
    // The facts may come from a file that was written by hand.
    let cells = || confusion.cells.iter().filter(|[truth, predicted, _]| (*truth.max(predicted) as usize) < count);
    let mut sums = vec![0_u64; count];
    cells().for_each(|[truth, _, times]| sums[*truth as usize] = sums[*truth as usize].saturating_add(*times));
    let written = count <= MOST_WRITTEN;
    let longest = names.iter().map(|name| name.width()).max().unwrap_or(0) as f64;
    let size = if written { 11.0 } else { 8.0 };
    let name_width = longest * COLUMN * size / 11.0 + 12.0;
    let sum_width = 52.0;
    let room = WIDTH - name_width - sum_width - 20.0;
    let side = (room / count as f64).min(56.0);
    // A name that is no broader than its column lies; others stand.
    let lies = longest * COLUMN < side - 6.0;
    let top = 22.0 + if lies { 18.0 } else { name_width };
    let left = 20.0 + name_width;
    let (end, base) = (left + side * count as f64, top + side * count as f64);
    let (width, height) = (end + sum_width, base + 6.0);
    let (at, down) = (|column: u64| left + side * column as f64, |row: u64| top + side * row as f64);
    html! {
        svg class=(if written { "" } else { "small" }) viewBox=(format!("0 0 {} {}", px(width), px(height))) width=(px(width)) height=(px(height)) role="img" aria-label=(labels.about) {
            text class="title" x=(px(f64::midpoint(left, end))) y="13" text-anchor="middle" { (labels.columns) }
            text class="title" transform=(format!("translate(12 {}) rotate(-90)", px(f64::midpoint(top, base)))) text-anchor="middle" { (labels.rows) }
            text x=(px(width - 2.0)) y=(px(top - 6.0)) text-anchor="end" { (labels.sum) }
            @for (place, name) in names.iter().enumerate() {
                @let (x, y) = (at(place as u64), down(place as u64));
                text x=(px(left - 6.0)) y=(px(y + side / 2.0 + size * 0.36)) text-anchor="end" { (name) }
                @if lies {
                    text x=(px(x + side / 2.0)) y=(px(top - 6.0)) text-anchor="middle" { (name) }
                } @else {
                    text transform=(format!("translate({} {}) rotate(-90)", px(x + side / 2.0 + size * 0.36), px(top - 6.0))) { (name) }
                }
                text x=(px(width - 2.0)) y=(px(y + side / 2.0 + size * 0.36)) text-anchor="end" { (crate::figures::count(sums[place])) }
            }
            @for [truth, predicted, count] in cells() {
                @let share = *count as f64 / sums[*truth as usize].max(1) as f64;
                rect x=(px(at(*predicted))) y=(px(down(*truth))) width=(px(side)) height=(px(side)) fill=(shade(share)) {}
                @if written {
                    text x=(px(at(*predicted) + side / 2.0)) y=(px(down(*truth) + side / 2.0 + 4.0)) text-anchor="middle" class=(if share > 0.5 { "light" } else { "" }) { (count) }
                }
            }
            @if written || count <= 40 {
                @for line in 0..=count as u64 {
                    line class="cell" x1=(px(left)) x2=(px(end)) y1=(px(down(line))) y2=(px(down(line))) {}
                    line class="cell" x1=(px(at(line))) x2=(px(at(line))) y1=(px(top)) y2=(px(base)) {}
                }
            } @else {
                // Every fifth line leads the eye; more of them would hide the cells.
                @for line in (0..=count as u64).step_by(5) {
                    line class="cell" x1=(px(left)) x2=(px(end)) y1=(px(down(line))) y2=(px(down(line))) {}
                    line class="cell" x1=(px(at(line))) x2=(px(at(line))) y1=(px(top)) y2=(px(base)) {}
                }
            }
            rect class="frame" x=(px(left)) y=(px(top)) width=(px(end - left)) height=(px(base - top)) {}
        }
    }
}

/// From white to blue; the least share that is not zero is still seen.
fn shade(share: f64) -> String {
    let strength = 0.08 + 0.92 * share.clamp(0.0, 1.0);
    let mix = |end: f64| (255.0 + (end - 255.0) * strength).round() as u8;
    format!("#{:02X}{:02X}{:02X}", mix(0.0), mix(90.0), mix(150.0))
}
