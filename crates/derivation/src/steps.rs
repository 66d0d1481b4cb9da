//! Time steps that record the same operations, found on a tape.

use std::collections::{BTreeMap, HashMap};

use crate::graph::{Graph, Kind};
use retrograde_autograd::NodeId;
use retrograde_autograd::op::Op;

/// A run of time steps of the same operations.
#[derive(Clone)]
pub(crate) struct Steps {
    /// The nodes of each step, in the order of execution. The same place is the same operation.
    pub(crate) blocks: Vec<Vec<NodeId>>,
    /// The number of the earliest step in time.
    pub(crate) first: usize,
    /// Whether the last step in time is executed first.
    pub(crate) reversed: bool,
    /// The places whose value the next step reads, and what the first step reads instead.
    pub(crate) carried: BTreeMap<usize, NodeId>,
}

/// The origin of an operand.
enum Source {
    /// A place of the same step.
    Here(usize),
    /// A place of the step before.
    Before(usize),
    Outside(NodeId),
}

impl Steps {
    /// The nodes of the step that is executed last.
    pub(crate) fn last(&self) -> &[NodeId] {
        self.blocks.last().map_or(&[], Vec::as_slice)
    }

    /// The blocks in the order of time.
    pub(crate) fn in_time(&self) -> Box<dyn DoubleEndedIterator<Item = &Vec<NodeId>> + '_> {
        if self.reversed { Box::new(self.blocks.iter().rev()) } else { Box::new(self.blocks.iter()) }
    }

    /// The sequence and the axis of which a place takes the entry of its step.
    pub(crate) fn entry(&self, record: &Graph, place: usize) -> Option<(NodeId, usize)> {
        let mut found = None;
        for (entry, block) in self.in_time().enumerate() {
            let (Kind::Op(Op::Select { axis, index }), [of]) =
                (record.kind(block[place]), record.operands(block[place]))
            else {
                return None;
            };
            if *index != entry || found.is_some_and(|known| known != (*of, *axis)) {
                return None;
            }
            found = Some((*of, *axis));
        }
        found
    }

    /// The place whose values a node stacks, one of each step, and the axis.
    pub(crate) fn stacked(&self, record: &Graph, id: NodeId) -> Option<(usize, usize)> {
        let Kind::Op(Op::Stack { axis }) = record.kind(id) else { return None };
        let operands = record.operands(id);
        let mut blocks = self.in_time();
        let first = operands.first()?;
        let place = blocks.next()?.iter().position(|node| node == first)?;
        let same = operands.len() == self.blocks.len()
            && blocks.zip(&operands[1..]).all(|(block, x)| block[place] == *x);
        same.then_some((place, *axis))
    }
}

/// All runs of at least two steps of the same operations that begin before node `count`.
pub(crate) fn find(record: &Graph, count: usize) -> Vec<Steps> {
    let mut found = Vec::new();
    let mut run: Vec<(usize, Vec<NodeId>)> = Vec::new();
    let mut open = false;
    for id in record.ids() {
        match record.step(id) {
            Some(step) => match run.last_mut() {
                Some((last, block)) if open && *last == step => block.push(id),
                _ if id.index() >= count => break,
                _ => {
                    let follows = |a: usize, b: usize| a + 1 == b || b + 1 == a;
                    let direction = |run: &[(usize, Vec<NodeId>)]| {
                        let [.., (a, _), (b, _)] = run else { return true };
                        let [(first, _), (second, _), ..] = run else { return true };
                        follows(*b, step) && (first < second) == (b < &step) && (a < b) == (b < &step)
                    };
                    let goes_on =
                        open && run.last().is_some_and(|(last, _)| follows(*last, step)) && direction(&run);
                    if !goes_on {
                        found.extend(same(record, std::mem::take(&mut run)));
                    }
                    run.push((step, vec![id]));
                    open = true;
                }
            },
            // A parameter belongs to no step, whichever reads it first.
            None if matches!(record.kind(id), Kind::Parameter { .. }) => {}
            None => open = false,
        }
    }
    found.extend(same(record, run));
    found
}

/// The steps of a run, if they record the same operations.
fn same(record: &Graph, run: Vec<(usize, Vec<NodeId>)>) -> Option<Steps> {
    let (reversed, first) = match run.as_slice() {
        [(a, _), .., (b, _)] => (a > b, *a.min(b)),
        _ => return None,
    };
    let blocks: Vec<Vec<NodeId>> = run.into_iter().map(|(_, block)| block).collect();
    let mut places = HashMap::new();
    for (turn, block) in blocks.iter().enumerate() {
        places.extend(block.iter().enumerate().map(|(place, &id)| (id, (turn, place))));
    }
    let source = |turn: usize, x: &NodeId| match places.get(x) {
        Some(&(at, place)) if at == turn => Some(Source::Here(place)),
        Some(&(at, place)) if at + 1 == turn => Some(Source::Before(place)),
        Some(_) => None,
        None => Some(Source::Outside(*x)),
    };
    let mut steps = Steps { blocks, first, reversed, carried: BTreeMap::new() };
    let last = steps.blocks.len() - 1;
    let model = &steps.blocks[last];
    for (turn, block) in steps.blocks.iter().enumerate() {
        if block.len() != model.len() {
            return None;
        }
        for (&id, &of) in block.iter().zip(model) {
            let (x, y) = (record.operands(id), record.operands(of));
            if !alike(record, id, of) || x.len() != y.len() {
                return None;
            }
            for (x, y) in x.iter().zip(y) {
                match (source(turn, x)?, source(last, y)?) {
                    (Source::Here(a), Source::Here(b)) | (Source::Before(a), Source::Before(b)) if a == b => {
                    }
                    (Source::Outside(a), Source::Outside(b)) if a == b => {}
                    (Source::Outside(initial), Source::Before(place)) if turn == 0 => {
                        let known = *steps.carried.entry(place).or_insert(initial);
                        if known != initial || record.shape(initial) != record.shape(model[place]) {
                            return None;
                        }
                    }
                    _ => return None,
                }
            }
        }
    }
    for place in 0..model.len() {
        // An entry is that of the step, or the same in all steps.
        if let Kind::Op(Op::Select { .. }) = record.kind(model[place])
            && steps.entry(record, place).is_none()
            && !steps.blocks.iter().all(|block| same_op(record, block[place], model[place]))
        {
            return None;
        }
    }
    Some(steps)
}

/// Whether two nodes are the same apart from operands and, for an entry, its index.
fn alike(record: &Graph, a: NodeId, b: NodeId) -> bool {
    let kinds = match (record.kind(a), record.kind(b)) {
        (Kind::Op(Op::Select { axis: a, .. }), Kind::Op(Op::Select { axis: b, .. })) => a == b,
        (Kind::Op(a), Kind::Op(b)) => a == b,
        (Kind::Variable, Kind::Variable) => true,
        (Kind::Constant, Kind::Constant) => true,
        (Kind::Number(a), Kind::Number(b)) => a == b,
        _ => false,
    };
    kinds && record.shape(a) == record.shape(b) && record.base_name(a) == record.base_name(b)
}

fn same_op(record: &Graph, a: NodeId, b: NodeId) -> bool {
    matches!((record.kind(a), record.kind(b)), (Kind::Op(a), Kind::Op(b)) if a == b)
}
