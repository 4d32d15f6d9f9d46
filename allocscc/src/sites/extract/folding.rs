//! Sizes of a type that are rounded up to a constant: their value is known, and so is what is added to the type.

use super::Walk;
use super::values::{Operation, Value, ValueId};
use crate::c::types::{TypeId, Types};

/// A smaller constant is no part of a block that has a meaning of its own.
const ROUNDING: u64 = 16;

impl Walk<'_, '_, '_, '_> {
    /// What `(sizeof (T) + 15) / 16 * 16` is: T, and bytes behind it if that is larger.
    pub(super) fn folded(&mut self, size: ValueId) -> ValueId {
        let is_quotient =
            |id: ValueId| matches!(self.found.values.get(id), Value::Arithmetic(Operation::Div, ..));
        let is_rounded = match *self.found.values.get(size) {
            Value::Arithmetic(Operation::Mul, left, right) => is_quotient(left) || is_quotient(right),
            _ => false,
        };
        if !is_rounded {
            return size;
        }
        let Some((ty, value)) = self.constant_with_type(size) else { return size };
        self.padded(ty, value).unwrap_or(size)
    }

    /// What `(sizeof (T) + 15) & ~15` is.
    pub(super) fn folded_mask(&mut self, size: ValueId, mask: ValueId) -> Option<ValueId> {
        let (ty, value) = self.constant_with_type(size)?;
        let Value::Const(mask) = *self.found.values.get(mask) else { return None };
        self.padded(ty, value & !mask)
    }

    /// The type and the value of a constant that is made of one type's size and numbers.
    fn constant_with_type(&self, size: ValueId) -> Option<(TypeId, u64)> {
        let mut named = Vec::new();
        let value = self.constant(size, &mut named)?;
        match named.as_slice() {
            [ty] => Some((*ty, value)),
            _ => None,
        }
    }

    /// So many bytes that begin with this type. As the size of a block, a type that is padded a lot is that type still.
    fn padded(&mut self, ty: TypeId, size: u64) -> Option<ValueId> {
        let padding = size.checked_sub(self.unit.types.size_of(ty)?)?;
        let values = &mut self.found.values;
        let whole = values.leaf(Value::Sizeof(ty));
        let other = values.leaf(Value::Const(if padding < ROUNDING { padding } else { size }));
        Some(match padding {
            0 => whole,
            1..ROUNDING => values.arithmetic(Operation::Add, whole, other),
            _ => values.alternatives(&[whole, other]),
        })
    }

    /// The value of a constant, and the types that are named in it.
    fn constant(&self, size: ValueId, named: &mut Vec<TypeId>) -> Option<u64> {
        match *self.found.values.get(size) {
            Value::Const(value) => Some(value),
            Value::Sizeof(ty) if ty != Types::UNKNOWN => {
                named.push(ty);
                self.unit.types.size_of(ty)
            }
            Value::Arithmetic(operation, left, right) => {
                let (left, right) = (self.constant(left, named)?, self.constant(right, named)?);
                match operation {
                    Operation::Mul => left.checked_mul(right),
                    Operation::Add => left.checked_add(right),
                    Operation::Sub => left.checked_sub(right),
                    Operation::Div => left.checked_div(right),
                }
            }
            _ => None,
        }
    }
}
