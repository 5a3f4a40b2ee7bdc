//! A CoNLL file that is kept as it stands, to be written again with a column of tags more. Knows nothing of what tags mean.

use std::collections::HashMap;
use std::path::Path;

use serde_json::Value;

use super::conll::{self, BLANKS};
use super::{TagNeed, TokenDataset, TokenExample, TokenFormat, WordOrigin, tags};
use crate::format::TokenLayout;
use crate::{Cell, NewColumn, Row, Table, TextError, plain_text, writer};

/// A CoNLL file and its sentences.
#[derive(Clone, Debug, PartialEq)]
pub struct ConllFile {
    text: String,
    sentences: TokenDataset,
}

impl ConllFile {
    /// Reads a file, plain or compressed by gzip. Its words need not have tags.
    pub fn read(path: &Path) -> Result<ConllFile, TextError> {
        let layout = TokenLayout::of(path, Some(TokenFormat::Conll))?;
        let text = plain_text::read(path, layout.gzip)?;
        let examples = conll::read(path, &text, TagNeed::Optional)?;
        let notices = tags::notices(path, &examples).into_iter().collect();
        Ok(ConllFile { text, sentences: TokenDataset { source: path.to_owned(), examples, notices } })
    }

    /// The sentences.
    pub fn sentences(&self) -> &TokenDataset {
        &self.sentences
    }

    /// The sentences as rows with a list of `tokens` and, where there are such, of `tags`.
    pub fn table(&self) -> Table {
        let tagged = self.sentences.examples.iter().any(|example| example.tags.is_some());
        let list = |items: &[String]| Cell::Json(Value::from(items.to_vec()));
        let row = |example: &TokenExample| {
            let tags = tagged.then(|| list(example.tags.as_deref().unwrap_or_default()));
            Row { line: example.line, cells: std::iter::once(list(&example.words)).chain(tags).collect() }
        };
        let names = ["tokens", "tags"].into_iter().take(1 + usize::from(tagged));
        Table {
            source: self.sentences.source.clone(),
            columns: names.map(str::to_owned).collect(),
            rows: self.sentences.examples.iter().map(row).collect(),
            notices: Vec::new(),
        }
    }

    /// Writes the file with a tag behind the columns of each word; everything else stays as it is. A file whose name is that of a
    /// table gets the rows of [`table`](ConllFile::table) with the columns `new`.
    ///
    /// # Panics
    /// If there are not as many sentences of tags, and tags in each, as the file has.
    pub fn write(&self, path: &Path, tags: &[Vec<String>], new: &[NewColumn]) -> Result<(), TextError> {
        let layout = TokenLayout::of(path, None)?;
        if let TokenFormat::Table(format) = layout.format {
            return writer::write_table(path, Some(format), &self.table(), new);
        }
        assert_eq!(tags.len(), self.sentences.examples.len(), "sentences of tags against sentences of the file");
        let mut of_lines: HashMap<usize, &str> = HashMap::new();
        for (example, tags) in self.sentences.examples.iter().zip(tags) {
            let WordOrigin::Lines(lines) = &example.origin else { continue };
            assert_eq!(tags.len(), lines.len(), "tags against words of the sentence on line {}", example.line);
            of_lines.extend(lines.iter().copied().zip(tags.iter().map(String::as_str)));
        }
        let line = |(index, line): (usize, &str)| match of_lines.get(&(index + 1)) {
            None => line.to_owned(),
            Some(tag) => {
                let separator = if line.trim_end_matches(BLANKS).contains('\t') { '\t' } else { ' ' };
                let end = if line.ends_with('\r') { "\r" } else { "" };
                format!("{}{separator}{tag}{end}", line.trim_end_matches(BLANKS))
            }
        };
        let lines: Vec<String> = self.text.split('\n').enumerate().map(line).collect();
        writer::write_text(path, layout.gzip, &lines.join("\n"))
    }
}
