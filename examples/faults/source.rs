//! The source of an exercise, read as text: whether it repairs the pass by hand, or has the pass made elsewhere.

/// The lines by which an exercise may name what is outside of it.
const USES: [&str; 2] = ["use retrograde::check::Named;", "use retrograde::autograd::{Tape, Var};"];
/// Tensors know no tape, so any of their names may be used.
const TENSORS: &str = "use retrograde::tensor::";

/// The other words by which code leaves its file.
const WAYS_OUT: [&str; 8] =
    ["crate", "super", "extern", "mod", "include", "include_str", "include_bytes", "macro_rules"];

/// The first line that reaches for more than the exercise had, and the word by which it does. All paths out of a file
/// begin with one of these words, so that a pass without them is made of tensors alone.
pub(crate) fn reach(source: &str, is_by_hand: bool) -> Option<(usize, &str)> {
    let uses = if is_by_hand { &USES[..1] } else { &USES };
    source.lines().enumerate().find_map(|(i, line)| {
        let line = line.trim();
        if line.starts_with("//") || uses.contains(&line) {
            return None;
        }
        let words = line
            .trim_start_matches("pub(crate) ")
            .trim_start_matches(TENSORS)
            .split(|c: char| !c.is_alphanumeric() && c != '_');
        let leads_out = |word: &&str| word.starts_with("retrograde") || WAYS_OUT.contains(word);
        Some((i + 1, words.into_iter().find(leads_out)?))
    })
}
