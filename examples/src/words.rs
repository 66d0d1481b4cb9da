//! A text as words.

use std::collections::BTreeMap;

/// The token of every word that is too rare to be learned.
const RARE: &str = "<unk>";

/// A text as numbers of its vocabulary.
#[derive(Clone, Debug)]
pub struct Words {
    /// The words that occur more than once, in alphabetical order, and `<unk>`.
    pub vocabulary: Vec<String>,
    /// The text, as indices into the vocabulary.
    pub ids: Vec<usize>,
}

impl Words {
    /// A word is a run of letters and digits, in lower case, or a mark that ends or divides a sentence.
    pub fn new(text: &str) -> Self {
        let text = text.to_lowercase();
        let mut words: Vec<&str> = Vec::new();
        for run in text.split_inclusive(|c: char| !c.is_alphanumeric()) {
            let word = run.trim_end_matches(|c: char| !c.is_alphanumeric());
            let mark = &run[word.len()..];
            words.extend([word].into_iter().filter(|word| !word.is_empty()));
            words
                .extend([mark].into_iter().filter(|mark| matches!(*mark, "." | "," | ";" | ":" | "?" | "!")));
        }
        let mut counts: BTreeMap<&str, usize> = BTreeMap::from([(RARE, 2)]);
        for &word in &words {
            *counts.entry(word).or_default() += 1;
        }
        let vocabulary: Vec<&str> =
            counts.into_iter().filter(|&(_, count)| count > 1).map(|(word, _)| word).collect();
        let id = |word: &&str| vocabulary.binary_search(word).or(vocabulary.binary_search(&RARE));
        let ids = words.iter().map(|word| id(word).expect("rare words have a number")).collect();
        Words { vocabulary: vocabulary.into_iter().map(str::to_owned).collect(), ids }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_words_and_marks() {
        let words = Words::new("The tape, the TAPE: a list.\nThe list");
        assert_eq!(words.vocabulary, ["<unk>", "list", "tape", "the"]);
        assert_eq!(words.ids, [3, 2, 0, 3, 2, 0, 0, 1, 0, 3, 1]);
    }

    #[test]
    fn nothing_is_no_word() {
        assert!(Words::new(" \n--").ids.is_empty());
    }
}
