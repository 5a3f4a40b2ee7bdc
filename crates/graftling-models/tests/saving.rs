//! What a saved folder holds: the names and keys that transformers expects, whole or as it was before.

mod tiny_checkpoint;

use std::collections::BTreeMap;
use std::fs;

use graftling_models::{Head, Model, inspect};
use serde_json::{Value, json};
use tiny_checkpoint::{Checkpoint, labels, told};

#[test]
fn a_saved_model_has_the_names_and_values_it_was_loaded_with() {
    let checkpoint = Checkpoint::classifier(2, &["no", "yes"]);
    let output = tempfile::tempdir().unwrap();
    let folder = output.path().join("new").join("run");
    Model::from_checkpoint(checkpoint.write().path()).unwrap().save(&folder).unwrap();
    let bytes = fs::read(folder.join("model.safetensors")).unwrap();
    let saved = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let saved: BTreeMap<String, (Vec<usize>, Vec<u8>)> =
        saved.iter().map(|(name, view)| (name.to_owned(), (view.shape().to_vec(), view.data().to_vec()))).collect();
    let expected = checkpoint.weights.iter().map(|weight| (weight.name.clone(), (weight.shape.clone(), weight.bytes.clone())));
    assert_eq!(saved, expected.collect());
    let (_, metadata) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
    assert_eq!(metadata.metadata().as_ref().unwrap()["format"], "pt");
    let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    files.sort();
    assert_eq!(files, ["config.json", "model.safetensors"]);
}

#[test]
fn a_saved_model_loads_as_what_it_was() {
    let source = Checkpoint::backbone(1).write();
    let (mut model, _) = Model::from_pretrained(source.path(), Head::single_label(&labels(&["a", "b", "c"])), 3).unwrap();
    let id = model.parameters.find("encoder.layers.0.attention.query.weight").unwrap();
    model.parameters.values_mut(id)[1] = 0.125;
    let output = tempfile::tempdir().unwrap();
    model.save(output.path()).unwrap();
    let again = Model::from_checkpoint(output.path()).unwrap();
    assert_eq!(again.labels(), model.labels());
    assert_eq!(again.facts(), model.facts());
    for id in model.parameters.ids() {
        assert_eq!(again.parameters.name(id), model.parameters.name(id));
        assert_eq!(again.parameters.values(id), model.parameters.values(id));
    }
    let (third, report) = Model::from_pretrained(output.path(), Head::single_label(&labels(&["a", "b", "c"])), 99).unwrap();
    assert!(report.new_parameters.is_empty());
    assert!(model.parameters.ids().all(|id| third.parameters.values(id) == model.parameters.values(id)));
}

#[test]
fn every_name_goes_to_disk_and_back() {
    let (model, _) =
        Model::from_pretrained(Checkpoint::backbone(2).write().path(), Head::single_label(&labels(&["a", "b"])), 3).unwrap();
    let output = tempfile::tempdir().unwrap();
    model.save(output.path()).unwrap();
    let tensors = inspect(output.path()).unwrap().tensors;
    assert_eq!(tensors.len(), model.parameters.len());
    for (id, tensor) in model.parameters.ids().zip(tensors) {
        assert_eq!(tensor.parameters, [model.parameters.name(id)]);
        assert_eq!(tensor.name, model.stored_name(id));
    }
}

#[test]
fn a_saved_config_keeps_what_fine_tuning_does_not_change() {
    let mut checkpoint = Checkpoint::backbone(1);
    for (key, value) in [
        ("_num_labels", json!(7)),
        ("num_labels", json!(7)),
        ("torch_dtype", json!("float16")),
        ("transformers_version", json!("4.8.2")),
        ("somebody", json!({ "kept": [1, 2.5, null] })),
        ("layer_norm_eps", json!(1e-12)),
    ] {
        checkpoint.set(key, value);
    }
    let (mut model, _) = Model::from_pretrained(checkpoint.write().path(), Head::single_label(&labels(&["b", "a"])), 3).unwrap();
    model.set_dropout(0.3);
    let output = tempfile::tempdir().unwrap();
    model.save(output.path()).unwrap();
    let saved: Value = serde_json::from_slice(&fs::read(output.path().join("config.json")).unwrap()).unwrap();
    let mut expected = checkpoint.config.clone();
    expected.remove("_num_labels");
    expected.remove("num_labels");
    for (key, value) in [
        ("torch_dtype", json!("float32")),
        ("architectures", json!(["BertForSequenceClassification"])),
        ("problem_type", json!("single_label_classification")),
        ("id2label", json!({ "0": "b", "1": "a" })),
        ("label2id", json!({ "b": 0, "a": 1 })),
    ] {
        expected.insert(key.to_owned(), value);
    }
    assert_eq!(saved, Value::Object(expected));
}

#[test]
fn a_config_without_a_dtype_gets_the_new_key() {
    let (model, _) =
        Model::from_pretrained(Checkpoint::backbone(1).write().path(), Head::single_label(&labels(&["b", "a"])), 3).unwrap();
    let output = tempfile::tempdir().unwrap();
    model.save(output.path()).unwrap();
    let saved: Value = serde_json::from_slice(&fs::read(output.path().join("config.json")).unwrap()).unwrap();
    assert_eq!((&saved["dtype"], saved.get("torch_dtype")), (&json!("float32"), None));
}

#[test]
fn a_save_that_fails_leaves_nothing_behind() {
    let model = Model::from_checkpoint(Checkpoint::classifier(1, &["no", "yes"]).write().path()).unwrap();
    let output = tempfile::tempdir().unwrap();
    // A folder stands where the weights would go.
    fs::create_dir_all(output.path().join("model.safetensors").join("inside")).unwrap();
    let told = told(output.path(), model.save(output.path()));
    assert!(told.starts_with("FOLDER/model.safetensors: cannot be written ("), "{told}");
    assert!(told.contains(" bytes are needed): "), "{told}");
    let left: Vec<_> = fs::read_dir(output.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["model.safetensors"]);
}
