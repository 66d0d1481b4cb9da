//! A derivation in parts: straight lines, and loops over time steps of the same operations.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::graph::{Graph, Kind, Node};
use crate::lines::{Lines, ValueLine, lines};
use crate::names::Names;
use crate::steps::{self, Steps};
use crate::{Expr, Line, Term};
use retrograde_autograd::NodeId;
use retrograde_autograd::Result;
use retrograde_autograd::Value;
use retrograde_autograd::op::Op;

/// A forward and a backward pass.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Program {
    /// Matrices come before vectors, else in the order in which the tape met them.
    pub(crate) params: Vec<String>,
    /// The other inputs: their names, and whether they have a cotangent.
    pub(crate) inputs: Vec<(String, bool)>,
    /// The outputs by name, and whether the cotangent is given, or 1 as that of a loss.
    pub(crate) outputs: Vec<(String, bool)>,
    /// In the order of execution.
    pub(crate) parts: Vec<Part>,
    /// A function with a backward pass of its own, of which there are no operations to write.
    pub(crate) function: Option<&'static str>,
}

/// Operations that are executed once, or once in each step.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Part {
    pub(crate) values: Vec<ValueLine>,
    /// In the order of the sweep.
    pub(crate) cotangents: Vec<Assignment>,
    pub(crate) repeat: Option<Repeat>,
}

/// `name = formula`, or `name += formula`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Assignment {
    pub(crate) line: Line,
    pub(crate) add: bool,
}

/// The frame of a loop.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Repeat {
    pub(crate) steps: usize,
    pub(crate) first: usize,
    pub(crate) reversed: bool,
    pub(crate) entries: Vec<Entry>,
    /// The inputs that each step has its own of: `x_t`, by the name `x` of all.
    pub(crate) each: Vec<(String, String)>,
    pub(crate) states: Vec<State>,
    pub(crate) stacks: Vec<Stack>,
}

/// An entry of a sequence, `x_t = xs[:, t]`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) of: String,
    pub(crate) axis: usize,
    /// Whether its cotangent is assigned, and if so, whether it is added to what there is.
    pub(crate) cotangent: Option<bool>,
}

/// A value that goes from step to step, or from the last one out of the loop.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct State {
    /// `h_t`
    pub(crate) name: String,
    /// `h_{t-1}` and the initial state, `h_prev`.
    pub(crate) before: Option<(String, String)>,
    /// The value after the last step, where that is read.
    pub(crate) last: Option<String>,
    /// `dh`, the cotangent that comes from the next step.
    pub(crate) carried: String,
    /// The cotangent of the value after the last step, where it has one.
    pub(crate) from: Option<String>,
    /// Whether the step hands a cotangent on.
    pub(crate) flows: bool,
    /// The cotangent of the initial state, if it has one, and whether it is added to what there is.
    pub(crate) into: Option<(String, bool)>,
}

/// The values of all steps side by side, `hs`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stack {
    pub(crate) name: String,
    pub(crate) of: String,
    pub(crate) axis: usize,
    /// Its cotangent of one step, `dhs[:, t]`, where it has one.
    pub(crate) cotangent: Option<String>,
}

impl Repeat {
    /// `[:, t]`
    pub(crate) fn slots(&self, axis: usize) -> String {
        let entry = if self.first == 0 { "t".to_owned() } else { format!("t-{}", self.first) };
        format!("[{}{entry}]", ":, ".repeat(axis))
    }
}

/// The program of a record from its outputs. The cotangent of an output is given, unless it is that of a loss, 1.
pub(crate) fn program(
    record: &Graph,
    outputs: &[(NodeId, bool)],
    (names, labels): (Names, Vec<String>),
    whole: &Lines,
) -> Result<Program> {
    let mut author = Author { record, names, labels, outputs, crossing: HashSet::new(), has: HashSet::new() };
    let reached = author.reached();
    let loops = author.loops(&reached);
    let mut program = Program {
        outputs: outputs.iter().map(|&(id, given)| (author.label(id).to_owned(), given)).collect(),
        ..Program::default()
    };
    let mut within: HashSet<NodeId> = HashSet::new();
    for steps in &loops {
        within.extend(steps.blocks.iter().flatten());
    }
    let mut params = Vec::new();
    for id in author.ids().filter(|&id| reached[id.index()] && !within.contains(&id)) {
        match record.kind(id) {
            Kind::Parameter { .. } => {
                params.push((Reverse(record.shape(id).rank()), author.label(id).to_owned()))
            }
            Kind::Number(_) => {}
            Kind::Function(function) => program.function = Some(*function),
            kind if kind.is_leaf() => {
                program.inputs.push((author.label(id).to_owned(), record.is_tracked(id)))
            }
            _ => {}
        }
    }
    params.sort_by_key(|(rank, _)| *rank);
    program.params.extend(params.into_iter().map(|(_, name)| name));
    if loops.is_empty() {
        let cotangents =
            whole.cotangents.iter().cloned().map(|line| Assignment { line, add: false }).collect();
        program.parts.push(Part { values: whole.values.clone(), cotangents, repeat: None });
        return Ok(program);
    }
    let parts = author.parts(&loops, &reached);
    author.has = outputs.iter().filter(|(_, given)| *given).map(|&(id, _)| id).collect();
    for part in parts.iter().rev() {
        let part = match part {
            Nodes::Straight(ids) => author.straight(ids)?,
            Nodes::Loop(steps, stacks) => {
                let part = author.repeated(steps, stacks)?;
                let each = part.repeat.iter().flat_map(|repeat| &repeat.each);
                program.inputs.extend(each.map(|(one, all)| {
                    let tracked = part.cotangents.iter().any(|x| x.line.name == format!("d{one}"));
                    (all.clone(), tracked)
                }));
                part
            }
        };
        program.parts.push(part);
    }
    program.parts.reverse();
    Ok(program)
}

/// The nodes of a part.
enum Nodes<'s> {
    Straight(Vec<NodeId>),
    /// And the nodes that stack values of its steps.
    Loop(&'s Steps, Vec<NodeId>),
}

/// The program while it is written.
struct Author<'r> {
    record: &'r Graph,
    names: Names,
    labels: Vec<String>,
    outputs: &'r [(NodeId, bool)],
    /// The nodes that another part reads.
    crossing: HashSet<NodeId>,
    /// The nodes whose cotangent has been assigned.
    has: HashSet<NodeId>,
}

impl Author<'_> {
    fn label(&self, id: NodeId) -> &str {
        &self.labels[id.index()]
    }

    /// The nodes that outputs can depend on.
    fn ids(&self) -> impl DoubleEndedIterator<Item = NodeId> + use<> {
        (0..self.labels.len()).map(NodeId::new)
    }

    fn reached(&self) -> Vec<bool> {
        let mut reached = vec![false; self.labels.len()];
        self.outputs.iter().for_each(|(id, _)| reached[id.index()] = true);
        for id in self.ids().rev() {
            if reached[id.index()] {
                self.record.operands(id).iter().for_each(|x| reached[x.index()] = true);
            }
        }
        reached
    }

    /// The loops of which only the last values and stacks of all values are read from outside.
    fn loops(&self, reached: &[bool]) -> Vec<Steps> {
        let mut loops = steps::find(self.record, self.labels.len());
        loops.retain(|steps| {
            let mut nodes = steps.blocks.iter().flatten();
            nodes.any(|id| reached.get(id.index()) == Some(&true))
        });
        loops.retain(|steps| {
            let within: HashSet<NodeId> = steps.blocks.iter().flatten().copied().collect();
            let last: HashSet<NodeId> = steps.last().iter().copied().collect();
            let outputs = self.outputs.iter().map(|(id, _)| id);
            let reads = |id: NodeId| self.record.operands(id).iter().filter(|x| within.contains(*x));
            outputs.clone().all(|id| !within.contains(id) || last.contains(id))
                && self
                    .ids()
                    .filter(|id| reached[id.index()] && !within.contains(id))
                    .all(|id| reads(id).all(|x| last.contains(x)) || steps.stacked(self.record, id).is_some())
        });
        loops
    }

    /// The parts in the order of execution; finds out what is read by another part.
    fn parts<'s>(&mut self, loops: &'s [Steps], reached: &[bool]) -> Vec<Nodes<'s>> {
        let mut part_of: HashMap<NodeId, usize> = HashMap::new();
        let mut parts = vec![Nodes::Straight(Vec::new())];
        let mut next = loops.iter().peekable();
        for id in self.ids() {
            if let Some(&steps) = next.peek()
                && steps.blocks[0][0] == id
            {
                next.next();
                part_of.extend(steps.blocks.iter().flatten().map(|&id| (id, parts.len())));
                parts.push(Nodes::Loop(steps, Vec::new()));
                parts.push(Nodes::Straight(Vec::new()));
            }
            if part_of.contains_key(&id) || !reached[id.index()] || self.record.kind(id).is_leaf() {
                continue;
            }
            let of = self.record.operands(id).first().and_then(|x| part_of.get(x)).copied();
            if let Some(place) = of
                && let Nodes::Loop(steps, stacks) = &mut parts[place]
                && steps.stacked(self.record, id).is_some()
            {
                stacks.push(id);
                part_of.insert(id, place);
            } else {
                part_of.insert(id, parts.len() - 1);
                if let Some(Nodes::Straight(ids)) = parts.last_mut() {
                    ids.push(id);
                }
            }
        }
        self.crossing = self.outputs.iter().map(|&(id, _)| id).collect();
        for (&id, part) in &part_of {
            let from_elsewhere = |x: &&NodeId| part_of.get(*x).is_some_and(|of| of != part);
            self.crossing.extend(self.record.operands(id).iter().filter(from_elsewhere));
        }
        parts.retain(|part| !matches!(part, Nodes::Straight(ids) if ids.is_empty()));
        parts
    }

    /// An assignment to the cotangent of a node that may have been assigned before.
    fn assign(&mut self, id: NodeId, line: Line) -> Assignment {
        let add = !self.has.insert(id);
        let formula = if add { without_first(&line.formula, &line.name) } else { line.formula };
        Assignment { line: Line { formula, ..line }, add }
    }

    fn straight(&mut self, ids: &[NodeId]) -> Result<Part> {
        let mut excerpt = Excerpt::new(self.record);
        let mut all: BTreeSet<NodeId> = ids.iter().copied().collect();
        all.extend(ids.iter().flat_map(|&id| self.record.operands(id)));
        let within: HashSet<NodeId> = ids.iter().copied().collect();
        for &id in &all {
            let label = self.label(id).to_owned();
            if within.contains(&id) {
                let named = self.record.name(id).is_some() || self.crossing.contains(&id);
                let operands = self.record.operands(id).iter().map(|x| excerpt.of[x]).collect();
                excerpt.operation(id, operands, label, named);
            } else {
                excerpt.input(id, label, self.record.is_tracked(id));
            }
        }
        let mut seeds = Vec::new();
        for &id in ids {
            let shape = self.record.shape(id);
            if self.outputs.contains(&(id, false)) {
                seeds.push((excerpt.of[&id], Expr::number(1.0)));
            }
            if self.has.contains(&id) {
                seeds.push((excerpt.of[&id], Expr::name(format!("d{}", self.label(id)), shape)));
            }
        }
        let Lines { values, cotangents } = lines(&excerpt.record, &excerpt.labels, seeds)?;
        let node: HashMap<String, NodeId> =
            all.iter().map(|&id| (format!("d{}", self.label(id)), id)).collect();
        let cotangents = cotangents.into_iter().map(|line| self.assign(node[&line.name], line)).collect();
        Ok(Part { values, cotangents, repeat: None })
    }

    fn repeated(&mut self, steps: &Steps, stacks: &[NodeId]) -> Result<Part> {
        let record = self.record;
        let nodes = steps.last();
        let stacked: BTreeMap<usize, (NodeId, usize)> = stacks
            .iter()
            .filter_map(|&id| steps.stacked(record, id).map(|(place, axis)| (place, (id, axis))))
            .collect();
        let read_after = |place: usize| Some(nodes[place]).filter(|id| self.crossing.contains(id));
        let states: Vec<(usize, Option<NodeId>, Option<NodeId>)> = (0..nodes.len())
            .map(|place| (place, steps.carried.get(&place).copied(), read_after(place)))
            .filter(|(_, initial, last)| initial.is_some() || last.is_some())
            .collect();
        let over_time =
            |place: usize| stacked.contains_key(&place) || states.iter().any(|&(state, ..)| state == place);

        // A name for each place.
        let entries: Vec<Option<(NodeId, usize)>> =
            (0..nodes.len()).map(|place| steps.entry(record, place)).collect();
        let mut bases: Vec<String> = Vec::new();
        for (place, &id) in nodes.iter().enumerate() {
            let first = steps.blocks[0][place];
            let (base, taken) = match (record.base_name(id), entries[place]) {
                (Some(name), _) => (name.to_owned(), false),
                (None, Some((of, _))) => (singular(self.label(of)).to_owned(), false),
                (None, None) => (self.labels.get(first.index()).cloned().unwrap_or_default(), true),
            };
            let number = matches!(record.kind(id), Kind::Number(_));
            let of_step = record.kind(id).is_leaf() && !number || entries[place].is_some();
            bases.push(match over_time(place) || of_step {
                true => self.names.take(base + "_t"),
                false if taken => base,
                false => self.names.take(base),
            });
        }
        let label = |place: usize| bases[place].clone();
        let before_sign = if steps.reversed { "_{t+1}" } else { "_{t-1}" };

        let mut excerpt = Excerpt::new(record);
        let mut repeat = Repeat {
            steps: steps.blocks.len(),
            first: steps.first,
            reversed: steps.reversed,
            entries: Vec::new(),
            each: Vec::new(),
            states: Vec::new(),
            stacks: Vec::new(),
        };
        let mut known: HashMap<(NodeId, usize), usize> = HashMap::new();
        let mut same_entry: HashMap<usize, usize> = HashMap::new();
        for (place, entry) in entries.iter().enumerate() {
            let Some((of, axis)) = *entry else { continue };
            if let Some(&first) = known.get(&(of, axis)) {
                same_entry.insert(place, first);
                continue;
            }
            known.insert((of, axis), place);
            excerpt.input(nodes[place], label(place), record.is_tracked(of));
            let of = self.label(of).to_owned();
            repeat.entries.push(Entry { name: label(place), of, axis, cotangent: None });
        }
        for (place, &id) in nodes.iter().enumerate() {
            if record.kind(id).is_leaf() {
                excerpt.input(id, label(place), record.is_tracked(id));
                if record.shape(id).rank() > 0 {
                    let all = label(place).trim_end_matches("_t").to_owned();
                    repeat.each.push((label(place), self.names.take(all)));
                }
            }
        }
        let mut before = HashMap::new();
        for &(place, initial, last) in &states {
            let name = label(place);
            let stem = name.strip_suffix("_t").map_or(name.clone(), str::to_owned);
            let carried = self.names.take(format!("d{stem}"));
            let earlier = initial.map(|initial| {
                let earlier = format!("{stem}{before_sign}");
                let tracked = record.is_tracked(nodes[place]);
                before.insert(place, excerpt.anonymous(nodes[place], earlier.clone(), tracked));
                (earlier, self.label(initial).to_owned())
            });
            repeat.states.push(State {
                name,
                before: earlier,
                last: last.map(|id| self.label(id).to_owned()),
                carried,
                from: last.and_then(|id| match self.outputs.contains(&(id, false)) {
                    true => Some("1".to_owned()),
                    false => self.has.contains(&id).then(|| format!("d{}", self.label(id))),
                }),
                flows: false,
                into: None,
            });
        }
        let within: HashSet<NodeId> = steps.blocks.iter().flatten().copied().collect();
        let outside: BTreeSet<NodeId> = nodes
            .iter()
            .enumerate()
            .filter(|&(place, _)| entries[place].is_none())
            .flat_map(|(_, &id)| record.operands(id).iter().copied())
            .filter(|id| !within.contains(id))
            .collect();
        for &id in &outside {
            excerpt.input(id, self.label(id).to_owned(), record.is_tracked(id));
        }
        let place_of: HashMap<NodeId, usize> = match steps.blocks.len() {
            0 | 1 => HashMap::new(),
            turns => steps.blocks[turns - 2].iter().enumerate().map(|(place, &id)| (id, place)).collect(),
        };
        for (place, &id) in nodes.iter().enumerate() {
            if let Some(first) = same_entry.get(&place) {
                let first = excerpt.of[&nodes[*first]];
                excerpt.of.insert(id, first);
            }
            if entries[place].is_some() || record.kind(id).is_leaf() {
                continue;
            }
            let inner = |x: &NodeId| match place_of.get(x) {
                Some(place) => before[place],
                None => excerpt.of[x],
            };
            let operands = record.operands(id).iter().map(inner).collect();
            let named = record.name(id).is_some() || over_time(place);
            excerpt.operation(id, operands, label(place), named);
        }

        let mut seeds = Vec::new();
        for (&place, &(id, axis)) in &stacked {
            let cotangent = format!("d{}{}", self.label(id), repeat.slots(axis));
            let given = self.has.contains(&id);
            if given {
                let seed = Expr::name(cotangent.clone(), record.shape(nodes[place]));
                seeds.push((excerpt.of[&nodes[place]], seed));
            }
            let name = self.label(id).to_owned();
            repeat.stacks.push(Stack { name, of: label(place), axis, cotangent: given.then_some(cotangent) });
        }
        for (&(place, ..), state) in states.iter().zip(&repeat.states) {
            if record.is_tracked(nodes[place]) {
                let seed = Expr::name(state.carried.clone(), record.shape(nodes[place]));
                seeds.push((excerpt.of[&nodes[place]], seed));
            }
        }
        let Lines { values, cotangents } = lines(&excerpt.record, &excerpt.labels, seeds)?;

        let by_name: HashMap<String, NodeId> =
            outside.iter().map(|&id| (format!("d{}", self.label(id)), id)).collect();
        let mut assignments = Vec::new();
        let mut added = Vec::new();
        for mut line in cotangents {
            let of = |name: &str| line.name.strip_prefix('d') == Some(name);
            let (slots, mut add) = (repeat.entries.iter_mut().find(|entry| of(&entry.name)), false);
            if let Some(entry) = slots {
                let id = entries.iter().flatten().find(|(id, _)| self.label(*id) == entry.of);
                let id = id.map(|(id, _)| *id).expect("an entry is one of a sequence");
                add = self.has.contains(&id) || added.contains(&id);
                entry.cotangent = Some(add);
                added.push(id);
                let axis = entry.axis;
                line.name = format!("d{}", entry.of);
                line.name += &repeat.slots(axis);
            } else if let Some(state) = repeat
                .states
                .iter_mut()
                .find(|state| state.before.as_ref().is_some_and(|(before, _)| of(before)))
            {
                state.flows = true;
                line.name.clone_from(&state.carried);
            } else if let Some(&id) = by_name.get(&line.name) {
                add = true;
                added.push(id);
            }
            assignments.push(Assignment { line, add });
        }
        self.has.extend(added);
        for (&(_, initial, _), state) in states.iter().zip(&mut repeat.states) {
            if let Some(initial) = initial.filter(|&id| state.flows && record.is_tracked(id)) {
                state.into = Some((format!("d{}", self.label(initial)), !self.has.insert(initial)));
            }
        }
        Ok(Part { values, cotangents: assignments, repeat: Some(repeat) })
    }
}

/// `x` for `xs`.
fn singular(name: &str) -> &str {
    name.strip_suffix('s').filter(|stem| !stem.is_empty()).unwrap_or(name)
}

/// A sum without its first term, if that is the name.
fn without_first(sum: &Expr, name: &str) -> Expr {
    let mut terms = Vec::new();
    let mut first = sum;
    while let Term::Apply(Op::Add, x) = first.term() {
        terms.push(&x[1]);
        first = &x[0];
    }
    if !matches!(first.term(), Term::Name(known) if known == name) {
        return sum.clone();
    }
    let mut terms = terms.into_iter().rev();
    let second = terms.next().cloned().unwrap_or_else(|| sum.clone());
    terms.fold(second, |sum, term| sum.add(term))
}

/// Some operations of a graph as a graph of their own.
struct Excerpt<'r> {
    from: &'r Graph,
    record: Graph,
    labels: Vec<String>,
    of: HashMap<NodeId, NodeId>,
}

impl<'r> Excerpt<'r> {
    fn new(from: &'r Graph) -> Self {
        Excerpt { from, record: Graph::default(), labels: Vec::new(), of: HashMap::new() }
    }

    /// Appends a node made of one of the whole, under another name if it is to have one.
    fn push(&mut self, node: Node, label: String, named: bool) -> NodeId {
        let base_name = named.then(|| label.clone());
        self.labels.push(label);
        self.record.push(Node { base_name, step: None, ..node })
    }

    /// A node of which only the value is known here.
    fn anonymous(&mut self, id: NodeId, label: String, tracked: bool) -> NodeId {
        let kind = if tracked { Kind::Variable } else { Kind::Constant };
        let node = Node { kind, operands: Vec::new(), tracked, ..self.from.node(id).clone() };
        self.push(node, label, true)
    }

    /// A leaf, or the value of another part.
    fn input(&mut self, id: NodeId, label: String, tracked: bool) {
        let inner = match self.from.kind(id) {
            Kind::Number(_) => {
                self.push(self.from.node(id).clone(), label, self.from.base_name(id).is_some())
            }
            _ => self.anonymous(id, label, tracked),
        };
        self.of.insert(id, inner);
    }

    fn operation(&mut self, id: NodeId, operands: Vec<NodeId>, label: String, named: bool) {
        let inner = self.push(Node { operands, ..self.from.node(id).clone() }, label, named);
        self.of.insert(id, inner);
    }
}
