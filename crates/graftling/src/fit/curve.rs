//! Loss, gradient norm and learning rate over the steps, in points that are never too many: where they would be, two become one.
//! Knows numbers only.

use serde::{Deserialize, Serialize};

use super::state::Figures;

/// The most points; each stands for as many steps as it takes to keep to this.
const MOST_POINTS: usize = 400;

/// Some steps of training: the last one, and figures of all of them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct CurvePoint {
    pub step: u64,
    /// The mean loss.
    pub loss: f64,
    /// The mean norm of the gradients before clipping.
    pub gradient_norm: f64,
    /// The rate of the last step.
    pub learning_rate: f64,
}

/// The points so far, and the steps that do not make one yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Curve {
    steps_each: u64,
    points: Vec<CurvePoint>,
    begun: u64,
    /// The sums over the steps that do not make a point yet.
    sums: CurvePoint,
}

impl Default for Curve {
    fn default() -> Self {
        let sums = CurvePoint { step: 0, loss: 0.0, gradient_norm: 0.0, learning_rate: 0.0 };
        Self { steps_each: 1, points: Vec::new(), begun: 0, sums }
    }
}

impl Curve {
    /// How many steps a point stands for.
    pub fn steps_each(&self) -> u64 {
        self.steps_each
    }

    /// The points, with one for what is left over at the end.
    pub fn points(&self) -> Vec<CurvePoint> {
        self.points.iter().copied().chain((self.begun > 0).then(|| self.mean())).collect()
    }

    pub(super) fn note(&mut self, step: u64, figures: Figures) {
        self.sums.step = step;
        self.sums.loss += f64::from(figures.loss);
        self.sums.gradient_norm += f64::from(figures.norm);
        // As it would be written: 5e-5, not the double that is nearest to the single.
        self.sums.learning_rate = figures.learning_rate.to_string().parse().unwrap_or(f64::from(figures.learning_rate));
        self.begun += 1;
        if self.begun < self.steps_each {
            return;
        }
        self.points.push(self.mean());
        *self = Self { steps_each: self.steps_each, points: std::mem::take(&mut self.points), ..Self::default() };
        if self.points.len() >= MOST_POINTS {
            let halved = self.points.chunks(2).map(|pair| match pair {
                [one, other] => CurvePoint {
                    loss: f64::midpoint(one.loss, other.loss),
                    gradient_norm: f64::midpoint(one.gradient_norm, other.gradient_norm),
                    ..*other
                },
                _ => pair[0],
            });
            self.points = halved.collect();
            self.steps_each *= 2;
        }
    }

    fn mean(&self) -> CurvePoint {
        let steps = self.begun as f64;
        CurvePoint { loss: self.sums.loss / steps, gradient_norm: self.sums.gradient_norm / steps, ..self.sums }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(steps: u64) -> Curve {
        let mut curve = Curve::default();
        (1..=steps).for_each(|step| curve.note(step, Figures { loss: step as f32, norm: 2.0, learning_rate: 5e-5 }));
        curve
    }

    #[test]
    fn few_steps_are_a_point_each() {
        let points = curve(10).points();
        assert_eq!(points.iter().map(|point| point.loss).collect::<Vec<_>>(), (1..=10).map(f64::from).collect::<Vec<_>>());
        assert!(points.iter().all(|point| point.learning_rate == 5e-5 && point.gradient_norm == 2.0));
    }

    #[test]
    fn many_steps_are_a_bounded_number_of_points_that_miss_none() {
        for steps in [399, 400, 401, 5_003] {
            let curve = curve(steps);
            let points = curve.points();
            assert!(points.len() <= MOST_POINTS && points.last().is_some_and(|last| last.step == steps), "{steps}");
            let mut done = 0;
            for point in points {
                assert_eq!(point.loss, f64::midpoint((done + 1) as f64, point.step as f64), "{steps}: {point:?}");
                done = point.step;
            }
        }
    }
}
