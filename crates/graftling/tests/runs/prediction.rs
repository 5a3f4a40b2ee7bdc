//! Predictions do not depend on what is predicted beside them.

use graftling::{Predictor, Said, TextInput};

use crate::fixture::Fixture;

#[test]
fn a_text_alone_and_among_others_is_predicted_alike_and_in_order() {
    let fixture = Fixture::new();
    let (summary, _) = fixture.run("run", "");
    let predictor = Predictor::load(&summary.output).expect("a predictor");
    let texts: Vec<String> =
        (0..40).map(|number| format!("{} movie {}", "the ".repeat(number % 17), ["good", "bad"][number % 2])).collect();
    let inputs: Vec<TextInput<'_>> = texts.iter().map(|text| TextInput { text, pair: None }).collect();
    let together = predictor.predict(&inputs).expect("predictions");
    assert_eq!(together.len(), texts.len());
    for (input, among) in inputs.iter().zip(&together) {
        let alone = predictor.predict(std::slice::from_ref(input)).expect("a prediction");
        assert_eq!(alone[0], *among, "{}", input.text);
    }
    let Said::Label { probabilities, .. } = &together[0].said else { panic!("{:?}", together[0]) };
    let sum: f32 = probabilities.iter().map(|(_, probability)| probability).sum();
    assert!((sum - 1.0).abs() < 1e-6);
    assert!(together.iter().all(|prediction| prediction.truncated_tokens == 0));
}

#[test]
fn long_texts_are_cut_as_in_training_and_the_cut_is_told() {
    let fixture = Fixture::new();
    let (summary, _) = fixture.run("run", "max_length = 12");
    assert!(summary.truncation.truncated_texts > 0);
    let predictor = Predictor::load(&summary.output).expect("a predictor");
    assert_eq!(predictor.max_length(), 12);
    let text = "the movie ".repeat(20);
    let said = &predictor.predict(&[TextInput { text: &text, pair: None }]).expect("a prediction")[0];
    assert_eq!((said.tokens, said.truncated_tokens), (12, 30));
}

#[test]
fn no_texts_give_no_predictions() {
    let fixture = Fixture::new();
    let (summary, _) = fixture.run("run", "epochs = 1");
    assert_eq!(Predictor::load(&summary.output).expect("a predictor").predict(&[]).expect("no predictions"), []);
}

#[test]
fn texts_that_the_vocabulary_cannot_write_are_told() {
    let fixture = Fixture::new();
    let texts = "the good 龘\u{1F642} story,positive\nthe bad 龘龘 film,negative\n".repeat(6);
    fixture.write("strange.csv", format!("text,label\n{texts}").as_bytes());
    let path = fixture.path("strange.csv").display().to_string();
    let (_, events) = fixture.run("run", &format!("train = {path:?}\nepochs = 1"));
    let told =
        |notice: &&String| notice.contains("% of the tokens are [UNK]: the model's vocabulary does not have what stands there");
    assert_eq!(events.notices.iter().filter(told).count(), 1, "{:?}", events.notices);
}
