//! A hundred thousand damaged model files of Marian: each gives a typed error or a sound model, with no panic and no more memory than its size is good
//! for. The damage knows where the numbers of a file lie, so that it comes past the first of them.

mod damaging;
mod marian_writer;

use std::io;
use std::ops::Range;
use std::path::Path;

use damaging::Random;
use graftling_models::{Conversion, Marian, MarianVocabulary, WeightDtype};
use marian_writer::tiny_student;
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const CASES: usize = 100_000;
/// What is asked for whatever the file: the buffers of values that are being converted or unpacked, and what a message takes.
const ANY_FILE_BYTES: usize = 96 << 10;
/// What is asked for by a byte of a file: records of tensors and entries, the names of weights, the header of what is written.
const BYTES_A_BYTE: usize = 16;

/// Damages a file in one way; `numbers` tells where its numbers were before.
fn damage(bytes: &mut Vec<u8>, numbers: &[Range<usize>], random: &mut Random) {
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
        // The settings stand at the end of a .bin, among other digits; a digit becomes another.
        5 | 6 => {
            let digits: Vec<usize> = (0..bytes.len()).rev().filter(|place| bytes[*place].is_ascii_digit()).take(400).collect();
            if let Some(place) = digits.get(random.below(digits.len())) {
                bytes[*place] = b'0' + random.below(10) as u8;
            }
        }
        // The values of tensors stand in the second half of a .bin.
        7 if bytes.len() > 8 => {
            let place = bytes.len() / 2 + random.below(bytes.len() / 2 - 4);
            bytes[place..place + 4].copy_from_slice(&f32::INFINITY.to_le_bytes());
        }
        _ => {
            let range = numbers[random.below(numbers.len())].clone();
            let other = numbers[random.below(numbers.len())].clone();
            if range.end > bytes.len() || other.end > bytes.len() {
                return;
            }
            let number =
                |range: &Range<usize>| bytes[range.clone()].iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte));
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
                9 => was.wrapping_add(256),
                10 => number(&other),
                11 => [0x101, 0x402, 0x404, 0x4101, 0x10001, 8][random.below(6)],
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
    /// No file of Marian.
    Container,
    /// No model.
    Conversion,
    /// Values that cannot be used.
    Contents,
    Sound,
}

/// Reads a file as an import does: the model it becomes, and its weights.
fn import(bytes: &[u8]) -> Outcome {
    let vocabulary = MarianVocabulary { eos_token_id: 0, unk_token_id: 1 };
    let Ok(marian) = Marian::parse(bytes) else { return Outcome::Container };
    let Ok(conversion) = Conversion::of_marian(Path::new("model.bin"), &marian, vocabulary) else { return Outcome::Conversion };
    match conversion.write_weights(&mut io::sink(), WeightDtype::F16) {
        Ok(()) => Outcome::Sound,
        Err(_) => Outcome::Contents,
    }
}

#[test]
fn damaged_files_give_errors_within_the_memory_of_their_size() {
    let sound = [tiny_student().quantised("Wemb").binary(), tiny_student().npz(false), tiny_student().npz(true)];
    let mut random = Random(20_241_125);
    for (form, (sound, numbers)) in sound.iter().enumerate() {
        assert!(matches!(import(sound), Outcome::Sound), "a sound file is read");
        let (mut outcomes, mut most) = ([0; 4], 0);
        let cases = CASES / 3 + 1;
        for case in 0..cases {
            let mut bytes = sound.clone();
            for _ in 0..=random.below(2) {
                damage(&mut bytes, numbers, &mut random);
            }
            let before = MEMORY.current_usage();
            MEMORY.reset_peak_usage();
            let outcome = import(&bytes);
            let taken = MEMORY.peak_usage().saturating_sub(before);
            let allowed = ANY_FILE_BYTES + BYTES_A_BYTE * bytes.len();
            assert!(taken <= allowed, "form {form}, case {case}: {taken} bytes for a file of {}; allowed {allowed}", bytes.len());
            outcomes[outcome as usize] += 1;
            most = most.max(taken);
        }
        assert!(matches!(import(sound), Outcome::Sound), "a sound file is still read");
        // The damage is of no use if it does not come past the first checks.
        assert!(outcomes.iter().all(|count| *count > cases / 200), "form {form}: {outcomes:?}, {most} bytes at most");
    }
}
