//! Texts that are written from others: summaries and translations, by a decoder that looks at an encoder or behind a prompt. In training each
//! token is foreseen from the source and the tokens before it; figures of texts are of what the model writes by itself. Knows nothing of
//! how it writes.

use graftling_models::{Head, Model};
use graftling_tensor::{Graph, Var};
use graftling_text::SourceTarget;

use super::next_tokens::{Foreseen, NextTokens};
use super::{Agreement, Answer, CardWords, Judged, Objective, Spoken, Target, Told, Verdict};
use crate::data::Data;
use crate::decisions::Decisions;
use crate::error::LanguageError;
use crate::evaluate::ScoredBatch;
use crate::features::{Features, Packed};
use crate::inference::Batch;
use crate::metrics::{
    Bleu, BleuTokenizer, Chrf, ChrfVariant, JudgedText, LanguageMetrics, LanguageSample, Metrics, Resampled, Rouge,
    TargetLanguage, Ter, TextGenerationMetrics, TextGenerationSample, TextMetric, WrittenMetrics, WrittenSample,
    is_without_blanks,
};
use crate::recipe::{BestMetric, Recipe, Task};
use crate::writing::WrittenText;
use crate::{Error, Said};

/// What is told where nothing says by which tokenizer BLEU should go.
const NO_LANGUAGE: &str = "the targets have few blanks and no target_language is given: BLEU takes texts apart as in European languages, which scores \
     Chinese and Japanese near zero; give target_language (zh, ja ...)";

/// What is written, and how.
pub(super) struct SequenceToSequence {
    task: Task,
    /// Whether a recipe says so.
    is_certain: bool,
    /// Whether a decoder reads the source as its prompt, and no encoder does.
    is_prompted: bool,
    tokens: NextTokens,
    target_language: Option<TargetLanguage>,
}

/// What a model makes of a target.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Written {
    /// How well it foresees the tokens of the target, each from those before it.
    pub foreseen: Foreseen,
    /// What it writes by itself, where that was asked for.
    pub text: Option<WrittenText>,
}

/// What should be written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reference {
    /// The text that it is written from, without the words of a template, which do not count as copied; none where nothing says which of the
    /// columns that a template names is the text.
    pub source: Option<String>,
    /// What would be right.
    pub target: String,
}

impl SequenceToSequence {
    /// As a recipe has it.
    pub fn from_recipe(recipe: &Recipe) -> Result<Self, Error> {
        let tokens = NextTokens::smoothed(recipe.label_smoothing);
        let mut objective = Self { task: recipe.task, is_certain: true, is_prompted: false, tokens, target_language: None };
        if let Some(code) = &recipe.target_language {
            objective.set_target_language(code)?;
        }
        Ok(objective)
    }

    /// Of a model that no recipe belongs to and whose family does this more often than not.
    pub fn of_family(task: Task) -> Self {
        Self { task, is_certain: false, is_prompted: false, tokens: NextTokens::default(), target_language: None }
    }

    /// The kinds of figures of what is written, with or without those by the source.
    fn kinds(&self, with_sources: bool) -> Vec<TextMetric> {
        let of_language = |language: &TargetLanguage| BleuTokenizer::of_language(language).tokenizer;
        let tokenizer = self.target_language.as_ref().map_or(BleuTokenizer::Western, of_language);
        let agreement = match self.task {
            Task::Translation => vec![
                TextMetric::Bleu(Bleu { tokenizer, ..Bleu::default() }),
                TextMetric::Chrf(Chrf { variant: ChrfVariant::Characters, lowercase: false }),
                TextMetric::Chrf(Chrf { variant: ChrfVariant::CharactersAndWords, lowercase: false }),
                TextMetric::Ter(self.target_language.as_ref().map_or_else(Ter::default, Ter::of_language)),
            ],
            _ => vec![TextMetric::Rouge(Rouge::default())],
        };
        let of_outputs = [TextMetric::ExactMatch, TextMetric::Distinct, TextMetric::Repetition];
        agreement.into_iter().chain(of_outputs).chain(with_sources.then_some(TextMetric::Copying)).collect()
    }

    /// The texts that were written and what is counted of them; none where nothing was written.
    fn texts(&self, answers: &[Answer], targets: &[Target]) -> Option<(TextGenerationSample, f64)> {
        let texts: Vec<(&WrittenText, &Reference)> = answers
            .iter()
            .zip(targets)
            .map(|(answer, target)| Some((written(answer).text.as_ref()?, reference(target)?)))
            .collect::<Option<_>>()?;
        let judged: Vec<JudgedText<'_>> = texts.iter().map(|(text, reference)| judged_text(text, reference)).collect();
        let tokens: usize = texts.iter().map(|(text, _)| text.tokens).sum();
        let mean = tokens as f64 / texts.len().max(1) as f64;
        let kinds = self.kinds(judged.iter().all(|text| text.source.is_some()));
        (!texts.is_empty()).then(|| (TextGenerationSample::new(&kinds, &judged, None), mean))
    }
}

impl Objective for SequenceToSequence {
    fn head(&self) -> Head {
        if self.is_prompted { Head::CausalLanguageModelling } else { Head::SequenceToSequence }
    }

    fn labels(&self) -> &[String] {
        &[]
    }

    fn card(&self) -> CardWords {
        // A decoder alone writes behind prompts.
        let class = if self.is_prompted { "AutoModelForCausalLM" } else { "AutoModelForSeq2SeqLM" };
        match self.task {
            Task::Translation => CardWords::of_texts("translation", class, "Translation", "a translation of a text"),
            _ => CardWords::of_texts("summarization", class, "Summarization", "a summary of a text"),
        }
    }

    fn settle(&mut self, stored: Option<&Head>) -> Vec<String> {
        self.is_prompted = stored == Some(&Head::CausalLanguageModelling);
        Vec::new()
    }

    fn set_target_language(&mut self, code: &str) -> Result<bool, Error> {
        self.target_language = Some(code.parse().map_err(LanguageError::TargetLanguage)?);
        if !self.is_certain {
            self.task = Task::Translation;
        }
        Ok(self.task == Task::Translation)
    }

    fn recall(&mut self, model: &Model) {
        self.is_prompted = *model.head() == Head::CausalLanguageModelling;
        self.tokens.recall(model);
    }

    fn targets(&self, data: &Data) -> Result<Vec<Target>, Error> {
        let Data::SourceTargets(examples) = data else { panic!("texts that are written: examples of another form") };
        let target = |example: &SourceTarget| Target::Written {
            tokens: Vec::new(),
            reference: Some(Reference {
                source: example.text().map(|text| text.trim().to_owned()),
                target: example.target.trim().to_owned(),
            }),
        };
        Ok(examples.examples.iter().map(target).collect())
    }

    fn notices(&self, data: &Data) -> Vec<String> {
        let Data::SourceTargets(examples) = data else { return Vec::new() };
        let of_language = self.target_language.as_ref().and_then(|language| BleuTokenizer::of_language(language).notice);
        let targets = || examples.examples.iter().map(|example| &example.target);
        let without = self.target_language.is_none() && is_without_blanks(targets());
        let told = of_language.or_else(|| without.then_some(NO_LANGUAGE)).filter(|_| self.task == Task::Translation);
        told.map(str::to_owned).into_iter().collect()
    }

    /// Vectors: the logits of all tokens over a whole vocabulary would be the largest thing in memory.
    fn output(&self, model: &Model, graph: &Graph<'_>, packed: &Packed) -> Var {
        match &packed.sources {
            Some(sources) => model.forward_pair_vectors(graph, sources, &packed.batch),
            None => model.forward_vectors(graph, &packed.batch),
        }
    }

    fn loss(&self, graph: &Graph<'_>, vectors: &Var, targets: &[&Target], normalizer: f32) -> Var {
        self.tokens.loss(graph, vectors, targets, normalizer)
    }

    fn training_loss(&self, graph: &Graph<'_>, vectors: &Var, targets: &[&Target], normalizer: f32) -> Var {
        self.tokens.training_loss(graph, vectors, targets, normalizer)
    }

    fn answer(&self, _: &[f32], _: usize, _: &[Features]) -> Answer {
        panic!("texts that are written: vectors are no answer")
    }

    fn scored(&self, batch: &Batch<'_>, targets: &[&Target]) -> ScoredBatch {
        let answer = |foreseen| Answer::Written(Written { foreseen, text: None });
        ScoredBatch::of_tokens(self.tokens.foreseen(batch, targets), answer)
    }

    fn say(&self, answer: &Answer, _: &Spoken<'_>) -> Said {
        let text = written(answer).text.clone().expect("texts that are written: a text");
        Said::Written { prediction: text.text, generated_tokens: text.tokens, finish_reason: text.finish_reason }
    }

    fn metrics(&self, _: &Decisions, answers: &[Answer], targets: &[Target], loss: f64) -> Metrics {
        let Foreseen { right, tokens, .. } = Foreseen::sum(answers.iter().map(|answer| written(answer).foreseen));
        let texts = self.texts(answers, targets).map(|(sample, length)| (TextGenerationMetrics::new(&sample), length));
        let tokens = LanguageMetrics::new(targets.len() as u64, tokens as u64, right as u64, loss);
        Metrics::Written(WrittenMetrics::new(tokens, texts))
    }

    fn sample(&self, answers: &[Answer], targets: &[Target], losses: Vec<f64>) -> Box<dyn Resampled> {
        let foreseen = answers.iter().map(|answer| written(answer).foreseen);
        let counts: Vec<(usize, usize)> = foreseen.map(|text| (text.tokens, text.right)).collect();
        let texts = self.texts(answers, targets).map(|(sample, _)| sample);
        Box::new(WrittenSample::new(LanguageSample::new(&counts, losses), texts))
    }

    fn has_own_losses(&self) -> bool {
        true
    }

    /// The targets whose tokens are least foreseen are furthest off.
    fn judged(&self, answer: &Answer, _: &Target) -> Option<Judged> {
        let verdict = Verdict::Off(written(answer).foreseen.mean_loss());
        Some(Judged { verdict, decisions: Vec::new(), numbers: Vec::new() })
    }

    fn told(&self, answer: &Answer, target: &Target, _: &Spoken<'_>) -> Told {
        let Written { foreseen, text } = written(answer);
        let Some(reference) = reference(target) else { return Told::Foreseen { right: foreseen.right, tokens: foreseen.tokens } };
        Told::Written { reference: reference.target.clone(), written: text.as_ref().map(|text| text.text.clone()) }
    }

    /// ROUGE-L of a summary, chrF of a translation.
    fn agreement(&self, answer: &Answer, target: &Target) -> Option<Agreement> {
        let judged = judged_text(written(answer).text.as_ref()?, reference(target)?);
        let value = |metric: TextMetric, key: &str| {
            TextGenerationMetrics::new(&TextGenerationSample::new(&[metric], &[judged], None)).get(key)
        };
        match self.task {
            Task::Translation => {
                let chrf = TextMetric::Chrf(Chrf { variant: ChrfVariant::Characters, lowercase: false });
                value(chrf, "chrf").map(|percent| Agreement { measure: "chrF", value: percent / 100.0 })
            }
            _ => value(TextMetric::Rouge(Rouge::default()), "rougeL").map(|value| Agreement { measure: "ROUGE-L", value }),
        }
    }

    fn best_metrics(&self) -> &'static [BestMetric] {
        match self.task {
            Task::Translation => &[BestMetric::Loss, BestMetric::Accuracy, BestMetric::Bleu, BestMetric::Chrf],
            _ => &[
                BestMetric::Loss,
                BestMetric::Accuracy,
                BestMetric::Rouge1,
                BestMetric::Rouge2,
                BestMetric::RougeL,
                BestMetric::RougeLsum,
            ],
        }
    }
}

fn judged_text<'a>(text: &'a WrittenText, reference: &'a Reference) -> JudgedText<'a> {
    let Reference { source, target } = reference;
    JudgedText { output: &text.text, references: std::slice::from_ref(target), source: source.as_deref() }
}

fn written(answer: &Answer) -> &Written {
    match answer {
        Answer::Written(written) => written,
        other => panic!("texts that are written: {other:?}"),
    }
}

fn reference(target: &Target) -> Option<&Reference> {
    match target {
        Target::Written { reference, .. } => reference.as_ref(),
        other => panic!("texts that are written: {other:?}"),
    }
}
