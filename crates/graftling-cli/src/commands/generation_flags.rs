//! The flags that say how a text is to be generated, under the names of transformers. Knows nothing of prompts.

use clap::Args;
use graftling::{BatchLimits, EarlyStopping, GenerationOptions, Generator};

use crate::failure::Failure;

/// How a text is to be generated.
#[derive(Args)]
pub struct GenerationFlags {
    /// The most tokens behind a prompt [default: as the model's folder says, or else 20]
    #[arg(long, value_name = "N", allow_hyphen_values = true, help_heading = "Length")]
    pub max_new_tokens: Option<usize>,
    /// No end token before so many tokens
    #[arg(long, value_name = "N", allow_hyphen_values = true, help_heading = "Length")]
    min_new_tokens: Option<usize>,
    /// End when this text is written, and give what stands before it; may be repeated
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true, help_heading = "Length")]
    stop_strings: Vec<String>,
    /// Token ids that end a text, with commas between them; none: nothing does [default: as the model's folder says]
    #[arg(long, value_name = "IDS", value_parser = ids, help_heading = "Length")]
    eos_token_id: Option<Ids>,
    /// Draw each token by its probability instead of taking the most probable one [default: as the model's folder says, or else
    /// false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", help_heading = "Sampling")]
    do_sample: Option<bool>,
    /// Divide logits by this: below 1 the probable becomes more probable [default: 1]
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true, help_heading = "Sampling")]
    temperature: Option<f64>,
    /// Draw from so many of the most probable tokens; 0: from all [default: 50]
    #[arg(long, value_name = "N", allow_hyphen_values = true, help_heading = "Sampling")]
    top_k: Option<usize>,
    /// Draw from the most probable tokens that together have this probability [default: 1]
    #[arg(long, value_name = "SHARE", allow_hyphen_values = true, help_heading = "Sampling")]
    top_p: Option<f64>,
    /// Draw from tokens with at least this share of the probability of the most probable one [default: 0]
    #[arg(long, value_name = "SHARE", allow_hyphen_values = true, help_heading = "Sampling")]
    min_p: Option<f64>,
    /// What random numbers follow from [default: 0]
    #[arg(long, value_name = "N", allow_hyphen_values = true, help_heading = "Sampling")]
    seed: Option<u64>,
    /// Continuations that are given for each prompt: draws, or the best beams [default: 1]
    #[arg(long, value_name = "N", allow_hyphen_values = true, help_heading = "Search")]
    num_return_sequences: Option<usize>,
    /// Continuations that are followed side by side [default: 1]
    #[arg(long, value_name = "N", allow_hyphen_values = true, help_heading = "Search")]
    num_beams: Option<usize>,
    /// Judge beams by their log-probability divided by their length to this power: above 0 long ones gain [default: 1]
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true, help_heading = "Search")]
    length_penalty: Option<f64>,
    /// End a search with beams as soon as enough are finished (true), when none can become better (never), or by a heuristic
    /// (false) [default: false]
    #[arg(long, value_name = "WORD", value_parser = early_stopping, help_heading = "Search")]
    early_stopping: Option<EarlyStopping>,
    /// Above 1: make tokens that occur in prompt or continuation less probable [default: 1]
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true, help_heading = "Which tokens may come")]
    repetition_penalty: Option<f64>,
    /// Write no sequence of so many tokens twice, prompt included; 0: any may [default: 0]
    #[arg(long, value_name = "N", allow_hyphen_values = true, help_heading = "Which tokens may come")]
    no_repeat_ngram_size: Option<usize>,
    /// Above 1: make tokens that occur in the prompt more probable [default: 1]
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true, help_heading = "Which tokens may come")]
    encoder_repetition_penalty: Option<f64>,
    /// Take no sequence of so many tokens over from the prompt; 0: any may be taken [default: 0]
    #[arg(long, value_name = "N", allow_hyphen_values = true, help_heading = "Which tokens may come")]
    encoder_no_repeat_ngram_size: Option<usize>,
    /// Token ids that are never written, with commas between them
    #[arg(long, value_name = "IDS", value_parser = ids, help_heading = "Which tokens may come")]
    suppress_tokens: Option<Ids>,
    /// Token ids that are not written first, with commas between them
    #[arg(long, value_name = "IDS", value_parser = ids, help_heading = "Which tokens may come")]
    begin_suppress_tokens: Option<Ids>,
    /// The first token of a text that is written from another, the language to write in for instance, by its id or as the vocabulary
    /// writes it; of a causal language model the one behind a prompt of one token [default: as the model's folder says]
    #[arg(long, value_name = "TOKEN", visible_alias = "forced-bos-token", help_heading = "Which tokens may come")]
    forced_bos_token_id: Option<String>,
    /// The token that a text starts with that is written from another, in the same way [default: as the model's folder says]
    #[arg(long, value_name = "TOKEN", visible_alias = "decoder-start-token", help_heading = "Which tokens may come")]
    decoder_start_token_id: Option<String>,
    /// Token ids one of which is the last, where the most tokens are written, with commas between them
    #[arg(long, value_name = "IDS", value_parser = ids, help_heading = "Which tokens may come")]
    forced_eos_token_id: Option<Ids>,
    /// The most continuations that are worked on at once, each beam counted; what comes out does not depend on it
    #[arg(long, value_name = "N", default_value_t = BatchLimits::default().sequences, help_heading = "Batches")]
    batch_size: usize,
    /// The most tokens that these may have together, prompts included; what comes out does not depend on it
    #[arg(long, value_name = "N", default_value_t = BatchLimits::default().tokens, help_heading = "Batches")]
    batch_tokens: usize,
}

/// Token ids; a list by another name, because a list of flags would be one.
#[derive(Clone)]
struct Ids(Vec<u32>);

impl GenerationFlags {
    /// What was asked for of a model, which knows what tokens are called.
    pub fn options(&self, generator: &Generator) -> Result<GenerationOptions, Failure> {
        let list = |ids: &Option<Ids>| ids.as_ref().map(|Ids(ids)| ids.clone());
        let token =
            |option: &str, named: &Option<String>| named.as_deref().map(|named| generator.token_id(option, named)).transpose();
        Ok(GenerationOptions {
            max_new_tokens: self.max_new_tokens,
            min_new_tokens: self.min_new_tokens,
            stop_strings: (!self.stop_strings.is_empty()).then(|| self.stop_strings.clone()),
            eos_token_id: list(&self.eos_token_id),
            do_sample: self.do_sample,
            temperature: self.temperature,
            top_k: self.top_k,
            top_p: self.top_p,
            min_p: self.min_p,
            seed: self.seed,
            num_return_sequences: self.num_return_sequences,
            num_beams: self.num_beams,
            length_penalty: self.length_penalty,
            early_stopping: self.early_stopping,
            repetition_penalty: self.repetition_penalty,
            no_repeat_ngram_size: self.no_repeat_ngram_size,
            suppress_tokens: list(&self.suppress_tokens),
            begin_suppress_tokens: list(&self.begin_suppress_tokens),
            encoder_repetition_penalty: self.encoder_repetition_penalty,
            encoder_no_repeat_ngram_size: self.encoder_no_repeat_ngram_size,
            decoder_start_token_id: token("decoder_start_token_id", &self.decoder_start_token_id)?,
            forced_bos_token_id: token("forced_bos_token_id", &self.forced_bos_token_id)?,
            forced_eos_token_id: list(&self.forced_eos_token_id),
            ..GenerationOptions::default()
        })
    }

    /// How much is worked on at once.
    pub fn limits(&self) -> BatchLimits {
        BatchLimits { sequences: self.batch_size, tokens: self.batch_tokens }
    }
}

fn ids(text: &str) -> Result<Ids, String> {
    let id = |id: &str| id.trim().parse().map_err(|_| "accepted are none and token ids with commas between them".to_owned());
    if text == "none" { Ok(Ids(Vec::new())) } else { Ok(Ids(text.split(',').map(id).collect::<Result<_, String>>()?)) }
}

fn early_stopping(word: &str) -> Result<EarlyStopping, String> {
    EarlyStopping::from_word(word).ok_or_else(|| "accepted are true, false and never".to_owned())
}
