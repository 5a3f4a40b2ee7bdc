//! Precision, recall and F1 of classes as bars, a row a class. Knows figures and names; no text.

use maud::{Markup, html};

use super::{BLUE, GREEN, ORANGE, px};
use crate::report::facts::ClassFacts;
use crate::report::text;

/// Classes in one picture; a page of paper breaks between pictures.
const TOGETHER: usize = 25;
const LEFT: f64 = 230.0;
const RIGHT: f64 = 700.0;
const WIDTH: f64 = 830.0;
/// The columns a name may have.
const NAME: usize = 34;

/// What the three bars, the value beside them and the count are called, and what is seen.
pub(in crate::report) struct Labels<'a> {
    pub about: &'a str,
    pub bars: [&'a str; 3],
    pub count: &'a str,
}

/// The bars of all classes, in their order.
pub(in crate::report) fn charts(classes: &[ClassFacts], labels: &Labels<'_>) -> Markup {
    // A few classes have room for broad bars.
    let bar = if classes.len() > 10 { 5.0 } else { 8.0 };
    html! { @for some in classes.chunks(TOGETHER) { (chart(some, labels, bar)) } }
}

fn chart(classes: &[ClassFacts], labels: &Labels<'_>, bar: f64) -> Markup {
    let row = 3.0 * bar + 6.0;
    let top = 26.0;
    let height = top + row * classes.len() as f64 + 24.0;
    let x = |value: f64| LEFT + value * (RIGHT - LEFT);
    let base = height - 22.0;
    html! {
        svg viewBox=(format!("0 0 {WIDTH} {height}")) width=(WIDTH) height=(height) role="img" aria-label=(labels.about) {
            @for (place, (name, colour)) in labels.bars.iter().zip([BLUE, ORANGE, GREEN]).enumerate() {
                @let left = LEFT + 130.0 * place as f64;
                rect x=(px(left)) y="5" width="14" height="9" fill=(colour) {}
                text x=(px(left + 19.0)) y="14" { (name) }
            }
            text x=(px(RIGHT + 8.0)) y="14" { (labels.bars[2]) }
            text x=(px(WIDTH - 4.0)) y="14" text-anchor="end" { (labels.count) }
            @for tenth in [0, 2, 4, 6, 8, 10] {
                @let at = px(x(f64::from(tenth) / 10.0));
                line class="grid" x1=(at) x2=(at) y1=(px(top - 4.0)) y2=(px(base)) {}
                text x=(at) y=(px(base + 15.0)) text-anchor="middle" { (format!("{:.1}", f64::from(tenth) / 10.0)) }
            }
            @for (place, class) in classes.iter().enumerate() {
                @let y = top + row * place as f64;
                @let middle = px(y + 1.5 * bar + 4.0);
                text x=(px(LEFT - 8.0)) y=(middle) text-anchor="end" { (text::name(&class.label, NAME)) }
                @for (bar_place, (value, colour)) in [(class.precision, BLUE), (class.recall, ORANGE), (class.f1, GREEN)].into_iter().enumerate() {
                    rect fill=(colour) x=(px(LEFT)) y=(px(y + bar * bar_place as f64)) width=(px((x(value) - LEFT).max(0.6))) height=(px(bar - 0.6)) {}
                }
                text x=(px(RIGHT + 8.0)) y=(middle) { (format!("{:.3}", class.f1)) }
                text x=(px(WIDTH - 4.0)) y=(middle) text-anchor="end" { (crate::figures::count(class.support)) }
            }
            line class="axis" x1=(px(LEFT)) x2=(px(LEFT)) y1=(px(top - 4.0)) y2=(px(base)) {}
        }
    }
}
