//! Texts to token ids, with the truncation of transformers, on all cores, and the account of what was cut.
//! Knows nothing of the folder the tokenizer came from.

use std::fmt;

use rayon::prelude::*;
use serde::Serialize;
use tokenizers::{
    PostProcessor, TruncationParams, TruncationStrategy, processors::PostProcessorWrapper, utils::truncation::truncate_encodings,
};

use super::Tokenizer;
use crate::TextError;
use crate::wording::counted;

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
    /// How many tokens an encoding may have, special tokens included. Of a pair the longer text is cut first, as
    /// `truncation=True` (`longest_first`) of transformers does.
    pub max_length: usize,
}

/// One text or pair as the model sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoding {
    /// The token ids, special tokens included.
    pub input_ids: Vec<u32>,
    /// Which text of a pair each token belongs to.
    pub token_type_ids: Vec<u32>,
    /// Where each token stands in its text: first byte and the byte after the last. A special token has (0, 0).
    pub offsets: Vec<(usize, usize)>,
    /// Which tokens were put around the text.
    pub special_tokens_mask: Vec<bool>,
    /// How many tokens of the text were cut off.
    pub truncated_tokens: usize,
}

/// The encodings of many texts, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encodings {
    /// One for each text.
    pub encodings: Vec<Encoding>,
    /// What was cut off.
    pub truncation: TruncationReport,
}

/// How many texts were cut to the maximal length, and by how much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TruncationReport {
    /// How many texts there are.
    pub texts: usize,
    /// How many of them were too long.
    pub truncated_texts: usize,
    /// How many tokens are left, special tokens included.
    pub tokens: usize,
    /// How many tokens were cut off.
    pub cut_tokens: usize,
    /// The maximal length of a text, special tokens included.
    pub max_length: usize,
    /// The length of the longest text before cutting, special tokens included.
    pub longest_tokens: usize,
}

impl fmt::Display for TruncationReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts = counted(self.texts, "text", "texts");
        if self.truncated_texts == 0 {
            return write!(formatter, "{texts}, {} tokens, longest {}; none is cut", self.tokens, self.longest_tokens);
        }
        let share = 100.0 * self.cut_tokens as f64 / (self.tokens + self.cut_tokens) as f64;
        write!(
            formatter,
            "{} of {texts} cut to {} tokens: {} tokens ({share:.1} %) are lost, the longest text has {}",
            self.truncated_texts, self.max_length, self.cut_tokens, self.longest_tokens
        )
    }
}

impl Tokenizer {
    /// Encodes all texts on all cores; the order is kept.
    pub fn encode(&self, inputs: &[TextInput<'_>], options: &EncodeOptions) -> Result<Encodings, TextError> {
        for pair in [false, true] {
            let special_tokens = self.special_tokens(pair);
            if options.max_length <= special_tokens && inputs.iter().any(|input| input.pair.is_some() == pair) {
                return Err(TextError::MaxLength { max_length: options.max_length, special_tokens });
            }
        }
        let encode = |(index, input): (usize, &TextInput<'_>)| {
            self.encode_one(input, options.max_length).map_err(|error| TextError::Tokenize {
                index: index + 1,
                text: input.text.to_owned(),
                reason: error.to_string(),
            })
        };
        let encodings: Vec<Encoding> = inputs.par_iter().enumerate().map(encode).collect::<Result<_, _>>()?;
        let mut truncation = TruncationReport { texts: inputs.len(), max_length: options.max_length, ..Default::default() };
        for encoding in &encodings {
            truncation.tokens += encoding.input_ids.len();
            truncation.cut_tokens += encoding.truncated_tokens;
            truncation.truncated_texts += usize::from(encoding.truncated_tokens > 0);
            truncation.longest_tokens = truncation.longest_tokens.max(encoding.input_ids.len() + encoding.truncated_tokens);
        }
        Ok(Encodings { encodings, truncation })
    }

    fn encode_one(&self, input: &TextInput<'_>, max_length: usize) -> tokenizers::Result<Encoding> {
        let text = self.pipeline.encode(input.text, false)?;
        let pair = input.pair.map(|pair| self.pipeline.encode(pair, false)).transpose()?.map(as_second);
        let length = |text: &tokenizers::Encoding, pair: &Option<tokenizers::Encoding>| {
            text.len() + pair.as_ref().map_or(0, tokenizers::Encoding::len)
        };
        let whole = length(&text, &pair);
        let truncation = TruncationParams {
            max_length: max_length - self.special_tokens(pair.is_some()),
            strategy: TruncationStrategy::LongestFirst,
            stride: 0,
            direction: self.truncation_side,
        };
        let (mut text, mut pair) = truncate_encodings(text, pair, &truncation)?;
        // The post-processor would wrap every combination of the pieces that were cut off.
        text.take_overflowing();
        if let Some(pair) = &mut pair {
            pair.take_overflowing();
        }
        let truncated_tokens = whole - length(&text, &pair);
        let encoding = match &self.post_processor {
            Some(processor) => processor.process(text, pair, true)?,
            None => tokenizers::Encoding::merge(std::iter::once(text).chain(pair), false),
        };
        Ok(Encoding {
            input_ids: encoding.get_ids().to_vec(),
            token_type_ids: encoding.get_type_ids().to_vec(),
            offsets: encoding.get_offsets().to_vec(),
            special_tokens_mask: encoding.get_special_tokens_mask().iter().map(|&mask| mask == 1).collect(),
            truncated_tokens,
        })
    }

    /// How many special tokens go around a text or a pair.
    fn special_tokens(&self, pair: bool) -> usize {
        self.post_processor.as_ref().map_or(0, |processor: &PostProcessorWrapper| processor.added_tokens(pair))
    }
}

/// The tokens of the second text of a pair, where no post-processor says otherwise.
fn as_second(mut encoding: tokenizers::Encoding) -> tokenizers::Encoding {
    encoding.set_type_ids(vec![1; encoding.len()]);
    encoding
}
