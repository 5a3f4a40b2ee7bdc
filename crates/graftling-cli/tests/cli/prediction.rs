//! Predicting texts from flags, standard input and files.

use std::io::Read;

use serde_json::Value;

use crate::scratch::Scratch;

/// What the line says before the text.
fn label_of(line: &str) -> &str {
    line.split_whitespace().next().unwrap()
}

#[test]
fn each_text_gives_a_line_with_label_probability_and_text() {
    let scratch = Scratch::with_run();
    let said = scratch.run(&["predict", "--model", "run", "--text", "a good film", "--text", "-- 一部\n好电影"]);
    assert_eq!((said.code, said.stderr.as_str()), (Some(0), ""));
    let lines: Vec<&str> = said.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{}", said.stdout);
    for (line, text) in lines.iter().zip(["a good film", "-- 一部\\n好电影"]) {
        assert!(["negative", "positive"].contains(&label_of(line)), "{line}");
        assert!(line.ends_with(&format!("  {text}")), "{line}");
        let probability: f32 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        assert!((0.5..=1.0).contains(&probability), "{line}");
    }
}

#[test]
fn texts_that_are_cut_are_told_and_windows_read_them_whole() {
    let scratch = Scratch::with_run();
    let text = "the story and this film was not very good ".repeat(12);
    let asked =
        |more: &[&str]| scratch.run(&[&["predict", "--model", "run", "--max-length", "16", "--text", &text], more].concat());
    let cut = asked(&[]);
    assert_eq!(
        cut.stderr,
        "note: 1 text is cut to 16 tokens, and what stands behind was not read; --long-texts windows reads all of it\n"
    );
    let whole = asked(&["--long-texts", "windows"]);
    assert_eq!((whole.code, whole.stderr.as_str()), (Some(0), ""));
    assert_ne!(whole.stdout, cut.stdout);
    assert_eq!(asked(&["--long-texts", "windows", "--threads", "1"]).stdout, whole.stdout);
    let refused = asked(&["--long-texts", "halves"]);
    assert!(refused.stderr.contains("accepted are cut and windows"), "{refused:?}");
}

#[test]
fn json_gives_one_object_a_text_with_every_probability() {
    let scratch = Scratch::with_run();
    let said = scratch.run(&[
        "predict",
        "--model",
        "run",
        "--json",
        "--text",
        "one",
        "--text-pair",
        "two",
        "--text",
        "a",
        "--text-pair",
        "b",
    ]);
    let objects: Vec<Value> = said.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(objects.len(), 2, "{said:?}");
    assert_eq!((&objects[0]["text"], &objects[0]["text_pair"]), (&"one".into(), &"two".into()));
    let probabilities = objects[0]["probabilities"].as_object().unwrap();
    assert_eq!(probabilities.keys().collect::<Vec<_>>(), ["negative", "positive"]);
    let sum: f64 = probabilities.values().map(|probability| probability.as_f64().unwrap()).sum();
    assert!((sum - 1.0).abs() < 1e-5, "{sum}");
    let label = objects[0]["label"].as_str().unwrap();
    assert_eq!(objects[0]["probability"], objects[0]["probabilities"][label]);
}

#[test]
fn standard_input_flags_and_files_agree() {
    let scratch = Scratch::with_run();
    let texts = ["a good film, number 2", "a bad film", "一部好电影", ""];
    let stdin = scratch.run_with_input(&["predict", "--model", "run"], texts.join("\r\n").as_bytes());
    scratch.write("texts.jsonl", texts.map(|text| format!("{}\n", serde_json::json!({ "text": text }))).concat());
    let file = scratch.run(&["predict", "--model", "run", "--input", "texts.jsonl"]);
    let flags =
        scratch.run(&["predict", "--model", "run", "--text", texts[0], "--text", texts[1], "--text", texts[2], "--text", ""]);
    assert_eq!(stdin.code, Some(0), "{stdin:?}");
    // The last text is empty and ends no line, so standard input has three.
    assert_eq!(stdin.stdout.lines().collect::<Vec<_>>(), flags.stdout.lines().take(3).collect::<Vec<_>>());
    assert_eq!(file.stdout, flags.stdout);
    assert!(file.stderr.contains("1 text is empty"), "{}", file.stderr);
}

#[test]
fn a_file_is_written_again_with_two_columns_more() {
    let scratch = Scratch::with_run();
    scratch.write("in.csv", "编号,内容\n1,\"好,很好\"\n2,\"a \"\"bad\"\" film\"\n");
    let said =
        scratch.run(&["predict", "--model", "run", "--input", "in.csv", "--output", "out.jsonl.gz", "--text-column", "内容"]);
    assert_eq!((said.code, said.stdout.as_str()), (Some(0), ""), "{said:?}");
    assert!(said.stderr.contains("wrote out.jsonl.gz for 2 texts"), "{}", said.stderr);
    let mut text = String::new();
    let file = std::fs::File::open(scratch.path("out.jsonl.gz")).unwrap();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        (&rows[0]["编号"], &rows[0]["内容"], &rows[1]["内容"]),
        (&"1".into(), &"好,很好".into(), &"a \"bad\" film".into())
    );
    assert!(rows.iter().all(|row| row["predicted_label"].is_string() && row["probability"].is_number()), "{text}");
}

#[test]
fn a_checkpoint_of_transformers_predicts_as_it_is() {
    let scratch = Scratch::new();
    let said = scratch.run(&["predict", "--model", "tiny", "--text", "a film", "--json"]);
    let object: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(object["probabilities"].as_object().unwrap().len(), 3, "{said:?}");
}

#[test]
fn keys_of_a_config_that_nothing_is_made_of_are_told() {
    let scratch = Scratch::with_run();
    let mut config: Value = serde_json::from_str(&scratch.read("run/config.json")).unwrap();
    config["use_moe"] = true.into();
    scratch.write("run/config.json", config.to_string());
    std::fs::remove_file(scratch.path("run/recipe.toml")).unwrap();
    let said = scratch.run(&["predict", "--model", "run", "--text", "a good film"]);
    assert_eq!(said.stderr, "note: config.json: no model of a known family has \"use_moe\"; nothing is made of it\n");
}

#[test]
fn an_encoder_of_sentences_gives_vectors_and_the_cosine_of_pairs() {
    let scratch = Scratch::new();
    let rows: String = (0..12).map(|number| format!("a good film {number},film number {number} is good\n")).collect();
    scratch.write("pairs.csv", format!("anchor,positive\n{rows}"));
    let train = ["train", "--task", "sentence_embedding", "--model", "tiny", "--train", "pairs.csv", "--output", "run"];
    let json = scratch.json(&[&train[..], &["--normalize", "--epochs", "1", "--json"]].concat());
    assert!(json["eval_cosine_accuracy@1"].is_number() && json["eval_cosine_mrr@10"].is_number(), "{json}");
    let said = scratch.json(&["predict", "--model", "run", "--text", "a film", "--json"]);
    let length: f64 = said["embedding"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap().powi(2)).sum();
    assert!((length - 1.0).abs() < 1e-5, "{length}");
    let same = scratch.json(&["predict", "--model", "run", "--text", "a film", "--text-pair", "a film", "--json"]);
    assert!((same["similarity"].as_f64().unwrap() - 1.0).abs() < 1e-5, "{same}");
    let line = scratch.run(&["predict", "--model", "run", "--text", "a film"]).stdout;
    assert!(line.starts_with('[') && line.ends_with(", ...] (32 values)  a film\n"), "{line}");
    scratch.write("texts.csv", "id,text\n1,a film\n");
    let written = scratch.run(&["predict", "--model", "run", "--input", "texts.csv", "--output", "out.jsonl"]);
    assert_eq!(written.code, Some(0), "{written:?}");
    let row: Value = serde_json::from_str(scratch.read("out.jsonl").lines().next().unwrap()).unwrap();
    assert_eq!(row["embedding"].as_array().unwrap().len(), 32);
    let columns = |file: &str, further: &[&str]| -> Value {
        let said = scratch.run(&[&["predict", "--model", "run", "--input", file, "--output", "out.jsonl"], further].concat());
        assert_eq!(said.code, Some(0), "{said:?}");
        serde_json::from_str(scratch.read("out.jsonl").lines().next().unwrap()).unwrap()
    };
    scratch.write("triplets.csv", "anchor,positive,negative\na film,a film,good\n");
    let one = columns("pairs.csv", &[])["similarity"].as_f64().unwrap();
    let row = columns("triplets.csv", &[]);
    let both: Vec<f64> = row["similarities"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect();
    assert!((both[0] - 1.0).abs() < 1e-5 && both[1] < 0.999 && both.len() == 2 && one < 0.999, "{row} {one}");
    assert_eq!(columns("triplets.csv", &["--text-column", "negative"])["embedding"].as_array().unwrap().len(), 32);
    let said = scratch.json(&["predict", "--model", "run", "--input", "triplets.csv", "--json"]);
    assert_eq!((&said["texts"][2], said["similarities"].as_array().unwrap().len()), (&"good".into(), 2));
    let other = scratch.run(&["predict", "--model", "tiny", "--input", "triplets.csv"]);
    assert!(other.code == Some(1) && other.stderr.contains("no column for the text"), "{other:?}");
    let known = scratch.run(&["predict", "--model", "run", "--pooling", "mean", "--text", "a film"]);
    assert!(known.stderr.contains("says itself what it gives; leave pooling and normalize out"), "{}", known.stderr);
    std::fs::remove_file(scratch.path("run/modules.json")).unwrap();
    let bare = scratch.run(&["predict", "--model", "run", "--text", "a film"]);
    assert!(bare.stderr.contains("name it with pooling (mean, cls or max)"), "{}", bare.stderr);
    let named = scratch.run(&["predict", "--model", "run", "--pooling", "mean", "--normalize", "--text", "a film"]);
    assert_eq!(named.stdout, line);
}
