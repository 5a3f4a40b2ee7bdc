//! A checked value of one option, and how each Rust type is read from it and written as TOML.
//! Knows no option by name; ranges were checked before (`field`).

use std::path::PathBuf;

/// A value that fits its field's kind.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Text(String),
    Texts(Vec<String>),
    Flag(bool),
    Integer(u64),
    Number(f64),
    /// One of the words of the field's kind ("adamw", "none", "epoch").
    Word(&'static str),
}

/// A type a field of `Recipe` may have.
pub(super) trait RecipeValue: Sized {
    /// The value as this type; `None` where it does not fit.
    fn read(value: &Value) -> Option<Self>;

    /// The value of an option that is not given and has no printed default.
    fn absent() -> Option<Self> {
        None
    }

    /// The right-hand side of a TOML line; `None` where the option is not set.
    fn written(&self) -> Option<String>;
}

/// TOML's basic string: quotes, backslashes and control characters escaped.
pub(super) fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

impl RecipeValue for String {
    fn read(value: &Value) -> Option<Self> {
        if let Value::Text(text) = value { Some(text.clone()) } else { None }
    }

    fn written(&self) -> Option<String> {
        Some(quoted(self))
    }
}

impl RecipeValue for PathBuf {
    fn read(value: &Value) -> Option<Self> {
        if let Value::Text(text) = value { Some(PathBuf::from(text)) } else { None }
    }

    fn written(&self) -> Option<String> {
        // A path of the recipe was made from text, so nothing is lost here.
        Some(quoted(&self.to_string_lossy()))
    }
}

impl RecipeValue for Vec<String> {
    fn read(value: &Value) -> Option<Self> {
        if let Value::Texts(texts) = value { Some(texts.clone()) } else { None }
    }

    fn absent() -> Option<Self> {
        Some(Vec::new())
    }

    fn written(&self) -> Option<String> {
        Some(format!("[{}]", self.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", ")))
    }
}

impl RecipeValue for bool {
    fn read(value: &Value) -> Option<Self> {
        if let Value::Flag(flag) = value { Some(*flag) } else { None }
    }

    fn written(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl RecipeValue for u64 {
    fn read(value: &Value) -> Option<Self> {
        if let Value::Integer(integer) = value { Some(*integer) } else { None }
    }

    fn written(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl RecipeValue for usize {
    fn read(value: &Value) -> Option<Self> {
        if let Value::Integer(integer) = value { usize::try_from(*integer).ok() } else { None }
    }

    fn written(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl RecipeValue for f64 {
    fn read(value: &Value) -> Option<Self> {
        if let Value::Number(number) = value { Some(*number) } else { None }
    }

    fn written(&self) -> Option<String> {
        Some(if *self != 0.0 && self.abs() < 1e-3 { format!("{self:e}") } else { format!("{self:?}") })
    }
}

impl RecipeValue for f32 {
    fn read(value: &Value) -> Option<Self> {
        if let Value::Number(number) = value { Some(*number as f32) } else { None }
    }

    fn written(&self) -> Option<String> {
        Some(if *self != 0.0 && self.abs() < 1e-3 { format!("{self:e}") } else { format!("{self:?}") })
    }
}

impl<T: RecipeValue> RecipeValue for Option<T> {
    fn read(value: &Value) -> Option<Self> {
        if let Value::Word("none" | "auto") = value { Some(None) } else { T::read(value).map(Some) }
    }

    fn absent() -> Option<Self> {
        Some(None)
    }

    fn written(&self) -> Option<String> {
        self.as_ref().and_then(RecipeValue::written)
    }
}
