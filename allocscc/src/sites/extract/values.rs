//! What an expression is worth to the analysis: sizes, and pointers that allocation calls gave.

use rustc_hash::FxHashMap;

use super::uses::Keeper;
use crate::c::token::Symbol;
use crate::c::types::TypeId;

/// A value of a [`Values`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct ValueId(u32);

/// Index of a recorded call.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct CallIndex(pub(super) u32);

/// A value, types by id.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) enum Value {
    Opaque,
    Const(u64),
    Sizeof(TypeId),
    OffsetOf(TypeId, Box<str>),
    Param(u32),
    /// A parameter that is a pointer: no size.
    PointerParam(u32),
    Arithmetic(Operation, ValueId, ValueId),
    Alt(Box<[ValueId]>),
    Call(Symbol, Box<[ValueId]>),
    StringLength,
    /// The pointer that a call returned, or stored through an argument.
    Block(CallIndex, Option<u32>),
    /// A pointer to what lies so far behind the start of such a block.
    Inside(CallIndex, Option<u32>, Distance),
    /// The pointer to void that is kept in a place, or one to somewhere behind it.
    Kept(Keeper, bool),
}

/// How far behind the start of a block a pointer points.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Distance {
    /// So many elements of a type.
    Elements(TypeId, u64),
    /// So many bytes.
    Bytes(ValueId),
    Unknown,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Operation {
    Mul,
    Add,
    Sub,
    Div,
}

/// The largest value that is kept, in nodes: what is larger says nothing more.
const HEAVIEST: u32 = 120;
/// The most alternatives that are kept apart.
const MOST_ALTERNATIVES: usize = 12;

/// The values of a file; equal values have one id.
pub(super) struct Values {
    values: Vec<(Value, u32)>,
    ids: FxHashMap<Value, ValueId>,
}

impl Values {
    pub(super) const OPAQUE: ValueId = ValueId(0);

    pub(super) fn new() -> Self {
        let mut values = Values { values: Vec::new(), ids: FxHashMap::default() };
        values.intern(Value::Opaque, 1);
        values
    }

    fn intern(&mut self, value: Value, weight: u32) -> ValueId {
        if weight > HEAVIEST {
            return Self::OPAQUE;
        }
        if let Some(&id) = self.ids.get(&value) {
            return id;
        }
        let id = ValueId(self.values.len() as u32);
        self.values.push((value.clone(), weight));
        self.ids.insert(value, id);
        id
    }

    pub(super) fn get(&self, id: ValueId) -> &Value {
        &self.values[id.0 as usize].0
    }

    fn weight(&self, id: ValueId) -> u32 {
        self.values[id.0 as usize].1
    }

    pub(super) fn leaf(&mut self, value: Value) -> ValueId {
        self.intern(value, 1)
    }

    pub(super) fn constant(&mut self, value: i128) -> ValueId {
        u64::try_from(value).map_or(Self::OPAQUE, |value| self.leaf(Value::Const(value)))
    }

    pub(super) fn arithmetic(&mut self, operation: Operation, left: ValueId, right: ValueId) -> ValueId {
        let (left, right) = (self.as_number(left), self.as_number(right));
        if left == Self::OPAQUE && right == Self::OPAQUE {
            return Self::OPAQUE;
        }
        if let (&Value::Const(a), &Value::Const(b)) = (self.get(left), self.get(right)) {
            let folded = match operation {
                Operation::Mul => a.checked_mul(b),
                Operation::Add => a.checked_add(b),
                Operation::Sub => a.checked_sub(b),
                Operation::Div => a.checked_div(b),
            };
            return folded.map_or(Self::OPAQUE, |value| self.leaf(Value::Const(value)));
        }
        let weight = 1 + self.weight(left) + self.weight(right);
        self.intern(Value::Arithmetic(operation, left, right), weight)
    }

    /// What a size was before `(size + mask) & ~mask` rounded it up: the unit of rounding is no part of it.
    pub(super) fn without_rounding(&self, size: ValueId, mask: ValueId) -> ValueId {
        if mask == Self::OPAQUE {
            return size;
        }
        let added_to = |sum: ValueId, is_part: &dyn Fn(ValueId) -> bool| match *self.get(sum) {
            Value::Arithmetic(Operation::Add, other, part)
            | Value::Arithmetic(Operation::Add, part, other)
                if is_part(part) =>
            {
                Some(other)
            }
            _ => None,
        };
        // `(size + unit - 1) & ~(unit - 1)`
        let before_one = |of: ValueId| match *self.get(of) {
            Value::Arithmetic(Operation::Sub, before, one) if *self.get(one) == Value::Const(1) => {
                Some(before)
            }
            _ => None,
        };
        let is_unit = |part: ValueId| match (self.get(part), self.get(mask)) {
            (Value::Const(unit), Value::Const(mask)) => mask.checked_add(1) == Some(*unit),
            _ => before_one(mask) == Some(part),
        };
        let in_two_steps = || added_to(before_one(size)?, &is_unit);
        added_to(size, &|part| part == mask).or_else(in_two_steps).unwrap_or(size)
    }

    /// A pointer takes no part in the arithmetic of sizes.
    fn as_number(&self, id: ValueId) -> ValueId {
        let is_pointer = |value: &Value| {
            matches!(value, Value::Block(..) | Value::Inside(..) | Value::PointerParam(_) | Value::Kept(..))
        };
        let has_pointer = match self.get(id) {
            Value::Alt(parts) => parts.iter().any(|&part| is_pointer(self.get(part))),
            value => is_pointer(value),
        };
        if has_pointer { Self::OPAQUE } else { id }
    }

    pub(super) fn call(&mut self, function: Symbol, arguments: &[ValueId]) -> ValueId {
        let arguments: Box<[ValueId]> = arguments.iter().map(|&argument| self.as_number(argument)).collect();
        let weight = 1 + arguments.iter().map(|&argument| self.weight(argument)).sum::<u32>();
        self.intern(Value::Call(function, arguments), weight)
    }

    pub(super) fn alternatives(&mut self, of: &[ValueId]) -> ValueId {
        let mut flat: Vec<ValueId> = Vec::new();
        for &id in of {
            let parts = match self.get(id) {
                Value::Alt(parts) => parts.to_vec(),
                _ => vec![id],
            };
            for part in parts {
                if !flat.contains(&part) {
                    flat.push(part);
                }
            }
        }
        flat.truncate(MOST_ALTERNATIVES);
        match *flat.as_slice() {
            [] => Self::OPAQUE,
            [only] => only,
            _ => {
                let weight = 1 + flat.iter().map(|&part| self.weight(part)).sum::<u32>();
                self.intern(Value::Alt(flat.into_boxed_slice()), weight)
            }
        }
    }

    /// The allocated blocks that a value may point to.
    pub(super) fn blocks(&self, id: ValueId) -> impl Iterator<Item = (CallIndex, Option<u32>)> + '_ {
        self.each(id).filter_map(|id| match *self.get(id) {
            Value::Block(call, output) => Some((call, output)),
            _ => None,
        })
    }

    /// A value, and the alternatives that it stands for.
    pub(super) fn each(&self, id: ValueId) -> impl Iterator<Item = ValueId> + '_ {
        let alternatives: &[ValueId] = match self.get(id) {
            Value::Alt(alternatives) => alternatives,
            _ => &[],
        };
        std::iter::once(id).chain(alternatives.iter().copied())
    }

    /// The pointer that lies so far from another one; opaque if that points to no block.
    pub(super) fn moved(&mut self, pointer: ValueId, by: Distance) -> ValueId {
        let moved: Vec<Value> = self
            .each(pointer)
            .filter_map(|id| match *self.get(id) {
                Value::Block(call, output) => Some(Value::Inside(call, output, by)),
                Value::Inside(call, output, _) => Some(Value::Inside(call, output, Distance::Unknown)),
                _ => None,
            })
            .collect();
        let moved: Vec<ValueId> = moved.into_iter().map(|value| self.leaf(value)).collect();
        self.alternatives(&moved)
    }

    /// The pointer parameters among values.
    pub(super) fn pointer_parameters(&self, of: &[ValueId]) -> Vec<u32> {
        let mut found: Vec<u32> = of
            .iter()
            .flat_map(|&id| self.each(id))
            .filter_map(|id| match *self.get(id) {
                Value::PointerParam(index) => Some(index),
                _ => None,
            })
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Whether a value has the size of such a type in it.
    pub(super) fn has_sizeof(&self, id: ValueId, is_such: &impl Fn(TypeId) -> bool) -> bool {
        match self.get(id) {
            Value::Sizeof(ty) => is_such(*ty),
            Value::Arithmetic(_, left, right) => {
                self.has_sizeof(*left, is_such) || self.has_sizeof(*right, is_such)
            }
            Value::Alt(parts) | Value::Call(_, parts) => {
                parts.iter().any(|&part| self.has_sizeof(part, is_such))
            }
            _ => false,
        }
    }

    /// Whether a value says anything about types or parameters.
    pub(super) fn is_telling(&self, id: ValueId) -> bool {
        match self.get(id) {
            Value::Opaque
            | Value::Const(_)
            | Value::PointerParam(_)
            | Value::Block(..)
            | Value::Inside(..)
            | Value::Kept(..) => false,
            Value::Sizeof(_) | Value::OffsetOf(..) | Value::Param(_) | Value::StringLength => true,
            Value::Arithmetic(_, left, right) => self.is_telling(*left) || self.is_telling(*right),
            Value::Alt(parts) | Value::Call(_, parts) => parts.iter().any(|&part| self.is_telling(part)),
        }
    }
}
