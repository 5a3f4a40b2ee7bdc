//! A GGUF file becomes a model folder: weights and config from one crate, the tokenizer from another, joined here. The folder is whole or not
//! there. Knows nothing of blocks and byte pairs.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use graftling_models::{Gguf, GgufCheckpoint, GgufFile, GgufProblem, WeightDtype};
use graftling_text::{GgufVocabulary, Tokenizer};

use crate::figures::size;
use crate::{Error, OutputError, disk};

/// Room for everything in a folder but its weights: vocabularies have some megabytes.
const OTHER_FILES_BYTES: u64 = 64 << 20;
/// What the keys of further chat templates begin with.
const NAMED_TEMPLATE: &str = "tokenizer.chat_template.";

/// What is to be imported, and how.
#[derive(Clone, Copy, Debug)]
pub struct ImportRequest<'a> {
    /// The GGUF file.
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
    /// How many layers the model has.
    pub num_hidden_layers: usize,
    /// How many values its weights have.
    pub parameter_count: usize,
    /// How many tokens it has embeddings for.
    pub vocabulary_size: usize,
    /// How many positions it was trained on.
    pub max_positions: usize,
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
    /// The output folder is in use.
    #[error("{}: the output folder is not empty (it holds {found:?}); choose another", folder.display())]
    OutputNotEmpty {
        /// The folder.
        folder: PathBuf,
        /// Something in it.
        found: String,
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

/// Writes a GGUF file as a model folder that this program and transformers open: config.json, model.safetensors, generation_config.json and the files
/// of the tokenizer.
///
/// Everything is checked before the first byte is written. The weights are converted one by one, so that memory does not grow with the model.
///
/// # Errors
/// If the file is damaged, its architecture, the types of its tensors or its vocabulary are not offered, the output folder is not empty, or the
/// disk has no room.
pub fn import(request: &ImportRequest<'_>) -> Result<Imported, Error> {
    let ImportRequest { file, output, dtype } = *request;
    let output = &checked_output(output)?;
    let mapped = GgufFile::open(file)?;
    let gguf = mapped.parse()?;
    let checkpoint = GgufCheckpoint::of(file, &gguf)?;
    let vocabulary = vocabulary(&gguf, &checkpoint).map_err(|problem| mapped.refusal(problem))?;
    let tokenizer = Tokenizer::from_gguf(file, &vocabulary)?;
    let (tokens, embeddings) = (tokenizer.vocabulary_size(), checkpoint.vocabulary_size);
    if tokens > embeddings {
        return Err(ImportProblem::Vocabulary { path: file.to_owned(), tokens, embeddings }.into());
    }
    let size_bytes = checkpoint.size_bytes(dtype);
    check_space(output, size_bytes + OTHER_FILES_BYTES)?;
    disk::write_new_folder(output, |partial| {
        checkpoint.write(partial, dtype)?;
        tokenizer.save(partial)?;
        Ok(())
    })?;
    let notices = checkpoint.notices.iter().chain(tokenizer.notices()).cloned().collect();
    Ok(Imported {
        model_type: checkpoint.model_type,
        num_hidden_layers: checkpoint.num_hidden_layers,
        parameter_count: checkpoint.parameter_count(),
        vocabulary_size: checkpoint.vocabulary_size,
        max_positions: checkpoint.max_positions,
        types: checkpoint.types(),
        size_bytes,
        notices,
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

/// What the metadata says of the vocabulary.
fn vocabulary(gguf: &Gguf<'_>, checkpoint: &GgufCheckpoint<'_>) -> Result<GgufVocabulary, GgufProblem> {
    let text = |key: &str| Ok::<_, GgufProblem>(gguf.text(key)?.map(str::to_owned));
    let texts = |key: &str| Ok::<_, GgufProblem>(gguf.texts(key)?.into_iter().map(str::to_owned).collect());
    let mut named_chat_templates = Vec::new();
    for (key, name) in gguf.keys().filter_map(|key| Some((key, key.strip_prefix(NAMED_TEMPLATE)?))) {
        named_chat_templates.extend(text(key)?.map(|template| (name.to_owned(), template)));
    }
    Ok(GgufVocabulary {
        model: text("tokenizer.ggml.model")?,
        pre: text("tokenizer.ggml.pre")?,
        model_type: checkpoint.model_type.to_owned(),
        tokens: texts("tokenizer.ggml.tokens")?,
        scores: gguf.numbers("tokenizer.ggml.scores")?,
        token_types: gguf.integers("tokenizer.ggml.token_type")?,
        merges: texts("tokenizer.ggml.merges")?,
        bos_token_id: gguf.count("tokenizer.ggml.bos_token_id")?,
        eos_token_id: gguf.count("tokenizer.ggml.eos_token_id")?,
        unknown_token_id: gguf.count("tokenizer.ggml.unknown_token_id")?,
        padding_token_id: gguf.count("tokenizer.ggml.padding_token_id")?,
        add_bos_token: gguf.switch("tokenizer.ggml.add_bos_token")?,
        add_eos_token: gguf.switch("tokenizer.ggml.add_eos_token")?,
        add_space_prefix: gguf.switch("tokenizer.ggml.add_space_prefix")?,
        remove_extra_whitespaces: gguf.switch("tokenizer.ggml.remove_extra_whitespaces")?,
        chat_template: text("tokenizer.chat_template")?,
        named_chat_templates,
        model_max_length: checkpoint.max_positions,
    })
}
