//! Words that are given, as for token classification, to token ids that know their words: `is_split_into_words=True` of
//! transformers. Knows nothing of tags.

use rayon::prelude::*;
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::processors::PostProcessorWrapper;
use tokenizers::{EncodeInput, InputSequence};

use super::encode::{EncodeOptions, Encoded, Encodings, Input, Tokens, gathered, unpanicked, untokenised};
use super::offsets::Source;
use super::{Tokenizer, TokenlessWords};
use crate::TextError;

/// The pipeline for words, where it is another than that for texts.
///
/// A byte-level tokenizer tells a word by the space before it; words that are given have none, so each gets one
/// (`add_prefix_space=True`, without which transformers' RoBERTa refuses or misreads given words).
pub(super) struct WordPipeline {
    pipeline: tokenizers::Tokenizer,
    post_processor: Option<PostProcessorWrapper>,
}

impl WordPipeline {
    /// `None` where the pipeline for texts serves words, too.
    fn of(tokenizer: &Tokenizer) -> Option<WordPipeline> {
        let Some(PreTokenizerWrapper::ByteLevel(byte_level)) = tokenizer.pipeline.get_pre_tokenizer() else { return None };
        if byte_level.add_prefix_space {
            return None;
        }
        let with_space = byte_level.add_prefix_space(true);
        let mut pipeline = (*tokenizer.pipeline).clone();
        pipeline.with_pre_tokenizer(Some(with_space));
        let post_processor = tokenizer.post_processor.clone().map(|processor| match processor {
            PostProcessorWrapper::Roberta(roberta) => PostProcessorWrapper::Roberta(roberta.add_prefix_space(true)),
            PostProcessorWrapper::ByteLevel(byte_level) => PostProcessorWrapper::ByteLevel(byte_level.add_prefix_space(true)),
            other => other,
        });
        Some(WordPipeline { pipeline, post_processor })
    }
}

impl Tokenizer {
    /// Encodes sentences whose words are given, on all cores; the order is kept. `word_ids` tells the word of each token, offsets
    /// count within the word.
    pub fn encode_words<S: AsRef<str> + Sync>(&self, inputs: &[&[S]], options: &EncodeOptions) -> Result<Encodings, TextError> {
        self.check_room(options, false)?;
        let words = self.word_pipeline.get_or_init(|| WordPipeline::of(self)).as_ref();
        let pipeline = words.map_or(&*self.pipeline, |words| &words.pipeline);
        let post_processor = words.map_or(self.post_processor.as_ref(), |words| words.post_processor.as_ref());
        let encode = |(example, input): (usize, &&[S])| {
            let sequence: Vec<&str> = input.iter().map(AsRef::as_ref).collect();
            let words = EncodeInput::Single(InputSequence::from(&sequence[..]));
            let text = unpanicked(|| match (&self.pieces, self.trims_offsets) {
                (Some(pieces), _) => Ok(pieces.encode_words(pipeline, &sequence)),
                (None, true) => pipeline.encode_char_offsets(words, false),
                (None, false) => pipeline.encode(words, false),
            });
            let text = text.map_err(|error| untokenised(example, &sequence.join(" "), &*error))?;
            let tokenless = tokenless(text.get_word_ids(), input.len());
            let source = if self.trims_offsets { Source::Words(&sequence) } else { Source::Bytes };
            let input = Input { example, source, options, post_processor };
            let encoded = self.finished(&input, Tokens { text, pair: None })?;
            Ok((encoded, tokenless))
        };
        type Each = (Encoded, Vec<usize>);
        let each: Vec<Each> = inputs.par_iter().enumerate().map(encode).collect::<Result<_, TextError>>()?;
        let mut tokenless_words = TokenlessWords::default();
        for (example, (_, words)) in each.iter().enumerate() {
            tokenless_words.words += words.len();
            tokenless_words.first = tokenless_words.first.or(words.first().map(|&word| (example, word)));
        }
        let gathered = gathered(each.into_iter().map(|(encoded, _)| encoded).collect(), options);
        Ok(Encodings { tokenless_words, ..gathered })
    }
}

/// The words that no token stands for.
fn tokenless(word_ids: &[Option<u32>], words: usize) -> Vec<usize> {
    let mut seen = vec![false; words];
    for &word in word_ids.iter().flatten() {
        if let Some(seen) = seen.get_mut(word as usize) {
            *seen = true;
        }
    }
    (0..words).filter(|&word| !seen[word]).collect()
}
