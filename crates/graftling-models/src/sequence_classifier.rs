//! The model of sequence classification: an encoder, its pooler, and a classifier over labels. Knows no text and no optimizer.

use std::path::Path;

use graftling_tensor::{Graph, ParameterId, Parameters, Var};

use crate::architecture::{Architecture, Dropout};
use crate::batch::PackedBatch;
use crate::checkpoint::config::{Config, check_labels};
use crate::checkpoint::load::{Heads, LoadReport, load};
use crate::checkpoint::save::save;
use crate::error::ModelError;
use crate::facts::{Depth, ModelFacts};
use crate::families::Translation;
use crate::families::names::NameTable;
use crate::nn::classification_head::ClassificationHead;
use crate::nn::declarations::Declarations;
use crate::nn::encoder::Encoder;
use crate::nn::pooler::Pooler;

/// A model that gives each sequence one logit a label.
pub struct SequenceClassifier {
    /// The weights, under dotted names such as `encoder.layers.3.attention.query.weight`.
    pub parameters: Parameters,
    parts: Parts,
    dropout: Dropout,
    labels: Vec<String>,
    facts: ModelFacts,
    config: Config,
    names: NameTable,
    class: &'static str,
}

/// The bricks, and where each of their parameters stands.
struct Parts {
    encoder: Encoder,
    pooler: Pooler,
    head: ClassificationHead,
    depths: Vec<(ParameterId, Depth)>,
}

impl Parts {
    fn declare(architecture: &Architecture, labels: usize) -> (Self, Declarations) {
        let mut declarations = Declarations::new(architecture.initializer_range);
        let encoder = Encoder::new(&mut declarations, architecture);
        let pooler = Pooler::new(&mut declarations, architecture);
        let head = ClassificationHead::new(&mut declarations, architecture.hidden_size, labels);
        let depths = declarations.iter().map(|(place, declaration)| (place, declaration.depth)).collect();
        (Self { encoder, pooler, head, depths }, declarations)
    }
}

impl SequenceClassifier {
    /// A pretrained encoder with a classifier for these labels, which is new and drawn from `seed` unless the checkpoint is
    /// a classifier of exactly these labels. The report says which parameters are new.
    pub fn from_pretrained(folder: &Path, labels: &[String], seed: u64) -> Result<(Self, LoadReport), ModelError> {
        check_labels(labels).map_err(|problem| ModelError::Labels { path: folder.to_owned(), problem })?;
        let (config, translation) = Config::read(folder)?;
        let class = translation.sequence_classifier;
        let has_this_head = config.classes().iter().any(|found| found == class)
            && config.require_sequence_classifier(class).is_ok()
            && config.labels().is_ok_and(|stored| stored == labels);
        let replaced: &[&str] = if has_this_head { &[] } else { &["classifier"] };
        Self::load(folder, config, translation, labels.to_vec(), &Heads::Fresh { seed, replaced })
    }

    /// A fine-tuned checkpoint: the labels are its own, and every weight must be there.
    pub fn from_checkpoint(folder: &Path) -> Result<Self, ModelError> {
        let (config, translation) = Config::read(folder)?;
        config.require_sequence_classifier(translation.sequence_classifier)?;
        let labels = config.labels()?;
        let (model, _) = Self::load(folder, config, translation, labels, &Heads::Stored)?;
        Ok(model)
    }

    fn load(
        folder: &Path,
        config: Config,
        translation: Translation,
        labels: Vec<String>,
        heads: &Heads<'_>,
    ) -> Result<(Self, LoadReport), ModelError> {
        let Translation { architecture, names, sequence_classifier: class } = translation;
        let (parts, declarations) = Parts::declare(&architecture, labels.len());
        let (parameters, report) = load(folder, &declarations, &names, heads)?;
        let facts = ModelFacts::new(config.family.model_type(), &architecture, declarations.value_count());
        Ok((Self { parameters, parts, dropout: architecture.dropout, labels, facts, config, names, class }, report))
    }

    /// The logits of each sequence: `[sequences, labels]`.
    ///
    /// # Panics
    /// If the batch contradicts itself, has an empty sequence, a sequence longer than the positions, or an id without embedding.
    pub fn forward(&self, graph: &Graph<'_>, batch: &PackedBatch) -> Var {
        batch.assert_whole();
        let first_tokens = self.parts.encoder.forward_first_tokens(graph, batch, &self.dropout);
        let pooled = self.parts.pooler.forward(graph, &first_tokens);
        self.parts.head.forward(graph, &pooled, self.dropout.classifier)
    }

    /// The names of the labels, in the order of the logits.
    pub fn labels(&self) -> &[String] {
        &self.labels
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

    /// The name that a parameter has on disk.
    pub fn stored_name(&self, id: ParameterId) -> String {
        self.names.stored(self.parameters.name(id))
    }

    /// Drops values with this probability everywhere, instead of the config's. The config that is saved keeps its own.
    ///
    /// # Panics
    /// If the probability is outside `[0, 1)`.
    pub fn set_dropout(&mut self, probability: f32) {
        assert!((0.0..1.0).contains(&probability), "dropout: probability {probability} is outside [0, 1)");
        self.dropout = Dropout { hidden: probability, attention: probability, classifier: probability };
    }

    /// Writes `config.json` and `model.safetensors` under the family's Hugging Face names. Each is whole or as it was before.
    pub fn save(&self, folder: &Path) -> Result<(), ModelError> {
        save(folder, &self.config.of_sequence_classifier(self.class, &self.labels), &self.parameters, &self.names)
    }
}
