//! Loss and speed, smoothed, so that a person can read them while they change. Knows nothing of terminals.

use std::time::Duration;

/// How much of the past stays in a figure at each step: about 50 steps count.
const KEPT: f64 = 0.98;
/// After so long without a line one is due.
const LONGEST_SILENCE: Duration = Duration::from_secs(60);

/// The smoothed figures of a training run.
#[derive(Debug, Default)]
pub struct Pace {
    weight: f64,
    loss: f64,
    tokens: f64,
    seconds: f64,
}

impl Pace {
    /// Takes note of one step.
    pub fn note(&mut self, loss: f32, tokens: u64, time: Duration) {
        self.weight = KEPT * self.weight + 1.0;
        self.loss = KEPT * self.loss + f64::from(loss);
        self.tokens = KEPT * self.tokens + tokens as f64;
        self.seconds = KEPT * self.seconds + time.as_secs_f64();
    }

    /// The mean loss of the last steps; recent ones weigh more.
    pub fn loss(&self) -> f64 {
        if self.weight > 0.0 { self.loss / self.weight } else { 0.0 }
    }

    /// Real tokens a second over the last steps.
    pub fn tokens_per_second(&self) -> f64 {
        if self.seconds > 0.0 { self.tokens / self.seconds } else { 0.0 }
    }
}

/// The time that the rest will take if it goes on as it went so far, evaluations included.
pub fn time_left(elapsed: Duration, step: u64, steps: u64) -> Duration {
    if step == 0 { Duration::ZERO } else { elapsed.mul_f64(steps.saturating_sub(step) as f64 / step as f64) }
}

/// Whether a line stands for the steps since the last one, which was told `silence` ago: at every so many steps, after a minute, and at the end.
pub fn is_due(step: u64, steps: u64, log_every: u64, silence: Duration) -> bool {
    step.is_multiple_of(log_every) || step == steps || silence >= LONGEST_SILENCE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_due_by_steps_at_the_end_and_when_steps_take_long() {
        let due = |step, seconds| is_due(step, 52, 50, Duration::from_secs(seconds));
        assert_eq!([due(49, 59), due(50, 0), due(51, 0), due(52, 0), due(3, 60)], [false, true, false, true, true]);
    }

    #[test]
    fn the_first_step_counts_in_full_and_an_outlier_a_little() {
        let mut pace = Pace::default();
        pace.note(2.0, 1_000, Duration::from_millis(500));
        assert_eq!((pace.loss(), pace.tokens_per_second()), (2.0, 2_000.0));
        for _ in 0..200 {
            pace.note(1.0, 1_000, Duration::from_millis(500));
        }
        pace.note(9.0, 1_000, Duration::from_millis(500));
        assert!((1.0..1.3).contains(&pace.loss()), "{}", pace.loss());
        assert!((pace.tokens_per_second() - 2_000.0).abs() < 1e-6);
    }

    #[test]
    fn the_time_left_is_in_proportion() {
        assert_eq!(time_left(Duration::from_secs(30), 10, 40), Duration::from_secs(90));
        assert_eq!(time_left(Duration::from_secs(30), 40, 40), Duration::ZERO);
        assert_eq!(time_left(Duration::ZERO, 0, 40), Duration::ZERO);
    }
}
