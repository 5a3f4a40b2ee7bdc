//! An encoder, a decoder or both, with a head: what is loaded, run, trained and saved. Knows no text and no optimizer.

use std::path::Path;

use graftling_tensor::{Graph, ParameterId, Parameters, SequenceCache, Var};
use serde_json::Value;

use crate::architecture::{Architecture, Dropout, HeadLayout, VocabularyProjection};
use crate::batch::PackedBatch;
use crate::checkpoint::config::{Config, check_labels};
use crate::checkpoint::files::WeightFiles;
use crate::checkpoint::load::{Keep, LoadReport, Origins, draw, load};
use crate::checkpoint::save::save;
use crate::checkpoint::sentence_modules;
use crate::error::ModelError;
use crate::facts::{Depth, ModelFacts};
use crate::families::names::Names;
use crate::families::{Pairing, Translation};
use crate::head::{Head, HeadKind, Vocabulary};
use crate::nn::attention::Source;
use crate::nn::declarations::Declarations;
use crate::nn::heads::HeadBricks;
use crate::nn::memory::Memory;
use crate::nn::stack::{Stack, Wanted};

/// The name of the parameter that is added to the logits of a classifier, whatever the family.
pub const CLASSIFIER_BIAS: &str = "classifier.bias";

/// A model of any family with any head.
pub struct Model {
    /// The weights, under dotted names such as `encoder.layers.3.attention.query.weight`.
    pub parameters: Parameters,
    parts: Parts,
    /// Of the encoder, or of a decoder that stands alone; and of the decoder that looks at it.
    dropout: [Dropout; 2],
    head: Head,
    facts: ModelFacts,
    config: Config,
    names: Names,
    class: String,
}

/// The bricks, and where each of their parameters stands.
struct Parts {
    /// The encoder, or a decoder that stands alone.
    stack: Stack,
    /// A decoder that looks at it.
    decoder: Option<Stack>,
    head: HeadBricks,
    depths: Vec<(ParameterId, Depth)>,
    /// The parameters that are never trained.
    fixed: Vec<ParameterId>,
}

impl Parts {
    fn declare(architecture: &Architecture, decoder: Option<&Architecture>, names: Names, head: &Head) -> (Self, Declarations) {
        let mut declarations = Declarations::new(architecture.initializer_range);
        let stack = Stack::new(&mut declarations, architecture, None);
        let looking = decoder.map(|decoder| Stack::new(&mut declarations, decoder, Some(&stack)));
        let head = HeadBricks::new(&mut declarations, decoder.unwrap_or(architecture), names, head);
        let depths = declarations.iter().map(|(place, declaration)| (place, declaration.depth)).collect();
        let fixed = declarations.iter().filter(|(_, declaration)| declaration.is_fixed).map(|(place, _)| place).collect();
        (Self { stack, decoder: looking, head, depths, fixed }, declarations)
    }
}

/// A weight that a model has on disk.
pub(crate) struct OnDisk {
    pub name: String,
    pub shape: Vec<usize>,
    /// Whether it is a table of embeddings, with a row for each entry.
    pub is_table: bool,
}

/// The weights that a model of this architecture has on disk under this head.
pub(crate) fn weights_on_disk(translation: &Translation, head: &Head) -> Vec<OnDisk> {
    let names = translation.names.with_head(head.kind());
    let (_, declarations) = Parts::declare(&translation.architecture, translation.decoder.as_deref(), names, head);
    let on_disk = declarations.iter().map(|(_, declaration)| {
        let (name, part) = names.stored(&declaration.name);
        let is_table = declaration.depth == Depth::Embeddings;
        OnDisk { name, shape: part.stored_shape(&declaration.shape), is_table }
    });
    on_disk.collect()
}

impl Model {
    /// A pretrained model with this head. A head of labels is new and drawn from `seed` unless the checkpoint has just this
    /// one; any other is taken from the checkpoint where it has one. The report says which parameters are new.
    ///
    /// An encoder that is to write one text from another becomes a pair of itself: both halves have its weights, and what the
    /// decoder sees the encoder by is new (Rothe et al. 2020; `from_encoder_decoder_pretrained` of transformers' `EncoderDecoderModel`).
    pub fn from_pretrained(folder: &Path, head: Head, seed: u64) -> Result<(Self, LoadReport), ModelError> {
        let Opened { config, translation, pairing } = open(folder, &head)?;
        if let Some((pairing, stored)) = pairing {
            let origins = Origins::Pairing { seed, begins_as: pairing.begins_as };
            return Self::build(folder, config, translation, head, |declarations, _| {
                load(folder, declarations, stored, &origins, Keep::Copied)
            });
        }
        let has_this_head = config.head(&translation).is_ok_and(|stored| stored == head);
        let replaced: &[&str] = match head.kind() {
            _ if has_this_head => &[],
            HeadKind::QuestionAnswering if translation.names.stores_answers_as_classifier() => &["answers"],
            kind if kind.has_labels() => &["classifier"],
            _ => &[],
        };
        let origins = Origins::Fresh { seed, replaced };
        Self::build(folder, config, translation, head, |declarations, names| {
            load(folder, declarations, names, &origins, Keep::Copied)
        })
    }

    /// What [`from_pretrained`](Self::from_pretrained) gives, with every parameter drawn from `seed` as its family draws them: the same model
    /// before it was trained. No value is read from the folder; where the config does not tell which weights there are (T5), their names are.
    pub fn from_config(folder: &Path, head: Head, seed: u64) -> Result<(Self, LoadReport), ModelError> {
        let Opened { config, translation, .. } = open(folder, &head)?;
        Self::build(folder, config, translation, head, |declarations, _| Ok(draw(declarations, seed)))
    }

    /// A fine-tuned checkpoint: the head is its own, and every weight must be there.
    pub fn from_checkpoint(folder: &Path) -> Result<Self, ModelError> {
        Self::of_its_own(folder, Keep::Copied)
    }

    /// The same for a process that ends soon: weights of single precision stay in their file, which is mapped into memory. It is open at
    /// once and takes half the memory, and it must not outlive a file that is changed in place: saving here never does that, but other
    /// programs may. A parameter that is written to gets a copy of its own.
    pub fn from_checkpoint_mapped(folder: &Path) -> Result<Self, ModelError> {
        Self::of_its_own(folder, Keep::Mapped)
    }

    fn of_its_own(folder: &Path, keep: Keep) -> Result<Self, ModelError> {
        let (config, translation) = Config::read(folder)?;
        let head = config.head(&translation)?;
        // The pooler of a bare encoder is looked at by nobody, and may be missing.
        let origins = if head.kind().is_bare() { Origins::Fresh { seed: 0, replaced: &[] } } else { Origins::Stored };
        let filled = |declarations: &Declarations, names| load(folder, declarations, names, &origins, keep);
        Ok(Self::build(folder, config, translation, head, filled)?.0)
    }

    /// Declares the model, and has its parameters filled.
    fn build(
        folder: &Path,
        config: Config,
        translation: Translation,
        head: Head,
        fill: impl FnOnce(&Declarations, Names) -> Result<(Parameters, LoadReport), ModelError>,
    ) -> Result<(Self, LoadReport), ModelError> {
        let Translation { architecture, decoder, conventions, names, classes } = translation;
        let kind = head.kind();
        if !names.offers(kind) || (decoder.is_some() && kind != HeadKind::SequenceToSequence) {
            return Err(ModelError::HeadNotOffered {
                path: config.path,
                family: config.family.model_type(),
                head: kind.described(),
            });
        }
        let names = names.with_head(kind);
        let decoder = decoder.map(|decoder| as_stored(folder, *decoder, names)).transpose()?;
        let (parts, declarations) = Parts::declare(&architecture, decoder.as_ref(), names, &head);
        let (mut parameters, report) = fill(&declarations, names)?;
        parts.fixed.iter().for_each(|id| parameters.set_trainable(*id, false));
        let looking = decoder.as_ref().map(|decoder| (decoder, conventions));
        let facts = ModelFacts::new(config.family.model_type(), &architecture, looking, declarations.value_count());
        let class = classes.class(kind);
        let dropout = [architecture.dropout, decoder.map_or(architecture.dropout, |decoder| decoder.dropout)];
        Ok((Self { parameters, parts, dropout, head, facts, config, names, class }, report))
    }

    /// The logits: a row for each sequence, or for each token that the batch wants; a column for each label (each entry of the
    /// vocabulary; beginning and end of an answer). Of a sentence encoder the pooled vectors, `[sequences, hidden_size]`, of whatever
    /// length they are.
    ///
    /// # Panics
    /// If the batch contradicts itself, has an empty sequence, a sequence longer than the positions, or an id without embedding; or if
    /// the model writes one text from another.
    pub fn forward(&self, graph: &Graph<'_>, batch: &PackedBatch) -> Var {
        batch.assert_whole();
        assert!(self.parts.decoder.is_none(), "forward: {} reads two sequences", self.class);
        self.parts.head.forward(graph, &self.parts.stack, None, batch, &self.dropout[0])
    }

    /// The logits of a model that writes one text from another: a row for each token of the `targets` that is wanted, with the sources
    /// in view, sequence for sequence; a column for each entry of the vocabulary.
    ///
    /// # Panics
    /// If a batch contradicts itself, has an empty sequence, a sequence longer than the positions, or an id without embedding; if there
    /// is not one source for each target; or if the model reads one sequence at a time.
    pub fn forward_pair(&self, graph: &Graph<'_>, sources: &PackedBatch, targets: &PackedBatch) -> Var {
        let (decoder, hidden) = self.read_sources(graph, sources, targets);
        let looked_at = Some(Source::Vectors { hidden: &hidden, spans: &sources.spans });
        self.parts.head.forward(graph, decoder, looked_at, targets, &self.dropout[1])
    }

    /// The same before logits are made of it by the [`vocabulary`](Self::vocabulary), `[wanted, hidden_size]`: for losses and figures that never
    /// hold all logits.
    ///
    /// # Panics
    /// As there.
    pub fn forward_pair_vectors(&self, graph: &Graph<'_>, sources: &PackedBatch, targets: &PackedBatch) -> Var {
        let (decoder, hidden) = self.read_sources(graph, sources, targets);
        let wanted = targets.wanted.as_deref().map_or(Wanted::EveryToken, Wanted::Tokens);
        let looked_at = Some(Source::Vectors { hidden: &hidden, spans: &sources.spans });
        let tokens = decoder.forward(graph, looked_at, targets, wanted, &self.dropout[1]);
        self.parts.head.unprojected(graph, tokens)
    }

    /// The decoder of a model that writes one text from another, and what its encoder makes of the sources.
    fn read_sources(&self, graph: &Graph<'_>, sources: &PackedBatch, targets: &PackedBatch) -> (&Stack, Var) {
        sources.assert_whole();
        targets.assert_whole();
        let (count, others) = (sources.spans.count(), targets.spans.count());
        assert_eq!(count, others, "forward_pair: {count} sources for {others} targets");
        let Parts { stack, decoder, .. } = &self.parts;
        let Some(decoder) = decoder else { panic!("forward_pair: {} reads one sequence at a time", self.class) };
        (decoder, stack.forward(graph, None, sources, Wanted::EveryToken, &self.dropout[0]))
    }

    /// What a decoder has to know of each source: the keys and values of all its layers.
    ///
    /// # Panics
    /// As [`begin`](Self::begin).
    pub(crate) fn sources(&self, graph: &Graph<'_>, sources: &PackedBatch) -> Vec<SequenceCache> {
        let Parts { stack, decoder, .. } = &self.parts;
        let Some(decoder) = decoder else { panic!("begin: {} looks at no source", self.class) };
        let hidden = stack.forward(graph, None, sources, Wanted::EveryToken, &Dropout::NONE);
        decoder.remembered(graph, &hidden, &sources.spans)
    }

    /// The logits after the last token of each sequence, of which so many tokens were read before and memories hold what is remembered of
    /// them.
    ///
    /// # Panics
    /// As [`read_on`](Self::read_on).
    pub(crate) fn next_tokens(
        &self,
        graph: &Graph<'_>,
        batch: &PackedBatch,
        read: &[usize],
        memories: &mut [&mut Memory],
    ) -> Var {
        let Parts { stack, decoder, head, .. } = &self.parts;
        let kind = self.head.kind();
        let writes = matches!(kind, HeadKind::CausalLanguageModelling | HeadKind::SequenceToSequence);
        assert!(writes, "read_on: {} does not say what comes next", self.class);
        let stack = decoder.as_ref().unwrap_or(stack);
        head.next_tokens(graph, stack, stack.read_on(graph, batch, read, memories))
    }

    /// Of a language model, masked or causal, the vectors from which [`forward`](Self::forward) makes logits by its
    /// [`vocabulary`](Self::vocabulary), `[wanted, hidden_size]`, or as wide as word embeddings are: for losses and figures that never hold
    /// all logits.
    ///
    /// # Panics
    /// As there, and if the logits of the model's head are not over a vocabulary.
    pub fn forward_vectors(&self, graph: &Graph<'_>, batch: &PackedBatch) -> Var {
        batch.assert_whole();
        assert!(self.parts.decoder.is_none(), "forward_vectors: {} reads two sequences", self.class);
        let wanted = batch.wanted.as_deref().map_or(Wanted::EveryToken, Wanted::Tokens);
        let tokens = self.parts.stack.forward(graph, None, batch, wanted, &self.dropout[0]);
        self.parts.head.unprojected(graph, tokens)
    }

    /// By what a language model, or one that writes one text from another, makes logits of vectors,
    /// [`forward_vectors`](Self::forward_vectors) and [`forward_pair_vectors`](Self::forward_pair_vectors); none under any other head.
    pub fn vocabulary(&self) -> Option<Vocabulary> {
        let Parts { stack, decoder, head, .. } = &self.parts;
        head.vocabulary(&decoder.as_ref().unwrap_or(stack).embeddings)
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

    /// Whether anything that the model gives depends on a parameter. The pooler that a family saves with its bare encoder is kept and
    /// not looked at, also where a decoder looks at that encoder.
    ///
    /// # Panics
    /// If the parameter is not one of this model.
    pub fn is_used(&self, id: ParameterId) -> bool {
        match self.head.kind() {
            HeadKind::SequenceToSequence => !self.parameters.name(id).starts_with("pooler."),
            kind => !(kind.is_bare() && self.depth(id) == Depth::Head),
        }
    }

    /// Whether a parameter is a part of the model that is never trained.
    pub fn is_fixed(&self, id: ParameterId) -> bool {
        self.parts.fixed.contains(&id)
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

    /// The id that a text begins with which is written from another: what its first token follows. In some families it is the one behind
    /// the vocabulary and stands for no token at all; elsewhere it is the config's `decoder_start_token_id`, or where that says nothing the
    /// default of the family. None where nobody says it, or the decoder does not know what is said.
    pub fn decoder_start_token_id(&self) -> Option<u32> {
        const KEY: &str = "decoder_start_token_id";
        let decoder = self.facts.decoder?;
        let told = || match self.config.value(KEY).filter(|value| !value.is_null()) {
            Some(value) => value.as_u64().and_then(|id| u32::try_from(id).ok()),
            None => decoder.conventions.id(KEY),
        };
        decoder.start.or_else(|| told().filter(|id| (*id as usize) < decoder.vocabulary_size))
    }

    /// The keys of the config that no model of a known family has in transformers, and that nothing is made of here.
    pub fn unknown_config_keys(&self) -> Vec<&str> {
        self.config.unknown_keys()
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
        self.dropout = self.dropout.map(|dropout| dropout.everywhere(probability));
    }

    /// Writes `config.json` and `model.safetensors` under the family's Hugging Face names, and for a sentence encoder the modules of
    /// sentence-transformers. Each file is whole or as it was before.
    pub fn save(&self, folder: &Path) -> Result<(), ModelError> {
        save(folder, &self.config.with_head(&self.class, &self.head), &self.parameters, self.names)?;
        match self.head {
            Head::SentenceEmbedding { pooling, normalize } => {
                sentence_modules::write(folder, pooling, normalize, self.facts.hidden_size)
            }
            _ => Ok(()),
        }
    }
}

/// A folder that is opened for a model with some head, which need not be its own.
struct Opened {
    config: Config,
    translation: Translation,
    /// How an encoder that is to write one text from another has become a pair, which the others then describe, and how its weights are
    /// named on disk; none where it need not, or cannot.
    pairing: Option<(&'static Pairing, Names)>,
}

fn open(folder: &Path, head: &Head) -> Result<Opened, ModelError> {
    check_labels(head.labels(), head.fewest_labels())
        .map_err(|problem| ModelError::Labels { path: folder.to_owned(), problem })?;
    let (config, translation) = Config::read(folder)?;
    let pairing = config.family.pairing().filter(|_| translation.decoder.is_none() && *head == Head::SequenceToSequence);
    let Some(pairing) = pairing else { return Ok(Opened { config, translation, pairing: None }) };
    let stored = translation.names.of_pretraining();
    let (config, translation) = config.paired(pairing)?;
    Ok(Opened { config, translation, pairing: Some((pairing, stored)) })
}

/// The decoder with what the weights alone tell: whether the projection to the vocabulary has a matrix of its own.
fn as_stored(folder: &Path, mut decoder: Architecture, names: Names) -> Result<Architecture, ModelError> {
    if let HeadLayout::LastToken { vocabulary: vocabulary @ VocabularyProjection::AsStored, .. } = &mut decoder.layout.head {
        let (name, _) = names.stored("language.weight");
        let stored = WeightFiles::open(folder)?.tensors().any(|(_, tensor)| tensor.name == name);
        *vocabulary = if stored { VocabularyProjection::Own } else { VocabularyProjection::Tied };
    }
    Ok(decoder)
}
