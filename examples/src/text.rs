//! Text as a stream of characters, each a number of an alphabet.

use std::fs;
use std::path::Path;

use retrograde::nn::{self, Windows};

use crate::{Error, Result};

/// A text, its alphabet, and the text as indices into the alphabet.
#[derive(Clone, Debug)]
pub struct Text {
    /// The name of the text.
    pub name: String,
    /// The characters that occur, in the order of Unicode.
    pub alphabet: Vec<char>,
    /// The text, as indices into the alphabet.
    pub tokens: Vec<usize>,
}

impl Text {
    /// A text that is already in memory.
    pub fn new(name: impl Into<String>, text: &str) -> Self {
        let mut alphabet: Vec<char> = text.chars().collect();
        alphabet.sort_unstable();
        alphabet.dedup();
        let token = |c| alphabet.binary_search(&c).expect("every character is in the alphabet");
        let tokens = text.chars().map(token).collect();
        Text { name: name.into(), alphabet, tokens }
    }

    /// A text file. Line ends are line feeds afterwards, and a byte order mark is not part of the text.
    ///
    /// # Errors
    /// If the file cannot be read, or if it is not UTF-8.
    pub fn read(path: &Path) -> Result<Self> {
        Ok(Self::new(path.display().to_string(), &read(path)?))
    }

    /// The first chapters of a novel, which come with the examples. They never change, so neither does what is learned.
    ///
    /// # Source
    /// J. Austen, *Northanger Abbey* (1817), in the public domain.
    pub fn novel() -> Self {
        Self::new("Northanger Abbey, chapters 1 to 17", include_str!("../data/northanger_abbey.txt"))
    }

    /// Windows over the text, for truncated backpropagation through time.
    ///
    /// # Errors
    /// If a window has no row or no step, or if the text has too few characters.
    pub fn windows(&self, batch: usize, steps: usize) -> Result<Windows<'_>> {
        Windows::new(&self.tokens, batch, steps).map_err(|error| match error {
            nn::Error::TooFewTokens { expected, found, .. } => {
                Error::TooShort { name: self.name.clone(), expected, found, batch, steps }
            }
            error => error.into(),
        })
    }

    /// The tokens of characters, of which there has to be one.
    ///
    /// # Errors
    /// If there is none, or if one is not in the alphabet.
    pub fn encode(&self, characters: &str) -> Result<Vec<usize>> {
        let unknown = |found| Error::UnknownCharacter { name: self.name.clone(), found };
        let token = |c: char| self.alphabet.binary_search(&c).map_err(|_| unknown(c));
        let tokens = characters.chars().map(token).collect::<Result<Vec<usize>>>()?;
        if tokens.is_empty() { Err(Error::NoStart) } else { Ok(tokens) }
    }

    /// The characters of tokens.
    ///
    /// # Panics
    /// If a token is not of this alphabet.
    pub fn decode(&self, tokens: &[usize]) -> String {
        tokens.iter().map(|&token| self.alphabet[token]).collect()
    }

    /// The loss, in nats per character, of guessing by how often each character occurs: `-Σ p ln p`.
    ///
    /// # Source
    /// C. Shannon, *A mathematical theory of communication* (1948), section 6.
    pub fn entropy(&self) -> f64 {
        let mut counts = vec![0_usize; self.alphabet.len()];
        self.tokens.iter().for_each(|&token| counts[token] += 1);
        let occurring = counts.into_iter().filter(|&count| count > 0); // a part of a text may lack some
        let frequency = |count| count as f64 / self.tokens.len() as f64;
        -occurring.map(frequency).map(|p| p * p.ln()).sum::<f64>()
    }
}

fn read(path: &Path) -> Result<String> {
    let bytes = fs::read(path).map_err(|source| Error::Unreadable { path: path.to_owned(), source })?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        Error::NotUtf8 { path: path.to_owned(), offset, byte: error.as_bytes()[offset] }
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(&text).replace("\r\n", "\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_its_tokens() {
        let text = Text::new("song", "la lá");
        assert_eq!(text.alphabet, [' ', 'a', 'l', 'á']);
        assert_eq!(text.tokens, [2, 1, 0, 2, 3]);
        assert_eq!(text.decode(&text.tokens), "la lá");
        assert_eq!(text.encode("al").unwrap(), [1, 2]);
        let error = text.encode("alb").unwrap_err().to_string();
        assert_eq!(error, "start: expected characters of the text song, found 'b'");
        assert_eq!(
            text.encode("").unwrap_err().to_string(),
            "start: expected at least 1 character, found none"
        );
    }

    #[test]
    fn entropy_is_that_of_the_characters() {
        assert!((Text::new("even", "abcdabcd").entropy() - 4.0_f64.ln()).abs() < 1e-15);
        let uneven = Text::new("uneven", "aaab").entropy();
        assert!((uneven - (0.75 * (4.0_f64 / 3.0).ln() + 0.25 * 4.0_f64.ln())).abs() < 1e-15);
        assert_eq!(Text::new("one", "aaaa").entropy(), 0.0);
        let mut part = Text::new("part", "abab-");
        part.tokens.pop();
        assert!((part.entropy() - 2.0_f64.ln()).abs() < 1e-15);
    }

    #[test]
    fn the_novel_is_plain() {
        let text = Text::novel();
        assert_eq!((text.tokens.len(), text.alphabet.len()), (227_980, 73));
    }

    #[test]
    fn a_file_that_is_no_text_is_an_error_that_says_why() {
        let dir = std::env::temp_dir().join(format!("retrograde-text-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let path = dir.join("latin1.txt");
        fs::write(&path, b"na\xefve").unwrap();
        let found = Text::read(&path).unwrap_err().to_string();
        let expected = format!("text {}: expected UTF-8, found the byte 0xef at offset 2", path.display());
        assert_eq!(found, expected);
        fs::write(&path, "\u{feff}a\r\nb\n").unwrap();
        let text = Text::read(&path).unwrap();
        assert_eq!(text.decode(&text.tokens), "a\nb\n");
        fs::remove_dir_all(&dir).unwrap();
        let found = Text::read(&path).unwrap_err().to_string();
        let expected = format!(
            "text {}: expected a file that can be read, found: No such file or directory (os error 2)",
            path.display()
        );
        assert_eq!(found, expected);
    }
}
