//! Questions and answers: sums as texts of fixed length, such as `57+5   ` and `_62  `.

use std::collections::BTreeSet;

use rand::RngExt;
use rand::rngs::StdRng;
use retrograde::prelude::*;

/// The characters, each a number.
pub(crate) const ALPHABET: &[u8] = b"0123456789+ _";
/// The characters of a question, and of an answer after its start.
pub(crate) const QUESTION: usize = 7;
pub(crate) const ANSWER: usize = 4;
/// The first character of an answer.
pub(crate) const START: &str = "_";

/// Questions `[N, 7]` and answers `[N, 5]`, the latter from their start on.
pub(crate) struct Sums {
    pub(crate) questions: Tensor<usize>,
    pub(crate) answers: Tensor<usize>,
}

impl Sums {
    /// Returns `count` different sums of two numbers of one to three digits.
    pub(crate) fn draw(count: usize, rng: &mut StdRng) -> Self {
        let number = |rng: &mut StdRng| {
            let digits = rng.random_range(1..=3);
            rng.random_range(0..10_u32.pow(digits))
        };
        let (mut known, mut questions, mut answers) = (BTreeSet::new(), Vec::new(), Vec::new());
        while known.len() < count {
            let (a, b) = (number(rng), number(rng));
            if known.insert((a, b)) {
                questions.extend(encode(&format!("{:<QUESTION$}", format!("{a}+{b}"))));
                answers.extend(encode(&format!("{START}{:<ANSWER$}", a + b)));
            }
        }
        let tensor = |ids, length| Tensor::from_vec(ids, [count, length]).expect("rows of one length");
        Sums { questions: tensor(questions, QUESTION), answers: tensor(answers, ANSWER + 1) }
    }

    /// The number of them.
    pub(crate) fn len(&self) -> usize {
        self.questions.dims()[0]
    }

    /// Some of them.
    pub(crate) fn rows(&self, rows: &[usize]) -> Self {
        let pick = |ids: &Tensor<usize>| {
            Tensor::from_fn([rows.len(), ids.dims()[1]], |at| ids.at(&[rows[at[0]], at[1]]))
        };
        Sums { questions: pick(&self.questions), answers: pick(&self.answers) }
    }

    /// The first ones, and the others.
    pub(crate) fn split(&self, first: usize) -> [Self; 2] {
        [0..first, first..self.len()].map(|range| self.rows(&range.collect::<Vec<_>>()))
    }
}

/// The numbers of characters of the alphabet.
pub(crate) fn encode(text: &str) -> Vec<usize> {
    let id = |c| ALPHABET.iter().position(|&known| known == c).expect("a character of the alphabet");
    text.bytes().map(id).collect()
}

/// The characters of numbers.
pub(crate) fn decode(ids: impl IntoIterator<Item = usize>) -> String {
    ids.into_iter().map(|id| char::from(ALPHABET[id])).collect()
}
