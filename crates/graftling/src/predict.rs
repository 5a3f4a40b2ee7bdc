//! What a fine-tuned model says about texts. Knows nothing of files of examples, flags or HTTP.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use graftling_text::{TextInput, TokenExample, Tokenizer};
use serde::{Serialize, Serializer};

use crate::decisions::Decisions;
use crate::features::{Tokenized, tokenize, tokenize_questions, tokenize_words};
use crate::inference::each_batch;
use crate::loaded::{self, INFERENCE_TOKENS, Loaded};
use crate::recipe::Task;
use crate::tasks::{Answer, Objective, Spoken};
use crate::{Error, NoAnswer};

/// A fine-tuned model that is ready for texts.
///
/// ```no_run
/// use std::path::Path;
///
/// use graftling::{Predictor, TextInput};
///
/// let predictor = Predictor::load(Path::new("run"))?;
/// let predictions = predictor.predict(&[TextInput { text: "A wonderful film.", pair: None }])?;
/// println!("{}", predictions[0].said);
/// # Ok::<(), graftling::Error>(())
/// ```
pub struct Predictor {
    loaded: Loaded,
}

/// What the model says about one text.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Prediction {
    /// What it says.
    #[serde(flatten)]
    pub said: Said,
    /// How many tokens the model read, special ones included; in a text that is read in windows, those of all windows.
    pub tokens: usize,
    /// How many tokens were cut off because the text is too long.
    pub truncated_tokens: usize,
}

/// What a model says about a text, by the kind of its task.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Said {
    /// One label.
    Label {
        /// The most probable label.
        label: String,
        /// Its probability.
        probability: f32,
        /// Every label with its probability, in the order of the model.
        #[serde(serialize_with = "as_map")]
        probabilities: Vec<(String, f32)>,
    },
    /// Any number of labels.
    Labels {
        /// The labels that hold, in the order of the model.
        labels: Vec<String>,
        /// Every label with its probability, in the order of the model.
        #[serde(serialize_with = "as_map")]
        probabilities: Vec<(String, f32)>,
    },
    /// Numbers.
    Numbers {
        /// As many as the model was trained for.
        numbers: Vec<f32>,
    },
    /// The entities of a text, in their order.
    Entities {
        /// The entities.
        entities: Vec<Entity>,
    },
    /// Guesses for each masked word, in their order.
    Masks {
        /// The guesses for each, the most probable first.
        masks: Vec<Vec<Guess>>,
    },
    /// The passage that answers a question.
    Answer {
        /// The passage, as it stands in the context; empty where there is no answer.
        answer: String,
        /// Its first character in the context and the one after its last, counted in Unicode characters; none where there is no answer.
        characters: Option<(usize, usize)>,
        /// Its probability among the answers that were looked at.
        probability: f32,
        /// By how much the score of no answer exceeds that of the best passage, where the model may say that there is none.
        #[serde(skip_serializing_if = "Option::is_none")]
        null_score_diff: Option<f32>,
    },
    /// A tag for each word.
    Tags {
        /// The words and their tags.
        tags: Vec<TaggedWord>,
    },
}

/// An entity that was found in a text.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entity {
    /// Its type.
    pub label: String,
    /// Its words, as they stand in the text.
    pub text: String,
    /// Its first character and the one after its last, counted in Unicode characters; none where there is no text but words alone.
    pub characters: Option<(usize, usize)>,
    /// Its first word and the one after its last.
    pub words: (usize, usize),
    /// The mean probability of the tags of its words.
    pub probability: f32,
}

/// What may stand in the place of a mask.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Guess {
    /// The text of the token.
    pub token: String,
    /// Its probability.
    pub probability: f32,
}

/// A word with its tag.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TaggedWord {
    /// The word.
    pub word: String,
    /// Its most probable tag.
    pub tag: String,
    /// The probability of the tag; none where the word was cut off.
    pub probability: Option<f32>,
}

/// In a few words: `positive (0.998)`.
impl fmt::Display for Said {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Label { label, probability, .. } => write!(formatter, "{label} ({probability:.3})"),
            Self::Labels { labels, .. } if labels.is_empty() => formatter.write_str("none"),
            Self::Labels { labels, .. } => formatter.write_str(&labels.join(", ")),
            Self::Numbers { numbers } => {
                let written: Vec<String> = numbers.iter().map(|number| format!("{number:.4}")).collect();
                formatter.write_str(&written.join(", "))
            }
            Self::Entities { entities } if entities.is_empty() => formatter.write_str("none"),
            Self::Entities { entities } => {
                let written: Vec<String> = entities.iter().map(|entity| format!("[{} {}]", entity.label, entity.text)).collect();
                formatter.write_str(&written.join(" "))
            }
            Self::Masks { masks } => {
                let written: Vec<String> = masks
                    .iter()
                    .map(|guesses| {
                        let each = guesses.iter().map(|guess| format!("{} ({:.3})", guess.token, guess.probability));
                        each.collect::<Vec<_>>().join(", ")
                    })
                    .collect();
                formatter.write_str(&written.join("; "))
            }
            Self::Answer { answer, probability, .. } if answer.is_empty() => write!(formatter, "no answer ({probability:.3})"),
            Self::Answer { answer, probability, .. } => write!(formatter, "{answer} ({probability:.3})"),
            Self::Tags { tags } => {
                let written: Vec<String> = tags.iter().map(|word| format!("{}/{}", word.word, word.tag)).collect();
                formatter.write_str(&written.join(" "))
            }
        }
    }
}

impl Prediction {
    pub(crate) fn of(
        objective: &dyn Objective,
        tokenizer: &Tokenizer,
        answers: &[Answer],
        tokenized: &Tokenized,
        sentences: Option<&[TokenExample]>,
    ) -> Vec<Self> {
        let token_text = |token| tokenizer.token_text(token).unwrap_or_default();
        let predictions = answers.iter().enumerate().map(|(text, answer)| Self {
            said: objective.say(
                answer,
                &Spoken {
                    seen: &tokenized.words_seen(text),
                    words: sentences.map(|sentences| &sentences[text]),
                    token_text: &token_text,
                },
            ),
            tokens: tokenized.length(text),
            truncated_tokens: tokenized.windows(text).iter().map(|window| window.truncated_tokens).sum(),
        });
        predictions.collect()
    }
}

/// Pairs as one object, in their order.
fn as_map<S: Serializer>(pairs: &[(String, f32)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(name, value)| (name, value)))
}

impl Predictor {
    /// Opens a run folder, or any folder with a fine-tuned model and its tokenizer.
    pub fn load(folder: &Path) -> Result<Self, Error> {
        Ok(Self { loaded: loaded::load(folder)? })
    }

    /// The same model with another rule for when there is no answer to a question; refused where it answers none.
    pub fn with_no_answer(self, no_answer: NoAnswer) -> Result<Self, Error> {
        Ok(Self { loaded: self.loaded.with_no_answer(Some(no_answer))? })
    }

    /// The labels, in the order of the model.
    pub fn labels(&self) -> &[String] {
        self.loaded.objective.labels()
    }

    /// What was fitted or given to decide by, where something was.
    pub fn decisions(&self) -> Option<&Decisions> {
        self.loaded.objective.decisions().filter(|decisions| !decisions.is_plain())
    }

    /// The most tokens of a text that are read at once.
    pub fn max_length(&self) -> usize {
        self.loaded.reading.max_length
    }

    /// One prediction for each text, in their order. A text's prediction does not depend on the texts beside it. A question is a text, and
    /// its context the second text.
    pub fn predict(&self, inputs: &[TextInput<'_>]) -> Result<Vec<Prediction>, Error> {
        let Loaded { model, tokenizer, task, objective, reading } = &self.loaded;
        let sentences: Option<Vec<TokenExample>> = match task {
            Task::TokenClassification => {
                if let Some(index) = inputs.iter().position(|input| input.pair.is_some()) {
                    return Err(Error::PairOfWords { index: index + 1 });
                }
                Some(inputs.iter().map(|input| TokenExample::from_text(input.text, 1)).collect())
            }
            _ => None,
        };
        let mut tokenized = match &sentences {
            Some(sentences) => tokenize_words(tokenizer, sentences, reading)?,
            None if *task == Task::QuestionAnswering => tokenize_questions(tokenizer, &questions(inputs)?, reading)?,
            None => tokenize(tokenizer, inputs, reading)?,
        };
        objective.ask(inputs, &mut tokenized)?;
        let mut answers: Vec<Option<Answer>> = vec![None; tokenized.texts.len()];
        each_batch(model, &tokenized, reading, INFERENCE_TOKENS, |batch| {
            batch.each(|place, logits| answers[place] = Some(objective.answer(logits, batch.columns(), batch.windows(place))));
        });
        let answers: Vec<Answer> = answers.into_iter().flatten().collect();
        Ok(Prediction::of(objective.as_ref(), tokenizer, &answers, &tokenized, sentences.as_deref()))
    }
}

/// Questions with their contexts.
fn questions<'a>(inputs: &[TextInput<'a>]) -> Result<Vec<(&'a str, Arc<str>)>, Error> {
    let question = |(place, input): (usize, &TextInput<'a>)| match input.pair {
        Some(context) => Ok((input.text, Arc::from(context))),
        None => Err(Error::QuestionWithoutContext { index: place + 1, text: input.text.chars().take(40).collect() }),
    };
    inputs.iter().enumerate().map(question).collect()
}
