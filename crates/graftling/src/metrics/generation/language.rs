//! The language that texts are generated in, by which some figures go. Knows codes; no text.

use std::str::FromStr;

/// A language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetLanguage {
    /// Its code in small letters, without region and script.
    code: String,
}

/// A word that is no code of a language.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{code:?} is not the code of a language; accepted are codes of two or three letters, as en, de, zh, with or without a region or script \
     (zh-CN, zho_Hans)"
)]
pub struct NotALanguage {
    /// What was given.
    pub code: String,
}

impl TargetLanguage {
    /// Whether it is Chinese, also Mandarin or Cantonese.
    pub fn is_chinese(&self) -> bool {
        ["zh", "zho", "chi", "cmn", "yue"].contains(&self.code.as_str())
    }

    /// Whether it is Japanese.
    pub fn is_japanese(&self) -> bool {
        ["ja", "jpn"].contains(&self.code.as_str())
    }

    /// Whether it is Korean.
    pub fn is_korean(&self) -> bool {
        ["ko", "kor"].contains(&self.code.as_str())
    }
}

impl FromStr for TargetLanguage {
    type Err = NotALanguage;

    /// By codes as ISO 639, BCP 47, and the models of the field write them: `zh`, `zh-CN`, `zh_CN`, `zho_Hans`.
    fn from_str(code: &str) -> Result<Self, NotALanguage> {
        let mut parts = code.split(['-', '_']);
        let language = parts.next().unwrap_or_default().to_ascii_lowercase();
        let known = (2..=3).contains(&language.len()) && language.bytes().all(|byte| byte.is_ascii_lowercase());
        let is_part = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
        match known && parts.all(is_part) {
            true => Ok(Self { code: language }),
            false => Err(NotALanguage { code: code.to_owned() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_every_manner_are_read_and_names_refused() {
        for (code, chinese) in
            [("zh", true), ("zh_CN", true), ("zho_Hans", true), ("ZH-hant-TW", true), ("en", false), ("de-DE", false)]
        {
            assert_eq!(code.parse::<TargetLanguage>().map(|language| language.is_chinese()), Ok(chinese), "{code}");
        }
        for code in ["", "chinese", "z", "z1", "zh-", "中文", "en de"] {
            let error = code.parse::<TargetLanguage>().expect_err(code);
            assert!(error.to_string().contains("is not the code of a language"), "{error}");
        }
    }
}
