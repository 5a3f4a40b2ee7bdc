//! What is done to the scores of the next token before one is chosen: each processor of transformers (`generation/logits_process.py`),
//! in the order of its `_get_logits_processor`. Knows no model and no text.

use super::settings::{Processing, Settings, Warping};

/// A continuation in whose view scores are processed.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'a> {
    /// Prompt and continuation.
    pub ids: &'a [u32],
    /// How many of them are the prompt, or the token that a text beside a source starts with.
    pub prompt: usize,
    /// The prompt, or the source.
    pub given: &'a [u32],
    /// How many new ones there may be.
    pub max_new_tokens: usize,
}

/// Processes the scores of the next token, one for each entry of the vocabulary: logits, or log-probabilities where beams are searched.
/// What may not come next gets minus infinity.
pub(super) fn process(settings: &Settings, view: View<'_>, scores: &mut [f32]) {
    let Processing { repetition_penalty, encoder_repetition_penalty, .. } = settings.processing;
    if encoder_repetition_penalty != 1.0 {
        penalize(1.0 / encoder_repetition_penalty, view.given, scores);
    }
    if repetition_penalty != 1.0 {
        penalize(repetition_penalty, view.ids, scores);
    }
    let Processing { no_repeat_ngram_size, encoder_no_repeat_ngram_size, .. } = settings.processing;
    if no_repeat_ngram_size > 0 {
        forbid_ngrams_of(view.ids, no_repeat_ngram_size, view.ids, scores);
    }
    if encoder_no_repeat_ngram_size > 0 {
        forbid_ngrams_of(view.given, encoder_no_repeat_ngram_size, view.ids, scores);
    }
    forbid_words(&settings.processing.bad_words_ids, view.ids, scores);
    if view.ids.len() - view.prompt < settings.fewest_new_tokens(view.prompt) {
        forbid(&settings.eos_token_id, scores);
    }
    force(&settings.processing, view, scores);
    forbid(&settings.processing.suppress_tokens, scores);
    if view.ids.len() == first_free(&settings.processing, view.prompt) {
        forbid(&settings.processing.begin_suppress_tokens, scores);
    }
    if let Some(warping) = &settings.warping {
        warp(warping, scores);
    }
    if settings.renormalize_logits {
        log_softmax(scores);
    }
}

/// Logarithms of the probabilities whose logits these were.
pub(super) fn log_softmax(scores: &mut [f32]) {
    let highest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = scores.iter().map(|score| f64::from((score - highest).exp())).sum();
    let normalizer = sum.ln() as f32;
    scores.iter_mut().for_each(|score| *score = *score - highest - normalizer);
}

/// The probabilities of scores, which add up in double precision: their sums are compared with random numbers.
pub(super) fn softmax(scores: &[f32]) -> Vec<f64> {
    let highest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut probabilities: Vec<f64> = scores.iter().map(|score| f64::from((score - highest).exp())).collect();
    let sum: f64 = probabilities.iter().sum();
    probabilities.iter_mut().for_each(|probability| *probability /= sum);
    probabilities
}

fn forbid(ids: &[u32], scores: &mut [f32]) {
    ids.iter().for_each(|id| scores[*id as usize] = f32::NEG_INFINITY);
}

/// `RepetitionPenaltyLogitsProcessor` and `EncoderRepetitionPenaltyLogitsProcessor`: every one of these tokens, once.
fn penalize(penalty: f64, ids: &[u32], scores: &mut [f32]) {
    let penalty = penalty as f32;
    let mut seen = ids.to_vec();
    seen.sort_unstable();
    seen.dedup();
    for id in seen {
        // A source may have tokens that cannot be written.
        let Some(score) = scores.get_mut(id as usize) else { continue };
        *score = if *score < 0.0 { *score * penalty } else { *score / penalty };
    }
}

/// `NoRepeatNGramLogitsProcessor` and `EncoderNoRepeatNGramLogitsProcessor`: whatever follows the last `size - 1` tokens in these others.
fn forbid_ngrams_of(others: &[u32], size: usize, ids: &[u32], scores: &mut [f32]) {
    let Some(first) = (ids.len() + 1).checked_sub(size) else { return };
    let beginning = &ids[first..];
    for ngram in others.windows(size).filter(|ngram| ngram.starts_with(beginning)) {
        if let Some(score) = scores.get_mut(ngram[size - 1] as usize) {
            *score = f32::NEG_INFINITY;
        }
    }
}

/// `NoBadWordsLogitsProcessor`: the last token of a sequence whose others stand at the end.
fn forbid_words(words: &[Vec<u32>], ids: &[u32], scores: &mut [f32]) {
    for word in words {
        if let Some((last, others)) = word.split_last()
            && ids.ends_with(others)
        {
            scores[*last as usize] = f32::NEG_INFINITY;
        }
    }
}

/// `ForcedBOSTokenLogitsProcessor` and `ForcedEOSTokenLogitsProcessor`.
fn force(processing: &Processing, view: View<'_>, scores: &mut [f32]) {
    let first = processing.forced_bos_token_id.filter(|_| view.ids.len() == 1);
    if first.is_some() {
        keep_alone(first.as_slice(), scores);
    }
    let is_last = view.ids.len() + 1 == view.prompt + view.max_new_tokens;
    if is_last && !processing.forced_eos_token_id.is_empty() {
        keep_alone(&processing.forced_eos_token_id, scores);
    }
}

fn keep_alone(ids: &[u32], scores: &mut [f32]) {
    scores.fill(f32::NEG_INFINITY);
    ids.iter().for_each(|id| scores[*id as usize] = 0.0);
}

/// The length before the first token that is not forced.
fn first_free(processing: &Processing, prompt: usize) -> usize {
    if prompt > 1 || processing.forced_bos_token_id.is_none() { prompt } else { prompt + 1 }
}

/// Temperature, `TopKLogitsWarper`, `TopPLogitsWarper` and `MinPLogitsWarper`.
fn warp(warping: &Warping, scores: &mut [f32]) {
    let Warping { temperature, top_k, top_p, min_p, min_tokens_to_keep } = *warping;
    if temperature != 1.0 {
        scores.iter_mut().for_each(|score| *score /= temperature as f32);
    }
    if top_k > 0 {
        keep_top_k(top_k.max(min_tokens_to_keep), scores);
    }
    if top_p < 1.0 {
        keep_top_p(top_p, min_tokens_to_keep, scores);
    }
    if min_p > 0.0 {
        keep_min_p(min_p, min_tokens_to_keep, scores);
    }
}

/// What is as probable as the `count`-th is kept, so more than `count` where several are equal.
fn keep_top_k(count: usize, scores: &mut [f32]) {
    if count >= scores.len() {
        return;
    }
    let mut sorted = scores.to_vec();
    let (_, lowest, _) = sorted.select_nth_unstable_by(count - 1, |left, right| right.total_cmp(left));
    let lowest = *lowest;
    scores.iter_mut().filter(|score| **score < lowest).for_each(|score| *score = f32::NEG_INFINITY);
}

/// The tokens that are possible, the least probable first.
fn ascending(scores: &[f32]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scores.len()).filter(|place| scores[*place] > f32::NEG_INFINITY).collect();
    order.sort_by(|left, right| scores[*left].total_cmp(&scores[*right]));
    order
}

/// From the least probable on, all go that together have no more than what is to be left out.
fn keep_top_p(top_p: f64, fewest: usize, scores: &mut [f32]) {
    let order = ascending(scores);
    let probabilities = softmax(scores);
    let left_out = (1.0 - top_p) as f32;
    let mut sum = 0.0;
    for place in &order[..order.len().saturating_sub(fewest)] {
        sum += probabilities[*place];
        if sum as f32 > left_out {
            break;
        }
        scores[*place] = f32::NEG_INFINITY;
    }
}

fn keep_min_p(min_p: f64, fewest: usize, scores: &mut [f32]) {
    let order = ascending(scores);
    let probabilities = softmax(scores);
    let Some(highest) = order.last().map(|place| probabilities[*place]) else { return };
    let lowest = min_p as f32 * highest as f32;
    for place in &order[..order.len().saturating_sub(fewest)] {
        if (probabilities[*place] as f32) < lowest {
            scores[*place] = f32::NEG_INFINITY;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::options::GenerationOptions;
    use super::super::settings::Limits;
    use super::*;

    const LIMITS: Limits = Limits { vocabulary: 4, positions: 20, source_positions: None, start: None };

    #[test]
    fn what_is_not_to_come_first_is_kept_away_behind_a_token_that_is_forced() {
        let suppressed = GenerationOptions { begin_suppress_tokens: Some(vec![2]), ..GenerationOptions::default() };
        let forced = GenerationOptions { forced_bos_token_id: Some(3), ..suppressed.clone() };
        let none = f32::NEG_INFINITY;
        for (options, prompt, ids, expected) in [
            (&suppressed, 1, &[0][..], [1.0, 2.0, none, 4.0]),
            (&suppressed, 1, &[0, 0], [1.0, 2.0, 3.0, 4.0]),
            (&suppressed, 2, &[0, 0], [1.0, 2.0, none, 4.0]),
            (&forced, 1, &[0], [none, none, none, 0.0]),
            (&forced, 1, &[0, 3], [1.0, 2.0, none, 4.0]),
            (&forced, 1, &[0, 3, 0], [1.0, 2.0, 3.0, 4.0]),
            // Behind a longer prompt nothing is forced.
            (&forced, 2, &[0, 0], [1.0, 2.0, none, 4.0]),
            (&forced, 2, &[0, 0, 0], [1.0, 2.0, 3.0, 4.0]),
        ] {
            let settings = Settings::new(options, &GenerationOptions::default(), LIMITS).expect("settings");
            let mut scores = [1.0, 2.0, 3.0, 4.0];
            process(&settings, View { ids, prompt, given: &[], max_new_tokens: 9 }, &mut scores);
            assert_eq!(scores, expected, "{options:?} {prompt} {ids:?}");
        }
    }
}
