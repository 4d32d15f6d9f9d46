//! What a site of the source passes, against what a call instruction does: a site that passes another constant is not the
//! one that the instruction comes from.
//!
//! Compilers change the parameters of functions that only their own code calls. So the arguments of a function count only if
//! calls whose site is known bear them out; those of the C library's functions, and of function pointers, always do.

use rustc_hash::FxHashMap;

use super::heap_types::HeapTypes;
use super::inlined::Given;
use super::matching::{POINTER, plain_callee};
use crate::dwarf::units::UnitIndex;
use crate::image::arguments::{Constants, Passed};
use crate::sites::effect::substitute;
use crate::sites::facts::SizeExpr;
use crate::sites::functions::DeclaredFunctions;
use crate::sites::solve::SolvedSite;

/// Wrappers that are passed through from a site to the instruction.
const MOST_WRAPPERS: usize = 4;

/// What the sites of a link unit pass.
pub(super) struct PassedConstants<'a> {
    solved: &'a [SolvedSite],
    /// The unit of each site.
    units: &'a [Option<UnitIndex>],
    /// The sites in wrappers, by function.
    in_wrappers: FxHashMap<&'a str, Vec<usize>>,
    /// By symbol called and argument: the calls of which the site is known, how many bear it out and how many do not.
    borne_out: FxHashMap<(&'a str, usize), (u32, u32)>,
    declared: &'a DeclaredFunctions,
    /// Functions of one unit are inlined into those of another.
    pub(super) is_whole_program: bool,
}

impl<'a> PassedConstants<'a> {
    /// `units` are those of the sites.
    pub(super) fn new(
        solved: &'a [SolvedSite],
        units: &'a [Option<UnitIndex>],
        declared: &'a DeclaredFunctions,
    ) -> Self {
        let mut in_wrappers: FxHashMap<_, Vec<_>> = FxHashMap::default();
        for (number, site) in solved.iter().enumerate().filter(|(_, site)| site.is_in_wrapper) {
            in_wrappers.entry(site.function.as_str()).or_default().push(number);
        }
        PassedConstants {
            solved,
            units,
            in_wrappers,
            borne_out: FxHashMap::default(),
            declared,
            is_whole_program: false,
        }
    }

    /// Takes in that a call of the symbol `callee` is known to be this site. `constants` finds what it passes, which costs more than
    /// to see that the site passes none.
    pub(super) fn learn(
        &mut self,
        callee: &'a str,
        constants: impl FnOnce() -> Constants,
        site: usize,
        types: &mut HeapTypes<'_>,
    ) {
        let SolvedSite { callee: Some(named), arguments, .. } = &self.solved[site] else { return };
        if plain_callee(named) != plain_callee(callee) {
            return;
        }
        let value = |argument| types.constant(self.units[site], argument);
        let values: Vec<Option<u64>> = arguments.iter().map(value).collect();
        if values.iter().all(Option::is_none) {
            return;
        }
        for (index, (passed, value)) in constants().iter().zip(values).enumerate() {
            if let (Passed::Constant(constant), Some(value)) = (passed, value) {
                let (right, wrong) = self.borne_out.entry((callee, index)).or_default();
                *(if value as u32 == *constant { right } else { wrong }) += 1;
            }
        }
    }

    /// Whether a call of the symbol `callee` that passes `constants` may come from a site whose function is given something, through
    /// wrappers that were inlined there too.
    pub(super) fn may_come_from(
        &self,
        (site, given): (usize, &Given),
        callee: &str,
        constants: &Constants,
        types: &mut HeapTypes<'_>,
    ) -> bool {
        let mut is_alike = |(index, (passed, argument)): (usize, (&Passed, &SizeExpr))| {
            if !self.counts(callee, index) {
                return true;
            }
            let argument = given.put_into(argument);
            match (passed, types.constant(self.units[site], &argument)) {
                (Passed::Unknown, _) | (Passed::Computed, None) => true,
                (Passed::Computed, Some(_)) => false,
                (Passed::Constant(constant), Some(value)) => value as u32 == *constant,
                // Where the function is inlined, what depends on its parameters may be a constant, and so may a pointer.
                (Passed::Constant(_), None) => {
                    argument.depends_on_parameters() || callee == POINTER && argument == SizeExpr::Opaque
                }
            }
        };
        let mut ways = self.ways(site, plain_callee(callee), MOST_WRAPPERS).into_iter();
        ways.any(|arguments| constants.iter().zip(&arguments).enumerate().all(&mut is_alike))
    }

    fn counts(&self, callee: &str, argument: usize) -> bool {
        // Nobody changes the parameters of a function that is called through a pointer.
        if callee == POINTER {
            return true;
        }
        let is_of_library = !callee.contains('.') && self.declared.find(plain_callee(callee)).is_some();
        let is_declared = self.declared.declares(plain_callee(callee));
        let (right, wrong) = self.borne_out.get(&(callee, argument)).copied().unwrap_or_default();
        is_of_library && !is_declared || right > 0 && wrong == 0
    }

    /// The arguments with which a site may call a function, in the terms of the site's function: none if it never does.
    fn ways(&self, site: usize, callee: &str, wrappers: usize) -> Vec<Vec<SizeExpr>> {
        let SolvedSite { callee: named, arguments, .. } = &self.solved[site];
        let Some(named) = named.as_deref().map(plain_callee) else {
            return if callee == POINTER { vec![arguments.clone()] } else { Vec::new() };
        };
        match (named, callee) {
            _ if named == callee => return vec![arguments.clone()],
            // The compiler turns realloc of NULL into malloc,
            ("realloc", "malloc") => return vec![arguments.iter().skip(1).cloned().collect()],
            // and malloc and memset of zero into calloc, clang of 1 and the size, gcc of the size and 1.
            ("malloc", "calloc") => {
                let one = || vec![SizeExpr::Const(1)];
                return vec![[one(), arguments.clone()].concat(), [arguments.clone(), one()].concat()];
            }
            _ => {}
        }
        let Some(left) = wrappers.checked_sub(1) else { return Vec::new() };
        let inner = self.in_wrappers.get(named).map_or(&[][..], Vec::as_slice).iter();
        let here = |arguments_there: Vec<SizeExpr>| -> Vec<SizeExpr> {
            arguments_there.iter().map(|argument| substitute(argument, arguments)).collect()
        };
        let is_inlined = |inner: &&usize| self.is_whole_program || self.units[**inner] == self.units[site];
        inner.filter(is_inlined).flat_map(|&inner| self.ways(inner, callee, left)).map(here).collect()
    }
}
