//! The flags that say how an encoder without a head gives vectors of texts, for the commands that open a model outside a recipe.
//! Knows nothing of how vectors are made.

use clap::Args;
use graftling::{BareEncoder, Pooling};

/// How an encoder without a head gives vectors.
#[derive(Args)]
#[command(next_help_heading = "Encoders without a head")]
pub struct EncoderFlags {
    /// How the vectors of a text's tokens become one, of an encoder whose folder does not say it: mean, cls (the first token's) or max
    #[arg(long, value_name = "WORD", value_parser = pooling)]
    pooling: Option<Pooling>,
    /// Bring the vectors of such an encoder to length 1
    #[arg(long, requires = "pooling")]
    normalize: bool,
}

impl EncoderFlags {
    /// What was named.
    pub fn encoder(&self) -> Option<BareEncoder> {
        self.pooling.map(|pooling| BareEncoder { pooling, normalize: self.normalize })
    }
}

fn pooling(word: &str) -> Result<Pooling, String> {
    Pooling::named(word).ok_or_else(|| "accepted are mean, cls and max".to_owned())
}
