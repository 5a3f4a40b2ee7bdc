//! Updates against golden trajectories in double precision (`tools/reference/optimizers.py`).

use serde_json::Value;

use super::*;

/// Single precision against double, over twelve updates.
const TOLERANCE: f64 = 2e-6;

fn numbers(value: &Value) -> Vec<f32> {
    value.as_array().expect("an array").iter().map(|number| number.as_f64().expect("a number") as f32).collect()
}

fn optimizer(case: &Value) -> Optimizer {
    let number = |name: &str| case[name].as_f64().expect("a number") as f32;
    let flag = |name: &str| case[name].as_bool().expect("a flag");
    let adam = || (number("beta1"), number("beta2"), number("epsilon"), flag("bias_correction"));
    match case["optimizer"].as_str().expect("a name") {
        "gradient_descent" => Optimizer::GradientDescent,
        "momentum" => Optimizer::Momentum {
            momentum: number("momentum"),
            form: if case["form"] == "averaged" { MomentumForm::Averaged } else { MomentumForm::Accumulated },
            nesterov: flag("nesterov"),
        },
        "adam" => {
            let (beta1, beta2, epsilon, bias_correction) = adam();
            Optimizer::Adam { beta1, beta2, epsilon, bias_correction }
        }
        "adamw" => {
            let (beta1, beta2, epsilon, bias_correction) = adam();
            Optimizer::AdamW { beta1, beta2, epsilon, bias_correction }
        }
        other => panic!("unknown optimizer {other}"),
    }
}

#[test]
fn every_optimizer_follows_its_golden_trajectory() {
    let golden: Value = serde_json::from_str(include_str!("../../tests/golden/optimizers.json")).expect("golden file");
    let (start, rates) = (numbers(&golden["start"]), numbers(&golden["learning_rates"]));
    let mut failed = Vec::new();
    for case in golden["cases"].as_array().expect("cases") {
        let optimizer = optimizer(case);
        let decay = case["weight_decay"].as_f64().expect("a number") as f32;
        let scale = case["gradient_scale"].as_f64().expect("a number") as f32;
        let mut parameters = Parameters::new();
        let id = parameters.add("p", &[start.len()], start.clone());
        let mut state = OptimizerState::new(&parameters);
        let mut gradients = Gradients::new(&parameters);
        for (step, rate) in rates.iter().enumerate() {
            gradients.clear();
            gradients.accumulate(id).expect("trainable").0.copy_from_slice(&numbers(&golden["gradients"][step]));
            state.step(&optimizer, &mut parameters, &gradients, scale, &[Rate { learning_rate: *rate, weight_decay: decay }]);
            for (found, expected) in parameters.values(id).iter().zip(case["values"][step].as_array().expect("values")) {
                let expected = expected.as_f64().expect("a number");
                if (f64::from(*found) - expected).abs() > TOLERANCE * expected.abs().max(1.0) * (1 + step) as f64 {
                    failed.push(format!("{} step {step}: {found} instead of {expected}", case["name"]));
                }
            }
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

/// A gradient that reaches only some rows must update all of them just as a dense one with zeros elsewhere.
#[test]
fn rows_without_gradient_are_updated_as_with_a_zero_gradient() {
    let adam = |decoupled: bool| {
        let (beta1, beta2, epsilon, bias_correction) = (0.9, 0.99, 1e-8, true);
        if decoupled {
            Optimizer::AdamW { beta1, beta2, epsilon, bias_correction }
        } else {
            Optimizer::Adam { beta1, beta2, epsilon, bias_correction }
        }
    };
    let momentum = Optimizer::Momentum { momentum: 0.9, form: MomentumForm::Accumulated, nesterov: true };
    for optimizer in [adam(true), adam(false), momentum, Optimizer::GradientDescent] {
        for weight_decay in [0.0, 0.1] {
            let values: Vec<f32> = (0..15).map(|i| i as f32 * 0.1 - 0.7).collect();
            let (mut sparse, mut dense) = (Parameters::new(), Parameters::new());
            let id = sparse.add("table", &[5, 3], values.clone());
            dense.add("table", &[5, 3], values);
            let (mut sparse_state, mut dense_state) = (OptimizerState::new(&sparse), OptimizerState::new(&dense));
            let (mut sparse_gradients, mut dense_gradients) = (Gradients::new(&sparse), Gradients::new(&dense));
            for rows in [[1u32, 3, 1], [0, 0, 1], [3, 3, 3]] {
                sparse_gradients.clear();
                dense_gradients.clear();
                sparse_gradients
                    .accumulate_rows(id, &rows, |index, row| row.iter_mut().for_each(|value| *value += 1.0 + index as f32));
                let full = sparse_gradients.get(id).expect("a gradient").to_vec();
                dense_gradients.accumulate(id).expect("trainable").0.copy_from_slice(&full);
                assert_eq!(sparse_gradients.norm(), dense_gradients.norm());
                let rates = [Rate { learning_rate: 0.1, weight_decay }];
                sparse_state.step(&optimizer, &mut sparse, &sparse_gradients, 0.5, &rates);
                dense_state.step(&optimizer, &mut dense, &dense_gradients, 0.5, &rates);
                assert_eq!(sparse.values(id), dense.values(id), "{optimizer:?} with weight decay {weight_decay}");
            }
        }
    }
}

/// Rows that an earlier gradient for all rows has reached keep moving by their moments.
#[test]
fn rows_reached_by_an_earlier_dense_gradient_keep_their_moments() {
    let momentum = Optimizer::Momentum { momentum: 0.5, form: MomentumForm::Accumulated, nesterov: false };
    let mut parameters = Parameters::new();
    let id = parameters.add("table", &[2, 1], vec![0.0, 0.0]);
    let mut state = OptimizerState::new(&parameters);
    let mut gradients = Gradients::new(&parameters);
    let rates = [Rate { learning_rate: 1.0, weight_decay: 0.0 }];
    gradients.accumulate(id).expect("trainable").0.fill(1.0);
    state.step(&momentum, &mut parameters, &gradients, 1.0, &rates);
    gradients.clear();
    gradients.accumulate_rows(id, &[0], |_, row| row[0] += 1.0);
    state.step(&momentum, &mut parameters, &gradients, 1.0, &rates);
    assert_eq!(parameters.values(id), [-2.5, -1.5]);
}
