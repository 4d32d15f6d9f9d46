//! What the compiler itself says of an allocating call: the type at its call site.
//!
//! DWARF 6 has `DW_AT_alloc_type` for it and clang `DW_AT_LLVM_alloc_type`. Neither was in the compilers that this was written
//! with, so they are told by what they are: of all attributes of a call site, those alone refer to a type.

use gimli::{AttributeValue, constants as dw};
use rustc_hash::FxHashMap;

use super::error::{Error, Result};
use super::types::MergedTypes;
use super::units::{Die, Unit, UnitIndex, Units};
use crate::graph::NodeId;

/// The last attribute of DWARF 5. What the next version adds comes behind it.
const LAST_OF_DWARF_5: u16 = dw::DW_AT_loclists_base.0;
/// First attribute of vendors.
const LO_USER: u16 = 0x2000;
/// The attributes of LLVM.
const OF_LLVM: std::ops::RangeInclusive<u16> = 0x3e00..=0x3eff;

/// The types of the objects that calls allocate, by return address.
#[must_use]
pub fn read(units: &Units<'_>, merged: &MergedTypes, warnings: &mut Vec<Error>) -> FxHashMap<u64, NodeId> {
    let mut found = FxHashMap::default();
    for (index, unit) in units.iter().filter(|(_, unit)| !unit.is_replaced()) {
        if let Err(e) = read_unit(units, index, unit, merged, &mut found) {
            warnings.push(e);
        }
    }
    found
}

fn read_unit<'a>(
    units: &Units<'a>,
    index: UnitIndex,
    unit: &Unit<'a>,
    merged: &MergedTypes,
    found: &mut FxHashMap<u64, NodeId>,
) -> Result<()> {
    for_each_call_site(unit, |die, address| {
        let types = die.attrs().iter().filter(|attribute| may_be_alloc_type(attribute.name().0)).filter_map(
            |attribute| {
                let target = units.resolve(index, &attribute.value())?;
                is_type(units.die(target).ok()?.tag()).then(|| merged.node(target)).flatten()
            },
        );
        if let [ty] = types.collect::<Vec<_>>()[..] {
            found.insert(address, ty);
        }
    })
}

/// Calls `f` with the DIE of each call site of a unit, and the return address of the call.
pub(crate) fn for_each_call_site<'a>(unit: &Unit<'a>, mut f: impl FnMut(&Die<'a>, u64)) -> Result<()> {
    let root = unit.get().header.root_offset();
    let mut entries = unit.get().unit.entries_raw(None).map_err(unit.error_at(root))?;
    let mut die = Die::default();
    while !entries.is_empty() {
        let offset = entries.next_offset();
        let is_entry = entries.read_entry(&mut die).map_err(unit.error_at(offset))?;
        if !is_entry || !matches!(die.tag(), dw::DW_TAG_call_site | dw::DW_TAG_GNU_call_site) {
            continue;
        }
        let of_call = [dw::DW_AT_call_return_pc, dw::DW_AT_low_pc];
        let Some(address) = of_call.into_iter().find_map(|name| die.attr_value(name)) else { continue };
        if let Some(address) = unit.get().attr_address(address).map_err(unit.error_at(offset))? {
            f(&die, address);
        }
    }
    Ok(())
}

/// Whether a call site has an attribute that may say what the call allocates.
pub(crate) fn has_alloc_type(die: &Die<'_>) -> bool {
    let is_reference = |value| matches!(value, AttributeValue::UnitRef(_) | AttributeValue::DebugInfoRef(_));
    die.attrs()
        .iter()
        .any(|attribute| may_be_alloc_type(attribute.name().0) && is_reference(attribute.value()))
}

fn may_be_alloc_type(attribute: u16) -> bool {
    (LAST_OF_DWARF_5 + 1..LO_USER).contains(&attribute) || OF_LLVM.contains(&attribute)
}

/// Whether a DIE with this tag is a type of C that an object can have.
pub(crate) fn is_type(tag: gimli::DwTag) -> bool {
    matches!(
        tag,
        dw::DW_TAG_base_type
            | dw::DW_TAG_structure_type
            | dw::DW_TAG_class_type
            | dw::DW_TAG_union_type
            | dw::DW_TAG_enumeration_type
            | dw::DW_TAG_array_type
            | dw::DW_TAG_pointer_type
            | dw::DW_TAG_typedef
            | dw::DW_TAG_const_type
            | dw::DW_TAG_volatile_type
            | dw::DW_TAG_atomic_type
    )
}
