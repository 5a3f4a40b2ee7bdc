//! The flags that say how a token classifier's answers are put together. Knows nothing of texts.

use clap::Args;
use graftling::{Aggregation, AggregationStrategy, WindowMerging};

/// How a token classifier's answers are put together.
#[derive(Args)]
#[command(next_help_heading = "Words with tags (token_classification)")]
pub struct AggregationFlags {
    /// Put the tags of tokens together as transformers' pipeline does it: none (every token by itself), simple, or with one tag a
    /// word: first, average, max [default: the first token of each word speaks for it, as in training]
    #[arg(long, value_name = "WORD", value_parser = strategy)]
    pub aggregation: Option<AggregationStrategy>,
    /// How a text read in windows is put together: tokens (each as the window says in which it stands furthest from an edge) or
    /// entities (of each window; of those that overlap the longest, as transformers does with a stride) [default: tokens]
    #[arg(long, value_name = "WORD", requires = "aggregation", value_parser = window_merging)]
    pub window_merging: Option<WindowMerging>,
    /// Labels that --aggregation leaves out, with commas between them; "" leaves out none [default: O]
    #[arg(long, value_name = "LABELS", requires = "aggregation", value_delimiter = ',')]
    pub ignore_labels: Option<Vec<String>>,
}

impl AggregationFlags {
    /// The aggregation that was asked for.
    pub fn aggregation(&self) -> Option<Aggregation> {
        let mut aggregation = Aggregation { window_merging: self.window_merging, ..Aggregation::new(self.aggregation?) };
        if let Some(labels) = &self.ignore_labels {
            aggregation.ignored_labels = labels.iter().filter(|label| !label.is_empty()).cloned().collect();
        }
        Some(aggregation)
    }
}

fn strategy(word: &str) -> Result<AggregationStrategy, String> {
    AggregationStrategy::from_word(word).ok_or_else(|| "accepted are none, simple, first, average and max".to_owned())
}

fn window_merging(word: &str) -> Result<WindowMerging, String> {
    WindowMerging::from_word(word).ok_or_else(|| "accepted are tokens and entities".to_owned())
}
