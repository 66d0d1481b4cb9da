//! Forecasting a noisy sine: trained by truncated backpropagation through time, then left to itself.
//!
//! `wave` is the data, `forecaster` the model and its training.

mod forecaster;
mod wave;

use std::process::ExitCode;

use clap::Parser;
use forecaster::{Forecaster, train};
use retrograde::prelude::*;
use retrograde_examples::figure::{Curve, Figure, Scale, Stroke};
use retrograde_examples::table::{Align, Table};
use retrograde_examples::{Findings, Ink, Options, Result, Screen, chart, finish, svg};
use wave::Wave;

/// Forecast a noisy sine, then continue it alone.
#[derive(Parser)]
#[command(name = "sine")]
struct Args {
    #[command(flatten)]
    options: Options,
}

fn main() -> ExitCode {
    finish(run(&Args::parse().options, &mut Screen::stdout()))
}

/// The steps shown of the end of the data, and the steps that the model goes on alone.
const SHOWN: usize = 75;
const ALONE: usize = 125;

fn run(options: &Options, screen: &mut Screen) -> Result<Findings> {
    let path = options.figure("sine.svg")?;
    let mut rng = StdRng::seed_from_u64(options.seed);
    let wave = Wave { period: 25.0, noise: 0.15 };
    let data = wave.measure(2000, &mut rng);
    let mut model = Forecaster::new(32, &mut rng);
    let losses = train(&mut model, &data, if options.quick { 60 } else { 600 })?;

    // The fit: each value from those before it. Then each forecast is taken for the value measured.
    let fit = model.forecast(&data)?;
    let mut alone = vec![fit[fit.len() - 1]];
    while alone.len() < ALONE {
        let next = model.go_on(alone[alone.len() - 1])?;
        alone.push(next);
    }
    let truth: Vec<f32> = (0..data.len() + ALONE).map(|step| wave.at(step)).collect();

    let after = truth[data.len()..].iter();
    let within = |forecasts: &[f32]| rmse(forecasts.iter().zip(after.clone()));
    let half = ALONE / 2;
    let mut table = Table::new(&[("root mean square error", Align::Left), ("", Align::Right)]);
    let mut row = |what: String, error: f64| table.row([what, format!("{error:.3}")]);
    row("next value, against the noisy data".to_owned(), rmse(fit[50..].iter().zip(&data[51..])));
    row("next value, against the sine".to_owned(), rmse(fit[50..].iter().zip(&truth[51..])));
    row(format!("alone, steps 1 to {half}, against the sine"), within(&alone[..half]));
    row(format!("alone, steps 1 to {ALONE}, against the sine"), within(&alone));
    row("the noise itself".to_owned(), f64::from(wave.noise));
    row("a forecast of 0".to_owned(), 0.5_f64.sqrt());

    screen.line(screen.ink(Ink::Heading, "Forecasting a noisy sine"))?;
    options.note(screen)?;
    screen.line("")?;
    screen.line(format!(
        "TimeRnn 1→32, Linear 32→1: {} parameters; mean squared error {:.4} → {:.4}",
        model.param_count(),
        losses[0],
        losses[losses.len() - 1],
    ))?;
    screen.line("")?;
    let figure = figure(&data, &fit, &alone, &truth);
    screen.lines(chart::lines(&figure, screen))?;
    screen.line("")?;
    screen.lines(table.lines(screen))?;
    svg::write(&figure, &path)?;
    screen.line("")?;
    screen.line(format!("Figure: {}", path.display()))?;
    Ok(Findings::default())
}

fn rmse<'a>(pairs: impl Iterator<Item = (&'a f32, &'a f32)>) -> f64 {
    let squares: Vec<f64> = pairs.map(|(a, b)| f64::from(a - b).powi(2)).collect();
    (squares.iter().sum::<f64>() / squares.len() as f64).sqrt()
}

/// The end of the data and what follows, with step 0 the first that is not measured.
fn figure(data: &[f32], fit: &[f32], alone: &[f32], truth: &[f32]) -> Figure {
    let points = |values: &[f32], first: f64| {
        (0..).zip(values).map(|(i, &y)| (first + f64::from(i), f64::from(y))).collect::<Vec<_>>()
    };
    let (start, shown) = (data.len() - SHOWN, -(SHOWN as f64));
    Figure {
        title: "A noisy sine, forecast and continued".to_owned(),
        x: "steps after the end of the data".to_owned(),
        y: "value".to_owned(),
        scale: Scale::Linear,
        curves: vec![
            Curve::new("data", points(&data[start..], shown)).drawn(Stroke::Dots),
            Curve::new("next value", points(&fit[start - 1..fit.len() - 1], shown)),
            Curve::new("alone", points(alone, 0.0)),
            Curve::new("without noise", points(&truth[start..], shown)).drawn(Stroke::Dashed),
        ],
    }
}
