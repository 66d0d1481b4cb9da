//! Heat maps as SVG files: a table of numbers between 0 and 1, each the shade of a square.

use std::path::Path;

use crate::{Error, Result};

/// A table of numbers between 0 and 1.
#[derive(Clone, Debug)]
pub struct HeatMap {
    /// The title.
    pub title: String,
    /// The label of the columns.
    pub x: String,
    /// The label of the rows.
    pub y: String,
    /// The meaning of the numbers.
    pub unit: String,
    /// The name of each column.
    pub columns: Vec<String>,
    /// The name of each row.
    pub rows: Vec<String>,
    /// A row of numbers for each row.
    pub values: Vec<Vec<f64>>,
}

/// The side of a square, and the space for titles and names around them.
const SIDE: usize = 48;
const LEFT: usize = 90;
const TOP: usize = 60;
const BOTTOM: usize = 80;
const RIGHT: usize = 120;

/// Draws a heat map into a file.
///
/// # Errors
/// If the file cannot be written.
pub fn write(map: &HeatMap, path: &Path) -> Result<()> {
    std::fs::write(path, draw(map)).map_err(|source| Error::Unwritable { path: path.to_owned(), source })
}

/// The heat map as the text of an SVG file.
pub fn draw(map: &HeatMap) -> String {
    let (across, down) = (SIDE * map.columns.len(), SIDE * map.rows.len());
    let mut svg = Svg::new(LEFT + across + RIGHT, TOP + down + BOTTOM, map);
    let middle = |i: usize| SIDE * i + SIDE / 2;
    svg.text((LEFT + across / 2, 32), 20, INK, &map.title);
    for (row, values) in map.values.iter().enumerate() {
        for (column, &value) in values.iter().enumerate() {
            svg.square((LEFT + SIDE * column, TOP + SIDE * row), SIDE, value);
            // Dark on light shades and white on dark ones: a contrast of at least 3:1.
            let ink = if value > 0.7 { "white" } else { "dark" };
            svg.text((LEFT + middle(column), TOP + middle(row) + 5), 12, ink, &format!("{value:.2}"));
        }
    }
    for (column, name) in map.columns.iter().enumerate() {
        svg.text((LEFT + middle(column), TOP + down + 22), 15, INK, name);
    }
    for (row, name) in map.rows.iter().enumerate() {
        svg.text((LEFT - 16, TOP + middle(row) + 5), 15, INK, name);
    }
    svg.text((LEFT + across / 2, TOP + down + 56), 15, INK, &map.x);
    svg.upwards((36, TOP + down / 2), 15, &map.y);
    // The scale beside the table: eleven shades from 0 at the bottom to 1.
    let (x, step) = (LEFT + across + 40, down / 11);
    for i in 0..=10 {
        let y = TOP + step * (10 - i);
        svg.square((x, y), step, i as f64 / 10.0);
        if i % 5 == 0 {
            svg.text((x + step + 20, y + step / 2 + 5), 13, INK, &format!("{:.1}", i as f64 / 10.0));
        }
    }
    svg.text((x + step, TOP + down + 22), 13, INK, &map.unit);
    svg.0 + "</svg>\n"
}

/// The class of text, and the colour of the number 1; that of 0 is white.
const INK: &str = "ink";
const STYLE: &str = "\
.page{fill:#fff}.ink,.dark{fill:#282828}.white{fill:#fff}@media(prefers-color-scheme:dark){.page{fill:#16181c}.ink{fill:#e6e6e6}}";
const FULL: [f64; 3] = [0.0, 114.0, 178.0];

/// The text of an SVG file so far.
struct Svg(String);

impl Svg {
    fn new(width: usize, height: usize, map: &HeatMap) -> Self {
        let size = format!("width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\"");
        let font = "font-family=\"Helvetica, Arial, sans-serif\" text-anchor=\"middle\"";
        let page = "<rect class=\"page\" width=\"100%\" height=\"100%\"/>";
        let named = "role=\"img\" aria-labelledby=\"title description\"";
        let largest = |(row, values): (&String, &Vec<f64>)| {
            let (column, value) = map.columns.iter().zip(values).max_by(|a, b| a.1.total_cmp(b.1))?;
            Some(format!("{row} most at {column}, {value:.2}"))
        };
        let rows: Vec<String> = map.rows.iter().zip(&map.values).filter_map(largest).collect();
        let description = format!("{} by {} and {}: {}.", map.unit, map.y, map.x, rows.join("; "));
        Svg(format!(
            "<svg {size} {font} {named} xmlns=\"http://www.w3.org/2000/svg\">\n<title id=\"title\">{}</title>\n\
             <desc id=\"description\">{}</desc>\n<style>{STYLE}</style>\n{page}\n",
            escaped(&map.title),
            escaped(&description)
        ))
    }

    /// A square whose shade is a number between 0 and 1.
    fn square(&mut self, (x, y): (usize, usize), side: usize, value: f64) {
        let [r, g, b] = FULL.map(|full| (255.0 + value.clamp(0.0, 1.0) * (full - 255.0)).round());
        self.0 += &format!(
            "<rect x=\"{x}\" y=\"{y}\" width=\"{side}\" height=\"{side}\" fill=\"rgb({r},{g},{b})\" stroke=\"#ddd\"/>\n"
        );
    }

    fn text(&mut self, (x, y): (usize, usize), size: usize, ink: &str, text: &str) {
        let text = escaped(text);
        self.0 += &format!("<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\" class=\"{ink}\">{text}</text>\n");
    }

    /// Text that is read from below.
    fn upwards(&mut self, (x, y): (usize, usize), size: usize, text: &str) {
        let (turn, text) = (format!("rotate(-90 {x} {y})"), escaped(text));
        self.0 += &format!(
            "<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\" class=\"{INK}\" transform=\"{turn}\">{text}</text>\n"
        );
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_its_shade_and_every_name_its_place() {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let map = HeatMap {
            title: "a < b & c".to_owned(),
            x: "read".to_owned(),
            y: "written".to_owned(),
            unit: "weight".to_owned(),
            columns: names(&["5", "7", "+"]),
            rows: names(&["6", "2"]),
            values: vec![vec![0.0, 1.0, 0.25], vec![0.5, 0.125, 0.75]],
        };
        let svg = draw(&map);
        for words in ["a &lt; b &amp; c", ">read<", ">written<", ">weight<", ">+<", ">0.12<", ">0.75<"] {
            assert!(svg.contains(words), "{words} is not in {svg}");
        }
        assert_eq!(svg.matches("fill=\"rgb(0,114,178)\"").count(), 2, "the square of 1, and the scale's end");
        assert_eq!(svg.matches("<rect ").count(), 1 + 6 + 11);
    }
}
