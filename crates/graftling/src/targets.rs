//! How a model is led to what it writes from a text: by a decoder that looks at an encoder, or behind a prompt; and how much of it is read
//! in training. Knows no texts.

use graftling_models::{Conventions, DecoderFacts, Head, Model, ModelFacts};
use graftling_text::Tokenizer;

use crate::error::LanguageError;
use crate::features::around_targets;
use crate::recipe::{Recipe, Task};
use crate::{Error, reading};

/// The longest target in tokens where nobody says otherwise, as in transformers' run_summarization.
pub(crate) const USUAL_TARGET_LENGTH: usize = 128;
/// What stands between a text and its summary where a decoder reads both and no template says otherwise.
const BEFORE_SUMMARY: &str = "\n\nSummary:\n";
/// And between a text and its translation.
const BEFORE_TRANSLATION: &str = "\n\nTranslation:\n";

/// What is written from texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Targets {
    /// The most tokens of it that are read in training, special ones included.
    pub max_length: usize,
    /// What stands before it.
    pub opening: Opening,
}

/// What stands before what is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Opening {
    /// One token: the source is read by an encoder.
    Start(DecoderStart),
    /// The source and then this text. The end of the source is cut where it is too long.
    Behind(&'static str),
    /// A prompt that a template made. Its front is cut where it is too long.
    Prompt,
}

/// What a decoder that looks at an encoder reads before the first token of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DecoderStart {
    /// This token, always.
    Token(u32),
    /// This one, which is the first of the target as the tokenizer makes it, and is not written.
    FirstOfTarget(u32),
    /// The last token of the target, which is that of its language (mBART's `shift_tokens_right`).
    LastOfTarget,
}

impl Targets {
    /// Of a task that writes texts, by such a model; none of any other task.
    pub fn of(task: Task, recipe: Option<&Recipe>, model: &Model) -> Result<Option<Self>, Error> {
        if !task.writes() {
            return Ok(None);
        }
        let asked = recipe.map_or(USUAL_TARGET_LENGTH, |recipe| recipe.max_target_length);
        let opening = match (model.head(), recipe.is_some_and(|recipe| recipe.template.is_some()), task) {
            (Head::SequenceToSequence, ..) => Opening::Start(DecoderStart::of(model)?),
            (_, true, _) => Opening::Prompt,
            (_, false, Task::Translation) => Opening::Behind(BEFORE_TRANSLATION),
            (_, false, _) => Opening::Behind(BEFORE_SUMMARY),
        };
        Ok(Some(Self { max_length: asked, opening }))
    }

    /// The most tokens of a source, where `asked` are wanted or else the usual number. A decoder that looks at an encoder has room of its own
    /// for what is written; any other has one for both.
    ///
    /// # Errors
    /// If a source, or what is written, has no room.
    pub fn source_length(&self, task: Task, asked: Option<usize>, written: usize, facts: &ModelFacts) -> Result<usize, Error> {
        let written = written.max(self.max_length);
        let positions = facts.decoder.map_or(facts.longest(), |decoder| decoder.longest());
        let room = match facts.decoder {
            // The token that it starts with takes one.
            Some(_) if written < positions => facts.longest(),
            None if written + FEWEST_OF_SOURCE <= positions => positions - written,
            decoder => {
                let is_alone = decoder.is_none();
                return Err(LanguageError::TargetsTooLong { written, positions, is_alone }.into());
            }
        };
        match asked {
            Some(max_length) if facts.decoder.is_none() && max_length > room => {
                Err(LanguageError::NoRoomForTargets { max_length, written, positions }.into())
            }
            Some(max_length) => Ok(max_length.min(room)),
            None => Ok(reading::Reading::usual_max_length(task).min(room)),
        }
    }
}

/// Writes into the config of a pair of which neither it nor the family says with which token its decoder starts, as of an encoder that has
/// become one: it starts from the token that the tokenizer puts before every text, which is not to be written again then, and ends with the one
/// behind. (transformers' recipes for such pairs have it written again; whether it is already there is then told by the places alone, which an
/// encoder's weights are slow to learn.)
pub(crate) fn say_start(model: &mut Model, tokenizer: &Tokenizer) {
    let Some(DecoderFacts { start, conventions, .. }) = model.facts().decoder else { return };
    let says = |key: &str| model.config_value(key).is_some_and(|value| !value.is_null());
    let follows = start.is_some() || conventions.starts_with_last || conventions.id(START).is_some();
    if follows || says(START) {
        return;
    }
    if let [first, .., last] = around_targets(tokenizer)[..] {
        model.set_config_value(START, first.into());
        model.set_config_value(START_IS_NOT_WRITTEN, true.into());
        model.set_config_value("eos_token_id", last.into());
        if let Some(padding) = tokenizer.padding_id() {
            model.set_config_value("pad_token_id", padding.into());
        }
    }
}

/// Tells a tokenizer of many languages which of them a recipe translates, and gives what a person should know of it. Codes are the tokenizer's, or
/// the language alone (`zh` for `zh_CN`).
pub(crate) fn choose_languages(tokenizer: &mut Tokenizer, recipe: &Recipe) -> Result<Vec<String>, Error> {
    if recipe.task != Task::Translation {
        return Ok(Vec::new());
    }
    let known = tokenizer.known_languages();
    if tokenizer.languages().is_none() {
        let told = format!(
            "the model knows the languages {}: source_prefix puts one of them before every source",
            known.iter().take(LANGUAGES_TOLD).cloned().collect::<Vec<_>>().join(", ")
        );
        return Ok(Vec::from_iter((!known.is_empty() && recipe.source_prefix.is_none()).then_some(told)));
    }
    let code = |option, given: &Option<String>| match given {
        None => Ok(None),
        Some(given) => match code_of(given, &known) {
            Some(code) => Ok(Some(code)),
            None => Err(LanguageError::UnknownLanguage { option, language: given.clone(), known: known.clone() }),
        },
    };
    let source = code("source_language", &recipe.source_language)?;
    let target = code("target_language", &recipe.target_language)?;
    tokenizer.set_languages(source, target)?;
    let (source, target) = tokenizer.languages().unwrap_or_default();
    Ok(vec![format!("texts are translated from {source} to {target}: source_language and target_language choose others")])
}

/// The code that was given, or the only one of that language.
fn code_of<'a>(given: &str, known: &'a [String]) -> Option<&'a str> {
    let language = |code: &str| code.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
    let exact = known.iter().find(|code| *code == given);
    let mut alike = known.iter().filter(|code| language(code) == language(given));
    let only = alike.next().filter(|_| alike.next().is_none());
    exact.or(only).map(String::as_str)
}

/// The key of the token that a decoder starts with.
const START: &str = "decoder_start_token_id";
/// Ours: `true` where targets begin with that token and are written without it. transformers passes it over.
const START_IS_NOT_WRITTEN: &str = "decoder_start_is_not_written";
/// How many languages a note names.
const LANGUAGES_TOLD: usize = 12;
/// A source of fewer tokens says nothing.
const FEWEST_OF_SOURCE: usize = 3;

impl DecoderStart {
    /// What the family starts from, where that is no token; or else, as in transformers, what the config names as `decoder_start_token_id`, or
    /// the default of the family's config.
    fn of(model: &Model) -> Result<Self, Error> {
        let facts = model.facts();
        let conventions = facts.decoder.map_or(Conventions::NONE, |decoder| decoder.conventions);
        if let Some(start) = facts.decoder.and_then(|decoder| decoder.start) {
            return Ok(Self::Token(start));
        }
        if conventions.starts_with_last {
            return Ok(Self::LastOfTarget);
        }
        let vocabulary = facts.decoder.map_or(facts.vocabulary_size, |decoder| decoder.vocabulary_size);
        let named = model.config_value(START).filter(|value| !value.is_null());
        let id = match named {
            Some(value) => value.as_u64(),
            None => conventions.id(START).map(u64::from),
        };
        match id.and_then(|id| u32::try_from(id).ok()).filter(|id| (*id as usize) < vocabulary) {
            Some(id) if model.config_value(START_IS_NOT_WRITTEN) == Some(&true.into()) => Ok(Self::FirstOfTarget(id)),
            Some(id) => Ok(Self::Token(id)),
            None => {
                Err(LanguageError::NoDecoderStart { family: facts.family, found: named.map(ToString::to_string), vocabulary }
                    .into())
            }
        }
    }

    /// What is read first, and what is then to be written of a target as the tokenizer makes it.
    pub fn of_target(self, target: &[u32]) -> (u32, &[u32]) {
        match self {
            Self::Token(id) => (id, target),
            Self::FirstOfTarget(id) => (id, target.strip_prefix(&[id]).unwrap_or(target)),
            Self::LastOfTarget => (target.last().copied().unwrap_or_default(), target),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(positions: usize, decoder: Option<usize>) -> ModelFacts {
        ModelFacts {
            family: "bart",
            hidden_size: 8,
            num_hidden_layers: 1,
            num_attention_heads: 1,
            intermediate_size: 8,
            vocabulary_size: 100,
            max_positions: Some(positions),
            type_vocabulary_size: 0,
            parameter_count: 0,
            decoder: decoder.map(|max_positions| DecoderFacts {
                num_hidden_layers: 1,
                vocabulary_size: 100,
                max_positions: Some(max_positions),
                start: None,
                conventions: Conventions::NONE,
            }),
        }
    }

    #[test]
    fn a_decoder_alone_shares_its_positions_between_source_and_target() {
        let length = |asked, written, facts: &ModelFacts| {
            let targets = Targets { max_length: 128, opening: Opening::Prompt };
            targets.source_length(Task::Summarization, asked, written, facts).map_err(|error| error.to_string())
        };
        assert_eq!(length(None, 0, &facts(1024, None)), Ok(512));
        assert_eq!(length(None, 0, &facts(256, None)), Ok(128));
        assert_eq!(length(Some(100), 0, &facts(256, None)), Ok(100));
        assert_eq!(length(None, 0, &facts(256, Some(256))), Ok(256));
        assert_eq!(length(Some(200), 200, &facts(256, Some(256))), Ok(200));
        for (asked, written, facts) in
            [(Some(129), 0, facts(256, None)), (None, 0, facts(130, None)), (None, 256, facts(256, Some(256)))]
        {
            assert!(length(asked, written, &facts).is_err(), "{asked:?} {written}");
        }
    }

    #[test]
    fn codes_of_languages_are_the_tokenizers_or_the_language_alone() {
        let known = ["en_XX", "zh_CN", "zh_TW", "de_DE"].map(str::to_owned);
        for (given, expected) in
            [("de", Some("de_DE")), ("EN", Some("en_XX")), ("zh_TW", Some("zh_TW")), ("zh", None), ("fr", None)]
        {
            assert_eq!(code_of(given, &known), expected, "{given}");
        }
    }

    #[test]
    fn mbart_starts_with_the_language_and_others_with_one_token() {
        assert_eq!(DecoderStart::Token(7).of_target(&[7, 8, 9]), (7, &[7, 8, 9][..]));
        assert_eq!(DecoderStart::FirstOfTarget(7).of_target(&[7, 8, 9]), (7, &[8, 9][..]));
        assert_eq!(DecoderStart::FirstOfTarget(2).of_target(&[7, 8, 9]), (2, &[7, 8, 9][..]));
        assert_eq!(DecoderStart::LastOfTarget.of_target(&[7, 8, 9]), (9, &[7, 8, 9][..]));
    }
}
