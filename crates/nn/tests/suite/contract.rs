//! Cells that break the contract of `Cell`: the error names the method, and a check compares a sequence with its steps.

use crate::common::{normal, seeded};
use retrograde_autograd::{Param, Tape, Var};
use retrograde_check::Check;
use retrograde_nn::{
    Cell, Layer, LstmCell, Residual, SequenceOptions, Stacked, StateOn, Time, TimeLstm, module,
};
use retrograde_tensor::{Float, Tensor};

/// Ways to break the contract, and some that keep it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Right,
    /// `project` as a softmax over axis 1: features of `[N, D]`, steps of `[N, T, D]`.
    SoftmaxOverTime,
    MeanOverTime,
    Flipped,
    RunningSum,
    /// `project` cuts axis 1.
    Cut,
    Summed,
    SwapsAxes,
    /// `output` without the rows of the batch.
    OutputSummed,
    /// The state is `[N, 1]` and grows by broadcasting.
    Grows,
    Shrinks,
    OneRow,
}

struct Odd<E> {
    w: Param<E>,
    way: Way,
}
module!(Odd { w });

impl<E: Float> Cell<E> for Odd<E> {
    type State = Tensor<E>;

    fn input_size(&self) -> usize {
        4
    }

    fn initial_state(&self, n: usize) -> Tensor<E> {
        match self.way {
            Way::Grows => Tensor::zeros([n, 1]),
            Way::OneRow => Tensor::zeros([1, 4]),
            _ => Tensor::zeros([n, 4]),
        }
    }

    fn project<'t>(&self, x: &Var<'t, E>) -> Var<'t, E> {
        let p = x * &self.w;
        if x.shape().rank() == 2 {
            return p;
        }
        match self.way {
            Way::SoftmaxOverTime => p.softmax(1),
            Way::MeanOverTime => &p - p.mean_axes(&[1], true),
            Way::Flipped => p
                .tape()
                .constant(Tensor::from_fn([1, x.shape()[1], x.shape()[1]], |at| {
                    E::from_f64(f64::from(u8::from(at[1] + at[2] + 1 == x.shape()[1])))
                }))
                .matmul(&p),
            Way::RunningSum => p
                .tape()
                .constant(Tensor::from_fn([1, x.shape()[1], x.shape()[1]], |at| {
                    E::from_f64(f64::from(u8::from(at[2] <= at[1])))
                }))
                .matmul(&p),
            Way::Cut => p.narrow(1, 0, x.shape()[1] / 2),
            Way::Summed => p.sum_axes(&[1], false),
            Way::SwapsAxes => p.permute(&[1, 0, 2]),
            _ => p,
        }
    }

    fn output<'t>(&self, _: &Var<'t, E>, h: &StateOn<'t, Self, E>) -> Var<'t, E> {
        if self.way == Way::OutputSummed { h.sum_axes(&[0], true) } else { h.clone() }
    }

    fn step<'t>(&self, x: &Var<'t, E>, h: &StateOn<'t, Self, E>) -> StateOn<'t, Self, E> {
        let next = (x + h).tanh();
        if self.way == Way::Shrinks { next.narrow(1, 0, 2) } else { next }
    }
}

fn odd(way: Way) -> Time<Odd<f64>, f64> {
    Time::new(Odd { w: Param::new("w", Tensor::from([0.5, -0.7, 0.9, 1.1])), way })
}

fn error(way: Way) -> String {
    let tape = Tape::new();
    let xs = tape.constant(normal([2, 5, 4], 1.0, &mut seeded(1)));
    let alone = odd(way).forward(&xs).unwrap_err().to_string();
    let inside =
        Stacked::new(vec![odd(way)]).run(&xs, None, &SequenceOptions::new()).unwrap_err().to_string();
    let again = odd(way).recompute_every(2).run(&xs, None, &SequenceOptions::new()).unwrap_err().to_string();
    assert_eq!(alone, inside);
    assert_eq!(alone, again);
    alone
}

/// In the first call, not in the second.
#[test]
fn shapes_that_break_the_contract_are_named() {
    let project = "time: expected the output of the cell's `project` of shape [2, 5, P], found ";
    assert_eq!(error(Way::Cut), format!("{project}[2, 2, 4]"));
    assert_eq!(error(Way::Summed), format!("{project}[2, 4]"));
    assert_eq!(error(Way::SwapsAxes), format!("{project}[5, 2, 4]"));
    let step = "time: expected the state after the cell's `step` of shape ";
    assert_eq!(error(Way::Grows), format!("{step}[2, 1], found [2, 4]"));
    assert_eq!(error(Way::OneRow), format!("{step}[1, 4], found [2, 4]"));
    assert_eq!(error(Way::Shrinks), format!("{step}[2, 4], found [2, 2]"));
    let output = "time: expected the output of the cell's `output` of shape [2, H], found [1, 4]";
    assert_eq!(error(Way::OutputSummed), output);
    // The tape is usable after the error, outside of any step.
    let tape = Tape::new();
    assert!(odd(Way::Grows).forward(&tape.constant(Tensor::ones([2, 5, 4]))).is_err());
    let hs = odd(Way::Right).forward(&tape.constant(Tensor::ones([2, 5, 4]))).unwrap().hs;
    assert!(hs.sum().backward().is_ok());
}

/// A state with more variables after a step than before it.
#[test]
fn a_state_of_another_number_of_variables_is_named() {
    struct Row<E> {
        w: Param<E>,
    }
    module!(Row { w });
    impl<E: Float> Cell<E> for Row<E> {
        type State = Vec<Tensor<E>>;
        fn input_size(&self) -> usize {
            2
        }
        fn initial_state(&self, n: usize) -> Self::State {
            vec![Tensor::zeros([n, 2])]
        }
        fn step<'t>(&self, x: &Var<'t, E>, state: &StateOn<'t, Self, E>) -> StateOn<'t, Self, E> {
            let mut state = state.clone();
            state.push(x * &self.w);
            state
        }
    }
    let tape = Tape::<f64>::new();
    let mut row = Time::new(Row { w: Param::new("w", Tensor::ones([2])) });
    let error = row.forward(&tape.constant(Tensor::ones([3, 2, 2]))).unwrap_err().to_string();
    assert_eq!(error, "time: expected 1 variables of a state, found 2");
}

/// Mixing time steps does not show in shapes: a check of the layer sees it, wherever the layer stands.
#[test]
fn a_check_compares_a_sequence_with_its_steps() {
    for way in [Way::SoftmaxOverTime, Way::MeanOverTime, Way::Flipped, Way::RunningSum] {
        for reversed in [false, true] {
            let error = Check::new().layer(&mut odd(way).reversed(reversed)).unwrap_err().to_string();
            assert!(error.contains("`project`") && error.contains("step"), "{way:?}: {error}");
        }
        let error = Check::new().layer(&mut Residual((odd(way), odd(Way::Right)))).unwrap_err().to_string();
        assert!(error.contains("`project`") && error.contains("step"), "{way:?}: {error}");
    }
    Check::new().layer(&mut odd(Way::Right)).unwrap().assert_ok();
    Check::new().layer(&mut odd(Way::Right).reversed(true)).unwrap().assert_ok();
}

#[test]
fn an_empty_input_of_more_rows_than_a_state_holds_is_an_error() {
    let mut lstm = TimeLstm::new(LstmCell::<f64>::new(3, 4, &mut seeded(1)));
    for rows in [1 << 59, 1 << 61] {
        let tape = Tape::new();
        let xs = tape.constant(Tensor::zeros([rows, 0, 3]));
        let error = lstm.forward(&xs).unwrap_err().to_string();
        assert!(error.starts_with("time: expected a "), "{error}");
    }
}
