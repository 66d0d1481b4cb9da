//! Parameters by name.

use std::collections::BTreeMap;

use retrograde_autograd::{Gradients, Param, Tape};
use retrograde_tensor::{Float, Tensor};

use crate::{Error, Result, Snapshot};

/// Something that has parameters: a layer, or a model of layers. [`module!`](crate::module!) implements it.
///
/// Optimizers, gradient checks, files and counts find parameters through it, by their paths. A path stands for one
/// parameter: two parameters under one path are refused, by a panic in methods that return no `Result` and by an error
/// everywhere else. A parameter that is shared has several paths, and counts once.
///
/// A parameter that a module does not list is not saved, though the tape knows it and an optimizer moves it. An optimizer
/// [`of`](crate::Optimizer::of) a module and [`check_gradients`](Self::check_gradients) tell of it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` lists no parameters of `{E}`",
    note = "`module!({Self} {{ .. }})` implements `Module` from the names of the fields that have parameters"
)]
pub trait Module<E: Float> {
    /// Calls `f` with the path (`rnn.wx`) and the parameter, for each place where a parameter is used.
    ///
    /// `path` is the place of this module, empty at the root.
    fn visit(&self, path: &str, f: &mut dyn FnMut(&str, &Param<E>));

    /// Returns the parameters, each once however often it is shared.
    ///
    /// # Panics
    /// If two parameters have one path.
    #[track_caller]
    fn params(&self) -> Vec<Param<E>> {
        self.named_params().into_iter().map(|(_, param)| param).collect()
    }

    /// Returns the parameters with their paths, each once; a shared one by the first of its paths.
    ///
    /// # Panics
    /// If two parameters have one path; [`try_named_params`](Self::try_named_params) returns that as an error.
    #[track_caller]
    fn named_params(&self) -> Vec<(String, Param<E>)> {
        self.try_named_params().unwrap_or_else(|error| panic!("{error}"))
    }

    /// As [`named_params`](Self::named_params).
    ///
    /// # Errors
    /// If two parameters have one path.
    fn try_named_params(&self) -> Result<Vec<(String, Param<E>)>> {
        let mut paths: BTreeMap<String, Param<E>> = BTreeMap::new();
        let mut params: Vec<(String, Param<E>)> = Vec::new();
        let mut repeated = None;
        self.visit("", &mut |path, param| {
            let first = paths.entry(path.to_owned()).or_insert_with(|| param.clone());
            if !first.same(param) {
                let names = [&*first, param].map(|param| param.name().to_owned());
                repeated.get_or_insert(Error::RepeatedPath { path: path.to_owned(), names });
            }
            if !params.iter().any(|(_, known)| known.same(param)) {
                params.push((path.to_owned(), param.clone()));
            }
        });
        repeated.map_or(Ok(params), Err)
    }

    /// Returns the number of numbers that are trained.
    ///
    /// # Panics
    /// If two parameters have one path.
    #[track_caller]
    fn param_count(&self) -> usize {
        self.params().iter().map(|param| param.shape().numel()).sum()
    }

    /// Freezes the parameters on a tape: a constant of the same value stands for each, and no gradient of them is computed.
    ///
    /// # Errors
    /// If two parameters have one path.
    ///
    /// # Example
    /// ```
    /// use rand::{SeedableRng, rngs::StdRng};
    /// use retrograde_autograd::Tape;
    /// use retrograde_nn::{Layer, Linear, LstmCell, Module, SequenceOptions, TimeLstm};
    /// use retrograde_tensor::Tensor;
    ///
    /// let rng = &mut StdRng::seed_from_u64(1);
    /// let model = (TimeLstm::<f32>::new(LstmCell::new(3, 4, rng)), Linear::new(4, 2, rng));
    /// let tape = Tape::new();
    /// model.0.freeze(&tape)?;
    /// let xs = tape.constant(Tensor::normal([2, 5, 3], 0.0, 1.0, rng)?);
    /// let hs = model.run(&xs, None, &SequenceOptions::new())?.hs;
    /// let grads = hs.square().mean().backward()?;
    /// assert!(grads.params().all(|(param, _)| param.same(&model.1.w) || param.same(&model.1.b)));
    /// # Ok::<(), retrograde_nn::Error>(())
    /// ```
    fn freeze(&self, tape: &Tape<E>) -> Result<()> {
        for (_, param) in self.try_named_params()? {
            tape.bind(&param, param.value())?;
        }
        Ok(())
    }

    /// Returns the present values of the parameters, which [`restore`](Self::restore) puts back: the best model so far, or the
    /// one to go back to after an evaluation. They do not change with the parameters.
    ///
    /// # Panics
    /// If two parameters have one path.
    ///
    /// # Example
    /// See [`Snapshot`].
    #[track_caller]
    fn snapshot(&self) -> Snapshot<E> {
        self.named_params().into_iter().map(|(path, param)| (path, param.value())).collect()
    }

    /// Gives the parameters the values of a snapshot, of this model or of another one of the same paths and shapes.
    ///
    /// # Errors
    /// If the paths or the shapes are not those of the model, or if two parameters have one path. No parameter has changed
    /// then.
    fn restore(&self, snapshot: &Snapshot<E>) -> Result<()> {
        snapshot.matched(self)?.into_iter().try_for_each(|(param, value)| Ok(param.set(value.clone())?))
    }

    /// Checks that the backward pass reached no parameter that this module does not list. To be called once, before
    /// parameters are moved by hand; an optimizer [`of`](crate::Optimizer::of) the module does it in each step.
    ///
    /// # Errors
    /// If there is a gradient of another parameter, or if two parameters have one path.
    fn check_gradients(&self, grads: &Gradients<E>) -> Result<()> {
        let params = self.try_named_params()?;
        unlisted("gradients", params.iter().map(|(_, param)| param), grads)
    }

    /// Returns the gradients of all parameters one after the other, in the order of [`params`](Self::params), each in
    /// row-major order; zeros where nothing flowed. Other processes add theirs to it in one call.
    ///
    /// # Errors
    /// As [`check_gradients`](Self::check_gradients).
    ///
    /// # Example
    /// ```
    /// use retrograde_autograd::{Param, Tape};
    /// use retrograde_nn::Module;
    /// use retrograde_tensor::Tensor;
    ///
    /// let model = ["w", "b"].map(|name| Param::new(name, Tensor::from([1.0_f64, 2.0]))).to_vec();
    /// let tape = Tape::new();
    /// let grads = tape.param(&model[1]).square().sum().backward()?; // db = 2 b
    /// let flat = model.flat_gradients(&grads)?;
    /// assert_eq!(flat, [0.0, 0.0, 2.0, 4.0]);
    /// let grads = model.gradients_from_flat(&flat)?;
    /// assert_eq!(grads.get(&model[0]), Some(&Tensor::zeros([2])));
    /// # Ok::<(), retrograde_nn::Error>(())
    /// ```
    fn flat_gradients(&self, grads: &Gradients<E>) -> Result<Vec<E>> {
        self.check_gradients(grads)?;
        let mut flat = Vec::with_capacity(self.param_count());
        for param in self.params() {
            match grads.get(&param) {
                Some(dw) => flat.extend(dw),
                None => flat.resize(flat.len() + param.shape().numel(), E::default()),
            }
        }
        Ok(flat)
    }

    /// Returns the gradients that [`flat_gradients`](Self::flat_gradients) lays out: one for each parameter, also where
    /// it is zero.
    ///
    /// # Errors
    /// If there are more or fewer numbers than the module has, or if two parameters have one path.
    fn gradients_from_flat(&self, flat: &[E]) -> Result<Gradients<E>> {
        let (mut grads, mut rest) = (Gradients::default(), flat);
        for (_, param) in self.try_named_params()? {
            let shape = param.shape();
            let Some((dw, after)) = rest.split_at_checked(shape.numel()) else { break };
            grads.insert(&param, Tensor::from_vec(dw.to_vec(), shape)?)?;
            rest = after;
        }
        let (expected, found) = (self.param_count(), flat.len());
        if expected == found {
            Ok(grads)
        } else {
            Err(Error::Count { op: "gradients", name: "numbers", expected, found })
        }
    }
}

/// Refuses gradients of parameters that are not among these.
pub(crate) fn unlisted<'a, E: Float>(
    op: &'static str,
    params: impl Iterator<Item = &'a Param<E>> + Clone,
    grads: &Gradients<E>,
) -> Result<()> {
    let listed = |param: &Param<E>| params.clone().any(|known| known.same(param));
    match grads.params().find(|(param, _)| !listed(param)) {
        Some((param, _)) => Err(Error::ForeignParam { op, name: param.name().to_owned() }),
        None => Ok(()),
    }
}

impl<E: Float> Module<E> for Param<E> {
    fn visit(&self, path: &str, f: &mut dyn FnMut(&str, &Param<E>)) {
        f(path, self);
    }
}

/// A module that is borrowed: `(&rnn, &linear)` are the parameters of both.
impl<E: Float, M: Module<E> + ?Sized> Module<E> for &M {
    fn visit(&self, path: &str, f: &mut dyn FnMut(&str, &Param<E>)) {
        (**self).visit(path, f);
    }
}

/// A module on the heap, also one whose type is chosen at run time.
impl<E: Float, M: Module<E> + ?Sized> Module<E> for Box<M> {
    fn visit(&self, path: &str, f: &mut dyn FnMut(&str, &Param<E>)) {
        (**self).visit(path, f);
    }
}

/// A module that may be absent.
impl<E: Float, M: Module<E>> Module<E> for Option<M> {
    fn visit(&self, path: &str, f: &mut dyn FnMut(&str, &Param<E>)) {
        if let Some(module) = self {
            module.visit(path, f);
        }
    }
}

/// Modules in a row: `layers.0.wx`.
impl<E: Float, M: Module<E>> Module<E> for Vec<M> {
    fn visit(&self, path: &str, f: &mut dyn FnMut(&str, &Param<E>)) {
        for (i, module) in self.iter().enumerate() {
            module.visit(&join(path, &i.to_string()), f);
        }
    }
}

/// Modules in a row of fixed length: `layers.0.wx`.
impl<E: Float, M: Module<E>, const K: usize> Module<E> for [M; K] {
    fn visit(&self, path: &str, f: &mut dyn FnMut(&str, &Param<E>)) {
        for (i, module) in self.iter().enumerate() {
            module.visit(&join(path, &i.to_string()), f);
        }
    }
}

/// Returns the path of a part: `join("rnn", "wx")` is `rnn.wx`, and `join("", "wx")` is `wx`.
#[must_use]
pub fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// Implements [`Module`] for a struct over an element type, from those of its fields that have parameters.
///
/// All of them have to be listed: a parameter in another field is trained and not saved. An optimizer
/// [`of`](crate::Optimizer::of) the model refuses its gradient.
///
/// With `struct`, it defines the struct too, whose fields are all parameters: `module!(pub struct Scale { gain, offset })`;
/// placeholders stand behind `with`: `module!(struct Decoder { wx, wh } with { memory })`.
///
/// # Example
/// ```
/// use retrograde_autograd::Param;
/// use retrograde_nn::{Module, module};
/// use retrograde_tensor::{Float, Tensor};
///
/// struct Scale<E> {
///     gain: Param<E>,
///     offset: Param<E>,
/// }
/// module!(Scale { gain, offset });
///
/// struct Model<E> {
///     first: Scale<E>,
///     last: Scale<E>,
/// }
/// module!(Model { first, last });
///
/// let gain = Param::new("gain", Tensor::<f32>::ones([3]));
/// let scale = || Scale { gain: gain.clone(), offset: Param::new("offset", Tensor::zeros([3])) };
/// let model = Model { first: scale(), last: scale() };
/// let paths: Vec<String> = model.named_params().into_iter().map(|(path, _)| path).collect();
/// assert_eq!(paths, ["first.gain", "first.offset", "last.offset"]); // the shared gain once
/// assert_eq!(model.param_count(), 9);
/// ```
#[macro_export]
macro_rules! module {
    ($(#[$meta:meta])* $vis:vis struct $name:ident { $($param:ident),+ $(,)? } $(with { $($placeholder:ident),+ $(,)? })?) => {
        $(#[$meta])*
        #[derive(Clone, Debug)]
        $vis struct $name<E: $crate::macro_support::Float> {
            $($vis $param: $crate::macro_support::Param<E>,)+
            $($($vis $placeholder: $crate::macro_support::Placeholder<E>,)+)?
        }

        $crate::module!($name { $($param),+ });
    };
    ($name:ident { $($field:ident),* $(,)? }) => {
        impl<E: $crate::macro_support::Float> $crate::Module<E> for $name<E> {
            fn visit(&self, path: &str, f: &mut dyn FnMut(&str, &$crate::macro_support::Param<E>)) {
                $($crate::Module::visit(&self.$field, &$crate::join(path, stringify!($field)), f);)*
            }
        }
    };
}
