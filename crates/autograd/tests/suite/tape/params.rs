//! Parameters that change: what a tape makes of another value, and what an update may do.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use retrograde_autograd::{Error, Param, Placeholder, Tape};
use retrograde_tensor::{Shape, Tensor};

fn w(value: f64) -> Param<f64> {
    Param::new("w", Tensor::from([[value]]))
}

/// The text of a panic.
fn text(panic: Box<dyn std::any::Any + Send>) -> String {
    panic.downcast_ref::<String>().cloned().unwrap_or_default()
}

/// The outcome of `f`, if it ends at all: the text of a panic as an error.
fn ended<R: Send + 'static>(f: impl FnOnce() -> R + Send + 'static) -> Result<R, String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let outcome = catch_unwind(AssertUnwindSafe(f));
        let text = |panic: Box<dyn std::any::Any + Send>| {
            panic.downcast_ref::<String>().cloned().unwrap_or_default()
        };
        sender.send(outcome.map_err(text)).unwrap();
    });
    receiver.recv_timeout(Duration::from_secs(60)).expect("it hangs")
}

#[test]
fn a_tape_refuses_another_value_of_a_parameter() {
    type Change = fn(&Param<f64>);
    let changes: [(&str, Change); 3] = [
        ("set", |w| w.set(Tensor::from([[5.0]])).unwrap()),
        ("update", |w| w.update(|w| *w = &*w + 1.0)),
        ("update in place", |w| w.update(|w| w.as_mut_slice()[0] = 5.0)),
    ];
    for (name, change) in changes {
        for recompute in [false, true] {
            let (w, tape) = (w(4.0), Tape::new());
            let x = tape.var(Tensor::from([[2.0]]));
            let record = || x.matmul(&w).square().sum();
            let y = if recompute { tape.recompute(record) } else { record() };
            change(&w);
            assert!(matches!(&tape.changed_params()[..], [changed] if changed.same(&w)), "{name}");
            let expected = Error::ParamChanged { name: "w".into() };
            assert_eq!(tape.try_param(&w).unwrap_err(), expected, "{name}");
            assert_eq!(x.try_matmul(&w).unwrap_err(), expected, "{name}");
            assert_eq!(x.try_add(&w).unwrap_err(), expected, "{name}");
            assert_eq!(x.try_mul(&w).unwrap_err(), expected, "{name}");
            let panic = catch_unwind(AssertUnwindSafe(|| &x + &w)).unwrap_err();
            let text = panic.downcast_ref::<String>().unwrap();
            assert!(text.contains("parameter w") && text.contains("fresh tape"), "{text}");
            // What was recorded stands, at the value that was recorded: y = (x w)², dw = 2 x² w.
            for _ in 0..2 {
                assert_eq!(y.backward().unwrap().get(&w), Some(&Tensor::from([[32.0]])), "{name}");
            }
            // A fresh tape has the new value.
            assert_eq!(Tape::new().param(&w).value(), &Tensor::from([[5.0]]));
        }
    }
}

#[test]
fn a_tape_takes_the_same_value_again() {
    let (w, tape) = (w(4.0), Tape::new());
    tape.param(&w);
    assert!(tape.changed_params().is_empty());
    w.set(Tensor::from([[7.0]])).unwrap();
    w.set(Tensor::from([[4.0]])).unwrap();
    assert_eq!(tape.param(&w).id(), tape.param(&w).id());
    assert!(tape.changed_params().is_empty());
    // Nothing is recorded on an inference tape, so nothing can be stale.
    let inference = Tape::inference();
    inference.param(&w);
    w.set(Tensor::from([[8.0]])).unwrap();
    assert_eq!(inference.param(&w).value(), &Tensor::from([[8.0]]));
}

/// Many parameters, each found among all the others.
#[test]
fn each_parameter_is_found() {
    let params: Vec<_> = (0..300).map(|i| Param::new("same name", Tensor::from([f64::from(i)]))).collect();
    let tape = Tape::new();
    for _ in 0..2 {
        for (i, param) in params.iter().enumerate() {
            let var = tape.param(param);
            assert_eq!((var.id().unwrap().index(), var.value()), (i, &param.value()));
        }
    }
    assert_eq!(tape.len(), 300);
}

#[test]
fn an_update_may_read_print_and_record_the_parameter() {
    let found = ended(|| {
        let w = w(3.0);
        w.update(|value| {
            let printed = format!("{w:?}");
            assert!(printed.contains('w'), "{printed}");
            let (tape, shape) = (Tape::new(), w.shape());
            let square = tape.param(&w).square().sum();
            assert_eq!(square.backward().unwrap().get(&w), Some(&Tensor::from([[6.0]])));
            assert_eq!(shape, Shape::from([1, 1]));
            *value = &*value * 0.5 + &(w.clone().value() * 0.5) + square.value();
        });
        w.value()
    });
    assert_eq!(found.unwrap(), Tensor::from([[12.0]]));
}

#[test]
fn an_update_may_not_change_the_parameter_otherwise() {
    let changes: [fn(&Param<f64>); 2] = [
        |w| w.update(|w| *w = Tensor::from([[9.0]])),
        |w| w.set(Tensor::from([[9.0]])).unwrap_or_else(|error| panic!("{error}")),
    ];
    for change in changes {
        let (outcome, value) = ended(move || {
            let w = w(3.0);
            let inner = w.clone();
            let outcome = catch_unwind(AssertUnwindSafe(|| w.update(|_| change(&inner))));
            // The parameter is of use afterwards.
            assert_eq!(w.value(), Tensor::from([[3.0]]));
            w.update(|w| *w = &*w + 1.0);
            (outcome.map_err(text), w.value())
        })
        .unwrap();
        let text = outcome.unwrap_err();
        assert!(text.contains('w') && text.contains("update"), "{text}");
        assert_eq!(value, Tensor::from([[4.0]]));
    }
}

#[test]
fn an_update_to_another_shape_changes_nothing() {
    let w = w(3.0);
    let (expected, found) = (Box::new(Shape::from([1, 1])), Box::new(Shape::from([2])));
    let error = Error::ParamShape { name: "w".into(), expected, found };
    assert_eq!(w.try_update(|w| *w = Tensor::from([1.0, 2.0])), Err(error));
    assert!(catch_unwind(AssertUnwindSafe(|| w.update(|w| *w = Tensor::from([1.0, 2.0])))).is_err());
    assert!(
        catch_unwind(AssertUnwindSafe(|| w.update(|w| {
            w.as_mut_slice()[0] = 7.0;
            panic!("halfway")
        })))
        .is_err()
    );
    assert_eq!(w.value(), Tensor::from([[3.0]]));
    w.update(|w| *w = &*w + 1.0);
    assert_eq!(w.value(), Tensor::from([[4.0]]));
}

/// Each thread is within an update of its parameter when it turns to that of the other.
fn crossed(turn: fn(&Param<f64>)) -> Vec<Result<(), String>> {
    let params = [w(1.0), w(2.0)];
    let barrier = Arc::new(Barrier::new(2));
    let threads: Vec<_> = [0, 1]
        .map(|i| {
            let (mine, other, barrier) = (params[i].clone(), params[1 - i].clone(), Arc::clone(&barrier));
            thread::spawn(move || {
                ended(move || {
                    mine.update(|value| {
                        barrier.wait();
                        turn(&other);
                        *value = &*value + 1.0;
                        barrier.wait();
                    });
                })
            })
        })
        .into();
    threads.into_iter().map(|thread| thread.join().unwrap()).collect()
}

#[test]
fn updates_that_read_each_other_end() {
    assert_eq!(crossed(|other| drop(other.value())), [Ok(()), Ok(())]);
    assert_eq!(crossed(|other| drop(format!("{other:?}"))), [Ok(()), Ok(())]);
    assert_eq!(crossed(|other| drop(Tape::new().param(other).value().clone())), [Ok(()), Ok(())]);
    assert_eq!(crossed(|other| other.set(Tensor::from([[5.0]])).unwrap()), [Ok(()), Ok(())]);
    let nested = crossed(|other| {
        let refused = other.try_update(|_| {}).unwrap_err();
        assert_eq!(refused, Error::ParamUpdating { name: "w".into() });
    });
    assert_eq!(nested, [Ok(()), Ok(())]);
}

#[test]
fn no_update_of_many_threads_is_lost() {
    let w = w(0.0);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..500).for_each(|_| w.update(|w| *w = &*w + 1.0)));
        }
        scope.spawn(|| (0..500).for_each(|_| assert!(w.value().at(&[0, 0]) >= 0.0)));
    });
    assert_eq!(w.value(), Tensor::from([[2000.0]]));
}

#[test]
fn a_variable_stands_for_a_parameter_until_it_is_unbound() {
    let (w, tape) = (w(4.0), Tape::new());
    let x = tape.var(Tensor::from([[3.0]]));
    tape.bind(&w, tape.param(&w).square()).unwrap();
    let grads = (&x * &w).backward_with(&Tensor::from([[0.5]])).unwrap(); // x w²
    assert_eq!((grads.get(&x), grads.get(&w)), (Some(&Tensor::from([[8.0]])), Some(&Tensor::from([[12.0]]))));
    tape.unbind(&w);
    assert_eq!((&x * &w).value(), &Tensor::from([[12.0]]));
    let refused = tape.bind(&w, Tensor::from([1.0])).unwrap_err();
    assert!(matches!(refused, Error::ParamShape { .. }), "{refused}");
}

#[test]
fn a_placeholder_is_bound_on_each_tape() {
    let memory = Placeholder::new("memory");
    let [first, second] = [Tape::new(), Tape::new()];
    let bound = first.var(Tensor::from([[3.0]]));
    memory.bind(&bound);
    let grads = (&bound * &memory).backward_with(&Tensor::from([[0.5]])).unwrap();
    assert_eq!(grads.get(&bound), Some(&Tensor::from([[3.0]])));
    let unbound = second.var(Tensor::from([[5.0]])).try_mul(&memory).unwrap_err();
    assert_eq!(unbound, Error::Unbound { name: "memory".into() });
    memory.bind(&second.var(Tensor::from([[7.0]])));
    assert_eq!((second.var(Tensor::from([[5.0]])) * &memory).value(), &Tensor::from([[35.0]]));
}
