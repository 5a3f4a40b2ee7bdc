//! ERNIE 1.0 to 3.0 (Sun et al. 2019, 2020, 2021): BERT, in most of its models with one embedding more, that of the task it was pretrained on.
//! Knows BERT.
//!
//! Keys and defaults are those of transformers' `ErnieConfig`; names are those of its `ErnieFor...` classes. There tasks count from 0, and texts
//! whose task nobody says have the first one, as all have here.

use super::config_reader::{ConfigReader, LARGEST_TABLE};
use super::names::{BERT_IGNORED, NameTable, bert_backbone, bert_heads, module};
use super::{ClassNames, Translation, bert};
use crate::architecture::{Architecture, Layout};
use crate::head::HeadKind;

const NAMES: NameTable = NameTable {
    backbone_prefix: "ernie.",
    backbone: bert_backbone!("ernie.", module("embeddings.task_type", "ernie.embeddings.task_type_embeddings")),
    heads: bert_heads!("ernie."),
    ignored: BERT_IGNORED,
};

pub(super) fn translate(config: &mut ConfigReader<'_>) -> Translation {
    config.encoder_only();
    let entries = config.size("task_type_vocab_size", 3, LARGEST_TABLE);
    let task_types = config.switch("use_task_id", false).then_some(entries);
    let architecture = bert::architecture(config);
    let layout = Layout { task_types, ..architecture.layout };
    Translation::alone(Architecture { layout, ..architecture }, &NAMES, ClassNames::of("Ernie"))
}
