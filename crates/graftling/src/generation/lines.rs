//! Continuations that go on each by itself: the most probable token at every step, or a drawn one. Knows nothing of beams.

use super::draw::{Dice, draw, highest};
use super::problem::GenerationError;
use super::processors::process;
use super::request::{Call, Next, Prompt, Step, check_numbers, everything_forbidden, finish_reason};
use super::text_stream::TextStream;
use super::{Continuation, FinishReason};

/// The continuations of one prompt.
pub(super) struct Lines {
    lines: Vec<Line>,
    /// How many tokens the prompt has.
    prompt: usize,
    /// What random numbers follow from, where tokens are drawn.
    seed: Option<u64>,
    /// Which line each reading of the model belongs to; before the first step all of them follow the prompt.
    going_on: Vec<usize>,
    new_tokens: usize,
}

struct Line {
    /// The prompt and what follows it.
    ids: Vec<u32>,
    stream: TextStream,
    finish_reason: Option<FinishReason>,
}

impl Lines {
    pub fn new(call: &Call<'_>, prompt: &Prompt, seed: Option<u64>) -> Self {
        let stream = TextStream::new(&call.spelling, prompt.text_before());
        let line = || Line { ids: prompt.ids.clone(), stream: stream.clone(), finish_reason: None };
        let lines: Vec<Line> = (0..call.settings.num_return_sequences).map(|_| line()).collect();
        Self { going_on: (0..lines.len()).collect(), lines, prompt: prompt.ids.len(), seed, new_tokens: 0 }
    }

    /// A token more for every line that goes on.
    pub fn advance(&mut self, call: &Call<'_>, prompt: &Prompt, rows: &[&[f32]]) -> Result<Step, GenerationError> {
        check_numbers(prompt, rows, self.new_tokens)?;
        let (number_of_step, max_new_tokens) = (self.new_tokens, prompt.max_new_tokens);
        self.new_tokens += 1;
        let mut step = Step::default();
        let mut going_on = Vec::new();
        for (place, &number) in self.going_on.iter().enumerate() {
            // All lines follow the one reading of the prompt.
            let from = place.min(rows.len() - 1);
            let line = &mut self.lines[number];
            let mut scores = rows[from].to_vec();
            process(call.settings, prompt.view(&line.ids), &mut scores);
            let token = match self.seed {
                None => highest(&scores),
                Some(seed) => draw(&scores, Dice { seed, prompt: prompt.index, continuation: number, step: number_of_step }),
            };
            let token = token.ok_or_else(|| everything_forbidden(prompt, number_of_step))?;
            line.ids.push(token);
            let stops = line.stream.push(&call.spelling, token);
            line.finish_reason = finish_reason(call.settings, token, stops, self.new_tokens, max_new_tokens);
            let text = match line.finish_reason {
                Some(_) => line.stream.rest(),
                None => {
                    going_on.push(number);
                    step.next.push(Next { from, token });
                    line.stream.news(&call.spelling)
                }
            };
            if !text.is_empty() {
                step.news.push((number, text));
            }
        }
        self.going_on = going_on;
        Ok(step)
    }

    /// A line that goes on is wanted no longer.
    pub fn cancel(&mut self, step: &mut Step, number: usize) {
        if let Some(place) = self.going_on.iter().position(|line| *line == number) {
            self.going_on.remove(place);
            step.next.remove(place);
            self.lines[number].finish_reason = Some(FinishReason::Cancelled);
        }
    }

    /// All lines, each with its end.
    pub fn outcome(self) -> Vec<Continuation> {
        let prompt = self.prompt;
        self.lines.into_iter().filter_map(|line| line.outcome(prompt)).collect()
    }
}

impl Line {
    fn outcome(mut self, prompt: usize) -> Option<Continuation> {
        let finish_reason = self.finish_reason?;
        Some(Continuation { text: self.stream.whole(), tokens: self.ids.split_off(prompt), finish_reason, score: None })
    }
}
