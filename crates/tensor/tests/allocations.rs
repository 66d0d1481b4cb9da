//! The products' use of the system's allocator, counted.

use allocation_counter::measure;
use retrograde_tensor::Tensor;

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
