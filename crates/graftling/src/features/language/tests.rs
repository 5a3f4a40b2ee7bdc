//! Sequences of tokens, divided and cut.

use graftling_text::PlainExample;
use serde_json::Value;

use super::*;

fn sequence(opening: usize, given: usize, tokens: u32) -> Sequence {
    Sequence { input_ids: (0..tokens).collect(), opening, given, said: Vec::new(), end: tokens as usize }
}

/// Each window from its first to its last token, and the tokens that are foreseen in it.
fn shown(windows: &[Window]) -> Vec<(u32, u32, Vec<u32>)> {
    let shown = |window: &Window| {
        let ids = &window.input_ids;
        (ids[0], ids[ids.len() - 1], window.foreseen.iter().map(|token| ids[*token]).collect())
    };
    windows.iter().map(shown).collect()
}

#[test]
fn every_token_but_the_first_is_foreseen_once_whatever_the_windows() {
    for tokens in 2..40 {
        for max_length in 3..20 {
            for stride in 1..max_length {
                let windows = sequence(0, 1, tokens).divided(max_length, stride);
                let foreseen: Vec<u32> = shown(&windows).into_iter().flat_map(|(_, _, foreseen)| foreseen).collect();
                assert_eq!(foreseen, (1..tokens).collect::<Vec<_>>(), "{tokens} {max_length} {stride}");
                assert!(windows.iter().all(|window| window.input_ids.len() <= max_length && !window.foreseen.contains(&0)));
            }
        }
    }
}

#[test]
fn windows_share_as_many_tokens_as_they_are_told() {
    let windows = sequence(0, 1, 10).divided(6, 2);
    assert_eq!(shown(&windows), [(0, 5, vec![1, 2, 3, 4, 5]), (4, 9, vec![6, 7, 8, 9])]);
    assert_eq!(shown(&sequence(0, 1, 8).divided(6, 1)), [(0, 5, vec![1, 2, 3, 4, 5]), (5, 7, vec![6, 7])]);
}

#[test]
fn a_prompt_loses_its_front_and_a_completion_only_what_cannot_be_kept() {
    struct Case {
        /// Tokens that open every text, tokens of the prompt with them, and all tokens.
        sequence: (usize, usize, u32),
        max_length: usize,
        kept: &'static [u32],
        given: usize,
        cut: usize,
    }
    let case = |sequence, max_length, kept, given, cut| Case { sequence, max_length, kept, given, cut };
    let cases = [
        case((0, 4, 7), 8, &[0, 1, 2, 3, 4, 5, 6], 4, 0),
        case((0, 4, 7), 5, &[2, 3, 4, 5, 6], 2, 2),
        case((1, 4, 7), 5, &[0, 3, 4, 5, 6], 2, 2),
        case((0, 4, 7), 4, &[3, 4, 5, 6], 1, 3),
        case((1, 4, 7), 4, &[0, 4, 5, 6], 1, 3),
        case((0, 4, 9), 4, &[3, 4, 5, 6], 1, 5),
        case((2, 4, 9), 4, &[0, 1, 4, 5], 2, 5),
        case((0, 1, 9), 4, &[0, 1, 2, 3], 1, 5),
    ];
    for Case { sequence: (opening, given, tokens), max_length, kept, given: left, cut } in cases {
        let (windows, lost) = sequence(opening, given, tokens).fitted(max_length);
        assert_eq!(windows[0].input_ids, kept, "{opening} {given} {tokens} in {max_length}");
        assert_eq!((windows.len(), windows[0].foreseen[0], lost), (1, left, cut), "{opening} {given} {tokens} in {max_length}");
    }
}

#[test]
fn a_text_that_is_cut_loses_its_end() {
    let (windows, cut) = sequence(0, 1, 9).cut(6);
    assert_eq!((shown(&windows), cut), (vec![(0, 5, vec![1, 2, 3, 4, 5])], 3));
    assert_eq!(sequence(0, 1, 6).cut(6).1, 0);
}

#[test]
fn a_conversation_keeps_its_last_answer_and_what_fits_before_it() {
    // Answers at 1, at 3..5 and at 8..10; two tokens stand behind the last.
    let chat = || Sequence { input_ids: (0..12).collect(), opening: 0, given: 8, end: 10, said: vec![1..2, 3..5] };
    let cases: [(usize, &[u32], &[u32], usize); 4] = [
        (12, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], &[1, 3, 4, 8, 9], 0),
        (8, &[2, 3, 4, 5, 6, 7, 8, 9], &[3, 4, 8, 9], 4),
        (6, &[4, 5, 6, 7, 8, 9], &[8, 9], 6),
        (3, &[7, 8, 9], &[8, 9], 9),
    ];
    for (max_length, kept, foreseen, cut) in cases {
        let (windows, lost) = chat().fitted(max_length);
        assert_eq!((windows[0].input_ids.as_slice(), lost), (kept, cut), "{max_length}");
        assert_eq!(shown(&windows)[0].2, foreseen, "{max_length}");
    }
}

#[test]
fn tokens_are_those_of_transformers_with_an_end_behind() {
    let golden: Value = serde_json::from_str(include_str!("../../../tests/golden/causal_lm.json")).unwrap();
    for model in golden["models"].as_array().unwrap() {
        let folder =
            format!("{}/../graftling-models/tests/golden/{}/model", env!("CARGO_MANIFEST_DIR"), model["model"].as_str().unwrap());
        let tokenizer = Tokenizer::from_folder(folder.as_ref()).unwrap();
        let string = |value: &Value| value.as_str().unwrap().to_owned();
        let ids =
            |value: &Value| -> Vec<u32> { value.as_array().unwrap().iter().map(|id| id.as_u64().unwrap() as u32).collect() };
        let seen = |example: LanguageExample, max_length: u64| {
            let reading = Reading { max_length: max_length as usize, long_texts: LongTexts::Cut, prompt: None, targets: None };
            tokenize_language(&tokenizer, &[example], &reading).unwrap().features.remove(0)
        };
        for text in model["texts"].as_array().unwrap() {
            let example = LanguageExample::Text(PlainExample { text: string(&text["text"]), line: 1 });
            assert_eq!(seen(example, 128).input_ids, ids(&text["input_ids"]), "{text}");
        }
        for pair in model["pairs"].as_array().unwrap() {
            let example =
                LanguageExample::Completed { prompt: string(&pair["prompt"]), completion: string(&pair["completion"]), line: 1 };
            for (expected, max_length) in [(pair, 128), (&pair["cut"], golden["cut_length"].as_u64().unwrap())] {
                let features = seen(example.clone(), max_length);
                assert_eq!(features.input_ids, ids(&expected["input_ids"]), "{expected}");
                assert_eq!(features.rows() as u64, expected["tokens"].as_u64().unwrap(), "{expected}");
                let next: Vec<u32> = features.next_tokens().collect();
                assert_eq!(next, ids(&expected["input_ids"])[expected["given"].as_u64().unwrap() as usize..], "{expected}");
            }
        }
    }
}
