//! Sites that no instruction was found for: the compiler merged them with others, or took them out.

use rustc_hash::{FxHashMap, FxHashSet};

use super::heap_types::HeapTypes;
use super::inlined::{At, Given, SourceCalls, calls_left, given_to_contexts};
use crate::dwarf::lines::{ContextIndex, LineIndex};
use crate::dwarf::units::UnitIndex;
use crate::image::calls::Svma;
use crate::sites::solve::SolvedSite;

/// Calls within each other of which nothing is left are followed so deep.
const DEEPEST_CALL: usize = 8;

/// The sites of which a linked file has no instruction.
pub(super) struct MissingSites {
    /// By the outermost of the contexts that they should be in.
    by_code: FxHashMap<ContextIndex, Vec<Missing>>,
    crosses_units: bool,
    /// The units whose functions have code.
    units: FxHashSet<Option<UnitIndex>>,
}

/// A site of which a copy of its function has no instruction.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Missing {
    /// The site.
    pub(super) site: usize,
    /// What the copy is given.
    pub(super) given: Given,
}

/// What is known of sites, and where.
pub(super) struct Known<'a> {
    /// The sites.
    pub(super) solved: &'a [SolvedSite],
    /// The unit of each site.
    pub(super) units: &'a [Option<UnitIndex>],
    /// The sites of which there is an instruction, with the contexts that it is in.
    pub(super) present: FxHashSet<(ContextIndex, usize)>,
    /// The functions that the compiler split, so that a site may be in another part.
    pub(super) split: FxHashSet<&'a str>,
    /// The calls of the source.
    pub(super) calls: &'a SourceCalls<'a>,
    /// The instructions that call functions that allocate: return address and symbol.
    pub(super) instructions: &'a [(Svma, String)],
}

impl MissingSites {
    /// Looks for the sites of all copies of all functions. `unit_of` gives a unit as `known.units` has it.
    pub(super) fn new(
        lines: &LineIndex,
        unit_of: impl Fn(UnitIndex) -> Option<UnitIndex>,
        known: &Known<'_>,
        types: &mut HeapTypes<'_>,
    ) -> Self {
        let mut of_function: FxHashMap<&str, Vec<usize>> = FxHashMap::default();
        for (number, site) in known.solved.iter().enumerate() {
            of_function.entry(&site.function).or_default().push(number);
        }
        let copies = copies(lines);
        let mut outermost: Vec<(ContextIndex, UnitIndex)> = Vec::new();
        for (context, _, unit) in lines.contexts() {
            let caller = lines.caller_of(context);
            outermost.push(caller.map_or((context, unit), |caller| outermost[caller.number()]));
        }
        let crosses_units = lines.contexts().zip(&outermost).any(|((_, _, unit), (_, code))| unit != *code);
        let present: FxHashSet<(ContextIndex, usize)> =
            known.present.iter().map(|&(context, site)| (copies[context.number()], site)).collect();
        let present_anywhere: FxHashSet<usize> = known.present.iter().map(|&(_, site)| site).collect();
        let vanished = Vanished {
            known,
            of_function: &of_function,
            left: calls_left(lines, &copies, known.instructions),
            always_called: always_called(lines, &unit_of),
            crosses_units,
        };
        let given = given_to_contexts(lines, known.calls, &unit_of, types);
        let mut units = FxHashSet::default();
        let mut seen = FxHashSet::default();
        let mut by_code: FxHashMap<ContextIndex, Vec<Missing>> = FxHashMap::default();
        for (context, function, unit) in lines.contexts() {
            let unit = unit_of(unit);
            units.insert(unit);
            let copy = copies[context.number()];
            let given = &given[copy.number()];
            let is_split = known.split.contains(function);
            let mut missing = Vec::new();
            for &site in of_function.get(function).into_iter().flatten() {
                if known.units[site].zip(unit).is_none_or(|(one, other)| one == other)
                    && !present.contains(&(copy, site))
                    && !(is_split && present_anywhere.contains(&site))
                {
                    missing.push(Missing { site, given: given.clone() });
                }
            }
            if !is_split {
                vanished.add_to(&mut missing, (function, unit), copy, given, types);
            }
            let code = outermost[context.number()].0;
            missing.retain(|missing| seen.insert((code, missing.clone())));
            by_code.entry(code).or_default().extend(missing);
        }
        MissingSites { by_code, crosses_units, units }
    }

    /// Whether functions of one unit are inlined into those of another.
    pub(super) fn crosses_units(&self) -> bool {
        self.crosses_units
    }

    /// The units whose functions have code.
    pub(super) fn units(&self) -> impl Iterator<Item = Option<UnitIndex>> {
        self.units.iter().copied()
    }

    /// Those that should be in the code of this outermost context.
    pub(super) fn in_code(&self, code: ContextIndex) -> &[Missing] {
        self.by_code.get(&code).map_or(&[], Vec::as_slice)
    }
}

/// Functions that were inlined somewhere so that nothing says it.
struct Vanished<'a> {
    known: &'a Known<'a>,
    of_function: &'a FxHashMap<&'a str, Vec<usize>>,
    left: FxHashMap<(ContextIndex, &'a str), FxHashSet<At>>,
    always_called: FxHashMap<&'a str, FxHashSet<Option<UnitIndex>>>,
    crosses_units: bool,
}

impl Vanished<'_> {
    /// Adds the sites of the calls of which a copy of a function has neither an instruction nor a copy of what they call.
    fn add_to(
        &self,
        missing: &mut Vec<Missing>,
        (function, unit): (&str, Option<UnitIndex>),
        copy: ContextIndex,
        given: &Given,
        types: &mut HeapTypes<'_>,
    ) {
        let nothing = FxHashSet::default();
        let mut visited = FxHashSet::default();
        let calls: Vec<_> = self.known.calls.within(function, unit).collect();
        for call in &calls {
            let left = self.left.get(&(copy, call.callee)).unwrap_or(&nothing);
            if !call.is_left(&calls, left) {
                let given = call.given(given, types);
                self.add_function(missing, (call.callee, unit), given, &mut visited, DEEPEST_CALL, types);
            }
        }
    }

    /// Adds the sites of a function that is given this, and of those that it calls, unless it was visited.
    fn add_function<'f>(
        &'f self,
        missing: &mut Vec<Missing>,
        (function, unit): (&'f str, Option<UnitIndex>),
        given: Given,
        visited: &mut FxHashSet<(&'f str, Given)>,
        calls_left: usize,
        types: &mut HeapTypes<'_>,
    ) {
        // What another unit defines is inlined only where the whole program is optimised as one.
        let unit = if self.known.calls.is_defined(function, unit) {
            unit
        } else if self.crosses_units {
            None
        } else {
            return;
        };
        let own = self.always_called.get(function).into_iter().flatten();
        if may_be_any(unit, own) || !visited.insert((function, given.clone())) {
            return;
        }
        let sites = self.of_function.get(function).into_iter().flatten().copied();
        let here = sites.filter(|&site| may_be_any(unit, [&self.known.units[site]]));
        missing.extend(here.map(|site| Missing { site, given: given.clone() }));
        let Some(calls_left) = calls_left.checked_sub(1) else { return };
        for call in self.known.calls.within(function, unit) {
            let given = call.given(&given, types);
            self.add_function(missing, (call.callee, unit), given, visited, calls_left, types);
        }
    }
}

fn may_be_any<'u>(unit: Option<UnitIndex>, units: impl IntoIterator<Item = &'u Option<UnitIndex>>) -> bool {
    units.into_iter().any(|other| unit.zip(*other).is_none_or(|(one, other)| one == other))
}

/// By name, the units of the functions that have code of their own and no copy anywhere: gcc says of a function that it inlined it, even
/// where nothing is left of that.
fn always_called<'l>(
    lines: &'l LineIndex,
    unit_of: &impl Fn(UnitIndex) -> Option<UnitIndex>,
) -> FxHashMap<&'l str, FxHashSet<Option<UnitIndex>>> {
    let mut own: FxHashMap<&str, FxHashSet<Option<UnitIndex>>> = FxHashMap::default();
    for (context, function, unit) in lines.contexts() {
        if lines.caller_of(context).is_none() {
            own.entry(function).or_default().insert(unit_of(unit));
        }
    }
    for (function, unit) in lines.functions_without_code() {
        own.get_mut(function).map(|units| units.remove(&unit_of(unit)));
    }
    own
}

/// By context: the copy of a function that it belongs to. A part that the compiler split off and inlined again belongs to the rest,
/// and a site is in either.
fn copies(lines: &LineIndex) -> Vec<ContextIndex> {
    let mut functions: Vec<&str> = Vec::new();
    let mut copies: Vec<ContextIndex> = Vec::new();
    for (context, function, _) in lines.contexts() {
        let caller = lines.caller_of(context).map(ContextIndex::number);
        let rest = caller.filter(|&caller| functions[caller] == function);
        copies.push(rest.map_or(context, |caller| copies[caller]));
        functions.push(function);
    }
    copies
}
