//! Gradients of all ranks, added up.

use clap::ValueEnum;
use retrograde::prelude::*;

use crate::ranks::{Ranks, Result};
use crate::{CharRnn, Share};

/// The order in which the gradients of the ranks are added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Sum {
    /// That of the ranks: the same bits as [`Parallel`](retrograde::nn::Parallel) with as many parts. Each rank receives the
    /// gradients of all others.
    Ordered,
    /// The one that MPI chooses: other last digits from three ranks on, the same on all of them. Each rank receives about
    /// two gradients, however many there are.
    Allreduce,
}

impl Ranks {
    /// Returns the sum of what all ranks found in their rows, the same on all of them.
    ///
    /// A rank without rows brings [`Share::default`]. A parameter that nothing flowed to on any rank has no gradient.
    ///
    /// # Errors
    /// If the model does not list a parameter that has a gradient, or if another rank has ended.
    pub fn sum(&self, model: &CharRnn, share: &Share, how: Sum) -> Result<Share> {
        let [loss, count] = self.next_sum([share.loss, share.count as f64])?;
        let params = model.params();
        // The gradients, and for each parameter the number of ranks where something flowed to it.
        let mut flat = model.flat_gradients(&share.grads)?;
        let numbers = flat.len();
        flat.extend(params.iter().map(|param| f32::from(u8::from(share.grads.get(param).is_some()))));
        self.add(&mut flat, how)?;
        let (flat, reached) = flat.split_at(numbers);
        let (all, mut grads) = (model.gradients_from_flat(flat)?, Gradients::default());
        for ((param, dw), _) in all.params().zip(reached).filter(|&(_, &reached)| reached > 0.0) {
            grads.insert(param, dw.clone())?;
        }
        Ok(Share { loss, count: count as usize, grads })
    }

    /// Replaces numbers by their sums over all ranks.
    ///
    /// # Errors
    /// If the ranks together have more numbers than MPI can count.
    pub fn add(&self, numbers: &mut Vec<f32>, how: Sum) -> Result<()> {
        if how == Sum::Allreduce {
            self.all_reduce(numbers);
            return Ok(());
        }
        let all = self.gather(numbers)?;
        let (first, others) = all.split_at(numbers.len());
        numbers.copy_from_slice(first);
        for other in others.chunks(numbers.len().max(1)) {
            numbers.iter_mut().zip(other).for_each(|(sum, &x)| *sum += x);
        }
        Ok(())
    }
}
