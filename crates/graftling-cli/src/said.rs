//! What a model says about a text: on a line, and as columns of a table. Knows nothing of how it came to say so.

use graftling::{Prediction, Said};
use graftling_text::{Cell, NewColumn};
use serde_json::{Number, Value, json};

use crate::text_table::{Side, one_line, padded};

/// A label takes up to so many columns of a line.
pub const LABEL_WIDTH: usize = 32;
/// The names of all columns that [`columns`] may add.
pub const COLUMNS: &[&str] = &[
    "predicted_label",
    "probability",
    "predicted_labels",
    "predicted",
    "predicted_entities",
    "predicted_tags",
    "predicted_tokens",
    "predicted_answer",
    "predicted_answer_start",
    "null_score_diff",
    "embedding",
    "similarity",
    "similarities",
    "prediction",
    "finish_reason",
];
/// Between labels in one cell, as the readers take it.
const BETWEEN: &str = "|";

/// What is said of one text, with single labels filled up to `label_width`.
pub fn in_a_line(said: &Said, label_width: usize) -> String {
    match said {
        Said::Label { label, probability, .. } => {
            format!("{}  {probability:.4}", padded(&one_line(label, LABEL_WIDTH), Side::Left, label_width))
        }
        _ => said.to_string(),
    }
}

/// The tag of each word that is spoken of, if words are.
pub fn tags(said: &Said) -> Vec<String> {
    match said {
        Said::Entities { tags, .. } => tags.clone(),
        Said::Tags { tags } => tags.iter().map(|word| word.tag.clone()).collect(),
        _ => Vec::new(),
    }
}

/// What is said of each row of a table, as new columns. Where the words were given, each has its tag there, too. A row of which a thing is
/// not said, such as the preference for no answer in a context without a token, has a null in its column.
pub fn columns(predictions: &[Prediction], words_given: bool) -> Vec<NewColumn> {
    let mut columns: Vec<NewColumn> = Vec::new();
    let fill = |column: &mut NewColumn, rows: usize| column.cells.resize(rows, Cell::Json(Value::Null));
    for (row, prediction) in predictions.iter().enumerate() {
        for (name, cell) in cells(&prediction.said, words_given) {
            let place = columns.iter().position(|column| column.name == name).unwrap_or_else(|| {
                columns.push(NewColumn { name: name.to_owned(), cells: Vec::new() });
                columns.len() - 1
            });
            fill(&mut columns[place], row);
            columns[place].cells.push(cell);
        }
    }
    columns.iter_mut().for_each(|column| fill(column, predictions.len()));
    columns
}

/// The new cells of one row.
fn cells(said: &Said, words_given: bool) -> Vec<(&'static str, Cell)> {
    match said {
        Said::Label { label, probability, .. } => {
            vec![("predicted_label", Cell::Text(label.clone())), ("probability", Cell::Json(number(*probability)))]
        }
        Said::Labels { labels, .. } => vec![("predicted_labels", in_one_cell(labels))],
        Said::Numbers { numbers } => {
            let value = match numbers.as_slice() {
                [one] => number(*one),
                several => several.iter().copied().map(number).collect(),
            };
            vec![("predicted", Cell::Json(value))]
        }
        Said::Entities { entities, tags } => {
            let tags = words_given.then(|| ("predicted_tags", Cell::Json(json!(tags))));
            tags.into_iter().chain([("predicted_entities", Cell::Json(json!(entities)))]).collect()
        }
        Said::Embedding { embedding } => {
            vec![("embedding", Cell::Json(embedding.iter().copied().map(number).collect()))]
        }
        Said::Similarity { similarity } => vec![("similarity", Cell::Json(number(*similarity)))],
        Said::Similarities { similarities } => {
            vec![("similarities", Cell::Json(similarities.iter().copied().map(number).collect()))]
        }
        Said::Answer { answer, characters, probability, null_score_diff } => {
            let mut cells = vec![
                ("predicted_answer", Cell::Text(answer.clone())),
                ("predicted_answer_start", Cell::Json(json!(characters.map(|(start, _)| start)))),
                ("probability", Cell::Json(number(*probability))),
            ];
            cells.extend(null_score_diff.map(|difference| ("null_score_diff", Cell::Json(number(difference)))));
            cells
        }
        Said::Written { prediction, finish_reason, .. } => {
            vec![("prediction", Cell::Text(prediction.clone())), ("finish_reason", Cell::Text(finish_reason.to_string()))]
        }
        Said::Aggregated { entities } => vec![("predicted_entities", Cell::Json(json!(entities)))],
        Said::Masks { masks } => vec![("predicted_tokens", Cell::Json(json!(masks)))],
        Said::Tags { .. } => vec![("predicted_tags", Cell::Json(json!(tags(said))))],
    }
}

/// Labels as the readers take them back: with a sign between them, or as a list where a label has that sign or looks like a list itself.
fn in_one_cell(labels: &[String]) -> Cell {
    match labels.iter().any(|label| label.contains(BETWEEN) || label.starts_with('[')) {
        true => Cell::Json(json!(labels)),
        false => Cell::Text(labels.join(BETWEEN)),
    }
}

/// As few digits as give the same single-precision number back.
pub fn number(value: f32) -> Value {
    value.to_string().parse::<Number>().map_or(Value::Null, Value::Number)
}

#[cfg(test)]
mod tests {
    use graftling_text::{Columns, Row, Table, multi_labelled, read_table, write_table};

    use super::*;

    #[test]
    fn a_row_of_which_a_thing_is_not_said_has_a_null_there() {
        let of = |null_score_diff| {
            let said = Said::Answer { answer: String::new(), characters: None, probability: 1.0, null_score_diff };
            Prediction { said, tokens: 3, truncated_tokens: 0 }
        };
        let null = Cell::Json(Value::Null);
        let told = |predictions: &[Prediction]| columns(predictions, false).pop().map(|column| (column.name, column.cells));
        for (differences, expected) in [
            (vec![None, Some(0.5), None], vec![null.clone(), Cell::Json(json!(0.5)), null.clone()]),
            (vec![Some(0.5), None], vec![Cell::Json(json!(0.5)), null]),
        ] {
            let predictions: Vec<Prediction> = differences.into_iter().map(of).collect();
            assert_eq!(told(&predictions), Some(("null_score_diff".to_owned(), expected)));
        }
    }
    #[test]
    fn labels_are_read_back_as_they_were_said_whatever_signs_they_have() {
        let rows = [
            vec!["x|y", "z"],
            vec!["plain"],
            vec!["one", "two"],
            vec![],
            vec!["|"],
            vec!["[1]"],
            vec!["[\"a\"]"],
            vec!["a \"quoted\", one", "x|y"],
        ];
        let rows = rows.map(|labels| labels.into_iter().map(str::to_owned).collect::<Vec<String>>());
        let said = |labels: &Vec<String>| Prediction {
            said: Said::Labels { labels: labels.clone(), probabilities: Vec::new() },
            tokens: 3,
            truncated_tokens: 0,
        };
        let predictions: Vec<Prediction> = rows.iter().map(said).collect();
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["a.csv", "a.tsv", "a.jsonl"] {
            let row = |number: usize| Row { line: number + 2, cells: vec![Cell::Text(format!("text {number}"))] };
            let table = Table {
                source: name.into(),
                columns: vec!["text".to_owned()],
                rows: (0..rows.len()).map(row).collect(),
                notices: Vec::new(),
            };
            let path = folder.path().join(name);
            write_table(&path, None, &table, &columns(&predictions, false)).expect("a file");
            let asked = Columns { label: Some("predicted_labels".to_owned()), ..Columns::default() };
            let read = multi_labelled(read_table(&path, None).expect("a table"), &asked).expect("labels");
            let labels: Vec<Vec<String>> = read.examples.into_iter().filter_map(|example| example.label).collect();
            assert_eq!(labels, rows, "{name}");
        }
    }
}
