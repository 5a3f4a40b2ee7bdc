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

impl Languages {
    /// That of the texts that are read, and that of those that are written.
    fn chosen(&self) -> [&str; 2] {
        [&self.source, &self.target]
    }
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
        self.languages.as_ref().map(|languages| languages.chosen().into())
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

    /// Chooses the languages of the texts that are read and of those that are written; what is `None` stays. A language is given by its code, or
    /// by the language alone (`de` for `de_DE`) where one code is of it. [`save`](Tokenizer::save) writes them as `src_lang` and `tgt_lang`.
    ///
    /// # Errors
    ///
    /// [`TextError::UnknownLanguages`] where the vocabulary has no such code, [`TextError::NoLanguages`] where the tokenizer takes none.
    pub fn set_languages(&mut self, source: Option<&str>, target: Option<&str>) -> Result<(), TextError> {
        let Some(given) = source.or(target) else { return Ok(()) };
        let Some(languages) = self.languages.clone() else {
            let known = self.known_languages();
            return Err(TextError::NoLanguages { path: self.settings.path.clone(), language: given.to_owned(), known });
        };
        let (source, target) = (source.unwrap_or(&languages.source), target.unwrap_or(&languages.target));
        self.choose(languages.known.clone(), languages.place, [source, target])?;
        for (key, language) in ["src_lang", "tgt_lang"].into_iter().zip(self.languages.iter().flat_map(Languages::chosen)) {
            self.settings.config.insert(key.to_owned(), language.into());
        }
        Ok(())
    }

    /// Has the codes of these languages put around the texts that are read, and around those that are written.
    fn choose(&mut self, known: Vec<String>, place: CodePlace, given: [&str; 2]) -> Result<(), TextError> {
        let codes = given.map(|language| code_of(language, &known));
        let [Some(source), Some(target)] = codes else {
            let mut unknown: Vec<&str> =
                given.into_iter().zip(codes).filter(|(_, code)| code.is_none()).map(|(given, _)| given).collect();
            unknown.dedup();
            let near = unknown.iter().find_map(|language| nearest(language, &known)).map(str::to_owned);
            let languages = unknown.into_iter().map(str::to_owned).collect();
            return Err(TextError::UnknownLanguages { path: self.settings.path.clone(), languages, known, near });
        };
        let (source, target) = (source.to_owned(), target.to_owned());
        let written = self.framed(&target, place)?;
        self.post_processor = Some(self.framed(&source, place)?.into());
        self.languages = Some(Languages { known, place, source, target });
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
        self.choose(known, place, [&source, &target])
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

/// The code that was given, however it is written (`de-de`), or the only one of that language (`de`).
fn code_of<'a>(given: &str, known: &'a [String]) -> Option<&'a str> {
    let folded = |code: &str| code.replace('-', "_").to_ascii_lowercase();
    let given = folded(given);
    let language = |code: &str| folded(code).split('_').next().map(str::to_owned);
    let same = known.iter().find(|code| folded(code) == given);
    let mut alike = known.iter().filter(|code| language(code).as_ref() == Some(&given));
    let only = alike.next().filter(|_| alike.next().is_none());
    same.or(only).map(String::as_str)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_languages_are_the_tokenizers_or_the_language_alone() {
        let known = ["en_XX", "zh_CN", "zh_TW", "de_DE"].map(str::to_owned);
        for (given, expected) in [
            ("de", Some("de_DE")),
            ("EN", Some("en_XX")),
            ("zh_TW", Some("zh_TW")),
            ("de-de", Some("de_DE")),
            ("de_AT", None),
            ("zh", None),
            ("fr", None),
        ] {
            assert_eq!(code_of(given, &known), expected, "{given}");
        }
    }
}
