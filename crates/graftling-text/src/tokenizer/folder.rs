//! From a model folder to a tokenizer: tokenizer.json, or a vocabulary with its settings.
//! Knows nothing of how texts are encoded.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use serde::de::IgnoredAny;
use tokenizers::models::ModelWrapper;
use tokenizers::normalizers::{BertNormalizer, NormalizerWrapper};
use tokenizers::{Model, TruncationDirection};

use super::class::{TokenizerClass, VocabularyKind};
use super::save::KeptFile;
use super::settings::Settings;
use super::{Tokenizer, byte_level, marian, offsets, sentencepiece, wordpiece};
use crate::wording::quoted_list;
use crate::{TextError, plain_text};

/// What a SentencePiece model may be called, the likeliest name first.
const SENTENCEPIECE_MODELS: [&str; 4] = ["sentencepiece.bpe.model", "spiece.model", "spm.model", "tokenizer.model"];

/// What else may hold a vocabulary: it is told where nothing is read, for it is of another class or lacks the file that goes with it.
const OTHER_VOCABULARIES: [&str; 4] = ["vocab.json", "merges.txt", "source.spm", "target.spm"];

impl Tokenizer {
    /// The tokenizer of a model folder: its tokenizer.json, or else its vocabulary as the class of its tokenizer reads it (vocab.txt;
    /// vocab.json with merges.txt; a SentencePiece model). In a folder of Marian's, source.spm goes before a tokenizer.json, which
    /// transformers does not read there either, unless the class that is named is one of those for tokenizers of any kind. The class is named by tokenizer_config.json, or follows from the model_type
    /// of config.json; a vocab.txt without either is BERT's. special_tokens_map.json is read where it is there.
    pub fn from_folder(folder: &Path) -> Result<Tokenizer, TextError> {
        let settings = Settings::read(folder)?;
        let class = settings.class();
        let kind = class.map(TokenizerClass::vocabulary);
        let json = folder.join("tokenizer.json");
        let json_decides = json.is_file() && settings.names_no_family();
        if folder.join(marian::SOURCE).is_file() && kind.is_none_or(|kind| kind == VocabularyKind::Marian) && !json_decides {
            return marian::open(folder, settings);
        }
        if json.is_file() {
            let bytes = plain_text::read_bytes(&json)?;
            let pipeline = parse(&bytes).map_err(|reason| TextError::TokenizerFile {
                path: json.clone(),
                reason: format!("not a tokenizer: {reason}"),
            })?;
            return Self::assemble(&json, pipeline, settings, Vec::new());
        }
        let vocabulary = folder.join("vocab.txt");
        let byte_level = folder.join("vocab.json");
        let pieces = SENTENCEPIECE_MODELS.iter().map(|name| folder.join(name)).find(|path| path.is_file());
        let reads = |wanted| kind.is_none_or(|kind| kind == wanted);
        // Another class may take texts apart in another way before it looks at the same kind of file.
        let is_other =
            settings.class_name().is_some_and(|name| TokenizerClass::named(name).is_none()) && !settings.names_no_family();
        if let Some(path) =
            [Some(&vocabulary), Some(&byte_level), pieces.as_ref()].into_iter().flatten().find(|path| path.is_file())
            && is_other
        {
            return Err(unknown_class(path, &settings));
        }
        if vocabulary.is_file() && reads(VocabularyKind::WordPiece) {
            let text = plain_text::read(&vocabulary, false)?;
            let pipeline = guarded(&vocabulary, || wordpiece::pipeline(&vocabulary, &text, &settings))?;
            return Self::assemble(
                &vocabulary,
                pipeline,
                settings,
                vec![KeptFile { name: "vocab.txt", bytes: text.into_bytes() }],
            );
        }
        if byte_level.is_file() && folder.join("merges.txt").is_file() && reads(VocabularyKind::ByteLevel) {
            let class = class.ok_or_else(|| unknown_class(&byte_level, &settings))?;
            let pipeline = guarded(&byte_level, || byte_level::pipeline(folder, class, &settings))?;
            return Self::assemble(&byte_level, pipeline, settings, Vec::new());
        }
        if let Some(pieces) = pieces.filter(|_| reads(VocabularyKind::SentencePiece)) {
            let class = class.ok_or_else(|| unknown_class(&pieces, &settings))?;
            let pipeline = guarded(&pieces, || sentencepiece::pipeline(&pieces, class, &settings))?;
            return Self::assemble(&pieces, pipeline, settings, Vec::new());
        }
        if folder.is_dir() {
            let names = ["vocab.txt"].iter().chain(&OTHER_VOCABULARIES).chain(&SENTENCEPIECE_MODELS);
            let found = names.filter(|name| folder.join(name).exists()).map(|name| (*name).to_owned()).collect();
            let needed = match kind {
                None => "neither tokenizer.json, vocab.txt, vocab.json with merges.txt, nor a SentencePiece model",
                Some(VocabularyKind::WordPiece) => "neither tokenizer.json nor vocab.txt",
                Some(VocabularyKind::ByteLevel) => "neither tokenizer.json nor vocab.json with merges.txt",
                Some(VocabularyKind::SentencePiece) => "neither tokenizer.json nor a SentencePiece model",
                Some(VocabularyKind::Marian) => "neither tokenizer.json nor source.spm",
                Some(VocabularyKind::Converted) => "there is no tokenizer.json, and of its class no other file is read",
            };
            Err(TextError::TokenizerMissing { folder: folder.to_owned(), needed, found })
        } else {
            Err(TextError::FileMissing { path: folder.to_owned(), near: None })
        }
    }

    pub(super) fn assemble(
        path: &Path,
        mut pipeline: tokenizers::Tokenizer,
        settings: Settings,
        kept_files: Vec<KeptFile>,
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
        // Languages are looked for elsewhere.
        if settings.class().is_none_or(|class| !class.has_languages()) {
            notices.extend(unread_tokens(path, &pipeline, &settings));
        }
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
        let mut tokenizer = Tokenizer {
            pipeline: Arc::new(pipeline),
            pieces: None,
            post_processor,
            word_pipeline,
            takes_token_types,
            trims_offsets,
            settings,
            targets: None,
            languages: None,
            kept_files,
            truncation_side,
            notices,
        };
        tokenizer.find_languages()?;
        Ok(tokenizer)
    }
}

/// A vocabulary alone does not tell which special tokens go around a text.
fn unknown_class(path: &Path, settings: &Settings) -> TextError {
    let named = settings.class_name().map(str::to_owned);
    let file = if settings.is_class_of_model() { "config.json" } else { "tokenizer_config.json" };
    TextError::TokenizerClass { path: path.to_owned(), file, named, accepted: TokenizerClass::names() }
}

/// Tells tokens that the folder adds to a vocabulary and this tokenizer does not look for in texts, at `path`: it takes them apart.
fn unread_tokens(path: &Path, pipeline: &tokenizers::Tokenizer, settings: &Settings) -> Option<String> {
    let found = pipeline.get_added_vocabulary().get_vocab();
    let mut unread = settings.all_added_tokens();
    unread.retain(|token| !found.contains_key(token));
    let all = unread.len();
    let listed = quoted_list(&unread[..all.min(5)]);
    let more = if all > 5 { format!(" and {} more", all - 5) } else { String::new() };
    let told = format!(
        "{}: added tokens that are not looked for in texts, and taken apart: {listed}{more}; transformers reads them: save its tokenizer, \
         which writes a tokenizer.json that has them",
        path.display()
    );
    (all > 0).then_some(told)
}

/// What this makes, tried on a text and a pair. The library panics on some parts that make no sense.
pub(super) fn guarded(
    path: &Path,
    make: impl FnOnce() -> Result<tokenizers::Tokenizer, TextError>,
) -> Result<tokenizers::Tokenizer, TextError> {
    let refuse = |reason: String| TextError::TokenizerFile { path: path.to_owned(), reason };
    let made = catch_unwind(AssertUnwindSafe(|| {
        let pipeline = make()?;
        let tried = pipeline.encode("a", true).and_then(|_| pipeline.encode(("a", "a"), true));
        tried.map(|_| pipeline).map_err(|error| refuse(error.to_string()))
    }));
    made.unwrap_or_else(|_| Err(refuse("a part of it makes no sense to the tokenizer library".to_owned())))
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
