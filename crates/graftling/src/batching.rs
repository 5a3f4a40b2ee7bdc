//! Which examples make up each step, and how a step is cut to fit in memory. Knows only how long examples are.
//!
//! A step is one update. Its examples are exactly those that stand next to each other in the shuffled order; within the step they
//! are sorted by length and cut into micro-batches, one forward and backward pass each.

use crate::random;
use crate::sampling::Sampler;

/// How much of the shuffled order one batch takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BatchSize {
    /// So many examples.
    Examples(usize),
    /// As many examples as fit in so many tokens; an example longer than that is a batch of its own.
    Tokens(usize),
}

/// The examples of one update, in micro-batches: places in the training split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// The examples of each forward pass.
    pub micro_batches: Vec<Vec<usize>>,
}

impl Step {
    /// How many examples the step has; the loss is divided by this, so that micro-batches add up to the whole batch.
    pub fn examples(&self) -> usize {
        self.micro_batches.iter().map(Vec::len).sum()
    }
}

/// How the examples of an epoch are joined to steps.
#[derive(Clone, Debug)]
pub(crate) struct Batching {
    /// The size of a batch.
    pub batch_size: BatchSize,
    /// How many batches make a step.
    pub gradient_accumulation: usize,
    /// The most tokens in one forward pass, unless a single example is longer.
    pub micro_batch_tokens: usize,
    /// What the order of every epoch follows from.
    pub seed: u64,
    /// Which examples an epoch has.
    pub sampler: Sampler,
}

impl Batching {
    /// The steps of an epoch, in which every example stands that it has. The last one may be short.
    pub fn epoch(&self, lengths: &[usize], epoch: u64) -> Vec<Step> {
        let order = self.sampler.order(lengths.len(), random::key(self.seed, &[ORDER, epoch]));
        let batches = match self.batch_size {
            BatchSize::Examples(size) => order.chunks(size).map(<[usize]>::to_vec).collect(),
            BatchSize::Tokens(budget) => within_budget(order, lengths, budget),
        };
        batches
            .chunks(self.gradient_accumulation)
            .map(|joined| Step { micro_batches: by_length(joined.concat(), lengths, self.micro_batch_tokens) })
            .collect()
    }
}

/// Sets the shuffle apart from whatever else the seed decides.
const ORDER: u64 = 1;

/// Cuts examples into batches of similar lengths with at most `budget` tokens each, the longest first, so that a lack of memory
/// shows at once. Examples of equal length keep their order.
pub(crate) fn by_length(mut examples: Vec<usize>, lengths: &[usize], budget: usize) -> Vec<Vec<usize>> {
    examples.sort_by_key(|&example| std::cmp::Reverse(lengths[example]));
    within_budget(examples, lengths, budget)
}

/// Cuts examples, in their order, into batches of at most `budget` tokens; a longer example is a batch of its own.
pub(crate) fn within_budget(examples: Vec<usize>, lengths: &[usize], budget: usize) -> Vec<Vec<usize>> {
    let mut batches: Vec<Vec<usize>> = Vec::new();
    let mut room = 0;
    for example in examples {
        match batches.last_mut() {
            Some(batch) if lengths[example] <= room => batch.push(example),
            _ => {
                batches.push(vec![example]);
                room = budget;
            }
        }
        room = room.saturating_sub(lengths[example]);
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths(count: usize) -> Vec<usize> {
        (0..count).map(|example| 2 + (random::key(5, &[example as u64]) % 60) as usize).collect()
    }

    fn batching(batch_size: BatchSize) -> Batching {
        Batching { batch_size, gradient_accumulation: 1, micro_batch_tokens: 100, seed: 42, sampler: Sampler::All }
    }

    fn sorted(mut examples: Vec<usize>) -> Vec<usize> {
        examples.sort_unstable();
        examples
    }

    #[test]
    fn every_example_is_in_exactly_one_step() {
        for count in [1, 31, 32, 33, 1000] {
            for batch_size in [BatchSize::Examples(32), BatchSize::Tokens(300)] {
                for gradient_accumulation in [1, 3] {
                    let lengths = lengths(count);
                    let steps = Batching { gradient_accumulation, ..batching(batch_size) }.epoch(&lengths, 0);
                    let seen = steps.iter().flat_map(|step| step.micro_batches.concat()).collect();
                    assert_eq!(sorted(seen), (0..count).collect::<Vec<_>>(), "{count} {batch_size:?} {gradient_accumulation}");
                }
            }
        }
    }

    #[test]
    fn steps_hold_the_batch_size_and_the_last_one_the_rest() {
        let steps = batching(BatchSize::Examples(32)).epoch(&lengths(70), 0);
        assert_eq!(steps.iter().map(Step::examples).collect::<Vec<_>>(), [32, 32, 6]);
    }

    #[test]
    fn accumulation_joins_neighbouring_batches() {
        let lengths = lengths(70);
        let joined = Batching { gradient_accumulation: 2, ..batching(BatchSize::Examples(8)) }.epoch(&lengths, 3);
        let big = batching(BatchSize::Examples(16)).epoch(&lengths, 3);
        assert_eq!(joined, big);
    }

    #[test]
    fn cutting_a_step_does_not_change_its_examples() {
        let lengths = lengths(200);
        let whole = Batching { micro_batch_tokens: 1_000_000, ..batching(BatchSize::Examples(32)) }.epoch(&lengths, 1);
        let cut = batching(BatchSize::Examples(32)).epoch(&lengths, 1);
        assert!(cut.iter().any(|step| step.micro_batches.len() > 1));
        for (whole, cut) in whole.iter().zip(&cut) {
            assert_eq!(whole.micro_batches.len(), 1);
            assert_eq!(whole.micro_batches.concat(), cut.micro_batches.concat());
        }
    }

    #[test]
    fn micro_batches_and_token_batches_keep_their_budgets() {
        let lengths = lengths(500);
        let steps = batching(BatchSize::Tokens(150)).epoch(&lengths, 0);
        let tokens = |examples: &[usize]| examples.iter().map(|&example| lengths[example]).sum::<usize>();
        assert!(steps.iter().all(|step| tokens(&step.micro_batches.concat()) <= 150));
        assert!(steps.iter().flat_map(|step| &step.micro_batches).all(|micro_batch| tokens(micro_batch) <= 100));
    }

    #[test]
    fn an_example_longer_than_the_budget_stands_alone() {
        let lengths = [5, 500, 5, 5];
        assert_eq!(by_length(vec![0, 1, 2, 3], &lengths, 10), [vec![1], vec![0, 2], vec![3]]);
    }

    #[test]
    fn order_follows_from_seed_and_epoch_alone() {
        let lengths = lengths(100);
        let first = batching(BatchSize::Examples(10));
        assert_eq!(first.epoch(&lengths, 0), first.epoch(&lengths, 0));
        assert_ne!(first.epoch(&lengths, 0), first.epoch(&lengths, 1));
        assert_ne!(first.epoch(&lengths, 0), Batching { seed: 43, ..first }.epoch(&lengths, 0));
    }
}
