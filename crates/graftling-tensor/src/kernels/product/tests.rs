//! The product against a naive one in double precision, on every instruction level of the machine.

use super::*;

fn values(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    (0..count)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / 16_777_216.0 - 0.5
        })
        .collect()
}

fn at(view: &View, row: usize, column: usize) -> f64 {
    f64::from(if view.transposed { view.values[column * view.stride + row] } else { view.values[row * view.stride + column] })
}

#[test]
fn product_equals_the_naive_one_for_every_order_and_level() {
    let shapes = [
        (1, 1, 1),
        (3, 5, 2),
        (14, 384, 32),
        (15, 385, 33),
        (29, 800, 70),
        (130, 40, 65),
        (130, 801, 70),
        (7, 1000, 3),
        (113, 64, 96),
    ];
    let mut failed = Vec::new();
    for level in Level::available() {
        for (rows, depth, columns) in shapes {
            for case in 0..8 {
                let (left_turned, right_turned, add) = (case & 1 == 1, case & 2 == 2, case & 4 == 4);
                let a = values(rows * depth + 64, 1);
                let b = values(depth * columns + 64, 2);
                let left = if left_turned { View::transposed(&a, rows) } else { View::new(&a, depth) };
                let right = if right_turned { View::transposed(&b, depth) } else { View::new(&b, columns) };
                let stride = columns + 3;
                let start = values(rows * stride, 3);
                let mut result = start.clone();
                let packed = PackedRight::new(right, depth, columns, tile_columns(level), true);
                let target = Target::new(&mut result, stride).adding(add);
                Job::new(level, rows, left, &packed, target, &Plain).run(0..rows, 0..packed.panels());
                let mut again = start.clone();
                let unpacked = UnpackedRight::new(right, depth, columns, tile_columns(level));
                let target = Target::new(&mut again, stride).adding(add);
                Job::new(level, rows, left, &unpacked, target, &Plain).run(0..rows, 0..unpacked.panels());
                assert_eq!(again, result, "{level:?} {rows}x{depth}x{columns} case {case}: not packed first");
                for row in 0..rows {
                    for column in 0..stride {
                        let before = f64::from(start[row * stride + column]);
                        let expected = if column >= columns {
                            before
                        } else {
                            let sum: f64 = (0..depth).map(|k| at(&left, row, k) * at(&right, k, column)).sum();
                            if add { before + sum } else { sum }
                        };
                        let found = f64::from(result[row * stride + column]);
                        if (expected - found).abs() > 1e-5 * (depth as f64).sqrt().max(1.0) {
                            failed.push(format!(
                                "{level:?} {rows}x{depth}x{columns} case {case} at {row},{column}: {found} != {expected}"
                            ));
                        }
                    }
                }
            }
        }
    }
    assert!(failed.is_empty(), "{} wrong values, first: {}", failed.len(), failed[0]);
}

#[test]
fn product_does_not_depend_on_the_number_of_threads() {
    let (depth, columns) = (777, 150);
    // Many rows, for which the right side is packed first, and few.
    for rows in [333, 61, 1] {
        let (a, b) = (values(rows * depth, 4), values(depth * columns, 5));
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a thread pool");
            let mut result = vec![0.0; rows * columns];
            pool.install(|| {
                multiply(rows, depth, columns, View::new(&a, depth), View::new(&b, columns), Target::new(&mut result, columns))
            });
            result
        };
        let one = run(1);
        assert_eq!(one, run(2), "{rows} rows");
        assert_eq!(one, run(5), "{rows} rows");
    }
}

#[test]
fn a_wide_packed_side_gives_the_same_bits_however_it_is_cut() {
    let (depth, columns) = (777, 850_usize);
    let panels = columns.div_ceil(tile_columns(Level::widest()));
    for rows in [BLOCK_ROWS, 61, 1] {
        // One thread cuts along the panels alone, sixty-four along the rows as well.
        assert!(is_wide(rows, panels, 1) && !is_wide(rows, panels, 64) && !is_wide(BLOCK_ROWS + 1, panels, 1));
        let (a, b) = (values(rows * depth, 4), values(depth * columns, 5));
        let packed = pack_right(View::new(&b, columns), depth, columns);
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a thread pool");
            let mut result = vec![0.0; rows * columns];
            pool.install(|| multiply_with(rows, View::new(&a, depth), &packed, Target::new(&mut result, columns), &Plain));
            result
        };
        let one = run(1);
        assert_eq!(one, run(2), "{rows} rows");
        assert_eq!(one, run(64), "{rows} rows");
    }
}

#[test]
fn blocks_cover_every_row_and_differ_by_one_tile_at_most() {
    for tile_rows in [14, 6, 4] {
        for threads in [1, 2, 3, 16] {
            for rows in (0..300).chain([800, 2048, 4096]) {
                let (tall, _) = grid(rows, 12, threads, tile_rows);
                assert_eq!(tall.iter().flat_map(Clone::clone).collect::<Vec<_>>(), (0..rows).collect::<Vec<_>>());
                let tiles: Vec<usize> = tall.iter().map(|block| block.len().div_ceil(tile_rows)).collect();
                let (least, most) = (tiles.iter().min().unwrap_or(&0), tiles.iter().max().unwrap_or(&0));
                assert!(
                    most - least <= 1 && *most * tile_rows <= BLOCK_ROWS.next_multiple_of(tile_rows),
                    "{rows} rows: {tiles:?}"
                );
            }
        }
    }
}

#[test]
fn tiles_together_ask_for_the_whole_next_panel() {
    for (depth, tiles) in [(384, 8), (384, 1), (333, 5), (40, 9), (7, 2), (384, 300)] {
        let next = vec![0.0; depth * 32];
        let mut asked = vec![false; next.len().div_ceil(LINE)];
        let mut beyond = 0;
        for index in 0..tiles {
            let Coming { start, lines } = coming_share(&next, index, tiles, depth);
            for line in 0..lines * (depth / GROUP) {
                let at = (start as usize - next.as_ptr() as usize) / (4 * LINE) + line;
                asked.get_mut(at).map_or_else(|| beyond += 1, |asked| *asked = true);
            }
        }
        assert!(asked.iter().all(|asked| *asked), "{depth} deep, {tiles} tiles");
        let most = next.len().div_ceil(LINE).div_ceil(depth / GROUP * tiles) * (depth / GROUP);
        assert!(beyond < most, "{depth} deep, {tiles} tiles: {beyond} lines beyond");
    }
}

#[test]
fn depth_blocks_follow_each_other() {
    let blocks: Vec<_> = std::iter::successors(next_depth(777, &(0..0)), |block| next_depth(777, block)).collect();
    assert_eq!(blocks, depth_blocks(777).collect::<Vec<_>>());
}
