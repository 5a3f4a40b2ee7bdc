//! Which weights a checkpoint may have, must have, and what is said where it has others.

mod tiny_checkpoint;

use std::fs;

use graftling_models::{Depth, Head, Model, inspect};
use serde_json::json;
use tiny_checkpoint::{Checkpoint, Weight, labels, refusal, refusal_of_classifier, safetensors, told};

struct Case {
    what: &'static str,
    change: fn(&mut Checkpoint),
    told: &'static str,
}

const STRICTNESS: &[Case] = &[
    Case { what: "nothing changed", change: |_| (), told: "no error" },
    Case {
        what: "a weight missing",
        change: |checkpoint| checkpoint.remove("encoder.layer.1.output.dense.bias"),
        told: "FOLDER/model.safetensors: the weights do not fit config.json; 40 of 41 do: missing weight \
               \"encoder.layer.1.output.dense.bias\" (shape [2])",
    },
    Case {
        what: "a weight too many",
        change: |checkpoint| checkpoint.weights.push(Weight::f32("encoder.layer.2.output.dense.bias", &[2])),
        told: "FOLDER/model.safetensors: the weights do not fit config.json; 41 of 41 do: unexpected weight \
               \"encoder.layer.2.output.dense.bias\" (shape [2])",
    },
    Case {
        what: "a layer number written in another way",
        change: |checkpoint| {
            checkpoint.weight("encoder.layer.1.output.dense.bias").name = "encoder.layer.01.output.dense.bias".into()
        },
        told: "FOLDER/model.safetensors: the weights do not fit config.json; 40 of 41 do:\n  \
               unexpected weight \"encoder.layer.01.output.dense.bias\" (shape [2])\n  \
               missing weight \"encoder.layer.1.output.dense.bias\" (shape [2])",
    },
    Case {
        what: "another shape",
        change: |checkpoint| checkpoint.weight("embeddings.word_embeddings.weight").shape = vec![2, 5],
        told: "FOLDER/model.safetensors: the weights do not fit config.json; 40 of 41 do: weight \
               \"embeddings.word_embeddings.weight\" has shape [2, 5], but the config asks for [5, 2]",
    },
    Case {
        what: "another kind of values",
        change: |checkpoint| checkpoint.weight("pooler.dense.bias").dtype = "I32",
        told: "FOLDER/model.safetensors: the weights do not fit config.json; 40 of 41 do: weight \"pooler.dense.bias\" holds I32; \
               accepted: F32, F16, BF16",
    },
    Case {
        what: "two weights for one parameter",
        change: |checkpoint| checkpoint.weights.push(Weight::f32("bert.embeddings.LayerNorm.gamma", &[2])),
        told: "FOLDER/model.safetensors: the weights do not fit config.json; 41 of 41 do: weights \
               \"embeddings.LayerNorm.weight\" and \"bert.embeddings.LayerNorm.gamma\" are for the same parameter",
    },
    Case {
        what: "half a pooler",
        change: |checkpoint| checkpoint.remove("pooler.dense.bias"),
        told: "FOLDER/model.safetensors: the weights do not fit config.json; 40 of 41 do: missing weight \"pooler.dense.bias\" \
               (shape [2])",
    },
    Case {
        what: "values that are not finite",
        change: |checkpoint| {
            checkpoint.weight("pooler.dense.bias").bytes[4..].copy_from_slice(&f32::NAN.to_le_bytes());
            checkpoint.weight("embeddings.LayerNorm.bias").bytes[..4].copy_from_slice(&f32::NEG_INFINITY.to_le_bytes());
        },
        told: "FOLDER/model.safetensors: the weights do not fit config.json; 39 of 41 do:\n  \
               weight \"embeddings.LayerNorm.bias\" holds -inf at place 0; only finite numbers can be used\n  \
               weight \"pooler.dense.bias\" holds NaN at place 1; only finite numbers can be used",
    },
    Case {
        what: "everything at once",
        change: |checkpoint| {
            checkpoint.remove("encoder.layer.0.attention.self.key.weight");
            checkpoint.weights.push(Weight::f32("lm_head.weight", &[5, 2]));
            checkpoint.weight("pooler.dense.bias").shape = vec![1, 2];
            checkpoint.weight("embeddings.LayerNorm.bias").dtype = "U32";
        },
        told: "FOLDER/model.safetensors: the weights do not fit config.json; 38 of 41 do:\n  \
               unexpected weight \"lm_head.weight\" (shape [5, 2])\n  \
               weight \"embeddings.LayerNorm.bias\" holds U32; accepted: F32, F16, BF16\n  \
               missing weight \"encoder.layer.0.attention.self.key.weight\" (shape [2, 2])\n  \
               weight \"pooler.dense.bias\" has shape [1, 2], but the config asks for [2]",
    },
];

#[test]
fn every_weight_that_does_not_fit_is_told() {
    let failures: Vec<String> = STRICTNESS
        .iter()
        .filter_map(|case| {
            let mut checkpoint = Checkpoint::backbone(2);
            (case.change)(&mut checkpoint);
            let told = refusal(checkpoint.write().path());
            (told != case.told).then(|| format!("{}:\n{told}\ninstead of\n{}", case.what, case.told))
        })
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn a_fine_tuned_classifier_must_be_complete() {
    let whole = || Checkpoint::classifier(1, &["no", "yes"]);
    assert_eq!(refusal_of_classifier(whole().write().path()), "no error");
    for (name, shape) in [("bert.pooler.dense.weight", "[2, 2]"), ("classifier.bias", "[2]")] {
        let mut checkpoint = whole();
        checkpoint.remove(name);
        let told = format!(
            "FOLDER/model.safetensors: the weights do not fit config.json; 24 of 25 do: missing weight \"{name}\" (shape {shape})"
        );
        assert_eq!(refusal_of_classifier(checkpoint.write().path()), told);
    }
}

#[test]
fn names_with_and_without_prefix_and_of_tensorflow_mean_the_same() {
    let plain = Checkpoint::backbone(2);
    let mut prefixed = Checkpoint::backbone(2);
    let mut old = Checkpoint::backbone(2);
    for weight in &mut prefixed.weights {
        weight.name = format!("bert.{}", weight.name);
    }
    for weight in &mut old.weights {
        weight.name = weight.name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta");
    }
    let [first, others @ ..] = [plain, prefixed, old].map(|checkpoint| {
        let (model, report) =
            Model::from_pretrained(checkpoint.write().path(), Head::single_label(&labels(&["a", "b", "c"])), 5).unwrap();
        assert_eq!(report.new_parameters, ["classifier.weight", "classifier.bias"]);
        assert_eq!((report.ignored.len(), report.dtypes), (0, vec!["F32".to_owned()]));
        let named = |id| (model.parameters.name(id).to_owned(), model.parameters.values(id).to_vec());
        model.parameters.ids().map(named).collect::<Vec<_>>()
    });
    assert!(others.iter().all(|other| *other == first));
}

#[test]
fn a_broken_weight_that_several_parameters_begin_as_is_told_once() {
    let mut checkpoint = Checkpoint::backbone(1);
    for name in ["embeddings.word_embeddings.weight", "encoder.layer.0.output.dense.bias"] {
        checkpoint.weight(name).bytes[4..8].copy_from_slice(&f32::NAN.to_le_bytes());
    }
    let folder = checkpoint.write();
    let told = told(folder.path(), Model::from_pretrained(folder.path(), Head::SequenceToSequence, 1).map(drop));
    let expected = "FOLDER/model.safetensors: the weights do not fit config.json; 55 of 59 do:\n  \
         weight \"embeddings.word_embeddings.weight\" holds NaN at place 1; only finite numbers can be used\n  \
         weight \"encoder.layer.0.output.dense.bias\" holds NaN at place 1; only finite numbers can be used";
    assert_eq!(told, expected);
}

#[test]
fn the_names_of_parameters_are_those_that_recipes_select_by() {
    let (model, _) =
        Model::from_pretrained(Checkpoint::backbone(1).write().path(), Head::single_label(&labels(&["a", "b"])), 5).unwrap();
    let names: Vec<&str> = model.parameters.ids().map(|id| model.parameters.name(id)).collect();
    let expected = "embeddings.word.weight embeddings.position.weight embeddings.token_type.weight embeddings.norm.weight \
        embeddings.norm.bias encoder.layers.0.attention.query.weight encoder.layers.0.attention.query.bias \
        encoder.layers.0.attention.key.weight encoder.layers.0.attention.key.bias encoder.layers.0.attention.value.weight \
        encoder.layers.0.attention.value.bias encoder.layers.0.attention.output.weight encoder.layers.0.attention.output.bias \
        encoder.layers.0.attention.norm.weight encoder.layers.0.attention.norm.bias encoder.layers.0.feed_forward.up.weight \
        encoder.layers.0.feed_forward.up.bias encoder.layers.0.feed_forward.down.weight encoder.layers.0.feed_forward.down.bias \
        encoder.layers.0.feed_forward.norm.weight encoder.layers.0.feed_forward.norm.bias pooler.dense.weight pooler.dense.bias \
        classifier.weight classifier.bias";
    assert_eq!(names.join(" "), expected);
    let depth = |name: &str| model.depth(model.parameters.find(name).unwrap());
    assert_eq!(depth("embeddings.norm.bias"), Depth::Embeddings);
    assert_eq!(depth("encoder.layers.0.feed_forward.norm.bias"), Depth::Layer(0));
    assert_eq!((depth("pooler.dense.weight"), depth("classifier.bias")), (Depth::Head, Depth::Head));
}

#[test]
fn weights_on_the_allow_list_are_left_out_and_told() {
    let mut checkpoint = Checkpoint::backbone(1);
    let ids = (0..4_i64).flat_map(i64::to_le_bytes).collect();
    checkpoint.weights.push(Weight::of_dtype("embeddings.position_ids", "I64", &[1, 4], ids));
    checkpoint.weights.push(Weight::f32("cls.predictions.bias", &[5]));
    checkpoint.weights.push(Weight::f32("cls.seq_relationship.weight", &[2, 2]));
    let (_, report) = Model::from_pretrained(checkpoint.write().path(), Head::single_label(&labels(&["a", "b"])), 5).unwrap();
    let ignored: Vec<_> = report.ignored.iter().map(|weight| (&*weight.name, weight.reason)).collect();
    let expected = [
        ("embeddings.position_ids", "a list of 0, 1, 2 ... that is counted anew"),
        ("cls.predictions.bias", "the head of masked language modelling"),
        ("cls.seq_relationship.weight", "the head of next sentence prediction"),
    ];
    assert_eq!(ignored, expected);
}

#[test]
fn an_encoder_without_pooler_gets_a_new_one() {
    let mut checkpoint = Checkpoint::backbone(1);
    checkpoint.remove("pooler.dense.weight");
    checkpoint.remove("pooler.dense.bias");
    checkpoint.set("initializer_range", json!(0.5));
    let folder = checkpoint.write();
    let load = |seed| Model::from_pretrained(folder.path(), Head::single_label(&labels(&["a", "b", "c"])), seed).unwrap();
    let (model, report) = load(5);
    assert_eq!(report.new_parameters, ["pooler.dense.weight", "pooler.dense.bias", "classifier.weight", "classifier.bias"]);
    let values = |model: &Model, name: &str| model.parameters.values(model.parameters.find(name).unwrap()).to_vec();
    assert_eq!((values(&model, "pooler.dense.bias"), values(&model, "classifier.bias")), (vec![0.0; 2], vec![0.0; 3]));
    let drawn = values(&model, "classifier.weight");
    assert!(drawn.iter().all(|value| *value != 0.0 && value.abs() < 2.5), "{drawn:?}");
    assert_eq!(drawn, values(&load(5).0, "classifier.weight"));
    assert_ne!(drawn, values(&load(6).0, "classifier.weight"));
}

#[test]
fn a_stored_head_is_kept_for_exactly_its_labels() {
    let folder = Checkpoint::classifier(1, &["no", "yes"]).write();
    let cases: [(&[&str], usize); 4] =
        [(&["no", "yes"], 0), (&["yes", "no"], 2), (&["no", "maybe"], 2), (&["no", "maybe", "yes"], 2)];
    for (names, new) in cases {
        let (model, report) = Model::from_pretrained(folder.path(), Head::single_label(&labels(names)), 5).unwrap();
        assert_eq!((report.new_parameters.len(), report.ignored.len()), (new, new), "{names:?}");
        assert_eq!(model.labels(), names);
        if new > 0 {
            assert_eq!(report.ignored[0].reason, "the head of other labels, replaced by a new one");
        }
    }
}

#[test]
fn half_precision_is_read_as_what_it_means() {
    let mut checkpoint = Checkpoint::backbone(1);
    let bytes = [0x3C00_u16, 0xC100].into_iter().flat_map(u16::to_le_bytes).collect();
    *checkpoint.weight("pooler.dense.bias") = Weight::of_dtype("pooler.dense.bias", "F16", &[2], bytes);
    let bytes = [0x3F80_u16, 0xC020].into_iter().flat_map(u16::to_le_bytes).collect();
    *checkpoint.weight("embeddings.LayerNorm.bias") = Weight::of_dtype("embeddings.LayerNorm.bias", "BF16", &[2], bytes);
    let (model, report) = Model::from_pretrained(checkpoint.write().path(), Head::single_label(&labels(&["a", "b"])), 5).unwrap();
    let values = |name: &str| model.parameters.values(model.parameters.find(name).unwrap());
    assert_eq!((values("pooler.dense.bias"), values("embeddings.norm.bias")), (&[1.0, -2.5][..], &[1.0, -2.5][..]));
    assert_eq!(report.dtypes, ["BF16", "F16", "F32"]);
}

#[test]
fn shards_are_read_as_one() {
    let checkpoint = Checkpoint::classifier(2, &["no", "yes"]);
    let whole = Model::from_checkpoint(checkpoint.write().path()).unwrap();
    let folder = checkpoint.write_config();
    let index = write_shards(&checkpoint, folder.path());
    fs::write(folder.path().join("model.safetensors.index.json"), index.to_string()).unwrap();
    let sharded = Model::from_checkpoint(folder.path()).unwrap();
    assert!(whole.parameters.ids().all(|id| whole.parameters.values(id) == sharded.parameters.values(id)));
    assert_eq!(inspect(folder.path()).unwrap().tensors.len(), checkpoint.weights.len());
}

#[test]
fn an_index_that_does_not_fit_its_shards_is_refused() {
    let cases: [(&str, serde_json::Value, &str); 4] = [
        (
            "bert.pooler.dense.weight",
            json!("b.safetensors"),
            "FOLDER/model.safetensors.index.json: the weights do not fit config.json; 25 of 25 do:\n  \
             weight \"bert.pooler.dense.weight\" is in a.safetensors, but the index does not say so\n  \
             weight \"bert.pooler.dense.weight\" is not in b.safetensors, where the index says it is",
        ),
        (
            "more.weight",
            json!("b.safetensors"),
            "FOLDER/model.safetensors.index.json: the weights do not fit config.json; 25 of 25 do: weight \"more.weight\" is not in \
             b.safetensors, where the index says it is",
        ),
        (
            "more.weight",
            json!("../b.safetensors"),
            "FOLDER/model.safetensors.index.json: the weights do not fit config.json; 0 of 26 do: weight \"more.weight\" is said to \
             be in \"../b.safetensors\"; accepted: names of .safetensors files in the same folder",
        ),
        ("more.weight", json!("c.safetensors"), "FOLDER/c.safetensors: cannot be read: No such file or directory (os error 2)"),
    ];
    for (name, file, told) in cases {
        let checkpoint = Checkpoint::classifier(1, &["no", "yes"]);
        let folder = checkpoint.write_config();
        let mut index = write_shards(&checkpoint, folder.path());
        index["weight_map"][name] = file;
        fs::write(folder.path().join("model.safetensors.index.json"), index.to_string()).unwrap();
        assert_eq!(refusal_of_classifier(folder.path()), told);
    }
}

/// Writes the weights in turn into two files and gives their index.
fn write_shards(checkpoint: &Checkpoint, folder: &std::path::Path) -> serde_json::Value {
    let mut shards = [("a.safetensors", Vec::new()), ("b.safetensors", Vec::new())];
    let mut weight_map = serde_json::Map::new();
    for (place, weight) in checkpoint.weights.iter().enumerate() {
        let (file, weights) = &mut shards[(place + 1) % 2];
        weight_map.insert(weight.name.clone(), json!(file));
        weights.push(weight.clone());
    }
    for (file, weights) in shards {
        fs::write(folder.join(file), safetensors(&weights)).unwrap();
    }
    json!({ "metadata": { "total_size": 1 }, "weight_map": weight_map })
}

#[test]
fn folders_without_weights_say_what_to_do() {
    let folder = Checkpoint::backbone(1).write_config();
    let missing = folder.path().join("missing");
    assert_eq!(
        refusal(&missing).replace(&*folder.path().to_string_lossy(), ""),
        "FOLDER: no such folder; a model is a folder with config.json and model.safetensors"
    );
    let none = "FOLDER: no weights here: neither model.safetensors nor model.safetensors.index.json";
    assert_eq!(refusal(folder.path()), none);
    fs::write(folder.path().join("pytorch_model.bin"), "PK").unwrap();
    assert_eq!(
        refusal(folder.path()),
        "FOLDER: pytorch_model.bin is a pickle, which can run code when it is opened, and there is no model.safetensors; convert it \
         where you trust it: python3 -c \"from transformers import AutoModel as M; M.from_pretrained('.').save_pretrained('.')\" in \
         that folder (AutoModelForSequenceClassification for a fine-tuned classifier)"
    );
    fs::remove_file(folder.path().join("config.json")).unwrap();
    let none = "FOLDER: no config.json here; a model is a folder with config.json and model.safetensors";
    assert_eq!(refusal(folder.path()), none);
}

#[test]
fn inspection_reads_headers_only() {
    let mut checkpoint = Checkpoint::classifier(1, &["no", "yes"]);
    checkpoint.weight("classifier.bias").bytes.copy_from_slice(&[0xFF; 8]);
    let inspection = inspect(checkpoint.write().path()).unwrap();
    assert_eq!(inspection.head, Some(Head::single_label(&labels(&["no", "yes"]))));
    assert_eq!(inspection.facts.parameter_count, 87);
    assert_eq!(
        (inspection.facts.family, inspection.facts.max_positions, inspection.facts.num_hidden_layers),
        ("bert", Some(4), 1)
    );
    let last = inspection.tensors.last().unwrap();
    assert_eq!((&*last.name, &last.parameters[..]), ("classifier.bias", &["classifier.bias".to_owned()][..]));
    assert_eq!((&*last.dtype, &last.shape[..], last.size_bytes, &*last.file), ("F32", &[2][..], 8, "model.safetensors"));
}
