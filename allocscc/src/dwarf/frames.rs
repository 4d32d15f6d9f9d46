//! Stack frame layouts: one for each range of code over which the same variables are in memory.

use std::collections::BTreeMap;
use std::ops::Range;

use super::cfa::CfaRules;
use super::error::{Error, Result};
use super::location::{FrameBase, distances};
use super::scopes::{Function, Scopes};
use super::types::MergedTypes;
use super::units::Units;
use crate::graph::names::plain;
use crate::graph::{CompositeKind, Member, Naming, NodeId, Type};

/// The layout of a stack frame over a range of code.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frame {
    /// The code.
    pub code: Range<u64>,
    /// The variables; offset 0 is the lowest one.
    pub ty: NodeId,
    /// Distance from the lowest variable up to the CFA.
    pub below_cfa: u32,
}

/// A variable at a distance from the CFA.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Slot<'s> {
    distance: i64,
    name: &'s str,
    ty: NodeId,
}

/// Frames further apart from the CFA than this are not believed.
const LARGEST_FRAME: i64 = i32::MAX as i64;

/// The frames of all functions. A function none of whose variables is in memory has none: no address in its frame is an object
/// of the program.
pub fn read<'a>(
    units: &Units<'a>,
    scopes: &Scopes<'a>,
    merged: &mut MergedTypes,
    warnings: &mut Vec<Error>,
) -> Vec<Frame> {
    let rules = CfaRules::read(units.file());
    let mut by_function: BTreeMap<u32, Vec<(Range<u64>, Slot<'_>)>> = BTreeMap::new();
    let mut base_of: Option<(u32, FrameBase)> = None;
    for (index, variable) in scopes.variables.iter().enumerate() {
        let Some(scope) = variable.scope else { continue };
        let function_index = scopes.scope(scope).function;
        let function = scopes.function(function_index);
        if function.ranges.is_empty() {
            continue;
        }
        if base_of.as_ref().is_none_or(|(of, _)| *of != function_index.0) {
            match frame_base(units, function, &rules) {
                Ok(base) => base_of = Some((function_index.0, base)),
                Err(e) => {
                    warnings.push(e);
                    continue;
                }
            }
        }
        let Some((_, base)) = &base_of else { continue };
        match slots(units, scopes, merged, index, base, &rules) {
            Ok(slots) if slots.is_empty() => {}
            Ok(slots) => by_function.entry(function_index.0).or_default().extend(slots),
            Err(e) => warnings.push(e),
        }
    }
    let mut frames = Vec::new();
    for (function, slots) in by_function {
        let function = &scopes.functions[function as usize];
        for (code, slots) in constant_ranges(&function.ranges, &slots) {
            frames.push(frame(units, merged, function, code, &slots));
        }
    }
    frames
}

fn frame_base<'a>(units: &Units<'a>, function: &Function<'a>, rules: &CfaRules) -> Result<FrameBase> {
    let unit = units.get(function.die.unit);
    FrameBase::read(unit, function.frame_base.as_ref(), &function.ranges, rules)
}

/// Where a variable is in the memory below the CFA. What is above belongs to the caller's frame.
fn slots<'a, 's>(
    units: &Units<'a>,
    scopes: &'s Scopes<'a>,
    merged: &MergedTypes,
    index: usize,
    base: &FrameBase,
    rules: &CfaRules,
) -> Result<Vec<(Range<u64>, Slot<'s>)>> {
    let variable = &scopes.variables[index];
    let (Some(scope), Some(location)) = (variable.scope, &variable.location) else { return Ok(Vec::new()) };
    let Some(ty) = variable.ty.and_then(|die| merged.node(die)) else { return Ok(Vec::new()) };
    let places = distances(units.get(variable.unit), location, scopes.ranges_of(scope), base, rules)?;
    let slot = |distance| Slot { distance, name: &variable.name, ty };
    Ok(places
        .into_iter()
        .filter(|&(_, distance)| (-LARGEST_FRAME..0).contains(&distance))
        .map(|(code, distance)| (code, slot(distance)))
        .collect())
}

/// Cuts the code where the set of variables changes. Ranges without any are left out.
fn constant_ranges<'s>(
    code: &[Range<u64>],
    slots: &'s [(Range<u64>, Slot<'s>)],
) -> Vec<(Range<u64>, Vec<&'s Slot<'s>>)> {
    let mut events: Vec<(u64, bool, &Slot<'_>)> = Vec::with_capacity(slots.len() * 2);
    for (range, slot) in slots {
        events.push((range.start, true, slot));
        events.push((range.end, false, slot));
    }
    events.sort_by_key(|&(at, starts, _)| (at, starts));
    let mut live: BTreeMap<&Slot<'_>, usize> = BTreeMap::new();
    let mut found: Vec<(Range<u64>, Vec<&Slot<'_>>)> = Vec::new();
    for (i, &(at, starts, slot)) in events.iter().enumerate() {
        if starts {
            *live.entry(slot).or_default() += 1;
        } else if let Some(count) = live.get_mut(slot) {
            *count -= 1;
            if *count == 0 {
                live.remove(slot);
            }
        }
        let Some(&(next, ..)) = events.get(i + 1) else { break };
        if next == at || live.is_empty() {
            continue;
        }
        let set: Vec<&Slot<'_>> = live.keys().copied().collect();
        for range in code {
            let range = range.start.max(at)..range.end.min(next);
            if range.start >= range.end {
                continue;
            }
            match found.last_mut() {
                Some((last, same)) if last.end == range.start && *same == set => last.end = range.end,
                _ => found.push((range, set.clone())),
            }
        }
    }
    found
}

fn frame(
    units: &Units<'_>,
    merged: &mut MergedTypes,
    function: &Function<'_>,
    code: Range<u64>,
    slots: &[&Slot<'_>],
) -> Frame {
    let lowest = slots.iter().map(|s| s.distance).min().unwrap_or(0);
    let members = slots
        .iter()
        .map(|slot| Member {
            name: slot.name.to_owned(),
            ty: slot.ty,
            offset: slot.distance.abs_diff(lowest),
            may_be_invalid: false,
        })
        .collect();
    let unit = units.get(function.die.unit);
    let file = plain(function.file.as_deref().unwrap_or(unit.name()));
    let name = format!("{file}_{}_vaddrs_{:#x}_{:#x}", function.name, code.start, code.end);
    let below_cfa = lowest.unsigned_abs();
    let ty = merged.types.intern(Type::Composite {
        kind: CompositeKind::Frame,
        naming: Naming::Made(name),
        size: Some(below_cfa),
        members,
        incomplete: false,
    });
    Frame { code, ty, below_cfa: u32::try_from(below_cfa).unwrap_or(u32::MAX) }
}
