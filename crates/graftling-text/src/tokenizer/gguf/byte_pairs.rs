//! Byte pairs merged in the order of their ranks, with the ways in which models cut a text into words before. Knows no file.

use std::collections::HashMap;

use tokenizers::SplitDelimiterBehavior;
use tokenizers::models::bpe::{BPE, Vocab};
use tokenizers::normalizers::{NFC, NormalizerWrapper};
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::digits::Digits;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::processors::{PostProcessorWrapper, sequence};

use super::Checked;

/// How a model cuts texts into words, as its own tokenizer.json has it.
struct Cut {
    /// Its names in `tokenizer.ggml.pre`.
    names: &'static [&'static str],
    words: Words,
    /// Whether texts are composed first (NFC).
    composes: bool,
    /// Whether a word that is a token is taken for it without merging.
    whole_words: bool,
    /// Whether the beginning is put before texts where the file says nothing.
    adds_bos: bool,
}

enum Words {
    /// GPT-2's pattern, which the library has.
    Gpt2,
    /// Digit by digit, then GPT-2's pattern.
    SingleDigits,
    /// A pattern of the model's own.
    Pattern(&'static str),
}

const CUTS: [Cut; 5] = [
    Cut { names: &["gpt-2"], words: Words::Gpt2, composes: false, whole_words: false, adds_bos: false },
    Cut { names: &["smollm"], words: Words::SingleDigits, composes: false, whole_words: false, adds_bos: false },
    Cut {
        names: &["llama-bpe", "llama3", "llama-v3"],
        words: Words::Pattern(
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        ),
        composes: false,
        whole_words: true,
        adds_bos: true,
    },
    Cut {
        names: &["qwen2"],
        words: Words::Pattern(
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        ),
        composes: true,
        whole_words: false,
        adds_bos: false,
    },
    Cut {
        names: &["tekken"],
        words: Words::Pattern(concat!(
            r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+",
            r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*",
            r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        )),
        composes: false,
        whole_words: true,
        adds_bos: true,
    },
];

/// What an older file, which does not say how texts are cut, can only mean: models of these families all cut them in one way.
const OF_FAMILIES: [(&str, &str); 3] = [("gpt2", "gpt-2"), ("qwen2", "qwen2"), ("qwen3", "qwen2")];

/// A pipeline with its post-processor; what was supposed is noted.
pub(super) fn pipeline(checked: &Checked<'_>, notices: &mut Vec<String>) -> Result<tokenizers::Tokenizer, String> {
    let vocabulary = checked.vocabulary;
    let cut = cut(vocabulary.pre.as_deref(), &vocabulary.model_type, notices)?;
    if vocabulary.add_space_prefix == Some(true) {
        return Err("tokenizer.ggml.add_space_prefix is true; accepted for byte pairs: false".to_owned());
    }
    let ids: Vocab = checked.ids.iter().map(|(token, id)| ((*token).to_owned(), *id)).collect();
    let model = BPE::builder()
        .vocab_and_merges(ids, merges(&vocabulary.merges, &checked.ids)?)
        .ignore_merges(cut.whole_words)
        .build()
        .map_err(|error| error.to_string())?;
    let mut pipeline = tokenizers::Tokenizer::new(model);
    if cut.composes {
        pipeline.with_normalizer(Some(NormalizerWrapper::from(NFC))).map_err(|error| error.to_string())?;
    }
    // Tokens keep the blanks before them.
    let offsets = ByteLevel::new(true, false, true);
    let adds_bos = vocabulary.add_bos_token.unwrap_or(cut.adds_bos);
    let post_processor: PostProcessorWrapper = match checked.frame(adds_bos, vocabulary.add_eos_token.unwrap_or(false))? {
        None => offsets.into(),
        Some(frame) => sequence::Sequence::new(vec![offsets.into(), frame.into()]).into(),
    };
    pipeline
        .with_pre_tokenizer(Some(pre_tokenizer(&cut.words)?))
        .with_post_processor(Some(post_processor))
        .with_decoder(Some(ByteLevel::default()));
    Ok(pipeline)
}

fn cut(named: Option<&str>, model_type: &str, notices: &mut Vec<String>) -> Result<&'static Cut, String> {
    let of = |name: &str| CUTS.iter().find(|cut| cut.names.contains(&name));
    if let Some(cut) = named.and_then(of) {
        return Ok(cut);
    }
    let said = named.map_or("missing".to_owned(), |named| format!("{named:?}"));
    let family = OF_FAMILIES.iter().find(|(family, _)| *family == model_type).map(|(_, name)| *name);
    match (named, family.and_then(of)) {
        (None | Some("default"), Some(cut)) => {
            notices.push(format!(
                "tokenizer.ggml.pre, which says how texts are cut into words, is {said}; taken for {:?}, as all models of the family {model_type} \
                 do it",
                cut.names[0]
            ));
            Ok(cut)
        }
        _ => {
            let accepted: Vec<&str> = CUTS.iter().flat_map(|cut| cut.names).copied().collect();
            Err(format!(
                "tokenizer.ggml.pre, which says how texts are cut into words, is {said}; accepted: {}; take a file that names one of these",
                accepted.join(", ")
            ))
        }
    }
}

fn pre_tokenizer(words: &Words) -> Result<PreTokenizerWrapper, String> {
    let by_library = |use_regex| ByteLevel::new(false, true, use_regex);
    Ok(match words {
        Words::Gpt2 => by_library(true).into(),
        Words::SingleDigits => Sequence::new(vec![Digits::new(true).into(), by_library(true).into()]).into(),
        Words::Pattern(pattern) => {
            let pattern = SplitPattern::Regex((*pattern).to_owned());
            let split = Split::new(pattern, SplitDelimiterBehavior::Isolated, false).map_err(|error| error.to_string())?;
            Sequence::new(vec![split.into(), by_library(false).into()]).into()
        }
    })
}

/// The pairs to merge. Both parts and the whole must be tokens: the library takes that for granted.
fn merges(merges: &[String], ids: &HashMap<&str, u32>) -> Result<Vec<(String, String)>, String> {
    let merge = |(place, merge): (usize, &String)| {
        let refuse = |reason: String| format!("tokenizer.ggml.merges: merge {place}: {reason}");
        let Some((left, right)) = merge.split_once(' ').filter(|(_, right)| !right.contains(' ')) else {
            return Err(refuse(format!("{merge:?} is not two tokens with a blank between them")));
        };
        let whole = format!("{left}{right}");
        if let Some(missing) = [left, right, &whole].into_iter().find(|token| !ids.contains_key(token)) {
            return Err(refuse(format!("{missing:?} is not among the tokens")));
        }
        Ok((left.to_owned(), right.to_owned()))
    };
    merges.iter().enumerate().map(merge).collect()
}
