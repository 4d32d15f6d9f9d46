//! Blocks that pointers to characters point to, and that hold something else: arenas, and memory that is aligned by hand. The pointer to
//! characters is there for arithmetic only.
//!
//! To read a word of a buffer is no sign of that, nor is a cast to a pointer to numbers alone: a pointer to structs, pointers or
//! vectors is, and one to numbers that is kept.

use rustc_hash::FxHashSet;

use super::uses::{FoundUse, Keeper};
use super::values::{CallIndex, Distance, Value, ValueId, Values};
use super::{FoundSink, Walk};
use crate::c::syntax::{BinaryOp, ExprId};
use crate::c::types::{Type, TypeId, Types};

/// What becomes in one function of the pointers to characters that it keeps in members and in variables outside functions.
#[derive(Default)]
pub(super) struct Carving {
    /// The blocks that are kept, and where.
    kept: FxHashSet<(CallIndex, Option<u32>, Keeper)>,
    /// The places whose pointers become pointers to something else.
    carved: FxHashSet<Keeper>,
}

impl Walk<'_, '_, '_, '_> {
    pub(super) fn is_byte_pointer(&self, ty: TypeId) -> bool {
        matches!(*self.unit.types.get(ty), Type::Pointer(to) if self.is_character(to))
    }

    fn is_character(&self, ty: TypeId) -> bool {
        matches!(self.unit.types.get(ty), Type::Base(base) if base.size == 1)
    }

    pub(super) fn is_character_array(&self, ty: TypeId) -> bool {
        matches!(*self.unit.types.get(ty), Type::Array(element, _) if self.is_character(element))
    }

    /// The place that an expression names, if it keeps a pointer to bytes.
    pub(super) fn byte_keeper(&self, expr: ExprId) -> Option<Keeper> {
        self.is_byte_pointer(self.unit.tree.node(expr).ty).then(|| self.place(expr))?
    }

    /// Whether a place keeps a pointer to bytes.
    pub(super) fn keeps_bytes(&self, keeper: Keeper) -> bool {
        let ty = match keeper {
            Keeper::Field(record, name) => self.unit.types.member(record, name).map(|(ty, _)| ty),
            Keeper::Variable(object) => Some(self.unit.scopes.object(object).ty),
            Keeper::Argument(..) => None,
        };
        ty.is_some_and(|ty| self.is_byte_pointer(ty))
    }

    /// The places whose pointers to bytes a value may be.
    pub(super) fn byte_keepers(&self, value: ValueId) -> Vec<Keeper> {
        let values = &self.found.values;
        let kept = values.each(value).filter_map(|id| match *values.get(id) {
            Value::Kept(keeper, _) if self.keeps_bytes(keeper) => Some(keeper),
            _ => None,
        });
        kept.collect()
    }

    /// The parameters of the enclosing function that are pointers to bytes and that a value may be.
    fn byte_parameters(&self, value: ValueId) -> Vec<Keeper> {
        let Some(function) = self.found.functions.get(self.function as usize) else { return Vec::new() };
        let name = self.unit.scopes.object(function.object).name;
        let is_bytes = |index: &u32| {
            let parameter = function.parameters.get(*index as usize);
            parameter.is_some_and(|&object| self.is_byte_pointer(self.unit.scopes.object(object).ty))
        };
        let parameters = self.found.values.pointer_parameters(&[value]);
        parameters.into_iter().filter(is_bytes).map(|index| Keeper::Argument(name, index)).collect()
    }

    /// A value is kept where a pointer to bytes is.
    pub(super) fn keep_bytes(&mut self, target: ExprId, value: ValueId) {
        let Some(keeper) = self.byte_keeper(target) else { return };
        let blocks = self.found.values.blocks(value).map(|(call, output)| (call, output, keeper));
        self.carving.kept.extend(blocks);
    }

    /// Integers that pointers became are rounded and moved.
    pub(super) fn combine_or_move(
        &mut self,
        op: BinaryOp,
        left: ValueId,
        (right_expr, right): (ExprId, ValueId),
    ) -> ValueId {
        let values = &mut self.found.values;
        let mut moved = [left, right].map(|value| values.moved(value, Distance::Unknown));
        let right_type = self.unit.tree.node(self.below_casts(right_expr)).ty;
        let is_number = match op {
            BinaryOp::Add | BinaryOp::Or => false,
            // How far two pointers are from each other, and how far one is from its alignment.
            BinaryOp::Sub => moved[1] != Values::OPAQUE || self.unit.types.pointee(right_type).is_some(),
            BinaryOp::And => matches!(self.found.values.get(right), Value::Const(_)),
            BinaryOp::Shl | BinaryOp::Shr | BinaryOp::Mul | BinaryOp::Div => {
                moved[1] = Values::OPAQUE;
                false
            }
            _ => true,
        };
        if is_number {
            return self.combine(op, left, right);
        }
        match moved {
            [Values::OPAQUE, Values::OPAQUE] => self.combine(op, left, right),
            [pointer, Values::OPAQUE] | [Values::OPAQUE, pointer] => pointer,
            _ => Values::OPAQUE,
        }
    }

    /// A value becomes a pointer to this.
    pub(super) fn carve(&mut self, value: ValueId, to: TypeId, is_cast: bool) {
        let to = self.unit.types.innermost_element(to);
        if value == Values::OPAQUE || to == Types::VOID || self.is_character(to) {
            return;
        }
        let is_object = self.is_object(to, is_cast);
        if is_object || !is_cast {
            self.receive(value, FoundSink::Carved);
            let kept = self.byte_keepers(value);
            self.carving.carved.extend(kept);
        }
        if is_object {
            let parameters = self.byte_parameters(value).into_iter();
            self.found.uses.extend(parameters.map(|keeper| (keeper, FoundUse::Objects)));
        }
    }

    /// Whether a pointer to this says that no buffer lies there.
    fn is_object(&self, to: TypeId, is_cast: bool) -> bool {
        match self.unit.types.get(to) {
            Type::Record(_) if is_cast && self.is_number(to) => false,
            Type::Record(_) | Type::Pointer(_) => true,
            Type::Vector(..) => !is_cast,
            _ => false,
        }
    }

    /// A value, made of this pointer to bytes by casts and arithmetic, becomes a pointer of this type by a cast.
    pub(super) fn view(&mut self, base: ExprId, value: ValueId, (ty, to): (TypeId, TypeId)) {
        if self.is_byte_pointer(self.unit.tree.node(base).ty) && self.is_object(to, true) {
            self.receive(value, FoundSink::Part(ty));
        }
    }

    /// At the end of a function: what is kept in a place that is carved up is.
    pub(super) fn end_carving(&mut self) {
        let Carving { kept, carved } = std::mem::take(&mut self.carving);
        for (call, output, _) in kept.into_iter().filter(|(.., keeper)| carved.contains(keeper)) {
            let block = self.found.values.leaf(Value::Block(call, output));
            self.receive(block, FoundSink::Carved);
        }
    }
}
