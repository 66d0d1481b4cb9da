//! Scans of associative operations: all prefixes of a sequence in few large operations.

use retrograde_autograd::Var;
use retrograde_tensor::{Float, Shape};

use crate::shapes::{Axis, expect};
use crate::time::Tree;
use crate::{Error, Result};

const OP: &str = "scan";

/// A shorter sequence is taken step by step.
const SHORT: usize = 8;

/// Returns all prefixes of a sequence under an associative operation: `y_0 = x_0`, `y_t = f(y_{t-1}, x_t)`. It takes the
/// operation on some `2 T` elements in all, in some `2 √T` calls on `√T` at once, where the loop takes T calls: the sequence is
/// cut into blocks, which go side by side. It is faster where an element of the sequence is so small that the calls cost more
/// than the numbers. Sums are added up in another order than in the loop, so the last digits may differ.
///
/// The elements are a variable, or a [`Tree`] of variables, with their steps along `axis`. `f` gets two trees of the same
/// shapes, of neighbouring elements, and has to be associative and to work element by element along `axis`.
///
/// # Shapes
/// `[.., T, ..] -> [.., T, ..]`, each of at most 5 axes
///
/// # Derivative
/// That of the operations that `f` is made of; none by itself.
///
/// # Errors
/// If a variable has no such axis, or 6 axes, if the lengths along it differ, or if `f` returns other shapes than it gets.
///
/// # Example
/// Cumulative sums and products:
/// ```
/// use retrograde_autograd::{Tape, Var};
/// use retrograde_nn::scan;
/// use retrograde_tensor::Tensor;
///
/// let tape = Tape::new();
/// let x = tape.var(Tensor::from([[1.0, 2.0, 3.0, 4.0], [1.0, 0.0, -1.0, 2.0]]));
/// let sums = scan(&x, 1, |a: &Var<'_, f64>, b| a + b)?;
/// assert_eq!(sums.value(), &Tensor::from([[1.0, 3.0, 6.0, 10.0], [1.0, 1.0, 0.0, 2.0]]));
/// let products = scan(&x, 1, |a: &Var<'_, f64>, b| a * b)?;
/// assert_eq!(products.value(), &Tensor::from([[1.0, 2.0, 6.0, 24.0], [1.0, 0.0, 0.0, 0.0]]));
/// let dx = products.sum().backward()?;
/// assert_eq!(dx.get(&x).unwrap().at(&[1, 1]), 1.0 - 1.0 - 2.0); // 1 + x₂ + x₂ x₃
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
///
/// # Source
/// G. Blelloch, *Prefix sums and their applications* (1990), section 1.2.
pub fn scan<'t, E: Float, T: Tree<Var<'t, E>>>(
    elements: &T,
    axis: usize,
    f: impl Fn(&T, &T) -> T,
) -> Result<T> {
    let leaves = elements.leaves();
    let Some(first) = leaves.first() else { return Ok(elements.clone()) };
    let steps = first.shape().get(axis).copied();
    for leaf in leaves {
        let shape = leaf.shape();
        if steps.is_none() || shape.get(axis).copied() != steps || shape.rank() > 5 {
            let expected = "elements of at most 5 axes, of one length along the axis of the scan";
            return Err(Error::Unsupported { op: OP, expected, found: format!("{shape} for axis {axis}") });
        }
    }
    prefixes(elements, axis, steps.unwrap_or(0), &f)
}

/// The prefixes, of blocks side by side: first what each block comes to, from that what goes into the next, then all steps.
fn prefixes<'t, E: Float, T: Tree<Var<'t, E>>>(
    x: &T,
    axis: usize,
    steps: usize,
    f: &dyn Fn(&T, &T) -> T,
) -> Result<T> {
    let part = |x: &T, first: usize, length: usize| Tree::map(x, |x| x.narrow(axis, first, length));
    if steps < SHORT {
        let mut ys = vec![part(x, 0, steps.min(1))];
        for t in 1..steps {
            ys.push(called(f, &ys[t - 1], &part(x, t, 1))?);
        }
        return Ok(join(&ys, |ys| Var::concat(ys, axis)));
    }
    // Some √T blocks of some √T steps, and what is left over.
    let length = 1 << (steps.ilog2() / 2);
    let blocks = steps / length;
    let even = blocks * length;
    let sizes = |x: &Var<'t, E>, sizes: &[usize]| {
        let shape = x.shape();
        Shape::new(&[&shape[..axis], sizes, &shape[axis + 1..]].concat())
            .expect("a shape of no more elements")
    };
    let grid = Tree::map(x, |x| {
        x.narrow(axis, 0, even).reshape(sizes(x, &[blocks, length])) // [.., B, L, ..]
    });
    let step = |t: usize| Tree::map(&grid, |x| x.select(axis + 1, t)); // [.., B, ..]
    let mut total = part(&step(0), 0, blocks - 1);
    for t in 1..length {
        total = called(f, &total, &part(&step(t), 0, blocks - 1))?;
    }
    let before = prefixes(&total, axis, blocks - 1, f)?;
    let (first, later) = (part(&step(0), 0, 1), part(&step(0), 1, blocks - 1));
    let mut ys = vec![join(&[first, called(f, &before, &later)?], |ys| Var::concat(ys, axis))];
    for t in 1..length {
        ys.push(called(f, &ys[t - 1], &step(t))?);
    }
    let mut all = vec![join(&ys, |ys| {
        Var::stack(ys, axis + 1).reshape(sizes(&ys[0], &[even])) // [.., B L, ..]
    })];
    let mut y = part(&ys[length - 1], blocks - 1, 1);
    for t in even..steps {
        y = called(f, &y, &part(x, t, 1))?;
        all.push(y.clone());
    }
    Ok(if even < steps { join(&all, |ys| Var::concat(ys, axis)) } else { all.swap_remove(0) }) // [.., T, ..]
}

/// The tree of which each leaf is made of its counterparts in many trees.
fn join<'t, E: Float, T: Tree<Var<'t, E>>>(trees: &[T], f: impl Fn(&[Var<'t, E>]) -> Var<'t, E>) -> T {
    let leaves: Vec<_> = trees.iter().map(Tree::leaves).collect();
    let mut i = 0..;
    Tree::map(&trees[0], |_| {
        let i = i.next().expect("there is always a next number");
        f(&leaves.iter().map(|leaves| leaves[i].clone()).collect::<Vec<_>>())
    })
}

/// The operation, whose output has to be of the shapes of its right operand.
fn called<'t, E: Float, T: Tree<Var<'t, E>>>(f: &dyn Fn(&T, &T) -> T, a: &T, b: &T) -> Result<T> {
    let y = f(a, b);
    let (found, expected) = (y.leaves(), b.leaves());
    if found.len() != expected.len() {
        let (expected, found) = (expected.len(), found.len());
        return Err(Error::Count { op: OP, name: "variables of the operation", expected, found });
    }
    for (found, expected) in found.iter().zip(expected) {
        let axes: Vec<Axis> = expected.shape().iter().map(|&size| Axis::Size(size)).collect();
        expect(OP, "an output of the operation", &axes, found.shape())?;
    }
    Ok(y)
}

/// Returns the states of a linear recurrence, `h_t = a_t ⊙ h_{t-1} + b_t`, from `h_{-1} = h_prev` or zeros: those of a
/// minGRU, a linear recurrent unit or a state space model, without a loop over time.
///
/// # Shapes
/// `a`, `b [N, T, ..] -> [N, T, ..]`, `h_prev [N, ..]`
///
/// # Errors
/// If the shapes do not fit, or if `a` and `b` have 6 axes.
///
/// # Example
/// A minGRU (L. Feng et al., 2024), whose gates do not read the state:
/// ```
/// use retrograde_autograd::{Param, Tape};
/// use retrograde_nn::linear_scan;
/// use retrograde_tensor::Tensor;
///
/// let w = Param::new("w", Tensor::from([[0.5, 1.0]])); // [D, 2H]
/// let tape = Tape::new();
/// let xs = tape.constant(Tensor::from([[[1.0_f64], [2.0], [-1.0]]])); // [N, T, D]
/// let [z, h_new] = xs.matmul(&w).chunk(2); // [N, T, H] each
/// let z = z.sigmoid();
/// let hs = linear_scan(&(1.0 - &z), &(&z * &h_new), None)?;
/// let mut h = 0.0;
/// for t in 0..3 {
///     let (z, h_new) = (z.value().at(&[0, t, 0]), h_new.value().at(&[0, t, 0]));
///     h += z * (h_new - h); // (1 - z) h + z h_new
///     assert!((hs.value().at(&[0, t, 0]) - h).abs() < 1e-12);
/// }
/// assert!(hs.sum().backward()?.get(&w).is_some());
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
///
/// # Source
/// E. Martin and C. Cundy, *Parallelizing linear recurrent neural nets over sequence length* (2018), section 2.
pub fn linear_scan<'t, E: Float>(
    a: &Var<'t, E>,
    b: &Var<'t, E>,
    h_prev: Option<&Var<'t, E>>,
) -> Result<Var<'t, E>> {
    let axes: Vec<Axis> = a.shape().iter().map(|&size| Axis::Size(size)).collect();
    if axes.len() < 2 {
        expect(OP, "a", &[Axis::Any("N"), Axis::Any("T"), Axis::Any("..")], a.shape())?;
    }
    expect(OP, "b", &axes, b.shape())?;
    let after = |[a0, b0]: &[Var<'t, E>; 2], [a1, b1]: &[Var<'t, E>; 2]| [a1 * a0, a1 * b0 + b1];
    let [a, b] = scan(&[a.clone(), b.clone()], 1, after)?;
    let Some(h_prev) = h_prev else { return Ok(b) };
    expect(OP, "h_prev", &[&axes[..1], &axes[2..]].concat(), h_prev.shape())?;
    Ok(a * h_prev.unsqueeze(1) + b)
}
