//! Texts with places in them that the columns of a table fill: how prompts are made of any data. Knows no file and no task.

use std::str::FromStr;

use crate::columns::{Role, named};
use crate::dataset::described;
use crate::problem::{Problem, Problems};
use crate::{Cell, Row, Table, TextError};

/// A text such as `Summarize: {document}\nSummary:`: the value of a column stands for its name in braces. `\n` and `\t` stand for a line
/// break and a tab, `\\` for a backslash, `{{` and `}}` for braces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Column(String),
}

/// Why a text is no template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateProblem {
    /// No column would be read.
    #[error("it names no column; a column stands in braces, such as {{text}}")]
    NoColumn,
    /// A brace opens and nothing closes it.
    #[error("the brace at character {at} is never closed; a brace that is meant as such is doubled: {{{{")]
    Unclosed {
        /// Where, from 1.
        at: usize,
    },
    /// A brace closes nothing.
    #[error("the brace at character {at} closes nothing; a brace that is meant as such is doubled: }}}}")]
    Unopened {
        /// Where, from 1.
        at: usize,
    },
    /// Braces with nothing in them.
    #[error("the braces at character {at} name no column")]
    Nameless {
        /// Where, from 1.
        at: usize,
    },
}

impl FromStr for Template {
    type Err = TemplateProblem;

    fn from_str(text: &str) -> Result<Self, TemplateProblem> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut characters = text.chars().zip(1..).peekable();
        while let Some((character, at)) = characters.next() {
            let next = characters.peek().map(|(next, _)| *next);
            match (character, next) {
                ('\\', Some(escaped @ ('n' | 't' | '\\'))) => {
                    characters.next();
                    plain.push(match escaped {
                        'n' => '\n',
                        't' => '\t',
                        other => other,
                    });
                }
                ('{', Some('{')) | ('}', Some('}')) => {
                    characters.next();
                    plain.push(character);
                }
                ('}', _) => return Err(TemplateProblem::Unopened { at }),
                ('{', _) => {
                    let mut name = String::new();
                    loop {
                        match characters.next() {
                            None => return Err(TemplateProblem::Unclosed { at }),
                            Some(('}', _)) => break,
                            Some((inner, _)) => name.push(inner),
                        }
                    }
                    if name.trim().is_empty() {
                        return Err(TemplateProblem::Nameless { at });
                    }
                    parts.extend([Part::Text(std::mem::take(&mut plain)), Part::Column(name)]);
                }
                _ => plain.push(character),
            }
        }
        parts.push(Part::Text(plain));
        parts.retain(|part| !matches!(part, Part::Text(text) if text.is_empty()));
        if !parts.iter().any(|part| matches!(part, Part::Column(_))) {
            return Err(TemplateProblem::NoColumn);
        }
        Ok(Self { parts })
    }
}

/// A template over a table that has its columns.
pub(crate) struct Filling<'a> {
    parts: Vec<Filled<'a>>,
}

enum Filled<'a> {
    Text(&'a str),
    Column(usize),
}

impl Template {
    /// The columns that are named.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Column(name) => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// The text of every row of a table, in their order; everything that is wrong with the rows is told in one error.
    pub fn fill(&self, table: &Table) -> Result<Vec<String>, TextError> {
        let mut problems = Problems::new(&table.source);
        let Some(filling) = self.over(table, &mut problems) else { return Err(TextError::Data(problems)) };
        let texts = table.rows.iter().map(|row| filling.text(table, row, &mut problems)).collect();
        problems.check()?;
        Ok(texts)
    }

    /// The template over a table; columns that it does not have are added to the problems.
    pub(crate) fn over<'t>(&'t self, table: &Table, problems: &mut Problems) -> Option<Filling<'t>> {
        let place = |part: &'t Part| match part {
            Part::Text(text) => Some(Filled::Text(text)),
            Part::Column(name) => named(table, Role::TemplateColumn, name, problems).map(Filled::Column),
        };
        // All columns are looked for before one that is missing ends it.
        let parts: Vec<Option<Filled<'t>>> = self.parts.iter().map(place).collect();
        Some(Filling { parts: parts.into_iter().collect::<Option<_>>()? })
    }
}

impl Filling<'_> {
    /// The text of a row. Numbers are written as they stand in the file; a list or an object is no text.
    pub fn text(&self, table: &Table, row: &Row, problems: &mut Problems) -> String {
        let mut filled = String::new();
        for part in &self.parts {
            let position = match part {
                Filled::Text(text) => {
                    filled.push_str(text);
                    continue;
                }
                Filled::Column(position) => *position,
            };
            let (line, column) = (row.line, || table.columns[position].clone());
            match &row.cells[position] {
                Cell::Absent => problems.add(Problem::NoValue { line, column: column() }),
                Cell::Json(value) if value.is_array() || value.is_object() => {
                    problems.add(Problem::NotText { line, column: column(), found: described(value) });
                }
                cell => filled.push_str(&cell.written()),
            }
        }
        filled
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::json;

    use super::*;

    fn table() -> Table {
        let row = |line, cells| Row { line, cells };
        Table {
            source: Path::new("data.jsonl").to_owned(),
            columns: vec!["document".to_owned(), "year".to_owned()],
            rows: vec![
                row(1, vec![Cell::Text("A long {story}.".to_owned()), Cell::Json(json!(1999))]),
                row(2, vec![Cell::Json(json!(["a"])), Cell::Absent]),
            ],
            notices: Vec::new(),
        }
    }

    #[test]
    fn columns_fill_their_places_and_escapes_mean_what_they_say() {
        let cases = [
            ("{document}", "A long {story}."),
            ("Of {year}:\\n{document}\\n\\nSummary:", "Of 1999:\nA long {story}.\n\nSummary:"),
            ("{{{year}}}\\t\\\\n", "{1999}\t\\n"),
            ("文章：{document}", "文章：A long {story}."),
        ];
        for (template, expected) in cases {
            let template: Template = template.parse().unwrap();
            let table = table();
            let mut problems = Problems::new(&table.source);
            let filling = template.over(&table, &mut problems).unwrap();
            assert_eq!(filling.text(&table, &table.rows[0], &mut problems), expected);
            assert!(problems.is_empty());
        }
    }

    #[test]
    fn what_is_no_template_is_refused_with_its_place() {
        let cases = [
            ("Summarize:", "it names no column; a column stands in braces, such as {text}"),
            ("a {b", "the brace at character 3 is never closed; a brace that is meant as such is doubled: {{"),
            ("a b}", "the brace at character 4 closes nothing; a brace that is meant as such is doubled: }}"),
            ("a { }", "the braces at character 3 name no column"),
        ];
        for (template, expected) in cases {
            assert_eq!(template.parse::<Template>().unwrap_err().to_string(), expected, "{template}");
        }
    }

    #[test]
    fn columns_and_cells_that_are_not_there_are_told() {
        let table = table();
        let mut problems = Problems::new(&table.source);
        let template: Template = "{documents} {yeer}".parse().unwrap();
        assert!(template.over(&table, &mut problems).is_none() && problems.total == 2, "{problems}");
        let mut problems = Problems::new(&table.source);
        let template: Template = "{document} {year}".parse().unwrap();
        template.over(&table, &mut problems).unwrap().text(&table, &table.rows[1], &mut problems);
        let told = problems.to_string();
        assert!(
            told.contains("\"document\" holds a list where a text is needed") && told.contains("no value for \"year\""),
            "{told}"
        );
    }
}
