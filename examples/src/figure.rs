//! The contents of a figure: curves, and axes with round numbers.

/// Curves over a common axis.
#[derive(Clone, Debug)]
pub struct Figure {
    /// The title.
    pub title: String,
    /// The horizontal quantity, with its unit.
    pub x: String,
    /// The vertical quantity, with its unit.
    pub y: String,
    /// The scale of the vertical axis.
    pub scale: Scale,
    /// The curves.
    pub curves: Vec<Curve>,
}

/// A line through points, from left to right.
#[derive(Clone, Debug)]
pub struct Curve {
    /// The label of the curve.
    pub name: String,
    /// Its points `(x, y)`.
    pub points: Vec<(f64, f64)>,
    /// The way in which it is drawn.
    pub stroke: Stroke,
}

/// The role of a curve, which says how it is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stroke {
    /// The subject of the figure.
    Bold,
    /// The background.
    Pale,
    /// A curve to compare with.
    Dashed,
    /// Single points, such as measurements.
    Dots,
}

/// The scale of an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Equal steps are equal differences.
    Linear,
    /// Equal steps are equal ratios.
    Log,
}

impl Curve {
    /// A curve that the figure is about.
    pub fn new(name: impl Into<String>, points: Vec<(f64, f64)>) -> Self {
        Curve { name: name.into(), points, stroke: Stroke::Bold }
    }

    /// A constant from `0` to `end`, dashed, that curves are compared with.
    pub fn level(name: impl Into<String>, value: f64, end: f64) -> Self {
        Curve::new(name, vec![(0.0, value), (end, value)]).drawn(Stroke::Dashed)
    }

    /// The same, drawn in another way.
    #[must_use]
    pub fn drawn(self, stroke: Stroke) -> Self {
        Curve { stroke, ..self }
    }
}

/// A series that is too restless to be read: the mean of each `stretch` neighbours, at the place of the last.
pub fn running_mean(points: &[(f64, f64)], stretch: usize) -> Vec<(f64, f64)> {
    let mean = |points: &[(f64, f64)]| {
        (points[points.len() - 1].0, points.iter().map(|(_, y)| y).sum::<f64>() / points.len() as f64)
    };
    points.windows(stretch.clamp(1, points.len().max(1))).map(mean).collect()
}

impl Figure {
    /// The horizontal axis, if there is anything to show.
    pub fn x_axis(&self) -> Option<Axis> {
        Axis::spanning(Scale::Linear, self.points().map(|(x, _)| x))
    }

    /// The vertical axis, if there is anything to show.
    pub fn y_axis(&self) -> Option<Axis> {
        Axis::spanning(self.scale, self.points().map(|(_, y)| y))
    }

    fn points(&self) -> impl Iterator<Item = (f64, f64)> {
        self.curves.iter().flat_map(|curve| curve.points.iter().copied())
    }
}

/// An axis that ends at round numbers.
///
/// A coordinate is the value itself on a linear axis, and its decimal logarithm on a logarithmic one.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    scale: Scale,
    /// The coordinate at which the axis begins.
    pub lo: f64,
    /// The coordinate at which it ends.
    pub hi: f64,
    /// The coordinates that are labelled.
    pub ticks: Vec<f64>,
}

/// The most intervals between ticks.
const INTERVALS: f64 = 6.0;

impl Axis {
    /// The shortest axis that holds all values that have a place on it; `None` if none has.
    pub fn spanning(scale: Scale, values: impl Iterator<Item = f64>) -> Option<Self> {
        let coordinates = values.filter_map(|value| coordinate(scale, value));
        let (lo, hi) =
            coordinates.fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), x| (x.min(lo), x.max(hi)));
        if lo > hi {
            return None;
        }
        let least = match scale {
            Scale::Linear => lo.abs().max(1e-300) * 1e-9,
            Scale::Log => 1.0,
        };
        let mut step = round_up((hi - lo).max(least) / INTERVALS);
        if scale == Scale::Log {
            step = step.max(1.0); // a tick is a whole power of ten
        }
        // Rounding outwards may add an interval at either end; widen the step until they are few again.
        let ends = |step: f64| ((lo / step + 1e-9).floor(), (hi / step - 1e-9).ceil());
        while ends(step).1 - ends(step).0 > INTERVALS {
            step = round_up(step * 1.5);
        }
        let (first, last) = ends(step);
        let last = last.max(first + 1.0);
        let ticks = (0..=(last - first) as usize).map(|i| (first + i as f64) * step).collect();
        Some(Axis { scale, lo: first * step, hi: last * step, ticks })
    }

    /// Where a value is along the axis, from 0 at its beginning to 1 at its end; `None` if it has no place there.
    pub fn fraction(&self, value: f64) -> Option<f64> {
        let fraction = (self.coordinate(value)? - self.lo) / (self.hi - self.lo);
        (-1e-9..=1.0 + 1e-9).contains(&fraction).then_some(fraction.clamp(0.0, 1.0))
    }

    /// The coordinate of a value, if it has one: a logarithmic axis has no place for zero.
    pub fn coordinate(&self, value: f64) -> Option<f64> {
        coordinate(self.scale, value)
    }

    /// The words for a tick: `0.25`, or `10⁻³`.
    pub fn label(&self, tick: f64) -> String {
        match self.scale {
            Scale::Log => power_of_ten(tick.round() as i32),
            Scale::Linear => {
                let step = (self.hi - self.lo) / (self.ticks.len() - 1) as f64;
                let decimals = (-(step * 1.000_001).log10().floor()).clamp(0.0, 12.0) as usize;
                format!("{:.decimals$}", if tick == 0.0 { 0.0 } else { tick })
            }
        }
    }
}

fn coordinate(scale: Scale, value: f64) -> Option<f64> {
    let coordinate = match scale {
        Scale::Linear => value,
        Scale::Log if value > 0.0 => value.log10(),
        Scale::Log => return None,
    };
    coordinate.is_finite().then_some(coordinate)
}

/// The next of 1, 2, 5, 10, 20, .. that is not below `x`.
fn round_up(x: f64) -> f64 {
    let decade = 10_f64.powf(x.log10().floor());
    let factor = [1.0, 2.0, 5.0].into_iter().find(|factor| factor * decade >= x * (1.0 - 1e-9));
    factor.unwrap_or(10.0) * decade
}

fn power_of_ten(exponent: i32) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let raised = |c: char| c.to_digit(10).map_or('⁻', |digit| DIGITS[digit as usize]);
    match exponent {
        0 => "1".to_owned(),
        1 => "10".to_owned(),
        _ => format!("10{}", exponent.to_string().chars().map(raised).collect::<String>()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(scale: Scale, values: &[f64]) -> Vec<String> {
        let axis = Axis::spanning(scale, values.iter().copied()).unwrap();
        axis.ticks.iter().map(|&tick| axis.label(tick)).collect()
    }

    #[test]
    fn a_linear_axis_ends_at_round_numbers() {
        assert_eq!(labels(Scale::Linear, &[0.3, 9.0]), ["0", "2", "4", "6", "8", "10"]);
        assert_eq!(labels(Scale::Linear, &[1.22, 1.58]), ["1.2", "1.3", "1.4", "1.5", "1.6"]);
        assert_eq!(labels(Scale::Linear, &[-30.0, 70.0]), ["-40", "-20", "0", "20", "40", "60", "80"]);
        assert_eq!(labels(Scale::Linear, &[0.0, 60.0]), ["0", "10", "20", "30", "40", "50", "60"]);
    }

    #[test]
    fn a_logarithmic_axis_ends_at_powers_of_ten() {
        assert_eq!(labels(Scale::Log, &[0.02, 30.0]), ["10⁻²", "10⁻¹", "1", "10", "10²"]);
        assert_eq!(labels(Scale::Log, &[1e-11, 3.0]), ["10⁻¹⁵", "10⁻¹⁰", "10⁻⁵", "1", "10⁵"]);
        assert_eq!(labels(Scale::Log, &[5.0]), ["1", "10"]);
    }

    #[test]
    fn a_value_is_where_its_coordinate_is() {
        let axis = Axis::spanning(Scale::Log, [0.01, 100.0].into_iter()).unwrap();
        for (value, fraction) in [(0.01, 0.0), (0.1, 0.25), (1.0, 0.5), (100.0, 1.0)] {
            assert!((axis.fraction(value).unwrap() - fraction).abs() < 1e-12, "{value}");
        }
        for value in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e3] {
            assert_eq!(axis.fraction(value), None, "{value}");
        }
    }

    #[test]
    fn every_value_lies_within_few_intervals() {
        for scale in [Scale::Linear, Scale::Log] {
            for i in 0..200 {
                let a = 1.37_f64.powi(i - 100);
                for b in [a, a * 1.001, a * 1.7, a * 83.0, a * 1e9] {
                    let axis = Axis::spanning(scale, [a, b].into_iter()).unwrap();
                    assert!(axis.fraction(a).is_some() && axis.fraction(b).is_some(), "{a} {b} {axis:?}");
                    assert!((2..=7).contains(&axis.ticks.len()), "{a} {b} {axis:?}");
                }
            }
        }
    }

    #[test]
    fn a_running_mean_ends_where_the_series_does() {
        let points = [(1.0, 4.0), (2.0, 0.0), (3.0, 2.0)];
        assert_eq!(running_mean(&points, 2), [(2.0, 2.0), (3.0, 1.0)]);
        assert_eq!(running_mean(&points, 9), [(3.0, 2.0)]);
        assert_eq!(running_mean(&[], 2), []);
    }

    #[test]
    fn nothing_to_show_has_no_axis() {
        assert_eq!(Axis::spanning(Scale::Linear, [].into_iter()), None);
        assert_eq!(Axis::spanning(Scale::Log, [0.0, -3.0, f64::NAN].into_iter()), None);
    }
}
