//! Texts that occur again, within a split and in another one. Knows texts and what should be said of them; no file and no page.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::tasks::Target;

/// The texts of a split, in the order of the examples.
pub(crate) struct Texts<'a> {
    each: Vec<Vec<&'a str>>,
}

/// How often texts occur again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Repeats {
    /// Examples whose text stands earlier in the split.
    pub repeated: usize,
    /// Those of them that have another answer there.
    pub contradicting: usize,
    /// Examples whose text stands in the training split, where that is another and at hand.
    pub also_in_train: Option<usize>,
}

impl<'a> Texts<'a> {
    /// What makes each example the same as another.
    pub fn new(each: Vec<Vec<&'a str>>) -> Self {
        Self { each }
    }

    /// How often they occur again; `train` are the texts of the training split, where this is another.
    pub fn repeats(&self, targets: &[Target], train: Option<&Texts<'_>>) -> Repeats {
        let mut firsts: HashMap<&[&str], usize> = HashMap::new();
        let mut repeats = Repeats::default();
        for (place, texts) in self.each.iter().enumerate() {
            let first = *firsts.entry(texts).or_insert(place);
            repeats.repeated += usize::from(first != place);
            repeats.contradicting += usize::from(first != place && targets.get(first) != targets.get(place));
        }
        if let Some(train) = train {
            let known: HashSet<&[&str]> = train.each.iter().map(Vec::as_slice).collect();
            repeats.also_in_train = Some(self.each.iter().filter(|texts| known.contains(texts.as_slice())).count());
        }
        repeats
    }

    /// The share of Chinese characters among the letters of the first texts: it tells which language a report is read in.
    pub fn share_of_han(&self) -> f64 {
        const LOOKED_AT: usize = 1000;
        let (mut han, mut letters) = (0_usize, 0_usize);
        for letter in self.each.iter().take(LOOKED_AT).flatten().flat_map(|text| text.chars()).filter(|c| c.is_alphabetic()) {
            letters += 1;
            han += usize::from(matches!(letter, '\u{3400}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}'));
        }
        han as f64 / letters.max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_occur_again_are_counted_once_each() {
        let train = Texts::new(vec![vec!["a"], vec!["b"], vec!["a"], vec!["a"]]);
        let targets = [0, 1, 0, 1].map(Target::Class);
        let expected = Repeats { repeated: 2, contradicting: 1, also_in_train: None };
        assert_eq!(train.repeats(&targets, None), expected);
        let other = Texts::new(vec![vec!["c"], vec!["b"], vec!["a", "b"]]);
        assert_eq!(other.repeats(&targets[..3], Some(&train)).also_in_train, Some(1));
    }

    #[test]
    fn the_script_of_texts_is_known() {
        assert!(Texts::new(vec![vec!["这本书很好 OK"], vec!["物流快"]]).share_of_han() > 0.7);
        assert!(Texts::new(vec![vec!["a film of 3 hours, 好"]]).share_of_han() < 0.2);
        assert_eq!(Texts::new(vec![vec!["123"]]).share_of_han(), 0.0);
    }
}
