//! The choice of steps: whatever fits the values so far and keeps them finite and of a moderate size.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use retrograde_autograd::op::{Comparison, Unary};
use retrograde_autograd::{Op, Tape, Var};
use retrograde_tensor::{Shape, Tensor};

use super::{Input, Kind, Program, Step};

/// The most elements of a value.
const LARGEST: usize = 150;
/// The greatest element of a value: above, it is scaled down.
const GREATEST: f64 = 3.0;
/// The most steps.
const STEPS: usize = 24;

/// Choices, one after the other.
struct Bytes<'a>(std::slice::Iter<'a, u8>);

impl Bytes<'_> {
    /// A number below `n`: 0 when there are no more bytes.
    fn below(&mut self, n: usize) -> usize {
        usize::from(self.0.next().copied().unwrap_or(0)) % n.max(1)
    }
}

impl Program {
    /// The program of a seed.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        let mut bytes = [0; 160];
        StdRng::seed_from_u64(seed).fill_bytes(&mut bytes);
        Program::from_bytes(&bytes)
    }

    /// The program that bytes choose.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let mut bytes = Bytes(bytes.iter());
        let seed = (0..4).fold(0, |seed, _| 256 * seed + bytes.below(256) as u64);
        let mut rng = StdRng::seed_from_u64(seed);
        let mut inputs: Vec<Input> = (0..2 + bytes.below(3)).map(|_| input(&mut bytes, &mut rng)).collect();
        inputs[0].kind = Kind::Variable;
        let tape = Tape::inference();
        let mut maker = Maker {
            values: inputs.iter().map(|input| tape.constant(input.value.clone())).collect(),
            steps: Vec::new(),
            tape: &tape,
            bytes,
        };
        while maker.bytes.0.len() > 0 && maker.steps.len() < STEPS {
            maker.step();
        }
        let last = maker.values.len() - 1;
        let places = if maker.bytes.below(3) == 0 { vec![last, maker.bytes.below(last)] } else { vec![last] };
        let mut normal =
            |shape: Shape| Tensor::normal(shape, 0.0, 1.0, &mut rng).expect("a standard deviation of 1");
        let outputs = places.into_iter().map(|place| (place, normal(maker.values[place].shape()))).collect();
        // Equal elements move alike: of the greatest of them, each could be the one.
        let direction = |input: &Input| match input.spread {
            true => normal(input.value.shape().with_axis(0, 1)).broadcast_to(input.value.shape()),
            false => normal(input.value.shape()),
        };
        let directions = inputs.iter().map(direction).collect();
        Program { steps: maker.steps, inputs, outputs, directions }
    }
}

/// An axis is now and then of size 0, and often of size 1.
fn shape(bytes: &mut Bytes<'_>) -> Shape {
    const SIZES: [usize; 16] = [1, 2, 3, 4, 1, 2, 3, 5, 3, 2, 4, 3, 2, 3, 1, 0];
    let dims: Vec<usize> = (0..bytes.below(4)).map(|_| SIZES[bytes.below(16)]).collect();
    Shape::new(&dims).expect("at most three axes")
}

fn input(bytes: &mut Bytes<'_>, rng: &mut StdRng) -> Input {
    let kind = [Kind::Variable, Kind::Variable, Kind::Parameter, Kind::Constant][bytes.below(4)];
    let shape = shape(bytes);
    let mut normal = |shape: Shape| Tensor::normal(shape, 0.0, 1.0, rng).expect("a standard deviation of 1");
    let layout = bytes.below(4);
    let spread = layout == 3 && shape.rank() > 0;
    let value = match (layout, shape.rank()) {
        // Axes in reverse order in memory, a part of something larger, reversed, or one number for a whole axis.
        (1, rank @ 2..) => {
            let axes: Vec<usize> = (0..rank).rev().collect();
            normal(shape).permute(&axes).contiguous().permute(&axes)
        }
        (2, 1..) => normal(shape.with_axis(0, shape[0] + 3)).narrow(0, 1, shape[0]).flip(0),
        (3, 1..) => normal(shape.with_axis(0, 1)).broadcast_to(shape),
        _ => normal(shape),
    };
    Input { kind, value, spread }
}

struct Maker<'t, 'a> {
    tape: &'t Tape<f64>,
    bytes: Bytes<'a>,
    values: Vec<Var<'t, f64>>,
    steps: Vec<Step>,
}

impl Maker<'_, '_> {
    /// A place, more often a late one.
    fn place(&mut self) -> usize {
        let count = self.values.len();
        let back = self.bytes.below(count).min(self.bytes.below(count));
        count - 1 - back
    }

    /// Adds an operation if it fits. Returns the place of its value.
    fn push(&mut self, op: Op, operands: &[usize]) -> Option<usize> {
        let x: Vec<_> = operands.iter().map(|&place| &self.values[place]).collect();
        let y = self.tape.apply(op.clone(), &x).ok()?;
        if y.shape().numel() > LARGEST || !y.value().iter().all(f64::is_finite) {
            return None;
        }
        let cut = self.bytes.below(4) == 0;
        self.steps.push(Step { op, operands: operands.to_vec(), cut });
        self.values.push(y);
        Some(self.values.len() - 1)
    }

    fn step(&mut self) {
        let (kind, x) = (self.bytes.below(32), self.place());
        let Some((op, operands)) = self.choose(kind, x) else { return };
        let Some(y) = self.push(op, &operands) else { return };
        let greatest = self.values[y].value().iter().fold(0.0, |greatest: f64, x| greatest.max(x.abs()));
        if greatest > GREATEST {
            // To no round number, which others could equal by chance and move apart from: a kink.
            self.push(Op::Scale(0.83 / greatest), &[y]);
        }
    }

    /// `x² + 1`, of which roots, logarithms and inverses are smooth.
    fn at_least_one(&mut self, x: usize) -> Option<usize> {
        let square = self.push(Op::Unary(Unary::Square), &[x])?;
        self.push(Op::Shift(1.0), &[square])
    }

    /// Zeros and positive numbers.
    fn mask(&mut self) -> Option<usize> {
        let x = self.place();
        self.push(Op::Unary(Unary::Relu), &[x])
    }

    fn choose(&mut self, kind: usize, x: usize) -> Option<(Op, Vec<usize>)> {
        const PAIRS: [Op; 6] = [Op::Add, Op::Sub, Op::Mul, Op::Mul, Op::Maximum, Op::Minimum];
        const SMOOTH: [Unary; 8] = [
            Unary::Neg,
            Unary::Tanh,
            Unary::Sigmoid,
            Unary::Softplus,
            Unary::Square,
            Unary::Sin,
            Unary::Cos,
            Unary::Exp,
        ];
        const KINKED: [Unary; 3] = [Unary::Relu, Unary::Abs, Unary::Sign];
        let shape = self.values[x].shape();
        let rank = shape.rank();
        let axis = self.bytes.below(rank);
        Some(match kind {
            0..6 => (PAIRS[kind].clone(), vec![x, self.place()]),
            6 => {
                let y = self.place();
                (Op::Div, vec![x, self.at_least_one(y)?])
            }
            7 => {
                let function = [Unary::Ln, Unary::Sqrt][self.bytes.below(2)];
                (Op::Unary(function), vec![self.at_least_one(x)?])
            }
            8..10 => (Op::Unary(SMOOTH[self.bytes.below(8)]), vec![x]),
            10 => (Op::Unary(KINKED[self.bytes.below(3)]), vec![x]),
            11 => {
                let comparison = Comparison::ALL[self.bytes.below(Comparison::ALL.len())];
                (Op::Compare(comparison), vec![x, self.place()])
            }
            12 => (Op::Where, vec![self.mask()?, x, self.place()]),
            13 => (Op::Masked { when: self.bytes.below(2) == 0 }, vec![self.mask()?, x]),
            14 => (Op::Scale([-1.5, 0.3, 2.0][self.bytes.below(3)]), vec![x]),
            15 => (Op::Clamp { lo: -0.7, hi: [0.9, 0.2, f64::INFINITY][self.bytes.below(3)] }, vec![x]),
            16 if rank > 0 => {
                let ops = [Op::Softmax { axis }, Op::LogSoftmax { axis }, Op::LogSumExp { axis }];
                (ops[self.bytes.below(3)].clone(), vec![x])
            }
            17 if rank > 0 => {
                let axes = (0..rank).filter(|&i| i == axis || self.bytes.below(2) == 0).collect();
                (Op::Max { axes }, vec![x])
            }
            18 => {
                let kept = &shape[self.bytes.below(rank + 1)..];
                let kept = kept.iter().map(|&size| if self.bytes.below(2) == 0 { 1 } else { size });
                (Op::SumTo(Box::new(Shape::new(&kept.collect::<Vec<_>>()).ok()?)), vec![x])
            }
            19 => {
                let mut dims = vec![2; usize::from(self.bytes.below(2) == 0)];
                dims.extend(shape.iter().map(|&size| if size == 1 { 1 + self.bytes.below(3) } else { size }));
                (Op::BroadcastTo(Box::new(Shape::new(&dims).ok()?)), vec![x])
            }
            20..23 => {
                let mut y = if self.bytes.below(2) == 0 { self.place() } else { x };
                let rank = self.values[y].shape().rank();
                if rank > 1 && self.bytes.below(2) == 0 {
                    let mut axes: Vec<usize> = (0..rank).collect();
                    axes.swap(rank - 2, rank - 1);
                    y = self.push(Op::Permute(axes), &[y])?;
                }
                (Op::MatMul, if self.bytes.below(2) == 0 { vec![x, y] } else { vec![y, x] })
            }
            23 => {
                let numel = shape.numel();
                let dims = match self.bytes.below(4) {
                    0 => vec![numel],
                    1 => vec![1, numel],
                    2 => vec![numel, 1, 1],
                    _ => shape.iter().rev().copied().collect(),
                };
                (Op::Reshape(Box::new(Shape::new(&dims).ok()?)), vec![x])
            }
            24 if rank > 0 => {
                let mut axes: Vec<usize> = (0..rank).collect();
                axes.rotate_left(self.bytes.below(rank));
                axes.swap(0, axis);
                (Op::Permute(axes), vec![x])
            }
            25 if rank > 0 => {
                let start = self.bytes.below(shape[axis] + 1);
                let length = self.bytes.below(shape[axis] - start + 1);
                (Op::Narrow { axis, start, length }, vec![x])
            }
            26 if rank > 0 => {
                let start = self.bytes.below(3);
                (Op::Pad { axis, start, size: start + shape[axis] + self.bytes.below(3) }, vec![x])
            }
            27 if rank > 0 => (Op::Select { axis, index: self.bytes.below(shape[axis]) }, vec![x]),
            28 if rank > 0 => {
                let operands = if self.bytes.below(2) == 0 { vec![x, self.place()] } else { vec![x, x, x] };
                let size = |&place: &usize| self.values[place].shape().get(axis).copied().unwrap_or(0);
                let starts = (0..operands.len()).map(|i| operands[..i].iter().map(size).sum()).collect();
                (Op::Concat { axis, starts }, operands)
            }
            29 => {
                let operands = if self.bytes.below(2) == 0 { vec![x, self.place()] } else { vec![x, x, x] };
                (Op::Stack { axis: self.bytes.below(rank + 1) }, operands)
            }
            30 if rank > 0 && shape[0] > 0 => {
                let dims: &[usize] = [&[3][..], &[2, 2], &[], &[0]][self.bytes.below(4)];
                let indices = Tensor::from_fn(Shape::new(dims).ok()?, |_| self.bytes.below(shape[0]));
                (Op::Gather(Box::new(indices)), vec![x])
            }
            31 if rank > 0 => {
                let rows = 1 + self.bytes.below(4);
                let indices = Tensor::from_fn([shape[0]], |_| self.bytes.below(rows));
                (Op::Scatter { rows, indices: Box::new(indices) }, vec![x])
            }
            _ => return None,
        })
    }
}
