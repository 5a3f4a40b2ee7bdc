//! Files that are cut off or have a bit flipped: a typed error or a sound model, never a panic.

mod tiny_checkpoint;

use std::fs;
use std::path::Path;

use graftling_models::{Model, ModelError, inspect};
use tiny_checkpoint::{Checkpoint, refusal_of_classifier, safetensors};

/// Loads a folder whose weight file holds these bytes, and looks at it.
fn outcome(folder: &Path, bytes: &[u8]) -> Result<Model, ModelError> {
    fs::write(folder.join("model.safetensors"), bytes).unwrap();
    let inspected = inspect(folder);
    let loaded = Model::from_checkpoint(folder);
    assert!(inspected.is_ok() || loaded.is_err(), "what cannot be looked at cannot be loaded");
    loaded
}

#[test]
fn every_prefix_of_a_weight_file_is_refused() {
    let checkpoint = Checkpoint::classifier(1, &["no", "yes"]);
    let folder = checkpoint.write();
    let file = safetensors(&checkpoint.weights);
    for end in 0..file.len() {
        let error = outcome(folder.path(), &file[..end]).err().unwrap_or_else(|| panic!("the first {end} bytes were accepted"));
        assert!(matches!(error, ModelError::Header { .. }), "the first {end} bytes: {error}");
    }
    assert!(outcome(folder.path(), &file).is_ok());
}

#[test]
fn every_changed_byte_of_a_header_is_refused_or_harmless() {
    let checkpoint = Checkpoint::classifier(1, &["no", "yes"]);
    let folder = checkpoint.write();
    let file = safetensors(&checkpoint.weights);
    let whole = outcome(folder.path(), &file).unwrap();
    let header_end = file.len() - checkpoint.weights.iter().map(|weight| weight.bytes.len()).sum::<usize>();
    let (mut refused, mut harmless) = (0, 0);
    for place in 0..header_end {
        for mask in [0x01, 0x80] {
            let mut damaged = file.clone();
            damaged[place] ^= mask;
            match outcome(folder.path(), &damaged) {
                Err(_) => refused += 1,
                Ok(model) => {
                    harmless += 1;
                    for id in whole.parameters.ids() {
                        assert_eq!(model.parameters.shape(id), whole.parameters.shape(id), "byte {place} changed by {mask:#x}");
                    }
                }
            }
        }
    }
    // Only what does not describe a weight may change unnoticed: the text of the metadata.
    assert!(harmless < 50 && refused > 4000, "{refused} refused, {harmless} harmless");
}

#[test]
fn lengths_and_offsets_that_overflow_are_refused() {
    let folder = Checkpoint::classifier(1, &["no", "yes"]).write();
    let file = |length: u64, rest: &str| [&length.to_le_bytes()[..], rest.as_bytes()].concat();
    let whole = |header: &str| file(header.len() as u64, header);
    let huge = u64::MAX >> 3;
    // Eight weights of 2^61 - 1 bytes each: their end plus the header's length does not fit in 64 bits.
    let entries: Vec<String> = (0..8)
        .map(|place| {
            format!(r#""w{place}":{{"dtype":"U8","shape":[{huge}],"data_offsets":[{},{}]}}"#, place * huge, (place + 1) * huge)
        })
        .collect();
    let cases: [(Vec<u8>, &str); 7] = [
        (Vec::new(), "cut off: 0 bytes, and a safetensors file has at least 10"),
        (file(u64::MAX, "{}"), "damaged: the header is said to be 18446744073709551615 bytes long, the format allows 100000000"),
        (file(3, "{}"), "cut off or damaged: the header is said to be 3 bytes long, the file has 10"),
        (file(2, "{}more"), "cut off or damaged: the header speaks of 0 bytes of weights, the file has 4"),
        (
            whole(&format!("{{{}}}", entries.join(","))),
            "cut off or damaged: the header speaks of 18446744073709551608 bytes of weights, the file has 0",
        ),
        (
            whole(r#"{"w":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}"#),
            "damaged: the header is not valid: overflow computing buffer size from shape and/or element type",
        ),
        (
            whole(r#"{"w":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#),
            "damaged: the header is not valid: invalid offset for tensor `w`",
        ),
    ];
    for (bytes, problem) in cases {
        fs::write(folder.path().join("model.safetensors"), bytes).unwrap();
        let told = refusal_of_classifier(folder.path());
        let told = told.strip_suffix("; fetch or copy the file again").unwrap();
        let told = told.split(" at line").next().unwrap();
        assert_eq!(told, format!("FOLDER/model.safetensors: {problem}"));
    }
}
