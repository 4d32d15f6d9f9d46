//! Members of structs and unions: offsets, and bit-fields in both of DWARF's styles.

use std::borrow::Cow;

use gimli::{AttributeValue, Operation, constants as dw};
use rustc_hash::FxHashMap;

use super::units::{Die, Unit};
use crate::graph::{Member, NodeId, Type, TypeGraph};

/// A member that is a bit-field. Its type is made when all types are known.
pub(crate) struct BitField {
    pub(crate) composite: NodeId,
    /// Index of the member.
    pub(crate) member: usize,
    pub(crate) position: BitPosition,
}

/// Where the bits of a bit-field lie.
#[derive(Clone, Copy)]
pub(crate) struct BitPosition {
    style: Style,
    /// Number of bits.
    size: u64,
}

#[derive(Clone, Copy)]
enum Style {
    /// `DW_AT_data_bit_offset` (DWARF 4 and 5): bits from the start of the struct, low bits first.
    FromStart(u64),
    /// `DW_AT_bit_offset` (DWARF 2 and 3): bits from the high end of a storage unit of `storage` bytes (the type's size, if
    /// not given) at `byte`.
    FromHighEnd { byte: u64, storage: Option<u64>, offset: i64 },
}

/// A member or base class; `None` if its place is computed at run time (a virtual base).
pub(crate) fn member(
    unit: &Unit<'_>,
    die: &Die<'_>,
    name: String,
    ty: NodeId,
    may_be_invalid: bool,
) -> Option<Member> {
    let offset = byte_offset(unit, die)?;
    Some(Member { name, ty, offset, may_be_invalid })
}

/// Where the bits of a member are, if it is a bit-field.
pub(crate) fn bit_position(unit: &Unit<'_>, die: &Die<'_>) -> Option<BitPosition> {
    let size = Unit::number(die, dw::DW_AT_bit_size)?;
    let style = match Unit::number(die, dw::DW_AT_data_bit_offset) {
        Some(bits) => Style::FromStart(bits.saturating_add(byte_offset(unit, die)?.saturating_mul(8))),
        None => Style::FromHighEnd {
            byte: byte_offset(unit, die)?,
            storage: Unit::number(die, dw::DW_AT_byte_size),
            offset: match die.attr_value(dw::DW_AT_bit_offset) {
                Some(AttributeValue::Sdata(n)) => n,
                // clang writes the negative offset of a field that leaves its storage unit in an unsigned form.
                Some(value) => value.udata_value()?.cast_signed(),
                None => {
                    return Some(BitPosition { style: Style::FromStart(byte_offset(unit, die)? * 8), size });
                }
            },
        },
    };
    Some(BitPosition { style, size })
}

/// `DW_AT_data_member_location`: a number, or in DWARF 2 an expression that adds one.
fn byte_offset(unit: &Unit<'_>, die: &Die<'_>) -> Option<u64> {
    // The limit keeps sums of offsets within 64 bits; no object is larger than the address space.
    const LARGEST: u64 = 1 << 56;
    let expression = match die.attr_value(dw::DW_AT_data_member_location) {
        None => return Some(0),
        Some(AttributeValue::Exprloc(expression)) => expression,
        Some(AttributeValue::Block(bytes)) => gimli::Expression(bytes),
        Some(value) => return value.udata_value().filter(|&n| n < LARGEST),
    };
    let mut operations = expression.operations(unit.get().encoding());
    match (operations.next().ok()??, operations.next().ok()?) {
        (Operation::PlusConstant { value }, None) => Some(value).filter(|&n| n < LARGEST),
        _ => None,
    }
}

/// Gives every bit-field its own base type, and the offset of its storage unit.
pub(crate) fn apply_bit_fields(graph: &mut TypeGraph, fields: &[BitField]) {
    let mut made: FxHashMap<Type, NodeId> = FxHashMap::default();
    for field in fields {
        let Type::Composite { members, .. } = graph.get(field.composite) else { continue };
        let Some(member) = members.get(field.member) else { continue };
        let Some((ty, offset)) = place(graph, member.ty, field.position) else { continue };
        let node = *made.entry(ty).or_insert_with_key(|ty| graph.add(ty.clone()));
        graph.update_member(field.composite, field.member, |member| {
            (member.ty, member.offset) = (node, offset);
        });
    }
}

/// The type of a bit-field and the offset of the storage unit that it lies in: that of its declared type, at a multiple
/// of its size, or where that would cut the field (a packed struct) at the field's first byte.
fn place(graph: &TypeGraph, declared: NodeId, position: BitPosition) -> Option<(Type, u64)> {
    let (encoding, size, spelling) = underlying(graph, declared)?;
    let storage_bits = u64::from(size).checked_mul(8).filter(|&n| n != 0)?;
    let first_bit = match position.style {
        Style::FromStart(bits) => bits,
        Style::FromHighEnd { byte, storage, offset } => {
            let end = byte.checked_add(storage.unwrap_or(u64::from(size)))?.checked_mul(8)?;
            i64::try_from(end)
                .ok()?
                .checked_sub(offset)?
                .checked_sub_unsigned(position.size)?
                .try_into()
                .ok()?
        }
    };
    let mut unit = first_bit / storage_bits * u64::from(size);
    if (first_bit - unit * 8).saturating_add(position.size) > storage_bits {
        unit = first_bit / 8;
    }
    let bit_size = u32::try_from(position.size).ok()?;
    let bit_offset = u32::try_from(first_bit - unit * 8).ok()?;
    Some((Type::Base { encoding, size, bit_size, bit_offset, spelling: spelling.to_owned() }, unit))
}

/// The integer type behind a bit-field's declared type, which may be an enumeration.
fn underlying(graph: &TypeGraph, declared: NodeId) -> Option<(u8, u32, &str)> {
    match graph.get(declared) {
        Type::Base { encoding, size, spelling, .. } => Some((*encoding, *size, spelling)),
        Type::Enumeration { base, .. } => match graph.get(*base) {
            Type::Base { encoding, size, spelling, .. } => Some((*encoding, *size, spelling)),
            _ => None,
        },
        _ => None,
    }
}

/// The integer type of an enumeration whose DIE does not say it (DWARF 2): as gcc chooses it, unsigned unless there is a
/// negative value.
pub(crate) fn enumeration_base(size: Option<u64>, enumerators: &[(String, i64)]) -> Type {
    let size = size.and_then(|n| u32::try_from(n).ok()).unwrap_or(4);
    let negative = enumerators.iter().any(|&(_, value)| value < 0);
    let encoding = if negative { dw::DW_ATE_signed } else { dw::DW_ATE_unsigned };
    let bit_size = size.saturating_mul(8);
    Type::Base { encoding: encoding.0, size, bit_size, bit_offset: 0, spelling: String::new() }
}

/// A C++ pointer to a data member is an integer, the offset of the member; one to a member function is two.
pub(crate) fn pointer_to_member(graph: &mut TypeGraph, is_function: bool) -> Type {
    let (encoding, spelling) = (dw::DW_ATE_signed.0, String::new());
    let integer = Type::Base { encoding, size: 8, bit_size: 64, bit_offset: 0, spelling };
    if is_function {
        return Type::Array { element: graph.add(integer), length: Some(2), precise_empty: false };
    }
    integer
}

/// The name of a member. That of a pointer to the table of virtual functions, which the compiler makes up, differs between compilers.
pub(crate) fn name(given: Cow<'_, str>) -> String {
    match given.strip_prefix("_vptr$") {
        Some(class) => format!("_vptr.{class}"),
        None => given.into_owned(),
    }
}
