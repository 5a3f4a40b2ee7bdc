//! Good and bad files through the one door of the readers.

use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use crate::{Cell, Format, Table, read_table};

fn table(name: &str, bytes: &[u8]) -> Table {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    read_table(&path, None).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// What the reader says about a file, without the folder it is in.
fn refusal(name: &str, bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    match read_table(&path, None) {
        Ok(table) => panic!("{name} was accepted: {table:?}"),
        Err(error) => without_folder(&error.to_string(), folder.path()),
    }
}

fn without_folder(message: &str, folder: &Path) -> String {
    message.replace(&format!("{}{}", folder.display(), std::path::MAIN_SEPARATOR), "")
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn rows(table: &Table) -> Vec<(usize, Vec<String>)> {
    let row = |row: &crate::Row| (row.line, row.cells.iter().map(|cell| cell.written().into_owned()).collect());
    table.rows.iter().map(row).collect()
}

#[test]
fn every_way_of_writing_the_same_rows_is_read_alike() {
    let expected = [(2, vec!["很好, 谢谢".to_owned(), "正面".to_owned()]), (3, vec!["say \"no\"".to_owned(), "b".to_owned()])];
    let csv = "文本,标签\n\"很好, 谢谢\",正面\n\"say \"\"no\"\"\",b\n";
    let cases = [
        ("a.csv", csv.as_bytes().to_vec()),
        ("crlf.csv", csv.replace('\n', "\r\n").into_bytes()),
        ("mark.csv", format!("\u{FEFF}{csv}").into_bytes()),
        ("no_end.csv", csv.trim_end().as_bytes().to_vec()),
        ("a.csv.gz", gzip(csv.as_bytes())),
        ("a.tsv", "文本\t标签\n很好, 谢谢\t正面\n\"say \"\"no\"\"\"\tb\n".as_bytes().to_vec()),
        ("bare.tsv", "文本\t标签\r\n很好, 谢谢\t正面\r\nsay \"no\"\tb\r\n".as_bytes().to_vec()),
    ];
    for (name, bytes) in cases {
        let table = table(name, &bytes);
        assert_eq!(table.columns, ["文本", "标签"], "{name}");
        assert_eq!(rows(&table), expected, "{name}");
        assert_eq!(table.notices, [""; 0], "{name}");
    }
}

#[test]
fn json_lines_keep_their_values_and_line_numbers() {
    let text = "\u{FEFF}{\"text\": \"a\\n文\", \"label\": 1}\r\n\r\n{\"id\": [1, 2], \"text\": \"b\"}\n";
    for (name, bytes) in [("a.jsonl", text.as_bytes().to_vec()), ("a.ndjson.gz", gzip(text.as_bytes()))] {
        let table = table(name, &bytes);
        assert_eq!(table.columns, ["text", "label", "id"], "{name}");
        assert_eq!(table.rows[0].cells, [Cell::Text("a\n文".into()), Cell::Json(json!(1)), Cell::Absent], "{name}");
        assert_eq!(table.rows[1].cells, [Cell::Text("b".into()), Cell::Absent, Cell::Json(json!([1, 2]))], "{name}");
        assert_eq!([table.rows[0].line, table.rows[1].line], [1, 3], "{name}");
    }
}

#[test]
fn line_numbers_count_breaks_inside_quotes_and_blank_lines() {
    for line_end in ["\n", "\r\n"] {
        let text = ["text,label", "\"two", "lines\",a", "", "b,b"].join(line_end);
        let table = table("a.csv", text.as_bytes());
        assert_eq!(table.rows.iter().map(|row| row.line).collect::<Vec<_>>(), [2, 5], "{line_end:?}");
    }
}

#[test]
fn bare_quotes_of_a_tsv_are_kept_with_a_notice() {
    let table = table("a.tsv", b"text\tlabel\n\"He left,\" she said.\ta\nb\tb\n");
    assert_eq!(rows(&table)[0].1[0], "\"He left,\" she said.");
    assert!(
        table.notices[0].ends_with("a.tsv: double quotes are read as plain characters, because they do not enclose whole fields"),
        "{:?}",
        table.notices
    );
}

#[test]
fn a_format_given_by_hand_reads_any_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dump.txt");
    fs::write(&path, "text\tlabel\na\tb\n").unwrap();
    assert_eq!(read_table(&path, Some(Format::Tsv)).unwrap().columns, ["text", "label"]);
}

#[test]
fn broken_rows_are_refused_with_their_lines() {
    let cases: [(&str, &str, &str); 15] = [
        ("a.csv", "text,label\na\nb,c\n", "a.csv:2: 1 field where the header names 2"),
        (
            "a.csv",
            "text,label\na,b\nc, d,e\n",
            "a.csv:3: 3 fields where the header names 2; a field that holds a separator must stand in double quotes",
        ),
        (
            "a.csv",
            "text,label\r\na\r\n\r\nb,c,d\r\n",
            "2 problems in a.csv\n  a.csv:2: 1 field where the header names 2\n  a.csv:4: 3 fields where the header names 2; \
             a field that holds a separator must stand in double quotes",
        ),
        ("a.tsv", "text\tlabel\na\n", "a.tsv:2: 1 field where the header names 2"),
        (
            "a.csv",
            "text,label\na,b\n\"c,d\ne,f\n",
            "2 problems in a.csv\n  a.csv:3: a quoted field begins here and never ends; close it with a double quote\n  \
             a.csv:3: 1 field where the header names 2",
        ),
        (
            "a.csv",
            "text,label\n\"say \"no\" now\",b\n",
            "a.csv:2: text after a closing quote; a double quote inside a quoted field must be doubled",
        ),
        ("a.csv", "text,label,text\na,b,c\n", "a.csv: the column \"text\" is there twice; give each column its own name"),
        (
            "a.jsonl",
            "{\"text\": \"a\"}\n[\"b\", 1]\n\"c\"\n4\ntrue\nnull\n",
            "5 problems in a.jsonl\n  \
             a.jsonl:2: the line holds a list where an object is needed, a key for each column, such as {\"text\": \"...\"}\n  \
             a.jsonl:3: the line holds a string where an object is needed, a key for each column, such as {\"text\": \"...\"}\n  \
             a.jsonl:4: the line holds a number where an object is needed, a key for each column, such as {\"text\": \"...\"}\n  \
             a.jsonl:5: the line holds true or false where an object is needed, a key for each column, such as {\"text\": \"...\"}\n  \
             a.jsonl:6: the line holds null where an object is needed, a key for each column, such as {\"text\": \"...\"}",
        ),
        (
            "a.jsonl",
            "{\"text\": \"a\", \"text\": \"b\"}\n",
            "a.jsonl:1: the key \"text\" is there twice; each line must name a value once",
        ),
        (
            "a.jsonl",
            "{\"text\": \"a\",}\n",
            "a.jsonl:1: not JSON at column 14: trailing comma; each line must hold one whole object",
        ),
        (
            "a.jsonl",
            "{\"text\": \"\\ud800\"}\n",
            "a.jsonl:1: not JSON at column 17: unexpected end of hex escape; each line must hold one whole object",
        ),
        ("a.csv", "", "a.csv: the file is empty"),
        ("a.jsonl", "\u{FEFF}\n \r\n", "a.jsonl: the file is empty"),
        ("a.csv", "text,label\r\n", "a.csv: only a header (\"text\", \"label\") and no rows"),
        ("a.tsv", "text\tlabel", "a.tsv: only a header (\"text\", \"label\") and no rows"),
    ];
    for (name, text, expected) in cases {
        assert_eq!(refusal(name, text.as_bytes()), expected, "{text:?}");
    }
}

#[test]
fn the_first_problems_of_each_kind_are_told_and_the_rest_is_counted() {
    let message = refusal("a.csv", format!("text,label\n{}", "x\n".repeat(50)).as_bytes());
    let lines: Vec<&str> = message.lines().collect();
    assert_eq!(lines.len(), 7);
    assert_eq!(lines[0], "50 problems in a.csv");
    assert_eq!(lines[5], "  a.csv:6: 1 field where the header names 2");
    assert_eq!(lines[6], "  and 45 more like it (lines 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, ...)");
    let message = refusal("a.jsonl", format!("{}{{\"a\": 1, \"a\": 2}}\n7", "{\n".repeat(6)).as_bytes());
    let told: Vec<&str> = message.lines().skip(5).collect();
    assert_eq!(told.len(), 4, "{message}");
    assert_eq!(told[1], "  and 1 more like it (line 6)");
    assert!(
        told[2].starts_with("  a.jsonl:7: the key \"a\" is there twice") && told[3].starts_with("  a.jsonl:8: "),
        "{message}"
    );
}

#[test]
fn other_encodings_are_refused_with_the_command_that_converts_them() {
    let utf16 = |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
    let gbk = b"\xCE\xC4\xB1\xBE,\xB1\xEA\xC7\xA9\n\xBA\xDC\xBA\xC3,\xD5\xFD\xC3\xE6\n";
    let cases: [(&str, Vec<u8>, &str); 6] = [
        (
            "a.csv",
            b"text,label\nfine,a\ncaf\xE9,b\n".to_vec(),
            "a.csv:3: invalid UTF-8 at byte 21 (0xE9); if the file is in Windows-1252, convert it first: \
             iconv -f WINDOWS-1252 -t UTF-8 a.csv > a.utf8.csv",
        ),
        (
            "评论.csv",
            gbk.to_vec(),
            "评论.csv:1: invalid UTF-8 at byte 0 (0xCE); the bytes look like GBK, convert it first: \
             iconv -f GB18030 -t UTF-8 评论.csv > 评论.utf8.csv",
        ),
        (
            "a.csv.gz",
            gzip(gbk),
            "a.csv.gz:1: invalid UTF-8 at byte 0 (0xCE); the bytes look like GBK, convert it first: \
             gzip -dc a.csv.gz | iconv -f GB18030 -t UTF-8 > a.utf8.csv",
        ),
        (
            "a.tsv",
            utf16("\u{FEFF}text\tlabel\na\tb\n"),
            "a.tsv:1: invalid UTF-8 at byte 0 (0xFF); the bytes look like UTF-16, convert it first: \
             iconv -f UTF-16LE -t UTF-8 a.tsv > a.utf8.tsv",
        ),
        (
            "a.jsonl",
            utf16("{\"text\": \"a\"}\n"),
            "a.jsonl:1: invalid UTF-8 at byte 1 (0x00); the bytes look like UTF-16, convert it first: \
             iconv -f UTF-16LE -t UTF-8 a.jsonl > a.utf8.jsonl",
        ),
        (
            "a.jsonl",
            b"{\"text\": \"a\"}\n{\"text\": \"\xE5\xA5".to_vec(),
            "a.jsonl:2: invalid UTF-8 at byte 24 (0xE5); if the file is in Windows-1252, convert it first: \
             iconv -f WINDOWS-1252 -t UTF-8 a.jsonl > a.utf8.jsonl",
        ),
    ];
    for (name, bytes, expected) in cases {
        assert_eq!(refusal(name, &bytes), expected);
    }
}

#[test]
fn files_that_are_no_tables_are_named() {
    let plain = b"text,label\na,b\n";
    let packed = gzip(&plain.repeat(50));
    let cases: [(&str, Vec<u8>, &str); 5] = [
        (
            "a.csv",
            b"PK\x03\x04rest".to_vec(),
            "a.csv: this is a zip archive or an Excel workbook (.xlsx); accepted are files of text (csv, tsv, jsonl, \
             txt, CoNLL), each also compressed as .gz",
        ),
        (
            "a.csv",
            gzip(plain),
            "a.csv: this is a file compressed by gzip, whose name should end in .gz; accepted are files of text (csv, tsv, jsonl, \
             txt, CoNLL), each also compressed as .gz",
        ),
        (
            "a.csv.gz",
            plain.to_vec(),
            "a.csv.gz: the name says gzip, but the file is not compressed by gzip; drop the .gz from its name",
        ),
        (
            "a.csv.gz",
            packed[..packed.len() - 9].to_vec(),
            "a.csv.gz: the gzip data is damaged or cut short after 750 decompressed bytes: incomplete deflate stream",
        ),
        (
            "a.csv.gz",
            gzip(&vec![b'a'; 80 << 20]),
            "a.csv.gz: decompresses to more than 67108864 bytes, which no text does; decompress it by hand if it is right",
        ),
    ];
    for (name, bytes, expected) in cases {
        assert_eq!(refusal(name, &bytes), expected);
    }
}

#[test]
fn a_missing_file_suggests_the_near_one() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("reviews.csv"), "text,label\na,b\n").unwrap();
    let message = |name: &str| {
        let error = read_table(&folder.path().join(name), None).unwrap_err();
        without_folder(&error.to_string(), folder.path())
    };
    assert_eq!(message("reveiws.csv"), "reveiws.csv: no such file (did you mean \"reviews.csv\"?)");
    assert_eq!(message("other.tsv"), "other.tsv: no such file");
    assert_eq!(message("reviews"), "reviews: no such file");
    fs::create_dir(folder.path().join("d.csv")).unwrap();
    assert_eq!(message("d.csv"), "d.csv: a folder where a file is needed");
}

#[test]
fn every_prefix_of_a_file_is_read_or_refused() {
    let texts = [
        (Format::Csv, "text,label\r\n\"a \"\"b\"\", c\",x\n好,y\n"),
        (Format::Tsv, "text\tlabel\n\"a\"\tx\n\"好\ty\n"),
        (Format::Jsonl, "{\"text\": \"a\", \"label\": [1, {\"b\": null}]}\r\n{\"text\": \"好\"}\n"),
    ];
    for (format, text) in texts {
        for end in 0..=text.len() {
            let bytes = text.as_bytes()[..end].to_vec();
            let read =
                crate::plain_text::decode(Path::new("a"), bytes).and_then(|text| super::parse(Path::new("a"), &text, format));
            match read {
                Ok(table) => assert!(table.rows.iter().all(|row| row.cells.len() == table.columns.len())),
                Err(error) => assert!(error.to_string().starts_with(['a', '2']), "{error}"),
            }
        }
    }
}
