//! A model that tells what it says about texts and sentences, on lines or as JSON. Knows nothing of where they come from.

use graftling::{FinishReason, Prediction, Predictor, Said, TextInput};
use graftling_text::{ComparedTexts, TokenExample};
use serde_json::{Map, Value, json};
use unicode_width::UnicodeWidthStr;

use crate::console::Console;
use crate::failure::Failure;
use crate::text_table::one_line;
use crate::{figures, report, said};

/// Between what is said and the text it is said of.
const GAP: &str = "  ";

/// What is asked about.
#[derive(Clone, Copy)]
pub enum Asked<'a> {
    /// A text, or a pair of them.
    Text(TextInput<'a>),
    /// A text of a file from which another is written, as the model reads it.
    Source(&'a str),
    /// A question of a file, with its context as the second text.
    Question {
        /// What the file calls it.
        id: &'a str,
        /// The question and its context.
        input: TextInput<'a>,
    },
    /// A sentence whose words are given.
    Words(&'a TokenExample),
    /// A text, one that is like it and one that is not.
    Triplet(&'a ComparedTexts),
}

/// A model that tells what it says.
pub struct Teller<'a> {
    /// The model.
    pub predictor: Predictor,
    console: &'a Console,
    json: bool,
    label_width: usize,
    cut: Cut,
}

/// How many texts were cut.
#[derive(Default)]
struct Cut {
    /// Those that something is said of.
    texts: u64,
    /// What they were written from.
    sources: u64,
    /// What was written.
    outputs: u64,
}

impl Cut {
    fn add(&mut self, prediction: &Prediction) {
        let is_cut = u64::from(prediction.truncated_tokens > 0);
        let Said::Written { finish_reason, .. } = &prediction.said else {
            self.texts += is_cut;
            return;
        };
        self.sources += is_cut;
        self.outputs += u64::from(*finish_reason == FinishReason::Length);
    }
}

impl<'a> Teller<'a> {
    /// Tells on lines, or as JSON.
    pub fn new(predictor: Predictor, console: &'a Console, json: bool) -> Self {
        let label_width = report::widest(predictor.labels(), said::LABEL_WIDTH);
        for notice in predictor.notices() {
            console.tell(&format!("note: {notice}"));
        }
        if let Some(decisions) = predictor.decisions() {
            console.tell(&format!("note: decided by {}", decisions.told(predictor.labels())));
        }
        Self { predictor, console, json, label_width, cut: Cut::default() }
    }

    /// Asks about all of these, which are all of one kind.
    pub fn ask(&mut self, asked: &[Asked<'_>]) -> Result<Vec<Prediction>, Failure> {
        let (mut texts, mut sources, mut sentences, mut triplets) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for asked in asked {
            match *asked {
                Asked::Text(input) | Asked::Question { input, .. } => texts.push(input),
                Asked::Source(source) => sources.push(source),
                Asked::Words(sentence) => sentences.push(sentence.clone()),
                Asked::Triplet(triplet) => triplets.push(triplet.texts.iter().map(String::as_str).collect()),
            }
        }
        let predictor = &self.predictor;
        let predictions = if !sources.is_empty() {
            predictor.predict_sources(&sources)?
        } else if !sentences.is_empty() {
            predictor.predict_words(&sentences)?
        } else if !triplets.is_empty() {
            predictor.predict_together(&triplets)?
        } else {
            predictor.predict(&texts)?
        };
        predictions.iter().for_each(|prediction| self.cut.add(prediction));
        Ok(predictions)
    }

    /// Tells a person of texts that are nothing but white space.
    pub fn note_empty(&self, texts: &[Asked<'_>]) {
        let is_empty = |asked: &&Asked<'_>| matches!(asked, Asked::Text(TextInput { text, .. }) if text.trim().is_empty());
        let empty = texts.iter().filter(is_empty).count() as u64;
        if empty > 0 {
            let (are, them) = if empty == 1 { ("is", "it") } else { ("are", "them") };
            self.console
                .tell(&format!("note: {} {are} empty; what is said of {them} says nothing", figures::counted(empty, "text")));
        }
    }

    /// Tells a person of texts of which a part was read, or that end before their end, since this was last told.
    pub fn note_cut(&mut self) {
        let Cut { texts, sources, outputs } = std::mem::take(&mut self.cut);
        if texts > 0 {
            let (are, length) = (if texts == 1 { "is" } else { "are" }, self.predictor.max_length());
            let way_out = if self.predictor.reads_windows() { "" } else { "; --long-texts windows reads all of it" };
            let texts = figures::counted(texts, "text");
            self.console
                .tell(&format!("note: {texts} {are} cut to {length} tokens, and what stands behind was not read{way_out}"));
        }
        if sources > 0 {
            let (texts, length) = (figures::counted(sources, "source"), self.predictor.max_length());
            let are = if sources == 1 { "is" } else { "are" };
            self.console.tell(&format!("note: {texts} {are} cut to {length} tokens (max_length) before anything was written"));
        }
        if outputs > 0 {
            let texts = figures::counted(outputs, "text");
            let are = if outputs == 1 { "is" } else { "are" };
            self.console
                .tell(&format!("note: {texts} {are} cut at the most new tokens (max_new_tokens in generation_config.json)"));
        }
    }

    /// Tells a line for each.
    pub fn tell(&self, asked: &[Asked<'_>], predictions: &[Prediction]) -> Result<(), Failure> {
        let mut text = String::new();
        for (asked, prediction) in asked.iter().zip(predictions) {
            text += &if self.json { json_of(asked, prediction).to_string() } else { self.line(asked, prediction) };
            text.push('\n');
        }
        self.console.print(&text)
    }

    fn line(&self, asked: &Asked<'_>, prediction: &Prediction) -> String {
        if let Said::Written { prediction, .. } = &prediction.said {
            // The text itself is what is wanted, whole.
            return prediction.replace(['\n', '\r'], " ");
        }
        let said = said::in_a_line(&prediction.said, self.label_width);
        let room = self.console.line_width().saturating_sub(said.width() + GAP.len());
        let text = match asked {
            // A context is long, and the answer a part of it.
            Asked::Text(TextInput { text, pair: Some(pair) }) if !matches!(prediction.said, Said::Answer { .. }) => {
                one_line(&format!("{text} | {pair}"), room)
            }
            Asked::Text(TextInput { text, .. }) | Asked::Question { input: TextInput { text, .. }, .. } => one_line(text, room),
            Asked::Source(text) => one_line(text, room),
            Asked::Words(TokenExample { words, .. }) => one_line(&words.join(" "), room),
            Asked::Triplet(ComparedTexts { texts, .. }) => one_line(&texts.join(" | "), room),
        };
        format!("{said}{GAP}{text}").trim_end().to_owned()
    }
}

/// What was asked about and all that the model says about it.
fn json_of(asked: &Asked<'_>, prediction: &Prediction) -> Value {
    let mut entries = Map::new();
    if let Asked::Question { id, .. } = asked {
        entries.insert("id".to_owned(), json!(id));
    }
    match asked {
        Asked::Text(TextInput { text, pair }) | Asked::Question { input: TextInput { text, pair }, .. } => {
            entries.insert("text".to_owned(), json!(text));
            entries.extend(pair.map(|pair| ("text_pair".to_owned(), json!(pair))));
        }
        Asked::Source(text) => {
            entries.insert("text".to_owned(), json!(text));
        }
        Asked::Words(TokenExample { words, .. }) => {
            entries.insert("words".to_owned(), json!(words));
            entries.insert("predicted_tags".to_owned(), json!(said::tags(&prediction.said)));
        }
        Asked::Triplet(ComparedTexts { texts, .. }) => {
            entries.insert("texts".to_owned(), json!(texts));
        }
    }
    if let Value::Object(said) = json!(prediction) {
        entries.extend(said);
    }
    Value::Object(entries)
}
