//! Tables written and read again, and what must not be written.

use std::fs;

use serde_json::json;

use super::*;
use crate::{Row, read_table};

fn table() -> Table {
    let row = |line, cells| Row { line, cells };
    Table {
        source: "in.jsonl".into(),
        columns: vec!["text".into(), "id".into(), "提示".into()],
        rows: vec![
            row(1, vec![Cell::Text("a, \"b\"\n文\t1".into()), Cell::Json(json!(9_007_199_254_740_993_i64)), Cell::Absent]),
            row(2, vec![Cell::Text("".into()), Cell::Json(json!([1.5, null])), Cell::Text("007".into())]),
        ],
        notices: Vec::new(),
    }
}

fn prediction() -> Vec<NewColumn> {
    vec![
        NewColumn { name: "prediction".into(), cells: vec![Cell::Text("正面".into()), Cell::Text("x,y".into())] },
        NewColumn { name: "probability".into(), cells: vec![Cell::Json(json!(0.75)), Cell::Json(json!(0.5))] },
    ]
}

#[test]
fn all_columns_are_written_back_with_the_new_ones() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.csv", "a.tsv", "a.csv.gz", "a.tsv.gz"] {
        let path = folder.path().join(name);
        write_table(&path, None, &table(), &prediction()).unwrap();
        let again = read_table(&path, None).unwrap();
        assert_eq!(again.columns, ["text", "id", "提示", "prediction", "probability"], "{name}");
        let cells = |row: usize| again.rows[row].cells.iter().map(|cell| cell.written().into_owned()).collect::<Vec<_>>();
        assert_eq!(cells(0), ["a, \"b\"\n文\t1", "9007199254740993", "", "正面", "0.75"], "{name}");
        assert_eq!(cells(1), ["", "[1.5,null]", "007", "x,y", "0.5"], "{name}");
    }
    for name in ["a.jsonl", "a.ndjson.gz"] {
        let path = folder.path().join(name);
        write_table(&path, None, &table(), &prediction()).unwrap();
        let again = read_table(&path, None).unwrap();
        assert_eq!(again.columns, ["text", "id", "prediction", "probability", "提示"], "{name}");
        assert_eq!(again.rows[0].cells[1], Cell::Json(json!(9_007_199_254_740_993_i64)), "{name}");
        assert_eq!(again.rows[0].cells[4], Cell::Absent, "{name}");
        assert_eq!(again.rows[1].cells[4], Cell::Text("007".into()), "{name}");
    }
}

#[test]
fn the_bytes_are_plain_to_other_programs() {
    let folder = tempfile::tempdir().unwrap();
    let written = |name: &str| {
        write_table(&folder.path().join(name), None, &table(), &prediction()[..1]).unwrap();
        fs::read_to_string(folder.path().join(name)).unwrap()
    };
    let csv = "text,id,提示,prediction\n\"a, \"\"b\"\"\n文\t1\",9007199254740993,,正面\n,\"[1.5,null]\",007,\"x,y\"\n";
    assert_eq!(written("a.csv"), csv);
    let jsonl = "{\"text\":\"a, \\\"b\\\"\\n文\\t1\",\"id\":9007199254740993,\"prediction\":\"正面\"}\n\
                 {\"text\":\"\",\"id\":[1.5,null],\"提示\":\"007\",\"prediction\":\"x,y\"}\n";
    assert_eq!(written("a.jsonl"), jsonl);
}

#[test]
fn fractions_come_back_with_all_their_digits() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jsonl");
    // Numbers that a quick reader rounds wrongly in the last digit.
    let text = "{\"text\":\"a\",\"score\":31.245270191439438}\n{\"text\":\"b\",\"score\":0.1234567890123456}\n";
    fs::write(&path, text).unwrap();
    let table = read_table(&path, None).unwrap();
    write_table(&path, None, &table, &[]).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn the_same_table_gives_the_same_compressed_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let written = |name: &str| {
        write_table(&folder.path().join(name), None, &table(), &[]).unwrap();
        fs::read(folder.path().join(name)).unwrap()
    };
    assert_eq!(written("a.csv.gz"), written("b.csv.gz"));
}

#[test]
fn what_cannot_be_written_leaves_no_file_behind() {
    let folder = tempfile::tempdir().unwrap();
    let taken = NewColumn { name: "id".into(), cells: vec![Cell::Absent, Cell::Absent] };
    let path = folder.path().join("a.csv");
    let message = write_table(&path, None, &table(), &[taken]).unwrap_err().to_string();
    let expected =
        format!("{}: the table has a column \"id\" already; rename it, or choose another name for the new one", path.display());
    assert_eq!(message, expected);
    let message = write_table(&folder.path().join("a.xlsx"), None, &table(), &[]).unwrap_err().to_string();
    assert!(message.contains("a.xlsx: the name does not tell the format"), "{message}");
    let message = write_table(&folder.path().join("no/a.csv"), None, &table(), &[]).unwrap_err().to_string();
    assert!(message.contains("a.csv: cannot create: No such file or directory"), "{message}");
    fs::create_dir(folder.path().join("d.csv")).unwrap();
    let message = write_table(&folder.path().join("d.csv"), None, &table(), &[]).unwrap_err().to_string();
    assert!(message.ends_with("d.csv: a folder where a file is needed"), "{message}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_failed_write_keeps_the_old_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    fs::write(&path, "old").unwrap();
    let failed = disk::write_whole(&path, |file| {
        file.write_all(b"half of the new")?;
        Err(io::Error::other("disk full"))
    });
    assert_eq!(failed.unwrap_err().to_string(), format!("{}: cannot write: disk full", path.display()));
    assert_eq!(fs::read_to_string(&path).unwrap(), "old");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}
