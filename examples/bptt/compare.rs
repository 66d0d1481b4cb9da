//! stub
use retrograde_examples::{Findings, Result, Screen};
pub(crate) fn run(_seed: u64, _screen: &mut Screen, _findings: &mut Findings) -> Result<()> {
    Ok(())
}
