//! A file is named by the noun it holds, never by a word that fits everything.

use crate::complaint::Complaint;
use crate::tree::Tree;

const EMPTY_WORDS: [&str; 8] = ["util", "utils", "helper", "helpers", "common", "misc", "base", "shared"];

pub fn check(tree: &Tree) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for file in tree.rust() {
        let parts = file.path.trim_end_matches(".rs").split('/');
        if let Some(part) = parts.into_iter().find(|part| EMPTY_WORDS.contains(part)) {
            complaints.push(Complaint::at(&file.path, 0, format!("{part:?} says nothing; name the file by what it holds")));
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_words_are_refused_as_files_and_folders() {
        let tree = Tree::of(&[("src/utils.rs", ""), ("src/common/mod.rs", ""), ("src/baseline.rs", ""), ("notes/misc.md", "")]);
        assert_eq!(check(&tree).len(), 2);
    }
}
