//! Everything that can go wrong with data files and tokenizer folders, worded for the person whose file it is.
//! Knows nothing of how an error is shown.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::wording::{counted, did_you_mean, file_name, quoted, quoted_list};
use crate::{EncodingGuess, Problems};

/// A cause of failure in this crate.
#[derive(Debug, Error)]
pub enum TextError {
    /// A file is not there.
    #[error("{}: no such file{}", path.display(), did_you_mean(near.as_deref()))]
    FileMissing {
        /// The file.
        path: PathBuf,
        /// A file of the same folder with a similar name.
        near: Option<String>,
    },
    /// A folder stands where a file is needed.
    #[error("{}: a folder where a file is needed", path.display())]
    IsFolder {
        /// The folder.
        path: PathBuf,
    },
    /// The system refuses to read or write.
    #[error("{}: cannot {action}: {source}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// What the system says.
        source: io::Error,
    },
    /// The file's name tells no known format.
    #[error(
        "{}: {}; accepted are {accepted}, each also with .gz (or name that of a table by hand: csv, tsv, jsonl)",
        path.display(), crate::format::other_use(path)
    )]
    UnknownFormat {
        /// The file.
        path: PathBuf,
        /// The endings that tell one.
        accepted: &'static str,
    },
    /// A format was named that such examples do not come in.
    #[error("{}: a file in this format cannot be read here: {use_of_it}; accepted: {accepted}", path.display())]
    FormatNotRead {
        /// The file.
        path: PathBuf,
        /// The words of the formats that are read.
        accepted: &'static str,
        /// What the format that was named is for.
        use_of_it: &'static str,
    },
    /// The file is of a kind that no reader here knows.
    #[error("{}: this is {found}; accepted are files of text (csv, tsv, jsonl, txt, CoNLL), each also compressed as .gz", path.display())]
    ForeignFile {
        /// The file.
        path: PathBuf,
        /// What it is.
        found: &'static str,
    },
    /// A file named `.gz` is not compressed.
    #[error("{}: the name says gzip, but the file is not compressed by gzip; drop the .gz from its name", path.display())]
    NotGzip {
        /// The file.
        path: PathBuf,
    },
    /// A compressed file is cut short or damaged.
    #[error("{}: the gzip data is damaged or cut short after {read_bytes} decompressed bytes: {source}", path.display())]
    BrokenGzip {
        /// The file.
        path: PathBuf,
        /// How much could be read.
        read_bytes: usize,
        /// What the decompressor says.
        source: io::Error,
    },
    /// A compressed file grows beyond what text can.
    #[error(
        "{}: decompresses to more than {limit_bytes} bytes, which no text does; decompress it by hand if it is right",
        path.display()
    )]
    GzipBomb {
        /// The file.
        path: PathBuf,
        /// Where reading stopped.
        limit_bytes: u64,
    },
    /// The file is not UTF-8.
    #[error(
        "{}:{line}: invalid UTF-8 at byte {offset} (0x{byte:02X}); {guess}, convert it first: {}",
        path.display(),
        conversion(path, *guess)
    )]
    Encoding {
        /// The file.
        path: PathBuf,
        /// The line of the first wrong byte, from 1.
        line: usize,
        /// Its place in the file, decompressed, from 0.
        offset: usize,
        /// The byte itself.
        byte: u8,
        /// What the bytes look like.
        guess: EncodingGuess,
    },
    /// The file holds nothing.
    #[error("{}: the file is empty", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The file holds a header and no rows.
    #[error("{}: only a header ({}) and no rows", path.display(), quoted_list(columns))]
    HeaderOnly {
        /// The file.
        path: PathBuf,
        /// What the header names.
        columns: Vec<String>,
    },
    /// Rows, columns or labels are wrong.
    #[error(transparent)]
    Data(#[from] Problems),
    /// The fraction of a split is out of range.
    #[error("validation fraction {fraction}: accepted are numbers above 0 and below 1, such as 0.1")]
    SplitFraction {
        /// What was given.
        fraction: f64,
    },
    /// There are too few examples to set some aside.
    #[error(
        "{}: {} (those with the same text count as one) are too few to set aside a fraction of {fraction} for validation and keep every \
         label in training; give a validation file or a larger fraction",
        path.display(), counted(*examples, "example", "examples")
    )]
    SplitTooSmall {
        /// The file.
        path: PathBuf,
        /// How many examples it has.
        examples: usize,
        /// The fraction asked for.
        fraction: f64,
    },
    /// A table to be written has a column of that name already.
    #[error(
        "{}: the table has a column {} already; rename it, or choose another name for the new one",
        path.display(),
        quoted(name)
    )]
    ColumnTaken {
        /// The file to be written.
        path: PathBuf,
        /// The name.
        name: String,
    },
    /// A column is named where none is read.
    #[error("{}: {setting} names {}, but {reason}; leave it out", path.display(), quoted(name))]
    ColumnNotRead {
        /// The file.
        path: PathBuf,
        /// The setting that names it.
        setting: &'static str,
        /// The name.
        name: String,
        /// Why it is not read.
        reason: &'static str,
    },
    /// A folder holds no tokenizer.
    #[error(
        "{}: no tokenizer here: {needed}{}",
        folder.display(),
        if found.is_empty() { String::new() } else {
            let wordpiece = if found.iter().any(|name| name == "vocab.txt") {
                "; a vocab.txt of BERT's kind is read as it is where tokenizer_config.json says \"tokenizer_class\": \"BertTokenizer\""
            } else {
                ""
            };
            let found = quoted_list(found);
            format!("; found {found}, which transformers turns into a tokenizer.json when it saves the tokenizer{wordpiece}")
        }
    )]
    TokenizerMissing {
        /// The folder.
        folder: PathBuf,
        /// What is looked for and is not there, as a sentence.
        needed: &'static str,
        /// Vocabularies of kinds that are not read here.
        found: Vec<String>,
    },
    /// A vocabulary is there, but not what to do with it.
    #[error(
        "{}: a vocabulary alone does not tell how texts are cut; tokenizer_class in {file} {} one of {accepted}{}",
        path.display(),
        named.as_ref().map_or("must name".to_owned(), |named| format!("is {} and must name", quoted(named))),
        if named.is_some() { "" } else { ", or model_type in config.json a model that uses one" }
    )]
    TokenizerClass {
        /// The vocabulary.
        path: PathBuf,
        /// The file that names it, or should.
        file: &'static str,
        /// The class that is named, which is not known.
        named: Option<String>,
        /// The classes that are.
        accepted: String,
    },
    /// A file of the tokenizer cannot be understood.
    #[error("{}: {reason}", path.display())]
    TokenizerFile {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        reason: String,
    },
    /// A setting of the tokenizer is not what it must be.
    #[error("{}: \"{key}\" is {found}; accepted: {accepted}", path.display())]
    TokenizerSetting {
        /// The file.
        path: PathBuf,
        /// The name of the setting.
        key: &'static str,
        /// What stands there.
        found: String,
        /// What may stand there.
        accepted: &'static str,
    },
    /// A token that the model cannot do without is not in the vocabulary.
    #[error("{}: the vocabulary lacks the {role} {}", path.display(), quoted(token))]
    TokenMissing {
        /// The file.
        path: PathBuf,
        /// What the token is for, such as `unk_token`.
        role: &'static str,
        /// The token.
        token: String,
    },
    /// Languages are named that the tokenizer does not know, or of which it knows several codes.
    #[error("{}: no language {}{}; known are {}", path.display(), quoted_list(languages), did_you_mean(near.as_deref()), known.join(", "))]
    UnknownLanguages {
        /// The settings of the tokenizer.
        path: PathBuf,
        /// What was named.
        languages: Vec<String>,
        /// The codes that are known.
        known: Vec<String>,
        /// One that is written much the same as one of them.
        near: Option<String>,
    },
    /// A language is named for a tokenizer that takes none.
    #[error("{}: the language {} is named, but {}", path.display(), quoted(language), no_choice(known))]
    NoLanguages {
        /// The settings of the tokenizer.
        path: PathBuf,
        /// What was named.
        language: String,
        /// The codes that a text may begin with.
        known: Vec<String>,
    },
    /// The maximal length leaves no room for text.
    #[error(
        "max_length {max_length} leaves no room for text: this tokenizer adds {special_tokens} special tokens; \
         at least {} is needed",
        special_tokens + 1
    )]
    MaxLength {
        /// What was given.
        max_length: usize,
        /// How many special tokens go around the text.
        special_tokens: usize,
    },
    /// Windows would share as many tokens as they have.
    #[error(
        "stride {stride} leaves no room for new tokens in a window: with max_length {max_length} and {special_tokens} special \
         tokens it must be below {}",
        max_length - special_tokens
    )]
    Stride {
        /// What was given.
        stride: usize,
        /// How many tokens an encoding may have.
        max_length: usize,
        /// How many special tokens go around the text.
        special_tokens: usize,
    },
    /// The first text of a pair leaves too little room for windows of the second.
    #[error(
        "pair {index}: its first text has {first_tokens} tokens and leaves {window} for windows of the second, which must be more \
         than the stride {stride}; shorten the text, or set a larger max_length or a smaller stride"
    )]
    WindowRoom {
        /// Which pair, from 1.
        index: usize,
        /// How many tokens the first text has.
        first_tokens: usize,
        /// How many tokens are left for a window.
        window: usize,
        /// How many tokens windows share.
        stride: usize,
    },
    /// The tokenizer fails on a text.
    #[error("text {index} ({}) cannot be tokenised: {reason}", quoted(text))]
    Tokenize {
        /// Which text, from 1.
        index: usize,
        /// Its beginning.
        text: String,
        /// What the tokenizer says.
        reason: String,
    },
}

impl TextError {
    pub(crate) fn file(path: &Path, action: &'static str) -> impl FnOnce(io::Error) -> TextError {
        let path = path.to_owned();
        move |source| TextError::File { path, action, source }
    }
}

/// How a tokenizer that takes no languages is told one.
fn no_choice(known: &[String]) -> String {
    if known.is_empty() {
        return "this tokenizer knows no codes of languages: leave it out".to_owned();
    }
    format!("texts tell it here at their beginning, such as \"{} text\"; known are {}", known[0], known.join(", "))
}

/// The command that converts a file to UTF-8.
fn conversion(path: &Path, guess: EncodingGuess) -> String {
    let name = file_name(path);
    let (plain, gzip) = name.strip_suffix(".gz").map_or((name.as_str(), false), |plain| (plain, true));
    let (stem, extension) = plain.rsplit_once('.').unwrap_or((plain, "txt"));
    let from = guess.name();
    if gzip {
        format!("gzip -dc {name} | iconv -f {from} -t UTF-8 > {stem}.utf8.{extension}")
    } else {
        format!("iconv -f {from} -t UTF-8 {name} > {stem}.utf8.{extension}")
    }
}
