//! Operations: `y` of inputs `x0`, `x1`, .., and their gradients `dx0`, `dx1`, .. for a cotangent `dy`.

use retrograde::autograd::{Tape, Var};
use retrograde::tensor::{Shape, Tensor};

use super::{Case, Comparison, Error, Runner};

/// Records an operation, given the case (for its attributes) and its inputs.
type Record = for<'t> fn(&Case<'_>, &[Var<'t, f64>]) -> Result<Var<'t, f64>, Error>;

/// An operation: its name in the manifest, how many inputs it takes (`None`: any number), and how it is recorded.
struct Op {
    name: &'static str,
    inputs: Option<usize>,
    record: Record,
}

const fn op(name: &'static str, inputs: usize, record: Record) -> Op {
    Op { name, inputs: Some(inputs), record }
}

const OPS: [Op; 28] = [
    op("add", 2, |_, x| Ok(x[0].try_add(&x[1])?)),
    op("sub", 2, |_, x| Ok(x[0].try_sub(&x[1])?)),
    op("mul", 2, |_, x| Ok(x[0].try_mul(&x[1])?)),
    op("div", 2, |_, x| Ok(x[0].try_div(&x[1])?)),
    op("neg", 1, |_, x| Ok(-&x[0])),
    op("exp", 1, |_, x| Ok(x[0].exp())),
    op("ln", 1, |_, x| Ok(x[0].ln())),
    op("sqrt", 1, |_, x| Ok(x[0].sqrt())),
    op("sin", 1, |_, x| Ok(x[0].sin())),
    op("cos", 1, |_, x| Ok(x[0].cos())),
    op("tanh", 1, |_, x| Ok(x[0].tanh())),
    op("sigmoid", 1, |_, x| Ok(x[0].sigmoid())),
    op("relu", 1, |_, x| Ok(x[0].relu())),
    op("matmul", 2, |_, x| Ok(x[0].try_matmul(&x[1])?)),
    op("sum", 1, |case, x| Ok(x[0].try_sum_axes(&[case.size("axis")?], case.flag("keepdim")?)?)),
    op("mean", 1, |case, x| Ok(x[0].try_mean_axes(&[case.size("axis")?], case.flag("keepdim")?)?)),
    op("max", 1, |case, x| Ok(x[0].try_max_axes(&[case.size("axis")?], false)?)),
    op("softmax", 1, |case, x| Ok(x[0].try_softmax(case.size("axis")?)?)),
    op("log_softmax", 1, |case, x| Ok(x[0].try_log_softmax(case.size("axis")?)?)),
    op("permute", 1, |case, x| Ok(x[0].try_permute(&case.sizes("axes")?)?)),
    op("reshape", 1, |case, x| Ok(x[0].try_reshape(case.shape("shape")?)?)),
    op("permute_reshape", 1, |case, x| {
        Ok(x[0].try_permute(&case.sizes("axes")?)?.try_reshape(case.shape("shape")?)?)
    }),
    op("narrow", 1, |case, x| {
        Ok(x[0].try_narrow(case.size("axis")?, case.size("start")?, case.size("length")?)?)
    }),
    op("select", 1, |case, x| Ok(x[0].try_select(case.size("axis")?, case.size("index")?)?)),
    Op { name: "concat", inputs: None, record: |case, x| Ok(Var::try_concat(x, case.size("axis")?)?) },
    Op { name: "stack", inputs: None, record: |case, x| Ok(Var::try_stack(x, case.size("axis")?)?) },
    op("index_select_rows", 1, |case, x| {
        let (indices, shape) = case.integers("indices")?;
        let rows = indices.into_iter().map(usize::try_from).collect::<Result<Vec<usize>, _>>();
        let rows = rows.map_err(|_| case.wrong("indices", "a list of indices"))?;
        Ok(x[0].try_gather_rows(&Tensor::from_vec(rows, shape)?)?)
    }),
    op("cross_entropy_ignore", 1, |case, x| cross_entropy_ignore(case, &x[0])),
];

/// The function that runs the cases of an operation.
pub fn runner(name: &str) -> Option<Runner> {
    find(name).map(|_| run as Runner)
}

fn find(name: &str) -> Option<&'static Op> {
    OPS.iter().find(|op| op.name == name)
}

fn run(case: &Case<'_>, comparison: &mut Comparison) -> Result<(), Error> {
    let name = case.text("op")?;
    let op = find(name).ok_or_else(|| case.wrong("op", "a known operation"))?;
    let (shapes, output) = (case.shapes("inputs")?, case.shape("output")?);
    if let Some(expected) = op.inputs.filter(|&expected| expected != shapes.len()) {
        return Err(Error::Inputs { expected, found: shapes.len() });
    }
    let arrays = |prefix: &str| {
        let arrays = shapes.iter().enumerate().map(|(i, shape)| case.tensor(&format!("{prefix}{i}"), shape));
        arrays.collect::<Result<Vec<_>, Error>>()
    };
    let (x, expected_dx) = (arrays("x")?, arrays("dx")?);
    let (expected_y, dy) = (case.tensor("y", &output)?, case.tensor("dy", &output)?);

    let tape = Tape::new();
    let x: Vec<Var<'_, f64>> = x.into_iter().map(|x| tape.var(x)).collect();
    let y = (op.record)(case, &x)?;
    comparison.check("y", y.value(), &expected_y);
    if y.shape() == output {
        let grads = y.backward_with(&dy)?;
        for (i, (x, expected)) in x.iter().zip(&expected_dx).enumerate() {
            comparison.check(&format!("dx{i}"), grads.get(x), expected);
        }
    }
    Ok(())
}

/// The mean of `-log_softmax(x)[target]` over the positions whose target is not to be ignored: those entries, picked
/// out of the flattened logarithms.
///
/// # Shapes
/// `x [.., V]`, targets `[..]` -> `[]`
fn cross_entropy_ignore<'t>(case: &Case<'_>, x: &Var<'t, f64>) -> Result<Var<'t, f64>, Error> {
    let ((targets, shape), ignored) = (case.integers("targets")?, case.integer("ignore_index")?);
    if case.text("reduction")? != "mean" {
        return Err(case.wrong("reduction", "\"mean\""));
    }
    let Some((&classes, positions)) = x.shape().split_last().map(|(v, rest)| (v, rest.to_vec())) else {
        return Err(case.wrong("inputs", "logits with an axis of classes"));
    };
    if *shape != *positions {
        return Err(case.wrong("targets", format!("of shape {positions:?}")));
    }
    let counted = targets.into_iter().enumerate().filter(|&(_, target)| target != ignored);
    let picked = counted.map(|(position, target)| {
        let target = usize::try_from(target).ok().filter(|&target| target < classes);
        Ok(position * classes + target.ok_or_else(|| case.wrong("targets", format!("below {classes}")))?)
    });
    let picked = picked.collect::<Result<Vec<usize>, Error>>()?;
    let count = Shape::new(&[picked.len()])?;
    let picked = Tensor::from_vec(picked, count)?;
    let log_p = x.try_log_softmax(positions.len())?; // [.., V]
    let log_p = log_p.try_reshape(Shape::new(&[x.shape().numel()])?)?; // [.. V]
    Ok(-log_p.try_gather_rows(&picked)?.mean()) // [C] -> []
}
