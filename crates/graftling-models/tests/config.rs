//! Which configs are read, and what is said of those that are not: before anything is allocated for their sizes.

mod tiny_checkpoint;

use graftling_models::{Family, Head, Model};
use serde_json::{Value, json};
use tiny_checkpoint::{Checkpoint, labels, refusal, refusal_of_classifier, told};

#[test]
fn values_that_change_the_model_or_cannot_be_are_refused() {
    const SIZE: &str = "whole numbers from 1 to";
    let cases = [
        ("vocab_size", json!(0), format!("\"vocab_size\" is 0; accepted: {SIZE} 10000000")),
        ("vocab_size", json!(10_000_001), format!("\"vocab_size\" is 10000001; accepted: {SIZE} 10000000")),
        ("vocab_size", json!(-5), format!("\"vocab_size\" is -5; accepted: {SIZE} 10000000")),
        ("vocab_size", json!(u64::MAX), format!("\"vocab_size\" is 18446744073709551615; accepted: {SIZE} 10000000")),
        ("vocab_size", json!(1e300), format!("\"vocab_size\" is 1e+300; accepted: {SIZE} 10000000")),
        ("vocab_size", json!("many"), format!("\"vocab_size\" is \"many\"; accepted: {SIZE} 10000000")),
        ("vocab_size", Value::Null, format!("\"vocab_size\" is null; accepted: {SIZE} 10000000")),
        ("hidden_size", json!(0), format!("\"hidden_size\" is 0; accepted: {SIZE} 1048576")),
        ("num_attention_heads", json!(3), "\"hidden_size\" is 2; accepted: multiples of num_attention_heads, 3".to_owned()),
        ("num_attention_heads", json!(0), format!("\"num_attention_heads\" is 0; accepted: {SIZE} 1048576")),
        ("num_hidden_layers", json!(1_000_000_000), format!("\"num_hidden_layers\" is 1000000000; accepted: {SIZE} 1024")),
        ("intermediate_size", json!(1_u64 << 40), format!("\"intermediate_size\" is 1099511627776; accepted: {SIZE} 1048576")),
        ("max_position_embeddings", json!(0), format!("\"max_position_embeddings\" is 0; accepted: {SIZE} 10000000")),
        ("type_vocab_size", json!(0), format!("\"type_vocab_size\" is 0; accepted: {SIZE} 10000000")),
        ("hidden_dropout_prob", json!(1), "\"hidden_dropout_prob\" is 1; accepted: numbers from 0 to below 1".to_owned()),
        ("classifier_dropout", json!(-0.1), "\"classifier_dropout\" is -0.1; accepted: numbers from 0 to below 1".to_owned()),
        ("layer_norm_eps", json!(-1e-12), "\"layer_norm_eps\" is -1e-12; accepted: numbers from 0 to 1".to_owned()),
        ("initializer_range", json!(2), "\"initializer_range\" is 2; accepted: numbers from 0 to 1".to_owned()),
        (
            "hidden_act",
            json!("quick_gelu"),
            "\"hidden_act\" is \"quick_gelu\"; accepted: gelu, gelu_python, gelu_new, gelu_fast, gelu_accurate, gelu_pytorch_tanh, \
             gelu_python_tanh, relu, silu, swish, tanh"
                .to_owned(),
        ),
        ("position_embedding_type", json!("relative_key"), only("position_embedding_type", "\"relative_key\"", "only \"absolute\"")),
        ("is_decoder", json!(true), only("is_decoder", "true", "only false")),
        ("add_cross_attention", json!(true), only("add_cross_attention", "true", "only false")),
        ("is_encoder_decoder", json!(true), only("is_encoder_decoder", "true", "only false")),
        ("pruned_heads", json!({ "0": [1] }), only("pruned_heads", "{\"0\":[1]}", "only none")),
        ("quantization_config", json!({ "bits": 4 }), only("quantization_config", "{\"bits\":4}", "only none")),
        ("auto_map", json!({ "AutoModel": "own.Model" }), only("auto_map", "{\"AutoModel\":\"own.Model\"}", "only none")),
    ];
    let failures: Vec<String> = cases
        .into_iter()
        .filter_map(|(key, value, problem)| {
            let mut checkpoint = Checkpoint::backbone(1);
            checkpoint.set(key, value);
            let told = refusal(checkpoint.write().path());
            let expected = format!("FOLDER/config.json: the config asks for what this program does not offer: {problem}");
            (told != expected).then(|| format!("{told}\ninstead of\n{expected}"))
        })
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

fn only(key: &str, found: &str, accepted: &str) -> String {
    format!("\"{key}\" is {found}; accepted: {accepted}")
}

#[test]
fn all_that_is_wrong_with_a_config_is_told_at_once() {
    let mut checkpoint = Checkpoint::backbone(1);
    checkpoint.set("vocab_size", json!(0));
    checkpoint.set("is_decoder", json!(true));
    checkpoint.set("hidden_act", json!("x".repeat(1000)));
    let told = refusal(checkpoint.write().path());
    let lines: Vec<&str> = told.lines().map(|line| line.split(';').next().unwrap()).collect();
    let long = format!("  \"hidden_act\" is \"{}...", "x".repeat(79));
    let expected = [
        "FOLDER/config.json: the config asks for what this program does not offer:",
        "  \"is_decoder\" is true",
        &long,
        "  \"vocab_size\" is 0",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn sizes_that_the_weights_do_not_have_are_refused_before_allocation() {
    let mut checkpoint = Checkpoint::backbone(1);
    // Each is allowed alone; together they would be petabytes.
    checkpoint.set("vocab_size", json!(10_000_000));
    checkpoint.set("hidden_size", json!(1 << 20));
    checkpoint.set("intermediate_size", json!(1 << 20));
    checkpoint.set("num_hidden_layers", json!(1024));
    let told = refusal(checkpoint.write().path());
    assert!(told.contains("; 2 of 16393 do:"), "{}", &told[..200]);
    assert!(told.contains("\"embeddings.word_embeddings.weight\" has shape [5, 2], but the config asks for [10000000, 1048576]"));
}

#[test]
fn keys_that_change_nothing_are_read_over() {
    let mut checkpoint = Checkpoint::backbone(1);
    for (key, value) in [
        ("position_embedding_type", json!("absolute")),
        ("is_decoder", json!(false)),
        ("chunk_size_feed_forward", json!(64)),
        ("gradient_checkpointing", json!(true)),
        ("pruned_heads", json!({})),
        ("classifier_dropout", Value::Null),
        ("hidden_dropout_prob", json!(0)),
        ("pad_token_id", json!(3)),
        ("a key of their own", json!([1, 2])),
    ] {
        checkpoint.set(key, value);
    }
    assert_eq!(refusal(checkpoint.write().path()), "no error");
}

#[test]
fn unknown_families_are_told_with_the_known_ones() {
    let mut checkpoint = Checkpoint::backbone(1);
    checkpoint.set("model_type", json!("gpt_neox"));
    let told = refusal(checkpoint.write().path());
    let known = Family::ALL.iter().map(|family| family.model_type()).collect::<Vec<_>>().join(", ");
    assert_eq!(told, format!("FOLDER/config.json: model_type is \"gpt_neox\"; known families are {known}"));
    checkpoint.config.remove("model_type");
    let told = refusal(checkpoint.write().path());
    assert_eq!(told, format!("FOLDER/config.json: model_type is missing; known families are {known}"));
}

#[test]
fn a_config_that_is_not_one_is_refused() {
    let folder = Checkpoint::backbone(1).write();
    for (text, found) in [
        ("", "EOF while parsing a value at line 1 column 0"),
        ("[1]", "invalid type: sequence, expected a map at line 1 column 0"),
        ("{\"vocab_size\": NaN}", "expected value at line 1 column 16"),
        ("{\"model_type\": \"bert\"", "EOF while parsing an object at line 1 column 21"),
    ] {
        std::fs::write(folder.path().join("config.json"), text).unwrap();
        assert_eq!(refusal(folder.path()), format!("FOLDER/config.json: not a valid model config: {found}"));
    }
    std::fs::write(folder.path().join("config.json"), "[".repeat(100_000)).unwrap();
    assert!(refusal(folder.path()).contains("recursion limit exceeded") || refusal(folder.path()).contains("invalid type"));
}

#[test]
fn a_checkpoint_without_a_head_that_is_known_is_refused() {
    let cases = [
        (
            "architectures",
            json!(["BertForPreTraining"]),
            "architectures is BertForPreTraining; a fine-tuned model of this family has one of BertForSequenceClassification, \
             BertForTokenClassification, BertForMaskedLM, BertForQuestionAnswering",
        ),
        (
            "problem_type",
            json!("ordinal"),
            "problem_type is \"ordinal\"; a fine-tuned model of this family has one of single_label_classification, \
             multi_label_classification, regression",
        ),
        (
            "id2label",
            json!({ "0": "a", "2": "b" }),
            "id2label has 2 entries but no name for 1; accepted: one name for each of \"0\", \"1\", ...",
        ),
        ("id2label", json!({ "0": "a", "1": "a" }), "the label \"a\" stands for two classes; give each its own name"),
        ("id2label", json!({ "0": "a" }), "1 labels, but a classifier has at least 2"),
    ];
    for (key, value, problem) in cases {
        let mut checkpoint = Checkpoint::classifier(1, &["no", "yes"]);
        // Of one logit without a problem type, transformers takes it that it is a number.
        checkpoint.set("problem_type", json!("single_label_classification"));
        checkpoint.set(key, value);
        assert_eq!(refusal_of_classifier(checkpoint.write().path()), format!("FOLDER/config.json: {problem}"));
    }
}

#[test]
fn labels_without_names_are_numbered() {
    let mut checkpoint = Checkpoint::classifier(1, &["a", "b"]);
    checkpoint.config.remove("id2label");
    let model = Model::from_checkpoint(checkpoint.write().path()).unwrap();
    assert_eq!(model.labels(), ["LABEL_0", "LABEL_1"]);
    let mut checkpoint = Checkpoint::classifier(1, &["a", "b", "c"]);
    checkpoint.config.remove("id2label");
    checkpoint.set("num_labels", json!(3));
    assert_eq!(Model::from_checkpoint(checkpoint.write().path()).unwrap().labels().len(), 3);
    checkpoint.set("num_labels", json!(1e18));
    let told = refusal_of_classifier(checkpoint.write().path());
    assert_eq!(told, "FOLDER/config.json: num_labels is 1e+18; accepted: whole numbers from 2 to 100000");
}

#[test]
fn labels_for_a_new_head_are_checked() {
    let folder = Checkpoint::backbone(1).write();
    for (names, problem) in [
        (&["only"][..], "1 labels, but a classifier has at least 2"),
        (&["a", "b", "a"][..], "the label \"a\" stands for two classes; give each its own name"),
    ] {
        let outcome = Model::from_pretrained(folder.path(), Head::single_label(&labels(names)), 1);
        assert_eq!(told(folder.path(), outcome.map(drop)), format!("FOLDER: {problem}"));
    }
}
