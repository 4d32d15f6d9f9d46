//! Where a variable lies: at an address, or at a constant distance from the CFA over some code.

use std::ops::Range;

use gimli::{AttributeValue, Expression, Operation, UnitOffset};

use super::cfa::CfaRules;
use super::error::Result;
use super::units::{Slice, Unit, Value};

/// What the DWARF expression of a place in memory says. Registers, computed values and places that depend on memory are
/// none of these.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    /// Static storage.
    Address(u64),
    /// From the function's frame base.
    FrameBase(i64),
    /// From the value of a register.
    Register(gimli::Register, i64),
    /// The CFA itself.
    Cfa,
}

/// The place that an expression of one operation says.
pub(crate) fn place(unit: &Unit<'_>, expression: Expression<Slice<'_>>) -> Option<Place> {
    place_and_load(unit, expression).filter(|(_, is_loaded)| !is_loaded).map(|(place, _)| place)
}

/// The place of the word that an expression of two operations loads.
pub(crate) fn loaded_place(unit: &Unit<'_>, expression: Expression<Slice<'_>>) -> Option<Place> {
    place_and_load(unit, expression).filter(|(_, is_loaded)| *is_loaded).map(|(place, _)| place)
}

/// The place that the first operation says, and whether a second one, the last, loads the word there.
fn place_and_load(unit: &Unit<'_>, expression: Expression<Slice<'_>>) -> Option<(Place, bool)> {
    const GENERIC_TYPE: UnitOffset = UnitOffset(0);
    let mut operations = expression.operations(unit.get().encoding());
    let place = match operations.next().ok()?? {
        Operation::Address { address } => Place::Address(address),
        Operation::AddressIndex { index } => Place::Address(unit.get().address(index).ok()?),
        Operation::FrameOffset { offset } => Place::FrameBase(offset),
        Operation::RegisterOffset { register, offset, .. } => Place::Register(register, offset),
        Operation::CallFrameCFA => Place::Cfa,
        _ => return None,
    };
    match operations.next().ok()? {
        None => Some((place, false)),
        Some(Operation::Deref { base_type: GENERIC_TYPE, size: 8, space: false }) => {
            operations.next().ok()?.is_none().then_some((place, true))
        }
        Some(_) => None,
    }
}

/// The place that a `DW_AT_frame_base` says. A register there means its value, not the register itself.
fn base_place(unit: &Unit<'_>, expression: Expression<Slice<'_>>) -> Option<Place> {
    let mut operations = expression.operations(unit.get().encoding());
    match (operations.next(), operations.next()) {
        (Ok(Some(Operation::Register { register })), Ok(None)) => Some(Place::Register(register, 0)),
        _ => place(unit, expression),
    }
}

/// The address of a variable with static storage.
pub(crate) fn static_address(unit: &Unit<'_>, location: &Value<'_>) -> Option<u64> {
    match place(unit, expression(location)?)? {
        Place::Address(address) if address != 0 => Some(address),
        _ => None,
    }
}

fn expression<'a>(value: &Value<'a>) -> Option<Expression<Slice<'a>>> {
    match *value {
        AttributeValue::Exprloc(expression) => Some(expression),
        AttributeValue::Block(bytes) => Some(Expression(bytes)),
        _ => None,
    }
}

/// Where a parameter is when its function is entered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Arrival {
    /// In this register.
    Register(gimli::Register),
    /// In memory from the prologue on; how it got there is for the calling convention to say.
    Frame,
}

/// Where a parameter with this location is at the entry of its function. `None` if it is nowhere, or no simple place.
pub(crate) fn arrival<'a>(unit: &Unit<'a>, location: &Value<'a>, entry: u64) -> Option<Arrival> {
    let code = entry..entry.checked_add(1)?;
    let all = pieces(unit, location, std::slice::from_ref(&code)).ok()?;
    let (_, expression) = all.first()?;
    let mut operations = expression.operations(unit.get().encoding());
    match (operations.next().ok()??, operations.next().ok()?) {
        (Operation::Register { register }, None) => Some(Arrival::Register(register)),
        _ => place(unit, *expression).map(|_| Arrival::Frame),
    }
}

/// An expression and the code over which it holds.
type Piece<'a> = (Range<u64>, Expression<Slice<'a>>);

/// The expressions of a location; one without ranges holds over all of `scope`.
fn pieces<'a>(unit: &Unit<'a>, value: &Value<'a>, scope: &[Range<u64>]) -> Result<Vec<Piece<'a>>> {
    if let Some(expression) = expression(value) {
        return Ok(scope.iter().map(|r| (r.clone(), expression)).collect());
    }
    let root = unit.get().header.root_offset();
    let mut found = Vec::new();
    if let Some(mut list) = unit.get().attr_locations(*value).map_err(unit.error_at(root))? {
        while let Some(entry) = list.next().map_err(unit.error_at(root))? {
            let range = entry.range.begin..entry.range.end;
            found.extend(scope.iter().filter_map(|s| Some((intersection(s, &range)?, entry.data))));
        }
    }
    Ok(found)
}

/// What two pieces of code have in common.
pub(crate) fn intersection(a: &Range<u64>, b: &Range<u64>) -> Option<Range<u64>> {
    let both = a.start.max(b.start)..a.end.min(b.end);
    (both.start < both.end).then_some(both)
}

/// A function's frame base: distances from the CFA, by code.
pub(crate) struct FrameBase(Vec<(Range<u64>, i64)>);

impl FrameBase {
    /// Reads a `DW_AT_frame_base` for the function's code.
    pub(crate) fn read<'a>(
        unit: &Unit<'a>,
        value: Option<&Value<'a>>,
        code: &[Range<u64>],
        rules: &CfaRules,
    ) -> Result<FrameBase> {
        let Some(value) = value else { return Ok(FrameBase(Vec::new())) };
        let distance = |(range, expression): Piece<'a>| {
            let offset = match base_place(unit, expression)? {
                Place::Cfa => 0,
                Place::Register(register, offset) => {
                    offset.checked_sub(rules.cfa_above(register, &range)?)?
                }
                Place::Address(_) | Place::FrameBase(_) => return None,
            };
            Some((range, offset))
        };
        Ok(FrameBase(pieces(unit, value, code)?.into_iter().filter_map(distance).collect()))
    }
}

/// Whether a location is a list, in which the compiler says over which code each place holds.
pub(crate) fn is_list(location: &Value<'_>) -> bool {
    expression(location).is_none()
}

/// The distances from the CFA of the places that a location says, by code; nothing where that is not in the frame's memory. `place` is
/// [`place`] or [`loaded_place`].
pub(crate) fn distances<'a>(
    unit: &Unit<'a>,
    location: &Value<'a>,
    scope: &[Range<u64>],
    place: impl Fn(&Unit<'a>, Expression<Slice<'a>>) -> Option<Place>,
    (base, rules): (&FrameBase, &CfaRules),
) -> Result<Vec<(Range<u64>, i64)>> {
    let mut found = Vec::new();
    for (range, expression) in pieces(unit, location, scope)? {
        match place(unit, expression) {
            Some(Place::FrameBase(offset)) => {
                found.extend(base.0.iter().filter_map(|(code, base)| {
                    Some((intersection(&range, code)?, base.checked_add(offset)?))
                }));
            }
            Some(Place::Register(register, offset)) => {
                let distance = rules.cfa_above(register, &range).and_then(|above| offset.checked_sub(above));
                found.extend(distance.map(|d| (range, d)));
            }
            Some(Place::Address(_) | Place::Cfa) | None => {}
        }
    }
    Ok(found)
}

/// The registers that a variable is in, by code.
pub(crate) fn registers<'a>(
    unit: &Unit<'a>,
    location: &Value<'a>,
    scope: &[Range<u64>],
) -> Result<Vec<(Range<u64>, gimli::Register)>> {
    let register = |(range, expression): Piece<'a>| {
        let mut operations = expression.operations(unit.get().encoding());
        match (operations.next(), operations.next()) {
            (Ok(Some(Operation::Register { register })), Ok(None)) => Some((range, register)),
            _ => None,
        }
    };
    Ok(pieces(unit, location, scope)?.into_iter().filter_map(register).collect())
}
