//! What is known of texts that are compared with each other, and of which form all of a file are. Knows no vector.

use std::collections::HashMap;

use graftling_text::{ComparedTexts, Examples};

use crate::Error;
use crate::recipe::EmbeddingLoss;

/// What is known of texts that are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Pairs with scores.
    Scored,
    /// Pairs that are alike (score 1) or not (score 0).
    Decided,
    /// A text, one that is like it and one that is not.
    Triplets,
    /// Pairs that are alike.
    Pairs,
}

impl Form {
    /// The form of the examples of a file.
    pub fn of(examples: &[ComparedTexts]) -> Self {
        match examples.first() {
            Some(first) if first.texts.len() == 3 => Self::Triplets,
            Some(first) if first.score.is_none() => Self::Pairs,
            _ if examples.iter().all(is_decided) => Self::Decided,
            _ => Self::Scored,
        }
    }

    /// What examples of this form are called.
    pub fn described(self) -> &'static str {
        match self {
            Self::Scored => "pairs with scores",
            Self::Decided => "pairs with the score 0 or 1",
            Self::Triplets => "triplets",
            Self::Pairs => "pairs without scores",
        }
    }

    /// Whether a loss can be computed of examples of this form.
    pub fn suits(self, loss: EmbeddingLoss) -> bool {
        match loss {
            EmbeddingLoss::Cosent | EmbeddingLoss::CosineSimilarity => matches!(self, Self::Scored | Self::Decided),
            EmbeddingLoss::MultipleNegatives => matches!(self, Self::Pairs | Self::Triplets),
            EmbeddingLoss::Contrastive => self == Self::Decided,
            EmbeddingLoss::Triplet => self == Self::Triplets,
        }
    }

    /// The loss that is taken where none is named.
    pub fn usual_loss(self) -> EmbeddingLoss {
        match self {
            Self::Scored => EmbeddingLoss::Cosent,
            Self::Decided => EmbeddingLoss::Contrastive,
            Self::Triplets | Self::Pairs => EmbeddingLoss::MultipleNegatives,
        }
    }

    /// Refuses examples of another form than this.
    pub fn check(self, examples: &Examples<ComparedTexts>) -> Result<(), Error> {
        let found = Self::of(&examples.examples);
        let of_scores = matches!(found, Self::Scored | Self::Decided);
        if found == self || (self == Self::Scored && of_scores) {
            return Ok(());
        }
        let line = match self {
            Self::Decided if of_scores => examples.examples.iter().find(|example| !is_decided(example)),
            _ => examples.examples.first(),
        };
        let (path, line) = (examples.source.clone(), line.map_or(1, |example| example.line));
        Err(Error::OtherFormOfTexts { path, line, found: found.described(), expected: self.described() })
    }
}

fn is_decided(example: &ComparedTexts) -> bool {
    example.score.is_some_and(|score| score == 0.0 || score == 1.0)
}

/// Refuses scores that no cosine can reach.
pub(super) fn check_cosines(examples: &Examples<ComparedTexts>) -> Result<(), Error> {
    let beyond = |example: &&ComparedTexts| example.score.is_some_and(|score| !(-1.0..=1.0).contains(&score));
    match examples.examples.iter().find(beyond) {
        Some(example) => Err(Error::ScoreIsNoCosine {
            path: examples.source.clone(),
            line: example.line,
            score: example.score.unwrap_or_default(),
        }),
        None => Ok(()),
    }
}

/// What the vectors of the texts of an example should be to each other.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Compared {
    /// Of which form it is.
    pub form: Form,
    /// How alike the texts of a pair are; 1 where there is no score.
    pub score: f32,
    /// Which first text and which second one it has, the same texts under the same number.
    pub identities: [usize; 2],
    /// How many tokens each window of each text has.
    pub windows: Vec<Vec<usize>>,
}

impl Compared {
    /// Whether a cosine can be its score.
    pub fn has_cosine(&self) -> bool {
        (-1.0..=1.0).contains(&self.score)
    }
}

/// One for each example. Its windows are not known yet.
pub(super) fn targets(form: Form, examples: &Examples<ComparedTexts>) -> Vec<Compared> {
    let mut numbers: [HashMap<&str, usize>; 2] = [HashMap::new(), HashMap::new()];
    let mut number = |side: usize, text| {
        let next = numbers[side].len();
        *numbers[side].entry(text).or_insert(next)
    };
    let target = |example| {
        let ComparedTexts { texts, score, .. }: &ComparedTexts = example;
        let identities = [number(0, texts[0].as_str()), number(1, texts[1].as_str())];
        Compared { form, score: score.unwrap_or(1.0), identities, windows: vec![Vec::new(); texts.len()] }
    };
    examples.examples.iter().map(target).collect()
}
