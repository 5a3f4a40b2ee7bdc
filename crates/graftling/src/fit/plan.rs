//! Which steps a run takes, known before the first of them. Knows nothing of models or rates.

use crate::batching::{BatchSize, Batching, Step};
use crate::recipe::{EvaluateEvery, Recipe};

/// All steps of a run.
pub(crate) struct Plan {
    batching: Batching,
    lengths: Vec<usize>,
    /// How many steps each epoch has; the last epoch may not be gone through to its end.
    epochs: Vec<u64>,
    steps: u64,
    evaluate_every: EvaluateEvery,
}

/// One step of a run, and where in the run it stands.
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
    pub fn new(recipe: &Recipe, lengths: Vec<usize>) -> Self {
        let batching = Batching {
            batch_size: recipe.batch_tokens.map_or(BatchSize::Examples(recipe.batch_size), BatchSize::Tokens),
            gradient_accumulation: recipe.gradient_accumulation,
            micro_batch_tokens: recipe.micro_batch_tokens,
            seed: recipe.seed,
        };
        let mut plan = Self { batching, lengths, epochs: Vec::new(), steps: 0, evaluate_every: recipe.evaluate_every };
        plan.count(recipe);
        plan
    }

    fn count(&mut self, recipe: &Recipe) {
        while recipe.max_steps.map_or((self.epochs.len() as f64) < recipe.epochs, |most| self.steps < most) {
            let epoch = self.epochs.len() as u64;
            let in_epoch = match (self.batching.batch_size, self.epochs.first()) {
                (BatchSize::Examples(_), Some(&same)) => same,
                _ => self.batching.epoch(&self.lengths, epoch).len() as u64,
            };
            let wanted = match recipe.max_steps {
                Some(most) => in_epoch.min(most - self.steps),
                // As in transformers' Trainer, a part of an epoch is rounded up to whole steps.
                None => ((recipe.epochs - epoch as f64).min(1.0) * in_epoch as f64).ceil() as u64,
            };
            self.epochs.push(in_epoch);
            self.steps += wanted;
        }
    }

    /// How many steps there are.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// How many epochs the steps make.
    pub fn epochs(&self) -> f64 {
        let Some((&last, whole)) = self.epochs.split_last() else { return 0.0 };
        whole.len() as f64 + (self.steps - whole.iter().sum::<u64>()) as f64 / last as f64
    }

    /// How many evaluations there are.
    pub fn evaluations(&self) -> u64 {
        match self.evaluate_every {
            EvaluateEvery::Epoch => self.epochs.len() as u64,
            EvaluateEvery::Steps(steps) => self.steps.div_ceil(steps),
        }
    }

    /// The steps in their order. Only one epoch's are held in memory.
    pub fn iter(&self) -> impl Iterator<Item = PlannedStep> {
        let epochs = self.epochs.iter().enumerate().flat_map(|(epoch, &in_epoch)| {
            let steps = self.batching.epoch(&self.lengths, epoch as u64);
            steps.into_iter().enumerate().map(move |(index, step)| (epoch, index as u64 + 1, in_epoch, step))
        });
        epochs.zip(1..=self.steps).map(|((epoch, done, in_epoch, step), number)| PlannedStep {
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
        Plan::new(&recipe, (0..examples).map(|example| 3 + example % 7).collect())
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
        ];
        for Case(options, examples, steps, epochs, evaluations) in cases {
            let plan = plan(options, examples);
            let evaluated: Vec<u64> = plan.iter().filter(|step| step.evaluate).map(|step| step.number).collect();
            assert_eq!((plan.steps(), plan.epochs(), plan.iter().count() as u64), (steps, epochs, steps), "{options}");
            assert_eq!(evaluated, evaluations, "{options}");
            assert_eq!(plan.evaluations(), evaluations.len() as u64, "{options}");
            assert_eq!(plan.iter().last().map(|step| step.epoch), Some(epochs), "{options}");
        }
    }

    #[test]
    fn token_budgets_count_the_steps_of_every_epoch() {
        let plan = plan("epochs = 3\nbatch_tokens = 40", 100);
        assert_eq!(plan.iter().count() as u64, plan.steps());
        assert_eq!(plan.iter().map(|step| plan.tokens(&step.step)).sum::<u64>(), 3 * plan.lengths.iter().sum::<usize>() as u64);
    }
}
