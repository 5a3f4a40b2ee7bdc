//! The special tokens of a vocabulary and how they go around texts. Knows nothing of where vocabularies come from.

use tokenizers::AddedToken;
use tokenizers::processors::template::TemplateProcessing;

use super::settings::SpecialToken;

/// The tokens that go around a text, and those between the texts of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// `[CLS] a [SEP] b [SEP]`; the second text has token type 1.
    ClassSeparator,
    /// `<s> a </s></s> b </s>`; all token types are 0.
    DoubleSeparator,
    /// `a </s> b </s>`; all token types are 0.
    EndOnly,
}

impl Frame {
    /// The post-processor that puts these tokens around texts. `class` is not used by a frame that has none.
    pub fn template(self, class: (&str, u32), separator: (&str, u32)) -> Result<TemplateProcessing, String> {
        let ((class, class_id), (separator, separator_id)) = (class, separator);
        let (first, second) = match self {
            Frame::ClassSeparator => (
                vec![format!("{class}:0"), "$A:0".into(), format!("{separator}:0")],
                vec!["$B:1".into(), format!("{separator}:1")],
            ),
            Frame::DoubleSeparator => (
                vec![format!("{class}:0"), "$A:0".into(), format!("{separator}:0")],
                vec![format!("{separator}:0"), "$B:0".into(), format!("{separator}:0")],
            ),
            Frame::EndOnly => {
                (vec!["$A:0".to_owned(), format!("{separator}:0")], vec!["$B:0".to_owned(), format!("{separator}:0")])
            }
        };
        let pair: Vec<String> = first.iter().chain(&second).cloned().collect();
        TemplateProcessing::builder()
            .try_single(first)
            .and_then(|builder| builder.try_pair(pair))?
            .special_tokens(vec![(class.to_owned(), class_id), (separator.to_owned(), separator_id)])
            .build()
            .map_err(|error| error.to_string())
    }
}

/// As the tokenizer library adds it.
pub(super) fn added_token(token: SpecialToken) -> AddedToken {
    AddedToken::from(token.content, true)
        .lstrip(token.lstrip)
        .rstrip(token.rstrip)
        .single_word(token.single_word)
        .normalized(token.normalized)
}

/// A post-processor that puts some tokens before a text or a pair of texts, and some behind; all token types are 0.
pub(super) fn around(before: &[(String, u32)], behind: &[(String, u32)]) -> Result<TemplateProcessing, String> {
    let of = |tokens: &[(String, u32)]| tokens.iter().map(|(token, _)| format!("{token}:0")).collect::<Vec<_>>();
    let frame = |texts: &[&str]| [of(before), texts.iter().map(|text| (*text).to_owned()).collect(), of(behind)].concat();
    TemplateProcessing::builder()
        .try_single(frame(&["$A:0"]))
        .and_then(|builder| builder.try_pair(frame(&["$A:0", "$B:0"])))?
        .special_tokens([before, behind].concat())
        .build()
        .map_err(|error| error.to_string())
}
