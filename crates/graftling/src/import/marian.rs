//! What a model file of Marian is: a student, and the SentencePiece model that lies beside it. Knows no containers.

use std::fs;
use std::path::{Path, PathBuf};

use graftling_models::{Conversion, MarianFile, MarianVocabulary};
use graftling_text::Tokenizer;

use super::{ImportProblem, Opened};
use crate::Error;

/// What ends a text in every vocabulary of Marian's.
const END: &str = "</s>";

pub(super) fn opened(file: &MarianFile) -> Result<Opened<'_>, Error> {
    let marian = file.parse()?;
    let vocabulary = vocabulary_beside(file.path())?;
    let tokenizer = Tokenizer::from_marian(&vocabulary)?;
    let ids = MarianVocabulary {
        eos_token_id: tokenizer.id(END).expect("a tokenizer of Marian has what ends a text"),
        unk_token_id: tokenizer.unknown_id().expect("a tokenizer of Marian has what stands for everything else"),
    };
    let mut conversion = Conversion::of_marian(file.path(), &marian, ids)?;
    let (tokens, embeddings) = (tokenizer.vocabulary_size(), conversion.vocabulary_size);
    if tokens < embeddings {
        let name = vocabulary.file_name().unwrap_or_default().to_string_lossy();
        conversion
            .notices
            .push(format!("{name} has {tokens} tokens, the model embeddings for {embeddings}; what no token has is never read"));
    }
    Ok(Opened { conversion, tokenizer, vocabulary })
}

/// The SentencePiece model in the folder of a model file. Copies of one, as there may be for each of two languages, are as good.
fn vocabulary_beside(model: &Path) -> Result<PathBuf, Error> {
    let folder = model.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let failed = |path: &Path| {
        let path = path.to_owned();
        |source| Error::Read { path, source }
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed(folder))? {
        let path = folder.join(entry.map_err(failed(folder))?.file_name());
        let is_one = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("spm")) && path.is_file();
        found.extend(is_one.then_some(path));
    }
    found.sort();
    let Some((first, others)) = found.split_first() else {
        return Err(ImportProblem::NoVocabulary { path: model.to_owned(), folder: folder.to_owned() }.into());
    };
    let read = |path: &Path| fs::read(path).map_err(failed(path));
    let bytes = read(first)?;
    for other in others {
        if read(other)? != bytes {
            let name = |path: &PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let found = found.iter().map(name).collect();
            return Err(ImportProblem::SeveralVocabularies { path: model.to_owned(), found }.into());
        }
    }
    Ok(first.clone())
}
