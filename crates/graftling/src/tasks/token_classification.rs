//! A tag for each word of a sentence: named entities, parts of speech. Knows nothing of how words become logits.
//!
//! The first token of a word speaks for it, in training and in prediction; the other tokens of the word have no part in the loss.

use std::collections::BTreeMap;

use graftling_models::Head;
use graftling_tensor::{Graph, Var};
use graftling_text::{LabelSet, TokenDataset, TokenExample, WordOrigin};

use super::card_words::labels_told;
use super::class_logits::{cross_entropy_at, largest, softmax_at};
use super::class_loss::ClassLoss;
use super::{Answer, CardWords, Holds, Judged, Objective, Spoken, Target, Told, ToldWord, Verdict};
use crate::data::Data;
use crate::decisions::{Decisions, FittedDecisions};
use crate::features::Features;
use crate::metrics::{EntityMetrics, EntitySample, Metrics, Resampled, Scheme, temperature_of_classes, tolerant_entities};
use crate::predict::{Entity, TaggedWord};
use crate::recipe::{BestMetric, Calibrate, Recipe, TagScheme};
use crate::{Error, Said};

/// The tag of a word that belongs to nothing. A word that was cut off has it, too, and so counts as missed.
const OUTSIDE: &str = "O";

/// The tags to tell apart, and the loss that training lowers.
pub(super) struct TokenClassification {
    tags: LabelSet,
    /// The scheme of the strict mode, where the tags have one.
    scheme: Option<Scheme>,
    loss: ClassLoss,
    decisions: Decisions,
}

impl TokenClassification {
    /// The tags that occur in the training examples, in the order of their names; there are two at least.
    pub fn from_examples(dataset: &TokenDataset, recipe: &Recipe) -> Result<Self, Error> {
        let tags = dataset.tag_set();
        if tags.len() < 2 {
            return Err(Error::OneTag { path: dataset.source.clone(), tags: tags.names().to_vec() });
        }
        let scheme = chosen_scheme(recipe.tag_scheme, tags.names())?;
        let given = dataset.examples.iter().flat_map(|example| example.tags.iter().flatten());
        let loss = ClassLoss::of_one_label(recipe, &tags, given.filter_map(|tag| tags.id(tag)))?;
        Ok(Self { tags, scheme, loss, decisions: Decisions::default() })
    }

    /// The tags of a model, in the order of its logits.
    pub fn from_labels(labels: &[String], recipe: Option<&Recipe>) -> Result<Self, Error> {
        let scheme = chosen_scheme(recipe.and_then(|recipe| recipe.tag_scheme), labels)?;
        Ok(Self { tags: LabelSet::from_names(labels), scheme, loss: ClassLoss::plain(), decisions: Decisions::default() })
    }

    /// The logits of each word that the model saw.
    fn rows<'a>(&self, answer: &'a Answer) -> impl Iterator<Item = &'a [f32]> + use<'a> {
        logits(answer).chunks_exact(self.tags.len())
    }

    /// The most probable class of each word that the model saw.
    fn classes(&self, answer: &Answer) -> Vec<usize> {
        self.rows(answer).map(largest).collect()
    }

    /// The same with its probability.
    fn decided(&self, answer: &Answer) -> Vec<(usize, f32)> {
        let decided = |row| (largest(row), softmax_at(self.decisions.divisor(), row));
        self.rows(answer).map(decided).map(|(class, probabilities)| (class, probabilities[class])).collect()
    }

    /// The logits of each word of a sentence whose tag the model knows, and its class.
    fn judgeable<'a>(&self, answer: &'a Answer, target: &Target) -> Vec<(&'a [f32], usize)> {
        let Tagged { classes, seen, .. } = tagged(target);
        self.rows(answer).zip(seen).filter_map(|(row, &word)| Some((row, classes[word]?))).collect()
    }

    /// The tag of every word, said of the words that the model saw.
    fn of_all_words(&self, seen: &[usize], classes: &[usize], words: usize) -> Vec<&str> {
        let mut tags = vec![OUTSIDE; words];
        for (&word, &class) in seen.iter().zip(classes) {
            tags[word] = self.tags.name(class);
        }
        tags
    }

    /// The tag that each word of each sentence was given.
    fn said_tags(&self, answers: &[Answer], targets: &[Target]) -> Vec<Vec<&str>> {
        let of_sentence = |(answer, target): (&Answer, &Target)| {
            let Tagged { tags, seen, .. } = tagged(target);
            self.of_all_words(seen, &self.classes(answer), tags.len())
        };
        answers.iter().zip(targets).map(of_sentence).collect()
    }

    /// Whether the tags are those of entities: they have a scheme, or the letters of one.
    fn spells_entities(&self) -> bool {
        let letters = |tag: &String| tag == OUTSIDE || tag.split_once('-').is_some_and(|(letter, _)| letter.len() == 1);
        self.scheme.is_some() || self.tags.names().iter().all(letters)
    }
}

impl Objective for TokenClassification {
    fn head(&self) -> Head {
        Head::TokenClassification { labels: self.tags.names().to_vec() }
    }

    fn labels(&self) -> &[String] {
        self.tags.names()
    }

    fn card(&self) -> CardWords {
        let gives = labels_told("each word of a text one of", self.labels());
        CardWords::of_texts("token-classification", "AutoModelForTokenClassification", "Token classifier", gives)
    }

    fn targets(&self, data: &Data) -> Result<Vec<Target>, Error> {
        let Data::Words(dataset) = data else { panic!("token classification: examples of another form") };
        let target = |example: &TokenExample| {
            let tags = example.tags.clone().unwrap_or_default();
            Target::Tags { classes: tags.iter().map(|tag| self.tags.id(tag)).collect(), tags, seen: Vec::new() }
        };
        Ok(dataset.examples.iter().map(target).collect())
    }

    fn notices(&self, data: &Data) -> Vec<String> {
        let Data::Words(dataset) = data else { panic!("token classification: examples of another form") };
        let mut unknown: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        for example in &dataset.examples {
            for (word, tag) in example.tags.iter().flatten().enumerate().filter(|(_, tag)| self.tags.id(tag).is_none()) {
                unknown.entry(tag).or_insert((0, example.line_of(word))).0 += 1;
            }
        }
        let notice = |(tag, (words, line)): (&str, (usize, usize))| {
            let near = self.tags.nearest(tag).map_or(String::new(), |near| format!("; did you mean \"{near}\"?"));
            format!(
                "{}:{line}: training never saw the tag \"{tag}\": words that have it ({words}) count as missed{near}",
                dataset.source.display()
            )
        };
        unknown.into_iter().map(notice).collect()
    }

    fn loss(&self, graph: &Graph<'_>, logits: &Var, targets: &[&Target], normalizer: f32) -> Var {
        let (logits, classes) = known(graph, logits, targets);
        graph.cross_entropy(&logits, &classes, normalizer)
    }

    fn training_loss(&self, graph: &Graph<'_>, logits: &Var, targets: &[&Target], normalizer: f32) -> Var {
        let (logits, classes) = known(graph, logits, targets);
        self.loss.of_classes(graph, &logits, &classes, normalizer)
    }

    fn training_weight(&self, target: &Target) -> f64 {
        let Tagged { classes, seen, .. } = tagged(target);
        seen.iter().filter_map(|&word| classes[word]).map(|class| self.loss.weight(class)).sum()
    }

    fn prior(&self, targets: &[Target]) -> Option<Vec<f32>> {
        let classes =
            targets.iter().map(tagged).flat_map(|Tagged { classes, seen, .. }| seen.iter().filter_map(|&word| classes[word]));
        Some(self.loss.prior_of_classes(self.tags.len(), classes))
    }

    fn answer(&self, logits: &[f32], _: usize, _: &[Features]) -> Answer {
        Answer::Tags { logits: logits.to_vec() }
    }

    fn say(&self, answer: &Answer, of: &Spoken<'_>) -> Said {
        let Some(example) = of.words else { panic!("token classification: tags without words") };
        let seen = of.seen;
        let (classes, probabilities): (Vec<usize>, Vec<f32>) = self.decided(answer).into_iter().unzip();
        let tags = self.of_all_words(seen, &classes, example.words.len());
        let mut certainty = vec![None; example.words.len()];
        seen.iter().zip(probabilities).for_each(|(&word, probability)| certainty[word] = Some(probability));
        if !self.spells_entities() {
            let words = example.words.iter().zip(&tags).zip(&certainty);
            let tagged = words.map(|((word, tag), probability)| TaggedWord {
                word: word.clone(),
                tag: (*tag).to_owned(),
                probability: *probability,
            });
            return Said::Tags { tags: tagged.collect() };
        }
        let entity = |span: crate::metrics::Span| {
            let known: Vec<f32> = certainty[span.start..span.end].iter().flatten().copied().collect();
            let (text, characters) = wording(example, span.start, span.end);
            let probability = known.iter().sum::<f32>() / known.len().max(1) as f32;
            Entity { label: span.kind, text, characters, words: (span.start, span.end), probability }
        };
        let bilou = self.scheme == Some(Scheme::Bilou);
        let read: Vec<String> = tags.iter().map(|tag| if bilou { in_iobes(tag) } else { (*tag).to_owned() }).collect();
        let entities = tolerant_entities(&read).into_iter().map(entity).collect();
        Said::Entities { entities, tags: tags.into_iter().map(str::to_owned).collect() }
    }

    fn metrics(&self, _: &Decisions, answers: &[Answer], targets: &[Target], loss: f64) -> Metrics {
        let (truths, predictions) = (true_tags(targets), self.said_tags(answers, targets));
        Metrics::Entities(match self.spells_entities() {
            true => EntityMetrics::with_scheme(self.scheme, &truths, &predictions, loss),
            false => EntityMetrics::of_words(&truths, &predictions, loss),
        })
    }

    fn set_tag_scheme(&mut self, scheme: TagScheme) -> Result<bool, Error> {
        self.scheme = chosen_scheme(Some(scheme), self.tags.names())?;
        Ok(true)
    }

    fn decisions(&self) -> Option<&Decisions> {
        Some(&self.decisions)
    }

    fn decisions_mut(&mut self) -> Option<&mut Decisions> {
        Some(&mut self.decisions)
    }

    fn losses_at(&self, temperature: f64, answers: &[Answer], targets: &[Target]) -> Vec<f64> {
        let of_sentence = |(answer, target)| {
            self.judgeable(answer, target).into_iter().map(|(row, class)| cross_entropy_at(temperature, row, class)).sum()
        };
        answers.iter().zip(targets).map(of_sentence).collect()
    }

    /// A temperature for the tags of all words that the model saw.
    fn fit_decisions(&self, recipe: &Recipe, answers: &[Answer], targets: &[Target]) -> FittedDecisions {
        if recipe.calibrate == Calibrate::None {
            return FittedDecisions::default();
        }
        let words = answers.iter().zip(targets).flat_map(|(answer, target)| self.judgeable(answer, target));
        let (rows, truths): (Vec<&[f32]>, Vec<usize>) = words.unzip();
        FittedDecisions::of_temperature(temperature_of_classes(self.tags.len(), &rows.concat(), &truths))
    }

    fn sample(&self, answers: &[Answer], targets: &[Target], losses: Vec<f64>) -> Box<dyn Resampled> {
        let (truths, predictions) = (true_tags(targets), self.said_tags(answers, targets));
        let terms: Vec<usize> = targets.iter().map(Target::terms).collect();
        Box::new(match self.spells_entities() {
            true => EntitySample::with_scheme(self.scheme, &truths, &predictions, losses, &terms),
            false => EntitySample::of_words(&truths, &predictions, losses, &terms),
        })
    }

    fn has_own_losses(&self) -> bool {
        true
    }

    fn holds(&self, target: &Target) -> Holds {
        Holds::Labels(tagged(target).classes.iter().flatten().copied().collect())
    }

    /// A word that was cut off counts as wrong if it is part of something.
    fn judged(&self, answer: &Answer, target: &Target) -> Option<Judged> {
        let Tagged { tags, seen, .. } = tagged(target);
        let (said, probabilities): (Vec<usize>, Vec<f32>) = self.decided(answer).into_iter().unzip();
        let rows = seen.iter().zip(&said).zip(probabilities);
        let decisions: Vec<(f32, bool)> =
            rows.map(|((&word, &class), probability)| (probability, tags[word] == self.tags.name(class))).collect();
        let right = self.of_all_words(seen, &said, tags.len()).iter().zip(tags).all(|(said, tag)| said == tag);
        Some(Judged { verdict: Verdict::new(right), decisions, numbers: Vec::new() })
    }

    fn told(&self, answer: &Answer, target: &Target, of: &Spoken<'_>) -> Told {
        let Tagged { tags, seen, .. } = tagged(target);
        let said = self.of_all_words(seen, &self.classes(answer), tags.len());
        let words = of.words.iter().flat_map(|example| &example.words).zip(tags).zip(said);
        let told = words.map(|((word, tag), said)| ToldWord { word: word.clone(), tag: tag.clone(), predicted: said.to_owned() });
        Told::Tags { words: told.collect() }
    }

    fn best_metrics(&self) -> &'static [BestMetric] {
        use BestMetric::{Accuracy, F1, F1Macro, F1Weighted, Loss, StrictF1};
        if self.spells_entities() {
            &[F1, StrictF1, F1Macro, F1Weighted, Accuracy, Loss]
        } else {
            &[Accuracy, F1Macro, F1Weighted, Loss]
        }
    }
}

/// The scheme that was asked for, whose letters all tags must have; where none was, the one that their letters say.
fn chosen_scheme(asked: Option<TagScheme>, tags: &[String]) -> Result<Option<Scheme>, Error> {
    let Some(scheme) = asked.map(Scheme::from) else { return Ok(Scheme::of_tags(tags)) };
    match scheme.stranger(tags) {
        Some(tag) => Err(Error::TagOfOtherScheme { scheme, tag: tag.to_owned() }),
        None => Ok(Some(scheme)),
    }
}

/// The tag that each word of each sentence has.
fn true_tags(targets: &[Target]) -> Vec<Vec<&str>> {
    targets.iter().map(|target| tagged(target).tags.iter().map(String::as_str).collect()).collect()
}

/// The rows of logits whose tags the model knows, and their classes.
fn known(graph: &Graph<'_>, logits: &Var, targets: &[&Target]) -> (Var, Vec<usize>) {
    let rows = targets.iter().flat_map(|target| {
        let Tagged { classes, seen, .. } = tagged(target);
        seen.iter().map(|&word| classes[word])
    });
    let rows: Vec<Option<usize>> = rows.collect();
    let classes: Vec<usize> = rows.iter().copied().flatten().collect();
    if classes.len() == rows.len() {
        return (logits.clone(), classes);
    }
    let known: Vec<usize> = (0..rows.len()).filter(|&row| rows[row].is_some()).collect();
    (graph.gather_rows(logits, &known), classes)
}

/// A tag of BILOU in IOBES, whose letters the tolerant reading knows: there two neighbours `U-` would be one entity.
fn in_iobes(tag: &str) -> String {
    let letter = match tag.chars().next() {
        Some('L') => "E",
        Some('U') => "S",
        _ => return tag.to_owned(),
    };
    format!("{letter}{}", &tag[1..])
}

/// What is known of the words of a sentence.
struct Tagged<'a> {
    tags: &'a [String],
    classes: &'a [Option<usize>],
    /// The words that the model sees, one for each row of logits.
    seen: &'a [usize],
}

fn tagged(target: &Target) -> Tagged<'_> {
    match target {
        Target::Tags { tags, classes, seen } => Tagged { tags, classes, seen },
        other => panic!("token classification: {other:?}"),
    }
}

/// The logits of all words that the model saw, end to end.
fn logits(answer: &Answer) -> &[f32] {
    match answer {
        Answer::Tags { logits } => logits,
        other => panic!("token classification: {other:?}"),
    }
}

/// Some words as they stand in their text, with the place there in characters; or joined by blanks, where there is no text.
fn wording(example: &TokenExample, start: usize, end: usize) -> (String, Option<(usize, usize)>) {
    match &example.origin {
        WordOrigin::Text { text, spans } => {
            let (first, last) = (spans[start], spans[end - 1]);
            (text[first.bytes.0..last.bytes.1].to_owned(), Some((first.characters.0, last.characters.1)))
        }
        WordOrigin::Lines(_) | WordOrigin::List => (example.words[start..end].join(" "), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words of these classes, each with a probability of one half.
    fn answer(tags: usize, classes: &[usize]) -> Answer {
        let half = ((tags - 1) as f32).ln();
        let row = |class: usize| (0..tags).map(move |other| if other == class { half } else { 0.0 });
        Answer::Tags { logits: classes.iter().copied().flat_map(row).collect() }
    }

    fn said(tags: &[&str], text: &str, classes: &[usize], seen: &[usize]) -> Said {
        let objective =
            TokenClassification::from_labels(&tags.iter().map(|tag| (*tag).to_owned()).collect::<Vec<_>>(), None).unwrap();
        let answer = answer(tags.len(), classes);
        let example = TokenExample::from_text(text, 1);
        objective.say(&answer, &Spoken { seen, words: Some(&example), windows: &[], tokenizer: None })
    }

    #[test]
    fn entities_have_their_text_and_their_place_in_characters() {
        let Said::Entities { entities, .. } =
            said(&["B-LOC", "I-LOC", "O"], "我爱 New York！", &[2, 2, 0, 1, 2], &[0, 1, 2, 3, 4])
        else {
            panic!("entities")
        };
        assert_eq!(entities.len(), 1);
        assert_eq!((entities[0].label.as_str(), entities[0].text.as_str()), ("LOC", "New York"));
        assert_eq!((entities[0].characters, entities[0].words, entities[0].probability), (Some((3, 11)), (2, 4), 0.5));
    }

    #[test]
    fn neighbours_of_one_word_each_are_entities_of_their_own_in_bilou() {
        let Said::Entities { entities, .. } =
            said(&["B-LOC", "I-LOC", "L-LOC", "O", "U-LOC"], "Oslo Bergen New York", &[4, 4, 0, 2], &[0, 1, 2, 3])
        else {
            panic!("entities")
        };
        let found: Vec<&str> = entities.iter().map(|entity| entity.text.as_str()).collect();
        assert_eq!(found, ["Oslo", "Bergen", "New York"]);
    }

    #[test]
    fn words_that_were_cut_off_are_outside() {
        let objective = TokenClassification::from_labels(&["B-X", "O"].map(str::to_owned), None).unwrap();
        let tags = ["B-X", "B-X", "O"].map(str::to_owned).to_vec();
        let target = Target::Tags { tags, classes: vec![Some(0), Some(0), Some(1)], seen: vec![0] };
        let answer = Answer::Tags { logits: vec![1.0, 0.0] };
        let Metrics::Entities(metrics) = objective.metrics(&Decisions::default(), &[answer], &[target], 0.0) else {
            panic!("entities")
        };
        assert_eq!((metrics.default.micro.precision, metrics.default.micro.recall), (1.0, 0.5));
    }

    #[test]
    fn tags_that_spell_no_entities_are_told_word_by_word() {
        let Said::Tags { tags } = said(&["ADJ", "NOUN", "VERB"], "dogs bark", &[1, 2], &[0, 1]) else { panic!("tags") };
        assert_eq!(
            tags.iter().map(|word| (word.word.as_str(), word.tag.as_str())).collect::<Vec<_>>(),
            [("dogs", "NOUN"), ("bark", "VERB")]
        );
    }
}
