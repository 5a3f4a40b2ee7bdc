//! The text of a continuation while it grows: what of it is certain, and whether it holds a text that it is to stop at. Knows no scores.

use std::ops::Range;

use graftling_text::Tokenizer;

/// How many tokens of a prompt are looked at for how the next ones are written: a space at the start of a token is not always one.
const CONTEXT: usize = 8;
/// A tokenizer that cleans texts up takes a space away if one of certain three signs follow (`clean_up_tokenization` of transformers).
const CLEANED: usize = 4;
/// What stands for bytes that are no character, or not yet.
const REPLACEMENT: char = '\u{FFFD}';

/// What all continuations of a call have in common.
pub(super) struct Spelling<'t> {
    pub tokenizer: &'t Tokenizer,
    /// Tokens that are no part of a text, sorted.
    pub special_ids: Vec<u32>,
    pub stop_strings: Vec<String>,
    pub standing: Standing,
}

/// Where texts stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Behind prompts, whose last tokens say how the next ones are written.
    BehindPrompts,
    /// By themselves: they are what all of their tokens but the special ones give together, which no text to stop at can hold.
    Alone,
}

/// A continuation as text.
#[derive(Clone, Debug)]
pub(super) struct TextStream {
    /// The last tokens: those from `written` on are in `pending` alone. Of a text by itself all tokens but the special ones.
    ids: Vec<u32>,
    written: usize,
    /// How long the text of the tokens before `written` is by itself.
    context_bytes: usize,
    /// The end of the prompt, then all that is certain of the continuation, special tokens included.
    text: String,
    prompt_bytes: usize,
    /// What the last tokens look like, which may be half a character.
    pending: String,
    /// Where special tokens stand in `text`.
    special: Vec<Range<usize>>,
    /// Where the continuation ends because of a text that it was to stop at.
    stop: Option<usize>,
    /// How much of `text` was handed on.
    told: usize,
}

impl TextStream {
    /// Nothing behind a prompt yet.
    pub fn new(spelling: &Spelling<'_>, prompt: &[u32]) -> Self {
        // A text to stop at may begin in the prompt: each of its characters may be a token of its own.
        let longest = spelling.stop_strings.iter().map(String::len).max().unwrap_or(0);
        let text = spelling.text(&prompt[prompt.len().saturating_sub(longest.max(CONTEXT))..]);
        let ids = prompt[prompt.len().saturating_sub(CONTEXT)..].to_vec();
        let (prompt_bytes, written) = (text.len(), ids.len());
        let context_bytes = spelling.text(&ids).len();
        let (pending, special) = (String::new(), Vec::new());
        Self { ids, written, context_bytes, text, prompt_bytes, pending, special, stop: None, told: prompt_bytes }
    }

    /// Takes one token more; says whether the continuation now holds a text that it was to stop at.
    pub fn push(&mut self, spelling: &Spelling<'_>, id: u32) -> bool {
        let known = self.text.len();
        match spelling.standing {
            Standing::BehindPrompts => self.go_on(spelling, id),
            Standing::Alone => self.write_anew(spelling, &[id]),
        }
        self.stop = self.stop_behind(spelling, known);
        self.stop.is_some()
    }

    /// Takes all tokens of a text that is complete.
    pub fn push_all(&mut self, spelling: &Spelling<'_>, ids: &[u32]) {
        if spelling.standing == Standing::Alone && spelling.stop_strings.is_empty() {
            self.write_anew(spelling, ids);
        } else {
            ids.iter().for_each(|id| {
                self.push(spelling, *id);
            });
        }
    }

    /// Writes all tokens together: what a token adds may depend on those before it, and change how they are written.
    fn write_anew(&mut self, spelling: &Spelling<'_>, ids: &[u32]) {
        let shown = self.ids.len();
        self.ids.extend(ids.iter().filter(|id| spelling.special_ids.binary_search(id).is_err()));
        let Some(last) = self.ids.last().filter(|_| self.ids.len() > shown) else { return };
        let mut whole = spelling.text(&self.ids);
        // A byte for itself may be part of a character, or make those before it none.
        let is_certain = !whole.ends_with(REPLACEMENT) && !spelling.tokenizer.is_byte(*last);
        let common = whole.char_indices().zip(self.text.chars()).take_while(|((_, sign), other)| sign == other);
        let known = common.last().map_or(0, |((place, sign), _)| place + sign.len_utf8());
        self.pending = if is_certain { String::new() } else { whole.split_off(known) };
        self.text = whole;
    }

    fn go_on(&mut self, spelling: &Spelling<'_>, id: u32) {
        if spelling.special_ids.binary_search(&id).is_ok() {
            self.text += &std::mem::take(&mut self.pending);
            let start = self.text.len();
            self.text += &spelling.tokenizer.token(id).unwrap_or_default();
            self.special.push(start..self.text.len());
            self.ids = vec![id];
            self.keep_as_context(spelling);
        } else {
            self.ids.push(id);
            let whole = spelling.text(&self.ids);
            self.pending = whole.get(self.context_bytes..).unwrap_or_default().to_owned();
            // A byte for itself may be part of a character, or make those before it none.
            let is_certain = !self.pending.ends_with(REPLACEMENT) && !spelling.tokenizer.is_byte(id);
            if is_certain && !self.pending.is_empty() {
                self.text += &std::mem::take(&mut self.pending);
                self.ids.drain(..self.written);
                self.keep_as_context(spelling);
            }
        }
    }

    /// All tokens so far are written.
    fn keep_as_context(&mut self, spelling: &Spelling<'_>) {
        self.written = self.ids.len();
        self.context_bytes = spelling.text(&self.ids).len();
    }

    /// Where the first text to stop at begins that ends behind `known`.
    fn stop_behind(&self, spelling: &Spelling<'_>, known: usize) -> Option<usize> {
        let all = [self.text.as_str(), self.pending.as_str()].concat();
        let first_of = |stop: &String| {
            let earliest = (known + 1).saturating_sub(stop.len() + spelling.changing());
            let from = (0..=earliest).rev().find(|place| all.is_char_boundary(*place)).unwrap_or(0);
            let mut places = all[from..].match_indices(stop.as_str()).map(|(place, _)| from + place);
            places.find(|place| place + stop.len() > self.prompt_bytes)
        };
        spelling.stop_strings.iter().filter_map(first_of).min()
    }

    /// What has become certain since the last call: no half of a character, and no beginning of a text to stop at.
    pub fn news(&mut self, spelling: &Spelling<'_>) -> String {
        let certain = match self.stop {
            Some(stop) => stop.min(self.text.len()),
            None => self.text.len() - spelling.beginning_at_the_end(&self.text).max(spelling.space_at_the_end(&self.text)),
        };
        self.tell(certain)
    }

    /// The rest, now that nothing follows.
    pub fn rest(&mut self) -> String {
        self.text += &std::mem::take(&mut self.pending);
        self.tell(self.end())
    }

    /// All of the continuation, once its rest was told.
    pub fn whole(&self) -> String {
        self.without_special(self.prompt_bytes..self.end())
    }

    fn end(&self) -> usize {
        self.stop.unwrap_or(self.text.len()).max(self.prompt_bytes)
    }

    fn tell(&mut self, end: usize) -> String {
        let news = self.without_special(self.told..end.max(self.told));
        self.told = self.told.max(end);
        news
    }

    fn without_special(&self, range: Range<usize>) -> String {
        let mut text = String::new();
        let mut from = range.start;
        for special in &self.special {
            text += &self.text[from..special.start.clamp(from, range.end.max(from))];
            from = special.end.max(from);
        }
        text += &self.text[from.min(range.end)..range.end];
        text
    }
}

impl Spelling<'_> {
    /// The text of tokens, special ones written as the vocabulary writes them.
    fn text(&self, ids: &[u32]) -> String {
        self.tokenizer.text_of(ids, &[])
    }

    /// How far what is written may change what was there before.
    fn changing(&self) -> usize {
        match self.standing {
            Standing::BehindPrompts => 0,
            Standing::Alone => CLEANED,
        }
    }

    /// How many bytes at the end of a text begin with a space that the next tokens may take away.
    fn space_at_the_end(&self, text: &str) -> usize {
        let end = &text.as_bytes()[text.len().saturating_sub(self.changing())..];
        end.iter().position(|byte| *byte == b' ').map_or(0, |place| end.len() - place)
    }

    /// How many bytes at the end of a text may be the beginning of one to stop at.
    fn beginning_at_the_end(&self, text: &str) -> usize {
        let longest_of = |stop: &String| {
            let beginnings = stop.char_indices().map(|(length, _)| length).filter(|length| *length > 0).rev();
            beginnings.into_iter().find(|length| text.ends_with(&stop[..*length])).unwrap_or(0)
        };
        self.stop_strings.iter().map(longest_of).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::{Map, Value, json};

    use super::*;
    use crate::random::{below, key};

    /// The byte-level tokenizer of the tiny models.
    fn byte_level() -> Tokenizer {
        let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../graftling-models/tests/golden");
        Tokenizer::from_folder(&models.join("tiny-llama/model")).expect("a tokenizer")
    }

    /// One in the manner of Llama 2: spaces are signs, what the vocabulary does not have is written in bytes, the first space goes.
    fn byte_fallback() -> Tokenizer {
        llama_like(json!({"type": "Fuse"}))
    }

    /// The same, which takes a space before a b away, as others do it before a full stop.
    fn cleaning() -> Tokenizer {
        llama_like(
            json!({"type": "Sequence", "decoders": [{"type": "Fuse"}, {"type": "Replace", "pattern": {"String": " b"}, "content": "b"}]}),
        )
    }

    fn llama_like(fuse: Value) -> Tokenizer {
        let mut tokens: Vec<String> = ["<unk>", "<s>", "</s>"].map(str::to_owned).to_vec();
        tokens.extend((0..256).map(|byte| format!("<0x{byte:02X}>")));
        tokens.extend(["▁", "▁a", "b", "▁bc", "好", "▁好", "c", "。"].map(str::to_owned));
        let vocabulary: Map<String, Value> = tokens.iter().enumerate().map(|(id, token)| (token.clone(), json!(id))).collect();
        let special = |id: usize| json!({"id": id, "content": tokens[id], "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true});
        let tokenizer = json!({
            "version": "1.0", "truncation": null, "padding": null, "added_tokens": [special(0), special(1), special(2)],
            "normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}, "pre_tokenizer": null, "post_processor": null,
            "decoder": {"type": "Sequence", "decoders": [
                {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, fuse,
                {"type": "Strip", "content": " ", "start": 1, "stop": 0},
            ]},
            "model": {"type": "BPE", "dropout": null, "unk_token": "<unk>", "continuing_subword_prefix": null, "end_of_word_suffix": null,
                "fuse_unk": true, "byte_fallback": true, "ignore_merges": false, "vocab": vocabulary, "merges": []},
        });
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("tokenizer.json"), tokenizer.to_string()).expect("a file");
        std::fs::write(folder.path().join("tokenizer_config.json"), "{\"tokenizer_class\": \"PreTrainedTokenizerFast\"}")
            .expect("a file");
        Tokenizer::from_folder(folder.path()).expect("a tokenizer")
    }

    fn spelling<'t>(tokenizer: &'t Tokenizer, stop_strings: &[&str]) -> Spelling<'t> {
        let stop_strings = stop_strings.iter().map(|stop| (*stop).to_owned()).collect();
        Spelling { special_ids: tokenizer.special_ids(), tokenizer, stop_strings, standing: Standing::BehindPrompts }
    }

    /// Pieces of what follows a prompt, and all of it; ends with the first text to stop at.
    fn told(spelling: &Spelling<'_>, prompt: &[u32], ids: &[u32]) -> (Vec<String>, String) {
        let mut stream = TextStream::new(spelling, prompt);
        let mut pieces = Vec::new();
        for id in ids {
            let stops = stream.push(spelling, *id);
            pieces.push(stream.news(spelling));
            if stops {
                break;
            }
        }
        pieces.push(stream.rest());
        let whole = stream.whole();
        assert_eq!(pieces.concat(), whole, "{pieces:?}");
        (pieces, whole)
    }

    #[test]
    fn the_pieces_of_any_tokens_give_the_text_of_all_of_them() {
        for tokenizer in [byte_level(), byte_fallback()] {
            let spelling = spelling(&tokenizer, &[]);
            let special = tokenizer.special_ids();
            let others: Vec<u32> = (0..tokenizer.vocabulary_size() as u32).filter(|id| !special.contains(id)).collect();
            // The bytes of characters of two to four bytes, among which whole ones come about by chance.
            let bytes: Vec<u32> =
                others.iter().copied().filter(|id| tokenizer.token_text(*id).is_some_and(|text| text == "\u{FFFD}")).collect();
            let prompt: Vec<u32> =
                others.iter().copied().filter(|id| tokenizer.token(*id).is_some_and(|name| name == "c")).collect();
            for number in 0..400 {
                let key = key(5, &[number]);
                let from = if number % 2 == 0 { &others } else { &bytes };
                let ids: Vec<u32> = (0..20).map(|place| from[below(key, place, from.len())]).collect();
                let all = tokenizer.text_of(&[prompt.as_slice(), &ids].concat(), &[]);
                let expected = all.strip_prefix(&tokenizer.text_of(&prompt, &[])).expect("the prompt comes first");
                assert_eq!(told(&spelling, &prompt, &ids).1, expected, "{ids:?}");
            }
        }
    }

    #[test]
    fn a_character_is_told_when_it_is_whole() {
        for tokenizer in [byte_level(), byte_fallback()] {
            let spelling = spelling(&tokenizer, &[]);
            let ids = bytes_of(&tokenizer, "é好c");
            let (pieces, _) = told(&spelling, &bytes_of(&tokenizer, "c"), &ids);
            assert!(pieces.iter().all(|piece| !piece.contains(REPLACEMENT)), "{pieces:?}");
            assert_eq!(pieces.concat(), "é好c");
        }
    }

    #[test]
    fn a_text_to_stop_at_is_found_across_tokens_and_no_part_of_it_is_told() {
        for tokenizer in [byte_level(), byte_fallback()] {
            for (prompt, written, stops, expected) in [
                ("c", "ab好c。b", &["好c。"][..], "ab"),
                ("c", "ab好c。b", &["好c。b", "c。"], "ab好"),
                ("c", "aabaab", &["aab。", "ab"], "a"),
                ("c", "a好b", &["x"], "a好b"),
                // It may begin in the prompt, but not end there.
                ("ab", "cb", &["abc"], ""),
                ("abc", "cab", &["abc"], "cab"),
                ("cab", "好", &["ab"], "好"),
                // What looks like its beginning is told when it turns out not to be.
                ("c", "aaab", &["aab"], "a"),
                ("c", "ababb", &["ababa"], "ababb"),
            ] {
                let spelling = spelling(&tokenizer, stops);
                let (pieces, whole) = told(&spelling, &bytes_of(&tokenizer, prompt), &bytes_of(&tokenizer, written));
                assert_eq!(whole, expected, "{written:?} {stops:?} {pieces:?}");
            }
        }
    }

    #[test]
    fn special_tokens_are_no_text_but_can_be_stopped_at() {
        let tokenizer = byte_fallback();
        let ids = [bytes_of(&tokenizer, "ab"), vec![2], bytes_of(&tokenizer, "c")].concat();
        let prompt = bytes_of(&tokenizer, "c");
        assert_eq!(told(&spelling(&tokenizer, &[]), &prompt, &ids).1, "abc");
        assert_eq!(told(&spelling(&tokenizer, &["</s>"]), &prompt, &ids).1, "ab");
        assert_eq!(told(&spelling(&tokenizer, &["b</s>"]), &prompt, &ids).1, "a");
        assert_eq!(told(&spelling(&tokenizer, &["</s>c"]), &prompt, &ids).1, "ab");
    }

    #[test]
    fn a_text_by_itself_is_what_its_tokens_give_without_special_ones() {
        for tokenizer in [byte_level(), byte_fallback(), cleaning()] {
            let spelling = Spelling { standing: Standing::Alone, ..spelling(&tokenizer, &[]) };
            let names = |name: &str| {
                (0..tokenizer.vocabulary_size() as u32)
                    .filter(|id| tokenizer.token(*id).is_some_and(|token| token == name))
                    .collect()
            };
            let words: Vec<Vec<u32>> =
                ["▁a", "b", "▁好", "▁", "c", "▁bc"].map(names).into_iter().chain([bytes_of(&tokenizer, "é好")]).collect();
            let special = tokenizer.special_ids();
            for number in 0..200 {
                let key = key(7, &[number]);
                // The first token is special more often than not, as the name of a language is.
                let word = |place: u64| match below(key, 100 + place, if place == 0 { 2 } else { 5 }) {
                    0 => vec![special[below(key, 200 + place, special.len())]],
                    _ => words[below(key, place, words.len())].clone(),
                };
                let ids: Vec<u32> = (0..12).flat_map(word).collect();
                let shown: Vec<u32> = ids.iter().copied().filter(|id| !special.contains(id)).collect();
                assert_eq!(told(&spelling, &[], &ids).1, tokenizer.text_of(&shown, &[]), "{ids:?}");
            }
        }
    }

    /// Each byte of a text as a token of its own, where the vocabulary has it.
    fn bytes_of(tokenizer: &Tokenizer, text: &str) -> Vec<u32> {
        let ids = 0..tokenizer.vocabulary_size() as u32;
        let names: Vec<(u32, String)> = ids.filter_map(|id| Some((id, tokenizer.token(id)?))).collect();
        let id = |byte: u8| {
            // The one that comes first is the byte.
            let written = [format!("<0x{byte:02X}>"), byte_sign(byte).to_string()];
            names.iter().find(|(_, name)| written.contains(name)).map(|(id, _)| *id).expect("a byte")
        };
        text.bytes().map(id).collect()
    }

    /// GPT-2's `bytes_to_unicode`: bytes that are no visible character have the signs from 256 on.
    fn byte_sign(byte: u8) -> char {
        let visible = |byte: u8| matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF);
        let number = (0..byte).filter(|other| !visible(*other)).count() as u32;
        if visible(byte) { char::from(byte) } else { char::from_u32(256 + number).expect("a sign") }
    }
}
