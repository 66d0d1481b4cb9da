//! The numbers that measured programs start from.

/// Numbers from `-scale` to `scale`, by SplitMix64 (G. Steele, D. Lea and C. Flood, 2014): the peers read this file too, and the
/// programs in Python make the same.
pub(crate) fn noise(count: usize, scale: f64, seed: u64) -> Vec<f32> {
    let each = |i: u64| {
        let z = ((seed << 32) + i + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let unit = ((z ^ (z >> 31)) >> 40) as f64 / (1_u64 << 24) as f64; // 0..1
        ((2.0 * unit - 1.0) * scale) as f32
    };
    (0..count as u64).map(each).collect()
}
