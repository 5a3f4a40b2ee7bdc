//! Search with beams, step for step as transformers does it (`generation/utils.py`, `_beam_search`): its constants and its single precision
//! included, so that it finds the same. Knows nothing of the prompts beside it.

use rayon::prelude::*;

use super::draw::{Dice, draw_of, highest_of};
use super::options::EarlyStopping;
use super::problem::GenerationError;
use super::processors::process;
use super::request::{Call, Next, Prompt, Step, check_numbers, everything_forbidden, finish_reason};
use super::settings::Search;
use super::text_stream::TextStream;
use super::{Continuation, FinishReason};

/// The score of what is not there.
const NOTHING: f32 = -1e9;

/// The beams of one prompt.
pub(super) struct Beams {
    running: Vec<Running>,
    /// As many as are running, the best first; at first none of them is there.
    finished: Vec<Finished>,
    new_tokens: usize,
    /// Whether a running beam may still become better than a finished one.
    can_improve: bool,
    /// What is given in the end.
    outcome: Vec<Continuation>,
}

/// A continuation that goes on.
#[derive(Clone)]
struct Running {
    /// The prompt and what follows it.
    ids: Vec<u32>,
    /// The sum of the log-probabilities of what follows.
    score: f32,
    /// Its text, where it matters for when to stop.
    stream: Option<TextStream>,
}

/// A continuation that is complete.
#[derive(Clone)]
struct Finished {
    ids: Vec<u32>,
    /// Its log-probability, divided by a power of its length.
    score: f32,
    /// None where there is none yet.
    finish_reason: Option<FinishReason>,
}

/// A running beam with one token more.
struct Candidate {
    from: usize,
    token: u32,
    score: f32,
    stream: Option<TextStream>,
    finish_reason: Option<FinishReason>,
}

impl Beams {
    /// All beams stand behind the prompt, but only the first one counts, so that they do not all begin alike.
    pub fn new(call: &Call<'_>, prompt: &Prompt, num_beams: usize) -> Self {
        let stream = (!call.settings.stop_strings.is_empty()).then(|| TextStream::new(&call.spelling, prompt.text_before()));
        let beam =
            |place| Running { ids: prompt.ids.clone(), score: if place == 0 { 0.0 } else { NOTHING }, stream: stream.clone() };
        let nothing = Finished { ids: Vec::new(), score: NOTHING, finish_reason: None };
        Self {
            running: (0..num_beams).map(beam).collect(),
            finished: vec![nothing; num_beams],
            new_tokens: 0,
            can_improve: true,
            outcome: Vec::new(),
        }
    }

    /// A token more for the best beams, by the logarithms of the probabilities behind each reading; tells the best ones when the search is over.
    pub fn advance(&mut self, call: &Call<'_>, prompt: &Prompt, rows: &[&[f32]]) -> Result<Step, GenerationError> {
        check_numbers(prompt, rows, self.new_tokens)?;
        let candidates = self.candidates(call, prompt, rows)?;
        self.finish(call, &candidates);
        let all_end = candidates.iter().all(|candidate| candidate.finish_reason.is_some());
        let next = self.go_on(candidates, rows.len());
        self.new_tokens += 1;
        self.look_ahead(call, prompt);
        if self.goes_on(call) && !all_end {
            return Ok(Step { next, news: Vec::new() });
        }
        self.conclude(call, prompt);
        let told = self.outcome.iter().map(|continuation| continuation.text.clone()).enumerate();
        Ok(Step { next: Vec::new(), news: told.filter(|(_, text)| !text.is_empty()).collect() })
    }

    /// The best beams with one token more, the best first: as many as leave a full set of running ones when all that can end do.
    fn candidates(&self, call: &Call<'_>, prompt: &Prompt, rows: &[&[f32]]) -> Result<Vec<Candidate>, GenerationError> {
        let settings = call.settings;
        let vocabulary = rows[0].len();
        let mut scores = vec![0.0; self.running.len() * vocabulary];
        scores.par_chunks_exact_mut(vocabulary).zip(&self.running).enumerate().for_each(|(place, (own, beam))| {
            // All beams follow the one reading of the prompt.
            own.copy_from_slice(rows[place.min(rows.len() - 1)]);
            let view = prompt.view(&beam.ids);
            process(settings, view, own);
            own.iter_mut().for_each(|score| *score += beam.score);
        });
        let count = (1 + settings.eos_token_id.len()).max(2) * self.running.len();
        let best = match settings.search {
            Search::Beams { seed: Some(seed), .. } => {
                draw_of(&scores, count, Dice { seed, prompt: prompt.index, continuation: 0, step: self.new_tokens })
            }
            _ => highest_of(&scores, count),
        };
        if scores[best[0]] == f32::NEG_INFINITY {
            return Err(everything_forbidden(prompt, self.new_tokens));
        }
        let candidate = |place: usize| {
            let (from, token) = (place / vocabulary, (place % vocabulary) as u32);
            let mut stream = self.running[from].stream.clone();
            let stops = stream.as_mut().is_some_and(|stream| stream.push(&call.spelling, token));
            let finish_reason = finish_reason(settings, token, stops, self.new_tokens + 1, prompt.max_new_tokens);
            Candidate { from, token, score: scores[place], stream, finish_reason }
        };
        Ok(best.into_iter().map(candidate).collect())
    }

    /// Candidates that are complete take their place among the finished. Only the best ones may: the others are there to go on with.
    fn finish(&mut self, call: &Call<'_>, candidates: &[Candidate]) {
        let (length_penalty, _) = beam_options(call);
        let num_beams = self.running.len();
        let length = power(self.new_tokens + 1, length_penalty);
        for (place, candidate) in candidates.iter().enumerate() {
            let finish_reason = candidate.finish_reason.filter(|_| place < num_beams);
            let score = candidate.score / length + if finish_reason.is_some() { 0.0 } else { NOTHING };
            let ids = match finish_reason {
                Some(_) => [self.running[candidate.from].ids.as_slice(), &[candidate.token]].concat(),
                None => Vec::new(),
            };
            self.finished.push(Finished { ids, score, finish_reason });
        }
        // What is complete stands first whatever a length penalty makes of its score.
        let is_complete = |finished: &Finished| finished.finish_reason.is_some();
        self.finished.sort_by(|left, right| is_complete(right).cmp(&is_complete(left)).then(right.score.total_cmp(&left.score)));
        self.finished.truncate(num_beams);
    }

    /// The best candidates that are not complete are the running beams from now on; where there are too few, complete ones stand in.
    fn go_on(&mut self, candidates: Vec<Candidate>, readings: usize) -> Vec<Next> {
        let score = |candidate: &Candidate| candidate.score + if candidate.finish_reason.is_some() { NOTHING } else { 0.0 };
        let mut order: Vec<(f32, Candidate)> = candidates.into_iter().map(|candidate| (score(&candidate), candidate)).collect();
        order.sort_by(|left, right| right.0.total_cmp(&left.0));
        order.truncate(self.running.len());
        let next =
            order.iter().map(|(_, candidate)| Next { from: candidate.from.min(readings - 1), token: candidate.token }).collect();
        let running = order.into_iter().map(|(score, Candidate { from, token, stream, .. })| {
            let mut ids = self.running[from].ids.clone();
            ids.push(token);
            Running { ids, score, stream }
        });
        self.running = running.collect();
        next
    }

    /// Whether the best running beam can still become better than the worst finished one.
    fn look_ahead(&mut self, call: &Call<'_>, prompt: &Prompt) {
        let (length_penalty, early_stopping) = beam_options(call);
        let length = match early_stopping {
            EarlyStopping::Never if length_penalty > 0.0 => prompt.max_new_tokens,
            _ => self.new_tokens,
        };
        let best_possible = self.running[0].score / power(length, length_penalty);
        let worst = self.finished.iter().map(|finished| finished.score).fold(f32::INFINITY, f32::min);
        let is_worse = |finished: &Finished| finished.finish_reason.is_none() || best_possible > worst;
        self.can_improve &= self.finished.iter().any(is_worse);
    }

    fn goes_on(&self, call: &Call<'_>) -> bool {
        let (_, early_stopping) = beam_options(call);
        self.can_improve && !(early_stopping == EarlyStopping::WhenFull && self.is_full())
    }

    fn is_full(&self) -> bool {
        self.finished.iter().all(|finished| finished.finish_reason.is_some())
    }

    /// The search is over: the best finished beams become texts.
    fn conclude(&mut self, call: &Call<'_>, prompt: &Prompt) {
        for Finished { mut ids, score, finish_reason } in self.finished.drain(..).take(call.settings.num_return_sequences) {
            // A beam that nothing could follow is not there.
            let Some(finish_reason) = finish_reason else { continue };
            let tokens = ids.split_off(prompt.ids.len());
            let mut stream = TextStream::new(&call.spelling, prompt.text_before());
            stream.push_all(&call.spelling, &tokens);
            self.outcome.push(Continuation { text: stream.rest(), tokens, finish_reason, score: Some(score) });
        }
    }

    /// The best beams, the best first.
    pub fn outcome(self) -> Vec<Continuation> {
        self.outcome
    }
}

fn beam_options(call: &Call<'_>) -> (f64, EarlyStopping) {
    match call.settings.search {
        Search::Beams { length_penalty, early_stopping, .. } => (length_penalty, early_stopping),
        Search::Greedy | Search::Sampling { .. } => unreachable!("beams: the search has none"),
    }
}

fn power(length: usize, exponent: f64) -> f32 {
    (length as f64).powf(exponent) as f32
}
