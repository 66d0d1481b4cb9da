//! Random programs: every way to a gradient gives the same one. `RETROGRADE_PROGRAMS` sets how many are tried.

use std::collections::BTreeMap;

use retrograde_tests::program::Program;

#[test]
fn every_way_to_a_gradient_agrees() {
    let count: u64 =
        std::env::var("RETROGRADE_PROGRAMS").map_or(6_000, |count| count.parse().expect("a number"));
    let (mut names, mut compared) = (BTreeMap::<&str, usize>::new(), [0; 3]);
    for seed in 0..count {
        let program = Program::seeded(seed);
        program.names().for_each(|name| *names.entry(name).or_default() += 1);
        let result = std::panic::catch_unwind(|| program.check());
        compared[result.unwrap_or_else(|_| panic!("seed {seed}")) as usize] += 1;
    }
    let [all, without_differences, untracked] = compared;
    println!(
        "{all} programs in full, {without_differences} near a kink, {untracked} without a gradient; {names:?}"
    );
    // A generator that only makes what cannot be compared would find nothing.
    assert!(5 * all > 4 * count as usize, "{compared:?}");
    let rare: Vec<_> = names.iter().filter(|&(_, &times)| times < count as usize / 200).collect();
    assert!(names.len() >= 40 && rare.is_empty(), "{} operations, of which seldom: {rare:?}", names.len());
}
