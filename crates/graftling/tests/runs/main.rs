//! Whole runs of the library on a tiny model, through its public door. Knows no private part of it.

mod aggregation;
mod bad_input;
mod causal_lm;
mod compare;
mod decisions;
mod decoders;
mod finishing;
mod fixture;
mod generation;
mod languages;
mod learning;
mod long_texts;
mod markup;
mod masked_lm;
mod output;
mod prediction;
mod questions;
mod report;
mod resuming;
mod sentence_embedding;
mod sequence_to_sequence;
mod stopping;
mod tasks;
mod written_report;
