//! A vector for each text, near to those of texts that are like it: trained and measured by texts that are compared with each other.
//! Knows nothing of how tokens become vectors.

mod search;
mod target;
#[cfg(test)]
mod tests;

use graftling_models::{Head, Pooling};
use graftling_tensor::{Graph, Parameters, Spans, Tensor, Var};

use super::{Answer, CardWords, Comparison, Objective, Spoken, Target, Used};
use crate::data::Data;
use crate::decisions::Decisions;
use crate::error::Complaints;
use crate::features::Features;
use crate::metrics::{EmbeddingFigures, EmbeddingMetrics, EmbeddingSample, Metrics, Resampled, SearchFigures, likeness};
use crate::recipe::{self, BestMetric, EmbeddingLoss, Recipe, TripletDistance};
use crate::{Error, Said};

#[cfg(test)]
pub(crate) use search::places as search_places;
pub(crate) use target::{Compared, Form};

/// What sentence-transformers takes for a batch, and evaluations where no recipe says otherwise.
const USUAL_BATCH: usize = 32;

/// How vectors are made and what they are trained by.
pub(super) struct SentenceEmbedding {
    pooling: Option<Pooling>,
    normalize: Option<bool>,
    /// The form of the training examples, where there are such.
    form: Option<Form>,
    loss: Option<EmbeddingLoss>,
    scale: f32,
    margin: Option<f32>,
    distance: TripletDistance,
    batch_size: usize,
}

impl SentenceEmbedding {
    /// What a recipe says of examples of this form.
    pub fn from_examples(recipe: &Recipe, data: &Data) -> Result<Self, Error> {
        let compared = compared(data);
        let form = Form::of(&compared.examples);
        let mut objective = Self::new(Some(recipe));
        let loss = recipe.embedding_loss.unwrap_or(form.usual_loss());
        (objective.form, objective.loss) = (Some(form), Some(loss));
        if !form.suits(loss) {
            return Err(Error::LossOfOtherForm { loss, path: compared.source.clone(), found: form.described() });
        }
        let other_loss = [
            ("embedding_scale", recipe.embedding_scale != 20.0 && !loss.spans_step()),
            ("embedding_margin", recipe.embedding_margin.is_some() && !loss.has_margin()),
            ("triplet_distance", recipe.triplet_distance != TripletDistance::default() && loss != EmbeddingLoss::Triplet),
            ("gradient_accumulation", recipe.gradient_accumulation > 1 && loss.spans_step()),
            ("batch_size", recipe.batch_size == 1 && recipe.batch_tokens.is_none() && loss.spans_step()),
        ];
        let mut complaints = Complaints::default();
        for (option, _) in other_loss.into_iter().filter(|(_, wrong)| *wrong) {
            complaints.note::<()>(Err(Error::OptionOfOtherLoss { option, loss, found: form.described() }));
        }
        complaints.check().map(|()| objective)
    }

    /// The vectors of a model with this head, trained as the recipe of the run says where that is known.
    pub fn from_head(pooling: Pooling, normalize: bool, recipe: Option<&Recipe>) -> Self {
        Self { pooling: Some(pooling), normalize: Some(normalize), ..Self::new(recipe) }
    }

    fn new(recipe: Option<&Recipe>) -> Self {
        let pooling = recipe.and_then(|recipe| recipe.pooling).map(|pooling| match pooling {
            recipe::Pooling::Mean => Pooling::Mean,
            recipe::Pooling::Cls => Pooling::Cls,
            recipe::Pooling::Max => Pooling::Max,
        });
        Self {
            pooling,
            normalize: recipe.and_then(|recipe| recipe.normalize),
            form: None,
            loss: recipe.and_then(|recipe| recipe.embedding_loss),
            scale: recipe.map_or(20.0, |recipe| recipe.embedding_scale),
            margin: recipe.and_then(|recipe| recipe.embedding_margin),
            distance: recipe.map_or(TripletDistance::default(), |recipe| recipe.triplet_distance),
            batch_size: recipe.map_or(USUAL_BATCH, |recipe| recipe.batch_size),
        }
    }

    fn normalizes(&self) -> bool {
        self.normalize.unwrap_or(false)
    }

    /// The loss of these targets: that of training where it suits them.
    fn loss_of_targets(&self, targets: &[&Target]) -> EmbeddingLoss {
        let Some(first) = targets.first() else { return self.loss.unwrap_or_default() };
        let form = compared_of(first).form;
        let in_range = || targets.iter().all(|target| compared_of(target).has_cosine());
        let suits = |loss: &EmbeddingLoss| {
            form.suits(*loss) && (*loss != EmbeddingLoss::CosineSimilarity || self.form.is_some() || in_range())
        };
        self.loss.filter(suits).unwrap_or(form.usual_loss())
    }

    /// One row for each text, in their order, from those of its windows.
    fn texts(&self, graph: &Graph<'_>, windows: &Var, targets: &[&Target]) -> Var {
        let of_texts = || targets.iter().flat_map(|target| &compared_of(target).windows);
        let mut texts = windows.clone();
        if of_texts().any(|windows| windows.len() > 1) {
            let weights: Vec<f32> = of_texts().flatten().map(|tokens| *tokens as f32).collect();
            texts = graph.weighted_span_mean(windows, &Spans::from_lengths(of_texts().map(Vec::len)), &weights);
        }
        if self.normalizes() { graph.unit_rows(&texts) } else { texts }
    }

    /// texts: a row for each text of each target in turn. `normalizer` is the number of examples in the step.
    fn loss_of_texts(&self, graph: &Graph<'_>, texts: &Var, targets: &[&Target], loss: EmbeddingLoss, normalizer: f32) -> Var {
        let sides = targets.first().map_or(2, |target| compared_of(target).windows.len());
        let side = |side: usize| graph.gather_rows(texts, &(0..targets.len()).map(|at| at * sides + side).collect::<Vec<_>>());
        let cosines = || graph.cosine_of_rows(&side(0), &side(1));
        let scores = || targets.iter().map(|target| compared_of(target).score).collect::<Vec<f32>>();
        match loss {
            EmbeddingLoss::Cosent => graph.cosent(&cosines(), &scores(), self.scale),
            EmbeddingLoss::CosineSimilarity => graph.mean_squared_error(&cosines(), &scores(), normalizer),
            EmbeddingLoss::Contrastive => {
                let alike: Vec<bool> = scores().iter().map(|score| *score == 1.0).collect();
                graph.contrastive(&cosines(), &alike, self.margin_of(loss), normalizer)
            }
            EmbeddingLoss::MultipleNegatives => {
                // The positives of all examples, then the negatives of all.
                let places = (1..sides).flat_map(|side| (0..targets.len()).map(move |at| at * sides + side));
                let candidates = graph.unit_rows(&graph.gather_rows(texts, &places.collect::<Vec<_>>()));
                let logits = graph.row_products(&graph.unit_rows(&side(0)), &candidates, self.scale);
                graph.cross_entropy(&logits, &(0..targets.len()).collect::<Vec<_>>(), normalizer)
            }
            EmbeddingLoss::Triplet => {
                // Of each triplet the anchor with the positive, then the anchor with the negative.
                let twice = |first: usize, second: usize| {
                    let places = (0..targets.len()).flat_map(|at| [at * sides + first, at * sides + second]);
                    graph.gather_rows(texts, &places.collect::<Vec<_>>())
                };
                let distances = match self.distance {
                    TripletDistance::Euclidean => graph.distance_of_rows(&twice(0, 0), &twice(1, 2)),
                    // A distance of 1 less the cosine: the difference of two is that of the cosines, the other way round.
                    TripletDistance::Cosine => graph.cosine_of_rows(&twice(0, 0), &twice(2, 1)),
                };
                graph.triplet_margin(&distances, self.margin_of(loss), normalizer)
            }
        }
    }

    fn margin_of(&self, loss: EmbeddingLoss) -> f32 {
        let euclidean = loss == EmbeddingLoss::Triplet && self.distance == TripletDistance::Euclidean;
        self.margin.unwrap_or(if euclidean { 5.0 } else { 0.5 })
    }
}

impl Objective for SentenceEmbedding {
    fn head(&self) -> Head {
        Head::SentenceEmbedding { pooling: self.pooling.unwrap_or(Pooling::Mean), normalize: self.normalizes() }
    }

    fn labels(&self) -> &[String] {
        &[]
    }

    fn card(&self) -> CardWords {
        CardWords {
            pipeline: "sentence-similarity",
            title: "Sentence encoder",
            gives: "a text a vector, near to those of texts that are like it".to_owned(),
            used: Used::Embedding,
        }
    }

    fn settle(&mut self, stored: Option<&Head>) -> Vec<String> {
        let (pooling, normalize) = match stored {
            Some(Head::SentenceEmbedding { pooling, normalize }) => (Some(*pooling), Some(*normalize)),
            _ => (None, None),
        };
        self.pooling = self.pooling.or(pooling);
        self.normalize = self.normalize.or(normalize);
        if self.pooling.is_some() {
            return Vec::new();
        }
        self.pooling = Some(Pooling::Mean);
        vec![
            "pooling mean: the model has no modules.json that says how the vectors of tokens become one; pooling names another"
                .to_owned(),
        ]
    }

    fn targets(&self, data: &Data) -> Result<Vec<Target>, Error> {
        let examples = compared(data);
        let form = self.form.unwrap_or(Form::of(&examples.examples));
        form.check(examples)?;
        if self.form.is_some() && self.loss == Some(EmbeddingLoss::CosineSimilarity) {
            target::check_cosines(examples)?;
        }
        Ok(target::targets(form, examples).into_iter().map(Target::Compared).collect())
    }

    fn loss(&self, graph: &Graph<'_>, logits: &Var, targets: &[&Target], normalizer: f32) -> Var {
        let texts = self.texts(graph, logits, targets);
        self.loss_of_texts(graph, &texts, targets, self.loss_of_targets(targets), normalizer)
    }

    fn answer(&self, logits: &[f32], _: usize, _: &[Features]) -> Answer {
        let parameters = Parameters::new();
        let graph = Graph::inference(&parameters);
        let vector = graph.constant(Tensor::from_vec(&[1, logits.len()], logits.to_vec()));
        Answer::Vector(if self.normalizes() { graph.unit_rows(&vector).tensor().to_vec() } else { logits.to_vec() })
    }

    fn say(&self, answer: &Answer, _: &Spoken<'_>) -> Said {
        match answer {
            Answer::Vector(vector) => Said::Embedding { embedding: vector.clone() },
            Answer::Similarities(similarities) => match similarities.as_slice() {
                [one] => Said::Similarity { similarity: *one },
                several => Said::Similarities { similarities: several.to_vec() },
            },
            other => panic!("sentence embedding: {other:?}"),
        }
    }

    fn metrics(&self, _: &Decisions, answers: &[Answer], targets: &[Target], loss: f64) -> Metrics {
        let figures = match Judged::of(answers, targets) {
            Judged::Scored(pairs, scores) => EmbeddingFigures::scored(&pairs, &scores),
            Judged::Decided(pairs, alike) => EmbeddingFigures::decided(&pairs, &alike),
            Judged::Triplets(triplets) => EmbeddingFigures::triplets(&triplets),
            Judged::Search(places, candidates) => EmbeddingFigures::Search(SearchFigures::new(&places, candidates)),
        };
        Metrics::Embeddings(EmbeddingMetrics { examples: targets.len() as u64, loss, figures })
    }

    fn sample(&self, answers: &[Answer], targets: &[Target], _: Vec<f64>) -> Box<dyn Resampled> {
        Box::new(match Judged::of(answers, targets) {
            Judged::Scored(pairs, scores) => EmbeddingSample::scored(&pairs, &scores),
            Judged::Decided(pairs, alike) => EmbeddingSample::decided(&pairs, &alike),
            Judged::Triplets(triplets) => EmbeddingSample::triplets(&triplets),
            Judged::Search(places, _) => EmbeddingSample::search(places),
        })
    }

    fn best_metrics(&self) -> &'static [BestMetric] {
        use BestMetric::{Accuracy, AveragePrecision, F1, Loss, Mrr, Pearson, Spearman};
        match self.form {
            Some(Form::Scored) | None => &[Spearman, Pearson, Loss],
            Some(Form::Decided) => &[AveragePrecision, F1, Accuracy, Loss],
            Some(Form::Triplets) => &[Accuracy, Loss],
            Some(Form::Pairs) => &[Accuracy, Mrr, Loss],
        }
    }

    fn comparison(&self) -> Option<&dyn Comparison> {
        Some(self)
    }
}

impl Comparison for SentenceEmbedding {
    fn spans_step(&self) -> bool {
        self.loss.is_some_and(EmbeddingLoss::spans_step)
    }

    fn together(&self, answers: &[Answer]) -> Answer {
        match answers {
            [alone] => alone.clone(),
            [first, others @ ..] => {
                Answer::Similarities(others.iter().map(|other| likeness(vector(first), vector(other))[0] as f32).collect())
            }
            [] => Answer::Similarities(Vec::new()),
        }
    }

    fn mean_loss(&self, answers: &[Answer], targets: &[Target]) -> f64 {
        let targets: Vec<&Target> = targets.iter().collect();
        let loss = self.loss_of_targets(&targets);
        let (mut total, mut rest) = (0.0, answers);
        for batch in targets.chunks(self.batch_size) {
            let texts: usize = batch.iter().map(|target| compared_of(target).windows.len()).sum();
            let (own, others) = rest.split_at(texts);
            rest = others;
            let columns = own.first().map_or(0, |answer| vector(answer).len());
            let parameters = Parameters::new();
            let graph = Graph::inference(&parameters);
            let values = own.iter().flat_map(vector).copied().collect();
            let texts = graph.constant(Tensor::from_vec(&[texts, columns], values));
            let mean = self.loss_of_texts(&graph, &texts, batch, loss, batch.len() as f32).tensor().item();
            total += f64::from(mean) * batch.len() as f64;
        }
        total / targets.len().max(1) as f64
    }
}

/// Vectors by what is known of their texts, from which the figures are computed.
enum Judged<'a> {
    Scored(Vec<[&'a [f32]; 2]>, Vec<f32>),
    Decided(Vec<[&'a [f32]; 2]>, Vec<bool>),
    Triplets(Vec<[&'a [f32]; 3]>),
    /// The place of each first text's own second one, and how many second ones there are.
    Search(Vec<usize>, u64),
}

impl<'a> Judged<'a> {
    fn of(answers: &'a [Answer], targets: &[Target]) -> Self {
        let targets: Vec<&Compared> = targets.iter().map(compared_of).collect();
        let vectors: Vec<&[f32]> = answers.iter().map(vector).collect();
        let pairs = || vectors.chunks_exact(2).map(|pair| [pair[0], pair[1]]).collect::<Vec<_>>();
        let scores = targets.iter().map(|target| target.score);
        match targets.first().map_or(Form::Pairs, |target| target.form) {
            Form::Scored => Self::Scored(pairs(), scores.collect()),
            Form::Decided => Self::Decided(pairs(), scores.map(|score| score == 1.0).collect()),
            Form::Triplets => Self::Triplets(vectors.chunks_exact(3).map(|it| [it[0], it[1], it[2]]).collect()),
            Form::Pairs => {
                let identities: Vec<[usize; 2]> = targets.iter().map(|target| target.identities).collect();
                let (places, candidates) = search::places(&pairs(), &identities);
                Self::Search(places, candidates)
            }
        }
    }
}

fn compared(data: &Data) -> &graftling_text::Examples<graftling_text::ComparedTexts> {
    match data {
        Data::Compared(examples) => examples,
        _ => panic!("sentence embedding: examples of another form"),
    }
}

fn compared_of(target: &Target) -> &Compared {
    match target {
        Target::Compared(compared) => compared,
        other => panic!("sentence embedding: {other:?}"),
    }
}

fn vector(answer: &Answer) -> &[f32] {
    match answer {
        Answer::Vector(vector) => vector,
        other => panic!("sentence embedding: {other:?}"),
    }
}
