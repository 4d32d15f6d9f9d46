//! Stack frames: which variables are in memory, where, and over which code.

use std::collections::BTreeMap;
use std::ops::Range;

use super::cfa::CfaRules;
use super::error::{Error, Result};
use super::locals::{Local, Locals};
use super::scopes::{Function, FunctionIndex, Scopes};
use super::types::MergedTypes;
use super::units::Units;
use super::vlas::{self, Vla};
use crate::graph::NodeId;
use crate::graph::names::plain;
use crate::image::allocas::VARIABLE_PREFIX;

/// The stack frame of a function over a range of its code.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frame {
    /// The code.
    pub code: Range<u64>,
    /// File and function, as the names of the frame's types begin.
    pub name: String,
    /// The variables that are in memory below the CFA.
    pub slots: Vec<Slot>,
    /// The arrays of variable length, which lie below those.
    pub vlas: Vec<Vla>,
}

/// A variable and the code over which it is at its place.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Slot {
    /// Distance from its first byte up to the CFA.
    pub below_cfa: u32,
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: NodeId,
    /// First address of the code.
    pub start: u64,
    /// Address behind the code.
    pub end: u64,
}

/// Frames that reach further down from the CFA than this are not believed.
const LARGEST_FRAME: i64 = i32::MAX as i64;

/// The frames of all functions. A function none of whose variables is in memory has none: no address in its frame is an object
/// of the program.
pub fn read<'a>(
    units: &Units<'a>,
    scopes: &Scopes<'a>,
    merged: &MergedTypes,
    warnings: &mut Vec<Error>,
) -> Vec<Frame> {
    let rules = CfaRules::read(units.file());
    let mut by_function: BTreeMap<FunctionIndex, (Vec<Slot>, Vec<Vla>)> = BTreeMap::new();
    let mut locals = Locals::new(units, scopes, &rules);
    for variable in &scopes.variables {
        let Some(scope) = variable.scope else { continue };
        let function_index = scopes.scope(scope).function;
        if scopes.function(function_index).ranges.is_empty() {
            continue;
        }
        let local = match locals.of(variable, scope) {
            Ok(Some(local)) => local,
            Ok(None) => continue,
            Err(e) => {
                warnings.push(e);
                continue;
            }
        };
        match slots(&local, merged) {
            Ok(slots) if slots.is_empty() => {}
            Ok(slots) => by_function.entry(function_index).or_default().0.extend(slots),
            Err(e) => warnings.push(e),
        }
        match vlas::read(units, scopes, merged, &local) {
            Ok(vlas) if vlas.is_empty() => {}
            Ok(vlas) => by_function.entry(function_index).or_default().1.extend(vlas),
            Err(e) => warnings.push(e),
        }
    }
    let frames_of = |(function, (slots, vlas)): (FunctionIndex, (Vec<Slot>, Vec<Vla>))| {
        frames(units, scopes.function(function), slots, &vlas)
    };
    by_function.into_iter().flat_map(frames_of).collect()
}

/// Where a variable is in the memory below the CFA. What is above belongs to the caller's frame.
fn slots(local: &Local<'_, '_>, merged: &MergedTypes) -> Result<Vec<Slot>> {
    let Some(ty) = local.variable.ty.and_then(|die| merged.node(die)) else { return Ok(Vec::new()) };
    if local.variable.name.starts_with(VARIABLE_PREFIX) {
        return Ok(Vec::new());
    }
    let places = local.distances(local.location)?;
    let slot = |(code, distance): (Range<u64>, i64)| {
        let below_cfa = distance.checked_neg().filter(|n| (1..=LARGEST_FRAME).contains(n))?;
        let below_cfa = u32::try_from(below_cfa).ok()?;
        let name = local.variable.name.clone().into_owned();
        Some(Slot { below_cfa, name, ty, start: code.start, end: code.end })
    };
    Ok(places.into_iter().filter_map(slot).collect())
}

/// The frame of each piece of a function's code.
fn frames(units: &Units<'_>, function: &Function<'_>, mut slots: Vec<Slot>, vlas: &[Vla]) -> Vec<Frame> {
    // Of one variable at one place the pieces of code that touch or overlap are one.
    slots.sort_unstable();
    slots.dedup_by(|next, slot| {
        let is_same = (next.below_cfa, next.ty) == (slot.below_cfa, slot.ty) && next.name == slot.name;
        let touches = is_same && next.start <= slot.end;
        if touches {
            slot.end = slot.end.max(next.end);
        }
        touches
    });
    let file = plain(function.file.as_deref().unwrap_or(units.get(function.die.unit).name()));
    let name = format!("{file}_{}", function.name);
    let frame = |code: &Range<u64>| {
        let cut = |slot: &Slot| {
            let (start, end) = (slot.start.max(code.start), slot.end.min(code.end));
            (start < end).then(|| Slot { start, end, ..slot.clone() })
        };
        let slots: Vec<Slot> = slots.iter().filter_map(cut).collect();
        let vlas: Vec<Vla> = vlas.iter().filter_map(|vla| vla.cut(code)).collect();
        let is_empty = slots.is_empty() && vlas.is_empty();
        (!is_empty).then(|| Frame { code: code.clone(), name: name.clone(), slots, vlas })
    };
    function.ranges.iter().filter_map(frame).collect()
}
