//! Sentence encoders of every family: saved under the names of the bare encoder, opened again, and refused where their modules say
//! something else.

use std::fs;
use std::path::{Path, PathBuf};

use graftling_models::{Head, Model, PackedBatch, Pooling};
use graftling_tensor::{Graph, Spans};
use serde_json::Value;

/// A folder with a tiny model of each family.
fn families() -> Vec<PathBuf> {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/families");
    let mut models: Vec<PathBuf> = fs::read_dir(golden)
        .unwrap()
        .map(|entry| entry.unwrap().path().join("tokens/model"))
        .filter(|path| path.is_dir())
        .collect();
    models.sort();
    models
}

fn batch() -> PackedBatch {
    PackedBatch {
        input_ids: vec![5, 6, 7, 8, 9, 5, 10],
        token_type_ids: vec![0; 7],
        spans: Spans::from_lengths([5, 2]),
        wanted: None,
    }
}

fn vectors(model: &Model) -> Vec<f32> {
    let vectors = model.forward(&Graph::inference(&model.parameters), &batch());
    assert_eq!(vectors.tensor().shape(), [2, model.facts().hidden_size]);
    vectors.tensor().to_vec()
}

#[test]
fn every_family_is_saved_as_its_bare_encoder_and_opens_as_it_was() {
    let models = families();
    assert!(models.len() >= 8, "{models:?}");
    for folder in models {
        let mut seen = Vec::new();
        for (pooling, normalize) in [(Pooling::Mean, true), (Pooling::Cls, false), (Pooling::Max, false)] {
            let head = Head::SentenceEmbedding { pooling, normalize };
            let (model, _) = Model::from_pretrained(&folder, head.clone(), 1).unwrap();
            let output = tempfile::tempdir().unwrap();
            model.save(output.path()).unwrap();
            let again = Model::from_checkpoint(output.path()).unwrap();
            assert_eq!(again.head(), &head, "{}", folder.display());
            assert_eq!(vectors(&again), vectors(&model), "{}", folder.display());
            seen.push(vectors(&model));
            let config: Value = serde_json::from_slice(&fs::read(output.path().join("config.json")).unwrap()).unwrap();
            let class = config["architectures"][0].as_str().unwrap();
            assert!(class.ends_with("Model") && !class.contains("For"), "{class}");
            let bytes = fs::read(output.path().join("model.safetensors")).unwrap();
            let saved = safetensors::SafeTensors::deserialize(&bytes).unwrap();
            let bare = |name: &&str| {
                let encoders =
                    ["embeddings.", "encoder.", "transformer.", "layers.", "pooler.", "final_norm.", "embeddings_project"];
                let decoders = ["h.", "wte.", "wpe.", "ln_f.", "embed_tokens.", "layers.", "norm."];
                encoders.iter().chain(&decoders).any(|start| name.starts_with(start))
            };
            assert!(saved.names().iter().all(bare), "{}: {:?}", folder.display(), saved.names());
            for id in model.parameters.ids() {
                let name = model.parameters.name(id);
                assert_eq!(model.is_used(id), !name.starts_with("pooler."), "{}: {name}", folder.display());
            }
        }
        assert!(seen[0] != seen[1] && seen[0] != seen[2] && seen[1] != seen[2], "{}", folder.display());
    }
}

#[test]
fn modules_of_other_kinds_are_refused_and_other_spellings_read() {
    let (model, _) =
        Model::from_pretrained(&families()[0], Head::SentenceEmbedding { pooling: Pooling::Mean, normalize: true }, 1).unwrap();
    let folder = tempfile::tempdir().unwrap();
    model.save(folder.path()).unwrap();
    let width = model.facts().hidden_size;
    let modules = |types: &[&str], path: &str| {
        let module = |(index, class): (usize, &&str)| {
            let path = if index == 1 { path } else { "" };
            format!(r#"{{"idx": {index}, "name": "{index}", "path": "{path}", "type": "{class}"}}"#)
        };
        let text = types.iter().enumerate().map(module).collect::<Vec<_>>().join(", ");
        fs::write(folder.path().join("modules.json"), format!("[{text}]")).unwrap();
    };
    let pooling = |text: String| fs::write(folder.path().join("1_Pooling/config.json"), text).unwrap();
    let opened = || Model::from_checkpoint(folder.path()).map(|model| model.head().clone()).map_err(|error| error.to_string());
    let new = [
        "sentence_transformers.base.modules.transformer.Transformer",
        "sentence_transformers.sentence_transformer.modules.pooling.Pooling",
    ];
    modules(&new, "1_Pooling");
    pooling(format!(r#"{{"embedding_dimension": {width}, "pooling_mode": "max", "include_prompt": true}}"#));
    assert_eq!(opened(), Ok(Head::SentenceEmbedding { pooling: Pooling::Max, normalize: false }));
    for (text, told) in [
        (r#"{"pooling_mode": "lasttoken"}"#.to_owned(), "pooling_mode is \"lasttoken\"; accepted is one of mean, cls, max"),
        (r#"{"pooling_mode": ["mean", "max"]}"#.to_owned(), "pooling_mode is [\"mean\",\"max\"]"),
        (
            r#"{"pooling_mode_mean_tokens": true, "pooling_mode_cls_token": true}"#.to_owned(),
            "pooling_mode_cls_token, pooling_mode_mean_tokens",
        ),
        ("{}".to_owned(), "pooling_mode is not there"),
        (format!(r#"{{"pooling_mode": "mean", "embedding_dimension": {}}}"#, width + 1), "accepted is the width of the encoder"),
        (r#"{"pooling_mode": "mean", "include_prompt": false}"#.to_owned(), "include_prompt is false"),
        ("[".to_owned(), "1_Pooling"),
    ] {
        pooling(text.clone());
        let error = opened().unwrap_err();
        assert!(error.contains(told), "{text}: {error}");
    }
    pooling(r#"{"pooling_mode": "mean"}"#.to_owned());
    for path in ["../1_Pooling", "/tmp", ""] {
        modules(&new, path);
        assert!(opened().is_err(), "{path}");
    }
    modules(&[new[0], new[1], "sentence_transformers.models.Dense"], "1_Pooling");
    assert!(opened().unwrap_err().contains("models.Dense; accepted is Transformer, Pooling, and then Normalize or nothing"));
}
