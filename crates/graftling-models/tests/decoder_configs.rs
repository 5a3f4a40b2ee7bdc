//! Which configs of decoders are read, and which are refused because they ask for another model than the one that is computed.

mod configs;
mod tiny_checkpoint;

use configs::{Case, check, golden_config, only, refusal};
use graftling_models::Family;
use serde_json::{Value, json};

#[test]
fn what_would_be_another_decoder_is_refused() {
    const SIZE: &str = "whole numbers from 1 to 1048576";
    let cases = [
        (Family::Gpt2, "tie_word_embeddings", json!(false), "only true"),
        (Family::Gpt2, "scale_attn_weights", json!(1), "true, false"),
        (Family::Gpt2, "scale_attn_by_inverse_layer_idx", Value::Null, "true, false"),
        (Family::Gpt2, "activation_function", json!("mish"), "gelu, "),
        (Family::Gpt2, "n_inner", json!(0), SIZE),
        (Family::Gpt2, "n_head", json!(5), "multiples of n_head, 5"),
        (Family::Llama, "pretraining_tp", json!(2), "only 1"),
        (Family::Llama, "attention_bias", Value::Null, "true, false"),
        (Family::Llama, "head_dim", json!(5), "even numbers"),
        (Family::Llama, "num_key_value_heads", json!(0), SIZE),
        (Family::Llama, "num_key_value_heads", json!(3), "multiples of num_key_value_heads, 3"),
        (Family::Llama, "tie_word_embeddings", json!("no"), "true, false"),
        (Family::Llama, "partial_rotary_factor", json!(0.5), "only 1.0"),
        (Family::Llama, "attention_dropout", json!(1.0), "numbers from 0 to below 1"),
        (Family::Mistral, "layer_types", json!(["full_attention", "full_attention"]), "only none"),
        (Family::Mistral, "sliding_window", json!(0), "whole numbers from 1 to 10000000"),
        (Family::Qwen2, "max_window_layers", json!(-1), "whole numbers from 0 to 1024"),
        (Family::Qwen2, "use_sliding_window", json!(1), "true, false"),
        (Family::Qwen3, "layer_types", json!(["full"]), "one of full_attention, sliding_attention for each of 2 layers"),
    ];
    let mut failures = Vec::new();
    for (family, key, value, accepted) in cases {
        let mut config = golden_config(family);
        config.insert(key.to_owned(), value.clone());
        let told = refusal(&Value::Object(config));
        let expected = match accepted.strip_prefix("multiples of ") {
            Some(of) if of.starts_with("n_head") => only("n_embd", "12", accepted),
            Some(_) => only("num_attention_heads", "4", accepted),
            None => only(key, &value.to_string(), accepted),
        };
        if told != expected && !(accepted.ends_with(", ") && told.starts_with(&expected)) {
            failures.push(format!("{}: {told}\ninstead of\n{expected}", family.model_type()));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn scalings_of_rotary_positions_are_read_by_their_keys() {
    let with = |key: &str, value: Value| {
        let mut config = golden_config(Family::Llama);
        config.insert(key.to_owned(), value);
        refusal(&Value::Object(config))
    };
    let of = |value: Value| with("rope_parameters", value);
    let kinds = "default, dynamic, linear, llama3, yarn";
    assert_eq!(of(json!({ "rope_type": "proportional" })), only("rope_parameters.rope_type", "\"proportional\"", kinds));
    assert_eq!(with("rope_scaling", json!({ "type": "longrope" })), only("rope_scaling.type", "\"longrope\"", kinds));
    let factors = "numbers from 1 to 1000000";
    assert_eq!(of(json!({ "rope_type": "dynamic" })), only("rope_parameters.factor", "absent", factors));
    assert_eq!(of(json!({ "rope_type": "linear" })), only("rope_parameters.factor", "absent", factors));
    assert_eq!(of(json!({ "rope_type": "linear", "factor": 0.5 })), only("rope_parameters.factor", "0.5", factors));
    assert_eq!(
        of(json!({ "rope_type": "yarn", "factor": 2.0 })),
        only("rope_parameters.original_max_position_embeddings", "absent", "whole numbers from 1 to 10000000")
    );
    let llama3 = json!({
        "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 4.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192,
    });
    assert_eq!(of(llama3), only("rope_parameters.high_freq_factor", "4", "numbers above low_freq_factor, 4"));
    assert_eq!(of(json!({ "rope_theta": 0 })), only("rope_parameters.rope_theta", "0", "numbers from 1 to 1000000000000"));
    assert!(of(json!({ "long_factor": [1.0] })).contains("an object with rope_type, type, rope_theta, factor"));
    assert_eq!(of(json!({ "partial_rotary_factor": 0.5 })), only("rope_parameters.partial_rotary_factor", "0.5", "only 1.0"));
}

#[test]
fn absent_keys_have_the_defaults_of_transformers() {
    let case = |name: &'static str, figures| Case { name, config: json!({ "model_type": name }), figures };
    check(vec![
        case("gpt2", [768, 12, 12, 3072, 50_257, 1024, 0]),
        case("llama", [4096, 32, 32, 11_008, 32_000, 2048, 0]),
        case("mistral", [4096, 32, 32, 14_336, 32_000, 131_072, 0]),
        case("qwen2", [4096, 32, 32, 22_016, 151_936, 32_768, 0]),
        case("qwen3", [4096, 32, 32, 22_016, 151_936, 32_768, 0]),
    ]);
}

#[test]
fn configs_as_they_stand_on_the_hub_are_read() {
    let case = |name, config, figures| Case { name, config, figures };
    check(vec![
        case(
            "openai-community/gpt2",
            json!({
                "activation_function": "gelu_new", "architectures": ["GPT2LMHeadModel"], "attn_pdrop": 0.1, "bos_token_id": 50256,
                "embd_pdrop": 0.1, "eos_token_id": 50256, "initializer_range": 0.02, "layer_norm_epsilon": 1e-5, "model_type": "gpt2",
                "n_ctx": 1024, "n_embd": 768, "n_head": 12, "n_layer": 12, "n_positions": 1024, "resid_pdrop": 0.1,
                "summary_activation": null, "summary_first_dropout": 0.1, "summary_proj_to_labels": true, "summary_type": "cls_index",
                "summary_use_proj": true, "task_specific_params": { "text-generation": { "do_sample": true, "max_length": 50 } },
                "vocab_size": 50257,
            }),
            [768, 12, 12, 3072, 50_257, 1024, 0],
        ),
        case(
            "HuggingFaceTB/SmolLM2-135M",
            json!({
                "architectures": ["LlamaForCausalLM"], "attention_bias": false, "attention_dropout": 0.0, "bos_token_id": 0,
                "eos_token_id": 0, "hidden_act": "silu", "hidden_size": 576, "initializer_range": 0.041666666666666664,
                "intermediate_size": 1536, "is_llama_config": true, "max_position_embeddings": 8192, "model_type": "llama",
                "num_attention_heads": 9, "num_hidden_layers": 30, "num_key_value_heads": 3, "pretraining_tp": 1, "rms_norm_eps": 1e-5,
                "rope_interleaved": false, "rope_scaling": null, "rope_theta": 100000, "tie_word_embeddings": true,
                "torch_dtype": "bfloat16", "use_cache": true, "vocab_size": 49152,
            }),
            [576, 30, 9, 1536, 49_152, 8192, 0],
        ),
        case(
            "meta-llama/Llama-3.2-1B",
            json!({
                "architectures": ["LlamaForCausalLM"], "attention_bias": false, "attention_dropout": 0.0, "bos_token_id": 128000,
                "eos_token_id": 128001, "head_dim": 64, "hidden_act": "silu", "hidden_size": 2048, "initializer_range": 0.02,
                "intermediate_size": 8192, "max_position_embeddings": 131072, "mlp_bias": false, "model_type": "llama",
                "num_attention_heads": 32, "num_hidden_layers": 16, "num_key_value_heads": 8, "pretraining_tp": 1, "rms_norm_eps": 1e-5,
                "rope_scaling": {
                    "factor": 32.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0, "original_max_position_embeddings": 8192,
                    "rope_type": "llama3",
                },
                "rope_theta": 500000.0, "tie_word_embeddings": true, "vocab_size": 128256,
            }),
            [2048, 16, 32, 8192, 128_256, 131_072, 0],
        ),
        case(
            "mistralai/Mistral-7B-v0.1",
            json!({
                "architectures": ["MistralForCausalLM"], "hidden_act": "silu", "hidden_size": 4096, "intermediate_size": 14336,
                "max_position_embeddings": 32768, "model_type": "mistral", "num_attention_heads": 32, "num_hidden_layers": 32,
                "num_key_value_heads": 8, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "sliding_window": 4096,
                "tie_word_embeddings": false, "vocab_size": 32000,
            }),
            [4096, 32, 32, 14_336, 32_000, 32_768, 0],
        ),
        case(
            "Qwen/Qwen2.5-0.5B",
            json!({
                "architectures": ["Qwen2ForCausalLM"], "attention_dropout": 0.0, "hidden_act": "silu", "hidden_size": 896,
                "intermediate_size": 4864, "max_position_embeddings": 32768, "max_window_layers": 24, "model_type": "qwen2",
                "num_attention_heads": 14, "num_hidden_layers": 24, "num_key_value_heads": 2, "rms_norm_eps": 1e-6,
                "rope_theta": 1000000.0, "sliding_window": 32768, "tie_word_embeddings": true, "use_mrope": false,
                "use_sliding_window": false, "vocab_size": 151936,
            }),
            [896, 24, 14, 4864, 151_936, 32_768, 0],
        ),
        case(
            "Qwen/Qwen3-0.6B",
            json!({
                "architectures": ["Qwen3ForCausalLM"], "attention_bias": false, "head_dim": 128, "hidden_act": "silu", "hidden_size": 1024,
                "intermediate_size": 3072, "max_position_embeddings": 40960, "max_window_layers": 28, "model_type": "qwen3",
                "num_attention_heads": 16, "num_hidden_layers": 28, "num_key_value_heads": 8, "rms_norm_eps": 1e-6,
                "rope_scaling": null, "rope_theta": 1000000, "sliding_window": null, "tie_word_embeddings": true,
                "use_sliding_window": false, "vocab_size": 151936,
            }),
            [1024, 28, 16, 3072, 151_936, 40_960, 0],
        ),
    ]);
}
