//! Derived formulas beside those that a textbook derives by hand.

use retrograde::autograd::Derivation;

use crate::findings::Findings;
use crate::screen::{Ink, Screen};
use crate::table::{Align, Table};

/// A line derived from a tape, and the line of the same name derived by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The line that was derived, if there is one.
    pub derived: Option<String>,
    /// The line that was derived by hand, if there is one.
    pub by_hand: Option<String>,
}

impl Pair {
    /// Whether both lines are there and read the same.
    pub fn equal(&self) -> bool {
        self.derived.is_some() && self.derived == self.by_hand
    }
}

/// Pairs lines by the name on their left-hand side, in the order of those by hand; a line without a counterpart
/// stands alone.
pub fn pair(derivation: &Derivation, by_hand: &[String]) -> Vec<Pair> {
    let name = |line: &str| line.split(" = ").next().unwrap_or(line).to_owned();
    let known: Vec<String> = by_hand.iter().map(|line| name(line)).collect();
    let found = known.iter().zip(by_hand).map(|(name, by_hand)| Pair {
        derived: derivation.line(name).map(ToString::to_string),
        by_hand: Some(by_hand.clone()),
    });
    let further = derivation
        .lines
        .iter()
        .filter(|line| !known.contains(&line.name))
        .map(|line| Pair { derived: Some(line.to_string()), by_hand: None });
    found.chain(further).collect()
}

/// The pairs as a table of two columns: those derived, and beside each the one by hand.
pub fn beside(pairs: &[Pair], screen: &Screen) -> Vec<String> {
    let titles =
        [("derived from the tape", Align::Left), ("", Align::Left), ("derived by hand", Align::Left)];
    let mut table = Table::new(&titles);
    for pair in pairs {
        table.inked_row([
            (pair.derived.clone().unwrap_or_default(), Ink::Plain),
            sign(pair),
            (pair.by_hand.clone().unwrap_or_default(), Ink::Plain),
        ]);
    }
    table.lines(screen)
}

/// The pairs one below the other, for lines that are too long to stand side by side: an equal pair takes one line.
pub fn below(pairs: &[Pair], screen: &Screen) -> Vec<String> {
    let mut lines = Vec::new();
    for pair in pairs {
        let (text, ink) = sign(pair);
        let mark = screen.ink(ink, &text);
        if pair.equal() {
            lines.push(format!("  {mark}  {}", pair.by_hand.clone().unwrap_or_default()));
        } else {
            let none = || "nothing".to_owned();
            lines.push(format!("  {mark}  derived  {}", pair.derived.clone().unwrap_or_else(none)));
            lines.push(format!("     by hand  {}", pair.by_hand.clone().unwrap_or_else(none)));
        }
    }
    lines
}

/// Keeps each pair that differs as a failure.
pub fn judge(part: &str, pairs: &[Pair], findings: &mut Findings) {
    for Pair { derived, by_hand } in pairs.iter().filter(|pair| !pair.equal()) {
        let words = |line: &Option<String>| line.as_ref().map_or("no line".to_owned(), |x| format!("`{x}`"));
        findings.fail(format!("{part}: expected {}, found {}", words(by_hand), words(derived)));
    }
}

fn sign(pair: &Pair) -> (String, Ink) {
    if pair.equal() { ("=".to_owned(), Ink::Good) } else { ("≠".to_owned(), Ink::Bad) }
}

#[cfg(test)]
mod tests {
    use std::io;

    use retrograde::autograd::Tape;
    use retrograde::tensor::Tensor;

    use super::*;

    fn pairs(by_hand: &[&str]) -> Vec<Pair> {
        let tape = Tape::<f64>::new();
        let x = tape.var(Tensor::zeros([2, 3])).named("x");
        let w = tape.var(Tensor::zeros([3, 3])).named("w");
        let y = x.matmul(&w).named("y");
        let by_hand: Vec<String> = by_hand.iter().map(|&line| line.to_owned()).collect();
        pair(&y.derivation().unwrap(), &by_hand)
    }

    fn reasons(pairs: &[Pair]) -> Vec<String> {
        let mut findings = Findings::default();
        judge("step", pairs, &mut findings);
        findings.failures().to_vec()
    }

    #[test]
    fn the_right_lines_are_equal_in_any_order() {
        let pairs = pairs(&["dw = xᵀ·dy", "dx = dy·wᵀ"]);
        assert!(pairs.iter().all(Pair::equal));
        assert_eq!(reasons(&pairs), [""; 0]);
    }

    #[test]
    fn a_wrong_line_a_missing_one_and_one_too_many_are_told() {
        let pairs = pairs(&["dx = xᵀ·dy", "db = Σₙ dy"]);
        assert_eq!(
            reasons(&pairs),
            [
                "step: expected `dx = xᵀ·dy`, found `dx = dy·wᵀ`",
                "step: expected `db = Σₙ dy`, found no line",
                "step: expected no line, found `dw = xᵀ·dy`",
            ]
        );
        let plain = Screen::new(io::sink(), false);
        assert_eq!(beside(&pairs, &plain)[2], "  dx = dy·wᵀ             ≠  dx = xᵀ·dy");
        assert_eq!(below(&pairs, &plain)[..2], ["  ≠  derived  dx = dy·wᵀ", "     by hand  dx = xᵀ·dy"]);
    }
}
