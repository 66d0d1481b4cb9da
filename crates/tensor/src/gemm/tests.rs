//! Every level and every path against the definition, at sizes around the edges of the blocks.
//!
//! Elements are small integers, so that every order of summation gives the same, exact result.

use super::{Packs, dgemm, sgemm};
use crate::{Level, Matrix, MatrixMut};

/// Columns that follow each row of the result and must not be touched.
const GUARD: usize = 3;

fn levels() -> impl Iterator<Item = Level> {
    [Level::Portable, Level::Avx2, Level::Avx512].into_iter().filter(|&level| level <= Level::highest())
}

/// How a matrix lies in memory.
#[derive(Clone, Copy, Debug)]
enum Lie {
    Rows,
    Columns,
    /// Every third element of rows that are further apart.
    Sparse,
    /// The last row first.
    Reversed,
}

const LIES: [Lie; 4] = [Lie::Rows, Lie::Columns, Lie::Sparse, Lie::Reversed];

impl Lie {
    /// The length of the storage, the offset and the strides.
    fn place(self, [m, n]: [usize; 2]) -> (usize, usize, [isize; 2]) {
        let (rows, columns) = (m as isize, n as isize);
        match self {
            Lie::Rows => (m * n + 1, 1, [columns, 1]),
            Lie::Columns => (m * n, 0, [1, rows]),
            Lie::Sparse => (m * (3 * n + 2), 0, [3 * columns + 2, 3]),
            Lie::Reversed => (m * n, (m - 1) * n, [-columns, 1]),
        }
    }
}

macro_rules! against_the_definition {
    ($test:ident, $float:ty, $gemm:ident) => {
        #[test]
        fn $test() {
            let number = |i: usize| ((i * 7 + i / 5) % 11) as $float - 5.0;
            let check = |[m, k, n]: [usize; 3], lies: [Lie; 2], beta: $float, level: Level| {
                let (a_len, a_start, a_strides) = lies[0].place([m, k]);
                let (b_len, b_start, b_strides) = lies[1].place([k, n]);
                let a: Vec<$float> = (0..a_len).map(number).collect();
                let b: Vec<$float> = (0..b_len).map(|i| number(i + 3)).collect();
                let packs = Packs::default();
                let row = n + GUARD;
                // Three products by the same matrix: as it lies, packed, and packed before.
                for turn in 0..3 {
                    let old = if beta == 0.0 { <$float>::NAN } else { 2.0 };
                    let mut c = vec![old; m * row];
                    let left = Matrix::new(&a, a_start, [m, k], a_strides);
                    let right = Matrix::new(&b, b_start, [k, n], b_strides).with_packs(&packs);
                    $gemm(
                        level,
                        1.0,
                        left,
                        right,
                        beta,
                        MatrixMut::new(&mut c, 0, [m, n], [row as isize, 1]),
                    );
                    for (i, c) in c.chunks(row).enumerate() {
                        for (j, &found) in c[..n].iter().enumerate() {
                            let sum: $float = (0..k).map(|p| left.at(i, p) * right.at(p, j)).sum();
                            let expected = sum + if beta == 0.0 { 0.0 } else { beta * 2.0 };
                            assert_eq!(
                                found, expected,
                                "{level:?} {lies:?} [{m}, {k}, {n}] turn {turn} at [{i}, {j}]"
                            );
                        }
                        assert!(
                            c[n..].iter().all(|x| x.to_bits() == old.to_bits()),
                            "{level:?}: wrote beyond a row"
                        );
                    }
                }
            };
            for level in levels() {
                for m in [1, 2, 4, 5, 6, 7, 11, 12, 13, 25] {
                    for k in [1, 3, 8, 16, 17, 33] {
                        for n in [1, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 65] {
                            for lie in LIES {
                                check([m, k, n], [Lie::Rows, lie], 0.0, level);
                            }
                            check([m, k, n], [Lie::Columns, Lie::Rows], 1.0, level);
                            check([m, k, n], [Lie::Sparse, Lie::Columns], 1.0, level);
                        }
                    }
                }
                // Around the edges of the blocks that are kept in caches, and wide single rows.
                for [m, k, n] in [
                    [13, 383, 33],
                    [13, 384, 9],
                    [13, 385, 33],
                    [1, 770, 200],
                    [1, 9, 257],
                    [241, 5, 17],
                    [250, 390, 18],
                ] {
                    for lie in [Lie::Rows, Lie::Columns] {
                        check([m, k, n], [Lie::Rows, lie], 0.0, level);
                        check([m, k, n], [Lie::Columns, lie], 1.0, level);
                    }
                }
                // Other factors take the general path.
                check([3, 5, 9], [Lie::Rows, Lie::Rows], -2.0, level);
            }
        }
    };
}

against_the_definition!(single_precision, f32, sgemm);
against_the_definition!(double_precision, f64, dgemm);
