//! What becomes of pointers to void that are kept in fields, variables outside functions and parameters: a block whose only pointer
//! is one of these is a buffer of bytes if all that the program does with it is to read and write bytes.
//!
//! A pointer is followed as long as it is a `void *` or one to bytes, through local variables and casts. That some function works on its
//! bytes does not say that they are no more: `char *p = v->data; return p + i * v->width;` gives somebody an object.

use super::values::{Distance, Value, ValueId, Values};
use super::{FoundSink, OUTSIDE, Walk};
use crate::c::layout::size_and_align;
use crate::c::scopes::{ObjectId, Storage};
use crate::c::syntax::{BinaryOp, Expr, ExprId, UnaryOp};
use crate::c::token::Symbol;
use crate::c::types::{Member, RecordId, Type, TypeId, Types, UNSIGNED};
use crate::sites::facts::{BaseType, Callee, Holder, TagKind};
use crate::sites::functions::moves_bytes;

/// How programs read bytes for speed, many at once.
const WORD: BaseType = BaseType { encoding: UNSIGNED, size: 8 };

/// Where a pointer to void is kept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) enum Keeper {
    /// In a member of a struct.
    Field(RecordId, Symbol),
    /// In a variable outside functions.
    Variable(ObjectId),
    /// In a parameter of a function of this name.
    Argument(Symbol, u32),
}

/// What becomes of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) enum FoundUse {
    Bytes,
    Numbers(BaseType),
    Elements(BaseType),
    Given(BaseType),
    Anything,
    Objects,
    Passed(Keeper),
}

impl Walk<'_, '_, '_, '_> {
    pub(super) fn is_void_pointer(&self, ty: TypeId) -> bool {
        matches!(*self.unit.types.get(ty), Type::Pointer(Types::VOID))
    }

    /// The place that an expression names, if it keeps a pointer to void.
    pub(super) fn keeper(&self, expr: ExprId) -> Option<Keeper> {
        self.is_void_pointer(self.unit.tree.node(expr).ty).then(|| self.place(expr))?
    }

    /// The place outside the function that an expression names.
    pub(super) fn place(&self, expr: ExprId) -> Option<Keeper> {
        let node = self.unit.tree.node(expr);
        match node.expr {
            Expr::Object(object) => match self.unit.scopes.object(object).storage {
                Storage::Global | Storage::Static => Some(Keeper::Variable(object)),
                Storage::Local | Storage::Parameter(_) => None,
            },
            Expr::Member { of, name, arrow, .. } => {
                let holder = self.unit.tree.node(of).ty;
                let holder = if arrow { self.unit.types.pointee(holder)? } else { holder };
                let record = self.unit.types.as_record(holder)?;
                let is_struct = self.unit.types.record(record).kind == TagKind::Struct;
                is_struct.then_some(Keeper::Field(record, name))
            }
            _ => None,
        }
    }

    /// The value of a place that keeps a pointer to void or to bytes.
    pub(super) fn kept_in(&mut self, expr: ExprId) -> ValueId {
        let keeper = self.keeper(expr).or_else(|| self.byte_keeper(expr));
        keeper.map_or(Values::OPAQUE, |keeper| self.found.values.leaf(Value::Kept(keeper, false)))
    }

    /// The places whose pointers a value may be, and whether it points somewhere behind.
    fn keepers(&self, value: ValueId) -> Vec<(Keeper, bool)> {
        if value == Values::OPAQUE {
            return Vec::new();
        }
        let values = &self.found.values;
        let kept = values.each(value).filter_map(|id| match *values.get(id) {
            Value::Kept(keeper, moved) if !self.keeps_bytes(keeper) => Some((keeper, moved)),
            Value::PointerParam(index) => Some((self.parameter(index)?, false)),
            _ => None,
        });
        kept.collect()
    }

    /// A parameter of the enclosing function that is a pointer to void.
    fn parameter(&self, index: u32) -> Option<Keeper> {
        let function = self.found.functions.get(self.function as usize)?;
        let parameter = *function.parameters.get(index as usize)?;
        let is_kept = self.is_void_pointer(self.unit.scopes.object(parameter).ty);
        is_kept.then(|| Keeper::Argument(self.unit.scopes.object(function.object).name, index))
    }

    /// The pointer that an expression is made of by casts and arithmetic.
    fn base(&self, expr: ExprId) -> ExprId {
        let is_pointer = |expr: ExprId| self.unit.types.pointee(self.unit.tree.node(expr).ty).is_some();
        match self.unit.tree.node(expr).expr {
            Expr::Cast(inner) | Expr::Unary(UnaryOp::Plus, inner) => self.base(inner),
            Expr::Binary(BinaryOp::Add, left, right) if is_pointer(right) && !is_pointer(left) => {
                self.base(right)
            }
            Expr::Binary(BinaryOp::Add | BinaryOp::Sub, left, _) => self.base(left),
            Expr::Comma(_, right) => self.base(right),
            Expr::Assign(None, _, source) => self.base(source),
            _ => expr,
        }
    }

    /// The places whose pointers an expression may be, while it is not a pointer to something else than bytes.
    fn keepers_of(&self, expr: ExprId, value: ValueId) -> Vec<(Keeper, bool)> {
        let keepers = self.keepers(value);
        if keepers.is_empty() || self.points_to_objects(expr) { Vec::new() } else { keepers }
    }

    fn note(&mut self, keepers: Vec<(Keeper, bool)>, what: FoundUse) {
        if self.function != OUTSIDE {
            self.found.uses.extend(keepers.into_iter().map(|(keeper, _)| (keeper, what)));
        }
    }

    /// It may be anything: sight of it is lost, or it is a pointer to something else than bytes.
    pub(super) fn lose(&mut self, value: ValueId) {
        let keepers = self.keepers(value);
        self.note(keepers, FoundUse::Anything);
        self.receive(value, FoundSink::Lost);
    }

    /// A place that keeps a pointer to void has its address taken.
    pub(super) fn lose_place(&mut self, expr: ExprId) {
        if let Some(keeper) = self.keeper(expr) {
            self.note(vec![(keeper, false)], FoundUse::Anything);
        }
    }

    /// An expression becomes a pointer of this type. A cast alone says nothing of bytes: it is made for arithmetic.
    pub(super) fn used_as(&mut self, expr: ExprId, value: ValueId, ty: TypeId, is_cast: bool) {
        let Type::Pointer(to) = *self.unit.types.get(ty) else { return };
        if to == Types::VOID {
            return;
        }
        self.carve(value, to, is_cast);
        if is_cast {
            self.view(self.base(expr), value, (ty, to));
        }
        for (keeper, moved) in self.keepers_of(expr, value) {
            let what = match self.unit.types.get(to) {
                Type::Base(base) if base.size == 1 => FoundUse::Bytes,
                _ => match self.number(to) {
                    Some(number) if is_cast || *self.unit.types.get(to) == Type::Base(WORD) => {
                        FoundUse::Numbers(number)
                    }
                    _ => FoundUse::Anything,
                },
            };
            if what != FoundUse::Bytes || !(moved || is_cast) {
                self.note(vec![(keeper, moved)], what);
            }
        }
    }

    /// So many elements that a pointer of this type points to are counted from there: if that is no constant, it is an array of them.
    pub(super) fn counted(&mut self, pointer: ValueId, ty: TypeId, is_constant: bool) {
        let Some(to) = self.unit.types.pointee(ty) else { return };
        let what = match *self.unit.types.get(to) {
            Type::Base(WORD) => return,
            Type::Base(base) if !is_constant => FoundUse::Elements(base),
            _ if self.is_number(to) => FoundUse::Anything,
            _ => return,
        };
        for (keeper, moved) in self.keepers(pointer) {
            let what = if moved && matches!(what, FoundUse::Elements(base) if base.size > 1) {
                FoundUse::Anything
            } else {
                what
            };
            self.note(vec![(keeper, moved)], what);
        }
    }

    /// The number that this is, or that it is a record of.
    fn number(&self, ty: TypeId) -> Option<BaseType> {
        match *self.unit.types.get(ty) {
            Type::Base(base) if base.size > 1 => Some(base),
            Type::Record(record) if self.is_number(ty) => {
                self.number(self.unit.types.record(record).members.first()?.ty)
            }
            _ => None,
        }
    }

    /// Whether this is a number of several bytes, or a record of one that lies anywhere: `struct { unsigned v; } __attribute__((packed))`
    /// is how programs read a number that is not aligned.
    pub(super) fn is_number(&self, ty: TypeId) -> bool {
        match *self.unit.types.get(ty) {
            Type::Base(base) => base.size > 1,
            Type::Record(record) => {
                let is_number = |member: &Member| matches!(self.unit.types.get(member.ty), Type::Base(_));
                let layout = size_and_align(&self.unit.types, ty);
                let members = &self.unit.types.record(record).members;
                let is_one = layout.is_some_and(|layout| {
                    layout.align == 1
                        && members
                            .iter()
                            .all(|member| self.unit.types.size_of(member.ty) == Some(layout.size))
                });
                is_one && !members.is_empty() && members.iter().all(is_number)
            }
            _ => false,
        }
    }

    /// An expression becomes an argument of a function, which may not say what it takes.
    pub(super) fn passed(
        &mut self,
        (function, target): (Option<Symbol>, Option<&Callee>),
        (index, expr): (u32, ExprId),
        values: &[ValueId],
        parameter: Option<TypeId>,
    ) {
        let value = values[index as usize];
        if let Some(Type::Pointer(to)) = parameter.map(|ty| self.unit.types.get(ty)) {
            self.carve(value, *to, false);
        }
        if function.is_none() && parameter.is_none_or(|parameter| self.is_void_pointer(parameter)) {
            self.receive(value, FoundSink::Lost);
        }
        let keepers = self.keepers_of(expr, value);
        if keepers.is_empty() {
            return;
        }
        let ty = self.unit.tree.node(expr).ty;
        if parameter.is_none() && self.is_byte_pointer(ty) {
            // `printf ("%s", (char *) p)`
            return;
        }
        if let Some(parameter) = parameter
            && !self.is_void_pointer(parameter)
        {
            return self.used_as(expr, value, parameter, false);
        }
        let Some(name) = function else { return self.passed_to_pointer(keepers, target, index) };
        let number = |argument: u32| values.get(argument as usize).copied().unwrap_or(Values::OPAQUE);
        let is_byte = |argument: u32| match *self.found.values.get(number(argument)) {
            Value::Const(1) => true,
            Value::Sizeof(ty) => self.unit.types.size_of(ty) == Some(1),
            _ => false,
        };
        let is_larger = |ty: TypeId| self.unit.types.size_of(ty) != Some(1);
        let counts_objects = |argument: u32| self.found.values.has_sizeof(number(argument), &is_larger);
        let name_of_function = self.unit.tokens.names.text(name);
        let moves_bytes = moves_bytes(&name_of_function, index, is_byte, counts_objects);
        let what =
            if moves_bytes { FoundUse::Bytes } else { FoundUse::Passed(Keeper::Argument(name, index)) };
        self.note(keepers, what);
    }

    /// Pointers become an argument of what a function pointer points to.
    fn passed_to_pointer(&mut self, keepers: Vec<(Keeper, bool)>, pointer: Option<&Callee>, index: u32) {
        match pointer {
            // A parameter of one function is no place that all know.
            None | Some(Callee::Param(_)) => self.note(keepers, FoundUse::Anything),
            Some(pointer) => {
                let called = keepers.into_iter().map(|(keeper, _)| (keeper, pointer.clone(), index));
                self.found.called.extend(called);
            }
        }
    }

    /// The enclosing function returns an expression.
    pub(super) fn returned(&mut self, expr: ExprId, value: ValueId) {
        if self.is_void_pointer(self.result) {
            let keepers = self.keepers_of(expr, value);
            self.note(keepers, FoundUse::Anything);
        } else {
            self.used_as(expr, value, self.result, false);
        }
    }

    /// An expression is stored in another one.
    pub(super) fn stored(&mut self, target: ExprId, source: ExprId, value: ValueId) {
        let ty = self.unit.tree.node(target).ty;
        if !self.is_void_pointer(ty) {
            self.keep_bytes(target, value);
            return self.used_as(source, value, ty, false);
        }
        let keepers = self.keepers_of(source, value);
        match (self.keeper(target), &self.unit.tree.node(target).expr) {
            (Some(keeper), _) => {
                self.note(keepers, FoundUse::Passed(keeper));
                self.receive(value, FoundSink::Kept(keeper));
                if self.points_to_objects(source) && self.found.values.blocks(value).next().is_none() {
                    let to = self.unit.types.pointee(self.unit.tree.node(self.base(source)).ty);
                    let number = to.and_then(|to| self.number(to));
                    self.note(vec![(keeper, false)], number.map_or(FoundUse::Anything, FoundUse::Given));
                }
            }
            (None, Expr::Object(_)) => {}
            (None, _) => {
                self.note(keepers, FoundUse::Anything);
                self.receive(value, FoundSink::Lost);
            }
        }
    }

    /// A part of an aggregate of this type is initialised.
    pub(super) fn initialized(&mut self, holder: Option<Holder>, ty: TypeId, source: ExprId, value: ValueId) {
        if !self.is_void_pointer(ty) {
            return;
        }
        let keepers = self.keepers_of(source, value);
        self.note(keepers, FoundUse::Anything);
        self.receive(value, FoundSink::Lost);
        if self.points_to_objects(source) {
            self.found.keepers_of_objects.extend(holder);
        }
    }

    /// Whether an expression points to something else than bytes.
    fn points_to_objects(&self, expr: ExprId) -> bool {
        let ty = self.unit.tree.node(self.base(expr)).ty;
        let is_byte = |to: TypeId| {
            to == Types::VOID || matches!(self.unit.types.get(to), Type::Base(base) if base.size == 1)
        };
        match self.unit.types.get(ty) {
            Type::Function { .. } => true,
            _ => self.unit.types.pointee(ty).is_some_and(|to| !is_byte(to)),
        }
    }

    /// The pointer that lies so far from another one.
    pub(super) fn moved(&mut self, pointer: ValueId, by: Distance) -> ValueId {
        let kept = self.keepers(pointer).into_iter().map(|(keeper, _)| keeper);
        let kept: Vec<Value> =
            kept.chain(self.byte_keepers(pointer)).map(|keeper| Value::Kept(keeper, true)).collect();
        let mut all: Vec<ValueId> = kept.into_iter().map(|value| self.found.values.leaf(value)).collect();
        all.push(self.found.values.moved(pointer, by));
        all.retain(|&value| value != Values::OPAQUE);
        self.found.values.alternatives(&all)
    }
}
