//! An encoder with a head: what is loaded, run, trained and saved. Knows no text and no optimizer.

use std::path::Path;

use graftling_tensor::{Graph, ParameterId, Parameters, Var};
use serde_json::Value;

use crate::architecture::{Architecture, Dropout};
use crate::batch::PackedBatch;
use crate::checkpoint::config::{Config, check_labels};
use crate::checkpoint::load::{Heads, LoadReport, load};
use crate::checkpoint::save::save;
use crate::error::ModelError;
use crate::facts::{Depth, ModelFacts};
use crate::families::Translation;
use crate::families::names::Names;
use crate::head::{Head, HeadKind};
use crate::nn::declarations::Declarations;
use crate::nn::encoder::Encoder;
use crate::nn::heads::HeadBricks;

/// The name of the parameter that is added to the logits of a classifier, whatever the family.
pub const CLASSIFIER_BIAS: &str = "classifier.bias";

/// A model of any family with any head.
pub struct Model {
    /// The weights, under dotted names such as `encoder.layers.3.attention.query.weight`.
    pub parameters: Parameters,
    parts: Parts,
    dropout: Dropout,
    head: Head,
    facts: ModelFacts,
    config: Config,
    names: Names,
    class: String,
}

/// The bricks, and where each of their parameters stands.
struct Parts {
    encoder: Encoder,
    head: HeadBricks,
    depths: Vec<(ParameterId, Depth)>,
}

impl Parts {
    fn declare(architecture: &Architecture, head: &Head) -> (Self, Declarations) {
        let mut declarations = Declarations::new(architecture.initializer_range);
        let encoder = Encoder::new(&mut declarations, architecture);
        let head = HeadBricks::new(&mut declarations, architecture, head);
        let depths = declarations.iter().map(|(place, declaration)| (place, declaration.depth)).collect();
        (Self { encoder, head, depths }, declarations)
    }
}

impl Model {
    /// A pretrained encoder with this head. A head of labels is new and drawn from `seed` unless the checkpoint has just this
    /// one; any other is taken from the checkpoint where it has one. The report says which parameters are new.
    pub fn from_pretrained(folder: &Path, head: Head, seed: u64) -> Result<(Self, LoadReport), ModelError> {
        check_labels(head.labels(), head.fewest_labels())
            .map_err(|problem| ModelError::Labels { path: folder.to_owned(), problem })?;
        let (config, translation) = Config::read(folder)?;
        let has_this_head = config.head(&translation).is_ok_and(|stored| stored == head);
        let replaced: &[&str] = match head.kind() {
            _ if has_this_head => &[],
            HeadKind::QuestionAnswering if translation.names.stores_answers_as_classifier() => &["answers"],
            kind if kind.has_labels() => &["classifier"],
            _ => &[],
        };
        Self::load(folder, config, translation, head, &Heads::Fresh { seed, replaced })
    }

    /// A fine-tuned checkpoint: the head is its own, and every weight must be there.
    pub fn from_checkpoint(folder: &Path) -> Result<Self, ModelError> {
        let (config, translation) = Config::read(folder)?;
        let head = config.head(&translation)?;
        let (model, _) = Self::load(folder, config, translation, head, &Heads::Stored)?;
        Ok(model)
    }

    fn load(
        folder: &Path,
        config: Config,
        translation: Translation,
        head: Head,
        heads: &Heads<'_>,
    ) -> Result<(Self, LoadReport), ModelError> {
        let Translation { architecture, names, class_prefix } = translation;
        let kind = head.kind();
        if !names.offers(kind) {
            return Err(ModelError::HeadNotOffered {
                path: config.path,
                family: config.family.model_type(),
                head: kind.described(),
            });
        }
        let names = names.with_head(kind);
        let (parts, declarations) = Parts::declare(&architecture, &head);
        let (parameters, report) = load(folder, &declarations, names, heads)?;
        let facts = ModelFacts::new(config.family.model_type(), &architecture, declarations.value_count());
        let class = kind.class(class_prefix);
        Ok((Self { parameters, parts, dropout: architecture.dropout, head, facts, config, names, class }, report))
    }

    /// The logits: a row for each sequence, or for each token that the batch wants; a column for each label (each entry of the
    /// vocabulary; beginning and end of an answer).
    ///
    /// # Panics
    /// If the batch contradicts itself, has an empty sequence, a sequence longer than the positions, or an id without embedding.
    pub fn forward(&self, graph: &Graph<'_>, batch: &PackedBatch) -> Var {
        batch.assert_whole();
        self.parts.head.forward(graph, &self.parts.encoder, batch, &self.dropout)
    }

    /// What the model gives.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The names of the labels, in the order of the logits.
    pub fn labels(&self) -> &[String] {
        self.head.labels()
    }

    /// The figures that describe the model.
    pub fn facts(&self) -> &ModelFacts {
        &self.facts
    }

    /// Where in the model a parameter stands.
    ///
    /// # Panics
    /// If the parameter is not one of this model.
    pub fn depth(&self, id: ParameterId) -> Depth {
        match self.parts.depths.binary_search_by_key(&id, |(place, _)| *place) {
            Ok(index) => self.parts.depths[index].1,
            Err(_) => panic!("depth: {id:?} is not a parameter of this model"),
        }
    }

    /// The name on disk of the weight that is the parameter, or holds it beside others.
    pub fn stored_name(&self, id: ParameterId) -> String {
        self.names.stored(self.parameters.name(id)).0
    }

    /// Starts a classifier from this bias, one value a label.
    ///
    /// # Panics
    /// If the model has no classifier, or one of another number of labels.
    pub fn set_classifier_bias(&mut self, bias: &[f32]) {
        let Some(id) = self.parameters.find(CLASSIFIER_BIAS) else { panic!("set_classifier_bias: {} has none", self.class) };
        let values = self.parameters.values_mut(id);
        assert_eq!(values.len(), bias.len(), "set_classifier_bias: {} labels but {} values", values.len(), bias.len());
        values.copy_from_slice(bias);
    }

    /// What the config says under a key, whoever wrote it.
    pub fn config_value(&self, key: &str) -> Option<&Value> {
        self.config.value(key)
    }

    /// Writes something into the config that is saved; keys of the family itself are not to be touched.
    pub fn set_config_value(&mut self, key: &str, value: Value) {
        self.config.set(key, value);
    }

    /// Drops values with this probability wherever the family does, instead of the config's. The config that is saved keeps its own.
    ///
    /// # Panics
    /// If the probability is outside `[0, 1)`.
    pub fn set_dropout(&mut self, probability: f32) {
        assert!((0.0..1.0).contains(&probability), "dropout: probability {probability} is outside [0, 1)");
        self.dropout = self.dropout.everywhere(probability);
    }

    /// Writes `config.json` and `model.safetensors` under the family's Hugging Face names. Each is whole or as it was before.
    pub fn save(&self, folder: &Path) -> Result<(), ModelError> {
        save(folder, &self.config.with_head(&self.class, &self.head), &self.parameters, self.names)
    }
}
