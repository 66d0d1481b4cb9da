//! The pictures of the course: drawn from real values, light and dark in one file.

mod bars;
mod chains;
mod drawing;
mod korean;
mod passes;
mod products;
mod steps;
mod table;
mod vanishing;

use crate::Result;

/// All pictures, as file names and the text of each file.
///
/// # Errors
/// If a value cannot be computed.
pub fn all() -> Result<Vec<(&'static str, String)>> {
    Ok(vec![
        ("1-neuron.svg", chains::neuron()?),
        ("2-step.svg", products::six_lines()),
        ("3-two-uses.svg", chains::two_uses()),
        ("4-time.svg", steps::time()),
        ("5-one-table.svg", table::readings()),
        ("6-ledger.svg", bars::ledger()?),
        ("7-vanishing.svg", vanishing::norms()?),
        ("8-lstm.svg", steps::cell_state()),
        ("9-softmax.svg", bars::softmax()?),
        ("10-rtrl.svg", products::two_orders()),
        ("../derivation.svg", passes::beside()?),
    ])
}

/// The pictures of the pages in Korean.
///
/// # Errors
/// If a value cannot be computed.
pub fn in_korean() -> Result<Vec<(String, String)>> {
    let pages = all()?.into_iter().filter(|(name, _)| korean::PAGES.contains(name));
    Ok(pages.map(|(name, text)| (format!("ko/{name}"), korean::translated(&text))).collect())
}
