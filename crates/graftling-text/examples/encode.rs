//! Encodes texts, a JSON string in each line of standard input, by the tokenizer of a folder:
//! `cargo run -p graftling-text --example encode -- FOLDER [SAVED]`. For each it prints a line of JSON: its ids as a text that is read, its
//! ids as one that is written, and the text of these. Where SAVED is named, the tokenizer is saved in that folder, too.
//!
//! `tools/reference/student_tokenizer.py` compares what it prints with sentencepiece, `translation_tokenizers.py` what it saves with
//! transformers.

use std::error::Error;
use std::io::{BufRead, stdin};
use std::path::Path;

use graftling_text::{EncodeOptions, TextInput, Tokenizer};
use serde_json::json;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("usage: encode FOLDER [SAVED] < LINES")?;
    let tokenizer = Tokenizer::from_folder(Path::new(&folder))?;
    if let Some(saved) = arguments.next() {
        tokenizer.save(Path::new(&saved))?;
    }
    let lines: Vec<String> = stdin().lock().lines().collect::<Result<_, _>>()?;
    let texts: Vec<String> = lines.iter().map(|line| serde_json::from_str(line)).collect::<Result<_, _>>()?;
    let inputs: Vec<TextInput<'_>> = texts.iter().map(|text| TextInput { text, pair: None }).collect();
    let options = EncodeOptions::truncated(usize::MAX);
    let source = tokenizer.encode(&inputs, &options)?.encodings;
    let targets = tokenizer.for_targets();
    let target = targets.encode(&inputs, &options)?.encodings;
    for (source, target) in source.iter().zip(&target) {
        let text = targets.text_of(&target.input_ids, &targets.special_ids());
        println!("{}", json!({"source": source.input_ids, "target": target.input_ids, "text": text}));
    }
    Ok(())
}
