//! The tokenizer `intl`: mteval-v14's for international texts, as sacrebleu has it (`TokenizerV14International`). Knows Unicode's
//! categories.

use std::sync::LazyLock;

use crate::metrics::generation::rules::Rules;

/// Punctuation that has no number before it comes apart, then such as has none behind it, then every symbol.
static APART: LazyLock<Rules> =
    LazyLock::new(|| Rules::new(&[(r"(\P{N})(\p{P})", "$1 $2 "), (r"(\p{P})(\P{N})", " $1 $2"), (r"(\p{S})", " $1 ")]));

/// The text with blanks between its tokens.
pub(super) fn apart(text: &str) -> String {
    APART.applied(text)
}
