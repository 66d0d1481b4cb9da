//! The part of JSON that the header of a `.safetensors` file is made of: objects, strings and lists of integers.

use super::WeightsError;

/// A place in a header. Each method reads one thing and moves past it.
pub(super) struct Json<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Json<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Json { text, at: 0 }
    }

    /// Reads an object, calling `field` with each key; `field` reads the value.
    pub(super) fn object(
        &mut self,
        mut field: impl FnMut(&mut Self, String) -> Result<(), WeightsError>,
    ) -> Result<(), WeightsError> {
        self.items(('{', "an object"), ('}', "`,` or `}`"), |json| {
            let key = json.string()?;
            json.require(':', "`:`")?;
            field(json, key)
        })
    }

    /// Reads a list of integers.
    pub(super) fn integers(&mut self) -> Result<Vec<usize>, WeightsError> {
        let mut integers = Vec::new();
        self.items(('[', "a list of integers"), (']', "`,` or `]`"), |json| {
            integers.push(json.integer()?);
            Ok(())
        })?;
        Ok(integers)
    }

    /// Reads a string.
    pub(super) fn string(&mut self) -> Result<String, WeightsError> {
        self.require('"', "a string")?;
        let mut string = String::new();
        loop {
            match self.peek() {
                Some('"') => {
                    self.at += 1;
                    return Ok(string);
                }
                Some('\\') => string.push(self.escaped()?),
                Some(c) if c >= ' ' => {
                    self.at += c.len_utf8();
                    string.push(c);
                }
                _ => return Err(self.expected("the end of a string")),
            }
        }
    }

    /// Reads the rest, which is white space alone.
    pub(super) fn end(&mut self) -> Result<(), WeightsError> {
        self.skip_space();
        if self.at == self.text.len() { Ok(()) } else { Err(self.expected("the end")) }
    }

    fn items(
        &mut self,
        (open, opening): (char, &'static str),
        (close, closing): (char, &'static str),
        mut item: impl FnMut(&mut Self) -> Result<(), WeightsError>,
    ) -> Result<(), WeightsError> {
        self.require(open, opening)?;
        if self.accept(close) {
            return Ok(());
        }
        loop {
            item(self)?;
            if !self.accept(',') {
                return self.require(close, closing);
            }
        }
    }

    fn integer(&mut self) -> Result<usize, WeightsError> {
        self.skip_space();
        let rest = &self.text[self.at..];
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let zeros_lead = digits > 1 && rest.starts_with('0');
        let integer = rest[..digits].parse().ok().filter(|_| !zeros_lead);
        let integer = integer.ok_or_else(|| self.expected("an integer that fits in usize"))?;
        self.at += digits;
        Ok(integer)
    }

    /// Reads an escape and returns the character that it stands for.
    fn escaped(&mut self) -> Result<char, WeightsError> {
        let c = match self.text.as_bytes().get(self.at + 1) {
            Some(&c @ (b'"' | b'\\' | b'/')) => char::from(c),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.code_point(),
            _ => return Err(self.expected("an escape of JSON")),
        };
        self.at += 2;
        Ok(c)
    }

    /// Reads `\u` and four hexadecimal digits, twice for a character beyond the first 2¹⁶ (a surrogate pair of UTF-16).
    fn code_point(&mut self) -> Result<char, WeightsError> {
        let unit = |at: usize| {
            let digits = self.text.get(at..at + 6)?.strip_prefix("\\u")?;
            let hexadecimal = digits.bytes().all(|c| c.is_ascii_hexdigit());
            u16::from_str_radix(digits, 16).ok().filter(|_| hexadecimal)
        };
        let units = [unit(self.at), unit(self.at + 6)];
        let c = char::decode_utf16(units.into_iter().map_while(|unit| unit)).next().and_then(Result::ok);
        let c = c.ok_or_else(|| self.expected("an escaped character"))?;
        self.at += 6 * c.len_utf16();
        Ok(c)
    }

    fn require(&mut self, c: char, expected: &'static str) -> Result<(), WeightsError> {
        if self.accept(c) { Ok(()) } else { Err(self.expected(expected)) }
    }

    fn accept(&mut self, c: char) -> bool {
        self.skip_space();
        let found = self.peek() == Some(c);
        if found {
            self.at += c.len_utf8();
        }
        found
    }

    fn skip_space(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn expected(&self, expected: &'static str) -> WeightsError {
        let found = self.peek().map_or("the end".into(), |c| format!("{c:?}"));
        WeightsError::Header { at: self.at, expected, found }
    }
}
