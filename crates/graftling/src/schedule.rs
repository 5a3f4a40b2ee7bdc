//! How the learning rate runs over the steps of training: warm-up, then linear, cosine or constant.
//! Knows step counts only; no optimizer, no model, no data.
//!
//! The factors are those of transformers' `get_linear_schedule_with_warmup`, `get_cosine_schedule_with_warmup` and
//! `get_constant_schedule_with_warmup`, counted as its `Trainer` counts: the first step uses the factor of step 0.

use std::f64::consts::PI;

use crate::recipe::{ScheduleKind, Warmup};

/// The factor of the learning rate at each step of one training.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Schedule {
    kind: ScheduleKind,
    warmup_steps: u64,
    training_steps: u64,
}

/// Warm-up would last longer than the training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "warmup takes {warmup_steps} steps but the training has only {training_steps}: \
     give a share (below 1) or at most {training_steps} steps, or train longer"
)]
pub struct WarmupTooLong {
    /// Steps of warm-up.
    pub warmup_steps: u64,
    /// Steps of the whole training.
    pub training_steps: u64,
}

impl Schedule {
    /// The schedule of a training of so many steps. Refused where warm-up is longer than that.
    pub fn new(kind: ScheduleKind, warmup: Warmup, training_steps: u64) -> Result<Schedule, WarmupTooLong> {
        let warmup_steps = warmup.steps(training_steps);
        if warmup_steps > training_steps {
            return Err(WarmupTooLong { warmup_steps, training_steps });
        }
        Ok(Schedule { kind, warmup_steps, training_steps })
    }

    /// Steps of warm-up.
    pub fn warmup_steps(&self) -> u64 {
        self.warmup_steps
    }

    /// What the learning rate is multiplied by at `step`, counted from 0; always from 0 to 1.
    pub fn factor(&self, step: u64) -> f64 {
        if step < self.warmup_steps {
            return step as f64 / self.warmup_steps as f64;
        }
        let after = self.training_steps.saturating_sub(self.warmup_steps).max(1) as f64;
        match self.kind {
            ScheduleKind::Linear => self.training_steps.saturating_sub(step) as f64 / after,
            ScheduleKind::Cosine => {
                let progress = (step - self.warmup_steps) as f64 / after;
                (0.5 * (1.0 + (PI * progress).cos())).max(0.0)
            }
            ScheduleKind::Constant => 1.0,
        }
    }

    /// The learning rate at `step`, counted from 0.
    pub fn rate(&self, learning_rate: f32, step: u64) -> f32 {
        (f64::from(learning_rate) * self.factor(step)) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Golden {
        cases: Vec<Case>,
    }

    #[derive(serde::Deserialize)]
    struct Case {
        kind: String,
        /// As in a recipe: a share below 1, or steps.
        warmup: f64,
        training_steps: u64,
        factors: Vec<f64>,
    }

    #[test]
    fn factors_are_those_of_transformers() {
        let golden: Golden = serde_json::from_str(include_str!("../tests/golden/schedule.json")).expect("golden file");
        let mut wrong = Vec::new();
        for case in &golden.cases {
            let kind = ScheduleKind::ALL.iter().copied().find(|kind| kind.word() == case.kind).expect("a kind of schedule");
            let warmup = if case.warmup < 1.0 { Warmup::Fraction(case.warmup) } else { Warmup::Steps(case.warmup as u64) };
            let schedule = Schedule::new(kind, warmup, case.training_steps).expect("a warm-up that fits");
            for (step, expected) in case.factors.iter().enumerate() {
                let found = schedule.factor(step as u64);
                if (found - expected).abs() > 1e-12 {
                    wrong.push(format!("{} {} of {}: step {step}: {found}", case.kind, case.warmup, case.training_steps));
                }
            }
        }
        assert!(golden.cases.len() >= 60, "only {} cases", golden.cases.len());
        assert!(wrong.is_empty(), "{} factors differ:\n{}", wrong.len(), wrong.join("\n"));
    }

    #[test]
    fn a_warm_up_longer_than_the_training_is_refused() {
        let error = Schedule::new(ScheduleKind::Linear, Warmup::Steps(11), 10).expect_err("11 > 10");
        assert_eq!(error, WarmupTooLong { warmup_steps: 11, training_steps: 10 });
        assert!(Schedule::new(ScheduleKind::Linear, Warmup::Steps(10), 10).is_ok());
    }

    #[test]
    fn the_rate_is_the_learning_rate_times_the_factor() {
        let schedule = Schedule::new(ScheduleKind::Linear, Warmup::Steps(0), 4).expect("no warm-up");
        assert_eq!((0..5).map(|step| schedule.rate(1.0, step)).collect::<Vec<_>>(), [1.0, 0.75, 0.5, 0.25, 0.0]);
    }
}
