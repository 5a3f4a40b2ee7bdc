//! The files of the repository as text: those git tracks, and new ones it does not ignore. Knows no rule.

use std::path::Path;
use std::process::Command;

/// A text file.
#[derive(Debug, Clone)]
pub struct TextFile {
    /// The path from the root, with forward slashes.
    pub path: String,
    /// The whole text.
    pub text: String,
}

/// All files of the repository.
#[derive(Debug, Default)]
pub struct Tree {
    /// Files that hold UTF-8 text.
    pub files: Vec<TextFile>,
    /// The paths of all files, those without text included.
    pub paths: Vec<String>,
}

impl Tree {
    /// Reads the repository at `root`.
    pub fn of_repository(root: &Path) -> Result<Tree, String> {
        let listing = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(root)
            .output()
            .map_err(|error| format!("cannot run git: {error}"))?;
        if !listing.status.success() {
            return Err(format!("git cannot list the files: {}", String::from_utf8_lossy(&listing.stderr).trim()));
        }
        let mut tree = Tree::default();
        for path in String::from_utf8_lossy(&listing.stdout).split('\0').filter(|path| !path.is_empty()) {
            let file = root.join(path);
            // A file may be deleted but not yet so in git's eyes; a link is judged where its target lies.
            if !file.is_file() || file.is_symlink() || tree.paths.iter().any(|known| known == path) {
                continue;
            }
            let bytes = std::fs::read(&file).map_err(|error| format!("{path}: {error}"))?;
            tree.paths.push(path.to_owned());
            if let Ok(text) = String::from_utf8(bytes) {
                tree.files.push(TextFile { path: path.to_owned(), text });
            }
        }
        Ok(tree)
    }

    /// A made tree.
    #[cfg(test)]
    pub fn of(files: &[(&str, &str)]) -> Tree {
        let paths = files.iter().map(|(path, _)| path.to_string()).collect();
        let files = files.iter().map(|(path, text)| TextFile { path: path.to_string(), text: text.to_string() }).collect();
        Tree { files, paths }
    }

    /// The Rust files.
    pub fn rust(&self) -> impl Iterator<Item = &TextFile> {
        self.files.iter().filter(|file| file.path.ends_with(".rs"))
    }

    /// The markdown files.
    pub fn markdown(&self) -> impl Iterator<Item = &TextFile> {
        self.files.iter().filter(|file| file.path.ends_with(".md"))
    }
}

impl TextFile {
    /// The file's name without folders.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// The crate a file belongs to: `crates/<name>/...`.
    pub fn crate_name(&self) -> Option<&str> {
        self.path.strip_prefix("crates/")?.split('/').next()
    }

    /// Whether the file is only built for tests, measurements and examples, or is a tool of the house.
    pub fn is_beside_the_product(&self) -> bool {
        let within = |folder: &str| self.path.starts_with(&format!("{folder}/")) || self.path.contains(&format!("/{folder}/"));
        ["tests", "benches", "examples", "tools"].into_iter().any(within) || ["tests.rs", "build.rs"].contains(&self.name())
    }
}
