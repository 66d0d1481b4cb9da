//! Layouts of tensors in memory: the same values behind other strides.

use retrograde_tensor::Tensor;

/// A layout of the elements of a tensor.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Layout {
    /// Row by row, nothing between.
    #[default]
    Contiguous,
    /// Column by column, as what `t()` or `permute` returns.
    Transposed,
    /// Part of a larger tensor, as what `narrow` or `select` returns.
    Sliced,
    /// One row of memory for all rows, where they are equal, as what `broadcast_to` returns.
    Expanded,
}

impl Layout {
    /// The same tensor in this layout. What lies between its elements has other values.
    pub(crate) fn of(self, x: Tensor<f64>) -> Tensor<f64> {
        let rank = x.rank();
        match self {
            Layout::Contiguous => x,
            _ if rank == 0 || x.numel() == 0 => x,
            Layout::Transposed if rank > 1 => {
                let axes: Vec<usize> = (0..rank).rev().collect();
                x.permute(&axes).contiguous().permute(&axes)
            }
            Layout::Transposed => Tensor::stack(&[&x, &(&x + 1.0)], 1).select(1, 0),
            Layout::Expanded => {
                let row = x.narrow(0, 0, 1);
                let expanded = row.broadcast_to(x.shape());
                if expanded == x { expanded } else { x }
            }
            Layout::Sliced => {
                let (last, other) = (rank - 1, &x + 1.0);
                let size = x.dims()[last];
                Tensor::concat(&[&other, &x, &other], last).narrow(last, size, size)
            }
        }
    }

    /// The adjective.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Layout::Contiguous => "contiguous",
            Layout::Transposed => "transposed",
            Layout::Sliced => "sliced",
            Layout::Expanded => "expanded",
        }
    }
}
