//! No Rust file is longer than a reader can hold in mind.

use crate::complaint::Complaint;
use crate::tree::Tree;

const MOST_LINES: usize = 500;

pub fn check(tree: &Tree) -> Vec<Complaint> {
    let sizes = tree.rust().map(|file| (file, file.text.lines().count()));
    let long = sizes.filter(|(_, lines)| *lines > MOST_LINES);
    long.map(|(file, lines)| Complaint::at(&file.path, MOST_LINES, format!("{lines} lines, at most {MOST_LINES}; split it")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_hundred_lines_pass_and_one_more_does_not() {
        let short = "\n".repeat(500);
        let long = "\n".repeat(501);
        let complaints = check(&Tree::of(&[("a.rs", &short), ("b.rs", &long), ("c.md", &long)]));
        assert_eq!(complaints.iter().map(|complaint| complaint.path.as_str()).collect::<Vec<_>>(), ["b.rs"]);
    }
}
