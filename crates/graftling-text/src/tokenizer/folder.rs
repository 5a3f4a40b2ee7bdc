//! From a model folder to a tokenizer: tokenizer.json, or vocab.txt with its settings.
//! Knows nothing of how texts are encoded.

use std::panic::catch_unwind;
use std::path::Path;
use std::sync::OnceLock;

use serde::de::IgnoredAny;
use tokenizers::models::ModelWrapper;
use tokenizers::normalizers::{BertNormalizer, NormalizerWrapper};
use tokenizers::{Model, TruncationDirection};

use super::settings::Settings;
use super::{Tokenizer, offsets, wordpiece};
use crate::{TextError, plain_text};

/// Vocabularies of other kinds that a model folder may hold.
const OTHER_VOCABULARIES: [&str; 6] =
    ["vocab.json", "merges.txt", "spiece.model", "sentencepiece.bpe.model", "source.spm", "tokenizer.model"];

impl Tokenizer {
    /// The tokenizer of a model folder: its tokenizer.json, or else its vocab.txt as BERT reads it. tokenizer_config.json and
    /// special_tokens_map.json are read where they are there.
    pub fn from_folder(folder: &Path) -> Result<Tokenizer, TextError> {
        let settings = Settings::read(folder)?;
        let json = folder.join("tokenizer.json");
        let vocabulary = folder.join("vocab.txt");
        if json.is_file() {
            let bytes = plain_text::read_bytes(&json)?;
            let pipeline = parse(&bytes).map_err(|reason| TextError::TokenizerFile {
                path: json.clone(),
                reason: format!("not a tokenizer: {reason}"),
            })?;
            Self::assemble(&json, pipeline, settings, None)
        } else if vocabulary.is_file() {
            let text = plain_text::read(&vocabulary, false)?;
            let pipeline = wordpiece::pipeline(&vocabulary, &text, &settings)?;
            Self::assemble(&vocabulary, pipeline, settings, Some(text))
        } else if folder.is_dir() {
            let found = OTHER_VOCABULARIES.iter().filter(|name| folder.join(name).exists()).map(|name| (*name).to_owned());
            Err(TextError::TokenizerMissing { folder: folder.to_owned(), found: found.collect() })
        } else {
            Err(TextError::FileMissing { path: folder.to_owned(), near: None })
        }
    }

    fn assemble(
        path: &Path,
        mut pipeline: tokenizers::Tokenizer,
        settings: Settings,
        vocabulary_file: Option<String>,
    ) -> Result<Tokenizer, TextError> {
        if let ModelWrapper::WordPiece(model) = pipeline.get_model()
            && model.token_to_id(&model.unk_token).is_none()
        {
            let token = model.unk_token.clone();
            return Err(TextError::TokenMissing { path: path.to_owned(), role: "unk_token", token });
        }
        let mut notices = Vec::new();
        if settings.governs_normalizer() {
            notices.extend(apply_settings(path, &mut pipeline, &settings)?);
        }
        pipeline.set_encode_special_tokens(settings.switch("split_special_tokens")?.unwrap_or(false));
        let post_processor = pipeline.get_post_processor().cloned();
        pipeline.with_post_processor(None::<tokenizers::PostProcessorWrapper>);
        let sides = "\"right\", \"left\"";
        let truncation_side = match settings.word("truncation_side", sides)? {
            None | Some("right") => TruncationDirection::Right,
            Some("left") => TruncationDirection::Left,
            Some(other) => return Err(settings.refuse("truncation_side", &other.into(), sides)),
        };
        let takes_token_types = settings.takes_token_types()?;
        let trims_offsets = post_processor.as_ref().is_some_and(offsets::trims);
        let word_pipeline = OnceLock::new();
        Ok(Tokenizer {
            pipeline,
            post_processor,
            word_pipeline,
            takes_token_types,
            trims_offsets,
            settings,
            vocabulary_file,
            truncation_side,
            notices,
        })
    }
}

/// The pipeline that a tokenizer.json describes, tried on a text and a pair.
fn parse(bytes: &[u8]) -> Result<tokenizers::Tokenizer, String> {
    serde_json::from_slice::<IgnoredAny>(bytes).map_err(|error| error.to_string())?;
    // The library panics on some parts that are JSON but make no sense, such as a damaged map of characters.
    let parsed = catch_unwind(|| {
        let mut pipeline = tokenizers::Tokenizer::from_bytes(bytes)?;
        pipeline.with_padding(None);
        pipeline.with_truncation(None)?;
        pipeline.encode("a", true)?;
        pipeline.encode(("a", "a"), true)?;
        Ok::<_, tokenizers::Error>(pipeline)
    });
    match parsed {
        Ok(pipeline) => pipeline.map_err(|error| error.to_string()),
        Err(_) => Err("a part of it makes no sense to the tokenizer library".to_owned()),
    }
}

/// Lets the switches of tokenizer_config.json go before those inside tokenizer.json, as transformers does. A switch that is
/// not there leaves tokenizer.json as it is, where transformers would take its own default.
fn apply_settings(path: &Path, pipeline: &mut tokenizers::Tokenizer, settings: &Settings) -> Result<Option<String>, TextError> {
    let Some(NormalizerWrapper::BertNormalizer(saved)) = pipeline.get_normalizer() else { return Ok(None) };
    let saved: BertNormalizer = *saved;
    let mut wanted = saved;
    wanted.lowercase = settings.switch("do_lower_case")?.unwrap_or(saved.lowercase);
    wanted.handle_chinese_chars = settings.switch("tokenize_chinese_chars")?.unwrap_or(saved.handle_chinese_chars);
    if settings.config.contains_key("strip_accents") {
        wanted.strip_accents = settings.switch("strip_accents")?;
    }
    let switches =
        |normalizer: &BertNormalizer| (normalizer.lowercase, normalizer.handle_chinese_chars, normalizer.strip_accents);
    if switches(&saved) == switches(&wanted) {
        return Ok(None);
    }
    pipeline
        .with_normalizer(Some(wanted))
        .map_err(|error| TextError::TokenizerFile { path: path.to_owned(), reason: error.to_string() })?;
    let told = |normalizer: &BertNormalizer| {
        let accents = normalizer.strip_accents.map_or("null".to_owned(), |strip| strip.to_string());
        format!(
            "do_lower_case {}, tokenize_chinese_chars {}, strip_accents {accents}",
            normalizer.lowercase, normalizer.handle_chinese_chars
        )
    };
    Ok(Some(format!(
        "{}: its normalizer ({}) disagrees with tokenizer_config.json, which is followed as in transformers ({})",
        path.display(),
        told(&saved),
        told(&wanted)
    )))
}
