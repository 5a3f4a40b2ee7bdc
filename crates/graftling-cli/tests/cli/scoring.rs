//! Generated texts judged by references, with no model.

use crate::scratch::Scratch;

/// What sacrebleu 2.6.0 and rouge_score 0.1.2 say of the files of `scratch`; of ROUGE of Chinese, with each character as a word.
const GERMAN: [(&str, f64); 4] =
    [("eval_bleu", 52.350023494), ("eval_chrf", 68.437794541), ("eval_chrf++", 65.773885948), ("eval_ter", 47.058823529)];
const GERMAN_WITH_OTHERS: [(&str, f64); 3] =
    [("eval_bleu", 58.502149503), ("eval_chrf", 72.556089933), ("eval_ter", 42.857142857)];
const GERMAN_SMOOTHED: [(&str, f64); 3] =
    [("eval_bleu", 53.931558476), ("eval_rouge1", 0.437500000), ("eval_rougeL", 0.437500000)];
const CHINESE: [(&str, f64); 4] =
    [("eval_bleu", 59.320981165), ("eval_chrf", 45.671439785), ("eval_ter", 18.750000000), ("eval_rouge1", 0.878205128)];
const CHINESE_CHARACTERS: [(&str, f64); 2] = [("eval_bleu", 59.320981165), ("eval_ter", 100.000000000)];

/// Hypotheses, references and sources in German and Chinese.
fn scratch() -> Scratch {
    let scratch = Scratch::new();
    scratch.write("hypotheses.txt", "Das ist ein kleines Haus.\nEr kostet 1.000,50 &euro;, sagte er.\n\nopen file\n");
    scratch.write(
        "references.txt",
        "Das ist ein kleines Haus.\nEs kostet 1.000,50 &euro;, sagt er.\nIch weiß es nicht.\nDatei öffnen\n",
    );
    scratch.write("others.txt", "Dies ist ein Häuschen.\nEs kostet 1.000,50 &euro;.\nKeine Ahnung.\nÖffnen\n");
    scratch.write("sources.txt", "This is a small house.\nIt costs 1,000.50, he says.\nI do not know.\nopen file\n");
    scratch.write("zh.txt", "今天天气很好。\n我们去北京。\n");
    scratch.write("zh-references.txt", "今天的天气很好。\n我们去北京大学。\n");
    scratch
}

/// The files, more flags, and what stands in the JSON.
type Case<'a> = (&'a [&'a str], &'a [&'a str], &'a [(&'a str, f64)]);

#[test]
fn figures_are_those_of_sacrebleu_and_rouge_score_on_the_same_files() {
    let scratch = scratch();
    let german = ["score", "--hypotheses", "hypotheses.txt", "--references", "references.txt", "--json", "--resamples", "100"];
    let chinese = ["score", "--hypotheses", "zh.txt", "--references", "zh-references.txt", "--json", "--resamples", "none"];
    let cases: [Case<'_>; 5] = [
        (&german, &[], &GERMAN),
        (&german, &["--references", "others.txt"], &GERMAN_WITH_OTHERS),
        (
            &german,
            &["--metric", "bleu,rouge", "--smooth", "add-k", "--lowercase", "--rouge-tokenize", "rouge_score"],
            &GERMAN_SMOOTHED,
        ),
        (&chinese, &["--target-language", "zh"], &CHINESE),
        (&chinese, &["--tokenize", "char", "--ter-no-punct", "--ter-asian-support", "--metric", "bleu,ter"], &CHINESE_CHARACTERS),
    ];
    for (files, more, expected) in cases {
        let json = scratch.json(&[files, more].concat());
        for (key, expected) in expected {
            let found = json[*key].as_f64().unwrap_or(f64::NAN);
            assert!((found - expected).abs() < 1e-6, "{more:?} {key}: {found}, not {expected}");
        }
    }
    let json = scratch.json(&[&german[..], &["--sources", "sources.txt"]].concat());
    assert_eq!((&json["eval_untranslated_rate"], &json["eval_exact_match"]), (&0.25.into(), &25.0.into()));
    assert_eq!(
        json["eval_bleu_signature"].as_str().map(|it| it.starts_with("nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:")),
        Some(true)
    );
    assert_eq!(json["eval_intervals"]["bleu"].as_array().map(Vec::len), Some(2));
    assert_eq!(json["eval_intervals"]["distinct_1"].as_array().map(Vec::len), Some(2));
}

#[test]
fn a_baseline_is_compared_by_the_same_drawings() {
    let scratch = scratch();
    let files = ["score", "--hypotheses", "hypotheses.txt", "--references", "references.txt", "--baseline", "others.txt"];
    let said = scratch.run(&files);
    assert_eq!(said.code, Some(0), "{said:?}");
    for expected in [
        "hypotheses.txt (4 texts): BLEU ",
        "\nROUGE-L, F1 ",
        "\n95 % intervals, 1,000 ",
        "\npaired bootstrap, 1,000 ",
        "\nless others.txt ",
    ] {
        assert!(said.stdout.contains(expected), "{expected}: {}", said.stdout);
    }
    let json = scratch.json(&[&files[..], &["--json"]].concat());
    let difference = &json["baseline"]["differences"]["chrf"];
    assert_eq!((&difference["first"], &difference["second"]), (&json["baseline"]["eval_chrf"], &json["eval_chrf"]));
    let said = scratch.run(&[&files[..], &["--resamples", "none"]].concat());
    assert_eq!(said.code, Some(2));
    assert!(said.stderr.contains("--resamples none leaves out"), "{}", said.stderr);
}

#[test]
fn what_a_language_does_not_have_is_told() {
    let scratch = scratch();
    let files = ["score", "--hypotheses", "zh.txt", "--references", "zh-references.txt", "--metric", "bleu,rouge"];
    for (more, expected) in [
        (&[][..], "note: the references are written in Chinese characters or kana"),
        (&["--target-language", "ja"], "note: Japanese: sacrebleu's tokenizer ja-mecab needs a dictionary"),
        (&["--target-language", "zh-CN"], ""),
        (&["--tokenize", "char"], ""),
    ] {
        let said = scratch.run(&[&files[..], more].concat());
        assert_eq!((said.code, said.stderr.is_empty()), (Some(0), expected.is_empty()), "{more:?}: {said:?}");
        assert!(said.stderr.contains(expected), "{more:?}: {}", said.stderr);
    }
}

#[test]
fn what_cannot_be_scored_is_refused_with_the_reason() {
    let scratch = scratch();
    scratch.write("short.txt", "one line\n");
    scratch.write("empty.txt", "");
    scratch.write("latin.txt", b"caf\xe9\n");
    for (hypotheses, references, more, code, expected) in [
        (
            "hypotheses.txt",
            "short.txt",
            &[][..],
            1,
            "short.txt: 1 line, but hypotheses.txt has 4 lines; each line holds one text",
        ),
        ("empty.txt", "references.txt", &[], 1, "empty.txt: the file is empty"),
        ("latin.txt", "references.txt", &[], 1, "latin.txt:1: invalid UTF-8 at byte 3 (0xE9)"),
        ("hypothesis.txt", "references.txt", &[], 1, "hypothesis.txt: no such file (did you mean \"hypotheses.txt\"?)"),
        ("hypotheses.txt", "references.txt", &["--tokenize", "ja-mecab"], 2, "needs a dictionary of words that is not built in"),
        ("hypotheses.txt", "references.txt", &["--target-language", "german"], 2, "\"german\" is not the code of a language"),
        ("hypotheses.txt", "references.txt", &["--metric", "meteor"], 2, "invalid value 'meteor'"),
        (
            "hypotheses.txt",
            "references.txt",
            &["--metric", "ter", "--tokenize", "zh"],
            2,
            "--tokenize is about bleu, which --metric does not name",
        ),
        (
            "hypotheses.txt",
            "references.txt",
            &["--metric", "rouge", "--target-language", "de"],
            2,
            "--target-language settles the tokenizer of bleu",
        ),
        ("hypotheses.txt", "references.txt", &["--metric", "bleu", "--sources", "sources.txt"], 2, "--sources is about copying"),
        ("hypotheses.txt", "references.txt", &["--metric", "copying"], 2, "give --sources FILE"),
        (
            "hypotheses.txt",
            "references.txt",
            &["--smooth-value", "1"],
            2,
            "--smooth-value is the value of --smooth floor and --smooth add-k",
        ),
        ("hypotheses.txt", "references.txt", &["--smooth", "floor", "--smooth-value", "nan"], 2, "accepted is a number from 0"),
        ("hypotheses.txt", "references.txt", &["--ter-asian-support"], 2, "does nothing by itself"),
    ] {
        let said = scratch.run(&[&["score", "--hypotheses", hypotheses, "--references", references], more].concat());
        assert_eq!((said.code, said.stdout.as_str()), (Some(code), ""), "{more:?}: {said:?}");
        assert!(said.stderr.contains(expected), "{expected}: {}", said.stderr);
    }
}
