//! Matrix products against three loops, for every pair of ranks, in odd layouts.

use crate::common::{self, Dice, Naive, build, check, numbers, own};
use retrograde_tensor::{Matrix, MatrixMut, Scalar, Tensor};

/// NumPy's rules, spelled out.
fn product<E: Copy + Default + std::ops::Mul<Output = E> + std::ops::AddAssign>(
    a: &Naive<E>,
    b: &Naive<E>,
) -> Naive<E> {
    let (mut x, mut y) = (a.clone(), b.clone());
    if a.dims.len() == 1 {
        x.dims.insert(0, 1);
    }
    if b.dims.len() == 1 {
        y.dims.push(1);
    }
    let (xr, yr) = (x.dims.len(), y.dims.len());
    let (m, k, n) = (x.dims[xr - 2], x.dims[xr - 1], y.dims[yr - 1]);
    let batch = common::broadcast(&x.dims[..xr - 2], &y.dims[..yr - 2]);
    let mut z = Naive::from_fn(&[&batch[..], &[m, n]].concat(), |index| {
        let (front, i, j) = (&index[..batch.len()], index[batch.len()], index[batch.len() + 1]);
        let mut sum = E::default();
        for l in 0..k {
            sum += x.broadcast_matrix(front, i, l) * y.broadcast_matrix(front, l, j);
        }
        sum
    });
    if a.dims.len() == 1 {
        z.dims.remove(batch.len());
    }
    if b.dims.len() == 1 {
        z.dims.pop();
    }
    z
}

trait BroadcastMatrix<E> {
    fn broadcast_matrix(&self, front: &[usize], i: usize, j: usize) -> E;
}

impl<E: Copy> BroadcastMatrix<E> for Naive<E> {
    fn broadcast_matrix(&self, front: &[usize], i: usize, j: usize) -> E {
        let own = self.dims.len() - 2;
        let tail =
            front[front.len() - own..].iter().zip(&self.dims).map(|(&i, &dim)| if dim == 1 { 0 } else { i });
        self.at(&tail.chain([i, j]).collect::<Vec<_>>())
    }
}

/// Sizes of two operands that can be multiplied.
fn operands(a_rank: usize, b_rank: usize, seed: u64, sizes: &[usize]) -> (Vec<usize>, Vec<usize>) {
    let mut dice = Dice(seed);
    let mut size = || sizes[dice.roll(sizes.len())];
    let k = size();
    let matrix =
        |rank: usize, full: [usize; 2], vector: usize| if rank == 1 { vec![vector] } else { full.to_vec() };
    let (a, b) = (matrix(a_rank, [size(), k], k), matrix(b_rank, [k, size()], k));
    let batch: Vec<usize> = (0..4).map(|_| [1, 2, 3][dice.roll(3)]).collect();
    let mut front = |rank: usize| -> Vec<usize> {
        let lead = rank.saturating_sub(2);
        batch[4 - lead..].iter().map(|&dim| if dice.roll(4) == 0 { 1 } else { dim }).collect()
    };
    ([front(a_rank), a].concat(), [front(b_rank), b].concat())
}

for_floats! {
    fn of_all_ranks(ranks in numbers(2, 1..5), seed) {
        let (a, b) = operands(ranks[0], ranks[1], seed, &[0, 1, 1, 2, 3, 4, 5, 9]);
        let ((x, nx), (y, ny)) = (build::<E>(&a, seed), build::<E>(&b, seed ^ 1));
        check(&x.matmul(&y), &product(&nx, &ny));
    }

    fn beyond_the_small_ones(ranks in numbers(2, 2..4), seed) {
        let (a, b) = operands(ranks[0], ranks[1], seed, &[1, 7, 8, 9, 17, 33]);
        let ((x, nx), (y, ny)) = (build::<E>(&a, seed), build::<E>(&b, seed ^ 1));
        check(&x.matmul(&y), &product(&nx, &ny));
    }

    fn accumulated(sizes in numbers(3, 0..20), seed) {
        let [m, k, n] = sizes[..] else { unreachable!() };
        let ((a, na), (b, nb)) = (build::<E>(&[m, k], seed), build::<E>(&[k, n], seed ^ 1));
        let (mut c, nc) = build::<E>(&[m, n], seed ^ 2);
        let shared = c.clone();
        c.matmul_acc(&a, &b);
        check(&c, &nc.zip(&product(&na, &nb), |c, ab| c + ab));
        check(&shared, &nc);
    }

    fn sums_of_products(sizes in numbers(5, 0..20), seed) {
        let [m, n, ref inner @ ..] = sizes[..] else { unreachable!() };
        let (mut c, nc) = build::<E>(&[m, n], seed);
        let shared = c.clone();
        let built = |i: usize, k: usize| {
            let i = 2 * i as u64;
            (build::<E>(&[m, k], seed ^ (i + 1)), build::<E>(&[k, n], seed ^ (i + 2)))
        };
        let terms = || inner.iter().enumerate().map(|(i, &k)| built(i, k));
        let expected = terms().fold(nc.clone(), |c, ((_, a), (_, b))| c.zip(&product(&a, &b), |c, ab| c + ab));
        let terms: Vec<_> = terms().collect();
        c.matmul_acc_sum(&terms.iter().map(|((a, _), (b, _))| [a.as_matrix(), b.as_matrix()]).collect::<Vec<_>>());
        check(&c, &expected);
        check(&shared, &nc);
        c.matmul_acc_sum(&[]);
        check(&c, &expected);
    }

    fn times_a_column() {
        for ([m, k], seed) in [[7, 13], [64, 16], [33, 2], [1, 100], [200, 1], [16, 65], [0, 3], [3, 0]].into_iter().zip(0..) {
            for seed in (0..8).map(|i| 8 * seed + i) {
                let ((a, na), (b, nb)) = (build::<E>(&[m, k], seed), build::<E>(&[k, 1], seed ^ 1));
                check(&a.matmul(&b), &product(&na, &nb));
                check(&own(&a).t().t().matmul(&b), &product(&na, &nb));
                // Stacks, and added to a column of a matrix as wide as one.
                let stack = a.broadcast_to([3, m, k]).matmul(&b.broadcast_to([3, k, 1]));
                check(&stack.select(0, 2), &product(&na, &nb));
                let mut c = vec![0.5; m];
                E::gemm(1.0, a.as_matrix(), b.as_matrix(), 1.0, MatrixMut::new(&mut c, 0, [m, 1], [1, 1]));
                assert_eq!(c, product(&na, &nb).map(|x| x + 0.5).data);
            }
        }
    }

    fn gemm_into_a_part(sizes in numbers(3, 0..12), seed) {
        let [m, k, n] = sizes[..] else { unreachable!() };
        let flip = Dice(seed ^ 3).roll(2) == 0;
        let ((_, a), (_, b), (_, c)) = (build::<E>(&[m, k], seed), build::<E>(&[k, n], seed ^ 1), build::<E>(&[m + 2, n + 3], seed ^ 2));
        // c is the inside of a larger matrix, upside down if `flip`.
        let width = n + 3;
        let (offset, stride) = if flip { (m.max(1) * width + 1, -(width as isize)) } else { (width + 1, width as isize) };
        let mut data = c.data.clone();
        E::gemm(
            2.0,
            Matrix::new(&a.data, 0, [m, k], [k as isize, 1]),
            Matrix::new(&b.data, 0, [k, n], [n as isize, 1]),
            0.5,
            MatrixMut::new(&mut data, offset, [m, n], [stride, 1]),
        );
        let ab = product(&a, &b);
        let expected = Naive::from_fn(&c.dims, |index| {
            let (i, j) = (index[0].wrapping_sub(1), index[1].wrapping_sub(1));
            if i >= m || j >= n {
                return c.at(index);
            }
            2.0 * ab.at(&[if flip { m - 1 - i } else { i }, j]) + 0.5 * c.at(index)
        });
        assert_eq!(data, expected.data);
    }
}

#[test]
fn batch_rows_collapse_without_a_copy_of_the_time_axis() {
    // [N, T, D] in the layout of [T, N, D]: no view has N·T rows, and the product is right all the same.
    let x = Tensor::<f64>::from_fn([3, 4, 5], |index| (index[0] * 20 + index[1] * 5 + index[2]) as f64);
    let w = Tensor::<f64>::from_fn([5, 2], |index| (index[0] + 3 * index[1]) as f64);
    assert_eq!(x.transpose(0, 1).matmul(&w), x.matmul(&w).transpose(0, 1));
    assert_eq!(x.matmul(&w), x.reshape([12, 5]).matmul(&w).reshape([3, 4, 2]));
}

#[test]
fn beta_zero_does_not_read() {
    let mut c = [f64::NAN; 4];
    let a = [1.0, 2.0, 3.0, 4.0];
    let whole = |data| Matrix::new(data, 0, [2, 2], [2, 1]);
    f64::gemm(1.0, whole(&a), whole(&a), 0.0, MatrixMut::new(&mut c, 0, [2, 2], [2, 1]));
    assert_eq!(c, [7.0, 10.0, 15.0, 22.0]);
    let big = [1.0_f32; 100];
    let mut c = [f32::NAN; 100];
    let whole = |data| Matrix::new(data, 0, [10, 10], [10, 1]);
    f32::gemm(1.0, whole(&big), whole(&big), 0.0, MatrixMut::new(&mut c, 0, [10, 10], [1, 10]));
    assert_eq!(c, [10.0; 100]);
}

#[test]
fn a_matrix_has_two_axes() {
    let text = common::panic_text(|| Tensor::<f32>::zeros([2, 3, 4]).as_matrix().dims());
    assert_eq!(text, "as_matrix: expected 2 axes, found [2, 3, 4]");
}

#[test]
fn matrices_check_their_bounds() {
    let data = [0.0_f64; 6];
    let text = |offset, dims, strides| common::panic_text(|| Matrix::new(&data, offset, dims, strides));
    assert_eq!(text(0, [2, 3], [3, 1]), "no panic");
    assert_eq!(text(5, [2, 3], [-3, -1]), "no panic");
    assert_eq!(text(99, [0, 3], [3, 1]), "no panic");
    assert_eq!(
        text(0, [usize::MAX, 3], [0, 1]),
        "matrix: expected all elements within 6, found offset 0, strides [0, 1] of [18446744073709551615, 3]"
    );
    assert_eq!(
        text(1, [2, 3], [3, 1]),
        "matrix: expected all elements within 6, found offset 1, strides [3, 1] of [2, 3]"
    );
    assert_eq!(
        text(0, [2, 3], [-3, 1]),
        "matrix: expected all elements within 6, found offset 0, strides [-3, 1] of [2, 3]"
    );
    assert_eq!(
        text(0, [2, 2], [isize::MAX, isize::MAX]),
        format!(
            "matrix: expected all elements within 6, found offset 0, strides [{0}, {0}] of [2, 2]",
            isize::MAX
        )
    );
    let text = |dims, strides| {
        common::panic_text(|| MatrixMut::new(&mut [0.0_f64; 6], 0, dims, strides).at_mut(0, 0).to_bits())
    };
    assert_eq!(text([2, 3], [1, 2]), "no panic");
    assert_eq!(
        text([2, 3], [1, 1]),
        "matrix: expected distinct places for all elements, found strides [1, 1] of [2, 3]"
    );
    assert_eq!(
        text([2, 3], [0, 1]),
        "matrix: expected distinct places for all elements, found strides [0, 1] of [2, 3]"
    );
    assert_eq!(
        text([1, 3], [0, 0]),
        "matrix: expected distinct places for all elements, found strides [0, 0] of [1, 3]"
    );
    let matrix = Matrix::new(&data, 0, [2, 3], [3, 1]);
    assert_eq!((matrix.at(1, 2), matrix.dims(), matrix.strides()), (0.0, [2, 3], [3, 1]));
    assert_eq!(
        common::panic_text(|| matrix.at(2, 0)),
        "matrix: expected an index within [2, 3], found [2, 0]"
    );
    let square = || Matrix::new(&data, 0, [2, 2], [2, 1]);
    assert_eq!(
        common::panic_text(|| f64::gemm(
            1.0,
            matrix,
            square(),
            0.0,
            MatrixMut::new(&mut [0.0; 4], 0, [2, 2], [2, 1])
        )),
        "gemm: expected sizes [m, k], [k, n] and [m, n], found [2, 3], [2, 2] and [2, 2]"
    );
}
