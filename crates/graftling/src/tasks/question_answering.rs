//! The passage of a text that answers a question, or that there is none (SQuAD: Rajpurkar and others, 2016 and 2018). Knows nothing of
//! how tokens become logits.
//!
//! A long context is read in windows. In training each of them is an example of its own, whose answer is its first token where the
//! passage does not stand in it.

use std::sync::Arc;

use graftling_models::{Head, Model};
use graftling_tensor::{Graph, Spans, Var};
use graftling_text::{Examples, QuestionExample};

use super::{Answer, CardWords, Judged, Objective, Spoken, Target, Told, Used, Verdict};
use crate::data::Data;
use crate::decisions::Decisions;
use crate::features::Features;
use crate::metrics::{AnswerMetrics, AnswerSample, JudgedAnswer, Metrics, Resampled};
use crate::passages::{Best, Bytes, Choice, WindowLogits};
use crate::recipe::{BestMetric, Recipe};
use crate::{Error, NoAnswer, Said};

/// The key of a config that says whether training had questions without an answer, as transformers' `run_qa.py` calls it.
const HAS_UNANSWERABLE: &str = "version_2_with_negative";
/// The threshold where a recipe names none, and that of models from elsewhere.
const USUAL_THRESHOLD: f32 = 0.0;

/// How answers are chosen.
pub(super) struct QuestionAnswering {
    choice: Choice,
    /// The threshold that holds where the model was trained with questions without an answer.
    threshold: f32,
}

/// What the data says to a question.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Gold {
    /// The answers of all who were asked; none where the context has none.
    pub texts: Arc<[String]>,
    /// Where the first of them stands.
    pub bytes: Option<Bytes>,
    /// How many tokens each window has, and which of them the answer begins and ends with.
    pub windows: Vec<(usize, [usize; 2])>,
}

/// What the model says to a question.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Found {
    /// What was chosen.
    pub best: Best,
    /// The text of the best passage, whether it is the answer or not; empty where there is none.
    pub text: String,
    /// Its characters.
    pub characters: (usize, usize),
}

impl Gold {
    /// Takes note of where the answer stands in windows: at the first token where it does not stand in it.
    pub fn see(&mut self, windows: &[Features]) {
        let place = |window: &Features| {
            let passage = self.bytes.zip(window.passages.as_ref()).and_then(|(bytes, passages)| passages.tokens_of(bytes));
            (window.input_ids.len(), passage.unwrap_or([0, 0]))
        };
        self.windows = windows.iter().map(place).collect();
    }
}

impl Found {
    /// The answer, which may be that there is none.
    fn answer(&self) -> &str {
        if self.best.is_empty { "" } else { &self.text }
    }
}

impl QuestionAnswering {
    /// As the recipe and the training questions have it: where all have an answer, one is always given.
    pub fn from_examples(questions: &Examples<QuestionExample>, recipe: &Recipe) -> Result<Self, Error> {
        let unanswerable = questions.examples.iter().filter(|question| question.answers.is_empty()).count();
        if unanswerable == questions.examples.len() {
            return Err(Error::NoAnswers { path: questions.source.clone(), questions: unanswerable });
        }
        if unanswerable == 0 && recipe.null_score_diff_threshold.is_some() {
            return Err(Error::NothingUnanswerable { path: questions.source.clone() });
        }
        let mut objective = Self::from_recipe(Some(recipe));
        objective.learn(unanswerable > 0);
        Ok(objective)
    }

    /// As a recipe has it; [`recall`](Objective::recall) tells it whether there may be no answer.
    pub fn from_recipe(recipe: Option<&Recipe>) -> Self {
        let choice = Choice {
            n_best_size: recipe.map_or(20, |recipe| recipe.n_best_size),
            max_answer_length: recipe.map_or(30, |recipe| recipe.max_answer_length),
            no_answer: NoAnswer::Never,
        };
        let threshold = recipe.and_then(|recipe| recipe.null_score_diff_threshold).unwrap_or(USUAL_THRESHOLD);
        Self { choice, threshold }
    }

    fn learn(&mut self, has_unanswerable: bool) {
        self.choice.no_answer = if has_unanswerable { NoAnswer::Above(self.threshold) } else { NoAnswer::Never };
    }
}

impl Objective for QuestionAnswering {
    fn head(&self) -> Head {
        Head::QuestionAnswering
    }

    fn labels(&self) -> &[String] {
        &[]
    }

    fn card(&self) -> CardWords {
        CardWords {
            pipeline: "question-answering",
            title: "Question answering",
            gives: "the passage of a text that answers a question about it".to_owned(),
            used: Used::Predicting { flags: "--question TEXT --context TEXT", class: "AutoModelForQuestionAnswering" },
        }
    }

    fn inscribe(&self, model: &mut Model) {
        model.set_config_value(HAS_UNANSWERABLE, (self.choice.no_answer != NoAnswer::Never).into());
    }

    fn recall(&mut self, model: &Model) {
        self.learn(model.config_value(HAS_UNANSWERABLE).is_some_and(|value| value.as_bool() == Some(true)));
    }

    fn set_no_answer(&mut self, no_answer: NoAnswer) -> bool {
        self.choice.no_answer = no_answer;
        true
    }

    fn targets(&self, data: &Data) -> Result<Vec<Target>, Error> {
        let Data::Questions(questions) = data else { panic!("question answering: examples of another form") };
        let gold = |question: &QuestionExample| Gold {
            texts: question.answers.iter().map(|answer| answer.text.clone()).collect(),
            bytes: question.answers.first().map(|answer| answer.bytes),
            windows: Vec::new(),
        };
        Ok(questions.examples.iter().map(|question| Target::Passage(gold(question))).collect())
    }

    fn notices(&self, data: &Data) -> Vec<String> {
        let Data::Questions(questions) = data else { panic!("question answering: examples of another form") };
        let unanswerable = questions.examples.iter().filter(|question| question.answers.is_empty()).count();
        let always = unanswerable > 0 && self.choice.no_answer == NoAnswer::Never;
        let notice = || {
            format!(
                "{}: {unanswerable} of {} questions have no answer, but the model always gives one: it was trained without such questions, \
                 or does not say that it was with them (null_score_diff_threshold lets it)",
                questions.source.display(),
                questions.examples.len()
            )
        };
        always.then(notice).into_iter().collect()
    }

    fn loss(&self, graph: &Graph<'_>, logits: &Var, targets: &[&Target], normalizer: f32) -> Var {
        let (lengths, places): (Vec<usize>, Vec<[usize; 2]>) =
            targets.iter().flat_map(|target| &gold(target).windows).copied().unzip();
        graph.span_cross_entropy(logits, &Spans::from_lengths(lengths), &places, normalizer)
    }

    fn answer(&self, logits: &[f32], columns: usize, windows: &[Features]) -> Answer {
        let mut rest = logits;
        let mut read = Vec::with_capacity(windows.len());
        for window in windows {
            let (logits, others) = rest.split_at(window.rows() * columns);
            rest = others;
            if let Some(passages) = &window.passages {
                read.push(WindowLogits { logits, first: passages.first, offsets: &passages.offsets });
            }
        }
        let best = self.choice.best(&read);
        let passages = windows.first().and_then(|window| window.passages.as_ref());
        let (text, characters) =
            best.passage.zip(passages).map(|((bytes, _), passages)| passages.read(bytes)).unwrap_or_default();
        Answer::Passage(Found { best, text, characters })
    }

    fn say(&self, answer: &Answer, _: &Spoken<'_>) -> Said {
        let found = found(answer);
        let Best { null, is_empty, .. } = found.best;
        let difference = null.map(|(_, difference)| difference).filter(|difference| difference.is_finite());
        Said::Answer {
            answer: found.answer().to_owned(),
            characters: (!is_empty).then_some(found.characters),
            probability: probability(found),
            null_score_diff: difference,
        }
    }

    fn metrics(&self, _: &Decisions, answers: &[Answer], targets: &[Target], loss: f64) -> Metrics {
        Metrics::Answers(AnswerMetrics::new(&judged(answers, targets), loss))
    }

    fn sample(&self, answers: &[Answer], targets: &[Target], _: Vec<f64>) -> Box<dyn Resampled> {
        Box::new(AnswerSample::new(&judged(answers, targets)))
    }

    /// Off by the share of F1 that is missing, in proportion to how sure the answer was.
    fn judged(&self, answer: &Answer, target: &Target) -> Option<Judged> {
        let figures = AnswerMetrics::new(&judged(std::slice::from_ref(answer), std::slice::from_ref(target)), 0.0);
        let figures = figures.mixed.unwrap_or(figures.all);
        let (is_right, probability) = (figures.exact_match == 100.0, probability(found(answer)));
        let off = (1.0 - figures.f1 / 100.0) * f64::from(probability);
        let verdict = if is_right { Verdict::Right } else { Verdict::Off(off) };
        Some(Judged { verdict, decisions: vec![(probability, is_right)], numbers: Vec::new() })
    }

    fn told(&self, answer: &Answer, target: &Target, _: &Spoken<'_>) -> Told {
        let found = found(answer);
        let answers = gold(target).texts.to_vec();
        Told::Answer { answers, predicted: found.answer().to_owned(), probability: probability(found) }
    }

    fn best_metrics(&self) -> &'static [BestMetric] {
        &[BestMetric::F1, BestMetric::ExactMatch, BestMetric::F1Mixed, BestMetric::Loss]
    }
}

/// How sure an answer is.
fn probability(found: &Found) -> f32 {
    let Best { passage, null, is_empty } = found.best;
    // Of a context without a token it is certain that it has no answer.
    let of_null = null.map_or(1.0, |(probability, _)| probability);
    passage.filter(|_| !is_empty).map_or(of_null, |(_, probability)| probability)
}

/// Each answer beside what it should have been.
fn judged<'a>(answers: &'a [Answer], targets: &'a [Target]) -> Vec<JudgedAnswer<'a>> {
    let each = answers.iter().zip(targets).map(|(answer, target)| {
        let found = found(answer);
        let null_score_diff = found.best.null.map(|(_, difference)| difference);
        JudgedAnswer { golds: &gold(target).texts, answer: found.answer(), passage: &found.text, null_score_diff }
    });
    each.collect()
}

fn gold(target: &Target) -> &Gold {
    match target {
        Target::Passage(gold) => gold,
        other => panic!("question answering: {other:?}"),
    }
}

fn found(answer: &Answer) -> &Found {
    match answer {
        Answer::Passage(found) => found,
        other => panic!("question answering: {other:?}"),
    }
}
