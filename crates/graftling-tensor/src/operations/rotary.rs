//! Rotary positions: queries and keys are turned by angles that grow with their place, so that their products know only how far
//! they stand apart (Su and others, "RoFormer", 2021, equation 34; `apply_rotary_pos_emb` of transformers for the order of the
//! values: the two of a pair stand half of what is turned apart).

use std::sync::Arc;

use crate::graph::{Backward, Graph, Sink, Var};
use crate::kernels::rows::for_blocks;
use crate::tensor::Tensor;

/// The cosine and sine of every angle that can occur, each times a factor. Cloning shares them.
#[derive(Clone, Debug)]
pub struct RotaryAngles {
    /// `[places, pairs]`.
    cosines: Arc<[f32]>,
    sines: Arc<[f32]>,
    pairs: usize,
}

impl RotaryAngles {
    /// The angles of the places `0..places`: pair `i` of a head's values is turned by the place times `frequencies[i]`, and multiplied
    /// with `factor`.
    ///
    /// # Panics
    /// If there are no frequencies.
    pub fn new(frequencies: &[f32], factor: f32, places: usize) -> Self {
        Self::of_places(frequencies, factor, 0..places)
    }

    /// The same of these places alone: what is called place 0 from here on is the first of them, and so on.
    ///
    /// # Panics
    /// If there are no frequencies.
    pub fn of_places(frequencies: &[f32], factor: f32, places: impl Iterator<Item = usize> + Clone) -> Self {
        assert!(!frequencies.is_empty(), "rotary: no frequencies");
        // The angle is rounded to single precision, as in the programs that models are trained with, and its sine is not.
        let angles =
            || places.clone().flat_map(|place| frequencies.iter().map(move |frequency| f64::from(place as f32 * frequency)));
        Self {
            cosines: angles().map(|angle| factor * angle.cos() as f32).collect(),
            sines: angles().map(|angle| factor * angle.sin() as f32).collect(),
            pairs: frequencies.len(),
        }
    }

    fn places(&self) -> usize {
        self.cosines.len() / self.pairs
    }
}

impl Graph<'_> {
    /// x `[rows, hidden]` with the first values of each head turned by the angles of the row's place, as many as there are pairs of
    /// angles; the others stay as they are. The values are turned where they lie.
    ///
    /// # Panics
    /// If the hidden dimension is not a multiple of `heads`, a head is narrower than what is turned, there is not a place for each
    /// row, or a place has no angles.
    pub fn rotary(&self, x: Var, heads: usize, angles: &RotaryAngles, positions: &[u32]) -> Var {
        let Var { mut tensor, node } = x;
        let hidden = tensor.columns();
        assert!(heads > 0 && hidden.is_multiple_of(heads), "rotary: {heads} heads for x of width {hidden}");
        let head_size = hidden / heads;
        assert!(2 * angles.pairs <= head_size, "rotary: {} pairs in a head of {head_size} values", angles.pairs);
        assert_eq!(positions.len(), tensor.rows(), "rotary: places of rows");
        let farthest = positions.iter().max().map_or(0, |place| *place as usize + 1);
        assert!(farthest <= angles.places(), "rotary: {farthest} places but angles of {}", angles.places());
        turn(&mut tensor, head_size, angles, positions, 1.0);
        let backward = node.map(|node| -> Box<dyn Backward> {
            Box::new(RotaryBackward { node, head_size, angles: angles.clone(), positions: positions.to_vec() })
        });
        self.record(tensor, backward)
    }
}

/// Turns by the angles, or back where `direction` is -1.
fn turn(tensor: &mut Tensor, head_size: usize, angles: &RotaryAngles, positions: &[u32], direction: f32) {
    let (columns, pairs) = (tensor.columns(), angles.pairs);
    let (cosines, sines) = (&angles.cosines[..], &angles.sines[..]);
    for_blocks(
        tensor.values_mut(),
        columns,
        #[inline(always)]
        |first, block| {
            for (row, values) in block.chunks_exact_mut(columns).enumerate() {
                let start = positions[first + row] as usize * pairs;
                let (cosines, sines) = (&cosines[start..][..pairs], &sines[start..][..pairs]);
                for head in values.chunks_exact_mut(head_size) {
                    let (left, right) = head.split_at_mut(pairs);
                    let right = &mut right[..pairs];
                    for pair in 0..pairs {
                        let (x, y, sine) = (left[pair], right[pair], direction * sines[pair]);
                        left[pair] = x.mul_add(cosines[pair], -(y * sine));
                        right[pair] = y.mul_add(cosines[pair], x * sine);
                    }
                }
            }
        },
    );
}

/// Keeps the angles and places; no value is needed, for turning back is the transpose of turning.
struct RotaryBackward {
    node: usize,
    head_size: usize,
    angles: RotaryAngles,
    positions: Vec<u32>,
}

impl Backward for RotaryBackward {
    fn backward(self: Box<Self>, mut upstream: Tensor, sink: &mut Sink) {
        turn(&mut upstream, self.head_size, &self.angles, &self.positions, -1.0);
        sink.add(Some(self.node), upstream);
    }
}
