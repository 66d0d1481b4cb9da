//! The cells and layers that PyTorch has too, and the arrays of one cell in its layout.

use retrograde_autograd::Param;
use retrograde_tensor::{Float, Tensor};

use super::unsupported;
use crate::{Bidirectional, Cell, GruCell, Layer, LstmCell, Result, RnnCell, Time};

/// The arrays of one layer in one direction, in PyTorch's layout: `weight_ih [G H, D]`, `weight_hh [G H, H]`,
/// `bias_ih [G H]`, `bias_hh [G H]`.
pub type Arrays<E> = [Tensor<E>; 4];

/// The place of each gate of an LSTM here, f, g, i, o, in PyTorch's order i, f, g, o; and the reverse.
const LSTM_FROM_TORCH: [usize; 4] = [1, 2, 0, 3];
const LSTM_TO_TORCH: [usize; 4] = [2, 0, 1, 3];

/// A cell that PyTorch has too.
pub trait TorchCell<E: Float>: Cell<E> + Sized {
    /// The number of gates side by side.
    const GATES: usize;

    /// Makes a cell of these arrays, whose shapes agree.
    ///
    /// # Errors
    /// If the cell refuses them.
    fn from_arrays_of_torch(arrays: &Arrays<E>) -> Result<Self>;

    /// Returns the arrays that `of` gives for the parameters, in PyTorch's layout. The second bias is zero where one is
    /// enough; of gradients, it is the same as the first.
    ///
    /// # Errors
    /// If PyTorch has no such cell.
    fn arrays_of_torch(&self, of: &dyn Fn(&Param<E>) -> Tensor<E>, gradients: bool) -> Result<Arrays<E>>;

    /// Makes a state of these parts: `h`, and `c` if the cell has one.
    fn state(parts: Vec<Tensor<E>>) -> Self::State;
}

impl<E: Float> TorchCell<E> for RnnCell<E> {
    const GATES: usize = 1;

    fn from_arrays_of_torch([w_ih, w_hh, b_ih, b_hh]: &Arrays<E>) -> Result<Self> {
        RnnCell::from_arrays(w_ih.t().contiguous(), w_hh.t().contiguous(), b_ih + b_hh)
    }

    fn arrays_of_torch(&self, of: &dyn Fn(&Param<E>) -> Tensor<E>, gradients: bool) -> Result<Arrays<E>> {
        let b = of(&self.b);
        let second = if gradients { b.clone() } else { Tensor::zeros(b.shape()) };
        Ok([of(&self.wx).t().contiguous(), of(&self.wh).t().contiguous(), b, second])
    }

    fn state(mut parts: Vec<Tensor<E>>) -> Tensor<E> {
        parts.remove(0)
    }
}

impl<E: Float> TorchCell<E> for LstmCell<E> {
    const GATES: usize = 4;

    fn from_arrays_of_torch([w_ih, w_hh, b_ih, b_hh]: &Arrays<E>) -> Result<Self> {
        let ours = |x: &Tensor<E>| blocks(x, &LSTM_FROM_TORCH);
        LstmCell::from_arrays(ours(w_ih).t().contiguous(), ours(w_hh).t().contiguous(), ours(&(b_ih + b_hh)))
    }

    fn arrays_of_torch(&self, of: &dyn Fn(&Param<E>) -> Tensor<E>, gradients: bool) -> Result<Arrays<E>> {
        let b = blocks(&of(&self.b), &LSTM_TO_TORCH);
        let second = if gradients { b.clone() } else { Tensor::zeros(b.shape()) };
        let [w_ih, w_hh] = [&self.wx, &self.wh].map(|w| blocks(&of(w).t(), &LSTM_TO_TORCH));
        Ok([w_ih, w_hh, b, second])
    }

    fn state(mut parts: Vec<Tensor<E>>) -> Self::State {
        let c = parts.remove(1);
        (parts.remove(0), c)
    }
}

impl<E: Float> TorchCell<E> for GruCell<E> {
    const GATES: usize = 3;

    fn from_arrays_of_torch([w_ih, w_hh, b_ih, b_hh]: &Arrays<E>) -> Result<Self> {
        let h = w_hh.dims()[1];
        // Both biases of r and z add up; of n, the second is inside the reset.
        let b_rz = b_ih.narrow(0, 0, 2 * h) + b_hh.narrow(0, 0, 2 * h);
        let b = Tensor::concat(&[&b_rz, &b_ih.narrow(0, 2 * h, h)], 0);
        let bh = b_hh.narrow(0, 2 * h, h).contiguous();
        GruCell::from_arrays(w_ih.t().contiguous(), w_hh.t().contiguous(), b, Some(bh))
    }

    fn arrays_of_torch(&self, of: &dyn Fn(&Param<E>) -> Tensor<E>, gradients: bool) -> Result<Arrays<E>> {
        let bh = self
            .bh
            .as_ref()
            .ok_or_else(|| unsupported("a gru that resets after the product", "one that resets before"))?;
        let (b, h) = (of(&self.b), self.wh.shape()[0]);
        let rz = if gradients { b.narrow(0, 0, 2 * h) } else { Tensor::zeros([2 * h]) };
        let second = Tensor::concat(&[&rz, &of(bh)], 0);
        Ok([of(&self.wx).t().contiguous(), of(&self.wh).t().contiguous(), b, second])
    }

    fn state(mut parts: Vec<Tensor<E>>) -> Tensor<E> {
        parts.remove(0)
    }
}

/// Returns the blocks of the first axis in another order.
fn blocks<E: Float>(x: &Tensor<E>, order: &[usize]) -> Tensor<E> {
    let h = x.dims()[0] / order.len();
    let blocks: Vec<Tensor<E>> = order.iter().map(|&gate| x.narrow(0, gate * h, h)).collect();
    Tensor::concat(&blocks.iter().collect::<Vec<_>>(), 0)
}

/// A layer that PyTorch has too: one direction, or both.
pub trait TorchLayer<E: Float>: Layer<E> {
    /// The repeated cell.
    type Cell: TorchCell<E>;

    /// The suffix of the names of each direction.
    const DIRECTIONS: &'static [&'static str];

    /// Makes a layer of one cell for each direction.
    fn of_cells(cells: Vec<Self::Cell>) -> Self;

    /// Returns the layer of each direction.
    fn directions(&self) -> Vec<&Time<Self::Cell, E>>;

    /// Makes a state of one state for each direction.
    fn of_states(states: Vec<<Self::Cell as Cell<E>>::State>) -> Self::State;
}

impl<E: Float, C: TorchCell<E>> TorchLayer<E> for Time<C, E> {
    type Cell = C;
    const DIRECTIONS: &'static [&'static str] = &[""];

    fn of_cells(mut cells: Vec<C>) -> Self {
        Time::new(cells.remove(0))
    }

    fn directions(&self) -> Vec<&Self> {
        vec![self]
    }

    fn of_states(mut states: Vec<C::State>) -> C::State {
        states.remove(0)
    }
}

impl<E: Float, C: TorchCell<E>> TorchLayer<E> for Bidirectional<C, E> {
    type Cell = C;
    const DIRECTIONS: &'static [&'static str] = &["", "_reverse"];

    fn of_cells(mut cells: Vec<C>) -> Self {
        let backward = cells.remove(1);
        Bidirectional::new(cells.remove(0), backward)
    }

    fn directions(&self) -> Vec<&Time<C, E>> {
        vec![&self.forward, &self.backward]
    }

    fn of_states(mut states: Vec<C::State>) -> Self::State {
        let backward = states.remove(1);
        (states.remove(0), backward)
    }
}
