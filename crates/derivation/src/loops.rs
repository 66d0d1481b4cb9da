//! The program of a graph, with its loops: one step is derived as a graph of its own, and framed.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use retrograde_autograd::{NodeId, Result};

use crate::Expr;
use crate::author::{Author, Nodes};
use crate::excerpt::Excerpt;
use crate::graph::{Graph, Kind};
use crate::lines::{Lines, lines};
use crate::names::Names;
use crate::program::{Assignment, Entry, Part, Program, Repeat, Stack, State};
use crate::steps::Steps;

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
        shapes: outputs.iter().map(|&(id, _)| (author.label(id).to_owned(), record.shape(id))).collect(),
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
                program.inputs.push((author.label(id).to_owned(), record.is_tracked(id)));
                program.shapes.insert(author.label(id).to_owned(), record.shape(id));
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

impl Author<'_> {
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
