//! What a causal language model sees: texts, prompts with their completions and conversations as tokens; which of them are foreseen; and how
//! what is too long is divided or cut. Knows no model.

#[cfg(test)]
mod tests;

use std::ops::Range;

use graftling_text::{
    Conversation, EncodeOptions, Encoding, LanguageExample, TextError, TextInput, Tokenizer, TokenlessWords, TruncationReport,
};

use super::{Features, Tokenized, Wanted};
use crate::Error;
use crate::error::LanguageError;
use crate::reading::{LongTexts, Reading};

/// The tokens of an example, before anything is cut.
#[derive(Clone, Debug, Default, PartialEq)]
struct Sequence {
    input_ids: Vec<u32>,
    /// How many of them the tokenizer puts before every text.
    opening: usize,
    /// How many stand before the last part that is foreseen: the first token of a text, a prompt, a conversation up to its last answer.
    given: usize,
    /// The token behind that part.
    end: usize,
    /// Parts before it that are foreseen too: earlier answers.
    said: Vec<Range<usize>>,
}

/// A stretch of a sequence that the model reads at once.
struct Window {
    input_ids: Vec<u32>,
    /// The tokens that are foreseen in this window, and in no window before; never the first.
    foreseen: Vec<usize>,
}

/// How many tokens are read at once at least: one that is foreseen, and one before it.
const FEWEST: usize = 2;

/// Turns examples into token ids, in their order, an end token after each text and completion; conversations are written by the chat template,
/// which has its own. A long text is divided into windows, or cut at its end; a prompt is cut at its front so that its completion fits, and a
/// completion that does not fit alone loses its end; so are conversations, whose completion is the last answer. Wanted is each token before
/// one that is foreseen: of texts all but the first, of completions all, of conversations what the assistant says.
pub(crate) fn tokenize_language(
    tokenizer: &Tokenizer,
    examples: &[LanguageExample],
    reading: &Reading,
) -> Result<Tokenized, Error> {
    let (_, end) = tokenizer.end_token().ok_or(LanguageError::NoEndToken)?;
    if let LongTexts::Windows { stride, .. } = reading.long_texts
        && stride >= reading.max_length
    {
        return Err(TextError::Stride { stride, max_length: reading.max_length, special_tokens: 0 }.into());
    }
    if reading.max_length < FEWEST {
        return Err(LanguageError::TooShort { max_length: reading.max_length, fewest: FEWEST }.into());
    }
    let chats = conversations(tokenizer, examples)?;
    let texts = texts(examples, &chats);
    let inputs: Vec<TextInput<'_>> = texts.iter().map(|&(_, text)| TextInput { text, pair: None }).collect();
    let whole = tokenizer.encode(&inputs, &EncodeOptions::truncated(usize::MAX))?;
    let framed: Vec<Framed<'_>> = whole.encodings.iter().map(Framed::of).collect();
    if let Some((_, (index, text))) = framed.iter().zip(&texts).find(|(framed, _)| framed.text.is_empty()) {
        return Err(Error::NoTokens { index: index + 1, text: text.chars().take(40).collect() });
    }
    let (mut framed, mut chats) = (framed.into_iter(), chats.iter());
    let mut truncation = TruncationReport { texts: examples.len(), max_length: reading.max_length, ..Default::default() };
    let (mut features, mut ranges) = (Vec::new(), Vec::with_capacity(examples.len()));
    let mut whole_lengths = Vec::with_capacity(examples.len());
    for example in examples {
        let mut next = || framed.next().expect("an encoding of each text");
        let sequence = match example {
            LanguageExample::Text(_) => Sequence::of_text(&next(), end),
            LanguageExample::Completed { .. } => Sequence::of_completion(&next(), &next(), end),
            LanguageExample::Chat { line, .. } => {
                let chat = chats.next().expect("each conversation as a text");
                Sequence::of_chat(&next(), chat).ok_or(LanguageError::NothingSaid { line: *line })?
            }
        };
        let whole = sequence.input_ids.len();
        let (windows, cut) = match (example, reading.long_texts) {
            (LanguageExample::Text(_), LongTexts::Windows { stride, .. }) => (sequence.divided(reading.max_length, stride), 0),
            (LanguageExample::Text(_), LongTexts::Cut) => sequence.cut(reading.max_length),
            _ => {
                truncation.cut_completions += usize::from(sequence.end - sequence.given > sequence.room(reading.max_length));
                sequence.fitted(reading.max_length)
            }
        };
        truncation.truncated_texts += usize::from(cut > 0);
        truncation.cut_tokens += cut;
        truncation.tokens += whole - cut;
        truncation.longest_tokens = truncation.longest_tokens.max(whole);
        let first = features.len();
        features.extend(windows.into_iter().map(Window::features));
        features[first].truncated_tokens = cut;
        whole_lengths.push(whole);
        ranges.push(first..features.len());
    }
    let examples = (0..ranges.len()).map(|text| text..text + 1).collect();
    Ok(Tokenized {
        features,
        texts: ranges,
        examples,
        truncation,
        tokenless: TokenlessWords::default(),
        whole_lengths,
        target_lengths: Vec::new(),
    })
}

/// The conversations among examples as texts, in their order.
fn conversations(tokenizer: &Tokenizer, examples: &[LanguageExample]) -> Result<Vec<Conversation>, Error> {
    let mut known = None;
    let mut chats = Vec::new();
    for example in examples {
        let LanguageExample::Chat { messages, line } = example else { continue };
        let told = |problem| LanguageError::Chat { line: *line, problem };
        let template = match known.take() {
            Some(template) => template,
            None => tokenizer.chat_template().map_err(told)?,
        };
        chats.push(known.insert(template).conversation(messages).map_err(told)?);
    }
    Ok(chats)
}

/// The texts of all examples, each with the number of its example.
fn texts<'a>(examples: &'a [LanguageExample], chats: &'a [Conversation]) -> Vec<(usize, &'a str)> {
    let mut chats = chats.iter();
    let mut texts = Vec::with_capacity(examples.len());
    for (index, example) in examples.iter().enumerate() {
        match example {
            LanguageExample::Text(text) => texts.push((index, text.text.as_str())),
            LanguageExample::Completed { prompt, completion, .. } => {
                texts.extend([(index, prompt.as_str()), (index, completion.as_str())]);
            }
            LanguageExample::Chat { .. } => texts.extend(chats.next().map(|chat| (index, chat.text.as_str()))),
        }
    }
    texts
}

/// The tokens of a text, and those that the tokenizer puts around it.
pub(super) struct Framed<'a> {
    pub before: &'a [u32],
    pub text: &'a [u32],
    pub after: &'a [u32],
    /// Where in the text its tokens stand, in bytes.
    offsets: &'a [(usize, usize)],
}

impl<'a> Framed<'a> {
    pub fn of(encoding: &'a Encoding) -> Self {
        let Encoding { input_ids, special_tokens_mask: special, offsets, .. } = encoding;
        let start = special.iter().take_while(|special| **special).count();
        let end = input_ids.len() - special[start..].iter().rev().take_while(|special| **special).count();
        Self {
            before: &input_ids[..start],
            text: &input_ids[start..end],
            after: &input_ids[end..],
            offsets: &offsets[start..end],
        }
    }

    /// What stands behind the text: its own end, or the one that is missing.
    pub fn ending(&self, end: u32) -> Vec<u32> {
        let missing = (self.after.last() != Some(&end)).then_some(end);
        self.after.iter().copied().chain(missing).collect()
    }
}

impl Sequence {
    /// A text, its end included. All but its first token are foreseen.
    fn of_text(text: &Framed<'_>, end: u32) -> Self {
        let input_ids = [text.before, text.text, &text.ending(end)].concat();
        Self { end: input_ids.len(), input_ids, opening: text.before.len(), given: 1, said: Vec::new() }
    }

    /// A prompt as it would be gone on with, and its completion with its end, which is foreseen. The two are cut into tokens apart, so that the
    /// prompt's are the same without its completion.
    fn of_completion(prompt: &Framed<'_>, completion: &Framed<'_>, end: u32) -> Self {
        let given = [prompt.before, prompt.text].concat();
        let input_ids = [given.as_slice(), completion.text, &completion.ending(end)].concat();
        Self { end: input_ids.len(), input_ids, opening: prompt.before.len(), given: given.len(), said: Vec::new() }
    }

    /// A conversation, whose template writes all special tokens itself; none where the assistant says nothing that is a token. A token belongs
    /// to where it begins.
    fn of_chat(text: &Framed<'_>, chat: &Conversation) -> Option<Self> {
        // The first token of all is foreseen from nothing.
        let token = |byte: usize| text.offsets.partition_point(|offsets| offsets.0 < byte).max(1);
        let said = chat.said.iter().map(|said| token(said.start)..token(said.end));
        let mut said: Vec<Range<usize>> = said.filter(|said| !said.is_empty()).collect();
        let last = said.pop()?;
        Some(Self { input_ids: text.text.to_vec(), opening: 0, given: last.start, end: last.end, said })
    }

    /// How many tokens a completion may have: something must stand before it.
    fn room(&self, max_length: usize) -> usize {
        max_length - self.opening.clamp(1, max_length - 1)
    }

    /// Some tokens in a row as they are read at once, of which those from `first` on were in no window before.
    fn window(&self, range: Range<usize>, first: usize) -> Window {
        let is_foreseen =
            |token: &usize| (self.given..self.end).contains(token) || self.said.iter().any(|said| said.contains(token));
        let foreseen = (first.max(range.start + 1)..range.end).filter(is_foreseen);
        Window { foreseen: foreseen.map(|token| token - range.start).collect(), input_ids: self.input_ids[range].to_vec() }
    }

    /// The sequence in windows that share `stride` tokens, at least one; every token is foreseen in the first window that has it.
    fn divided(&self, max_length: usize, stride: usize) -> Vec<Window> {
        let whole = self.input_ids.len();
        let mut end = whole.min(max_length);
        let mut windows = vec![self.window(0..end, 0)];
        while end < whole {
            let (start, first) = (end - stride.clamp(1, max_length - 1), end);
            end = whole.min(start + max_length);
            windows.push(self.window(start..end, first));
        }
        windows
    }

    /// All of it at once, after so many tokens were cut off.
    fn at_once(&self, whole: usize) -> (Vec<Window>, usize) {
        (vec![self.window(0..self.input_ids.len(), 0)], whole - self.input_ids.len())
    }

    /// The beginning of the sequence, and how many tokens are cut off.
    fn cut(mut self, max_length: usize) -> (Vec<Window>, usize) {
        let whole = self.input_ids.len();
        self.input_ids.truncate(max_length);
        self.at_once(whole)
    }

    /// The sequence with as much of its prompt as leaves room for the completion, and how many tokens are cut off.
    fn fitted(mut self, max_length: usize) -> (Vec<Window>, usize) {
        let whole = self.input_ids.len();
        if whole > max_length {
            // What stands behind the completion has no use.
            self.end = self.end.min(self.given + self.room(max_length));
            self.input_ids.truncate(self.end);
            let too_many = self.input_ids.len().saturating_sub(max_length);
            // What the tokenizer puts before a text stays there.
            let from = self.opening.min(self.given - too_many);
            self.input_ids.drain(from..from + too_many);
            (self.given, self.end) = (self.given - too_many, self.end - too_many);
            let moved = |token: usize| token.saturating_sub(too_many);
            self.said.iter_mut().for_each(|said| *said = moved(said.start)..moved(said.end));
        }
        self.at_once(whole)
    }
}

impl Window {
    fn features(self) -> Features {
        let tokens = self.foreseen.iter().map(|token| token - 1).collect();
        Features {
            token_type_ids: vec![0; self.input_ids.len()],
            input_ids: self.input_ids,
            truncated_tokens: 0,
            wanted: Some(Wanted { tokens, words: Vec::new() }),
            word_ids: None,
            passages: None,
            source: None,
        }
    }
}
