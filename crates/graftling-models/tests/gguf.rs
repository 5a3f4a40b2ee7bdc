//! GGUF files through the public door: blocks of every type as ggml's own package reads them, and files that are cut off, damaged or of kinds that are
//! not offered. Knows no tokenizer.

mod gguf_writer;

use std::fs;
use std::path::Path;

use gguf_writer::{Kind, Value, Writer, tiny, tiny_llama};
use graftling_models::{Conversion, Gguf, GgufProblem, ModelError, WeightDtype};
use half::{bf16, f16};
use safetensors::SafeTensors;

fn golden(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/gguf").join(name)).unwrap()
}

fn checkpoint(bytes: &[u8]) -> Result<Vec<u8>, ModelError> {
    let path = Path::new("model.gguf");
    let gguf = Gguf::parse(bytes).map_err(|problem| ModelError::Gguf { path: path.to_owned(), problem })?;
    let mut written = Vec::new();
    Conversion::of_gguf(path, &gguf)?.write_weights(&mut written, WeightDtype::F32)?;
    Ok(written)
}

fn refusal(bytes: &[u8]) -> String {
    checkpoint(bytes).expect_err("this file is refused").to_string().trim_start_matches("model.gguf: ").to_owned()
}

/// Bit by bit: the arithmetic is that of ggml, in the same order.
#[test]
fn blocks_of_every_type_give_the_values_of_the_gguf_package() {
    let (file, values) = (golden("blocks.gguf"), golden("blocks.safetensors"));
    let (gguf, values) = (Gguf::parse(&file).unwrap(), SafeTensors::deserialize(&values).unwrap());
    assert_eq!(gguf.tensors().len(), 11);
    for tensor in gguf.tensors() {
        let expected = values.tensor(tensor.name).unwrap();
        assert_eq!(tensor.shape, expected.shape(), "{}", tensor.name);
        let expected: Vec<u32> = expected.data().as_chunks().0.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect();
        let found: Vec<u32> = tensor.values().unwrap().into_iter().map(f32::to_bits).collect();
        let differ = found.iter().zip(&expected).filter(|(found, expected)| found != expected).count();
        assert_eq!((found.len(), differ), (expected.len(), 0), "{}", tensor.name);
    }
}

#[test]
fn a_model_has_its_weights_under_the_names_of_transformers() {
    for version in [2, 3] {
        let mut bytes = tiny_llama().written().0;
        bytes[4] = version;
        let written = checkpoint(&bytes).unwrap();
        let weights = SafeTensors::deserialize(&written).unwrap();
        assert_eq!(weights.len(), 11, "version {version}");
        let embedding = weights.tensor("model.embed_tokens.weight").unwrap();
        assert_eq!(embedding.shape(), [6, 4]);
        // The rows of a head of four are in pairs: rows 0 and 1 of the file are row 0 of either half.
        let rows = |name: &str| {
            weights.tensor(name).unwrap().data().as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect::<Vec<_>>()
        };
        let queries = rows("model.layers.0.self_attn.q_proj.weight");
        assert_eq!([queries[0], queries[4], queries[8], queries[12]], [0.0, 8.0, 4.0, 12.0]);
        assert_eq!(rows("model.layers.0.self_attn.v_proj.weight")[..5], [0.0, 1.0, 2.0, 3.0, 4.0]);
    }
}

#[test]
fn every_architecture_takes_tensors_of_every_type() {
    let kinds = [
        Kind::F32,
        Kind::F16,
        Kind::BF16,
        Kind::Q8_0,
        Kind::Q4_0,
        Kind::Q4_1,
        Kind::Q5_0,
        Kind::Q5_1,
        Kind::Q4_K,
        Kind::Q5_K,
        Kind::Q6_K,
    ];
    for architecture in ["llama", "qwen2", "qwen3", "gpt2"] {
        for kind in kinds {
            let bytes = tiny(architecture, Kind::F16, kind).written().0;
            let gguf = Gguf::parse(&bytes).unwrap();
            let tensor = gguf.tensors().iter().find(|tensor| tensor.name == "blk.0.ffn_down.weight").unwrap();
            let (values, inner) = (tensor.values().unwrap(), tensor.shape[1]);
            let (name, expected) = match architecture {
                // Inputs first.
                "gpt2" => {
                    let turned = (0..values.len()).map(|place| values[place % 4 * inner + place / 4]).collect();
                    ("transformer.h.0.mlp.c_proj.weight", turned)
                }
                _ => ("model.layers.0.mlp.down_proj.weight", values),
            };
            let written = checkpoint(&bytes).unwrap();
            let weights = SafeTensors::deserialize(&written).unwrap();
            let found: Vec<f32> =
                weights.tensor(name).unwrap().data().as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
            assert!(found == expected && found.iter().any(|value| *value != 0.0), "{architecture}, {kind:?}");
        }
    }
}

#[test]
fn weights_are_stored_in_the_type_that_is_asked_for() {
    let bytes = tiny_llama().with_values("output_norm.weight", &[1.0009766, -3.0, 65504.0, 1e-7]).written().0;
    let gguf = Gguf::parse(&bytes).unwrap();
    let checkpoint = Conversion::of_gguf(Path::new("model.gguf"), &gguf).unwrap();
    for dtype in WeightDtype::ALL {
        let mut written = Vec::new();
        checkpoint.write_weights(&mut written, dtype).unwrap();
        assert_eq!(written.len() as u64, checkpoint.size_bytes(dtype));
        let weights = SafeTensors::deserialize(&written).unwrap();
        let values = [1.0009766_f32, -3.0, 65504.0, 1e-7];
        let expected: Vec<u8> = match dtype {
            WeightDtype::F32 => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
            WeightDtype::F16 => values.iter().flat_map(|value| f16::from_f32(*value).to_le_bytes()).collect(),
            WeightDtype::Bf16 => values.iter().flat_map(|value| bf16::from_f32(*value).to_le_bytes()).collect(),
        };
        assert_eq!(weights.tensor("model.norm.weight").unwrap().data(), expected, "{}", dtype.word());
    }
}

#[test]
fn values_that_cannot_be_stored_are_refused_with_their_place() {
    let large = tiny_llama().with_values("output_norm.weight", &[1.0, 1.0, 70000.0, 1.0]).written().0;
    let gguf = Gguf::parse(&large).unwrap();
    let checkpoint = Conversion::of_gguf(Path::new("model.gguf"), &gguf).unwrap();
    let error = checkpoint.write_weights(&mut Vec::new(), WeightDtype::F16).unwrap_err();
    assert_eq!(
        error.to_string(),
        "model.gguf: the tensor \"output_norm.weight\" holds 70000, which f16 cannot hold (up to 65504); choose bf16 or f32"
    );
    checkpoint.write_weights(&mut Vec::new(), WeightDtype::Bf16).unwrap();
    let odd = tiny_llama().with_values("blk.0.attn_v.weight", &[0.0, f32::NAN, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]).written().0;
    assert_eq!(
        refusal(&odd),
        "its tensors are not those of its architecture: weight \"blk.0.attn_v.weight\" holds NaN at place 1; only finite numbers can be used"
    );
}

#[test]
fn every_prefix_of_a_file_is_refused() {
    let bytes = tiny_llama().written().0;
    checkpoint(&bytes).unwrap();
    for end in 0..bytes.len() {
        let told = refusal(&bytes[..end]);
        let known = ["not a GGUF file", "cut off or damaged", "damaged: it is said to have"];
        assert!(known.iter().any(|beginning| told.starts_with(beginning)), "the first {end} bytes: {told}");
    }
}

#[test]
fn headers_that_cannot_be_are_refused() {
    let file = tiny_llama().written().0;
    let with = |place: usize, bytes: &[u8]| {
        let mut changed = file.clone();
        changed[place..place + bytes.len()].copy_from_slice(bytes);
        refusal(&changed)
    };
    let huge = (1_u64 << 60).to_le_bytes();
    assert_eq!(with(0, b"PK\x03\x04"), "not a GGUF file: it begins with the bytes [50, 4B, 03, 04], a GGUF file with \"GGUF\"");
    assert_eq!(with(4, &[1, 0, 0, 0]), "a GGUF file of version 1; accepted are versions 2 and 3");
    assert_eq!(with(4, &[0, 0, 0, 3]), "a GGUF file of the other byte order (big endian); accepted are little-endian files");
    let room = |place: usize, smallest: usize| (file.len() - place) / smallest;
    assert_eq!(
        with(8, &huge),
        format!(
            "damaged: it is said to have {} tensors, but has room for {} at most; fetch or copy it again",
            1_u64 << 60,
            room(16, 32)
        )
    );
    assert_eq!(
        with(16, &huge),
        format!(
            "damaged: it is said to have {} pairs of keys and values, but has room for {} at most; fetch or copy it again",
            1_u64 << 60,
            room(24, 13)
        )
    );
    let cut_off = format!(
        "cut off or damaged: a key at byte 32 has {} bytes, but the file ends at {}; fetch or copy it again",
        1_u64 << 60,
        file.len()
    );
    assert_eq!(with(24, &huge), cut_off);
}

#[test]
fn metadata_that_contradicts_itself_is_refused() {
    let with = |change: fn(&mut Writer)| {
        let mut writer = tiny_llama();
        change(&mut writer);
        refusal(&writer.written().0)
    };
    let cases: [(String, &str); 10] = [
        (
            with(|writer| writer.pairs.push(("llama.block_count".into(), Value::U32(1)))),
            "the key \"llama.block_count\" is there twice",
        ),
        (
            with(|writer| writer.set("x", Value::Raw(9, [9_u32.to_le_bytes().as_slice(), &[0; 20]].concat()))),
            "the value of \"x\" is an array of arrays; accepted are arrays of numbers, switches and texts",
        ),
        (with(|writer| writer.set("x", Value::Raw(13, vec![0; 4]))), "the value of \"x\" is of kind 13; there are kinds 0 to 12"),
        (with(|writer| writer.set("x", Value::Raw(7, vec![2]))), "the value of \"x\" is a switch of 2; accepted: 0, 1"),
        (
            with(|writer| writer.set("general.alignment", Value::U32(12))),
            "\"general.alignment\" is 12; accepted: powers of two up to 65536",
        ),
        (
            with(|writer| writer.set("general.architecture", Value::Text("mamba".into()))),
            "general.architecture is \"mamba\"; accepted: llama, qwen2, qwen3, gpt2",
        ),
        (
            with(|writer| writer.set("llama.expert_count", Value::U32(8))),
            "its metadata describes no model that can be imported: \"llama.expert_count\" is 8; accepted: only 0",
        ),
        (
            with(|writer| writer.set("llama.block_count", Value::U32(1 << 31))),
            "its metadata describes no model that can be imported: \"llama.block_count\" is 2147483648; accepted: whole numbers from 1 to 1024",
        ),
        (
            with(|writer| writer.set("tokenizer.ggml.eos_token_id", Value::U32(6))),
            "its metadata describes no model that can be imported: \"tokenizer.ggml.eos_token_id\" is 6; accepted: ids of tokens, from 0 below 6",
        ),
        (
            with(|writer| writer.set("split.count", Value::U32(4))),
            "one of 4 files of a split model; accepted is one file (llama.cpp's gguf-split --merge puts them together)",
        ),
    ];
    for (told, expected) in cases {
        assert_eq!(told, expected);
    }
}

#[test]
fn all_keys_that_are_wrong_are_told_at_once() {
    let mut writer = tiny_llama();
    writer.pairs.retain(|(key, _)| key != "llama.context_length" && key != "llama.attention.layer_norm_rms_epsilon");
    writer.set("llama.rope.scaling.type", Value::Text("longrope".into()));
    assert_eq!(
        refusal(&writer.written().0),
        "its metadata describes no model that can be imported:\n  \
         \"llama.context_length\" is missing; accepted: whole numbers from 1 to 10000000\n  \
         \"llama.attention.layer_norm_rms_epsilon\" is missing; accepted: numbers from 0 to 1\n  \
         \"llama.rope.scaling.type\" is \"longrope\"; accepted: none, linear, yarn"
    );
}

#[test]
fn tensors_that_do_not_fit_are_refused() {
    let with = |change: fn(&mut Writer)| {
        let mut writer = tiny_llama();
        change(&mut writer);
        refusal(&writer.written().0)
    };
    let cases: [(String, &str); 9] = [
        (
            with(|writer| {
                writer.tensors.retain(|tensor| tensor.name != "blk.0.ffn_up.weight");
                writer.tensor("blk.0.attn_q.scale", &[1], Kind::F32);
                writer.named("output_norm.weight").dimensions = vec![2, 2];
            }),
            "its tensors are not those of its architecture:\n  \
             missing weight \"blk.0.ffn_up.weight\" (shape [32, 4])\n  \
             weight \"output_norm.weight\" has shape [2, 2], but the config asks for [4]\n  \
             unexpected weight \"blk.0.attn_q.scale\" (shape [1])",
        ),
        (
            with(|writer| {
                for name in ["blk.0.ffn_up.weight", "blk.0.ffn_gate.weight"] {
                    writer.named(name).kind = 27;
                    writer.named(name).bytes.resize(1024, 0);
                }
            }),
            "it holds 2 tensors of type I64 (\"blk.0.ffn_gate.weight\" is the first); accepted: F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K, Q6_K; \
             take a file that is quantised in one of these ways",
        ),
        (
            with(|writer| writer.named("output_norm.weight").kind = 4),
            "the tensor \"output_norm.weight\" is of type 4, which is not known; accepted: F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K, Q6_K",
        ),
        (
            with(|writer| writer.named("output_norm.weight").kind = 8),
            "the tensor \"output_norm.weight\" has rows of 4 values; accepted: multiples of 32 for Q8_0",
        ),
        (
            with(|writer| writer.named("output_norm.weight").dimensions = vec![1 << 33, 1 << 33]),
            "the tensor \"output_norm.weight\" has the shape [8589934592, 8589934592]; accepted: dimensions from 1 whose product is below 2^64 bytes",
        ),
        (
            with(|writer| writer.named("output_norm.weight").dimensions = vec![4, 0]),
            "the tensor \"output_norm.weight\" has the shape [0, 4]; accepted: dimensions from 1 whose product is below 2^64 bytes",
        ),
        (
            with(|writer| writer.named("output_norm.weight").offset = Some(33)),
            "the values of \"output_norm.weight\" are said to begin at 33, which is no multiple of the alignment 32",
        ),
        (
            with(|writer| writer.named("output_norm.weight").offset = Some(64)),
            "damaged: the values of \"token_embd.weight\" and \"output_norm.weight\" are said to lie in the same place",
        ),
        (
            with(|writer| writer.named("output_norm.weight").offset = Some(1 << 62)),
            "cut off or damaged: the 16 bytes of \"output_norm.weight\" are said to begin at 4611686018427387904 of 1736 bytes of values; fetch or copy it again",
        ),
    ];
    for (told, expected) in cases {
        assert_eq!(told, expected);
    }
    let twice = {
        let mut writer = tiny_llama();
        writer.tensor("output_norm.weight", &[4], Kind::F32);
        writer.written().0
    };
    assert_eq!(Gguf::parse(&twice).err(), Some(GgufProblem::TensorTwice { name: "output_norm.weight".into() }));
}

#[test]
fn an_output_that_is_the_embedding_once_more_is_tied() {
    let names = |bytes: &[u8]| SafeTensors::deserialize(&checkpoint(bytes).unwrap()).unwrap().len();
    let mut writer = tiny_llama();
    writer.tensor("output.weight", &[4, 6], Kind::F32);
    assert_eq!(names(&writer.written().0), 11);
    writer.named("output.weight").bytes[0] ^= 1;
    assert_eq!(names(&writer.written().0), 12);
}
