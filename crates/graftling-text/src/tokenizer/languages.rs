//! Tokenizers of many languages: the code of a text's language goes around it, another one around what is read than around what is
//! written (mBART, mBART-50, NLLB). Knows nothing of how texts are cut.

use super::class::TokenizerClass;
use super::special_tokens::{added_token, around};
use super::{Tokenizer, piece_tokens};
use crate::TextError;
use crate::nearest::nearest;

/// The codes of mBART, in the order of their ids.
pub(super) const MBART: [&str; 25] = [
    "ar_AR", "cs_CZ", "de_DE", "en_XX", "es_XX", "et_EE", "fi_FI", "fr_XX", "gu_IN", "hi_IN", "it_IT", "ja_XX", "kk_KZ", "ko_KR",
    "lt_LT", "lv_LV", "my_MM", "ne_NP", "nl_XX", "ro_RO", "ru_RU", "si_LK", "tr_TR", "vi_VN", "zh_CN",
];

/// Those that mBART-50 has besides.
pub(super) const MBART_50: [&str; 27] = [
    "af_ZA", "az_AZ", "bn_IN", "fa_IR", "he_IL", "hr_HR", "id_ID", "ka_GE", "km_KH", "mk_MK", "ml_IN", "mn_MN", "mr_IN", "pl_PL",
    "ps_AF", "pt_XX", "sv_SE", "sw_KE", "ta_IN", "te_IN", "th_TH", "tl_XX", "uk_UA", "ur_PK", "xh_ZA", "gl_ES", "sl_SI",
];

/// Where the code of a language stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CodePlace {
    /// `text </s> code`.
    BehindEnd,
    /// `code text </s>`.
    BeforeText,
}

/// The languages of a tokenizer.
#[derive(Clone, Debug)]
pub(super) struct Languages {
    known: Vec<String>,
    place: CodePlace,
    source: String,
    target: String,
}

/// The codes that a class of tokenizers brings along; none where it takes no languages.
pub(super) fn codes_of(class: TokenizerClass) -> Vec<&'static str> {
    match class {
        TokenizerClass::Mbart => MBART.to_vec(),
        TokenizerClass::Mbart50 => MBART.into_iter().chain(MBART_50).collect(),
        _ => Vec::new(),
    }
}

impl Tokenizer {
    /// The languages of the texts that are read and of those that are written, where the tokenizer is told them (mBART, mBART-50, NLLB).
    pub fn languages(&self) -> Option<(&str, &str)> {
        self.languages.as_ref().map(|languages| (languages.source.as_str(), languages.target.as_str()))
    }

    /// The codes of the languages that the tokenizer knows: those of [`set_languages`](Tokenizer::set_languages), or those that a text
    /// may begin with (`>>zh<<` of a Marian model for many languages). Empty where there is no choice.
    pub fn known_languages(&self) -> Vec<String> {
        match (&self.languages, &self.pieces) {
            (Some(languages), _) => languages.known.clone(),
            (None, Some(_)) => {
                let mut codes: Vec<String> =
                    self.pipeline.get_vocab(true).into_keys().filter(|token| piece_tokens::is_language_code(token)).collect();
                codes.sort_unstable();
                codes
            }
            (None, None) => Vec::new(),
        }
    }

    /// The token that says which language is written, and its id, where texts are written in a language that was chosen: what
    /// generation begins with (`forced_bos_token_id` of transformers).
    pub fn target_language_token(&self) -> Option<(String, u32)> {
        let target = &self.languages.as_ref()?.target;
        Some((target.clone(), self.pipeline.token_to_id(target)?))
    }

    /// Chooses the languages of the texts that are read and of those that are written; what is `None` stays. [`save`](Tokenizer::save)
    /// writes them as `src_lang` and `tgt_lang`.
    ///
    /// # Errors
    ///
    /// [`TextError::UnknownLanguage`] where the vocabulary has no such code, [`TextError::NoLanguages`] where the tokenizer takes none.
    pub fn set_languages(&mut self, source: Option<&str>, target: Option<&str>) -> Result<(), TextError> {
        let Some(given) = source.or(target) else { return Ok(()) };
        let Some(mut languages) = self.languages.clone() else {
            let known = self.known_languages();
            return Err(TextError::NoLanguages { path: self.settings.path.clone(), language: given.to_owned(), known });
        };
        for (wanted, place) in [(source, &mut languages.source), (target, &mut languages.target)] {
            if let Some(wanted) = wanted {
                if !languages.known.iter().any(|code| code == wanted) {
                    let near = nearest(wanted, &languages.known).map(str::to_owned);
                    let (path, language, known) = (self.settings.path.clone(), wanted.to_owned(), languages.known);
                    return Err(TextError::UnknownLanguage { path, language, known, near });
                }
                *place = wanted.to_owned();
            }
        }
        let written = self.framed(&languages.target, languages.place)?;
        self.post_processor = Some(self.framed(&languages.source, languages.place)?.into());
        for (key, language) in [("src_lang", &languages.source), ("tgt_lang", &languages.target)] {
            self.settings.config.insert(key.to_owned(), language.as_str().into());
        }
        self.languages = Some(languages);
        self.targets = Some(Box::new(Tokenizer { post_processor: Some(written.into()), ..self.sharing() }));
        Ok(())
    }

    /// Finds the languages that the class of the tokenizer takes, and chooses those that the settings name, as transformers does: without
    /// a source that of English, without a target that of the source. A vocabulary without any code takes none, nor does
    /// a class that is no family's.
    pub(super) fn find_languages(&mut self) -> Result<(), TextError> {
        let Some(class) = self.settings.class().filter(|_| !self.settings.names_no_family()) else { return Ok(()) };
        let (place, default) = match class {
            TokenizerClass::Mbart => (CodePlace::BehindEnd, "en_XX"),
            TokenizerClass::Mbart50 => (CodePlace::BeforeText, "en_XX"),
            TokenizerClass::Nllb => match self.settings.switch("legacy_behaviour")?.unwrap_or(false) {
                true => (CodePlace::BehindEnd, "eng_Latn"),
                false => (CodePlace::BeforeText, "eng_Latn"),
            },
            _ => return Ok(()),
        };
        // They are special even where a tokenizer.json has them as plain pieces.
        let own: Vec<_> = codes_of(class).into_iter().filter(|code| self.pipeline.token_to_id(code).is_some()).collect();
        let added = self.pipeline.get_added_tokens_decoder();
        if own.iter().any(|code| !added.values().any(|token| token.content == *code)) {
            let mut pipeline = (*self.pipeline).clone();
            let special = own.iter().map(|code| added_token(super::settings::SpecialToken::plain(code)));
            pipeline.add_special_tokens(special).map_err(|error| self.unusable(error.to_string()))?;
            self.pipeline = pipeline.into();
        }
        let mut known: Vec<(u32, String)> =
            self.pipeline.get_added_tokens_decoder().into_iter().map(|(id, token)| (id, token.content)).collect();
        known.retain(|(_, token)| own.contains(&token.as_str()) || is_code(token));
        known.sort_unstable();
        let known: Vec<String> = known.into_iter().map(|(_, code)| code).collect();
        if known.is_empty() {
            return Ok(());
        }
        let accepted = "the code of a language";
        let named = |key| Ok::<_, TextError>(self.settings.word(key, accepted)?.map(str::to_owned));
        let source = named("src_lang")?.unwrap_or_else(|| default.to_owned());
        let target = named("tgt_lang")?.unwrap_or_else(|| source.clone());
        let configured = self.settings.config.clone();
        self.languages = Some(Languages { known, place, source: source.clone(), target: target.clone() });
        let chosen = self.set_languages(Some(&source), Some(&target));
        self.settings.config = configured;
        chosen
    }

    /// What puts the code of a language around texts.
    fn framed(&self, code: &str, place: CodePlace) -> Result<tokenizers::processors::template::TemplateProcessing, TextError> {
        let end = self.settings.special_token("eos_token", "</s>")?.content;
        let with_id = |token: &str, role| {
            let missing = || TextError::TokenMissing { path: self.settings.path.clone(), role, token: token.to_owned() };
            Ok::<_, TextError>((token.to_owned(), self.pipeline.token_to_id(token).ok_or_else(missing)?))
        };
        let (end, code) = (with_id(&end, "eos_token")?, with_id(code, "code of a language")?);
        let made = match place {
            CodePlace::BehindEnd => around(&[], &[end, code]),
            CodePlace::BeforeText => around(&[code], &[end]),
        };
        made.map_err(|reason| self.unusable(reason))
    }

    fn unusable(&self, reason: String) -> TextError {
        TextError::TokenizerFile { path: self.settings.path.clone(), reason }
    }
}

/// Whether an added token is written as the codes of languages are: `en_XX`, `eng_Latn`.
fn is_code(token: &str) -> bool {
    let Some((language, region)) = token.split_once('_') else { return false };
    (2..=3).contains(&language.len())
        && language.bytes().all(|letter| letter.is_ascii_lowercase())
        && (2..=4).contains(&region.len())
        && region.bytes().all(|letter| letter.is_ascii_alphabetic())
        && region.starts_with(|letter: char| letter.is_ascii_uppercase())
}
