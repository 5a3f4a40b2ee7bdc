//! McNemar's test: whether two models that answered the same examples are right equally often (McNemar 1947; Edwards' correction for
//! continuity). Knows only which answers were right.

use serde::Serialize;

/// With fewer examples than this that one model alone tells right, the test is exact.
const EXACT_BELOW: u64 = 25;

/// The outcome of the test.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct McNemar {
    /// Examples that both tell right.
    pub both: u64,
    /// Examples that the first alone tells right.
    pub only_first: u64,
    /// Examples that the second alone tells right.
    pub only_second: u64,
    /// Examples that neither tells right.
    pub neither: u64,
    /// Whether the test is exact (two-sided binomial); otherwise it is by chi-squared with correction for continuity.
    pub exact: bool,
    /// How probable a difference as large as this is, where both models are right equally often.
    pub p_value: f64,
}

impl McNemar {
    /// Of answers to the same examples: whether each is right.
    ///
    /// # Panics
    /// If there are not as many answers of the second as of the first.
    pub fn of(first: &[bool], second: &[bool]) -> Self {
        assert_eq!(first.len(), second.len(), "McNemar's test: answers");
        let count = |of: (bool, bool)| first.iter().zip(second).filter(|(one, two)| (**one, **two) == of).count() as u64;
        let (only_first, only_second) = (count((true, false)), count((false, true)));
        let exact = only_first + only_second < EXACT_BELOW;
        Self {
            both: count((true, true)),
            only_first,
            only_second,
            neither: count((false, false)),
            exact,
            p_value: if exact { binomial(only_first, only_second) } else { chi_squared(only_first, only_second) },
        }
    }
}

/// Twice the probability of at most the smaller count in as many fair throws as both (statsmodels' `mcnemar(exact=True)`).
fn binomial(one: u64, other: u64) -> f64 {
    let throws = one + other;
    let (mut ways, mut sum) = (1.0, 0.0);
    for successes in 0..=one.min(other) {
        sum += ways;
        ways *= (throws - successes) as f64 / (successes + 1) as f64;
    }
    (2.0 * sum * 0.5_f64.powi(throws as i32)).min(1.0)
}

/// The upper tail of chi-squared with one degree of freedom at `(|b - c| - 1)^2 / (b + c)` (statsmodels' `mcnemar(exact=False)`).
fn chi_squared(one: u64, other: u64) -> f64 {
    let statistic = (one.abs_diff(other) as f64 - 1.0).powi(2) / (one + other) as f64;
    erfc((statistic / 2.0).sqrt())
}

/// From here on the continued fraction is nearer than the series.
const FRACTION_FROM: f64 = 2.0;
/// As many terms as both need for the last digits.
const TERMS: u32 = 200;

/// The complement of the error function for `x >= 0`: Abramowitz and Stegun, 7.1.6 below 2 and 7.1.14 from there on.
fn erfc(x: f64) -> f64 {
    let scale = (-x * x).exp() / std::f64::consts::PI.sqrt();
    if x < FRACTION_FROM {
        let (mut term, mut sum) = (x, x);
        for place in 1..TERMS {
            term *= 2.0 * x * x / f64::from(2 * place + 1);
            sum += term;
        }
        return 1.0 - 2.0 * scale * sum;
    }
    scale / (1..TERMS).rev().fold(x, |below, place| x + f64::from(place) / 2.0 / below)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Golden {
        /// Both, only the first, only the second, neither, p.
        cases: Vec<(usize, usize, usize, usize, f64)>,
    }

    #[test]
    fn p_values_are_those_of_statsmodels_and_scipy() {
        let golden: Golden = serde_json::from_str(include_str!("../../tests/golden/mcnemar.json")).unwrap();
        let mut wrong = Vec::new();
        for (both, first, second, neither, expected) in &golden.cases {
            let pairs = [(*both, (true, true)), (*first, (true, false)), (*second, (false, true)), (*neither, (false, false))];
            let (one, two): (Vec<bool>, Vec<bool>) =
                pairs.into_iter().flat_map(|(count, answers)| std::iter::repeat_n(answers, count)).unzip();
            let found = McNemar::of(&one, &two);
            assert_eq!((found.both, found.neither), (*both as u64, *neither as u64));
            if (found.p_value - expected).abs() > 1e-10 * expected {
                wrong.push(format!("{first} and {second}: {}, the reference says {expected}", found.p_value));
            }
        }
        assert!(golden.cases.len() >= 1000);
        assert!(wrong.is_empty(), "{} cases differ:\n{}", wrong.len(), wrong[..wrong.len().min(8)].join("\n"));
    }
}
