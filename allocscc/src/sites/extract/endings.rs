//! Blocks that end as text does: `p = get (n + 1); ((char *) p)[n] = 0;`. Nobody ends anything else like that, so they hold characters
//! or bytes, whatever pointer keeps them.

use super::values::{CallIndex, Distance, Operation, Value, ValueId, Values};
use super::{FoundSink, Walk};
use crate::c::types::TypeId;

impl Walk<'_, '_, '_, '_> {
    /// A value is written as one of this type to where a pointer points.
    pub(super) fn write(&mut self, ty: TypeId, pointer: ValueId, value: ValueId) {
        if self.unit.types.size_of(ty) != Some(1) || *self.found.values.get(value) != Value::Const(0) {
            return;
        }
        let inside = |id| match *self.found.values.get(id) {
            Value::Inside(call, None, distance) => Some((call, distance)),
            _ => None,
        };
        let inside: Vec<(CallIndex, Distance)> = self.found.values.each(pointer).filter_map(inside).collect();
        for (call, distance) in inside {
            let bytes = match distance {
                Distance::Bytes(bytes) if is_one_value(&self.found.values, bytes) => bytes,
                Distance::Elements(_, count) => self.found.values.leaf(Value::Const(count)),
                Distance::Bytes(_) | Distance::Unknown => continue,
            };
            let one = self.found.values.leaf(Value::Const(1));
            let size = self.found.values.arithmetic(Operation::Add, bytes, one);
            let turned = self.found.values.arithmetic(Operation::Add, one, bytes);
            let arguments = &self.found.calls[call.0 as usize].arguments;
            if arguments.iter().any(|&argument| argument == size || argument == turned) {
                let block = self.found.values.leaf(Value::Block(call, None));
                self.receive(block, FoundSink::Ended);
            }
        }
    }
}

/// Whether a value is the same wherever it stands in a function: no part of it is one of several, or not known.
fn is_one_value(values: &Values, id: ValueId) -> bool {
    match *values.get(id) {
        Value::Const(_) | Value::Sizeof(_) | Value::OffsetOf(..) | Value::Param(_) => true,
        Value::Arithmetic(_, left, right) => is_one_value(values, left) && is_one_value(values, right),
        _ => false,
    }
}
