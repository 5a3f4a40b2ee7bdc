//! Every relative link of a markdown file leads to a file or folder of the repository.

use crate::complaint::Complaint;
use crate::tree::{TextFile, Tree};

pub fn check(tree: &Tree) -> Vec<Complaint> {
    tree.markdown().flat_map(|file| of_file(file, tree)).collect()
}

fn of_file(file: &TextFile, tree: &Tree) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    let mut fenced = false;
    for (index, line) in file.text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        for target in targets(line) {
            let path = target.split(['#', '?']).next().unwrap_or_default();
            if path.is_empty() || target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            match resolved(&file.path, path) {
                Some(path) if exists(tree, &path) => {}
                _ => complaints.push(Complaint::at(&file.path, index, format!("the link {target:?} leads nowhere"))),
            }
        }
    }
    complaints
}

/// What stands in the round brackets of `[text](target "title")`, outside of code spans.
fn targets(line: &str) -> Vec<&str> {
    let prose = line.split('`').step_by(2);
    let brackets = prose.flat_map(|part| part.split("](").skip(1));
    brackets.filter_map(|rest| rest.split(')').next()?.split_whitespace().next()).collect()
}

/// A path from the root, without `.` and `..`; none where it leaves the repository.
fn resolved(from: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = if target.starts_with('/') { Vec::new() } else { from.split('/').collect() };
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

fn exists(tree: &Tree, path: &str) -> bool {
    path.is_empty() || tree.paths.iter().any(|known| known == path || known.starts_with(&format!("{path}/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_followed_from_where_they_stand() {
        let text = "[a](docs/a.md) [b](docs/) [c](missing.md) ![d](docs/a.md#part \"title\") `[e](x)`\n\
                    [f](https://example.com/x) [g](#here) [h](../out.md)\n```\n[i](nowhere)\n```";
        let tree = Tree::of(&[("README.md", text), ("docs/a.md", "[up](../README.md) [root](/README.md)")]);
        let wrong: Vec<String> = check(&tree).into_iter().map(|complaint| complaint.text).collect();
        assert_eq!(wrong, ["the link \"missing.md\" leads nowhere", "the link \"../out.md\" leads nowhere"]);
    }
}
