//! What a fine-tuned model says about texts. Knows nothing of files of examples, flags or HTTP.

use std::path::Path;

use graftling_text::TextInput;
use serde::Serialize;

use crate::Error;
use crate::features::tokenize;
use crate::inference::{each_batch, rows};
use crate::loaded::{self, INFERENCE_TOKENS, Loaded};
use crate::tasks::Decoded;

/// A fine-tuned model that is ready for texts.
///
/// ```no_run
/// use std::path::Path;
///
/// use graftling::{Predictor, TextInput};
///
/// let predictor = Predictor::load(Path::new("run"))?;
/// let predictions = predictor.predict(&[TextInput { text: "A wonderful film.", pair: None }])?;
/// println!("{} ({:.2})", predictions[0].label, predictions[0].probability);
/// # Ok::<(), graftling::Error>(())
/// ```
pub struct Predictor {
    loaded: Loaded,
}

/// What the model says about one text.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Prediction {
    /// The most probable label.
    pub label: String,
    /// Its probability.
    pub probability: f32,
    /// Every label with its probability, in the order of the model.
    pub probabilities: Vec<(String, f32)>,
    /// How many tokens the model read, special ones included.
    pub tokens: usize,
    /// How many tokens were cut off because the text is too long.
    pub truncated_tokens: usize,
}

impl Predictor {
    /// Opens a run folder, or any folder with a fine-tuned model and its tokenizer.
    pub fn load(folder: &Path) -> Result<Self, Error> {
        Ok(Self { loaded: loaded::load(folder)? })
    }

    /// The labels, in the order of the model.
    pub fn labels(&self) -> &[String] {
        self.loaded.objective.labels()
    }

    /// The most tokens of a text that are read.
    pub fn max_length(&self) -> usize {
        self.loaded.max_length
    }

    /// One prediction for each text, in their order. A text's prediction does not depend on the texts beside it.
    pub fn predict(&self, inputs: &[TextInput<'_>]) -> Result<Vec<Prediction>, Error> {
        let Loaded { model, tokenizer, objective, max_length } = &self.loaded;
        let features = tokenize(tokenizer, inputs, *max_length)?.features;
        let mut decoded: Vec<Option<Decoded>> = vec![None; features.len()];
        each_batch(model, &features, INFERENCE_TOKENS, |places, _, logits| {
            for (place, row) in rows(places, logits, &logits.tensor().to_vec()) {
                decoded[place] = Some(objective.decode(row));
            }
        });
        let labels = objective.labels();
        let predictions = decoded.into_iter().flatten().zip(&features).map(|(decoded, features)| {
            let Decoded::Class { class, probabilities } = decoded;
            Prediction {
                label: labels[class].clone(),
                probability: probabilities[class],
                probabilities: labels.iter().cloned().zip(probabilities).collect(),
                tokens: features.input_ids.len(),
                truncated_tokens: features.truncated_tokens,
            }
        });
        Ok(predictions.collect())
    }
}
