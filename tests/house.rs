//! The book draws the house truly: every room that `docs/design.md` names is there, and no crate has another one.

use std::collections::BTreeSet;
use std::path::Path;

#[test]
fn the_floor_plan_is_true() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let design = std::fs::read_to_string(root.join("docs/design.md")).unwrap();
    let plan = design.split("```text\ncrates/tensor").nth(1).unwrap().split("```").next().unwrap();
    let (mut floor, mut rooms) = ("crates/tensor".to_owned(), BTreeSet::new());
    for line in plan.lines().skip(1) {
        let words = line.split([' ', ';', ',', ':']).filter(|word| !word.is_empty());
        if !line.starts_with(' ') {
            floor = words.take(1).collect();
            assert!(root.join(&floor).exists(), "there is no {floor}");
            continue;
        }
        for name in words.filter(|word| word.ends_with('/') || word.ends_with(".rs")) {
            rooms.insert(format!("{floor}/src/{}", name.trim_end_matches('/')));
        }
    }
    for room in &rooms {
        assert!(root.join(room).exists(), "the plan draws {room}, which is not there");
    }
    for floor in ["tensor", "autograd", "nn", "check"] {
        for entry in std::fs::read_dir(root.join("crates").join(floor).join("src")).unwrap() {
            let entry = entry.unwrap();
            let room = format!("crates/{floor}/src/{}", entry.file_name().to_string_lossy());
            let known = !entry.path().is_dir() || rooms.contains(&room);
            assert!(known, "the plan does not draw {room}");
        }
    }
}
