//! The ranks of a job, which end together, well or not.

use std::cell::Cell;
use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use mpi::Threading;
use mpi::collective::SystemOperation;
use mpi::topology::SimpleCommunicator;
use mpi::traits::*;

/// A result with any error.
pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Runs `main` on this rank, and returns when all ranks have come to its end.
///
/// MPI waits for all ranks at its end, so one that comes there early, for an error, a panic or a `return`, would let the
/// others wait for ever. Here it ends the job: all ranks, with its number and its error on standard error.
///
/// A rank that waits for the others longer than `timeout` ends the job too: one of them hangs, or a link is cut.
pub fn run(timeout: Duration, main: impl FnOnce(&Ranks) -> Result<()>) -> ExitCode {
    // Only the thread that starts MPI calls it.
    let Some((universe, _)) = mpi::initialize_with_threading(Threading::Funneled) else {
        eprintln!("mpi: expected to be started once in a process, found it started");
        return ExitCode::FAILURE;
    };
    let ranks = Ranks::new(universe.world(), timeout);
    match catch_unwind(AssertUnwindSafe(|| main(&ranks).and_then(|()| ranks.meet(ENDED, [0.0; 2]).map(drop))))
    {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => ranks.abort(&error.to_string()),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
            ranks.abort(&format!("panicked: {text}"))
        }
    }
}

/// All ranks, as one of them sees them.
pub struct Ranks {
    world: SimpleCommunicator,
    /// The number of the sum that this rank is in.
    sums: Cell<u64>,
    watch: Watch,
}

/// Stands in the place of the number of a sum: there is no further one.
const ENDED: u64 = u64::MAX;

impl Ranks {
    fn new(world: SimpleCommunicator, timeout: Duration) -> Self {
        let watch = Watch::new(format!("rank {} of {}", world.rank(), world.size()), timeout);
        Ranks { world, sums: Cell::new(0), watch }
    }

    /// The number of this rank, from 0.
    #[must_use]
    pub fn rank(&self) -> usize {
        self.world.rank() as usize
    }

    /// The number of ranks.
    #[must_use]
    pub fn size(&self) -> usize {
        self.world.size() as usize
    }

    /// Ends the job: all ranks, on all machines.
    pub fn abort(&self, error: &str) -> ! {
        eprintln!("rank {} of {}: {error}", self.rank(), self.size());
        self.world.abort(1)
    }

    /// Checks that all ranks found the same number, such as a hash of all parameters.
    ///
    /// # Errors
    /// If one did not.
    pub fn agree(&self, name: &str, found: u64) -> Result<()> {
        let all = self.gather(&[found])?;
        match all.iter().position(|&other| other != found) {
            None => Ok(()),
            Some(rank) => Err(format!(
                "{name}: expected {found:016x} on all ranks, found {:016x} on rank {rank}",
                all[rank]
            )
            .into()),
        }
    }

    /// Returns the sums of two numbers over all ranks in their order, having made sure that all are in the next sum.
    pub(crate) fn next_sum(&self, numbers: [f64; 2]) -> Result<[f64; 2]> {
        self.sums.set(self.sums.get() + 1);
        self.meet(self.sums.get(), numbers)
    }

    fn meet(&self, sum: u64, [a, b]: [f64; 2]) -> Result<[f64; 2]> {
        let all = self.gather(&[sum, a.to_bits(), b.to_bits()])?;
        let name = |sum| if sum == ENDED { "its end".to_owned() } else { format!("sum {sum}") };
        if let Some((rank, found)) = all.chunks(3).enumerate().find(|(_, found)| found[0] != sum) {
            return Err(format!(
                "expected all ranks at {}, found rank {rank} at {}",
                name(sum),
                name(found[0])
            )
            .into());
        }
        let add = |place| all.iter().skip(place).step_by(3).map(|&bits| f64::from_bits(bits)).sum();
        Ok([add(1), add(2)])
    }

    /// Returns what all ranks have, which are as many numbers on each, one after the other.
    pub(crate) fn gather<T: Equivalence + Default + Clone>(&self, mine: &[T]) -> Result<Vec<T>> {
        let numbers = mine.len().checked_mul(self.size()).filter(|&numbers| i32::try_from(numbers).is_ok());
        let numbers = numbers.ok_or("gather: expected at most 2³¹ - 1 numbers in all, found more")?;
        let mut all = vec![T::default(); numbers];
        self.watch.during(|| self.world.all_gather_into(mine, &mut all[..]));
        Ok(all)
    }

    /// Adds up what all ranks have in the order that MPI chooses.
    pub(crate) fn all_reduce(&self, numbers: &mut Vec<f32>) {
        let mut sums = vec![0.0; numbers.len()];
        self.watch.during(|| self.world.all_reduce_into(&numbers[..], &mut sums[..], SystemOperation::sum()));
        *numbers = sums;
    }
}

/// A thread that ends the process when it waits for the others too long. MPI's own calls know no such limit, and a
/// connection of TCP that is cut is noticed after a quarter of an hour.
#[derive(Debug)]
struct Watch {
    start: Instant,
    /// When the present wait began, in milliseconds from the start; `u64::MAX` outside of one.
    since: Arc<AtomicU64>,
}

impl Watch {
    fn new(name: String, timeout: Duration) -> Self {
        let (start, since) = (Instant::now(), Arc::new(AtomicU64::new(u64::MAX)));
        let watched = Arc::clone(&since);
        thread::spawn(move || {
            loop {
                thread::sleep(timeout.min(Duration::from_millis(500)) / 2);
                let since = watched.load(Relaxed);
                let now = start.elapsed().as_millis() as u64;
                if since != u64::MAX && now.saturating_sub(since) > timeout.as_millis() as u64 {
                    eprintln!("{name}: waited for the other ranks for {timeout:?}");
                    // `mpirun` ends the other ranks when it sees that one has died.
                    std::process::abort();
                }
            }
        });
        Watch { start, since }
    }

    fn during<R>(&self, wait: impl FnOnce() -> R) -> R {
        self.since.store(self.start.elapsed().as_millis() as u64, Relaxed);
        let result = wait();
        self.since.store(u64::MAX, Relaxed);
        result
    }
}
