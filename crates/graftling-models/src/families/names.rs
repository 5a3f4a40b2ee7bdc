//! The reversible table between a family's weight names on disk and our own dotted names. Knows no family and no shape.

use crate::head::HeadKind;

/// A module, or a single parameter, under both names; `{}` stands for the number of a layer, and on disk `{1}` for one that is counted
/// from 1.
pub(crate) struct Entry {
    canonical: &'static str,
    stored: &'static str,
    part: Part,
    naming: Naming,
}

/// What the names of an entry are those of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Naming {
    /// A module, whose parameters are called `.weight` and the like behind it.
    Module,
    /// A parameter itself.
    Parameter,
}

/// Which piece of a weight on disk is meant, of so many that lie one behind the other along its first dimension, all of one size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub index: usize,
    pub of: usize,
    /// How the values of a matrix lie on disk.
    pub order: Order,
}

/// How the values of a matrix lie on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// As here: a row for each output.
    RowsOfOutputs,
    /// A row for each input, as in the `Conv1D` of transformers. Parts then lie beside each other in every row.
    RowsOfInputs,
    /// A vector that is a matrix of one row.
    OneRow,
}

impl Part {
    /// All of it.
    pub const WHOLE: Self = Self { index: 0, of: 1, order: Order::RowsOfOutputs };

    /// Whether a parameter of this shape is turned on disk.
    pub fn turns(self, shape: &[usize]) -> bool {
        self.order == Order::RowsOfInputs && shape.len() == 2
    }

    /// The shape on disk of what holds a parameter of this shape as this part.
    pub fn stored_shape(self, shape: &[usize]) -> Vec<usize> {
        let mut stored = shape.to_vec();
        if let Some(rows) = stored.first_mut() {
            *rows = rows.saturating_mul(self.of);
        }
        if self.turns(shape) {
            stored.reverse();
        }
        if self.order == Order::OneRow {
            stored.insert(0, 1);
        }
        stored
    }
}

/// A module that is called `canonical` here and `stored` on disk.
pub(super) const fn module(canonical: &'static str, stored: &'static str) -> Entry {
    Entry { canonical, stored, part: Part::WHOLE, naming: Naming::Module }
}

/// A module that is called `canonical` here and is part `index` of the `of` that are merged on disk under the name `stored`.
pub(super) const fn merged(canonical: &'static str, stored: &'static str, index: usize, of: usize) -> Entry {
    Entry { canonical, stored, part: Part { index, of, order: Order::RowsOfOutputs }, naming: Naming::Module }
}

/// The same for modules whose matrices have a row for each input on disk.
pub(super) const fn turned(canonical: &'static str, stored: &'static str, index: usize, of: usize) -> Entry {
    Entry { canonical, stored, part: Part { index, of, order: Order::RowsOfInputs }, naming: Naming::Module }
}

/// A parameter that is called `canonical` here and `stored` on disk: both names are those of the parameter itself.
pub(super) const fn parameter(canonical: &'static str, stored: &'static str) -> Entry {
    Entry { canonical, stored, part: Part::WHOLE, naming: Naming::Parameter }
}

/// The same for a vector that is a matrix of one row on disk.
pub(super) const fn one_row(canonical: &'static str, stored: &'static str) -> Entry {
    Entry { canonical, stored, part: Part { index: 0, of: 1, order: Order::OneRow }, naming: Naming::Parameter }
}

/// The backbone of a family that stores its weights as BERT does, under its own prefix.
macro_rules! bert_backbone {
    ($prefix:literal $(, $further:expr)*) => {
        &[
            module("embeddings.word", concat!($prefix, "embeddings.word_embeddings")),
            module("embeddings.position", concat!($prefix, "embeddings.position_embeddings")),
            module("embeddings.token_type", concat!($prefix, "embeddings.token_type_embeddings")),
            module("embeddings.norm", concat!($prefix, "embeddings.LayerNorm")),
            module("encoder.layers.{}.attention.query", concat!($prefix, "encoder.layer.{}.attention.self.query")),
            module("encoder.layers.{}.attention.key", concat!($prefix, "encoder.layer.{}.attention.self.key")),
            module("encoder.layers.{}.attention.value", concat!($prefix, "encoder.layer.{}.attention.self.value")),
            module("encoder.layers.{}.attention.output", concat!($prefix, "encoder.layer.{}.attention.output.dense")),
            module("encoder.layers.{}.attention.norm", concat!($prefix, "encoder.layer.{}.attention.output.LayerNorm")),
            module("encoder.layers.{}.feed_forward.up", concat!($prefix, "encoder.layer.{}.intermediate.dense")),
            module("encoder.layers.{}.feed_forward.down", concat!($prefix, "encoder.layer.{}.output.dense")),
            module("encoder.layers.{}.feed_forward.norm", concat!($prefix, "encoder.layer.{}.output.LayerNorm")),
            $($further,)*
        ]
    };
}
pub(super) use bert_backbone;

/// The heads of such a family.
macro_rules! bert_heads {
    ($prefix:literal) => {
        &[
            (
                HeadKind::SequenceClassification,
                &[module("pooler.dense", concat!($prefix, "pooler.dense")), module("classifier", "classifier")],
            ),
            (HeadKind::TokenClassification, &[module("classifier", "classifier")]),
            (
                HeadKind::MaskedLanguageModelling,
                &[
                    module("language.dense", "cls.predictions.transform.dense"),
                    module("language.norm", "cls.predictions.transform.LayerNorm"),
                    module("language", "cls.predictions"),
                ],
            ),
            (HeadKind::QuestionAnswering, &[module("answers", "qa_outputs")]),
            (HeadKind::SentenceEmbedding, &[module("pooler.dense", concat!($prefix, "pooler.dense"))]),
        ]
    };
}
pub(super) use bert_heads;

/// What checkpoints of such a family may hold beside what is read.
pub(super) const BERT_IGNORED: &[Ignored] = &[
    Ignored { pattern: Pattern::Exactly("embeddings.position_ids"), reason: "a list of 0, 1, 2 ... that is counted anew" },
    Ignored { pattern: Pattern::StartsWith("cls.predictions.decoder."), reason: "another name of weights that are read" },
    Ignored { pattern: Pattern::StartsWith("cls.seq_relationship."), reason: "the head of next sentence prediction" },
];

/// Weights that a file may hold although no model has a use for them, with the reason.
pub(crate) struct Ignored {
    pub pattern: Pattern,
    pub reason: &'static str,
}

/// Which stored names are meant, without the backbone's prefix.
pub(crate) enum Pattern {
    Exactly(&'static str),
    StartsWith(&'static str),
    EndsWith(&'static str),
}

/// The names of a family.
pub(crate) struct NameTable {
    /// What stands before the names of the backbone in a checkpoint with a head, and is missing in one of the backbone alone.
    pub backbone_prefix: &'static str,
    pub backbone: &'static [Entry],
    /// What stands above the encoder, by kind of head. A family without an entry does not offer the head, except that every family
    /// offers its bare encoder, with a pooler where the entry has one.
    pub heads: &'static [(HeadKind, &'static [Entry])],
    pub ignored: &'static [Ignored],
}

/// The names of a family's model with one kind of head.
#[derive(Clone, Copy)]
pub(crate) struct Names {
    table: &'static NameTable,
    kind: HeadKind,
    /// A head more whose entries are there, too.
    other: Option<HeadKind>,
}

/// The last part of a weight's name on disk, and ours. Checkpoints converted from TensorFlow call a norm's values gamma and beta.
const LEAVES: &[(&str, &str)] = &[("weight", "weight"), ("bias", "bias"), ("gamma", "weight"), ("beta", "bias")];

impl NameTable {
    /// The names of a model with this kind of head.
    pub fn with_head(&'static self, kind: HeadKind) -> Names {
        Names { table: self, kind, other: None }
    }

    /// The names of an encoder as it comes out of pretraining, with all that may stand above it: its language head and its pooler.
    pub fn of_pretraining(&'static self) -> Names {
        Names { table: self, kind: HeadKind::MaskedLanguageModelling, other: Some(HeadKind::SentenceEmbedding) }
    }

    /// Whether the projection that answers questions has, on disk, the name of a classifier, so that the name alone does not tell what
    /// it is.
    pub fn stores_answers_as_classifier(&self) -> bool {
        let named = |canonical: &str| {
            let entries = self.heads.iter().flat_map(|(_, entries)| entries.iter());
            entries.filter(|entry| entry.canonical == canonical).map(|entry| entry.stored).collect::<Vec<_>>()
        };
        let classifiers = named("classifier");
        named("answers").iter().any(|stored| classifiers.contains(stored))
    }

    /// Whether the family has this kind of head.
    pub fn offers(&self, kind: HeadKind) -> bool {
        // A bare encoder is what every family is made of.
        kind.is_bare() || self.heads.iter().any(|(offered, _)| *offered == kind)
    }
}

impl Names {
    /// What stands before the names of the backbone in a checkpoint with a head.
    pub fn backbone_prefix(self) -> &'static str {
        self.table.backbone_prefix
    }

    /// Whether a pooler is saved with the bare encoder.
    pub fn has_pooler(self) -> bool {
        self.entries().any(|entry| entry.canonical == "pooler.dense")
    }

    /// The entries that are parameters themselves.
    fn parameters(self) -> impl Iterator<Item = &'static Entry> {
        self.entries().filter(|entry| entry.naming == Naming::Parameter)
    }

    fn entries(self) -> impl Iterator<Item = &'static Entry> {
        let heads = self.table.heads.iter().filter(move |(kind, _)| *kind == self.kind || Some(*kind) == self.other);
        self.table.backbone.iter().chain(heads.flat_map(|(_, entries)| entries.iter()))
    }

    /// The name on disk of one of our parameters, and which part of what stands under it the parameter is.
    ///
    /// # Panics
    /// If the family's table has no such entry: the bricks and the table have drifted apart.
    pub fn stored(self, canonical: &str) -> (String, Part) {
        let renamed = |entry: &Entry| Some((rename(canonical, entry.canonical, entry.stored)?, entry.part));
        if let Some(found) = self.parameters().find_map(renamed) {
            return found;
        }
        let (module, leaf) = canonical.rsplit_once('.').unwrap_or((canonical, ""));
        let stored = self.entries().find_map(|entry| Some((rename(module, entry.canonical, entry.stored)?, entry.part)));
        let (stored, part) = stored.unwrap_or_else(|| panic!("names: no entry for the parameter {canonical}"));
        let bare = stored.strip_prefix(self.table.backbone_prefix).filter(|_| self.kind.is_bare());
        (format!("{}.{leaf}", bare.unwrap_or(&stored)), part)
    }

    /// Our names of what a weight on disk holds, with or without the backbone's prefix: none where the model has no such weight,
    /// several where it merges some of ours.
    pub fn canonical(self, stored: &str) -> Vec<(String, Part)> {
        let renamed = |entry: &Entry| Some((rename(stored, entry.stored, entry.canonical)?, entry.part));
        if let Some(found) = self.parameters().find_map(renamed) {
            return vec![found];
        }
        self.find(self.entries(), stored)
    }

    fn find(self, entries: impl Iterator<Item = &'static Entry>, stored: &str) -> Vec<(String, Part)> {
        let Some((module, leaf)) = stored.rsplit_once('.') else { return Vec::new() };
        let Some((_, leaf)) = LEAVES.iter().find(|(known, _)| *known == leaf) else { return Vec::new() };
        let found = entries.filter_map(|entry| {
            let bare = entry.stored.strip_prefix(self.table.backbone_prefix);
            let module = rename(module, entry.stored, entry.canonical).or_else(|| rename(module, bare?, entry.canonical))?;
            Some((format!("{module}.{leaf}"), entry.part))
        });
        // The first that fits, and where it is a part, the others of the same whole.
        let mut found = found.peekable();
        let of = found.peek().map_or(0, |(_, part)| part.of);
        found.take(of).collect()
    }

    /// Why a file may hold this weight although the model has no use for it, if it may.
    pub fn reason_to_ignore(self, stored: &str) -> Option<&'static str> {
        let bare = stored.strip_prefix(self.table.backbone_prefix).unwrap_or(stored);
        let entry = self.table.ignored.iter().find(|entry| match entry.pattern {
            Pattern::Exactly(name) => bare == name,
            Pattern::StartsWith(start) => bare.starts_with(start),
            Pattern::EndsWith(end) => bare.ends_with(end),
        });
        entry.map(|entry| entry.reason).or_else(|| {
            let other = self.table.heads.iter().find(|(_, entries)| !self.find(entries.iter(), stored).is_empty());
            other.map(|(kind, _)| kind.left_out())
        })
    }
}

/// `name` under the pattern `to` if it fits the pattern `from`.
fn rename(name: &str, from: &str, to: &str) -> Option<String> {
    let Some((start, first, end)) = numbered(from) else { return (name == from).then(|| to.to_owned()) };
    let number = name.strip_prefix(start)?.strip_suffix(end)?;
    // Only the one way to write a number, so that no two stored names mean the same layer.
    let parsed = number.parse::<u32>().ok().filter(|parsed| parsed.to_string() == number)?;
    let layer = parsed.checked_sub(first)?;
    let Some((start, first, end)) = numbered(to) else { return Some(to.to_owned()) };
    Some(format!("{start}{}{end}", layer.checked_add(first)?))
}

/// What stands before and behind the number of a layer in a pattern, and what the first layer's number is.
fn numbered(pattern: &str) -> Option<(&str, u32, &str)> {
    let counted = |mark: &str, first: u32| pattern.split_once(mark).map(|(start, end)| (start, first, end));
    counted("{}", 0).or_else(|| counted("{1}", 1))
}
