//! Sizes and offsets as the x86-64 psABI lays them out, where they are needed for constants.
//!
//! What cannot be told is `None`: the debug info has the last word on sizes.

use super::types::{Length, Member, Type, TypeId, Types};
use crate::sites::facts::TagKind;

/// Size and alignment in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Layout {
    /// Size.
    pub size: u64,
    /// Alignment, a power of two.
    pub align: u64,
}

/// No object is larger; it keeps the arithmetic below from overflowing.
const LARGEST: u64 = 1 << 56;

/// Arrays of arrays nested deeper have no layout.
const DEEPEST: u32 = 256;

/// The layout of a type.
#[must_use]
pub fn size_and_align(types: &Types, id: TypeId) -> Option<Layout> {
    size_and_align_within(types, id, DEEPEST)
}

fn size_and_align_within(types: &Types, id: TypeId, depth: u32) -> Option<Layout> {
    let depth = depth.checked_sub(1)?;
    match *types.get(id) {
        Type::Unknown | Type::Void | Type::Function { .. } => None,
        Type::Base(base) => {
            let size = u64::from(base.size);
            let align = if base.encoding == super::types::COMPLEX_FLOAT { size / 2 } else { size };
            Some(Layout { size, align: align.next_power_of_two().clamp(1, 16) })
        }
        Type::Pointer(_) => Some(Layout { size: 8, align: 8 }),
        Type::Record(record) => types.record(record).layout,
        Type::Vector(_, size) => Some(Layout { size, align: size.next_power_of_two().clamp(1, 1 << 28) }),
        Type::Array(element, length) => {
            let element = size_and_align_within(types, element, depth)?;
            let count = match length {
                Length::Known(count) => count,
                Length::Open => 0,
                Length::Variable(_) | Length::Unknown => return None,
            };
            let size = element.size.checked_mul(count).filter(|&size| size < LARGEST)?;
            Some(Layout { size, align: element.align })
        }
    }
}

/// Lays out the members of a struct or union, and sets their offsets.
pub fn lay_out(types: &Types, kind: TagKind, members: &mut [Member], pack: Packing) -> Option<Layout> {
    let mut bits: u64 = 0;
    let mut size: u64 = 0;
    let mut align = pack.aligned.unwrap_or(1).max(1);
    for member in members {
        if kind == TagKind::Union {
            bits = 0;
        }
        let natural = size_and_align(types, member.ty)?;
        let packed = pack.packed || member.packed;
        let limit = if pack.pragma == 0 { u64::MAX } else { pack.pragma };
        let mut member_align = if packed { 1 } else { natural.align.min(limit) };
        member_align = member_align.max(member.aligned.unwrap_or(1)).max(1);
        match member.bits {
            None => {
                bits = round_up(bits, member_align.checked_mul(8)?)?;
                member.offset = Some(bits / 8);
                bits = bits.checked_add(natural.size.checked_mul(8)?)?;
                align = align.max(member_align);
            }
            Some(width) => {
                let width = width?;
                let unit = natural.size.checked_mul(8)?;
                if width == 0 {
                    bits = round_up(bits, unit.max(8))?;
                    continue;
                }
                let aligned = member.aligned.is_some();
                let crosses = !packed && unit != 0 && bits / unit != (bits + width - 1) / unit;
                if aligned || crosses {
                    bits = round_up(bits, member_align.checked_mul(8)?)?;
                }
                if member.name.is_some() {
                    align = align.max(member_align);
                }
                bits = bits.checked_add(width)?;
            }
        }
        size = size.max(bits.div_ceil(8));
        if size > LARGEST {
            return None;
        }
    }
    Some(Layout { size: round_up(size, align)?, align })
}

/// What narrows or widens the layout of a whole struct.
#[derive(Clone, Copy, Default, Debug)]
pub struct Packing {
    /// The `packed` attribute.
    pub packed: bool,
    /// `#pragma pack`; 0 for none.
    pub pragma: u64,
    /// The `aligned` attribute.
    pub aligned: Option<u64>,
}

fn round_up(value: u64, align: u64) -> Option<u64> {
    value.checked_next_multiple_of(align.max(1)).filter(|&value| value < LARGEST * 8)
}
