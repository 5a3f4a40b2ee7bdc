//! The confusion matrix and the figures by class as plain text. Columns line up by display width, so Chinese names may stand in them.
//! Knows no terminal: the width is told, the text is returned.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::{ClassMetrics, ClassificationMetrics, Confusion, ConfusionMatrix};

/// More classes than this are not shown as a matrix.
const MOST_MATRIX_CLASSES: usize = 20;
/// Mistakes listed where there is no room for a matrix.
const LISTED_CONFUSIONS: usize = 10;
/// More classes than this are not all listed; then the weakest ones are.
const MOST_LISTED_CLASSES: usize = 30;
/// Classes listed where they are too many.
const LISTED_CLASSES: usize = 10;
/// A name is shown up to this width.
const NAME_WIDTH: usize = 32;
/// Widths tried for the names over a matrix before it is given up.
const HEADING_WIDTHS: [usize; 3] = [NAME_WIDTH, 12, 8];

impl ConfusionMatrix {
    /// The matrix as text, rows true and columns predicted; where it would not fit into `width`, the most frequent mistakes instead.
    pub fn table(&self, labels: &[String], width: usize) -> String {
        assert_eq!(labels.len(), self.classes(), "confusion matrix: {} labels but {} classes", labels.len(), self.classes());
        let matrices = HEADING_WIDTHS.iter().filter_map(|heading_width| self.matrix_table(labels, *heading_width));
        let fitting = matrices.into_iter().find(|table| table.lines().all(|line| line.width() <= width));
        fitting.unwrap_or_else(|| self.confusions_table(labels))
    }

    /// `None` where there are too many classes, or names cut to that width are no longer different.
    fn matrix_table(&self, labels: &[String], heading_width: usize) -> Option<String> {
        if self.classes() > MOST_MATRIX_CLASSES {
            return None;
        }
        let headings: Vec<String> = labels.iter().map(|label| shortened(label, heading_width)).collect();
        if headings.iter().enumerate().any(|(index, heading)| headings[..index].contains(heading)) {
            return None;
        }
        let mut rows = vec![vec!["true \\ predicted".to_owned()]];
        rows[0].extend(headings);
        for (truth, label) in labels.iter().enumerate() {
            let mut row = vec![shortened(label, NAME_WIDTH)];
            row.extend((0..self.classes()).map(|predicted| self.count(truth, predicted).to_string()));
            rows.push(row);
        }
        Some(aligned(&rows, 1))
    }

    fn confusions_table(&self, labels: &[String]) -> String {
        let mistakes = self.cells().filter(|cell| cell.truth != cell.predicted);
        let (kinds, total) = mistakes.fold((0, 0), |(kinds, total), cell| (kinds + 1, total + cell.count));
        if kinds == 0 {
            return format!("{} classes, no mistakes\n", self.classes());
        }
        let top = self.top_confusions(LISTED_CONFUSIONS);
        let shown: u64 = top.iter().map(|cell| cell.count).sum();
        let mut rows = vec![["true", "predicted", "times", "of the true"].map(str::to_owned).to_vec()];
        rows.extend(top.iter().map(|Confusion { truth, predicted, count }| {
            let percent = 100.0 * *count as f64 / self.support(*truth) as f64;
            let name = |class: usize| shortened(&labels[class], NAME_WIDTH);
            vec![name(*truth), name(*predicted), count.to_string(), format!("{percent:.1} %")]
        }));
        let rest = match kinds - top.len() {
            0 => String::new(),
            hidden => format!("and {} more mistakes of {hidden} kinds\n", total - shown),
        };
        format!("most frequent mistakes ({} classes)\n{}{rest}", self.classes(), aligned(&rows, 2))
    }
}

impl ClassificationMetrics {
    /// Precision, recall and F1 of each class and averaged; of too many classes, the ones with the lowest F1.
    pub fn table(&self) -> String {
        let (title, mut rows) = classes_table(["class", "classes"], &self.classes);
        for (name, figures) in [("macro", self.macro_), ("weighted", self.weighted)] {
            rows.push(row(name, &figures, self.examples));
        }
        format!("{title}{}", aligned(&rows, 1))
    }
}

/// The rows of each class under a heading, and a blank one; of too many classes those with the lowest F1, and a line that says so.
pub(super) fn classes_table([one, many]: [&str; 2], classes: &[ClassMetrics]) -> (String, Vec<Vec<String>>) {
    let mut rows = vec![[one, "precision", "recall", "f1", "support"].map(str::to_owned).to_vec()];
    let listed = listed_classes(classes);
    rows.extend(listed.iter().map(|class| row(&shortened(&class.label, NAME_WIDTH), &class.figures, class.support)));
    rows.push(Vec::new());
    let title = match classes.len() - listed.len() {
        0 => String::new(),
        _ => format!("{} of {} {many}, those with the lowest f1\n", listed.len(), classes.len()),
    };
    (title, rows)
}

fn listed_classes(classes: &[ClassMetrics]) -> Vec<&ClassMetrics> {
    if classes.len() <= MOST_LISTED_CLASSES {
        return classes.iter().collect();
    }
    let mut weakest: Vec<&ClassMetrics> = classes.iter().filter(|class| class.support > 0).collect();
    weakest.sort_by(|a, b| a.figures.f1.total_cmp(&b.figures.f1).then(b.support.cmp(&a.support)));
    weakest.truncate(LISTED_CLASSES);
    weakest
}

/// A figure as it stands in a table.
pub(super) fn figure(figure: f64) -> String {
    format!("{figure:.4}")
}

/// A name with its three figures and how many examples they are of.
pub(super) fn row(name: &str, figures: &super::Averages, support: u64) -> Vec<String> {
    vec![name.to_owned(), figure(figures.precision), figure(figures.recall), figure(figures.f1), support.to_string()]
}

/// Columns padded to the same display width; the first `names` columns to the left, the others to the right. A row without cells is
/// a blank line.
pub(super) fn aligned(rows: &[Vec<String>], names: usize) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|column| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max().unwrap_or(0))
        .collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let padding = " ".repeat(widths[column] - cell.width());
            let gap = if column == 0 { "" } else { "  " };
            line += &if column < names { format!("{gap}{cell}{padding}") } else { format!("{gap}{padding}{cell}") };
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
}

/// The name on one line, cut to a display width; what was cut shows as an ellipsis.
fn shortened(name: &str, width: usize) -> String {
    let shown = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    let name: String = name.chars().map(shown).collect();
    if name.width() <= width {
        return name;
    }
    let mut cut = String::new();
    let mut used = 0;
    for c in name.chars() {
        used += c.width().unwrap_or(0);
        if used > width - 1 {
            break;
        }
        cut.push(c);
    }
    cut + "…"
}
