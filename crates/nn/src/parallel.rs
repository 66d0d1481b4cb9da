//! Rows of a batch on several threads.

use std::fmt;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, Scope};

/// Threads that each do their part of every batch, for as long as a scope lasts.
///
/// The rows of a batch do not depend on one another: each thread records its rows on its own tape, and the
/// gradients are [added up](retrograde_autograd::Gradients::add_params) in the order of the parts. The threads may finish in any order: with the same number of parts, results are the same bit for bit. (With another number,
/// sums are rounded in another order.)
///
/// The calling thread does the first part, so one part spawns nothing. Part `i` is always done by the same function
/// made for it, which may keep a state, such as that of a [stateful](crate::Time::stateful) layer.
///
/// # Example
/// ```
/// use rand::{SeedableRng, rngs::StdRng};
/// use retrograde_autograd::Tape;
/// use retrograde_nn::{Parallel, RnnCell, TimeRnn, split_even};
/// use retrograde_tensor::Tensor;
///
/// let mut rng = StdRng::seed_from_u64(1);
/// let rnn = TimeRnn::<f64>::new(RnnCell::new(3, 4, &mut rng));
/// let xs = Tensor::normal([5, 7, 3], 0.0, 1.0, &mut rng)?; // [N, T, D]
///
/// let grads = std::thread::scope(|scope| {
///     let mut parallel = Parallel::new(scope, 2, |_part| {
///         let mut rnn = rnn.clone(); // the same parameters
///         move |xs: Tensor<f64>| {
///             let tape = Tape::new();
///             let out = rnn.forward(&tape.constant(xs))?;
///             Ok::<_, retrograde_nn::Error>(out.hs.square().sum().backward()?)
///         }
///     });
///     let parts = split_even(5, 2).map(|rows| xs.narrow(0, rows.start, rows.len())).collect();
///     let mut parts = parallel.run(parts).into_iter();
///     let mut grads = parts.next().unwrap()?;
///     for part in parts {
///         grads.add_params(&part?);
///     }
///     Ok::<_, retrograde_nn::Error>(grads)
/// })?;
/// assert_eq!(grads.get(&rnn.cell.wx).unwrap().dims(), [3, 4]);
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
pub struct Parallel<'scope, I, O> {
    first: Box<dyn FnMut(I) -> O + 'scope>,
    others: Vec<Worker<I, O>>,
}

/// A thread, by its two ends: what it is to do, and what came of it, or what it panicked with.
struct Worker<I, O> {
    inputs: Sender<I>,
    outputs: Receiver<thread::Result<O>>,
}

impl<'scope, I: Send + 'scope, O: Send + 'scope> Parallel<'scope, I, O> {
    /// Starts one thread less than there are parts, since the calling thread does the first; `part` makes the function of
    /// each part.
    ///
    /// The threads end when this is dropped.
    ///
    /// # Panics
    /// If there are no parts.
    #[track_caller]
    pub fn new<F>(scope: &'scope Scope<'scope, '_>, parts: usize, mut part: impl FnMut(usize) -> F) -> Self
    where
        F: FnMut(I) -> O + Send + 'scope,
    {
        assert!(parts > 0, "parallel: expected at least 1 part, found 0");
        let first = Box::new(part(0));
        let others = (1..parts).map(|i| Worker::new(scope, part(i))).collect();
        Parallel { first, others }
    }

    /// Returns the number of parts.
    #[must_use]
    pub fn parts(&self) -> usize {
        1 + self.others.len()
    }

    /// Does one part for each input at the same time, and returns their outputs in order.
    ///
    /// With fewer inputs than parts, as a batch of few rows gives them, the parts without an input do nothing, and
    /// nobody waits for them. A single input is done by the calling thread.
    ///
    /// # Panics
    /// If there is no input, or if there are more than parts. If a part panics, so does this, when all are done.
    #[track_caller]
    pub fn run(&mut self, inputs: Vec<I>) -> Vec<O> {
        let (parts, found) = (self.parts(), inputs.len());
        assert!((1..=parts).contains(&found), "parallel: expected 1 to {parts} inputs, found {found}");
        let mut inputs = inputs.into_iter();
        let first = inputs.next().expect("there is at least one input");
        let others = &self.others[..found - 1];
        for (worker, input) in others.iter().zip(inputs) {
            worker.inputs.send(input).expect("a worker waits until it is dropped");
        }
        // Caught, so that no output of this batch is left for the next one to take for its own.
        let first = catch_unwind(AssertUnwindSafe(|| (self.first)(first)));
        let others: Vec<_> = others.iter().map(Worker::output).collect();
        let all = std::iter::once(first).chain(others);
        all.map(|output| output.unwrap_or_else(|panic| resume_unwind(panic))).collect()
    }
}

impl<I: Send, O: Send> Worker<I, O> {
    fn new<'scope, F>(scope: &'scope Scope<'scope, '_>, mut part: F) -> Self
    where
        I: 'scope,
        O: 'scope,
        F: FnMut(I) -> O + Send + 'scope,
    {
        let (inputs, waiting) = channel::<I>();
        let (done, outputs) = channel();
        scope.spawn(move || {
            for input in waiting {
                let output = catch_unwind(AssertUnwindSafe(|| part(input)));
                if done.send(output).is_err() {
                    break;
                }
            }
        });
        Worker { inputs, outputs }
    }

    fn output(&self) -> thread::Result<O> {
        self.outputs.recv().expect("a worker answers each input")
    }
}

impl<I, O> fmt::Debug for Parallel<'_, I, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parallel").field("parts", &(1 + self.others.len())).finish_non_exhaustive()
    }
}

/// Splits `n` rows into at most `parts` ranges of almost equal length, none of which is empty unless `n` is 0: a batch of
/// 1 is one range.
///
/// # Example
/// ```
/// use retrograde_nn::split_even;
///
/// assert_eq!(split_even(5, 2).collect::<Vec<_>>(), [0..3, 3..5]);
/// assert_eq!(split_even(2, 4).collect::<Vec<_>>(), [0..1, 1..2]);
/// ```
///
/// # Panics
/// If there are no parts.
#[track_caller]
pub fn split_even(n: usize, parts: usize) -> impl Iterator<Item = Range<usize>> {
    assert!(parts > 0, "split_even: expected at least 1 part, found 0");
    let parts = parts.min(n).max(1);
    let (count, larger) = (n / parts, n % parts);
    let start = move |part: usize| part * count + part.min(larger);
    (0..parts).map(move |part| start(part)..start(part + 1))
}
