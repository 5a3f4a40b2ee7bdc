//! Pieces of SentencePiece, merged by their scores, with bytes for what no piece covers: Llama's and Mistral's, put together as transformers'
//! `LlamaConverter` does. Knows no file.

use tokenizers::decoders::DecoderWrapper;
use tokenizers::decoders::byte_fallback::ByteFallback;
use tokenizers::decoders::fuse::Fuse;
use tokenizers::decoders::sequence::Sequence;
use tokenizers::decoders::strip::Strip;
use tokenizers::models::bpe::BPE;
use tokenizers::normalizers::{self, NormalizerWrapper, Prepend, Replace};

use super::{Checked, TokenType};
use crate::tokenizer::sentencepiece::merges;

/// A pipeline with its post-processor.
pub(super) fn pipeline(checked: &Checked<'_>) -> Result<tokenizers::Tokenizer, String> {
    let vocabulary = checked.vocabulary;
    if vocabulary.scores.is_empty() {
        return Err("tokenizer.ggml.scores is missing: without scores nothing says which pieces are merged first".to_owned());
    }
    if let Some(place) = vocabulary.scores.iter().position(|score| !score.is_finite()) {
        return Err(format!("tokenizer.ggml.scores of token {place} is {}", vocabulary.scores[place]));
    }
    let unknown = checked.token_of("unknown_token_id", vocabulary.unknown_token_id)?;
    let typed = checked.types.iter().position(|kind| *kind == TokenType::Unknown).map(|place| vocabulary.tokens[place].as_str());
    let unknown = unknown.or(typed).ok_or("no token stands for what is unknown: tokenizer.ggml.unknown_token_id is missing")?;
    let scored = vocabulary.tokens.iter().zip(&vocabulary.scores).zip(0..);
    let scored = scored.filter(|((token, _), id)| checked.ids.get(token.as_str()) == Some(id));
    let pieces: Vec<(&str, u32, f64)> = scored.map(|((token, score), id)| (token.as_str(), id, f64::from(*score))).collect();
    let (ids, merges) = merges::of_numbered(&pieces)?;
    let model = BPE::builder()
        .vocab_and_merges(ids, merges)
        .unk_token(unknown.to_owned())
        .fuse_unk(true)
        .byte_fallback(true)
        .build()
        .map_err(|error| error.to_string())?;
    let space_first = vocabulary.add_space_prefix.unwrap_or(true);
    let mut normalizer: Vec<NormalizerWrapper> = Vec::new();
    let mut decoder: Vec<DecoderWrapper> = vec![replace("▁", " ")?.into(), ByteFallback::new().into(), Fuse::new().into()];
    if space_first {
        normalizer.push(Prepend::new("▁".to_owned()).into());
        decoder.push(Strip::new(' ', 1, 0).into());
    }
    normalizer.push(replace(" ", "▁")?.into());
    let frame = checked.frame(vocabulary.add_bos_token.unwrap_or(true), vocabulary.add_eos_token.unwrap_or(false))?;
    let mut pipeline = tokenizers::Tokenizer::new(model);
    pipeline
        .with_normalizer(Some(normalizers::Sequence::new(normalizer)))
        .map_err(|error| error.to_string())?
        .with_post_processor(frame)
        .with_decoder(Some(Sequence::new(decoder)));
    Ok(pipeline)
}

fn replace(pattern: &str, content: &str) -> Result<Replace, String> {
    Replace::new(pattern, content).map_err(|error| error.to_string())
}
