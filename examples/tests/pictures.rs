//! The pictures of the course are those that its program draws, and the figures of the examples stand on their page.

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

/// The figures that `scripts/figures` draws: each says what it shows, fits a dark page, is small, and is shown.
#[test]
fn the_figures_of_the_examples_are_described_and_shown() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let page = std::fs::read_to_string(docs.join("examples.md")).unwrap();
    let mut figures = 0;
    for entry in std::fs::read_dir(docs.join("figures")).unwrap() {
        let path = entry.unwrap().path();
        let (name, drawn) =
            (path.file_name().unwrap().to_string_lossy(), std::fs::read_to_string(&path).unwrap());
        for part in ["<title id=", "<desc id=", "prefers-color-scheme:dark", "role=\"img\""] {
            assert!(drawn.contains(part), "{name} has no {part}");
        }
        assert!(drawn.len() < 150_000, "{name} has {} bytes", drawn.len());
        assert!(page.contains(&format!("(figures/{name})")), "the page does not show {name}");
        figures += 1;
    }
    assert_eq!(figures, page.matches("](figures/").count());
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
