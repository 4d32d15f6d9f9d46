//! What the allocators of C++'s library allocate: `allocate` of `std::allocator<T>` gives objects of type T.
//!
//! Containers get their memory there. Its result is that of `operator new`, and no variable holds it while the code is not optimised.

use std::borrow::Cow;

use rustc_hash::FxHashMap;

use super::scopes::{FunctionIndex, LONGEST_ORIGIN_CHAIN, ScopeIndex, Scopes, origin_of};
use super::types::MergedTypes;
use super::units::{DieRef, Units};
use crate::graph::{NodeId, Type};
use crate::image::calls::Svma;
use gimli::constants as dw;

/// The types of the objects that the calls allocate which are in an `allocate` of the library, by return address. The calls are
/// given by return address in ascending order.
#[must_use]
pub fn read(
    units: &Units<'_>,
    scopes: &Scopes<'_>,
    merged: &MergedTypes,
    calls: &[Svma],
) -> FxHashMap<Svma, NodeId> {
    let mut innermost: FxHashMap<Svma, (usize, ScopeIndex)> = FxHashMap::default();
    let mut inlined: FxHashMap<FunctionIndex, Vec<ScopeIndex>> = FxHashMap::default();
    for (index, scope) in (0..).map(ScopeIndex).zip(&scopes.scopes) {
        if scope.inlined.is_some() || scope.parent.is_none() {
            inlined.entry(scope.function).or_default().push(index);
        }
    }
    for index in inlined.into_values().flatten() {
        let depth = std::iter::successors(Some(index), |&scope| scopes.scope(scope).parent).count();
        for range in &scopes.scope(index).ranges {
            let first = calls.partition_point(|call| call.0 <= range.start);
            for call in calls[first..].iter().take_while(|call| call.0 <= range.end) {
                let known = innermost.entry(*call).or_insert((depth, index));
                *known = (*known).max((depth, index));
            }
        }
    }
    let object = |(call, (_, scope))| Some((call, object_of(units, scopes, merged, scope)?));
    innermost.into_iter().filter_map(object).collect()
}

/// The type that the `allocate` gives that a scope is in, through functions of the library that were inlined into it.
fn object_of(
    units: &Units<'_>,
    scopes: &Scopes<'_>,
    merged: &MergedTypes,
    innermost: ScopeIndex,
) -> Option<NodeId> {
    let mut next = Some(innermost);
    while let Some(index) = next {
        let scope = scopes.scope(index);
        next = scope.parent;
        let (die, name) = match (&scope.inlined, scope.parent) {
            (Some(call), _) => (call.die?, &call.name),
            (None, None) => {
                let function = scopes.function(scope.function);
                (function.die, &function.name)
            }
            (None, Some(_)) => continue,
        };
        if !symbol_of(units, die).is_some_and(|symbol| is_of_library(&symbol)) {
            return None;
        }
        if name == "allocate" {
            let Type::Function { result, .. } = merged.types.get(merged.node(die)?) else { return None };
            let Type::Pointer(object) = merged.types.get(*result) else { return None };
            return Some(*object);
        }
    }
    None
}

/// `DW_AT_linkage_name` of a subprogram, or of what it is an instance of.
fn symbol_of<'a>(units: &Units<'a>, function: DieRef) -> Option<Cow<'a, str>> {
    let mut at = function;
    for _ in 0..LONGEST_ORIGIN_CHAIN {
        let die = units.die(at).ok()?;
        if let Some(symbol) = die.attr_value(dw::DW_AT_linkage_name) {
            return units.get(at.unit).string(symbol);
        }
        at = origin_of(units, at.unit, &die)?;
    }
    None
}

/// Whether a member function is one of `std`, whose allocator has a short name of its own, or of `__gnu_cxx`.
fn is_of_library(symbol: &str) -> bool {
    let rest = symbol.strip_prefix("_ZN").map(|rest| rest.strip_prefix('K').unwrap_or(rest));
    rest.is_some_and(|rest| ["St", "Sa", "9__gnu_cxx"].iter().any(|scope| rest.starts_with(scope)))
}
