//! Text on its way in and out: readers and writers of tables, labelled datasets and their splits, and the tokenizer.
//! Knows nothing of tensors, models, recipes or the terminal; only this crate names the tokenizer library.
//!
//! ```
//! use graftling_text::{Columns, LabelSet, labelled, read_table, stratified_split};
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("reviews.csv");
//! std::fs::write(&path, "text,label\ngood,pos\nbad,neg\nfine,pos\npoor,neg\n")?;
//!
//! let dataset = labelled(read_table(&path, None)?, &Columns::default())?;
//! assert_eq!(LabelSet::from_examples(&dataset.examples).name(1), "pos");
//! let split = stratified_split(dataset, 0.5, 42)?;
//! assert_eq!((split.train.examples.len(), split.validation.examples.len()), (2, 2));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod clock;
mod columns;
mod dataset;
mod disk;
mod encoding_guess;
mod error;
mod examples;
mod format;
mod labels;
mod leakage;
mod nearest;
mod plain_text;
mod problem;
mod questions;
mod readers;
mod split;
mod table;
mod template;
mod token_dataset;
mod tokenizer;
mod wording;
mod writer;

pub use clock::strftime;
pub use columns::{ChosenColumns, Columns};
pub use dataset::{Dataset, Example, labelled, multi_labelled, numbered, unlabelled};
pub use encoding_guess::EncodingGuess;
pub use error::TextError;
pub use examples::{
    ComparedTexts, ExampleSplit, Examples, LanguageColumns, LanguageExample, MadeOf, PlainExample, PlainFormat, SameText,
    SimilarityExample, SourceTarget, SourceTargetColumns, TargetKind, TripletColumns, TripletExample, compared_texts,
    holds_comparisons, labelled_similarities, language_examples, open_conversations, plain_texts, random_split, read_language,
    read_lines, read_plain_texts, source_targets, triplets, unlabelled_comparisons, unwritten_sources,
};
pub use format::{FileFormat, Format};
pub use labels::{LabelSet, unknown_labels};
pub use leakage::leakage_notice;
pub use problem::Problems;
pub use questions::{
    Answer, QuestionColumns, QuestionExample, QuestionFormat, read_questions, read_unanswered_questions, shared_contexts_notice,
    write_answers,
};
pub use readers::read_table;
pub use split::{Split, Stratum, stratified_split};
pub use table::{Cell, Row, Table};
pub use template::{Template, TemplateProblem};
pub use token_dataset::{
    ConllFile, TokenColumns, TokenDataset, TokenExample, TokenFormat, Word, WordOrigin, WordSpan, holds_word_lists,
    labelled_tokens, read_labelled_tokens, unlabelled_tokens, words_of,
};
pub use tokenizer::{
    ChatEnding, ChatProblem, ChatTemplate, Conversation, EncodeOptions, Encoding, Encodings, FirstText, GgufVocabulary, Overflow,
    TextInput, TextToken, Tokenizer, TokenlessWords, TruncationReport, WholeWords,
};
pub use writer::{NewColumn, write_table};
