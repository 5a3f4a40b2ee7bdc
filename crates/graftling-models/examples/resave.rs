//! Opens a fine-tuned model folder and writes it to another: `cargo run -p graftling-models --example resave -- MODEL OUTPUT`. With a third
//! word, a pooling, the encoder is written as one of sentences. What `tools/reference/families_round_trip.py` hands to transformers.

use std::error::Error;
use std::path::Path;

use graftling_models::{Head, Model, Pooling};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(model), Some(output)) = (arguments.next(), arguments.next()) else {
        return Err("usage: resave MODEL OUTPUT [POOLING]".into());
    };
    let model = match arguments.next() {
        None => Model::from_checkpoint(Path::new(&model))?,
        Some(word) => {
            let pooling = Pooling::named(&word).ok_or("POOLING is mean, cls or max")?;
            Model::from_pretrained(Path::new(&model), Head::SentenceEmbedding { pooling, normalize: false }, 0)?.0
        }
    };
    model.save(Path::new(&output))?;
    Ok(())
}
