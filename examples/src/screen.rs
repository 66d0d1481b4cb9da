//! Where an example prints: lines of at most 80 columns, coloured on a terminal and plain elsewhere.

use std::env;
use std::fmt::{self, Display};
use std::io::{self, IsTerminal, Write};

use unicode_width::UnicodeWidthChar;

/// The columns of a line.
pub const WIDTH: usize = 80;

/// The role of a piece of text, hence its colour on a terminal that shows colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ink {
    /// Text.
    #[default]
    Plain,
    /// A heading.
    Heading,
    /// An explanation.
    Faint,
    /// A result that is as it should be.
    Good,
    /// A result that is not.
    Bad,
    /// A curve of a chart, by its number.
    Curve(usize),
}

impl Ink {
    /// The parameters of the escape sequence "select graphic rendition" (ECMA-48, section 8.3.117).
    fn code(self) -> &'static str {
        match self {
            Ink::Plain => "0",
            Ink::Heading => "1",
            Ink::Faint => "2",
            Ink::Good => "32",
            Ink::Bad => "1;31",
            Ink::Curve(i) => ["34", "32", "31", "35", "36"][i % 5],
        }
    }
}

/// The place that an example prints to.
pub struct Screen {
    out: Box<dyn Write>,
    coloured: bool,
}

impl fmt::Debug for Screen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Screen").field("coloured", &self.coloured).finish_non_exhaustive()
    }
}

impl Screen {
    /// Standard output; in colour if it is a terminal and `NO_COLOR` is unset or empty.
    pub fn stdout() -> Self {
        let wanted = env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let able = env::var_os("TERM").is_none_or(|value| value != "dumb");
        let stdout = io::stdout();
        let coloured = wanted && able && stdout.is_terminal();
        Self::new(stdout, coloured)
    }

    /// Any other place.
    pub fn new(out: impl Write + 'static, coloured: bool) -> Self {
        Screen { out: Box::new(out), coloured }
    }

    /// Prints a line.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn line(&mut self, text: impl Display) -> io::Result<()> {
        writeln!(self.out, "{text}")
    }

    /// Prints several lines.
    ///
    /// # Errors
    /// If one cannot be written.
    pub fn lines(&mut self, lines: impl IntoIterator<Item = impl Display>) -> io::Result<()> {
        lines.into_iter().try_for_each(|line| self.line(line))
    }

    /// Prints the heading of a part: its number, its title, and a rule across the page.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn part(&mut self, number: usize, title: &str) -> io::Result<()> {
        let title = format!("{number}  {title} ");
        let rule = "─".repeat(WIDTH.saturating_sub(columns(&title)));
        let heading = format!("{}{}", self.ink(Ink::Heading, &title), self.ink(Ink::Faint, &rule));
        self.line("")?;
        self.line(heading)?;
        self.line("")
    }

    /// A piece of text in an ink.
    pub fn ink(&self, ink: Ink, text: &str) -> String {
        if self.coloured && ink != Ink::Plain && !text.is_empty() {
            format!("\x1b[{}m{text}\x1b[0m", ink.code())
        } else {
            text.to_owned()
        }
    }
}

/// The columns that a piece of text takes on a terminal.
pub fn columns(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

/// Cuts text into lines of at most `width` columns, at spaces where it can. Line feeds stay where they are; other
/// control characters, which a terminal would obey, become a middle dot.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let shown = |c: char| if c.is_control() { '·' } else { c };
    text.split('\n').flat_map(|line| wrap_line(line.chars().map(shown), width)).collect()
}

fn wrap_line(text: impl Iterator<Item = char>, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for c in text {
        line.push(c);
        if columns(&line) > width {
            // The line ends after its last space, or else before the character that is too much.
            let end = match line.trim_end_matches(' ').rfind(' ') {
                Some(space) if !line[..space].trim().is_empty() => space + 1,
                _ => line.len() - c.len_utf8(),
            };
            let rest = line.split_off(end);
            lines.push(line.trim_end().to_owned());
            line = rest;
        }
    }
    lines.push(line.trim_end().to_owned());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ink_is_plain_unless_coloured() {
        assert_eq!(Screen::new(io::sink(), false).ink(Ink::Bad, "no"), "no");
        assert_eq!(Screen::new(io::sink(), true).ink(Ink::Bad, "no"), "\x1b[1;31mno\x1b[0m");
    }

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!(columns("Σₙ dt ⊙ Whᵀ"), 11);
        assert_eq!(columns("深層"), 4);
    }

    #[test]
    fn wrapping_keeps_words_whole_and_every_line_in_its_width() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("深層学習", 5), ["深層", "学習"]);
        assert_eq!(wrap("a\n\nb", 5), ["a", "", "b"]);
        assert_eq!(wrap("a\x1b[31mb", 20), ["a·[31mb"]);
        let text = "It has wings of gold, a very_long_word_that_does_not_fit, 深層学習 and spaces      ";
        for width in 2..40 {
            assert!(wrap(text, width).iter().all(|line| columns(line) <= width), "width {width}");
        }
    }
}
