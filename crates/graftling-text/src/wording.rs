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

/// A value that is written in JSON already: shortened, control characters escaped.
pub(crate) fn shortened(json: &str) -> String {
    let escaped = |character: char| character.is_control().then(|| character.escape_default().to_string());
    let shown = json.chars().take(LONGEST_VALUE).map(|character| escaped(character).unwrap_or_else(|| character.to_string()));
    format!("{}{}", shown.collect::<String>(), if json.chars().count() > LONGEST_VALUE { "..." } else { "" })
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

/// `1 row`, `2 rows`, `12,345 rows`.
pub(crate) fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{} {}", separated(count), if count == 1 { one } else { many })
}

/// A count with commas between thousands.
pub(crate) fn separated(count: usize) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        for (count, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (123_456, "123,456"), (1_234_567, "1,234,567")] {
            assert_eq!(separated(count), text);
        }
        assert_eq!(counted(1, "row", "rows"), "1 row");
    }
}
