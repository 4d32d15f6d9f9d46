//! What the source calls, against what of that is left in the code.
//!
//! Of a call that was inlined the debug information has a copy of the function, and says where the call stood. So what a copy is
//! given is known. If there is neither a copy nor a call instruction, the call is dead, or the compiler merged all of it with
//! something else.

use rustc_hash::{FxHashMap, FxHashSet};

use super::heap_types::HeapTypes;
use super::matching::plain_callee;
use crate::dwarf::lines::{ContextIndex, LineIndex};
use crate::dwarf::units::UnitIndex;
use crate::image::calls::Svma;
use crate::sites::effect::{leaves, parameters, substitute};
use crate::sites::facts::{Call, Callee, FileFacts, SizeExpr};
use crate::sites::solve::SolvedSite;

/// The direct calls of a link unit, by the function that they stand in.
pub(super) struct SourceCalls<'a> {
    by_function: FxHashMap<&'a str, Vec<SourceCall<'a>>>,
    /// The functions that allocate, and those that call them.
    allocating: FxHashSet<&'a str>,
}

/// A direct call in the source.
#[derive(Clone, Copy)]
pub(super) struct SourceCall<'a> {
    /// The unit, where the debug information has it.
    unit: Option<UnitIndex>,
    /// The function that is called.
    pub(super) callee: &'a str,
    call: &'a Call,
}

/// Where a call that left something in the code stood: line and column.
pub(super) type At = (u32, u32);

impl<'a> SourceCalls<'a> {
    /// `unit_of_file` are the units of `files`.
    pub(super) fn new(
        files: &'a [FileFacts],
        unit_of_file: &[Option<UnitIndex>],
        solved: &'a [SolvedSite],
    ) -> Self {
        let mut by_function: FxHashMap<&str, Vec<SourceCall>> = FxHashMap::default();
        let mut callers: FxHashMap<&str, Vec<&str>> = FxHashMap::default();
        for (facts, &unit) in files.iter().zip(unit_of_file) {
            for call in &facts.calls {
                let (Callee::Direct(callee), Some(function)) =
                    (&call.callee, facts.functions.get(call.function as usize))
                else {
                    continue;
                };
                by_function.entry(&function.name).or_default().push(SourceCall { unit, callee, call });
                callers.entry(callee).or_default().push(&function.name);
            }
        }
        let sites = solved.iter().filter(|site| !site.is_in_wrapper);
        let mut next: Vec<&str> = sites.map(|site| site.function.as_str()).collect();
        let mut allocating = FxHashSet::default();
        while let Some(function) = next.pop() {
            if allocating.insert(function) {
                next.extend(callers.get(function).into_iter().flatten());
            }
        }
        SourceCalls { by_function, allocating }
    }

    /// Whether a symbol is a function that allocates itself, or by what it calls.
    pub(super) fn allocates(&self, symbol: &str) -> bool {
        self.allocating.contains(plain_callee(symbol))
    }

    /// Whether a unit has the source of a function that makes calls.
    pub(super) fn is_defined(&self, function: &str, unit: Option<UnitIndex>) -> bool {
        self.by_function.get(function).into_iter().flatten().any(|call| call.unit == unit)
    }

    /// The calls of allocating functions in a function of this unit.
    pub(super) fn within(
        &self,
        function: &str,
        unit: Option<UnitIndex>,
    ) -> impl Iterator<Item = SourceCall<'a>> {
        let calls = self.by_function.get(function).into_iter().flatten().copied();
        calls.filter(move |call| {
            call.unit.zip(unit).is_none_or(|(one, other)| one == other)
                && self.allocating.contains(call.callee)
        })
    }

    /// The call of a function by another one in a line, if there is one alone.
    fn only(
        &self,
        (function, unit): (&str, Option<UnitIndex>),
        callee: &str,
        line: u32,
    ) -> Option<SourceCall<'a>> {
        let calls = self.by_function.get(function)?.iter();
        let mut here = calls.filter(|call| {
            call.callee == callee
                && call.covers(line)
                && call.unit.zip(unit).is_none_or(|(one, other)| one == other)
        });
        here.next().copied().filter(|_| here.next().is_none())
    }
}

impl SourceCall<'_> {
    fn covers(&self, line: u32) -> bool {
        (self.call.first_line..=self.call.last_line).contains(&line)
    }

    fn overlaps(&self, other: &SourceCall<'_>) -> bool {
        self.covers(other.call.first_line) || other.covers(self.call.first_line)
    }

    /// Whether something must be left of this one of `calls`, and of each beside it, if so much is.
    pub(super) fn is_left(&self, calls: &[SourceCall<'_>], left: &FxHashSet<At>) -> bool {
        let alike = calls.iter().filter(|other| other.callee == self.callee && other.overlaps(self));
        left.iter().filter(|(line, _)| self.covers(*line)).count() >= alike.count()
    }

    /// The arguments, if the function that the call stands in is given these.
    pub(super) fn given(&self, outer: &Given, types: &mut HeapTypes<'_>) -> Given {
        outer.passed_on(self.call, self.unit, types)
    }
}

/// What is known of the arguments that a copy of a function is given.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct Given(Vec<Argument>);

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Argument {
    Constant(u64),
    /// No constant as far as the source says.
    Variable,
    /// It may be a constant that only the compiler knows.
    Unknown,
}

impl Given {
    /// What a call gives in a function that is given this.
    fn passed_on(&self, call: &Call, unit: Option<UnitIndex>, types: &mut HeapTypes<'_>) -> Given {
        let argument = |argument: &SizeExpr| {
            let size = self.put_into(argument);
            match types.constant(unit, &size) {
                Some(value) => Argument::Constant(value),
                None if is_variable(&size) => Argument::Variable,
                None => Argument::Unknown,
            }
        };
        Given(call.arguments.iter().map(argument).collect())
    }

    /// A size in the function, with what is known in place of parameters. Those of which nothing is known stay.
    pub(super) fn put_into(&self, size: &SizeExpr) -> SizeExpr {
        let last = parameters(size).into_iter().max().map_or(0, |last| last + 1);
        let known = (0..last).map(|index| match self.0.get(index as usize) {
            Some(Argument::Constant(value)) => SizeExpr::Const(*value),
            Some(Argument::Variable) => SizeExpr::Opaque,
            Some(Argument::Unknown) | None => SizeExpr::Param(index),
        });
        substitute(size, &known.collect::<Vec<_>>())
    }
}

/// Whether no branch of a size is a constant, nor anything that a function call or a parameter has a part in.
pub(super) fn is_variable(size: &SizeExpr) -> bool {
    let is_plain = |leaf: &&SizeExpr| {
        matches!(leaf, SizeExpr::Const(_) | SizeExpr::Sizeof(_) | SizeExpr::OffsetOf(..) | SizeExpr::Opaque)
    };
    let leaves = leaves(size);
    match size {
        SizeExpr::Alt(parts) => parts.iter().all(is_variable),
        SizeExpr::Call(..) => false,
        _ => leaves.iter().all(is_plain) && leaves.contains(&&SizeExpr::Opaque),
    }
}

/// What the function of each context is given.
pub(super) fn given_to_contexts(
    lines: &LineIndex,
    calls: &SourceCalls<'_>,
    unit_of: impl Fn(UnitIndex) -> Option<UnitIndex>,
    types: &mut HeapTypes<'_>,
) -> Vec<Given> {
    let mut functions: Vec<(&str, Option<UnitIndex>)> = Vec::new();
    let mut all: Vec<Given> = Vec::new();
    for (context, function, unit) in lines.contexts() {
        let known = lines.call_of(context).and_then(|(caller, (line, _))| {
            let caller = caller.number();
            let call = calls.only(functions[caller], function, line)?;
            Some(call.given(&all[caller], types))
        });
        functions.push((function, unit_of(unit)));
        all.push(known.unwrap_or_default());
    }
    all
}

/// By copy of a function and function called: where the calls stood of which there is a copy or an instruction. `instructions` are
/// return addresses and symbols.
pub(super) fn calls_left<'a>(
    lines: &'a LineIndex,
    copies: &[ContextIndex],
    instructions: &'a [(Svma, String)],
) -> FxHashMap<(ContextIndex, &'a str), FxHashSet<At>> {
    let mut left: FxHashMap<(ContextIndex, &str), FxHashSet<At>> = FxHashMap::default();
    for (context, function, _) in lines.contexts() {
        if let Some((caller, at)) = lines.call_of(context) {
            left.entry((copies[caller.number()], function)).or_default().insert(at);
        }
    }
    for (return_svma, symbol) in instructions {
        let svma = return_svma.0 - 1;
        let Some(innermost) = lines.frames_at(svma).first().map(|frame| (frame.line, frame.column)) else {
            continue;
        };
        // The range of a function that was inlined beside the call may hold the call too; the line is right all the same.
        for context in lines.contexts_at(svma) {
            left.entry((copies[context.number()], plain_callee(symbol))).or_default().insert(innermost);
        }
    }
    left
}
