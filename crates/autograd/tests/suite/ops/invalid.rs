//! Operations with random attributes on random operands, against loops that know the definitions alone: an error where the
//! definition does not apply, the value where it does, and never a panic.

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use retrograde_autograd::op::{Comparison, Unary};
use retrograde_autograd::{Error, Op, Tape};
use retrograde_tensor::{Shape, Tensor};

type Operand = Tensor<f64>;

fn pick<T: Clone>(rng: &mut StdRng, choices: &[T]) -> T {
    choices[rng.random_range(0..choices.len())].clone()
}

/// Mostly small, at times absurd.
fn number(rng: &mut StdRng) -> usize {
    pick(rng, &[0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 4, 5, 7, usize::MAX, usize::MAX / 2 + 1])
}

fn numbers(rng: &mut StdRng) -> Vec<usize> {
    (0..rng.random_range(0..4)).map(|_| number(rng)).collect()
}

fn shape(rng: &mut StdRng) -> Shape {
    let rank = pick(rng, &[0, 1, 1, 2, 2, 2, 3, 3, 3, 6]);
    let dims: Vec<usize> = (0..rank).map(|_| pick(rng, &[0, 1, 2, 2, 3])).collect();
    Shape::new(&dims).unwrap()
}

fn indices(rng: &mut StdRng) -> Box<Tensor<usize>> {
    let shape = shape(rng);
    Box::new(Tensor::from_fn(shape, |_| pick(rng, &[0, 0, 1, 1, 2, 9, usize::MAX])))
}

fn op(rng: &mut StdRng) -> Op {
    let axis = number(rng);
    let bounds = [-1.0, -0.5, 0.5, f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
    match rng.random_range(0..27) {
        0 => Op::Add,
        1 => Op::Sub,
        2 => Op::Mul,
        3 => Op::Div,
        4 => Op::Maximum,
        5 => Op::Minimum,
        6 => Op::Compare(pick(rng, Comparison::ALL)),
        7 => Op::Where,
        8 => Op::Masked { when: rng.random() },
        9 => Op::Unary(pick(rng, Unary::ALL)),
        10 => Op::Scale(pick(rng, &[2.0, -0.5])),
        11 => Op::Shift(pick(rng, &[2.0, -0.5])),
        12 => Op::Clamp { lo: pick(rng, &bounds), hi: pick(rng, &bounds) },
        13 => Op::Softmax { axis },
        14 => Op::LogSoftmax { axis },
        15 => Op::LogSumExp { axis },
        16 => Op::Max { axes: numbers(rng) },
        17 => Op::SumTo(Box::new(shape(rng))),
        18 => Op::BroadcastTo(Box::new(shape(rng))),
        19 => Op::MatMul,
        20 => Op::Reshape(Box::new(shape(rng))),
        21 => Op::Permute(numbers(rng)),
        22 => Op::Narrow { axis, start: number(rng), length: number(rng) },
        23 => Op::Pad { axis, start: number(rng), size: number(rng) },
        24 => match rng.random() {
            true => Op::Select { axis, index: number(rng) },
            false => Op::Stack { axis },
        },
        25 => Op::Concat { axis, starts: numbers(rng) },
        _ => match rng.random() {
            true => Op::Gather(indices(rng)),
            false => Op::Scatter { rows: number(rng), indices: indices(rng) },
        },
    }
}

/// Operands of which most fit most operations.
fn operands(op: &Op, rng: &mut StdRng) -> Vec<Operand> {
    let count = match op.arity() {
        Some(arity) if rng.random_range(0..6) > 0 => arity,
        _ => rng.random_range(0..6),
    };
    let mut common = shape(rng);
    if let Op::Scatter { indices, .. } = op
        && rng.random()
    {
        common = indices.shape();
    }
    if let (Op::Concat { .. } | Op::Stack { .. }, true) = (op, rng.random()) {
        return (0..count).map(|_| tensor(common, rng)).collect();
    }
    let any = |rng: &mut StdRng| if rng.random_range(0..3) > 0 { common } else { shape(rng) };
    (0..count).map(|_| any(rng)).collect::<Vec<_>>().into_iter().map(|shape| tensor(shape, rng)).collect()
}

fn tensor(shape: Shape, rng: &mut StdRng) -> Operand {
    Tensor::from_fn(shape, |_| rng.random_range(0.1..3.0) * if rng.random() { 1.0 } else { -1.0 })
}

/// A tensor by a function of the index, or nothing if there is no such shape.
fn build(dims: &[usize], f: impl FnMut(&[usize]) -> f64) -> Option<Operand> {
    Some(Tensor::from_fn(Shape::new(dims).ok()?, f))
}

/// The sizes that all broadcast to, aligned at the last axis.
fn broadcast(x: &[&Operand]) -> Option<Vec<usize>> {
    let rank = x.iter().map(|x| x.rank()).max()?;
    (0..rank)
        .map(|axis| {
            let sizes =
                x.iter().filter_map(|x| (axis + x.rank()).checked_sub(rank).map(|axis| x.dims()[axis]));
            sizes.map(Some).reduce(|a, b| match (a?, b?) {
                (1, size) | (size, 1) => Some(size),
                (a, b) => (a == b).then_some(a),
            })?
        })
        .collect()
}

/// The element that a place of a larger shape broadcasts.
fn at(x: &Operand, index: &[usize]) -> f64 {
    let index = &index[index.len() - x.rank()..];
    let own: Vec<usize> =
        index.iter().zip(x.dims()).map(|(&i, &size)| if size == 1 { 0 } else { i }).collect();
    x.at(&own)
}

fn elementwise(x: &[&Operand], f: impl Fn(&[f64]) -> f64) -> Option<Operand> {
    build(&broadcast(x)?, |index| f(&x.iter().map(|x| at(x, index)).collect::<Vec<_>>()))
}

/// All indices of a shape.
fn places(dims: &[usize]) -> Vec<Vec<usize>> {
    let mut all = Vec::new();
    build(dims, |index| {
        all.push(index.to_vec());
        0.0
    });
    all
}

fn with(index: &[usize], axis: usize, i: usize) -> Vec<usize> {
    let mut index = index.to_vec();
    index[axis] = i;
    index
}

/// The sum over all elements that broadcast from one place of `to`.
fn sum_to(x: &Operand, to: &[usize]) -> Option<Operand> {
    let kept = Tensor::<f64>::zeros(Shape::new(to).ok()?);
    if kept.rank() > x.rank() || broadcast(&[x, &kept])? != x.dims() {
        return None;
    }
    let mut sums = BTreeMap::new();
    for place in places(x.dims()) {
        let tail = &place[x.rank() - to.len()..];
        let own: Vec<usize> = tail.iter().zip(to).map(|(&i, &size)| if size == 1 { 0 } else { i }).collect();
        *sums.entry(own).or_insert(0.0) += x.at(&place);
    }
    build(to, |index| sums.get(index).copied().unwrap_or(0.0))
}

fn axis_sum(x: &Operand, axis: usize, index: &[usize], f: impl Fn(f64) -> f64) -> f64 {
    (0..x.dims()[axis]).map(|i| f(x.at(&with(index, axis, i)))).sum()
}

fn unary(function: Unary, x: f64) -> f64 {
    match function {
        Unary::Neg => -x,
        Unary::Tanh => x.tanh(),
        Unary::Sigmoid => 1.0 / (1.0 + (-x).exp()),
        Unary::Relu => x.max(0.0),
        Unary::Softplus => x.exp().ln_1p(),
        Unary::Exp => x.exp(),
        Unary::Ln => x.ln(),
        Unary::Sqrt => x.sqrt(),
        Unary::Square => x * x,
        Unary::Sin => x.sin(),
        Unary::Cos => x.cos(),
        Unary::Abs => x.abs(),
        Unary::Sign => x.signum(),
        Unary::Floor => x as i64 as f64 - f64::from(u8::from(x < x as i64 as f64)),
        Unary::Round => x.round_ties_even(),
        Unary::Ln1p => (1.0 + x).ln(),
        Unary::ExpM1 => x.exp() - 1.0,
        // By Simpson's rule.
        Unary::Erf => {
            let bell = |i: i32| (-(x * f64::from(i) / 2000.0).powi(2)).exp();
            let inner: f64 = (1..2000).map(|i| bell(i) * f64::from(2 + 2 * (i % 2))).sum();
            x / 6000.0 * (bell(0) + inner + bell(2000)) * 2.0 / std::f64::consts::PI.sqrt()
        }
        _ => unreachable!("a function without a definition here: {function:?}"),
    }
}

/// The operation by its definition, or `None` where it has no meaning.
fn by_definition(op: &Op, x: &[&Operand]) -> Option<Operand> {
    if op.arity().is_some_and(|arity| arity != x.len()) || x.is_empty() {
        return None;
    }
    let dims = x[0].dims();
    let number = |holds: bool| if holds { 1.0 } else { 0.0 };
    match op {
        Op::Add => elementwise(x, |x| x[0] + x[1]),
        Op::Sub => elementwise(x, |x| x[0] - x[1]),
        Op::Mul => elementwise(x, |x| x[0] * x[1]),
        Op::Div => elementwise(x, |x| x[0] / x[1]),
        Op::Maximum => elementwise(x, |x| x[0].max(x[1])),
        Op::Minimum => elementwise(x, |x| x[0].min(x[1])),
        Op::Compare(comparison) => elementwise(x, |x| {
            number(match comparison {
                Comparison::Gt => x[0] > x[1],
                Comparison::Ge => x[0] >= x[1],
                Comparison::Lt => x[0] < x[1],
                Comparison::Le => x[0] <= x[1],
                Comparison::Eq => x[0] == x[1],
                Comparison::Ne => x[0] != x[1],
            })
        }),
        Op::Where => elementwise(x, |x| if x[0] != 0.0 { x[1] } else { x[2] }),
        Op::Masked { when } => elementwise(x, |x| if (x[0] != 0.0) == *when { x[1] } else { 0.0 }),
        Op::Unary(function) => elementwise(x, |x| unary(*function, x[0])),
        Op::Scale(c) => elementwise(x, |x| c * x[0]),
        Op::Shift(c) => elementwise(x, |x| c + x[0]),
        Op::Clamp { lo, hi } if lo <= hi => elementwise(x, |x| x[0].max(*lo).min(*hi)),
        Op::Clamp { .. } => None,
        Op::Softmax { axis } | Op::LogSoftmax { axis } if *axis < dims.len() => build(dims, |index| {
            let p = x[0].at(index).exp() / axis_sum(x[0], *axis, index, f64::exp);
            if matches!(op, Op::Softmax { .. }) { p } else { p.ln() }
        }),
        Op::LogSumExp { axis } if *axis < dims.len() => {
            build(&with(dims, *axis, 1), |index| axis_sum(x[0], *axis, index, f64::exp).ln())
        }
        Op::Softmax { .. } | Op::LogSoftmax { .. } | Op::LogSumExp { .. } => None,
        Op::Max { axes } => {
            let mut kept = dims.to_vec();
            for (i, &axis) in axes.iter().enumerate() {
                if axes[..i].contains(&axis) || *dims.get(axis)? == 0 {
                    return None;
                }
                kept[axis] = 1;
            }
            let mut largest = BTreeMap::new();
            for place in places(dims) {
                let mut own = place.clone();
                axes.iter().for_each(|&axis| own[axis] = 0);
                let known = largest.entry(own).or_insert(f64::NEG_INFINITY);
                *known = f64::max(*known, x[0].at(&place));
            }
            build(&kept, |index| largest[index])
        }
        Op::SumTo(to) => sum_to(x[0], to),
        Op::BroadcastTo(to) => {
            let target = Tensor::zeros(**to);
            (broadcast(&[x[0], &target])? == to.to_vec()).then(|| build(to, |index| at(x[0], index)))?
        }
        Op::MatMul => {
            let (a, b) = (x[0], x[1]);
            let (i, j) = (a.rank().checked_sub(2)?, b.rank().checked_sub(2)?);
            let inner = a.dims()[i + 1];
            if inner != b.dims()[j] {
                return None;
            }
            let batches =
                [(a, i), (b, j)].map(|(x, batch)| Tensor::zeros(Shape::new(&x.dims()[..batch]).unwrap()));
            let mut dims = broadcast(&[&batches[0], &batches[1]])?;
            let batch = dims.len();
            dims.extend([a.dims()[i], b.dims()[j + 1]]);
            let element = |x: &Operand, index: &[usize], row: usize, column: usize| {
                let lead = x.rank() - 2;
                let own = index[batch - lead..batch].iter().zip(x.dims());
                let mut own: Vec<usize> = own.map(|(&i, &size)| if size == 1 { 0 } else { i }).collect();
                own.extend([row, column]);
                x.at(&own)
            };
            build(&dims, |index| {
                let (row, column) = (index[batch], index[batch + 1]);
                (0..inner).map(|k| element(a, index, row, k) * element(b, index, k, column)).sum()
            })
        }
        Op::Reshape(to) => {
            (to.numel() == x[0].numel()).then(|| Tensor::from_vec(x[0].to_vec(), **to).ok())?
        }
        Op::Permute(axes) => {
            let mut sorted = axes.clone();
            sorted.sort_unstable();
            if !sorted.into_iter().eq(0..dims.len()) {
                return None;
            }
            let permuted: Vec<usize> = axes.iter().map(|&axis| dims[axis]).collect();
            build(&permuted, |index| {
                let mut own = vec![0; index.len()];
                axes.iter().zip(index).for_each(|(&axis, &i)| own[axis] = i);
                x[0].at(&own)
            })
        }
        Op::Narrow { axis, start, length } => {
            let fits = start.checked_add(*length)? <= *dims.get(*axis)?;
            fits.then(|| build(&with(dims, *axis, *length), |i| x[0].at(&with(i, *axis, i[*axis] + start))))?
        }
        Op::Pad { axis, start, size } => {
            let own = start..&start.checked_add(*dims.get(*axis)?)?;
            if own.end > size {
                return None;
            }
            build(&with(dims, *axis, *size), |i| match own.contains(&&i[*axis]) {
                true => x[0].at(&with(i, *axis, i[*axis] - start)),
                false => 0.0,
            })
        }
        Op::Select { axis, index } => {
            let mut left = dims.to_vec();
            let fits = index < left.get(*axis)?;
            left.remove(*axis);
            fits.then(|| {
                build(&left, |i| {
                    let mut own = i.to_vec();
                    own.insert(*axis, *index);
                    x[0].at(&own)
                })
            })?
        }
        Op::Stack { axis } => {
            let mut stacked = dims.to_vec();
            if *axis > stacked.len() || x.iter().any(|x| x.dims() != dims) {
                return None;
            }
            stacked.insert(*axis, x.len());
            build(&stacked, |i| {
                let mut own = i.to_vec();
                x[own.remove(*axis)].at(&own)
            })
        }
        Op::Concat { axis, starts } => {
            let mut end = 0;
            let mut parts = Vec::new();
            for x in x {
                let size = *x.dims().get(*axis)?;
                if x.rank() != dims.len() || with(x.dims(), *axis, 0) != with(dims, *axis, 0) {
                    return None;
                }
                parts.push(end);
                end += size;
            }
            if parts != *starts {
                return None;
            }
            build(&with(dims, *axis, end), |i| {
                let part = (0..x.len()).rfind(|&k| parts[k] <= i[*axis] && x[k].dims()[*axis] > 0).unwrap();
                x[part].at(&with(i, *axis, i[*axis] - parts[part]))
            })
        }
        Op::Gather(indices) => {
            let (&rows, row) = dims.split_first()?;
            if indices.iter().any(|i| i >= rows) {
                return None;
            }
            build(&[indices.dims(), row].concat(), |i| {
                let (lead, rest) = i.split_at(indices.rank());
                x[0].at(&[&[indices.at(lead)], rest].concat())
            })
        }
        Op::Scatter { rows, indices } => {
            let row = dims.strip_prefix(indices.dims())?;
            if indices.iter().any(|i| i >= *rows) {
                return None;
            }
            build(&[&[*rows], row].concat(), |i| {
                let lead = places(indices.dims()).into_iter().filter(|lead| indices.at(lead) == i[0]);
                lead.map(|lead| x[0].at(&[&lead, &i[1..]].concat())).sum()
            })
        }
        _ => unreachable!("an operation without a definition here: {op}"),
    }
}

#[test]
fn is_an_error_or_the_value_of_the_definition() {
    let mut rng = StdRng::seed_from_u64(5);
    let mut met: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
    for _ in 0..60_000 {
        let op = op(&mut rng);
        let mut operands = operands(&op, &mut rng);
        let op = match op {
            // Where operands begin is seldom right by chance.
            Op::Concat { axis, .. } if rng.random() => {
                let sizes = operands.iter().map(|x| x.dims().get(axis).copied().unwrap_or(0));
                let starts = sizes.scan(0, |end, size| Some(std::mem::replace(end, *end + size))).collect();
                Op::Concat { axis, starts }
            }
            Op::MatMul if rng.random() && operands.len() == 2 && operands[1].rank() >= 2 => {
                operands[1] = operands[1].t();
                op
            }
            Op::Permute(_) if rng.random() => {
                Op::Permute((0..operands.first().map_or(0, Tensor::rank)).rev().collect())
            }
            op => op,
        };
        let label =
            format!("{op} on {:?}", operands.iter().map(|x| x.shape().to_string()).collect::<Vec<_>>());
        let x: Vec<&Operand> = operands.iter().collect();
        let found = op.eval(&x);
        let expected = by_definition(&op, &x);
        met.entry(op.name()).or_default()[usize::from(expected.is_some())] += 1;
        match (&found, &expected) {
            (Err(error), None) => {
                let text = error.to_string();
                assert!(text.contains(": expected ") && text.contains(", found "), "{label}: {text}");
            }
            (Ok(found), Some(expected)) => {
                assert_eq!(found.shape(), expected.shape(), "{label}");
                for (found, expected) in found.iter().zip(expected.iter()) {
                    let same =
                        (found - expected).abs() <= 1e-12 * (1.0 + expected.abs()) || found == expected;
                    assert!(same || found.is_nan() && expected.is_nan(), "{label}: {found} and {expected}");
                }
            }
            (found, expected) => panic!("{label}: expected {expected:?}, found {found:?}"),
        }
        recorded(&label, &op, &x, found.ok(), &mut rng);
    }
    for (name, [refused, defined]) in met {
        assert!(refused > 0 && defined > 0, "{name}: {refused} refused, {defined} defined");
    }
}

/// A tape records what has a value, and its gradient is the adjoint of the forward derivative.
fn recorded(label: &str, op: &Op, x: &[&Operand], value: Option<Operand>, rng: &mut StdRng) {
    let tape = Tape::new();
    let vars: Vec<_> = x.iter().map(|&x| tape.var(x.clone())).collect();
    let y = match (tape.apply(op.clone(), &vars.iter().collect::<Vec<_>>()), value) {
        (Err(_), None) => {
            assert_eq!(tape.len(), x.len(), "{label}: what is refused is not recorded");
            return;
        }
        (Ok(y), Some(value)) => {
            assert!(y.value() == &value || value.iter().any(f64::is_nan), "{label}");
            y
        }
        (found, value) => panic!("{label}: recorded {found:?}, computed {value:?}"),
    };
    let v = tensor(y.shape(), rng);
    let u: Vec<Operand> = x.iter().map(|x| tensor(x.shape(), rng)).collect();
    let gradients = match y.backward_with(&v) {
        // Signs and masks.
        Err(Error::Untracked { .. }) => None,
        gradients => Some(gradients.unwrap()),
    };
    let moved = &tape.jvp(&[&y], &vars.iter().zip(&u).collect::<Vec<_>>()).unwrap()[0];
    let dot = |a: &Operand, b: &Operand| (a * b).sum().item().unwrap();
    let forward = dot(&v, moved);
    let backward: f64 =
        vars.iter().zip(&u).filter_map(|(x, u)| Some(dot(gradients.as_ref()?.get(x)?, u))).sum();
    let size = (&v * moved).abs().sum().item().unwrap() + 1.0;
    assert!(
        forward.is_nan() || (forward - backward).abs() <= 1e-9 * size,
        "{label}: {forward} and {backward}"
    );
}
