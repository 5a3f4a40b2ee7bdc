//! The classes of tokenizers that transformers knows and what follows from them: the kind of vocabulary, the special tokens, and
//! whether models take token types. Knows nothing of files.

/// A class of tokenizers, with what its models are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenizerClass {
    Bert,
    DistilBert,
    Mpnet,
    Roberta,
    Gpt2,
    Deberta,
    XlmRoberta,
    Camembert,
    Albert,
    DebertaV2,
    T5,
    Marian,
    Mbart,
    Mbart50,
    Nllb,
}

/// The name in `tokenizer_class` (without `Fast`), the `model_type`s of config.json that use it, and the class.
const CLASSES: [(&str, &[&str], TokenizerClass); 19] = [
    ("BertTokenizer", &["bert", "ernie", "electra", "convbert", "mobilebert", "squeezebert", "layoutlm"], TokenizerClass::Bert),
    ("ElectraTokenizer", &[], TokenizerClass::Bert),
    ("MobileBertTokenizer", &[], TokenizerClass::Bert),
    ("DistilBertTokenizer", &["distilbert"], TokenizerClass::DistilBert),
    ("MPNetTokenizer", &["mpnet"], TokenizerClass::Mpnet),
    ("RobertaTokenizer", &["roberta", "data2vec-text"], TokenizerClass::Roberta),
    ("BartTokenizer", &["bart"], TokenizerClass::Roberta),
    ("LongformerTokenizer", &["longformer"], TokenizerClass::Roberta),
    ("GPT2Tokenizer", &["gpt2"], TokenizerClass::Gpt2),
    ("DebertaTokenizer", &["deberta"], TokenizerClass::Deberta),
    ("XLMRobertaTokenizer", &["xlm-roberta", "xlm-roberta-xl"], TokenizerClass::XlmRoberta),
    ("CamembertTokenizer", &["camembert"], TokenizerClass::Camembert),
    ("AlbertTokenizer", &["albert"], TokenizerClass::Albert),
    ("DebertaV2Tokenizer", &["deberta-v2"], TokenizerClass::DebertaV2),
    ("T5Tokenizer", &["t5", "mt5"], TokenizerClass::T5),
    ("MarianTokenizer", &["marian", "marian-ssru"], TokenizerClass::Marian),
    ("MBartTokenizer", &["mbart"], TokenizerClass::Mbart),
    ("MBart50Tokenizer", &[], TokenizerClass::Mbart50),
    ("NllbTokenizer", &[], TokenizerClass::Nllb),
];

/// The kind of vocabulary that a class of tokenizers reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum VocabularyKind {
    /// vocab.txt.
    WordPiece,
    /// vocab.json and merges.txt.
    ByteLevel,
    /// A SentencePiece model.
    SentencePiece,
    /// source.spm and its companions.
    Marian,
    /// tokenizer.json alone.
    Converted,
}

impl TokenizerClass {
    /// All names, as a message lists them.
    pub fn names() -> String {
        CLASSES.map(|(name, _, _)| name).join(", ")
    }

    /// The files that its vocabulary is in.
    pub fn vocabulary(self) -> VocabularyKind {
        match self {
            Self::Bert | Self::DistilBert | Self::Mpnet => VocabularyKind::WordPiece,
            Self::Roberta | Self::Gpt2 | Self::Deberta => VocabularyKind::ByteLevel,
            Self::XlmRoberta | Self::Camembert | Self::Albert | Self::DebertaV2 | Self::T5 | Self::Mbart | Self::Mbart50 => {
                VocabularyKind::SentencePiece
            }
            Self::Marian => VocabularyKind::Marian,
            Self::Nllb => VocabularyKind::Converted,
        }
    }

    /// The class of this name, with or without `Fast`.
    pub fn named(name: &str) -> Option<TokenizerClass> {
        let name = name.strip_suffix("Fast").unwrap_or(name);
        CLASSES.iter().find(|(class, _, _)| *class == name).map(|(_, _, class)| *class)
    }

    /// The class that models of this type use.
    pub fn of_model(model_type: &str) -> Option<TokenizerClass> {
        CLASSES.iter().find(|(_, models, _)| models.contains(&model_type)).map(|(_, _, class)| *class)
    }

    /// Whether tokens around a text name its language.
    pub fn has_languages(self) -> bool {
        matches!(self, Self::Marian | Self::Mbart | Self::Mbart50 | Self::Nllb)
    }

    /// Its name in `tokenizer_class`.
    pub fn name(self) -> &'static str {
        CLASSES.iter().find(|(_, _, class)| *class == self).map_or("PreTrainedTokenizerFast", |(name, _, _)| name)
    }

    /// Whether its models tell the texts of a pair apart by token types.
    pub fn takes_token_types(self) -> bool {
        matches!(self, Self::Bert | Self::Deberta | Self::DebertaV2 | Self::Albert)
    }
}
