//! The parameters that a tape has met.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use retrograde_tensor::{Float, Tensor};

use crate::tape::id::NodeId;
use crate::tape::param::Param;
use crate::{Error, Result};

/// Parameters with their nodes, in order, and found by address.
#[derive(Clone)]
pub(crate) struct Params<E> {
    met: Vec<Met<E>>,
    by_address: HashMap<usize, usize, BuildHasherDefault<AddressHasher>>,
    /// The variables that stand for parameters, by address.
    bound: HashMap<usize, Bound<E>, BuildHasherDefault<AddressHasher>>,
}

/// The node, if it has one, and the value of a variable that stands for a parameter.
#[derive(Clone)]
struct Bound<E> {
    /// Held, so that its address is that of no other.
    _param: Param<E>,
    id: Option<NodeId>,
    value: Tensor<E>,
}

#[derive(Clone)]
struct Met<E> {
    param: Param<E>,
    id: NodeId,
    /// The version of the value that was recorded.
    version: u64,
}

impl<E> Default for Params<E> {
    fn default() -> Self {
        Params { met: Vec::new(), by_address: HashMap::default(), bound: HashMap::default() }
    }
}

impl<E: Float> Met<E> {
    fn changed_from(&self, value: &Tensor<E>) -> bool {
        // A newer version may hold the same numbers.
        self.version != self.param.version() && *value != self.param.value()
    }
}

impl<E: Float> Params<E> {
    pub(crate) fn push(&mut self, param: &Param<E>, id: NodeId, version: u64) {
        // The address is that of no other parameter while this one is held.
        self.by_address.insert(param.address(), self.met.len());
        self.met.push(Met { param: param.clone(), id, version });
    }

    /// Lets a variable stand for a parameter.
    pub(crate) fn bind(&mut self, param: &Param<E>, id: Option<NodeId>, value: Tensor<E>) {
        self.bound.insert(param.address(), Bound { _param: param.clone(), id, value });
    }

    /// The node and value of the variable that is bound to a parameter.
    pub(crate) fn bound(&self, param: &Param<E>) -> Option<(Option<NodeId>, &Tensor<E>)> {
        self.bound.get(&param.address()).map(|bound| (bound.id, &bound.value))
    }

    /// Lets a parameter stand for itself again.
    pub(crate) fn unbind(&mut self, param: &Param<E>) {
        self.bound.remove(&param.address());
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Param<E>, NodeId)> {
        self.met.iter().map(|met| (&met.param, met.id))
    }

    /// The parameter of a node: nodes are met in order.
    pub(crate) fn at(&self, id: NodeId) -> &Param<E> {
        let place = self.met.binary_search_by_key(&id, |met| met.id);
        &self.met[place.expect("a node of a parameter")].param
    }

    /// The node and value that a parameter is read as: those of the variable bound to it, else its own, whose value must
    /// still be the `recorded` one.
    pub(crate) fn find<'r>(
        &'r self,
        param: &Param<E>,
        recorded: impl Fn(NodeId) -> &'r Tensor<E>,
    ) -> Result<Option<(Option<NodeId>, &'r Tensor<E>)>> {
        if let Some(bound) = self.bound(param) {
            return Ok(Some(bound));
        }
        let Some(&place) = self.by_address.get(&param.address()) else { return Ok(None) };
        let (met, value) = (&self.met[place], recorded(self.met[place].id));
        if met.changed_from(value) {
            return Err(Error::ParamChanged { name: param.name().to_owned() });
        }
        Ok(Some((Some(met.id), value)))
    }

    /// The parameters whose value is no longer the `recorded` one.
    pub(crate) fn changed<'r>(&self, recorded: impl Fn(NodeId) -> &'r Tensor<E>) -> Vec<Param<E>> {
        let changed = self.met.iter().filter(|met| met.changed_from(recorded(met.id)));
        changed.map(|met| met.param.clone()).collect()
    }
}

/// Spreads the bits of an address. Nobody chooses addresses to collide, so this is enough.
#[derive(Default)]
struct AddressHasher(u64);

impl Hasher for AddressHasher {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.write_usize(usize::from(byte)));
    }

    fn write_usize(&mut self, address: usize) {
        // The golden ratio in 64 bits: D. Knuth, The Art of Computer Programming (1973), section 6.4.
        self.0 = (self.0 ^ address as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(32);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
