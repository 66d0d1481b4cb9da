//! The formulas derived by hand, against differences of the forward pass.

use crate::common::{assert_near, by_hand, differences, inner, normal, seeded, weights};
use retrograde_nn::explicit;
use retrograde_tensor::Tensor;

#[test]
fn of_one_step() {
    for (n, d, h) in [(1, 1, 1), (3, 2, 4), (2, 5, 3), (3, 3, 3)] {
        let mut rng = seeded(n as u64);
        let [wx, wh, b] = weights::<f64>(d, h, &mut rng);
        let (x, h_prev) = (normal([n, d], 1.0, &mut rng), normal([n, h], 1.0, &mut rng));
        let dh_next = normal([n, h], 1.0, &mut rng);
        let value = |wx: &Tensor<f64>, wh: &Tensor<f64>, b: &Tensor<f64>, x: &_, h_prev: &_| {
            let mut rnn = explicit::Rnn::new(wx.clone(), wh.clone(), b.clone()).unwrap();
            inner(&dh_next, &rnn.forward(x, h_prev).unwrap())
        };

        let mut rnn = explicit::Rnn::new(wx.clone(), wh.clone(), b.clone()).unwrap();
        rnn.forward(&x, &h_prev).unwrap();
        let (dx, dh_prev) = rnn.backward(&dh_next).unwrap();

        assert_near("dWx", &rnn.dwx, &differences(&wx, |wx| value(wx, &wh, &b, &x, &h_prev)), 1e-9);
        assert_near("dWh", &rnn.dwh, &differences(&wh, |wh| value(&wx, wh, &b, &x, &h_prev)), 1e-9);
        assert_near("db", &rnn.db, &differences(&b, |b| value(&wx, &wh, b, &x, &h_prev)), 1e-9);
        assert_near("dx", &dx, &differences(&x, |x| value(&wx, &wh, &b, x, &h_prev)), 1e-9);
        assert_near("dh_prev", &dh_prev, &differences(&h_prev, |h| value(&wx, &wh, &b, &x, h)), 1e-9);
    }
}

#[test]
fn over_time() {
    for (n, steps, d, h) in [(1, 1, 2, 3), (1, 4, 3, 2), (3, 6, 2, 4), (2, 5, 3, 3)] {
        let mut rng = seeded(steps as u64);
        let [wx, wh, b] = weights::<f64>(d, h, &mut rng);
        let (xs, h0) = (normal([n, steps, d], 1.0, &mut rng), normal([n, h], 1.0, &mut rng));
        let (dhs, dh_last) = (normal([n, steps, h], 1.0, &mut rng), normal([n, h], 1.0, &mut rng));
        let value = |wx: &Tensor<f64>, wh: &Tensor<f64>, b: &Tensor<f64>, xs: &_, h0: &Tensor<f64>| {
            let mut rnn = by_hand(&[wx.clone(), wh.clone(), b.clone()]);
            rnn.set_state(h0.clone());
            let hs = rnn.forward(xs).unwrap();
            inner(&dhs, &hs) + inner(&dh_last, rnn.state().unwrap())
        };

        let mut rnn = by_hand(&[wx.clone(), wh.clone(), b.clone()]);
        rnn.set_state(h0.clone());
        rnn.forward(&xs).unwrap();
        let dxs = rnn.backward_with_last(&dhs, &dh_last).unwrap();

        assert_near("dWx", &rnn.dwx, &differences(&wx, |wx| value(wx, &wh, &b, &xs, &h0)), 1e-9);
        assert_near("dWh", &rnn.dwh, &differences(&wh, |wh| value(&wx, wh, &b, &xs, &h0)), 1e-9);
        assert_near("db", &rnn.db, &differences(&b, |b| value(&wx, &wh, b, &xs, &h0)), 1e-9);
        assert_near("dxs", &dxs, &differences(&xs, |xs| value(&wx, &wh, &b, xs, &h0)), 1e-9);
        let dh0 = differences(&h0, |h0| value(&wx, &wh, &b, &xs, h0));
        assert_near("dh0", rnn.dh.as_ref().unwrap(), &dh0, 1e-9);
    }
}

/// The forward pass against loops over the formula, one number at a time.
#[test]
fn forward_against_loops() {
    let (n, steps, d, h) = (2, 4, 3, 5);
    let mut rng = seeded(9);
    let [wx, wh, b] = weights::<f64>(d, h, &mut rng);
    let xs = normal::<f64>([n, steps, d], 1.0, &mut rng);
    let hs = by_hand(&[wx.clone(), wh.clone(), b.clone()]).forward(&xs).unwrap();
    for i in 0..n {
        let mut h_prev = vec![0.0; h];
        for step in 0..steps {
            let h_next: Vec<f64> = (0..h)
                .map(|k| {
                    let from_state: f64 = (0..h).map(|j| h_prev[j] * wh.at(&[j, k])).sum();
                    let from_input: f64 = (0..d).map(|j| xs.at(&[i, step, j]) * wx.at(&[j, k])).sum();
                    (from_state + from_input + b.at(&[k])).tanh()
                })
                .collect();
            for (k, &expected) in h_next.iter().enumerate() {
                assert!((hs.at(&[i, step, k]) - expected).abs() < 1e-14);
            }
            h_prev = h_next;
        }
    }
}

/// Without a cotangent for the last state, it counts as zero; and a second backward pass gives the same numbers.
#[test]
fn backward_alone_and_twice() {
    let mut rng = seeded(4);
    let mut rnn = by_hand(&weights::<f64>(2, 3, &mut rng));
    let xs = normal([2, 4, 2], 1.0, &mut rng);
    let dhs = normal([2, 4, 3], 1.0, &mut rng);
    rnn.forward(&xs).unwrap();
    let dxs = rnn.backward(&dhs).unwrap();
    let first = (rnn.dwx.clone(), rnn.dwh.clone(), rnn.db.clone(), rnn.dh.clone());
    assert_eq!(rnn.backward_with_last(&dhs, &Tensor::zeros([2, 3])).unwrap(), dxs);
    assert_eq!((rnn.dwx, rnn.dwh, rnn.db, rnn.dh), first);
}
