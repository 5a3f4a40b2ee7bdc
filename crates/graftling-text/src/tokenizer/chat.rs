//! Conversations as the text that a model was trained on, by the chat template beside its weights, and what of it the assistant says.
//! The template is a program in Jinja, run as transformers runs it; knows no token ids.

mod python_json;
#[cfg(test)]
mod tests;

use std::ops::Range;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, Serde};
use minijinja::{Environment, ErrorKind, Value as Variable, context};
use serde_json::Value;

use super::Tokenizer;
use crate::clock;

/// What is stored under the name of the template.
const NAME: &str = "chat_template";
/// How much a template may compute: more than any real one for thousands of messages, and little enough to end soon.
const FUEL: u64 = 50_000_000;
/// By how many blanks `tojson` indents at most.
const MOST_BLANKS: usize = 64;
/// The special tokens that templates know by name.
const TOKENS: [&str; 7] = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

/// A chat template with the special tokens that it may name.
pub struct ChatTemplate {
    environment: Environment<'static>,
    tokens: Vec<(&'static str, String)>,
}

/// A conversation as a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversation {
    /// The text.
    pub text: String,
    /// The bytes of it that the assistant says, what ends its turns included; empty where the template leaves nothing of an answer.
    pub said: Vec<Range<usize>>,
}

/// How a conversation ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChatEnding {
    /// With its last message.
    Closed,
    /// With what stands before an answer of the assistant (`add_generation_prompt`).
    AnswerWanted,
}

/// Why a conversation cannot be made a text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChatProblem {
    /// The folder has no template.
    #[error(
        "the tokenizer has no chat template (chat_template.jinja, or \"chat_template\" in tokenizer_config.json); give a model that was trained to \
         chat, add a template, or give prompts with completions"
    )]
    NoTemplate,
    /// It is not written in Jinja, or not in what of it is known here.
    #[error("the chat template cannot be read: {reason}")]
    Unreadable {
        /// What is wrong with it.
        reason: String,
    },
    /// It refuses a conversation, or fails at it.
    #[error("the chat template refuses it: {reason}")]
    Refused {
        /// What it says.
        reason: String,
    },
    /// What stands before an answer is not written the same with the answer and without.
    #[error(
        "the chat template writes what stands before message {message} otherwise when the conversation goes on, so that it cannot be told what the \
         assistant says there; give the last turn of each conversation alone, or prompts with completions"
    )]
    Rewritten {
        /// Which message, from 1.
        message: usize,
    },
}

impl Tokenizer {
    /// The chat template of the folder.
    pub fn chat_template(&self) -> Result<ChatTemplate, ChatProblem> {
        let source = self.settings.chat_template().ok_or(ChatProblem::NoTemplate)?;
        let named = TOKENS.into_iter().filter_map(|role| {
            let token = self.settings.special_token(role, "").ok()?.content;
            (!token.is_empty()).then_some((role, token))
        });
        ChatTemplate::new(source.to_owned(), named.collect())
    }
}

impl ChatTemplate {
    fn new(source: String, tokens: Vec<(&'static str, String)>) -> Result<Self, ChatProblem> {
        let mut environment = Environment::new();
        // As transformers compiles them.
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
        environment.set_syntax(syntax.map_err(|error| ChatProblem::Unreadable { reason: error.to_string() })?);
        environment.set_fuel(Some(FUEL));
        environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        environment.add_function("raise_exception", |reason: String| -> Result<Variable, minijinja::Error> {
            Err(minijinja::Error::new(ErrorKind::InvalidOperation, reason))
        });
        environment.add_function("strftime_now", |format: String| {
            clock::now(&format)
                .map_err(|letter| minijinja::Error::new(ErrorKind::InvalidOperation, format!("strftime_now knows no %{letter}")))
        });
        environment.add_filter("tojson", |value: &Variable, options: Kwargs| -> Result<String, minijinja::Error> {
            let indent: Option<usize> = options.get("indent")?;
            options.assert_all_used()?;
            if indent.is_some_and(|blanks| blanks > MOST_BLANKS) {
                let reason = format!("tojson indents by up to {MOST_BLANKS} blanks");
                return Err(minijinja::Error::new(ErrorKind::InvalidOperation, reason));
            }
            let value = serde_json::to_value(value)
                .map_err(|error| minijinja::Error::new(ErrorKind::BadSerialization, error.to_string()))?;
            Ok(python_json::written(&value, indent))
        });
        environment.add_template_owned(NAME, source).map_err(|error| ChatProblem::Unreadable { reason: error.to_string() })?;
        Ok(Self { environment, tokens })
    }

    /// Messages, each an object with a `role` and what else the template reads, as a text.
    pub fn text(&self, messages: &[Value], ending: ChatEnding) -> Result<String, ChatProblem> {
        let refused = |error: minijinja::Error| ChatProblem::Refused {
            reason: error.detail().map_or_else(|| error.to_string(), str::to_owned),
        };
        let template = self.environment.get_template(NAME).map_err(refused)?;
        let tokens = Variable::from_pairs(self.tokens.iter().map(|(role, token)| (*role, token.as_str())));
        let variables = context! {
            messages => Variable::from(Serde(messages)),
            add_generation_prompt => ending == ChatEnding::AnswerWanted,
            ..tokens
        };
        template.render(variables).map_err(refused)
    }

    /// Messages as a text, with what of it the assistant says: from where an answer would begin to the end of its message.
    pub fn conversation(&self, messages: &[Value]) -> Result<Conversation, ChatProblem> {
        let text = self.text(messages, ChatEnding::Closed)?;
        let mut said = Vec::new();
        for (place, _) in messages.iter().enumerate().filter(|(_, message)| message["role"] == "assistant") {
            let before = self.text(&messages[..place], ChatEnding::AnswerWanted)?;
            let answered = self.text(&messages[..=place], ChatEnding::Closed)?;
            let grows = answered.starts_with(&before) && text.starts_with(&answered);
            if !grows {
                return Err(ChatProblem::Rewritten { message: place + 1 });
            }
            said.push(before.len()..answered.len());
        }
        Ok(Conversation { text, said })
    }
}
