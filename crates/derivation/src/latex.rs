//! Formulas for LaTeX.

use crate::notation::{Style, write};
use crate::{Derivation, Expr, Line, Statement};
use retrograde_autograd::op::Comparison;

struct Latex;

impl Style for Latex {
    /// `dh_next` is `dh_{\mathrm{next}}`; `Wx` is `W_x`, `dWx` is `dW_x`, and `h_2` is `h_{2}`.
    fn name(&self, name: &str) -> String {
        if let Some((of, slots)) = name.split_once('[') {
            return format!("{}[{slots}", self.name(of));
        }
        let (stem, below) = name.split_once('_').unwrap_or((name, ""));
        let below = below.trim_start_matches('{').trim_end_matches('}');
        let (stem, index) = match stem.char_indices().find(|&(_, c)| c.is_uppercase()) {
            Some((at, letter)) => stem.split_at(at + letter.len_utf8()),
            None => (stem, ""),
        };
        let below = below.replace('_', r",\,");
        let below = if below.len() > 1
            && below.chars().all(|c| c.is_alphanumeric() && !c.is_ascii_digit() || r",\,".contains(c))
        {
            format!(r"\mathrm{{{below}}}")
        } else {
            below
        };
        let separator = if index.is_empty() || below.is_empty() { "" } else { "," };
        match format!("{index}{separator}{below}") {
            below if below.is_empty() => stem.to_owned(),
            below => format!("{stem}_{{{below}}}"),
        }
    }
    fn matmul(&self) -> &'static str {
        r" \cdot "
    }
    fn times(&self) -> &'static str {
        r" \odot "
    }
    fn divided(&self) -> &'static str {
        " / "
    }
    fn transposed(&self) -> [&'static str; 2] {
        ["{", r"}^\top"]
    }
    fn squared(&self) -> [&'static str; 2] {
        ["{", "}^2"]
    }
    fn grouped(&self) -> [&'static str; 2] {
        [r"\left(", r"\right)"]
    }
    fn sum(&self, axes: &[&'static str]) -> String {
        format!(r"\sum_{{{}}} ", axes.join(","))
    }
    fn function(&self, name: &str) -> [String; 2] {
        [format!(r"\operatorname{{{}}}\left(", name.replace('_', r"\_")), r"\right)".to_owned()]
    }
    fn relation(&self, comparison: Comparison) -> &'static str {
        match comparison {
            Comparison::Gt => ">",
            Comparison::Ge => r"\ge",
            Comparison::Lt => "<",
            Comparison::Le => r"\le",
            Comparison::Eq => "=",
            Comparison::Ne => r"\ne",
        }
    }
}

impl Expr {
    /// The formula for LaTeX's mathematics mode.
    #[must_use]
    pub fn latex(&self) -> String {
        write(self, &Latex)
    }
}

impl Line {
    /// The line for LaTeX, aligned at the equals sign.
    #[must_use]
    pub fn latex(&self) -> String {
        format!("{} &= {}", Latex.name(&self.name), self.formula.latex())
    }
}

impl Statement {
    /// The statement for LaTeX, each line aligned at its equals sign.
    fn latex(&self) -> Vec<String> {
        match self {
            Statement::Assign(line) => vec![line.latex()],
            Statement::Add(line) => {
                vec![format!("{} &\\mathrel{{+}}= {}", Latex.name(&line.name), line.formula.latex())]
            }
            Statement::For { from, to, body } => {
                let head = format!(r"\text{{for }} t &= {from}, \dots, {to}\text{{:}}");
                let body = body.iter().flat_map(Statement::latex).map(|line| format!(r"\quad {line}"));
                std::iter::once(head).chain(body).collect()
            }
        }
    }
}

impl Derivation {
    /// The statements as an `aligned` block of LaTeX.
    #[must_use]
    pub fn latex(&self) -> String {
        let lines: Vec<String> = self.statements().iter().flat_map(Statement::latex).collect();
        format!("\\begin{{aligned}}\n{}\n\\end{{aligned}}\n", lines.join(" \\\\\n"))
    }
}
