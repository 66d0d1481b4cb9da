//! Gathering, scattering and joining against loops over indices.

use crate::common::{Dice, Naive, build, build_with, check, dims, indices, with, without};
use retrograde_tensor::Tensor;

for_floats! {
    fn gather_and_scatter(dims in dims(0..=4), seed) {
        let mut dice = Dice(seed ^ 3);
        let (rest, index_dims) = dims.split_at(dice.roll(dims.len() + 1));
        let rows = 1 + dice.roll(5);
        let (table, nt) = build::<E>(&[&[rows], rest].concat(), seed);
        let (at, na) = build_with::<usize>(index_dims, seed ^ 1, |dice| dice.roll(rows));
        let gathered = [index_dims, rest].concat();
        let row = |index: &[usize]| [&[na.at(&index[..index_dims.len()])], &index[index_dims.len()..]].concat();
        check(&table.gather_rows(&at), &Naive::from_fn(&gathered, |index| nt.at(&row(index))));

        let (x, nx) = build::<E>(&gathered, seed ^ 2);
        let mut expected = nt.map(|_| 0.0);
        for index in indices(&gathered) {
            let place = indices(&nt.dims).iter().position(|other| *other == row(&index)).unwrap();
            expected.data[place] += nx.at(&index);
        }
        check(&x.scatter_add_rows(rows, &at), &expected);
    }

    fn stack(dims in dims(0..=4), seed) {
        let count = 1 + Dice(seed ^ 1).roll(3);
        let parts: Vec<_> = (0..count).map(|i| build::<E>(&dims, seed.wrapping_add(i as u64))).collect();
        let axis = Dice(seed).roll(dims.len() + 1);
        let tensors: Vec<&Tensor<E>> = parts.iter().map(|(x, _)| x).collect();
        let expected = Naive::from_fn(&with(&dims, axis, count), |index| parts[index[axis]].1.at(&without(index, axis)));
        check(&Tensor::stack(&tensors, axis), &expected);
    }

    fn concat(dims in dims(1..=4), seed) {
        let mut dice = Dice(seed);
        let count = 1 + dice.roll(3);
        let axis = dice.roll(dims.len());
        let parts: Vec<_> = (0..count).map(|i| {
            let mut dims = dims.clone();
            dims[axis] = dice.roll(4);
            build::<E>(&dims, seed.wrapping_add(i as u64))
        }).collect();
        let tensors: Vec<&Tensor<E>> = parts.iter().map(|(x, _)| x).collect();
        // Which part each index along the axis comes from, and where it is there.
        let from: Vec<(usize, usize)> =
            (0..count).flat_map(|part| (0..parts[part].1.dims[axis]).map(move |i| (part, i))).collect();
        let mut whole = dims.clone();
        whole[axis] = from.len();
        let expected = Naive::from_fn(&whole, |index| {
            let (part, i) = from[index[axis]];
            parts[part].1.at(&with(&without(index, axis), axis, i))
        });
        check(&Tensor::concat(&tensors, axis), &expected);
    }
}

#[test]
fn nothing_gathered_from_nothing() {
    let none = Tensor::<usize>::zeros([0, 2]);
    assert_eq!(Tensor::<f32>::zeros([0, 3]).gather_rows(&none).dims(), [0, 2, 3]);
    assert_eq!(Tensor::<f32>::zeros([0, 2, 3]).scatter_add_rows(4, &none), Tensor::zeros([4, 3]));
}

/// Whatever only moves elements, moves those of every type.
#[test]
fn indices_and_truths_are_moved_as_numbers_are() {
    for seed in 0..20 {
        let mut dice = Dice(seed);
        let dims = [1 + dice.roll(4), dice.roll(4)];
        let (ids, _) = build_with::<usize>(&dims, seed, |dice| dice.roll(100));
        let (rows, _) = build_with::<usize>(&[dice.roll(3), 2], seed ^ 1, |dice| dice.roll(dims[0]));
        let gathered = ids.gather_rows(&rows);
        assert_eq!(
            gathered,
            Tensor::from_fn([rows.dims()[0], 2, dims[1]], |at| ids.at(&[rows.at(&at[..2]), at[2]]))
        );
        assert_eq!(ids.map(|id| id > 50).gather_rows(&rows), gathered.map(|id| id > 50));

        let (other, _) = build_with::<usize>(&[dims[1]], seed ^ 2, |dice| dice.roll(100)); // broadcasts
        let (mask, _) = build_with::<usize>(&[dims[0], 1], seed ^ 3, |dice| dice.roll(2));
        let chosen = |at: &[usize]| if mask.at(&[at[0], 0]) == 0 { other.at(&at[1..]) } else { ids.at(at) };
        assert_eq!(Tensor::where_mask(&mask, &ids, &other), Tensor::from_fn(dims, chosen));

        let start = dice.roll(dims[0]);
        let mut changed = ids.clone();
        changed.set_at(0, start, &other);
        let expected = |at: &[usize]| if at[0] == start { other.at(&at[1..]) } else { ids.at(at) };
        assert_eq!(changed, Tensor::from_fn(dims, expected));
    }
}
