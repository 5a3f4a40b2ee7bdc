//! What a fine-tuned model says about texts. Knows nothing of files of examples, flags or HTTP.

use std::borrow::Cow;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use graftling_text::{Cell, Columns, Dataset, Row, Table, TextInput, TokenExample, Tokenizer, unwritten_sources};
use serde::{Serialize, Serializer};

use crate::aggregation::{Aggregated, Aggregation};
use crate::data::{Layout, source_target_columns};
use crate::decisions::Decisions;
use crate::error::LanguageError;
use crate::features::{Features, Tokenized, tokenize, tokenize_apart, tokenize_questions, tokenize_sources, tokenize_words};
use crate::generation::FinishReason;
use crate::inference::each_batch;
use crate::languages::Languages;
use crate::loaded::{self, BareEncoder, INFERENCE_TOKENS, Loaded};
use crate::reading::{LongTexts, ReadingChoices};
use crate::recipe::Task;
use crate::tasks::{Answer, Objective, Spoken};
use crate::writing::WrittenText;
use crate::{Error, NoAnswer};

/// How many values of a vector are shown to a person.
const VALUES_SHOWN: usize = 4;

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
    aggregation: Option<Aggregation>,
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
        /// The tag of each word, from which they were read; a word that was cut off has `O`.
        #[serde(skip)]
        tags: Vec<String>,
    },
    /// What was put together from the tokens of a text, in its order, where an [`Aggregation`] was asked for.
    Aggregated {
        /// Entities, or tokens by themselves.
        entities: Vec<Aggregated>,
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
    /// A vector.
    Embedding {
        /// Its values.
        embedding: Vec<f32>,
    },
    /// How alike two texts are.
    Similarity {
        /// The cosine of their vectors.
        similarity: f32,
    },
    /// How alike the first of several texts is to each of the others.
    Similarities {
        /// The cosines of their vectors.
        similarities: Vec<f32>,
    },
    /// A text that was written from another.
    Written {
        /// The text.
        prediction: String,
        /// How many tokens were written, the end token included.
        generated_tokens: usize,
        /// Why it ends.
        finish_reason: FinishReason,
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
    /// The text with the token in the place of its mask, as the tokenizer writes it (of a text that is read in windows, that window);
    /// other masks stay, and what the vocabulary does not have is written as its unknown token.
    pub sequence: String,
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
            Self::Entities { entities, .. } if entities.is_empty() => formatter.write_str("none"),
            Self::Entities { entities, .. } => {
                let written: Vec<String> = entities.iter().map(|entity| format!("[{} {}]", entity.label, entity.text)).collect();
                formatter.write_str(&written.join(" "))
            }
            Self::Aggregated { entities } if entities.is_empty() => formatter.write_str("none"),
            Self::Aggregated { entities } => {
                let written: Vec<String> = entities.iter().map(|entity| format!("[{} {}]", entity.label, entity.word)).collect();
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
            Self::Embedding { embedding } => {
                let first: Vec<String> = embedding.iter().take(VALUES_SHOWN).map(|value| format!("{value:.4}")).collect();
                let more = if embedding.len() > first.len() { ", ..." } else { "" };
                write!(formatter, "[{}{more}] ({} values)", first.join(", "), embedding.len())
            }
            Self::Similarity { similarity } => write!(formatter, "{similarity:.4}"),
            Self::Similarities { similarities } => {
                let written: Vec<String> = similarities.iter().map(|similarity| format!("{similarity:.4}")).collect();
                formatter.write_str(&written.join(", "))
            }
            Self::Written { prediction, .. } => formatter.write_str(prediction),
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
        let predictions = tokenized.examples.iter().enumerate().map(|(example, texts)| {
            let seen = tokenized.words_seen(texts.start);
            let spoken = Spoken {
                seen: &seen,
                words: sentences.map(|sentences| &sentences[example]),
                windows: tokenized.windows(texts.start),
                tokenizer: Some(tokenizer),
            };
            let said = match objective.comparison() {
                Some(comparison) => objective.say(&comparison.together(&answers[texts.clone()]), &spoken),
                None => objective.say(&answers[texts.start], &spoken),
            };
            Self::told(said, tokenized, example)
        });
        predictions.collect()
    }

    /// What is said of an example, with how much of it was read.
    fn told(said: Said, tokenized: &Tokenized, example: usize) -> Self {
        let windows = &tokenized.features[tokenized.windows_of_example(example)];
        let truncated_tokens = windows.iter().map(|window| window.truncated_tokens).sum();
        Self { said, tokens: windows.iter().map(Features::tokens).sum(), truncated_tokens }
    }
}

/// Pairs as one object, in their order.
fn as_map<S: Serializer>(pairs: &[(String, f32)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(name, value)| (name, value)))
}

impl Predictor {
    /// Opens a run folder, or any folder with a fine-tuned model and its tokenizer. A causal language model is refused: it goes on with texts.
    pub fn load(folder: &Path) -> Result<Self, Error> {
        let loaded = loaded::load(folder, None, &Languages::default())?;
        if loaded.task == Task::CausalLm {
            return Err(LanguageError::Generates { folder: folder.to_owned() }.into());
        }
        Ok(Self { loaded, aggregation: None })
    }

    /// Opens an encoder without a head, for vectors of texts. A folder that says itself how they are made is refused.
    pub fn load_encoder(folder: &Path, encoder: BareEncoder) -> Result<Self, Error> {
        Ok(Self { loaded: loaded::load(folder, Some(encoder), &Languages::default())?, aggregation: None })
    }

    /// The same, to put the tags of tokens together in this way and answer with [`Said::Aggregated`]. Without it a token classifier tags
    /// words: texts are cut by [`words_of`](graftling_text::words_of) and the first token of a word speaks, as in training.
    ///
    /// # Errors
    /// If the model is of another task, reads no windows that could be merged, or has no label that is to be ignored.
    pub fn with_aggregation(self, aggregation: Aggregation) -> Result<Self, Error> {
        aggregation.check(&self.loaded)?;
        Ok(Self { aggregation: Some(aggregation), ..self })
    }

    /// The same model, to read long texts otherwise; before [`Self::with_aggregation`], which may merge what windows say.
    ///
    /// # Errors
    /// If the model or its task does not go with the choices.
    pub fn with_reading(mut self, choices: ReadingChoices) -> Result<Self, Error> {
        self.loaded.read_by(choices)?;
        Ok(self)
    }

    /// The same model with another rule for when there is no answer to a question; refused where it answers none.
    pub fn with_no_answer(mut self, no_answer: NoAnswer) -> Result<Self, Error> {
        self.loaded.set_no_answer(no_answer)?;
        Ok(self)
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

    /// What a person should know of how the folder was understood.
    pub fn notices(&self) -> &[String] {
        &self.loaded.notices
    }

    /// Whether longer texts are read in windows; otherwise they are cut.
    pub fn reads_windows(&self) -> bool {
        self.loaded.reading.long_texts != LongTexts::Cut
    }

    /// What the model was trained to do.
    pub fn task(&self) -> Task {
        self.loaded.task
    }

    /// One prediction for each text, in their order. A text's prediction does not depend on the texts beside it. A question is a text, and
    /// its context the second text. A text from which another is written is filled into the template of the run, where there is one.
    pub fn predict(&self, inputs: &[TextInput<'_>]) -> Result<Vec<Prediction>, Error> {
        if let Some(aggregation) = &self.aggregation {
            return self.aggregated(inputs, aggregation);
        }
        if self.loaded.task == Task::TokenClassification {
            refuse_pairs(inputs, |index| Error::PairOfWords { index })?;
            let sentences: Vec<TokenExample> = inputs.iter().map(|input| TokenExample::from_text(input.text, 1)).collect();
            return self.predict_words(&sentences);
        }
        if self.loaded.task.writes() {
            return self.written(inputs);
        }
        let Loaded { tokenizer, task, objective, reading, .. } = &self.loaded;
        if objective.comparison().is_some() {
            let texts = inputs.iter().map(|input| [input.text].into_iter().chain(input.pair).collect());
            return self.predict_together(&texts.collect::<Vec<_>>());
        }
        let mut tokenized = match task {
            Task::QuestionAnswering => tokenize_questions(tokenizer, &questions(inputs)?, reading)?,
            _ => tokenize(tokenizer, inputs, reading)?,
        };
        objective.ask(inputs, &mut tokenized)?;
        Ok(self.answered(&tokenized, None))
    }

    /// The texts of a table from which others are to be written: from the column that is named, or else as the run took or made them.
    ///
    /// # Errors
    /// If the model writes nothing, columns are missing or not clear, or a cell holds no text.
    pub fn sources_of(&self, table: &Table, columns: &Columns) -> Result<Dataset, Error> {
        let task = self.loaded.task;
        let kind = task.target_kind().ok_or(LanguageError::WritesNothing { task })?;
        let layout = self.loaded.layout(Layout { columns: columns.clone(), ..Layout::default() });
        Ok(unwritten_sources(table, kind, &source_target_columns(&table.source, &layout)?)?)
    }

    /// One prediction for each of such sources, in their order: they are read as they are.
    ///
    /// # Errors
    /// If the model writes nothing.
    pub fn predict_sources(&self, sources: &[&str]) -> Result<Vec<Prediction>, Error> {
        let Loaded { model, tokenizer, task, reading, writing, .. } = &self.loaded;
        let writing = writing.as_ref().ok_or(LanguageError::WritesNothing { task: *task })?;
        let tokenized = tokenize_sources(tokenizer, sources, reading)?;
        let prompts = tokenized.features.iter().map(|features| features.prompt().to_vec()).collect();
        let texts = writing.write(model, tokenizer, prompts)?;
        let of = |(text, WrittenText { text: prediction, tokens: generated_tokens, finish_reason })| {
            Prediction::told(Said::Written { prediction, generated_tokens, finish_reason }, &tokenized, text)
        };
        Ok(texts.into_iter().enumerate().map(of).collect())
    }

    /// What each text is to the model by itself: filled into the template of the run, where there is one.
    fn filled<'a>(&self, texts: impl Iterator<Item = &'a str>) -> Result<Vec<Cow<'a, str>>, Error> {
        let Some(template) = &self.loaded.template else { return Ok(texts.map(Cow::from).collect()) };
        let mut columns: Vec<String> = template.columns().map(str::to_owned).collect();
        columns.dedup();
        if columns.len() > 1 {
            return Err(LanguageError::TemplateOfSeveral { columns }.into());
        }
        let rows = texts.zip(1..).map(|(text, line)| Row { line, cells: vec![Cell::Text(text.to_owned())] }).collect();
        let table = Table { source: "text".into(), columns, rows, notices: Vec::new() };
        Ok(template.fill(&table)?.into_iter().map(Cow::from).collect())
    }

    /// One prediction for each group of texts that the model reads apart, in their order: the vector of a text alone, or how alike the first
    /// is to each of the others.
    ///
    /// # Errors
    /// If the model gives no vectors of texts, or a group has no text.
    pub fn predict_together(&self, groups: &[Vec<&str>]) -> Result<Vec<Prediction>, Error> {
        let Loaded { tokenizer, task, objective, reading, .. } = &self.loaded;
        if objective.comparison().is_none() {
            return Err(Error::TogetherOfOtherTask { task: *task });
        }
        if let Some(index) = groups.iter().position(Vec::is_empty) {
            return Err(Error::NoTokens { index: index + 1, text: String::new() });
        }
        Ok(self.answered(&tokenize_apart(tokenizer, groups, reading)?, None))
    }

    /// One prediction for each sentence whose words are given, in their order. A word that gives no token has no part in it.
    ///
    /// # Errors
    /// If the model does not tag words, or an aggregation was asked for, which puts the tokens of texts together.
    pub fn predict_words(&self, sentences: &[TokenExample]) -> Result<Vec<Prediction>, Error> {
        if self.loaded.task != Task::TokenClassification {
            return Err(Error::WordsOfOtherTask { task: self.loaded.task });
        }
        if let Some(aggregation) = &self.aggregation {
            return Err(Error::AggregationOfWords { strategy: aggregation.strategy });
        }
        let tokenized = tokenize_words(&self.loaded.tokenizer, sentences, &self.loaded.reading)?;
        Ok(self.answered(&tokenized, Some(sentences)))
    }

    fn answered(&self, tokenized: &Tokenized, sentences: Option<&[TokenExample]>) -> Vec<Prediction> {
        let Loaded { tokenizer, objective, .. } = &self.loaded;
        let mut answers: Vec<Option<Answer>> = vec![None; tokenized.texts.len()];
        each_batch(&self.loaded.scorer(), tokenized, INFERENCE_TOKENS, |batch| {
            batch.texts.iter().zip(objective.answers(&batch)).for_each(|(&place, answer)| answers[place] = Some(answer));
        });
        let answers: Option<Vec<Answer>> = answers.into_iter().collect();
        let answers = answers.expect("answered: an answer to every text");
        Prediction::of(objective.as_ref(), tokenizer, &answers, tokenized, sentences)
    }

    /// What is written from each text by itself.
    fn written(&self, inputs: &[TextInput<'_>]) -> Result<Vec<Prediction>, Error> {
        refuse_pairs(inputs, |index| LanguageError::PairOfSources { index }.into())?;
        let sources = self.filled(inputs.iter().map(|input| input.text))?;
        self.predict_sources(&sources.iter().map(AsRef::as_ref).collect::<Vec<_>>())
    }

    fn aggregated(&self, inputs: &[TextInput<'_>], aggregation: &Aggregation) -> Result<Vec<Prediction>, Error> {
        refuse_pairs(inputs, |index| Error::PairOfWords { index })?;
        let (said, tokenized) = aggregation.of_texts(&self.loaded, inputs)?;
        let of = |(text, entities)| Prediction::told(Said::Aggregated { entities }, &tokenized, text);
        Ok(said.into_iter().enumerate().map(of).collect())
    }
}

/// Refuses second texts, by the number of the first that has one.
fn refuse_pairs(inputs: &[TextInput<'_>], error: impl Fn(usize) -> Error) -> Result<(), Error> {
    match inputs.iter().position(|input| input.pair.is_some()) {
        Some(index) => Err(error(index + 1)),
        None => Ok(()),
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
