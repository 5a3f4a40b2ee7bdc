//! The model card: a short `README.md` about the model at the top of a run folder. Knows nothing of where it is written.

use crate::recipe::Recipe;
use crate::{Evaluation, TrainSummary};

/// How many labels the card names; a model may have thousands.
const LABELS_SHOWN: usize = 30;

/// The text of the card.
pub(crate) fn card(recipe: &Recipe, summary: &TrainSummary) -> String {
    let Recipe { model, optimizer, schedule, seed, .. } = recipe;
    let mut labels = summary.labels.iter().take(LABELS_SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if summary.labels.len() > LABELS_SHOWN {
        labels += &format!(" and {} more", summary.labels.len() - LABELS_SHOWN);
    }
    let mut text = format!(
        "---\nlibrary_name: transformers\npipeline_tag: text-classification\ntags:\n- graftling\n---\n\n# Text classifier\n\n\
         This model gives a text one of {} labels: {labels}.\n\n\
         It was fine-tuned by Graftling from `{model}` on {} examples: {} steps ({:.2} epochs), {optimizer} with a learning rate of \
         {:e} ({schedule} schedule), seed {seed}. `recipe.toml` holds every setting.\n\n",
        summary.labels.len(),
        summary.train_examples,
        summary.steps,
        summary.epoch,
        summary.learning_rate,
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
    text += "\nUse it with `graftling predict --model FOLDER --text TEXT`, or with transformers' \
             `AutoModelForSequenceClassification.from_pretrained`.\n";
    text
}
