//! The model card: a short `README.md` about the model at the top of a run folder. Knows nothing of where it is written.

use graftling_models::{Family, Head, Model};

use crate::recipe::{Recipe, Task};
use crate::{Evaluation, TrainSummary};

/// How many labels the card names; a model may have thousands.
const LABELS_SHOWN: usize = 30;

/// The text of the card of a model.
pub(crate) fn card(recipe: &Recipe, summary: &TrainSummary, trained: &Model) -> String {
    let Recipe { model, optimizer, schedule, seed, .. } = recipe;
    let mut labels = summary.labels.iter().take(LABELS_SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if summary.labels.len() > LABELS_SHOWN {
        labels += &format!(" and {} more", summary.labels.len() - LABELS_SHOWN);
    }
    let count = summary.labels.len();
    let Words { pipeline, class, title, gives } = Words::of(recipe.task, trained.head());
    let is_known = Family::named(trained.facts().family).is_some_and(Family::is_in_transformers);
    let gives = match recipe.task {
        Task::SequenceRegression if count == 1 => "a text a number".to_owned(),
        Task::SequenceRegression => format!("a text {count} numbers"),
        Task::SentenceEmbedding => "a text a vector, near to those of texts that are like it".to_owned(),
        Task::MaskedLm => "the most probable words in the place of a mask".to_owned(),
        Task::CausalLm => "what comes next in a text, token by token".to_owned(),
        Task::QuestionAnswering => "the passage of a text that answers a question about it".to_owned(),
        Task::Summarization => "a summary of a text".to_owned(),
        Task::Translation => "a translation of a text".to_owned(),
        _ => format!("{gives} {count} labels: {labels}"),
    };
    let library = match recipe.task {
        Task::SentenceEmbedding => "sentence-transformers",
        _ if is_known => "transformers",
        _ => "graftling",
    };
    let mut text = format!(
        "---\nlibrary_name: {library}\npipeline_tag: {pipeline}\ntags:\n- graftling\n---\n\n# {title}\n\n\
         This model gives {gives}.\n\n\
         It was fine-tuned by Graftling from `{model}` on {} examples: {} steps ({:.2} epochs), {optimizer} with a learning rate of \
         {:e} ({schedule} schedule), seed {seed}. `recipe.toml` holds every setting.\n\n",
        summary.train_examples, summary.steps, summary.epoch, summary.learning_rate,
    );
    let rows = [("validation", &summary.validation), ("test", &summary.test)];
    let rows: Vec<(&str, &Evaluation)> = rows.into_iter().filter_map(|(split, row)| Some((split, row.as_ref()?))).collect();
    for (place, (split, evaluation)) in rows.into_iter().enumerate() {
        let headline = evaluation.metrics.headline();
        if place == 0 {
            let names = headline.iter().map(|(name, _)| format!(" {name} |")).collect::<String>();
            text += &format!("| split | examples |{names}\n|---|---|{}\n", "---|".repeat(headline.len()));
        }
        let figures = headline.iter().map(|(_, figure)| format!(" {figure:.4} |")).collect::<String>();
        text += &format!("| {split} | {} |{figures}\n", evaluation.metrics.examples());
    }
    if let Some(unfitted) = summary.validation.as_ref().and_then(|validation| validation.unfitted.as_ref()) {
        let told = unfitted.decisions.told(&summary.labels);
        text += &format!("\nProbabilities and labels are by `decisions.json` ({told}), which transformers does not read.\n");
    }
    let flags = if recipe.task == Task::QuestionAnswering { "--question TEXT --context TEXT" } else { "--text TEXT" };
    text += &match recipe.task {
        Task::CausalLm => format!(
            "\nUse it with `graftling generate --model FOLDER --prompt TEXT`, or with transformers' `{class}.from_pretrained`.\n"
        ),
        Task::SentenceEmbedding => {
            "\nUse it with `graftling predict --model FOLDER --text TEXT`, or with sentence-transformers:\n\n\
             ```python\nfrom sentence_transformers import SentenceTransformer\n\nmodel = SentenceTransformer(\"FOLDER\")\n\
             print(model.encode([\"a text\", \"another\"]))\n```\n"
                .to_owned()
        }
        _ if !is_known => format!("\nUse it with `graftling predict --model FOLDER {flags}`.\n"),
        _ => format!(
            "\nUse it with `graftling predict --model FOLDER {flags}`, or with transformers' `{class}.from_pretrained`.\n"
        ),
    };
    text
}

/// What the card says by the kind of task.
struct Words {
    /// The hub's name for the task.
    pipeline: &'static str,
    /// The class of transformers that opens the model.
    class: &'static str,
    title: &'static str,
    /// What it gives, before the labels.
    gives: &'static str,
}

impl Words {
    fn of(task: Task, head: &Head) -> Self {
        const SEQUENCES: &str = "AutoModelForSequenceClassification";
        // A decoder alone writes behind prompts.
        let writing = if *head == Head::CausalLanguageModelling { "AutoModelForCausalLM" } else { "AutoModelForSeq2SeqLM" };
        let (pipeline, class, title, gives) = match task {
            Task::SequenceClassification => ("text-classification", SEQUENCES, "Text classifier", "a text one of"),
            Task::MultiLabelClassification => ("text-classification", SEQUENCES, "Text classifier", "a text any number of"),
            Task::SequenceRegression => ("text-classification", SEQUENCES, "Text regression", ""),
            Task::QuestionAnswering => ("question-answering", "AutoModelForQuestionAnswering", "Question answering", ""),
            Task::SentenceEmbedding => ("sentence-similarity", "", "Sentence encoder", ""),
            Task::CausalLm => ("text-generation", "AutoModelForCausalLM", "Language model", ""),
            Task::Summarization => ("summarization", writing, "Summarization", ""),
            Task::Translation => ("translation", writing, "Translation", ""),
            Task::MaskedLm => ("fill-mask", "AutoModelForMaskedLM", "Masked language model", ""),
            Task::TokenClassification => {
                ("token-classification", "AutoModelForTokenClassification", "Token classifier", "each word of a text one of")
            }
        };
        Self { pipeline, class, title, gives }
    }
}
