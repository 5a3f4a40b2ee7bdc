//! What may be said of how a text is to be generated, under the names of transformers. Knows nothing of files and of how it is done.

/// When a search with beams ends: the `early_stopping` of transformers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EarlyStopping {
    /// `false`: as soon as the best running beam, divided by its present length, is worse than the worst finished one.
    Heuristic,
    /// `true`: as soon as there are as many finished beams as running ones.
    WhenFull,
    /// `"never"`: when no running beam can become better than the worst finished one, whatever its length.
    Never,
}

impl EarlyStopping {
    /// Every way.
    pub const ALL: [Self; 3] = [Self::Heuristic, Self::WhenFull, Self::Never];

    /// The word for it: `false`, `true` or `never`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Heuristic => "false",
            Self::WhenFull => "true",
            Self::Never => "never",
        }
    }

    /// The way of this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|way| way.word() == word)
    }
}

macro_rules! options {
    ($($(#[$doc:meta])* $name:ident: $kind:ty,)*) => {
        /// How texts are to be generated. Every option has the name and the meaning it has in `generate` of transformers.
        ///
        /// What is `None` is as the folder of the model says in its `generation_config.json`, or else as transformers has it: 20 new
        /// tokens, the most probable one at each step.
        ///
        /// ```
        /// use graftling::GenerationOptions;
        ///
        /// let options = GenerationOptions { max_new_tokens: Some(40), num_beams: Some(4), ..GenerationOptions::default() };
        /// assert_eq!(options.do_sample, None);
        /// ```
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct GenerationOptions {
            $($(#[$doc])* pub $name: Option<$kind>,)*
        }

        impl GenerationOptions {
            /// These options; what they leave open is as the others say.
            pub fn or(&self, others: &Self) -> Self {
                Self { $($name: self.$name.clone().or_else(|| others.$name.clone()),)* }
            }
        }
    };
}

options! {
    /// The most tokens that are generated for a prompt. Default: 20, or what `max_length` leaves.
    max_new_tokens: usize,
    /// The most tokens of prompt and continuation together, where `max_new_tokens` is not given; in a model that writes one text from
    /// another those of the text alone, the one that it starts with included.
    max_length: usize,
    /// No end token before so many tokens are generated.
    min_new_tokens: usize,
    /// No end token before prompt and continuation, counted in the same way, have so many tokens, where `min_new_tokens` is not given.
    min_length: usize,
    /// Tokens that end a text; an empty list: none does. Default: as the folder says.
    eos_token_id: Vec<u32>,
    /// Texts that end a continuation as soon as one is complete, also where it begins or ends inside a token.
    stop_strings: Vec<String>,
    /// Whether each token is drawn by its probability, instead of taking the most probable one. Default: false.
    do_sample: bool,
    /// What random numbers follow from, with the place of a prompt among those it was given with. Default: 0.
    seed: u64,
    /// By how much logits are divided before a token is drawn. Default: 1.
    temperature: f64,
    /// Only so many of the most probable tokens are drawn from; 0: all. Default: 50.
    top_k: usize,
    /// Only the most probable tokens that together have this probability are drawn from. Default: 1.
    top_p: f64,
    /// Only tokens with this share of the probability of the most probable one are drawn from. Default: 0.
    min_p: f64,
    /// How many continuations are followed side by side. Default: 1.
    num_beams: usize,
    /// A finished beam is judged by its log-probability divided by its length to this power. Default: 1.
    length_penalty: f64,
    /// When the search ends, of beams. Default: as soon as the heuristic says so.
    early_stopping: EarlyStopping,
    /// How many continuations of a prompt are given: different draws, or the best beams. Default: 1.
    num_return_sequences: usize,
    /// Logits of tokens that occur in prompt or continuation are divided by this where positive, multiplied where negative. Default: 1.
    repetition_penalty: f64,
    /// No sequence of so many tokens occurs twice in prompt and continuation; 0: any may. Default: 0.
    no_repeat_ngram_size: usize,
    /// The same for tokens of the prompt, the other way round: above 1 they become more probable. Default: 1.
    encoder_repetition_penalty: f64,
    /// No sequence of so many tokens is taken over from the prompt; 0: any may. Default: 0.
    encoder_no_repeat_ngram_size: usize,
    /// Sequences of tokens that are never completed; an end token alone is left out of them.
    bad_words_ids: Vec<Vec<u32>>,
    /// Tokens that are never generated.
    suppress_tokens: Vec<u32>,
    /// Tokens that are not generated first.
    begin_suppress_tokens: Vec<u32>,
    /// The token that a text starts with in a model that writes one text from another. It is no part of what is given. Default: as the folder
    /// says.
    decoder_start_token_id: u32,
    /// The token behind a prompt of one token; in a model that writes one text from another the first of each text, which some of them take
    /// for the language to write in.
    forced_bos_token_id: u32,
    /// Tokens one of which is the last where the most tokens are generated.
    forced_eos_token_id: Vec<u32>,
    /// Whether scores are log-probabilities again after everything above; beams alone can tell the difference. Default: false.
    renormalize_logits: bool,
}
