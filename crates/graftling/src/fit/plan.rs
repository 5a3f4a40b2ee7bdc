//! Which steps a run takes, known before the first of them. Knows nothing of models or rates.

use crate::batching::{BatchSize, Batching, Step};
use crate::recipe::{EvaluateEvery, Recipe};
use crate::sampling::Sampler;

/// All steps of a run.
pub(crate) struct Plan {
    batching: Batching,
    lengths: Vec<usize>,
    in_epoch: StepsInEpoch,
    /// How many epochs are begun; the last one may not be gone through to its end.
    begun: u64,
    steps: u64,
    evaluate_every: EvaluateEvery,
}

/// How many steps an epoch has when it is gone through to its end.
enum StepsInEpoch {
    /// As many as every other.
    Same(u64),
    /// It depends on which lengths come together in the shuffle.
    Each(Vec<u64>),
}

/// One step of a run, and where in the run it stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PlannedStep {
    /// From 1.
    pub number: u64,
    /// How many epochs are done after it, in fractions.
    pub epoch: f64,
    /// Whether an evaluation follows.
    pub evaluate: bool,
    /// Its examples.
    pub step: Step,
}

impl Plan {
    /// The steps that a recipe asks for, of examples with these numbers of tokens; there is at least one example.
    pub fn new(recipe: &Recipe, lengths: Vec<usize>, sampler: Sampler) -> Self {
        let batching = Batching {
            batch_size: recipe.batch_tokens.map_or(BatchSize::Examples(recipe.batch_size), BatchSize::Tokens),
            gradient_accumulation: recipe.gradient_accumulation,
            micro_batch_tokens: recipe.micro_batch_tokens,
            seed: recipe.seed,
            sampler,
        };
        let in_epoch = match batching.batch_size {
            BatchSize::Examples(_) => StepsInEpoch::Same(batching.epoch(&lengths, 0).len() as u64),
            BatchSize::Tokens(_) => StepsInEpoch::Each(Vec::new()),
        };
        let mut plan = Self { batching, lengths, in_epoch, begun: 0, steps: 0, evaluate_every: recipe.evaluate_every };
        match (&plan.in_epoch, recipe.max_steps) {
            (&StepsInEpoch::Same(in_epoch), Some(most)) => (plan.begun, plan.steps) = (most.div_ceil(in_epoch), most),
            (&StepsInEpoch::Same(in_epoch), None) => {
                // As in transformers' Trainer, a part of an epoch is rounded up to whole steps.
                plan.steps = (recipe.epochs * in_epoch as f64).ceil() as u64;
                plan.begun = plan.steps.div_ceil(in_epoch);
            }
            (StepsInEpoch::Each(_), most) => plan.count(recipe.epochs, most),
        }
        plan
    }

    /// Counts the steps of epochs that are not alike.
    fn count(&mut self, epochs: f64, most: Option<u64>) {
        let mut in_epoch = Vec::new();
        while most.map_or((self.begun as f64) < epochs, |most| self.steps < most) {
            let whole = self.batching.epoch(&self.lengths, self.begun).len() as u64;
            self.steps += match most {
                Some(most) => whole.min(most - self.steps),
                None => ((epochs - self.begun as f64).min(1.0) * whole as f64).ceil() as u64,
            };
            self.begun += 1;
            in_epoch.push(whole);
        }
        self.in_epoch = StepsInEpoch::Each(in_epoch);
    }

    fn steps_in(&self, epoch: u64) -> u64 {
        match &self.in_epoch {
            StepsInEpoch::Same(steps) => *steps,
            StepsInEpoch::Each(steps) => steps[epoch as usize],
        }
    }

    /// How many steps there are.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// How many epochs the steps make.
    pub fn epochs(&self) -> f64 {
        let whole = self.begun.saturating_sub(1);
        let before: u64 = match &self.in_epoch {
            StepsInEpoch::Same(steps) => steps * whole,
            StepsInEpoch::Each(steps) => steps.iter().take(whole as usize).sum(),
        };
        whole as f64 + (self.steps - before) as f64 / self.steps_in(whole) as f64
    }

    /// How many evaluations there are.
    pub fn evaluations(&self) -> u64 {
        match self.evaluate_every {
            EvaluateEvery::Epoch => self.begun,
            EvaluateEvery::Steps(steps) => self.steps.div_ceil(steps),
        }
    }

    /// The steps after the first `done`, in their order. Only one epoch's are held in memory, and none that is done.
    pub fn iter_from(&self, done: u64) -> impl Iterator<Item = PlannedStep> {
        let (mut first_epoch, mut skipped) = (0, 0);
        while first_epoch < self.begun && skipped + self.steps_in(first_epoch) <= done {
            skipped += self.steps_in(first_epoch);
            first_epoch += 1;
        }
        let epochs = (first_epoch..self.begun).flat_map(|epoch| {
            let in_epoch = self.steps_in(epoch);
            let steps = self.batching.epoch(&self.lengths, epoch);
            steps.into_iter().zip(1..).map(move |(step, done)| (epoch, done, in_epoch, step))
        });
        let numbered = epochs.zip(skipped + 1..=self.steps).skip((done - skipped) as usize);
        numbered.map(|((epoch, done, in_epoch, step), number): ((u64, u64, u64, Step), u64)| PlannedStep {
            number,
            epoch: epoch as f64 + done as f64 / in_epoch as f64,
            evaluate: number == self.steps
                || match self.evaluate_every {
                    EvaluateEvery::Epoch => done == in_epoch,
                    EvaluateEvery::Steps(steps) => number % steps == 0,
                },
            step,
        })
    }

    /// How many tokens the examples of a step have.
    pub fn tokens(&self, step: &Step) -> u64 {
        step.micro_batches.iter().flatten().map(|&example| self.lengths[example] as u64).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::RecipeFile;

    fn plan(options: &str, examples: usize) -> Plan {
        let text = format!("model = 'm'\ntrain = 't.csv'\noutput = 'o'\n{options}");
        let recipe = Recipe::check(RecipeFile::from_toml(&text).unwrap()).unwrap();
        Plan::new(&recipe, (0..examples).map(|example| 3 + example % 7).collect(), Sampler::All)
    }

    #[test]
    fn steps_epochs_and_evaluations_follow_from_the_recipe() {
        struct Case(&'static str, usize, u64, f64, &'static [u64]);
        let cases = [
            Case("epochs = 2\nbatch_size = 4", 10, 6, 2.0, &[3, 6]),
            Case("epochs = 1.5\nbatch_size = 5", 20, 6, 1.5, &[4, 6]),
            Case("epochs = 0.3\nbatch_size = 5", 20, 2, 0.5, &[2]),
            Case("max_steps = 7\nbatch_size = 5", 20, 7, 1.75, &[4, 7]),
            Case("epochs = 1\nbatch_size = 2\ngradient_accumulation = 3", 10, 2, 1.0, &[2]),
            Case("epochs = 2\nbatch_size = 5\nevaluate_every = 3", 20, 8, 2.0, &[3, 6, 8]),
            Case("epochs = 1\nbatch_size = 5\nevaluate_every = 2", 20, 4, 1.0, &[2, 4]),
            Case("epochs = 1.5\nbatch_tokens = 1000", 20, 2, 2.0, &[1, 2]),
            Case("max_steps = 3\nbatch_tokens = 1000", 20, 3, 3.0, &[1, 2, 3]),
        ];
        for Case(options, examples, steps, epochs, evaluations) in cases {
            let plan = plan(options, examples);
            let evaluated: Vec<u64> = plan.iter_from(0).filter(|step| step.evaluate).map(|step| step.number).collect();
            assert_eq!((plan.steps(), plan.epochs(), plan.iter_from(0).count() as u64), (steps, epochs, steps), "{options}");
            assert_eq!(evaluated, evaluations, "{options}");
            assert_eq!(plan.evaluations(), evaluations.len() as u64, "{options}");
            assert_eq!(plan.iter_from(0).last().map(|step| step.epoch), Some(epochs), "{options}");
        }
    }

    #[test]
    fn a_plan_goes_on_from_any_step_as_it_would_have() {
        for options in ["epochs = 3\nbatch_size = 4", "epochs = 3\nbatch_tokens = 40", "max_steps = 7\nbatch_size = 5"] {
            let plan = plan(options, 22);
            let all: Vec<PlannedStep> = plan.iter_from(0).collect();
            for done in 0..=plan.steps() {
                let rest: Vec<PlannedStep> = plan.iter_from(done).collect();
                assert!(rest == all[done as usize..], "{options}: after {done} steps");
            }
        }
    }

    #[test]
    fn token_budgets_count_the_steps_of_every_epoch() {
        let plan = plan("epochs = 3\nbatch_tokens = 40", 100);
        assert_eq!(plan.iter_from(0).count() as u64, plan.steps());
        assert_eq!(
            plan.iter_from(0).map(|step| plan.tokens(&step.step)).sum::<u64>(),
            3 * plan.lengths.iter().sum::<usize>() as u64
        );
    }
}
