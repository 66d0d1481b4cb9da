//! The use of the system's allocator by products and by the pools of buffers, counted.

use std::thread;

use allocation_counter::measure;
use retrograde_tensor::{Tensor, release_buffers};

#[test]
fn products_of_broadcast_views_take_no_memory_in_proportion_to_their_size() {
    let [n, rows] = [2000, 7];
    let (number, row) = (Tensor::<f32>::ones([1, 1]), Tensor::<f32>::ones([1, n]));
    let (column, x) = (Tensor::<f32>::ones([n, 1]), Tensor::<f32>::ones([rows, n]));
    for (name, narrow) in [("number", number), ("row", row), ("column", column)] {
        let wide = narrow.broadcast_to([n, n]);
        for (side, turned) in [("as it is", wide.clone()), ("transposed", wide.t())] {
            // Packed in full, a side takes 16 MB from its second product on; the results take 56 kB each.
            let info = measure(|| {
                for _ in 0..3 {
                    assert!(x.matmul(&turned).iter().all(|y| y == n as f32));
                    assert!(turned.matmul(&x.t()).iter().all(|y| y == n as f32));
                }
            });
            assert!(info.bytes_max < 4 << 20, "a {name}, {side}: {info:?}");
        }
    }
}

#[test]
fn a_column_is_not_widened() {
    // Rounded up to whole registers, a column is 8 or 16 times as large.
    let n = 200_000;
    for rows in [2, 3, 8, 20] {
        let (x, column) = (Tensor::<f32>::ones([rows, n]), Tensor::<f32>::ones([n, 1]));
        let info = measure(|| (0..3).for_each(|_| drop(x.matmul(&column))));
        assert!(info.bytes_max < n as u64, "{rows} rows: {info:?}");
    }
}

/// Runs in a thread of its own, whose pool of buffers is new.
fn in_a_thread<R: Send>(f: impl FnOnce() -> R + Send) -> R {
    thread::scope(|scope| scope.spawn(f).join().unwrap())
}

fn tensor(length: usize) -> Tensor<f64> {
    Tensor::zeros([length])
}

/// The bytes that a pool keeps of a large tensor and then of many small ones, of which each is made twice and no two at the
/// same time, in multiples of the large one: those of the large one, and half as much again.
fn kept_of_many_lengths() -> f64 {
    let large = 200_000;
    let info = measure(|| {
        drop(tensor(large));
        (1100..1400).for_each(|length| (0..2).for_each(|_| drop(tensor(length))));
    });
    info.bytes_current as f64 / (8.0 * large as f64)
}

#[test]
fn a_buffer_is_used_again() {
    for length in [500, 1023, 1024, 1025, 50_000] {
        in_a_thread(|| {
            drop(tensor(length));
            let info = measure(|| (0..100).for_each(|_| drop(tensor(length))));
            // A tensor has a few bytes beside its elements.
            assert!(info.bytes_total < 100 * 8 * length as u64 / 4, "{length}: {info:?}");
        });
    }
}

#[test]
fn as_much_is_kept_as_was_in_use_and_half_as_much_again() {
    in_a_thread(|| {
        let make = |lengths: &[usize]| lengths.iter().map(|&length| tensor(length)).collect::<Vec<_>>();
        drop(make(&[3000, 2000]));
        drop(tensor(2200));
        for lengths in [&[3000, 2000][..], &[2200]] {
            let info = measure(|| drop(make(lengths)));
            assert!(info.bytes_total < 8 * 2000, "{lengths:?}: {info:?}");
        }
    });
    let kept = in_a_thread(kept_of_many_lengths);
    assert!((1.4..1.55).contains(&kept), "{kept} of the large one");
}

/// A buffer of one element costs as much as seven: of two thousand, those are kept for which there is room beside a large one.
#[test]
fn small_buffers_are_counted_with_what_they_cost_beside_their_elements() {
    in_a_thread(|| {
        drop(tensor(10_000));
        let allocations = || measure(|| drop((0..2000).map(|_| tensor(1)).collect::<Vec<_>>())).count_total;
        let (first, second) = (allocations(), allocations());
        // (1.5 · 2000 · 7 - 10 000) / 7
        assert!((1500..1600).contains(&(first - second)), "{first}, then {second}");
    });
}

#[test]
fn tensors_that_other_threads_drop_are_in_use_no_more() {
    let kept = in_a_thread(|| {
        for _ in 0..100 {
            let x = tensor(200_000);
            in_a_thread(|| drop(x));
        }
        kept_of_many_lengths()
    });
    assert!(kept < 1.6, "{kept} of the large one, in the thread that made them");
    let foreign: Vec<_> = (0..100).map(|_| tensor(3000)).collect();
    let kept = in_a_thread(|| {
        drop(foreign);
        kept_of_many_lengths()
    });
    assert!(kept < 1.6, "{kept} of the large one, in the thread that dropped them");
}

#[test]
fn tensors_that_become_vectors_are_in_use_no_more() {
    let kept = in_a_thread(|| {
        (0..100).for_each(|_| drop(tensor(200_000).into_vec()));
        kept_of_many_lengths()
    });
    assert!(kept < 1.6, "{kept} of the large one");
}

#[test]
fn free_buffers_go_back_to_the_system() {
    in_a_thread(|| {
        drop(tensor(700)); // lists of short ones, which stay
        for length in [1000, 100_000] {
            let info = measure(|| {
                drop(tensor(length));
                release_buffers();
            });
            assert!(info.bytes_current < 4 * length as i64, "{length}: {info:?}");
        }
    });
}
