//! In which registers a function really gets its parameters. The compiler may change that for one that only it calls.

use allocs_metadata::REGISTER_ARGUMENTS;
use gimli::{Register, X86_64, constants as dw};

use super::error::Result;
use super::location::{Arrival, arrival};
use super::units::{Die, DieRef, UnitIndex, Units};

/// The registers of the calling convention, in the order of the arguments.
const ARGUMENTS: [Register; REGISTER_ARGUMENTS as usize] =
    [X86_64::RDI, X86_64::RSI, X86_64::RDX, X86_64::RCX, X86_64::R8, X86_64::R9];

/// For each parameter of the source, which argument of the calling convention has it when the function at this address is entered; `None`
/// for one that does not arrive. `None` if no debug information is about the function.
///
/// # Errors
/// Says which debug information cannot be read.
pub fn arguments_of<'a>(units: &Units<'a>, entry: u64) -> Result<Option<Vec<Option<u8>>>> {
    for (index, unit) in units.iter().filter(|(_, unit)| !unit.is_replaced()) {
        let is_it = |die: &Die<'a>| {
            let low = die.attr_value(dw::DW_AT_low_pc)?;
            Some(unit.get().attr_address(low).ok()?? == entry)
        };
        if let Some((function, parameters)) = find(units, index, |die| is_it(die).unwrap_or(false))? {
            return Ok(Some(arguments(units, index, &function, &parameters, entry)?));
        }
    }
    Ok(None)
}

/// A function of a unit, and its parameters.
fn find<'a>(
    units: &Units<'a>,
    index: UnitIndex,
    is_it: impl Fn(&Die<'a>) -> bool,
) -> Result<Option<(Die<'a>, Vec<Die<'a>>)>> {
    let unit = units.get(index);
    let root = unit.get().header.root_offset();
    let mut entries = unit.get().unit.entries_raw(None).map_err(unit.error_at(root))?;
    let mut found: Option<(Die<'a>, Vec<Die<'a>>)> = None;
    while !entries.is_empty() {
        let offset = entries.next_offset();
        let mut die = Die::default();
        if !entries.read_entry(&mut die).map_err(unit.error_at(offset))? {
            continue;
        }
        match &mut found {
            Some((function, _)) if die.depth() <= function.depth() => break,
            Some((function, parameters))
                if die.tag() == dw::DW_TAG_formal_parameter && die.depth() == function.depth() + 1 =>
            {
                parameters.push(die);
            }
            Some(_) => {}
            None if die.tag() == dw::DW_TAG_subprogram && is_it(&die) => found = Some((die, Vec::new())),
            None => {}
        }
    }
    Ok(found)
}

fn arguments<'a>(
    units: &Units<'a>,
    index: UnitIndex,
    function: &Die<'a>,
    parameters: &[Die<'a>],
    entry: u64,
) -> Result<Vec<Option<u8>>> {
    let own = |offset| DieRef { unit: index, offset };
    // The order of the source is that of the function that this one is a copy of.
    let in_source: Vec<DieRef> = match units.follow(index, function, dw::DW_AT_abstract_origin) {
        Some(origin) => find(units, origin.unit, |die| die.offset() == origin.offset)?
            .map(|(_, all)| {
                all.iter().map(|die| DieRef { unit: origin.unit, offset: die.offset() }).collect()
            })
            .unwrap_or_default(),
        None => parameters.iter().map(|die| own(die.offset())).collect(),
    };
    let mut found = vec![None; in_source.len()];
    for die in parameters {
        let origin = units.follow(index, die, dw::DW_AT_abstract_origin).unwrap_or(own(die.offset()));
        let Some(place) = in_source.iter().position(|&it| it == origin) else { continue };
        let arrives = die.attr_value(dw::DW_AT_location).and_then(|it| arrival(units.get(index), &it, entry));
        found[place] = match arrives {
            Some(Arrival::Register(register)) => ARGUMENTS.iter().position(|&it| it == register),
            Some(Arrival::Frame) => Some(place).filter(|_| is_unoptimised(parameters, units, index, entry)),
            None => None,
        }
        .map(|argument| argument as u8);
    }
    Ok(found)
}

/// Whether all parameters are in memory all the time, as without optimisation; then they came as the calling convention says.
fn is_unoptimised<'a>(parameters: &[Die<'a>], units: &Units<'a>, index: UnitIndex, entry: u64) -> bool {
    parameters.iter().all(|die| {
        let location = die.attr_value(dw::DW_AT_location);
        location.and_then(|it| arrival(units.get(index), &it, entry)) == Some(Arrival::Frame)
    })
}
