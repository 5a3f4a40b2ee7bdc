//! Texts and what is to be written from them: documents with their summaries, sources with their translations. Knows no tokens.

#[cfg(test)]
mod tests;

use std::borrow::Borrow;

use serde_json::{Map, Value};

use super::{Examples, SameText};
use crate::columns::{ChosenColumns, Role, by_name, folded_position, named, refuse_double_use};
use crate::dataset::{Dataset, Example, TextRow, described, empty_notice, repeats_notices, text};
use crate::nearest::nearest;
use crate::problem::{Problem, Problems};
use crate::template::{Filling, Template};
use crate::wording::{counted, did_you_mean, plain_list, quoted};
use crate::{Cell, Row, Table, TextError};

/// The column of datasets that holds every translation as an object: `{"en": "...", "de": "..."}`.
const TRANSLATIONS: &str = "translation";

/// A text, and what is to be written from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceTarget {
    /// The text, which is not empty.
    pub source: String,
    /// Whether the source stands in the file as it is.
    pub made_of: MadeOf,
    /// What is to be written, which is not empty.
    pub target: String,
    /// The line of the file where the example begins, from 1.
    pub line: usize,
}

/// What a source is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MadeOf {
    /// It is a text of the file.
    Itself,
    /// A template has put words around this text of the file.
    Text(String),
    /// A template has made it of columns, and nothing says which of them is the text.
    Columns,
}

/// What targets are to their sources; by it go the names of the columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetKind {
    /// Summaries.
    Summary,
    /// Translations.
    Translation,
}

/// Which columns hold what; what is `None` is looked for by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceTargetColumns {
    /// The column of the sources.
    pub source: Option<String>,
    /// The column of the targets.
    pub target: Option<String>,
    /// What sources are made by from any columns, instead of being one.
    pub template: Option<Template>,
    /// The language of the sources: their key in objects of translations, or the name of their column.
    pub source_language: Option<String>,
    /// The language of the targets, as that of the sources.
    pub target_language: Option<String>,
}

/// What is wrong with an object of translations.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub(crate) enum TranslationProblem {
    #[error("{} holds {found} where an object with a text for each language is needed", quoted(TRANSLATIONS))]
    NotAnObject { found: String },
    #[error("{} has no text in {}; it has {}{}", quoted(TRANSLATIONS), quoted(language), plain_list(found), did_you_mean(near.as_deref()))]
    NoSuchLanguage { language: String, found: Vec<String>, near: Option<String> },
    #[error("{} holds {found} in {} where a text is needed", quoted(TRANSLATIONS), quoted(language))]
    NotText { language: String, found: String },
    #[error("the text in {} of {} is empty; fill it in or drop the row", quoted(language), quoted(TRANSLATIONS))]
    Empty { language: String },
}

impl SourceTarget {
    /// The text of the file that the source is, or was made of: without the words of a template. None where nothing says which column it is.
    pub fn text(&self) -> Option<&str> {
        match &self.made_of {
            MadeOf::Itself => Some(&self.source),
            MadeOf::Text(text) => Some(text),
            MadeOf::Columns => None,
        }
    }
}

impl SameText for SourceTarget {
    /// The source alone: with another target it is no new text to a model.
    fn texts(&self) -> Vec<&str> {
        vec![self.source.trim()]
    }

    fn line(&self) -> Option<usize> {
        Some(self.line)
    }
}

impl TargetKind {
    fn roles(self) -> (Role, Role) {
        match self {
            Self::Summary => (Role::Document, Role::Summary),
            Self::Translation => (Role::Source, Role::Translation),
        }
    }
}

/// Where texts come from.
enum Place<'a> {
    Column {
        position: usize,
        chosen: Chosen,
    },
    Filled(Filling<'a>),
    /// A key of the objects in a column.
    Key {
        column: usize,
        language: &'a str,
    },
}

/// Why a column is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Chosen {
    Given,
    ByName,
    ByLanguage,
}

/// The sources of a table with their targets. Everything that is wrong with the rows is told in one error. Takes the table or a reference to
/// it.
pub fn source_targets(
    table: impl Borrow<Table>,
    kind: TargetKind,
    columns: &SourceTargetColumns,
) -> Result<Examples<SourceTarget>, TextError> {
    let table = table.borrow();
    let mut problems = Problems::new(&table.source);
    let Some((source, target)) = places(table, kind, columns, &mut problems) else { return Err(TextError::Data(problems)) };
    let (of_source, of_target) = kind.roles();
    refuse_double_use(table, &[(of_source, source.column()), (of_target, target.column())], &mut problems);
    let text_column = columns.template.as_ref().map(|template| text_column(table, kind, (template, columns), target.column()));
    let mut examples = Vec::with_capacity(table.rows.len());
    for row in &table.rows {
        let source = source.required(table, row, &mut problems);
        let target = target.required(table, row, &mut problems);
        let made_of = match text_column {
            None => MadeOf::Itself,
            Some(Some(position)) => MadeOf::Text(row.cells[position].written().into_owned()),
            Some(None) => MadeOf::Columns,
        };
        examples.push(SourceTarget { source, made_of, target, line: row.line });
    }
    problems.check()?;
    if examples.is_empty() {
        return Err(TextError::Empty { path: table.source.clone() });
    }
    let mut notices = table.notices.clone();
    notices.extend(chosen_notices(table, columns, &[(of_source, &source), (of_target, &target)]));
    let rows = examples.iter().map(|example| TextRow {
        texts: (example.source.trim(), ""),
        label: example.target.trim(),
        line: example.line,
    });
    let of_rows = repeats_notices(rows, "target").into_iter().chain(unwritten_notice(&examples));
    notices.extend(of_rows.map(|notice| format!("{}: {notice}", table.source.display())));
    Ok(Examples { source: table.source.clone(), examples, notices })
}

/// The sources of a table alone, for something to be written from them; a column of targets that is named must be there. Empty sources are
/// told in a notice, so that every row gets its prediction. Takes the table or a reference to it.
pub fn unwritten_sources(
    table: impl Borrow<Table>,
    kind: TargetKind,
    columns: &SourceTargetColumns,
) -> Result<Dataset, TextError> {
    let table = table.borrow();
    let mut problems = Problems::new(&table.source);
    let target = columns.target.as_ref().map(|name| named(table, kind.roles().1, name, &mut problems));
    let taken: Vec<usize> = target.flatten().into_iter().collect();
    let place = source_place(table, kind, columns, &taken, &mut problems);
    let (Some(place), true) = (place, target != Some(None)) else { return Err(TextError::Data(problems)) };
    let mut examples = Vec::with_capacity(table.rows.len());
    let mut empty_lines = Vec::new();
    for row in &table.rows {
        let text = place.text(table, row, &mut problems);
        if text.trim().is_empty() {
            empty_lines.push(row.line);
        }
        examples.push(Example { text, text_pair: None, label: None, line: row.line });
    }
    problems.check()?;
    let mut notices = table.notices.clone();
    notices.extend(chosen_notices(table, columns, &[(kind.roles().0, &place)]));
    notices.extend(empty_notice(table, &empty_lines));
    let name = place.column().map_or_else(String::new, |column| table.columns[column].clone());
    let columns = ChosenColumns { text: name, text_pair: None, label: None };
    Ok(Dataset { source: table.source.clone(), examples, columns, notices })
}

fn places<'a>(
    table: &Table,
    kind: TargetKind,
    columns: &'a SourceTargetColumns,
    problems: &mut Problems,
) -> Option<(Place<'a>, Place<'a>)> {
    let (_, of_target) = kind.roles();
    let SourceTargetColumns { source, target, template, source_language, target_language } = columns;
    if let Some(column) = translations(table, kind, columns).filter(|_| target.is_none()) {
        let key = |language: &'a Option<String>| Some(Place::Key { column, language: language.as_deref()? });
        return match (key(source_language), key(target_language)) {
            (Some(source), Some(target)) => Some((source, target)),
            _ => {
                problems.add(Problem::LanguagesUnclear { found: languages(table, column) });
                None
            }
        };
    }
    let of_source = template.iter().flat_map(Template::columns).chain(source.as_deref());
    let used: Vec<usize> = of_source.filter_map(|name| table.position(name)).collect();
    let of_language =
        target_language.as_deref().and_then(|language| called(table, language)).filter(|place| !used.contains(place));
    let target_place = match (target, of_language, target_language, column_of(table, columns)) {
        (Some(name), ..) => named(table, of_target, name, problems).map(Place::given),
        (None, Some(position), ..) => Some(Place::Column { position, chosen: Chosen::ByLanguage }),
        (None, None, Some(language), Some(_)) => {
            let (language, columns) = (language.clone(), table.columns.clone());
            problems.add(Problem::NoColumnOfLanguage { role: of_target, language, columns });
            None
        }
        (None, None, ..) => by_name(table, of_target, &used, problems).map(Place::found),
    };
    let taken: Vec<usize> = target_place.iter().filter_map(Place::column).collect();
    let source_place = source_place(table, kind, columns, &taken, problems);
    Some((source_place?, target_place?))
}

/// Where sources come from; the columns that are taken are left out.
fn source_place<'a>(
    table: &Table,
    kind: TargetKind,
    columns: &'a SourceTargetColumns,
    taken: &[usize],
    problems: &mut Problems,
) -> Option<Place<'a>> {
    let (role, _) = kind.roles();
    let SourceTargetColumns { source, template, source_language, .. } = columns;
    if let Some(template) = template {
        return template.over(table, problems).map(Place::Filled);
    }
    if let Some(name) = source {
        return named(table, role, name, problems).map(Place::given);
    }
    match (translations(table, kind, columns), source_language.as_deref()) {
        (Some(column), Some(language)) => Some(Place::Key { column, language }),
        (Some(column), None) => {
            problems.add(Problem::LanguagesUnclear { found: languages(table, column) });
            None
        }
        (None, _) => match column_of(table, columns) {
            Some(position) => Some(Place::Column { position, chosen: Chosen::ByLanguage }),
            None => by_name(table, role, taken, problems).map(Place::found),
        },
    }
}

/// The column that holds the texts that a template makes sources of: the only one that it names beside the targets', or of several the one
/// that is called by the language of the sources or has the only name of such a column.
fn text_column(
    table: &Table,
    kind: TargetKind,
    (template, columns): (&Template, &SourceTargetColumns),
    target: Option<usize>,
) -> Option<usize> {
    let mut named: Vec<usize> = template.columns().filter_map(|name| table.position(name)).collect();
    named.retain(|position| Some(*position) != target);
    named.sort_unstable();
    named.dedup();
    let of_language = || columns.source_language.as_deref().and_then(|language| called(table, language));
    let of_role = || -> Vec<usize> { kind.roles().0.names().iter().filter_map(|name| folded_position(table, name)).collect() };
    match named[..] {
        [only] => Some(only),
        _ => of_language().filter(|position| named.contains(position)).or_else(|| {
            let mut found = of_role().into_iter().filter(|position| named.contains(position));
            found.next().filter(|_| found.next().is_none())
        }),
    }
}

/// The column of objects with a text for each language, where the sources are not said to stand elsewhere.
fn translations(table: &Table, kind: TargetKind, columns: &SourceTargetColumns) -> Option<usize> {
    let elsewhere = kind != TargetKind::Translation || columns.source.is_some() || columns.template.is_some();
    let column = folded_position(table, TRANSLATIONS).filter(|_| !elsewhere)?;
    table.rows.first().is_some_and(|row| matches!(&row.cells[column], Cell::Json(Value::Object(_)))).then_some(column)
}

/// The languages of the first object in a column.
fn languages(table: &Table, column: usize) -> Vec<String> {
    let first = table.rows.first().map(|row| &row.cells[column]);
    match first {
        Some(Cell::Json(Value::Object(texts))) => texts.keys().cloned().collect(),
        _ => Vec::new(),
    }
}

/// The column that is called by the language of the sources, where they are not said to stand elsewhere.
fn column_of(table: &Table, columns: &SourceTargetColumns) -> Option<usize> {
    let SourceTargetColumns { source, template, source_language, .. } = columns;
    let language = source_language.as_ref().filter(|_| source.is_none() && template.is_none())?;
    called(table, language)
}

/// The column that is called by a language.
fn called(table: &Table, language: &str) -> Option<usize> {
    folded_position(table, &language.to_lowercase())
}

impl Place<'_> {
    fn given(position: usize) -> Self {
        Self::Column { position, chosen: Chosen::Given }
    }

    fn found(position: usize) -> Self {
        Self::Column { position, chosen: Chosen::ByName }
    }

    fn column(&self) -> Option<usize> {
        match self {
            Self::Column { position, .. } => Some(*position),
            Self::Filled(_) | Self::Key { .. } => None,
        }
    }

    /// The text of a row; that it is empty, or no text, is added to the problems.
    fn required(&self, table: &Table, row: &Row, problems: &mut Problems) -> String {
        let before = problems.total;
        let text = self.text(table, row, problems);
        if problems.total == before && text.trim().is_empty() {
            let line = row.line;
            problems.add(match self {
                Self::Column { position, .. } => Problem::EmptyText { line, column: table.columns[*position].clone() },
                Self::Filled(_) => Problem::NothingFilled { line },
                Self::Key { language, .. } => {
                    Problem::Translation { line, problem: TranslationProblem::Empty { language: (*language).to_owned() } }
                }
            });
        }
        text
    }

    /// The text of a row, which may be empty; that it is no text is added to the problems.
    fn text(&self, table: &Table, row: &Row, problems: &mut Problems) -> String {
        match self {
            Self::Column { position, .. } => text(table, row, *position, problems),
            Self::Filled(filling) => filling.text(table, row, problems),
            Self::Key { column, language } => in_language(&row.cells[*column], language).unwrap_or_else(|problem| {
                problems.add(Problem::Translation { line: row.line, problem });
                String::new()
            }),
        }
    }
}

/// The text of a cell in a language; a null is an empty one.
fn in_language(cell: &Cell, language: &str) -> Result<String, TranslationProblem> {
    let texts: &Map<String, Value> = match cell {
        Cell::Json(Value::Object(texts)) => texts,
        Cell::Json(value) => return Err(TranslationProblem::NotAnObject { found: described(value) }),
        Cell::Text(_) => return Err(TranslationProblem::NotAnObject { found: "a text".to_owned() }),
        Cell::Absent => return Err(TranslationProblem::NotAnObject { found: "nothing".to_owned() }),
    };
    let language = language.to_owned();
    match texts.get(&language) {
        None => {
            let found: Vec<String> = texts.keys().cloned().collect();
            let near = nearest(&language, &found).map(str::to_owned);
            Err(TranslationProblem::NoSuchLanguage { language, found, near })
        }
        Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(value) => Err(TranslationProblem::NotText { language, found: described(value) }),
    }
}

/// What to tell of columns that nobody named, and of a language of the sources that is the name of none.
fn chosen_notices(table: &Table, columns: &SourceTargetColumns, places: &[(Role, &Place<'_>)]) -> Vec<String> {
    let of = |wanted: Chosen| {
        let told = places.iter().filter_map(move |(role, place)| match place {
            Place::Column { position, chosen } if *chosen == wanted => {
                Some(format!("{role} from column {}", quoted(&table.columns[*position])))
            }
            _ => None,
        });
        told.collect::<Vec<_>>().join(", ")
    };
    let ways = [(Chosen::ByName, "name"), (Chosen::ByLanguage, "language")].map(|(chosen, way)| (of(chosen), way));
    let found = ways.into_iter().filter(|(told, _)| !told.is_empty()).map(|(told, way)| format!("{told} (found by {way})"));
    let source_by_name = places.first().is_some_and(|(_, place)| matches!(place, Place::Column { chosen: Chosen::ByName, .. }));
    let elsewhere = columns.source_language.as_ref().filter(|_| source_by_name).map(|language| {
        format!("no column or key is called {}, the language of the sources, which is left to the tokenizer", quoted(language))
    });
    found.chain(elsewhere).map(|notice| format!("{}: {notice}", table.source.display())).collect()
}

/// What to tell where the target is the source.
fn unwritten_notice(examples: &[SourceTarget]) -> Option<String> {
    let mut same = examples.iter().filter(|example| example.source.trim() == example.target.trim());
    let first = same.next()?;
    let rows = counted(1 + same.count(), "row has", "rows have");
    Some(format!("{rows} the source itself as the target (first: line {}); a model learns to copy from such", first.line))
}
