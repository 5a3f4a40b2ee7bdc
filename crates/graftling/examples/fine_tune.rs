//! Fine-tunes a model by a recipe and prints the steps: `cargo run --release -p graftling --example fine_tune -- recipe.toml`.
//! Knows nothing of hubs: the recipe's model is a folder.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use graftling::recipe::RecipeFile;
use graftling::{Event, Observer, Predictor, Recipe, TextInput, train};

struct Printer;

impl Observer for Printer {
    fn observe(&mut self, event: &Event<'_>) {
        match *event {
            Event::Stepped { step, steps, loss, learning_rate, tokens, elapsed, .. } if step % 25 == 0 || step == steps => {
                let speed = tokens as f64 / elapsed.as_secs_f64();
                println!("step {step} of {steps}: loss {loss:.4}, learning rate {learning_rate:.2e}, {speed:.0} tokens/s");
            }
            Event::Evaluated { step, split, evaluation } => {
                let figures = evaluation.metrics.headline().into_iter().map(|(name, figure)| format!(" {name} {figure:.4}"));
                println!("{split} after step {step}:{}", figures.collect::<String>());
            }
            Event::Notice(text) => println!("{text}"),
            _ => {}
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("usage: fine_tune recipe.toml")?;
    let recipe = Recipe::check(RecipeFile::from_path(Path::new(&path))?)?;
    let summary = train(&recipe, Path::new(&recipe.model), &mut Printer, &AtomicBool::new(false))?;
    println!("{} steps in {:.1} s", summary.steps, summary.runtime.as_secs_f64());
    let predictor = Predictor::load(&summary.output)?;
    let prediction = &predictor.predict(&[TextInput { text: "A moving, funny, beautifully acted film.", pair: None }])?[0];
    println!("{}", prediction.said);
    Ok(())
}
