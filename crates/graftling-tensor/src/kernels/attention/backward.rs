//! The backward pass of attention: gradients of queries, keys and values, and of what is added by distance. Knows nothing of tensors.

use rayon::prelude::*;

use super::places::{Block, Place};
use super::{Heads, SCRATCH, Scratch, room};
use crate::kernels::disjoint::Disjoint;
use crate::kernels::math::exp;
use crate::kernels::product::{Target, View, multiply_serial};
use crate::kernels::rows::sum_of_pairs;
use crate::kernels::simd::dispatch;

impl Heads<'_> {
    /// Writes the gradients of queries, keys and values, of their shapes, given that of the output and the normalizers; where there is a
    /// bias, that of its values for each sequence, `[sequences, heads, distances]`; and, where there are vectors of distances, those of the
    /// rows that each sequence reaches, `2 * keys - 1` rows a sequence, `[rows, hidden]`.
    pub fn backward(
        &self,
        upstream: &[f32],
        normalizers: &[f32],
        [query, key, value]: [&mut [f32]; 3],
        bias: &mut [f32],
        [relative_key, relative_query]: [&mut [f32]; 2],
    ) {
        let results = [query, key, value, bias, relative_key, relative_query];
        // SAFETY: a task writes to the rows of its own sequence, and the columns of its own key head and of the query heads that share it.
        let results = results.map(|values| unsafe { Disjoint::new(values) });
        // The gradients of a key head are summed over its query heads, in one task and so in one order.
        self.places(self.group()).into_par_iter().for_each(|place| {
            SCRATCH.with_borrow_mut(|scratch| self.backward_group(&place, scratch, upstream, normalizers, results));
        });
    }

    fn backward_group(
        &self,
        place: &Place,
        scratch: &mut Scratch,
        upstream: &[f32],
        normalizers: &[f32],
        results: [Disjoint<'_>; 6],
    ) {
        let size = self.head_size;
        let [_, to_key, to_value, _, to_relative @ ..] = results;
        if let Some(relative) = &self.relative {
            scratch.relative.gradients(relative, place.keys.len(), size).into_iter().for_each(|gradient| gradient.fill(0.0));
        }
        if self.window.is_some() {
            // A block writes to the keys that it sees alone.
            room(&mut scratch.key, place.keys.len() * size).fill(0.0);
            room(&mut scratch.value, place.keys.len() * size).fill(0.0);
        }
        for head in place.heads.clone() {
            self.backward_head(place, head, scratch, upstream, normalizers, results);
        }
        if let Some(relative) = &self.relative {
            // Every sequence before this one has one row less than twice its keys.
            let first = 2 * place.keys.start - place.sequence;
            for (to, gradient) in to_relative.into_iter().zip(scratch.relative.gradients(relative, place.keys.len(), size)) {
                for (row, result) in gradient.chunks_exact(size).enumerate() {
                    to.write((first + row) * self.hidden() + place.key_head * size, result);
                }
            }
        }
        for (to, gradient) in [(to_key, &mut scratch.key), (to_value, &mut scratch.value)] {
            for (row, result) in room(gradient, place.keys.len() * size).chunks_exact(size).enumerate() {
                to.write((place.keys.start + row) * self.key_hidden() + place.key_head * size, result);
            }
        }
    }

    /// Adds the gradients of keys and values by one query head to those in `scratch`, which the first one overwrites.
    fn backward_head(
        &self,
        place: &Place,
        head: usize,
        scratch: &mut Scratch,
        upstream: &[f32],
        normalizers: &[f32],
        [to_query, _, _, to_bias, ..]: [Disjoint<'_>; 6],
    ) {
        let (hidden, key_hidden, size, scale) = (self.hidden(), self.key_hidden(), self.head_size, self.scale());
        let bias_gradient = room(&mut scratch.bias, self.bias.map_or(0, |bias| bias.width()));
        bias_gradient.fill(0.0);
        let key_gradient = room(&mut scratch.key, place.keys.len() * size);
        let value_gradient = room(&mut scratch.value, place.keys.len() * size);
        for block in self.blocks(place) {
            let Block { queries, keys: of_sequence } = &block;
            let (count, keys) = (queries.len(), of_sequence.len());
            let key_rows = place.keys.start + of_sequence.start..place.keys.start + of_sequence.end;
            let key = self.of_key_head(self.key, &key_rows, place.key_head);
            let value = self.of_key_head(self.value, &key_rows, place.key_head);
            let query = self.of_head(self.query, queries, head);
            let gradient = self.of_head(upstream, queries, head);
            let weights = room(&mut scratch.weights, count * keys);
            let slopes = room(&mut scratch.slopes, count * keys);
            multiply_serial(
                count,
                size,
                keys,
                View::new(query, hidden),
                View::transposed(key, key_hidden),
                Target::new(weights, keys),
            );
            multiply_serial(
                count,
                size,
                keys,
                View::new(gradient, hidden),
                View::transposed(value, key_hidden),
                Target::new(slopes, keys),
            );
            if let Some(relative) = &self.relative {
                relative.add_products(&self.part(relative, place, queries), weights, &mut scratch.relative);
            }
            // With w the weights, m the mask and s the upstream gradient times the values: the gradient of the logits is
            // w (m s - sum(w m s)); the values' gradient needs w m.
            dispatch(
                #[inline(always)]
                || {
                    for (row, (weights, slopes)) in weights.chunks_exact_mut(keys).zip(slopes.chunks_exact_mut(keys)).enumerate()
                    {
                        let token = queries.start + row;
                        let at = token * self.heads + head;
                        let normalizer = normalizers[at];
                        let seen = self.seen(token, place, &block);
                        for unseen in [0..seen.start, seen.end..keys] {
                            weights[unseen.clone()].fill(0.0);
                            slopes[unseen].fill(0.0);
                        }
                        let first = of_sequence.start + seen.start;
                        let (weights, slopes) = (&mut weights[seen.clone()], &mut slopes[seen]);
                        let within = first..first + weights.len();
                        match &self.bias {
                            None => {
                                for weight in weights.iter_mut() {
                                    *weight = exp(weight.mul_add(scale, -normalizer));
                                }
                            }
                            Some(bias) => {
                                for (weight, add) in weights.iter_mut().zip(bias.row(head, token, &within)) {
                                    *weight = exp(weight.mul_add(scale, *add - normalizer));
                                }
                            }
                        }
                        if let Some(dropout) = self.dropout {
                            let mask = dropout.row(at);
                            for (column, slope) in slopes.iter_mut().enumerate() {
                                *slope *= mask.factor(first + column);
                            }
                        }
                        let along = sum_of_pairs(weights, slopes, |weight, slope| weight * slope);
                        if let Some(bias) = &self.bias {
                            let to = &mut bias_gradient[bias.first(token) + first..][..weights.len()];
                            for (to, (slope, weight)) in to.iter_mut().zip(slopes.iter().zip(weights.iter())) {
                                *to += weight * (*slope - along);
                            }
                        }
                        for (slope, weight) in slopes.iter_mut().zip(weights.iter()) {
                            *slope = scale * weight * (*slope - along);
                        }
                        if let Some(dropout) = self.dropout {
                            let mask = dropout.row(at);
                            for (column, weight) in weights.iter_mut().enumerate() {
                                *weight *= mask.factor(first + column);
                            }
                        }
                    }
                },
            );
            let add = self.window.is_some() || head > place.heads.start || queries.start > place.queries.start;
            let query_gradient = room(&mut scratch.query, count * size);
            multiply_serial(
                count,
                keys,
                size,
                View::new(slopes, keys),
                View::new(key, key_hidden),
                Target::new(query_gradient, size),
            );
            let target = Target::new(&mut key_gradient[of_sequence.start * size..], size).adding(add);
            multiply_serial(keys, count, size, View::transposed(slopes, keys), View::new(query, hidden), target);
            if let Some(relative) = &self.relative {
                let part = self.part(relative, place, queries);
                relative.add_gradients(&part, slopes, &mut scratch.relative, query_gradient, key_gradient);
            }
            for (row, result) in query_gradient.chunks_exact(size).enumerate() {
                to_query.write((queries.start + row) * hidden + head * size, result);
            }
            let target = Target::new(&mut value_gradient[of_sequence.start * size..], size).adding(add);
            multiply_serial(keys, count, size, View::transposed(weights, keys), View::new(gradient, hidden), target);
        }
        to_bias.write((place.sequence * self.heads + head) * bias_gradient.len(), bias_gradient);
    }
}
