//! The tokenizer of a folder with a SentencePiece model, put together as transformers' converters do for XLM-R, CamemBERT, ALBERT,
//! DeBERTa-v2, T5 and mBART; and what sentencepiece itself makes of texts (`processor`). Knows nothing of other kinds of vocabulary.

mod best_path;
mod charsmap;
mod layout;
pub(super) mod merges;
mod normalizer;
pub(super) mod processor;
mod proto;
#[cfg(test)]
mod tests;
mod trie;

use std::path::Path;

use tokenizers::decoders::metaspace::Metaspace;
use tokenizers::models::ModelWrapper;
use tokenizers::models::bpe::BPE;
use tokenizers::models::unigram::Unigram;
use tokenizers::normalizers::{NormalizerWrapper, Precompiled};
use tokenizers::pre_tokenizers::metaspace::PrependScheme;
use tokenizers::{AddedToken, normalizers, pre_tokenizers};

use super::class::TokenizerClass;
use super::settings::Settings;
use super::special_tokens::added_token;
use crate::{TextError, plain_text};
use layout::Layout;
use proto::{Algorithm, ModelProto, PieceKind};

/// A pipeline with its post-processor from the model at `path`.
pub(super) fn pipeline(path: &Path, class: TokenizerClass, settings: &Settings) -> Result<tokenizers::Tokenizer, TextError> {
    let refuse = |reason: String| TextError::TokenizerFile { path: path.to_owned(), reason };
    let proto = ModelProto::read(&plain_text::read_bytes(path)?).map_err(&refuse)?;
    proto.checked_charsmap().map_err(&refuse)?;
    let layout = Layout::of(class, settings)?;
    let vocabulary = layout.vocabulary(&proto).map_err(&refuse)?;
    let mut pipeline = tokenizers::Tokenizer::new(model(&proto, &layout, vocabulary).map_err(&refuse)?);
    let own = proto.pieces.iter().filter(|piece| matches!(piece.kind, PieceKind::Control | PieceKind::UserDefined));
    let own = own.map(|piece| AddedToken::from(piece.text.clone(), piece.kind == PieceKind::Control).normalized(false));
    let unexpected = |error: tokenizers::Error| refuse(error.to_string());
    pipeline.add_tokens(own.collect::<Vec<_>>()).map_err(unexpected)?;
    let frame = (layout.frame, layout.class.content.clone(), layout.separator.content.clone());
    let scheme = prepend_scheme(settings)?;
    let normalizer = normalizer(&proto, &layout).map_err(&refuse)?;
    let splits_punctuation = layout.splits_punctuation;
    pipeline.add_special_tokens(layout.special_tokens().map(added_token)).map_err(unexpected)?;
    let id_of = |token: &str, role| {
        let missing = || TextError::TokenMissing { path: path.to_owned(), role, token: token.to_owned() };
        pipeline.token_to_id(token).ok_or_else(missing)
    };
    let (class_id, separator_id) = (id_of(&frame.1, "cls_token")?, id_of(&frame.2, "sep_token")?);
    let template = frame.0.template((&frame.1, class_id), (&frame.2, separator_id)).map_err(&refuse)?;
    pipeline
        .with_normalizer(Some(normalizer))
        .map_err(unexpected)?
        .with_pre_tokenizer(Some(pre_tokenizer(scheme, splits_punctuation)))
        .with_post_processor(Some(template))
        .with_decoder(Some(Metaspace::new('▁', scheme, true)));
    Ok(pipeline)
}

fn model(proto: &ModelProto, layout: &Layout, vocabulary: Vec<(String, f64)>) -> Result<ModelWrapper, String> {
    match proto.algorithm {
        Algorithm::Unigram => {
            let unknown = layout.unknown_id(proto);
            let model = Unigram::from(vocabulary, Some(unknown), proto.byte_fallback).map_err(|error| error.to_string())?;
            Ok(model.into())
        }
        Algorithm::Bpe => {
            let (ids, merges) = merges::of(&vocabulary)?;
            let model = BPE::builder()
                .vocab_and_merges(ids, merges)
                .unk_token(vocabulary[layout.unknown_id(proto)].0.clone())
                .fuse_unk(true)
                .byte_fallback(proto.byte_fallback)
                .build()
                .map_err(|error| error.to_string())?;
            Ok(model.into())
        }
        Algorithm::Word | Algorithm::Character => {
            Err("a model of whole words or of characters is not offered; accepted are unigram and bpe".to_owned())
        }
    }
}

fn normalizer(proto: &ModelProto, layout: &Layout) -> Result<normalizers::Sequence, String> {
    let mut steps: Vec<NormalizerWrapper> = layout.before_charsmap()?;
    if !proto.charsmap.is_empty() {
        steps.push(Precompiled::from(&proto.charsmap).map_err(|error| error.to_string())?.into());
    }
    steps.extend(layout.after_charsmap()?);
    Ok(normalizers::Sequence::new(steps))
}

fn pre_tokenizer(scheme: PrependScheme, splits_punctuation: bool) -> pre_tokenizers::PreTokenizerWrapper {
    let words = Metaspace::new('▁', scheme, true);
    if !splits_punctuation {
        return words.into();
    }
    let punctuation = pre_tokenizers::punctuation::Punctuation::new(tokenizers::SplitDelimiterBehavior::Isolated);
    pre_tokenizers::sequence::Sequence::new(vec![punctuation.into(), words.into()]).into()
}

fn prepend_scheme(settings: &Settings) -> Result<PrependScheme, TextError> {
    let space_first = settings.switch("add_prefix_space")?.unwrap_or(true);
    let legacy = settings.switch("legacy")?.unwrap_or(true);
    Ok(match (space_first, legacy) {
        (false, _) => PrependScheme::Never,
        (true, true) => PrependScheme::Always,
        (true, false) => PrependScheme::First,
    })
}
