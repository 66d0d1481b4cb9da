//! PyTorch's recurrent models of text, in double precision: Adam, with clipped gradients.

use std::path::{Path, PathBuf};

use indicatif::ProgressBar;
use retrograde::nn::torch::TorchCell;
use retrograde::nn::{SequenceOptions, Windows};
use retrograde::prelude::*;

use super::two_biases::TwoBiases;
use super::{Curve, Source, Training, Unit};
use crate::golden::{Case, Error};
use crate::language_model::LanguageModel;
use crate::text::Text;

/// The tolerance of losses and norms of gradients.
const BAR: f64 = 1e-9;

struct CharRnn<C: TorchCell<f64>> {
    case: String,
    model: LanguageModel<Time<TwoBiases<C, f64>, f64>, f64>,
    adam: Adam<f64>,
    max_norm: f64,
    tokens: Vec<usize>,
    batch: usize,
    time: usize,
    losses: Vec<f64>,
    norms: Vec<f64>,
}

/// Makes a training of one of the models.
type OpenModel = fn(&Source<'_>, &str, &[usize]) -> Result<Box<dyn Training>, Error>;

/// The models by the name of their layer.
const MODELS: [(&str, OpenModel); 3] = [
    ("rnn", open_model::<RnnCell<f64>>),
    ("lstm", open_model::<LstmCell<f64>>),
    ("gru", open_model::<GruCell<f64>>),
];

pub(super) fn open(source: &Source<'_>) -> Result<Vec<Box<dyn Training>>, Error> {
    let case = source.case("char_rnn");
    let tokens = tokens(source, &case)?;
    let curves = case.within("curves")?;
    let mut trainings = Vec::new();
    for name in curves.names() {
        let model = MODELS.iter().find(|(known, _)| *known == name);
        let (_, open) = model.ok_or_else(|| case.wrong("curves", "of rnn, lstm and gru"))?;
        trainings.push(open(source, name, &tokens)?);
    }
    Ok(trainings)
}

fn open_model<C: TorchCell<f64> + 'static>(
    source: &Source<'_>,
    name: &str,
    tokens: &[usize],
) -> Result<Box<dyn Training>, Error> {
    let case = source.case(name);
    let (v, d, h) = (case.size("vocab")?, case.size("embedding")?, case.size("hidden")?);
    let wide = C::GATES * h;
    let embedding = Embedding::from_array(case.tensor("embedding.weight", &[v, d])?)?;
    let cell = TwoBiases::<C, f64>::new(&[
        case.tensor("rnn.weight_ih_l0", &[wide, d])?,
        case.tensor("rnn.weight_hh_l0", &[wide, h])?,
        case.tensor("rnn.bias_ih_l0", &[wide])?,
        case.tensor("rnn.bias_hh_l0", &[wide])?,
    ])?;
    let head = Linear::from_arrays(
        case.tensor("head.weight", &[v, h])?.t().contiguous(),
        case.tensor("head.bias", &[v])?,
    )?;
    let settings = case.within("adam")?;
    let [beta1, beta2] = settings.numbers("betas")?[..] else {
        return Err(settings.wrong("betas", "two numbers"));
    };
    let model = LanguageModel::new(embedding, Time::new(cell), head);
    let mut adam = Adam::new(settings.number("lr")?).of(&model)?;
    (adam.betas, adam.eps) = ((beta1, beta2), settings.number("eps")?);
    let (curve, steps) = (case.within("curves")?.within(name)?, case.size("steps")?);
    let numbers = |field| match curve.numbers(field)? {
        numbers if numbers.len() == steps => Ok(numbers),
        _ => Err(curve.wrong(field, format!("{steps} numbers"))),
    };
    let training = CharRnn {
        case: format!("char_rnn, {name}"),
        model,
        adam,
        max_norm: case.number("clip_grad_norm")?,
        tokens: tokens.to_vec(),
        batch: case.size("batch")?,
        time: case.size("time")?,
        losses: numbers("losses")?,
        norms: numbers("grad_norms")?,
    };
    Windows::new(&training.tokens, training.batch, training.time)?;
    Ok(Box::new(training))
}

/// The beginning of a text that the manifest names, `NAME, first COUNT characters; ..`, as indices into the alphabet of
/// the whole.
fn tokens(source: &Source<'_>, case: &Case<'_>) -> Result<Vec<usize>, Error> {
    let form = || case.wrong("text", "\"NAME, first COUNT characters; ..\"");
    let (name, rest) = case.text("text")?.split_once(", first ").ok_or_else(form)?;
    let count: usize =
        rest.split_once(" characters").and_then(|(count, _)| count.parse().ok()).ok_or_else(form)?;
    let path = find(source, name)?;
    let text = Text::read(&path).map_err(|error| Error::Text(Box::new(error)))?;
    let (letters, characters) = (text.alphabet.len(), text.tokens.len());
    let v = case.size("vocab")?;
    if letters != v || characters < count {
        return Err(Error::OtherText { path, letters: v, characters: count, found: (letters, characters) });
    }
    Ok(text.tokens[..count].to_vec())
}

/// Where the text of this name is.
fn find(source: &Source<'_>, name: &str) -> Result<PathBuf, Error> {
    if let Some(path) = source.text {
        return Ok(path.to_owned());
    }
    let beside = source.folder.parent().unwrap_or(Path::new("")).join("data");
    let places = [source.folder.join(name), beside.join(name)];
    match places.iter().find(|path| path.is_file()) {
        Some(path) => Ok(path.clone()),
        None => Err(Error::NoText { name: name.into(), places: places.into() }),
    }
}

impl<C: TorchCell<f64>> Training for CharRnn<C> {
    fn steps(&self) -> usize {
        self.losses.len()
    }

    fn run(self: Box<Self>, bar: &ProgressBar) -> Result<Vec<Curve>, Error> {
        let CharRnn { case, mut model, mut adam, max_norm, tokens, batch, time, losses, norms } = *self;
        let windows = Windows::new(&tokens, batch, time)?;
        let (mut found_losses, mut found_norms) = (Vec::new(), Vec::new());
        for window in windows.take(losses.len()) {
            let tape = Tape::new();
            let loss = model.loss(&tape, &window, &SequenceOptions::new())?;
            let mut grads = loss.backward()?;
            found_norms.push(clip_grad_norm(&mut grads, max_norm));
            adam.step(&grads)?;
            let loss = loss.value().item()?;
            found_losses.push(loss);
            bar.set_message(format!("{case}, loss {loss:.3}"));
            bar.inc(1);
        }
        let curve = |of, expected, found| Curve::new(case.clone(), of, Unit::Step, expected, found, BAR);
        Ok(vec![curve("loss", losses, found_losses), curve("gradient norm", norms, found_norms)])
    }
}
