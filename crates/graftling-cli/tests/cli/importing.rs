//! GGUF files and model files of Marian become model folders, and are told apart from them. Knows nothing of what is in the folders.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::scratch::Scratch;

/// A tiny model that tools/reference/gguf_import.py has made.
fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../graftling/tests/golden/gguf").join(name)
}

fn with_model() -> Scratch {
    let scratch = Scratch::new();
    fs::create_dir(scratch.path("files")).unwrap();
    fs::copy(golden("smollm.gguf"), scratch.path("files/smollm.gguf")).unwrap();
    scratch
}

#[test]
fn an_imported_model_is_told_as_a_table_and_as_json() {
    let scratch = with_model();
    let said = scratch.run(&["models", "import", "files/smollm.gguf", "--output", "model"]);
    assert_eq!((said.code, said.stderr.as_str()), (Some(0), ""), "{said:?}");
    for row in ["family      llama", "layers      2", "6 Q5_1", "as f32", "folder      model"] {
        assert!(said.stdout.contains(row), "{row:?} in {}", said.stdout);
    }
    assert!(scratch.exists("model/config.json") && scratch.exists("model/tokenizer.json"));
    let told = scratch.json(&["models", "import", "files", "--output", "half", "--dtype", "bf16", "--json"]);
    assert_eq!(
        (&told["file"], &told["model_type"], &told["dtype"]),
        (&json!("files/smollm.gguf"), &json!("llama"), &json!("bf16"))
    );
    assert_eq!(told["bytes"], fs::metadata(scratch.path("half/model.safetensors")).unwrap().len());
}

/// A folder as those of Firefox Translations are: a model, its vocabulary, a shortlist that is called `.bin`, too.
fn with_student() -> Scratch {
    let scratch = Scratch::new();
    fs::create_dir(scratch.path("student")).unwrap();
    fs::copy(golden("../marian/intgemm8.bin"), scratch.path("student/model.enpt.intgemm.alphas.bin")).unwrap();
    let vocabulary = golden("../../../../graftling-text/tests/golden/vocabularies/marian-source.model");
    fs::copy(vocabulary, scratch.path("student/vocab.enpt.spm")).unwrap();
    fs::write(scratch.path("student/lex.50.50.enpt.s2t.bin"), [0xF5, 0x17, 0x34, 0x01, 0xD5, 0x48, 0x1A, 0xF1, 0]).unwrap();
    fs::write(scratch.path("student/config.intgemm8bitalpha.yml"), "relative-paths: true\n").unwrap();
    scratch
}

#[test]
fn a_student_of_marian_is_imported_from_its_folder_and_writes() {
    let scratch = with_student();
    let said = scratch.run(&["models", "import", "student", "--output", "model"]);
    assert_eq!((said.code, said.stderr.as_str()), (Some(0), ""), "{said:?}");
    for row in
        ["family          marian-ssru", "layers          2", "decoder layers  1", "positions       any number", "21 intgemm8"]
    {
        assert!(said.stdout.contains(row), "{row:?} in {}", said.stdout);
    }
    let said = scratch.run(&["generate", "--model", "model", "--prompt", "The house is small.", "--max-new-tokens", "4"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let told = scratch.json(&["models", "import", "student", "--output", "half", "--dtype", "f16", "--json"]);
    assert_eq!((&told["decoder_layers"], &told["max_position_embeddings"]), (&json!(1), &json!(null)));
    let said = scratch.run(&["models", "inspect", "student"]);
    let expected = "graftling models import student/model.enpt.intgemm.alphas.bin --output FOLDER";
    assert!(said.stderr.contains(expected), "{}", said.stderr);
    fs::remove_file(scratch.path("student/vocab.enpt.spm")).unwrap();
    let said = scratch.run(&["models", "import", "student", "--output", "other"]);
    assert!(said.stderr.contains("student/model.enpt.intgemm.alphas.bin: no vocabulary beside it"), "{}", said.stderr);
}

#[test]
fn what_is_supposed_of_a_file_is_noted_on_stderr() {
    let scratch = Scratch::new();
    let said = scratch.run(&["models", "import", &golden("gpt2.gguf").display().to_string(), "--output", "model"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.stderr.starts_with("note: ") && said.stderr.contains("taken for \"gpt-2\""), "{}", said.stderr);
}

#[test]
fn imports_that_cannot_be_say_why() {
    let scratch = with_model();
    fs::create_dir(scratch.path("empty")).unwrap();
    fs::create_dir(scratch.path("two")).unwrap();
    scratch.write("two/a.gguf", "GGUF");
    scratch.write("two/b.gguf", "GGUF");
    scratch.write("notes.txt", "mine");
    for (arguments, code, expected) in [
        (&["files/smollm.gguf"][..], 2, "--output <FOLDER>"),
        (&["files/smollm.gguf", "--output", "out", "--dtype", "q4"], 2, "[possible values: f32, f16, bf16]"),
        (&["files/other.gguf", "--output", "out"], 1, "files/other.gguf: cannot be read"),
        (
            &["empty", "--output", "out"],
            1,
            "empty: no model file to import here (.gguf, or .npz or .bin of Marian); name the file to import",
        ),
        (&["two", "--output", "out"], 1, "two: several model files here (a.gguf, b.gguf); name the file to import"),
        (
            &["two/a.gguf", "--output", "out"],
            1,
            "two/a.gguf: cut off or damaged: the version at byte 4 has 4 bytes, but the file ends at 4",
        ),
        (&["notes.txt", "--output", "out"], 1, "notes.txt: no model file that is known here: it begins with \"mine\""),
        (
            &["files/smollm.gguf", "--output", "files"],
            1,
            "files: the output folder is not empty (it holds \"smollm.gguf\"); choose another",
        ),
    ] {
        let said = scratch.run(&[&["models", "import"], arguments].concat());
        assert_eq!((said.code, said.stdout.as_str()), (Some(code), ""), "{arguments:?}");
        assert!(said.stderr.contains(expected), "{arguments:?}: {}", said.stderr);
    }
    assert!(!scratch.exists("out"));
}

#[test]
fn a_gguf_file_given_as_a_model_leads_to_the_import() {
    let scratch = with_model();
    let said = scratch.run(&["models", "inspect", "files/smollm.gguf"]);
    assert!(
        said.stderr.contains("of a GGUF file or one of Marian's, the one that graftling models import makes of it"),
        "{}",
        said.stderr
    );
    let said = scratch.run(&["models", "inspect", "files"]);
    assert!(said.stderr.contains("graftling models import files/smollm.gguf --output FOLDER"), "{}", said.stderr);
}
