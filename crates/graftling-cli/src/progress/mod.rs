//! What a person sees on stderr while work goes on: a live line on a terminal, plain lines elsewhere.
//! Knows the events of the library and of the hub, not what they are part of.

mod download;
mod pace;
mod run;

pub use download::DownloadProgress;
pub use run::RunProgress;
