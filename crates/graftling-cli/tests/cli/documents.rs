//! The commands of the documents: each is understood by the program as it stands there.

use std::fs;
use std::path::Path;

use crate::scratch::Scratch;

const DOCUMENTS: [&str; 3] = ["README.md", "README.zh.md", "GUIDE.md"];

#[test]
fn every_command_of_the_documents_is_understood() {
    let scratch = Scratch::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut tried = 0;
    for document in DOCUMENTS {
        let text = fs::read_to_string(root.join(document)).unwrap();
        for command in commands(&text) {
            // With --help at its end a command is parsed to that point, and not carried out.
            let mut words: Vec<&str> = command.iter().map(String::as_str).collect();
            words.push("--help");
            let said = scratch.run(&words);
            assert_eq!(said.code, Some(0), "{document}: {words:?}: {}", said.stderr);
            tried += 1;
        }
    }
    assert!(tried >= 10, "only {tried} commands were found");
}

/// The words after `graftling`, or after `cargo run ... --`, of each line in a fenced block for a shell.
fn commands(text: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut shell = None;
    for line in text.replace("\\\n", " ").lines() {
        if let Some(language) = line.trim_start().strip_prefix("```") {
            shell = if shell.is_some() { None } else { Some(["", "sh", "bash", "console"].contains(&language.trim())) };
        } else if shell == Some(true) {
            for part in pipeline(line) {
                let own = match part.first().map(String::as_str) {
                    Some(program) if program == "graftling" || program.ends_with("/graftling") => Some(1),
                    Some("cargo") if part.get(1).is_some_and(|word| word == "run") => {
                        part.iter().position(|word| word == "--").map(|position| position + 1)
                    }
                    _ => None,
                };
                found.extend(own.map(|own| part[own..].to_vec()));
            }
        }
    }
    found
}

/// The words of each command of a line, as a shell cuts them; redirections and comments are left out.
fn pipeline(line: &str) -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    let (mut word, mut quote) = (String::new(), None);
    for character in line.chars().chain([' ']) {
        match (quote, character) {
            (Some(open), character) if character == open => quote = None,
            (None, '"' | '\'') => quote = Some(character),
            (None, ' ' | '|') => {
                match word.as_str() {
                    "" | "$" => {}
                    "#" | "<" | ">" => return commands,
                    _ => commands.last_mut().unwrap().push(word.clone()),
                }
                word.clear();
                if character == '|' {
                    commands.push(Vec::new());
                }
            }
            (_, character) => word.push(character),
        }
    }
    commands
}

#[test]
fn a_line_is_cut_as_a_shell_cuts_it() {
    let text = "```\n$ cat a | graftling predict --text \"two words\" > b\ncargo run --release -- quickstart # all\n```\ngraftling not this\n";
    assert_eq!(commands(text), [vec!["predict", "--text", "two words"], vec!["quickstart"]]);
}
