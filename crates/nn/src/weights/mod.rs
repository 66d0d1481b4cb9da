//! Named arrays in files, such as the weights of a model: `.safetensors`, and NumPy's `.npz` and `.npy`.
//!
//! [`save`] and [`Weights::load_into`] write and read the parameters of a model by their paths; [`Writer`] and
//! [`Weights`] write and read arrays by name. [`load_npy`] and [`save_npy`] are for a single array of NumPy.
//!
//! # Other formats
//! A file of `torch.save` is a pickle, whose reader would run the program inside of it. It is converted where it was made,
//! by three lines of Python:
//! ```python
//! import torch, safetensors.torch
//! state = torch.load("model.pt", map_location="cpu", weights_only=True)
//! safetensors.torch.save_file({name: x.contiguous().clone() for name, x in state.items()}, "model.safetensors")
//! ```
//! [`torch`](crate::torch) then makes layers of the arrays.
//!
//! # Writing
//! A file is replaced whole or not at all. It is written to a temporary file in the same folder, `.retrograde-*.tmp`, which
//! is synced and takes the file's place. Several threads and processes may write one file at a time: readers find what one
//! of them wrote. A temporary file that a killed process left behind is removed by the next save in that folder; while it
//! is being written, a lock keeps others from removing it.
//!
//! A symbolic link is followed: what it points to is replaced. Permissions stay, and on Unix the owner if the process may
//! set it. A hard link to the old file keeps the old content.

mod error;
mod file;
mod foreign;
mod header;
mod json;
mod model;
mod npy;
mod npz;
mod replace;
mod stored;
mod writer;

pub use error::WeightsError;
pub use file::Weights;
pub use model::{Loaded, save};
pub use npy::{load_npy, save_npy};
pub use stored::Stored;
pub use writer::Writer;
