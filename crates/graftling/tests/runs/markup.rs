//! A strict reader of pages: every tag closed in its order, every value in quotes, every sign escaped. Knows no report.

/// An element with what stands in it.
#[derive(Clone, Debug, Default)]
pub struct Element {
    pub name: String,
    pub attributes: Vec<(String, String)>,
    /// The text in it and in all that it holds.
    pub text: String,
    /// The names of the elements around it, the outermost first.
    pub within: Vec<String>,
}

impl Element {
    /// The value of an attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

const VOID: [&str; 3] = ["meta", "br", "hr"];

/// Every element of a page, in the order in which they end.
///
/// # Panics
/// Where the page is not well formed, with the place.
pub fn elements(page: &str) -> Vec<Element> {
    let mut rest = page.strip_prefix("<!DOCTYPE html>").expect("a document type");
    let (mut open, mut done): (Vec<Element>, Vec<Element>) = (Vec::new(), Vec::new());
    while let Some(at) = rest.find('<') {
        let text = unescaped(&rest[..at]);
        open.iter_mut().for_each(|element| element.text += &text);
        assert!(!open.is_empty() || text.trim().is_empty(), "text outside of everything: {text:?}");
        rest = &rest[at + 1..];
        let end = rest.find('>').unwrap_or_else(|| panic!("a tag that does not end: {}", beginning(rest)));
        let tag = &rest[..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            let element = open.pop().unwrap_or_else(|| panic!("</{name}> closes nothing"));
            assert_eq!(element.name, name, "before {}", beginning(rest));
            done.push(element);
            continue;
        }
        let mut element = parsed(tag);
        element.within = open.iter().map(|element| element.name.clone()).collect();
        match element.name.as_str() {
            name if VOID.contains(&name) => done.push(element),
            "style" => {
                let end = rest.find("</style>").expect("the end of a style");
                element.text = rest[..end].to_owned();
                rest = &rest[end + "</style>".len()..];
                done.push(element);
            }
            _ => open.push(element),
        }
    }
    assert!(open.is_empty() && rest.trim().is_empty(), "left open: {:?}", open.last());
    done
}

/// The name and the attributes of a tag.
fn parsed(tag: &str) -> Element {
    let (name, mut rest) = tag.split_once(' ').unwrap_or((tag, ""));
    assert!(!name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric()), "a tag named {name:?}");
    let mut element = Element { name: name.to_owned(), ..Element::default() };
    while !rest.trim_start().is_empty() {
        let (name, value) = rest.trim_start().split_once("=\"").unwrap_or_else(|| panic!("no value in quotes: <{tag}>"));
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'), "an attribute {name:?} in <{tag}>");
        let (value, after) = value.split_once('"').unwrap_or_else(|| panic!("a quote that does not end: <{tag}>"));
        assert!(element.attribute(name).is_none(), "{name} twice in <{tag}>");
        element.attributes.push((name.to_owned(), unescaped(value)));
        rest = after;
    }
    element
}

/// The text that is meant; every sign that has a meaning must be escaped.
fn unescaped(text: &str) -> String {
    assert!(!text.contains('<') && !text.contains('>'), "a sign that is not escaped: {}", beginning(text));
    let mut parts = text.split('&');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, after) = part.split_once(';').unwrap_or_else(|| panic!("an & that is not escaped: {}", beginning(part)));
        plain += match name {
            "amp" => "&",
            "lt" => "<",
            "gt" => ">",
            "quot" => "\"",
            other => panic!("an unknown sign &{other};"),
        };
        plain += after;
    }
    let forbidden = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    assert!(!plain.contains(forbidden), "a control character: {plain:?}");
    plain
}

fn beginning(text: &str) -> String {
    text.chars().take(80).collect()
}
