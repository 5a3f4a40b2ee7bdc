//! A prompt in work: what the model has to read for it next, and what became of it. Knows nothing of the prompts beside it.

use graftling_models::Past;

use super::beams::Beams;
use super::lines::Lines;
use super::problem::GenerationError;
use super::processors::View;
use super::settings::{Search, Settings};
use super::text_stream::Spelling;
use super::{FinishReason, Generation};

/// What all prompts of a call have in common.
pub(super) struct Call<'a> {
    pub settings: &'a Settings,
    pub spelling: Spelling<'a>,
}

/// A prompt, as tokens, and how far it may go.
pub(super) struct Prompt {
    /// Its place among those of the call, from 0.
    pub index: usize,
    /// What is looked at, in a model that writes one text from another.
    pub source: Option<Vec<u32>>,
    /// What stands before what is written, at least one token: the prompt itself, or the one that a text beside a source starts with.
    pub ids: Vec<u32>,
    pub max_new_tokens: usize,
}

impl Prompt {
    /// The tokens that a person gave.
    pub fn given(&self) -> &[u32] {
        self.source.as_deref().unwrap_or(&self.ids)
    }

    /// What a continuation is seen with when it is scored.
    pub fn view<'a>(&'a self, ids: &'a [u32]) -> View<'a> {
        View { ids, prompt: self.ids.len(), given: self.given(), max_new_tokens: self.max_new_tokens }
    }

    /// The tokens whose text what is written goes on with.
    pub fn text_before(&self) -> &[u32] {
        if self.source.is_some() { &[] } else { &self.ids }
    }
}

/// What the model reads next of one continuation.
pub(super) struct Reading {
    pub past: Past,
    /// At least one.
    pub unread: Vec<u32>,
}

/// A prompt in work.
pub(super) struct Request {
    prompt: Prompt,
    /// First the prompt, then the last token of each continuation that goes on.
    pub readings: Vec<Reading>,
    chosen: Chosen,
}

/// What was chosen so far.
pub(super) enum Chosen {
    Lines(Lines),
    Beams(Beams),
}

/// What one more token brings.
#[derive(Default)]
pub(super) struct Step {
    /// Where continuations go on; none where the prompt is done.
    pub next: Vec<Next>,
    /// Continuations, by their number, with text that is certain now.
    pub news: Vec<(usize, String)>,
}

/// Where a continuation goes on.
pub(super) struct Next {
    /// Which of the continuations that were read it goes on from.
    pub from: usize,
    pub token: u32,
}

impl Request {
    pub fn new(call: &Call<'_>, prompt: Prompt) -> Self {
        let chosen = match call.settings.search {
            Search::Greedy => Chosen::Lines(Lines::new(call, &prompt, None)),
            Search::Sampling { seed } => Chosen::Lines(Lines::new(call, &prompt, Some(seed))),
            Search::Beams { num_beams, .. } => Chosen::Beams(Beams::new(call, &prompt, num_beams)),
        };
        let readings = vec![Reading { past: Past::new(), unread: prompt.ids.clone() }];
        Self { prompt, readings, chosen }
    }

    /// The place of the prompt among those of the call, from 0.
    pub fn index(&self) -> usize {
        self.prompt.index
    }

    /// What is looked at, in a model that writes one text from another.
    pub fn source(&self) -> Option<&[u32]> {
        self.prompt.source.as_deref()
    }

    /// Begins with the source in view.
    pub fn begin(&mut self, past: Past) {
        self.readings[0].past = past;
    }

    /// What the next choice is made of.
    pub fn choosing(&mut self) -> (&mut Chosen, &Prompt) {
        (&mut self.chosen, &self.prompt)
    }

    /// A continuation is wanted no longer.
    pub fn cancel(&mut self, step: &mut Step, continuation: usize) {
        match &mut self.chosen {
            Chosen::Lines(lines) => lines.cancel(step, continuation),
            // Beams are told when they are done.
            Chosen::Beams(_) => {}
        }
    }

    /// Goes on as was chosen; says whether there is anything to read.
    pub fn goes_on(&mut self, step: &Step) -> bool {
        self.readings = goes_on(std::mem::take(&mut self.readings), &step.next);
        !self.readings.is_empty()
    }

    /// What came out of a prompt that is done.
    pub fn outcome(self) -> Generation {
        let continuations = match self.chosen {
            Chosen::Lines(lines) => lines.outcome(),
            Chosen::Beams(beams) => beams.outcome(),
        };
        Generation { prompt_tokens: self.prompt.given().len(), continuations }
    }
}

impl Chosen {
    /// Chooses what comes next by the logits behind each reading, `[readings, vocabulary]`; of beams by the logarithms of probabilities.
    pub fn advance(&mut self, call: &Call<'_>, prompt: &Prompt, rows: &[&[f32]]) -> Result<Step, GenerationError> {
        match self {
            Self::Lines(lines) => lines.advance(call, prompt, rows),
            Self::Beams(beams) => beams.advance(call, prompt, rows),
        }
    }
}

/// Each continuation behind what it goes on from. What several go on from is copied, for the last of them it is taken.
fn goes_on(readings: Vec<Reading>, next: &[Next]) -> Vec<Reading> {
    let mut uses = vec![0_usize; readings.len()];
    next.iter().for_each(|next| uses[next.from] += 1);
    let mut pasts: Vec<Past> = readings.into_iter().map(|reading| reading.past).collect();
    let reading = |next: &Next| {
        uses[next.from] -= 1;
        let past = if uses[next.from] == 0 { std::mem::take(&mut pasts[next.from]) } else { pasts[next.from].clone() };
        Reading { past, unread: vec![next.token] }
    };
    next.iter().map(reading).collect()
}

/// Why a continuation ends with its last token, if it does. An end token goes before a text to stop at, and that before the length.
pub(super) fn finish_reason(
    settings: &Settings,
    token: u32,
    stops: bool,
    new_tokens: usize,
    max_new_tokens: usize,
) -> Option<FinishReason> {
    match () {
        () if settings.eos_token_id.contains(&token) => Some(FinishReason::EosToken),
        () if stops => Some(FinishReason::StopString),
        () if new_tokens >= max_new_tokens => Some(FinishReason::Length),
        () => None,
    }
}

/// Logits that are not all numbers are refused before anything is chosen by them.
pub(super) fn check_numbers(prompt: &Prompt, rows: &[&[f32]], new_tokens: usize) -> Result<(), GenerationError> {
    // All of a row, whatever its first values are: such a loop becomes vector instructions.
    let all_finite = |row: &&[f32]| row.iter().fold(true, |finite, score| finite & score.is_finite());
    match rows.iter().all(all_finite) {
        true => Ok(()),
        false => Err(GenerationError::NotNumbers { index: prompt.index + 1, new_tokens }),
    }
}

/// What is told when no token may come next.
pub(super) fn everything_forbidden(prompt: &Prompt, new_tokens: usize) -> GenerationError {
    GenerationError::EverythingForbidden { index: prompt.index + 1, new_tokens }
}
