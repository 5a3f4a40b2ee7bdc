//! A student of Marian as a checkpoint of ours: every tensor matched with a weight, and its values in the order of the weight. Knows no setting and no
//! container.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value};

use super::item::{Item, Kind};
use super::problem::MarianProblem;
use super::student::{self, Student};
use super::{Marian, SPECIAL};
use crate::checkpoint::conversion::{Conversion, Stopped, Taker, Values, Weight, give_each};
use crate::error::{ConfigProblem, ModelError, WeightProblem};
use crate::families::Family;
use crate::head::Head;
use crate::model::{OnDisk, weights_on_disk};

/// What activations are multiplied with before products of 8 bits: nothing of the model, but of how fast it is computed.
const OF_ACTIVATIONS: &str = "_QuantMultA";

/// What the vocabulary of a model settles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarianVocabulary {
    /// The id of the end of a text.
    pub eos_token_id: u32,
    /// The id of what the vocabulary does not have.
    pub unk_token_id: u32,
}

/// How the values of a tensor lie, beside how those of the weight do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    /// As in the weight.
    Same,
    /// A row for each input; the weight has one for each output.
    Turned,
}

/// A tensor that holds a weight.
#[derive(Debug)]
pub(in crate::checkpoint) struct Stored<'a> {
    item: Item<'a>,
    layout: Layout,
}

impl<'a> Conversion<'a> {
    /// Matches what a model file of Marian holds with what a student of its settings has; `path` is named in errors.
    ///
    /// # Errors
    /// If the settings describe another model, a tensor is of a type that is not read, is missing, has another shape, or is not known: all
    /// of a kind at once.
    pub fn of_marian(path: &Path, marian: &Marian<'a>, vocabulary: MarianVocabulary) -> Result<Self, ModelError> {
        let owned = || path.to_owned();
        let metadata = |problems| ModelError::Metadata { path: owned(), problems };
        let Marian { items, settings } = marian;
        let tensors: Vec<&Item<'a>> = items.iter().filter(|item| is_tensor(&item.name)).collect();
        let Student { mut config, encoder_layers, decoder_layers, vocabulary_size, written_vocabulary_size, notices } =
            student::translate(settings, &tensors).map_err(metadata)?;
        config.insert("eos_token_id".to_owned(), vocabulary.eos_token_id.into());
        config.insert("unk_token_id".to_owned(), vocabulary.unk_token_id.into());
        if let Some(problem) = refused_types(&tensors) {
            return Err(ModelError::Marian { path: owned(), problem });
        }
        let wanted = weights(&config).map_err(metadata)?;
        let weights = matched(&tensors, wanted).map_err(|problems| ModelError::Tensors { path: owned(), problems })?;
        Ok(Self {
            path: owned(),
            weights,
            config,
            generation: Map::new(),
            model_type: Family::MarianSsru.model_type(),
            num_hidden_layers: encoder_layers,
            decoder_layers: Some(decoder_layers),
            max_positions: None,
            vocabulary_size,
            written_vocabulary_size,
            notices,
        })
    }
}

impl Stored<'_> {
    pub fn name(&self) -> &str {
        &self.item.name
    }

    pub fn type_name(&self) -> &'static str {
        self.item.kind.name()
    }

    /// Gives the values of the weight in its own order, part by part; `path` is named where they are damaged.
    pub fn for_each_part(&self, path: &Path, give: &mut Taker<'_>) -> Result<(), Stopped> {
        let Self { item, layout } = self;
        let bytes: Cow<'_, [u8]> =
            item.data.bytes().map_err(|problem| Stopped::Refused(ModelError::Marian { path: path.to_owned(), problem }))?;
        let count = item.count();
        let single = |place: usize| f32::from_le_bytes(*bytes[4 * place..].first_chunk().expect("four bytes a value"));
        match (&item.kind, layout) {
            (Kind::F32, Layout::Turned) => {
                let [inputs, outputs] = item.shape[..] else { unreachable!("a matrix is turned, not {:?}", item.shape) };
                give_each(count, |place| single(place % inputs * outputs + place / inputs), give)
            }
            (Kind::Intgemm8, _) => {
                // As in `unquantizeWemb` of `tensors/cpu/integer_common.h`; matrices lie transposed, as weights do here.
                let multiplier = f32::from_le_bytes(*bytes[count..].first_chunk().expect("a number behind the values"));
                let scale = 1.0 / multiplier;
                give_each(count, |place| f32::from(bytes[place].cast_signed()) * scale, give)
            }
            _ => give_each(count, single, give),
        }
    }
}

fn is_tensor(name: &str) -> bool {
    !name.starts_with(SPECIAL) && !name.ends_with(OF_ACTIVATIONS)
}

/// The types of tensors that are not read, with an example each.
fn refused_types(tensors: &[&Item<'_>]) -> Option<MarianProblem> {
    let mut examples: BTreeMap<String, (usize, &str)> = BTreeMap::new();
    for item in tensors.iter().filter(|item| !matches!(item.kind, Kind::F32 | Kind::Intgemm8)) {
        examples.entry(item.kind.to_string()).or_insert((0, &item.name)).0 += 1;
    }
    let shown = examples.into_iter().map(|(kind, (count, first))| match count {
        1 => format!("a tensor of type {kind} (\"{first}\")"),
        _ => format!("{count} tensors of type {kind} (\"{first}\" is the first)"),
    });
    let found = shown.collect::<Vec<_>>().join(", ");
    (!found.is_empty()).then_some(MarianProblem::Types { found, accepted: Kind::READ })
}

/// The weights that a model with this config has.
fn weights(config: &Map<String, Value>) -> Result<Vec<OnDisk>, Vec<ConfigProblem>> {
    let translation = Family::MarianSsru.translate(config)?;
    Ok(weights_on_disk(&translation, &Head::SequenceToSequence))
}

/// Each weight with its tensor, or everything that does not fit.
fn matched<'a>(tensors: &[&Item<'a>], wanted: Vec<OnDisk>) -> Result<Vec<Weight<'a>>, Vec<WeightProblem>> {
    let mut tensors: BTreeMap<&str, &Item<'a>> = tensors.iter().map(|item| (&*item.name, *item)).collect();
    let (mut weights, mut problems) = (Vec::new(), Vec::new());
    for OnDisk { name, shape, is_table } in wanted {
        let (expected, turned) = match shape[..] {
            [width] => (vec![1, width], Layout::Same),
            [outputs, inputs] if !is_table => (vec![inputs, outputs], Layout::Turned),
            _ => (shape.clone(), Layout::Same),
        };
        match tensors.remove(&*name) {
            None => problems.push(WeightProblem::Missing { name, shape: expected }),
            Some(item) if item.shape != expected => {
                problems.push(WeightProblem::Shape { name, found: item.shape.clone(), expected });
            }
            Some(item) => {
                let stored = Stored { item: item.clone(), layout: turned };
                weights.push(Weight { name, shape, values: Values::Marian(stored) });
            }
        }
    }
    problems.extend(
        tensors.into_values().map(|item| WeightProblem::Unexpected { name: item.name.clone(), shape: item.shape.clone() }),
    );
    if problems.is_empty() { Ok(weights) } else { Err(problems) }
}
