//! The merges that a SentencePiece bpe model does not write down: it merges whatever gives the piece with the best score.
//! Knows nothing of texts.

use tokenizers::models::bpe::Vocab;

/// The ids of all pieces, and all pairs of pieces whose whole is one, the best score first. Among equal scores the longer parts go
/// first, as in transformers' `generate_merges`.
pub(super) fn of(vocabulary: &[(String, f64)]) -> (Vocab, Vec<(String, String)>) {
    let numbered: Vec<(&str, u32, f64)> = vocabulary.iter().zip(0..).map(|((piece, score), id)| (&**piece, id, *score)).collect();
    of_numbered(&numbered)
}

/// The same of pieces that have ids of their own.
pub(in crate::tokenizer) fn of_numbered(pieces: &[(&str, u32, f64)]) -> (Vocab, Vec<(String, String)>) {
    let ids: Vocab = pieces.iter().map(|(piece, id, _)| ((*piece).to_owned(), *id)).collect();
    let mut merges = Vec::new();
    for (piece, _, score) in pieces {
        let parts = piece.char_indices().skip(1).map(|(byte, _)| piece.split_at(byte));
        let mut pairs: Vec<(u32, u32, &str, &str)> =
            parts.filter_map(|(left, right)| Some((*ids.get(left)?, *ids.get(right)?, left, right))).collect();
        pairs.sort_by_key(|&(left, right, _, _)| (left, right));
        let length = |part: &str| part.chars().count();
        merges.extend(pairs.into_iter().map(|(_, _, left, right)| (*score, length(left), length(right), left, right)));
    }
    merges.sort_by(|one, other| other.0.total_cmp(&one.0).then((other.1, other.2).cmp(&(one.1, one.2))));
    let merges = merges.into_iter().map(|(_, _, _, left, right)| (left.to_owned(), right.to_owned())).collect();
    (ids, merges)
}
