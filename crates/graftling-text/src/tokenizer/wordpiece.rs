//! The tokenizer of a BERT folder that has only vocab.txt and settings, put together as transformers' BertTokenizer does.
//! Knows nothing of other kinds of vocabulary.

use std::path::Path;

use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::processors::template::TemplateProcessing;
use tokenizers::{AddedToken, decoders};

use super::settings::{Settings, SpecialToken};
use crate::TextError;

/// A pipeline with its post-processor, from the text of a vocab.txt at `path`: one token a line, the line is its id.
pub(super) fn pipeline(path: &Path, vocabulary: &str, settings: &Settings) -> Result<tokenizers::Tokenizer, TextError> {
    let refuse = |reason: String| TextError::TokenizerFile { path: path.to_owned(), reason };
    let ids = WordPiece::read_bytes(vocabulary.as_bytes()).map_err(|error| refuse(error.to_string()))?;
    if ids.is_empty() {
        return Err(refuse("the vocabulary is empty".to_owned()));
    }
    let special = |role, default: &str| {
        let token = settings.special_token(role, default)?;
        match ids.get(&token.content) {
            Some(&id) => Ok((token, id)),
            None => Err(TextError::TokenMissing { path: path.to_owned(), role, token: token.content }),
        }
    };
    let (unknown, _) = special("unk_token", "[UNK]")?;
    let (separator, separator_id) = special("sep_token", "[SEP]")?;
    let (padding, _) = special("pad_token", "[PAD]")?;
    let (class, class_id) = special("cls_token", "[CLS]")?;
    let (mask, _) = special("mask_token", "[MASK]")?;
    let single = vec![format!("{}:0", class.content), "$A:0".to_owned(), format!("{}:0", separator.content)];
    let mut pair = single.clone();
    pair.extend(["$B:1".to_owned(), format!("{}:1", separator.content)]);
    let template = TemplateProcessing::builder()
        .try_single(single)
        .and_then(|builder| builder.try_pair(pair))
        .map_err(&refuse)?
        .special_tokens(vec![(class.content.clone(), class_id), (separator.content.clone(), separator_id)])
        .build()
        .map_err(|error| refuse(error.to_string()))?;
    let model =
        WordPiece::builder().vocab(ids).unk_token(unknown.content.clone()).build().map_err(|error| refuse(error.to_string()))?;
    let mut pipeline = tokenizers::Tokenizer::new(model);
    let lowercase = settings.switch("do_lower_case")?.unwrap_or(true);
    let chinese = settings.switch("tokenize_chinese_chars")?.unwrap_or(true);
    let normalizer = BertNormalizer::new(true, chinese, settings.switch("strip_accents")?, lowercase);
    pipeline
        .with_normalizer(Some(normalizer))
        .map_err(|error| refuse(error.to_string()))?
        .with_pre_tokenizer(Some(BertPreTokenizer))
        .with_post_processor(Some(template))
        .with_decoder(Some(decoders::wordpiece::WordPiece::new("##".to_owned(), true)));
    let added = [unknown, separator, padding, class, mask].map(added_token);
    pipeline.add_special_tokens(added).map_err(|error| refuse(error.to_string()))?;
    Ok(pipeline)
}

fn added_token(token: SpecialToken) -> AddedToken {
    AddedToken::from(token.content, true)
        .lstrip(token.lstrip)
        .rstrip(token.rstrip)
        .single_word(token.single_word)
        .normalized(token.normalized)
}
