//! From texts to token ids, and from token ids to packed batches: the one way there for training, evaluation and prediction.
//! Knows nothing of labels.

mod language;
mod notices;
mod source_target;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use graftling_models::PackedBatch;
use graftling_tensor::Spans;
use graftling_text::{
    Dataset, EncodeOptions, Encoding, TextInput, TextToken, TokenExample, Tokenizer, TokenlessWords, TruncationReport, WholeWords,
};

use crate::Error;
use crate::passages::Passages;
use crate::reading::{LongTexts, Reading};
pub(crate) use language::tokenize_language;
pub(crate) use source_target::{TargetLength, tokenize_source_targets, tokenize_sources};

/// What the model sees of one text, or of one window of it.
#[derive(Clone)]
pub(crate) struct Features {
    /// The token ids, special tokens included.
    pub input_ids: Vec<u32>,
    /// The segment of each token.
    pub token_type_ids: Vec<u32>,
    /// How many tokens were cut off to keep to the maximal length.
    pub truncated_tokens: usize,
    /// The tokens that logits are wanted for, ascending, where the head gives them by token.
    pub wanted: Option<Wanted>,
    /// The word of each token, where words or tokens will be drawn.
    pub word_ids: Option<Vec<Option<u32>>>,
    /// Where the passages of a context stand, where the head gives logits for every token.
    pub passages: Option<Passages>,
    /// The tokens of a text that is read first, where another is written with it in view; `input_ids` are what stands before each of that
    /// one's tokens, and its last token.
    pub source: Option<Vec<u32>>,
}

/// The tokens that logits are wanted for, ascending, and the word that each of them speaks for; no words where tokens are guessed.
#[derive(Clone)]
pub(crate) struct Wanted {
    pub tokens: Vec<usize>,
    pub words: Vec<usize>,
}

impl Features {
    /// How many rows of logits there are.
    pub fn rows(&self) -> usize {
        match &self.wanted {
            Some(wanted) => wanted.tokens.len(),
            None if self.passages.is_some() => self.input_ids.len(),
            None => 1,
        }
    }

    /// Whether there is a row of logits for each of some tokens, not one for the text.
    pub fn is_by_token(&self) -> bool {
        self.wanted.is_some() || self.passages.is_some()
    }

    /// The tokens that are read beside those of a source. Of a text that is written from one the last is not: nothing comes after it.
    pub fn read(&self) -> &[u32] {
        match self.source {
            Some(_) => &self.input_ids[..self.input_ids.len() - 1],
            None => &self.input_ids,
        }
    }

    /// How many tokens the model reads, those of a source included.
    pub fn tokens(&self) -> usize {
        self.read().len() + self.source.as_ref().map_or(0, Vec::len)
    }

    /// The tokens behind which, or from which, a text is to be written: the source, or all up to the first token after which the next is
    /// wanted.
    pub fn prompt(&self) -> &[u32] {
        let first = self.wanted.iter().find_map(|wanted| wanted.tokens.first());
        match (&self.source, first) {
            (Some(source), _) => source,
            (None, Some(first)) => &self.input_ids[..=*first],
            (None, None) => &self.input_ids,
        }
    }

    /// The token that comes after each one that is wanted.
    pub fn next_tokens(&self) -> impl Iterator<Item = u32> {
        self.wanted.iter().flat_map(|wanted| wanted.tokens.iter().map(|&token| self.input_ids[token + 1]))
    }

    /// The words that logits are given for, one for each row.
    pub fn words_seen(&self) -> &[usize] {
        self.wanted.as_ref().map_or(&[], |wanted| &wanted.words)
    }

    fn new(encoding: Encoding, wanted: Option<Wanted>) -> Self {
        Self {
            input_ids: encoding.input_ids,
            token_type_ids: encoding.token_type_ids,
            truncated_tokens: encoding.truncated_tokens,
            wanted,
            word_ids: None,
            passages: None,
            source: None,
        }
    }
}

/// The texts of a split as the model sees them.
pub(crate) struct Tokenized {
    /// One for each window, in the order of the texts; most texts have one window.
    pub features: Vec<Features>,
    /// The windows of each text.
    pub texts: Vec<Range<usize>>,
    /// The texts of each example; most examples have one.
    pub examples: Vec<Range<usize>>,
    /// What was cut off.
    pub truncation: TruncationReport,
    /// Words of which the tokenizer leaves nothing, where words are given.
    pub tokenless: TokenlessWords,
    /// How many tokens each text of the file has before anything is cut or divided; of one from which another is written, without that one.
    pub whole_lengths: Vec<usize>,
    /// How long what is to be written from each text is, where it is known.
    pub target_lengths: Vec<TargetLength>,
}

impl Tokenized {
    /// The number of tokens of each window.
    pub fn lengths(&self) -> Vec<usize> {
        self.features.iter().map(Features::tokens).collect()
    }

    /// The number of tokens of all windows together.
    pub fn tokens(&self) -> u64 {
        self.features.iter().map(|features| features.tokens() as u64).sum()
    }

    /// The windows of a text.
    pub fn windows(&self, text: usize) -> &[Features] {
        &self.features[self.texts[text].clone()]
    }

    /// The number of tokens of a text, in all its windows.
    pub fn length(&self, text: usize) -> usize {
        self.windows(text).iter().map(Features::tokens).sum()
    }

    /// The words of a text that logits are given for, one for each row.
    pub fn words_seen(&self, text: usize) -> Vec<usize> {
        self.windows(text).iter().flat_map(|features| features.words_seen()).copied().collect()
    }

    /// The features of each text, which are its `encodings`.
    fn new(
        encodings: Vec<Encoding>,
        truncation: TruncationReport,
        mut wanted: impl FnMut(&[Encoding]) -> Vec<Option<Wanted>>,
    ) -> Self {
        let mut texts: Vec<Range<usize>> = Vec::with_capacity(truncation.texts);
        let mut all_wanted = Vec::with_capacity(encodings.len());
        let mut whole_lengths = Vec::with_capacity(truncation.texts);
        let mut done = 0;
        for windows in encodings.chunk_by(|one, next| one.example == next.example) {
            texts.push(done..done + windows.len());
            done += windows.len();
            whole_lengths.push(windows[0].whole_tokens);
            all_wanted.extend(wanted(windows));
        }
        let features = encodings.into_iter().zip(all_wanted).map(|(encoding, wanted)| Features::new(encoding, wanted)).collect();
        let examples = (0..texts.len()).map(|text| text..text + 1).collect();
        Self {
            features,
            texts,
            examples,
            truncation,
            tokenless: TokenlessWords::default(),
            whole_lengths,
            target_lengths: Vec::new(),
        }
    }

    /// The same texts as examples of so many texts each.
    fn grouped(mut self, sizes: impl IntoIterator<Item = usize>) -> Self {
        let mut done = 0;
        let example = |size: usize| {
            done += size;
            done - size..done
        };
        self.examples = sizes.into_iter().map(example).collect();
        self
    }

    /// The windows of all texts of an example.
    pub fn windows_of_example(&self, example: usize) -> Range<usize> {
        let texts = &self.examples[example];
        self.texts[texts.start].start..self.texts[texts.end - 1].end
    }

    /// How many tokens each window of each text of an example has.
    pub fn measures(&self, example: usize) -> Vec<Vec<usize>> {
        let text = |text| self.windows(text).iter().map(Features::tokens).collect();
        self.examples[example].clone().map(text).collect()
    }
}

/// The texts of a dataset, ready for [`tokenize`].
pub(crate) fn inputs<L>(dataset: &Dataset<L>) -> Vec<TextInput<'_>> {
    dataset.examples.iter().map(|example| TextInput { text: &example.text, pair: example.text_pair.as_deref() }).collect()
}

fn options(reading: &Reading) -> EncodeOptions {
    match reading.long_texts {
        LongTexts::Cut => EncodeOptions::truncated(reading.max_length),
        LongTexts::Windows { stride, .. } => EncodeOptions::windows_with_first_cut(reading.max_length, stride),
    }
}

/// Turns texts into token ids, in their order.
pub(crate) fn tokenize(tokenizer: &Tokenizer, inputs: &[TextInput<'_>], reading: &Reading) -> Result<Tokenized, Error> {
    let encodings = tokenizer.encode(inputs, &options(reading))?;
    refuse_tokenless(&encodings.encodings, inputs)?;
    Ok(Tokenized::new(encodings.encodings, encodings.truncation, |windows| windows.iter().map(|_| None).collect()))
}

fn refuse_tokenless(encodings: &[Encoding], inputs: &[TextInput<'_>]) -> Result<(), Error> {
    let Some(empty) = encodings.iter().find(|encoding| encoding.input_ids.is_empty()) else { return Ok(()) };
    let text = inputs[empty.example].text.chars().take(40).collect();
    Err(Error::NoTokens { index: empty.example + 1, text })
}

/// The same, for examples of several texts that the model reads one by one, each behind the prompt where there is one.
pub(crate) fn tokenize_apart(tokenizer: &Tokenizer, examples: &[Vec<&str>], reading: &Reading) -> Result<Tokenized, Error> {
    let texts = examples.iter().flatten().map(|&text| match &reading.prompt {
        Some(prompt) => Cow::Owned(format!("{prompt}{text}")),
        None => Cow::Borrowed(text),
    });
    let texts: Vec<Cow<'_, str>> = texts.collect();
    let inputs: Vec<TextInput<'_>> = texts.iter().map(|text| TextInput { text, pair: None }).collect();
    let tokenized = tokenize(tokenizer, &inputs, reading)?;
    Ok(tokenized.grouped(examples.iter().map(Vec::len)))
}

/// The same, for texts of which words or tokens will be drawn.
pub(crate) fn tokenize_with_words(
    tokenizer: &Tokenizer,
    inputs: &[TextInput<'_>],
    reading: &Reading,
) -> Result<Tokenized, Error> {
    let encodings = tokenizer.encode(inputs, &options(reading))?;
    let texts = encodings.encodings.chunk_by(|window, next| window.example == next.example);
    let word_ids: Vec<Vec<Option<u32>>> = texts.flat_map(|windows| words_of(inputs[windows[0].example].text, windows)).collect();
    let mut tokenized =
        Tokenized::new(encodings.encodings, encodings.truncation, |windows| windows.iter().map(|_| None).collect());
    for (features, word_ids) in tokenized.features.iter_mut().zip(word_ids) {
        features.word_ids = Some(word_ids);
    }
    Ok(tokenized)
}

/// The word of each token of the windows of a text.
fn words_of(text: &str, windows: &[Encoding]) -> Vec<Vec<Option<u32>>> {
    let words = WholeWords::of(text);
    windows.iter().map(|window| words.of_tokens(window)).collect()
}

/// Turns sentences whose words are given into token ids, in their order; the first token of each word is wanted.
pub(crate) fn tokenize_words(tokenizer: &Tokenizer, sentences: &[TokenExample], reading: &Reading) -> Result<Tokenized, Error> {
    let inputs: Vec<&[String]> = sentences.iter().map(|sentence| sentence.words.as_slice()).collect();
    let encodings = tokenizer.encode_words(&inputs, &options(reading))?;
    let tokenless = encodings.tokenless_words;
    let tokenized = Tokenized::new(encodings.encodings, encodings.truncation, |windows| {
        first_tokens(windows).into_iter().map(Some).collect()
    });
    Ok(Tokenized { tokenless, ..tokenized })
}

/// Turns questions about contexts into token ids, in their order; a long context has several windows, each with the whole question.
pub(crate) fn tokenize_questions(
    tokenizer: &Tokenizer,
    questions: &[(&str, Arc<str>)],
    reading: &Reading,
) -> Result<Tokenized, Error> {
    // White space before a question would be a token of its own to some tokenizers.
    let inputs: Vec<TextInput<'_>> =
        questions.iter().map(|(question, context)| TextInput { text: question.trim_start(), pair: Some(context) }).collect();
    // A question that is cut is another question.
    let options = match reading.long_texts {
        LongTexts::Windows { stride, .. } => EncodeOptions::windows(reading.max_length, stride),
        LongTexts::Cut => options(reading),
    };
    let encodings = tokenizer.encode(&inputs, &options)?;
    let passages: Vec<Passages> =
        encodings.encodings.iter().map(|window| Passages::of(window, &questions[window.example].1)).collect();
    let mut tokenized =
        Tokenized::new(encodings.encodings, encodings.truncation, |windows| windows.iter().map(|_| None).collect());
    for (features, passages) in tokenized.features.iter_mut().zip(passages) {
        features.passages = Some(passages);
    }
    Ok(tokenized)
}

/// Turns texts into token ids, in their order; every token of the texts is wanted and told, window by window: in the one window where
/// most stands around it, or in all of them where `windows_alone` says so. Places count the tokens of the whole text.
pub(crate) fn tokenize_every_token(
    tokenizer: &Tokenizer,
    inputs: &[TextInput<'_>],
    reading: &Reading,
    windows_alone: bool,
) -> Result<(Tokenized, Vec<Vec<TextToken>>), Error> {
    let encodings = tokenizer.encode(inputs, &options(reading))?;
    refuse_tokenless(&encodings.encodings, inputs)?;
    let mut tokens = Vec::with_capacity(encodings.encodings.len());
    for windows in encodings.encodings.chunk_by(|one, next| one.example == next.example) {
        let best = best_windows(windows);
        let (several, text) = (windows.len() > 1, inputs[windows[0].example].text);
        for (number, window) in windows.iter().enumerate() {
            let own = window.token_range.0..;
            let all = own.zip(tokenizer.text_tokens(text, window));
            let told = all.filter(|(token, _)| windows_alone || best[*token] == Some(number)).map(|(_, token)| token);
            tokens.push((told.collect::<Vec<TextToken>>(), if several { window.token_range.0 } else { 0 }));
        }
    }
    let wanted: Vec<Option<Wanted>> = tokens
        .iter()
        .map(|(tokens, _)| Some(Wanted { tokens: tokens.iter().map(|token| token.place).collect(), words: Vec::new() }))
        .collect();
    let mut wanted = wanted.into_iter();
    let tokenized =
        Tokenized::new(encodings.encodings, encodings.truncation, |windows| wanted.by_ref().take(windows.len()).collect());
    let in_text = |(tokens, before): (Vec<TextToken>, usize)| {
        tokens.into_iter().map(|token| TextToken { place: token.place + before, ..token }).collect()
    };
    Ok((tokenized, tokens.into_iter().map(in_text).collect()))
}

/// The first token of each word, once: in the window where most stands around it.
fn first_tokens(windows: &[Encoding]) -> Vec<Wanted> {
    let best = best_windows(windows);
    let mut words: Vec<Option<u32>> = vec![None; best.len()];
    for window in windows {
        (window.token_range.0..).zip(of_text(window)).for_each(|(token, (_, word))| words[token] = word);
    }
    let begins = |token: usize| words[token].is_some() && (token == 0 || words[token - 1] != words[token]);
    let wanted = windows.iter().enumerate().map(|(number, window)| {
        let all = (window.token_range.0..).zip(of_text(window));
        let own = all.filter(|&(token, _)| begins(token) && best[token] == Some(number));
        let (tokens, words) = own.filter_map(|(_, (place, word))| Some((place, word? as usize))).unzip();
        Wanted { tokens, words }
    });
    wanted.collect()
}

/// For each token of a text the window in which most tokens stand on its poorer side, the first of equal ones; none for a token that
/// was cut off.
fn best_windows(windows: &[Encoding]) -> Vec<Option<usize>> {
    let whole = windows.iter().map(|window| window.token_range.1).max().unwrap_or(0);
    let mut best: Vec<Option<(usize, usize)>> = vec![None; whole];
    for (number, window) in windows.iter().enumerate() {
        let (start, end) = window.token_range;
        for (token, best) in (start..end).zip(&mut best[start..end]) {
            let before = if start == 0 { usize::MAX } else { token - start };
            let after = if end == whole { usize::MAX } else { end - 1 - token };
            let around = before.min(after);
            if best.is_none_or(|(most, _)| around > most) {
                *best = Some((around, number));
            }
        }
    }
    best.into_iter().map(|best| best.map(|(_, number)| number)).collect()
}

/// The tokens of the text in a window: their places there, and their words.
fn of_text(window: &Encoding) -> impl Iterator<Item = (usize, Option<u32>)> {
    let tokens = window.word_ids.iter().zip(&window.special_tokens_mask).enumerate();
    tokens.filter(|(_, (_, special))| !**special).map(|(place, (word, _))| (place, *word))
}

/// Some windows as a model reads them at once.
pub(crate) struct Packed {
    /// Their tokens, end to end.
    pub batch: PackedBatch,
    /// The tokens of the texts that they are written from, where they are.
    pub sources: Option<PackedBatch>,
}

/// Lays windows end to end, and their sources.
pub(crate) fn pack(chosen: &[&Features]) -> Packed {
    let types = |features: &&Features| features.token_type_ids[..features.read().len()].to_vec();
    let batch = PackedBatch {
        input_ids: chosen.iter().flat_map(|features| features.read().iter().copied()).collect(),
        token_type_ids: chosen.iter().flat_map(types).collect(),
        spans: Spans::from_lengths(chosen.iter().map(|features| features.read().len())),
        wanted: wanted(chosen),
    };
    let sources: Vec<&[u32]> = chosen.iter().filter_map(|features| features.source.as_deref()).collect();
    assert!(sources.is_empty() || sources.len() == chosen.len(), "pack: {} sources for {} windows", sources.len(), chosen.len());
    let sources = (!sources.is_empty()).then(|| {
        let spans = Spans::from_lengths(sources.iter().map(|source| source.len()));
        PackedBatch { token_type_ids: vec![0; spans.rows()], input_ids: sources.concat(), spans, wanted: None }
    });
    Packed { batch, sources }
}

/// The rows of a batch that logits are wanted for.
fn wanted(chosen: &[&Features]) -> Option<Vec<usize>> {
    let mut rows = Vec::new();
    let mut start = 0;
    for features in chosen {
        rows.extend(features.wanted.as_ref()?.tokens.iter().map(|token| start + token));
        start += features.read().len();
    }
    Some(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn features(input_ids: &[u32], token_type_ids: &[u32]) -> Features {
        Features {
            input_ids: input_ids.to_vec(),
            token_type_ids: token_type_ids.to_vec(),
            truncated_tokens: 0,
            wanted: None,
            word_ids: None,
            passages: None,
            source: None,
        }
    }

    #[test]
    fn packing_lays_examples_end_to_end_in_the_order_asked_for() {
        let all = [features(&[1, 2], &[0, 0]), features(&[3], &[0]), features(&[4, 5, 6], &[0, 1, 1])];
        let batch = pack(&[&all[2], &all[0]]).batch;
        assert_eq!(batch.input_ids, [4, 5, 6, 1, 2]);
        assert_eq!(batch.token_type_ids, [0, 1, 1, 0, 0]);
        assert_eq!(batch.spans.lengths().collect::<Vec<_>>(), [3, 2]);
    }

    #[test]
    fn characters_of_a_word_without_spaces_are_drawn_together_in_every_window() {
        let folder = tempfile::tempdir().expect("a folder");
        let vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "我", "们", "在", "北", "京"].join("\n");
        std::fs::write(folder.path().join("vocab.txt"), vocabulary).expect("a vocabulary");
        let tokenizer = Tokenizer::from_folder(folder.path()).expect("a tokenizer");
        let reading = Reading::new(crate::recipe::Task::MaskedLm, None, 5);
        let reading = Reading { long_texts: LongTexts::Windows { stride: 0, joining: crate::reading::Joining::Mean }, ..reading };
        let inputs = ["我们在北京", "在"].map(|text| TextInput { text, pair: None });
        let tokenized = tokenize_with_words(&tokenizer, &inputs, &reading).expect("tokens");
        let words: Vec<Vec<u32>> =
            tokenized.features.iter().map(|window| window.word_ids.iter().flatten().flatten().copied().collect()).collect();
        assert_eq!(words, [vec![0, 0, 1], vec![0, 0], vec![0]]);
    }

    /// A window over the tokens of a text from `start` on, whose words these are, with a special token at either end.
    fn window(start: usize, words: &[u32]) -> Encoding {
        let word_ids: Vec<Option<u32>> = [None].into_iter().chain(words.iter().copied().map(Some)).chain([None]).collect();
        let count = word_ids.len();
        Encoding {
            input_ids: vec![7; count],
            token_type_ids: vec![0; count],
            offsets: vec![(0, 0); count],
            special_tokens_mask: (0..count).map(|place| place == 0 || place == count - 1).collect(),
            word_ids,
            sequence_ids: vec![Some(0); count],
            whole_tokens: count,
            truncated_tokens: 0,
            example: 0,
            token_range: (start, start + words.len()),
        }
    }

    #[test]
    fn each_word_is_read_once_where_most_stands_around_it() {
        // Words of 1, 2, 1, 3, 1, 1, 1 tokens, read in windows of 6 that share 4.
        let windows = [window(0, &[0, 1, 1, 2, 3, 3]), window(2, &[1, 2, 3, 3, 3, 4]), window(4, &[3, 3, 3, 4, 5, 6])];
        let wanted: Vec<(Vec<usize>, Vec<usize>)> =
            first_tokens(&windows).into_iter().map(|wanted| (wanted.tokens, wanted.words)).collect();
        assert_eq!(wanted, [(vec![1, 2, 4], vec![0, 1, 2]), (vec![3], vec![3]), (vec![4, 5, 6], vec![4, 5, 6])]);
    }

    #[test]
    fn windows_that_share_nothing_do_not_begin_within_a_word() {
        let windows = [window(0, &[0, 1, 1]), window(3, &[1, 2, 2])];
        let wanted: Vec<Vec<usize>> = first_tokens(&windows).into_iter().map(|wanted| wanted.words).collect();
        assert_eq!(wanted, [vec![0, 1], vec![2]]);
    }
}
