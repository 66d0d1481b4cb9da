//! Shapes of results without elements, against those of the tensors that the functions return, or the same error.

use retrograde_tensor::{Error, Scalar, Shape, Tensor};

use crate::common::{Dice, build_with, dims, for_all, numbers, pair};

/// The same shape, or the same error word for word.
#[track_caller]
fn agree<E: Scalar>(found: Result<Shape, Error>, expected: Result<Tensor<E>, Error>) {
    let text = |error: Error| error.to_string();
    assert_eq!(found.map_err(text), expected.map(|x| x.shape()).map_err(text));
}

fn shape(dims: &[usize]) -> Shape {
    Shape::new(dims).unwrap()
}

fn zeros(dims: &[usize]) -> Tensor<f32> {
    Tensor::zeros(shape(dims))
}

/// Mostly an axis of a shape; sometimes the one after the last, or beyond.
fn axis(dice: &mut Dice, rank: usize) -> usize {
    dice.roll(rank + 2)
}

#[test]
fn views() {
    for_all(dims(0..=6), &|dims, seed| {
        let (s, x, dice) = (shape(&dims), zeros(&dims), &mut Dice(seed));
        let (a, b) = (axis(dice, dims.len()), axis(dice, dims.len()));
        let size = dims.get(a).copied().unwrap_or(3);

        // Of the same axes, one too many or too few, or one named twice.
        let mut order = dice.shuffled(dims.len());
        match dice.roll(6) {
            0 => order.push(a),
            1 => drop(order.pop()),
            2 if !order.is_empty() => order[0] = a,
            _ => {}
        }
        agree(s.permuted("permute", &order), x.try_permute(&order));

        let (start, length) = (dice.roll(size + 2), dice.roll(size + 2));
        agree(s.narrowed("narrow", a, start, length), x.try_narrow(a, start, length));
        agree(s.narrowed("narrow", a, start, usize::MAX), x.try_narrow(a, start, usize::MAX));
        agree(s.selected("select", a, start), x.try_select(a, start));
        agree(s.squeezed("squeeze", a), x.try_squeeze(a));
        agree(s.unsqueezed("unsqueeze", a), x.try_unsqueeze(a));
        agree(s.require_axis("flip", a), x.try_flip(a));
        let swapped = s.require_axis("transpose", a).and_then(|s| s.require_axis("transpose", b));
        agree(swapped, x.try_transpose(a, b).map(|_| x.clone()));
        agree(s.require_rank("t", 2), x.try_t().map(|_| x.clone()));
    });
}

#[test]
fn reshapes_and_broadcasts() {
    for_all(dims(0..=4), &|dims, seed| {
        let (a, b) = pair(&dims, seed);
        for to in [&a, &b, &dims, &vec![dims.iter().product()], &[&[1], &dims[..]].concat()] {
            for from in [&a, &b, &dims] {
                agree(
                    shape(from).broadcast_to("broadcast_to", shape(to)),
                    zeros(from).try_broadcast_to(shape(to)),
                );
                agree(shape(from).reshaped("reshape", shape(to)), zeros(from).try_reshape(shape(to)));
            }
        }
        let sum = zeros(&a).try_add(&zeros(&b));
        agree(Shape::broadcast("add", &shape(&a), &shape(&b)), sum);
    });
}

#[test]
fn reductions() {
    for_all(dims(0..=4), &|dims, seed| {
        let (s, x, dice) = (shape(&dims), zeros(&dims), &mut Dice(seed));
        let count = dice.roll(dims.len() + 1);
        let mut axes = dice.shuffled(dims.len())[..count].to_vec();
        if dice.roll(4) == 0 {
            // Perhaps one that is there already, or one that does not exist.
            axes.push(axis(dice, dims.len()));
        }
        agree(s.reduced("sum_axes", &axes), x.try_sum_axes(&axes, true));
        agree(s.reduced("mean_axes", &axes), x.try_mean_axes(&axes, true));
        agree(s.reduced_non_empty("max_axes", &axes), x.try_max_axes(&axes, true));
        agree(s.reduced_non_empty("min_axes", &axes), x.try_min_axes(&axes, true));
        let axis = axis(dice, dims.len());
        agree(s.reduced("logsumexp", &[axis]), x.try_logsumexp(axis, true));
        agree(s.require_axis("softmax", axis), x.try_softmax(axis));
        agree(s.require_axis("log_softmax", axis), x.try_log_softmax(axis));
    });
}

#[test]
fn products() {
    for_all(dims(2..=4), &|dims, seed| {
        let dice = &mut Dice(seed ^ 1);
        let (mut a, mut b) = pair(&dims, seed);
        // Now and then a single axis, else two matrices, whose inner sizes seldom differ.
        for operand in [&mut a, &mut b] {
            while operand.len() < 2 && dice.roll(8) > 0 {
                operand.insert(0, 1 + dice.roll(3));
            }
        }
        if a.len() >= 2 && b.len() >= 2 && dice.roll(6) > 0 {
            let row = b.len() - 2;
            b[row] = a[a.len() - 1];
        }
        if a.len() < 2 || b.len() < 2 {
            let fewer = if a.len() < 2 { &a } else { &b };
            let text = format!("matmul: expected at least 2 axes, found {fewer:?}");
            assert_eq!(shape(&a).matmul("matmul", &shape(&b)).unwrap_err().to_string(), text);
            return;
        }
        agree(shape(&a).matmul("matmul", &shape(&b)), zeros(&a).try_matmul(&zeros(&b)));
    });
}

#[test]
fn joins() {
    for_all(dims(0..=6), &|dims, seed| {
        let dice = &mut Dice(seed);
        let axis = axis(dice, dims.len());
        let mut parts = vec![dims.clone(); dice.roll(4)];
        for part in &mut parts {
            if let Some(size) = part.get_mut(axis) {
                *size = if dice.roll(2) == 0 { dice.roll(4) } else { *size };
            }
            if dice.roll(12) == 0 {
                part.push(2);
                part.truncate(6);
            }
        }
        let shapes: Vec<Shape> = parts.iter().map(|part| shape(part)).collect();
        let tensors: Vec<Tensor<f32>> = parts.iter().map(|part| zeros(part)).collect();
        let tensors: Vec<&Tensor<f32>> = tensors.iter().collect();
        agree(Shape::concatenated("concat", &shapes, axis), Tensor::try_concat(&tensors, axis));
        agree(Shape::stacked("stack", &shapes, axis), Tensor::try_stack(&tensors, axis));
    });
}

#[test]
fn rows() {
    for_all(numbers(7, 0..5), &|sizes, seed| {
        let dice = &mut Dice(seed);
        let at = &sizes[..dice.roll(4)];
        let table = &sizes[3..3 + dice.roll(5)];
        // Now and then an index that is one too large.
        let rows = table.first().copied().unwrap_or(1).max(1);
        let (indices, _) =
            build_with::<usize>(at, seed, |dice| dice.roll(rows * 8 + 1) % (rows + 1) * dice.roll(2));
        agree(shape(table).gathered("gather_rows", &indices), zeros(table).try_gather_rows(&indices));

        let mut gathered = [at, &table[table.len().min(1)..]].concat();
        gathered.truncate(6);
        if dice.roll(6) == 0 && !gathered.is_empty() {
            gathered[0] += 1;
        }
        let found = shape(&gathered).scattered("scatter_add_rows", rows, &indices);
        agree(found, zeros(&gathered).try_scatter_add_rows(rows, &indices));
    });
}

/// Sizes whose products do not fit in `isize`, of arrays without elements.
#[test]
fn results_that_are_too_large() {
    let large = 1 << 40;
    let empty = |dims: &[usize]| Tensor::<f32>::zeros([0]).reshape(shape(dims));
    let (a, b) = (empty(&[large, 0]), empty(&[0, large]));
    agree(a.shape().matmul("matmul", &b.shape()), a.try_matmul(&b));
    let (a, b) = (empty(&[large, 0, 2]), empty(&[large, 2, 0]));
    agree(a.shape().matmul("matmul", &b.shape()), a.try_matmul(&b));
    let (a, b) = (empty(&[large, 1, 1, 0]), empty(&[large, 0, 1]));
    let text =
        "matmul: expected a number of elements that fits in isize, found [1099511627776, 1099511627776]";
    assert_eq!(a.try_matmul(&b).unwrap_err().to_string(), text);
    agree(a.shape().matmul("matmul", &b.shape()), a.try_matmul(&b));

    let (a, b) = (zeros(&[1, 1]).broadcast_to([large, 1]), zeros(&[1, 1]).broadcast_to([1, large]));
    assert_eq!(a.try_matmul(&b).unwrap_err().to_string(), text);
    agree(a.shape().matmul("matmul", &b.shape()), a.try_matmul(&b));

    // Compared with another size, a large one is no error of its own.
    let (a, b) = (empty(&[1 << 62, 0]), empty(&[0, 4]));
    let text =
        "concat: expected shapes that differ only in axis 0, found [4611686018427387904, 0] and [0, 4]";
    assert_eq!(Tensor::try_concat(&[&a, &b], 0).unwrap_err().to_string(), text);
    agree(Shape::concatenated("concat", &[a.shape(), b.shape()], 0), Tensor::try_concat(&[&a, &b], 0));

    let none = Tensor::<usize>::zeros([0]);
    let x = empty(&[0]);
    let text =
        format!("scatter_add_rows: expected a number of elements that fits in isize, found [{}]", usize::MAX);
    assert_eq!(x.try_scatter_add_rows(usize::MAX, &none).unwrap_err().to_string(), text);
    agree(
        x.shape().scattered("scatter_add_rows", usize::MAX, &none),
        x.try_scatter_add_rows(usize::MAX, &none),
    );
    let x = empty(&[0, large]);
    let at = Tensor::<usize>::zeros([0]).reshape([0, large]);
    agree(x.shape().gathered("gather_rows", &at), x.try_gather_rows(&at));
}
