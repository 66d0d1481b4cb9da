//! Tables of aligned columns.

use std::ops::Range;

use crate::screen::{Ink, Screen, columns};

/// A table: a row of titles, a rule, and rows of cells.
#[derive(Clone, Debug)]
pub struct Table {
    columns: Vec<Column>,
    over: Vec<(Range<usize>, String)>,
    rows: Vec<Vec<(String, Ink)>>,
}

#[derive(Clone, Debug)]
struct Column {
    title: String,
    align: Align,
}

/// The side of its column that a cell keeps to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Names.
    Left,
    /// Numbers.
    Right,
}

/// Between two columns.
const GAP: &str = "  ";

impl Table {
    /// An empty table with these titles.
    pub fn new(titles: &[(&str, Align)]) -> Self {
        let columns =
            titles.iter().map(|&(title, align)| Column { title: title.to_owned(), align }).collect();
        Table { columns, over: Vec::new(), rows: Vec::new() }
    }

    /// Writes a title over several columns, above their own titles. Such titles are given from left to right.
    #[must_use]
    pub fn over(mut self, columns: Range<usize>, title: &str) -> Self {
        self.over.push((columns, title.to_owned()));
        self
    }

    /// Adds a row of plain cells.
    ///
    /// # Panics
    /// If there are more or fewer than there are titles.
    pub fn row(&mut self, cells: impl IntoIterator<Item = impl Into<String>>) {
        self.inked_row(cells.into_iter().map(|text| (text, Ink::Plain)));
    }

    /// Adds a row of cells, each in its ink.
    ///
    /// # Panics
    /// If there are more or fewer than there are titles.
    pub fn inked_row(&mut self, cells: impl IntoIterator<Item = (impl Into<String>, Ink)>) {
        let row: Vec<(String, Ink)> = cells.into_iter().map(|(text, ink)| (text.into(), ink)).collect();
        assert_eq!(row.len(), self.columns.len(), "a row has one cell for each title");
        self.rows.push(row);
    }

    /// The lines of the table, indented by two columns.
    pub fn lines(&self, screen: &Screen) -> Vec<String> {
        let titles: Vec<(String, Ink)> =
            self.columns.iter().map(|column| (column.title.clone(), Ink::Faint)).collect();
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|i| self.rows.iter().chain([&titles]).map(|row| columns(&row[i].0)).max().unwrap_or(0))
            .collect();
        let line = |row: &Vec<(String, Ink)>| {
            let cells = row.iter().zip(&self.columns).zip(&widths).map(|(((text, ink), column), &width)| {
                let space = " ".repeat(width - columns(text));
                let text = screen.ink(*ink, text);
                match column.align {
                    Align::Left => text + &space,
                    Align::Right => space + &text,
                }
            });
            format!("{GAP}{}", cells.collect::<Vec<_>>().join(GAP)).trim_end().to_owned()
        };
        let across = widths.iter().sum::<usize>() + GAP.len() * widths.len().saturating_sub(1);
        let rule = format!("{GAP}{}", screen.ink(Ink::Faint, &"─".repeat(across)));
        let over = (!self.over.is_empty()).then(|| screen.ink(Ink::Faint, &self.over_line(&widths)));
        over.into_iter().chain([line(&titles), rule]).chain(self.rows.iter().map(line)).collect()
    }

    /// The titles over several columns, each at the right end of its columns.
    fn over_line(&self, widths: &[usize]) -> String {
        let mut line = String::new();
        for (range, title) in &self.over {
            let end: usize = widths[..range.end].iter().map(|width| GAP.len() + width).sum();
            line += &" ".repeat(end.saturating_sub(columns(&line) + columns(title)));
            line += title;
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(&[("tensor", Align::Left), ("abs", Align::Right)]);
        table.row(["dWh", "1.5e-16"]);
        table.row(["dxₜ", "0"]);
        let plain = Screen::new(io::sink(), false);
        assert_eq!(
            table.lines(&plain),
            ["  tensor      abs", "  ───────────────", "  dWh     1.5e-16", "  dxₜ           0"]
        );
    }

    #[test]
    fn a_title_over_several_columns_ends_where_they_end() {
        let titles = [("tensor", Align::Left), ("abs", Align::Right), ("rel", Align::Right)];
        let mut table = Table::new(&titles).over(1..3, "by hand");
        table.row(["dWh", "1e-16", "2e-16"]);
        let plain = Screen::new(io::sink(), false);
        assert_eq!(table.lines(&plain)[..2], ["               by hand", "  tensor    abs    rel"]);
    }

    #[test]
    fn ink_does_not_move_a_column() {
        let mut table = Table::new(&[("a", Align::Right), ("b", Align::Left)]);
        table.inked_row([("1", Ink::Good), ("x", Ink::Plain)]);
        table.inked_row([("100", Ink::Plain), ("y", Ink::Bad)]);
        let coloured = Screen::new(io::sink(), true);
        assert_eq!(table.lines(&coloured)[2], "    \x1b[32m1\x1b[0m  x");
        assert_eq!(table.lines(&coloured)[3], "  100  \x1b[1;31my\x1b[0m");
    }
}
