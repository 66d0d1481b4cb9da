//! Figures in a terminal: curves of Braille dots, each named at its right end.

use crate::figure::{Axis, Figure, Stroke};
use crate::screen::{Ink, Screen, WIDTH, columns};

/// The rows of a chart.
const ROWS: usize = 14;
/// A Braille character is this many dots wide.
const ACROSS: usize = 2;
/// A Braille character is this many dots high.
const DOWN: usize = 4;

/// The lines of a chart, at most [`WIDTH`] columns wide; only the reason, if there is nothing to draw.
pub fn lines(figure: &Figure, screen: &Screen) -> Vec<String> {
    let (Some(x), Some(y)) = (figure.x_axis(), figure.y_axis()) else {
        return vec![format!("  {}: no value that the axis can show", figure.title)];
    };
    let marks: Vec<(usize, String)> = y.ticks.iter().map(|&tick| (row(&y, tick), y.label(tick))).collect();
    let gutter = marks.iter().map(|(_, label)| columns(label)).max().unwrap_or(0);
    let names = figure.curves.iter().map(|curve| columns(&curve.name)).max().unwrap_or(0);
    let mut canvas = Canvas::new(WIDTH - 2 - gutter - 2 - 1 - names, ROWS);
    for (i, curve) in figure.curves.iter().enumerate() {
        let dots = curve.points.iter().map(|&(px, py)| Some((x.fraction(px)?, y.fraction(py)?)));
        let dots: Vec<_> = dots.collect();
        match curve.stroke {
            Stroke::Dots => dots.into_iter().for_each(|dot| canvas.draw(&[dot], i)),
            Stroke::Bold | Stroke::Pale | Stroke::Dashed => canvas.draw(&dots, i),
        }
    }
    let ends = ends(figure, &y);

    let mut lines = vec![format!("  {}", screen.ink(Ink::Faint, &figure.y))];
    for r in 0..ROWS {
        let mark = marks.iter().find(|(at, _)| *at == r);
        let label = mark.map_or("", |(_, label)| label);
        let axis = if mark.is_some() { "┤" } else { "│" };
        let space = " ".repeat(gutter - columns(label));
        let name = ends
            .iter()
            .find(|(at, _)| *at == r)
            .map(|&(_, i)| format!(" {}", screen.ink(Ink::Curve(i), &figure.curves[i].name)));
        let line = format!("  {space}{label} {axis}{}{}", canvas.line(r, screen), name.unwrap_or_default());
        lines.push(line.trim_end().to_owned());
    }
    lines.extend(below(&x, gutter + 4, canvas.width));
    let indent = " ".repeat(gutter + 4 + canvas.width.saturating_sub(columns(&figure.x)) / 2);
    lines.push(format!("{indent}{}", screen.ink(Ink::Faint, &figure.x)));
    lines
}

/// The row of a coordinate, from 0 at the top.
fn row(axis: &Axis, coordinate: f64) -> usize {
    let fraction = (coordinate - axis.lo) / (axis.hi - axis.lo);
    dot(1.0 - fraction, ROWS * DOWN) / DOWN
}

/// The dot, of `dots`, at a fraction of their length.
fn dot(fraction: f64, dots: usize) -> usize {
    (fraction * (dots - 1) as f64).round() as usize
}

/// The row in which each curve is named: that of its last point, or a free one near it.
fn ends(figure: &Figure, y: &Axis) -> Vec<(usize, usize)> {
    let mut taken: Vec<(usize, usize)> = Vec::new();
    for (i, curve) in figure.curves.iter().enumerate() {
        let end = curve.points.iter().rev().find_map(|&(_, value)| {
            y.fraction(value)?;
            y.coordinate(value)
        });
        let Some(end) = end.map(|coordinate| row(y, coordinate)) else { continue };
        let free = |r: &usize| taken.iter().all(|(at, _)| at != r);
        let nearest = (0..ROWS).filter(free).min_by_key(|r| r.abs_diff(end));
        taken.extend(nearest.map(|r| (r, i)));
    }
    taken
}

/// The horizontal axis, and below it the words for its ticks.
fn below(axis: &Axis, indent: usize, width: usize) -> [String; 2] {
    let mut rule: Vec<char> = vec!['─'; width];
    let mut words = String::new();
    for &tick in &axis.ticks {
        let at = dot((tick - axis.lo) / (axis.hi - axis.lo), width * ACROSS) / ACROSS;
        rule[at] = '┬';
        let label = axis.label(tick);
        let start = (indent + at).saturating_sub((label.len() - 1) / 2);
        if start >= words.len() + usize::from(!words.is_empty()) && start + label.len() <= WIDTH {
            words += &" ".repeat(start - words.len());
            words += &label;
        }
    }
    [format!("{}└{}", " ".repeat(indent - 1), rule.iter().collect::<String>()), words]
}

/// A grid of Braille characters, each with the number of the last curve that left a dot in it.
struct Canvas {
    width: usize,
    cells: Vec<(u8, usize)>,
}

impl Canvas {
    fn new(width: usize, rows: usize) -> Self {
        Canvas { width, cells: vec![(0, 0); width * rows] }
    }

    /// Draws a line through points, given as fractions of the width and of the height; where a point is missing,
    /// the line is interrupted.
    fn draw(&mut self, points: &[Option<(f64, f64)>], curve: usize) {
        let (across, down) = (self.width * ACROSS, ROWS * DOWN);
        let place = |(x, y): (f64, f64)| (dot(x, across), dot(1.0 - y, down));
        if let [Some(point)] = points {
            self.dot(place(*point), curve);
        }
        for pair in points.windows(2) {
            let [Some(a), Some(b)] = [pair[0], pair[1]].map(|point| point.map(place)) else { continue };
            let length = a.0.abs_diff(b.0).max(a.1.abs_diff(b.1)).max(1);
            for i in 0..=length {
                let between = |a: usize, b: usize| {
                    let way = i as f64 / length as f64;
                    (a as f64 + way * (b as f64 - a as f64)).round() as usize
                };
                self.dot((between(a.0, b.0), between(a.1, b.1)), curve);
            }
        }
    }

    fn dot(&mut self, (x, y): (usize, usize), curve: usize) {
        // Unicode numbers the eight dots down the left column, then the right one, and the lowest two last.
        const BITS: [[u8; ACROSS]; DOWN] = [[0, 3], [1, 4], [2, 5], [6, 7]];
        let cell = &mut self.cells[y / DOWN * self.width + x / ACROSS];
        *cell = (cell.0 | 1 << BITS[y % DOWN][x % ACROSS], curve);
    }

    fn line(&self, row: usize, screen: &Screen) -> String {
        let cells = &self.cells[row * self.width..(row + 1) * self.width];
        cells.chunk_by(|a, b| (a.0 == 0) == (b.0 == 0) && a.1 == b.1).fold(String::new(), |line, run| {
            let character = |&(dots, _): &(u8, usize)| match dots {
                0 => ' ',
                dots => char::from_u32(0x2800 + u32::from(dots)).expect("Braille patterns are characters"),
            };
            let text: String = run.iter().map(character).collect();
            let ink = if run[0].0 == 0 { Ink::Plain } else { Ink::Curve(run[0].1) };
            line + &screen.ink(ink, &text)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::figure::{Curve, Scale, Stroke};

    fn figure(scale: Scale, curves: &[(&str, &[f64])]) -> Figure {
        let curve = |&(name, values): &(&str, &[f64])| Curve {
            name: name.to_owned(),
            points: values.iter().enumerate().map(|(i, &y)| (i as f64, y)).collect(),
            stroke: Stroke::Bold,
        };
        Figure {
            title: "title".to_owned(),
            x: "steps".to_owned(),
            y: "norm".to_owned(),
            scale,
            curves: curves.iter().map(curve).collect(),
        }
    }

    fn draw(figure: &Figure) -> Vec<String> {
        lines(figure, &Screen::new(io::sink(), false))
    }

    #[test]
    fn a_straight_line_runs_from_corner_to_corner() {
        let chart = draw(&figure(Scale::Linear, &[("up", &[0.0, 1.0, 2.0])]));
        assert_eq!(chart.len(), 1 + ROWS + 3);
        assert!(chart[1].starts_with("  2.0 ┤ ") && chart[1].ends_with("⠉ up"), "{}", chart[1]);
        assert!(chart[ROWS].starts_with("  0.0 ┤⣀"), "{}", chart[ROWS]);
        let filled = chart[1..=ROWS].iter().all(|line| line.chars().any(|c| ('⠁'..='⣿').contains(&c)));
        assert!(filled, "{chart:#?}");
    }

    #[test]
    fn curves_that_end_together_are_named_apart() {
        let chart = draw(&figure(Scale::Log, &[("one", &[1.0, 10.0]), ("two", &[5.0, 10.0])]));
        assert!(chart[1].ends_with(" one") && chart[2].ends_with(" two"), "{chart:#?}");
    }

    #[test]
    fn a_value_without_a_logarithm_interrupts_its_curve() {
        let chart = draw(&figure(Scale::Log, &[("gap", &[1.0, 1.0, 0.0, f64::NAN, 1.0])]));
        let dots: String = chart[ROWS].chars().skip(5).take_while(|&c| c != 'g').collect();
        let marked = dots.trim_end().chars().filter(|&c| c != ' ').count();
        assert!(marked > 10 && marked * 3 < dots.chars().count(), "{dots}");
        let none = draw(&figure(Scale::Log, &[("none", &[0.0, 0.0])]));
        assert_eq!(none, ["  title: no value that the axis can show"]);
    }

    #[test]
    fn no_line_is_wider_than_the_page() {
        for name in ["a", "a rather long name of a curve"] {
            for values in [&[1e-9, 1e9][..], &[0.123, 0.124], &[7.0], &[-1e6, 0.0, 1e6]] {
                for scale in [Scale::Linear, Scale::Log] {
                    for line in draw(&figure(scale, &[(name, values)])) {
                        assert!(columns(&line) <= WIDTH, "{line}");
                    }
                }
            }
        }
    }
}
