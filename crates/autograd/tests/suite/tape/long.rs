//! Long tapes: nothing recurses, and cost grows with the number of steps.

use retrograde_autograd::{Tape, Var};
use retrograde_derivation::DeriveVar;
use retrograde_tensor::Tensor;

/// `h = tanh(h·w + x_t)` over slices of one array `[1, T, 1]`.
fn rnn<'t>(xs: &Var<'t, f64>, w: &Var<'t, f64>) -> Var<'t, f64> {
    let mut h = xs.tape().constant(Tensor::zeros([1, 1]));
    for step in 0..xs.shape()[1] {
        h = (h.matmul(w) + xs.select(1, step)).tanh();
    }
    h
}

#[test]
fn a_hundred_thousand_steps_on_a_stack_of_64_kilobytes() {
    let run = || {
        let steps = 100_000;
        let tape = Tape::new();
        let w = tape.var(Tensor::from([[0.5]]));
        let xs = tape.var(Tensor::from_fn([1, steps, 1], |at| (at[1] as f64 * 0.7).sin()));
        let h = rnn(&xs, &w);
        let dh = Tensor::from([[1.7]]);
        let gradients = h.backward_with(&dh).unwrap();

        // By hand: dt = dh (1 - h²), dx_t = dt, dw += h_prev dt, dh = dt w.
        let mut hs = vec![0.0_f64];
        for x in xs.value() {
            hs.push((hs.last().unwrap() * 0.5 + x).tanh());
        }
        let (mut dh_t, mut dw) = (1.7, 0.0);
        let mut dxs = vec![0.0; steps];
        for step in (0..steps).rev() {
            let dt = dh_t * (1.0 - hs[step + 1] * hs[step + 1]);
            (dxs[step], dw, dh_t) = (dt, dw + hs[step] * dt, dt * 0.5);
        }
        let found = gradients.get(&w).unwrap().item().unwrap();
        assert!((found - dw).abs() <= 1e-12 * dw.abs(), "{found} and {dw}");
        let found = gradients.get(&xs).unwrap();
        for (step, dx) in dxs.iter().enumerate().skip(steps - 20) {
            assert!((found.at(&[0, step, 0]) - dx).abs() <= 1e-13 * dx.abs(), "step {step}");
        }

        let moved = tape.jvp(&[&h], &[(&w, &Tensor::from([[1.0]]))]).unwrap()[0].item().unwrap();
        assert!((moved * 1.7 - dw).abs() <= 1e-12 * dw.abs(), "{moved} and {dw}");
        assert!(h.derivation().is_ok());
        assert!(tape.check_finite(&[(&h, &dh)]).is_ok());
    };
    std::thread::Builder::new().stack_size(64 << 10).spawn(run).unwrap().join().unwrap();
}

/// `cargo test --release -p retrograde-autograd --test suite ten_million -- --ignored`
#[test]
#[ignore = "takes some gigabytes; the test above has a thirtieth of the nodes"]
fn ten_million_nodes() {
    let (n, a) = (10_000_000, 1.0 - 1e-7);
    let tape = Tape::new();
    let x = tape.var(Tensor::from([3.0_f64]));
    let w = tape.var(Tensor::from([a]));
    let mut y = &x * &w;
    for _ in 1..n {
        y = &y * &w;
    }
    assert_eq!(tape.len(), 2 + n);
    // y = x wⁿ, of which each factor is rounded.
    let gradients = y.backward_with(&Tensor::from([1.7])).unwrap();
    let found = |v| gradients.get(v).unwrap().item().unwrap();
    let power = a.powi(n as i32 - 1);
    for (found, expected) in [(found(&x), 1.7 * a * power), (found(&w), 1.7 * 3.0 * n as f64 * power)] {
        assert!((found - expected).abs() < 1e-8 * expected, "{found} and {expected}");
    }
}

/// Four nodes a step, of which `tanh` keeps its output: eight bytes. Slices are views and keep nothing.
#[test]
fn nodes_and_bytes_grow_linearly_with_the_steps() {
    for steps in [1, 10, 100, 1000] {
        let tape = Tape::new();
        let w = tape.var(Tensor::from([[0.5]]));
        let xs = tape.var(Tensor::<f64>::zeros([1, steps, 1]));
        rnn(&xs, &w);
        assert_eq!(tape.len(), 3 + 4 * steps);
        assert_eq!(tape.kept_bytes(), 8 * (1 + steps + 1 + steps));
    }
}
