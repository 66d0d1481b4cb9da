//! Contributions that add up: the numeric sweep leaves sums unevaluated, and must give what the plain rules give.

use rand::SeedableRng;
use rand::rngs::StdRng;
use retrograde_autograd::{Plain, Tape, Var};
use retrograde_tensor::{Shape, Tensor};

/// Records, sweeps by both readings, and compares the gradients of all operands.
fn fused_agrees_with_plain(
    shapes: &[&[usize]],
    f: impl for<'t> Fn(&'t Tape<f64>, &[Var<'t, f64>]) -> Var<'t, f64>,
) {
    let mut rng = StdRng::seed_from_u64(3);
    let mut normal = |shape: Shape| Tensor::normal(shape, 0.0, 0.7, &mut rng).unwrap();
    let tape = Tape::new();
    let x: Vec<_> = shapes.iter().map(|dims| tape.var(normal(Shape::new(dims).unwrap()))).collect();
    let y = f(&tape, &x);
    let v = normal(y.shape());
    let fused = y.backward_with(&v).unwrap();
    let plain = tape.backward_over(&[(&y, Plain(v))], Plain).unwrap();
    for (i, x) in x.iter().enumerate() {
        let (fused, plain) = (fused.get(x).unwrap(), &plain.get(x).unwrap().0);
        let largest = plain.iter().fold(0.0, |largest: f64, x| largest.max(x.abs()));
        if let Err(mismatch) = fused.allclose(plain, 1e-12, 1e-13 * largest) {
            panic!("operand {i}: {mismatch}");
        }
    }
}

/// `h = tanh(h·Wh + x_t·Wx + b)` over time slices of one array.
fn rnn<'t>(xs: &Var<'t, f64>, wx: &Var<'t, f64>, wh: &Var<'t, f64>, b: &Var<'t, f64>) -> Var<'t, f64> {
    let [n, steps] = [xs.shape()[0], xs.shape()[1]];
    let mut h = xs.tape().constant(Tensor::zeros([n, wh.shape()[0]]));
    let mut hs = Vec::new();
    for step in 0..steps {
        h = (h.matmul(wh) + xs.select(1, step).matmul(wx) + b).tanh();
        hs.push(h.clone());
    }
    Var::stack(&hs, 1)
}

#[test]
fn a_weight_that_is_used_at_every_step() {
    for (n, steps) in [(3, 5), (1, 1), (1, 7), (0, 3)] {
        fused_agrees_with_plain(&[&[n, steps, 4], &[4, 6], &[6, 6], &[6]], |_, x| {
            rnn(&x[0], &x[1], &x[2], &x[3])
        });
    }
}

/// More rows than are gathered before they are multiplied.
#[test]
fn products_over_thousands_of_rows() {
    fused_agrees_with_plain(&[&[40, 70, 2], &[2, 3], &[3, 3], &[3]], |_, x| rnn(&x[0], &x[1], &x[2], &x[3]));
}

#[test]
fn products_and_other_terms_in_any_order() {
    fused_agrees_with_plain(&[&[3, 4], &[4, 4]], |_, x| {
        let (h, w) = (&x[0], &x[1]);
        h.matmul(w).matmul(w) + h * w.sum_axes(&[0], false)
    });
    fused_agrees_with_plain(&[&[3, 4], &[4, 4]], |_, x| {
        let (h, w) = (&x[0], &x[1]);
        (h * w.sum_axes(&[0], false)).matmul(w).matmul(w) * w.select(0, 1)
    });
    // The weight is not a leaf, and is used both as a product's operand and otherwise.
    fused_agrees_with_plain(&[&[3, 4], &[4, 4]], |_, x| {
        let w = x[1].tanh();
        x[0].matmul(&w).matmul(w.t()) + x[0].matmul(&w * &w)
    });
}

#[test]
fn products_of_stacks_of_matrices() {
    fused_agrees_with_plain(&[&[2, 3, 4], &[4, 5]], |_, x| x[0].matmul(&x[1]).tanh());
    // As many matrices as rows of the weight, and as many rows in each as its columns.
    fused_agrees_with_plain(&[&[3, 5, 3], &[3, 5]], |_, x| x[0].matmul(&x[1]).tanh());
    fused_agrees_with_plain(&[&[2, 3, 4], &[2, 4, 4]], |_, x| x[0].matmul(&x[1]).matmul(&x[1]));
    fused_agrees_with_plain(&[&[2, 5, 3, 4], &[4, 4]], |_, x| x[0].matmul(&x[1]).matmul(&x[1]));
    fused_agrees_with_plain(&[&[1, 3, 4], &[6, 4, 4]], |_, x| x[0].matmul(&x[1]).matmul(&x[1]));
    fused_agrees_with_plain(&[&[3, 4], &[2, 4, 4]], |_, x| x[0].matmul(&x[1]).matmul(&x[1]));
    // A weight both below a stack and below a matrix.
    fused_agrees_with_plain(&[&[2, 3, 4], &[4, 4]], |_, x| {
        x[0].matmul(&x[1]) + x[0].select(0, 1).matmul(&x[1])
    });
}

#[test]
fn slices_of_slices_that_overlap() {
    fused_agrees_with_plain(&[&[4, 6, 3]], |_, x| {
        let part = x[0].narrow(1, 1, 4);
        part.select(1, 0) * part.select(1, 3) + part.narrow(1, 2, 2).sum_axes(&[1], false) * x[0].select(1, 2)
    });
    fused_agrees_with_plain(&[&[2, 5]], |_, x| {
        let y = x[0].tanh();
        y.narrow(1, 0, 3) * y.narrow(1, 2, 3) + y.pad(1, 1, 7).narrow(1, 4, 3) + y.sum_axes(&[1], true)
    });
}

#[test]
fn one_value_through_every_view() {
    fused_agrees_with_plain(&[&[3, 4], &[4, 3]], |_, x| {
        let (a, b) = (&x[0], &x[1]);
        let joined = Var::concat(&[a.clone(), b.t(), a.reshape([4, 3]).t()], 0); // [9, 4]
        let table = joined.gather_rows(&Tensor::from([8, 0, 0, 5]));
        table.matmul(b) + Var::stack(&[a.clone(), a.clone()], 0).sum_axes(&[0, 2], false)
    });
}

/// Slices that lie apart, beside and over one another, in every order: their cotangents come together in one buffer.
#[test]
fn slices_in_any_order_and_place() {
    let parts = [(4, 2), (0, 3), (2, 3), (7, 1), (7, 0), (5, 1)];
    for first in 0..parts.len() {
        for step in 1..parts.len() {
            fused_agrees_with_plain(&[&[2, 9]], |_, x| {
                let order = (0..4).map(|i| parts[(first + i * step) % parts.len()]);
                let slices: Vec<_> = order.map(|(start, length)| x[0].narrow(1, start, length)).collect();
                Var::concat(&slices, 1)
            });
        }
    }
}

/// Slices along one axis come together in a buffer; one along another axis adds to it, whenever it comes.
#[test]
fn slices_along_several_axes() {
    for axes in [[0, 0, 1], [0, 1, 0], [1, 0, 0], [1, 1, 0], [0, 1, 1], [1, 0, 1]] {
        fused_agrees_with_plain(&[&[3, 3]], |_, x| {
            let slices = axes.iter().zip([1, 2, 0]).map(|(&axis, i)| x[0].select(axis, i));
            slices.reduce(|product, slice| product * slice).unwrap()
        });
    }
}
