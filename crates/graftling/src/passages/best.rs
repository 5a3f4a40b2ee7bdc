//! The best passage of all windows of a context, by the logits of beginnings and ends. Knows numbers and places only.
//!
//! The rules are those of transformers' `utils_qa.py` (`postprocess_qa_predictions`), which come from the evaluation of BERT on SQuAD
//! (Devlin and others, 2019, section 4.2 and 4.3). Two cases in which that program makes an answer up are decided otherwise: where the
//! most probable beginnings and ends make no passage, all of them are looked at; and a token without text is no passage.

use super::Bytes;

/// When a model says that a context has no answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum NoAnswer {
    /// Never: the best passage is always the answer.
    Never,
    /// Where the score of no answer exceeds that of the best passage by more than this. A score is the sum of two logits.
    Above(f32),
}

/// How a passage is chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Choice {
    /// So many beginnings are paired with so many ends, and so many passages share the probability.
    pub n_best_size: usize,
    /// The most tokens of a passage.
    pub max_answer_length: usize,
    /// When there is no answer.
    pub no_answer: NoAnswer,
}

/// The logits of a window, and where its passages stand.
pub(crate) struct WindowLogits<'a> {
    /// Two for each token: that an answer begins with it, and that one ends with it.
    pub logits: &'a [f32],
    /// The place of the context's first token.
    pub first: usize,
    /// The bytes of the context's tokens.
    pub offsets: &'a [Bytes],
}

/// What was chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Best {
    /// The best passage and its probability; nothing where the context has no token.
    pub passage: Option<(Bytes, f32)>,
    /// The probability of no answer, and by how much its score exceeds that of the best passage; nothing where an answer is never empty.
    pub null: Option<(f32, f32)>,
    /// Whether the answer is that there is none.
    pub is_empty: bool,
}

/// A passage, or no answer, with its score.
#[derive(Clone, Copy)]
struct Candidate {
    bytes: Option<Bytes>,
    start: f32,
    end: f32,
}

impl Candidate {
    fn score(&self) -> f32 {
        self.start + self.end
    }
}

impl WindowLogits<'_> {
    fn tokens(&self) -> usize {
        self.logits.len() / 2
    }

    fn logit(&self, token: usize, column: usize) -> f32 {
        self.logits[2 * token + column]
    }

    /// The tokens with the largest logits, the largest first; of equal ones the later first, as a reversed stable sort has them.
    fn largest(&self, column: usize, count: usize) -> Vec<usize> {
        let mut tokens: Vec<usize> = (0..self.tokens()).rev().collect();
        tokens.sort_by(|&one, &other| self.logit(other, column).total_cmp(&self.logit(one, column)));
        tokens.truncate(count);
        tokens
    }

    /// The passage from a token to another, where it is one.
    fn passage(&self, start: usize, end: usize, longest: usize) -> Option<Candidate> {
        if end < start || end - start + 1 > longest {
            return None;
        }
        let token = |token: usize| self.offsets.get(token.checked_sub(self.first)?);
        let bytes = (token(start)?.0, token(end)?.1);
        let (start, end) = (self.logit(start, 0), self.logit(end, 1));
        (bytes.0 < bytes.1).then_some(Candidate { bytes: Some(bytes), start, end })
    }

    /// No answer: the passage from the first token to itself.
    fn null(&self) -> Option<Candidate> {
        (self.tokens() > 0).then(|| Candidate { bytes: None, start: self.logit(0, 0), end: self.logit(0, 1) })
    }
}

impl Choice {
    /// The best of all windows of a context.
    pub fn best(&self, windows: &[WindowLogits<'_>]) -> Best {
        // Of equal scores the first counts, in the order of windows, beginnings and ends.
        let lower = |one: &Candidate, other: &Candidate| one.score() < other.score();
        let null =
            windows.iter().filter_map(WindowLogits::null).reduce(|least, one| if lower(&one, &least) { one } else { least });
        let null = null.filter(|_| self.no_answer != NoAnswer::Never);
        let mut passages: Vec<Candidate> = windows.iter().flat_map(|window| self.likely(window)).collect();
        if passages.is_empty() {
            let all = windows.iter().flat_map(|window| self.all(window));
            passages.extend(all.reduce(|best, one| if lower(&best, &one) { one } else { best }));
        }
        let mut candidates: Vec<Candidate> = passages.into_iter().chain(null).collect();
        candidates.sort_by(|one, other| other.score().total_cmp(&one.score()));
        let best = candidates.iter().find(|candidate| candidate.bytes.is_some()).copied();
        candidates.truncate(self.n_best_size);
        if !candidates.iter().any(|candidate| candidate.bytes.is_none()) {
            candidates.extend(null);
        }
        if let Some(best) = best.filter(|_| candidates.iter().all(|candidate| candidate.bytes.is_none())) {
            // Only where a single candidate is kept.
            candidates.push(best);
        }
        let largest = candidates.iter().map(Candidate::score).fold(f32::NEG_INFINITY, f32::max);
        let weight = |candidate: &Candidate| f64::from(candidate.score() - largest).exp();
        let sum: f64 = candidates.iter().map(weight).sum();
        let probability = |candidate: &Candidate| (weight(candidate) / sum) as f32;
        let difference = |null: &Candidate| best.map_or(f32::INFINITY, |best| null.score() - best.start - best.end);
        let null = null.map(|null| (probability(&null), difference(&null)));
        let is_empty = match (self.no_answer, null) {
            (NoAnswer::Above(threshold), Some((_, difference))) => difference > threshold,
            _ => best.is_none(),
        };
        Best { passage: best.and_then(|best| Some((best.bytes?, probability(&best)))), null, is_empty }
    }

    /// The passages between the most probable beginnings and ends of a window.
    fn likely(&self, window: &WindowLogits<'_>) -> Vec<Candidate> {
        let ends = window.largest(1, self.n_best_size);
        let starts = window.largest(0, self.n_best_size).into_iter();
        let pairs = starts.flat_map(|start| ends.iter().map(move |&end| (start, end)));
        pairs.filter_map(|(start, end)| window.passage(start, end, self.max_answer_length)).collect()
    }

    /// Every passage of a window.
    fn all<'a>(&self, window: &'a WindowLogits<'_>) -> impl Iterator<Item = Candidate> + 'a {
        let longest = self.max_answer_length;
        let tokens = window.tokens();
        let pairs =
            (0..tokens).flat_map(move |start| (start..tokens.min(start.saturating_add(longest))).map(move |end| (start, end)));
        pairs.filter_map(move |(start, end)| window.passage(start, end, longest))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const CHOICE: Choice = Choice { n_best_size: 20, max_answer_length: 3, no_answer: NoAnswer::Never };
    const OFFSETS: [Bytes; 3] = [(0, 2), (3, 5), (6, 9)];

    fn window(logits: &[f32]) -> WindowLogits<'_> {
        WindowLogits { logits, first: 2, offsets: &OFFSETS }
    }

    #[test]
    fn the_best_of_all_windows_is_taken_and_no_answer_where_it_may_be() {
        let one = [9.0, 9.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 2.0];
        let other = [1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 4.0, 0.0, 0.0, 1.5];
        let best = CHOICE.best(&[window(&one), window(&other)]);
        assert_eq!((best.passage.map(|(bytes, _)| bytes), best.null, best.is_empty), (Some((3, 9)), None, false));
        // The least certain window counts for no answer: 2 against 5.5.
        let may = |threshold| Choice { no_answer: NoAnswer::Above(threshold), ..CHOICE }.best(&[window(&one), window(&other)]);
        let best = may(0.0);
        assert_eq!((best.null.map(|(_, difference)| difference), best.is_empty), (Some(-3.5), false));
        assert!(may(-3.6).is_empty && !may(-3.5).is_empty);
    }

    #[test]
    fn there_is_a_passage_wherever_the_context_has_a_token() {
        // The most probable beginning and end are the wrong way round, or outside of the context.
        let turned = [0.0, 0.0, 0.0, 0.0, 0.0, 9.0, 0.0, 0.5, 9.0, 0.0];
        let outside = [9.0, 9.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0];
        for (logits, bytes) in [(turned, (0, 2)), (outside, (3, 5))] {
            for no_answer in [NoAnswer::Never, NoAnswer::Above(100.0)] {
                let best = Choice { n_best_size: 1, no_answer, ..CHOICE }.best(&[window(&logits)]);
                assert_eq!((best.passage.map(|(bytes, _)| bytes), best.is_empty), (Some(bytes), false), "{logits:?}");
            }
        }
        let nothing = WindowLogits { logits: &outside, first: 0, offsets: &[] };
        let best = CHOICE.best(&[nothing]);
        assert_eq!((best.passage, best.is_empty), (None, true));
        assert_eq!(CHOICE.best(&[]).passage, None);
    }

    /// Logits are exact; weights of a few exponentials agree to single precision.
    const PROBABILITY: f64 = 1e-6;

    /// The logits of a window, its first token of the context, and their offsets.
    fn window_of(text: &Value) -> (Vec<f32>, usize, Vec<Bytes>) {
        let tokens: Vec<[&str; 3]> = text
            .as_str()
            .expect("a window")
            .split(' ')
            .map(|token| token.splitn(3, ':').collect::<Vec<_>>().try_into().expect("offsets and two logits"))
            .collect();
        let logits = tokens.iter().flat_map(|token| [token[1], token[2]]);
        let logits = logits.map(|logit| logit.parse::<f32>().expect("a logit") / 64.0).collect();
        let first = tokens.iter().take_while(|token| token[0] == "-").count();
        let place = |text: &str| text.parse::<usize>().expect("a place");
        let offsets = tokens.iter().filter_map(|token| token[0].split_once('-').filter(|(start, _)| !start.is_empty()));
        (logits, first, offsets.map(|(start, end)| (place(start), place(end))).collect())
    }

    #[test]
    fn passages_are_chosen_as_transformers_chooses_them() {
        let golden: Value = serde_json::from_str(include_str!("../../tests/golden/passages.json")).expect("golden passages");
        let number = |value: &Value| value.as_f64().expect("a number");
        let (mut wrong, mut empty) = (Vec::new(), 0);
        let cases = golden["cases"].as_array().expect("cases");
        for case in cases {
            let choice = Choice {
                n_best_size: number(&case[0]) as usize,
                max_answer_length: number(&case[1]) as usize,
                no_answer: case[2].as_f64().map_or(NoAnswer::Never, |threshold| NoAnswer::Above(threshold as f32)),
            };
            let windows: Vec<(Vec<f32>, usize, Vec<Bytes>)> =
                case.as_array().expect("a case")[7..].iter().map(window_of).collect();
            let views: Vec<WindowLogits<'_>> =
                windows.iter().map(|(logits, first, offsets)| WindowLogits { logits, first: *first, offsets }).collect();
            let best = choice.best(&views);
            let (bytes, probability) = match best.passage.filter(|_| !best.is_empty) {
                Some(((start, end), probability)) => (json!([start, end]), probability),
                None => (json!([null, null]), best.null.map_or(f32::NAN, |(probability, _)| probability)),
            };
            empty += usize::from(best.is_empty);
            let difference = best.null.map(|(_, difference)| f64::from(difference));
            if bytes != json!([case[3], case[4]])
                || (f64::from(probability) - number(&case[5])).abs() > PROBABILITY
                || difference != case[6].as_f64()
            {
                wrong.push(format!("{best:?} of {case}"));
            }
        }
        assert!(wrong.is_empty(), "{} of {} wrong\n{}", wrong.len(), cases.len(), wrong.join("\n"));
        assert!(empty > 10, "{empty} of {} have no answer", cases.len());
    }

    #[test]
    fn tokens_without_text_are_no_passage() {
        let logits = [0.0, 0.0, 9.0, 9.0, 1.0, 1.0];
        let window = WindowLogits { logits: &logits, first: 1, offsets: &[(4, 4), (4, 6)] };
        // From the empty token on there is text; the empty token alone is none.
        assert_eq!(CHOICE.best(&[window]).passage.map(|(bytes, _)| bytes), Some((4, 6)));
    }
}
