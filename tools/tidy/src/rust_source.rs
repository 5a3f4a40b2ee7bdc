//! Rust text with comments and the insides of literals blanked, so that a search for a word finds code only.
//! Knows the grammar of comments and literals, and no rule.

/// The same text, line by line, with every character of a comment or literal replaced by a space.
pub fn code_only(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while at < characters.len() {
        let end = skipped(&characters, at);
        if end == at {
            code.push(characters[at]);
            at += 1;
        } else {
            code.extend(characters[at..end].iter().map(|&character| if character == '\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    code
}

/// As [`code_only`], with modules under `#[cfg(test)]` blanked too.
pub fn product_code(text: &str) -> String {
    let mut code = code_only(text);
    while let Some(start) = code.find("#[cfg(test)]") {
        let body = &code[start..];
        // A test module that lies in its own file ends at the semicolon.
        let open = body.find('{').unwrap_or(body.len());
        let end = match body.find(';') {
            Some(semicolon) if semicolon < open => semicolon + 1,
            _ => matching_brace(body, open),
        };
        let blank: String = body[..end].chars().map(|character| if character == '\n' { '\n' } else { ' ' }).collect();
        code.replace_range(start..start + end, &blank);
    }
    code
}

/// Whether a line of code holds a word on its own, not as a part of a longer name.
pub fn has_word(line: &str, word: &str) -> bool {
    let in_name = |character: char| character.is_alphanumeric() || character == '_';
    line.match_indices(word).any(|(at, _)| {
        !line[..at].chars().next_back().is_some_and(in_name) && !line[at + word.len()..].chars().next().is_some_and(in_name)
    })
}

fn matching_brace(text: &str, open: usize) -> usize {
    let mut depth = 0;
    for (at, character) in text.char_indices().skip_while(|(at, _)| *at < open) {
        match character {
            '{' => depth += 1,
            '}' if depth == 1 => return at + 1,
            '}' => depth -= 1,
            _ => {}
        }
    }
    text.len()
}

/// The end of the comment or literal that begins at `at`, or `at` where none begins.
fn skipped(text: &[char], at: usize) -> usize {
    let next = text.get(at + 1);
    let in_name = at > 0 && (text[at - 1].is_alphanumeric() || text[at - 1] == '_');
    match text[at] {
        '/' if next == Some(&'/') => text[at..].iter().position(|&c| c == '\n').map_or(text.len(), |length| at + length),
        '/' if next == Some(&'*') => block_comment_end(text, at),
        '"' => string_end(text, at),
        'r' | 'b' | 'c' if !in_name => prefixed_literal_end(text, at),
        '\'' => character_end(text, at),
        _ => at,
    }
}

fn block_comment_end(text: &[char], at: usize) -> usize {
    let mut depth = 0;
    let mut here = at;
    while here + 1 < text.len() {
        match (text[here], text[here + 1]) {
            ('/', '*') => depth += 1,
            ('*', '/') => depth -= 1,
            _ => {
                here += 1;
                continue;
            }
        }
        here += 2;
        if depth == 0 {
            return here;
        }
    }
    text.len()
}

fn string_end(text: &[char], quote: usize) -> usize {
    let mut here = quote + 1;
    while here < text.len() {
        match text[here] {
            '\\' => here += 2,
            '"' => return here + 1,
            _ => here += 1,
        }
    }
    text.len()
}

fn prefixed_literal_end(text: &[char], at: usize) -> usize {
    let mut here = at;
    let raw_at = |here: usize| text.get(here) == Some(&'r');
    if !raw_at(here) {
        here += 1;
        match text.get(here) {
            Some('"') => return string_end(text, here),
            Some('\'') if text[at] == 'b' => return character_end(text, here),
            Some('r') => {}
            _ => return at,
        }
    }
    here += 1;
    let hashes = text[here..].iter().take_while(|&&c| c == '#').count();
    here += hashes;
    if text.get(here) != Some(&'"') {
        return at;
    }
    here += 1;
    while here < text.len() {
        if text[here] == '"' && text[here + 1..].iter().take(hashes).filter(|&&c| c == '#').count() == hashes {
            return here + 1 + hashes;
        }
        here += 1;
    }
    text.len()
}

/// A quote begins a character where one character or an escape follows and then a quote; else it begins a lifetime.
fn character_end(text: &[char], quote: usize) -> usize {
    match text.get(quote + 1) {
        Some('\\') => {
            let close = text.iter().skip(quote + 3).position(|&c| c == '\'');
            close.map_or(text.len(), |length| quote + 3 + length + 1)
        }
        Some(_) if text.get(quote + 2) == Some(&'\'') => quote + 3,
        _ => quote,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_blank_and_code_stays() {
        for (text, word_is_code) in [
            ("word()", true),
            ("// word()", false),
            ("/* a /* word() */ b */ x", false),
            ("\"a \\\" word()\"", false),
            ("r#\"a \" word()\"#", false),
            ("b\"word()\"", false),
            ("let quote = '\"'; word()", true),
            ("let quote = '\\''; word()", true),
            ("fn f<'a>(x: &'a str) { word() }", true),
            ("r#type; word()", true),
            ("b'\"'; word()", true),
            ("sword()", false),
        ] {
            assert_eq!(has_word(&code_only(text), "word"), word_is_code, "{text}");
            assert_eq!(code_only(text).chars().count(), text.chars().count(), "{text}");
        }
    }

    #[test]
    fn test_modules_are_no_product_code() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests { fn b() { x() } }\nfn c() {}\n#[cfg(test)]\nmod other;\nfn d() {}";
        let code = product_code(text);
        assert!(has_word(&code, "a") && has_word(&code, "c") && has_word(&code, "d"));
        assert!(!has_word(&code, "b") && !has_word(&code, "other"));
        assert_eq!(code.lines().count(), text.lines().count());
    }
}
