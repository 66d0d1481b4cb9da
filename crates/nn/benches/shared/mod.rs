//! Common parts of the benches: options and timing.

use std::time::{Duration, Instant};

/// The options of a command line, `--name value` or `--flag`.
pub(crate) struct Options(Vec<String>);

impl Options {
    /// The options that this program was called with, less what Cargo adds. Ends the program with `usage` if it is
    /// asked for, or if there is an option other than those named, which take a value, and `flags`, which take none.
    pub(crate) fn new(usage: &str, named: &[&str], flags: &[&str]) -> Self {
        let given: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
        let mut rest = given.iter();
        while let Some(option) = rest.next() {
            if option == "--help" {
                println!("{usage}");
                std::process::exit(0);
            }
            let name = option.as_str();
            if !(flags.contains(&name) || named.contains(&name) && rest.next().is_some()) {
                fail(&format!("{option}: expected one of the options below, with its value\n{usage}"));
            }
        }
        Options(given)
    }

    /// Whether a flag was given.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.0.iter().any(|option| option == name)
    }

    /// The value of an option.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().skip_while(|option| *option != name).nth(1).map(String::as_str)
    }

    /// The number that an option gives, or the usual one.
    pub(crate) fn number(&self, name: &str, usual: usize) -> usize {
        self.value(name).map_or(usual, |found| {
            found.parse().unwrap_or_else(|_| fail(&format!("{name}: expected a whole number, found {found}")))
        })
    }

    /// The number of threads asked for; 1 unless told.
    pub(crate) fn threads(&self) -> usize {
        match self.number("--threads", 1) {
            0 => fail("--threads: expected at least 1, found 0"),
            threads => threads,
        }
    }
}

/// Ends the program with a message.
pub(crate) fn fail(message: &str) -> ! {
    eprintln!("error: {message}");
    std::process::exit(2)
}

/// A program that runs once, and says how long its parts took.
pub(crate) type Timed<'a, const PARTS: usize> = Box<dyn FnMut() -> [f64; PARTS] + 'a>;

/// The median of each part of each of several programs, which are run by turns: twice to warm up, then until half a
/// second for each has passed, and at least five times. Quickly, once.
pub(crate) fn medians<const PARTS: usize>(
    quick: bool,
    programs: &mut [Timed<'_, PARTS>],
) -> Vec<[f64; PARTS]> {
    let (rounds, most) = if quick { (1, 1) } else { (5, 4000) };
    if !quick {
        (0..2).for_each(|_| {
            programs.iter_mut().for_each(|program| {
                program();
            })
        });
    }
    let (clock, limit) = (Instant::now(), Duration::from_millis(500) * programs.len() as u32);
    let mut taken = vec![Vec::new(); programs.len()];
    while taken[0].len() < rounds || (clock.elapsed() < limit && taken[0].len() < most) {
        for (program, taken) in programs.iter_mut().zip(&mut taken) {
            taken.push(program());
        }
    }
    taken
        .iter()
        .map(|taken| std::array::from_fn(|part| median(taken.iter().map(|each| each[part]))))
        .collect()
}

fn median(numbers: impl Iterator<Item = f64>) -> f64 {
    let mut numbers: Vec<f64> = numbers.collect();
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}
