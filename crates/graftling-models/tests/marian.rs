//! Model files of Marian through the public door: values in either container, and files that are cut off, damaged or of kinds that are not offered.
//! Knows no tokenizer.

mod marian_writer;

use std::path::Path;

use graftling_models::{Conversion, Marian, MarianVocabulary, Model, ModelError, WeightDtype};
use marian_writer::{INT8, Tensor, Writer, archive, array, tiny_student};
use safetensors::SafeTensors;

const VOCABULARY: MarianVocabulary = MarianVocabulary { eos_token_id: 0, unk_token_id: 1 };

fn converted(bytes: &[u8]) -> Result<Vec<u8>, ModelError> {
    let path = Path::new("model.bin");
    let marian = Marian::parse(bytes).map_err(|problem| ModelError::Marian { path: path.to_owned(), problem })?;
    let mut written = Vec::new();
    Conversion::of_marian(path, &marian, VOCABULARY)?.write_weights(&mut written, WeightDtype::F32)?;
    Ok(written)
}

fn refusal(bytes: &[u8]) -> String {
    converted(bytes).expect_err("this file is refused").to_string().trim_start_matches("model.bin: ").to_owned()
}

/// What a `.bin` of the tiny student says after a change.
fn changed(change: impl FnOnce(&mut Writer)) -> String {
    let mut writer = tiny_student();
    change(&mut writer);
    refusal(&writer.binary().0)
}

fn values(written: &[u8], name: &str) -> Vec<f32> {
    let tensors = SafeTensors::deserialize(written).unwrap();
    tensors.tensor(name).unwrap().data().as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}

#[test]
fn every_form_gives_a_row_for_each_output() {
    let writer = tiny_student();
    for (form, bytes) in [("bin", writer.binary().0), ("stored", writer.npz(false).0), ("deflated", writer.npz(true).0)] {
        let written = converted(&bytes).unwrap_or_else(|error| panic!("{form}: {error}"));
        assert_eq!(SafeTensors::deserialize(&written).unwrap().len(), writer.tensors.len(), "{form}");
        // Four inputs and six outputs: 0 1 2 3 4 5 is what the first input gives to each output.
        assert_eq!(values(&written, "encoder_l1_ffn_W1")[..5], [0.0, 6.0, 12.0, 18.0, 1.0], "{form}");
        assert_eq!(values(&written, "Wemb")[..5], [0.0, 1.0, 2.0, 3.0, 4.0], "{form}");
        assert_eq!(values(&written, "encoder_l1_ffn_b1"), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0], "{form}");
    }
}

#[test]
fn bytes_and_a_multiplier_are_values_that_lie_as_weights_do() {
    let writer = tiny_student().quantised("encoder_l1_ffn_W1").quantised("Wemb");
    let mut bytes = writer.binary().0;
    let written = converted(&bytes).unwrap();
    assert_eq!(values(&written, "encoder_l1_ffn_W1")[..5], [0.0, 0.5, 1.0, 1.5, 2.0]);
    assert_eq!(values(&written, "Wemb")[..5], [0.0, 0.5, 1.0, 1.5, 2.0]);
    // The same type has another number in the main line of Marian.
    let old = marian_writer::INTGEMM8.to_le_bytes();
    let place = bytes.windows(8).position(|window| window == old).unwrap();
    bytes[place..place + 8].copy_from_slice(&0x10001_u64.to_le_bytes());
    assert_eq!(converted(&bytes).unwrap(), written);
}

#[test]
fn multipliers_of_activations_and_other_special_items_are_passed_over() {
    let mut writer = tiny_student();
    let expected = converted(&writer.binary().0).unwrap();
    writer.tensor("Wemb_QuantMultA", &[1, 1]);
    writer.tensor("none_QuantMultA", &[1, 1]);
    writer.tensors.push(Tensor { name: b"special:other".to_vec(), kind: INT8, shape: vec![3], bytes: vec![1, 2, 3] });
    assert_eq!(converted(&writer.binary().0).unwrap(), expected);
    assert_eq!(converted(&writer.npz(true).0).unwrap(), expected);
}

#[test]
fn settings_that_mean_the_same_are_accepted() {
    let same = |change: fn(&mut Writer)| {
        let mut writer = tiny_student();
        change(&mut writer);
        converted(&writer.binary().0).unwrap_or_else(|error| panic!("{error}"))
    };
    let expected = same(|_| ());
    for change in [
        (|writer| writer.set("dim-vocabs", "[0, 0]")) as fn(&mut Writer),
        |writer| writer.set("dim-vocabs", "[]"),
        |writer| writer.remove("dim-vocabs"),
        |writer| writer.set("transformer-postprocess", "an"),
        |writer| writer.set("transformer-preprocess", "d"),
        |writer| writer.remove("transformer-preprocess"),
        |writer| {
            writer.set("tied-embeddings-all", "false");
            writer.set("tied-embeddings", "true");
            writer.set("tied-embeddings-src", "true");
        },
        |writer| writer.set("transformer-decoder-ffn-depth", "0"),
        |writer| writer.set("transformer-decoder-ffn-depth", "2"),
        |writer| writer.set("input-types", "[sequence, sequence]"),
        |writer| writer.set("transformer-dim-model", "4"),
        |writer| writer.set("transformer-tied-layers", "[]"),
        |writer| writer.set("special-vocab", "~"),
    ] {
        assert_eq!(same(change), expected);
    }
}

#[test]
fn keys_that_are_not_known_are_told() {
    let mut writer = tiny_student();
    writer.set("transformer-novelty", "3");
    writer.set("enc-cell", "gru");
    let bytes = writer.binary().0;
    let conversion = Conversion::of_marian(Path::new("model.bin"), &Marian::parse(&bytes).unwrap(), VOCABULARY).unwrap();
    assert_eq!(conversion.notices, ["keys of special:model.yml that nothing was made of: transformer-novelty"]);
}

/// What is said where no table makes the output.
const TIED: &str = "\"tied-embeddings-all\" is false; accepted: true, for both languages and the output to have one table of embeddings, or \
                    tied-embeddings: true, for the target and the output";

/// The tiny student with a table of six entries for the source, and one of five for the target.
fn with_two_tables() -> Writer {
    let mut writer = tiny_student();
    writer.set("tied-embeddings-all", "false");
    writer.set("tied-embeddings", "true");
    writer.set("dim-vocabs", "[6, 5]");
    writer.named("Wemb").name = b"encoder_Wemb".to_vec();
    writer.tensor("decoder_Wemb", &[5, 4]);
    writer.tensors.retain(|tensor| tensor.name != b"decoder_ff_logit_out_b");
    writer.tensor("decoder_ff_logit_out_b", &[1, 5]);
    writer
}

#[test]
fn each_language_may_have_its_own_table() {
    let writer = with_two_tables().quantised("encoder_Wemb");
    let bytes = writer.binary().0;
    let conversion = Conversion::of_marian(Path::new("model.bin"), &Marian::parse(&bytes).unwrap(), VOCABULARY).unwrap();
    assert_eq!((conversion.vocabulary_size, conversion.written_vocabulary_size), (6, Some(5)));
    let written = converted(&bytes).unwrap();
    assert_eq!(values(&written, "encoder_Wemb")[..3], [0.0, 0.5, 1.0]);
    assert_eq!(values(&written, "decoder_Wemb")[..3], [0.0, 1.0, 2.0]);
    let folder = tempfile::tempdir().unwrap();
    conversion.write(folder.path(), WeightDtype::F32).unwrap();
    let model = Model::from_checkpoint(folder.path()).unwrap();
    assert_eq!(model.decoder_start_token_id(), Some(5));
    let mut writer = with_two_tables();
    writer.remove("dim-vocabs");
    assert!(converted(&writer.binary().0).is_ok(), "the tables have rows");
    writer.set("dim-vocabs", "[6, 6]");
    assert_eq!(
        refusal(&writer.binary().0),
        "its tensors are not those of its architecture:\n  \
         weight \"decoder_Wemb\" has shape [5, 4], but the config asks for [6, 4]\n  \
         weight \"decoder_ff_logit_out_b\" has shape [1, 5], but the config asks for [1, 6]"
    );
}

#[test]
fn all_settings_that_would_make_another_model_are_told_at_once() {
    let told = changed(|writer| {
        for (key, value) in [
            ("type", "s2s"),
            ("dec-cell", "gru"),
            ("transformer-decoder-autoreg", "self-attention"),
            ("transformer-postprocess", "da"),
            ("transformer-preprocess", "n"),
            ("transformer-postprocess-emb", "nd"),
            ("transformer-postprocess-top", "n"),
            ("layer-normalization", "true"),
            ("output-omit-bias", "true"),
            ("right-left", "true"),
            ("transformer-no-projection", "true"),
            ("transformer-pool", "true"),
            ("transformer-rnn-projection", "true"),
            ("transformer-train-position-embeddings", "true"),
            ("ulr", "true"),
            ("transformer-tied-layers", "[1, 1]"),
            ("transformer-ffn-depth", "3"),
            ("transformer-decoder-ffn-depth", "3"),
            ("lemma-dim-emb", "16"),
            ("lemma-dependency", "soft-transformer-layer"),
            ("factors-combine", "concat"),
            ("input-types", "[class, sequence]"),
            ("dim-emb", "5"),
            ("transformer-heads", "0"),
            ("transformer-dim-ffn", "many"),
            ("enc-depth", "900"),
            ("dec-depth", "-1"),
            ("transformer-ffn-activation", "gelu"),
            ("tied-embeddings-all", "false"),
            ("dim-vocabs", "[6]"),
        ] {
            writer.set(key, value);
        }
    });
    let expected = [
        "its metadata describes no model that can be imported:",
        "\"type\" is \"s2s\"; accepted: only \"transformer\"",
        "\"dec-cell\" is \"gru\"; accepted: only \"ssru\"",
        "\"transformer-decoder-autoreg\" is \"self-attention\"; accepted: only \"rnn\"",
        "\"transformer-preprocess\" is \"n\"; accepted: \"\", \"d\"",
        "\"transformer-postprocess\" is \"da\"; accepted: \"an\", \"dan\"",
        "\"transformer-postprocess-emb\" is \"nd\"; accepted: \"\", \"d\"",
        "\"transformer-postprocess-top\" is \"n\"; accepted: \"\", \"d\"",
        "\"layer-normalization\" is true; accepted: only false",
        "\"output-omit-bias\" is true; accepted: only false",
        "\"right-left\" is true; accepted: only false",
        "\"transformer-no-projection\" is true; accepted: only false",
        "\"transformer-pool\" is true; accepted: only false",
        "\"transformer-rnn-projection\" is true; accepted: only false",
        "\"transformer-train-position-embeddings\" is true; accepted: only false",
        "\"ulr\" is true; accepted: only false",
        "\"transformer-tied-layers\" is [1,1]; accepted: only []",
        "\"transformer-ffn-depth\" is 3; accepted: only 2",
        "\"transformer-decoder-ffn-depth\" is 3; accepted: 0, 2",
        "\"lemma-dim-emb\" is 16; accepted: only 0",
        "\"lemma-dependency\" is \"soft-transformer-layer\"; accepted: only \"\"",
        "\"factors-combine\" is \"concat\"; accepted: only \"sum\"",
        "\"input-types\" is [\"class\",\"sequence\"]; accepted: sequence, alignment, weight",
        "\"dim-emb\" is 5; accepted: even numbers",
        "\"transformer-heads\" is 0; accepted: whole numbers from 1 to 1048576",
        "\"transformer-dim-ffn\" is \"many\"; accepted: whole numbers from 1 to 1048576",
        "\"enc-depth\" is 900; accepted: at most 7, for the file has 39 tensors",
        "\"dec-depth\" is -1; accepted: whole numbers from 1 to 1024",
        "\"transformer-ffn-activation\" is \"gelu\"; accepted: relu, swish",
        TIED,
        "\"dim-vocabs\" is [6]; accepted: two whole numbers from 1 to 10000000",
    ];
    assert_eq!(told, expected.join("\n  "));
    assert_eq!(
        changed(|writer| writer.set("dim-vocabs", "[6, 7]")),
        "its metadata describes no model that can be imported: \"dim-vocabs\" is [6,7]; accepted: twice the same whole number from 1 to 10000000"
    );
}

#[test]
fn settings_that_are_needed_are_missed() {
    let told = changed(|writer| {
        for key in ["type", "transformer-heads", "transformer-ffn-activation", "tied-embeddings-all"] {
            writer.remove(key);
        }
    });
    let expected = [
        "its metadata describes no model that can be imported:",
        "\"type\" is absent; accepted: only \"transformer\"",
        "\"transformer-heads\" is absent; accepted: whole numbers from 1 to 1048576",
        "\"transformer-ffn-activation\" is absent; accepted: relu, swish",
        TIED,
    ];
    assert_eq!(told, expected.join("\n  "));
    assert_eq!(
        changed(|writer| writer.settings.clear()),
        "no special:model.yml in it, the settings that Marian keeps beside the weights; accepted are models that Marian has saved"
    );
    assert_eq!(
        changed(|writer| writer.set("type", "{a: b}")),
        "special:model.yml, line 1: \"type: {a: b}\"; accepted: one \"key: value\" a line, values being words, numbers and lists of them"
    );
}

#[test]
fn every_prefix_of_a_file_is_refused() {
    let writer = tiny_student().quantised("Wemb");
    let (binary, npz) = (writer.binary().0, tiny_student().npz(false).0);
    for (form, bytes) in [("bin", binary), ("npz", npz)] {
        converted(&bytes).unwrap();
        for end in 0..bytes.len() {
            let told = refusal(&bytes[..end]);
            let known = ["cut off or damaged", "damaged: it is said to have", "not a zip archive of NumPy that is read: cut off"];
            assert!(known.iter().any(|beginning| told.starts_with(beginning)), "{form}, the first {end} bytes: {told}");
        }
    }
}

#[test]
fn headers_that_cannot_be_are_refused() {
    let (file, numbers) = tiny_student().binary();
    let count = tiny_student().tensors.len() + 1;
    let with = |number: usize, value: u64| {
        let mut changed = file.clone();
        let range = numbers[number].clone();
        let width = range.len();
        changed[range].copy_from_slice(&value.to_le_bytes()[..width]);
        refusal(&changed)
    };
    let huge = 1_u64 << 60;
    let beyond = |what: &str, place: usize, needed: u64| {
        format!(
            "cut off or damaged: {what} at byte {place} has {needed} bytes, but the file ends at {}; fetch or copy it again",
            file.len()
        )
    };
    // Version, count; then the length of the first name, its type, its dimensions and the length of its values.
    assert_eq!(with(0, 2), "a .bin file of Marian of version 2; accepted is version 1");
    assert_eq!(
        with(1, huge),
        format!(
            "damaged: it is said to have {huge} tensors, but has room for {} at most; fetch or copy it again",
            (file.len() - 16) / 38
        )
    );
    let names = 16 + 32 * count;
    assert_eq!(with(2, huge), beyond("a name", names, huge));
    assert_eq!(with(2, 0), "damaged: the name of tensor 0 is empty; fetch or copy it again");
    assert_eq!(with(2, 3), "damaged: the name of tensor 0 does not end where it is said to; fetch or copy it again");
    assert_eq!(with(4, huge), format!("the tensor \"Wemb\" has {huge} dimensions; accepted: 1 to 4"));
    assert_eq!(with(4, 0), "the tensor \"Wemb\" has 0 dimensions; accepted: 1 to 4");
    assert!(with(5, huge).starts_with("cut off or damaged: the values of a tensor at byte"), "{}", with(5, huge));
    assert_eq!(
        with(5, 95),
        "the tensor \"Wemb\" has the shape [6, 4] in 95 bytes; accepted: 96 bytes for values of type float32"
    );
    assert!(with(numbers.len() - 1, huge).starts_with("cut off or damaged: the padding at byte"));
    let mut longer = file.clone();
    longer.extend([0; 3]);
    assert_eq!(refusal(&longer), "damaged: 3 bytes stand behind the last tensor; fetch or copy it again");
    let cases = [
        (
            changed(|writer| writer.named("Wemb").name = vec![0xFF]),
            "damaged: the name of tensor 0 is not UTF-8; fetch or copy it again",
        ),
        (
            changed(|writer| writer.named("Wemb").shape = vec![6, -4]),
            "the tensor \"Wemb\" has the shape [6, -4]; accepted: dimensions from 1",
        ),
        (
            changed(|writer| writer.named("Wemb").shape = vec![0, 4]),
            "the tensor \"Wemb\" has the shape [0, 4]; accepted: dimensions from 1",
        ),
        (
            changed(|writer| writer.named("Wemb").shape = vec![i32::MAX; 4]),
            "the tensor \"Wemb\" has the shape [2147483647, 2147483647, 2147483647, 2147483647] in 96 bytes; accepted: dimensions whose product is \
             below 2^64 bytes",
        ),
        (changed(|writer| writer.tensor("Wemb", &[1, 4])), "the tensor \"Wemb\" is there twice"),
        (
            changed(|writer| {
                writer.settings.clear();
                writer.tensor("special:model.yml", &[1, 4]);
            }),
            "the array \"special:model.yml\" has float32; accepted: text, a byte each (int8)",
        ),
    ];
    for (told, expected) in cases {
        assert_eq!(told, expected);
    }
}

#[test]
fn tensors_that_do_not_fit_are_refused() {
    let other = "; accepted: float32, intgemm8; take the .npz that the model was trained as, or one that marian-conv made of it (with no --gemm-type, or \
                 with intgemm8)";
    let cases = [
        (
            changed(|writer| {
                writer.tensors.retain(|tensor| tensor.name != b"decoder_l1_rnn_Wf");
                writer.tensor("Wpos", &[8, 4]);
                writer.named("encoder_l1_ffn_W1").shape = vec![6, 4];
                writer.named("encoder_l1_ffn_b1").shape = vec![6];
            }),
            "its tensors are not those of its architecture:\n  \
             weight \"encoder_l1_ffn_W1\" has shape [6, 4], but the config asks for [4, 6]\n  \
             weight \"encoder_l1_ffn_b1\" has shape [6], but the config asks for [1, 6]\n  \
             missing weight \"decoder_l1_rnn_Wf\" (shape [4, 4])\n  \
             unexpected weight \"Wpos\" (shape [8, 4])"
                .to_owned(),
        ),
        (
            changed(|writer| writer.set("dim-vocabs", "[7, 7]")),
            "its tensors are not those of its architecture:\n  \
             weight \"Wemb\" has shape [6, 4], but the config asks for [7, 4]\n  \
             weight \"decoder_ff_logit_out_b\" has shape [1, 6], but the config asks for [1, 7]"
                .to_owned(),
        ),
        (
            changed(|writer| {
                writer.named("encoder_l1_self_Wq").kind = 0x1801;
                writer.named("encoder_l1_self_Wk").kind = 0x1801;
                writer.named("decoder_l1_rnn_W").kind = 0x402;
                writer.named("decoder_l1_rnn_bf").kind = 7;
                writer.named("Wemb").kind = INT8;
            }),
            format!(
                "it holds a tensor of type float16 (0x402) (\"decoder_l1_rnn_W\"), a tensor of type int8 (\"Wemb\"), 2 tensors of type packed8avx2 \
                 (0x1801) (\"encoder_l1_self_Wq\" is the first), a tensor of type unknown (0x7) (\"decoder_l1_rnn_bf\"){other}"
            ),
        ),
    ];
    for (told, expected) in cases {
        assert_eq!(told, expected);
    }
}

#[test]
fn archives_that_cannot_be_are_refused() {
    let array_of = |header: &str| {
        let header = format!("{{{header}, 'shape': (6, 4), }}");
        let entries = vec![(b"Wemb.npy".to_vec(), array(&header, &[0; 96]))];
        refusal(&archive(entries, false).0)
    };
    assert_eq!(
        array_of("'descr': '<f4', 'fortran_order': True"),
        "the array \"Wemb\" has values in the order of Fortran, column by column; accepted: values in the order of C, row by row"
    );
    assert_eq!(
        array_of("'descr': '>f4', 'fortran_order': False"),
        "the array \"Wemb\" has values of type \">f4\", of the other byte order (big endian); accepted: little-endian values"
    );
    assert!(array_of("'descr': '<f4'").starts_with("the entry \"Wemb.npy\" of the zip archive: damaged: its header is not"));
    // Values of other types are told with all others, once the settings are there.
    let mut writer = tiny_student();
    writer.tensors.retain(|tensor| tensor.name != b"Wemb");
    let (bytes, _) = writer.npz(false);
    assert!(refusal(&bytes).contains("missing weight \"Wemb\" (shape [6, 4])"));
    let foreign = archive(vec![(b"archive/data.pkl".to_vec(), vec![0x80, 2])], false).0;
    assert_eq!(
        refusal(&foreign),
        "the entry \"archive/data.pkl\" of the zip archive: no array of NumPy, whose name ends in .npy; accepted are the .npz files of Marian"
    );
    let twice = archive(vec![(b"a.npy".to_vec(), vec![1]), (b"a.npy".to_vec(), vec![1])], false).0;
    assert_eq!(refusal(&twice), "not a zip archive of NumPy that is read: two of its entries have the same name");
    let named = archive(vec![(b"\xff.npy".to_vec(), vec![1])], false).0;
    assert_eq!(refusal(&named), "damaged: the name of tensor 0 is not UTF-8; fetch or copy it again");
    let none = archive(vec![(b"a.npy".to_vec(), b"no array at all".to_vec())], true).0;
    assert_eq!(refusal(&none), "the entry \"a.npy\" of the zip archive: not an array of NumPy; fetch or copy the file again");
}

#[test]
fn archives_that_are_changed_are_refused() {
    // Of an entry in the list of all: flags, method, checksum, sizes, lengths of name and of more, place; they stand behind those of the entries.
    let (file, numbers) = tiny_student().npz(false);
    let first = numbers.len() - 5 - 8 * (tiny_student().tensors.len() + 1);
    let with = |number: usize, value: u32| {
        let mut changed = file.clone();
        let range = numbers[number].clone();
        let width = range.len();
        changed[range].copy_from_slice(&value.to_le_bytes()[..width]);
        refusal(&changed)
    };
    let entry = "the entry \"Wemb.npy\" of the zip archive: ";
    assert_eq!(with(first, 1), format!("{entry}encrypted; accepted are entries that anybody can read"));
    assert_eq!(with(first + 1, 12), format!("{entry}compressed by Unsupported(12); accepted: stored, deflated"));
    assert!(with(first + 2, 7).starts_with(&format!("{entry}damaged: ")), "{}", with(first + 2, 7));
    // A header of 69 bytes, and 24 values.
    assert_eq!(with(first + 4, 3 << 30), format!("{entry}165 bytes that are said to become 3221225472, which weights never do"));
    assert!(with(first + 4, 100).starts_with("the tensor \"Wemb\" has the shape [6, 4] in "), "{}", with(first + 4, 100));
    let end = numbers.len() - 5;
    for (number, value) in [(end + 1, u16::MAX.into()), (end + 2, 40), (end + 3, 1)] {
        let told = with(number, value);
        assert!(told.starts_with("not a zip archive of NumPy that is read: damaged: its list of "), "{told}");
    }
    // A comment, as no writer of arrays adds one.
    let mut commented = file.clone();
    commented.extend(b"comment");
    assert!(
        refusal(&commented).starts_with("not a zip archive of NumPy that is read: cut off, or with something behind its end")
    );
}
