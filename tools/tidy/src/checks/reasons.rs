//! What is skipped or silenced says why, and nothing is left to be done later.

use crate::complaint::Complaint;
use crate::rust_source::{code_only, has_word};
use crate::tree::Tree;

const UNFINISHED: [&str; 2] = ["todo", "unimplemented"];
const SILENCED: [&str; 3] = ["#[ignore", "allow(dead_code", "expect(dead_code"];

pub fn check(tree: &Tree) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for file in tree.rust() {
        let lines: Vec<&str> = file.text.lines().collect();
        for (index, code) in code_only(&file.text).lines().enumerate() {
            if let Some(word) = UNFINISHED.iter().find(|word| has_word(code, word) && code.contains(&format!("{word}!"))) {
                complaints.push(Complaint::at(&file.path, index, format!("{word}! is not finished")));
            }
            if let Some(word) = SILENCED.iter().find(|word| code.contains(**word) && !has_reason(&lines, index)) {
                complaints.push(Complaint::at(&file.path, index, format!("{word} without a reason in it or above it")));
            }
        }
    }
    complaints
}

fn has_reason(lines: &[&str], index: usize) -> bool {
    let line = lines[index];
    let inside = line.contains("#[ignore = \"") || line.contains("reason = \"") || line.contains("//");
    inside || index > 0 && lines[index - 1].trim_start().starts_with("// ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_needs_a_reason() {
        for (text, complaints) in [
            ("#[ignore]\nfn a() {}", 1),
            ("#[ignore = \"takes an hour\"]\nfn a() {}", 0),
            ("// Takes an hour.\n#[ignore]\nfn a() {}", 0),
            ("#[allow(dead_code)]\nfn a() {}", 1),
            ("#[expect(dead_code, reason = \"read by a test\")]\nfn a() {}", 0),
            ("fn a() { todo!() }", 1),
            ("fn a() { unimplemented!(\"x\") }", 1),
            ("fn a() { \"todo!()\"; } // todo!()", 0),
        ] {
            assert_eq!(check(&Tree::of(&[("a.rs", text)])).len(), complaints, "{text}");
        }
    }
}
