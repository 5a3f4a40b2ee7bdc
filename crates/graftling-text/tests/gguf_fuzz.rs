//! Thousands of damaged vocabularies, as the metadata of a GGUF file may hand them on: each gives a typed error or a tokenizer that takes texts apart,
//! with no panic and no more memory than its size is good for. Texts are valid UTF-8 by then, for the container refuses any other.

use std::path::Path;
use std::sync::Mutex;

use graftling_text::{EncodeOptions, GgufVocabulary, TextError, TextInput, Tokenizer};
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;
/// The memory of all threads is counted, so that tests go one after the other.
static ALONE: Mutex<()> = Mutex::new(());

const CASES: usize = 20_000;
/// What is taken whatever the vocabulary: patterns that are compiled, and what the tokenizer library keeps words in that it has met.
const ANY_BYTES: usize = 2 << 20;
/// What is taken by a byte of a vocabulary: its tokens under their ids and ids under their tokens, in several tables; up to sixteen merges a token,
/// with their parts.
const BYTES_A_BYTE: usize = 160;

/// SplitMix64 (Steele, Lea and Flood, 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    fn one_of<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())]
    }

    /// A number as a damaged file may have it.
    fn number(&mut self, near: usize) -> u64 {
        match self.below(8) {
            0 => 0,
            1 => near as u64,
            2 => near as u64 + 1,
            3 => u64::from(u32::MAX),
            4 => u64::MAX,
            5 => 1 << self.below(64),
            6 => self.next(),
            _ => self.below(near + 4) as u64,
        }
    }

    /// A text that may stand in a vocabulary, or hardly.
    fn text(&mut self) -> String {
        const WORDS: [&str; 22] = [
            "",
            " ",
            "\0",
            "a",
            "ab",
            "▁",
            "▁▁",
            "<0x41>",
            "<0xZZ>",
            "<0x>",
            "é",
            "e\u{301}",
            "😀",
            "<s>",
            "a b",
            "[PAD3]",
            "[PAD99]",
            "Ġ",
            "\u{FFFD}",
            "\u{FEFF}",
            "{{ messages }}",
            "$A",
        ];
        match self.below(6) {
            0 => {
                let bytes: Vec<u8> = (0..self.below(12)).map(|_| self.next() as u8).collect();
                String::from_utf8_lossy(&bytes).into_owned()
            }
            1 => (0..self.below(6)).filter_map(|_| char::from_u32(self.next() as u32 & 0x1F_FFFF)).collect(),
            2 => self.one_of(&WORDS).repeat(self.below(40)),
            _ => self.one_of(&WORDS).to_owned(),
        }
    }
}

fn texts(all: &[&str]) -> Vec<String> {
    all.iter().map(|text| (*text).to_owned()).collect()
}

fn byte_pairs() -> GgufVocabulary {
    GgufVocabulary {
        model: Some("gpt2".to_owned()),
        pre: Some("gpt-2".to_owned()),
        model_type: "gpt2".to_owned(),
        tokens: texts(&["a", "b", "ab", "Ġ", "Ġa", "Ġab", "Ã", "©", "Ã©", "1", "<s>", "</s>", "<tool>", "[PAD13]"]),
        token_types: vec![1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 3, 3, 4, 5],
        merges: texts(&["a b", "Ġ a", "Ġ ab", "Ã ©"]),
        bos_token_id: Some(10),
        eos_token_id: Some(11),
        chat_template: Some("{{ messages[0]['content'] }}".to_owned()),
        named_chat_templates: vec![("tool".to_owned(), "{{ messages }}".to_owned())],
        model_max_length: Some(16),
        ..GgufVocabulary::default()
    }
}

fn pieces() -> GgufVocabulary {
    GgufVocabulary {
        model: Some("llama".to_owned()),
        pre: Some("default".to_owned()),
        model_type: "llama".to_owned(),
        tokens: texts(&["<unk>", "<s>", "</s>", "<0x41>", "<0xC3>", "a", "b", "▁", "▁a", "ab", "▁ab", "▁▁", "[PAD12]"]),
        token_types: vec![2, 3, 3, 6, 6, 1, 1, 1, 1, 1, 1, 4, 5],
        scores: vec![0.0, 0.0, 0.0, 0.0, 0.0, -5.0, -6.0, -7.0, -2.0, -1.0, -3.0, -4.0, 0.0],
        merges: Vec::new(),
        bos_token_id: Some(1),
        eos_token_id: Some(2),
        unknown_token_id: Some(0),
        add_bos_token: Some(true),
        add_space_prefix: Some(true),
        ..byte_pairs()
    }
}

/// Damages a vocabulary in one way.
fn damage(vocabulary: &mut GgufVocabulary, random: &mut Random) {
    const PRE: [Option<&str>; 6] = [None, Some("default"), Some("gpt-2"), Some("smollm"), Some("qwen2"), Some("deepseek")];
    const MODELS: [Option<&str>; 5] = [None, Some("gpt2"), Some("llama"), Some("t5"), Some("")];
    const SCORES: [f32; 8] = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN, -0.0, 1e-45, 7.0];
    let count = vocabulary.tokens.len();
    let owned = |text: Option<&str>| text.map(str::to_owned);
    let id = |random: &mut Random| Some(random.number(count)).filter(|id| id % 7 != 6);
    match random.below(24) {
        0 | 1 if count > 0 => vocabulary.tokens[random.below(count)] = random.text(),
        2 => vocabulary.tokens.push(random.text()),
        3 if count > 0 => drop(vocabulary.tokens.remove(random.below(count))),
        4 if count > 0 => vocabulary.tokens.swap(random.below(count), count - 1),
        5 => vocabulary.tokens.extend((0..random.below(300)).map(|number| format!("t{number}"))),
        6 if count > 0 => {
            // As long as a token may be, or longer.
            let length = random.below(5000);
            vocabulary.tokens[random.below(count)] = random.one_of(&["a", "▁", "ab", "é"]).repeat(length);
        }
        // Pieces of which each is the beginning and the end of all longer ones.
        7 => vocabulary.tokens.extend((2..random.below(120)).map(|length| "b".repeat(length))),
        8 => vocabulary.token_types.resize(random.below(2 * count + 2), random.below(8) as i64),
        9 => vocabulary.token_types.resize(random.below(100_000), 1),
        10 if count > 0 => {
            vocabulary.token_types.resize(count, 1);
            vocabulary.token_types[random.below(count)] = random.number(6) as i64;
        }
        11 => vocabulary.scores.resize(random.below(2 * count + 2), random.one_of(&SCORES)),
        12 => vocabulary.scores.resize(random.below(100_000), 0.0),
        13 if count > 0 => {
            vocabulary.scores.resize(count, -1.0);
            vocabulary.scores[random.below(count)] = random.one_of(&SCORES);
        }
        14 => vocabulary.merges.push(random.text()),
        15 => vocabulary.merges.push(format!("{} {}", random.text(), random.text())),
        16 => vocabulary.merges = vec!["a b".to_owned(); random.below(3000)],
        17 => vocabulary.bos_token_id = id(random),
        18 => vocabulary.eos_token_id = id(random),
        19 => (vocabulary.unknown_token_id, vocabulary.padding_token_id) = (id(random), id(random)),
        20 => {
            let mut switch = || random.one_of(&[None, Some(false), Some(true)]);
            (vocabulary.add_bos_token, vocabulary.add_eos_token) = (switch(), switch());
            (vocabulary.add_space_prefix, vocabulary.remove_extra_whitespaces) = (switch(), switch().filter(|on| !on));
        }
        21 => {
            vocabulary.model = owned(random.one_of(&MODELS));
            vocabulary.model_type = random.one_of(&["llama", "gpt2", "qwen2", "qwen3", ""]).to_owned();
        }
        22 => vocabulary.pre = owned(random.one_of(&PRE)),
        _ => {
            vocabulary.chat_template = Some(random.text());
            vocabulary.named_chat_templates.push((random.text(), random.text()));
            vocabulary.model_max_length = random.one_of(&[None, Some(16), Some(0), Some(usize::MAX)]);
        }
    }
}

/// Makes the parts of a vocabulary equally long again: most damage would show in nothing else.
fn fit(vocabulary: &mut GgufVocabulary) {
    let count = vocabulary.tokens.len();
    vocabulary.token_types.resize(count, 1);
    vocabulary.scores.resize(if vocabulary.scores.is_empty() { 0 } else { count }, -8.0);
}

/// About how many bytes a vocabulary has in its file.
fn size(vocabulary: &GgufVocabulary) -> usize {
    let GgufVocabulary { tokens, merges, scores, token_types, chat_template, named_chat_templates, .. } = vocabulary;
    let templates = chat_template.iter().chain(named_chat_templates.iter().flat_map(|(name, template)| [name, template]));
    let texts: usize = tokens.iter().chain(merges).chain(templates).map(|text| 8 + text.len()).sum();
    texts + 4 * (scores.len() + token_types.len())
}

/// The tokenizer of a vocabulary, as it is after it has taken some texts apart and put one together.
fn used(vocabulary: &GgufVocabulary) -> Result<Tokenizer, TextError> {
    let tokenizer = Tokenizer::from_gguf(Path::new("model.gguf"), vocabulary)?;
    let inputs = [
        TextInput { text: "ab é <s> 😀 A  ab<tool>1", pair: None },
        TextInput { text: "", pair: Some("a") },
        TextInput { text: "bbbbbbbb \u{FFFD}\0", pair: None },
    ];
    let encoded = tokenizer.encode(&inputs, &EncodeOptions::truncated(16))?;
    for encoding in &encoded.encodings {
        let known = encoding.input_ids.iter().all(|id| (*id as usize) < tokenizer.vocabulary_size());
        assert!(known, "{:?} of {} tokens", encoding.input_ids, tokenizer.vocabulary_size());
        tokenizer.text_of(&encoding.input_ids, &[]);
    }
    Ok(tokenizer)
}

/// What `work` takes at most beyond what there was before.
fn peak<T>(work: impl FnOnce() -> T) -> (usize, T) {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let done = work();
    (MEMORY.peak_usage().saturating_sub(before), done)
}

#[test]
fn damaged_vocabularies_give_errors_within_the_memory_of_their_size() {
    let _alone = ALONE.lock().expect("the other test passes");
    let sound = [byte_pairs(), pieces()];
    for vocabulary in &sound {
        used(vocabulary).expect("a sound vocabulary");
    }
    let mut random = Random(20_240_623);
    let (mut refused, mut made, mut most) = (0, 0, 0);
    for case in 0..CASES {
        let mut vocabulary = sound[case % 2].clone();
        for _ in 0..=random.below(3) {
            damage(&mut vocabulary, &mut random);
        }
        if random.below(4) > 0 {
            fit(&mut vocabulary);
        }
        let (taken, outcome) = peak(|| used(&vocabulary));
        let allowed = ANY_BYTES + BYTES_A_BYTE * size(&vocabulary);
        most = most.max(taken);
        assert!(taken <= allowed, "case {case}: {taken} bytes for {}; allowed {allowed}", size(&vocabulary));
        match outcome {
            Err(_) => refused += 1,
            Ok(_) => made += 1,
        }
    }
    assert!(refused > CASES / 5 && made > CASES / 5, "{refused} refused, {made} made, {most} bytes at most");
}

/// Such pieces could be merged in as many ways as the square of their number, each with a copy of its parts.
#[test]
fn pieces_that_are_parts_of_each_other_take_no_more_than_their_size() {
    let _alone = ALONE.lock().expect("the other test passes");
    for (longest, accepted) in [(60, true), (800, false), (3000, false)] {
        let mut vocabulary = pieces();
        vocabulary.tokens.extend((2..longest).map(|length| "b".repeat(length)));
        fit(&mut vocabulary);
        let (taken, outcome) = peak(|| used(&vocabulary));
        let allowed = ANY_BYTES + BYTES_A_BYTE * size(&vocabulary);
        assert!(taken <= allowed, "{longest}: {taken} bytes for {}; allowed {allowed}", size(&vocabulary));
        let told = outcome.err().map(|error| error.to_string());
        let told = told.as_deref().unwrap_or_default();
        assert!(accepted == told.is_empty(), "{longest}: {told}");
        assert!(accepted || told.contains("accepted: up to 16 a piece on the average"), "{longest}: {told}");
    }
}
