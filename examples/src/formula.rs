//! Formulas written by hand, read from their text: as numbers, and in a form that equal formulas share.
//!
//! The grammar is that of the derived lines, with `hstack`:
//! `sum = product (± product)*`, `product = factor (⊙ factor | · factor | / factor)*`, `factor = number? postfix`,
//! `postfix = atom (ᵀ | ² | [:, slots])*`.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::str::Chars;

use retrograde::prelude::*;

/// A formula in names of tensors.
#[derive(Clone, Debug, PartialEq)]
pub enum Formula {
    /// A tensor by its name.
    Name(String),
    /// A number.
    Number(f64),
    /// The sum of two.
    Add(Box<Formula>, Box<Formula>),
    /// The negative.
    Negative(Box<Formula>),
    /// Elementwise, `⊙`.
    Times(Box<Formula>, Box<Formula>),
    /// Of matrices, `·`.
    Product(Box<Formula>, Box<Formula>),
    /// The transpose, `xᵀ`.
    Transpose(Box<Formula>),
    /// The elementwise square, `x²`.
    Square(Box<Formula>),
    /// Elementwise, `/`.
    Quotient(Box<Formula>, Box<Formula>),
    /// Over axes by their letters: `Σₙ`, `Σₙₜ`.
    Sum(Box<Formula>, String),
    /// `x[:, 3]`, `x[:, 4:8]`.
    Slice(Box<Formula>, Slots),
    /// `place(x, [:, 4:8])`: zeros, but for `x` in those columns.
    Place(Box<Formula>, Slots),
    /// `hstack(x, y)`, `tanh(x)`.
    Call(String, Vec<Formula>),
}

/// One entry of axis 1, or the range from `start` to `end`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slots {
    start: usize,
    end: Option<usize>,
}

/// A sum of products: the factors of each in order, with its coefficient.
type Polynomial = BTreeMap<Vec<String>, f64>;

impl Formula {
    /// Reads a formula.
    ///
    /// # Errors
    /// Names the character that does not belong there.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut reader = Reader { rest: text.chars().peekable() };
        let formula = reader.sum()?;
        match reader.peek() {
            None => Ok(formula),
            Some(c) => Err(format!("formula {text:?}: expected its end, found {c:?}")),
        }
    }

    /// The value, given those of the names.
    ///
    /// # Errors
    /// If a name has no value, or if a product of matrices does not fit.
    pub fn value(&self, names: &impl Fn(&str) -> Option<Tensor<f64>>) -> Result<Tensor<f64>, String> {
        let value = |x: &Formula| x.value(names);
        Ok(match self {
            Formula::Name(name) => names(name).ok_or_else(|| format!("no value for {name}"))?,
            Formula::Number(c) => Tensor::scalar(*c),
            Formula::Add(a, b) => value(a)? + value(b)?,
            Formula::Negative(a) => -value(a)?,
            Formula::Times(a, b) => value(a)? * value(b)?,
            Formula::Product(a, b) => value(a)?.try_matmul(&value(b)?).map_err(|e| e.to_string())?,
            Formula::Transpose(a) => value(a)?.t(),
            Formula::Square(a) => value(a)?.square(),
            Formula::Quotient(a, b) => value(a)? / value(b)?,
            Formula::Sum(a, letters) => {
                let x = value(a)?;
                let names = if x.rank() > 2 { "ₙₜᵢⱼ" } else { "ₙᵢⱼₖ" };
                let axes: Vec<usize> =
                    letters.chars().filter_map(|c| names.chars().position(|n| n == c)).collect();
                // A sum over the first axes is that of what has none of them, such as a bias.
                x.sum_axes(&axes, axes[0] > 0)
            }
            Formula::Slice(a, Slots { start, end: None }) => value(a)?.select(1, *start),
            Formula::Slice(a, Slots { start, end: Some(end) }) => value(a)?.narrow(1, *start, end - start),
            Formula::Call(name, x) => {
                let x = x.iter().map(value).collect::<Result<Vec<_>, _>>()?;
                match (name.as_str(), x.as_slice()) {
                    ("tanh", [x]) => x.tanh(),
                    ("sigmoid", [x]) => x.sigmoid(),
                    ("exp", [x]) => x.exp(),
                    ("sqrt", [x]) => x.sqrt(),
                    ("sign", [x]) => x.sign(),
                    ("softmax", [x]) => x.softmax(x.rank() - 1),
                    ("broadcast_to", [x]) => x.clone(),
                    ("hstack", x) => Tensor::concat(&x.iter().collect::<Vec<_>>(), 1),
                    _ => return Err(format!("no function {name}")),
                }
            }
            Formula::Place(..) => return Err("place has a value only beside its fellows".to_owned()),
        })
    }

    /// A text that is the same for formulas that are equal by the rules of sums and products; blocks of `hstack` are
    /// `h` columns wide.
    pub fn normal_form(&self, h: usize) -> String {
        let terms = self.polynomial(h).into_iter().filter(|(_, c)| *c != 0.0);
        terms.map(|(factors, c)| format!("{c} {}", factors.join(" ⊙ "))).collect::<Vec<_>>().join(" + ")
    }

    fn polynomial(&self, h: usize) -> Polynomial {
        let atom = |name: String| Polynomial::from([(vec![name], 1.0)]);
        let linear = |x: &Formula, wrap: &dyn Fn(String) -> String| {
            let terms = x.polynomial(h).into_iter();
            terms.map(|(factors, c)| (vec![wrap(factors.join(" ⊙ "))], c)).collect()
        };
        match self {
            Formula::Name(name) => atom(name.clone()),
            Formula::Number(c) => Polynomial::from([(vec![], *c)]),
            Formula::Add(a, b) => {
                let mut sum = a.polynomial(h);
                b.polynomial(h).into_iter().for_each(|(factors, c)| *sum.entry(factors).or_default() += c);
                sum
            }
            Formula::Negative(a) => a.polynomial(h).into_iter().map(|(factors, c)| (factors, -c)).collect(),
            Formula::Times(a, b) => times(&a.polynomial(h), &b.polynomial(h)),
            Formula::Square(a) => times(&a.polynomial(h), &a.polynomial(h)),
            Formula::Product(a, b) => {
                let (a, b) = (a.polynomial(h), b.polynomial(h));
                let pairs = a.iter().flat_map(|a| b.iter().map(move |b| (a, b)));
                let factor = |x: &[String]| format!("({})", x.join(" ⊙ "));
                pairs.map(|((x, c), (y, d))| (vec![factor(x) + "·" + &factor(y)], c * d)).collect()
            }
            Formula::Transpose(a) => linear(a, &|x| format!("({x})ᵀ")),
            Formula::Quotient(a, b) => {
                let b = b.normal_form(h);
                linear(a, &|x| format!("({x}) / ({b})"))
            }
            Formula::Sum(a, letters) => linear(a, &|x| format!("Σ{letters} ({x})")),
            Formula::Slice(a, slots) => linear(a, &|x| format!("({x}){}", slots.text())),
            Formula::Place(a, slots) => linear(a, &|x| format!("place({x}, {})", slots.text())),
            Formula::Call(name, blocks) if name == "hstack" => {
                let place = |(i, x): (usize, &Formula)| {
                    let slots = Slots { start: i * h, end: Some((i + 1) * h) };
                    Formula::Place(Box::new(x.clone()), slots).polynomial(h)
                };
                blocks.iter().enumerate().flat_map(place).collect()
            }
            Formula::Call(name, x) => {
                let x: Vec<String> = x.iter().map(|x| x.normal_form(h)).collect();
                atom(format!("{name}({})", x.join(", ")))
            }
        }
    }
}

fn times(a: &Polynomial, b: &Polynomial) -> Polynomial {
    let mut product = Polynomial::new();
    for (x, c) in a {
        for (y, d) in b {
            let mut factors = [x.as_slice(), y].concat();
            factors.sort();
            *product.entry(factors).or_default() += c * d;
        }
    }
    product
}

impl Slots {
    fn text(self) -> String {
        match self.end {
            Some(end) => format!("[:, {}:{end}]", self.start),
            None => format!("[:, {}]", self.start),
        }
    }
}

struct Reader<'a> {
    rest: Peekable<Chars<'a>>,
}

impl Reader<'_> {
    /// The next character that is no space.
    fn peek(&mut self) -> Option<char> {
        while self.rest.next_if_eq(&' ').is_some() {}
        self.rest.peek().copied()
    }

    fn take(&mut self, expected: char) -> bool {
        self.peek() == Some(expected) && self.rest.next().is_some()
    }

    fn expect(&mut self, expected: char) -> Result<(), String> {
        let found = self.peek();
        if self.take(expected) { Ok(()) } else { Err(format!("expected {expected:?}, found {found:?}")) }
    }

    fn word(&mut self, of: impl Fn(char) -> bool) -> String {
        self.peek();
        std::iter::from_fn(|| self.rest.next_if(|&c| of(c))).collect()
    }

    fn sum(&mut self) -> Result<Formula, String> {
        let mut sum =
            if self.take('-') { Formula::Negative(Box::new(self.product()?)) } else { self.product()? };
        loop {
            let next = if self.take('+') {
                self.product()?
            } else if self.take('-') {
                Formula::Negative(Box::new(self.product()?))
            } else {
                return Ok(sum);
            };
            sum = Formula::Add(Box::new(sum), Box::new(next));
        }
    }

    fn product(&mut self) -> Result<Formula, String> {
        let mut product = self.factor()?;
        loop {
            if self.take('⊙') {
                product = Formula::Times(Box::new(product), Box::new(self.factor()?));
            } else if self.take('·') {
                product = Formula::Product(Box::new(product), Box::new(self.factor()?));
            } else if self.take('/') {
                product = Formula::Quotient(Box::new(product), Box::new(self.factor()?));
            } else {
                return Ok(product);
            }
        }
    }

    /// `2 a` is a product.
    fn factor(&mut self) -> Result<Formula, String> {
        let x = self.postfix()?;
        match (&x, self.peek()) {
            (Formula::Number(_), Some(c)) if c.is_alphabetic() || c == '(' => {
                Ok(Formula::Times(Box::new(x), Box::new(self.postfix()?)))
            }
            _ => Ok(x),
        }
    }

    fn postfix(&mut self) -> Result<Formula, String> {
        let mut x = self.atom()?;
        loop {
            if self.take('ᵀ') {
                x = Formula::Transpose(Box::new(x));
            } else if self.take('²') {
                x = Formula::Square(Box::new(x));
            } else if self.peek() == Some('[') {
                x = Formula::Slice(Box::new(x), self.slots()?);
            } else {
                return Ok(x);
            }
        }
    }

    fn atom(&mut self) -> Result<Formula, String> {
        if self.take('(') {
            let inner = self.sum()?;
            self.expect(')')?;
            return Ok(inner);
        }
        if self.take('Σ') {
            let letters = self.word(|c| "ₙₜᵢⱼₖ".contains(c));
            if letters.is_empty() {
                return Err(format!("expected the axes of a sum, found {:?}", self.peek()));
            }
            return Ok(Formula::Sum(Box::new(self.postfix()?), letters));
        }
        let word = self.word(|c| c.is_alphanumeric() && !"ᵀ²ₙₜᵢⱼₖ".contains(c) || "_.'".contains(c));
        if let Ok(number) = word.parse() {
            return Ok(Formula::Number(number));
        }
        if word.is_empty() {
            return Err(format!("expected a name or a number, found {:?}", self.peek()));
        }
        if !self.take('(') {
            return Ok(Formula::Name(word));
        }
        let mut x = vec![self.sum()?];
        while self.take(',') {
            if word == "place" {
                let slots = self.slots()?;
                self.expect(')')?;
                return Ok(Formula::Place(Box::new(x.remove(0)), slots));
            }
            x.push(self.sum()?);
        }
        self.expect(')')?;
        Ok(Formula::Call(word, x))
    }

    fn slots(&mut self) -> Result<Slots, String> {
        for c in ['[', ':', ','] {
            self.expect(c)?;
        }
        let start = self.number()?;
        let end = if self.take(':') { Some(self.number()?) } else { None };
        self.expect(']')?;
        Ok(Slots { start, end })
    }

    fn number(&mut self) -> Result<usize, String> {
        let word = self.word(|c| c.is_ascii_digit());
        word.parse().map_err(|_| format!("expected a number, found {word:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(a: &str, b: &str) -> bool {
        let normal = |text| Formula::parse(text).unwrap().normal_form(2);
        normal(a) == normal(b)
    }

    #[test]
    fn equal_formulas_share_a_form() {
        assert!(same("a ⊙ (1 - h²)", "a - h ⊙ h ⊙ a"));
        assert!(same("d ⊙ (p - n)", "d ⊙ p - d ⊙ n"));
        assert!(same("hstack(a, b ⊙ c)", "place(c ⊙ b, [:, 2:4]) + place(a, [:, 0:2])"));
        assert!(same("(a + b)·Wᵀ", "b·Wᵀ + a·Wᵀ"));
    }

    #[test]
    fn different_formulas_do_not() {
        assert!(!same("a·W", "a·Wᵀ"));
        assert!(!same("a·b", "b·a"));
        assert!(!same("hstack(a, b)", "hstack(b, a)"));
        assert!(!same("Σₙ a", "-Σₙ a"));
        assert!(!same("a ⊙ b", "a·b"));
        assert!(!same("tanh(a)", "tanh(b)"));
    }

    #[test]
    fn what_is_no_formula_is_refused() {
        for text in ["", "a +", "a b", "(a", "a[3]", "Σ a"] {
            assert!(Formula::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_formula_has_a_value() {
        let names = |name: &str| match name {
            "a" => Some(Tensor::from([[1.0, 2.0], [3.0, 4.0]])),
            _ => None,
        };
        let value = |text| Formula::parse(text).unwrap().value(&names);
        assert_eq!(value("Σₙ (a ⊙ (1 - a²))").unwrap(), Tensor::from([-24.0, -66.0]));
        assert_eq!(value("aᵀ·a[:, 1:2]").unwrap(), Tensor::from([[14.0], [20.0]]));
        assert_eq!(value("hstack(a, -a)[:, 2]").unwrap(), Tensor::from([-1.0, -3.0]));
        assert!(value("b").is_err());
        assert!(value("a·hstack(a, a)ᵀ").is_err());
    }
}
