//! The parts that languages share: identifiers, precedence, and formulas from the inside out.

use std::collections::{HashMap, HashSet};

use retrograde_autograd::Value;
use retrograde_autograd::op::Op;
use retrograde_tensor::Shape;

use crate::lines::names;
use crate::{Expr, Term};

/// Identifiers for names.
pub(crate) struct Identifiers {
    known: HashMap<String, String>,
    taken: HashSet<String>,
    lower: bool,
}

impl Identifiers {
    /// Identifiers other than the reserved words, in lower case if asked.
    pub(crate) fn new(reserved: &[&str], lower: bool) -> Self {
        let taken = reserved.iter().map(|&word| word.to_owned()).collect();
        Identifiers { known: HashMap::new(), taken, lower }
    }

    /// `h_before` for `h_{t-1}`, `dhs_t` for `dhs[:, t]`, `linear_b` for `linear.b`.
    pub(crate) fn of(&mut self, name: &str) -> String {
        if let Some(known) = self.known.get(name) {
            return known.clone();
        }
        let plain = name.split('[').next().unwrap_or(name).to_owned();
        let plain = if name.contains('[') { plain + "_t" } else { plain };
        let plain = plain.replace("_{t-1}", "_before").replace("_{t+1}", "_before");
        let letter = |c: char| if c.is_alphabetic() || c.is_ascii_digit() { c } else { '_' };
        let mut identifier: String = plain.chars().map(letter).collect();
        if self.lower {
            identifier = identifier.to_lowercase();
        }
        if identifier.starts_with(|c: char| c.is_ascii_digit()) {
            identifier.insert(0, '_');
        }
        while !self.taken.insert(identifier.clone()) {
            identifier.push('_');
        }
        self.known.insert(name.to_owned(), identifier.clone());
        identifier
    }
}

/// A part of a formula in a language, and how tightly it holds together.
pub(crate) struct Code {
    pub(crate) text: String,
    pub(crate) level: Level,
}

/// The precedence of an expression, from loose to tight.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
pub(crate) enum Level {
    Sum,
    Product,
    Prefix,
    Power,
    /// A call or a method.
    Call,
    Number,
    /// A variable.
    Name,
}

impl Code {
    pub(crate) fn new(text: impl Into<String>, level: Level) -> Self {
        Code { text: text.into(), level }
    }

    /// The text without its minus sign, if it begins with one.
    pub(crate) fn negated(&self) -> Option<&str> {
        self.text.strip_prefix('-').filter(|_| self.level == Level::Prefix)
    }

    /// The text, in parentheses if it holds together less tightly.
    pub(crate) fn within(&self, level: Level) -> String {
        if self.level < level { format!("({})", self.text) } else { self.text.clone() }
    }
}

/// A language that formulas are written in.
pub(crate) trait Language {
    fn name(&mut self, name: &str) -> Code;
    fn number(&mut self, c: f64) -> Code;
    fn apply(&mut self, op: &Op, x: &[Code], operands: &[Expr]) -> Code;

    /// A formula. Those of a program are not deep.
    fn formula(&mut self, x: &Expr) -> Code {
        match x.term() {
            Term::Name(name) => self.name(name),
            Term::Number(c) => self.number(*c),
            Term::Apply(op, operands) => {
                let codes: Vec<Code> = operands.iter().map(|x| self.formula(x)).collect();
                self.apply(op, &codes, operands)
            }
        }
    }
}

/// The arrays that tell the number of rows and of time steps: first and second axis, in the shapes that were recorded.
#[derive(Default)]
pub(crate) struct Scope {
    pub(crate) arrays: Vec<(String, Shape)>,
    /// Whose sizes depend on neither.
    pub(crate) params: Vec<String>,
}

/// A size in code.
pub(crate) enum Size {
    Fixed(usize),
    /// The product of sizes of arrays, each by its name and axis.
    Of(Vec<(String, usize)>),
}

impl Size {
    /// The size, where `of` writes that of an array along an axis.
    pub(crate) fn text(&self, of: impl FnMut(&(String, usize)) -> String) -> String {
        match self {
            Size::Fixed(size) => size.to_string(),
            Size::Of(factors) => factors.iter().map(of).collect::<Vec<_>>().join(" * "),
        }
    }
}

impl Scope {
    /// The sizes of `x` when it is broadcast or reshaped: a first size that is the number of rows, or of rows times steps,
    /// and a second one that is the number of steps, follow the arrays.
    pub(crate) fn sizes(&self, x: &Expr, to: Shape, reshaped: bool) -> Vec<Size> {
        let from = x.shape();
        let own = names(x).all(|name| self.params.iter().any(|param| param == name));
        let fixed = |axis: usize| {
            let kept =
                || (axis + from.rank()).checked_sub(to.rank()).is_some_and(|place| from[place] == to[axis]);
            to[axis] < 2 || own && (reshaped || kept())
        };
        let of = |rank: usize, f: &dyn Fn(&Shape) -> usize, size: usize, axes: &[usize]| {
            let array = self.arrays.iter().find(|(_, shape)| shape.rank() >= rank && f(shape) == size);
            array.map(|(name, _)| Size::Of(axes.iter().map(|&axis| (name.clone(), axis)).collect()))
        };
        let size = |axis: usize| {
            let size = to[axis];
            let found = match axis {
                _ if fixed(axis) => None,
                0 if to.rank() > 1 => of(2, &|shape| shape[0], size, &[0])
                    .or_else(|| of(3, &|shape| shape[0] * shape[1], size, &[0, 1])),
                0 => of(3, &|shape| shape[0] * shape[1], size, &[0, 1]),
                1 if to.rank() > 2 => of(3, &|shape| shape[1], size, &[1]),
                _ => None,
            };
            found.unwrap_or(Size::Fixed(size))
        };
        (0..to.rank()).map(size).collect()
    }
}
