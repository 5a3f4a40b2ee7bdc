//! The merges that a SentencePiece bpe model does not write down: it merges whatever gives the piece with the best score.
//! Knows nothing of texts.

use tokenizers::models::bpe::Vocab;

/// The most ways to make a piece of two others, on the average of a vocabulary: those of published models have two, and no piece of sixteen characters, which is
/// as long as sentencepiece makes them, has more. Pieces that are all parts of each other would have as many as the square of their number.
const MOST_MERGES_A_PIECE: usize = 16;
/// Smaller vocabularies may have as many as one of this size.
const FEW_PIECES: usize = 250;

/// The ids of pieces, and the pairs of them that become one.
type IdsAndMerges = (Vocab, Vec<(String, String)>);

/// The ids of all pieces, and all pairs of pieces whose whole is one, the best score first. Among equal scores the longer parts go
/// first, as in transformers' `generate_merges`.
///
/// # Errors
/// If there are more of them than any vocabulary has that was learnt from texts.
pub(super) fn of(vocabulary: &[(String, f64)]) -> Result<IdsAndMerges, String> {
    let numbered: Vec<(&str, u32, f64)> = vocabulary.iter().zip(0..).map(|((piece, score), id)| (&**piece, id, *score)).collect();
    of_numbered(&numbered)
}

/// The same of pieces that have ids of their own.
pub(in crate::tokenizer) fn of_numbered(pieces: &[(&str, u32, f64)]) -> Result<IdsAndMerges, String> {
    let most = MOST_MERGES_A_PIECE * pieces.len().max(FEW_PIECES);
    let ids: Vocab = pieces.iter().map(|(piece, id, _)| ((*piece).to_owned(), *id)).collect();
    let mut merges = Vec::new();
    for (piece, _, score) in pieces {
        let parts = piece.char_indices().skip(1).map(|(byte, _)| piece.split_at(byte));
        let mut pairs: Vec<(u32, u32, &str, &str)> =
            parts.filter_map(|(left, right)| Some((*ids.get(left)?, *ids.get(right)?, left, right))).collect();
        pairs.sort_by_key(|&(left, right, _, _)| (left, right));
        let length = |part: &str| part.chars().count();
        merges.extend(pairs.into_iter().map(|(_, _, left, right)| (*score, length(left), length(right), left, right)));
        if merges.len() > most {
            return Err(format!(
                "its {} pieces are made of each other in more than {most} ways; accepted: up to {MOST_MERGES_A_PIECE} a piece on the average",
                pieces.len()
            ));
        }
    }
    merges.sort_by(|one, other| other.0.total_cmp(&one.0).then((other.1, other.2).cmp(&(one.1, one.2))));
    let merges = merges.into_iter().map(|(_, _, _, left, right)| (left.to_owned(), right.to_owned())).collect();
    Ok((ids, merges))
}
