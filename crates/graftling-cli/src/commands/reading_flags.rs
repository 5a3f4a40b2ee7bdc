//! The flags that say how long texts are read, for the commands that open a model outside a recipe. Knows nothing of windows.

use clap::Args;
use graftling::ReadingChoices;
use graftling::recipe::{LongTexts, WindowPooling};

/// How texts are read that are longer than the model reads at once.
#[derive(Args)]
#[command(next_help_heading = "Long texts")]
pub struct ReadingFlags {
    /// The most tokens of a text (special ones included) that are read at once [default: as the run or the model's folder says]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(3..=1_048_576))]
    max_length: Option<u32>,
    /// What becomes of longer texts: cut or windows [default: as the run had it; without a run cut, and windows for questions]
    #[arg(long, value_name = "WORD", value_parser = long_texts)]
    long_texts: Option<LongTexts>,
    /// Tokens that two neighbouring windows of a text share [default: as the run had it, or a quarter of the length]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=1_048_576))]
    window_stride: Option<u32>,
    /// How the logits of a text's windows become those of the text: mean or max [default: as the run had it, or mean]
    #[arg(long, value_name = "WORD", value_parser = window_pooling)]
    window_pooling: Option<WindowPooling>,
}

impl ReadingFlags {
    /// What was typed.
    pub fn choices(&self) -> ReadingChoices {
        let size = |typed: Option<u32>| typed.map(|typed| typed as usize);
        ReadingChoices {
            max_length: size(self.max_length),
            long_texts: self.long_texts,
            window_stride: size(self.window_stride),
            window_pooling: self.window_pooling,
        }
    }
}

fn long_texts(typed: &str) -> Result<LongTexts, String> {
    let found = LongTexts::ALL.iter().find(|choice| choice.word() == typed);
    found.copied().ok_or_else(|| format!("accepted are {}", LongTexts::WORDS.join(" and ")))
}

fn window_pooling(typed: &str) -> Result<WindowPooling, String> {
    let found = WindowPooling::ALL.iter().find(|choice| choice.word() == typed);
    found.copied().ok_or_else(|| format!("accepted are {}", WindowPooling::WORDS.join(" and ")))
}
