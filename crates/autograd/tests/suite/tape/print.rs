//! A printed tape, character for character.

use retrograde_autograd::{Param, Tape, Var};
use retrograde_tensor::Tensor;

#[test]
fn a_step_of_an_rnn() {
    let (wx, wh) = (Param::new("Wx", Tensor::<f64>::zeros([3, 4])), Param::new("Wh", Tensor::zeros([4, 4])));
    let b = Param::new("b", Tensor::zeros([4]));
    let tape = Tape::new();
    let h_prev = tape.constant(Tensor::zeros([2, 4])).named("h_prev");
    let x = tape.var(Tensor::zeros([2, 3])).named("x");
    let t = (h_prev.matmul(&wh) + x.matmul(&wx) + &b).named("t");
    let _ = t.tanh().named("h_next");
    let expected = "\
#  name    op         operands    shape   kept
0  h_prev  constant               [2, 4]  64 B
1  x       variable               [2, 3]  48 B
2  Wh      parameter              [4, 4]  128 B
3          matmul     h_prev, Wh  [2, 4]
4  Wx      parameter              [3, 4]  96 B
5          matmul     x, Wx       [2, 4]
6          add        v3, v5      [2, 4]
7  b       parameter              [4]     32 B
8  t       add        v6, b       [2, 4]
9  h_next  tanh       t           [2, 4]  64 B
10 nodes, 432 B kept
";
    assert_eq!(tape.to_string(), expected);
    assert_eq!(format!("{tape:?}"), "Tape { nodes: 10, kept_bytes: 432, recording: true }");
}

/// Views share the storage of what they are views on: each has its size in its row, and none in the total.
#[test]
fn attributes_and_views() {
    let tape = Tape::<f32>::new();
    let xs = tape.var(Tensor::zeros([2, 5, 3])).named("xs");
    for step in 0..2 {
        tape.set_step(Some(step));
        let x = xs.select(1, step).named("x");
        let _ = (&x * &x).clamp(-1.0, 2.5).named("y");
    }
    tape.set_step(None);
    let parts: Vec<Var<'_, f32>> = (0..5).map(|at| xs.narrow(1, at, 1)).collect();
    let _ = Var::concat(&parts, 0).reshape([10, 3]).softmax(1).gather_rows(&Tensor::from([0, 0]));
    let expected = concat!(
        " #  name  op                   operands    shape       kept\n",
        " 0  xs    variable                         [2, 5, 3]   120 B\n",
        " 1  x_0   select axis 1, 0     xs          [2, 3]      24 B\n",
        " 2        mul                  x_0, x_0    [2, 3]      24 B\n",
        " 3  y_0   clamp -1..=2.5       v2          [2, 3]      24 B\n",
        " 4  x_1   select axis 1, 1     xs          [2, 3]      24 B\n",
        " 5        mul                  x_1, x_1    [2, 3]      24 B\n",
        " 6  y_1   clamp -1..=2.5       v5          [2, 3]      24 B\n",
        " 7        narrow axis 1, 0..1  xs          [2, 1, 3]\n",
        " 8        narrow axis 1, 1..2  xs          [2, 1, 3]\n",
        " 9        narrow axis 1, 2..3  xs          [2, 1, 3]\n",
        "10        narrow axis 1, 3..4  xs          [2, 1, 3]\n",
        "11        narrow axis 1, 4..5  xs          [2, 1, 3]\n",
        "12        concat axis 0        v7, …, v11  [10, 1, 3]\n",
        "13        reshape [10, 3]      v12         [10, 3]\n",
        "14        softmax axis 1       v13         [10, 3]     120 B\n",
        "15        gather_rows by [2]   v14         [2, 3]\n",
        "16 nodes, 336 B kept\n",
    );
    assert_eq!(tape.to_string(), expected);
}

#[test]
fn what_is_shared_counts_once() {
    let tape = Tape::<f64>::new();
    let x = Tensor::zeros([100, 20]);
    let (a, b) = (tape.var(x.clone()), tape.constant(x));
    assert_eq!(tape.kept_bytes(), 16_000);
    let _ = &a * &b;
    assert_eq!(tape.kept_bytes(), 16_000);
    // A product of two views on one sum keeps that sum, once.
    let sum = &a + 1.0;
    let _ = sum.select(1, 0) * sum.select(1, 1);
    assert_eq!(tape.kept_bytes(), 32_000);
    assert!(tape.to_string().ends_with("\n7 nodes, 31.2 KiB kept\n"), "{tape}");
}

#[test]
fn a_long_tape_is_cut_in_the_middle() {
    let tape = Tape::<f64>::new();
    let mut x = tape.var(Tensor::zeros([1])).named("x");
    for _ in 0..99 {
        x = x.exp();
    }
    let short = tape.to_string();
    let lines: Vec<&str> = short.lines().collect();
    assert_eq!(lines.len(), 1 + 60 + 1 + 1);
    assert_eq!(lines[0], " #  name  op        operands  shape  kept");
    assert_eq!(lines[30], "29        exp       v28       [1]    8 B");
    assert_eq!(lines[31], " …");
    assert_eq!(lines[32], "70        exp       v69       [1]    8 B");
    assert_eq!(lines[62], "100 nodes, 800 B kept");
    let full = format!("{tape:#}");
    assert_eq!(full.lines().count(), 1 + 100 + 1);
    assert!(full.contains("\n50        exp       v49       [1]    8 B\n"));
}
