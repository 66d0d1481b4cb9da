//! The table of rules as rendered formulas: the page is what the rules are over formulas.

use std::fs;
use std::path::Path;

use retrograde_autograd::op::{Comparison, Unary};
use retrograde_autograd::{Op, Value, rules};
use retrograde_derivation::Expr;
use retrograde_tensor::{Shape, Tensor};

/// An operation of each kind with the shapes of operands that it fits.
fn examples() -> Vec<(Op, Vec<Shape>)> {
    let shape = |sizes: &[usize]| Tensor::<f64>::zeros(sizes).shape();
    let square = shape(&[3, 3]);
    let mut rows: Vec<(Op, Vec<Shape>)> =
        [Op::Add, Op::Sub, Op::Mul, Op::Div, Op::Maximum, Op::Minimum, Op::MatMul]
            .into_iter()
            .map(|op| (op, vec![square; 2]))
            .collect();
    rows.extend(Unary::ALL.iter().map(|&function| (Op::Unary(function), vec![square])));
    rows.extend(Comparison::ALL.iter().take(1).map(|&comparison| (Op::Compare(comparison), vec![square; 2])));
    let rows_of = Tensor::from([2_usize, 0]);
    rows.extend([
        (Op::Scale(2.0), vec![square]),
        (Op::Shift(2.0), vec![square]),
        (Op::Clamp { lo: -1.0, hi: 1.0 }, vec![square]),
        (Op::Where, vec![square; 3]),
        (Op::Masked { when: true }, vec![square; 2]),
        (Op::Softmax { axis: 1 }, vec![square]),
        (Op::LogSoftmax { axis: 1 }, vec![square]),
        (Op::LogSumExp { axis: 1 }, vec![square]),
        (Op::Max { axes: vec![1] }, vec![square]),
        (Op::SumTo(Box::new(shape(&[3]))), vec![square]),
        (Op::BroadcastTo(Box::new(square)), vec![shape(&[3])]),
        (Op::Reshape(Box::new(shape(&[9]))), vec![square]),
        (Op::Permute(vec![1, 0]), vec![square]),
        (Op::Narrow { axis: 1, start: 0, length: 2 }, vec![square]),
        (Op::Pad { axis: 1, start: 0, size: 5 }, vec![square]),
        (Op::Select { axis: 1, index: 2 }, vec![square]),
        (Op::Concat { axis: 1, starts: vec![0, 3] }, vec![square; 2]),
        (Op::Stack { axis: 1 }, vec![square; 2]),
        (Op::Gather(Box::new(rows_of.clone())), vec![square]),
        (Op::Scatter { rows: 3, indices: Box::new(rows_of) }, vec![shape(&[2, 3])]),
    ]);
    rows
}

/// The table as Markdown.
fn page() -> String {
    let mut page = "| operation | value | cotangents of its operands |\n|---|---|---|\n".to_owned();
    for (op, shapes) in examples() {
        let name = |i: usize| if shapes.len() == 1 { "x".to_owned() } else { format!("x{i}") };
        let x: Vec<Expr> = shapes.iter().enumerate().map(|(i, shape)| Expr::name(name(i), *shape)).collect();
        let value = Expr::apply(op.clone(), &x.iter().collect::<Vec<_>>());
        let (y, g) = (Expr::name("y", value.shape()), Expr::name("dy", value.shape()));
        let cotangents: Vec<String> = (0..x.len())
            .filter_map(|i| Some(format!("`d{} = {}`", name(i), rules::cotangent(&op, i, &x, &y, &g)?)))
            .collect();
        let cotangents = if cotangents.is_empty() { "none".to_owned() } else { cotangents.join(", ") };
        page += &format!("| `{}` | `y = {value}` | {cotangents} |\n", op.name());
    }
    page
}

fn path() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/rules.md")
}

#[test]
#[ignore = "writes the page that the other test compares with"]
fn write_the_page_of_rules() {
    fs::write(path(), page()).unwrap();
}

#[test]
fn the_page_of_rules_is_made_of_the_rules() {
    assert_eq!(fs::read_to_string(path()).unwrap(), page());
}
