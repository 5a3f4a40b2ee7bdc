//! A model adapted to texts without labels, and what becomes of it.

use graftling::metrics::Metrics;
use graftling::{EvaluateRequest, NoObserver, Predictor, Said, TextInput, evaluate};

use crate::fixture::{Fixture, json, weights};

/// A text a line; every fourth is longer than eight tokens.
fn texts() -> String {
    let (first, second) = (["good", "bad", "great", "dull"], ["movie", "film", "story", "not"]);
    let line = |number: usize| {
        let ending = if number.is_multiple_of(4) { " and again the movie was good" } else { "" };
        format!("the {} was {}{ending}\n", second[number % 4], first[number / 4 % 4])
    };
    (0..32).map(line).collect()
}

#[test]
fn texts_without_labels_are_learnt_and_their_words_guessed() {
    let fixture = Fixture::new();
    fixture.write("texts.txt", texts().as_bytes());
    let path = fixture.path("texts.txt").display().to_string();
    let options = format!(
        "task = 'masked_lm'\ntrain = {path:?}\nvalidation = {path:?}\nepochs = 80\ndropout = 0.0\nwarmup = 0\nmax_length = 8\n"
    );
    let (summary, events) = fixture.run("adapted", &options);
    // Eight texts have two windows.
    assert_eq!((summary.train_examples, summary.train_windows, summary.truncation.truncated_texts), (32, 40, 0));
    let metrics = &summary.validation.as_ref().expect("a validation").metrics;
    let Metrics::Language(figures) = metrics else { panic!("{metrics:?}") };
    assert!(figures.loss < 1.0 && figures.loss < f64::from(events.losses[0]) / 2.0, "{figures:?} from {}", events.losses[0]);
    assert!((figures.perplexity() - figures.loss.exp()).abs() < 1e-12 && figures.examples == 40);

    let request =
        EvaluateRequest { resamples: Some(100), ..EvaluateRequest::new(summary.output.clone(), fixture.path("texts.txt")) };
    assert_eq!(
        &evaluate(&request, &mut NoObserver).expect("an evaluation").metrics,
        metrics,
        "the same masks in every evaluation"
    );
    let refused = evaluate(&EvaluateRequest { with_predictions: true, ..request }, &mut NoObserver).unwrap_err().to_string();
    assert!(refused.starts_with("masked_lm is evaluated on words that are drawn"), "{refused}");

    let predictor = Predictor::load(&summary.output).expect("a predictor");
    let text = "the story [MASK] great";
    let said = &predictor.predict(&[TextInput { text, pair: None }]).expect("a prediction")[0].said;
    let Said::Masks { masks } = said else { panic!("{said:?}") };
    assert_eq!((masks.len(), masks[0].len(), masks[0][0].token.as_str()), (1, 5, "was"), "{masks:?}");
    assert_eq!(masks[0][0].sequence, "the story was great");
    let two = &predictor.predict(&[TextInput { text: "the [MASK] was [MASK]", pair: None }]).expect("a prediction")[0].said;
    let Said::Masks { masks } = two else { panic!("{two:?}") };
    let sequences: Vec<&str> = masks.iter().map(|guesses| guesses[0].sequence.as_str()).collect();
    let [first, second] = [&masks[0][0].token, &masks[1][0].token];
    assert_eq!(sequences, [format!("the {first} was [MASK]"), format!("the [MASK] was {second}")]);
    let unmasked = predictor.predict(&[TextInput { text: "the story", pair: None }]).unwrap_err().to_string();
    assert_eq!(unmasked, "text 1 (\"the story\") has no [MASK]; put it in the place of the word to be guessed");
    assert_eq!(json(&summary.output.join("config.json"))["architectures"][0], "BertForMaskedLM");
}

#[test]
fn masks_are_others_at_every_step_and_the_same_on_any_number_of_threads() {
    let fixture = Fixture::new();
    fixture.write("texts.txt", texts().as_bytes());
    let path = fixture.path("texts.txt").display().to_string();
    let run = |output: &str, options: &str| {
        let options =
            format!("task = 'masked_lm'\ntrain = {path:?}\nvalidation = {path:?}\ndropout = 0.0\nwarmup = 0\n{options}");
        let (summary, events) = fixture.run(output, &options);
        (weights(&summary.output), events.losses)
    };
    let one = run("one", "threads = 1");
    assert!(one == run("two", "threads = 2"), "one thread and two");
    assert!(one != run("words", "threads = 1\nwhole_word_masking = true\nmask_probability = 0.4"), "other masks");
    let (_, losses) = run("still", "learning_rate = 1e-12\nbatch_size = 40");
    assert!(losses.len() > 1 && losses[0] != losses[1], "{losses:?}");
    let (_, whole) = run("whole", "batch_size = 8");
    let (_, cut) = run("cut", "batch_size = 8\nmicro_batch_tokens = 16");
    assert!((whole[0] - cut[0]).abs() < 1e-5, "{} {}: masks do not depend on how a step is cut", whole[0], cut[0]);
}

#[test]
fn an_adapted_model_is_fine_tuned_with_another_head() {
    let fixture = Fixture::new();
    fixture.write("texts.txt", texts().as_bytes());
    let path = fixture.path("texts.txt").display().to_string();
    let (adapted, _) =
        fixture.run("adapted", &format!("task = 'masked_lm'\ntrain = {path:?}\nvalidation = {path:?}\nepochs = 1"));
    let recipe = fixture.recipe("tuned", &format!("model = {:?}", adapted.output.display().to_string()));
    let summary = graftling::train(&recipe, &adapted.output, &mut NoObserver, &false.into()).expect("a run");
    assert_eq!(summary.labels, ["negative", "positive"]);
}
