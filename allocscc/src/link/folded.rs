//! Functions of which the compiler kept one copy.
//!
//! gcc takes two functions for one that differ in nothing but types: `new_a` and `new_b` that allocate structs of one size. The
//! debug information then has one of them without any code, and the code of the other one allocates what either does.

use rustc_hash::{FxHashMap, FxHashSet};

use super::heap_types::HeapTypes;
use super::inlined::is_variable;
use super::matching::plain_callee;
use crate::dwarf::lines::LineIndex;
use crate::dwarf::units::UnitIndex;
use crate::sites::facts::FileFacts;
use crate::sites::solve::SolvedSite;

/// A function of a file: index of the file, and name.
type Name<'a> = (usize, &'a str);

/// The sites that each site of a function stands for too, because another function may have been folded into it.
pub(super) fn sites_folded(
    lines: &LineIndex,
    unit_of: impl Fn(UnitIndex) -> Option<UnitIndex>,
    files: &[FileFacts],
    solved: &[SolvedSite],
    units: &[Option<UnitIndex>],
    types: &mut HeapTypes<'_>,
) -> FxHashMap<usize, Vec<usize>> {
    let mut with_code: FxHashSet<(&str, Option<UnitIndex>)> = FxHashSet::default();
    for (_, function, unit) in lines.contexts() {
        with_code.insert((function, unit_of(unit)));
    }
    let without: FxHashSet<_> =
        lines.functions_without_code().map(|(name, unit)| (name, unit_of(unit))).collect();
    let mut functions: FxHashMap<Name<'_>, Vec<usize>> = FxHashMap::default();
    for (number, site) in solved.iter().enumerate() {
        functions.entry((site.file, &site.function)).or_default().push(number);
    }
    let unit_of_function = |sites: &[usize]| units[sites[0]];
    let is_folded = |&(&(_, name), sites): &(&Name<'_>, &Vec<usize>)| {
        let key = (name, unit_of_function(sites));
        without.contains(&key) && !with_code.contains(&key)
    };
    let mut folded: Vec<_> = functions.iter().filter(is_folded).collect();
    folded.sort_unstable_by_key(|(name, _)| **name);
    let mut also: FxHashMap<usize, Vec<usize>> = FxHashMap::default();
    for (&gone, gone_sites) in folded {
        for (&kept, kept_sites) in &functions {
            let has_code = with_code.contains(&(kept.1, unit_of_function(kept_sites)));
            let is_alike = kept != gone
                && has_code
                && parameters(files, kept) == parameters(files, gone)
                && kept_sites.len() == gone_sites.len()
                && kept_sites.iter().zip(gone_sites).all(|(&kept, &gone)| {
                    may_be_alike((&solved[kept], units[kept]), (&solved[gone], units[gone]), types)
                });
            if is_alike {
                let pairs = kept_sites.iter().zip(gone_sites);
                pairs.for_each(|(&kept, &gone)| also.entry(kept).or_default().push(gone));
            }
        }
    }
    also
}

fn parameters(files: &[FileFacts], (file, name): Name<'_>) -> Option<usize> {
    let function = files[file].functions.iter().find(|function| function.name == name)?;
    Some(function.parameters.len())
}

type SiteInUnit<'a> = (&'a SolvedSite, Option<UnitIndex>);

/// Whether two calls may be of one function with the same arguments. Functions are compared before anything is inlined into them, so
/// that a size that is read from somewhere is no constant there.
fn may_be_alike(
    (one, its_unit): SiteInUnit<'_>,
    (other, other_unit): SiteInUnit<'_>,
    types: &mut HeapTypes<'_>,
) -> bool {
    let callee = |site: &SolvedSite| site.callee.as_deref().map(|name| plain_callee(name).to_owned());
    callee(one) == callee(other)
        && one.arguments.iter().zip(&other.arguments).all(|(left, right)| {
            match (types.constant(its_unit, left), types.constant(other_unit, right)) {
                (Some(left), Some(right)) => left == right,
                (Some(_), None) => !is_variable(right),
                (None, Some(_)) => !is_variable(left),
                (None, None) => true,
            }
        })
}
