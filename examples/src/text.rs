//! Text as a stream of characters, each a number of an alphabet.

use std::fs;
use std::path::{Path, PathBuf};

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

    /// The documentation of this project: its README, its book, and the doc comments of its crates.
    ///
    /// # Errors
    /// If the repository is no longer where the example was built.
    pub fn documentation() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
        let mut text = String::new();
        for path in files(&root.join("README.md"), "md")?.into_iter().chain(files(&root.join("docs"), "md")?)
        {
            text += &read(&path)?;
        }
        for path in files(&root.join("crates"), "rs")? {
            text += &doc_comments(&read(&path)?);
        }
        Ok(Self::new("the documentation of this project", &text))
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

/// The files below a path whose names end in `extension`, or the path itself, in the order of their names. There
/// are none where there is no such path.
fn files(path: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let unreadable = |source| Error::Unreadable { path: path.to_owned(), source };
    if path.is_file() {
        let found = path.extension().is_some_and(|found| found == extension);
        return Ok(if found { vec![path.to_owned()] } else { Vec::new() });
    }
    if !path.is_dir() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(path).and_then(|entries| entries.collect::<Result<Vec<_>, _>>());
    let mut below: Vec<PathBuf> =
        entries.map_err(unreadable)?.into_iter().map(|entry| entry.path()).collect();
    below.sort();
    let found = below.iter().map(|path| files(path, extension)).collect::<Result<Vec<_>>>()?;
    Ok(found.concat())
}

/// The text of the doc comments of a source file, without their signs.
fn doc_comments(source: &str) -> String {
    let mut text = String::new();
    for line in source.lines().map(str::trim_start) {
        match line.strip_prefix("///").or_else(|| line.strip_prefix("//!")) {
            Some(comment) => text += comment.strip_prefix(' ').unwrap_or(comment),
            // One line feed ends a comment, as one ends each of its lines.
            None if text.is_empty() || text.ends_with("\n\n") => continue,
            None => {}
        }
        text.push('\n');
    }
    text
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
    fn doc_comments_lose_their_signs_and_keep_their_paragraphs() {
        let source =
            "//! One.\n//!\n//! Two.\n\nuse x;\n\n    /// Three\n    ///   indented.\n    fn f() {} // no\n";
        assert_eq!(doc_comments(source), "One.\n\nTwo.\n\nThree\n  indented.\n\n");
    }

    #[test]
    fn the_documentation_is_found() {
        let text = Text::documentation().unwrap();
        assert!(text.tokens.len() > 10_000, "found {} characters", text.tokens.len());
        assert!(text.decode(&text.tokens).contains("Reverse-mode automatic differentiation on a tape"));
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
