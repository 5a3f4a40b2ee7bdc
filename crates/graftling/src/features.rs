//! From texts to token ids, and from token ids to packed batches: the one way there for training, evaluation and prediction.
//! Knows nothing of labels.

use graftling_models::PackedBatch;
use graftling_tensor::Spans;
use graftling_text::{Dataset, EncodeOptions, TextInput, TokenExample, Tokenizer, TruncationReport};

use crate::Error;

/// What the model sees of one example.
pub(crate) struct Features {
    /// The token ids, special tokens included.
    pub input_ids: Vec<u32>,
    /// The segment of each token.
    pub token_type_ids: Vec<u32>,
    /// How many tokens were cut off to keep to the maximal length.
    pub truncated_tokens: usize,
    /// The tokens that logits are wanted for, ascending, where the head gives them by token.
    pub wanted: Option<Wanted>,
}

/// The tokens that logits are wanted for, ascending, and the word that each of them speaks for.
pub(crate) struct Wanted {
    pub tokens: Vec<usize>,
    pub words: Vec<usize>,
}

impl Features {
    /// How many rows of logits the example has.
    pub fn rows(&self) -> usize {
        self.wanted.as_ref().map_or(1, |wanted| wanted.tokens.len())
    }

    /// The words that the model sees, one for each row of logits.
    pub fn words_seen(&self) -> &[usize] {
        self.wanted.as_ref().map_or(&[], |wanted| &wanted.words)
    }
}

/// The examples of a split as the model sees them.
pub(crate) struct Tokenized {
    /// One for each example, in their order.
    pub features: Vec<Features>,
    /// What was cut off.
    pub truncation: TruncationReport,
}

impl Tokenized {
    /// The number of tokens of each example.
    pub fn lengths(&self) -> Vec<usize> {
        self.features.iter().map(|features| features.input_ids.len()).collect()
    }

    /// The number of tokens of all examples together.
    pub fn tokens(&self) -> u64 {
        self.features.iter().map(|features| features.input_ids.len() as u64).sum()
    }
}

/// The texts of a dataset, ready for [`tokenize`].
pub(crate) fn inputs<L>(dataset: &Dataset<L>) -> Vec<TextInput<'_>> {
    dataset.examples.iter().map(|example| TextInput { text: &example.text, pair: example.text_pair.as_deref() }).collect()
}

/// Turns texts into token ids, in their order.
pub(crate) fn tokenize(tokenizer: &Tokenizer, inputs: &[TextInput<'_>], max_length: usize) -> Result<Tokenized, Error> {
    let encodings = tokenizer.encode(inputs, &EncodeOptions::truncated(max_length))?;
    let features: Vec<Features> = encodings
        .encodings
        .into_iter()
        .map(|encoding| Features {
            input_ids: encoding.input_ids,
            token_type_ids: encoding.token_type_ids,
            truncated_tokens: encoding.truncated_tokens,
            wanted: None,
        })
        .collect();
    if let Some(index) = features.iter().position(|features| features.input_ids.is_empty()) {
        return Err(Error::NoTokens { index: index + 1, text: inputs[index].text.chars().take(40).collect() });
    }
    Ok(Tokenized { features, truncation: encodings.truncation })
}

/// Turns sentences whose words are given into token ids, in their order; the first token of each word is wanted.
pub(crate) fn tokenize_words(tokenizer: &Tokenizer, sentences: &[TokenExample], max_length: usize) -> Result<Tokenized, Error> {
    let inputs: Vec<&[String]> = sentences.iter().map(|sentence| sentence.words.as_slice()).collect();
    let encodings = tokenizer.encode_words(&inputs, &EncodeOptions::truncated(max_length))?;
    let features = encodings.encodings.into_iter().map(|encoding| {
        let (mut tokens, mut words) = (Vec::new(), Vec::new());
        for (token, word) in encoding.word_ids.iter().enumerate() {
            let Some(word) = word.map(|word| word as usize) else { continue };
            if words.last() != Some(&word) {
                tokens.push(token);
                words.push(word);
            }
        }
        Features {
            input_ids: encoding.input_ids,
            token_type_ids: encoding.token_type_ids,
            truncated_tokens: encoding.truncated_tokens,
            wanted: Some(Wanted { tokens, words }),
        }
    });
    Ok(Tokenized { features: features.collect(), truncation: encodings.truncation })
}

/// Lays some examples end to end.
pub(crate) fn pack(features: &[Features], examples: &[usize]) -> PackedBatch {
    let chosen = || examples.iter().map(|&example| &features[example]);
    PackedBatch {
        input_ids: chosen().flat_map(|features| features.input_ids.iter().copied()).collect(),
        token_type_ids: chosen().flat_map(|features| features.token_type_ids.iter().copied()).collect(),
        spans: Spans::from_lengths(chosen().map(|features| features.input_ids.len())),
        wanted: wanted(features, examples),
    }
}

/// The rows of a batch that logits are wanted for.
fn wanted(features: &[Features], examples: &[usize]) -> Option<Vec<usize>> {
    let mut rows = Vec::new();
    let mut start = 0;
    for &example in examples {
        let features = &features[example];
        rows.extend(features.wanted.as_ref()?.tokens.iter().map(|token| start + token));
        start += features.input_ids.len();
    }
    Some(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn features(input_ids: &[u32], token_type_ids: &[u32]) -> Features {
        Features { input_ids: input_ids.to_vec(), token_type_ids: token_type_ids.to_vec(), truncated_tokens: 0, wanted: None }
    }

    #[test]
    fn packing_lays_examples_end_to_end_in_the_order_asked_for() {
        let all = [features(&[1, 2], &[0, 0]), features(&[3], &[0]), features(&[4, 5, 6], &[0, 1, 1])];
        let batch = pack(&all, &[2, 0]);
        assert_eq!(batch.input_ids, [4, 5, 6, 1, 2]);
        assert_eq!(batch.token_type_ids, [0, 1, 1, 0, 0]);
        assert_eq!(batch.spans.lengths().collect::<Vec<_>>(), [3, 2]);
    }
}
