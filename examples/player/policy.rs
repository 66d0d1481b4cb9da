//! The names by which a content security policy allows a style and a script that stand in the page.

use crate::base64::base64;

/// A source expression of a policy: the text of this digest, and no other (Content Security Policy Level 3).
pub(crate) fn source(text: &str) -> String {
    format!("'sha256-{}'", base64(&sha256(text.as_bytes())))
}

/// # Source
/// FIPS 180-4, *Secure Hash Standard* (2015).
fn sha256(message: &[u8]) -> Vec<u8> {
    let primes = || (2_u128..).filter(|n| (2..*n).all(|k| n % k != 0));
    // The first 32 bits of the fractions of roots: the largest r with r^power <= n 2^(32 power).
    let fraction = |n: u128, power: u32| {
        let found = (0..36).rev().fold(0_u128, |root, bit| {
            let larger = root | 1 << bit;
            if larger.pow(power) <= n << (32 * power) { larger } else { root }
        });
        found as u32
    };
    let constants: Vec<u32> = primes().take(64).map(|n| fraction(n, 3)).collect();
    let mut state: Vec<u32> = primes().take(8).map(|n| fraction(n, 2)).collect();

    let mut padded = message.to_vec();
    padded.push(0x80);
    padded.resize((padded.len() + 8).next_multiple_of(64) - 8, 0);
    padded.extend((message.len() as u64 * 8).to_be_bytes());
    for block in padded.chunks(64) {
        let mut w: Vec<u32> =
            block.chunks(4).map(|four| u32::from_be_bytes(four.try_into().expect("four bytes"))).collect();
        for t in 16..64 {
            let (x, y) = (w[t - 15], w[t - 2]);
            let small = |x: u32, a, b, c: u32| x.rotate_right(a) ^ x.rotate_right(b) ^ (x >> c);
            let sum = small(y, 17, 19, 10).wrapping_add(w[t - 7]).wrapping_add(small(x, 7, 18, 3));
            w.push(sum.wrapping_add(w[t - 16]));
        }
        let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h]: [u32; 8] =
            state.as_slice().try_into().expect("eight words");
        for (w, constant) in w.iter().zip(&constants) {
            let large = |x: u32, a, b, c| x.rotate_right(a) ^ x.rotate_right(b) ^ x.rotate_right(c);
            let choice = e & f ^ !e & g;
            let majority = a & b ^ a & c ^ b & c;
            let first = h.wrapping_add(large(e, 6, 11, 25)).wrapping_add(choice);
            let first = first.wrapping_add(*constant).wrapping_add(*w);
            let second = large(a, 2, 13, 22).wrapping_add(majority);
            (h, g, f, e) = (g, f, e, d.wrapping_add(first));
            (d, c, b, a) = (c, b, a, first.wrapping_add(second));
        }
        for (word, change) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
            *word = word.wrapping_add(change);
        }
    }
    state.into_iter().flat_map(u32::to_be_bytes).collect()
}
