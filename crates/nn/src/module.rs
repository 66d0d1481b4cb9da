//! Parameters by name.

use retrograde_autograd::Param;
use retrograde_tensor::Float;

/// Something that has parameters: a layer, or a model of layers. [`module!`](crate::module!) implements it.
///
/// Optimizers, gradient checks, saving and counting find parameters through it, by their paths.
pub trait Module<E: Float> {
    /// Calls `f` with the path (`rnn.wx`) and the parameter, for each place where a parameter is used.
    ///
    /// `path` is where this module itself is, empty at the root.
    fn visit(&self, path: &str, f: &mut dyn FnMut(&str, &Param<E>));

    /// The parameters, each once however often it is shared.
    fn params(&self) -> Vec<Param<E>> {
        self.named_params().into_iter().map(|(_, param)| param).collect()
    }

    /// The parameters with their paths, each once; a shared one by the first of its paths.
    fn named_params(&self) -> Vec<(String, Param<E>)> {
        let mut params: Vec<(String, Param<E>)> = Vec::new();
        self.visit("", &mut |path, param| {
            if !params.iter().any(|(_, known)| known.same(param)) {
                params.push((path.to_owned(), param.clone()));
            }
        });
        params
    }

    /// How many numbers are trained.
    fn param_count(&self) -> usize {
        self.params().iter().map(|param| param.shape().numel()).sum()
    }
}

impl<E: Float> Module<E> for Param<E> {
    fn visit(&self, path: &str, f: &mut dyn FnMut(&str, &Param<E>)) {
        f(path, self);
    }
}

/// A module that may be left out.
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

/// The path of a part: `join("rnn", "wx")` is `rnn.wx`, and `join("", "wx")` is `wx`.
pub fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// Implements [`Module`] for a struct over an element type, from those of its fields that have parameters.
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
    ($name:ident { $($field:ident),* $(,)? }) => {
        impl<E: $crate::macro_support::Float> $crate::Module<E> for $name<E> {
            fn visit(&self, path: &str, f: &mut dyn FnMut(&str, &$crate::macro_support::Param<E>)) {
                $($crate::Module::visit(&self.$field, &$crate::join(path, stringify!($field)), f);)*
            }
        }
    };
}
