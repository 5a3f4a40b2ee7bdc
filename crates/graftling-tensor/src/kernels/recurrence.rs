//! A recurrence over the rows of each sequence, gated in each column by itself. Knows nothing of tensors or layers.
//!
//! Rows follow from the rows before them, columns have nothing to do with each other: a task is some columns of one sequence, whose states
//! it keeps while it goes through the rows.

use std::ops::Range;

use rayon::prelude::*;

use super::disjoint::Disjoint;
use super::math::{relu, sigmoid};
use super::rows::BLOCK;
use super::simd::dispatch;
use crate::spans::Spans;

/// Columns that are taken at a time.
const COLUMNS: usize = 128;

/// `c[t] = f[t] c[t - 1] + (1 - f[t]) z[t]` with `f = sigmoid(gate)`, within each sequence.
pub(crate) struct GatedStates<'a> {
    /// `[rows, columns]`.
    pub gate: &'a [f32],
    /// z: `[rows, columns]`.
    pub candidate: &'a [f32],
    pub spans: &'a Spans,
    pub columns: usize,
    /// The states before the first row of each sequence, `[sequences, columns]`; zeros where there are none.
    pub start: Option<&'a [f32]>,
}

/// Some columns of a sequence.
struct Piece {
    sequence: usize,
    rows: Range<usize>,
    columns: Range<usize>,
}

impl GatedStates<'_> {
    /// Writes the state after each row, and `relu` of it: both `[rows, columns]`.
    pub fn forward(&self, states: &mut [f32], output: &mut [f32]) {
        // SAFETY: a task writes to the rows of its own sequence and to its own columns.
        let [states, output] = [states, output].map(|values| unsafe { Disjoint::new(values) });
        self.for_pieces(
            #[inline(always)]
            |piece| self.forward_piece(piece, states, output),
        );
    }

    /// Writes the gradients of gate and candidate, from that of what [`forward`](Self::forward) gives beside the states.
    pub fn backward(&self, states: &[f32], upstream: &[f32], [gate, candidate]: [&mut [f32]; 2]) {
        // SAFETY: as above.
        let [gate, candidate] = [gate, candidate].map(|values| unsafe { Disjoint::new(values) });
        self.for_pieces(
            #[inline(always)]
            |piece| self.backward_piece(piece, [states, upstream], [gate, candidate]),
        );
    }

    fn for_pieces(&self, work: impl Fn(&Piece) + Sync) {
        let of_sequence = |sequence: usize| {
            (0..self.columns).step_by(COLUMNS).map(move |first| {
                let columns = first..(first + COLUMNS).min(self.columns);
                Piece { sequence, rows: self.spans.range(sequence), columns }
            })
        };
        let pieces: Vec<Piece> = (0..self.spans.count()).flat_map(of_sequence).collect();
        let run = |piece: &Piece| {
            dispatch(
                #[inline(always)]
                || work(piece),
            )
        };
        if self.spans.rows() <= BLOCK { pieces.iter().for_each(run) } else { pieces.par_iter().for_each(run) }
    }

    /// The states of these columns before the first row of the sequence.
    #[inline(always)]
    fn first(&self, piece: &Piece) -> [f32; COLUMNS] {
        let mut first = [0.0; COLUMNS];
        if let Some(start) = self.start {
            let at = piece.sequence * self.columns + piece.columns.start;
            first[..piece.columns.len()].copy_from_slice(&start[at..][..piece.columns.len()]);
        }
        first
    }

    #[inline(always)]
    fn forward_piece(&self, piece: &Piece, states: Disjoint<'_>, output: Disjoint<'_>) {
        let width = piece.columns.len();
        let (mut state, mut above) = (self.first(piece), [0.0; COLUMNS]);
        let (state, above) = (&mut state[..width], &mut above[..width]);
        for row in piece.rows.clone() {
            let at = row * self.columns + piece.columns.start;
            let gate = &self.gate[at..][..width];
            let candidate = &self.candidate[at..][..width];
            for column in 0..width {
                state[column] = sigmoid(gate[column]).mul_add(state[column] - candidate[column], candidate[column]);
                above[column] = relu(state[column]);
            }
            states.write(at, state);
            output.write(at, above);
        }
    }

    #[inline(always)]
    fn backward_piece(&self, piece: &Piece, [states, upstream]: [&[f32]; 2], [of_gate, of_candidate]: [Disjoint<'_>; 2]) {
        let width = piece.columns.len();
        let first = self.first(piece);
        // Of a state, what arrives from those behind it.
        let [mut carried, mut to_gate, mut to_candidate] = [[0.0; COLUMNS]; 3];
        let [carried, to_gate, to_candidate] = [&mut carried[..width], &mut to_gate[..width], &mut to_candidate[..width]];
        for row in piece.rows.clone().rev() {
            let at = row * self.columns + piece.columns.start;
            let gate = &self.gate[at..][..width];
            let candidate = &self.candidate[at..][..width];
            let state = &states[at..][..width];
            let upstream = &upstream[at..][..width];
            let before = if row == piece.rows.start { &first[..width] } else { &states[at - self.columns..][..width] };
            for column in 0..width {
                let keep = sigmoid(gate[column]);
                let gradient = carried[column] + if state[column] <= 0.0 { 0.0 } else { upstream[column] };
                to_candidate[column] = (1.0 - keep) * gradient;
                to_gate[column] = keep * to_candidate[column] * (before[column] - candidate[column]);
                carried[column] = keep * gradient;
            }
            of_gate.write(at, to_gate);
            of_candidate.write(at, to_candidate);
        }
    }
}
