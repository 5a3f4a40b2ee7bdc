//! Printing, exiting and reading the environment are the command line's business alone.

use crate::complaint::Complaint;
use crate::rust_source::{has_word, product_code};
use crate::tree::Tree;

const THE_ONE_WHO_MAY: &str = "graftling-cli";
const MACROS: [&str; 5] = ["println", "eprintln", "print", "eprint", "dbg"];
const CALLS: [&str; 5] = ["env::var", "env::vars", "env::var_os", "env::args", "process::exit"];

pub fn check(tree: &Tree) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for file in tree.rust().filter(|file| !file.is_beside_the_product()) {
        let name = file.crate_name();
        for (index, line) in product_code(&file.text).lines().enumerate() {
            let is_macro = |word: &&str| has_word(line, word) && line.contains(&format!("{word}!"));
            // A debugging print is never meant to stay, wherever it is.
            if name == Some(THE_ONE_WHO_MAY) {
                if is_macro(&"dbg") {
                    complaints.push(Complaint::at(&file.path, index, "dbg! is left over"));
                }
                continue;
            }
            let found = MACROS.into_iter().find(is_macro).or_else(|| CALLS.into_iter().find(|call| has_word(line, call)));
            if let Some(word) = found {
                complaints.push(Complaint::at(&file.path, index, format!("{word}: only {THE_ONE_WHO_MAY} may do this")));
            }
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_command_line_prints() {
        for (path, text, complaints) in [
            ("crates/graftling-text/src/a.rs", "fn a() { println!(\"x\") }", 1),
            ("crates/graftling-text/src/a.rs", "fn a() { let x = std::env::var(\"X\"); }", 1),
            ("crates/graftling-text/src/a.rs", "fn a() { std::process::exit(1) }", 1),
            ("crates/graftling-text/src/a.rs", "// println!(\"x\")\nfn a() { write!(f, \"println!\") }", 0),
            ("crates/graftling-text/src/a.rs", "#[cfg(test)]\nmod tests { fn a() { eprintln!() } }", 0),
            ("crates/graftling-text/tests/a.rs", "fn a() { println!(\"x\") }", 0),
            ("crates/graftling-text/examples/a.rs", "fn a() { println!(\"x\") }", 0),
            ("crates/graftling-text/build.rs", "fn a() { println!(\"x\") }", 0),
            ("crates/graftling-cli/src/a.rs", "fn a() { println!(\"x\") }", 0),
            ("crates/graftling-cli/src/a.rs", "fn a() { dbg!(1) }", 1),
            ("crates/graftling/src/a.rs", "fn a() { fingerprint!(1) }", 0),
        ] {
            assert_eq!(check(&Tree::of(&[(path, text)])).len(), complaints, "{path}: {text}");
        }
    }
}
