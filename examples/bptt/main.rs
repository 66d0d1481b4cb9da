//! The main job of this project.
fn main() {}
