//! What a model goes on with: texts, or conversations that wait for an answer. Knows no files.

use serde_json::{Value, json};

/// The column of a file that goes before the names that texts usually have, and what a text is called in what is printed.
pub const PROMPT: &str = "prompt";

/// What a model goes on with.
pub enum Prompts {
    Texts(Vec<String>),
    /// Messages by speaker.
    Conversations(Vec<Vec<Value>>),
}

impl Prompts {
    /// Each text as what a user says, perhaps behind what the system says.
    pub fn of_users(texts: Vec<String>, system: Option<&str>) -> Self {
        let conversation = |text: String| vec![message("user", &text)];
        Self::of_conversations(texts.into_iter().map(conversation).collect(), system)
    }

    /// Conversations, those without a word of the system perhaps behind this one.
    pub fn of_conversations(mut conversations: Vec<Vec<Value>>, system: Option<&str>) -> Self {
        if let Some(system) = system {
            for conversation in &mut conversations {
                if conversation.first().is_none_or(|first| first["role"] != "system") {
                    conversation.insert(0, message("system", system));
                }
            }
        }
        Self::Conversations(conversations)
    }

    pub fn len(&self) -> usize {
        match self {
            Self::Texts(texts) => texts.len(),
            Self::Conversations(conversations) => conversations.len(),
        }
    }

    /// One of them under its name, for what is printed.
    pub fn entry(&self, index: usize) -> (String, Value) {
        match self {
            Self::Texts(texts) => (PROMPT.to_owned(), json!(texts[index])),
            Self::Conversations(conversations) => ("messages".to_owned(), json!(conversations[index])),
        }
    }
}

fn message(role: &str, content: &str) -> Value {
    json!({"role": role, "content": content})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_speaks_first_where_it_does_not_yet() {
        let own = vec![message("system", "Be long."), message("user", "Hi")];
        let Prompts::Conversations(found) =
            Prompts::of_conversations(vec![own.clone(), vec![message("user", "Hi")]], Some("Be short."))
        else {
            panic!("texts")
        };
        assert_eq!(found, [own, vec![message("system", "Be short."), message("user", "Hi")]]);
    }
}
