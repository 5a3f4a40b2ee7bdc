//! The model card: a short `README.md` about the model at the top of a run folder. Knows no task, and nothing of where it is written.

use graftling_models::{Family, Model};

use crate::figures::counted;
use crate::recipe::Recipe;
use crate::tasks::{CardWords, Used};
use crate::{Evaluation, TrainSummary};

/// The text of the card of a model.
pub(crate) fn card(recipe: &Recipe, summary: &TrainSummary, words: &CardWords, trained: &Model) -> String {
    let Recipe { model, optimizer, schedule, seed, .. } = recipe;
    let CardWords { pipeline, title, gives, used } = words;
    let is_known = Family::named(trained.facts().family).is_some_and(Family::is_in_transformers);
    let library = match used {
        Used::Embedding => "sentence-transformers",
        _ if is_known => "transformers",
        _ => "graftling",
    };
    let mut text = format!(
        "---\nlibrary_name: {library}\npipeline_tag: {pipeline}\ntags:\n- graftling\n---\n\n# {title}\n\n\
         This model gives {gives}.\n\n\
         It was fine-tuned by Graftling from `{model}` on {} examples: {} ({:.2} epochs), {optimizer} with a learning rate of \
         {:e} ({schedule} schedule), seed {seed}. `recipe.toml` holds every setting.\n\n",
        summary.train_examples,
        counted(summary.steps, "step"),
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
    if let Some(unfitted) = summary.validation.as_ref().and_then(|validation| validation.unfitted.as_ref()) {
        let told = unfitted.decisions.told(&summary.labels);
        text += &format!("\nProbabilities and labels are by `decisions.json` ({told}), which transformers does not read.\n");
    }
    let (command, class) = match used {
        Used::Predicting { flags, class } => (format!("predict --model FOLDER {flags}"), Some(class)),
        Used::Generating { class } => ("generate --model FOLDER --prompt TEXT".to_owned(), Some(class)),
        Used::Embedding => ("predict --model FOLDER --text TEXT".to_owned(), None),
    };
    let elsewhere = match class {
        Some(class) if is_known => format!(", or with transformers' `{class}.from_pretrained`."),
        Some(_) => ".".to_owned(),
        None => ", or with sentence-transformers:\n\n\
                 ```python\nfrom sentence_transformers import SentenceTransformer\n\nmodel = SentenceTransformer(\"FOLDER\")\n\
                 print(model.encode([\"a text\", \"another\"]))\n```"
            .to_owned(),
    };
    text += &format!("\nUse it with `graftling {command}`{elsewhere}\n");
    text
}
