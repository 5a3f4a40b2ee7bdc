//! The rules of the house, one a file. This file holds their list.

mod addresses;
mod commands;
mod file_names;
mod file_size;
mod floors;
mod links;
mod opening;
mod printing;
mod reasons;
mod unsafe_code;

use crate::complaint::Complaint;
use crate::tree::Tree;

/// Runs every check; the complaints are sorted by place.
pub fn all(tree: &Tree) -> Vec<Complaint> {
    let checks: [fn(&Tree) -> Vec<Complaint>; 10] = [
        floors::check,
        file_size::check,
        file_names::check,
        opening::check,
        printing::check,
        unsafe_code::check,
        reasons::check,
        addresses::check,
        links::check,
        commands::check,
    ];
    let mut complaints: Vec<Complaint> = checks.iter().flat_map(|check| check(tree)).collect();
    complaints.sort_by(|left, right| (&left.path, left.line).cmp(&(&right.path, right.line)));
    complaints
}
