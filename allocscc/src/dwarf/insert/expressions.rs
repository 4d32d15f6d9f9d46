//! Expressions whose operations refer to DIEs that have moved.

use anyhow::{Context, Result};
use gimli::{DieReference, Encoding, Expression, Operation, Reader, constants as dw};

use super::{Moves, little_endian};
use crate::dwarf::units::Slice;
use crate::leb128;

/// Bytes to write over those at an offset.
pub(super) type Patch = (usize, Vec<u8>);

/// What is different in an expression of the unit at an offset. Nothing changes its length.
pub(super) fn patches(
    expression: Expression<Slice<'_>>,
    encoding: Encoding,
    unit: usize,
    moves: &Moves,
) -> Result<Vec<Patch>> {
    let whole = expression.0;
    let mut found = Vec::new();
    let mut operations = expression.operations(encoding);
    let mut start = 0;
    while let Some(operation) = operations.next()? {
        let opcode = gimli::DwOp(whole[start]);
        let operand = start + 1;
        let word = usize::from(encoding.format.word_size());
        let of_address = if encoding.version == 2 { usize::from(encoding.address_size) } else { word };
        let in_unit = |distance: usize| moves.new_in_unit(unit, distance);
        let fixed = |old: usize, new: usize, width| -> Result<Option<Patch>> {
            if old == new { Ok(None) } else { Ok(Some((operand, little_endian(new, width)?))) }
        };
        let patch = match operation {
            Operation::ImplicitPointer { value, .. } => {
                fixed(value.0, moves.new_offset(value.0), of_address)?
            }
            Operation::VariableValue { offset } => fixed(offset.0, moves.new_offset(offset.0), of_address)?,
            Operation::Call { offset: DieReference::DebugInfoRef(at) } => {
                fixed(at.0, moves.new_offset(at.0), of_address)?
            }
            Operation::Call { offset: DieReference::UnitRef(at) } => {
                let width = if opcode == dw::DW_OP_call2 { 2 } else { 4 };
                fixed(at.0, in_unit(at.0), width)?
            }
            Operation::ParameterRef { offset } => fixed(offset.0, in_unit(offset.0), 4)?,
            Operation::TypedLiteral { base_type: ty, .. }
            | Operation::Convert { base_type: ty }
            | Operation::Reinterpret { base_type: ty }
            | Operation::RegisterOffset { base_type: ty, .. }
            | Operation::Deref { base_type: ty, .. }
                // 0 is the generic type.
                if ty.0 != 0 && in_unit(ty.0) != ty.0 =>
            {
                Some(base_type(&whole, opcode, operand, in_unit(ty.0))?)
            }
            Operation::EntryValue { expression } => {
                let at = expression.offset_from(whole);
                let inner = patches(Expression(expression), encoding, unit, moves)?;
                found.extend(inner.into_iter().map(|(offset, bytes)| (at + offset, bytes)));
                None
            }
            _ => None,
        };
        found.extend(patch);
        start = operations.offset_from(&expression);
    }
    Ok(found)
}

/// Writes another base type into an operation whose operands start at `operand`.
fn base_type(whole: &Slice<'_>, opcode: gimli::DwOp, operand: usize, ty: usize) -> Result<Patch> {
    let mut rest = whole.range_from(operand..);
    match opcode {
        dw::DW_OP_regval_type | dw::DW_OP_GNU_regval_type => drop(rest.read_uleb128()?),
        dw::DW_OP_deref_type | dw::DW_OP_xderef_type | dw::DW_OP_GNU_deref_type => drop(rest.read_u8()?),
        _ => {}
    }
    let at = rest.offset_from(*whole);
    rest.read_uleb128()?;
    let width = rest.offset_from(*whole) - at;
    let bytes = leb128::padded(ty, width).context("a base type of an expression moves too far")?;
    Ok((at, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dwarf::insert::Grown;
    use gimli::{Format, LittleEndian};

    /// In a unit at 0x40 with a DIE at 0x50 that grows by 4: the expression after the move.
    fn check(before: &[u8], after: &[u8]) {
        let grown =
            Grown { die: 0x50, old_code: 1, new_code: vec![9], target: 0, form: dw::DW_FORM_ref4, width: 4 };
        let encoding = Encoding { format: Format::Dwarf32, version: 5, address_size: 8 };
        let expression = Expression(Slice::new(before, LittleEndian));
        let mut moved = before.to_vec();
        for (at, bytes) in patches(expression, encoding, 0x40, &Moves::new(&[grown])).unwrap() {
            moved[at..at + bytes.len()].copy_from_slice(&bytes);
        }
        assert_eq!(moved, after);
    }

    #[test]
    fn operations_follow_the_dies_that_they_refer_to() {
        // DW_OP_breg0 0; DW_OP_implicit_pointer 0x60, 0: in the section.
        check(&[0x70, 0, 0xa0, 0x60, 0, 0, 0, 0], &[0x70, 0, 0xa0, 0x64, 0, 0, 0, 0]);
        check(&[0xa0, 0x50, 0, 0, 0, 0], &[0xa0, 0x50, 0, 0, 0, 0]);
        // DW_OP_call2, DW_OP_call4 and DW_OP_GNU_parameter_ref: in the unit.
        check(&[0x98, 0x20, 0, 0x99, 0x20, 0, 0, 0], &[0x98, 0x24, 0, 0x99, 0x24, 0, 0, 0]);
        check(&[0xfa, 0x11, 0, 0, 0], &[0xfa, 0x15, 0, 0, 0]);
        // DW_OP_regval_type, DW_OP_deref_type, DW_OP_convert to a type behind, to one before, and to the generic one.
        check(&[0xa5, 3, 0x20, 0xa6, 4, 0x20], &[0xa5, 3, 0x24, 0xa6, 4, 0x24]);
        check(&[0xa8, 0xa0, 0, 0xa8, 0x0c, 0xa8, 0], &[0xa8, 0xa4, 0, 0xa8, 0x0c, 0xa8, 0]);
        // DW_OP_entry_value of DW_OP_regval_type.
        check(&[0x31, 0xa3, 3, 0xa5, 5, 0x30, 0x9f], &[0x31, 0xa3, 3, 0xa5, 5, 0x34, 0x9f]);
    }
}
