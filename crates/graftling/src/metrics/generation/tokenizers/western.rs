//! The tokenizer `13a`: mteval-v13a's, as sacrebleu has it (`Tokenizer13a`, `TokenizerRegexp`). Knows ASCII's signs alone.

use std::sync::LazyLock;

use crate::metrics::generation::rules::{Rule, Rules};

/// Entities that mteval reads, in this order.
pub(in super::super) const ENTITIES: [Rule; 4] = [("&quot;", "\""), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">")];
/// Every sign but the apostrophe, the comma, the hyphen and the full stop stands apart.
pub(in super::super) const SIGNS: Rule = (r"([\{-~\[-` -&\(-\+:-@/])", " $1 ");
/// So do full stops and commas that do not stand behind a digit, those that stand before no digit, and hyphens behind a digit.
pub(in super::super) const STOPS: [Rule; 3] =
    [(r"([^0-9])([\.,])", "$1 $2 "), (r"([\.,])([^0-9])", " $1 $2"), (r"([0-9])(-)", "$1 $2 ")];

/// What mteval does to lines before it takes them apart.
static LINES: LazyLock<Rules> =
    LazyLock::new(|| Rules::new(&[&[("<skipped>", ""), ("-\n", ""), ("\n", " ")][..], &ENTITIES].concat()));
static APART: LazyLock<Rules> = LazyLock::new(|| Rules::new(&[&[SIGNS][..], &STOPS].concat()));

/// The text with blanks between its tokens.
pub(super) fn apart(text: &str) -> String {
    signs_apart(&format!(" {} ", LINES.applied(text)))
}

/// The same without what mteval does to lines.
pub(super) fn signs_apart(text: &str) -> String {
    APART.applied(text)
}
