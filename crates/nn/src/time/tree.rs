//! Trees of leaves, such as the states of cells.

use std::fmt::Debug;

use retrograde_autograd::{Param, Var};
use retrograde_tensor::Float;
use retrograde_tensor::Tensor;

/// A tree of leaves of one type: a leaf by itself, a tuple, an array or a `Vec` of trees, or a struct by
/// [`state!`](crate::state!).
///
/// # Example
/// The states of a beam search, of which some rows go on, off the tape and on it:
/// ```
/// use retrograde_autograd::Tape;
/// use retrograde_nn::{State, Tree};
/// use retrograde_tensor::Tensor;
///
/// let state = (Tensor::from([[1.0], [2.0]]), [Tensor::from([[3.0], [4.0]])]); // [N, 1] each
/// let parents = Tensor::from([1, 1]);
/// let next = state.map(|x| x.gather_rows(&parents));
/// assert_eq!(next, (Tensor::from([[2.0], [2.0]]), [Tensor::from([[4.0], [4.0]])]));
///
/// let tape = Tape::new();
/// let on_tape = state.on(&tape).map(|x| x.gather_rows(&parents));
/// let average = on_tape.zip(&next.on(&tape), |a, b| (a + b) * 0.5);
/// assert_eq!(average.leaves().len(), 2);
/// assert_eq!(average.map(|x| x.value().clone()), next);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a tree of `{L}`",
    note = "a state is a tensor, or a tuple, an array or a `Vec` of states; a struct of tensors becomes one by \
            `state!(Memory {{ h, c }})`, as `Memory<Tensor<E>>`"
)]
pub trait Tree<L: Leaf>: Clone + Debug {
    /// The form of the tree, whatever its leaves are.
    type Form: Form<Of<L> = Self>;

    /// Calls `f` with each leaf, in order.
    fn for_each<'a>(&'a self, f: impl FnMut(&'a L))
    where
        L: 'a;

    /// Returns the tree of the same form whose leaves are `f` of these, in order. Of a single tensor, the method `map` is
    /// that of its elements, and this is `Tree::map(&x, f)`.
    fn map<M: Leaf>(&self, f: impl FnMut(&L) -> M) -> Mapped<Self, L, M>;

    /// Returns the leaves, in order.
    fn leaves(&self) -> Vec<&L> {
        let mut leaves = Vec::new();
        self.for_each(|leaf| leaves.push(leaf));
        leaves
    }

    /// Returns the tree whose leaves are `f` of these and their counterparts in another tree of the same form.
    ///
    /// # Panics
    /// If the other tree has fewer leaves, as a shorter `Vec` has.
    fn zip<N: Leaf, M: Leaf>(
        &self,
        other: &Mapped<Self, L, N>,
        mut f: impl FnMut(&L, &N) -> M,
    ) -> Mapped<Self, L, M> {
        let mut others = other.leaves().into_iter();
        self.map(|leaf| f(leaf, others.next().expect("zip: expected trees of the same number of leaves")))
    }
}

/// A tree of the form of `T` with leaves `M` in place of `L`.
pub type Mapped<T, L, M> = <<T as Tree<L>>::Form as Form>::Of<M>;

/// The form of a tree without its leaves: that of a single leaf, or a tuple, an array or a `Vec` of forms.
pub trait Form: Sized {
    /// The tree of this form with leaves `L`.
    type Of<L: Leaf>: Tree<L, Form = Self>;

    /// The names of the leaves, where they have names.
    const NAMES: &'static [&'static str] = &["h"];
}

/// The form of a tree that is a leaf.
#[derive(Clone, Copy, Debug)]
pub enum Single {}

impl Form for Single {
    type Of<L: Leaf> = L;
}

/// A leaf of trees: a tensor, a variable or a parameter.
pub trait Leaf: Tree<Self, Form = Single> {}

macro_rules! leaf {
    ([$($generic:tt)*] $leaf:ty) => {
        impl<$($generic)*> Leaf for $leaf {}

        impl<$($generic)*> Tree<Self> for $leaf {
            type Form = Single;

            fn for_each<'a>(&'a self, mut f: impl FnMut(&'a Self))
            where
                Self: 'a,
            {
                f(self);
            }

            fn map<M: Leaf>(&self, mut f: impl FnMut(&Self) -> M) -> M {
                f(self)
            }
        }
    };
}

leaf!([E: Float] Tensor<E>);
leaf!(['t, E: Float] Var<'t, E>);
leaf!([E: Float] Param<E>);

macro_rules! tuple {
    ($($tree:ident $form:ident $i:tt),*) => {
        impl<$($form: Form),*> Form for ($($form,)*) {
            type Of<L: Leaf> = ($($form::Of<L>,)*);
        }

        impl<L: Leaf, $($tree: Tree<L>),*> Tree<L> for ($($tree,)*) {
            type Form = ($($tree::Form,)*);

            #[allow(unused_mut, unused_variables)]
            fn for_each<'a>(&'a self, mut f: impl FnMut(&'a L))
            where
                L: 'a,
            {
                $(self.$i.for_each(&mut f);)*
            }

            #[allow(unused_mut, unused_variables, clippy::unused_unit)]
            fn map<M: Leaf>(&self, mut f: impl FnMut(&L) -> M) -> Mapped<Self, L, M> {
                ($(self.$i.map(&mut f),)*)
            }
        }
    };
}

tuple!();
tuple!(A FA 0);
tuple!(A FA 0, B FB 1);
tuple!(A FA 0, B FB 1, C FC 2);
tuple!(A FA 0, B FB 1, C FC 2, D FD 3);
tuple!(A FA 0, B FB 1, C FC 2, D FD 3, G FG 4);
tuple!(A FA 0, B FB 1, C FC 2, D FD 3, G FG 4, H FH 5);

impl<F: Form, const K: usize> Form for [F; K] {
    type Of<L: Leaf> = [F::Of<L>; K];
}

impl<L: Leaf, T: Tree<L>, const K: usize> Tree<L> for [T; K] {
    type Form = [T::Form; K];

    fn for_each<'a>(&'a self, mut f: impl FnMut(&'a L))
    where
        L: 'a,
    {
        self.iter().for_each(|tree| tree.for_each(&mut f));
    }

    fn map<M: Leaf>(&self, mut f: impl FnMut(&L) -> M) -> Mapped<Self, L, M> {
        std::array::from_fn(|i| Tree::map(&self[i], &mut f))
    }
}

/// Trees side by side, such as the states of stacked layers.
impl<F: Form> Form for Vec<F> {
    type Of<L: Leaf> = Vec<F::Of<L>>;
}

impl<L: Leaf, T: Tree<L>> Tree<L> for Vec<T> {
    type Form = Vec<T::Form>;

    fn for_each<'a>(&'a self, mut f: impl FnMut(&'a L))
    where
        L: 'a,
    {
        self.iter().for_each(|tree| tree.for_each(&mut f));
    }

    fn map<M: Leaf>(&self, mut f: impl FnMut(&L) -> M) -> Mapped<Self, L, M> {
        self.iter().map(|tree| tree.map(&mut f)).collect()
    }
}

/// Defines a struct whose fields are leaves, all of one type: `state!(Memory { h, c })` is `struct Memory<L>` with fields
/// `h: L` and `c: L`. The state of a cell is `Memory<Tensor<E>>`; on a tape it is `Memory<Var<'t, E>>`. Its variables are
/// named by the fields.
///
/// # Example
/// ```
/// use retrograde_autograd::{Param, Var};
/// use retrograde_nn::{Cell, module, state};
/// use retrograde_tensor::{Float, Tensor};
///
/// state!(pub(crate) Moments { mean, square });
///
/// /// Running moments of the input.
/// struct Running<E> {
///     rate: Param<E>, // [D]
/// }
/// module!(Running { rate });
///
/// impl<E: Float> Cell<E> for Running<E> {
///     type State = Moments<Tensor<E>>;
///
///     fn input_size(&self) -> usize {
///         self.rate.shape()[0]
///     }
///     fn initial_state(&self, n: usize) -> Self::State {
///         let zeros = Tensor::zeros([n, self.input_size()]);
///         Moments { mean: zeros.clone(), square: zeros }
///     }
///     fn step<'t>(&self, x: &Var<'t, E>, s: &Moments<Var<'t, E>>) -> Moments<Var<'t, E>> {
///         let mean = &s.mean + (x - &s.mean) * &self.rate;
///         Moments { mean, square: &s.square + (x.square() - &s.square) * &self.rate }
///     }
/// }
///
/// let cell = Running { rate: Param::new("rate", Tensor::<f32>::ones([3])) };
/// assert_eq!(cell.state_names(), ["mean", "square"]);
/// ```
#[macro_export]
macro_rules! state {
    ($(#[$meta:meta])* $vis:vis $name:ident { $($(#[$field_meta:meta])* $field:ident),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Debug)]
        $vis struct $name<L> {
            $($(#[$field_meta])* $vis $field: L,)+
        }

        impl $crate::Form for $name<()> {
            type Of<L: $crate::Leaf> = $name<L>;

            const NAMES: &'static [&'static str] = &[$(stringify!($field)),+];
        }

        impl<L: $crate::Leaf> $crate::Tree<L> for $name<L> {
            type Form = $name<()>;

            fn for_each<'a>(&'a self, mut f: impl FnMut(&'a L))
            where
                L: 'a,
            {
                $(f(&self.$field);)+
            }

            fn map<M: $crate::Leaf>(&self, mut f: impl FnMut(&L) -> M) -> $name<M> {
                $name { $($field: f(&self.$field)),+ }
            }
        }
    };
}
