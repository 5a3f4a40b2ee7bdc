//! Text behind prompts through the public door: what must not depend on the batch, what is told while it grows, and what is refused.

use std::ops::ControlFlow;

use graftling::{
    BatchLimits, EarlyStopping, Error, FinishReason, Generation, GenerationError, GenerationOptions, Generator, LengthLimit,
    OptionProblem, Piece,
};

use crate::fixture::Fixture;

const PROMPTS: [&str; 7] = [
    "the movie was",
    "好的电影，很好看。这部电影",
    "x",
    "It costs 12.50 and weighs 3 kg. It costs 12.50 and weighs 3 kg.",
    "again",
    "the house is small",
    "again",
];

fn generator(model: &str) -> (Fixture, Generator) {
    let fixture = Fixture::of_model(model);
    let generator = Generator::load(&fixture.model()).expect("a generator");
    (fixture, generator)
}

/// A way of each kind, with ends that come early and late: tokens that the model likes to write.
fn ways(generator: &Generator) -> [(&'static str, GenerationOptions); 4] {
    let endless = GenerationOptions { eos_token_id: Some(Vec::new()), max_new_tokens: Some(9), ..GenerationOptions::default() };
    let liked = generator.generate(&PROMPTS[..4], &endless).expect("texts");
    let ends = liked.iter().zip([2, 4, 6, 8]).map(|(generation, place)| generation.continuations[0].tokens[place]);
    let ends = Some(ends.collect());
    let common = GenerationOptions { max_new_tokens: Some(14), eos_token_id: ends, ..GenerationOptions::default() };
    let beams = GenerationOptions { num_beams: Some(3), num_return_sequences: Some(2), ..common.clone() };
    let draws = GenerationOptions { do_sample: Some(true), seed: Some(3), ..common.clone() };
    [
        ("greedy", common.clone()),
        ("sampling", GenerationOptions { num_return_sequences: Some(3), top_k: Some(0), ..draws.clone() }),
        ("beams", GenerationOptions { early_stopping: Some(EarlyStopping::WhenFull), ..beams.clone() }),
        ("beams with draws", GenerationOptions { do_sample: Some(true), seed: Some(3), ..beams }),
    ]
}

#[test]
fn what_is_generated_does_not_depend_on_what_else_is_in_work() {
    for model in ["tiny-llama", "tiny-gpt2"] {
        let (_fixture, mut generator) = generator(model);
        for (way, options) in ways(&generator) {
            let together = generator.generate(&PROMPTS, &options).expect("texts");
            for (sequences, tokens) in [(1, 1), (4, 10_000), (7, 120)] {
                generator = generator.with_limits(BatchLimits { sequences, tokens });
                let found = generator.generate(&PROMPTS, &options).expect("texts");
                assert_eq!(found, together, "{model}, {way}, {sequences} sequences and {tokens} tokens");
            }
            generator = generator.with_limits(BatchLimits::default());
            if options.do_sample.is_none() {
                let alone = PROMPTS.map(|prompt| generator.generate(&[prompt], &options).expect("a text").remove(0));
                assert_eq!(alone.as_slice(), together, "{model}, {way}");
            }
            let reasons: Vec<FinishReason> =
                together.iter().flat_map(|one| one.continuations.iter().map(|one| one.finish_reason)).collect();
            assert!(reasons.contains(&FinishReason::EosToken) && reasons.len() >= PROMPTS.len(), "{model}, {way}: {reasons:?}");
        }
    }
}

#[test]
fn pieces_are_told_as_they_come_and_give_the_text() {
    let (_fixture, generator) = generator("tiny-llama");
    for (way, options) in ways(&generator) {
        let mut told: Vec<Vec<String>> = vec![vec![String::new(); 3]; PROMPTS.len()];
        let mut pieces = 0;
        let found = generator.stream(&PROMPTS, &options, &mut |piece: Piece<'_>| {
            assert!(!piece.text.is_empty());
            told[piece.prompt][piece.continuation] += piece.text;
            pieces += 1;
            ControlFlow::Continue(())
        });
        let found = found.expect("texts");
        assert_eq!(found, generator.generate(&PROMPTS, &options).expect("texts"), "{way}");
        for (told, generation) in told.iter().zip(&found) {
            let texts: Vec<&str> = generation.continuations.iter().map(|continuation| continuation.text.as_str()).collect();
            assert_eq!(told[..texts.len()], texts, "{way}");
        }
        let texts: usize = found.iter().map(|generation| generation.continuations.len()).sum();
        assert!(if options.num_beams.is_some() { pieces <= texts } else { pieces > 2 * texts }, "{way}: {pieces} pieces");
    }
}

#[test]
fn a_text_to_stop_at_ends_a_continuation_before_it() {
    let (_fixture, generator) = generator("tiny-gpt2");
    let long = GenerationOptions { max_new_tokens: Some(30), eos_token_id: Some(Vec::new()), ..GenerationOptions::default() };
    for prompt in PROMPTS {
        let whole = generator.generate(&[prompt], &long).expect("a text").remove(0).continuations.remove(0);
        assert_eq!((whole.finish_reason, whole.tokens.len()), (FinishReason::Length, 30));
        // Four characters from the middle.
        let middle: Vec<(usize, char)> = whole.text.char_indices().skip(whole.text.chars().count() / 2).take(5).collect();
        let stop = &whole.text[middle[0].0..middle[4].0];
        if stop.contains('\u{FFFD}') {
            continue;
        }
        let options = GenerationOptions { stop_strings: Some(vec![stop.to_owned()]), ..long.clone() };
        let mut told = String::new();
        let stopped = generator.stream(&[prompt], &options, &mut |piece: Piece<'_>| {
            told += piece.text;
            ControlFlow::Continue(())
        });
        let stopped = stopped.expect("a text").remove(0).continuations.remove(0);
        assert_eq!(stopped.finish_reason, FinishReason::StopString, "{stop:?}");
        assert_eq!(Some(stopped.text.as_str()), whole.text.split(stop).next(), "{stop:?} in {:?}", whole.text);
        assert_eq!(told, stopped.text);
        assert!(stopped.tokens.len() < 30 && whole.tokens.starts_with(&stopped.tokens));
        let beams = GenerationOptions { num_beams: Some(3), ..options };
        for continuation in &generator.generate(&[prompt], &beams).expect("a text")[0].continuations {
            assert!(!continuation.text.contains(stop), "{:?}", continuation.text);
        }
    }
}

#[test]
fn draws_follow_from_seed_place_and_number_alone() {
    let (_fixture, generator) = generator("tiny-llama");
    let options = |seed, several| GenerationOptions {
        do_sample: Some(true),
        seed: Some(seed),
        num_return_sequences: Some(several),
        ..GenerationOptions::default()
    };
    let texts = |options: &GenerationOptions, prompts: &[&str]| -> Vec<Vec<Vec<u32>>> {
        let tokens =
            |generation: Generation| generation.continuations.into_iter().map(|continuation| continuation.tokens).collect();
        generator.generate(prompts, options).expect("texts").into_iter().map(tokens).collect()
    };
    let three = texts(&options(1, 3), &["again", "again"]);
    assert_eq!(three, texts(&options(1, 3), &["again", "again"]));
    let mut different = three.concat();
    different.extend(texts(&options(2, 3), &["again"]).concat());
    let count = different.len();
    different.sort();
    different.dedup();
    assert_eq!((different.len(), count), (9, 9));
    assert_eq!(texts(&options(1, 1), &["again"])[0][0], three[0][0], "the first of several is the one of one");
    let greedy = GenerationOptions { max_new_tokens: Some(20), ..GenerationOptions::default() };
    let one_choice = GenerationOptions { top_k: Some(1), ..options(5, 1) };
    assert_eq!(texts(&one_choice, &PROMPTS), texts(&greedy, &PROMPTS));
}

#[test]
fn a_continuation_that_is_wanted_no_longer_ends() {
    let (_fixture, generator) = generator("tiny-llama");
    let options = GenerationOptions { eos_token_id: Some(Vec::new()), max_new_tokens: Some(20), ..GenerationOptions::default() };
    let found = generator.stream(&["the movie was", "again"], &options, &mut |piece: Piece<'_>| match piece.prompt {
        0 => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    let found: Vec<_> = found.expect("texts").into_iter().flat_map(|generation| generation.continuations).collect();
    assert_eq!(found[0].finish_reason, FinishReason::Cancelled);
    assert!((1..20).contains(&found[0].tokens.len()));
    assert_eq!((found[1].finish_reason, found[1].tokens.len()), (FinishReason::Length, 20));
}

#[test]
fn the_folder_says_what_nobody_asks_for() {
    let fixture = Fixture::of_model("tiny-llama");
    let text = "{\"do_sample\": true, \"temperature\": 0.6, \"top_k\": 20, \"eos_token_id\": [0, 5], \"max_new_tokens\": 9, \"early_stopping\": true, \
         \"typical_p\": 1.0, \"num_beam_groups\": 1, \"guidance_scale\": null, \"chat_format\": \"raw\", \"bos_token_id\": 0}";
    fixture.write("model/generation_config.json", text.as_bytes());
    let generator = Generator::load(&fixture.model()).expect("a generator");
    let notices: Vec<&str> = generator.notices().collect();
    assert!(notices.iter().any(|notice| notice.ends_with("not known and left out: chat_format")), "{notices:?}");
    let defaults = generator.defaults();
    assert_eq!((defaults.temperature, defaults.top_k), (Some(0.6), Some(20)));
    assert_eq!(defaults.eos_token_id, Some(vec![0, 5]));
    let asked = GenerationOptions::default();
    let drawn = generator.generate(&["the movie was"], &asked).expect("a text").remove(0);
    assert!(drawn.continuations[0].tokens.len() <= 9);
    // Temperature and top_k of the folder are beside the point here, and its early_stopping was above: they are no contradictions.
    let greedy = GenerationOptions { do_sample: Some(false), max_length: Some(9), eos_token_id: Some(Vec::new()), ..asked };
    let greedy = generator.generate(&["the movie was"], &greedy).expect("a text").remove(0);
    assert_eq!(greedy.prompt_tokens + greedy.continuations[0].tokens.len(), 9);
    // A prompt without tokens begins with the token that texts begin with.
    assert_eq!(generator.generate(&[""], &GenerationOptions::default()).expect("a text")[0].prompt_tokens, 1);
}

#[test]
fn without_a_file_of_settings_the_config_is_asked() {
    let fixture = Fixture::of_model("tiny-gpt2");
    std::fs::remove_file(fixture.path("model/generation_config.json")).expect("a file");
    let generator = Generator::load(&fixture.model()).expect("a generator");
    assert_eq!(generator.defaults().eos_token_id, Some(vec![0]));
    let found = generator.generate(&["the movie was"], &GenerationOptions::default()).expect("a text");
    assert!(found[0].continuations[0].tokens.len() <= 20);
}

#[test]
fn settings_that_would_change_the_text_and_are_not_offered_are_refused_together() {
    let fixture = Fixture::of_model("tiny-llama");
    fixture.write(
        "model/generation_config.json",
        b"{\"typical_p\": 0.9, \"penalty_alpha\": 0.6, \"eos_token_id\": 320, \"early_stopping\": \"maybe\", \"top_k\": -1}",
    );
    let Err(error) = Generator::load(&fixture.model()) else { panic!("it is refused") };
    let Error::Generation(GenerationError::Config { problems, .. }) = &error else { panic!("{error}") };
    assert_eq!(problems.len(), 5, "{error}");
    let text = error.to_string();
    for part in ["generation_config.json: ", "typical_p: found 0.9, accepted is null, 1", "a token id below 320", "\"maybe\""] {
        assert!(text.contains(part), "{part:?} in {text}");
    }
    fixture.write("model/generation_config.json", b"{");
    assert!(matches!(Generator::load(&fixture.model()), Err(Error::Model(_))));
}

#[test]
fn other_models_are_refused() {
    let fixture = Fixture::new();
    let Err(error) = Generator::load(&fixture.model()) else { panic!("BERT is no causal language model") };
    assert!(matches!(error, Error::Generation(GenerationError::NoLanguageModel { .. })), "{error}");
}

#[test]
fn prompts_that_leave_no_room_are_told_with_what_is_possible() {
    let (_fixture, generator) = generator("tiny-gpt2");
    let (fits, long) = ("x".repeat(120), "x".repeat(128));
    let ask = |prompts: &[&str], options: GenerationOptions| generator.generate(prompts, &options);
    // Of the usual 20 tokens as many are written as there is room for, as in transformers.
    let usual =
        ask(&[&fits], GenerationOptions { eos_token_id: Some(Vec::new()), ..GenerationOptions::default() }).expect("a text");
    assert_eq!((usual[0].prompt_tokens, usual[0].continuations[0].tokens.len()), (120, 8));
    let eight = GenerationOptions { max_new_tokens: Some(8), ..GenerationOptions::default() };
    assert!(ask(&[&fits], eight.clone()).is_ok());
    let nine = GenerationOptions { max_new_tokens: Some(9), ..GenerationOptions::default() };
    let error = ask(&[&fits], nine.clone()).expect_err("too many").to_string();
    assert!(error.contains("prompt 1 has 120 tokens") && error.contains("possible are 8 new ones"), "{error}");
    let Err(Error::Several(errors)) = ask(&["x", &long, &fits], nine) else { panic!("two prompts") };
    assert_eq!(errors.len(), 2);
    let Error::Generation(GenerationError::PromptTooLong { index, tokens, limit }) = &errors[0] else { panic!("{}", errors[0]) };
    assert_eq!((*index, *tokens, *limit), (2, 128, LengthLimit::Positions(128)));
    let short = GenerationOptions { max_length: Some(3), ..GenerationOptions::default() };
    let Err(Error::Generation(GenerationError::PromptTooLong { limit, .. })) = ask(&["xxx"], short) else { panic!("no room") };
    assert_eq!(limit, LengthLimit::MaxLength(3));
    let all = GenerationOptions { suppress_tokens: Some((0..320).collect()), ..GenerationOptions::default() };
    let error = ask(&["x"], all).expect_err("nothing may come");
    assert!(matches!(error, Error::Generation(GenerationError::EverythingForbidden { index: 1, new_tokens: 0 })), "{error}");
}

#[test]
fn options_that_cannot_be_are_refused_together() {
    let (_fixture, generator) = generator("tiny-llama");
    let none = GenerationOptions::default();
    let draws = GenerationOptions { do_sample: Some(true), ..none.clone() };
    for (options, expected) in [
        (GenerationOptions { temperature: Some(0.7), ..none.clone() }, &["temperature does not go with do_sample false"][..]),
        (
            GenerationOptions { top_p: Some(0.7), seed: Some(1), do_sample: Some(false), ..none.clone() },
            &["top_p does not go with do_sample false", "seed does not go with do_sample false"],
        ),
        (GenerationOptions { temperature: Some(0.0), ..draws.clone() }, &["temperature: found 0, accepted is a number above 0"]),
        (
            GenerationOptions { top_p: Some(1.5), min_p: Some(f64::NAN), ..draws.clone() },
            &["top_p: found 1.5", "min_p: found NaN"],
        ),
        (
            GenerationOptions { length_penalty: Some(2.0), early_stopping: Some(EarlyStopping::Never), ..none.clone() },
            &["length_penalty does not go with num_beams 1", "early_stopping does not go with num_beams 1"],
        ),
        (
            GenerationOptions { num_return_sequences: Some(2), ..none.clone() },
            &["num_return_sequences does not go with do_sample false"],
        ),
        (
            GenerationOptions { num_beams: Some(2), num_return_sequences: Some(3), ..none.clone() },
            &["num_return_sequences does not go with num_beams 2"],
        ),
        (
            GenerationOptions { max_new_tokens: Some(0), num_beams: Some(0), ..none.clone() },
            &["max_new_tokens: found 0", "num_beams: found 0"],
        ),
        (
            GenerationOptions { max_new_tokens: Some(5), max_length: Some(9), ..none.clone() },
            &["max_length does not go with max_new_tokens"],
        ),
        (
            GenerationOptions { max_new_tokens: Some(5), min_new_tokens: Some(6), ..none.clone() },
            &["min_new_tokens does not go with max_new_tokens 5"],
        ),
        (
            GenerationOptions { eos_token_id: Some(Vec::new()), min_new_tokens: Some(6), ..none.clone() },
            &["min_new_tokens does not go with no eos_token_id"],
        ),
        (
            GenerationOptions { forced_eos_token_id: Some(vec![4]), suppress_tokens: Some(vec![3, 4]), ..none.clone() },
            &["forced_eos_token_id does not go with suppress_tokens"],
        ),
        (
            GenerationOptions { suppress_tokens: Some(vec![320]), bad_words_ids: Some(vec![vec![], vec![400]]), ..none.clone() },
            &[
                "suppress_tokens: found 320, accepted is token ids below 320",
                "bad_words_ids: found 400",
                "bad_words_ids: found []",
            ],
        ),
        (GenerationOptions { stop_strings: Some(vec![String::new()]), ..none.clone() }, &["stop_strings: found \"\""]),
        (GenerationOptions { repetition_penalty: Some(-1.0), ..none.clone() }, &["repetition_penalty: found -1"]),
    ] {
        let Err(Error::Generation(GenerationError::Options(problems))) = generator.check(&options) else {
            panic!("{options:?} is refused")
        };
        let found: Vec<String> = problems.iter().map(OptionProblem::to_string).collect();
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(found.starts_with(expected), "{found:?}, not {expected:?}");
        }
    }
}
