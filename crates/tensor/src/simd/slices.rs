//! Transcendental functions of each element of a slice, in place; and loops that a compiler vectorises.

use std::marker::PhantomData;

use super::pair::Pair;
use super::{Format, Isa, Kernel, Lane, Vector, math, trig};

/// A function of each lane of a register.
trait Function<E>: Copy {
    /// Computes the function. As [`Kernel::run`], it must be `#[inline(always)]`.
    ///
    /// # Safety
    /// The processor must have the level of `V`.
    unsafe fn of<V: Vector<Lane = E>>(self, x: V) -> V;
}

/// A function, and the elements that it is applied to.
struct Each<'x, E, F>(&'x mut [E], F);

impl<E: Copy + PartialEq, F: Function<E>> Kernel<E> for Each<'_, E, F> {
    #[inline(always)]
    unsafe fn run<V: Vector<Lane = E>>(self) {
        let Each(x, f) = self;
        let (length, data) = (x.len(), x.as_mut_ptr());
        let mut i = 0;
        // SAFETY: `V::LANES` elements, at the end fewer, lie from place `i` on.
        unsafe {
            while i + 4 * V::LANES <= length {
                f.of(Pair::<Pair<V>>::load(data.add(i))).store(data.add(i));
                i += 4 * V::LANES;
            }
            while i + V::LANES <= length {
                f.of(V::load(data.add(i))).store(data.add(i));
                i += V::LANES;
            }
            if i < length {
                f.of(V::load_first(data.add(i), length - i)).store_first(data.add(i), length - i);
            }
        }
    }
}

/// A loop that knows no registers, and the place of its result.
struct Loop<'r, F, R>(F, &'r mut Option<R>);

impl<E, F: FnOnce() -> R, R> Kernel<E> for Loop<'_, F, R> {
    #[inline(always)]
    unsafe fn run<V: Vector<Lane = E>>(self) {
        *self.1 = Some((self.0)());
    }
}

/// Runs `f` compiled with the instructions of a level.
#[inline]
pub(crate) fn vectorized<E: Lane, R>(isa: Isa, f: impl FnOnce() -> R) -> R {
    let mut result = None;
    // SAFETY: levels come from `Isa::current` or tests, which ask only for those that the processor has.
    unsafe { E::dispatch(isa, Loop(f, &mut result)) };
    result.expect("a kernel runs once")
}

macro_rules! functions {
    ($($name:ident $function:ident;)*) => {$(
        pub(crate) fn $name<E: Lane>(isa: Isa, x: &mut [E]) {
            // SAFETY: levels come from `Isa::current` or tests, which ask only for those that the processor has.
            unsafe { E::dispatch(isa, Each(x, $function)) }
        }

        #[derive(Clone, Copy)]
        struct $function;

        impl<E: Format> Function<E> for $function {
            #[inline(always)]
            unsafe fn of<V: Vector<Lane = E>>(self, x: V) -> V {
                // SAFETY: the caller's.
                unsafe { math::$name(x) }
            }
        }
    )*};
}

functions! {
    exp Exp;
    tanh Tanh;
    sigmoid Sigmoid;
    ln Ln;
    ln_1p_exp Ln1pExp;
}

/// Numbers of either type, and a function that is computed in `f64`; where `|x| >= LIMIT`, by the standard library.
struct InDouble<'x, E, F>(&'x mut [E], F, fn(f64) -> f64);

impl<E: Lane, F: Function<f64>> Kernel<f64> for InDouble<'_, E, F> {
    #[inline(always)]
    unsafe fn run<V: Vector<Lane = f64>>(self) {
        const BLOCK: usize = 256;
        let InDouble(x, function, beyond) = self;
        let mut wide = [0.0; BLOCK];
        for x in x.chunks_mut(BLOCK) {
            let wide = &mut wide[..x.len()];
            wide.iter_mut().zip(&*x).for_each(|(wide, x)| *wide = x.to_f64());
            let within = wide.iter().fold(true, |within, x| within & (x.abs() < trig::LIMIT));
            // SAFETY: the caller's.
            unsafe { Each(&mut *wide, function).run::<V>() };
            if within {
                x.iter_mut().zip(&*wide).for_each(|(x, &y)| *x = E::from_f64(y));
                continue;
            }
            for (x, &y) in x.iter_mut().zip(&*wide) {
                let given = x.to_f64();
                *x = E::from_f64(if given.abs() < trig::LIMIT { y } else { beyond(given) });
            }
        }
    }
}

/// The sine, to the precision of `E`.
struct Sin<E>(PhantomData<E>);
/// The cosine, to the precision of `E`.
struct Cos<E>(PhantomData<E>);

macro_rules! in_double {
    ($($name:ident $function:ident |$x:ident| $body:expr;)*) => {$(
        pub(crate) fn $name<E: Lane>(isa: Isa, x: &mut [E]) {
            // SAFETY: levels come from `Isa::current` or tests, which ask only for those that the processor has.
            unsafe { f64::dispatch(isa, InDouble(x, $function(PhantomData::<E>), f64::$name)) }
        }

        impl<E> Clone for $function<E> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<E> Copy for $function<E> {}

        impl<E: Format> Function<f64> for $function<E> {
            #[inline(always)]
            unsafe fn of<V: Vector<Lane = f64>>(self, $x: V) -> V {
                // SAFETY: the caller's.
                unsafe { $body }
            }
        }
    )*};
}

in_double! {
    sin Sin |x| trig::sine::<V, E>(x.abs(), 0.0).mul(V::from_f64(1.0).copy_sign(x));
    cos Cos |x| trig::sine::<V, E>(x.abs(), 1.0);
}
