//! The zoo of faults: every one is caught, by name, and nothing that is right is reported.

mod zoo;

use retrograde_autograd::check::{Error, Oracle, Pattern, Report};
use zoo::Fault;

#[test]
fn look() {
    for fault in Fault::ALL {
        let clock = std::time::Instant::now();
        println!("=== {fault:?} {}", fault.text());
        match fault.check() {
            Ok(report) => println!("{report}{:?}", clock.elapsed()),
            Err(error) => println!("{error}"),
        }
    }
}
