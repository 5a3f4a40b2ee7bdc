//! Continuous batching: prompts of any lengths share forward passes, one that is done leaves at once, and one that waits takes its place.
//! Knows nothing of how tokens are chosen.

use std::collections::VecDeque;

use graftling_models::{Model, Past};
use graftling_tensor::{Graph, PackedWeights};
use rayon::prelude::*;

use super::problem::GenerationError;
use super::request::{Call, Chosen, Prompt, Request, Step};
use super::settings::Search;
use super::{Generation, Listener, Piece};
use crate::threads;

/// The most tokens of prompts that are read in one forward pass, unless one prompt is longer.
const PROMPT_TOKENS: usize = 2048;

/// How much is worked on at once. What comes out does not depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchLimits {
    /// The most continuations side by side; each beam is one.
    pub sequences: usize,
    /// The most tokens that they may have together in the end, prompts included: what is remembered of them grows with it.
    pub tokens: usize,
}

impl Default for BatchLimits {
    fn default() -> Self {
        Self { sequences: 112, tokens: 32_768 }
    }
}

/// What a prompt takes of the limits until it is done.
#[derive(Clone, Copy)]
struct Load {
    sequences: usize,
    tokens: usize,
    /// What is read of it first.
    prompt: usize,
}

/// Generates behind every prompt, in whatever order they are done; the outcome has their order.
pub(super) fn work_through(
    model: &Model,
    weights: &PackedWeights<'_>,
    call: &Call<'_>,
    prompts: Vec<Prompt>,
    limits: BatchLimits,
    listener: &mut dyn Listener,
) -> Result<Vec<Generation>, GenerationError> {
    let width = call.settings.width();
    let load = |prompt: &Prompt| Load {
        sequences: width,
        // Continuations have their source in common.
        tokens: prompt.source.as_ref().map_or(0, Vec::len) + width * (prompt.ids.len() + prompt.max_new_tokens),
        prompt: prompt.given().len(),
    };
    let mut outcomes: Vec<Option<Generation>> = prompts.iter().map(|_| None).collect();
    let mut waiting: VecDeque<Prompt> = prompts.into();
    let mut in_work: Vec<(Request, Load)> = Vec::new();
    loop {
        let (mut new_tokens, before) = (0, in_work.len());
        while let Some(load) = waiting.front().map(load)
            && has_room(&in_work, load, new_tokens, limits)
            && let Some(prompt) = waiting.pop_front()
        {
            new_tokens += load.prompt;
            in_work.push((Request::new(call, prompt), load));
        }
        look_at_sources(model, weights, &mut in_work[before..]);
        if in_work.is_empty() {
            let outcomes: Option<Vec<Generation>> = outcomes.into_iter().collect();
            return Ok(outcomes.expect("work_through: an outcome for every prompt"));
        }
        let scores = {
            let readings = in_work.iter_mut().flat_map(|(request, _)| request.readings.iter_mut());
            let mut texts: Vec<(&mut Past, &[u32])> =
                readings.map(|reading| (&mut reading.past, reading.unread.as_slice())).collect();
            let logits = threads::awake(|| model.read_on(weights, &mut texts));
            match call.settings.search {
                Search::Beams { .. } => {
                    let graph = Graph::inference(&model.parameters);
                    graph.log_softmax(graph.constant(logits)).tensor().clone()
                }
                Search::Greedy | Search::Sampling { .. } => logits,
            }
        };
        let mut rows = scores.values().chunks_exact(scores.columns());
        let choosing: Vec<(&mut Chosen, &Prompt, Vec<&[f32]>)> = in_work
            .iter_mut()
            .map(|(request, _)| {
                let own = rows.by_ref().take(request.readings.len()).collect();
                let (chosen, prompt) = request.choosing();
                (chosen, prompt, own)
            })
            .collect();
        let steps: Vec<Result<Step, GenerationError>> =
            choosing.into_par_iter().map(|(chosen, prompt, own)| chosen.advance(call, prompt, &own)).collect();
        let mut going_on = Vec::with_capacity(in_work.len());
        for ((mut request, load), step) in in_work.into_iter().zip(steps) {
            let mut step = step?;
            for (continuation, text) in std::mem::take(&mut step.news) {
                if listener.text(Piece { prompt: request.index(), continuation, text: &text }).is_break() {
                    request.cancel(&mut step, continuation);
                }
            }
            if request.goes_on(&step) {
                going_on.push((request, load));
                continue;
            }
            let index = request.index();
            let generation = request.outcome();
            listener.done(index, &generation);
            outcomes[index] = Some(generation);
        }
        in_work = going_on;
    }
}

/// Reads the sources of prompts that join, where there are any, all in one pass.
fn look_at_sources(model: &Model, weights: &PackedWeights<'_>, joining: &mut [(Request, Load)]) {
    let sources: Vec<&[u32]> = joining.iter().filter_map(|(request, _)| request.source()).collect();
    if sources.is_empty() {
        return;
    }
    let pasts = model.begin(weights, &sources);
    for ((request, _), past) in joining.iter_mut().zip(pasts) {
        request.begin(past);
    }
}

/// Whether one prompt more may be worked on. One that is beyond the limits by itself is worked on alone.
fn has_room(in_work: &[(Request, Load)], load: Load, new_tokens: usize, limits: BatchLimits) -> bool {
    let sequences: usize = in_work.iter().map(|(_, load)| load.sequences).sum();
    let tokens: usize = in_work.iter().map(|(_, load)| load.tokens).sum();
    in_work.is_empty()
        || sequences + load.sequences <= limits.sequences
            && tokens + load.tokens <= limits.tokens
            && (new_tokens == 0 || new_tokens + load.prompt <= PROMPT_TOKENS)
}
