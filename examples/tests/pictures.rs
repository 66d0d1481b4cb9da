//! The pictures of the course are those that its program draws.

use std::path::Path;

use retrograde_examples::pictures::{all, in_korean};

#[test]
fn the_committed_pictures_come_out_again() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/learn");
    let english = all().unwrap().into_iter().map(|(name, drawn)| (name.to_owned(), drawn));
    for (name, drawn) in english.chain(in_korean().unwrap()) {
        let committed = std::fs::read_to_string(folder.join(&name)).unwrap();
        assert!(drawn == committed, "{name}: draw it again with `cargo run --release --example pictures`");
        assert!(drawn.contains("<title id=") && drawn.contains("<desc id="));
        let page = std::fs::read_to_string(folder.join(name.replace(".svg", ".md"))).unwrap();
        let file = name.rsplit('/').next().unwrap();
        assert!(page.contains(&format!("({file})")), "page {name} does not show its picture");
    }
}

#[test]
fn no_word_of_a_picture_in_korean_is_left_in_english() {
    for (name, drawn) in in_korean().unwrap() {
        let (_, drawn) = drawn.split_once("<title").unwrap();
        let (before, rest) = drawn.split_once("<style>").unwrap();
        let (_, after) = rest.split_once("</style>").unwrap();
        for text in before
            .split('>')
            .skip(1)
            .chain(after.split('>').skip(1))
            .filter_map(|part| part.split('<').next())
        {
            let words = text.split(|c: char| !c.is_ascii_alphabetic());
            let english = words.filter(|word| {
                word.len() > 2 && !["RNN", "prev", "tanh", "dWh", "dWx", "dhs"].contains(word)
            });
            assert_eq!(english.collect::<Vec<_>>(), [""; 0], "{name}: {text}");
        }
    }
}
