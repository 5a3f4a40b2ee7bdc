//! Options that are complete and consistent: what was asked for over what the folder says over what transformers has. Knows no text.

use graftling_models::{DecoderFacts, ModelFacts};

use super::options::{EarlyStopping, GenerationOptions};
use super::problem::{GenerationError, LengthLimit, OptionProblem};

/// How many tokens are generated where nobody says it, as in transformers.
const USUAL_NEW_TOKENS: usize = 20;
/// The most tokens that are drawn from where nobody says it, as in transformers.
const USUAL_TOP_K: usize = 50;
/// More beams or continuations than this are a slip of the pen.
const MOST_SEQUENCES: usize = 1024;

/// What a model can read and write.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// How many token ids it can write.
    pub vocabulary: usize,
    /// The longest text, with what stands before it.
    pub positions: usize,
    /// The longest source of a model that writes one text from another.
    pub source_positions: Option<usize>,
    /// The id that a text starts with where that is none of the vocabulary.
    pub start: Option<u32>,
}

impl Limits {
    pub fn of(facts: &ModelFacts) -> Self {
        match facts.decoder {
            Some(decoder @ DecoderFacts { vocabulary_size: vocabulary, start, .. }) => {
                Self { vocabulary, positions: decoder.longest(), source_positions: Some(facts.longest()), start }
            }
            None => {
                let (vocabulary, positions) = (facts.vocabulary_size, facts.longest());
                Self { vocabulary, positions, source_positions: None, start: None }
            }
        }
    }
}

/// How to generate, complete and checked.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub search: Search,
    pub num_return_sequences: usize,
    pub eos_token_id: Vec<u32>,
    pub stop_strings: Vec<String>,
    pub processing: Processing,
    pub warping: Option<Warping>,
    pub renormalize_logits: bool,
    /// The token that a text beside a source starts with; none without a source.
    pub decoder_start_token_id: Option<u32>,
    limits: Limits,
    max_length: MaxLength,
    min_length: MinLength,
}

/// How tokens are chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Search {
    /// The most probable one at each step.
    Greedy,
    /// Drawn by its probability.
    Sampling { seed: u64 },
    /// Several continuations side by side; with a seed their tokens are drawn.
    Beams { num_beams: usize, length_penalty: f64, early_stopping: EarlyStopping, seed: Option<u64> },
}

/// What is done to scores whatever the search.
#[derive(Clone, Debug)]
pub(super) struct Processing {
    pub repetition_penalty: f64,
    pub encoder_repetition_penalty: f64,
    pub no_repeat_ngram_size: usize,
    pub encoder_no_repeat_ngram_size: usize,
    /// Without those that are an end token alone.
    pub bad_words_ids: Vec<Vec<u32>>,
    pub suppress_tokens: Vec<u32>,
    pub begin_suppress_tokens: Vec<u32>,
    pub forced_bos_token_id: Option<u32>,
    pub forced_eos_token_id: Vec<u32>,
}

/// What is done to scores before a token is drawn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Warping {
    pub temperature: f64,
    /// 0: all.
    pub top_k: usize,
    pub top_p: f64,
    pub min_p: f64,
    /// Beams need several tokens to go on with.
    pub min_tokens_to_keep: usize,
}

#[derive(Clone, Copy, Debug)]
enum MaxLength {
    /// So many new ones, which must fit.
    New(usize),
    /// With the prompt, as far as the model can read.
    Whole(usize),
    /// Nobody said anything: as many as usual, if there is room.
    Usual,
}

#[derive(Clone, Copy, Debug)]
enum MinLength {
    New(usize),
    /// With the prompt.
    Whole(usize),
}

impl Settings {
    /// Completes what was asked for. Contradictions within it are refused; what the folder says beside the point is left alone, as in
    /// transformers.
    pub fn new(asked: &GenerationOptions, folder: &GenerationOptions, limits: Limits) -> Result<Self, GenerationError> {
        let mut options = asked.or(folder);
        // What is asked for goes before all that the folder says of the same thing.
        if asked.max_new_tokens.is_none() && asked.max_length.is_some() {
            options.max_new_tokens = None;
        }
        if asked.min_new_tokens.is_none() && asked.min_length.is_some() {
            options.min_new_tokens = None;
        }
        // What the folder says of drawing is beside the point where nothing is drawn.
        if options.do_sample != Some(true) {
            let GenerationOptions { temperature, top_k, top_p, min_p, seed, num_return_sequences, .. } = asked.clone();
            let returned = if options.num_beams.unwrap_or(1) == 1 { num_return_sequences } else { options.num_return_sequences };
            options = GenerationOptions { temperature, top_k, top_p, min_p, seed, num_return_sequences: returned, ..options };
        }
        let mut problems = Problems::default();
        problems.check_ranges(&options, limits);
        problems.check_start(asked, &options, limits);
        problems.check_together(asked, &options);
        if !problems.0.is_empty() {
            return Err(GenerationError::Options(problems.0));
        }

        let eos_token_id = options.eos_token_id.unwrap_or_default();
        let draws = options.do_sample.unwrap_or(false);
        let seed = options.seed.unwrap_or(0);
        let num_beams = options.num_beams.unwrap_or(1);
        let search = match (num_beams, draws) {
            (1, false) => Search::Greedy,
            (1, true) => Search::Sampling { seed },
            _ => Search::Beams {
                num_beams,
                length_penalty: options.length_penalty.unwrap_or(1.0),
                early_stopping: options.early_stopping.unwrap_or(EarlyStopping::Heuristic),
                seed: draws.then_some(seed),
            },
        };
        let is_end = |words: &[u32]| matches!(words, [one] if eos_token_id.contains(one));
        let processing = Processing {
            repetition_penalty: options.repetition_penalty.unwrap_or(1.0),
            encoder_repetition_penalty: options.encoder_repetition_penalty.unwrap_or(1.0),
            no_repeat_ngram_size: options.no_repeat_ngram_size.unwrap_or(0),
            encoder_no_repeat_ngram_size: options.encoder_no_repeat_ngram_size.unwrap_or(0),
            bad_words_ids: options.bad_words_ids.unwrap_or_default().into_iter().filter(|words| !is_end(words)).collect(),
            suppress_tokens: options.suppress_tokens.unwrap_or_default(),
            begin_suppress_tokens: options.begin_suppress_tokens.unwrap_or_default(),
            forced_bos_token_id: options.forced_bos_token_id,
            forced_eos_token_id: options.forced_eos_token_id.unwrap_or_default(),
        };
        let warping = Warping {
            temperature: options.temperature.unwrap_or(1.0),
            top_k: options.top_k.unwrap_or(USUAL_TOP_K),
            top_p: options.top_p.unwrap_or(1.0),
            min_p: options.min_p.unwrap_or(0.0),
            min_tokens_to_keep: match (num_beams, eos_token_id.len()) {
                (1, _) => 1,
                (_, 0) => 2,
                (_, ends) => ends + 1,
            },
        };
        Ok(Self {
            search,
            num_return_sequences: options.num_return_sequences.unwrap_or(1),
            stop_strings: options.stop_strings.unwrap_or_default(),
            processing,
            warping: draws.then_some(warping),
            renormalize_logits: options.renormalize_logits.unwrap_or(false),
            decoder_start_token_id: options.decoder_start_token_id.filter(|_| limits.source_positions.is_some()),
            limits,
            max_length: match (options.max_new_tokens, options.max_length) {
                (Some(new), _) => MaxLength::New(new),
                (None, Some(whole)) => MaxLength::Whole(whole),
                (None, None) => MaxLength::Usual,
            },
            min_length: match (options.min_new_tokens, options.min_length) {
                (Some(new), _) => MinLength::New(new),
                (None, whole) => MinLength::Whole(whole.unwrap_or(0)),
            },
            eos_token_id,
        })
    }

    /// How many tokens there may be behind a prompt of so many, or from a source of so many, at the `index`-th place from 1.
    pub fn new_tokens(&self, index: usize, tokens: usize) -> Result<usize, GenerationError> {
        if let Some(positions) = self.limits.source_positions {
            return match tokens > positions {
                true => Err(GenerationError::SourceTooLong { index, tokens, positions }),
                false => Ok(self.new_tokens_from_a_source()),
            };
        }
        let positions = self.limits.positions;
        let left = |limit: usize, kind: fn(usize) -> LengthLimit| match limit.checked_sub(tokens) {
            None | Some(0) => Err(GenerationError::PromptTooLong { index, tokens, limit: kind(limit) }),
            Some(left) => Ok(left),
        };
        let possible = left(positions, LengthLimit::Positions)?;
        match self.max_length {
            MaxLength::New(new) if new > possible => {
                Err(GenerationError::NoRoom { index, tokens, max_new_tokens: new, positions })
            }
            MaxLength::New(new) => Ok(new),
            MaxLength::Whole(whole) => Ok(left(whole, LengthLimit::MaxLength)?.min(possible)),
            MaxLength::Usual => Ok(USUAL_NEW_TOKENS.min(possible)),
        }
    }

    /// How many tokens there may be in a text beside a source, whatever the source, without the one that it starts with. What does not fit was
    /// refused.
    fn new_tokens_from_a_source(&self) -> usize {
        let possible = self.limits.positions - 1;
        match self.max_length {
            MaxLength::New(new) => new,
            MaxLength::Whole(whole) => (whole - 1).min(possible),
            MaxLength::Usual => USUAL_NEW_TOKENS.min(possible),
        }
    }

    /// How many tokens there are at least behind a prompt of so many.
    pub fn fewest_new_tokens(&self, tokens: usize) -> usize {
        match self.min_length {
            MinLength::New(new) => new,
            MinLength::Whole(whole) => whole.saturating_sub(tokens),
        }
    }

    /// How many continuations of a prompt are worked on side by side.
    pub fn width(&self) -> usize {
        match self.search {
            Search::Beams { num_beams, .. } => num_beams,
            Search::Greedy | Search::Sampling { .. } => self.num_return_sequences,
        }
    }
}

#[derive(Default)]
struct Problems(Vec<OptionProblem>);

impl Problems {
    fn accept(&mut self, option: &str, found: Option<impl ToString>, accepts: impl FnOnce() -> bool, accepted: &str) {
        if let Some(found) = found.filter(|_| !accepts()) {
            let (option, accepted) = (option.to_owned(), accepted.to_owned());
            self.0.push(OptionProblem::NotAccepted { option, found: found.to_string(), accepted });
        }
    }

    fn check_ranges(&mut self, options: &GenerationOptions, Limits { vocabulary, start, .. }: Limits) {
        let sequences = format!("a whole number from 1 to {MOST_SEQUENCES}");
        for (option, found, most, accepted) in [
            ("max_new_tokens", options.max_new_tokens, usize::MAX, "a whole number from 1"),
            ("max_length", options.max_length, usize::MAX, "a whole number from 1"),
            ("num_beams", options.num_beams, MOST_SEQUENCES, &sequences),
            ("num_return_sequences", options.num_return_sequences, MOST_SEQUENCES, &sequences),
        ] {
            self.accept(option, found, || found.is_none_or(|found| (1..=most).contains(&found)), accepted);
        }
        // As numbers of single precision, which is what logits are divided by.
        let positive = |number: f64| number as f32 > 0.0 && (number as f32).is_finite();
        let share = |number: f64| (0.0..=1.0).contains(&number);
        type Accepts = fn(f64) -> bool;
        for (option, found, accepts, accepted) in [
            (
                "temperature",
                options.temperature,
                positive as Accepts,
                "a number above 0 (do_sample false takes the most probable token)",
            ),
            ("repetition_penalty", options.repetition_penalty, positive, "a number above 0"),
            ("encoder_repetition_penalty", options.encoder_repetition_penalty, positive, "a number above 0"),
            ("top_p", options.top_p, share, "a number from 0 to 1"),
            ("min_p", options.min_p, share, "a number from 0 to 1"),
            ("length_penalty", options.length_penalty, f64::is_finite, "a number"),
        ] {
            self.accept(option, found, || found.is_none_or(accepts), accepted);
        }
        let below = format!("token ids below {vocabulary}");
        let ids = |ids: &[u32]| ids.iter().find(|id| **id as usize >= vocabulary).copied();
        let started = options.decoder_start_token_id.filter(|id| Some(*id) != start);
        let [start, forced] = [started, options.forced_bos_token_id].map(|id| id.map(|id| vec![id]));
        for (option, given) in [
            ("eos_token_id", &options.eos_token_id),
            ("suppress_tokens", &options.suppress_tokens),
            ("begin_suppress_tokens", &options.begin_suppress_tokens),
            ("decoder_start_token_id", &start),
            ("forced_bos_token_id", &forced),
            ("forced_eos_token_id", &options.forced_eos_token_id),
        ] {
            self.accept(option, given.as_deref().and_then(ids), || false, &below);
        }
        let words = options.bad_words_ids.iter().flatten();
        self.accept("bad_words_ids", words.clone().find_map(|words| ids(words)), || false, &below);
        self.accept(
            "bad_words_ids",
            words.clone().find(|words| words.is_empty()).map(|_| "[]"),
            || false,
            "lists of at least one id",
        );
        let empty = options.stop_strings.iter().flatten().find(|stop| stop.is_empty());
        self.accept("stop_strings", empty.map(|_| "\"\""), || false, "texts of at least one character");
    }

    /// What a text beside a source starts with, and how long it may be with that.
    fn check_start(&mut self, asked: &GenerationOptions, options: &GenerationOptions, limits: Limits) {
        let Limits { vocabulary, positions, source_positions, .. } = limits;
        if source_positions.is_none() {
            let reason = "its texts begin with their prompts; leave it out";
            let is_given = asked.decoder_start_token_id.is_some();
            return self.refuse("decoder_start_token_id", is_given, "a causal language model", reason);
        }
        let missing = options.decoder_start_token_id.is_none().then_some("none");
        let accepted =
            format!("a token id below {vocabulary}: the model's folder does not name the token that a text starts with");
        self.accept("decoder_start_token_id", missing, || false, &accepted);
        let possible = positions.saturating_sub(1);
        let too_many = options.max_new_tokens.filter(|new| *new > possible);
        let accepted = format!(
            "a whole number from 1 to {possible}: the decoder has {positions} positions, and the token that a text starts with takes one"
        );
        self.accept("max_new_tokens", too_many, || false, &accepted);
        let too_short = options.max_length.filter(|whole| *whole == 1 && options.max_new_tokens.is_none());
        self.accept("max_length", too_short, || false, "a whole number from 2: the token that a text starts with counts");
    }

    fn refuse(&mut self, option: &'static str, is_given: bool, other: &str, reason: &'static str) {
        if is_given {
            self.0.push(OptionProblem::Contradiction { option, other: other.to_owned(), reason });
        }
    }

    /// What was asked for, against everything that holds.
    fn check_together(&mut self, asked: &GenerationOptions, options: &GenerationOptions) {
        if options.do_sample != Some(true) {
            for (option, is_given) in [
                ("temperature", asked.temperature.is_some()),
                ("top_k", asked.top_k.is_some()),
                ("top_p", asked.top_p.is_some()),
                ("min_p", asked.min_p.is_some()),
                ("seed", asked.seed.is_some()),
            ] {
                self.refuse(option, is_given, "do_sample false", "nothing is drawn; say do_sample true, or leave it out");
            }
        }
        let num_beams = options.num_beams.unwrap_or(1);
        if num_beams == 1 {
            for (option, is_given) in
                [("length_penalty", asked.length_penalty.is_some()), ("early_stopping", asked.early_stopping.is_some())]
            {
                self.refuse(option, is_given, "num_beams 1", "it is about beams; give num_beams above 1, or leave it out");
            }
        }
        let returned = options.num_return_sequences.unwrap_or(1);
        if num_beams == 1 && options.do_sample != Some(true) {
            let reason = "there is one most probable continuation; say do_sample true, or give num_beams";
            self.refuse("num_return_sequences", returned > 1, "do_sample false and num_beams 1", reason);
        } else if num_beams > 1 {
            let reason = "no more continuations are given than are followed; give as many beams";
            self.refuse("num_return_sequences", returned > num_beams, &format!("num_beams {num_beams}"), reason);
        }
        let both = "both say how long; leave one out";
        self.refuse("max_length", asked.max_length.is_some() && asked.max_new_tokens.is_some(), "max_new_tokens", both);
        self.refuse("min_length", asked.min_length.is_some() && asked.min_new_tokens.is_some(), "min_new_tokens", both);
        let usual = options.max_length.is_none().then_some(USUAL_NEW_TOKENS);
        if let (Some(fewest), Some(most)) = (asked.min_new_tokens, options.max_new_tokens.or(usual)) {
            self.refuse("min_new_tokens", fewest > most, &format!("max_new_tokens {most}"), "no more are generated");
        }
        if let (Some(fewest), Some(most)) = (asked.min_length, options.max_length) {
            self.refuse("min_length", fewest > most, &format!("max_length {most}"), "no more are generated");
        }
        if options.eos_token_id.as_ref().is_none_or(Vec::is_empty) {
            let reason = "it keeps end tokens away, and there is none; give eos_token_id, or leave it out";
            self.refuse("min_new_tokens", asked.min_new_tokens.is_some_and(|fewest| fewest > 0), "no eos_token_id", reason);
            self.refuse("min_length", asked.min_length.is_some_and(|fewest| fewest > 0), "no eos_token_id", reason);
        }
        let suppressed = options.suppress_tokens.clone().unwrap_or_default();
        let forced_first = options.forced_bos_token_id.is_some_and(|id| suppressed.contains(&id));
        let forced_last = options
            .forced_eos_token_id
            .as_ref()
            .is_some_and(|ids| !ids.is_empty() && ids.iter().all(|id| suppressed.contains(id)));
        let reason = "what is forced cannot be suppressed, too";
        self.refuse("forced_bos_token_id", forced_first, "suppress_tokens", reason);
        self.refuse("forced_eos_token_id", forced_last, "suppress_tokens", reason);
    }
}
