//! A drawing of lines, boxes and words as an SVG file that follows the reader's light or dark scheme.

use std::fmt::Write;

/// The styles of a drawing. Forward arrows are solid, backward arrows dashed: colour is never the only difference.
const STYLE: &str = "\
text{font:15px Helvetica,Arial,sans-serif;fill:#222}text.f{fill:#0b5394}text.b{fill:#a83c00}text.dim{fill:#595959}
text.big{font-size:17px}.page{fill:#fff}.box{fill:#f4f4f4;stroke:#555}.mark{fill:#d7e6f5;stroke:#0b5394}.rest{fill:#fbe5d6;stroke:#a83c00}
.line{stroke:#555;fill:none}.f{stroke:#0b5394;fill:none;stroke-width:2}.b{stroke:#a83c00;fill:none;stroke-width:2;stroke-dasharray:6 4}
.grid{stroke:#ccc;fill:none}text.f,text.b{stroke:none}.hf{fill:#0b5394}.hb{fill:#a83c00}.hline{fill:#555}
@media(prefers-color-scheme:dark){text{fill:#e6e6e6}text.f{fill:#8cc4ff}text.b{fill:#ffb27d}text.dim{fill:#b0b0b0}
.page{fill:#16181c}.box{fill:#23272e;stroke:#aaa}.mark{fill:#16324d;stroke:#8cc4ff}.rest{fill:#4a2a14;stroke:#ffb27d}.line{stroke:#aaa}.f{stroke:#8cc4ff}
.b{stroke:#ffb27d}.grid{stroke:#3a3f46}.hf{fill:#8cc4ff}.hb{fill:#ffb27d}.hline{fill:#aaa}}";

/// Where a text stands relative to its point.
#[derive(Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// An SVG file that is being written.
pub(super) struct Drawing(String);

impl Drawing {
    /// An empty drawing with a title and a description for readers who do not see it.
    pub(super) fn new(width: u32, height: u32, title: &str, description: &str) -> Self {
        let (title, description) = (escaped(title), escaped(description));
        let mut text = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
             role=\"img\" aria-labelledby=\"title description\">\n<title id=\"title\">{title}</title>\n\
             <desc id=\"description\">{description}</desc>\n<style>{STYLE}</style>\n<defs>\n"
        );
        for class in ["f", "b", "line"] {
            let _ = writeln!(
                text,
                "<marker id=\"{class}\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" \
                 markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path class=\"h{class}\" d=\"M0 0 8 4 0 8z\"/></marker>"
            );
        }
        text += "</defs>\n";
        let mut drawing = Drawing(text);
        drawing.rect((0.0, 0.0), (width.into(), height.into()), "page");
        drawing
    }

    /// A rectangle from its upper left corner.
    pub(super) fn rect(&mut self, (x, y): (f64, f64), (width, height): (f64, f64), class: &str) {
        self.put(format_args!(
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"/>"
        ));
    }

    /// A box of 46 by 34 with a word in it, by its centre.
    pub(super) fn node(&mut self, (x, y): (f64, f64), word: &str) {
        let width = 46.0_f64.max(12.0 + 9.0 * word.chars().count() as f64);
        self.rect((x - width / 2.0, y - 17.0), (width, 34.0), "box");
        self.text((x, y + 5.0), Anchor::Middle, "big", word);
    }

    /// A line of text on its base line.
    pub(super) fn text(&mut self, (x, y): (f64, f64), anchor: Anchor, class: &str, words: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let words = escaped(words);
        self.put(format_args!(
            "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{words}</text>"
        ));
    }

    /// An arrow: `f` forwards, `b` backwards.
    pub(super) fn arrow(&mut self, (x, y): (f64, f64), (to_x, to_y): (f64, f64), class: &str) {
        self.put(format_args!(
            "<path class=\"{class}\" marker-end=\"url(#{class})\" d=\"M{x:.1} {y:.1}L{to_x:.1} {to_y:.1}\"/>"
        ));
    }

    /// A line through points.
    pub(super) fn line(&mut self, points: &[(f64, f64)], class: &str) {
        let path: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1} {y:.1}")).collect();
        self.put(format_args!("<path class=\"{class}\" d=\"M{}\"/>", path.join("L")));
    }

    /// The text of the file.
    pub(super) fn finish(self) -> String {
        self.0 + "</svg>\n"
    }

    fn put(&mut self, element: std::fmt::Arguments<'_>) {
        let _ = writeln!(self.0, "{element}");
    }
}

fn escaped(words: &str) -> String {
    words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
