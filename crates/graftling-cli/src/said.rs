//! What a model says about a text: on a line, and as columns of a table. Knows nothing of how it came to say so.

use graftling::{Prediction, Said};
use graftling_text::{Cell, NewColumn};
use serde_json::{Number, Value};

use crate::text_table::{Side, one_line, padded};

/// A label takes up to so many columns of a line.
pub const LABEL_WIDTH: usize = 32;
/// The names of all columns that [`columns`] may add.
pub const COLUMNS: &[&str] = &["predicted_label", "probability"];

/// What is said of one text, with labels filled up to `label_width`.
pub fn in_a_line(said: &Said, label_width: usize) -> String {
    match said {
        Said::Label { label, probability, .. } => {
            format!("{}  {probability:.4}", padded(&one_line(label, LABEL_WIDTH), Side::Left, label_width))
        }
    }
}

/// What is said of each row of a table, as new columns.
pub fn columns(predictions: &[Prediction]) -> Vec<NewColumn> {
    let column = |name: &str, cell: &dyn Fn(&Said) -> Cell| NewColumn {
        name: name.to_owned(),
        cells: predictions.iter().map(|prediction| cell(&prediction.said)).collect(),
    };
    vec![
        column("predicted_label", &|Said::Label { label, .. }| Cell::Text(label.clone())),
        column("probability", &|Said::Label { probability, .. }| Cell::Json(number(*probability))),
    ]
}

/// As few digits as give the same single-precision number back.
fn number(value: f32) -> Value {
    value.to_string().parse::<Number>().map_or(Value::Null, Value::Number)
}
