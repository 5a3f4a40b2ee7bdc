//! Turns what was written into a `Recipe`, or into every complaint about it at once. Knows which options contradict each other;
//! knows no model and no data (whether warm-up is longer than the training is seen when the steps are known, in `schedule`).

use std::collections::BTreeMap;
use std::path::Path;

use super::choices::{
    EmbeddingLoss, HeadBias, InitialWeights, LongTexts, OptimizerChoice, RegressionLoss, Sampling, Strategy, Task,
};
use super::error::{Place, RecipeError, RecipeErrors};
use super::field::{Field, FieldDefault};
use super::file::{Raw, RecipeFile};
use super::label_numbers::ClassWeights;
use super::options::{FIELDS, Recipe};
use super::value::{RecipeValue, Value};

/// The checked value of every option, and the complaints met on the way.
pub(super) struct Values {
    checked: BTreeMap<&'static str, Checked>,
    complaints: Vec<RecipeError>,
    /// Options already complained about, or missing: nothing more is said of them.
    doubtful: Vec<&'static str>,
}

struct Checked {
    value: Value,
    /// As it would be typed.
    shown: String,
    place: Place,
    is_default: bool,
}

impl Recipe {
    /// The complete recipe, or all that is wrong with it: unknown names, values out of range, missing options, contradictions.
    pub fn check(file: RecipeFile) -> Result<Recipe, RecipeErrors> {
        let mut values = Values { checked: BTreeMap::new(), complaints: Vec::new(), doubtful: Vec::new() };
        for given in file.given {
            match field(&given.name) {
                Some(field) => values.give(field, &given.raw, given.place),
                None => {
                    let nearest = nearest(&given.name, FIELDS.iter().map(|field| field.name));
                    values.complaints.push(RecipeError::Unknown { place: given.place, name: given.name, nearest });
                }
            }
        }
        for field in FIELDS {
            values.complete(field);
        }
        let recipe = Recipe::read(&mut values);
        values.contradictions(&recipe);
        if values.complaints.is_empty() { Ok(recipe) } else { Err(RecipeErrors { complaints: values.complaints }) }
    }
}

/// The option of that name (with underscores).
pub fn field(name: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.name == name)
}

impl Values {
    fn give(&mut self, field: &'static Field, raw: &Raw, place: Place) {
        match field.kind.check(raw) {
            Some(value) => {
                let is_default = field.default_value().is_some_and(|default| default == value);
                self.checked.insert(field.name, Checked { value, shown: raw.found(), place, is_default });
            }
            None => {
                let nearest = raw.text().and_then(|text| nearest(text, field.kind.words().into_iter()));
                self.refuse(field, raw.found(), place, nearest);
            }
        }
    }

    /// Puts the default where nothing was given.
    fn complete(&mut self, field: &'static Field) {
        if self.checked.contains_key(field.name) || self.doubtful.contains(&field.name) {
            return;
        }
        if let Some(value) = field.default_value() {
            let shown = field.default_text().to_owned();
            self.checked.insert(field.name, Checked { value, shown, place: Place::Default, is_default: true });
        } else if field.default == FieldDefault::Required {
            self.complaints.push(RecipeError::Missing { name: field.name, placeholder: field.kind.placeholder() });
            self.doubtful.push(field.name);
        }
    }

    /// The option's value as its type. Where that cannot be, a complaint stands for it and the value means nothing.
    pub(super) fn take<T: RecipeValue + Default>(&mut self, name: &'static str) -> T {
        let read = match self.checked.get(name) {
            Some(checked) => T::read(&checked.value),
            None => T::absent(),
        };
        read.unwrap_or_else(|| {
            if let (Some(field), Some(checked)) = (field(name), self.checked.remove(name)) {
                self.refuse(field, checked.shown, checked.place, None);
            }
            T::default()
        })
    }

    fn refuse(&mut self, field: &'static Field, found: String, place: Place, nearest: Option<&'static str>) {
        self.complaints.push(RecipeError::NotAccepted { place, name: field.name, found, accepted: field.accepted(), nearest });
        self.doubtful.push(field.name);
    }

    /// Whether the option was given a value that is not its default; a complete recipe may always repeat defaults.
    fn changed(&self, name: &str) -> bool {
        self.checked.get(name).is_some_and(|checked| !checked.is_default)
    }

    /// Complains of options that cannot both hold, and of options that would have no effect.
    fn contradictions(&mut self, recipe: &Recipe) {
        let adaptive = matches!(recipe.optimizer, OptimizerChoice::Adam | OptimizerChoice::AdamW);
        for name in ["beta1", "beta2", "epsilon", "bias_correction"] {
            self.contradiction(name, "optimizer", self.changed(name) && !adaptive, "it belongs to adam and adamw");
        }
        let has_velocity = recipe.optimizer == OptimizerChoice::Momentum;
        for name in ["momentum", "momentum_form", "nesterov"] {
            self.contradiction(name, "optimizer", self.changed(name) && !has_velocity, "it belongs to the optimizer momentum");
        }
        let idle = has_velocity && recipe.nesterov && recipe.momentum == 0.0;
        self.contradiction("nesterov", "momentum", idle, "without momentum there is nothing to look ahead along");

        let regression = recipe.task == Task::SequenceRegression;
        let of_regression = "it belongs to sequence_regression";
        self.contradiction("regression_loss", "task", self.changed("regression_loss") && !regression, of_regression);
        let huber = recipe.regression_loss == RegressionLoss::Huber;
        self.contradiction(
            "huber_delta",
            "regression_loss",
            self.changed("huber_delta") && !huber,
            "it belongs to the loss huber",
        );

        let masked = recipe.task == Task::MaskedLm;
        let embedding = recipe.task == Task::SentenceEmbedding;
        for name in ["mask_probability", "whole_word_masking"] {
            self.contradiction(name, "task", self.changed(name) && !masked, "it belongs to masked_lm");
        }
        for name in ["text_pair_column", "label_column"] {
            self.contradiction(name, "task", self.changed(name) && masked, "masked_lm reads one text, without a label");
        }
        self.contradictions_of_language(recipe);
        let tagged = recipe.task == Task::TokenClassification && self.changed("text_pair_column");
        self.contradiction("text_pair_column", "task", tagged, "the words of one text are tagged");
        let untagged = recipe.task != Task::TokenClassification;
        self.contradiction("tag_scheme", "task", self.changed("tag_scheme") && untagged, "it belongs to token_classification");
        let questions = recipe.task == Task::QuestionAnswering;
        for name in ["n_best_size", "max_answer_length", "null_score_diff_threshold"] {
            self.contradiction(name, "task", self.changed(name) && !questions, "it belongs to question_answering");
        }
        let cut = questions && recipe.long_texts == Some(LongTexts::Cut);
        self.contradiction("long_texts", "task", cut, "an answer may stand anywhere, so that every text is read whole");
        self.contradictions_of_embeddings(recipe);
        self.contradictions_of_targets(recipe);
        let foreseen = recipe.task == Task::CausalLm;
        let writes = recipe.task.writes();
        let unclassified = masked || foreseen || questions || embedding || writes;
        let of_classifiers = "it belongs to tasks with labels or numbers";
        self.contradiction("head_bias", "task", self.changed("head_bias") && unclassified, of_classifiers);
        for name in ["class_weights", "label_smoothing", "focal_gamma", "calibrate"] {
            // Every token is a label of the one before it, of which none can be named.
            let foreseen = (foreseen || writes) && name != "label_smoothing";
            let unlabelled = regression || masked || foreseen || questions || embedding;
            self.contradiction(name, "task", self.changed(name) && unlabelled, "it belongs to tasks with labels");
        }
        let frozen = recipe.initial_weights == InitialWeights::Random && recipe.strategy == Strategy::HeadOnly;
        self.contradiction(
            "initial_weights",
            "strategy",
            frozen,
            "weights that were drawn and are not trained say nothing of any text",
        );
        let several = recipe.task == Task::MultiLabelClassification;
        let one_answer = "it belongs to multi_label_classification";
        self.contradiction("thresholds", "task", self.changed("thresholds") && !several, one_answer);
        let both_shapes = recipe.label_smoothing > 0.0 && recipe.focal_gamma > 0.0;
        let unproven = "the two pull against each other: one trusts hard examples more, the other less; give one of the two";
        self.contradiction("focal_gamma", "label_smoothing", both_shapes, unproven);
        let sampled = recipe.sampling != Sampling::All;
        let one_label = recipe.task == Task::SequenceClassification;
        self.contradiction("sampling", "task", sampled && !one_label, "it needs one label for each example");
        let unequal = sampled && recipe.head_bias == Some(HeadBias::Prior);
        self.contradiction("head_bias", "sampling", unequal, "an epoch then has each label equally often");
        let balanced_twice = sampled && recipe.class_weights == ClassWeights::Balanced;
        self.contradiction("sampling", "class_weights", balanced_twice, "both balance the labels; give one of the two");

        let whole = recipe.long_texts.unwrap_or(LongTexts::usual(recipe.task)) != LongTexts::Windows;
        for name in ["window_stride", "window_pooling"] {
            self.contradiction(name, "long_texts", self.changed(name) && whole, "it belongs to windows");
        }
        let by_token =
            matches!(recipe.task, Task::TokenClassification | Task::MaskedLm | Task::CausalLm) && self.changed("window_pooling");
        self.contradiction("window_pooling", "task", by_token, "a word takes its logits from one window");
        let not_pooled = questions && self.changed("window_pooling");
        self.contradiction("window_pooling", "task", not_pooled, "the best answer of all windows is taken");
        let shared = recipe.window_stride.zip(recipe.max_length).is_some_and(|(stride, longest)| stride >= longest);
        self.contradiction("window_stride", "max_length", shared, "windows must move on; it must be smaller");

        let head_only = recipe.strategy == Strategy::HeadOnly;
        let frozen = "head_only freezes all but the head; give one of the two";
        self.contradiction("freeze", "strategy", head_only && !recipe.freeze.is_empty(), frozen);
        self.contradiction("layer_decay", "strategy", head_only && self.changed("layer_decay"), frozen);

        let counted_twice = recipe.max_steps.is_some() && self.changed("epochs");
        self.contradiction("epochs", "max_steps", counted_twice, "both say how long to train; give one of the two");
        let sized_twice = recipe.batch_tokens.is_some() && self.changed("batch_size");
        self.contradiction("batch_size", "batch_tokens", sized_twice, "both say how large a batch is; give one of the two");
        let held_out_twice = recipe.validation.is_some() && self.changed("validation_fraction");
        self.contradiction("validation_fraction", "validation", held_out_twice, "nothing is held out where a file is given");

        let longest = recipe.max_length.unwrap_or(0);
        let too_long = "a text of max_length would not fit; raise it, or lower max_length";
        let tokens_given = self.changed("micro_batch_tokens");
        self.contradiction("micro_batch_tokens", "max_length", tokens_given && longest > recipe.micro_batch_tokens, too_long);
        self.contradiction("batch_tokens", "max_length", recipe.batch_tokens.is_some_and(|tokens| longest > tokens), too_long);
        let both = recipe.resume && recipe.overwrite_output;
        self.contradiction("resume", "overwrite_output", both, "one goes on with a run, the other removes it");
        let itself = Path::new(&recipe.model) == recipe.output;
        self.contradiction("output", "model", itself, "the run would write over the model it starts from");
    }

    /// What belongs to language modelling, and what does not. What belongs to texts or to prompts alone is looked at when they are read.
    fn contradictions_of_language(&mut self, recipe: &Recipe) {
        let foreseen = recipe.task == Task::CausalLm;
        self.contradiction(
            "template",
            "task",
            recipe.template.is_some() && !foreseen && !recipe.task.writes(),
            "it belongs to causal_lm, summarization and translation",
        );
        let named_twice = recipe.template.is_some() && self.changed("text_column");
        self.contradiction("text_column", "template", named_twice, "the template names the columns of the prompt");
        let paired = foreseen && self.changed("text_pair_column");
        let of_pairs = "a text is gone on with; a prompt is the text, and its completion the label";
        self.contradiction("text_pair_column", "task", paired, of_pairs);
        let unforeseen = foreseen && recipe.window_stride == Some(0);
        self.contradiction("window_stride", "task", unforeseen, "a token is foreseen from one before it; share at least one");
        let head_only = (foreseen || recipe.task.writes()) && recipe.strategy == Strategy::HeadOnly;
        let shared = "the head of many language models is their word embeddings; freeze says what is not trained";
        self.contradiction("strategy", "task", head_only, shared);
    }

    /// What belongs to texts that are written from others, and what does not. What the model's own settings contradict is looked at when they
    /// are read.
    fn contradictions_of_targets(&mut self, recipe: &Recipe) {
        let writes = recipe.task.writes();
        let options =
            ["source_prefix", "max_target_length", "num_beams", "max_new_tokens", "length_penalty", "no_repeat_ngram_size"];
        for name in options {
            let given = self.changed(name);
            self.contradiction(name, "task", given && !writes, "it belongs to summarization and translation");
        }
        for name in ["source_language", "target_language"] {
            let given = self.changed(name);
            self.contradiction(name, "task", given && recipe.task != Task::Translation, "it belongs to translation");
        }
        let paired = writes && self.changed("text_pair_column");
        let of_pairs = "one text is written from, another is to be written: text_column and label_column";
        self.contradiction("text_pair_column", "task", paired, of_pairs);
        let divided = writes && recipe.long_texts == Some(LongTexts::Windows);
        self.contradiction("long_texts", "task", divided, "a text is written from all of its source at once; raise max_length");
        let filled = recipe.template.is_some();
        let of_template = "the template says what stands before the source";
        self.contradiction("source_prefix", "template", filled && self.changed("source_prefix"), of_template);
    }

    /// What belongs to sentence vectors, and what does not. A loss that follows from the examples is looked at when they are read.
    fn contradictions_of_embeddings(&mut self, recipe: &Recipe) {
        let embedding = recipe.task == Task::SentenceEmbedding;
        let options = ["pooling", "normalize", "embedding_loss", "embedding_scale", "embedding_margin", "triplet_distance"];
        for name in options {
            let given = self.changed(name);
            self.contradiction(name, "task", given && !embedding, "it belongs to sentence_embedding");
        }
        if !embedding {
            return;
        }
        if let Some(loss) = recipe.embedding_loss {
            let scaled = self.changed("embedding_scale") && !loss.spans_step();
            let of_scale = "it belongs to the losses cosent and multiple_negatives";
            self.contradiction("embedding_scale", "embedding_loss", scaled, of_scale);
            let margined = self.changed("embedding_margin") && !loss.has_margin();
            self.contradiction(
                "embedding_margin",
                "embedding_loss",
                margined,
                "it belongs to the losses contrastive and triplet",
            );
            let distant = self.changed("triplet_distance") && loss != EmbeddingLoss::Triplet;
            self.contradiction("triplet_distance", "embedding_loss", distant, "it belongs to the loss triplet");
            let joined = recipe.gradient_accumulation > 1 && loss.spans_step();
            let of_batch =
                "it compares all examples of a step: batch_size says how many, and micro_batch_tokens bounds the memory";
            self.contradiction("gradient_accumulation", "embedding_loss", joined, of_batch);
            let alone = recipe.batch_size == 1 && recipe.batch_tokens.is_none() && loss.spans_step();
            self.contradiction("batch_size", "embedding_loss", alone, "an example alone has nothing to be compared with");
        }
        let head_only = recipe.strategy == Strategy::HeadOnly;
        self.contradiction("strategy", "task", head_only, "pooling has no parameters that could be trained alone");
        let pooled = self.changed("window_pooling");
        let by_tokens = "the vectors of windows are averaged, each as often as it has tokens";
        self.contradiction("window_pooling", "task", pooled, by_tokens);
    }

    fn contradiction(&mut self, name: &'static str, other: &'static str, holds: bool, reason: &'static str) {
        // Where a value was refused or is missing, a stand-in is compared, which says nothing.
        let (Some(one), Some(two)) = (self.checked.get(name), self.checked.get(other)) else { return };
        if !holds {
            return;
        }
        self.complaints.push(RecipeError::Contradiction {
            place: one.place.clone(),
            name,
            value: one.shown.clone(),
            other_place: two.place.clone(),
            other,
            other_value: two.shown.clone(),
            reason,
        });
    }
}

impl Field {
    /// Whether a value, as it would be typed, is what holds when the option is not given.
    pub(super) fn is_default(&self, typed: Vec<String>) -> bool {
        let value = self.kind.check(&Raw::Typed(typed));
        value.is_some() && value == self.default_value()
    }

    /// The value that holds when the option is not given, where there is one.
    fn default_value(&self) -> Option<Value> {
        match self.default {
            FieldDefault::Typed(text) => self.kind.check(&Raw::Typed(vec![text.to_owned()])),
            FieldDefault::Required | FieldDefault::Unset(_) => None,
        }
    }
}

/// The candidate most like `name`, if it is like it at all: nearly the same letters, or one contained in the other.
fn nearest(name: &str, candidates: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let name = name.to_lowercase().replace('-', "_");
    let likeness = |candidate: &str| {
        let contained = candidate.len() > 3 && name.contains(candidate) || name.len() > 3 && candidate.contains(name.as_str());
        strsim::jaro_winkler(&name, candidate).max(if contained { 0.9 } else { 0.0 })
    };
    let likeliest = candidates.map(|candidate| (likeness(candidate), candidate)).max_by(|(a, _), (b, _)| a.total_cmp(b));
    likeliest.filter(|(likeness, _)| *likeness >= 0.85).map(|(_, candidate)| candidate)
}
