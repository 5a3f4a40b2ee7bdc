//! Every `graftling` command in a fenced block of the README and the GUIDE exists.

use crate::complaint::Complaint;
use crate::tree::Tree;

/// The commands of the command line, and the words that some of them need next.
const COMMANDS: &[(&str, &[&str])] = &[
    ("train", &[]),
    ("evaluate", &[]),
    ("compare", &[]),
    ("predict", &[]),
    ("models", &["list", "pull", "import", "inspect"]),
    ("generate", &[]),
    ("quickstart", &[]),
    ("report", &[]),
    ("score", &[]),
    ("help", &[]),
    ("--help", &[]),
    ("--version", &[]),
];
const DOCUMENTS: [&str; 2] = ["README", "GUIDE"];
const PROGRAM: &str = "graftling";
const SHELLS: [&str; 5] = ["", "sh", "bash", "console", "shell"];

pub fn check(tree: &Tree) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for file in tree.markdown().filter(|file| DOCUMENTS.iter().any(|name| file.name().starts_with(name))) {
        let mut shell = None;
        for (index, line) in file.text.lines().enumerate() {
            if let Some(language) = line.trim_start().strip_prefix("```") {
                shell = if shell.is_some() { None } else { Some(SHELLS.contains(&language.trim())) };
                continue;
            }
            if shell == Some(true) {
                let wrong = line.split(['|', ';', '&']).filter_map(complaint);
                complaints.extend(wrong.map(|text| Complaint::at(&file.path, index, text)));
            }
        }
    }
    complaints
}

/// What is wrong with a command, where it is one of ours.
fn complaint(command: &str) -> Option<String> {
    let words: Vec<&str> =
        command.split('#').next()?.split_whitespace().skip_while(|word| ["$", "time"].contains(word)).collect();
    let program = words.first()?;
    let ours = match *program {
        "cargo" => words.iter().position(|word| *word == "--")? + 1,
        program if program == PROGRAM || program.ends_with(&format!("/{PROGRAM}")) => 1,
        _ => return None,
    };
    // `cargo test -- name` and the like pass words to something else.
    if *program == "cargo" && words.get(1) != Some(&"run") {
        return None;
    }
    let Some(word) = words.get(ours) else { return Some(format!("{PROGRAM} without a command")) };
    let Some((_, next)) = COMMANDS.iter().find(|(command, _)| command == word) else {
        let names: Vec<&str> = COMMANDS.iter().map(|(command, _)| *command).collect();
        return Some(format!("{PROGRAM} has no command {word:?}; it has {}", names.join(", ")));
    };
    match words.get(ours + 1) {
        Some(second) if !next.is_empty() && !next.contains(second) && *second != "--help" => {
            Some(format!("{PROGRAM} {word} has no command {second:?}; it has {}", next.join(", ")))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_commands_that_exist_pass() {
        for (line, complaints) in [
            ("graftling train --model x", 0),
            ("$ cargo run --release -- quickstart", 0),
            ("cat texts.txt | target/release/graftling predict --model run", 0),
            ("graftling models pull all-MiniLM-L6-v2", 0),
            ("graftling models fetch x", 1),
            ("graftling tune x", 1),
            ("cargo run --release -- finetune", 1),
            ("cargo test -- name", 0),
            ("epoch 1: graftling is fast", 0),
        ] {
            let text = format!("# Title\n\ngraftling nonsense in prose\n\n```sh\n{line}\n```\n");
            assert_eq!(check(&Tree::of(&[("README.md", &text)])).len(), complaints, "{line}");
        }
        assert!(
            check(&Tree::of(&[("README.md", "```toml\ngraftling = 1\n```"), ("NOTES.md", "```\ngraftling x\n```")])).is_empty()
        );
    }
}
