//! The code of functions, and over which of it everything that lies on the stack below the fixed part of the frame is described.
//!
//! Arrays of variable length lie there, too, beside the blocks of alloca. Where one may be whose place is not known
//! ([`super::vlas`]), what it holds cannot be told from what was there before.

use std::ops::Range;

use gimli::constants as dw;

use super::error::Result;
use super::frames::Frame;
use super::scopes::{self, Scopes};
use super::types::MergedTypes;
use super::units::{Die, DieRef, Units};
use super::vlas::Vla;

/// A function with code.
#[derive(Clone, Debug)]
pub struct Body {
    /// Its code; more than one range if a cold part lies elsewhere.
    pub code: Vec<Range<u64>>,
    die: DieRef,
}

/// All functions with code.
pub struct Bodies {
    all: Vec<Body>,
    /// Each range, ascending, with the index of its function.
    ranges: Vec<(Range<u64>, usize)>,
}

impl Bodies {
    pub(super) fn read(scopes: &Scopes<'_>) -> Bodies {
        let with_code = scopes.functions.iter().filter(|function| !function.ranges.is_empty());
        let all: Vec<Body> = with_code.map(|f| Body { code: f.ranges.clone(), die: f.die }).collect();
        let ranges = all.iter().enumerate();
        let mut ranges: Vec<_> =
            ranges.flat_map(|(i, body)| body.code.iter().map(move |range| (range.clone(), i))).collect();
        ranges.sort_by_key(|(range, _)| range.start);
        Bodies { all, ranges }
    }

    /// The number of the function that holds an address.
    #[must_use]
    pub fn number_at(&self, svma: u64) -> Option<usize> {
        let after = self.ranges.partition_point(|(range, _)| range.start <= svma);
        let (range, number) = self.ranges.get(after.checked_sub(1)?)?;
        range.contains(&svma).then_some(*number)
    }

    /// A function by its number.
    #[must_use]
    pub fn get(&self, number: usize) -> &Body {
        &self.all[number]
    }
}

/// An array of variable length as the debug information names it, whether it says its place or not.
struct Named {
    name: String,
    /// It is declared in a block of the function, or in another function that was inlined.
    is_nested: bool,
    /// The code of the block that declares it.
    code: Vec<Range<u64>>,
}

impl Body {
    /// The parts of the code during which all arrays of variable length that there may be are among those that the frames
    /// describe, and the others. `sites` are those of alloca.
    #[must_use]
    pub fn described(
        &self,
        units: &Units<'_>,
        types: &MergedTypes,
        frames: &[Frame],
        sites: &[u64],
    ) -> (Vec<Range<u64>>, Vec<Range<u64>>) {
        let described = self.described_part(units, types, frames, sites);
        let hidden = described.iter().fold(self.code.clone(), |left, part| without(&left, part));
        (described, hidden)
    }

    fn described_part(
        &self,
        units: &Units<'_>,
        types: &MergedTypes,
        frames: &[Frame],
        sites: &[u64],
    ) -> Vec<Range<u64>> {
        // What cannot be read may be an array.
        let Ok(Some(arrays)) = self.arrays(units, types) else { return Vec::new() };
        let is_own = |frame: &&Frame| self.code.iter().any(|range| range.contains(&frame.code.start));
        let vlas: Vec<&Vla> = frames.iter().filter(is_own).flat_map(|frame| &frame.vlas).collect();
        let mut described = self.code.clone();
        for array in &arrays {
            // At the end of a block with alloca in it, gcc leaves the block's arrays on the stack, too.
            let is_site = |site: &u64| array.code.iter().any(|range| range.contains(site));
            let may_stay = array.is_nested && sites.iter().any(is_site);
            let is_unique = arrays.iter().filter(|other| other.name == array.name).count() == 1;
            let known: Vec<Range<u64>> =
                vlas.iter().filter(|vla| vla.name == array.name).map(|vla| vla.code.clone()).collect();
            if may_stay || !is_unique || known.is_empty() {
                return Vec::new();
            }
            let hidden = known.iter().fold(array.code.clone(), |left, known| without(&left, known));
            described = hidden.iter().fold(described, |left, hidden| without(&left, hidden));
        }
        described
    }

    /// The arrays of variable length in the function and in what was inlined into it; `None` if a variable's type is not known.
    fn arrays(&self, units: &Units<'_>, types: &MergedTypes) -> Result<Option<Vec<Named>>> {
        let unit = units.get(self.die.unit);
        let error = || unit.error_at(self.die.offset);
        let mut entries = unit.get().unit.entries_raw(Some(self.die.offset)).map_err(error())?;
        let mut die = Die::default();
        let mut depth = None;
        let mut blocks: Vec<(isize, Vec<Range<u64>>)> = Vec::new();
        let mut found = Vec::new();
        while !entries.is_empty() {
            if !entries.read_entry(&mut die).map_err(error())? {
                continue;
            }
            let top = *depth.get_or_insert(die.depth());
            if die.depth() <= top && die.offset() != self.die.offset {
                break;
            }
            while blocks.last().is_some_and(|&(depth, _)| depth >= die.depth()) {
                blocks.pop();
            }
            match die.tag() {
                dw::DW_TAG_subprogram | dw::DW_TAG_lexical_block | dw::DW_TAG_inlined_subroutine => {
                    blocks.push((die.depth(), scopes::code_of(units, self.die.unit, &die)?));
                }
                dw::DW_TAG_variable if die.attr_value(dw::DW_AT_declaration).is_none() => {
                    let origin = scopes::origin(units, self.die.unit, &die)?;
                    let Some(ty) = origin.ty.and_then(|ty| types.node(ty)) else { return Ok(None) };
                    if types.types.size_of(ty).is_none() {
                        let innermost = blocks.iter().rev().find(|(_, code)| !code.is_empty());
                        let code = innermost.map_or_else(|| self.code.clone(), |(_, code)| code.clone());
                        let is_nested = blocks.len() > 1;
                        found.push(Named { name: origin.name.into_owned(), is_nested, code });
                    }
                }
                _ => {}
            }
        }
        Ok(Some(found))
    }
}

/// What is left of some ranges.
fn without(ranges: &[Range<u64>], hole: &Range<u64>) -> Vec<Range<u64>> {
    let parts = |range: &Range<u64>| {
        let before = range.start..range.end.min(hole.start);
        let behind = range.start.max(hole.end)..range.end;
        [before, behind].into_iter().filter(|part| part.start < part.end).collect::<Vec<_>>()
    };
    ranges.iter().flat_map(parts).collect()
}

#[cfg(test)]
mod tests {
    use super::without;

    #[test]
    fn a_hole_leaves_what_is_beside_it() {
        let check = |hole: std::ops::Range<u64>, expect: &str| {
            assert_eq!(format!("{:?}", without(&[10..20, 30..40], &hole)), expect, "{hole:?}");
        };
        check(0..5, "[10..20, 30..40]");
        check(12..15, "[10..12, 15..20, 30..40]");
        check(15..35, "[10..15, 35..40]");
        check(10..20, "[30..40]");
        check(0..50, "[]");
    }
}
