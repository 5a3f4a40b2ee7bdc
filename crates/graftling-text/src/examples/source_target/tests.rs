//! Which columns are taken, and what is told of rows that cannot be.

use super::*;
use crate::readers::read_table;

fn table(name: &str, text: &str) -> Table {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    std::fs::write(&path, text).expect("a file");
    Table { source: name.into(), ..read_table(&path, None).expect("a table") }
}

fn columns(source: Option<&str>, target: Option<&str>, languages: [Option<&str>; 2]) -> SourceTargetColumns {
    let [source_language, target_language] = languages.map(|language| language.map(str::to_owned));
    let [source, target] = [source, target].map(|name| name.map(str::to_owned));
    SourceTargetColumns { source, target, template: None, source_language, target_language }
}

const SUMMARY: TargetKind = TargetKind::Summary;
const TRANSLATION: TargetKind = TargetKind::Translation;

#[test]
fn columns_are_found_by_the_names_of_the_field_by_languages_or_as_they_are_named() {
    let none = || columns(None, None, [None, None]);
    let languages = || columns(None, None, [Some("en"), Some("de")]);
    let object = "{\"translation\": {\"de\": \"Haus\", \"en\": \"house\"}}\n";
    for (kind, (name, text), columns, expected) in [
        (SUMMARY, ("a.jsonl", "{\"document\": \"house\", \"summary\": \"Haus\"}\n"), none(), ("house", "Haus")),
        (SUMMARY, ("a.csv", "article,highlights,id\nhouse,Haus,1\n"), none(), ("house", "Haus")),
        (SUMMARY, ("a.csv", "dialogue,summary\nhouse,Haus\n"), none(), ("house", "Haus")),
        (SUMMARY, ("a.csv", "text,target\nhouse,Haus\n"), none(), ("house", "Haus")),
        (TRANSLATION, ("a.tsv", "source\ttarget\nhouse\tHaus\n"), none(), ("house", "Haus")),
        (TRANSLATION, ("a.csv", "src,tgt\nhouse,Haus\n"), none(), ("house", "Haus")),
        (TRANSLATION, ("a.csv", "text,translation\nhouse,Haus\n"), none(), ("house", "Haus")),
        (TRANSLATION, ("a.csv", "de,fr,en\nHaus,maison,house\n"), languages(), ("house", "Haus")),
        (TRANSLATION, ("a.csv", "source,target\nhouse,Haus\n"), languages(), ("house", "Haus")),
        (TRANSLATION, ("a.jsonl", object), languages(), ("house", "Haus")),
        (TRANSLATION, ("a.csv", "b,a\nHaus,house\n"), columns(Some("a"), Some("b"), [None, Some("de")]), ("house", "Haus")),
    ] {
        let found = source_targets(table(name, text), kind, &columns).expect(text);
        let SourceTarget { source, target, .. } = &found.examples[0];
        assert_eq!((source.as_str(), target.as_str()), expected, "{text}");
        let alone = unwritten_sources(table(name, text), kind, &columns).expect(text);
        assert_eq!(alone.examples[0].text, expected.0, "{text}");
    }
}

#[test]
fn the_text_in_a_template_is_known_where_one_column_can_be_it() {
    let summary = ("document,year,summary\n house ,1999,Haus\n", SUMMARY);
    let languages = ("en,de,text\nhouse,Haus,other\n", TRANSLATION);
    for ((rows, kind), template, language, expected) in [
        (summary, None, None, Some(" house ")),
        (summary, Some("Of: {document} Summary:"), None, Some(" house ")),
        (summary, Some("{year}"), None, Some("1999")),
        // By its name, where the template names others.
        (summary, Some("{year} {document} {year}"), None, Some(" house ")),
        (summary, Some("{document} {summary}"), None, Some(" house ")),
        (("a,b,summary\nx,y,z\n", SUMMARY), Some("{a} {b}"), None, None),
        (("document,text,summary\nx,y,z\n", SUMMARY), Some("{document} {text}"), None, None),
        (("a,b,summary\nx,y,z\n", SUMMARY), Some("{b} {b}"), None, Some("y")),
        (languages, Some("{text}: {en}"), Some("en"), Some("house")),
        (languages, Some("{text}: {en}"), None, Some("other")),
    ] {
        let template = template.map(|template| template.parse().expect("a template"));
        let asked = columns(None, Some(if kind == SUMMARY { "summary" } else { "de" }), [language, None]);
        let found = source_targets(table("t.csv", rows), kind, &SourceTargetColumns { template, ..asked.clone() }).expect(rows);
        assert_eq!(found.examples[0].text(), expected, "{rows} {asked:?}");
    }
}

#[test]
fn sources_alone_need_no_target() {
    let alone =
        unwritten_sources(table("a.csv", "document\nhouse\n\"\"\n"), SUMMARY, &SourceTargetColumns::default()).expect("sources");
    assert_eq!(alone.examples.len(), 2);
    assert!(alone.notices.iter().any(|notice| notice.contains("1 text is empty (first on line 3)")), "{:?}", alone.notices);
}

#[test]
fn an_empty_source_is_refused_in_training_and_gets_its_prediction_after_wherever_it_stands() {
    let filled =
        SourceTargetColumns { template: Some(" {en}".parse().expect("a template")), ..columns(None, Some("de"), [None, None]) };
    let object = |en: &str| format!("{{\"translation\": {{\"en\": {en}, \"de\": \"b\"}}}}\n");
    let of_languages = columns(None, None, [Some("en"), Some("de")]);
    for (name, rows, columns, told) in [
        ("a.csv", "en,de\na,b\n\" \",b\n".to_owned(), filled, "a.csv:3: the template makes an empty text of this row"),
        ("a.csv", "en,de\na,b\n\" \",b\n".to_owned(), of_languages.clone(), "a.csv:3: the text in \"en\" is empty"),
        (
            "a.jsonl",
            object("\"a\"") + &object("\" \""),
            of_languages.clone(),
            "a.jsonl:2: the text in \"en\" of \"translation\" is empty",
        ),
        ("a.jsonl", object("\"a\"") + &object("null"), of_languages, "a.jsonl:2: the text in \"en\" of \"translation\" is empty"),
    ] {
        let found = source_targets(table(name, &rows), TRANSLATION, &columns).unwrap_err().to_string();
        assert!(found.contains(told), "{told}: {found}");
        let alone = unwritten_sources(table(name, &rows), TRANSLATION, &columns).expect("sources");
        assert_eq!(alone.examples.iter().map(|example| example.text.trim()).collect::<Vec<_>>(), ["a", ""], "{rows}");
        assert!(alone.notices.iter().any(|notice| notice.contains("1 text is empty")), "{:?}", alone.notices);
    }
}

#[test]
fn how_a_column_was_found_is_told() {
    let template =
        SourceTargetColumns { template: Some("{en}".parse().expect("a template")), ..columns(None, None, [None, Some("de")]) };
    for (header, columns, of_pairs, alone) in [
        (
            "en,de",
            columns(None, None, [Some("en"), Some("de")]),
            vec!["t.csv: source from column \"en\", translation from column \"de\" (found by language)"],
            vec!["t.csv: source from column \"en\" (found by language)"],
        ),
        (
            "text,target",
            columns(None, None, [Some("en"), Some("de")]),
            vec![
                "t.csv: source from column \"text\", translation from column \"target\" (found by name)",
                "t.csv: no column or key is called \"en\", the language of the sources, which is left to the tokenizer",
            ],
            vec![
                "t.csv: source from column \"text\" (found by name)",
                "t.csv: no column or key is called \"en\", the language of the sources, which is left to the tokenizer",
            ],
        ),
        (
            "text,de",
            columns(None, None, [None, Some("de")]),
            vec![
                "t.csv: source from column \"text\" (found by name)",
                "t.csv: translation from column \"de\" (found by language)",
            ],
            vec!["t.csv: source from column \"text\" (found by name)"],
        ),
        ("en,de", template, vec!["t.csv: translation from column \"de\" (found by language)"], vec![]),
        ("en,de", columns(Some("en"), Some("de"), [Some("en"), Some("de")]), vec![], vec![]),
    ] {
        let rows = format!("{header}\nhouse,Haus\n");
        let pairs = source_targets(table("t.csv", &rows), TRANSLATION, &columns).expect("pairs");
        assert_eq!(
            (pairs.notices, pairs.examples[0].target.as_str()),
            (of_pairs.iter().map(ToString::to_string).collect(), "Haus")
        );
        assert_eq!(unwritten_sources(table("t.csv", &rows), TRANSLATION, &columns).expect("sources").notices, alone, "{rows}");
    }
}

#[test]
fn all_that_is_wrong_is_told_at_once_with_its_line() {
    let objects = "{\"translation\": {\"en\": \"a\", \"de\": \"b\"}}\n{\"translation\": {\"en\": \"a\"}}\n{\"translation\": \"a\"}\n\
                   {\"translation\": {\"en\": \" \", \"de\": 3}}\n";
    let of_languages = columns(None, None, [Some("en"), Some("de")]);
    let found = source_targets(table("t.jsonl", objects), TRANSLATION, &of_languages).unwrap_err().to_string();
    for told in [
        "t.jsonl:2: \"translation\" has no text in \"de\"; it has en",
        "t.jsonl:3: \"translation\" holds a text where an object",
        "t.jsonl:4: the text in \"en\" of \"translation\" is empty",
        "t.jsonl:4: \"translation\" holds the number 3 in \"de\"",
    ] {
        assert!(found.contains(told), "{told}: {found}");
    }
    let rows = "document,summary\n,a\nb,\"  \"\n";
    let found = source_targets(table("s.csv", rows), SUMMARY, &SourceTargetColumns::default()).unwrap_err().to_string();
    assert!(
        found.contains("s.csv:2: the text in \"document\" is empty") && found.contains("s.csv:3: the text in \"summary\""),
        "{found}"
    );
}

#[test]
fn columns_that_are_not_clear_are_refused() {
    for (text, columns, told) in [
        (
            "{\"translation\": {\"en\": \"a\", \"de\": \"b\"}}\n",
            columns(None, None, [Some("en"), None]),
            "texts in en, de; say which",
        ),
        ("{\"en\": \"a\", \"de\": \"b\"}\n", columns(None, None, [Some("en"), Some("fr")]), "no column of the language \"fr\""),
        (
            "{\"a\": \"a\", \"b\": \"b\"}\n",
            SourceTargetColumns::default(),
            "no column for the source; the columns are \"a\", \"b\"",
        ),
        (
            "{\"text\": \"a\", \"target\": \"b\"}\n",
            columns(Some("text"), Some("text"), [None, None]),
            "cannot be both the source and the translation",
        ),
    ] {
        let found = source_targets(table("t.jsonl", text), TRANSLATION, &columns).unwrap_err().to_string();
        assert!(found.contains(told), "{told}: {found}");
    }
}

#[test]
fn repeats_and_copies_are_told() {
    let rows = "source,target\na b,x\na b,y\nc,c\n";
    let notices = source_targets(table("t.csv", rows), TRANSLATION, &SourceTargetColumns::default()).expect("rows").notices;
    for told in [
        "source from column \"source\", translation from column \"target\" (found by name)",
        "1 row repeats a text that stands earlier in the file (first: line 3 repeats line 2)",
        "1 row gives such a text another target",
        "1 row has the source itself as the target (first: line 4)",
    ] {
        assert!(notices.iter().any(|notice| notice.contains(told)), "{told}: {notices:?}");
    }
}
