//! No package host and no path of one machine stands in a file: both are settings of whoever uses the project.

use crate::complaint::Complaint;
use crate::tree::Tree;

// Each name is written in two halves, so that this file does not complain about itself.
const HOSTS: [&str; 10] = [
    concat!("pypi", ".org"),
    concat!("pythonhosted", ".org"),
    concat!("hugging", "face.co"),
    concat!("hf", ".co"),
    concat!("hf-mirror", ".com"),
    concat!("crates", ".io"),
    concat!("npmjs", ".org"),
    concat!("anaconda", ".org"),
    concat!("proxy.go", "lang.org"),
    concat!("download.py", "torch.org"),
];
const MACHINE_PATHS: [&str; 2] = [concat!("/wo", "rk/"), concat!("/ro", "ot/")];
/// Data that people wrote; lock files are written by cargo.
const DATA: &str = "data/";
const LOCK_FILE: &str = "Cargo.lock";

pub fn check(tree: &Tree) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    let judged = tree.files.iter().filter(|file| !file.path.starts_with(DATA) && file.name() != LOCK_FILE);
    for file in judged {
        for (index, line) in file.text.lines().enumerate() {
            if let Some(host) = HOSTS.iter().find(|host| stands_in(line, host, &['-', '.'])) {
                complaints.push(Complaint::at(&file.path, index, format!("{host} is a package host; leave it to settings")));
            }
            if let Some(path) = MACHINE_PATHS.iter().find(|path| stands_in(line, path, &['.', '-', '_', '}', '~', '/'])) {
                complaints.push(Complaint::at(&file.path, index, format!("{path} is a path of one machine")));
            }
        }
    }
    complaints
}

/// Whether `needle` stands in a line, not as the end of a longer word; of `inner`, a dot may join a host to its subdomain.
fn stands_in(line: &str, needle: &str, inner: &[char]) -> bool {
    line.match_indices(needle).any(|(at, _)| match line[..at].chars().next_back() {
        Some('.') if !needle.starts_with('/') => true,
        Some(before) => !before.is_alphanumeric() && !inner.contains(&before),
        None => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_machine_paths_are_found_anywhere_but_in_lock_files_and_data() {
        let host = format!("see https://files.{}/x", HOSTS[1]);
        let path = format!("open(\"{}data\")", MACHINE_PATHS[1]);
        let harmless = format!("docs{}x and the{} and ~{}", MACHINE_PATHS[0], HOSTS[3], MACHINE_PATHS[1]);
        for (name, text, complaints) in [
            ("README.md", host.as_str(), 1),
            ("crates/a/src/lib.rs", host.as_str(), 1),
            ("Cargo.lock", host.as_str(), 0),
            ("benches/matmul/Cargo.lock", host.as_str(), 0),
            ("data/reviews.csv", host.as_str(), 0),
            ("script.py", path.as_str(), 1),
            ("notes.md", harmless.as_str(), 0),
        ] {
            assert_eq!(check(&Tree::of(&[(name, text)])).len(), complaints, "{name}: {text}");
        }
    }
}
