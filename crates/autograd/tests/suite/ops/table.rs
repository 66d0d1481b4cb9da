//! The table: one row per operation, or several where shapes or attributes make a difference.

use std::collections::BTreeSet;

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use retrograde_autograd::op::{Comparison, Unary};
use retrograde_autograd::{Op, Tape, Var};
use retrograde_tensor::{Shape, Tensor};

/// The output of a row from its operands, by public methods.
type Apply = for<'t> fn(&[Var<'t, f64>]) -> Var<'t, f64>;

/// A row: an operation and the operands to try it on.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) domain: Domain,
    /// The shapes of the operands, a list a case.
    pub(crate) shapes: &'static [&'static [&'static [usize]]],
    pub(crate) apply: Apply,
}

/// The range of the elements of the operands.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Domain {
    /// Normally distributed.
    Any,
    /// Between 0.3 and 3.
    Positive,
    /// On a grid, at least 0.05 apart from one another and from every kink that the rows have.
    Distinct,
}

/// An operation on operands with random elements, some of them views.
pub(crate) struct Case {
    pub(crate) label: String,
    pub(crate) operands: Vec<Tensor<f64>>,
    pub(crate) apply: Apply,
    pub(crate) rng: StdRng,
}

impl Case {
    /// The variables of the operands and the output, named `x0`, `x1`, .. and `y`.
    pub(crate) fn record<'t>(&self, tape: &'t Tape<f64>) -> (Vec<Var<'t, f64>>, Var<'t, f64>) {
        let x: Vec<_> =
            (0..).zip(&self.operands).map(|(i, x)| tape.var(x.clone()).named(format!("x{i}"))).collect();
        let y = (self.apply)(&x).named("y");
        (x, y)
    }

    /// The output for other operands.
    pub(crate) fn value(&self, operands: &[Tensor<f64>]) -> Tensor<f64> {
        let tape = Tape::inference();
        let x: Vec<_> = operands.iter().map(|x| tape.var(x.clone())).collect();
        (self.apply)(&x).detach()
    }

    /// A direction in the space of a shape: never ones, nowhere zero.
    pub(crate) fn direction(&mut self, shape: Shape) -> Tensor<f64> {
        Tensor::from_fn(shape, |_| {
            let size = self.rng.random_range(0.3..1.0);
            if self.rng.random() { size } else { -size }
        })
    }

    pub(crate) fn directions(&mut self) -> Vec<Tensor<f64>> {
        let shapes: Vec<Shape> = self.operands.iter().map(Tensor::shape).collect();
        shapes.into_iter().map(|shape| self.direction(shape)).collect()
    }
}

/// Calls `check` with every case: each row on each list of shapes, with operands contiguous, transposed, and cut.
pub(crate) fn each_case(mut check: impl FnMut(Case)) {
    for row in rows() {
        for shapes in row.shapes {
            for layout in ["contiguous", "transposed", "cut"] {
                let mut rng = StdRng::seed_from_u64(7);
                let operands = operands(row.domain, shapes, layout, &mut rng);
                let label = format!("{} of {shapes:?}, {layout}", row.name);
                check(Case { label, operands, apply: row.apply, rng });
            }
        }
    }
}

fn operands(domain: Domain, shapes: &[&[usize]], layout: &str, rng: &mut StdRng) -> Vec<Tensor<f64>> {
    let count: usize = shapes.iter().map(|dims| dims.iter().product::<usize>()).sum();
    let mut grid: Vec<f64> = (0..count).map(|k| (k as f64 - count as f64 / 2.0 + 0.37) * 0.21).collect();
    grid.shuffle(rng);
    let mut element = || match domain {
        Domain::Any => Tensor::normal([], 0.0, 1.0, rng).unwrap().item().unwrap(),
        Domain::Positive => rng.random_range(0.3..3.0),
        Domain::Distinct => grid.pop().unwrap(),
    };
    let mut operand = |dims: &&[usize]| {
        let shape = Shape::new(dims).unwrap();
        let x = Tensor::from_fn(shape, |_| element());
        match layout {
            "transposed" => reversed_in_memory(&x),
            "cut" if x.rank() > 0 => cut_from_larger(&x),
            _ => x,
        }
    };
    shapes.iter().map(&mut operand).collect()
}

/// The same tensor, its axes in reverse order in memory.
fn reversed_in_memory(x: &Tensor<f64>) -> Tensor<f64> {
    let axes: Vec<usize> = (0..x.rank()).rev().collect();
    x.permute(&axes).contiguous().permute(&axes)
}

/// The same tensor, as a part of a larger one whose other elements are NaN.
fn cut_from_larger(x: &Tensor<f64>) -> Tensor<f64> {
    let last = x.rank() - 1;
    let around = Tensor::full(x.shape().with_axis(last, 2), f64::NAN);
    Tensor::concat(&[&around, x, &around], last).narrow(last, 2, x.dims()[last])
}

/// Two operands that broadcast, in every way that shapes can differ.
const PAIRS: &[&[&[usize]]] = &[
    &[&[3, 4], &[3, 4]],
    &[&[3, 4], &[4]],
    &[&[4], &[3, 4]],
    &[&[3, 1], &[1, 4]],
    &[&[2, 3, 4], &[3, 1]],
    &[&[], &[2, 3]],
    &[&[1, 1], &[]],
    &[&[0, 4], &[4]],
    &[&[3, 0], &[3, 1]],
];
const ONE: &[&[&[usize]]] = &[&[&[3, 4]], &[&[]], &[&[1]], &[&[2, 1, 5]], &[&[0, 3]]];
const MATRICES: &[&[&[usize]]] = &[&[&[3, 4]], &[&[1, 5]], &[&[4, 1]], &[&[2, 3, 4]], &[&[0, 3]], &[&[3, 0]]];
const MATRICES_OF_SIX: &[&[&[usize]]] = &[&[&[2, 6]], &[&[1, 6]], &[&[0, 6]], &[&[2, 6, 3]]];
const INDICES: [[usize; 2]; 3] = [[4, 0], [0, 2], [0, 4]];

/// All rows.
pub(crate) fn rows() -> Vec<Row> {
    use Domain::{Any, Distinct, Positive};
    fn row(
        name: &'static str,
        domain: Domain,
        shapes: &'static [&'static [&'static [usize]]],
        apply: Apply,
    ) -> Row {
        Row { name, domain, shapes, apply }
    }
    vec![
        row("add", Any, PAIRS, |x| &x[0] + &x[1]),
        row("sub", Any, PAIRS, |x| &x[0] - &x[1]),
        row("mul", Any, PAIRS, |x| &x[0] * &x[1]),
        row("div", Positive, PAIRS, |x| &x[0] / &x[1]),
        row("maximum", Distinct, PAIRS, |x| x[0].maximum(&x[1])),
        row("minimum", Distinct, PAIRS, |x| x[0].minimum(&x[1])),
        row("masks times both", Distinct, PAIRS, |x| {
            let larger = x[0].gt(&x[1]) * &x[0] + x[0].le(&x[1]) * &x[1];
            let smaller = x[0].lt(&x[1]) * &x[0] + x[0].ge(&x[1]) * &x[1];
            let same = x[0].eq_mask(&x[1]) * &x[0] + x[0].ne_mask(&x[1]) * &x[1];
            larger + smaller.tanh() + same.sin()
        }),
        row("where_mask", Distinct, PAIRS, |x| x[0].where_mask(x[0].gt(0.0), &x[1])),
        row("where_mask of three shapes", Distinct, &[&[&[3, 1], &[4], &[2, 1, 1]]], |x| {
            x[1].where_mask(x[0].gt(0.0), &x[2])
        }),
        row("masked where set", Distinct, PAIRS, |x| {
            x[0].tape().apply(Op::Masked { when: true }, &[&x[0].gt(0.0), &x[1]]).unwrap()
        }),
        row("masked where not set", Distinct, PAIRS, |x| {
            x[0].tape().apply(Op::Masked { when: false }, &[&x[0].gt(0.0), &x[1]]).unwrap()
        }),
        row("a comparison as a constant", Distinct, PAIRS, |x| {
            x[0].tape().apply(Op::Compare(Comparison::Gt), &[&x[0], &x[1]]).unwrap() * &x[0]
        }),
        row("neg", Any, ONE, |x| -&x[0]),
        row("scale", Any, ONE, |x| &x[0] * -1.5),
        row("shift", Any, ONE, |x| &x[0] + 0.7),
        row("a number on the left", Positive, ONE, |x| 1.0 - 2.0 * &x[0] + 3.0 / &x[0]),
        row("tanh", Any, ONE, |x| x[0].tanh()),
        row("sigmoid", Any, ONE, |x| x[0].sigmoid()),
        row("relu", Distinct, ONE, |x| x[0].relu()),
        row("softplus", Any, ONE, |x| x[0].softplus()),
        row("exp", Any, ONE, |x| x[0].exp()),
        row("ln", Positive, ONE, |x| x[0].ln()),
        row("ln_1p", Positive, ONE, |x| (&x[0] * -0.3).ln_1p() * x[0].ln_1p()),
        row("exp_m1", Any, ONE, |x| x[0].exp_m1()),
        row("erf", Any, ONE, |x| x[0].erf()),
        row("floor and round", Distinct, ONE, |x| (x[0].floor() + x[0].round()) * &x[0]),
        row("chunk", Any, MATRICES_OF_SIX, |x| {
            let [a, b, c] = x[0].chunk(1);
            a * b.tanh() + c
        }),
        row("split", Any, MATRICES_OF_SIX, |x| {
            let [a, none, b, c] = x[0].split(1, [2, 0, 2, 2]);
            (a.sin() * b + none.sum()) / (c.square() + 1.0)
        }),
        row("sqrt", Positive, ONE, |x| x[0].sqrt()),
        row("square", Any, ONE, |x| x[0].square()),
        row("sin", Any, ONE, |x| x[0].sin()),
        row("cos", Any, ONE, |x| x[0].cos()),
        row("abs", Distinct, ONE, |x| x[0].abs()),
        row("sign", Distinct, ONE, |x| x[0].sign() * &x[0]),
        row("clamp", Distinct, ONE, |x| x[0].clamp(-0.5, 0.8)),
        row("softmax", Any, MATRICES, |x| x[0].softmax(x[0].shape().rank() - 1)),
        row("softmax of the first axis", Any, MATRICES, |x| x[0].softmax(0)),
        row("log_softmax", Any, MATRICES, |x| x[0].log_softmax(x[0].shape().rank() - 1)),
        row("log_softmax of the first axis", Any, MATRICES, |x| x[0].log_softmax(0)),
        row("logsumexp", Any, &[&[&[3, 4]], &[&[1, 5]], &[&[2, 3, 4]], &[&[0, 3]]], |x| {
            x[0].logsumexp(1, false)
        }),
        row("logsumexp, kept", Any, &[&[&[3, 4]], &[&[4, 1]], &[&[2, 3, 4]], &[&[3, 0]]], |x| {
            x[0].logsumexp(0, true)
        }),
        row("max_axes", Distinct, &[&[&[3, 4]], &[&[1, 5]], &[&[0, 3]], &[&[2, 3, 4]]], |x| {
            x[0].max_axes(&[1], false)
        }),
        row("max_axes of all", Distinct, &[&[&[3, 4]], &[&[1, 1]]], |x| x[0].max_axes(&[1, 0], true)),
        row("min_axes", Distinct, &[&[&[3, 4]], &[&[1, 5]], &[&[0, 3]]], |x| x[0].min_axes(&[1], true)),
        row("sum", Any, ONE, |x| x[0].sum()),
        row("mean", Any, &[&[&[3, 4]], &[&[]], &[&[2, 1, 5]]], |x| x[0].mean()),
        row("sum_axes", Any, MATRICES, |x| x[0].sum_axes(&[0], false)),
        row("sum_axes, kept", Any, MATRICES, |x| x[0].sum_axes(&[1, 0], true)),
        row("mean_axes", Any, &[&[&[3, 4]], &[&[2, 3, 4]], &[&[0, 3]]], |x| x[0].mean_axes(&[1], false)),
        row("sum_to", Any, &[&[&[2, 3, 4]], &[&[1, 3, 1]], &[&[0, 3, 4]]], |x| x[0].sum_to([3, 1])),
        row("broadcast_to", Any, &[&[&[3, 1]], &[&[1, 1]], &[&[]], &[&[4]]], |x| {
            x[0].broadcast_to([2, 3, 4])
        }),
        row("broadcast_to nothing", Any, &[&[&[1, 4]], &[&[]]], |x| x[0].broadcast_to([0, 4])),
        row(
            "matmul",
            Any,
            &[
                &[&[3, 4], &[4, 5]],
                &[&[1, 4], &[4, 1]],
                &[&[3, 1], &[1, 2]],
                &[&[2, 3, 4], &[4, 5]],
                &[&[3, 4], &[2, 4, 5]],
                &[&[2, 3, 4], &[2, 4, 5]],
                &[&[2, 3, 4], &[1, 4, 5]],
                &[&[2, 1, 3, 4], &[2, 4, 5]],
                &[&[4], &[4, 5]],
                &[&[3, 4], &[4]],
                &[&[4], &[4]],
                &[&[2, 3, 4], &[4]],
                &[&[4], &[2, 4, 3]],
                &[&[0, 4], &[4, 5]],
                &[&[3, 0], &[0, 5]],
                &[&[0, 3, 4], &[4, 5]],
            ],
            |x| x[0].matmul(&x[1]),
        ),
        row("matmul of a transpose", Any, &[&[&[4, 3], &[4, 5]], &[&[2, 4, 3], &[4, 5]]], |x| {
            x[0].t().matmul(&x[1])
        }),
        row("reshape", Any, &[&[&[3, 4]], &[&[2, 3, 2]], &[&[12]]], |x| x[0].reshape([2, 6])),
        row("permute", Any, &[&[&[2, 3, 4]], &[&[1, 0, 2]]], |x| x[0].permute(&[2, 0, 1])),
        row("transpose", Any, MATRICES, |x| x[0].transpose(0, 1)),
        row("t", Any, MATRICES, |x| x[0].t()),
        row("squeeze", Any, &[&[&[3, 1, 4]], &[&[0, 1]]], |x| x[0].squeeze(1)),
        row("unsqueeze", Any, MATRICES, |x| x[0].unsqueeze(1)),
        row("narrow", Any, &[&[&[2, 5]], &[&[0, 4]], &[&[2, 4, 3]]], |x| x[0].narrow(1, 1, 3)),
        row("narrow to nothing", Any, &[&[&[2, 5]]], |x| x[0].narrow(1, 5, 0)),
        row("pad", Any, &[&[&[2, 3]], &[&[0, 3]], &[&[2, 0]], &[&[2, 1, 3]]], |x| x[0].pad(1, 2, 6)),
        row("select", Any, &[&[&[2, 5]], &[&[0, 4]], &[&[2, 4, 3]]], |x| x[0].select(1, 3)),
        row("select of a vector", Any, &[&[&[3]]], |x| x[0].select(0, 1)),
        row("concat", Any, &[&[&[2, 3], &[2, 1], &[2, 4]], &[&[1, 3], &[1, 0]], &[&[0, 2], &[0, 3]]], |x| {
            Var::concat(x, 1)
        }),
        row(
            "stack",
            Any,
            &[&[&[2, 3], &[2, 3], &[2, 3], &[2, 3], &[2, 3]], &[&[1, 1]], &[&[0, 3], &[0, 3]]],
            |x| Var::stack(x, 1),
        ),
        row("gather_rows", Any, &[&[&[5, 3]], &[&[5]], &[&[5, 0]], &[&[5, 2, 1]]], |x| {
            x[0].gather_rows(&Tensor::from(INDICES))
        }),
        row("gather no rows", Any, &[&[&[5, 3]]], |x| x[0].gather_rows(&Tensor::zeros([0]))),
        row("scatter_add_rows", Any, &[&[&[3, 2, 4]], &[&[3, 2]], &[&[3, 2, 0]]], |x| {
            x[0].scatter_add_rows(6, &Tensor::from(INDICES))
        }),
    ]
}

/// Every variant of `Op` is recorded by some row, or by the backward pass of some row.
#[test]
fn every_operation_has_a_row() {
    let source = include_str!("../../../src/op/table.rs");
    let body = source.split("\noperations! {").nth(1).unwrap();
    let variant = |line: &str| -> Option<String> {
        let name =
            line.strip_prefix("    ").filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()))?;
        Some(name.chars().take_while(|c| c.is_alphanumeric()).collect())
    };
    let variants: Vec<String> = body.lines().filter_map(variant).collect();
    assert!(variants.len() > 25, "{variants:?}");
    let functions = Unary::ALL.iter().map(|function| format!("{function:?}"));

    let mut recorded = BTreeSet::new();
    each_case(|case| {
        let tape = Tape::new();
        case.record(&tape);
        for op in tape.ops() {
            if let Op::Unary(function) = op {
                recorded.insert(format!("{function:?}"));
            }
            recorded.insert(format!("{op:?}").chars().take_while(|c| c.is_alphanumeric()).collect());
        }
    });
    let missing: Vec<_> =
        variants.into_iter().chain(functions).filter(|name| !recorded.contains(name)).collect();
    assert!(missing.is_empty(), "operations without a row: {missing:?}");
}
