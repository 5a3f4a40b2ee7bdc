//! `unsafe` stands in two places of the product only, and never without its reason.

use crate::complaint::Complaint;
use crate::rust_source::{code_only, has_word};
use crate::tree::Tree;

const ALLOWED: [&str; 3] = [
    "crates/graftling-tensor/src/kernels/",
    "crates/graftling-models/src/checkpoint/map.rs",
    // Measurements of other crates, some of which have no safe door; nothing of the product is built from them.
    "benches/",
];

pub fn check(tree: &Tree) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for file in tree.rust() {
        let code = code_only(&file.text);
        let lines: Vec<&str> = file.text.lines().collect();
        for (index, line) in code.lines().enumerate().filter(|(_, line)| has_word(line, "unsafe")) {
            if !ALLOWED.iter().any(|place| file.path.starts_with(place)) {
                complaints.push(Complaint::at(&file.path, index, format!("unsafe is allowed only in {}", ALLOWED.join(", "))));
            } else if !has_reason(&lines, index) {
                let form = if has_word(line, "fn") { "a \"# Safety\" section or a // SAFETY: comment" } else { "// SAFETY:" };
                complaints.push(Complaint::at(&file.path, index, format!("unsafe without {form} above it")));
            }
        }
    }
    complaints
}

/// Whether the comments and attributes right above a line, or the line itself, say why it is sound.
fn has_reason(lines: &[&str], index: usize) -> bool {
    let says = |line: &str| line.contains("// SAFETY: ") || line.contains("# Safety");
    let above = lines[..index].iter().rev().map(|line| line.trim());
    says(lines[index]) || above.take_while(|line| line.starts_with("//") || line.starts_with('#')).any(says)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsafe_needs_its_place_and_its_reason() {
        let kernel = "crates/graftling-tensor/src/kernels/a.rs";
        for (path, text, complaints) in [
            (kernel, "// SAFETY: in bounds.\nunsafe { a() }", 0),
            (kernel, "/// # Safety\n/// AVX2.\n#[target_feature(enable = \"avx2\")]\npub unsafe fn a() {}", 0),
            (kernel, "unsafe { a() }", 1),
            (kernel, "// SAFETY: in bounds.\nlet x = 1;\nunsafe { a() }", 1),
            (kernel, "// nothing unsafe here\n#![forbid(unsafe_code)]", 0),
            ("benches/matmul/src/main.rs", "// SAFETY: in bounds.\nunsafe { a() }", 0),
            ("crates/graftling-tensor/src/a.rs", "// SAFETY: none.\nunsafe { a() }", 1),
        ] {
            assert_eq!(check(&Tree::of(&[(path, text)])).len(), complaints, "{path}: {text}");
        }
    }
}
