//! How names, lists and counts are worded in messages. Knows nothing of what they are about.

use std::path::Path;

const LONGEST_VALUE: usize = 40;
const LONGEST_LIST: usize = 12;

/// A value of a file in quotes: shortened, control characters escaped, so that it cannot disturb a terminal.
pub(crate) fn quoted(value: &str) -> String {
    if value.chars().count() <= LONGEST_VALUE {
        return format!("{value:?}");
    }
    let head: String = value.chars().take(LONGEST_VALUE).collect();
    format!("{:?}", format!("{head}..."))
}

/// Values in quotes, the first few of many.
pub(crate) fn quoted_list<T: AsRef<str>>(values: &[T]) -> String {
    listed(values, quoted)
}

/// Values without quotes, the first few of many.
pub(crate) fn plain_list<T: AsRef<str>>(values: &[T]) -> String {
    listed(values, |value| {
        let quoted = quoted(value);
        quoted[1..quoted.len() - 1].to_owned()
    })
}

/// ` (did you mean "x"?)`, or nothing.
pub(crate) fn did_you_mean(near: Option<&str>) -> String {
    near.map(|near| format!(" (did you mean {}?)", quoted(near))).unwrap_or_default()
}

/// `1 row`, `2 rows`.
pub(crate) fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// The last part of a path, for messages about a file that was already named in full.
pub(crate) fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

fn listed<T: AsRef<str>>(values: &[T], word: impl Fn(&str) -> String) -> String {
    let shown: Vec<String> = values.iter().take(LONGEST_LIST).map(|value| word(value.as_ref())).collect();
    let shown = shown.join(", ");
    if values.len() > LONGEST_LIST { format!("{shown}, ... ({} in all)", values.len()) } else { shown }
}
