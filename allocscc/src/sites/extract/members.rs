//! Numbers that members of structs keep from one statement to the next: `v->size = n * sizeof (T); v->data = malloc (v->size);`.
//!
//! A member keeps what was stored in it as long as nothing runs that might change it: a call, a store through a pointer, a branch.

use super::Walk;
use super::values::{ValueId, Values};
use crate::c::scopes::ObjectId;
use crate::c::syntax::{Expr, ExprId};
use crate::c::types::RecordId;
use crate::sites::facts::TagKind;

/// A member of a variable, or of what a variable points to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct MemberOf {
    variable: ObjectId,
    is_pointer: bool,
    record: RecordId,
    /// Where it lies, which tells members of anonymous unions apart from others.
    offset: u64,
}

/// The members that were stored to, and what they keep.
#[derive(Default)]
pub(super) struct Stored(Vec<(MemberOf, ValueId)>);

impl Stored {
    /// What might change members runs.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

impl Walk<'_, '_, '_, '_> {
    /// A value was stored where an expression says.
    pub(super) fn note_stored(&mut self, target: ExprId, value: ValueId) {
        if let Expr::Object(variable) = self.unit.tree.node(target).expr {
            // A whole struct may be what a pointer points to.
            if self.unit.types.as_record(self.unit.tree.node(target).ty).is_some() {
                self.stored.clear();
            }
            return self.stored.0.retain(|(member, _)| member.variable != variable);
        }
        let Some(target_member) = self.member_of(target) else { return self.stored.clear() };
        // Another variable may point to the same struct, or to a part of it.
        self.stored.0.retain(|(member, _)| {
            let is_beside = MemberOf { offset: target_member.offset, ..*member } == target_member;
            is_beside && member.offset != target_member.offset
        });
        if value != Values::OPAQUE && self.unit.types.is_integer(self.unit.tree.node(target).ty) {
            self.stored.0.push((target_member, value));
        }
    }

    /// What was stored in the member that an expression reads.
    pub(super) fn stored_in(&self, expr: ExprId) -> Option<ValueId> {
        let member = self.member_of(expr)?;
        self.stored.0.iter().find(|(known, _)| *known == member).map(|(_, value)| *value)
    }

    fn member_of(&self, expr: ExprId) -> Option<MemberOf> {
        let Expr::Member { of, name, arrow: is_pointer, .. } = self.unit.tree.node(expr).expr else {
            return None;
        };
        let of = self.unit.tree.node(of);
        let Expr::Object(variable) = of.expr else { return None };
        let holder = if is_pointer { self.unit.types.pointee(of.ty)? } else { of.ty };
        let record = self.unit.types.as_record(holder)?;
        if self.unit.types.record(record).kind != TagKind::Struct {
            return None;
        }
        let (_, offset) = self.unit.types.member(record, name)?;
        Some(MemberOf { variable, is_pointer, record, offset: offset? })
    }
}
