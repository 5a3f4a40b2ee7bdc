//! Which distances of query and key share a row of a trained table. Knows nothing of what stands in the rows.

/// Which distances share a row of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DistanceBuckets {
    /// Half of the buckets for keys before the query, half for keys behind it. In each half the first half of the buckets holds one
    /// distance each, the others grow by a power, and the last holds all from `farthest` on (T5's bidirectional buckets, Raffel and
    /// others, 2020; `relative_position_bucket` of transformers).
    BothWays {
        /// How many there are, a multiple of 4.
        buckets: usize,
        /// The distance from which all share the last bucket.
        farthest: usize,
    },
    /// The same for a query that sees no key behind it: all buckets for keys before it, and those behind share the first (T5's decoder).
    Before {
        /// How many there are, a multiple of 2.
        buckets: usize,
        /// The distance from which all share the last bucket.
        farthest: usize,
    },
    /// A bucket for each distance, counted down from the farthest key behind the query: `2 * farthest` of them, the outermost for all
    /// that are as far or farther (DeBERTa, He and others, 2021, equation 3).
    Each {
        /// The distance of the outermost buckets.
        farthest: usize,
    },
    /// The same order with `2 * reach` buckets, of which the inner half holds one distance each and the others grow by a power
    /// (`make_log_bucket_position` of transformers' DeBERTa-v2).
    Growing {
        /// How many there are on each side of the query, at least 2.
        reach: usize,
        /// The distance from which all share the outermost bucket that is used; more than half of `reach` and one more.
        farthest: usize,
    },
}

impl DistanceBuckets {
    /// How many there are.
    pub fn count(self) -> usize {
        match self {
            Self::BothWays { buckets, .. } | Self::Before { buckets, .. } => buckets,
            Self::Each { farthest } => 2 * farthest,
            Self::Growing { reach, .. } => 2 * reach,
        }
    }

    /// The bucket of a key that stands so far behind its query.
    pub fn of(self, distance: i64) -> usize {
        match self {
            Self::BothWays { buckets, farthest } => both_ways(buckets, farthest, distance),
            Self::Before { buckets, farthest } => one_way(buckets, farthest, distance.min(0).unsigned_abs() as usize),
            Self::Each { farthest } => counted_down(-distance, farthest),
            Self::Growing { reach, farthest } => counted_down(growing(reach, farthest, -distance), reach),
        }
    }
}

fn both_ways(buckets: usize, farthest: usize, distance: i64) -> usize {
    let half = buckets / 2;
    let behind = if distance > 0 { half } else { 0 };
    behind + one_way(half, farthest, distance.unsigned_abs() as usize)
}

/// The bucket of a key so far away, on one side.
fn one_way(buckets: usize, farthest: usize, far: usize) -> usize {
    let exact = buckets / 2;
    if far < exact {
        return far;
    }
    // In single precision, as transformers has it: where a bucket ends depends on it.
    let share = (far as f32 / exact as f32).ln() / (farthest as f64 / exact as f64).ln() as f32;
    (exact + (share * (buckets - exact) as f32) as usize).min(buckets - 1)
}

/// The bucket of a query that stands `before` behind its key, on a scale of which each side has `reach` steps.
fn counted_down(before: i64, reach: usize) -> usize {
    let reach = reach as i64;
    (before + reach).clamp(0, 2 * reach - 1) as usize
}

fn growing(reach: usize, farthest: usize, before: i64) -> i64 {
    let exact = (reach / 2) as i64;
    let far = before.abs();
    if far <= exact {
        return before;
    }
    // In single precision, as transformers has it.
    let share = (far as f32 / exact as f32).ln() / (((farthest - 1) as f64 / exact as f64) as f32).ln();
    let steps = (share * (exact - 1) as f32).ceil() as i64 + exact;
    steps * before.signum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where `MPNetEncoder.relative_position_bucket` of transformers 5.23 goes on to the next bucket: the first distance of each.
    #[test]
    fn buckets_are_those_of_transformers() {
        let buckets = DistanceBuckets::BothWays { buckets: 32, farthest: 128 };
        let first = [0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 23, 32, 46, 64, 91];
        for distance in 0..300_i64 {
            let expected = first.iter().rposition(|first| *first <= distance).unwrap();
            assert_eq!(buckets.of(-distance), expected, "{distance} before");
            assert_eq!(buckets.of(distance), if distance == 0 { 0 } else { 16 + expected }, "{distance} behind");
        }
    }

    /// Where `T5Attention._relative_position_bucket` of transformers 5.24 goes on to the next bucket in a decoder.
    #[test]
    fn buckets_before_a_query_are_those_of_transformers() {
        let buckets = DistanceBuckets::Before { buckets: 32, farthest: 128 };
        let first = [
            0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 19, 21, 24, 27, 31, 35, 40, 46, 52, 59, 67, 77, 87, 99, 113,
        ];
        for distance in 0..300_i64 {
            let expected = first.iter().rposition(|first| *first <= distance).unwrap();
            assert_eq!(buckets.of(-distance), expected, "{distance} before");
            assert_eq!(buckets.of(distance), 0, "{distance} behind");
        }
    }

    /// Where `make_log_bucket_position` of transformers 5.24, clamped as its attention does it, goes on to the next bucket beyond those
    /// that hold one distance each: the first distance of each. Before them the first of the outermost bucket of keys behind the query, of
    /// which there is one more.
    #[test]
    fn growing_buckets_are_those_of_transformers() {
        let cases: [(usize, usize, i64, &[i64]); 3] = [
            (7, 40, 141, &[4, 11, 40]),
            (32, 128, 128, &[17, 19, 22, 25, 28, 32, 37, 43, 49, 56, 64, 74, 84, 97, 111]),
            (
                256,
                512,
                512,
                &[
                    129, 130, 131, 133, 134, 136, 137, 139, 140, 142, 143, 145, 146, 148, 150, 151, 153, 155, 156, 158, 160, 161,
                    163, 165, 167, 169, 170, 172, 174, 176, 178, 180, 182, 184, 186, 188, 190, 192, 194, 196, 198, 201, 203, 205,
                    207, 210, 212, 214, 216, 219, 221, 224, 226, 229, 231, 234, 236, 239, 241, 244, 247, 249, 252, 255, 258, 260,
                    263, 266, 269, 272, 275, 278, 281, 284, 287, 290, 294, 297, 300, 303, 307, 310, 313, 317, 320, 324, 327, 331,
                    335, 338, 342, 346, 349, 353, 357, 361, 365, 369, 373, 377, 381, 385, 390, 394, 398, 403, 407, 411, 416, 420,
                    425, 430, 434, 439, 444, 449, 454, 459, 464, 469, 474, 479, 484, 490, 495, 500, 506,
                ],
            ),
        ];
        for (reach, farthest, outermost, first) in cases {
            let buckets = DistanceBuckets::Growing { reach, farthest };
            let exact = reach as i64 / 2;
            for distance in 0..1100_i64 {
                let beyond = first.iter().take_while(|first| **first <= distance).count();
                let steps = distance.min(exact) as usize + beyond;
                assert_eq!(buckets.of(-distance), reach + steps, "{reach}, {farthest}: {distance} before");
                let other_side = if distance < outermost { reach - steps } else { 0 };
                assert_eq!(buckets.of(distance), other_side, "{reach}, {farthest}: {distance} behind");
            }
        }
    }

    #[test]
    fn buckets_for_each_distance_end_where_they_are_farthest() {
        let of = |distance| DistanceBuckets::Each { farthest: 4 }.of(distance);
        let found: Vec<usize> = (-6..=6).map(of).collect();
        assert_eq!(found, [7, 7, 7, 7, 6, 5, 4, 3, 2, 1, 0, 0, 0]);
    }
}
