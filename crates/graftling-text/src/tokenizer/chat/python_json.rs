//! JSON as Python's `json.dumps(value, ensure_ascii=False)` lays it out, which is how models have seen it.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};

/// A value on one line, or with so many blanks before the lines of each level.
pub(super) fn written(value: &Value, indent: Option<usize>) -> String {
    let mut bytes = Vec::new();
    let blanks = " ".repeat(indent.unwrap_or(0));
    let done = match indent {
        None => value.serialize(&mut Serializer::with_formatter(&mut bytes, OneLine)),
        Some(_) => value.serialize(&mut Serializer::with_formatter(&mut bytes, PrettyFormatter::with_indent(blanks.as_bytes()))),
    };
    // Bytes in memory take whatever is written.
    done.expect("a JSON value is written");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A blank behind commas and colons.
struct OneLine;

impl Formatter for OneLine {
    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
}
