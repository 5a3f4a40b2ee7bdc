//! What the program found worth telling while it worked, in its own words. Knows facts.

use maud::{Markup, html};

use crate::report::facts::Facts;
use crate::report::text;

/// The most characters of a note.
const CHARACTERS: usize = 500;

pub(super) fn section(facts: &Facts) -> Option<Markup> {
    let notes = &facts.notes;
    (!notes.is_empty())
        .then(|| html! { ul lang="en" { @for note in notes { li class="text" { (text::cut(note, CHARACTERS)) } } } })
}
