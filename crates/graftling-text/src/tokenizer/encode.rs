//! Texts to token ids, with the truncation and the windows of transformers, on all cores.
//! Knows nothing of the folder the tokenizer came from.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rayon::prelude::*;
use tokenizers::{
    PostProcessor, TruncationParams, TruncationStrategy, processors::PostProcessorWrapper, utils::truncation::truncate_encodings,
};

use super::offsets::Source;
use super::windows::Window;
use super::{Tokenizer, TruncationReport};
use crate::TextError;

/// A text or a pair of texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextInput<'a> {
    /// The text, or the first text of a pair.
    pub text: &'a str,
    /// The second text of a pair.
    pub pair: Option<&'a str>,
}

/// How to encode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncodeOptions {
    /// How many tokens an encoding may have, special tokens included.
    pub max_length: usize,
    /// What becomes of the tokens for which there is no room.
    pub overflow: Overflow,
}

/// What becomes of the tokens for which there is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overflow {
    /// They are cut off. Of a pair the longer text is cut first, as `truncation=True` (`longest_first`) of transformers does.
    Truncate,
    /// They stand in further encodings, each with the special tokens around it, as `return_overflowing_tokens=True` of
    /// transformers has it. Of a pair the first text stands whole in every window and the second is divided (`only_second`).
    Windows {
        /// How many tokens two neighbouring windows share.
        stride: usize,
        /// What becomes of a first text that leaves no more room than that.
        first: FirstText,
    },
}

/// What becomes of the first text of a pair where it leaves no room for windows of the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstText {
    /// It must stand whole: the pair is refused.
    Whole,
    /// It is cut to half of what there is.
    CutToHalf,
}

impl EncodeOptions {
    /// What is longer is cut.
    pub fn truncated(max_length: usize) -> EncodeOptions {
        EncodeOptions { max_length, overflow: Overflow::Truncate }
    }

    /// What is longer is divided into windows that share `stride` tokens.
    pub fn windows(max_length: usize, stride: usize) -> EncodeOptions {
        EncodeOptions { max_length, overflow: Overflow::Windows { stride, first: FirstText::Whole } }
    }

    /// The same; a first text that leaves no room for windows is cut, not refused.
    pub fn windows_with_first_cut(max_length: usize, stride: usize) -> EncodeOptions {
        EncodeOptions { max_length, overflow: Overflow::Windows { stride, first: FirstText::CutToHalf } }
    }
}

/// One text or pair as the model sees it, or one window of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoding {
    /// The token ids, special tokens included.
    pub input_ids: Vec<u32>,
    /// Which text of a pair each token belongs to, as the model is told: 0 for both where its tokenizer's settings or
    /// class say that it takes no token types (RoBERTa, MPNet, DistilBERT, ModernBERT and others).
    pub token_type_ids: Vec<u32>,
    /// Where each token stands in its text (or in its word, where words were given): first byte and the byte after the last. A
    /// special token has (0, 0).
    pub offsets: Vec<(usize, usize)>,
    /// Which tokens were put around the text.
    pub special_tokens_mask: Vec<bool>,
    /// The word of each token, from 0: of the words that were given, or else of the pieces that the tokenizer cuts its text into
    /// before it looks for tokens. A special token has none.
    pub word_ids: Vec<Option<u32>>,
    /// Which text each token stands in: 0, or 1 for the second of a pair. A special token has none.
    pub sequence_ids: Vec<Option<u8>>,
    /// How many tokens the text, or pair, has with special tokens before anything is cut or divided.
    pub whole_tokens: usize,
    /// How many tokens of the text were cut off; of a text in windows the first of them tells it.
    pub truncated_tokens: usize,
    /// Which of the inputs this is an encoding of, from 0.
    pub example: usize,
    /// Which tokens of the text, of a pair of its second text, are in this encoding: the first and the one after the last,
    /// counted without special tokens before anything was cut.
    pub token_range: (usize, usize),
}

impl Encoding {
    /// The bytes of the text, of a pair of its second text, that this encoding reaches over: from the first byte of its first
    /// token to the byte after its last. `None` where it has no token of it.
    pub fn offset_range(&self) -> Option<(usize, usize)> {
        let last = self.sequence_ids.iter().flatten().max()?;
        let of_text = self.offsets.iter().zip(&self.sequence_ids).filter(|(_, sequence)| sequence.as_ref() == Some(last));
        let (first, end) = of_text.fold((usize::MAX, 0), |(first, end), (offsets, _)| (first.min(offsets.0), end.max(offsets.1)));
        (first <= end).then_some((first, end))
    }
}

/// The encodings of many texts, in their order; the windows of a text follow each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encodings {
    /// One for each text, or several where texts are divided into windows.
    pub encodings: Vec<Encoding>,
    /// What was cut off.
    pub truncation: TruncationReport,
    /// Which of the words that were given have no token at all.
    pub tokenless_words: TokenlessWords,
}

/// Words of which the tokenizer leaves nothing, such as one of control characters: no token can carry their tag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenlessWords {
    /// How many there are.
    pub words: usize,
    /// The example and the word where the first of them stands, both from 0.
    pub first: Option<(usize, usize)>,
}

/// The tokens of a text or pair, before anything is cut and without special tokens.
pub(super) struct Tokens {
    pub text: tokenizers::Encoding,
    pub pair: Option<tokenizers::Encoding>,
}

/// What is known of an input besides its tokens.
pub(super) struct Input<'a> {
    pub example: usize,
    pub source: Source<'a>,
    pub options: &'a EncodeOptions,
    pub post_processor: Option<&'a PostProcessorWrapper>,
}

/// The encodings of one input, and its length with special tokens before anything was cut.
pub(super) struct Encoded {
    pub encodings: Vec<Encoding>,
    pub whole_tokens: usize,
}

impl Tokens {
    fn len(&self) -> usize {
        self.text.len() + self.pair.as_ref().map_or(0, tokenizers::Encoding::len)
    }

    /// The last text: the one that is divided.
    fn last_len(&self) -> usize {
        self.pair.as_ref().unwrap_or(&self.text).len()
    }
}

impl Tokenizer {
    /// Encodes all texts on all cores; the order is kept.
    pub fn encode(&self, inputs: &[TextInput<'_>], options: &EncodeOptions) -> Result<Encodings, TextError> {
        for pair in [false, true] {
            if inputs.iter().any(|input| input.pair.is_some() == pair) {
                self.check_room(options, pair)?;
            }
        }
        let encode = |(example, input): (usize, &TextInput<'_>)| {
            let tokens = unpanicked(|| self.tokens(input)).map_err(|error| untokenised(example, input.text, &*error))?;
            let source = if self.trims_offsets { Source::of_texts(input.text, input.pair) } else { Source::Bytes };
            self.finished(&Input { example, source, options, post_processor: self.post_processor.as_ref() }, tokens)
        };
        let encoded: Vec<Encoded> = inputs.par_iter().enumerate().map(encode).collect::<Result<_, _>>()?;
        Ok(gathered(encoded, options))
    }

    fn tokens(&self, input: &TextInput<'_>) -> tokenizers::Result<Tokens> {
        let encode = |text| match (&self.pieces, self.trims_offsets) {
            (Some(pieces), _) => Ok(pieces.encode(&self.pipeline, text)),
            (None, true) => self.pipeline.encode_char_offsets(text, false),
            (None, false) => self.pipeline.encode(text, false),
        };
        let text = encode(input.text)?;
        let pair = input.pair.map(encode).transpose()?.map(as_second);
        Ok(Tokens { text, pair })
    }

    /// Refuses options under which no text has room.
    pub(super) fn check_room(&self, options: &EncodeOptions, pair: bool) -> Result<(), TextError> {
        let (max_length, special_tokens) = (options.max_length, self.special_tokens(pair));
        if max_length <= special_tokens {
            return Err(TextError::MaxLength { max_length, special_tokens });
        }
        match options.overflow {
            Overflow::Windows { stride, .. } if stride >= max_length - special_tokens => {
                Err(TextError::Stride { stride, max_length, special_tokens })
            }
            _ => Ok(()),
        }
    }

    /// Cuts or divides the tokens of an input and puts the special tokens around them.
    pub(super) fn finished(&self, input: &Input<'_>, tokens: Tokens) -> Result<Encoded, TextError> {
        let Input { example, options, post_processor, .. } = *input;
        let special_tokens = self.special_tokens(tokens.pair.is_some());
        let room = options.max_length - special_tokens;
        let whole = tokens.len();
        let (pieces, cut_tokens): (Vec<Window>, usize) = match options.overflow {
            _ if whole <= room => {
                let range = (0, tokens.last_len());
                (vec![(tokens, range)], 0)
            }
            Overflow::Truncate => {
                let cut = self.cut(tokens, room).map_err(|error| untokenised(example, "", &*error))?;
                let cut_tokens = whole - cut.0.len();
                (vec![cut], cut_tokens)
            }
            Overflow::Windows { stride, first } => self.divided(example, tokens, (room, stride, first))?,
        };
        let encodings = pieces.into_iter().enumerate().map(|(number, (tokens, token_range))| {
            // What is cut off a text is told once, whatever its windows.
            let truncated_tokens = if number == 0 { cut_tokens } else { 0 };
            let encoding = wrapped(tokens, post_processor).map_err(|error| untokenised(example, "", &*error))?;
            let sequence_ids: Vec<Option<u8>> =
                encoding.get_sequence_ids().into_iter().map(|sequence| sequence.map(|id| u8::from(id > 0))).collect();
            let token = |index: usize, &offsets: &(usize, usize)| {
                input.source.in_bytes(offsets, sequence_ids[index], encoding.get_word_ids()[index])
            };
            let types = if self.takes_token_types { encoding.get_type_ids().to_vec() } else { vec![0; encoding.len()] };
            Ok(Encoding {
                input_ids: encoding.get_ids().to_vec(),
                token_type_ids: types,
                offsets: encoding.get_offsets().iter().enumerate().map(|(index, offsets)| token(index, offsets)).collect(),
                special_tokens_mask: encoding.get_special_tokens_mask().iter().map(|&mask| mask == 1).collect(),
                word_ids: encoding.get_word_ids().to_vec(),
                sequence_ids,
                whole_tokens: whole + special_tokens,
                truncated_tokens,
                example,
                token_range,
            })
        });
        Ok(Encoded { encodings: encodings.collect::<Result<_, TextError>>()?, whole_tokens: whole + special_tokens })
    }

    /// The tokens that have room, and the range of the last text's that are left.
    fn cut(&self, tokens: Tokens, room: usize) -> tokenizers::Result<(Tokens, (usize, usize))> {
        let whole = tokens.last_len();
        let direction = self.truncation_side;
        let truncation = TruncationParams { max_length: room, strategy: TruncationStrategy::LongestFirst, stride: 0, direction };
        let (mut text, mut pair) = truncate_encodings(tokens.text, tokens.pair, &truncation)?;
        // The post-processor would wrap every combination of the pieces that were cut off.
        text.take_overflowing();
        if let Some(pair) = &mut pair {
            pair.take_overflowing();
        }
        let tokens = Tokens { text, pair };
        let kept = tokens.last_len();
        let range = match direction {
            tokenizers::TruncationDirection::Right => (0, kept),
            tokenizers::TruncationDirection::Left => (whole - kept, whole),
        };
        Ok((tokens, range))
    }

    /// How many special tokens go around a text or a pair.
    fn special_tokens(&self, pair: bool) -> usize {
        self.post_processor.as_ref().map_or(0, |processor: &PostProcessorWrapper| processor.added_tokens(pair))
    }
}

/// One account of all inputs.
pub(super) fn gathered(encoded: Vec<Encoded>, options: &EncodeOptions) -> Encodings {
    let mut truncation = TruncationReport { texts: encoded.len(), max_length: options.max_length, ..Default::default() };
    for one in &encoded {
        let cut: usize = one.encodings.iter().map(|encoding| encoding.truncated_tokens).sum();
        truncation.tokens += one.whole_tokens - cut;
        truncation.cut_tokens += cut;
        truncation.truncated_texts += usize::from(cut > 0);
        truncation.longest_tokens = truncation.longest_tokens.max(one.whole_tokens);
    }
    let encodings = encoded.into_iter().flat_map(|one| one.encodings).collect();
    Encodings { encodings, truncation, tokenless_words: TokenlessWords::default() }
}

fn wrapped(mut tokens: Tokens, post_processor: Option<&PostProcessorWrapper>) -> tokenizers::Result<tokenizers::Encoding> {
    tokens.text.set_sequence_id(0);
    if let Some(pair) = &mut tokens.pair {
        pair.set_sequence_id(1);
    }
    match post_processor {
        Some(processor) => processor.process(tokens.text, tokens.pair, true),
        None => Ok(tokenizers::Encoding::merge(std::iter::once(tokens.text).chain(tokens.pair), false)),
    }
}

/// The library panics on some texts where a tokenizer.json is damaged.
pub(super) fn unpanicked<T>(work: impl FnOnce() -> tokenizers::Result<T>) -> tokenizers::Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err("the tokenizer library fails on it".into()))
}

pub(super) fn untokenised(example: usize, text: &str, error: &dyn std::error::Error) -> TextError {
    TextError::Tokenize { index: example + 1, text: text.to_owned(), reason: error.to_string() }
}

/// The tokens of the second text of a pair, where no post-processor says otherwise.
fn as_second(mut encoding: tokenizers::Encoding) -> tokenizers::Encoding {
    encoding.set_type_ids(vec![1; encoding.len()]);
    encoding
}
