//! The instructions of a program.

use std::collections::{BTreeSet, HashSet};

use retrograde_autograd::op::Op;
use retrograde_autograd::{Error, Result};

use crate::code::{Count, Do, Init, Passes};
use crate::lines::names;
use crate::program::{Assignment, Entry, Part, Program, Repeat};
use crate::{Expr, Term};

/// Sums of at most this many terms are one expression.
const LONG: u32 = 64;

/// The instructions of a program for a language.
pub(crate) fn passes(program: &Program, language: &'static str) -> Result<Passes> {
    let mut writer = Writer { assigned: HashSet::new(), kept: BTreeSet::new(), loops: Vec::new() };
    let mut lists = HashSet::new();
    let mut forward = Vec::new();
    for (number, part) in program.parts.iter().enumerate() {
        lists.extend(part.repeat.iter().flat_map(|repeat| repeat.each.iter().map(|(_, all)| all.clone())));
        writer.forward(part, number, &mut forward);
    }
    let mut backward = Vec::new();
    let given: Vec<String> =
        program.outputs.iter().filter(|(_, given)| *given).map(|(name, _)| format!("d{name}")).collect();
    writer.assigned.extend(given.iter().cloned());
    for (number, part) in program.parts.iter().enumerate().rev() {
        writer.backward(part, number, &mut backward);
    }
    let tracked: Vec<String> =
        program.inputs.iter().filter(|(_, tracked)| *tracked).map(|(name, _)| name.clone()).collect();
    for name in program.params.iter().chain(&tracked) {
        let cotangent = format!("d{name}");
        if !writer.assigned.contains(&cotangent) && !lists.contains(name) {
            writer.kept.insert(name.clone());
            backward.push(Do::Var(cotangent, Init::Zeros(name.clone())));
        }
    }
    let mut defined: HashSet<&str> = program.params.iter().map(String::as_str).collect();
    defined.extend(program.inputs.iter().map(|(name, _)| name.as_str()));
    let known = defined.clone();
    let unknown =
        |_: &str| Error::NoRule { op: language, function: program.function.unwrap_or("a constant") };
    check(&forward, &mut defined).map_err(unknown)?;
    let values: HashSet<String> = defined.iter().map(|&name| name.to_owned()).collect();
    let kept = writer.kept.iter().filter(|name| !program.params.contains(name) && values.contains(*name));
    let kept: Vec<String> = kept.cloned().collect();
    let mut defined = known;
    defined.extend(kept.iter().map(String::as_str));
    defined.extend(given.iter().map(String::as_str));
    check(&backward, &mut defined).map_err(unknown)?;
    Ok(Passes {
        params: program.params.clone(),
        inputs: program.inputs.iter().map(|(name, _)| name.clone()).collect(),
        lists,
        outputs: program.outputs.iter().map(|(name, _)| name.clone()).collect(),
        forward,
        kept,
        loops: writer.loops,
        given,
        backward,
        tracked,
        shapes: program.shapes.clone(),
    })
}

/// Finds a name that is read before it is written.
fn check<'a>(instructions: &'a [Do], defined: &mut HashSet<&'a str>) -> std::result::Result<(), &'a str> {
    for instruction in instructions {
        let (writes, reads): (Option<&str>, Vec<&str>) = match instruction {
            Do::Let(x, formula) | Do::Add(x, formula) => (Some(x), names(formula).collect()),
            Do::Copy(x, of) => (Some(x), vec![of]),
            Do::AddEntry(_, _, formula) => (None, names(formula).collect()),
            Do::Var(x, _) | Do::Entry(x, ..) | Do::Item(x, _) | Do::List(x) => (Some(x), vec![]),
            Do::Stack(..) | Do::Put(..) | Do::Keep(..) => (None, vec![]),
            Do::Restore(_, names) => {
                defined.extend(names.iter().map(String::as_str));
                (None, vec![])
            }
            Do::For { body, .. } => {
                check(body, defined)?;
                (None, vec![])
            }
        };
        if let Some(unknown) = reads.into_iter().find(|name| !defined.contains(name)) {
            return Err(unknown);
        }
        defined.extend(writes);
    }
    Ok(())
}

struct Writer {
    /// The cotangents that have a value.
    assigned: HashSet<String>,
    /// The values that the backward pass reads.
    kept: BTreeSet<String>,
    /// The number of values that each loop keeps, by its number among the parts.
    loops: Vec<Option<usize>>,
}

impl Writer {
    fn forward(&mut self, part: &Part, number: usize, to: &mut Vec<Do>) {
        let values =
            part.values.iter().map(|value| Do::Let(value.line.name.clone(), value.line.formula.clone()));
        let Some(repeat) = &part.repeat else {
            to.extend(values);
            self.loops.push(None);
            return;
        };
        let before = || {
            repeat.states.iter().filter_map(|state| {
                let (before, initial) = state.before.as_ref()?;
                Some((&state.name, before, initial))
            })
        };
        for state in &repeat.states {
            to.push(Do::Var(
                state.name.clone(),
                match &state.before {
                    Some((_, initial)) => Init::Copy(initial.clone()),
                    None => Init::Copy("0".to_owned()),
                },
            ));
        }
        to.extend(repeat.stacks.iter().map(|stack| Do::List(stack.name.clone())));
        let mut body: Vec<Do> = Vec::new();
        // The states before the step, before the entries take their names.
        body.extend(before().map(|(now, before, _)| Do::Copy(before.clone(), now.clone())));
        body.extend(repeat.entries.iter().map(|x| Do::Entry(x.name.clone(), x.of.clone(), x.axis)));
        body.extend(repeat.each.iter().map(|(one, all)| Do::Item(one.clone(), all.clone())));
        body.extend(values);
        body.extend(repeat.stacks.iter().map(|stack| Do::Put(stack.name.clone(), stack.of.clone())));
        let mut own: Vec<String> = before().map(|(_, before, _)| before.clone()).collect();
        own.extend(repeat.entries.iter().map(|x| x.name.clone()));
        own.extend(repeat.each.iter().map(|(one, _)| one.clone()));
        own.extend(part.values.iter().map(|value| value.line.name.clone()));
        let read: HashSet<&str> = part.cotangents.iter().flat_map(|x| names(&x.line.formula)).collect();
        own.retain(|name| read.contains(name.as_str()));
        self.loops.push(Some(own.len()));
        body.push(Do::Keep(number, own));
        let count = match (repeat.entries.first(), repeat.each.first()) {
            (Some(entry), _) => Count::Axis(entry.of.clone(), entry.axis),
            (None, Some((_, all))) => Count::Length(all.clone()),
            (None, None) => Count::Fixed(repeat.steps),
        };
        to.push(Do::For { count, reversed: repeat.reversed, body });
        to.extend(repeat.stacks.iter().map(|stack| Do::Stack(stack.name.clone(), stack.axis)));
        to.extend(
            repeat.states.iter().filter_map(|state| Some(Do::Copy(state.last.clone()?, state.name.clone()))),
        );
    }

    fn backward(&mut self, part: &Part, number: usize, to: &mut Vec<Do>) {
        let Some(repeat) = &part.repeat else {
            for Assignment { line, add } in &part.cotangents {
                self.kept.extend(names(&line.formula).map(str::to_owned));
                self.assigned.insert(line.name.clone());
                assign(&line.name, &line.formula, *add, to);
            }
            return;
        };
        let mut own: Vec<String> = Vec::new();
        let read: HashSet<&str> = part.cotangents.iter().flat_map(|x| names(&x.line.formula)).collect();
        own.extend(repeat.states.iter().filter_map(|state| state.before.as_ref()).map(|(x, _)| x.clone()));
        own.extend(repeat.entries.iter().map(|x| x.name.clone()));
        own.extend(repeat.each.iter().map(|(one, _)| one.clone()));
        own.extend(part.values.iter().map(|value| value.line.name.clone()));
        own.retain(|name| read.contains(name.as_str()));
        self.kept
            .extend(read.iter().filter(|name| !own.iter().any(|own| own == *name)).map(|x| (*x).to_owned()));
        let mut body = vec![Do::Restore(number, own)];
        for stack in &repeat.stacks {
            if let Some(cotangent) = &stack.cotangent {
                body.push(Do::Entry(cotangent.clone(), format!("d{}", stack.name), stack.axis));
            }
        }
        for state in &repeat.states {
            let like = match (&state.before, &state.last) {
                (Some((_, initial)), _) => initial,
                (None, Some(last)) => last,
                (None, None) => continue,
            };
            let init = match &state.from {
                Some(from) => Init::Copy(from.clone()),
                None => {
                    self.kept.insert(like.clone());
                    Init::Zeros(like.clone())
                }
            };
            to.push(Do::Var(state.carried.clone(), init));
        }
        for x in &part.cotangents {
            self.assignment(x, repeat, to, &mut body);
        }
        for state in repeat.states.iter().filter(|state| !state.flows) {
            body.push(Do::Let(state.carried.clone(), Expr::number(0.0)));
        }
        to.push(Do::For { count: Count::Kept(number), reversed: !repeat.reversed, body });
        for state in &repeat.states {
            if let Some((name, add)) = &state.into {
                self.assigned.insert(name.clone());
                let carried = Expr::name(state.carried.clone(), []);
                to.push(if *add {
                    Do::Add(name.clone(), carried)
                } else {
                    Do::Copy(name.clone(), state.carried.clone())
                });
            }
        }
    }

    /// An assignment in a loop, with what comes before the loop.
    fn assignment(
        &mut self,
        Assignment { line, add }: &Assignment,
        repeat: &Repeat,
        to: &mut Vec<Do>,
        body: &mut Vec<Do>,
    ) {
        let mut open = |name: &str, to: &mut Vec<Do>| {
            let like = name[1..].to_owned();
            to.push(Do::Var(
                name.to_owned(),
                match self.assigned.insert(name.to_owned()) {
                    true => {
                        self.kept.insert(like.clone());
                        Init::Zeros(like)
                    }
                    false => Init::Same,
                },
            ));
        };
        let target = |entry: &&Entry| line.name == format!("d{}{}", entry.of, repeat.slots(entry.axis));
        if let Some(entry) = repeat.entries.iter().find(target) {
            let name = format!("d{}", entry.of);
            open(&name, to);
            body.push(Do::AddEntry(name, entry.axis, line.formula.clone()));
        } else if *add {
            open(&line.name, to);
            assign(&line.name, &line.formula, true, body);
        } else {
            assign(&line.name, &line.formula, false, body);
            if let Some((_, all)) = repeat.each.iter().find(|(one, _)| line.name[1..] == **one) {
                let list = format!("d{all}");
                to.push(Do::List(list.clone()));
                self.assigned.insert(list.clone());
                body.push(Do::Put(list, line.name.clone()));
            }
        }
    }
}

/// A long sum is assigned term by term.
fn assign(name: &str, formula: &Expr, add: bool, to: &mut Vec<Do>) {
    let mut terms = Vec::new();
    let mut first = formula;
    while let Term::Apply(Op::Add, x) = first.term()
        && first.size() > LONG
    {
        terms.push(&x[1]);
        first = &x[0];
    }
    let first = first.clone();
    to.push(if add { Do::Add(name.to_owned(), first) } else { Do::Let(name.to_owned(), first) });
    to.extend(terms.into_iter().rev().map(|term| Do::Add(name.to_owned(), term.clone())));
}
