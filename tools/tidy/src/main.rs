//! Checks of the house that no compiler makes; `./check` runs it. Knows the rules, not the crates' contents.
//! Prints every complaint as `path:line: text` and ends with 1 where there is one.
#![forbid(unsafe_code)]

mod checks;
mod complaint;
mod rust_source;
mod tree;

use std::process::ExitCode;
use tree::Tree;

fn main() -> ExitCode {
    let root = std::env::args().nth(1).unwrap_or_else(|| ".".to_owned());
    let tree = match Tree::of_repository(root.as_ref()) {
        Ok(tree) => tree,
        Err(reason) => {
            eprintln!("tidy: {root}: {reason}");
            return ExitCode::FAILURE;
        }
    };
    let complaints = checks::all(&tree);
    for complaint in &complaints {
        println!("{complaint}");
    }
    match complaints.len() {
        0 => ExitCode::SUCCESS,
        count => {
            println!("tidy: {count} complaints in {} files read", tree.files.len());
            ExitCode::FAILURE
        }
    }
}
