//! The tokenizer of a folder that has only vocab.txt and settings, put together as transformers' BertTokenizer and MPNetTokenizer
//! are.
//! Knows nothing of other kinds of vocabulary.

use std::path::Path;

use tokenizers::decoders;
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::processors::PostProcessorWrapper;
use tokenizers::processors::roberta::RobertaProcessing;

use super::class::TokenizerClass;
use super::settings::Settings;
use super::special_tokens::{Frame, added_token};
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
    let mpnet = settings.class() == Some(TokenizerClass::Mpnet);
    let names = if mpnet { ["</s>", "<pad>", "<s>", "<mask>"] } else { ["[SEP]", "[PAD]", "[CLS]", "[MASK]"] };
    let (unknown, _) = special("unk_token", "[UNK]")?;
    let (separator, separator_id) = special("sep_token", names[0])?;
    let (padding, _) = special("pad_token", names[1])?;
    let (class, class_id) = special("cls_token", names[2])?;
    let (mut mask, _) = special("mask_token", names[3])?;
    let post_processor: PostProcessorWrapper = if mpnet {
        mask = settings.mask_token(names[3])?;
        let (separator, class) = ((separator.content.clone(), separator_id), (class.content.clone(), class_id));
        RobertaProcessing::new(separator, class).trim_offsets(true).add_prefix_space(false).into()
    } else {
        let template = Frame::ClassSeparator.template((&class.content, class_id), (&separator.content, separator_id));
        template.map_err(&refuse)?.into()
    };
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
        .with_post_processor(Some(post_processor))
        .with_decoder(Some(decoders::wordpiece::WordPiece::new("##".to_owned(), true)));
    let added = [unknown, separator, padding, class, mask].map(added_token);
    pipeline.add_special_tokens(added).map_err(|error| refuse(error.to_string()))?;
    Ok(pipeline)
}
