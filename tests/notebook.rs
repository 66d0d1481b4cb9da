//! The page on the notebook quotes what its program prints.

use std::path::Path;
use std::process::Command;

/// Whether two words are the same text, or numbers that differ in rounding only.
fn agree(quoted: &str, printed: &str) -> bool {
    let number = |word: &str| word.trim_end_matches(',').parse::<f64>();
    match (number(quoted), number(printed)) {
        (Ok(a), Ok(b)) => (a - b).abs() <= 0.2 * a.abs().max(b.abs()) || a.abs().max(b.abs()) < 1e-8,
        _ => quoted == printed,
    }
}

#[test]
fn the_numbers_of_the_notebook_come_out_again() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let output = Command::new("python3").arg(docs.join("notebook/claims.py")).output();
    let printed = match output {
        Ok(output) if output.status.success() => String::from_utf8(output.stdout).unwrap(),
        Ok(output) if String::from_utf8_lossy(&output.stderr).contains("No module named 'numpy'") => {
            return println!("skipped: there is no NumPy here");
        }
        Err(_) => return println!("skipped: there is no Python here"),
        Ok(output) => panic!("{}", String::from_utf8_lossy(&output.stderr)),
    };
    let page = std::fs::read_to_string(docs.join("notebook.md")).unwrap();
    let quoted = page.split("```text\n").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(quoted.lines().count(), printed.lines().count(), "{printed}");
    for (quoted, printed) in quoted.lines().zip(printed.lines()) {
        let (a, b): (Vec<_>, Vec<_>) = (quoted.split(' ').collect(), printed.split(' ').collect());
        assert!(
            a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| agree(a, b)),
            "the page quotes\n  {quoted}\nbut its program prints\n  {printed}"
        );
    }
}
