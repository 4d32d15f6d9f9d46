//! Sites that no instruction was found for: the compiler merged them with others, or took them out.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::dwarf::lines::{ContextIndex, LineIndex};
use crate::dwarf::units::UnitIndex;
use crate::sites::solve::SolvedSite;

/// The sites of which a linked file has no instruction.
pub(super) struct MissingSites {
    /// By the outermost of the contexts that they should be in.
    by_code: FxHashMap<ContextIndex, Vec<usize>>,
    crosses_units: bool,
    /// The units whose functions have code.
    units: FxHashSet<Option<UnitIndex>>,
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
}

impl MissingSites {
    /// Looks for the sites of all copies of all functions. `unit_of` gives a unit as `known.units` has it.
    pub(super) fn new(
        lines: &LineIndex,
        unit_of: impl Fn(UnitIndex) -> Option<UnitIndex>,
        known: &Known<'_>,
    ) -> Self {
        let mut of_function: FxHashMap<&str, Vec<usize>> = FxHashMap::default();
        for (number, site) in known.solved.iter().enumerate() {
            of_function.entry(&site.function).or_default().push(number);
        }
        let copies = copies(lines);
        let present: FxHashSet<(ContextIndex, usize)> =
            known.present.iter().map(|&(context, site)| (copies[context.number()], site)).collect();
        let present_anywhere: FxHashSet<usize> = known.present.iter().map(|&(_, site)| site).collect();
        let mut outermost: Vec<(ContextIndex, UnitIndex)> = Vec::new();
        let mut crosses_units = false;
        let mut units = FxHashSet::default();
        let mut by_code: FxHashMap<ContextIndex, Vec<usize>> = FxHashMap::default();
        for (context, function, unit) in lines.contexts() {
            let caller = lines.caller_of(context);
            let (code, unit_of_code) = caller.map_or((context, unit), |caller| outermost[caller.number()]);
            outermost.push((code, unit_of_code));
            crosses_units |= unit != unit_of_code;
            let unit = unit_of(unit);
            units.insert(unit);
            let Some(sites) = of_function.get(function) else { continue };
            let is_split = known.split.contains(function);
            let missing = sites.iter().copied().filter(|&site| {
                known.units[site].zip(unit).is_none_or(|(one, other)| one == other)
                    && !present.contains(&(copies[context.number()], site))
                    && !(is_split && present_anywhere.contains(&site))
            });
            let list = by_code.entry(code).or_default();
            missing.for_each(|site| {
                if !list.contains(&site) {
                    list.push(site);
                }
            });
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
    pub(super) fn in_code(&self, code: ContextIndex) -> &[usize] {
        self.by_code.get(&code).map_or(&[], Vec::as_slice)
    }
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
