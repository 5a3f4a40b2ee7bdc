//! The file formats of tables and how a file name tells them. Knows nothing of what is inside.

use std::path::Path;

use crate::{PlainFormat, QuestionFormat, TextError, TokenFormat};

/// How a table is laid down in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Fields separated by commas, the first line names the columns.
    Csv,
    /// Fields separated by tabs, the first line names the columns.
    Tsv,
    /// One JSON object a line.
    Jsonl,
}

/// How a data file of any kind is laid down, as a recipe or a flag names it; which of them are read, the kind of the examples says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileFormat {
    /// Rows with columns.
    Table(Format),
    /// Words with tags, a word a line.
    Conll,
    /// Texts, one a line.
    Lines,
    /// Questions in SQuAD's layout.
    Squad,
}

impl FileFormat {
    /// The words of all formats.
    pub const WORDS: &'static str = "csv, tsv, jsonl, conll, txt and squad";

    /// The format of this word, as a recipe or a flag names it.
    pub fn from_word(word: &str) -> Option<FileFormat> {
        match word.to_ascii_lowercase().as_str() {
            "conll" => Some(Self::Conll),
            "txt" => Some(Self::Lines),
            "squad" => Some(Self::Squad),
            other => Format::from_word(other).map(Self::Table),
        }
    }

    /// The format of a table; an error, which names the file, where it is none.
    pub fn table(self, path: &Path) -> Result<Format, TextError> {
        match self {
            Self::Table(format) => Ok(format),
            other => Err(other.not_read(path, "csv, tsv and jsonl")),
        }
    }

    /// The format of words with tags; an error, which names the file, where it is none.
    pub fn of_words(self, path: &Path) -> Result<TokenFormat, TextError> {
        match self {
            Self::Table(format) => Ok(TokenFormat::Table(format)),
            Self::Conll => Ok(TokenFormat::Conll),
            other => Err(other.not_read(path, "conll, jsonl, csv and tsv")),
        }
    }

    /// The format of texts without labels; an error, which names the file, where it is none.
    pub fn of_texts(self, path: &Path) -> Result<PlainFormat, TextError> {
        match self {
            Self::Table(format) => Ok(PlainFormat::Table(format)),
            Self::Lines => Ok(PlainFormat::Lines),
            other => Err(other.not_read(path, "txt, csv, tsv and jsonl")),
        }
    }

    /// The format of questions about texts; an error, which names the file, where it is none.
    pub fn of_questions(self, path: &Path) -> Result<QuestionFormat, TextError> {
        match self {
            Self::Table(format) => Ok(QuestionFormat::Table(format)),
            Self::Squad => Ok(QuestionFormat::Squad),
            other => Err(other.not_read(path, "squad, jsonl, csv and tsv")),
        }
    }

    fn not_read(self, path: &Path, accepted: &'static str) -> TextError {
        let use_of_it = match self {
            Self::Table(_) => unreachable!("every kind of examples can stand in a table"),
            Self::Conll => "conll holds words with tags, which the task token_classification reads",
            Self::Lines => "txt holds texts without labels, which the tasks masked_lm and causal_lm read",
            Self::Squad => "squad holds questions about texts, which the task question_answering reads",
        };
        TextError::FormatNotRead { path: path.to_owned(), accepted, use_of_it }
    }
}

/// A format and whether the file is compressed by gzip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub format: Format,
    pub gzip: bool,
}

impl Format {
    /// The format that the file's name tells: `.csv`, `.tsv`, `.jsonl`, `.ndjson`, each also with `.gz`.
    pub fn of(path: &Path) -> Result<Format, TextError> {
        Layout::of(path, None).map(|layout| layout.format)
    }

    /// The format of this word, as a recipe or a flag names it.
    pub fn from_word(word: &str) -> Option<Format> {
        match word.to_ascii_lowercase().as_str() {
            "csv" => Some(Self::Csv),
            "tsv" => Some(Self::Tsv),
            "jsonl" | "ndjson" => Some(Self::Jsonl),
            _ => None,
        }
    }
}

impl Layout {
    /// The layout that the file's name tells; a format given by hand goes before the name's.
    pub fn of(path: &Path, format: Option<Format>) -> Result<Layout, TextError> {
        let (extension, gzip) = ending(path);
        let format = format.or_else(|| extension.as_deref().and_then(Format::from_word));
        let accepted = ".csv, .tsv, .jsonl and .ndjson";
        format.map(|format| Layout { format, gzip }).ok_or_else(|| TextError::UnknownFormat { path: path.to_owned(), accepted })
    }
}

/// A format of words with tags, and whether the file is compressed by gzip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TokenLayout {
    pub format: TokenFormat,
    pub gzip: bool,
}

impl TokenFormat {
    /// The format that the file's name tells: `.conll`, `.bio`, `.iob`, `.iob2`, `.txt`, or that of a table, each also with `.gz`.
    pub fn of(path: &Path) -> Result<TokenFormat, TextError> {
        TokenLayout::of(path, None).map(|layout| layout.format)
    }

    /// The format of this word, as a recipe or a flag names it.
    pub fn from_word(word: &str) -> Option<TokenFormat> {
        match word.to_ascii_lowercase().as_str() {
            "conll" | "bio" | "iob" | "iob2" | "txt" => Some(Self::Conll),
            other => Format::from_word(other).map(Self::Table),
        }
    }
}

impl TokenLayout {
    /// The layout that the file's name tells; a format given by hand goes before the name's.
    pub fn of(path: &Path, format: Option<TokenFormat>) -> Result<TokenLayout, TextError> {
        let (extension, gzip) = ending(path);
        let format = format.or_else(|| extension.as_deref().and_then(TokenFormat::from_word));
        let accepted = ".conll, .bio, .iob, .iob2, .txt, .jsonl, .ndjson, .csv and .tsv";
        format
            .map(|format| TokenLayout { format, gzip })
            .ok_or_else(|| TextError::UnknownFormat { path: path.to_owned(), accepted })
    }
}

/// A format of texts without labels, and whether the file is compressed by gzip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PlainLayout {
    pub format: PlainFormat,
    pub gzip: bool,
}

impl PlainFormat {
    /// The format that the file's name tells: `.txt`, or that of a table, each also with `.gz`.
    pub fn of(path: &Path) -> Result<PlainFormat, TextError> {
        PlainLayout::of(path, None).map(|layout| layout.format)
    }

    /// The format of this word, as a recipe or a flag names it.
    pub fn from_word(word: &str) -> Option<PlainFormat> {
        match word.to_ascii_lowercase().as_str() {
            "txt" | "text" => Some(Self::Lines),
            other => Format::from_word(other).map(Self::Table),
        }
    }
}

impl PlainLayout {
    /// The layout that the file's name tells; a format given by hand goes before the name's.
    pub fn of(path: &Path, format: Option<PlainFormat>) -> Result<PlainLayout, TextError> {
        let (extension, gzip) = ending(path);
        let format = format.or_else(|| extension.as_deref().and_then(PlainFormat::from_word));
        let accepted = ".txt, .csv, .tsv, .jsonl and .ndjson";
        format
            .map(|format| PlainLayout { format, gzip })
            .ok_or_else(|| TextError::UnknownFormat { path: path.to_owned(), accepted })
    }
}

/// A format of questions, and whether the file is compressed by gzip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct QuestionLayout {
    pub format: QuestionFormat,
    pub gzip: bool,
}

impl QuestionFormat {
    /// The format that the file's name tells: `.json`, or that of a table, each also with `.gz`.
    pub fn of(path: &Path) -> Result<QuestionFormat, TextError> {
        QuestionLayout::of(path, None).map(|layout| layout.format)
    }

    /// The format of this word, as a recipe or a flag names it.
    pub fn from_word(word: &str) -> Option<QuestionFormat> {
        match word.to_ascii_lowercase().as_str() {
            "json" | "squad" => Some(Self::Squad),
            other => Format::from_word(other).map(Self::Table),
        }
    }
}

impl QuestionLayout {
    /// The layout that the file's name tells; a format given by hand goes before the name's.
    pub fn of(path: &Path, format: Option<QuestionFormat>) -> Result<QuestionLayout, TextError> {
        let (extension, gzip) = ending(path);
        let format = format.or_else(|| extension.as_deref().and_then(QuestionFormat::from_word));
        let accepted = ".json, .jsonl, .ndjson, .csv and .tsv";
        format
            .map(|format| QuestionLayout { format, gzip })
            .ok_or_else(|| TextError::UnknownFormat { path: path.to_owned(), accepted })
    }
}

/// What a name tells that is not accepted in its place.
pub(crate) fn other_use(path: &Path) -> &'static str {
    match ending(path).0.map(|extension| extension.to_ascii_lowercase()).as_deref() {
        Some("conll" | "bio" | "iob" | "iob2") => "CoNLL holds words with tags, which the task token_classification reads",
        Some("txt") => {
            ".txt holds texts without labels, which the tasks masked_lm and causal_lm read, or CoNLL, which the task token_classification reads"
        }
        Some("json") => ".json is read as questions in SQuAD's layout alone, by the task question_answering",
        _ => "the name does not tell the format",
    }
}

/// The extension before `.gz`, and whether that stands behind it.
fn ending(path: &Path) -> (Option<String>, bool) {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let (plain, gzip) = match name.len().checked_sub(3).and_then(|at| name.split_at_checked(at)) {
        Some((plain, suffix)) if suffix.eq_ignore_ascii_case(".gz") => (plain, true),
        _ => (name.as_str(), false),
    };
    (plain.rsplit_once('.').map(|(_, extension)| extension.to_owned()), gzip)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_tells_its_format() {
        let cases = [
            ("a.csv", Format::Csv, false),
            ("a.b.TSV", Format::Tsv, false),
            ("评论.jsonl", Format::Jsonl, false),
            ("a.ndjson.gz", Format::Jsonl, true),
            ("a.csv.GZ", Format::Csv, true),
        ];
        for (name, format, gzip) in cases {
            assert_eq!(Layout::of(Path::new(name), None).unwrap(), Layout { format, gzip }, "{name}");
        }
    }

    #[test]
    fn every_word_is_a_format_and_each_kind_of_examples_comes_in_some() {
        let words = ["csv", "tsv", "jsonl", "conll", "txt", "squad"];
        assert!(words.iter().all(|word| FileFormat::WORDS.contains(word)));
        let path = Path::new("a");
        let read = words.map(|word| {
            let format = FileFormat::from_word(word).unwrap();
            let read = [
                format.table(path).is_ok(),
                format.of_words(path).is_ok(),
                format.of_texts(path).is_ok(),
                format.of_questions(path).is_ok(),
            ];
            (word, read.map(u8::from))
        });
        assert_eq!(read[..3], ["csv", "tsv", "jsonl"].map(|word| (word, [1; 4])));
        assert_eq!(read[3..], [("conll", [0, 1, 0, 0]), ("txt", [0, 0, 1, 0]), ("squad", [0, 0, 0, 1])]);
        assert!(FileFormat::from_word("xlsx").is_none());
    }

    #[test]
    fn a_format_given_by_hand_goes_before_the_name() {
        let layout = Layout::of(Path::new("dump.txt.gz"), Some(Format::Tsv)).unwrap();
        assert_eq!(layout, Layout { format: Format::Tsv, gzip: true });
    }

    #[test]
    fn an_unknown_extension_is_refused_with_the_accepted_ones() {
        for name in ["a.xls", "a", "评", "a.gz"] {
            let message = Layout::of(Path::new(name), None).unwrap_err().to_string();
            let expected = format!(
                "{name}: the name does not tell the format; accepted are .csv, .tsv, .jsonl and .ndjson, each also with .gz \
                 (or name that of a table by hand: csv, tsv, jsonl)"
            );
            assert_eq!(message, expected);
        }
    }
}
