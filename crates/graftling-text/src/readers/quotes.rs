//! Finds quotes that do not pair in separated values, which the csv reader would silently take for text or for one endless
//! field. Knows nothing of columns.

use crate::problem::{Problem, Problems};

enum State {
    FieldStart,
    Plain,
    Quoted {
        opened: usize,
    },
    /// After a quote inside a quoted field: the end of the field, or the first half of a doubled quote.
    AfterQuote {
        opened: usize,
    },
}

/// Whether any field begins with a quote; what does not pair is added to the problems.
pub(super) fn check(text: &str, delimiter: u8, problems: &mut Problems) -> bool {
    let mut state = State::FieldStart;
    let mut line = 1;
    let mut any = false;
    for &byte in text.as_bytes() {
        state = match (state, byte) {
            (State::FieldStart, b'"') => {
                any = true;
                State::Quoted { opened: line }
            }
            (State::Quoted { opened }, b'"') => State::AfterQuote { opened },
            (State::Quoted { opened }, _) => State::Quoted { opened },
            (State::AfterQuote { opened }, b'"') => State::Quoted { opened },
            (_, b'\n' | b'\r') => State::FieldStart,
            (_, byte) if byte == delimiter => State::FieldStart,
            (State::AfterQuote { .. }, _) => {
                problems.add(Problem::StrayQuote { line });
                State::Plain
            }
            (State::FieldStart | State::Plain, _) => State::Plain,
        };
        line += usize::from(byte == b'\n');
    }
    if let State::Quoted { opened } = state {
        problems.add(Problem::UnclosedQuote { line: opened });
    }
    any
}
