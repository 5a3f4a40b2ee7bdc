//! What a GGUF file is: a model, and the vocabulary that its metadata describes. Knows no blocks and no byte pairs.

use graftling_models::{Conversion, Gguf, GgufFile, GgufProblem};
use graftling_text::{GgufVocabulary, Tokenizer};

use super::Opened;
use crate::Error;

/// What the keys of further chat templates begin with.
const NAMED_TEMPLATE: &str = "tokenizer.chat_template.";

pub(super) fn opened(file: &GgufFile) -> Result<Opened<'_>, Error> {
    let gguf = file.parse()?;
    let conversion = Conversion::of_gguf(file.path(), &gguf)?;
    let vocabulary = vocabulary(&gguf, &conversion).map_err(|problem| file.refusal(problem))?;
    let tokenizer = Tokenizer::from_gguf(file.path(), &vocabulary)?;
    Ok(Opened { conversion, tokenizer, vocabularies: [file.path().to_owned(), file.path().to_owned()] })
}

/// What the metadata says of the vocabulary.
fn vocabulary(gguf: &Gguf<'_>, conversion: &Conversion<'_>) -> Result<GgufVocabulary, GgufProblem> {
    let text = |key: &str| Ok::<_, GgufProblem>(gguf.text(key)?.map(str::to_owned));
    let texts = |key: &str| Ok::<_, GgufProblem>(gguf.texts(key)?.into_iter().map(str::to_owned).collect());
    let mut named_chat_templates = Vec::new();
    for (key, name) in gguf.keys().filter_map(|key| Some((key, key.strip_prefix(NAMED_TEMPLATE)?))) {
        named_chat_templates.extend(text(key)?.map(|template| (name.to_owned(), template)));
    }
    Ok(GgufVocabulary {
        model: text("tokenizer.ggml.model")?,
        pre: text("tokenizer.ggml.pre")?,
        model_type: conversion.model_type.to_owned(),
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
        model_max_length: conversion.max_positions,
    })
}
