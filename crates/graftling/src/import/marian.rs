//! What a model file of Marian is: a student, and the SentencePiece models that lie beside it. Knows no containers.

use std::fs;
use std::path::{Path, PathBuf};

use graftling_models::{Conversion, MarianFile, MarianVocabulary};
use graftling_text::Tokenizer;

use super::{ImportProblem, Opened, Side};
use crate::Error;

/// What ends a text in every vocabulary of Marian's.
const END: &str = "</s>";
/// What the names of two vocabularies begin with: that of the texts that are read, and that of those that are written.
const READ: [&str; 2] = ["src", "source"];
const WRITTEN: [&str; 3] = ["trg", "tgt", "target"];

/// The vocabularies of a student.
enum Vocabularies {
    /// That of both languages.
    One(PathBuf),
    /// One for the texts that are read, and one for those that are written.
    Two([PathBuf; 2]),
}

pub(super) fn opened(file: &MarianFile) -> Result<Opened<'_>, Error> {
    let marian = file.parse()?;
    let (vocabularies, tokenizer) = match Vocabularies::beside(file.path())? {
        Vocabularies::One(model) => {
            let tokenizer = Tokenizer::from_marian(&model, None)?;
            ([model.clone(), model], tokenizer)
        }
        Vocabularies::Two([source, target]) => {
            let tokenizer = Tokenizer::from_marian(&source, Some(&target))?;
            ([source, target], tokenizer)
        }
    };
    let of_targets = tokenizer.for_targets();
    let ids = MarianVocabulary {
        eos_token_id: of_targets.id(END).expect("a tokenizer of Marian has what ends a text"),
        unk_token_id: of_targets.unknown_id().expect("a tokenizer of Marian has what stands for everything else"),
    };
    let conversion = Conversion::of_marian(file.path(), &marian, ids)?;
    if conversion.written_vocabulary_size.is_none() && vocabularies[0] != vocabularies[1] {
        let found = vocabularies.iter().map(|path| name(path)).collect();
        return Err(ImportProblem::OneTable { path: file.path().to_owned(), found }.into());
    }
    let mut opened = Opened { conversion, tokenizer, vocabularies };
    let fewer = |side: &Side<'_>| side.tokens < side.embeddings;
    let told = |Side { path, tokens, embeddings }: Side<'_>| {
        format!("{} has {tokens} tokens, the model embeddings for {embeddings}; what no token has is never read", name(path))
    };
    let mut notices: Vec<String> = opened.sides().into_iter().filter(fewer).map(told).collect();
    notices.dedup();
    opened.conversion.notices.extend(notices);
    Ok(opened)
}

impl Vocabularies {
    /// The SentencePiece models in the folder of a model file. Copies of one, as there may be for each of two languages, are as good as one.
    fn beside(model: &Path) -> Result<Self, Error> {
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
        let mut are_copies = true;
        for other in others {
            are_copies &= read(other)? == bytes;
        }
        if are_copies {
            return Ok(Self::One(first.clone()));
        }
        let named = |beginnings: &[&str]| {
            let mut named = found.iter().filter(|path| beginnings.iter().any(|word| name(path).to_lowercase().starts_with(word)));
            named.next().filter(|_| named.next().is_none())
        };
        match (found.len(), named(&READ), named(&WRITTEN)) {
            (2, Some(source), Some(target)) => Ok(Self::Two([source.clone(), target.clone()])),
            _ => {
                let found = found.iter().map(|path| name(path)).collect();
                Err(ImportProblem::SeveralVocabularies { path: model.to_owned(), found }.into())
            }
        }
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
