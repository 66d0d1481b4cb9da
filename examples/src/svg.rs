//! Figures as SVG files.

use std::ops::Range;
use std::path::Path;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::figure::{Axis, Curve, Figure, Stroke};
use crate::screen::columns;
use crate::{Error, Result};

/// Width and height on the page.
const SIZE: (u32, u32) = (900, 500);
/// Drawn larger and shown smaller, since the drawing library places points on whole numbers only.
const FINE: u32 = 4;
/// Colours that people who do not see some colours tell apart, of a contrast of at least 3:1 on white.
///
/// # Source
/// After M. Okabe and K. Ito, *Color universal design* (2008), the light ones darker.
const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(0, 128, 92),
    RGBColor(190, 80, 0),
    RGBColor(170, 70, 130),
    RGBColor(40, 130, 190),
    RGBColor(150, 105, 0),
    RGBColor(110, 110, 110),
];
/// The same on a dark page.
const DARK: [&str; 7] = ["#6db8f0", "#3fc79f", "#ff9a52", "#e59cc8", "#8ccdf5", "#e6b84a", "#b0b0b0"];
/// Dashes and gaps of each curve, so that colour is never the only difference.
const DASHES: [&str; 7] = ["none", "36 12", "12 12", "48 12 12 12", "24 24", "60 16", "8 20"];
/// The length of a dash and of the gap after it, the radius of a dot, and the length of a line in the legend.
const DASH: (u32, u32) = (6 * FINE, 4 * FINE);
const DOT: u32 = 2 * FINE;
const KEY: i32 = 26 * FINE as i32;
/// The opacity of what stands in the background.
const PALE: f64 = 0.85;
const INK: RGBColor = RGBColor(40, 40, 40);
const FONT: &str = "Helvetica, Arial, sans-serif";

/// Draws a figure into a file.
///
/// # Errors
/// If the figure has nothing to draw, or if the file cannot be written.
pub fn write(figure: &Figure, path: &Path) -> Result<()> {
    let text = draw(figure)?;
    std::fs::write(path, text).map_err(|source| Error::Unwritable { path: path.to_owned(), source })
}

/// The figure as the text of an SVG file.
///
/// # Errors
/// If the figure has nothing to draw.
pub fn draw(figure: &Figure) -> Result<String> {
    let empty = || Error::EmptyFigure { title: figure.title.clone() };
    let (x, y) = (figure.x_axis().ok_or_else(empty)?, figure.y_axis().ok_or_else(empty)?);
    let mut text = String::new();
    {
        let page = SVGBackend::with_string(&mut text, (SIZE.0 * FINE, SIZE.1 * FINE)).into_drawing_area();
        let drawn = (|| {
            page.fill(&WHITE)?;
            let page = page.margin(10 * FINE, 0, 0, 0);
            let page = page.titled(&figure.title, (FONT, 20 * FINE).into_font().color(&INK))?;
            let (plot, legend) = page.split_horizontally((SIZE.0 - legend_width(figure)) * FINE);
            let legend = legend.margin(16 * FINE, 0, 0, 0);
            let mut chart = ChartBuilder::on(&plot)
                .margin(16 * FINE)
                .x_label_area_size(52 * FINE)
                .y_label_area_size(68 * FINE)
                .build_cartesian_2d(Ticked(&x), Ticked(&y))?;
            let small = TextStyle::from((FONT, 14 * FINE).into_font()).color(&INK);
            chart
                .configure_mesh()
                .disable_x_mesh()
                .light_line_style(TRANSPARENT)
                .bold_line_style(BLACK.mix(0.12).stroke_width(FINE))
                .axis_style(INK.mix(0.6).stroke_width(FINE))
                .set_all_tick_mark_size(5 * FINE)
                .x_desc(&figure.x)
                .y_desc(&figure.y)
                .axis_desc_style((FONT, 15 * FINE).into_font().color(&INK))
                .x_label_style(small.pos(Pos::new(HPos::Center, VPos::Top)))
                .y_label_style((FONT, 14 * FINE).into_font().color(&INK))
                .draw()?;
            for (i, curve) in figure.curves.iter().enumerate() {
                let style = style(i, curve.stroke);
                let places =
                    curve.points.iter().map(|&(px, py)| Some((x.coordinate(px)?, y.coordinate(py)?)));
                let places: Vec<Option<(f64, f64)>> = places.collect();
                // Where a point has no place on an axis, the line is interrupted.
                for line in places.split(Option::is_none).filter(|line| !line.is_empty()) {
                    let line = line.iter().flatten().copied();
                    match curve.stroke {
                        Stroke::Bold | Stroke::Pale => chart.draw_series(LineSeries::new(line, style))?,
                        Stroke::Dashed => {
                            chart.draw_series(DashedLineSeries::new(line, DASH.0, DASH.1, style))?
                        }
                        Stroke::Dots => {
                            chart.draw_series(line.map(|place| Circle::new(place, DOT, style)))?
                        }
                    };
                }
            }
            for (i, curve) in figure.curves.iter().enumerate() {
                let y = (12 + 24 * i as i32) * FINE as i32;
                let (line, style) = ([(0, y), (KEY, y)], style(i, curve.stroke));
                match curve.stroke {
                    Stroke::Bold | Stroke::Pale => legend.draw(&PathElement::new(line, style))?,
                    Stroke::Dashed => legend.draw(&DashedPathElement::new(line, DASH.0, DASH.1, style))?,
                    Stroke::Dots => legend.draw(&Circle::new((KEY / 2, y), DOT, style))?,
                }
                let text = small.pos(Pos::new(HPos::Left, VPos::Center));
                legend.draw_text(&curve.name, &text, (KEY + KEY / 3, y))?;
            }
            page.present()
        })();
        drawn.expect("writing to a string does not fail");
    }
    let size = |by: u32| format!("width=\"{}\" height=\"{}\"", SIZE.0 * by, SIZE.1 * by);
    let text = text.replacen(&size(FINE), &size(1), 1);
    let end = text.find('>').map_or(0, |end| end + 1);
    let (head, body) = text.split_at(end);
    let head = head.replacen("<svg ", "<svg role=\"img\" aria-labelledby=\"title description\" ", 1);
    Ok(format!("{head}\n{}{body}", described(figure)))
}

/// The title and the description for readers who do not see the figure, and the styles of curves and of a dark page.
fn described(figure: &Figure) -> String {
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let hex = |RGBColor(r, g, b): RGBColor| format!("#{r:02X}{g:02X}{b:02X}");
    let ends = |curve: &Curve| match (curve.points.first(), curve.points.last()) {
        (Some((_, first)), Some((_, last))) => format!("{} from {first:.3} to {last:.3}", curve.name),
        _ => curve.name.clone(),
    };
    let curves: Vec<String> = figure.curves.iter().map(ends).collect();
    let description = format!("{} over {}: {}.", figure.y, figure.x, curves.join("; "));
    let (mut light, mut dark) = (String::new(), String::new());
    for ((colour, in_dark), dashes) in COLOURS.into_iter().zip(DARK).zip(DASHES) {
        let colour = hex(colour);
        light += &format!("polyline[stroke=\"{colour}\"]{{stroke-dasharray:{dashes}}}");
        dark += &format!("[stroke=\"{colour}\"]{{stroke:{in_dark}}}[fill=\"{colour}\"]{{fill:{in_dark}}}");
    }
    let ink = hex(INK);
    dark += &format!(
        "[fill=\"#FFFFFF\"]{{fill:#16181c}}[fill=\"{ink}\"]{{fill:#e6e6e6}}[stroke=\"{ink}\"],[stroke=\"#000000\"]{{stroke:#e6e6e6}}"
    );
    format!(
        "<title id=\"title\">{}</title>\n<desc id=\"description\">{}</desc>\n\
         <style>{light}@media(prefers-color-scheme:dark){{{dark}}}</style>\n",
        escaped(&figure.title),
        escaped(&description)
    )
}

/// The style of curve `i`.
fn style(i: usize, stroke: Stroke) -> ShapeStyle {
    let colour = COLOURS[i % COLOURS.len()];
    match stroke {
        Stroke::Bold => colour.stroke_width(2 * FINE),
        Stroke::Pale => colour.mix(PALE).stroke_width(FINE),
        Stroke::Dashed => INK.mix(0.7).stroke_width(FINE * 3 / 2),
        Stroke::Dots => colour.mix(PALE).filled(),
    }
}

/// The width of the legend, beside the curves: no figure has a corner that is always free.
fn legend_width(figure: &Figure) -> u32 {
    let letters = figure.curves.iter().map(|curve| columns(&curve.name)).max().unwrap_or(0) as u32;
    KEY as u32 / FINE * 4 / 3 + 8 * letters + 8
}

/// An axis as the drawing library asks for it.
struct Ticked<'a>(&'a Axis);

impl Ranged for Ticked<'_> {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (first, last): (i32, i32)) -> i32 {
        let fraction = (value - self.0.lo) / (self.0.hi - self.0.lo);
        first + (fraction * f64::from(last - first)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.0.ticks.clone()
    }

    fn range(&self) -> Range<f64> {
        self.0.lo..self.0.hi
    }
}

impl ValueFormatter<f64> for Ticked<'_> {
    fn format_ext(&self, tick: &f64) -> String {
        self.0.label(*tick)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::{Curve, Scale};

    fn figure(values: &[f64]) -> Figure {
        Figure {
            title: "A < B".to_owned(),
            x: "step".to_owned(),
            y: "norm".to_owned(),
            scale: Scale::Log,
            curves: vec![Curve {
                name: "curve".to_owned(),
                points: values.iter().enumerate().map(|(i, &y)| (i as f64, y)).collect(),
                stroke: Stroke::Bold,
            }],
        }
    }

    #[test]
    fn a_figure_says_what_it_shows() {
        let svg = draw(&figure(&[1.0, 0.1, 0.0, 1e-3, 1e-4])).unwrap();
        for words in [
            "A &lt; B",
            "step",
            "norm",
            "curve",
            "10⁻³",
            "<title id=\"title\">A &lt; B</title>",
            "norm over step: curve from 1.000 to 0.000.",
            "prefers-color-scheme:dark",
        ] {
            assert!(svg.contains(words), "{words} is not in {svg}");
        }
        let lines = svg.matches("stroke-width=\"8\"").count();
        assert_eq!(lines, 3, "two pieces of the curve, and the legend: {svg}");
    }

    /// The contrast of two colours, from 1 to 21.
    ///
    /// # Source
    /// W3C, *Web content accessibility guidelines 2.2* (2023), contrast ratio.
    fn contrast(a: [f64; 3], b: [f64; 3]) -> f64 {
        let linear = |c: f64| {
            let c = c / 255.0;
            if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        };
        let light = |[r, g, b]: [f64; 3]| 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
        let (a, b) = (light(a), light(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn curves_are_seen_on_light_and_dark_pages() {
        let hex = |text: &str| [1, 3, 5].map(|i| f64::from(u8::from_str_radix(&text[i..i + 2], 16).unwrap()));
        for (RGBColor(r, g, b), dark) in COLOURS.into_iter().zip(DARK) {
            let light = [r, g, b].map(f64::from);
            for (colour, page) in [(light, [255.0; 3]), (hex(dark), hex("#16181c"))] {
                let pale = [0, 1, 2].map(|i| colour[i] * PALE + page[i] * (1.0 - PALE));
                assert!(contrast(pale, page) >= 3.0, "{colour:?} on {page:?}");
            }
        }
        let mut dashes = DASHES.to_vec();
        dashes.sort_unstable();
        dashes.dedup();
        assert_eq!(dashes.len(), COLOURS.len(), "each curve has dashes of its own");
    }

    #[test]
    fn a_figure_without_values_is_an_error() {
        let error = draw(&figure(&[0.0, f64::NAN])).unwrap_err();
        assert_eq!(error.to_string(), "figure A < B: expected a value that its axis can show, found none");
    }
}
