//! The program of the README: one recurrent step, and its backward pass as formulas and as numbers.

use retrograde::prelude::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut rng = StdRng::seed_from_u64(1);
    let mut random = |shape: [usize; 2], deviation| Tensor::<f64>::normal(shape, 0.0, deviation, &mut rng);
    let wx = Param::new("Wx", random([3, 4], 0.6)?);
    let wh = Param::new("Wh", random([4, 4], 0.5)?);
    let b = Param::new("b", Tensor::zeros([4]));

    let tape = Tape::new();
    let x = tape.var(random([2, 3], 1.0)?).named("x");
    let h_prev = tape.var(random([2, 4], 0.5)?).named("h_prev");
    let t = (h_prev.matmul(&wh) + x.matmul(&wx) + &b).named("t");
    let h_next = t.tanh().named("h_next");

    // The backward pass as formulas, and as numbers by variable or parameter.
    print!("{}", h_next.derivation()?);
    let grads = h_next.square().sum().backward()?;
    println!("dWh =\n{:.3}", grads.get(&wh).unwrap());
    Ok(())
}
