//! A tape as a table for people, one row per node.

use std::collections::HashMap;
use std::fmt;

use retrograde_tensor::{Float, Tensor};

use crate::tape::Tape;
use crate::tape::id::NodeId;
use crate::tape::record::{Kind, Record};

/// Tables of more rows are cut in the middle, unless asked for in full with `{:#}`.
const ROWS: usize = 60;

/// One row per node: its index, name, operation, operands, shape, and the size of the value if it is kept for the backward
/// pass. Then the totals, in which values that share their storage count once.
///
/// Long tapes are cut in the middle; `{:#}` has all rows.
///
/// # Example
/// ```
/// use retrograde_autograd::Tape;
/// use retrograde_tensor::Tensor;
///
/// let tape = Tape::new();
/// let x = tape.var(Tensor::from([1.0_f64, 2.0])).named("x");
/// let y = (&x * 2.0).tanh().named("y");
/// let expected = "\
/// ##  name  op        operands  shape  kept
/// 0  x     variable            [2]    16 B
/// 1        scale 2   x         [2]
/// 2  y     tanh      v1        [2]    16 B
/// 3 nodes, 32 B kept
/// ";
/// assert_eq!(tape.to_string(), expected);
/// ```
impl<E: Float> fmt::Display for Tape<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let record = self.record.borrow();
        let nodes = record.len();
        let left_out = if f.alternate() || nodes <= ROWS { 0..0 } else { ROWS / 2..nodes - ROWS / 2 };
        let mut table = vec![["#", "name", "op", "operands", "shape", "kept"].map(str::to_owned)];
        for id in (0..nodes).filter(|id| !left_out.contains(id)) {
            if id == left_out.end && !left_out.is_empty() {
                table.push(["…", "", "", "", "", ""].map(str::to_owned));
            }
            table.push(record.row(NodeId::new(id)));
        }
        let width = |column: usize| table.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: [usize; 6] = std::array::from_fn(width);
        for row in &table {
            // Indices to the right, all else to the left.
            let mut line = format!("{:>width$}", row[0], width = widths[0]);
            for (cell, width) in row.iter().zip(widths).skip(1) {
                line += &format!("  {cell:<width$}");
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        let nodes = if nodes == 1 { "1 node".to_owned() } else { format!("{nodes} nodes") };
        writeln!(f, "{nodes}, {} kept", bytes(record.kept_bytes()))
    }
}

impl<E: Float> fmt::Debug for Tape<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tape")
            .field("nodes", &self.len())
            .field("kept_bytes", &self.kept_bytes())
            .field("recording", &self.is_recording())
            .finish()
    }
}

impl<E: Float> Tape<E> {
    /// The bytes of the values that the tape keeps for a backward pass. Values that share their storage count once.
    #[must_use]
    pub fn kept_bytes(&self) -> usize {
        self.record.borrow().kept_bytes()
    }
}

impl<E: Float> Record<E> {
    fn row(&self, id: NodeId) -> [String; 6] {
        let operation = match self.kind(id) {
            Kind::Op(op) => op.to_string(),
            other => other.name().to_owned(),
        };
        let operands: Vec<String> = self.operands(id).iter().map(|&x| self.label(x)).collect();
        let operands = match operands.as_slice() {
            [first, .., last] if operands.len() > 4 => format!("{first}, …, {last}"),
            few => few.join(", "),
        };
        let kept = self.value(id).map_or(String::new(), |value| bytes(value.numel() * size_of::<E>()));
        [
            id.index().to_string(),
            self.name(id).unwrap_or_default(),
            operation,
            operands,
            self.shape(id).to_string(),
            kept,
        ]
    }

    /// A view keeps the whole storage of what it is a view on.
    fn kept_bytes(&self) -> usize {
        let ranges = self.values().iter().map(Tensor::storage_range);
        let storages: HashMap<_, _> = ranges.map(|range| (range.start, range.end)).collect();
        storages.iter().map(|(&start, &end)| end as usize - start as usize).sum()
    }
}

fn bytes(count: usize) -> String {
    match count as f64 {
        n if n < 10_000.0 => format!("{count} B"),
        n if n < 1024.0 * 10_000.0 => format!("{:.1} KiB", n / 1024.0),
        n => format!("{:.1} MiB", n / 1024.0 / 1024.0),
    }
}
