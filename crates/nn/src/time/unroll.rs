//! The loop over the steps of a sequence.

use std::borrow::Cow;
use std::ops::Range;

use retrograde_autograd::{Param, Tape, Var};
use retrograde_tensor::{Float, Shape, Tensor};

use super::cell::{Cell, StateOn};
use super::layer::{Causality, Layer, input_axes, sequence_of_one};
use super::options::{SequenceOptions, choose};
use super::recurrent_dropout::RecurrentDropout;
use super::state::StateShapes;
use super::tree::Tree;
use super::zoneout::zoneout;
use super::{OP, Time};
use crate::Result;
use crate::module::{Module, join};
use crate::shapes::{Axis, expect};

impl<E: Float, C: Cell<E>> Layer<E> for Time<C, E> {
    type State = C::State;

    fn input_size(&self) -> usize {
        self.cell.input_shape().numel()
    }

    fn input_shape(&self) -> Shape {
        self.cell.input_shape()
    }

    fn causality(&self) -> Causality {
        if self.is_reversed() { Causality::Backward } else { Causality::Forward }
    }

    fn initial_state<'t>(
        &self,
        tape: &'t Tape<E>,
        n: usize,
        given: Option<&C::State>,
    ) -> Result<StateOn<'t, C, E>> {
        self.carried.expect_unused(OP)?;
        self.require_unchanged(tape)?;
        self.start(tape, n, given)
    }

    fn run_from<'t>(
        &self,
        xs: &Var<'t, E>,
        initial: StateOn<'t, C, E>,
        options: &SequenceOptions<E>,
    ) -> Result<(Var<'t, E>, StateOn<'t, C, E>)> {
        let shape = xs.shape();
        expect(OP, "xs", &input_axes(&["N", "T"], self), shape)?;
        let (n, steps, tape) = (shape[0], shape[1], xs.tape());
        self.require_unchanged(tape)?;
        let expected = StateShapes::of(&self.cell.initial_state(n));
        expected.check("a state", tape, &initial)?;
        let masks = options.masks(n, steps)?;
        let new_sequence = masks.any_reset().then(|| self.new_sequence(tape, n));
        let xs = masks.clear(xs)?;
        self.cell.prepare(tape);
        let recorded = tape.len();
        let mut projected = self.cell.project(&xs); // [N, T, P]
        let mut axes = vec![Axis::Any("P"); projected.shape().rank().max(3)];
        axes[..2].copy_from_slice(&[Axis::Size(n), Axis::Size(steps)]);
        expect(OP, "the output of the cell's `project`", &axes, projected.shape())?;
        if tape.len() > recorded {
            projected = projected.named("p");
        }
        let dropout = RecurrentDropout::draw(&self.recurrent_dropout, options.noise().child(1), &expected);
        let mut state = initial;
        let mut outputs = Vec::with_capacity(steps);
        let mut run = |turns: Range<usize>| -> Result<()> {
            for turn in turns {
                let step = if self.reversed { steps - 1 - turn } else { turn };
                tape.set_step(Some(step));
                if let (Some(new), Some(rows)) = (&new_sequence, masks.starting(step, self.reversed)) {
                    state = new.zip(&state, |new, h| choose(&rows, new, h));
                }
                let x = projected.select(1, step);
                let mut next = match &dropout {
                    Some(dropout) => self.cell.step_reading(&x, &state, &dropout.of::<C::State>(&state)),
                    None => self.cell.step(&x, &state),
                };
                expected.check("the state after the cell's `step`", tape, &next)?;
                if !self.zoneout.is_empty() {
                    let mut parts = (0..).zip(&self.zoneout);
                    let noise = options.noise().child(0).child(step);
                    next = next.zip(&state, |next, h| {
                        let (i, &p) = parts.next().expect("a probability for each variable of the state");
                        zoneout(p, noise.child(i), next, h)
                    });
                }
                state = match masks.counting(step) {
                    Some(rows) => next.zip(&state, |next, h| choose(&rows, next, h)),
                    None => next,
                };
                self.name_state(&state, Cow::Borrowed);
                let h = self.cell.output(&x, &state); // [N, H]
                self.expect_output(&h, n)?;
                outputs.push(h);
            }
            Ok(())
        };
        let done = match self.segment {
            None => run(0..steps),
            Some(length) => (0..steps).step_by(length.get()).try_for_each(|first| {
                tape.recompute(|| run(first..steps.min(first.saturating_add(length.get()))))
            }),
        };
        tape.set_step(None);
        done?;
        if self.reversed {
            outputs.reverse();
        }
        let hs = if steps > 0 {
            // Read by now, it makes room for the states.
            drop(projected);
            masks.clear(&Var::try_stack(&outputs, 1)?)? // [N, T, H]
        } else {
            let none = tape.constant(Tensor::zeros(projected.shape().removed(1))); // [N, P]
            let h = self.cell.output(&none, &state);
            tape.constant(Tensor::zeros(h.shape().inserted(1, 0))) // [N, 0, H]
        };
        Ok((hs.named("hs"), state))
    }

    fn step_from<'t>(
        &self,
        x: &Var<'t, E>,
        state: StateOn<'t, C, E>,
    ) -> Result<(Var<'t, E>, StateOn<'t, C, E>)> {
        let (tape, shape) = (x.tape(), x.shape());
        if !self.zoneout.is_empty() {
            return sequence_of_one(self, x, state);
        }
        expect("step", "x", &input_axes(&["N"], self), shape)?;
        self.require_unchanged(tape)?;
        let expected = StateShapes::of(&self.cell.initial_state(shape[0]));
        expected.check("a state", tape, &state)?;
        self.cell.prepare(tape);
        let x = self.cell.project(x); // [N, P]
        let state = self.cell.step(&x, &state);
        expected.check("the state after the cell's `step`", tape, &state)?;
        let h = self.cell.output(&x, &state);
        self.expect_output(&h, shape[0])?;
        Ok((h, state))
    }
}

impl<E: Float, C: Cell<E>> Time<C, E> {
    /// Refuses an output of a step, `[N, H]`, that is not one of a batch of N.
    fn expect_output(&self, h: &Var<'_, E>, n: usize) -> Result<()> {
        if h.shape().first() == Some(&n) {
            return Ok(());
        }
        expect(OP, "the output of the cell's `output`", &[Axis::Size(n), Axis::Any("H")], h.shape())
    }

    /// Refuses a tape that recorded another value of a parameter. Within a step it would be a panic.
    fn require_unchanged(&self, tape: &Tape<E>) -> Result<()> {
        let changed = tape.changed_params();
        let mut found = Ok(());
        if !changed.is_empty() {
            self.visit("", &mut |_, param| {
                if changed.iter().any(|changed| changed.same(param)) {
                    found = tape.try_param(param).map(|_| ());
                }
            });
        }
        Ok(found?)
    }
}

/// The parameters of the cell at their own paths, `rnn.wx`, and those of a learned initial state, `rnn.initial.h_prev`.
impl<E: Float, C: Cell<E>> Module<E> for Time<C, E> {
    fn visit(&self, path: &str, f: &mut dyn FnMut(&str, &Param<E>)) {
        self.cell.visit(path, f);
        for param in &self.initial {
            f(&join(path, param.name()), param);
        }
    }
}
