//! Checks of the house that no compiler makes (being written).
fn main() {}
