//! `special:model.yml`: the settings of Marian that say what a model is, a flat list of keys in YAML as yaml-cpp writes it. Knows no key.

use serde_json::{Map, Number, Value};

use super::problem::MarianProblem;

/// The settings in these bytes, which NULs may follow.
pub(super) fn parse(bytes: &[u8]) -> Result<Map<String, Value>, MarianProblem> {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let refuse = |line: usize, found: String| MarianProblem::Settings { line: line + 1, found };
    let text = std::str::from_utf8(&bytes[..end]).map_err(|error| {
        let line = bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count();
        refuse(line, "bytes that are not UTF-8".to_owned())
    })?;
    let mut settings = Map::new();
    // The key whose value may follow on the next lines.
    let mut open: Option<String> = None;
    for (number, line) in text.lines().enumerate() {
        let shown = || refuse(number, format!("{:?}", line.chars().take(60).collect::<String>()));
        let content = line.trim_end();
        if content.is_empty() || content.trim_start().starts_with('#') || content == "---" {
            continue;
        }
        if content.starts_with([' ', '-']) {
            let key = open.as_ref().ok_or_else(shown)?;
            let content = content.trim_start();
            let value = &mut settings[key];
            match (content.strip_prefix('-'), &mut *value) {
                (Some(item), Value::Null) => *value = Value::Array(vec![scalar(item.trim()).ok_or_else(shown)?]),
                (Some(item), Value::Array(items)) => items.push(scalar(item.trim()).ok_or_else(shown)?),
                (None, Value::Null) => {
                    *value = self::value(content).ok_or_else(shown)?;
                    open = None;
                }
                _ => return Err(shown()),
            }
            continue;
        }
        let (key, rest) = content.split_once(':').ok_or_else(shown)?;
        let is_key = !key.is_empty() && key.chars().all(|sign| sign.is_ascii_alphanumeric() || "-_.".contains(sign));
        if !is_key || !(rest.is_empty() || rest.starts_with(' ')) {
            return Err(shown());
        }
        let rest = rest.trim();
        open = rest.is_empty().then(|| key.to_owned());
        if settings.insert(key.to_owned(), value(rest).ok_or_else(shown)?).is_some() {
            return Err(refuse(number, format!("the key \"{key}\" a second time")));
        }
    }
    Ok(settings)
}

/// A word, a number, a text between quotes, or a list of such between brackets.
fn value(text: &str) -> Option<Value> {
    let Some(items) = text.strip_prefix('[') else { return scalar(text) };
    let items = items.strip_suffix(']')?;
    if items.trim().is_empty() {
        return Some(Value::Array(Vec::new()));
    }
    items.split(',').map(|item| scalar(item.trim())).collect::<Option<Vec<_>>>().map(Value::Array)
}

/// What YAML's core schema makes of a scalar. What it writes in other ways (anchors, blocks, maps) is none.
fn scalar(text: &str) -> Option<Value> {
    if let Some(quote) = text.chars().next().filter(|sign| matches!(sign, '"' | '\'')) {
        let inner = text[1..].strip_suffix(quote)?;
        // None of Marian's own values needs an escape.
        return (!inner.contains([quote, '\\'])).then(|| Value::from(inner));
    }
    if text.starts_with(['&', '*', '!', '|', '>', '%', '@', '`', '{', '[', '-']) && text.parse::<f64>().is_err() {
        return None;
    }
    if text.contains(": ") || text.contains(" #") {
        return None;
    }
    let number = || {
        let whole = text.parse::<i64>().ok().map(Number::from);
        let is_number = text.starts_with(|sign: char| sign.is_ascii_digit() || "+-.".contains(sign));
        whole.or_else(|| Number::from_f64(text.parse().ok().filter(|_| is_number)?))
    };
    Some(match text {
        "" | "~" | "null" => Value::Null,
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ => number().map_or_else(|| Value::from(text), Value::Number),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn settings_are_read_as_yaml_reads_them() {
        let text = "type: transformer\ndim-vocabs:\n  - 32000\n  - 31998\ninput-types:\n  []\nempty: []\ninline: [a, 2]\nunindented:\n- 1\n- x\n\
                    top: \"\"\npre: ''\nlr: 1e-6\nother: ~\non: true\nnext:\nversion: v1.9.56 94aeaa46 2021-04-28 00:28:35 +0100\0\0\0";
        let expected = json!({
            "type": "transformer", "dim-vocabs": [32000, 31998], "input-types": [], "empty": [], "inline": ["a", 2], "unindented": [1, "x"],
            "top": "", "pre": "", "lr": 1e-6, "other": null, "on": true, "next": null,
            "version": "v1.9.56 94aeaa46 2021-04-28 00:28:35 +0100",
        });
        assert_eq!(Value::Object(parse(text.as_bytes()).unwrap()), expected);
        assert_eq!(parse(b"").unwrap(), Map::new());
    }

    #[test]
    fn settings_that_are_not_flat_are_refused_with_their_line() {
        let cases: [(&[u8], usize, &str); 11] = [
            (b"a: 1\nb\n", 2, "\"b\""),
            (b"a: 1\n  b: 2\n", 2, "\"  b: 2\""),
            (b"a:\n  b: 2\n", 2, "\"  b: 2\""),
            (b"a:\n  - - 2\n", 2, "\"  - - 2\""),
            (b"- 1\n", 1, "\"- 1\""),
            (b"a: {b: 1}\n", 1, "\"a: {b: 1}\""),
            (b"a: |\n  text\n", 1, "\"a: |\""),
            (b"a: [1, 2\n", 1, "\"a: [1, 2\""),
            (b"a: \"x\n", 1, "\"a: \\\"x\""),
            (b"a: 1\nb: 2\na: 3\n", 3, "the key \"a\" a second time"),
            (b"a: 1\nb: \xff\n", 2, "bytes that are not UTF-8"),
        ];
        for (text, line, found) in cases {
            let expected = MarianProblem::Settings { line, found: found.to_owned() };
            assert_eq!(parse(text).err(), Some(expected), "{:?}", String::from_utf8_lossy(text));
        }
    }
}
