//! The pictures of the course are those that its program draws.

use std::path::Path;

#[test]
fn the_committed_pictures_come_out_again() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/learn");
    for (name, drawn) in retrograde_examples::pictures::all().unwrap() {
        let committed = std::fs::read_to_string(folder.join(name)).unwrap();
        assert!(drawn == committed, "{name}: draw it again with `cargo run --release --example pictures`");
        assert!(drawn.contains("<title id=") && drawn.contains("<desc id="));
        let page = std::fs::read_to_string(folder.join(name.replace(".svg", ".md"))).unwrap();
        assert!(page.contains(&format!("({name})")), "page {name} does not show its picture");
    }
}
