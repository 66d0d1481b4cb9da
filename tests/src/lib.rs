//! Common parts of the tests that cross crates.
#![forbid(unsafe_code)]

pub mod files;
pub mod golden;
pub mod program;

/// The recipes, as tests.
#[cfg(doctest)]
#[doc = include_str!("../../docs/recipes.md")]
struct Recipes;

/// The page for those who come from elsewhere, as tests.
#[cfg(doctest)]
#[doc = include_str!("../../docs/coming-from.md")]
struct ComingFrom;

/// The programs of the course, as tests.
#[cfg(doctest)]
mod learn {
    #[doc = include_str!("../../docs/learn/1-neuron.md")]
    struct Neuron;
    #[doc = include_str!("../../docs/learn/2-step.md")]
    struct Step;
    #[doc = include_str!("../../docs/learn/3-two-uses.md")]
    struct TwoUses;
    #[doc = include_str!("../../docs/learn/4-time.md")]
    struct Time;
    #[doc = include_str!("../../docs/learn/5-one-table.md")]
    struct OneTable;
    #[doc = include_str!("../../docs/learn/6-ledger.md")]
    struct Ledger;
    #[doc = include_str!("../../docs/learn/7-vanishing.md")]
    struct Vanishing;
    #[doc = include_str!("../../docs/learn/8-lstm.md")]
    struct Lstm;
    #[doc = include_str!("../../docs/learn/9-softmax.md")]
    struct Softmax;
    #[doc = include_str!("../../docs/learn/10-rtrl.md")]
    struct Rtrl;
}

/// The programs of the page on checking, as tests.
#[cfg(doctest)]
#[doc = include_str!("../../docs/checking.md")]
struct Checking;

/// The programs of the other pages, as tests.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../../docs/adding-an-op.md")]
    struct AddingAnOp;
    #[doc = include_str!("../../docs/derivation.md")]
    struct Derivation;
}
