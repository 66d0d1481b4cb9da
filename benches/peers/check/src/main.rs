//! The checker on layers of candle: a right one, and one that loses a part of its gradient to `detach`.

use candle_core::{Device::Cpu, Result, Tensor, Var};
use rand::{SeedableRng, rngs::StdRng};
use retrograde_check::{Array, Check, Named, Report};

type Layer = fn(&[Var]) -> Result<Tensor>;

/// Checks a layer of the inputs `x [3, 2]`, `w [2, 4]`, whose backward pass is candle's.
fn check(layer: Layer) -> std::result::Result<Report, retrograde_check::Error> {
    let var = |a: &Array| Var::from_slice(a, a.shape(), &Cpu);
    let vars = |p: &Named<Array>| ["x", "w"].iter().map(|name| var(&p[name])).collect::<Result<Vec<_>>>();
    let array = |t: &Tensor| t.flatten_all()?.to_vec1::<f64>();
    let rng = &mut StdRng::seed_from_u64(1);
    let mut normal = |shape: [usize; 2]| retrograde_tensor::Tensor::normal(shape, 0.0, 1.0, rng).unwrap();
    Check::new().input("x", normal([3, 2])).input("w", normal([2, 4])).black_box(
        |p| Ok([("y", Array::new(array(&layer(&vars(p)?)?)?, &[3, 4])?)].into()),
        |p, dy| {
            let vars = vars(p)?;
            let grads = (layer(&vars)? * var(&dy["y"])?.as_tensor())?.sum_all()?.backward()?;
            let of = |i: usize| array(grads.get(&vars[i]).expect("a gradient"));
            Ok([("x", of(0)?.into()), ("w", of(1)?.into())].into())
        },
    )
}

fn main() -> std::result::Result<(), retrograde_check::Error> {
    check(|p| p[0].matmul(&p[1])?.tanh())?.assert_ok();
    println!("tanh(x w): ok\n");
    let report = check(|p| (p[0].matmul(&p[1])? * p[0].matmul(&p[1].as_tensor().detach())?)?.tanh())?;
    assert_eq!(report.wrong(), ["w"]);
    println!("tanh((x w) (x w)), the second w detached:\n\n{report}");
    Ok(())
}
