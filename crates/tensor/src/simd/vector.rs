//! A register full of numbers, as an algorithm sees it, and the algorithms over it.

/// A register of `LANES` numbers.
///
/// Methods are inlined into functions that are compiled with the instructions they need.
///
/// # Safety
/// Every method may use instructions of the implementor's level: the processor must have them. The pointers of
/// `load` and `store` need `LANES` numbers behind them (of the `_first` forms: `count`, at most `LANES`), aligned or not.
pub(crate) unsafe trait Vector: Copy {
    /// The number.
    type Lane: Copy + PartialEq;
    /// A choice for each lane.
    type Mask: Copy;
    /// The number of lanes of a register.
    const LANES: usize;
    /// The rows of a micro-tile: as many as are summed in registers at once, beside those of `NR` columns.
    const MR: usize;
    /// The columns of a micro-tile: two registers.
    const NR: usize = 2 * Self::LANES;

    unsafe fn splat(x: Self::Lane) -> Self;
    unsafe fn from_f64(x: f64) -> Self;
    unsafe fn load(from: *const Self::Lane) -> Self;
    unsafe fn store(self, to: *mut Self::Lane);
    /// The first `count` lanes; the others are 0.
    unsafe fn load_first(from: *const Self::Lane, count: usize) -> Self;
    unsafe fn store_first(self, to: *mut Self::Lane, count: usize);

    unsafe fn add(self, r: Self) -> Self;
    unsafe fn sub(self, r: Self) -> Self;
    unsafe fn mul(self, r: Self) -> Self;
    unsafe fn div(self, r: Self) -> Self;
    /// `self · a + b`, rounded once, at the portable level twice.
    unsafe fn mul_add(self, a: Self, b: Self) -> Self;
    /// The sum of all lanes, by halves: to each lane of the first half that of the second is added, and so on.
    unsafe fn sum(self) -> Self::Lane;
    /// The lanes of both by turns, `self` first: the first half of them, then the second.
    unsafe fn interleave(self, r: Self) -> (Self, Self);

    unsafe fn abs(self) -> Self;
    unsafe fn neg(self) -> Self;
    /// This magnitude with the sign of `sign`.
    unsafe fn copy_sign(self, sign: Self) -> Self;
    /// The nearest integer, the even one of two.
    unsafe fn round(self) -> Self;
    /// `self · 2ⁿ` for an integer `n`, of whose range twice what exponents span is enough.
    unsafe fn scale(self, n: Self) -> Self;
    /// `2ⁿ` for an integer `n` that is the exponent of a normal number.
    unsafe fn power_of_two(n: Self) -> Self;
    /// `(m, e)` with `self = m · 2ᵉ` and `m` from `√½` to `√2`, for a positive normal number.
    unsafe fn split(self) -> (Self, Self);
    /// Where `self < r`.
    unsafe fn less(self, r: Self) -> Self::Mask;
    /// `yes` where the mask is set, else `no`.
    unsafe fn select(mask: Self::Mask, yes: Self, no: Self) -> Self;
    /// `self` where it is less, else `r`: where either is NaN, and where both are zeros.
    #[inline(always)]
    unsafe fn min(self, r: Self) -> Self {
        // SAFETY: the caller's.
        unsafe { Self::select(self.less(r), self, r) }
    }
    /// `self` where it is greater, else `r`: where either is NaN, and where both are zeros.
    #[inline(always)]
    unsafe fn max(self, r: Self) -> Self {
        // SAFETY: the caller's.
        unsafe { Self::select(r.less(self), self, r) }
    }

    /// Runs a kernel in a function of its own, compiled with the instructions of the level.
    unsafe fn outlined<K: Kernel<Self::Lane>>(kernel: K);
}

/// An algorithm over the registers of any level.
pub(crate) trait Kernel<E> {
    /// Runs the algorithm. It must be `#[inline(always)]`, as must every function that it hands registers to: then it is
    /// compiled with the instructions of the level.
    ///
    /// # Safety
    /// The processor must have the level of `V`; and as the kernel says.
    unsafe fn run<V: Vector<Lane = E>>(self);
}

/// Asks for the memory around a place, which need not be one: nothing but time depends on it.
#[inline(always)]
pub(crate) fn prefetch<E>(place: *const E) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: every processor of this kind has the instruction, which reads nothing and never faults.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(place.cast()) };
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = place;
}
