//! The flags that say by which figures generated texts are judged, and how each is computed. Knows nothing of files and of how they
//! are computed.

use clap::Args;
use graftling::metrics::{
    Bleu, BleuTokenizer, Chrf, ChrfVariant, Rouge, RougeTokenizer, Smoothing, TargetLanguage, Ter, TextMetric,
};

use crate::failure::Failure;

/// What `--metric` takes.
const METRICS: [&str; 9] = ["bleu", "chrf", "chrf++", "ter", "rouge", "exact_match", "distinct", "repetition", "copying"];
/// What `--smooth` takes.
const SMOOTHINGS: [&str; 4] = ["exp", "floor", "add-k", "none"];
/// What stands for a match where nobody says otherwise, as in sacrebleu.
const FLOOR: f64 = 0.1;
const ADD_K: f64 = 1.0;

/// The figures and their settings.
#[derive(Args)]
#[command(next_help_heading = "Metrics")]
pub struct TextMetricFlags {
    /// The figures, separated by commas: bleu, chrf, chrf++, ter, rouge, exact_match, distinct, repetition, copying [default: all; copying with
    /// --sources]
    #[arg(long, value_name = "METRIC", value_delimiter = ',', value_parser = clap::builder::PossibleValuesParser::new(METRICS), hide_possible_values = true)]
    metric: Vec<String>,
    /// The language of the texts, as en, zh, ja: by it go the tokenizer of BLEU, and for Chinese and Japanese the preparation of TER
    /// (normalized, with asian support) where none of its flags is given
    #[arg(long, value_name = "CODE")]
    target_language: Option<TargetLanguage>,
    /// How BLEU takes texts apart: 13a, zh, intl, char or none [default: by --target-language; 13a]
    #[arg(long, value_name = "TOKENIZER", value_parser = tokenizer)]
    tokenize: Option<BleuTokenizer>,
    /// What stands in for orders without a match in BLEU: exp, floor, add-k or none [default: exp]
    #[arg(long, value_name = "WORD", value_parser = clap::builder::PossibleValuesParser::new(SMOOTHINGS), hide_possible_values = true)]
    smooth: Option<String>,
    /// The value of floor and of add-k [default: 0.1, 1]
    #[arg(long, value_name = "NUMBER", value_parser = not_negative)]
    smooth_value: Option<f64>,
    /// Let BLEU and chrF take capital letters for small ones
    #[arg(long)]
    lowercase: bool,
    /// Set punctuation apart and read entities before TER compares words
    #[arg(long)]
    ter_normalized: bool,
    /// Leave punctuation out of TER
    #[arg(long)]
    ter_no_punct: bool,
    /// Let the two see to Chinese characters and punctuation, too
    #[arg(long)]
    ter_asian_support: bool,
    /// Let TER tell capital letters from small ones
    #[arg(long)]
    ter_case_sensitive: bool,
    /// What a word of ROUGE is: unicode, for every script; or rouge_score, as the program of that name has it, for a to z and digits alone
    /// [default: unicode]
    #[arg(long, value_name = "WORD", value_parser = rouge_tokenizer)]
    rouge_tokenize: Option<RougeTokenizer>,
    /// Let ROUGE compare English words by their stems (Porter's)
    #[arg(long)]
    rouge_stemmer: bool,
}

impl TextMetricFlags {
    /// The figures to compute, and what there is to know of them; copying only where there are sources, unless it is asked for.
    pub fn metrics(&self, with_sources: bool) -> Result<(Vec<TextMetric>, Option<&'static str>), Failure> {
        self.check(with_sources)?;
        let (bleu, notice) = self.bleu();
        let kinds = [
            TextMetric::Bleu(bleu),
            TextMetric::Chrf(Chrf { variant: ChrfVariant::Characters, lowercase: self.lowercase }),
            TextMetric::Chrf(Chrf { variant: ChrfVariant::CharactersAndWords, lowercase: self.lowercase }),
            TextMetric::Ter(self.ter()),
            TextMetric::Rouge(Rouge { tokenizer: self.rouge_tokenize.unwrap_or_default(), stemmer: self.rouge_stemmer }),
            TextMetric::ExactMatch,
            TextMetric::Distinct,
            TextMetric::Repetition,
            TextMetric::Copying,
        ];
        let wanted = METRICS.iter().zip(kinds).filter(|(word, _)| self.has(word) && (with_sources || **word != "copying"));
        Ok((wanted.map(|(_, kind)| kind).collect(), notice.filter(|_| self.has("bleu"))))
    }

    /// Whether these figures are wanted.
    fn has(&self, metric: &str) -> bool {
        self.metric.is_empty() || self.metric.iter().any(|word| word == metric)
    }

    /// Refuses what would do nothing.
    fn check(&self, with_sources: bool) -> Result<(), Failure> {
        let given = [
            ("--tokenize", self.tokenize.is_some(), &["bleu"][..]),
            ("--smooth", self.smooth.is_some(), &["bleu"]),
            ("--lowercase", self.lowercase, &["bleu", "chrf", "chrf++"]),
            ("--ter-normalized", self.ter_normalized, &["ter"]),
            ("--ter-no-punct", self.ter_no_punct, &["ter"]),
            ("--ter-asian-support", self.ter_asian_support, &["ter"]),
            ("--ter-case-sensitive", self.ter_case_sensitive, &["ter"]),
            ("--rouge-tokenize", self.rouge_tokenize.is_some(), &["rouge"]),
            ("--rouge-stemmer", self.rouge_stemmer, &["rouge"]),
            ("--sources", with_sources, &["copying"]),
        ];
        let useless = given.into_iter().find(|(_, given, metrics)| *given && !metrics.iter().any(|metric| self.has(metric)));
        if let Some((flag, _, metrics)) = useless {
            return Err(Failure::FlagOfOtherMetric { flag, metrics: metrics.join(", ") });
        }
        if self.target_language.is_some() && !self.goes_by_language() {
            return Err(Failure::LanguageOfNothing);
        }
        if !with_sources && self.metric.iter().any(|metric| metric == "copying") {
            return Err(Failure::CopyingWithoutSources);
        }
        if self.smooth_value.is_some() && !matches!(self.smooth.as_deref(), Some("floor" | "add-k")) {
            return Err(Failure::SmoothValueOfNothing);
        }
        if self.ter_asian_support && !self.ter_normalized && !self.ter_no_punct {
            return Err(Failure::AsianSupportAlone);
        }
        Ok(())
    }

    fn bleu(&self) -> (Bleu, Option<&'static str>) {
        let smoothing = match self.smooth.as_deref() {
            Some("floor") => Smoothing::Floor(self.smooth_value.unwrap_or(FLOOR)),
            Some("add-k") => Smoothing::AddK(self.smooth_value.unwrap_or(ADD_K)),
            Some("none") => Smoothing::None,
            _ => Smoothing::Exp,
        };
        let of_language = self.target_language.as_ref().map(BleuTokenizer::of_language);
        let (tokenizer, notice) = match (self.tokenize, of_language) {
            (Some(tokenizer), _) => (tokenizer, None),
            (None, Some(chosen)) => (chosen.tokenizer, chosen.notice),
            (None, None) => (BleuTokenizer::Western, None),
        };
        (Bleu { tokenizer, smoothing, lowercase: self.lowercase }, notice)
    }

    fn ter(&self) -> Ter {
        match &self.target_language {
            Some(language) if !self.is_ter_given() => Ter::of_language(language),
            _ => Ter {
                normalized: self.ter_normalized,
                no_punctuation: self.ter_no_punct,
                asian_support: self.ter_asian_support,
                case_sensitive: self.ter_case_sensitive,
            },
        }
    }

    /// Whether a figure goes by the language, and none was named.
    pub fn misses_language(&self) -> bool {
        self.target_language.is_none() && self.goes_by_language()
    }

    /// Whether the tokenizer of BLEU or the preparation of TER is left to the language.
    fn goes_by_language(&self) -> bool {
        (self.has("bleu") && self.tokenize.is_none()) || (self.has("ter") && !self.is_ter_given())
    }

    fn is_ter_given(&self) -> bool {
        self.ter_normalized || self.ter_no_punct || self.ter_asian_support || self.ter_case_sensitive
    }
}

fn tokenizer(name: &str) -> Result<BleuTokenizer, String> {
    BleuTokenizer::from_word(name).map_err(|error| error.to_string())
}

fn rouge_tokenizer(name: &str) -> Result<RougeTokenizer, String> {
    let known = RougeTokenizer::ALL.into_iter().find(|tokenizer| tokenizer.word() == name);
    known.ok_or_else(|| format!("accepted are {}", RougeTokenizer::WORDS.join(", ")))
}

fn not_negative(typed: &str) -> Result<f64, String> {
    let number = typed.parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0);
    number.ok_or_else(|| "accepted is a number from 0".to_owned())
}
