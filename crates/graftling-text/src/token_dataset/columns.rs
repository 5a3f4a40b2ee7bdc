//! Which columns of a table hold words and tags, or texts and entities. Knows nothing of what the cells hold.

use super::TagNeed;
use crate::Table;
use crate::columns::{Role, folded_position, named, one_of};
use crate::problem::{Problem, Problems};
use crate::wording::quoted;

/// The names of the columns to use; what is `None` is looked for by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenColumns {
    /// The column with the list of words.
    pub tokens: Option<String>,
    /// The column with the list of tags.
    pub tags: Option<String>,
    /// The column of the text, where there are no lists.
    pub text: Option<String>,
    /// The column with the entities of the text.
    pub entities: Option<String>,
}

/// Where the chosen columns stand in each row.
pub(super) enum TokenPositions {
    Lists { tokens: usize, tags: Option<usize> },
    Text { text: usize, entities: Option<usize> },
}

/// Chooses the columns. What is named decides between lists and texts; without a name, lists go first.
pub(super) fn choose(
    table: &Table,
    asked: &TokenColumns,
    need: TagNeed,
    problems: &mut Problems,
    notices: &mut Vec<String>,
) -> Option<TokenPositions> {
    let lists_asked = asked.tokens.as_ref().or(asked.tags.as_ref());
    let text_asked = asked.text.as_ref().or(asked.entities.as_ref());
    if let (Some(list), Some(text)) = (lists_asked, text_asked) {
        problems.add(Problem::TokenLayouts { list: list.clone(), text: text.clone() });
        return None;
    }
    let by_lists = lists_asked.is_some() || (text_asked.is_none() && (has(table, Role::Tokens) || !has(table, Role::Text)));
    let (first, second) = if by_lists { (Role::Tokens, Role::Tags) } else { (Role::Text, Role::Entities) };
    let (first_asked, second_asked) = if by_lists { (&asked.tokens, &asked.tags) } else { (&asked.text, &asked.entities) };
    let before = problems.total;
    let first_position = position(table, first, first_asked.as_deref(), TagNeed::Required, problems);
    let second_position = position(table, second, second_asked.as_deref(), need, problems);
    if problems.total > before {
        return None;
    }
    let mut told = Vec::new();
    for (role, asked, position) in [(first, first_asked, first_position), (second, second_asked, second_position)] {
        if let (None, Some(position)) = (asked, position) {
            told.push(format!("{} from column {}", role.plural(), quoted(&table.columns[position])));
        }
    }
    if !told.is_empty() {
        notices.push(format!("{}: {} (found by name)", table.source.display(), told.join(", ")));
    }
    let first = first_position?;
    if second_position == Some(first) {
        problems.add(Problem::ColumnTwice { name: table.columns[first].clone(), first: first_role(by_lists), second });
        return None;
    }
    Some(if by_lists {
        TokenPositions::Lists { tokens: first, tags: second_position }
    } else {
        TokenPositions::Text { text: first, entities: second_position }
    })
}

/// Whether a column is named as those of this role are.
pub(super) fn has(table: &Table, role: Role) -> bool {
    role.names().iter().any(|name| folded_position(table, name).is_some())
}

fn first_role(by_lists: bool) -> Role {
    if by_lists { Role::Tokens } else { Role::Text }
}

fn position(table: &Table, role: Role, asked: Option<&str>, need: TagNeed, problems: &mut Problems) -> Option<usize> {
    if let Some(name) = asked {
        return named(table, role, name, problems);
    }
    let found: Vec<usize> = role.names().iter().filter_map(|name| folded_position(table, name)).collect();
    if found.is_empty() && need == TagNeed::Optional {
        return None;
    }
    one_of(table, role, found, role.names(), problems)
}
