//! Arrows between crates point down only, and a library that belongs to one crate is named by that crate alone.
//! Reads the manifests; the order is that of ARCHITECTURE.md.

use crate::complaint::Complaint;
use crate::tree::{TextFile, Tree};

/// A crate and the crates of the house that it may use.
struct Floor {
    name: &'static str,
    may_use: &'static [&'static str],
}

const FLOORS: &[Floor] = &[
    Floor { name: "graftling-tensor", may_use: &[] },
    Floor { name: "graftling-text", may_use: &[] },
    Floor { name: "graftling-hub", may_use: &[] },
    Floor { name: "graftling-models", may_use: &["graftling-tensor"] },
    Floor { name: "graftling", may_use: &["graftling-tensor", "graftling-text", "graftling-models"] },
    Floor {
        name: "graftling-cli",
        may_use: &["graftling", "graftling-hub", "graftling-models", "graftling-text", "graftling-tensor"],
    },
];

/// Libraries that some crates hide from all others.
const OWNED: &[(&str, &[&str])] = &[
    ("tokenizers", &["graftling-text"]),
    ("csv", &["graftling-text"]),
    ("ureq", &["graftling-hub"]),
    ("hf-hub", &["graftling-hub"]),
    // Wheels; arrays of NumPy.
    ("zip", &["graftling-hub", "graftling-models"]),
    ("memmap2", &["graftling-models"]),
    ("clap", &["graftling-cli"]),
    ("indicatif", &["graftling-cli"]),
];

pub fn check(tree: &Tree) -> Vec<Complaint> {
    let manifests = tree.files.iter().filter(|file| file.name() == "Cargo.toml");
    manifests.filter_map(|file| Some((file, file.crate_name()?))).flat_map(|(file, name)| of_crate(file, name)).collect()
}

fn of_crate(file: &TextFile, name: &str) -> Vec<Complaint> {
    let Some(floor) = FLOORS.iter().find(|floor| floor.name == name) else {
        return vec![Complaint::at(&file.path, 0, format!("crate {name} has no floor; give it one in tidy's floors.rs"))];
    };
    let mut complaints = Vec::new();
    for dependency in dependencies(&file.text) {
        // Tests may reach for a neighbour below the roof, for instance to find a model by its name; the product may not.
        let of_the_house = FLOORS.iter().any(|floor| floor.name == dependency.name);
        if of_the_house && !dependency.for_tests && !floor.may_use.contains(&dependency.name) {
            let text = format!("{name} may not use {} (it may use: {})", dependency.name, list(floor.may_use));
            complaints.push(Complaint::at(&file.path, dependency.line, text));
        }
        let owner = OWNED.iter().find(|(library, _)| *library == dependency.name);
        if let Some((library, owners)) = owner.filter(|(_, owners)| !owners.contains(&name) && !dependency.for_tests) {
            let text = format!("only {} may use {library}", owners.join(" and "));
            complaints.push(Complaint::at(&file.path, dependency.line, text));
        }
    }
    complaints
}

struct Dependency<'a> {
    name: &'a str,
    line: usize,
    for_tests: bool,
}

fn dependencies(manifest: &str) -> Vec<Dependency<'_>> {
    let mut found = Vec::new();
    let mut section = "";
    for (line, text) in manifest.lines().enumerate() {
        let text = text.trim();
        if let Some(header) = text.strip_prefix('[') {
            section = header.trim_end_matches(']');
            // `[dependencies.name]` names the dependency in the header.
            if let Some((_, name)) = section.split_once("dependencies.") {
                found.push(Dependency { name: name.trim_matches('"'), line, for_tests: section.starts_with("dev-") });
            }
            continue;
        }
        if !section.ends_with("dependencies") || text.starts_with('#') {
            continue;
        }
        if let Some((key, _)) = text.split_once('=') {
            let name = key.trim().split('.').next().unwrap_or_default();
            found.push(Dependency { name, line, for_tests: section.ends_with("dev-dependencies") });
        }
    }
    found
}

fn list(names: &[&str]) -> String {
    if names.is_empty() { "no other crate of the house".to_owned() } else { names.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arrow_that_points_up_is_found_in_every_form() {
        for (path, manifest, complaints) in [
            ("crates/graftling-text/Cargo.toml", "[dependencies]\ncsv = \"1\"", 0),
            ("crates/graftling-text/Cargo.toml", "[dependencies]\ngraftling-tensor.workspace = true", 1),
            ("crates/graftling-text/Cargo.toml", "[dependencies.graftling-models]\nworkspace = true", 1),
            ("crates/graftling-text/Cargo.toml", "[dev-dependencies]\ngraftling-hub.workspace = true", 0),
            ("crates/graftling/Cargo.toml", "[dependencies]\ngraftling-hub = { path = \"../graftling-hub\" }", 1),
            ("crates/graftling/Cargo.toml", "[dependencies]\n# graftling-hub = 1\ntokenizers = \"0.23\"", 1),
            ("crates/graftling-models/Cargo.toml", "[dependencies]\nzip = \"9\"", 0),
            ("crates/graftling-text/Cargo.toml", "[dependencies]\nzip = \"9\"", 1),
            ("crates/graftling-cli/Cargo.toml", "[dependencies]\ngraftling.workspace = true\nclap = \"4\"", 0),
            ("crates/graftling-new/Cargo.toml", "[dependencies]", 1),
            ("tools/tidy/Cargo.toml", "[dependencies]\ngraftling = \"1\"", 0),
        ] {
            assert_eq!(check(&Tree::of(&[(path, manifest)])).len(), complaints, "{path}: {manifest}");
        }
    }
}
