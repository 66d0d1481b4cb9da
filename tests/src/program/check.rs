//! Everything that can be read off the tape of a program, compared.

use retrograde_autograd::{Error, Gradients, Plain, Tape, Var};
use retrograde_tensor::Tensor;

use super::{Kind, Program, Recorded};

/// The comparisons that were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compared {
    /// Everything.
    All,
    /// Everything but finite differences, which a kink nearby makes meaningless.
    WithoutDifferences,
    /// That every backward pass refuses outputs that depend on no input.
    Untracked,
}

/// The gradient of each input, `None` where nothing flowed.
type Found = Vec<Option<Tensor<f64>>>;

fn found<G>(x: &[Var<'_, f64>], grads: &Gradients<f64, G>, value: impl Fn(&G) -> Tensor<f64>) -> Found {
    x.iter().map(|x| grads.get(x).map(&value)).collect()
}

/// `⟨a, b⟩`, and the sum of the sizes of its terms.
fn inner<'a>(pairs: impl Iterator<Item = (&'a Tensor<f64>, &'a Tensor<f64>)>) -> (f64, f64) {
    pairs
        .flat_map(|(a, b)| a.iter().zip(b))
        .fold((0.0, 0.0), |(sum, size), (a, b)| (sum + a * b, size + (a * b).abs()))
}

impl Program {
    /// Compares the gradient in numbers with that by the plain rules, with the recorded one, with dual numbers and with
    /// finite differences; and, bit for bit, with that of a second tape, of another thread, and of a tape whose segments
    /// are computed again.
    ///
    /// # Panics
    /// If two of them differ, with the program.
    pub fn check(&self) -> Compared {
        let tape = Tape::new();
        let recorded = self.record(&tape, &self.values(), false);
        let Recorded { inputs, outputs } = &recorded;
        let seeds: Vec<_> = outputs.iter().zip(self.cotangents()).collect();
        let grads = match tape.backward(&seeds) {
            Err(Error::Untracked { .. }) => {
                let plain = seeds.iter().map(|&(y, g)| (y, Plain(g.clone()))).collect::<Vec<_>>();
                assert!(tape.backward_over(&plain, Plain).is_err(), "expected no gradient\n{self:?}");
                return Compared::Untracked;
            }
            grads => grads.unwrap_or_else(|error| panic!("{error}\n{self:?}")),
        };
        let numbers = found(inputs, &grads, Clone::clone);
        assert!(
            numbers.iter().flatten().flat_map(|dx| dx.iter()).all(f64::is_finite),
            "not finite\n{self:?}"
        );

        self.bits(&numbers);
        let plain = seeds.iter().map(|&(y, g)| (y, Plain(g.clone()))).collect::<Vec<_>>();
        let plain = tape.backward_over(&plain, Plain).expect("numbers have gradients");
        self.near("plain rules", &numbers, &found(inputs, &plain, |dx| dx.0.clone()));
        let constants: Vec<_> = self.cotangents().map(|g| tape.constant(g.clone())).collect();
        let seeds: Vec<_> = outputs.iter().zip(&constants).collect();
        let again = tape.backward_recorded(&seeds).expect("numbers have gradients");
        self.near("recorded", &numbers, &found(inputs, &again, |dx| dx.value().clone()));

        let directions = self.directions.iter().zip(&numbers);
        let (expected, size) = inner(directions.filter_map(|(v, dx)| Some((v, dx.as_ref()?))));
        let moving: Vec<_> = self.moving().map(|i| (&inputs[i], &self.directions[i])).collect();
        let tangents =
            tape.jvp(&outputs.iter().collect::<Vec<_>>(), &moving).expect("a direction of each input");
        let (found, scale) = inner(self.cotangents().zip(&tangents));
        let scale = 1.0 + size + scale;
        assert!(
            (found - expected).abs() <= 1e-10 * scale,
            "dual numbers: expected {expected}, found {found}\n{self:?}"
        );
        self.differences(expected, scale)
    }

    fn cotangents(&self) -> impl Iterator<Item = &Tensor<f64>> {
        self.outputs.iter().map(|(_, cotangent)| cotangent)
    }

    /// The inputs that have a gradient, and so may move.
    fn moving(&self) -> impl Iterator<Item = usize> {
        (0..self.inputs.len()).filter(|&i| self.inputs[i].kind != Kind::Constant)
    }

    fn gradients(&self, segments: bool) -> Found {
        let tape = Tape::new();
        let Recorded { inputs, outputs } = self.record(&tape, &self.values(), segments);
        let seeds: Vec<_> = outputs.iter().zip(self.cotangents()).collect();
        found(&inputs, &tape.backward(&seeds).expect("it was recorded before"), Clone::clone)
    }

    /// A second tape, another thread, and segments that are computed again: the same bits.
    fn bits(&self, expected: &Found) {
        let elsewhere = std::thread::scope(|scope| scope.spawn(|| self.gradients(false)).join());
        let ways = [
            ("a second tape", self.gradients(false)),
            ("another thread", elsewhere.expect("as on this thread")),
            ("computed again", self.gradients(true)),
        ];
        for (way, found) in ways {
            let bits = |dx: &Found| -> Vec<Option<Vec<u64>>> {
                dx.iter().map(|dx| dx.as_ref().map(|dx| dx.iter().map(f64::to_bits).collect())).collect()
            };
            assert!(
                bits(expected) == bits(&found),
                "{way}: expected {expected:?}, found {found:?}\n{self:?}"
            );
        }
    }

    fn near(&self, way: &str, expected: &Found, found: &Found) {
        for (i, pair) in expected.iter().zip(found).enumerate() {
            let same = match pair {
                (None, None) => true,
                (Some(expected), Some(found)) => {
                    let greatest = expected.iter().fold(1.0, |greatest: f64, x| greatest.max(x.abs()));
                    found.allclose(expected, 1e-10, 1e-12 * greatest).is_ok()
                }
                _ => false,
            };
            assert!(same, "{way}: input {i}: expected {:?}, found {:?}\n{self:?}", pair.0, pair.1);
        }
    }

    /// `Σ ⟨cotangent, output⟩` where the inputs have moved by `t` along their directions.
    fn value(&self, t: f64) -> f64 {
        let mut values = self.values();
        for i in self.moving() {
            values[i] = &values[i] + &self.directions[i] * t;
        }
        let tape = Tape::inference();
        let outputs = self.record(&tape, &values, false).outputs;
        inner(self.cotangents().zip(outputs.iter().map(Var::value))).0
    }

    /// Compares a slope with central differences of fourth order, if steps of two sizes agree on them.
    fn differences(&self, expected: f64, scale: f64) -> Compared {
        let slope = |h: f64| {
            let [near, far] = [h, 2.0 * h].map(|h| self.value(h) - self.value(-h));
            (8.0 * near - far) / (12.0 * h)
        };
        let [coarse, fine] = [1e-3, 5e-4].map(slope);
        if (coarse - fine).abs() > 1e-7 * scale {
            return Compared::WithoutDifferences;
        }
        if (fine - expected).abs() <= 1e-6 * scale {
            return Compared::All;
        }
        // Within a millionth of a kink, as where two values are almost equal, the slopes of both sides are apart by more.
        let [left, right] = [-1e-6, 1e-6].map(|h| (self.value(h) - self.value(0.0)) / h);
        let apart = (left - right).abs();
        let kink = apart > (fine - expected).abs();
        assert!(kink, "differences: expected {expected}, found {fine}\n{self:?}");
        Compared::WithoutDifferences
    }
}
