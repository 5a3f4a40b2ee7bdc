//! Where tokens stand in their texts, in bytes, whatever the tokenizer library counts in.
//! Knows nothing of what tokens mean.

use tokenizers::processors::PostProcessorWrapper;

/// What offsets count, and the texts to count anew in.
pub(super) enum Source<'a> {
    /// Bytes already.
    Bytes,
    /// Characters of a text or of a pair of texts: the byte where each character begins, and the end.
    Texts(Vec<Vec<usize>>),
    /// Characters of the word that a token belongs to.
    Words(&'a [&'a str]),
}

impl Source<'_> {
    pub fn of_texts(text: &str, pair: Option<&str>) -> Source<'static> {
        let starts = |text: &str| text.char_indices().map(|(byte, _)| byte).chain([text.len()]).collect();
        Source::Texts(std::iter::once(text).chain(pair).map(starts).collect())
    }

    /// The offsets of a token, in bytes; (0, 0) for one that belongs to no text.
    pub fn in_bytes(&self, offsets: (usize, usize), sequence: Option<u8>, word: Option<u32>) -> (usize, usize) {
        let byte = |place: usize| match (self, sequence, word) {
            (Source::Texts(starts), Some(sequence), _) => starts.get(usize::from(sequence))?.get(place).copied(),
            (Source::Words(words), Some(_), Some(word)) => {
                let word = words.get(word as usize)?;
                word.char_indices().map(|(byte, _)| byte).chain([word.len()]).nth(place)
            }
            _ => None,
        };
        match self {
            Source::Bytes => offsets,
            _ => (byte(offsets.0).unwrap_or_default(), byte(offsets.1).unwrap_or_default()),
        }
    }
}

/// Whether the post-processor takes spaces off the ends of tokens. It takes one from the count for each, so that it must count
/// characters: with bytes it would leave offsets inside of a character.
pub(super) fn trims(post_processor: &PostProcessorWrapper) -> bool {
    match post_processor {
        PostProcessorWrapper::Roberta(roberta) => roberta.trim_offsets,
        PostProcessorWrapper::ByteLevel(byte_level) => byte_level.trim_offsets,
        PostProcessorWrapper::Sequence(sequence) => sequence.as_ref().iter().any(trims),
        PostProcessorWrapper::Bert(_) | PostProcessorWrapper::Template(_) => false,
    }
}
