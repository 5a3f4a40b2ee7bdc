//! Opens Marian folders: SentencePiece models for the texts that are read (source.spm) and for those that are written (target.spm), with
//! the vocabulary that numbers their pieces (vocab.json), or with the pieces' own numbers. Knows nothing of how texts are cut.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use tokenizers::Model as _;
use tokenizers::models::wordlevel::WordLevel;

use super::folder::guarded;
use super::piece_tokens::{Numbering, PieceTokens};
use super::save::KeptFile;
use super::sentencepiece::processor::Processor;
use super::settings::Settings;
use super::special_tokens::{added_token, around};
use super::{Tokenizer, byte_level};
use crate::{TextError, plain_text};

/// The model of the texts that are read.
pub(super) const SOURCE: &str = "source.spm";
/// The model of the texts that are written.
const TARGET: &str = "target.spm";
/// The numbers of the pieces of both.
const VOCABULARY: &str = "vocab.json";
/// Those of the texts that are written, where they have their own.
const TARGET_VOCABULARY: &str = "target_vocab.json";

/// The models whose pieces have their own numbers, as config.json names them.
const STUDENTS: &str = "marian-ssru";

/// Of so many pieces of a model, one at least must be in the vocabulary; where fewer are, the two files are of different models.
const ONE_PIECE_IN: usize = 2;

/// What the special tokens are unless the settings say otherwise.
const SPECIAL: [(&str, &str); 3] = [("eos_token", "</s>"), ("unk_token", "<unk>"), ("pad_token", "<pad>")];

/// A model with the file that it came from.
struct Model {
    processor: Arc<Processor>,
    file: KeptFile,
}

impl Model {
    fn read(folder: &Path, name: &'static str) -> Result<Model, TextError> {
        let file = KeptFile::read(folder, name)?;
        Ok(Model { processor: Arc::new(Processor::read(&folder.join(name), &file.bytes)?), file })
    }
}

/// The tokenizer of a folder with source.spm.
pub(super) fn open(folder: &Path, settings: Settings) -> Result<Tokenizer, TextError> {
    let source = Model::read(folder, SOURCE)?;
    if folder.join(VOCABULARY).is_file() {
        return with_vocabulary(folder, source, settings);
    }
    let target = if folder.join(TARGET).is_file() { Some(Model::read(folder, TARGET)?) } else { None };
    if target.as_ref().is_some_and(|target| target.file.bytes != source.file.bytes) && shares_embeddings(&settings) {
        let reason = format!(
            "it is another model than {SOURCE}, and without {VOCABULARY} each numbers its own pieces; but config.json has one table of embeddings \
             for both (share_encoder_decoder_embeddings): fetch {VOCABULARY}, or the {TARGET} that belongs to {SOURCE}"
        );
        return Err(TextError::TokenizerFile { path: folder.join(TARGET), reason });
    }
    let mut tokenizer = by_own_numbers(&folder.join(SOURCE), &source.processor, settings.clone())?;
    tokenizer.kept_files.push(source.file);
    if let Some(target) = target {
        tokenizer.targets = Some(Box::new(by_own_numbers(&folder.join(TARGET), &target.processor, settings)?));
        tokenizer.kept_files.push(target.file);
    }
    Ok(tokenizer)
}

impl Tokenizer {
    /// The tokenizer of a student of Marian whose texts are cut by these SentencePiece models, each with its own numbers: those that are read by
    /// `source`, those that are written by `target`, where that is another. Saved, they are `source.spm` and `target.spm` of a folder.
    ///
    /// # Errors
    /// If a file is no SentencePiece model, or lacks the token that ends a text.
    pub fn from_marian(source: &Path, target: Option<&Path>) -> Result<Tokenizer, TextError> {
        let one = |model: &Path, name: &'static str| {
            let file = KeptFile { name, bytes: plain_text::read_bytes(model)? };
            let processor = Arc::new(Processor::read(model, &file.bytes)?);
            let folder = model.parent().unwrap_or(Path::new(""));
            Ok::<_, TextError>((by_own_numbers(model, &processor, Settings::of_model(folder, STUDENTS))?, file))
        };
        let (mut tokenizer, file) = one(source, SOURCE)?;
        tokenizer.kept_files.push(file);
        if let Some(target) = target {
            let (of_targets, file) = one(target, TARGET)?;
            tokenizer.targets = Some(Box::new(of_targets));
            tokenizer.kept_files.push(file);
        }
        Ok(tokenizer)
    }
}

/// Whether the texts that are read and those that are written have one table of embeddings: a model of Marian's has, unless its
/// config.json says otherwise; where there is no config.json, nothing is known of it.
fn shares_embeddings(settings: &Settings) -> bool {
    settings.shares_embeddings.unwrap_or(settings.model_type.is_some())
}

/// The way of transformers' MarianTokenizer: pieces are looked up in vocab.json, which the two models share unless the settings say
/// that each has its own. A model behind two vocabularies has two tables of embeddings.
fn with_vocabulary(folder: &Path, source: Model, settings: Settings) -> Result<Tokenizer, TextError> {
    let target_path = folder.join(TARGET);
    if !target_path.is_file() {
        let reason =
            format!("no such file; beside {SOURCE} and {VOCABULARY} it says how texts that are written are cut: fetch it, too");
        return Err(TextError::TokenizerFile { path: target_path, reason });
    }
    let target = Model::read(folder, TARGET)?;
    let separate = settings.switch("separate_vocabs")?.unwrap_or(false);
    if separate && shares_embeddings(&settings) {
        return Err(settings.refuse(
            "separate_vocabs",
            &Value::Bool(true),
            "false, for config.json has one table of embeddings for both (share_encoder_decoder_embeddings)",
        ));
    }
    let path = folder.join(VOCABULARY);
    let ids = byte_level::vocabulary(&path)?;
    belongs(&path, &ids, SOURCE, &source.processor)?;
    let mut kept_files = vec![KeptFile::read(folder, VOCABULARY)?];
    let (mut tokenizer, targets) = if separate {
        let target_path = folder.join(TARGET_VOCABULARY);
        let written = byte_level::vocabulary(&target_path)?;
        same_special(&target_path, &ids, &written, &settings)?;
        belongs(&target_path, &written, TARGET, &target.processor)?;
        kept_files.push(KeptFile::read(folder, TARGET_VOCABULARY)?);
        let (pipeline, pieces) = by_vocabulary(&target_path, written, &target.processor, &settings)?;
        let targets = with_pieces(&target_path, pipeline, pieces, settings.clone())?;
        let (pipeline, pieces) = by_vocabulary(&path, ids, &source.processor, &settings)?;
        (with_pieces(&path, pipeline, pieces, settings)?, targets)
    } else {
        belongs(&path, &ids, TARGET, &target.processor)?;
        let (pipeline, pieces) = by_vocabulary(&path, ids, &source.processor, &settings)?;
        // As in transformers the model of the source puts their tokens together: its vocabulary is that of both.
        let of_targets = PieceTokens { cuts: target.processor.clone(), ..pieces.clone() };
        let tokenizer = with_pieces(&path, pipeline, pieces, settings)?;
        let targets = Tokenizer { pieces: Some(Arc::new(of_targets)), ..tokenizer.sharing() };
        (tokenizer, targets)
    };
    tokenizer.targets = Some(Box::new(targets));
    kept_files.extend([source.file, target.file]);
    tokenizer.kept_files = kept_files;
    Ok(tokenizer)
}

/// A tokenizer whose texts a model cuts in place of the tokenizer library.
fn with_pieces(
    path: &Path,
    pipeline: tokenizers::Tokenizer,
    pieces: PieceTokens,
    settings: Settings,
) -> Result<Tokenizer, TextError> {
    let tokenizer = Tokenizer::assemble(path, pipeline, settings, Vec::new())?;
    Ok(Tokenizer { pieces: Some(Arc::new(pieces)), ..tokenizer })
}

/// A vocabulary numbers the pieces of a model.
fn by_vocabulary(
    path: &Path,
    ids: HashMap<String, u32>,
    processor: &Arc<Processor>,
    settings: &Settings,
) -> Result<(tokenizers::Tokenizer, PieceTokens), TextError> {
    let refuse = |reason: String| TextError::TokenizerFile { path: path.to_owned(), reason };
    let special = |(role, default)| settings.special_token(role, default);
    let [end, unknown, padding] = [special(SPECIAL[0])?, special(SPECIAL[1])?, special(SPECIAL[2])?];
    let id_of = |role: &'static str, token: &str| {
        let missing = || TextError::TokenMissing { path: path.to_owned(), role, token: token.to_owned() };
        ids.get(token).copied().ok_or_else(missing)
    };
    let end_token = (end.content.clone(), id_of("eos_token", &end.content)?);
    let unknown_id = id_of("unk_token", &unknown.content)?;
    let listed = settings.listed_tokens()?;
    let with_role = [&end.content, &unknown.content, &padding.content].map(String::clone);
    let unknown_token = unknown.content.clone();
    let pipeline = guarded(path, || {
        let mut pipeline = vocabulary_of(ids, unknown_token).map_err(&refuse)?;
        let failed = |error: tokenizers::Error| refuse(error.to_string());
        let others = listed.iter().filter(|listed| !with_role.contains(&listed.token.content));
        let others = others.map(|listed| added_token(listed.token.clone()).special(listed.is_special));
        pipeline.add_special_tokens([end, unknown, padding].map(added_token)).map_err(failed)?;
        pipeline.add_tokens(others).map_err(failed)?;
        pipeline.with_post_processor(Some(around(&[], &[end_token]).map_err(&refuse)?));
        Ok(pipeline)
    })?;
    for token in listed {
        let content = &token.token.content;
        let found = pipeline.token_to_id(content);
        if token.id.is_some_and(|id| found != Some(id)) {
            let told = Value::from(format!("{content} with the id {}", token.id.unwrap_or_default()));
            return Err(settings.refuse("added_tokens_decoder", &told, "tokens with the ids that the vocabulary gives them"));
        }
    }
    // The tokenizer library counts the tokens and goes on from there: in a vocabulary with gaps that is the id of a piece.
    let of_pieces = |id: &u32, token: &str| {
        let model = pipeline.get_model();
        model.token_to_id(token).is_none() && model.id_to_token(*id).is_some()
    };
    let mut added: Vec<_> = pipeline.get_added_tokens_decoder().into_iter().collect();
    added.sort_unstable_by_key(|(id, _)| *id);
    if let Some((_, token)) = added.into_iter().find(|(id, token)| of_pieces(id, &token.content)) {
        let role = if token.content == with_role[2] { "pad_token" } else { "added token" };
        return Err(TextError::TokenMissing { path: path.to_owned(), role, token: token.content });
    }
    let cleans_up = settings.switch("clean_up_tokenization_spaces")?.unwrap_or(false);
    let numbering = Numbering::Vocabulary;
    Ok((pipeline, PieceTokens { cuts: processor.clone(), joins: processor.clone(), numbering, unknown_id, cleans_up }))
}

/// The model's own numbers count, and its end goes behind every text (as sentencepiece's `encode(text) + [eos]`).
fn by_own_numbers(path: &Path, processor: &Arc<Processor>, settings: Settings) -> Result<Tokenizer, TextError> {
    let refuse = |reason: String| TextError::TokenizerFile { path: path.to_owned(), reason };
    let ids: HashMap<String, u32> = processor.pieces().map(str::to_owned).zip(0..).collect();
    let end = settings.special_token("eos_token", SPECIAL[0].1)?.content;
    let missing = || TextError::TokenMissing { path: path.to_owned(), role: "eos_token", token: end.clone() };
    let end = (end.clone(), ids.get(&end).copied().ok_or_else(missing)?);
    let (unknown, unknown_id) = processor.unknown();
    let special: Vec<_> =
        processor.special_pieces().map(|piece| tokenizers::AddedToken::from(piece, true).normalized(false)).collect();
    let pipeline = guarded(path, || {
        let mut pipeline = vocabulary_of(ids, unknown.to_owned()).map_err(&refuse)?;
        pipeline.add_special_tokens(special).map_err(|error| refuse(error.to_string()))?;
        pipeline.with_post_processor(Some(around(&[], &[end]).map_err(&refuse)?));
        Ok(pipeline)
    })?;
    let numbering = Numbering::Model;
    let pieces = PieceTokens { cuts: processor.clone(), joins: processor.clone(), numbering, unknown_id, cleans_up: false };
    with_pieces(path, pipeline, pieces, settings)
}

/// The vocabulary alone, for the tokenizer library to number tokens by.
fn vocabulary_of(ids: HashMap<String, u32>, unknown: String) -> Result<tokenizers::Tokenizer, String> {
    let model = WordLevel::builder().vocab(ids.into_iter().collect()).unk_token(unknown).build();
    model.map(tokenizers::Tokenizer::new).map_err(|error| error.to_string())
}

/// Refuses a vocabulary that lacks most pieces of a model.
fn belongs(path: &Path, ids: &HashMap<String, u32>, model: &str, processor: &Processor) -> Result<(), TextError> {
    let (mut pieces, mut known) = (0, 0);
    for piece in processor.text_pieces() {
        pieces += 1;
        known += usize::from(ids.contains_key(piece));
    }
    if known * ONE_PIECE_IN >= pieces {
        return Ok(());
    }
    let reason = format!(
        "it has {known} of the {pieces} pieces of {model}, and the others would all be unknown: the two files are of different models"
    );
    Err(TextError::TokenizerFile { path: path.to_owned(), reason })
}

/// Refuses a second vocabulary in which special tokens have other numbers: transformers takes the numbers of the
/// first for both, where the second may have other tokens.
fn same_special(
    path: &Path,
    ids: &HashMap<String, u32>,
    written: &HashMap<String, u32>,
    settings: &Settings,
) -> Result<(), TextError> {
    for (role, default) in SPECIAL {
        let token = settings.special_token(role, default)?.content;
        let (read, own) = (ids.get(&token), written.get(&token));
        if read != own {
            let number = |id: Option<&u32>| id.map_or("none".to_owned(), u32::to_string);
            let reason = format!(
                "the {role} {token:?} has the id {} here and {} in {VOCABULARY}; it must be the same in both",
                number(own),
                number(read)
            );
            return Err(TextError::TokenizerFile { path: path.to_owned(), reason });
        }
    }
    Ok(())
}
