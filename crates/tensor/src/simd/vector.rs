//! One register full of numbers, as an algorithm sees it.

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
    /// How many numbers a register holds.
    const LANES: usize;
    /// The most rows of a product that are summed in registers at once, beside two registers of a column.
    const ROWS: usize;

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
    /// This magnitude with the sign of `sign`.
    unsafe fn copy_sign(self, sign: Self) -> Self;
    /// The nearest integer, the even one of two.
    unsafe fn round(self) -> Self;
    /// `self · 2ⁿ` for an integer `n`, of whose range twice what exponents span is enough.
    unsafe fn scale(self, n: Self) -> Self;
    /// `(m, e)` with `self = m · 2ᵉ` and `m` from `√½` to `√2`, for a positive normal number.
    unsafe fn split(self) -> (Self, Self);
    /// Where `self < r`.
    unsafe fn less(self, r: Self) -> Self::Mask;
    /// `yes` where the mask is set, else `no`.
    unsafe fn select(mask: Self::Mask, yes: Self, no: Self) -> Self;

    /// Runs a body that is compiled apart from its caller, with the instructions of the level: a compiler takes far longer
    /// for a long function than for its parts.
    unsafe fn apart<B: Body>(body: B);
}

/// What [`Vector::apart`] runs.
pub(crate) trait Body {
    /// # Safety
    /// As the body says. It must be inlined, for it to have the instructions of the level.
    unsafe fn run(self);
}
