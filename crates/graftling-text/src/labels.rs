//! The names of the classes and their numbers. Knows nothing of where the names come from.

use std::collections::{BTreeSet, HashMap};

use crate::nearest::nearest;
use crate::problem::{Kind, Problem, Problems};
use crate::{Dataset, Example, TextError};

/// The class names, each with its number: the place of its logit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelSet {
    names: Vec<String>,
    ids: HashMap<String, usize>,
}

impl LabelSet {
    /// All labels that occur, sorted: whole numbers by their value, names by their characters.
    pub fn from_examples(examples: &[Example]) -> LabelSet {
        Self::sorted(examples.iter().filter_map(|example| example.label.as_ref()))
    }

    /// These names, each once, sorted in the same way.
    pub fn sorted<'a>(names: impl IntoIterator<Item = &'a String>) -> LabelSet {
        let distinct: BTreeSet<&String> = names.into_iter().collect();
        let mut names: Vec<String> = distinct.into_iter().cloned().collect();
        if names.iter().all(|name| name.parse::<i64>().is_ok()) {
            names.sort_by_key(|name| name.parse::<i64>().ok());
        }
        Self::from_names(&names)
    }

    /// These names in this order, as a model's configuration lists them. Of a name that occurs twice the first place counts.
    pub fn from_names<T: AsRef<str>>(names: &[T]) -> LabelSet {
        let names: Vec<String> = names.iter().map(|name| name.as_ref().to_owned()).collect();
        let mut ids = HashMap::new();
        for (id, name) in names.iter().enumerate() {
            ids.entry(name.clone()).or_insert(id);
        }
        LabelSet { names, ids }
    }

    /// The number of a class.
    pub fn id(&self, name: &str) -> Option<usize> {
        self.ids.get(name).copied()
    }

    /// The name of a class. Panics where there is no such class.
    pub fn name(&self, id: usize) -> &str {
        &self.names[id]
    }

    /// All names, in the order of their numbers.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// How many classes there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there are no classes at all.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The class that a misspelt name most likely means.
    pub fn nearest(&self, name: &str) -> Option<&str> {
        nearest(name, &self.names)
    }

    /// The class number of every example; all labels that are no class here are told in one error.
    pub fn ids(&self, dataset: &Dataset) -> Result<Vec<usize>, TextError> {
        let mut problems = Problems::new(&dataset.source);
        let mut ids = Vec::with_capacity(dataset.examples.len());
        for example in &dataset.examples {
            let label = example.label.as_deref().unwrap_or_default();
            match self.id(label) {
                Some(id) => ids.push(id),
                None => self.complain(label, example.line, &mut problems),
            }
        }
        problems.check().map(|()| ids)
    }

    /// Says that a label is none of these.
    fn complain(&self, label: &str, line: usize, problems: &mut Problems) {
        problems.add_with((Kind::of_unknown_labels(), Some(line)), || Problem::UnknownLabel {
            line,
            label: label.to_owned(),
            accepted: self.names.clone(),
            near: self.nearest(label).map(str::to_owned),
        });
    }

    /// The classes of training data, of which there must be two at least.
    pub fn for_training(dataset: &Dataset) -> Result<LabelSet, TextError> {
        let labels = Self::from_examples(&dataset.examples);
        let mut problems = Problems::new(&dataset.source);
        if labels.len() < 2 {
            let label = labels.names.first().cloned().unwrap_or_default();
            problems.add(Problem::OneClass { label, rows: dataset.examples.len() });
        }
        problems.check().map(|()| labels)
    }
}

/// Tells all labels of a dataset that are none of these in one error.
pub fn unknown_labels(labels: &LabelSet, dataset: &Dataset<Vec<String>>) -> Result<(), TextError> {
    let mut problems = Problems::new(&dataset.source);
    for example in &dataset.examples {
        for label in example.label.iter().flatten().filter(|label| labels.id(label).is_none()) {
            labels.complain(label, example.line, &mut problems);
        }
    }
    problems.check()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::ChosenColumns;

    fn dataset(labels: &[&str]) -> Dataset {
        let example = |(index, label): (usize, &&str)| Example {
            text: format!("text {index}"),
            text_pair: None,
            label: Some((*label).to_owned()),
            line: index + 2,
        };
        Dataset {
            source: PathBuf::from("test.csv"),
            examples: labels.iter().enumerate().map(example).collect(),
            columns: ChosenColumns { text: "text".into(), text_pair: None, label: Some("label".into()) },
            notices: Vec::new(),
        }
    }

    #[test]
    fn names_are_sorted_and_numbers_by_value() {
        assert_eq!(LabelSet::from_examples(&dataset(&["b", "a", "b", "正"]).examples).names(), ["a", "b", "正"]);
        assert_eq!(LabelSet::from_examples(&dataset(&["10", "2", "-1"]).examples).names(), ["-1", "2", "10"]);
    }

    #[test]
    fn names_of_a_model_keep_their_order() {
        let labels = LabelSet::from_names(&["positive", "negative"]);
        assert_eq!((labels.id("negative"), labels.name(0), labels.len()), (Some(1), "positive", 2));
        assert_eq!(labels.id("neutral"), None);
    }

    #[test]
    fn labels_that_training_never_saw_are_told_with_the_nearest() {
        let labels = LabelSet::from_names(&["negative", "neutral", "positive"]);
        let test = dataset(&["neutral", "posittive", "other"]);
        let message = labels.ids(&test).unwrap_err().to_string();
        let expected = "2 problems in test.csv\n  \
             test.csv:3: label \"posittive\" is not one of negative, neutral, positive (did you mean \"positive\"?)\n  \
             test.csv:4: label \"other\" is not one of negative, neutral, positive";
        assert_eq!(message, expected);
        assert_eq!(labels.ids(&dataset(&["positive", "negative"])).unwrap(), [2, 0]);
    }

    #[test]
    fn one_class_is_not_enough_to_train() {
        let message = LabelSet::for_training(&dataset(&["spam", "spam"])).unwrap_err().to_string();
        let expected =
            "test.csv: all 2 rows have the label \"spam\"; at least two different labels are needed to learn to tell them apart";
        assert_eq!(message, expected);
        assert_eq!(LabelSet::for_training(&dataset(&["spam", "ham"])).unwrap().names(), ["ham", "spam"]);
    }
}
