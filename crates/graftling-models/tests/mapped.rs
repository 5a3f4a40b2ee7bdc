//! Whether a model whose weights stay in their file is the one that copies them.

mod tiny_checkpoint;

use std::path::Path;

use graftling_models::Model;
use graftling_tensor::Parameters;
use tiny_checkpoint::{Checkpoint, told};

/// The bits of all parameters, by name.
fn bits(parameters: &Parameters) -> Vec<(String, Vec<u32>)> {
    let one = |id| (parameters.name(id).to_owned(), parameters.values(id).iter().map(|value| value.to_bits()).collect());
    parameters.ids().map(one).collect()
}

#[test]
fn mapped_weights_are_those_that_are_copied() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/families");
    // Whole matrices; merged ones that are turned; merged ones in parts; several parameters of one weight.
    for folder in
        ["llama/causal/model", "gpt2/causal/model", "modernbert/masked/model", "albert/sequence/model", "t5/seq2seq/model"]
    {
        let folder = golden.join(folder);
        assert!(folder.is_dir(), "{}", folder.display());
        let [copied, mapped] = [Model::from_checkpoint, Model::from_checkpoint_mapped].map(|open| open(&folder).unwrap());
        assert_eq!(bits(&copied.parameters), bits(&mapped.parameters), "{}", folder.display());
    }
}

#[test]
fn saving_over_a_mapped_file_leaves_the_model_as_it_was() {
    let folder = Checkpoint::classifier(2, &["no", "yes"]).write();
    let mapped = Model::from_checkpoint_mapped(folder.path()).unwrap();
    let before = bits(&mapped.parameters);
    let mut other = Model::from_checkpoint_mapped(folder.path()).unwrap();
    for id in other.parameters.ids() {
        other.parameters.values_mut(id).fill(0.5);
    }
    other.save(folder.path()).unwrap();
    assert_eq!(bits(&mapped.parameters), before);
    let again = Model::from_checkpoint_mapped(folder.path()).unwrap();
    assert!(bits(&again.parameters).iter().all(|(_, values)| values.iter().all(|bits| f32::from_bits(*bits) == 0.5)));
}

#[test]
fn what_is_not_finite_is_refused_alike() {
    let mut checkpoint = Checkpoint::classifier(1, &["no", "yes"]);
    checkpoint.weight("classifier.bias").bytes[4..].copy_from_slice(&f32::NAN.to_le_bytes());
    let folder = checkpoint.write();
    let [copied, mapped] =
        [Model::from_checkpoint, Model::from_checkpoint_mapped].map(|open| told(folder.path(), open(folder.path()).map(drop)));
    assert!(copied.contains("weight \"classifier.bias\" holds NaN at place 1"), "{copied}");
    assert_eq!(copied, mapped);
}
