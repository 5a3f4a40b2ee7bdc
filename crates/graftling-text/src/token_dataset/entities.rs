//! Texts whose entities are given by their first and last characters, turned into words with IOB2 tags.
//! Knows nothing of files and columns' names.

use std::path::Path;

use serde_json::Value;

use super::problem::{EntityAt, EntityPart, TokenProblem};
use super::{TagNeed, TokenExample, Word, WordOrigin, WordSpan, at, words_of};
use crate::dataset::{described, text};
use crate::problem::{Problem, Problems};
use crate::wording::counted;
use crate::{Cell, Row, Table};

/// Entities that begin or end inside a word, which is then cut.
#[derive(Default)]
pub(super) struct SplitWords {
    entities: usize,
    first_line: usize,
}

impl SplitWords {
    pub fn notice(&self, source: &Path) -> Option<String> {
        let entities = counted(self.entities, "entity begins or ends", "entities begin or end");
        let told =
            format!("{}: {entities} inside a word, which is cut there (first on line {})", source.display(), self.first_line);
        (self.entities > 0).then_some(told)
    }
}

/// One example a row; `columns` are those of texts and of entities.
pub(super) fn examples(
    table: &Table,
    columns: (usize, Option<usize>),
    need: TagNeed,
    problems: &mut Problems,
) -> (Vec<TokenExample>, SplitWords) {
    let mut split = SplitWords::default();
    let example = |row: &Row| {
        let before = problems.total;
        let text = text(table, row, columns.0, problems);
        let words = words_of(&text);
        if words.is_empty() && need == TagNeed::Required && problems.total == before {
            problems.add(Problem::EmptyText { line: row.line, column: table.columns[columns.0].clone() });
        }
        let entities = columns.1.and_then(|position| entities(table, row, position, (&text, need), problems));
        let (spans, tags) = match entities {
            None => (words.iter().map(|word| word.span).collect(), None),
            Some(entities) => {
                let spans = cut(&text, &words, &entities, |_| {
                    split.entities += 1;
                    split.first_line = if split.entities == 1 { row.line } else { split.first_line };
                });
                let tags = tags(&spans, &entities, row.line, problems);
                (spans, Some(tags))
            }
        };
        let words = spans.iter().map(|span: &WordSpan| text[span.bytes.0..span.bytes.1].to_owned()).collect();
        TokenExample { words, tags, origin: WordOrigin::Text { text, spans }, line: row.line }
    };
    let examples = table.rows.iter().map(example).collect();
    (examples, split)
}

/// The entities of a row, sorted, if all of them lie inside the text and none overlaps another.
fn entities(
    table: &Table,
    row: &Row,
    position: usize,
    (text, need): (&str, TagNeed),
    problems: &mut Problems,
) -> Option<Vec<EntityAt>> {
    let column = || table.columns[position].clone();
    let items = match &row.cells[position] {
        Cell::Json(Value::Array(items)) => items,
        Cell::Absent | Cell::Json(Value::Null) => {
            if need == TagNeed::Required {
                problems.add(Problem::NoValue { line: row.line, column: column() });
            }
            return None;
        }
        Cell::Text(_) => {
            problems.add(at(row.line, TokenProblem::NoEntityList { column: column(), found: "a string".to_owned() }));
            return None;
        }
        Cell::Json(other) => {
            problems.add(at(row.line, TokenProblem::NoEntityList { column: column(), found: described(other) }));
            return None;
        }
    };
    let before = problems.total;
    let characters = text.chars().count();
    let mut entities = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        match entity(index + 1, item, characters) {
            Ok(entity) => entities.push(entity),
            Err(problem) => problems.add(at(row.line, problem)),
        }
    }
    entities.sort_by_key(|entity| (entity.start, entity.end, entity.item));
    let mut reached: Option<&EntityAt> = None;
    for entity in &entities {
        if let Some(first) = reached.filter(|reached| reached.end > entity.start) {
            problems.add(at(row.line, TokenProblem::EntityOverlap { first: first.clone(), second: entity.clone() }));
        }
        reached = reached.filter(|reached| reached.end > entity.end).or(Some(entity));
    }
    (problems.total == before).then_some(entities)
}

fn entity(item: usize, value: &Value, characters: usize) -> Result<EntityAt, TokenProblem> {
    let Value::Object(object) = value else {
        return Err(TokenProblem::EntityPart { item, part: EntityPart::Whole, found: described_value(Some(value)) });
    };
    let number = |key: &str, part| {
        let value = object.get(key);
        value.and_then(Value::as_u64).ok_or_else(|| TokenProblem::EntityPart { item, part, found: described_value(value) })
    };
    let (start, end) = (number("start", EntityPart::Start)?, number("end", EntityPart::End)?);
    let label = match object.get("label") {
        Some(Value::String(label)) if !label.trim().is_empty() => label.trim().to_owned(),
        other => return Err(TokenProblem::EntityPart { item, part: EntityPart::Label, found: described_value(other) }),
    };
    if start >= end {
        return Err(TokenProblem::EntityOrder { item, start, end });
    }
    match (usize::try_from(start), usize::try_from(end)) {
        (Ok(start), Ok(end)) if end <= characters => Ok(EntityAt { item, label, start, end }),
        _ => Err(TokenProblem::EntityBeyond { item, start, end, characters }),
    }
}

fn described_value(value: Option<&Value>) -> String {
    match value {
        None => "missing".to_owned(),
        Some(Value::String(text)) if text.trim().is_empty() => "an empty string".to_owned(),
        Some(Value::String(_)) => "a string".to_owned(),
        Some(other) => described(other),
    }
}

/// The spans of the words, cut where an entity begins or ends inside one; `cut_one` is told each such entity.
fn cut(text: &str, words: &[Word<'_>], entities: &[EntityAt], mut cut_one: impl FnMut(&EntityAt)) -> Vec<WordSpan> {
    let inside = |place: usize| {
        let index = words.partition_point(|word| word.span.characters.1 <= place);
        words.get(index).is_some_and(|word| word.span.characters.0 < place)
    };
    let mut places = Vec::new();
    for entity in entities {
        let cuts = [entity.start, entity.end].into_iter().filter(|&place| inside(place));
        let before = places.len();
        places.extend(cuts);
        if places.len() > before {
            cut_one(entity);
        }
    }
    places.dedup();
    let mut places = places.into_iter().peekable();
    let mut spans = Vec::with_capacity(words.len());
    for word in words {
        let mut rest = word.span;
        while let Some(place) = places.next_if(|&place| place < word.span.characters.1) {
            let written = &text[rest.bytes.0..rest.bytes.1];
            let length = place - rest.characters.0;
            let bytes = rest.bytes.0 + written.char_indices().nth(length).map_or(written.len(), |(byte, _)| byte);
            spans.push(WordSpan { characters: (rest.characters.0, place), bytes: (rest.bytes.0, bytes) });
            rest = WordSpan { characters: (place, rest.characters.1), bytes: (bytes, rest.bytes.1) };
        }
        spans.push(rest);
    }
    spans
}

/// `B-` for the first word of an entity, `I-` for its others, `O` for the rest.
fn tags(spans: &[WordSpan], entities: &[EntityAt], line: usize, problems: &mut Problems) -> Vec<String> {
    let mut tags = vec!["O".to_owned(); spans.len()];
    for entity in entities {
        let first = spans.partition_point(|span| span.characters.0 < entity.start);
        let end = spans.partition_point(|span| span.characters.0 < entity.end);
        if first == end {
            let (item, start, end) = (entity.item, entity.start, entity.end);
            problems.add(at(line, TokenProblem::EntityBlank { item, start, end }));
        }
        for (index, tag) in tags[first..end].iter_mut().enumerate() {
            *tag = format!("{}-{}", if index == 0 { "B" } else { "I" }, entity.label);
        }
    }
    tags
}
