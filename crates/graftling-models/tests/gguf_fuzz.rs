//! A hundred thousand damaged GGUF files: each gives a typed error or a sound model, with no panic and no more memory than its size is good for.
//! The damage knows where the numbers of a file lie, so that it comes past the first of them.

mod damaging;
mod gguf_writer;

use std::io;
use std::path::Path;

use damaging::Random;
use gguf_writer::{Kind, Value, Writer, tiny, tiny_llama};
use graftling_models::{Conversion, Gguf, WeightDtype};
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const CASES: usize = 100_000;
/// What is asked for whatever the file: the buffers of values that are being converted, and what a message takes.
const ANY_FILE_BYTES: usize = 48 << 10;
/// What is asked for by a byte of a file: records of keys and tensors, the names of weights, the header of what is written.
const BYTES_A_BYTE: usize = 16;

/// Models of every architecture, with tensors of every type, and in how many of a hundred cases each is damaged: the larger take longer.
fn models() -> [(Writer, usize); 9] {
    [
        (llama(), 36),
        (tiny("llama", Kind::Q4_0, Kind::Q4_1), 10),
        (tiny("qwen2", Kind::Q5_0, Kind::Q5_1), 14),
        (tiny("qwen3", Kind::Q8_0, Kind::Q4_0), 14),
        (tiny("gpt2", Kind::BF16, Kind::Q8_0), 14),
        (tiny("llama", Kind::F16, Kind::Q4_K), 3),
        (tiny("qwen2", Kind::BF16, Kind::Q5_K), 3),
        (tiny("qwen3", Kind::Q5_1, Kind::Q6_K), 3),
        (tiny("gpt2", Kind::F16, Kind::Q6_K), 3),
    ]
}

/// A model with a value of each kind that is read in its own way.
fn llama() -> Writer {
    let mut writer = tiny_llama();
    writer.set("tokenizer.ggml.scores", Value::Raw(9, [&6_u32.to_le_bytes()[..], &6_u64.to_le_bytes(), &[0; 24]].concat()));
    writer.set("general.alignment", Value::U32(32));
    writer.set("llama.rope.scaling.type", Value::Text("none".into()));
    writer.tensor("output.weight", &[4, 6], Kind::F32);
    writer.tensor("rope_freqs.weight", &[2], Kind::F32);
    writer.with_values("rope_freqs.weight", &[1.0, 1.0])
}

/// Damages a file in one way; `numbers` tells where its numbers were before.
fn damage(bytes: &mut Vec<u8>, numbers: &[std::ops::Range<usize>], random: &mut Random) {
    let place = random.below(bytes.len());
    match random.below(14) {
        0 => bytes.truncate(place),
        1 if !bytes.is_empty() => bytes[place] ^= 1 << random.below(8),
        2 if !bytes.is_empty() => bytes[place] = random.next() as u8,
        3 => {
            let length = random.below(40).min(bytes.len() - place);
            bytes.drain(place..place + length);
        }
        4 => {
            let length = random.below(40).min(bytes.len() - place);
            let copied = bytes[place..place + length].to_vec();
            let to = random.below(bytes.len());
            bytes.splice(to..to, copied);
        }
        // The values of tensors stand in the second half of the file.
        5 | 6 if bytes.len() > 8 => {
            let place = bytes.len() / 2 + random.below(bytes.len() / 2 - 4);
            bytes[place..place + 4].copy_from_slice(&f32::INFINITY.to_le_bytes());
        }
        _ => {
            let range = numbers[random.below(numbers.len())].clone();
            let other = numbers[random.below(numbers.len())].clone();
            if range.end > bytes.len() || other.end > bytes.len() {
                return;
            }
            let number = |range: &std::ops::Range<usize>| {
                bytes[range.clone()].iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
            };
            let was = number(&range);
            let becomes = match random.below(14) {
                0 => 0,
                1 => was.wrapping_add(1),
                2 => was.wrapping_sub(1),
                3 => was.wrapping_mul(2),
                4 => u64::from(u32::MAX),
                5 => u64::MAX,
                6 => 1 << random.below(64),
                7 => (1 << random.below(64)) - 1,
                8 => bytes.len() as u64,
                9 => was.wrapping_add(32),
                10 => number(&other),
                11 => random.below(42) as u64,
                12 => random.below(300) as u64,
                _ => random.next(),
            };
            let width = range.len();
            bytes[range].copy_from_slice(&becomes.to_le_bytes()[..width]);
        }
    }
}

/// How far a file came.
#[derive(Clone, Copy)]
enum Outcome {
    /// No GGUF file.
    Container,
    /// No model.
    Checkpoint,
    /// Values or a vocabulary that cannot be used.
    Contents,
    Sound,
}

/// Reads a file as an import does: the model it becomes, its weights, and what is said of its vocabulary.
fn import(bytes: &[u8]) -> Outcome {
    let Ok(gguf) = Gguf::parse(bytes) else { return Outcome::Container };
    let Ok(checkpoint) = Conversion::of_gguf(Path::new("model.gguf"), &gguf) else { return Outcome::Checkpoint };
    let sound = checkpoint.write_weights(&mut io::sink(), WeightDtype::F16).is_ok()
        && ["tokens", "merges"].iter().all(|key| gguf.texts(&format!("tokenizer.ggml.{key}")).is_ok())
        && ["model", "pre"].iter().all(|key| gguf.text(&format!("tokenizer.ggml.{key}")).is_ok())
        && ["bos", "eos"].iter().all(|key| gguf.count(&format!("tokenizer.ggml.{key}_token_id")).is_ok())
        && gguf.switch("tokenizer.ggml.add_bos_token").is_ok()
        && gguf.integers("tokenizer.ggml.token_type").is_ok()
        && gguf.numbers("tokenizer.ggml.scores").is_ok();
    if sound { Outcome::Sound } else { Outcome::Contents }
}

#[test]
fn damaged_files_give_errors_within_the_memory_of_their_size() {
    let mut random = Random(20_240_623);
    let models = models();
    assert_eq!(models.iter().map(|(_, share)| share).sum::<usize>(), 100);
    for (number, (model, share)) in models.into_iter().enumerate() {
        let (sound, numbers) = model.written();
        assert!(matches!(import(&sound), Outcome::Sound), "model {number}: a sound file is read");
        let cases = CASES * share / 100;
        let (mut outcomes, mut most) = ([0; 4], 0);
        for case in 0..cases {
            let mut bytes = sound.clone();
            for _ in 0..=random.below(2) {
                damage(&mut bytes, &numbers, &mut random);
            }
            let before = MEMORY.current_usage();
            MEMORY.reset_peak_usage();
            let outcome = import(&bytes);
            let taken = MEMORY.peak_usage().saturating_sub(before);
            let allowed = ANY_FILE_BYTES + BYTES_A_BYTE * bytes.len();
            assert!(taken <= allowed, "model {number}, case {case}: {taken} bytes for {}; allowed {allowed}", bytes.len());
            outcomes[outcome as usize] += 1;
            most = most.max(taken);
        }
        assert!(matches!(import(&sound), Outcome::Sound), "model {number}: a sound file is still read");
        // The damage is of no use if it does not come past the first checks.
        assert!(outcomes.iter().all(|count| *count > cases / 200), "model {number}: {outcomes:?}, {most} bytes at most");
    }
}
