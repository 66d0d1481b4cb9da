//! The options of a call: where rows end, and where new sequences start.

use crate::common::outcome::{
    Outcome, assert_all_near, assert_same, like, lstm, outcome, pair, rows, zero_where_absent,
};
use crate::common::{assert_near, normal, perturb, seeded};
use retrograde_autograd::Tape;
use retrograde_nn::{Cell, Layer, Module, SequenceOptions, State};
use retrograde_tensor::Tensor;

/// `[N, T, D, H]`
const SIZES: [[usize; 4]; 4] = [[1, 1, 2, 3], [3, 1, 1, 2], [1, 5, 3, 1], [4, 6, 2, 3]];

#[test]
fn a_batch_is_a_loop_over_its_rows() {
    for [n, steps, d, h] in SIZES {
        let mut rng = seeded(n as u64);
        let layer = lstm(d, h, &mut rng);
        let (xs, dhs) = (normal([n, steps, d], 1.0, &mut rng), normal([n, steps, h], 1.0, &mut rng));
        let zeros = layer.cell.initial_state(n);
        let (initial, dlast) = (like(&zeros, &mut rng), like(&zeros, &mut rng));
        let whole = outcome(&layer, &xs, Some(&pair(&initial)), &SequenceOptions::new(), &dhs, &dlast);
        let mut sums: Vec<Tensor<f64>> = layer.params().iter().map(|w| Tensor::zeros(w.shape())).collect();
        for row in 0..n {
            let (xs, dhs) = (xs.narrow(0, row, 1), dhs.narrow(0, row, 1));
            let initial = pair(&rows(&initial, row));
            let alone =
                outcome(&layer, &xs, Some(&initial), &SequenceOptions::new(), &dhs, &rows(&dlast, row));
            assert_near("hs", &whole.hs.narrow(0, row, 1), &alone.hs, 1e-12);
            assert_near("dxs", &whole.dxs.narrow(0, row, 1), &alone.dxs, 1e-12);
            assert_all_near("last", &rows(&whole.last, row), &alone.last);
            assert_all_near("dinitial", &rows(&whole.dinitial, row), &alone.dinitial);
            sums.iter_mut().zip(&alone.dparams).for_each(|(sum, dw)| *sum += dw);
        }
        assert_all_near("dparams", &whole.dparams, &sums);
    }
}

/// Of each row alone, cut at its end: whatever lies in the padding, forwards and backwards in time.
#[test]
fn a_masked_batch_is_each_row_alone() {
    let (n, steps, d, h) = (4, 5, 2, 3);
    let lengths = [5, 1, 3, 0];
    for (reversed, padding) in [(false, f64::NAN), (true, f64::NAN), (false, f64::INFINITY), (true, 7.0)] {
        let mut rng = seeded(5);
        let layer = lstm(d, h, &mut rng).reversed(reversed);
        let mut xs = normal::<f64>([n, steps, d], 1.0, &mut rng);
        let mut dhs = normal::<f64>([n, steps, h], 1.0, &mut rng);
        for (row, &length) in lengths.iter().enumerate() {
            for step in length..steps {
                (0..d).for_each(|k| xs.set(&[row, step, k], padding).unwrap());
                (0..h).for_each(|k| dhs.set(&[row, step, k], padding).unwrap());
            }
        }
        let zeros = layer.cell.initial_state(n);
        let (initial, dlast) = (like(&zeros, &mut rng), like(&zeros, &mut rng));
        let mask = Tensor::from_fn([n, steps], |at| if at[1] < lengths[at[0]] { 1.0 } else { 0.0 });
        for options in [SequenceOptions::new().lengths(&lengths), SequenceOptions::new().mask(mask)] {
            let whole = outcome(&layer, &xs, Some(&pair(&initial)), &options, &dhs, &dlast);
            let mut sums: Vec<Tensor<f64>> =
                layer.params().iter().map(|w| Tensor::zeros(w.shape())).collect();
            for (row, &length) in lengths.iter().enumerate() {
                let cut = |x: &Tensor<f64>| x.narrow(0, row, 1).narrow(1, 0, length);
                let rest = |x: &Tensor<f64>| x.narrow(0, row, 1).narrow(1, length, steps - length);
                let initial = pair(&rows(&initial, row));
                let dlast = rows(&dlast, row);
                let alone =
                    outcome(&layer, &cut(&xs), Some(&initial), &SequenceOptions::new(), &cut(&dhs), &dlast);
                assert_all_near("hs", &[cut(&whole.hs)], &[alone.hs]);
                assert_all_near("dxs", &[cut(&whole.dxs)], &[alone.dxs]);
                assert_all_near("last", &rows(&whole.last, row), &alone.last);
                assert_all_near("dinitial", &rows(&whole.dinitial, row), &alone.dinitial);
                assert!(rest(&whole.hs).iter().chain(rest(&whole.dxs).iter()).all(|x| x == 0.0));
                sums.iter_mut().zip(&alone.dparams).for_each(|(sum, dw)| *sum += dw);
            }
            assert_all_near("dparams", &whole.dparams, &sums);
        }
    }
}

/// A row with a reset is two sequences, of which the second starts from the state of a new sequence.
#[test]
fn a_reset_starts_a_new_sequence() {
    let (n, steps, d, h) = (3, 6, 2, 3);
    // The first steps of new sequences, by row: in the middle, none, at the start and twice in a row.
    let starts: [&[usize]; 3] = [&[3], &[], &[0, 4, 5]];
    for (reversed, learned) in [(false, false), (true, false), (false, true), (true, true)] {
        let mut rng = seeded(6);
        let mut layer = lstm(d, h, &mut rng).reversed(reversed);
        if learned {
            layer = layer.learn_initial();
            perturb(&layer, &mut rng);
        }
        let xs = normal::<f64>([n, steps, d], 1.0, &mut rng);
        let dhs = normal::<f64>([n, steps, h], 1.0, &mut rng);
        let resets = Tensor::from_fn([n, steps], |at| if starts[at[0]].contains(&at[1]) { 1.0 } else { 0.0 });
        let zeros = layer.cell.initial_state(n);
        let (initial, dlast) = (like(&zeros, &mut rng), like(&zeros, &mut rng));
        let found =
            outcome(&layer, &xs, Some(&pair(&initial)), &SequenceOptions::new().resets(resets), &dhs, &dlast);
        let mut sums: Vec<Tensor<f64>> = layer.params().iter().map(|w| Tensor::zeros(w.shape())).collect();
        for (row, starts) in starts.into_iter().enumerate() {
            let bounds = [&[0], starts, &[steps]].concat();
            let pieces: Vec<(usize, usize)> =
                bounds.windows(2).map(|ends| (ends[0], ends[1])).filter(|(start, end)| start < end).collect();
            // Which piece the given state goes into, and which one the last state comes out of.
            let (first, last) = if reversed { (pieces.len() - 1, 0) } else { (0, pieces.len() - 1) };
            let unused = !reversed && starts.contains(&0);
            for (i, &(start, end)) in pieces.iter().enumerate() {
                let cut = |x: &Tensor<f64>| x.narrow(0, row, 1).narrow(1, start, end - start);
                let given = (i == first && !unused).then(|| pair(&rows(&initial, row)));
                let weight = if i == last { 1.0 } else { 0.0 };
                let dlast: Vec<Tensor<f64>> = rows(&dlast, row).iter().map(|dh| dh * weight).collect();
                let alone =
                    outcome(&layer, &cut(&xs), given.as_ref(), &SequenceOptions::new(), &cut(&dhs), &dlast);
                assert_near("hs", &cut(&found.hs), &alone.hs, 1e-12);
                assert_near("dxs", &cut(&found.dxs), &alone.dxs, 1e-12);
                if given.is_some() {
                    assert_all_near("dinitial", &rows(&found.dinitial, row), &alone.dinitial);
                }
                if i == last {
                    assert_all_near("last", &rows(&found.last, row), &alone.last);
                }
                sums.iter_mut().zip(&alone.dparams).for_each(|(sum, dw)| *sum += dw);
            }
            if unused {
                assert!(rows(&found.dinitial, row).iter().flatten().all(|dh| dh == 0.0));
            }
        }
        assert_all_near("dparams", &found.dparams, &sums);
    }
}

#[test]
fn two_windows_are_one_sequence_if_nothing_is_cut() {
    let (n, steps, d, h) = (2, 7, 3, 2);
    let mut rng = seeded(7);
    let layer = lstm(d, h, &mut rng);
    let (xs, dhs) = (normal::<f64>([n, steps, d], 1.0, &mut rng), normal([n, steps, h], 1.0, &mut rng));
    let zeros = layer.cell.initial_state(n);
    let (initial, dlast) = (pair(&like(&zeros, &mut rng)), like(&zeros, &mut rng));
    let resets = Tensor::from_fn([n, steps], |at| if at[0] == 1 && at[1] == 5 { 1.0 } else { 0.0 });
    for resets in [Tensor::zeros([n, steps]), resets] {
        let whole = outcome(
            &layer,
            &xs,
            Some(&initial),
            &SequenceOptions::new().resets(resets.clone()),
            &dhs,
            &dlast,
        );
        for cut in [0, 1, 4, 7] {
            let tape = Tape::new();
            let windows = [(0, cut), (cut, steps - cut)];
            let x = windows.map(|(start, length)| tape.var(xs.narrow(1, start, length)));
            let start = initial.on(&tape);
            let mut state = start.clone();
            let mut hs = Vec::new();
            for (x, (start, length)) in x.iter().zip(windows) {
                let options = SequenceOptions::new().resets(resets.narrow(1, start, length));
                let out = layer.run_from(x, state, &options).unwrap();
                hs.push(out.0);
                state = out.1;
            }
            let d = windows.map(|(start, length)| dhs.narrow(1, start, length));
            let outputs = [(&hs[0], &d[0]), (&hs[1], &d[1]), (&state.0, &dlast[0]), (&state.1, &dlast[1])];
            let grads = tape.backward(&outputs).unwrap();
            let dxs: Vec<Tensor<f64>> =
                x.iter().map(|x| zero_where_absent(grads.get(x), x.shape())).collect();
            let found = Outcome {
                hs: Tensor::concat(&[hs[0].value(), hs[1].value()], 1),
                last: vec![state.0.value().clone(), state.1.value().clone()],
                dxs: Tensor::concat(&[&dxs[0], &dxs[1]], 1),
                dinitial: vec![grads.get(&start.0).unwrap().clone(), grads.get(&start.1).unwrap().clone()],
                dparams: layer.params().iter().map(|w| grads.get(w).unwrap().clone()).collect(),
            };
            assert_same(&found, &whole);
        }
    }
}

#[test]
fn options_that_do_not_fit_are_refused() {
    let layer = lstm(2, 3, &mut seeded(14));
    let tape = Tape::new();
    let xs = tape.constant(Tensor::zeros([2, 4, 2]));
    let text = |options: SequenceOptions<f64>| layer.run(&xs, None, &options).err().unwrap().to_string();
    assert_eq!(text(SequenceOptions::new().lengths(&[1])), "sequence options: expected 2 lengths, found 1");
    let long = text(SequenceOptions::new().lengths(&[4, 5]));
    assert_eq!(long, "sequence options: expected lengths of at most 4, found 5 of row 1");
    let mask = text(SequenceOptions::new().mask(Tensor::zeros([4, 2])));
    assert_eq!(mask, "sequence options: expected a mask of shape [2, 4], found [4, 2]");
    let resets = text(SequenceOptions::new().resets(Tensor::zeros([2])));
    assert_eq!(resets, "sequence options: expected resets of shape [2, 4], found [2]");
}

/// The questions that a layer of one's own asks.
#[test]
fn the_size_and_the_masks_of_a_batch() {
    let options = SequenceOptions::<f64>::new;
    let ones = |dims: [usize; 2]| Tensor::ones(dims);
    for (options, size) in [
        (options(), [None, None]),
        (options().lengths(&[2, 5, 0]), [Some(3), Some(5)]),
        (options().lengths(&[0, 0]), [Some(2), None]),
        (options().mask(ones([3, 4])), [Some(3), Some(4)]),
        (options().resets(ones([2, 7])), [Some(2), Some(7)]),
        (options().resets(ones([2, 7])).lengths(&[3, 1]), [Some(2), Some(7)]),
        (options().mask(Tensor::ones([4])), [None, None]),
    ] {
        assert_eq!(options.size(), size, "{options:?}");
    }
    let resets = Tensor::from([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]);
    let some = options().lengths(&[3, 2]).resets(resets);
    let counting = Tensor::from([[1.0, 1.0, 1.0], [1.0, 1.0, 0.0]]);
    assert_eq!(some.counting(2, 3).unwrap(), Some(counting));
    // The step of the second row does not count, and starts nothing.
    let starting = Tensor::from([[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]);
    assert_eq!(some.starting(2, 3).unwrap(), Some(starting));
    assert_eq!((options().counting(2, 3).unwrap(), options().starting(2, 3).unwrap()), (None, None));
    assert!(some.counting(3, 3).is_err() && some.starting(2, 4).is_err());
}
