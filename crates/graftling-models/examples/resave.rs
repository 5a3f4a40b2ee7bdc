//! Opens a fine-tuned model folder and writes it to another: `cargo run -p graftling-models --example resave -- MODEL OUTPUT`.
//! What `tools/reference/families_round_trip.py` hands to transformers.

use std::error::Error;
use std::path::Path;

use graftling_models::Model;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(model), Some(output)) = (arguments.next(), arguments.next()) else {
        return Err("usage: resave MODEL OUTPUT".into());
    };
    Model::from_checkpoint(Path::new(&model))?.save(Path::new(&output))?;
    Ok(())
}
