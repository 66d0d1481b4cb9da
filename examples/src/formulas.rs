//! Derived formulas beside those that a textbook derives by hand.

use retrograde::derivation::Derivation;

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
    /// The name on the left-hand side.
    pub fn name(&self) -> &str {
        name(self.derived.as_deref().or(self.by_hand.as_deref()).unwrap_or_default())
    }

    /// Whether both lines are there and read the same.
    pub fn equal(&self) -> bool {
        self.derived.is_some() && self.derived == self.by_hand
    }
}

/// The name on the left-hand side of a line, or the whole line if it has none.
fn name(line: &str) -> &str {
    line.split_once(" += ")
        .or_else(|| line.split_once(" = "))
        .filter(|_| !line.starts_with("for "))
        .map_or(line, |(name, _)| name)
}

/// Pairs the lines of a derivation with those by hand, in the order of the sweep.
pub fn pair(derivation: &Derivation, by_hand: &[String]) -> Vec<Pair> {
    pair_lines(&derivation.lines.iter().map(ToString::to_string).collect::<Vec<_>>(), by_hand)
}

/// Pairs lines by the name on their left-hand side, in the order of those that were derived. A line without a counterpart
/// stands alone.
pub fn pair_lines(derived: &[String], by_hand: &[String]) -> Vec<Pair> {
    let found = derived.iter().map(|line| Pair {
        derived: Some(line.clone()),
        by_hand: by_hand.iter().find(|other| name(other) == name(line)).cloned(),
    });
    let left = by_hand.iter().filter(|line| !derived.iter().any(|other| name(other) == name(line)));
    found.chain(left.map(|line| Pair { derived: None, by_hand: Some(line.clone()) })).collect()
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

/// The pairs as a table, with a number for each column.
pub fn with_numbers(pairs: &[Pair], numbers: &[[f64; 2]], screen: &Screen) -> Vec<String> {
    let mut table = Table::new(&[
        ("derived from the tape", Align::Left),
        ("", Align::Right),
        ("", Align::Left),
        ("derived by hand", Align::Left),
        ("", Align::Right),
    ]);
    for (pair, [derived, by_hand]) in pairs.iter().zip(numbers) {
        let number = |x: &f64| (format!("{x:.3}"), Ink::Faint);
        table.inked_row([
            (pair.derived.clone().unwrap_or_default(), Ink::Plain),
            number(derived),
            sign(pair),
            (pair.by_hand.clone().unwrap_or_default(), Ink::Plain),
            number(by_hand),
        ]);
    }
    table.lines(screen)
}

/// A number for each turn of a loop, by name.
pub fn turns(titles: &[String], numbers: &[(String, Vec<f64>)], screen: &Screen) -> Vec<String> {
    let columns: Vec<(&str, Align)> = std::iter::once(("", Align::Left))
        .chain(titles.iter().map(|title| (title.as_str(), Align::Right)))
        .collect();
    let mut table = Table::new(&columns);
    for (name, numbers) in numbers {
        table.row(std::iter::once(name.clone()).chain(numbers.iter().map(|x| format!("{x:.4}"))));
    }
    table.lines(screen)
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

    use retrograde::prelude::*;

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
                "step: expected no line, found `dw = xᵀ·dy`",
                "step: expected `dx = xᵀ·dy`, found `dx = dy·wᵀ`",
                "step: expected `db = Σₙ dy`, found no line",
            ]
        );
        let plain = Screen::new(io::sink(), false);
        assert_eq!(beside(&pairs, &plain)[3], "  dx = dy·wᵀ             ≠  dx = xᵀ·dy");
    }
}
