//! The walk over initialisers: each expression meets the type of the member that it initialises.

use super::Walk;
use super::values::{ValueId, Values};
use crate::c::scopes::ObjectId;
use crate::c::syntax::{Designator, Expr, ExprId, Init, InitId};
use crate::c::types::{RecordId, Type, TypeId, Types};
use crate::sites::facts::{Holder, TagKind};

impl Walk<'_, '_, '_, '_> {
    /// The value of a constant's initialiser.
    pub(super) fn scalar_initializer(&mut self, init: InitId) -> ValueId {
        match self.unit.tree.get_init(init) {
            Init::Expr(expr) => self.value(*expr),
            Init::List(_) => Values::OPAQUE,
        }
    }

    /// Initialises a variable.
    pub(super) fn variable_initializer(&mut self, object: ObjectId, init: InitId) -> ValueId {
        let ty = self.unit.scopes.object(object).ty;
        let holder = if self.holds_functions(ty) || self.leads_to_function(ty) {
            self.variable_holder(object)
        } else {
            None
        };
        self.initializer_of(holder, init, ty)
    }

    /// Initialises something of this type.
    pub(super) fn initializer(&mut self, init: InitId, ty: TypeId) -> ValueId {
        self.initializer_of(None, init, ty)
    }

    /// Initialises something of this type, in which function pointers are known by this name.
    pub(super) fn initializer_of(&mut self, holder: Option<Holder>, init: InitId, ty: TypeId) -> ValueId {
        let unit = self.unit;
        match unit.tree.get_init(init) {
            Init::Expr(expr) => {
                let value = self.value(*expr);
                self.convert(value, ty);
                self.used_as(*expr, value, ty, false);
                if self.leads_to_function(ty) {
                    self.bind(holder, *expr);
                }
                value
            }
            Init::List(items) => {
                let mut cursor = Cursor::new(ty);
                let mut last = Values::OPAQUE;
                for (designators, item) in items {
                    let mut of = holder.clone();
                    let part = match self.designated(ty, designators, &mut of) {
                        Some((part, index)) => {
                            cursor.next = index + 1;
                            part
                        }
                        None => self.next_part(&mut cursor, *item, &mut of),
                    };
                    last = self.initializer_of(of.clone(), *item, part);
                    if let Init::Expr(expr) = unit.tree.get_init(*item) {
                        self.initialized(of, part, *expr, last);
                    }
                }
                // `T *p = { malloc (n) };`
                if self.is_scalar(ty) && items.len() == 1 { last } else { Values::OPAQUE }
            }
        }
    }

    fn is_scalar(&self, ty: TypeId) -> bool {
        matches!(self.unit.types.get(ty), Type::Pointer(_) | Type::Base(_))
    }

    fn aggregate(&self, ty: TypeId) -> Option<RecordId> {
        let record = self.unit.types.as_record(ty)?;
        (self.unit.types.record(record).kind != TagKind::Enum).then_some(record)
    }

    /// The part that designators lead to, and the index of the outermost member on the way.
    fn designated(
        &mut self,
        ty: TypeId,
        designators: &[Designator],
        holder: &mut Option<Holder>,
    ) -> Option<(TypeId, usize)> {
        let mut part = ty;
        let mut first = None;
        for designator in designators {
            let index = match designator {
                Designator::Member(name) => {
                    let record = self.aggregate(part)?;
                    part = self.unit.types.member(record, *name)?.0;
                    let members = &self.unit.types.record(record).members;
                    let index = members.iter().position(|member| {
                        let inner = || self.unit.types.member(self.aggregate(member.ty)?, *name);
                        member.name == Some(*name) || (member.name.is_none() && inner().is_some())
                    })?;
                    *holder = self.member_holder(record, index);
                    index
                }
                Designator::Index(_) => {
                    part = self.unit.types.pointee(part)?;
                    0
                }
            };
            first = first.or(Some(index));
        }
        first.map(|index| (part, index))
    }

    /// The part that an item without designators initialises; without braces of its own it may lie deeper.
    fn next_part(&mut self, cursor: &mut Cursor, item: InitId, holder: &mut Option<Holder>) -> TypeId {
        let unit = self.unit;
        let expr = match unit.tree.get_init(item) {
            Init::Expr(expr) => Some(*expr),
            Init::List(_) => None,
        };
        let part = match *unit.types.get(cursor.ty) {
            Type::Array(element, _) | Type::Vector(element, _) => element,
            Type::Record(record) => {
                let members = &unit.types.record(record).members;
                let part = members.get(cursor.next).map_or(Types::UNKNOWN, |member| member.ty);
                *holder = self.member_holder(record, cursor.next);
                // Members that share braces with those of an inner struct cannot be counted by whole members.
                if expr.is_some_and(|expr| self.is_elided(part, expr)) {
                    cursor.next = usize::MAX - 1;
                }
                part
            }
            _ => cursor.ty,
        };
        cursor.next = cursor.next.saturating_add(1);
        if expr.is_some_and(|expr| self.is_elided(part, expr)) { Types::UNKNOWN } else { part }
    }

    /// Whether an expression initialises only a part of an aggregate.
    fn is_elided(&self, part: TypeId, expr: ExprId) -> bool {
        let node = self.unit.tree.node(expr);
        let is_aggregate =
            self.aggregate(part).is_some() || matches!(self.unit.types.get(part), Type::Array(..));
        is_aggregate && node.ty != part && !matches!(node.expr, Expr::Text)
    }
}

/// How far the members of an aggregate are initialised.
struct Cursor {
    ty: TypeId,
    next: usize,
}

impl Cursor {
    fn new(ty: TypeId) -> Self {
        Cursor { ty, next: 0 }
    }
}
