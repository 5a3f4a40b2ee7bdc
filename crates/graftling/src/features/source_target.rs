//! What a model sees of texts from which others are to be written: sources for an encoder, or prompts; and what is written, as the model is
//! trained on it. Knows no model.

use graftling_text::{EncodeOptions, SourceTarget, TextInput, Tokenizer, TokenlessWords, TruncationReport};

use super::language::Framed;
use super::{Features, Tokenized, Wanted};
use crate::Error;
use crate::error::LanguageError;
use crate::reading::Reading;
use crate::targets::{Opening, Targets};

/// How long a target is, the tokens that are cut off included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TargetLength {
    /// As `max_target_length` counts: special tokens included.
    pub tokens: usize,
    /// Those of them that a model writes: all but one that the decoder starts with.
    pub written: usize,
}

/// Turns sources and targets into token ids, in their order. Both are cut to their lengths; every token of a target is wanted, its end
/// included.
///
/// # Panics
/// If nothing is said of targets.
pub(crate) fn tokenize_source_targets(
    tokenizer: &Tokenizer,
    examples: &[SourceTarget],
    reading: &Reading,
) -> Result<Tokenized, Error> {
    let targets = targets(reading);
    let sources: Vec<&str> = examples.iter().map(|example| example.source.as_str()).collect();
    let mut tokenized = tokenize_sources(tokenizer, &sources, reading)?;
    let of_targets = tokenizer.for_targets();
    let inputs: Vec<TextInput<'_>> = examples.iter().map(|example| TextInput { text: &example.target, pair: None }).collect();
    let whole = of_targets.encode(&inputs, &EncodeOptions::truncated(usize::MAX))?;
    if let Some(empty) = whole.encodings.iter().find(|encoding| Framed::of(encoding).text.is_empty()) {
        let text = examples[empty.example].target.chars().take(40).collect();
        return Err(Error::NoTokens { index: empty.example + 1, text });
    }
    let framed = whole.encodings.iter().map(Framed::of);
    let (whole, written): (Vec<usize>, Vec<Vec<u32>>) = match targets.opening {
        // As transformers cuts them, between their special tokens; the end of them, even where sources lose their front.
        Opening::Start(_) => framed.map(|target| target.cut_to(targets.max_length)).collect::<Result<_, _>>()?,
        // What is cut has no end: it would have gone on.
        Opening::Behind(_) | Opening::Prompt => {
            let (_, end) = of_targets.end_token().ok_or(LanguageError::NoEndToken)?;
            let ended = framed.map(|target| [target.text, &target.ending(end)].concat());
            ended.map(|ids| (ids.len(), ids[..ids.len().min(targets.max_length)].to_vec())).unzip()
        }
    };
    tokenized.truncation.cut_targets = whole.iter().filter(|length| **length > targets.max_length).count();
    tokenized.truncation.max_target_length = targets.max_length;
    for ((features, target), tokens) in tokenized.features.iter_mut().zip(written).zip(whole) {
        features.lead_to(&target, targets);
        let wanted = features.wanted.as_ref().map_or(0, |wanted| wanted.tokens.len());
        tokenized.truncation.tokens += wanted;
        tokenized.target_lengths.push(TargetLength { tokens, written: tokens - (target.len() - wanted) });
    }
    Ok(tokenized)
}

/// Turns sources alone into token ids: what an encoder reads, or prompts.
///
/// # Panics
/// If nothing is said of targets.
pub(crate) fn tokenize_sources(tokenizer: &Tokenizer, sources: &[&str], reading: &Reading) -> Result<Tokenized, Error> {
    let targets = targets(reading);
    let texts: Vec<String> =
        sources.iter().map(|source| format!("{}{source}", reading.prompt.as_deref().unwrap_or_default())).collect();
    let inputs: Vec<TextInput<'_>> = texts.iter().map(|text| TextInput { text, pair: None }).collect();
    if let Opening::Start(_) = targets.opening {
        return super::tokenize(tokenizer, &inputs, reading);
    }
    let whole = tokenizer.encode(&inputs, &EncodeOptions::truncated(usize::MAX))?;
    super::refuse_tokenless(&whole.encodings, &inputs)?;
    let closing = match targets.opening {
        Opening::Behind(text) => {
            let encoded = tokenizer.encode(&[TextInput { text, pair: None }], &EncodeOptions::truncated(usize::MAX))?;
            encoded.encodings.iter().flat_map(|encoding| Framed::of(encoding).text.to_vec()).collect()
        }
        _ => Vec::new(),
    };
    let mut truncation = TruncationReport { texts: texts.len(), max_length: reading.max_length, ..Default::default() };
    let mut features = Vec::with_capacity(texts.len());
    let mut whole_lengths = Vec::with_capacity(texts.len());
    for encoding in &whole.encodings {
        let Framed { before, text, .. } = Framed::of(encoding);
        let around = before.len() + closing.len();
        if around >= reading.max_length {
            return Err(LanguageError::NoRoomForSource { max_length: reading.max_length, fewest: around + 1 }.into());
        }
        let kept = text.len().min(reading.max_length - around);
        let text_kept = if targets.opening == Opening::Prompt { &text[text.len() - kept..] } else { &text[..kept] };
        let cut = text.len() - kept;
        let input_ids = [before, text_kept, &closing].concat();
        truncation.truncated_texts += usize::from(cut > 0);
        truncation.cut_tokens += cut;
        truncation.tokens += input_ids.len();
        truncation.longest_tokens = truncation.longest_tokens.max(text.len() + around);
        whole_lengths.push(text.len() + around);
        features.push(Features {
            token_type_ids: vec![0; input_ids.len()],
            input_ids,
            truncated_tokens: cut,
            wanted: None,
            word_ids: None,
            passages: None,
            source: None,
        });
    }
    let texts: Vec<_> = (0..features.len()).map(|text| text..text + 1).collect();
    Ok(Tokenized {
        features,
        examples: texts.clone(),
        texts,
        truncation,
        tokenless: TokenlessWords::default(),
        whole_lengths,
        target_lengths: Vec::new(),
    })
}

impl Framed<'_> {
    /// How many tokens a target has, and it without the end of its text, where it is too long.
    fn cut_to(&self, max_target_length: usize) -> Result<(usize, Vec<u32>), LanguageError> {
        let Self { before, text, after, .. } = self;
        let around = before.len() + after.len();
        if around >= max_target_length {
            return Err(LanguageError::NoRoomForTarget { max_target_length, fewest: around + 1 });
        }
        let kept = text.len().min(max_target_length - around);
        Ok((around + text.len(), [before, &text[..kept], after].concat()))
    }
}

impl Features {
    /// Puts what is written from a source, or behind a prompt, where the model is trained on it.
    fn lead_to(&mut self, target: &[u32], targets: &Targets) {
        let read = std::mem::take(&mut self.input_ids);
        let (given, written) = match targets.opening {
            Opening::Start(start) => {
                let (first, written) = start.of_target(target);
                self.input_ids = vec![first];
                self.source = Some(read);
                (1, written)
            }
            Opening::Behind(_) | Opening::Prompt => {
                let given = read.len();
                self.input_ids = read;
                (given, target)
            }
        };
        self.input_ids.extend(written);
        self.token_type_ids = vec![0; self.input_ids.len()];
        self.wanted = Some(Wanted { tokens: (given - 1..self.input_ids.len() - 1).collect(), words: Vec::new() });
    }
}

fn targets(reading: &Reading) -> &Targets {
    reading.targets.as_ref().expect("texts that are to be written")
}
