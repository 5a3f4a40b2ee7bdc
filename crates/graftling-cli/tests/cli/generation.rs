//! Generating behind prompts from flags, standard input and files.

use serde_json::{Value, json};

use crate::bad_input::{Case, check, nothing};
use crate::scratch::{Said, Scratch};

const GENERATE: &[&str] = &["generate", "--model", "llama", "--max-new-tokens", "12"];

fn scratch() -> Scratch {
    let scratch = Scratch::new();
    scratch.copy_model_of("tiny-llama", "llama");
    scratch
}

fn run(scratch: &Scratch, more: &[&str]) -> Said {
    let said = scratch.run(&[GENERATE, more].concat());
    assert_eq!(said.code, Some(0), "{said:?}");
    said
}

fn objects(said: &Said) -> Vec<Value> {
    said.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn one_prompt_is_gone_on_with_as_it_comes_from_a_flag_or_from_standard_input() {
    let scratch = scratch();
    let told = run(&scratch, &["--prompt", "the movie was"]);
    assert_eq!(told.stderr, "");
    let json = objects(&run(&scratch, &["--prompt", "the movie was", "--json"])).remove(0);
    assert_eq!(told.stdout, format!("{}\n", json["generated_text"].as_str().unwrap()));
    assert_eq!((&json["prompt"], &json["finish_reason"]), (&"the movie was".into(), &"length".into()));
    assert_eq!((&json["prompt_tokens"], &json["tokens"]), (&6.into(), &12.into()));
    let said = scratch.run_with_input(GENERATE, b"\xEF\xBB\xBFthe movie was\r\n");
    assert_eq!((said.code, said.stdout), (Some(0), told.stdout));
    // Where nobody says how many tokens, it is told that there were as many as may be.
    let usual = scratch.run(&["generate", "--model", "llama", "--prompt", "the movie was"]);
    assert_eq!(usual.stderr, "note: 1 text cut at the most new tokens; --max-new-tokens gives more\n");
}

#[test]
fn several_continuations_are_a_line_each() {
    let scratch = scratch();
    let prompts = ["--prompt", "the movie was", "--prompt", "- 好的\n电影", "--prompt", "x"];
    let lines = run(&scratch, &prompts);
    assert_eq!(lines.stdout.lines().count(), 3, "{}", lines.stdout);
    let json = objects(&run(&scratch, &[&prompts[..], &["--json", "--batch-size", "1", "--batch-tokens", "1"]].concat()));
    let prompt_of = |object: &Value| object["prompt"].as_str().unwrap().to_owned();
    assert_eq!(json.iter().map(prompt_of).collect::<Vec<_>>(), ["the movie was", "- 好的\n电影", "x"]);
    let beams = run(&scratch, &["--prompt", "x", "--num-beams", "3", "--num-return-sequences", "2", "--json"]);
    let beams = objects(&beams);
    assert_eq!((&beams[0]["sequence"], &beams[1]["sequence"]), (&1.into(), &2.into()));
    assert!(beams[0]["score"].as_f64() >= beams[1]["score"].as_f64(), "{beams:?}");
    let draws = ["--prompt", "x", "--do-sample", "--seed", "7", "--temperature", "1.5", "--num-return-sequences", "2"];
    let drawn = run(&scratch, &draws);
    assert_eq!((drawn.stdout.lines().count(), &drawn.stdout), (2, &run(&scratch, &draws).stdout));
    // Everything up to a text to stop at.
    let text = json[0]["generated_text"].as_str().unwrap();
    let stop: String = text.chars().skip(2).take(2).collect();
    let stopped = run(&scratch, &["--prompt", "the movie was", "--stop-strings", &stop]).stdout;
    assert_eq!(stopped.strip_suffix('\n'), text.split(&stop).next());
}

#[test]
fn a_file_is_written_again_with_what_follows_its_prompts() {
    let scratch = scratch();
    scratch.write(
        "in.jsonl",
        "{\"id\": 1, \"text\": \"not this\", \"prompt\": \"the movie\"}\n{\"id\": 2, \"text\": \"nor this\", \"prompt\": \"好\"}\n",
    );
    let said = run(&scratch, &["--input", "in.jsonl", "--output", "out.jsonl"]);
    let rows: Vec<Value> = scratch.read("out.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told = objects(&run(&scratch, &["--prompt", "the movie", "--prompt", "好", "--json"]));
    let tokens: u64 = told.iter().map(|told| told["tokens"].as_u64().unwrap()).sum();
    let beginning = format!("1 of 2 prompts\nwrote out.jsonl for 2 prompts: {tokens} tokens in ");
    assert!(
        said.stdout.is_empty() && said.stderr.starts_with(&beginning) && said.stderr.ends_with(" tokens/s)\n"),
        "{}",
        said.stderr
    );
    for (row, told) in rows.iter().zip(&told) {
        assert_eq!((&row["generated_text"], &row["finish_reason"]), (&told["generated_text"], &told["finish_reason"]));
    }
    scratch.write("in.txt", "the movie\n好\n");
    let lines = run(&scratch, &["--input", "in.txt", "--json"]);
    assert_eq!(objects(&lines), told);
    let several = ["--input", "in.txt", "--output", "out.csv", "--num-beams", "2", "--num-return-sequences", "2"];
    run(&scratch, &several);
    assert!(scratch.read("out.csv").contains("\"[\"\"length\"\",\"\"length\"\"]\""), "{}", scratch.read("out.csv"));
    let named = ["--input", "in.jsonl", "--text-column", "text", "--format", "jsonl", "--json"];
    let named = objects(&run(&scratch, &named));
    assert_eq!((&named[0]["prompt"], &named[1]["prompt"]), (&"not this".into(), &"nor this".into()));
}

#[test]
fn what_users_say_is_answered_by_the_chat_template() {
    let scratch = scratch();
    let refused = scratch.run(&[GENERATE, &["--chat", "--prompt", "x"]].concat());
    assert!(refused.code == Some(1) && refused.stderr.starts_with("error: the tokenizer has no chat template"), "{refused:?}");
    let template = "{% for message in messages %}{{ message.role }}: {{ message.content }}\n{% endfor %}\
        {% if add_generation_prompt %}assistant:{% endif %}";
    scratch.write("llama/chat_template.jinja", template);
    let plain = run(&scratch, &["--prompt", "user: the movie\nassistant:"]).stdout;
    assert_eq!(run(&scratch, &["--chat", "--prompt", "the movie"]).stdout, plain);
    let plain = run(&scratch, &["--prompt", "system: Be short.\nuser: the movie\nassistant:"]).stdout;
    let with_system = ["--chat", "--system", "Be short.", "--prompt", "the movie"];
    assert_eq!(run(&scratch, &with_system).stdout, plain);
    let told = objects(&run(&scratch, &[&with_system[..], &["--json"]].concat()));
    let messages = json!([{"role": "system", "content": "Be short."}, {"role": "user", "content": "the movie"}]);
    assert_eq!((&told[0]["messages"], &told[0]["prompt"]), (&messages, &Value::Null));
    // A file of conversations, and one of what users say.
    scratch.write("in.jsonl", format!("{}\n", json!({"text": "not this", "messages": messages})));
    assert_eq!(objects(&run(&scratch, &["--chat", "--input", "in.jsonl", "--json"])), told);
    scratch.write("in.txt", "the movie\n");
    let said = run(&scratch, &["--chat", "--system", "Be short.", "--input", "in.txt", "--json"]);
    assert_eq!(objects(&said), told);
    let answered = json!({"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}]});
    scratch.write("in.jsonl", format!("{answered}\n"));
    let refused = scratch.run(&[GENERATE, &["--chat", "--input", "in.jsonl"]].concat());
    assert!(
        refused.code == Some(1) && refused.stderr.starts_with("error: in.jsonl:1: the last message is the assistant's"),
        "{refused:?}"
    );
}

#[test]
fn what_cannot_be_generated_is_refused() {
    let llama: fn(&Scratch) = |scratch| scratch.copy_model_of("tiny-llama", "llama");
    let case = |name, arguments, code, error| Case { name, spoil: llama, arguments, code, error };
    check(&[
        Case {
            name: "no language model",
            spoil: nothing,
            arguments: &["generate", "--model", "tiny", "--prompt", "x"],
            code: 1,
            error: "error: tiny: this is a sequence classifier, which does not write texts",
        },
        case(
            "temperature without draws",
            &["generate", "--model", "llama", "--prompt", "x", "--temperature", "0.7", "--length-penalty", "-1"],
            2,
            "error: temperature does not go with do_sample false: nothing is drawn; say do_sample true, or leave it out\n\
             length_penalty does not go with num_beams 1",
        ),
        case(
            "more than there is room for",
            &["generate", "--model", "llama", "--prompt", "x", "--prompt", "好", "--max-new-tokens", "128"],
            1,
            "error: prompt 1 has 1 token and max_new_tokens is 128, but the model has 128 positions; possible are 127 new ones behind \
             this prompt",
        ),
        case(
            "an output that is there",
            &["generate", "--model", "llama", "--input", "train.csv", "--output", "train.csv"],
            1,
            "error: train.csv: the output would replace the file that is read",
        ),
        case(
            "no such column",
            &["generate", "--model", "llama", "--input", "train.csv", "--text-column", "prompts"],
            1,
            "error: train.csv: ",
        ),
    ]);
    check(&[
        Case {
            name: "pairs",
            spoil: |scratch| scratch.write("pairs.csv", "question,answer\nwho,me\n"),
            arguments: &["generate", "--model", "tiny", "--input", "pairs.csv"],
            code: 1,
            error: "error: pairs.csv: the file holds pairs of texts; name the column of the prompts with --text-column",
        },
        Case {
            name: "sentences",
            spoil: |scratch| scratch.write("words.conll", "a O\nb O\n"),
            arguments: &["generate", "--model", "tiny", "--input", "words.conll"],
            code: 1,
            error: "error: words.conll: the file holds sentences a word a line, or questions about texts",
        },
        Case {
            name: "an id that is none",
            spoil: nothing,
            arguments: &["generate", "--model", "tiny", "--prompt", "x", "--suppress-tokens", "1,two"],
            code: 2,
            error: "",
        },
    ]);
}

#[test]
fn prompts_of_a_file_are_made_by_a_template_that_is_given_or_that_of_the_run() {
    let scratch = scratch();
    scratch.write("rows.jsonl", "{\"film\": \"the movie\", \"year\": 1999}\n{\"film\": \"好的电影\", \"year\": 2001}\n");
    let prompts = |said: &Said| -> Vec<String> {
        objects(said).iter().map(|object| object["prompt"].as_str().unwrap().to_owned()).collect()
    };
    let template = ["--input", "rows.jsonl", "--template", "{film} ({year}):\\n", "--json"];
    let given = run(&scratch, &template);
    assert_eq!(prompts(&given), ["the movie (1999):\n", "好的电影 (2001):\n"]);
    let recipe =
        "task = 'causal_lm'\nmodel = 'llama'\ntrain = 'a.jsonl'\nvalidation = 'a.jsonl'\noutput = 'run'\ntemplate = '{film}?'\n";
    scratch.write("llama/recipe.toml", recipe);
    let of_run = run(&scratch, &["--input", "rows.jsonl", "--json"]);
    assert_eq!(prompts(&of_run), ["the movie?", "好的电影?"]);
    assert_eq!(of_run.stderr, "note: rows.jsonl: prompts by the template of the run, \"{film}?\"\n");
    let missing = scratch.run(&[GENERATE, &["--input", "rows.jsonl", "--template", "{title}"]].concat());
    assert_eq!(missing.code, Some(1), "{missing:?}");
    let expected = "error: rows.jsonl: no column \"title\" for the template; the columns are \"film\", \"year\"\n";
    assert_eq!(missing.stderr, expected);
}

#[test]
fn a_folder_says_nothing_of_drawing_where_nothing_is_drawn_and_fewest_tokens_need_room() {
    let scratch = scratch();
    let folder = "{\"do_sample\": false, \"temperature\": 0.0, \"num_return_sequences\": 3, \"eos_token_id\": 0}";
    scratch.write("llama/generation_config.json", folder);
    let said = run(&scratch, &["--prompt", "the movie was", "--json"]);
    assert_eq!(objects(&said).len(), 1);
    assert_eq!(objects(&said)[0].get("sequence"), None);
    let fewest = scratch.run(&["generate", "--model", "llama", "--prompt", "x", "--min-new-tokens", "50"]);
    assert_eq!(fewest.code, Some(2), "{fewest:?}");
    assert!(fewest.stderr.contains("max_new_tokens 20"), "{fewest:?}");
}

/// A tiny BART in the folder `pair`, with a tokenizer whose tokens are words w4 to w37 and two languages.
fn pair() -> Scratch {
    pair_of("bart", "PreTrainedTokenizerFast")
}

fn pair_of(family: &str, tokenizer_class: &str) -> Scratch {
    let scratch = Scratch::new();
    scratch.copy_model_of(&format!("families/{family}/seq2seq"), "pair");
    let special = ["<pad>", "<s>", "</s>", "<unk>"];
    let token = |id: usize| match id {
        0..4 => special[id].to_owned(),
        38 => "en_XX".to_owned(),
        39 => "de_DE".to_owned(),
        _ => format!("w{id}"),
    };
    let vocabulary: Value = (0..40).map(|id| (token(id), json!(id))).collect::<serde_json::Map<_, _>>().into();
    let added: Vec<Value> = special
        .iter()
        .enumerate()
        .map(|(id, token)| json!({"id": id, "content": token, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}))
        .collect();
    let tokenizer = json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": added, "normalizer": null, "pre_tokenizer": {"type": "WhitespaceSplit"},
        "post_processor": {
            "type": "TemplateProcessing", "pair": [],
            "single": [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 0}}],
            "special_tokens": {"</s>": {"id": "</s>", "ids": [2], "tokens": ["</s>"]}},
        },
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": false},
        "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": "<unk>"},
    });
    scratch.write("pair/tokenizer.json", tokenizer.to_string());
    scratch.write("pair/tokenizer_config.json", json!({"tokenizer_class": tokenizer_class}).to_string());
    scratch
}

#[test]
fn a_model_for_many_languages_writes_in_the_one_that_is_chosen() {
    for (class, option) in [("MBartTokenizer", "--decoder-start-token"), ("MBart50Tokenizer", "--forced-bos-token")] {
        let scratch = pair_of("mbart", class);
        let generate = ["generate", "--model", "pair", "--prompt", "w7 w8 w9", "--no-repeat-ngram-size", "1"];
        let run = |more: &[&str]| {
            let said = scratch.run(&[&generate, more].concat());
            assert_eq!(said.code, Some(0), "{class}: {said:?}");
            said.stdout
        };
        let named = run(&["--source-language", "de_DE", option, "de_DE"]);
        assert_eq!(run(&["--source-language", "de_DE", "--target-language", "de_DE"]), named, "{class}");
        let said = scratch.run(&[&generate[..], &["--target-language", "de_DD"]].concat());
        assert!(said.code != Some(0) && said.stderr.contains("(did you mean \"de_DE\"?)"), "{class}: {said:?}");
    }
    let said = pair().run(&["generate", "--model", "pair", "--prompt", "w7", "--target-language", "de_DE"]);
    assert!(said.code != Some(0) && said.stderr.contains("de_DE"), "{said:?}");
}

#[test]
fn a_model_that_writes_one_text_from_another_writes_the_whole_text() {
    let scratch = pair();
    let generate = ["generate", "--model", "pair", "--max-new-tokens", "8", "--no-repeat-ngram-size", "1"];
    let run = |more: &[&str]| {
        let said = scratch.run(&[&generate, more].concat());
        assert_eq!(said.code, Some(0), "{said:?}");
        said
    };
    let told = run(&["--prompt", "w7 w8 w9"]).stdout;
    let json = objects(&run(&["--prompt", "w7 w8 w9", "--prompt", "w20", "--json"])).remove(0);
    assert_eq!(told, format!("{}\n", json["generated_text"].as_str().unwrap()));
    // The end token of the source counts, the token that texts start with does not.
    assert_eq!((&json["prompt_tokens"], &json["tokens"]), (&4.into(), &8.into()));
    // The last token has to be the end token, which is no part of the text.
    let words: Vec<&str> = told.split_whitespace().collect();
    assert!(words.len() <= 7 && words.iter().all(|word| word.starts_with('w')) && told.starts_with('w'), "{told}");
    let first = run(&["--prompt", "w7 w8 w9", "--forced-bos-token", "w30"]).stdout;
    assert!(first.starts_with("w30 "), "{first}");
    assert_eq!(first, run(&["--prompt", "w7 w8 w9", "--forced-bos-token-id", "30"]).stdout);
    let other = run(&["--prompt", "w7 w8 w9", "--decoder-start-token-id", "<s>", "--encoder-repetition-penalty", "2"]).stdout;
    assert_eq!(other, run(&["--prompt", "w7 w8 w9", "--decoder-start-token", "1", "--encoder-repetition-penalty", "2"]).stdout);
    let beams = objects(&run(&["--prompt", "w7 w8", "--num-beams", "3", "--num-return-sequences", "3", "--json"]));
    assert!(beams.len() == 3 && beams.iter().all(|beam| beam["score"].is_number()), "{beams:?}");
}

#[test]
fn what_cannot_be_written_from_a_source_is_refused() {
    for (arguments, code, error) in [
        (
            &["--forced-bos-token", "fr_XX"][..],
            2,
            "error: forced_bos_token_id: found fr_XX, accepted is a token as the vocabulary writes it, or its id, below 40",
        ),
        (
            &["--decoder-start-token-id", "40"],
            2,
            "error: decoder_start_token_id: found 40, accepted is a token as the vocabulary writes it",
        ),
        (
            &["--max-new-tokens", "24"],
            2,
            "error: max_new_tokens: found 24, accepted is a whole number from 1 to 23: the decoder has 24 positions",
        ),
        (&["--prompt", &"w9 ".repeat(24)], 1, "error: prompt 2 has 25 tokens, but the encoder has 24 positions; shorten it"),
    ] {
        let said = pair().run(&[&["generate", "--model", "pair", "--prompt", "w7"], arguments].concat());
        assert_eq!(said.code, Some(code), "{said:?}");
        assert!(said.stderr.starts_with(error), "{said:?}");
    }
}
