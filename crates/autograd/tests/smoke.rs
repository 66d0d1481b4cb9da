//! smoke
use retrograde_autograd::{Param, Tape};
use retrograde_tensor::Tensor;

#[test]
fn rnn_step() {
    let tape = Tape::<f64>::new();
    let wx = Param::new("Wx", Tensor::from_fn([3, 4], |i| 0.1 * i[0] as f64 - 0.2 * i[1] as f64));
    let wh = Param::new("Wh", Tensor::from_fn([4, 4], |i| 0.3 * i[0] as f64 - 0.1 * i[1] as f64));
    let b = Param::new("b", Tensor::zeros([4]));
    let h_prev = tape.var(Tensor::from_fn([2, 4], |i| 0.1 * (i[0] + i[1]) as f64)).named("h_prev");
    let x = tape.var(Tensor::from_fn([2, 3], |i| 0.1 * (i[0] + i[1]) as f64)).named("x");
    let t = (h_prev.matmul(&wh) + x.matmul(&wx) + &b).named("t");
    let h_next = t.tanh().named("h_next");
    let d = h_next.derivation().unwrap();
    println!("{d}\n{}", d.latex());
    let dy = Tensor::from_fn([2, 4], |i| 1.0 + (i[0] * 3 + i[1]) as f64);
    let g = h_next.backward_with(&dy).unwrap();
    let u = Tensor::from_fn([2, 3], |i| 1.0 - (i[0] * 3 + i[1]) as f64);
    let uw = Tensor::from_fn([3, 4], |i| 1.0 - (i[0] * 3 + i[1]) as f64);
    let j = tape.jvp(&[&h_next], &[(&x, &u), (&tape.param(&wx), &uw)]).unwrap();
    let a = (&j[0] * &dy).sum().item().unwrap();
    let b =
        (&u * g.get(&x).unwrap()).sum().item().unwrap() + (&uw * g.get(&wx).unwrap()).sum().item().unwrap();
    println!("{a} {b}");
    assert!((a - b).abs() < 1e-12);
}

#[test]
fn long() {
    std::thread::Builder::new()
        .stack_size(2 << 20)
        .spawn(|| {
            for n in [10_000, 20_000, 40_000, 100_000] {
                let t0 = std::time::Instant::now();
                let tape = Tape::<f32>::new();
                let w = tape.var(Tensor::from([[0.5_f32]]));
                let xs = tape.var(Tensor::zeros([1, n, 1]));
                let mut h = tape.constant(Tensor::zeros([1, 1]));
                for step in 0..n {
                    h = (h.matmul(&w) + xs.select(1, step)).tanh();
                }
                let t1 = t0.elapsed();
                let g = h.sum().backward().unwrap();
                assert!(g.get(&w).is_some());
                println!(
                    "{n}: {:?} {:?} per op fwd {:?} bwd {:?}",
                    t1,
                    t0.elapsed(),
                    t1 / (4 * n as u32),
                    (t0.elapsed() - t1) / (4 * n as u32)
                );
            }
        })
        .unwrap()
        .join()
        .unwrap();
}
