//! Every Rust file says at its door what it holds.

use crate::complaint::Complaint;
use crate::tree::Tree;

pub fn check(tree: &Tree) -> Vec<Complaint> {
    let silent = tree.rust().filter(|file| !file.text.starts_with("//! "));
    silent.map(|file| Complaint::at(&file.path, 0, "must open with //! (what the file holds; what it must not know)")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_an_opening_is_found() {
        let tree = Tree::of(&[("a.rs", "//! Holds a.\n"), ("b.rs", "// Holds b.\n"), ("c.rs", "\n//! Late.\n"), ("d.py", "")]);
        assert_eq!(check(&tree).len(), 2);
    }
}
