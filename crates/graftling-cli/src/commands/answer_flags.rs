//! The flag that says when a model that answers questions says that there is no answer. Knows nothing of how answers are chosen.

use clap::Args;
use graftling::NoAnswer;

/// When there is no answer to a question.
#[derive(Args)]
#[command(next_help_heading = "Questions")]
pub struct AnswerFlags {
    /// Give no answer where its score exceeds that of the best passage by more than this; none: always give the passage
    /// [default: as the model was trained]
    #[arg(long, value_name = "NUMBER", value_parser = no_answer, allow_hyphen_values = true)]
    pub null_score_diff_threshold: Option<NoAnswer>,
}

fn no_answer(text: &str) -> Result<NoAnswer, String> {
    if text == "none" {
        return Ok(NoAnswer::Never);
    }
    match text.parse::<f32>() {
        Ok(threshold) if threshold.is_finite() => Ok(NoAnswer::Above(threshold)),
        _ => Err("accepted are none and a number".to_owned()),
    }
}
