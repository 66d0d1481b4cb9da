//! The gallery: every cell is checked, is the same however it is run, is short, and learns.

#![allow(dead_code)]

#[path = "../gallery/cells/mod.rs"]
mod cells;
#[path = "../gallery/gallery.rs"]
mod gallery;
#[path = "../gallery/task.rs"]
mod task;
#[path = "../gallery/verify.rs"]
mod verify;

#[test]
fn every_cell_is_right() {
    for entry in gallery::entries() {
        for seed in 0..3 {
            let report = (entry.check)(seed).unwrap();
            assert!(report.is_ok() && !report.rows().is_empty(), "{}, seed {seed}:\n{report}", entry.name);
        }
    }
}

#[test]
fn every_cell_is_the_same_however_it_is_run() {
    for entry in gallery::entries() {
        for seed in 0..3 {
            println!("{}, seed {seed}", entry.name);
            (entry.agree)(seed);
        }
    }
}

#[test]
fn every_cell_learns() {
    let sizes = task::Sizes { batch: 16, steps: 8, updates: 400 };
    for entry in gallery::entries() {
        let trained = (entry.train)(&sizes, 1).unwrap();
        println!("{}: {:.4}", entry.name, trained.loss);
        assert!(trained.loss < (task::LETTERS as f64).ln() / 2.0, "{}: {}", entry.name, trained.loss);
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
