//! The program, driven from outside as a person or a script drives it: words in, streams, files and an exit code out.
//! Knows nothing of what is inside; the tiny checkpoint of the models' tests makes every command quick.

mod bad_input;
mod bad_labels;
mod bad_words;
mod commands;
mod comparison;
mod data_forms;
mod documents;
mod generation;
mod importing;
mod interruption;
mod killing;
mod language;
mod prediction;
mod questions;
mod scoring;
mod scratch;
mod training;
mod writing;
