//! How a model is led to what it writes from a text: by a decoder that looks at an encoder, or behind a prompt; and how much of it is read
//! in training. Knows no texts.

use graftling_models::{DecoderFacts, Head, Model, ModelFacts};
use graftling_text::Tokenizer;

use crate::error::LanguageError;
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
        let facts = model.facts();
        let of_source = recipe.and_then(|recipe| recipe.max_length);
        let room = match facts.decoder {
            // The token that it starts with takes a position.
            Some(decoder) => decoder.longest().saturating_sub(1),
            // It reads the source first.
            None => facts.longest().saturating_sub(of_source.unwrap_or(facts.longest() / 2)).max(2),
        };
        let max_length = recipe.and_then(|recipe| recipe.max_target_length).unwrap_or(USUAL_TARGET_LENGTH.min(room));
        let opening = match (model.head(), recipe.is_some_and(|recipe| recipe.template.is_some()), task) {
            (Head::SequenceToSequence, ..) => Opening::Start(DecoderStart::of(model)?),
            (_, true, _) => Opening::Prompt,
            (_, false, Task::Translation) => Opening::Behind(BEFORE_TRANSLATION),
            (_, false, _) => Opening::Behind(BEFORE_SUMMARY),
        };
        Ok(Some(Self { max_length, opening }))
    }

    /// The most tokens of a source, where `asked` are wanted or else the usual number, and `written` may be written, or as many as in training. A
    /// decoder that looks at an encoder has room of its own for what is written; any other has one for both.
    ///
    /// # Errors
    /// If a source, or what is written, has no room.
    pub fn source_length(
        &self,
        task: Task,
        asked: Option<usize>,
        written: Option<usize>,
        facts: &ModelFacts,
    ) -> Result<usize, Error> {
        let written = written.map_or(self.max_length, |written| written.max(self.max_length));
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
///
/// # Errors
/// If the tokenizer has no such tokens.
pub(crate) fn say_start(model: &mut Model, tokenizer: &Tokenizer) -> Result<(), Error> {
    let Some(DecoderFacts { conventions, .. }) = model.facts().decoder else { return Ok(()) };
    let says = model.config_value(START).is_some_and(|value| !value.is_null());
    if says || conventions.starts_with_last || model.decoder_start_token_id().is_some() {
        return Ok(());
    }
    let [first, .., last] = tokenizer.around_targets()?[..] else {
        return Err(LanguageError::NoTokensAround { family: model.facts().family }.into());
    };
    model.set_config_value(START, first.into());
    model.set_config_value(START_IS_NOT_WRITTEN, true.into());
    model.set_config_value("eos_token_id", last.into());
    if let Some(padding) = tokenizer.padding_id() {
        model.set_config_value("pad_token_id", padding.into());
    }
    Ok(())
}

/// The key of the token that a decoder starts with.
const START: &str = "decoder_start_token_id";
/// Ours: `true` where targets begin with that token and are written without it. transformers passes it over.
const START_IS_NOT_WRITTEN: &str = "decoder_start_is_not_written";
/// A source of fewer tokens says nothing.
const FEWEST_OF_SOURCE: usize = 3;

impl DecoderStart {
    /// The last token of the target, in families of which that is known, or else the one that the model tells.
    fn of(model: &Model) -> Result<Self, Error> {
        let facts = model.facts();
        if facts.decoder.is_some_and(|decoder| decoder.conventions.starts_with_last) {
            return Ok(Self::LastOfTarget);
        }
        match model.decoder_start_token_id() {
            Some(id) if model.config_value(START_IS_NOT_WRITTEN) == Some(&true.into()) => Ok(Self::FirstOfTarget(id)),
            Some(id) => Ok(Self::Token(id)),
            None => {
                let vocabulary = facts.decoder.map_or(facts.vocabulary_size, |decoder| decoder.vocabulary_size);
                let found = model.config_value(START).filter(|value| !value.is_null()).map(ToString::to_string);
                Err(LanguageError::NoDecoderStart { family: facts.family, found, vocabulary }.into())
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
    use graftling_models::Conventions;

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
        assert_eq!(length(None, None, &facts(1024, None)), Ok(512));
        assert_eq!(length(None, None, &facts(256, None)), Ok(128));
        assert_eq!(length(Some(100), None, &facts(256, None)), Ok(100));
        assert_eq!(length(None, None, &facts(256, Some(256))), Ok(256));
        assert_eq!(length(Some(200), Some(200), &facts(256, Some(256))), Ok(200));
        for (asked, written, facts) in
            [(Some(129), None, facts(256, None)), (None, None, facts(130, None)), (None, Some(256), facts(256, Some(256)))]
        {
            assert!(length(asked, written, &facts).is_err(), "{asked:?} {written:?}");
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
