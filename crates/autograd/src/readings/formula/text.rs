//! Formulas as text: `dt = dh_next ⊙ (1 - h_next²)`.

use std::fmt;

use super::notation::{Style, write};
use super::{Derivation, Expr, Line};
use crate::op::Comparison;

struct Text;

impl Style for Text {
    fn name(&self, name: &str) -> String {
        name.to_owned()
    }
    fn matmul(&self) -> &'static str {
        "·"
    }
    fn times(&self) -> &'static str {
        " ⊙ "
    }
    fn divided(&self) -> &'static str {
        " / "
    }
    fn transposed(&self) -> [&'static str; 2] {
        ["", "ᵀ"]
    }
    fn squared(&self) -> [&'static str; 2] {
        ["", "²"]
    }
    fn grouped(&self) -> [&'static str; 2] {
        ["(", ")"]
    }
    fn sum(&self, axes: &[&'static str]) -> String {
        let axes: String = axes.iter().map(|&axis| subscript(axis)).collect();
        format!("Σ{axes} ")
    }
    fn function(&self, name: &str) -> [String; 2] {
        [format!("{name}("), ")".to_owned()]
    }
    fn relation(&self, comparison: Comparison) -> &'static str {
        match comparison {
            Comparison::Gt => ">",
            Comparison::Ge => "≥",
            Comparison::Lt => "<",
            Comparison::Le => "≤",
            Comparison::Eq => "=",
            Comparison::Ne => "≠",
        }
    }
}

fn subscript(axis: &str) -> &'static str {
    match axis {
        "n" => "ₙ",
        "t" => "ₜ",
        "i" => "ᵢ",
        "j" => "ⱼ",
        "k" => "ₖ",
        "l" => "ₗ",
        _ => "ₘ",
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&write(self, &Text))
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}", self.name, self.formula)
    }
}

/// A line a formula, each ended by a line feed.
impl fmt::Display for Derivation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}
