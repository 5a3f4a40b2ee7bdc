//! Which configs of each family are read, and which are refused because they ask for another model than the one that is computed.

mod configs;
mod tiny_checkpoint;

use configs::{Case, check, folder, golden_config, only, refusal};
use graftling_models::{Family, inspect};
use serde_json::{Value, json};

/// The families that say what comes next.
const DECODERS: [Family; 5] = [Family::Gpt2, Family::Llama, Family::Mistral, Family::Qwen2, Family::Qwen3];

/// The families that write one text from another.
const TWO_STACKS: [Family; 7] =
    [Family::Bart, Family::MBart, Family::Marian, Family::MarianSsru, Family::T5, Family::Mt5, Family::EncoderDecoder];

#[test]
fn what_would_be_another_model_is_refused_in_every_family() {
    let cases = [
        ("pruned_heads", json!({ "1": [0] }), "only none"),
        ("quantization_config", json!({ "bits": 8 }), "only none"),
        ("auto_map", json!({ "AutoConfig": "own.Config" }), "only none"),
        ("per_layer_config", json!({ "1": { "hidden_act": "relu" } }), "only none"),
    ];
    let of_one_stack = [("add_cross_attention", json!(true), "only false"), ("is_encoder_decoder", json!(true), "only false")];
    let of_encoders = [("is_decoder", json!(true), "only false"), ("tie_word_embeddings", json!(false), "only true")];
    let of_two_stacks = [("is_encoder_decoder", json!(false), "only true")];
    let mut failures = Vec::new();
    for family in Family::ALL {
        let further = match family {
            _ if DECODERS.contains(family) => of_one_stack.to_vec(),
            _ if TWO_STACKS.contains(family) => of_two_stacks.to_vec(),
            _ => [&of_one_stack[..], &of_encoders[..]].concat(),
        };
        for (key, value, accepted) in cases.iter().chain(&further) {
            let mut config = golden_config(*family);
            config.insert((*key).to_owned(), value.clone());
            let (told, expected) = (refusal(&Value::Object(config)), only(key, &value.to_string(), accepted));
            if told != expected {
                failures.push(format!("{}: {told}\ninstead of\n{expected}", family.model_type()));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn what_would_be_another_model_of_this_family_is_refused() {
    const TABLE: &str = "whole numbers from 0 to below 10000000";
    let absolute = "only \"absolute\"";
    let cases = [
        (Family::Bert, "position_embedding_type", json!("relative_key"), absolute),
        (Family::Roberta, "position_embedding_type", json!("relative_key_query"), absolute),
        (Family::XlmRoberta, "position_embedding_type", json!("relative_key"), absolute),
        (Family::Camembert, "position_embedding_type", json!("relative_key"), absolute),
        (Family::Electra, "position_embedding_type", json!("relative_key"), absolute),
        (Family::Ernie, "position_embedding_type", json!("relative_key"), absolute),
        (Family::Ernie, "use_task_id", json!("yes"), "true, false"),
        (Family::Ernie, "task_type_vocab_size", json!(0), "whole numbers from 1 to 10000000"),
        (Family::Albert, "position_embedding_type", json!("relative_key"), absolute),
        (Family::Albert, "num_hidden_groups", json!(2), "only 1"),
        (Family::Albert, "inner_group_num", json!(2), "only 1"),
        (Family::Albert, "classifier_dropout_prob", Value::Null, "numbers from 0 to below 1"),
        (Family::Roberta, "pad_token_id", Value::Null, TABLE),
        (Family::Roberta, "pad_token_id", json!(-1), TABLE),
        (Family::Roberta, "max_position_embeddings", json!(2), "whole numbers from 3 to 10000000"),
        (Family::DistilBert, "n_heads", json!(5), "multiples of n_heads, 5"),
        (Family::DistilBert, "num_attention_heads", json!(5), "multiples of num_attention_heads, 5"),
        (Family::DistilBert, "n_layers", json!(0), "whole numbers from 1 to 1024"),
        (Family::MpNet, "relative_attention_num_buckets", json!(64), "only 32"),
        (Family::MpNet, "max_position_embeddings", json!(2), "whole numbers from 3 to 10000000"),
        (Family::Electra, "embedding_size", json!(0), "whole numbers from 1 to 1048576"),
        (Family::ModernBert, "classifier_pooling", json!("max"), "cls, mean"),
        (Family::ModernBert, "classifier_pooling", Value::Null, "cls, mean"),
        (Family::ModernBert, "norm_bias", json!(1), "true, false"),
        (Family::ModernBert, "attention_bias", Value::Null, "true, false"),
        (Family::ModernBert, "mlp_bias", json!("yes"), "true, false"),
        (Family::ModernBert, "mlp_dropout", json!(1.0), "numbers from 0 to below 1"),
        (Family::ModernBert, "local_attention", json!(-1), "whole numbers from 1 to 10000000"),
        (Family::ModernBert, "global_attn_every_n_layers", json!(0), "whole numbers from 1 to 10000000"),
        (Family::ModernBert, "local_rope_theta", Value::Null, "numbers from 1 to 1000000000000"),
        (Family::ModernBert, "rope_scaling", json!({ "rope_type": "linear", "factor": 2.0 }), "only none"),
        (Family::ModernBert, "sliding_window", json!(4), "only 3"),
        (Family::ModernBert, "head_dim", json!(8), "only 6"),
        (
            Family::ModernBert,
            "layer_types",
            json!(["full_attention"]),
            "one of full_attention, sliding_attention for each of 4 layers",
        ),
        (
            Family::ModernBert,
            "layer_types",
            json!(["full", "full", "full", "full"]),
            "one of full_attention, sliding_attention for each of 4 layers",
        ),
        (Family::ModernBert, "rope_parameters", json!({ "rope_theta": 5.0 }), "an object with full_attention, sliding_attention"),
        (Family::DebertaV2, "z_steps", json!(2), "only 0"),
        (Family::DebertaV2, "attention_head_size", json!(5), "only 6"),
        (Family::DebertaV2, "pooler_hidden_size", json!(24), "only 12"),
        (Family::DebertaV2, "conv_kernel_size", json!(4), "odd numbers: an even one gives another length"),
        (Family::DebertaV2, "conv_kernel_size", json!("3"), "-1, 0, whole numbers from 1 to 1048576"),
        (Family::DebertaV2, "position_buckets", json!(1), "-1, 0, whole numbers from 2 to 5000000"),
        (Family::DebertaV2, "position_buckets", json!(46), "whole numbers below 46"),
        (Family::DebertaV2, "type_vocab_size", json!(-2), "-1, 0, whole numbers from 1 to 10000000"),
        (Family::DebertaV2, "pos_att_type", json!(["c2p", "p2p"]), "c2p, p2c"),
        (Family::DebertaV2, "pos_att_type", json!(true), "c2p, p2c"),
        (Family::DebertaV2, "norm_rel_ebd", json!("batch_norm"), "layer_norm, none"),
        (
            Family::DebertaV2,
            "relative_attention",
            json!(false),
            "only true where there is a pos_att_type, or a norm_rel_ebd of layer_norm",
        ),
        (Family::DebertaV2, "share_att_key", json!("yes"), "true, false"),
        (Family::DebertaV2, "legacy", Value::Null, "true, false"),
        (Family::DebertaV2, "cls_dropout", json!(1), "numbers from 0 to below 1"),
        (Family::Marian, "share_encoder_decoder_embeddings", Value::Null, "true, false"),
        (Family::Marian, "tie_word_embeddings", json!(false), "only true"),
        (Family::MarianSsru, "norm", json!("pre"), "only \"post\""),
        (Family::MarianSsru, "position", json!("learned"), "only \"sinusoidal (sin half, cos half)\""),
        (Family::MarianSsru, "tie_embeddings", json!("source"), "all, target"),
        (Family::MarianSsru, "decoder_vocab_size", json!(41), "only vocab_size, where tie_embeddings is \"all\""),
        (Family::MarianSsru, "decoder_autoreg", json!("self-attention"), "only \"ssru\""),
        (Family::MarianSsru, "decoder_start", json!("</s>"), "only \"zero embedding\""),
        (Family::MarianSsru, "scale_embedding", Value::Null, "true, false"),
        (Family::MarianSsru, "decoder_layers", json!(0), "whole numbers from 1 to 1024"),
        (Family::MarianSsru, "dropout", json!(1), "numbers from 0 to below 1"),
        (Family::MarianSsru, "encoder_layerdrop", json!(0.1), "numbers from 0 to 0"),
        (Family::MarianSsru, "decoder_layerdrop", json!(0.1), "numbers from 0 to 0"),
        (Family::MarianSsru, "tie_word_embeddings", json!(false), "only true"),
        (Family::MarianSsru, "share_encoder_decoder_embeddings", json!(false), "only true"),
        (Family::MarianSsru, "pad_token_id", json!(-1), TABLE),
    ];
    let mut failures = Vec::new();
    for (family, key, value, accepted) in cases {
        let mut config = golden_config(family);
        config.insert(key.to_owned(), value.clone());
        let told = refusal(&Value::Object(config));
        let expected = match accepted.strip_prefix("multiples of ") {
            Some(_) => only("dim", "12", accepted),
            None => only(key, &value.to_string(), accepted),
        };
        if told != expected {
            failures.push(format!("{}: {told}\ninstead of\n{expected}", family.model_type()));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn a_marian_with_two_tables_says_how_long_the_second_is_and_what_gives_the_logits() {
    let with = |key: &str, value: Value| {
        let mut config = golden_config(Family::Marian);
        config.insert("share_encoder_decoder_embeddings".to_owned(), json!(false));
        config.insert("decoder_vocab_size".to_owned(), json!(34));
        config.insert(key.to_owned(), value);
        refusal(&Value::Object(config))
    };
    assert_eq!(with("tie_word_embeddings", Value::Null), only("tie_word_embeddings", "null", "true, false"));
    assert_eq!(with("decoder_vocab_size", json!(0)), only("decoder_vocab_size", "0", "whole numbers from 1 to 10000000"));
}

#[test]
fn a_student_of_marian_names_its_heads_and_is_of_even_width() {
    let mut config = golden_config(Family::MarianSsru);
    config.insert("d_model".to_owned(), json!(13));
    config.insert("encoder_attention_heads".to_owned(), Value::Null);
    config.remove("decoder_attention_heads");
    let [encoder, decoder] =
        ["encoder_attention_heads", "decoder_attention_heads"].map(|key| only(key, "absent", "whole numbers from 1 to 1048576"));
    let told = refusal(&Value::Object(config));
    let problems: Vec<&str> = told.lines().skip(1).map(str::trim_start).collect();
    assert_eq!(problems, [only("d_model", "13", "even numbers"), encoder, decoder]);
}

#[test]
fn what_is_within_a_key_is_told_by_its_whole_name() {
    let with = |key: &str, value: Value| {
        let mut config = golden_config(Family::ModernBert);
        config.insert(key.to_owned(), value);
        refusal(&Value::Object(config))
    };
    let of_full = |value: Value| with("rope_parameters", json!({ "full_attention": value }));
    let key = "rope_parameters.full_attention";
    assert_eq!(of_full(json!({ "rope_type": "yarn" })), only(&format!("{key}.rope_type"), "\"yarn\"", "only \"default\""));
    assert_eq!(of_full(json!({ "type": "linear" })), only(&format!("{key}.rope_type"), "\"linear\"", "only \"default\""));
    let bases = "numbers from 1 to 1000000000000";
    assert_eq!(of_full(json!({ "rope_theta": 0 })), only(&format!("{key}.rope_theta"), "0", bases));
    assert_eq!(of_full(json!({ "rope_theta": null })), only(&format!("{key}.rope_theta"), "null", bases));
    assert_eq!(of_full(json!(7)), only(key, "7", "an object with rope_type, rope_theta"));
    // Twelve values in four heads are three each, of which no pairs can be made.
    assert_eq!(with("num_attention_heads", json!(4)), only("hidden_size", "12", "multiples of twice num_attention_heads, 8"));
    assert_eq!(with("num_attention_heads", json!(0)), only("num_attention_heads", "0", "whole numbers from 1 to 1048576"));
}

#[test]
fn absent_keys_have_the_defaults_of_transformers() {
    let case = |name: &'static str, figures| Case { name, config: json!({ "model_type": name }), figures };
    check(vec![
        case("bert", [768, 12, 12, 3072, 30_522, 512, 2]),
        case("roberta", [768, 12, 12, 3072, 50_265, 510, 2]),
        case("xlm-roberta", [768, 12, 12, 3072, 30_522, 510, 2]),
        case("camembert", [768, 12, 12, 3072, 30_522, 510, 2]),
        case("ernie", [768, 12, 12, 3072, 30_522, 512, 2]),
        case("distilbert", [768, 6, 12, 3072, 30_522, 512, 0]),
        case("electra", [256, 12, 4, 1024, 30_522, 512, 2]),
        case("albert", [4096, 12, 64, 16_384, 30_000, 512, 2]),
        case("mpnet", [768, 12, 12, 3072, 30_527, 510, 0]),
        case("modernbert", [768, 22, 12, 1152, 50_368, 8192, 0]),
        case("deberta-v2", [1536, 24, 24, 6144, 128_100, 512, 0]),
    ]);
}

#[test]
fn sizes_of_distilbert_may_stand_under_their_usual_names_which_win() {
    let config = |further: Value| {
        let mut config = json!({ "model_type": "distilbert", "dim": 24, "n_heads": 2, "n_layers": 1, "hidden_dim": 48 });
        config.as_object_mut().unwrap().extend(further.as_object().unwrap().clone());
        config
    };
    check(vec![
        Case { name: "own names", config: config(json!({})), figures: [24, 1, 2, 48, 30_522, 512, 0] },
        Case {
            name: "both",
            config: config(json!({ "hidden_size": 36, "num_attention_heads": 3, "num_hidden_layers": 4 })),
            figures: [36, 4, 3, 48, 30_522, 512, 0],
        },
    ]);
}

/// What the configs of the base models of BERT's kin have in common on the hub.
fn base(further: Value) -> Value {
    let mut config = json!({
        "attention_probs_dropout_prob": 0.1, "hidden_act": "gelu", "hidden_dropout_prob": 0.1, "hidden_size": 768,
        "initializer_range": 0.02, "intermediate_size": 3072, "max_position_embeddings": 512, "num_attention_heads": 12,
        "num_hidden_layers": 12,
    });
    config.as_object_mut().unwrap().extend(further.as_object().unwrap().clone());
    config
}

/// The keys of a Chinese BERT, of which no program makes any use.
fn chinese(further: Value) -> Value {
    let mut config = base(json!({
        "architectures": ["BertForMaskedLM"], "directionality": "bidi", "layer_norm_eps": 1e-12,
        "model_type": "bert", "pad_token_id": 0, "pooler_fc_size": 768, "pooler_num_attention_heads": 12, "pooler_num_fc_layers": 3,
        "pooler_size_per_head": 128, "pooler_type": "first_token_transform", "type_vocab_size": 2, "vocab_size": 21_128,
    }));
    config.as_object_mut().unwrap().extend(further.as_object().unwrap().clone());
    config
}

/// The keys of the base models of RoBERTa and its kin.
fn roberta(further: Value) -> Value {
    let mut config = base(json!({
        "bos_token_id": 0, "eos_token_id": 2, "layer_norm_eps": 1e-5, "max_position_embeddings": 514, "pad_token_id": 1,
        "type_vocab_size": 1,
    }));
    config.as_object_mut().unwrap().extend(further.as_object().unwrap().clone());
    config
}

/// The keys of DeBERTa-v2 and v3 without the sizes, some of which no program makes any use of.
fn deberta(further: Value) -> Value {
    let mut config = base(json!({
        "layer_norm_eps": 1e-7, "max_relative_positions": -1, "model_type": "deberta-v2", "norm_rel_ebd": "layer_norm",
        "pos_att_type": "p2c|c2p", "position_biased_input": false, "position_buckets": 256, "relative_attention": true,
        "share_att_key": true, "type_vocab_size": 0, "vocab_size": 128_100,
    }));
    config.as_object_mut().unwrap().extend(further.as_object().unwrap().clone());
    config
}

#[test]
fn the_projected_head_of_deberta_wants_embeddings_as_wide_as_layers() {
    let told = refusal(&deberta(json!({ "embedding_size": 128, "legacy": false })));
    assert_eq!(told, only("embedding_size", "128", "only hidden_size, 768, where \"legacy\" is false"));
    let told = refusal(&deberta(json!({ "conv_kernel_size": 3, "conv_groups": 2 })));
    assert_eq!(told, only("conv_groups", "2", "only 1"));
}

#[test]
fn configs_as_they_stand_on_the_hub_are_read() {
    let case = |name, config, figures| Case { name, config, figures };
    check(vec![
        case("bert-base-chinese", chinese(json!({})), [768, 12, 12, 3072, 21_128, 512, 2]),
        case(
            "hfl/chinese-macbert-base",
            chinese(json!({ "gradient_checkpointing": false })),
            [768, 12, 12, 3072, 21_128, 512, 2],
        ),
        case(
            "hfl/chinese-roberta-wwm-ext",
            chinese(json!({ "bos_token_id": 0, "eos_token_id": 2, "output_past": true })),
            [768, 12, 12, 3072, 21_128, 512, 2],
        ),
        case(
            "roberta-base",
            roberta(json!({ "architectures": ["RobertaForMaskedLM"], "model_type": "roberta", "vocab_size": 50_265 })),
            [768, 12, 12, 3072, 50_265, 512, 1],
        ),
        case(
            "xlm-roberta-base",
            roberta(json!({
                "architectures": ["XLMRobertaForMaskedLM"], "model_type": "xlm-roberta", "output_past": true,
                "position_embedding_type": "absolute", "transformers_version": "4.17.0.dev0", "use_cache": true,
                "vocab_size": 250_002,
            })),
            [768, 12, 12, 3072, 250_002, 512, 1],
        ),
        case(
            "camembert-base",
            roberta(json!({
                "architectures": ["CamembertForMaskedLM"], "bos_token_id": 5, "eos_token_id": 6, "model_type": "camembert",
                "output_past": true, "vocab_size": 32_005,
            })),
            [768, 12, 12, 3072, 32_005, 512, 1],
        ),
        case(
            "ernie-3.0-base-zh",
            base(json!({
                "architectures": ["ErnieForMaskedLM"], "enable_recompute": false, "layer_norm_eps": 1e-5,
                "max_position_embeddings": 2048, "model_type": "ernie", "pad_token_id": 0, "task_type_vocab_size": 3,
                "type_vocab_size": 4, "use_task_id": true, "vocab_size": 40_000,
            })),
            [768, 12, 12, 3072, 40_000, 2048, 4],
        ),
        case(
            "distilbert-base-uncased",
            json!({
                "activation": "gelu", "architectures": ["DistilBertForMaskedLM"], "attention_dropout": 0.1, "dim": 768,
                "dropout": 0.1, "hidden_dim": 3072, "initializer_range": 0.02, "max_position_embeddings": 512,
                "model_type": "distilbert", "n_heads": 12, "n_layers": 6, "pad_token_id": 0, "qa_dropout": 0.1,
                "seq_classif_dropout": 0.2, "sinusoidal_pos_embds": false, "tie_weights_": true,
                "transformers_version": "4.10.0.dev0", "vocab_size": 30_522,
            }),
            [768, 6, 12, 3072, 30_522, 512, 0],
        ),
        case(
            "google/electra-small-discriminator",
            base(json!({
                "architectures": ["ElectraForPreTraining"], "embedding_size": 128, "hidden_size": 256, "intermediate_size": 1024,
                "layer_norm_eps": 1e-12, "model_type": "electra", "num_attention_heads": 4, "pad_token_id": 0,
                "summary_activation": "gelu", "summary_last_dropout": 0.1, "summary_type": "first", "summary_use_proj": true,
                "type_vocab_size": 2, "vocab_size": 30_522,
            })),
            [256, 12, 4, 1024, 30_522, 512, 2],
        ),
        case(
            "albert-base-v2",
            base(json!({
                "architectures": ["AlbertForMaskedLM"], "attention_probs_dropout_prob": 0, "bos_token_id": 2,
                "classifier_dropout_prob": 0.1, "down_scale_factor": 1, "embedding_size": 128, "eos_token_id": 3, "gap_size": 0,
                "hidden_act": "gelu_new", "hidden_dropout_prob": 0, "inner_group_num": 1, "layer_norm_eps": 1e-12,
                "model_type": "albert", "net_structure_type": 0, "num_hidden_groups": 1, "num_memory_blocks": 0, "pad_token_id": 0,
                "type_vocab_size": 2, "vocab_size": 30_000,
            })),
            [768, 12, 12, 3072, 30_000, 512, 2],
        ),
        case(
            "sentence-transformers/all-mpnet-base-v2",
            base(json!({
                "_name_or_path": "microsoft/mpnet-base", "architectures": ["MPNetForMaskedLM"], "bos_token_id": 0, "eos_token_id": 2,
                "layer_norm_eps": 1e-5, "max_position_embeddings": 514, "model_type": "mpnet", "pad_token_id": 1,
                "relative_attention_num_buckets": 32, "vocab_size": 30_527,
            })),
            [768, 12, 12, 3072, 30_527, 512, 0],
        ),
        case(
            "answerdotai/ModernBERT-base",
            json!({
                "architectures": ["ModernBertForMaskedLM"], "attention_bias": false, "attention_dropout": 0.0, "bos_token_id": 50_281,
                "classifier_activation": "gelu", "classifier_bias": false, "classifier_dropout": 0.0, "classifier_pooling": "mean",
                "cls_token_id": 50_281, "decoder_bias": true, "deterministic_flash_attn": false, "embedding_dropout": 0.0,
                "eos_token_id": 50_282, "global_attn_every_n_layers": 3, "global_rope_theta": 160_000.0,
                "gradient_checkpointing": false, "hidden_activation": "gelu", "hidden_size": 768, "initializer_cutoff_factor": 2.0,
                "initializer_range": 0.02, "intermediate_size": 1152, "layer_norm_eps": 1e-5, "local_attention": 128,
                "local_rope_theta": 10_000.0, "max_position_embeddings": 8192, "mlp_bias": false, "mlp_dropout": 0.0,
                "model_type": "modernbert", "norm_bias": false, "norm_eps": 1e-5, "num_attention_heads": 12,
                "num_hidden_layers": 22, "pad_token_id": 50_283, "position_embedding_type": "absolute", "sep_token_id": 50_282,
                "tie_word_embeddings": true, "torch_dtype": "float32", "transformers_version": "4.47.0.dev0", "vocab_size": 50_368,
            }),
            [768, 22, 12, 1152, 50_368, 8192, 0],
        ),
        case(
            "microsoft/deberta-v3-base",
            deberta(json!({ "pooler_dropout": 0, "pooler_hidden_act": "gelu", "pooler_hidden_size": 768 })),
            [768, 12, 12, 3072, 128_100, 0, 0],
        ),
        case(
            "microsoft/deberta-v2-xlarge",
            deberta(json!({
                "attention_head_size": 64, "conv_act": "gelu", "conv_kernel_size": 3, "hidden_size": 1536, "intermediate_size": 6144,
                "num_attention_heads": 24, "num_hidden_layers": 24,
            })),
            [1536, 24, 24, 6144, 128_100, 0, 0],
        ),
    ]);
}

#[test]
fn places_that_are_computed_end_where_the_config_says_so_or_nowhere() {
    for (longest, value) in [(None, Value::Null), (Some(77), json!(77))] {
        assert_eq!(lengths(Family::MarianSsru, "max_position_embeddings", value), [longest; 2]);
    }
}

/// The farthest distances share a bucket, and transformers reads any length whatever these keys say.
#[test]
fn a_model_that_knows_distances_alone_reads_any_length() {
    for family in [Family::T5, Family::Mt5] {
        assert_eq!(lengths(family, "n_positions", json!(77)), [None; 2], "{family:?}");
    }
}

/// The longest sequence of the encoder and of the decoder where the family's golden config has this value.
fn lengths(family: Family, key: &str, value: Value) -> [Option<usize>; 2] {
    let mut config = golden_config(family);
    config.insert(key.to_owned(), value);
    let facts = inspect(folder(&Value::Object(config)).path()).unwrap().facts;
    let decoder = facts.decoder.expect("a decoder");
    for (longest, known) in [(facts.longest(), facts.max_positions), (decoder.longest(), decoder.max_positions)] {
        assert_eq!(longest, known.unwrap_or(10_000_000), "{family:?}");
    }
    [facts.max_positions, decoder.max_positions]
}

#[test]
fn a_bert_may_have_no_padding() {
    let config = json!({ "model_type": "bert", "pad_token_id": null });
    check(vec![Case { name: "no padding", config, figures: [768, 12, 12, 3072, 30_522, 512, 2] }]);
}

#[test]
fn keys_that_no_model_has_are_told_and_those_that_transformers_writes_are_not() {
    // Every golden model is as transformers saves it.
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/families");
    for family in std::fs::read_dir(root).unwrap() {
        for head in std::fs::read_dir(family.unwrap().path()).unwrap() {
            let folder = head.unwrap().path().join("model");
            let model = graftling_models::Model::from_checkpoint(&folder).unwrap();
            assert!(model.unknown_config_keys().is_empty(), "{}: {:?}", folder.display(), model.unknown_config_keys());
        }
    }
    let golden = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/families/encoder-decoder/seq2seq/model");
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(golden.join("model.safetensors"), folder.path().join("model.safetensors")).unwrap();
    let mut config: Value = serde_json::from_slice(&std::fs::read(golden.join("config.json")).unwrap()).unwrap();
    config["use_moe"] = json!(true);
    config["decoder"]["attn_logit_softcapping"] = json!(50.0);
    std::fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
    let model = graftling_models::Model::from_checkpoint(folder.path()).unwrap();
    assert_eq!(model.unknown_config_keys(), ["attn_logit_softcapping", "use_moe"]);
}
