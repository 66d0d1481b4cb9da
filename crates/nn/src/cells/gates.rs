//! The weights that gated cells share: `wx [D, G H]`, `wh [H, G H]`, `b [G H]`, with the gates side by side.

use rand::Rng;
use retrograde_autograd::Param;
use retrograde_tensor::Float;

use crate::init;
use crate::shapes::times;

/// Draws `[wx, wh, b]` for a number of gates, `d` features and a state of `h`: normal weights of standard deviation
/// `1/sqrt(fan-in)`, zero bias.
///
/// # Panics
/// If the sizes are too large.
#[track_caller]
pub(super) fn draw<E: Float, R: Rng + ?Sized>(
    op: &'static str,
    gates: usize,
    [d, h]: [usize; 2],
    rng: &mut R,
) -> [Param<E>; 3] {
    let wide = times(op, gates, h);
    [
        Param::of(op, "Wx", init::normal([d, wide], d, rng)),
        Param::of(op, "Wh", init::normal([h, wide], h, rng)),
        Param::of(op, "b", init::zeros([wide])),
    ]
}

/// The constructors of a cell that has these weights and no others.
macro_rules! gated {
    ($cell:ident, $op:literal, $gates:literal) => {
        impl<E: Float> $cell<E> {
            /// Creates a cell for `d` features and a state of `h`: normal weights of standard deviation `1/sqrt(fan-in)`, zero
            /// bias.
            ///
            /// # Panics
            /// If the sizes are too large.
            #[must_use]
            #[track_caller]
            pub fn new<R: Rng + ?Sized>(d: usize, h: usize, rng: &mut R) -> Self {
                let [wx, wh, b] = $crate::cells::gates::draw($op, $gates, [d, h], rng);
                $cell { wx, wh, b }
            }

            /// Creates a cell that shares these parameters.
            ///
            /// # Errors
            /// If their shapes do not agree.
            pub fn from_params(wx: Param<E>, wh: Param<E>, b: Param<E>) -> $crate::Result<Self> {
                $crate::shapes::gate_sizes($op, $gates, wx.shape(), wh.shape(), b.shape())?;
                Ok($cell { wx, wh, b })
            }

            /// Creates a cell of parameters with these initial values.
            ///
            /// # Errors
            /// If their shapes do not agree.
            pub fn from_arrays(wx: Tensor<E>, wh: Tensor<E>, b: Tensor<E>) -> $crate::Result<Self> {
                Self::from_params(Param::of($op, "Wx", wx), Param::of($op, "Wh", wh), Param::of($op, "b", b))
            }
        }
    };
}

/// The methods of a [`Cell`](crate::Cell) with these weights: the input size, the initial state and, where it is
/// `x · Wx + b`, the projection.
macro_rules! gated_cell {
    (h, $($projected:ident)?) => {
        type State = Tensor<E>;

        fn initial_state(&self, n: usize) -> Tensor<E> {
            Tensor::zeros([n, self.wh.shape()[0]])
        }

        $crate::cells::gates::gated_cell!($($projected)?);
    };
    ((h, c), $($projected:ident)?) => {
        type State = (Tensor<E>, Tensor<E>);

        fn initial_state(&self, n: usize) -> Self::State {
            let zeros = Tensor::zeros([n, self.wh.shape()[0]]);
            (zeros.clone(), zeros)
        }

        fn state_names(&self) -> &'static [&'static str] {
            &["h", "c"]
        }

        $crate::cells::gates::gated_cell!($($projected)?);
    };
    (projected) => {
        fn project<'t>(&self, x: &Var<'t, E>) -> Var<'t, E> {
            x.matmul(&self.wx) + &self.b
        }

        $crate::cells::gates::gated_cell!();
    };
    () => {
        fn input_size(&self) -> usize {
            self.wx.shape()[0]
        }
    };
}

pub(super) use {gated, gated_cell};
