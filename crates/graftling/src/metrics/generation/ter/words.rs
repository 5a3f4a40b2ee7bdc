//! How texts are made alike before TER compares their words: Tercom's normalizer, as sacrebleu has it (`TercomTokenizer`). Knows no edit.

use std::sync::LazyLock;

use super::Ter;
use crate::metrics::answer_words::is_space;
use crate::metrics::generation::rules::{Rule, Rules};
use crate::metrics::generation::tokenizers::{self, ENTITIES, SIGNS, STOPS};

const ASIAN_PUNCTUATION: &str = r"([\u{3001}\u{3002}\u{3008}-\u{3011}\u{3014}-\u{301F}\u{FF61}-\u{FF65}\u{30FB}])";
const FULL_WIDTH_PUNCTUATION: &str = r"([\u{FF0E}\u{FF0C}\u{FF1F}\u{FF1A}\u{FF1B}\u{FF01}\u{FF02}\u{FF08}\u{FF09}])";
/// Chinese characters, their strokes, radicals and compatibility forms, and punctuation, each by itself. sacrebleu's fourth range ends at
/// U+3F22 where U+32FF is meant. Its rules for runs of kana look for one at the beginning of the text, where a blank stands, and never apply.
const ASIAN: [Rule; 6] = [
    (r"([\u{4E00}-\u{9FFF}\u{3400}-\u{4DBF}])", " $1 "),
    (r"([\u{31C0}-\u{31EF}\u{2E80}-\u{2EFF}])", " $1 "),
    (r"([\u{3300}-\u{33FF}\u{F900}-\u{FAFF}\u{FE30}-\u{FE4F}])", " $1 "),
    (r"([\u{3200}-\u{3F22}])", " $1 "),
    (ASIAN_PUNCTUATION, " $1 "),
    (FULL_WIDTH_PUNCTUATION, " $1 "),
];

static LINES_JOINED: LazyLock<Rules> = LazyLock::new(|| Rules::new(&[&[("\n-", ""), ("\n", " ")][..], &ENTITIES].concat()));
static SIGNS_APART: LazyLock<Rules> = LazyLock::new(|| Rules::new(&[&[SIGNS, ("'s ", " 's ")][..], &STOPS].concat()));
static ASIAN_APART: LazyLock<Rules> = LazyLock::new(|| Rules::new(&ASIAN));
static NO_PUNCTUATION: LazyLock<Rules> = LazyLock::new(|| Rules::new(&[(r#"[\.,\?:;!"\(\)]"#, "")]));
static NO_ASIAN_PUNCTUATION: LazyLock<Rules> =
    LazyLock::new(|| Rules::new(&[(ASIAN_PUNCTUATION, ""), (FULL_WIDTH_PUNCTUATION, "")]));

/// What is compared.
pub(super) fn words(text: &str, options: Ter) -> Vec<String> {
    let text = text.trim_end_matches(is_space);
    let mut text = if options.case_sensitive { text.to_owned() } else { text.to_lowercase() };
    if options.normalized {
        text = SIGNS_APART.applied(&format!(" {} ", LINES_JOINED.applied(&text)));
        if options.asian_support {
            text = ASIAN_APART.applied(&text);
        }
    }
    if options.no_punctuation {
        text = NO_PUNCTUATION.applied(&text);
        if options.asian_support {
            text = NO_ASIAN_PUNCTUATION.applied(&text);
        }
    }
    tokenizers::words(&text).map(str::to_owned).collect()
}
