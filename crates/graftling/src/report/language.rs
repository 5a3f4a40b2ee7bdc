//! The languages a report is written in, and how a section says a thing in the one that is wanted.
//! Knows no section; each holds its own words, in both languages side by side.

use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(crate) use crate::recipe::ReportLanguage as Language;
use crate::{StopReason, figures};

/// A text in the language that is wanted: `said!(language, "{n} texts", "{n} 条文本")`. Values are named in the texts.
macro_rules! said {
    ($language:expr, $english:literal, $chinese:literal) => {
        match $language {
            $crate::recipe::ReportLanguage::En => format!($english),
            $crate::recipe::ReportLanguage::Zh => format!($chinese),
        }
    };
}
pub(crate) use said;

impl Language {
    /// One of two fixed texts.
    pub(super) fn of(self, english: &'static str, chinese: &'static str) -> &'static str {
        match self {
            Self::En => english,
            Self::Zh => chinese,
        }
    }

    /// The language of texts of which this share of the letters is Chinese.
    pub(crate) fn of_texts(share_of_han: f64) -> Self {
        if share_of_han > 0.3 { Self::Zh } else { Self::En }
    }

    /// As HTML names it.
    pub(super) fn tag(self) -> &'static str {
        self.of("en", "zh-CN")
    }

    /// The name of a split.
    pub(super) fn split(self, split: &str) -> String {
        let known = match split {
            "train" => self.of("training", "训练集"),
            "validation" => self.of("validation", "验证集"),
            "test" => self.of("test", "测试集"),
            "evaluation" => self.of("evaluation", "评估集"),
            other => return other.to_owned(),
        };
        known.to_owned()
    }

    /// A duration.
    pub(super) fn time(self, duration: Duration) -> String {
        let english = figures::time(duration);
        match self {
            Self::En => english,
            Self::Zh => english.replace(" h", " 小时").replace(" min", " 分").replace(" s", " 秒"),
        }
    }

    /// Why training ended before its last step.
    pub(super) fn stopped(self, reason: StopReason) -> String {
        match (self, reason) {
            (Self::En, reason) => reason.to_string(),
            (Self::Zh, StopReason::Requested) => "按要求停止".to_owned(),
            (Self::Zh, StopReason::EarlyStopping { patience, best_step }) => {
                format!("提前停止，自第 {best_step} 步起连续 {patience} 次评估没有改进")
            }
        }
    }
}

impl Serialize for Language {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

impl<'de> Deserialize<'de> for Language {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        let known = Self::ALL.iter().copied().find(|language| language.word() == word);
        known.ok_or_else(|| D::Error::custom(format!("language \"{word}\" is not one of {}", Self::WORDS.join(", "))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_ends_are_told_in_chinese() {
        let told = |seconds| Language::Zh.time(Duration::from_secs(seconds));
        assert_eq!([told(5), told(1025), told(7500)], ["5.0 秒", "17 分 05 秒", "2 小时 05 分"]);
        let reasons = [StopReason::Requested, StopReason::EarlyStopping { patience: 3, best_step: 40 }];
        let ends = reasons.map(|reason| Language::Zh.stopped(reason));
        assert_eq!(ends, ["按要求停止", "提前停止，自第 40 步起连续 3 次评估没有改进"]);
        assert_eq!(Language::En.stopped(StopReason::Requested), "stopped on request");
    }
}
