//! The same on this processor.

fn main() {
    println!("{:?}", retrograde_examples_wasm::loss_after(300));
    println!("{}", retrograde_examples_wasm::gradients_that_are_right());
}
