//! A batch on several threads: what its rows give one after the other, the same each time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::StdRng;
use retrograde_autograd::{Gradients, Tape};
use retrograde_nn::{LstmCell, Module, Parallel, TimeLstm, split_even};
use retrograde_tensor::{Tensor, assert_close};

const N: usize = 7;
const T: usize = 4;

fn normal<const R: usize>(shape: [usize; R], seed: u64) -> Tensor<f64> {
    Tensor::normal(shape, 0.0, 1.0, &mut StdRng::seed_from_u64(seed)).unwrap()
}

/// Two windows of a stateful layer in `parts` parts: the gradients of its parameters in each.
fn train(lstm: &TimeLstm<f64>, parts: usize) -> Vec<Vec<Tensor<f64>>> {
    thread::scope(|scope| {
        let mut parallel = Parallel::new(scope, parts, |part| {
            let mut lstm = lstm.clone().stateful(true);
            move |(xs, dhs): (Tensor<f64>, Tensor<f64>)| {
                // The first part is the last to be done.
                thread::sleep(Duration::from_millis(if part == 0 { 5 } else { 0 }));
                let tape = Tape::new();
                lstm.forward(&tape.constant(xs)).unwrap().hs.backward_with(&dhs).unwrap()
            }
        });
        let window = |seed| {
            let (xs, dhs) = (normal([N, T, 2], seed), normal([N, T, 3], seed + 1));
            let parts = split_even(N, parts)
                .map(|rows| (xs.narrow(0, rows.start, rows.len()), dhs.narrow(0, rows.start, rows.len())));
            let mut parts = parallel.run(parts.collect()).into_iter();
            let mut grads: Gradients<f64> = parts.next().unwrap();
            parts.for_each(|part| grads.add_params(&part));
            lstm.named_params().iter().map(|(_, param)| grads.get(param).unwrap().clone()).collect()
        };
        [10, 20].map(window).into()
    })
}

#[test]
fn parts_add_up_to_the_whole() {
    let lstm = TimeLstm::new(LstmCell::new(2, 3, &mut StdRng::seed_from_u64(1)));
    let whole = train(&lstm, 1);
    for parts in [2, 3, 9] {
        let found = train(&lstm, parts);
        for (whole, found) in whole.iter().flatten().zip(found.iter().flatten()) {
            assert_close!(found, whole, 1e-12, 1e-12);
        }
        assert_eq!(found, train(&lstm, parts), "{parts} parts, again");
    }
}

#[test]
fn a_panic_in_a_part_reaches_the_caller_and_does_not_disturb_the_next_batch() {
    thread::scope(|scope| {
        let mut parallel = Parallel::new(scope, 3, |part| {
            move |x: usize| {
                assert!(x < 10, "part {part}: too large");
                x * x
            }
        });
        for wrong in 0..3 {
            let mut inputs = vec![1, 2, 3];
            inputs[wrong] = 10;
            let panic = catch_unwind(AssertUnwindSafe(|| parallel.run(inputs))).unwrap_err();
            assert_eq!(panic.downcast_ref::<String>().unwrap(), &format!("part {wrong}: too large"));
            assert_eq!(parallel.run(vec![4, 5, 6]), [16, 25, 36]);
        }
        for wrong in [vec![], vec![1, 2, 3, 4]] {
            let refused = catch_unwind(AssertUnwindSafe(|| parallel.run(wrong))).unwrap_err();
            assert!(refused.downcast_ref::<String>().unwrap().contains("expected 1 to 3 inputs"));
        }
    });
}

/// A batch of fewer rows than parts: nobody gets an empty part, and nobody waits for one that has nothing to do.
#[test]
fn fewer_rows_than_parts() {
    for n in 0..6 {
        for parts in 1..6 {
            let ranges: Vec<_> = split_even(n, parts).collect();
            assert_eq!(ranges.len(), parts.min(n).max(1));
            let rows: Vec<usize> = ranges.iter().cloned().flatten().collect();
            assert_eq!(rows, (0..n).collect::<Vec<_>>());
            let lengths: Vec<usize> = ranges.iter().map(ExactSizeIterator::len).collect();
            assert!(lengths.iter().max().unwrap() - lengths.iter().min().unwrap() <= 1);
        }
    }
    let caller = thread::current().id();
    thread::scope(|scope| {
        let mut parallel = Parallel::new(scope, 3, |_| move |x: usize| (x + 1, thread::current().id()));
        assert_eq!(parallel.run(vec![7]), [(8, caller)]);
        let two = parallel.run(vec![7, 8]);
        assert_eq!([two[0], (two[1].0, caller)], [(8, caller), (9, caller)]);
        assert_ne!(two[1].1, caller);
        assert_eq!(parallel.run(vec![1, 2, 3]).iter().map(|part| part.0).collect::<Vec<_>>(), [2, 3, 4]);
        assert_eq!(format!("{parallel:?}"), "Parallel { parts: 3, .. }");
    });
}
