//! Formulas as text: `dt = dh_next ⊙ (1 - h_next²)`.

use std::fmt;

use crate::notation::{Style, write};
use crate::{Derivation, Expr, Line, Statement};
use retrograde_autograd::op::Comparison;

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

/// One statement per line. A loop has its body below it, indented.
impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Statement::Assign(line) => write!(f, "{line}"),
            Statement::Add(line) => write!(f, "{} += {}", line.name, line.formula),
            Statement::For { from, to, body } => {
                write!(f, "for t = {from} .. {to}:")?;
                body.iter().try_for_each(|statement| write!(f, "\n    {statement}"))
            }
        }
    }
}

/// One line per statement, or one line per formula of all steps with `{:#}`.
impl fmt::Display for Derivation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            return self.lines.iter().try_for_each(|line| writeln!(f, "{line}"));
        }
        self.statements().iter().try_for_each(|statement| writeln!(f, "{statement}"))
    }
}
