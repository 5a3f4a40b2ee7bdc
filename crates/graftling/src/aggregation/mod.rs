//! What a token classifier says of the tokens of a text, put together to words and entities as transformers' pipeline does it.
//! Knows nothing of sentences whose words are given; tags of words are the business of the task.

mod groups;

use std::fmt;

use graftling_text::{TextInput, TextToken};
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::Error;
use crate::decisions::Decisions;
use crate::features::{Tokenized, tokenize_every_token};
use crate::inference::each_batch;
use crate::loaded::{INFERENCE_TOKENS, Loaded};
use crate::reading::LongTexts;
use crate::recipe::Task;
use crate::tasks::softmax_at;
use groups::{Grouping, Scored};

/// How the tags of tokens become those of words and entities: the strategies of transformers' `TokenClassificationPipeline`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AggregationStrategy {
    /// Not at all: every token by itself.
    None,
    /// Neighbouring tokens of one type are an entity, whatever words they belong to.
    Simple,
    /// A word has the tag of its first token.
    First,
    /// A word has the tag whose probability is highest in the mean over its tokens.
    Average,
    /// A word has the tag of its surest token.
    Max,
}

/// How a text that is read in windows is put together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WindowMerging {
    /// Each token has the probabilities from the window in which it stands furthest from an edge; then entities are put together
    /// once, over the whole text.
    #[default]
    Tokens,
    /// Entities are put together in every window; of those that overlap the longest stays, of equally long ones the surest, as
    /// transformers' pipeline does it when it is given a `stride`.
    Entities,
}

/// What becomes of the tokens of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aggregation {
    /// How tags are put together.
    pub strategy: AggregationStrategy,
    /// How windows are put together; `None` where nothing is said, which means [`WindowMerging::Tokens`].
    pub window_merging: Option<WindowMerging>,
    /// Labels (or types of entities) that are left out.
    pub ignored_labels: Vec<String>,
}

/// An entity that was put together from tokens, or a token by itself. As JSON it has the names of transformers' pipeline:
/// `entity_group` (of a token: `entity`), `score`, `index` (of a token), `word`, `start` and `end`.
#[derive(Clone, Debug, PartialEq)]
pub struct Aggregated {
    /// The type of the entity; of a token its label.
    pub label: String,
    /// The mean probability of the labels that it was put together from.
    pub probability: f32,
    /// Which token it is where tokens stand by themselves, counted from 0 with special tokens.
    pub token: Option<usize>,
    /// Its tokens joined to a text again: what stands in the text, up to capitals and spaces.
    pub word: String,
    /// Its first character in the text and the one after its last, counted in Unicode characters.
    pub characters: (usize, usize),
}

impl AggregationStrategy {
    /// Every strategy with the word that transformers has for it.
    pub const WORDS: [(&str, Self); 5] =
        [("none", Self::None), ("simple", Self::Simple), ("first", Self::First), ("average", Self::Average), ("max", Self::Max)];

    /// The strategy of this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(own, _)| *own == word).map(|(_, strategy)| *strategy)
    }
}

impl fmt::Display for AggregationStrategy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let own = Self::WORDS.iter().find(|(_, strategy)| strategy == self);
        formatter.write_str(own.map_or("", |(word, _)| word))
    }
}

impl WindowMerging {
    /// Both ways with their words.
    pub const WORDS: [(&str, Self); 2] = [("tokens", Self::Tokens), ("entities", Self::Entities)];

    /// The way of this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(own, _)| *own == word).map(|(_, way)| *way)
    }
}

impl Aggregation {
    /// By this strategy; `O` is left out, as in transformers.
    pub fn new(strategy: AggregationStrategy) -> Self {
        Self { strategy, window_merging: None, ignored_labels: vec!["O".to_owned()] }
    }

    /// Refuses what a model cannot do.
    pub(crate) fn check(&self, loaded: &Loaded) -> Result<(), Error> {
        if loaded.task != Task::TokenClassification {
            return Err(Error::AggregationOfOtherTask { task: loaded.task });
        }
        if self.window_merging.is_some() && loaded.reading.long_texts == LongTexts::Cut {
            return Err(Error::NoWindowsToMerge { max_length: loaded.reading.max_length });
        }
        if (self.strategy, self.window_merging) == (AggregationStrategy::None, Some(WindowMerging::Entities)) {
            return Err(Error::NoEntitiesToMerge);
        }
        let labels = loaded.objective.labels();
        let grouping = Grouping::of_labels(labels);
        let is_known = |name: &&String| name.as_str() == "O" || labels.contains(name) || grouping.has_type(name);
        match self.ignored_labels.iter().find(|name| !is_known(name)) {
            Some(label) => Err(Error::IgnoredUnknownLabel { label: label.clone(), labels: labels.to_vec() }),
            None => Ok(()),
        }
    }

    /// What a model says about texts, one after the other, with what the model saw of them.
    pub(crate) fn of_texts(&self, loaded: &Loaded, inputs: &[TextInput<'_>]) -> Result<(Vec<Vec<Aggregated>>, Tokenized), Error> {
        let Loaded { tokenizer, objective, reading, .. } = loaded;
        let windows_alone = self.window_merging == Some(WindowMerging::Entities);
        let (tokenized, tokens) = tokenize_every_token(tokenizer, inputs, reading, windows_alone)?;
        let grouping = Grouping::of_labels(objective.labels());
        let joined = |written| tokenizer.joined_tokens(written);
        let temperature = objective.decisions().map_or(1.0, Decisions::divisor);
        let mut said: Vec<Vec<Aggregated>> = vec![Vec::new(); inputs.len()];
        each_batch(&loaded.scorer(), &tokenized, INFERENCE_TOKENS, |batch| {
            let columns = batch.columns();
            batch.each(|text, logits| {
                let mut rows = logits.chunks_exact(columns.max(1));
                let windows = tokenized.texts[text].clone().map(|window| {
                    let tokens: &[TextToken] = &tokens[window];
                    let scored = tokens.iter().zip(rows.by_ref());
                    scored.map(|(token, logits)| Scored { token, probabilities: softmax_at(temperature, logits) }).collect()
                });
                let mut windows: Vec<Vec<Scored<'_>>> = windows.collect();
                if !windows_alone {
                    let mut whole = windows.concat();
                    whole.sort_by_key(|scored| scored.token.place);
                    windows = vec![whole];
                }
                let several = windows.len() > 1;
                let found = windows.iter().flat_map(|window| grouping.put_together(window, self.strategy, &joined));
                let kept: Vec<Aggregated> = found.filter(|one| !self.ignored_labels.contains(&one.label)).collect();
                said[text] = if several { groups::without_overlaps(kept) } else { kept };
            });
        });
        Ok((said, tokenized))
    }
}

impl Serialize for Aggregated {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry(if self.token.is_some() { "entity" } else { "entity_group" }, &self.label)?;
        map.serialize_entry("score", &self.probability)?;
        if let Some(token) = self.token {
            map.serialize_entry("index", &token)?;
        }
        map.serialize_entry("word", &self.word)?;
        map.serialize_entry("start", &self.characters.0)?;
        map.serialize_entry("end", &self.characters.1)?;
        map.end()
    }
}
