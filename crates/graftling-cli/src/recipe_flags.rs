//! The flags of a recipe, made from the library's table of options. Knows no option by name; what is accepted is judged there.

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

use graftling::recipe::{FIELDS, Field, FieldDefault, Kind, RecipeFile};

/// The options that were given as flags.
#[derive(Debug, Default)]
pub struct RecipeFlags {
    /// As a recipe in which only these stand.
    pub recipe: RecipeFile,
}

impl Args for RecipeFlags {
    fn augment_args(command: Command) -> Command {
        FIELDS.iter().fold(command, |command, field| command.arg(flag(field)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for RecipeFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut flags = Self::default();
        flags.update_from_arg_matches(matches)?;
        Ok(flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        for field in FIELDS {
            for typed in matches.get_many::<String>(field.name).into_iter().flatten() {
                self.recipe.set(field.name, typed);
            }
        }
        Ok(())
    }
}

fn flag(field: &Field) -> Arg {
    let arg = Arg::new(field.name).long(field.flag()).help(help(field)).help_heading(field.group.to_string()).value_name(
        match field.kind {
            Kind::Choice { .. } => "WORD".to_owned(),
            _ => field.kind.placeholder(),
        },
    );
    // A wrong number, such as -1e-4, is the recipe's to judge, together with all else that is wrong.
    let arg = match field.kind {
        Kind::Integer { .. } | Kind::Number { .. } | Kind::ShareOrSteps { .. } => arg.allow_hyphen_values(true),
        _ => arg.allow_negative_numbers(true),
    };
    match field.kind {
        Kind::Texts(_) | Kind::OfLabels { .. } => arg.action(ArgAction::Append),
        // `--nesterov` alone means true; a value needs the equals sign, so that the next word is never taken for it.
        Kind::Flag => arg.num_args(0..=1).require_equals(true).default_missing_value("true"),
        _ => arg,
    }
}

fn help(field: &Field) -> String {
    let accepted = match field.kind {
        Kind::Text(_) | Kind::Path(_) | Kind::Flag => String::new(),
        Kind::Texts(_) => " [may be repeated]".to_owned(),
        Kind::OfLabels { .. } => format!(" [accepted: {}; may be repeated]", field.accepted()),
        Kind::Choice { .. } | Kind::Integer { .. } | Kind::Number { .. } | Kind::ShareOrSteps { .. } => {
            format!(" [accepted: {}]", field.accepted())
        }
    };
    let default = match field.default {
        FieldDefault::Required => " [required]".to_owned(),
        FieldDefault::Typed(text) | FieldDefault::Unset(text) => format!(" [default: {text}]"),
    };
    format!("{}{accepted}{default}", field.help)
}
