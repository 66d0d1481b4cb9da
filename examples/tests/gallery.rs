//! The gallery: every cell is checked, is the same however it is run, is short, and learns.

#![allow(dead_code)]

#[path = "../gallery/any_cell.rs"]
mod any_cell;
#[path = "../gallery/cells/mod.rs"]
mod cells;
#[path = "../gallery/gallery.rs"]
mod gallery;
#[path = "../gallery/task.rs"]
mod task;
#[path = "../gallery/verify.rs"]
mod verify;

fn right_for(seeds: std::ops::Range<u64>) {
    for entry in gallery::entries() {
        for seed in seeds.clone() {
            let report = verify::check(&entry, seed).unwrap();
            assert!(report.is_ok() && !report.rows().is_empty(), "{}, seed {seed}:\n{report}", entry.name);
        }
    }
}

#[test]
fn every_cell_is_right() {
    right_for(0..2);
}

#[test]
#[ignore = "takes minutes"]
fn every_cell_is_right_for_many_seeds() {
    right_for(2..20);
}

#[test]
fn every_cell_is_the_same_however_it_is_run() {
    for entry in gallery::entries() {
        for seed in 0..3 {
            println!("{}, seed {seed}", entry.name);
            verify::agree(&entry, seed);
        }
    }
}

/// From one of a few beginnings, since training does not succeed from each.
#[test]
fn every_cell_learns() {
    let half = (task::LETTERS as f64).ln() / 2.0; // of guessing
    let sizes = task::Sizes { batch: 16, steps: 8, updates: 400, enough: half };
    for entry in gallery::entries() {
        let mut losses = Vec::new();
        while losses.len() < 4 && losses.last().is_none_or(|&loss| loss > half) {
            losses.push(task::train(&entry, &sizes, losses.len() as u64).unwrap().loss);
        }
        println!("{}: {losses:.4?}", entry.name);
        assert!(losses.last().is_some_and(|&loss| loss <= half), "{}: {losses:?}", entry.name);
    }
}

#[test]
fn cells_are_as_short_as_their_formulas() {
    let mut lines: Vec<_> = gallery::entries().iter().map(|entry| (entry.lines(), entry.name)).collect();
    lines.sort_unstable();
    println!("{lines:?}");
    assert!(lines.len() >= 16 && lines[lines.len() / 2].0 <= 18, "{lines:?}");
    assert!(lines.iter().all(|&(lines, _)| (8..=45).contains(&lines)), "{lines:?}");
}
