//! jsonl: one JSON object a line; the columns are all keys in the order in which they first occur.
//! Knows nothing of files and encodings.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::path::Path;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use crate::problem::{Problem, Problems};
use crate::{Cell, Row, Table, TextError};

/// Reads one object a line; blank lines are passed over.
pub(super) fn read(source: &Path, text: &str) -> Result<Table, TextError> {
    let mut table = Table { source: source.to_owned(), columns: Vec::new(), rows: Vec::new(), notices: Vec::new() };
    let mut positions: HashMap<String, usize> = HashMap::new();
    let mut problems = Problems::new(source);
    for (index, written) in text.split('\n').enumerate() {
        let line = index + 1;
        if written.trim().is_empty() {
            continue;
        }
        match object(written, line) {
            Ok(object) => {
                let mut cells = vec![Cell::Absent; table.columns.len()];
                for (key, value) in object {
                    let position = *positions.entry(key).or_insert_with_key(|key| {
                        table.columns.push(key.clone());
                        cells.push(Cell::Absent);
                        table.columns.len() - 1
                    });
                    cells[position] = match value {
                        Value::String(text) => Cell::Text(text),
                        other => Cell::Json(other),
                    };
                }
                table.rows.push(Row { line, cells });
            }
            Err(problem) => problems.add(problem),
        }
    }
    problems.check()?;
    for row in &mut table.rows {
        row.cells.resize(table.columns.len(), Cell::Absent);
    }
    Ok(table)
}

/// The keys and values of an object, as they are written.
struct Pairs(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Pairs;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

fn object(written: &str, line: usize) -> Result<Vec<(String, Value)>, Problem> {
    if let Ok(Pairs(pairs)) = serde_json::from_str(written) {
        let mut keys = HashSet::with_capacity(pairs.len());
        return match pairs.iter().find(|(key, _)| !keys.insert(key.as_str())) {
            Some((key, _)) => Err(Problem::RepeatedKey { line, key: key.clone() }),
            None => Ok(pairs),
        };
    }
    let found = match serde_json::from_str(written) {
        // An object would have been read above.
        Ok(Value::Object(_)) => "an object that cannot be read",
        Ok(Value::Null) => "null",
        Ok(Value::Bool(_)) => "true or false",
        Ok(Value::Number(_)) => "a number",
        Ok(Value::String(_)) => "a string",
        Ok(Value::Array(_)) => "a list",
        Err(error) => {
            let told = error.to_string();
            // The place that the message ends with counts from this line, not from the file's start.
            let reason = told.split(" at line ").next().unwrap_or(&told).to_owned();
            return Err(Problem::NotJson { line, column: error.column(), reason });
        }
    };
    Err(Problem::NotAnObject { line, found })
}
