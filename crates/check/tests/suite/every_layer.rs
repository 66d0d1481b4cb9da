//! Every layer over sequences is checked in one line: the library's, composed ones, and one that it never heard of.

use rand::SeedableRng;
use rand::rngs::StdRng;
use retrograde_autograd::{Param, Tape, Var};
use retrograde_check::{BoxError, Check, Checkable, Named, Oracle, Report, Verdict};
use retrograde_nn::{
    Bidirectional, GruCell, Layer, LayerNormLstmCell, LayerStateOn, Linear, LstmCell, MguCell, Module,
    PeepholeLstmCell, Residual, Result, RnnCell, SequenceOptions, Stacked, Time, TimeRnn, module,
};
use retrograde_tensor::{Float, Tensor};

/// Checks it, and that everything named was looked at.
#[track_caller]
fn right(label: &str, mut layer: impl Layer<f64>) {
    let mut rng = StdRng::seed_from_u64(9);
    for (_, param) in layer.named_params() {
        // Biases of zero would hide what is wrong with them.
        let moved = param.value() + Tensor::normal(param.shape(), 0.0, 0.3, &mut rng).unwrap();
        param.set(moved).unwrap();
    }
    let names: Vec<String> = layer.named_params().into_iter().map(|(path, _)| path).collect();
    let report = Check::new().directions(2).layer(&mut layer).unwrap();
    assert!(report.is_ok(), "{label}: {report}");
    for name in names.iter().map(String::as_str).chain(["xs"]) {
        assert!(
            report.rows().iter().any(|row| row.name.eq_ignore_ascii_case(name)),
            "{label}: no row for {name}"
        );
    }
    let silent = report.rows().iter().filter(|row| row.verdict == Verdict::NotVerifiable).count();
    assert_eq!(silent, 0, "{label}: {report}");
}

#[test]
fn cells_over_time() {
    let rng = &mut StdRng::seed_from_u64(1);
    right("rnn", Time::new(RnnCell::new(2, 3, rng)));
    right("lstm", Time::new(LstmCell::new(2, 3, rng)));
    right("gru", Time::new(GruCell::new(2, 3, rng)));
    right("mgu", Time::new(MguCell::new(2, 3, rng)));
    right("peephole", Time::new(PeepholeLstmCell::new(2, 3, rng)));
    right("layer norm", Time::new(LayerNormLstmCell::new(2, 3, rng)));
    right("reversed", Time::new(RnnCell::new(2, 3, rng)).reversed(true));
    right("learned initial state", Time::new(LstmCell::new(2, 3, rng)).learn_initial());
}

#[test]
fn composed_layers() {
    let rng = &mut StdRng::seed_from_u64(2);
    right("linear", Linear::new(2, 3, rng));
    right(
        "stacked",
        Stacked::new(vec![TimeRnn::new(RnnCell::new(2, 3, rng)), TimeRnn::new(RnnCell::new(3, 3, rng))]),
    );
    let (forwards, backwards) = (LstmCell::new(2, 3, rng), LstmCell::new(2, 3, rng));
    right("bidirectional", Bidirectional::new(forwards, backwards));
    right("residual", Residual(Time::new(GruCell::new(3, 3, rng))));
    let pair = (Time::new(GruCell::new(2, 3, rng)), Linear::new(3, 2, rng));
    right("pair", pair);
    let deep = (
        (Time::new(RnnCell::new(2, 3, rng)), Residual(Time::new(LstmCell::new(3, 3, rng)))),
        Linear::new(3, 1, rng),
    );
    right("pairs of pairs", deep);
}

/// `y_t = a x_t + b Σ x`: a layer of its own kind, without a state.
struct Mixed<E> {
    a: Param<E>,
    b: Param<E>,
    /// Detaches what it should not, if set.
    wrong: bool,
}
module!(Mixed { a, b });

impl Layer<f64> for Mixed<f64> {
    type State = ();

    fn input_size(&self) -> usize {
        2
    }
    fn initial_state<'t>(
        &self,
        _: &'t Tape<f64>,
        _: usize,
        _: Option<&()>,
    ) -> Result<LayerStateOn<'t, Self, f64>> {
        Ok(())
    }
    fn run_from<'t>(
        &self,
        xs: &Var<'t, f64>,
        (): (),
        _: &SequenceOptions<f64>,
    ) -> Result<(Var<'t, f64>, LayerStateOn<'t, Self, f64>)> {
        let sum = xs.sum_axes(&[1], true);
        let sum = if self.wrong { xs.tape().constant(sum.detach()) } else { sum };
        Ok((xs * &self.a + sum * &self.b, ()))
    }
}

fn mixed(wrong: bool) -> Mixed<f64> {
    Mixed {
        a: Param::new("a", Tensor::from([0.5, -0.7])),
        b: Param::new("b", Tensor::from([1.5, 0.3])),
        wrong,
    }
}

#[test]
fn a_layer_that_the_library_never_heard_of() {
    right("mixed", mixed(false));
    let report = Check::new().layer(&mut mixed(true)).unwrap();
    assert_eq!(report.wrong(), ["xs"]);
    assert!(report.caught_by().contains(&Oracle::Differences), "{report}");
}

/// A model that is no layer says itself what its inputs and outputs are.
struct Model<E: Float> {
    encoder: TimeRnn<E>,
    head: Linear<E>,
}
module!(Model { encoder, head });

impl Checkable for Model<f64> {
    fn params(&self) -> Vec<(String, Param<f64>)> {
        self.named_params()
    }
    fn inputs(&self, rng: &mut StdRng) -> Named<Tensor<f64>> {
        [("xs", Tensor::normal([2, 4, 2], 0.0, 1.0, rng).unwrap())].into()
    }
    fn time_axes(&self) -> Vec<(&'static str, usize)> {
        vec![("xs", 1)]
    }
    fn forward<'t>(
        &mut self,
        _: &'t Tape<f64>,
        x: &Named<Var<'t, f64>>,
    ) -> std::result::Result<Named<Var<'t, f64>>, BoxError> {
        let last = self.encoder.forward(&x["xs"])?.last;
        Ok([("y", self.head.forward(&last)?)].into())
    }
}

#[test]
fn a_model_beside_the_layers() {
    let rng = &mut StdRng::seed_from_u64(3);
    let mut model = Model { encoder: TimeRnn::new(RnnCell::new(2, 3, rng)), head: Linear::new(3, 2, rng) };
    Check::new().layer(&mut model).unwrap().assert_ok();
}

/// The initial state has the names that its variables have on a tape, numbered where several have one, and weights are
/// spelled as the book spells them.
#[test]
fn names_of_the_book() {
    let rng = &mut StdRng::seed_from_u64(4);
    let names = |report: &Report| {
        let mut names: Vec<String> = report.rows().iter().map(|row| row.name.clone()).collect();
        names.dedup(); // a row for each step
        names
    };
    let cell = LstmCell::<f64>::new(2, 3, rng);
    let report = Check::new().layer(&mut Time::new(cell.clone())).unwrap();
    assert_eq!(names(&report), ["xs", "h_prev", "c_prev", "Wx", "Wh", "b"]);
    assert!(report.to_string().contains("outputs: hs [3, 5, 3], h_last [3, 3], c_last [3, 3]\n"), "{report}");

    let report = Check::new().layer(&mut Bidirectional::new(cell.clone(), cell.clone())).unwrap();
    let states = ["0.h_prev", "0.c_prev", "1.h_prev", "1.c_prev"];
    assert_eq!(names(&report)[..5], [&["xs"], &states[..]].concat());
    assert_eq!(names(&report)[5..], ["forward.Wx", "forward.Wh", "forward.b"]); // one cell, met twice

    let deep = Stacked::new(vec![Time::new(cell), Time::new(LstmCell::new(3, 3, rng))]);
    let report = Check::new().freeze("1.Wh").freeze("0.h_prev").layer(&mut deep.clone()).unwrap();
    let weights = ["0.Wx", "0.Wh", "0.b", "1.Wx", "1.b"];
    assert_eq!(names(&report), [&["xs", "0.c_prev", "1.h_prev", "1.c_prev"], &weights[..]].concat());
}

/// Dual numbers take the values of a tape's own kernels: rounded otherwise, `1 - y²` of a saturated tanh would differ from
/// the rule by more than its tolerance.
#[test]
fn the_one_line_check_is_green_whatever_the_seed() {
    for seed in 0..12 {
        let rng = &mut StdRng::seed_from_u64(seed);
        let report = Check::new().layer(&mut Time::new(RnnCell::new(4, 6, rng))).unwrap();
        assert!(report.is_ok(), "rnn, seed {seed}: {report}");
        let report = Check::new().layer(&mut Time::new(LstmCell::new(2, 3, rng))).unwrap();
        assert!(report.is_ok(), "lstm, seed {seed}: {report}");
        let report = Check::new().layer(&mut Time::new(GruCell::new(2, 3, rng))).unwrap();
        assert!(report.is_ok(), "gru, seed {seed}: {report}");
    }
}
