//! Sites that no instruction was found for: the compiler merged them with others, or took them out.
//!
//! Where a function is inlined, the compiler may know more of its parameters, and much of it may be dead. So what is not in one copy
//! of a function, but in others, or not in a copy that is inlined elsewhere than the call in question, was taken out, unless there
//! is code of the site's line left. Of a copy of which nothing is left at all, everything may have been merged.

use rustc_hash::{FxHashMap, FxHashSet};

use super::remains::Remains;
use crate::dwarf::lines::{ContextIndex, LineIndex};
use crate::dwarf::units::UnitIndex;
use crate::sites::solve::SolvedSite;

/// The sites of which a linked file has no instruction.
pub(super) struct MissingSites {
    /// By the outermost of the contexts that they should be in.
    by_code: FxHashMap<ContextIndex, Vec<Missing>>,
    /// By context: the copy of a function that it belongs to.
    copies: Vec<ContextIndex>,
    crosses_units: bool,
    /// The units whose functions have code.
    units: FxHashSet<Option<UnitIndex>>,
}

/// A site that a copy of its function should have.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Missing {
    site: usize,
    /// The copy of which the call must be, if nothing but the lack of an instruction tells that the site was merged.
    only_in: Option<ContextIndex>,
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
        let remains = Remains::new(lines, |function| of_function.contains_key(function));
        let present: FxHashSet<(ContextIndex, usize)> =
            known.present.iter().map(|&(context, site)| (remains.copy(context), site)).collect();
        let present_anywhere: FxHashSet<usize> = known.present.iter().map(|&(_, site)| site).collect();
        let mut outermost: Vec<(ContextIndex, UnitIndex)> = Vec::new();
        let mut crosses_units = false;
        let mut units = FxHashSet::default();
        let mut by_code: FxHashMap<ContextIndex, Vec<Missing>> = FxHashMap::default();
        for (context, function, unit) in lines.contexts() {
            let caller = lines.caller_of(context);
            let (code, unit_of_code) = caller.map_or((context, unit), |caller| outermost[caller.number()]);
            outermost.push((code, unit_of_code));
            crosses_units |= unit != unit_of_code;
            let unit = unit_of(unit);
            units.insert(unit);
            let copy = remains.copy(context);
            let Some(sites) = of_function.get(function).filter(|_| copy == context) else { continue };
            let is_split = known.split.contains(function);
            let missing = sites.iter().copied().filter(|&site| {
                known.units[site].zip(unit).is_none_or(|(one, other)| one == other)
                    && !present.contains(&(copy, site))
                    && !(is_split && present_anywhere.contains(&site))
            });
            let is_gone = remains.is_gone(copy);
            let is_inlined = remains.is_inlined(copy);
            let list = by_code.entry(code).or_default();
            for site in missing {
                let is_left = is_gone || remains.has(copy, &known.solved[site]);
                let is_elsewhere = present_anywhere.contains(&site);
                if !is_left && is_elsewhere {
                    continue;
                }
                let only_in = (!is_left && is_inlined).then_some(copy);
                let missing = Missing { site, only_in };
                if !list.contains(&missing) {
                    list.push(missing);
                }
            }
        }
        let copies = lines.contexts().map(|(context, ..)| remains.copy(context)).collect();
        MissingSites { by_code, copies, crosses_units, units }
    }

    /// Whether functions of one unit are inlined into those of another.
    pub(super) fn crosses_units(&self) -> bool {
        self.crosses_units
    }

    /// The units whose functions have code.
    pub(super) fn units(&self) -> impl Iterator<Item = Option<UnitIndex>> {
        self.units.iter().copied()
    }

    /// Those that a call in the code of this outermost context may be; the call itself is in the context `inner`.
    pub(super) fn in_code(&self, code: ContextIndex, inner: Option<ContextIndex>) -> Vec<usize> {
        let copy = inner.map(|inner| self.copies[inner.number()]);
        let missing = self.by_code.get(&code).into_iter().flatten();
        let mut sites: Vec<usize> = missing
            .filter(|missing| missing.only_in.is_none() || missing.only_in == copy)
            .map(|missing| missing.site)
            .collect();
        sites.sort_unstable();
        sites.dedup();
        sites
    }
}
