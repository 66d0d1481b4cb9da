//! Every level and every path against the definition, at sizes around the edges of the blocks.
//!
//! Elements are small integers, so that every order of summation gives the same, exact result.

use super::{Matrix, MatrixMut, PackCache, SMALL, gemm, gemm_sum};
use crate::Isa;

/// Columns that follow each row of the result and must not be touched.
const GUARD: usize = 3;

/// All cases, or a few of them for an interpreter.
fn cases<T>(all: &[T]) -> impl Iterator<Item = &T> {
    all.iter().step_by(if cfg!(miri) { 5 } else { 1 })
}

/// The layout of a matrix in memory.
#[derive(Clone, Copy, Debug)]
enum Lie {
    Rows,
    Columns,
    /// Every third element of rows that are further apart.
    Sparse,
    /// The last row first.
    RowsFlipped,
    /// The last column first.
    ColumnsFlipped,
    /// The last column first, each from its end, of a transposed matrix.
    Flipped,
    /// One row, many times.
    OneRow,
    /// One column, many times.
    OneColumn,
    /// One number, many times.
    OneNumber,
}

const LIES: [Lie; 9] = [
    Lie::Rows,
    Lie::Columns,
    Lie::Sparse,
    Lie::RowsFlipped,
    Lie::ColumnsFlipped,
    Lie::Flipped,
    Lie::OneRow,
    Lie::OneColumn,
    Lie::OneNumber,
];

impl Lie {
    /// The length of the storage, the offset and the strides.
    fn place(self, [m, n]: [usize; 2]) -> (usize, usize, [isize; 2]) {
        let (rows, columns) = (m as isize, n as isize);
        match self {
            Lie::Rows => (m * n + 1, 1, [columns, 1]),
            Lie::Columns => (m * n, 0, [1, rows]),
            Lie::Sparse => (m * (3 * n + 2), 0, [3 * columns + 2, 3]),
            Lie::RowsFlipped => (m * n, (m - 1) * n, [-columns, 1]),
            Lie::ColumnsFlipped => (m * n + 1, n, [columns, -1]),
            Lie::Flipped => (m * n, m * n - 1, [-1, -rows]),
            Lie::OneRow => (n, 0, [0, 1]),
            Lie::OneColumn => (m, 0, [1, 0]),
            Lie::OneNumber => (1, 0, [0, 0]),
        }
    }
}

macro_rules! against_the_definition {
    ($test:ident, $float:ty) => {
        #[test]
        fn $test() {
            // At every level, three products by the same matrix: as it lies, packed, and packed before.
            let check = |[m, k, n]: [usize; 3], lies: [Lie; 2], factors: [$float; 2]| {
                let number = |i: usize| ((i * 7 + i / 5) % 11) as $float - 5.0;
                let (a_len, a_start, a_strides) = lies[0].place([m, k]);
                let (b_len, b_start, b_strides) = lies[1].place([k, n]);
                let a: Vec<$float> = (0..a_len).map(number).collect();
                let b: Vec<$float> = (0..b_len).map(|i| number(i + 3)).collect();
                let left = Matrix::new(&a, a_start, [m, k], a_strides);
                let right = Matrix::new(&b, b_start, [k, n], b_strides);
                let [alpha, beta] = factors;
                // What is multiplied by 0 is not read.
                let (old, kept) = if beta == 0.0 { (<$float>::NAN, 0.0) } else { (2.0, 2.0 * beta) };
                let row = n + GUARD;
                let mut expected = vec![old; m * row];
                for (i, expected) in expected.chunks_mut(row).enumerate() {
                    let mut sums = vec![0.0; n];
                    for p in 0..k {
                        let x = left.at(i, p);
                        let (place, step) =
                            (right.offset() as isize + p as isize * b_strides[0], b_strides[1]);
                        sums.iter_mut()
                            .enumerate()
                            .for_each(|(j, sum)| *sum += x * b[(place + j as isize * step) as usize]);
                    }
                    expected.iter_mut().zip(sums).for_each(|(c, sum)| *c = alpha * sum + kept);
                }
                for isa in Isa::available() {
                    let cache = PackCache::new();
                    for turn in 0..3 {
                        let mut c = vec![old; m * row];
                        let into = MatrixMut::new(&mut c, 0, [m, n], [row as isize, 1]);
                        gemm(isa, alpha, left, right.with_cache(&cache), beta, into);
                        // A NaN beyond a row is the guard, and equals itself.
                        let same = c.iter().zip(&expected).all(|(x, y)| x == y || x.to_bits() == y.to_bits());
                        assert!(
                            same,
                            "{isa} {lies:?} [{m}, {k}, {n}] turn {turn}: expected {expected:?}, found {c:?}"
                        );
                    }
                }
            };
            for &m in cases(&[1, 2, 4, 5, 6, 7, 11, 12, 13, 25]) {
                for &k in cases(&[1, 4, 5, 8, 16, 17, 33]) {
                    for &n in cases(&[1, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 65]) {
                        for lie in LIES {
                            check([m, k, n], [Lie::Rows, lie], [1.0, 0.0]);
                        }
                        let [left, right] = [m + 2 * k, n + k + m / 2].map(|i| LIES[i % LIES.len()]);
                        check([m, k, n], [left, right], [1.0, 1.0]);
                    }
                }
            }
            // Around the edges of the blocks that are kept in caches, and wide single rows.
            for &[m, k, n] in cases(&[
                [13, 255, 33],
                [13, 256, 9],
                [13, 257, 33],
                [13, 511, 20],
                [13, 512, 9],
                [13, 513, 33],
                [1, 770, 200],
                [1, 23, 203],
                [1, 7, 1030],
                [1, 9, 257],
                [241, 5, 17],
                [250, 260, 200],
                [13, 3, 1030],
            ]) {
                for lie in [Lie::Rows, Lie::Columns, Lie::Flipped, Lie::OneRow] {
                    check([m, k, n], [Lie::Rows, lie], [1.0, 0.0]);
                    check([m, k, n], [Lie::Columns, lie], [1.0, 1.0]);
                }
            }
            for lie in LIES {
                check([3, 5, 9], [lie, Lie::Rows], [1.0, -2.0]);
                check([3, 5, 9], [Lie::Rows, lie], [-0.5, 1.0]);
            }
        }
    };
}

against_the_definition!(single_precision, f32);
against_the_definition!(double_precision, f64);

macro_rules! sums_against_the_definition {
    ($test:ident, $float:ty) => {
        #[test]
        fn $test() {
            // Inner sizes that fill blocks exactly, cross their edges, or are nothing.
            for &inner in cases(&[&[3, 1, 16][..], &[7], &[], &[0, 5, 0], &[500, 12, 1, 30], &[20; 60]]) {
                for &[m, n] in
                    cases(&[[1, 5], [13, 33], [25, 1], [241, 17], [12, 200], [7, 1030], [0, 4], [4, 0]])
                {
                    let numbers = |count: usize, i: usize| -> Vec<$float> {
                        (0..count).map(|j| ((j * 7 + i * 3 + j / 5) % 11) as $float - 5.0).collect()
                    };
                    let data: Vec<_> =
                        (0..).zip(inner).map(|(i, &k)| (numbers(m * k, i), numbers(k * n, i + 1))).collect();
                    let terms: Vec<_> = (0..)
                        .zip(inner)
                        .zip(&data)
                        .map(|((i, &k), (a, b))| {
                            // Rows or columns, by turns.
                            let strides = |[m, n]: [usize; 2], rows: bool| {
                                if rows { [n as isize, 1] } else { [1, m as isize] }
                            };
                            let (a_strides, b_strides) =
                                (strides([m, k], i % 2 == 0), strides([k, n], i % 3 < 2));
                            [Matrix::new(a, 0, [m, k], a_strides), Matrix::new(b, 0, [k, n], b_strides)]
                        })
                        .collect();
                    let row = n + GUARD;
                    let mut expected = vec![2.0; m * row];
                    for [a, b] in &terms {
                        for (i, j) in (0..m).flat_map(|i| (0..n).map(move |j| (i, j))) {
                            expected[i * row + j] +=
                                (0..a.dims()[1]).map(|p| a.at(i, p) * b.at(p, j)).sum::<$float>();
                        }
                    }
                    for isa in Isa::available() {
                        let mut c = vec![2.0; m * row];
                        gemm_sum(isa, &terms, MatrixMut::new(&mut c, 0, [m, n], [row as isize, 1]));
                        assert_eq!(c, expected, "{isa} [{m}, {inner:?}, {n}]");
                    }
                }
            }
        }
    };
}

sums_against_the_definition!(sums_in_single_precision, f32);
sums_against_the_definition!(sums_in_double_precision, f64);

macro_rules! rounding {
    ($test:ident, $float:ty) => {
        /// Sums are rounded in the order of the definition, whichever way a product takes, so what is computed again is
        /// the same bit for bit. Portable kernels round products and sums, on every processor; the others round once, so
        /// that they agree with one another. Small products are loops at every level. A row times contiguous columns adds up 64 bytes of partial sums by halves.
        #[test]
        fn $test() {
            const PARTS: usize = 64 / size_of::<$float>();
            let number = |i: usize| ((i * 7919) % 1013) as $float / 1013.0 - 0.5;
            for &[m, k, n] in cases(&[
                [1, 100, 37],
                [1, 23, 203],
                [1, 9, 8],
                [1, 7, 3],
                [4, 8, 2],
                [5, 77, 40],
                [6, 33, 9],
                [13, 600, 70],
                [7, 40, 1030],
                [250, 20, 5],
            ]) {
                let a: Vec<$float> = (0..m * k).map(number).collect();
                let b: Vec<$float> = (0..k * n).map(|i| number(i + 5)).collect();
                for isa in Isa::available() {
                    let mul_add = |x: $float, y: $float, sum: $float| match isa {
                        Isa::Portable => sum + x * y,
                        _ => x.mul_add(y, sum),
                    };
                    for (a_strides, b_strides, add) in [
                        ([k as isize, 1], [n as isize, 1], false),
                        ([1, m as isize], [n as isize, 1], true),
                        ([k as isize, 1], [1, k as isize], false),
                        ([k as isize, 1], [1, k as isize], true),
                    ] {
                        let cache = PackCache::new();
                        let left = Matrix::new(&a, 0, [m, k], a_strides);
                        let right = Matrix::new(&b, 0, [k, n], b_strides).with_cache(&cache);
                        let old = if add { 0.3 } else { 0.0 };
                        let expected: Vec<$float> = (0..m * n)
                            .map(|place| {
                                let (i, j) = (place / n, place % n);
                                if m * k * n <= SMALL {
                                    return (0..k).fold(0.0, |sum, p| sum + left.at(i, p) * right.at(p, j))
                                        + old;
                                }
                                if m == 1 && b_strides[0] == 1 {
                                    let mut sums = [0.0; PARTS];
                                    (0..k).for_each(|p| {
                                        sums[p % PARTS] =
                                            mul_add(left.at(i, p), right.at(p, j), sums[p % PARTS])
                                    });
                                    let mut half = PARTS / 2;
                                    while half > 0 {
                                        (0..half).for_each(|i| sums[i] += sums[i + half]);
                                        half /= 2;
                                    }
                                    return sums[0] + old;
                                }
                                (0..k).fold(old, |sum, p| mul_add(left.at(i, p), right.at(p, j), sum))
                            })
                            .collect();
                        for turn in 0..3 {
                            let mut c = vec![old; m * n];
                            let beta = if add { 1.0 } else { 0.0 };
                            gemm(
                                isa,
                                1.0,
                                left,
                                right,
                                beta,
                                MatrixMut::new(&mut c, 0, [m, n], [n as isize, 1]),
                            );
                            let same = c.iter().zip(&expected).all(|(x, y)| x.to_bits() == y.to_bits());
                            assert!(same, "{isa} [{m}, {k}, {n}] {a_strides:?} {b_strides:?} turn {turn}");
                        }
                    }
                }
            }
        }
    };
}

rounding!(every_path_rounds_alike_in_single_precision, f32);
rounding!(every_path_rounds_alike_in_double_precision, f64);
