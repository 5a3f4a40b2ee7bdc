//! Words that were masked, guessed from those around them (Devlin and others, 2019, section 3.1): texts without labels, to learn a
//! domain from. Knows nothing of how tokens become vectors.

use graftling_models::{Head, Model};
use graftling_tensor::{Graph, TokenLoss, Var};
use graftling_text::{TextInput, Tokenizer};

use super::class_logits::softmax_at;
use super::next_tokens::NextTokens;
use super::{Answer, CardWords, Judged, Objective, Spoken, Target, Verdict};
use crate::data::Data;
use crate::decisions::Decisions;
use crate::error::LanguageError;
use crate::evaluate::ScoredBatch;
use crate::features::{Features, Packed, Tokenized, Wanted};
use crate::inference::Batch;
use crate::metrics::{LanguageMetrics, LanguageSample, Metrics, Resampled};
use crate::predict::Guess;
use crate::recipe::{BestMetric, Recipe};
use crate::{Error, Said, random};

/// Of the tokens that were chosen, how many are masked.
const MASKED: f64 = 0.8;
/// And how many are masked or replaced by any token; the others are left as they are.
const MASKED_OR_REPLACED: f64 = 0.9;
/// How many guesses a person is told for each mask.
const GUESSES: usize = 5;

/// Which tokens are guessed.
pub(super) struct MaskedLm {
    probability: f64,
    whole_words: bool,
    mask: String,
    mask_id: u32,
    special_ids: Vec<u32>,
    vocabulary_size: usize,
    tokens: NextTokens,
}

impl MaskedLm {
    /// As a recipe says, where there is one; [`meet`](Objective::meet) tells it the rest.
    pub fn new(recipe: Option<&Recipe>) -> Self {
        Self {
            probability: recipe.map_or(0.15, |recipe| f64::from(recipe.mask_probability)),
            whole_words: recipe.is_some_and(|recipe| recipe.whole_word_masking),
            mask: String::new(),
            mask_id: 0,
            special_ids: Vec::new(),
            vocabulary_size: 0,
            tokens: NextTokens::default(),
        }
    }

    /// The tokens that are guessed together: those of a word, or each by itself.
    fn units(&self, features: &Features, word_ids: &[Option<u32>]) -> Vec<Vec<usize>> {
        let mut units: Vec<Vec<usize>> = Vec::new();
        let mut last = None;
        for (token, word) in word_ids.iter().enumerate() {
            let of_text = word.is_some() && self.special_ids.binary_search(&features.input_ids[token]).is_err();
            match units.last_mut() {
                Some(unit) if self.whole_words && of_text && last == *word => unit.push(token),
                _ if of_text => units.push(vec![token]),
                _ => {}
            }
            last = if of_text { *word } else { None };
        }
        units
    }
}

impl Objective for MaskedLm {
    fn head(&self) -> Head {
        Head::MaskedLanguageModelling
    }

    fn labels(&self) -> &[String] {
        &[]
    }

    fn card(&self) -> CardWords {
        let gives = "the most probable words in the place of a mask";
        CardWords::of_texts("fill-mask", "AutoModelForMaskedLM", "Masked language model", gives)
    }

    fn meet(&mut self, tokenizer: &Tokenizer) -> Result<(), Error> {
        (self.mask, self.mask_id) = tokenizer.mask_token().ok_or(LanguageError::NoMaskToken)?;
        self.special_ids = tokenizer.special_ids();
        self.vocabulary_size = tokenizer.vocabulary_size();
        Ok(())
    }

    fn recall(&mut self, model: &Model) {
        self.tokens.recall(model);
    }

    fn drawn(&self, features: &Features, key: u64) -> Option<(Features, Target)> {
        let units = self.units(features, features.word_ids.as_ref()?);
        let draw = |kind: u64, place: usize| share(random::key(key, &[kind, place as u64]));
        let chosen = |unit: &&Vec<usize>| draw(0, unit[0]) < self.probability;
        let mut tokens: Vec<usize> = units.iter().filter(chosen).flatten().copied().collect();
        if tokens.is_empty() {
            // A short text may have no luck; there is something to guess in each.
            let least = units.iter().min_by(|one, other| draw(0, one[0]).total_cmp(&draw(0, other[0])));
            tokens = least.cloned().unwrap_or_default();
        }
        let truths = tokens.iter().map(|&token| features.input_ids[token]).collect();
        let mut drawn = Features { word_ids: None, ..features.clone() };
        for &token in &tokens {
            let fate = draw(1, token);
            if fate < MASKED {
                drawn.input_ids[token] = self.mask_id;
            } else if fate < MASKED_OR_REPLACED {
                drawn.input_ids[token] = (draw(2, token) * self.vocabulary_size as f64) as u32;
            }
        }
        drawn.wanted = Some(Wanted { tokens, words: Vec::new() });
        Some((drawn, Target::Tokens(truths)))
    }

    fn ask(&self, inputs: &[TextInput<'_>], tokenized: &mut Tokenized) -> Result<(), Error> {
        for features in &mut tokenized.features {
            let masked = features.input_ids.iter().enumerate().filter(|(_, id)| **id == self.mask_id);
            features.wanted = Some(Wanted { tokens: masked.map(|(token, _)| token).collect(), words: Vec::new() });
        }
        for (text, input) in inputs.iter().enumerate() {
            if tokenized.windows(text).iter().all(|window| window.rows() == 0) {
                let beginning = input.text.chars().take(40).collect();
                return Err(LanguageError::NothingMasked { index: text + 1, text: beginning, mask: self.mask.clone() }.into());
            }
        }
        Ok(())
    }

    fn targets(&self, data: &Data) -> Result<Vec<Target>, Error> {
        let Data::Plain(texts) = data else { panic!("masked language modelling: examples of another form") };
        Ok(vec![Target::Tokens(Vec::new()); texts.examples.len()])
    }

    /// Vectors: the logits of all masks of a batch over a whole vocabulary may be the largest thing in memory.
    fn output(&self, model: &Model, graph: &Graph<'_>, packed: &Packed) -> Var {
        model.forward_vectors(graph, &packed.batch)
    }

    fn loss(&self, graph: &Graph<'_>, vectors: &Var, targets: &[&Target], normalizer: f32) -> Var {
        self.tokens.loss(graph, vectors, targets, normalizer)
    }

    fn answer(&self, _: &[f32], _: usize, _: &[Features]) -> Answer {
        panic!("masked language modelling: vectors are no answer")
    }

    fn answers(&self, batch: &Batch<'_>) -> Vec<Answer> {
        let mut guessed = Vec::new();
        self.tokens.each_logits(batch, |logits| guessed.push(guesses(logits)));
        let mut rest = guessed.into_iter();
        let mut answers = Vec::with_capacity(batch.texts.len());
        batch.each(|_, vectors| answers.push(Answer::Tokens(rest.by_ref().take(vectors.len() / batch.columns()).collect())));
        answers
    }

    /// Of each mask the best guess alone, which is what is compared with the truth.
    fn scored(&self, batch: &Batch<'_>, targets: &[&Target]) -> ScoredBatch {
        let texts = self.tokens.losses(batch, targets);
        let losses: Vec<f64> = texts.iter().map(|text| text.iter().map(|token| f64::from(token.loss)).sum()).collect();
        let best = |text: &Vec<TokenLoss>| text.iter().map(|token| vec![(token.best, token.probability)]).collect();
        ScoredBatch { answers: texts.iter().map(|text| Answer::Tokens(best(text))).collect(), loss: losses.iter().sum(), losses }
    }

    fn say(&self, answer: &Answer, of: &Spoken<'_>) -> Said {
        let tokenizer = of.tokenizer.expect("masked language modelling: a tokenizer");
        let unknown = tokenizer.unknown_id();
        let masked = of.windows.iter().flat_map(|window| {
            let places = window.wanted.iter().flat_map(|wanted| &wanted.tokens);
            places.map(|&place| (window.input_ids.as_slice(), place))
        });
        let of_mask = |(input_ids, place): (&[u32], usize), guesses: &[(u32, f32)]| {
            let mut filled = input_ids.to_vec();
            let others = filled.iter().filter(|id| **id == self.mask_id).count() > 1;
            // Masks and unknown words are special tokens too; what is still to be filled, or cannot be told, is shown.
            let shown = |id: &u32| (others && *id == self.mask_id) || Some(*id) == unknown;
            let left_out: Vec<u32> = self.special_ids.iter().copied().filter(|id| !shown(id)).collect();
            let guess = |&(token, probability): &(u32, f32)| {
                filled[place] = token;
                let sequence = tokenizer.text_of(&filled, &left_out);
                Guess { token: tokenizer.token_text(token).unwrap_or_default(), probability, sequence }
            };
            guesses.iter().map(guess).collect()
        };
        Said::Masks { masks: masked.zip(best(answer)).map(|(mask, guesses)| of_mask(mask, guesses)).collect() }
    }

    fn metrics(&self, _: &Decisions, answers: &[Answer], targets: &[Target], loss: f64) -> Metrics {
        let counts = counts(answers, targets);
        let (tokens, right) = counts.iter().fold((0, 0), |sum, (tokens, right)| (sum.0 + tokens, sum.1 + right));
        Metrics::Language(LanguageMetrics::new(targets.len() as u64, tokens as u64, right as u64, loss))
    }

    fn sample(&self, answers: &[Answer], targets: &[Target], losses: Vec<f64>) -> Box<dyn Resampled> {
        Box::new(LanguageSample::new(&counts(answers, targets), losses))
    }

    fn has_own_losses(&self) -> bool {
        true
    }

    /// Which guesses were right and how sure they were; no text is shown, for other words are hidden in it next time.
    fn judged(&self, answer: &Answer, target: &Target) -> Option<Judged> {
        let guesses = best(answer).iter().zip(target.tokens());
        let decisions = guesses.map(|(guesses, truth)| (guesses[0].1, guesses[0].0 == *truth)).collect();
        Some(Judged { verdict: Verdict::Open, decisions, numbers: Vec::new() })
    }

    fn best_metrics(&self) -> &'static [BestMetric] {
        &[BestMetric::Loss, BestMetric::Accuracy]
    }
}

/// How many tokens of each text were guessed, and how many of them right.
fn counts(answers: &[Answer], targets: &[Target]) -> Vec<(usize, usize)> {
    let of_text = |(answer, target): (&Answer, &Target)| {
        let truths = target.tokens();
        let said = best(answer).iter().map(|guesses| guesses[0].0);
        (truths.len(), said.zip(truths).filter(|(said, truth)| said == *truth).count())
    };
    answers.iter().zip(targets).map(of_text).collect()
}

/// The most probable tokens by their logits with their probabilities, the best first; of equal ones the first of the vocabulary.
fn guesses(logits: &[f32]) -> Vec<(u32, f32)> {
    let mut best: Vec<usize> = Vec::with_capacity(GUESSES + 1);
    for (token, logit) in logits.iter().enumerate() {
        let place = best.partition_point(|other| logits[*other] >= *logit);
        if place < GUESSES {
            best.insert(place, token);
            best.truncate(GUESSES);
        }
    }
    let probabilities = softmax_at(1.0, logits);
    best.into_iter().map(|token| (token as u32, probabilities[token])).collect()
}

fn best(answer: &Answer) -> &[Vec<(u32, f32)>] {
    match answer {
        Answer::Tokens(best) => best,
        other => panic!("masked language modelling: {other:?}"),
    }
}

/// A number from 0 and below 1.
fn share(key: u64) -> f64 {
    (key >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const MASK: u32 = 4;

    fn objective(probability: f64, whole_words: bool) -> MaskedLm {
        let special_ids = vec![0, 1, 2, 3, MASK];
        let (mask, tokens) = ("[MASK]".to_owned(), NextTokens::default());
        MaskedLm { probability, whole_words, mask, mask_id: MASK, special_ids, vocabulary_size: 1000, tokens }
    }

    /// Two hundred tokens between special ones: words of one, two and three tokens in turn, and a special token in the text itself.
    fn features() -> Features {
        let mut word_ids = vec![None];
        (0..100_u32).for_each(|word| word_ids.extend(std::iter::repeat_n(Some(word), 1 + word as usize % 3)));
        word_ids.push(None);
        let mut input_ids: Vec<u32> = (0..word_ids.len() as u32).map(|token| 100 + token).collect();
        input_ids[0] = 2;
        input_ids[7] = 3;
        *input_ids.last_mut().unwrap() = 3;
        let token_type_ids = vec![0; input_ids.len()];
        Features {
            input_ids,
            token_type_ids,
            truncated_tokens: 0,
            wanted: None,
            word_ids: Some(word_ids),
            passages: None,
            source: None,
        }
    }

    fn drawn(objective: &MaskedLm, key: u64) -> (Features, Vec<u32>) {
        let Some((features, Target::Tokens(truths))) = objective.drawn(&features(), key) else { panic!("tokens") };
        (features, truths)
    }

    #[test]
    fn tokens_are_chosen_masked_and_replaced_in_the_shares_of_the_paper() {
        let given = features();
        let [mut chosen, mut masked, mut left] = [0.0; 3];
        for key in 0..400 {
            let (features, truths) = drawn(&objective(0.15, false), key);
            let tokens = features.wanted.unwrap().tokens;
            assert_eq!(tokens.iter().map(|&token| given.input_ids[token]).collect::<Vec<_>>(), truths);
            assert!(!tokens.contains(&0) && !tokens.contains(&7) && !tokens.contains(&(given.input_ids.len() - 1)));
            for (token, (now, before)) in features.input_ids.iter().zip(&given.input_ids).enumerate() {
                assert!(tokens.contains(&token) || now == before, "{token}");
            }
            chosen += tokens.len() as f64;
            masked += tokens.iter().filter(|&&token| features.input_ids[token] == MASK).count() as f64;
            left += tokens.iter().filter(|&&token| features.input_ids[token] == given.input_ids[token]).count() as f64;
        }
        // Of 199 tokens a text, 400 times: a share is known to about one in a hundred of the twelve thousand that are chosen.
        assert!((chosen / (400.0 * 198.0) - 0.15).abs() < 0.005, "{chosen}");
        assert!((masked / chosen - 0.8).abs() < 0.015, "{}", masked / chosen);
        assert!((left / chosen - 0.1).abs() < 0.015, "{}", left / chosen);
    }

    #[test]
    fn what_is_drawn_follows_from_the_key_and_there_is_always_something() {
        let objective = objective(0.15, false);
        assert_eq!(drawn(&objective, 5).0.input_ids, drawn(&objective, 5).0.input_ids);
        assert_ne!(drawn(&objective, 5).1, drawn(&objective, 6).1);
        let rare = super::tests::objective(1e-9, false);
        assert!((0..20).all(|key| drawn(&rare, key).1.len() == 1));
    }

    #[test]
    fn whole_words_are_guessed_together() {
        let given = features();
        let words = given.word_ids.as_ref().unwrap();
        for key in 0..50 {
            let tokens = drawn(&objective(0.3, true), key).0.wanted.unwrap().tokens;
            for token in 0..words.len() {
                // Token 7 is special, and so the word around it falls apart.
                let same = words[token].is_some() && words[token] == words.get(token + 1).copied().flatten();
                if same && ![6, 7].contains(&token) {
                    assert_eq!(tokens.contains(&token), tokens.contains(&(token + 1)), "{key}: {token}");
                }
            }
        }
    }

    #[test]
    fn guesses_come_with_the_most_probable_first() {
        let rows = [[0.0, 3.0, 1.0, 2.0, -1.0, -2.0], [0.0, 0.0, 9.0, 0.0, 0.0, 0.0]].map(|logits| guesses(&logits));
        let tokens = rows.each_ref().map(|guesses| guesses.iter().map(|(token, _)| *token).collect::<Vec<u32>>());
        assert_eq!(tokens, [[1, 3, 2, 0, 4], [2, 0, 1, 3, 4]]);
        assert_eq!(rows[1][0].1, softmax_at(1.0, &[0.0, 0.0, 9.0, 0.0, 0.0, 0.0])[2]);
        let targets = [Target::Tokens(vec![1, 0])];
        let answers = [Answer::Tokens(rows.to_vec())];
        let Metrics::Language(metrics) = objective(0.15, false).metrics(&Decisions::default(), &answers, &targets, 1.0) else {
            panic!("language")
        };
        assert_eq!((metrics.tokens, metrics.accuracy), (2, 0.5));
    }
}
