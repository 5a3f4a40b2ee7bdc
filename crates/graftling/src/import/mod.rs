//! A model file of another program becomes a model folder: weights and config from one crate, the tokenizer from another, joined here. The folder is
//! whole or not there. Knows of each format the file that opens it.

mod gguf;
mod marian;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use graftling_models::{Conversion, GgufFile, MarianFile, SourceFormat, WeightDtype};
use graftling_text::Tokenizer;

use crate::figures::size;
use crate::{Error, OutputError, disk};

/// Room for everything in a folder but its weights: vocabularies have some megabytes.
const OTHER_FILES_BYTES: u64 = 64 << 20;

/// What is to be imported, and how.
#[derive(Clone, Copy, Debug)]
pub struct ImportRequest<'a> {
    /// The model file: GGUF, or a `.bin` or `.npz` of Marian with its vocabulary beside it.
    pub file: &'a Path,
    /// The folder to be made; it may be there if it is empty.
    pub output: &'a Path,
    /// How the weights are stored.
    pub dtype: WeightDtype,
}

/// What was imported.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The family, as config.json names it.
    pub model_type: &'static str,
    /// How many layers the model has: its encoder, where it has one.
    pub num_hidden_layers: usize,
    /// How many layers the decoder has that looks at an encoder, where there is one.
    pub decoder_layers: Option<usize>,
    /// How many values its weights have.
    pub parameter_count: usize,
    /// How many tokens it has embeddings for.
    pub vocabulary_size: usize,
    /// How many tokens the texts that are written have embeddings for, where these have a table of their own.
    pub written_vocabulary_size: Option<usize>,
    /// How many positions it was trained on; none where any number has places.
    pub max_positions: Option<usize>,
    /// The types of the file's tensors, with how many there are of each.
    pub types: Vec<(&'static str, usize)>,
    /// The size of the written weights.
    pub size_bytes: u64,
    /// What a person should know about how the file was understood.
    pub notices: Vec<String>,
}

/// Why a file is not imported, beside what is wrong within it.
#[derive(Debug, thiserror::Error)]
pub enum ImportProblem {
    /// The file is of another kind.
    #[error("{}: no model file that is known here: it begins with {}; accepted: {}", path.display(), beginning(found), SourceFormat::ACCEPTED)]
    OtherFile {
        /// The file.
        path: PathBuf,
        /// Its first bytes.
        found: Vec<u8>,
    },
    /// A model file of Marian has no vocabulary beside it.
    #[error(
        "{}: no vocabulary beside it: Marian's students have a SentencePiece model (.spm) for both languages, or one for each; put it into {}",
        path.display(), folder.display()
    )]
    NoVocabulary {
        /// The model file.
        path: PathBuf,
        /// Where it lies.
        folder: PathBuf,
    },
    /// A model file of Marian has several vocabularies beside it.
    #[error(
        "{}: several vocabularies beside it ({}); accepted: one SentencePiece model (.spm) that both languages share, or one for each, which \
         are called source.spm and target.spm (or srcvocab and trgvocab and whatever follows); put the model file and its vocabulary into a \
         folder of their own",
        path.display(), found.join(", ")
    )]
    SeveralVocabularies {
        /// The model file.
        path: PathBuf,
        /// The names of the vocabularies.
        found: Vec<String>,
    },
    /// The output folder is in use.
    #[error("{}: the output folder is not empty (it holds {found:?}); choose another", folder.display())]
    OutputNotEmpty {
        /// The folder.
        folder: PathBuf,
        /// Something in it.
        found: String,
    },
    /// A model with one table of embeddings has two vocabularies beside it.
    #[error(
        "{}: the model has one table of embeddings for both languages, but two vocabularies lie beside it ({}); keep the one that belongs to it",
        path.display(), found.join(", ")
    )]
    OneTable {
        /// The model file.
        path: PathBuf,
        /// The names of the vocabularies.
        found: Vec<String>,
    },
    /// There is no room for the weights.
    #[error(
        "{}: {} are needed for the weights but {} are free; free some space, choose another output, or store fewer bits (bf16 or f16)",
        folder.display(), size(*needed_bytes), size(*available_bytes)
    )]
    NotEnoughSpace {
        /// The folder.
        folder: PathBuf,
        /// What will be written at most.
        needed_bytes: u64,
        /// What is free.
        available_bytes: u64,
    },
    /// The vocabulary has more tokens than the model has embeddings.
    #[error("{}: the tokenizer has ids up to {} but the model has embeddings for {embeddings} only", path.display(), tokens - 1)]
    Vocabulary {
        /// The file.
        path: PathBuf,
        /// How many tokens the tokenizer has.
        tokens: usize,
        /// How many embeddings the model has.
        embeddings: usize,
    },
}

/// What a file holds: a model, and by what its texts become tokens.
struct Opened<'a> {
    conversion: Conversion<'a>,
    tokenizer: Tokenizer,
    /// The files that the tokenizer came from: of the texts that are read, and of those that are written.
    vocabularies: [PathBuf; 2],
}

/// The tokens and the embeddings of the texts that are read, or of those that are written.
struct Side<'a> {
    /// The file that the tokens came from.
    path: &'a Path,
    tokens: usize,
    embeddings: usize,
}

impl Opened<'_> {
    /// Those that are read, and those that are written.
    fn sides(&self) -> [Side<'_>; 2] {
        let Self { conversion, tokenizer, vocabularies: [read, written] } = self;
        let embeddings = conversion.vocabulary_size;
        let of_targets = conversion.written_vocabulary_size.unwrap_or(embeddings);
        [
            Side { path: read, tokens: tokenizer.read_vocabulary_size(), embeddings },
            Side { path: written, tokens: tokenizer.for_targets().read_vocabulary_size(), embeddings: of_targets },
        ]
    }
}

/// Writes a model file of another program as a model folder that this program opens, and transformers where it has the family: config.json,
/// model.safetensors, the files of the tokenizer and, where something is said of it, generation_config.json.
///
/// Everything is checked before the first byte is written. The weights are converted one by one, so that memory does not grow with the model.
///
/// # Errors
/// If the file is damaged or of another kind, its architecture, the types of its tensors or its vocabulary are not offered, the output folder is
/// not empty, or the disk has no room.
pub fn import(request: &ImportRequest<'_>) -> Result<Imported, Error> {
    let file = request.file;
    let output = &checked_output(request.output)?;
    let found = SourceFormat::beginning(file).map_err(|source| Error::Read { path: file.to_owned(), source })?;
    match SourceFormat::of(&found) {
        Some(SourceFormat::Gguf) => write(request, output, gguf::opened(&GgufFile::open(file)?)?),
        Some(SourceFormat::Marian) => write(request, output, marian::opened(&MarianFile::open(file)?)?),
        None => Err(ImportProblem::OtherFile { path: file.to_owned(), found }.into()),
    }
}

fn write(request: &ImportRequest<'_>, output: &Path, opened: Opened<'_>) -> Result<Imported, Error> {
    let dtype = request.dtype;
    if let Some(Side { path, tokens, embeddings }) = opened.sides().into_iter().find(|side| side.tokens > side.embeddings) {
        return Err(ImportProblem::Vocabulary { path: path.to_owned(), tokens, embeddings }.into());
    }
    let Opened { conversion, tokenizer, .. } = opened;
    let size_bytes = conversion.size_bytes(dtype);
    check_space(output, size_bytes + OTHER_FILES_BYTES)?;
    disk::write_new_folder(output, |partial| {
        conversion.write(partial, dtype)?;
        tokenizer.save(partial)?;
        Ok(())
    })?;
    Ok(Imported {
        model_type: conversion.model_type,
        num_hidden_layers: conversion.num_hidden_layers,
        decoder_layers: conversion.decoder_layers,
        parameter_count: conversion.parameter_count(),
        vocabulary_size: conversion.vocabulary_size,
        written_vocabulary_size: conversion.written_vocabulary_size,
        max_positions: conversion.max_positions,
        types: conversion.types(),
        size_bytes,
        notices: conversion.notices.iter().chain(tokenizer.notices()).cloned().collect(),
    })
}

/// The output folder by a name that it can be given: one that is there is replaced, even where it was named `.`.
fn checked_output(output: &Path) -> Result<PathBuf, Error> {
    if output.is_file() {
        return Err(OutputError::IsAFile { path: output.to_owned() }.into());
    }
    disk::check_folder(output)?;
    let failed = |source| Error::Read { path: output.to_owned(), source };
    let mut names = match fs::read_dir(output) {
        Ok(names) => names,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(output.to_owned()),
        Err(error) => return Err(failed(error)),
    };
    match names.next() {
        None => fs::canonicalize(output).map_err(failed),
        Some(name) => {
            let found = name.map_err(failed)?.file_name().to_string_lossy().into_owned();
            Err(ImportProblem::OutputNotEmpty { folder: output.to_owned(), found }.into())
        }
    }
}

fn check_space(folder: &Path, needed_bytes: u64) -> Result<(), Error> {
    disk::check_space(folder, needed_bytes).map_err(|error| match error {
        Error::NotEnoughSpace { folder, needed_bytes, available_bytes } => {
            ImportProblem::NotEnoughSpace { folder, needed_bytes, available_bytes }.into()
        }
        other => other,
    })
}

/// The first bytes of a file, as text where they are.
fn beginning(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok("") => "nothing".to_owned(),
        Ok(text) if text.chars().all(|sign| sign.is_ascii_graphic() || sign == ' ') => format!("{text:?}"),
        _ => format!("the bytes {bytes:02X?}"),
    }
}
