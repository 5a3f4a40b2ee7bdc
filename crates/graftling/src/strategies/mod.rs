//! Which parameters are trained, and at what rate each. Knows parameters by their names, shapes and depths, never by their family.

mod full;
mod head_only;
mod pattern;

use graftling_models::{Depth, Model};
use graftling_tensor::Rate;

use crate::error::Complaints;
use crate::recipe::{Recipe, Strategy};
use crate::{Error, FreezingError};

/// What a recipe says about one parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Group {
    trainable: bool,
    /// What the base learning rate is multiplied by.
    rate_factor: f32,
    weight_decay: f32,
}

/// What decides about a parameter.
struct Place<'a> {
    name: &'a str,
    dimensions: usize,
    depth: Depth,
}

/// The groups of all parameters of a model, in their order.
pub(crate) struct Groups {
    groups: Vec<Group>,
}

impl Groups {
    /// The rates of all parameters in an update whose base learning rate is this one.
    pub fn rates(&self, learning_rate: f32) -> Vec<Rate> {
        self.groups
            .iter()
            .map(|group| Rate { learning_rate: learning_rate * group.rate_factor, weight_decay: group.weight_decay })
            .collect()
    }
}

/// Freezes what a recipe does not train, and says at what rates the rest learns.
pub(crate) fn apply(recipe: &Recipe, model: &mut Model) -> Result<Groups, Error> {
    let parameters = &model.parameters;
    let names: Vec<&str> = parameters.ids().map(|id| parameters.name(id)).collect();
    let mut complaints = Complaints::default();
    for wanted in recipe.freeze.iter().filter(|wanted| !names.iter().any(|name| pattern::matches(wanted, name))) {
        let near = pattern::near(wanted, &names);
        complaints.note::<()>(Err(Error::Freezing(FreezingError::NoSuchParameter { pattern: wanted.clone(), near })));
    }
    complaints.check()?;
    // The layers of a decoder stand above those of the encoder that it looks at.
    let facts = model.facts();
    let layers = facts.num_hidden_layers + facts.decoder.map_or(0, |decoder| decoder.num_hidden_layers);
    let mut groups: Vec<Group> = parameters
        .ids()
        .map(|id| Place { name: parameters.name(id), dimensions: parameters.shape(id).len(), depth: model.depth(id) })
        .map(|place| group(recipe, &place, layers))
        .collect();
    let used: Vec<bool> = parameters.ids().map(|id| model.is_used(id) && !model.is_fixed(id)).collect();
    groups.iter_mut().zip(used).for_each(|(group, used)| group.trainable &= used);
    if groups.iter().all(|group| !group.trainable) {
        return Err(FreezingError::NothingToTrain { freeze: recipe.freeze.clone() }.into());
    }
    for (id, group) in parameters.ids().zip(&groups) {
        model.parameters.set_trainable(id, group.trainable);
    }
    Ok(Groups { groups })
}

fn group(recipe: &Recipe, place: &Place<'_>, layers: usize) -> Group {
    let by_strategy = match recipe.strategy {
        Strategy::Full => full::trains(place.depth),
        Strategy::HeadOnly => head_only::trains(place.depth),
    };
    let frozen = recipe.freeze.iter().any(|wanted| pattern::matches(wanted, place.name));
    Group {
        trainable: by_strategy && !frozen,
        rate_factor: recipe.layer_decay.powi(below_the_head(place.depth, layers)),
        // Biases and the weights of norms are exactly the parameters of one dimension.
        weight_decay: if place.dimensions > 1 { recipe.weight_decay } else { 0.0 },
    }
}

/// How many floors a parameter lies below the head. The rate falls by the decay with each floor, as in Howard and Ruder,
/// "Universal language model fine-tuning for text classification" (2018), section 3.2.
fn below_the_head(depth: Depth, layers: usize) -> i32 {
    let floors = match depth {
        Depth::Head => 0,
        Depth::Layer(layer) => layers - layer,
        Depth::Embeddings => layers + 1,
    };
    i32::try_from(floors).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::RecipeFile;

    fn recipe(options: &str) -> Recipe {
        let text = format!("model = 'm'\ntrain = 't.csv'\noutput = 'o'\n{options}");
        Recipe::check(RecipeFile::from_toml(&text).unwrap()).unwrap()
    }

    #[test]
    fn groups_follow_the_recipe() {
        struct Case {
            options: &'static str,
            name: &'static str,
            dimensions: usize,
            depth: Depth,
            expected: (bool, f32, f32),
        }
        let case = |options, name, dimensions, depth, expected| Case { options, name, dimensions, depth, expected };
        let (word, norm) = ("embeddings.word.weight", "encoder.layers.5.norm.weight");
        let cases = [
            case("", word, 2, Depth::Embeddings, (true, 1.0, 0.0)),
            case("weight_decay = 0.1", word, 2, Depth::Embeddings, (true, 1.0, 0.1)),
            case("weight_decay = 0.1", norm, 1, Depth::Layer(5), (true, 1.0, 0.0)),
            case("weight_decay = 0.1", "classifier.bias", 1, Depth::Head, (true, 1.0, 0.0)),
            case("layer_decay = 0.5", "classifier.weight", 2, Depth::Head, (true, 1.0, 0.0)),
            case("layer_decay = 0.5", norm, 1, Depth::Layer(5), (true, 0.5, 0.0)),
            case("layer_decay = 0.5", "encoder.layers.0.norm.weight", 1, Depth::Layer(0), (true, 0.015_625, 0.0)),
            case("layer_decay = 0.5", word, 2, Depth::Embeddings, (true, 0.007_812_5, 0.0)),
            case("freeze = ['embeddings.*']", word, 2, Depth::Embeddings, (false, 1.0, 0.0)),
            case("freeze = ['embeddings.*']", norm, 1, Depth::Layer(5), (true, 1.0, 0.0)),
            case("strategy = 'head_only'", norm, 1, Depth::Layer(5), (false, 1.0, 0.0)),
            case("strategy = 'head_only'", "pooler.weight", 2, Depth::Head, (true, 1.0, 0.0)),
        ];
        let failures: Vec<String> = cases
            .iter()
            .filter_map(|case| {
                let place = Place { name: case.name, dimensions: case.dimensions, depth: case.depth };
                let found = group(&recipe(case.options), &place, 6);
                let found = (found.trainable, found.rate_factor, found.weight_decay);
                (found != case.expected)
                    .then(|| format!("{} for {}: {found:?}, not {:?}", case.options, case.name, case.expected))
            })
            .collect();
        assert!(failures.is_empty(), "{}", failures.join("\n"));
    }
}
