//! What function pointers point to: by field, variable and parameter, whatever object the field is in, and whenever in the run of a
//! function a variable gets its value.

use super::{FoundBinding, OUTSIDE, Walk};
use crate::c::Parser;
use crate::c::scopes::{ObjectId, Storage};
use crate::c::syntax::{Expr, ExprId, UnaryOp};
use crate::c::types::{RecordId, Type, TypeId};
use crate::sites::facts::{Callee, Holder};

/// Records nested deeper are not looked into.
const DEEPEST: u32 = 8;

impl Walk<'_, '_, '_, '_> {
    /// Whether a type is a pointer to a function.
    pub(super) fn points_to_function(&self, ty: TypeId) -> bool {
        let types = &self.unit.types;
        matches!(*types.get(ty), Type::Pointer(to) if matches!(types.get(to), Type::Function { .. }))
    }

    /// Whether a type is a pointer to a function, or an array of these, or a pointer to one in an array.
    pub(super) fn leads_to_function(&self, ty: TypeId) -> bool {
        let of_array = || self.unit.types.pointee(ty).is_some_and(|element| self.points_to_function(element));
        self.points_to_function(ty) || of_array()
    }

    /// A variable as a place for function pointers. A local one is known to its file alone, and by its line.
    pub(super) fn variable_place(&self, object: ObjectId) -> Callee {
        let object = self.unit.scopes.object(object);
        let name = self.unit.tokens.names.text(object.name);
        match object.storage {
            Storage::Parameter(index) => Callee::Param(index),
            Storage::Global => Callee::Global(name),
            Storage::Static => Callee::Static(name),
            Storage::Local => Callee::Static(format!("{name}:{}", self.unit.tokens.get(object.at).line)),
        }
    }

    /// What is called by an expression that chooses: `(is_big ? map : malloc)(n)`.
    pub(super) fn chosen(&mut self, callee: ExprId) -> Option<Callee> {
        let mut sources = Vec::new();
        self.functions_of(callee, &mut sources);
        if sources.len() <= 1 {
            return sources.pop();
        }
        // The place that such an expression is.
        let line = self.unit.tokens.get(self.unit.tree.node(callee).start).line;
        let place = format!("?{}:{line}", self.found.bindings.len());
        self.bind(Some(Holder::Static(place.clone())), callee);
        Some(Callee::Static(place))
    }

    /// Whether something of this type has function pointers in it.
    pub(super) fn holds_functions(&self, ty: TypeId) -> bool {
        self.holds(ty, &|ty| self.points_to_function(ty), DEEPEST)
    }

    /// Whether something of this type has pointers in it.
    pub(super) fn holds_pointers(&self, ty: TypeId) -> bool {
        self.holds(ty, &|ty| matches!(self.unit.types.get(ty), Type::Pointer(_)), DEEPEST)
    }

    fn holds(&self, ty: TypeId, is_such: &impl Fn(TypeId) -> bool, depth: u32) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        match *self.unit.types.get(ty) {
            Type::Array(element, _) => self.holds(element, is_such, depth),
            Type::Record(record) => {
                let members = &self.unit.types.record(record).members;
                members.iter().any(|member| self.holds(member.ty, is_such, depth))
            }
            _ => is_such(ty),
        }
    }

    /// The member of a record, as a place for function pointers.
    pub(super) fn member_holder(&self, record: RecordId, member: usize) -> Option<Holder> {
        let name = self.unit.types.record(record).members.get(member)?.name?;
        Some(Holder::Field(record_name(self.unit, record)?, self.unit.tokens.names.text(name)))
    }

    /// The place that an expression names, if function pointers in it are followed.
    pub(super) fn holder(&self, target: ExprId) -> Option<Holder> {
        self.holder_of(self.callee(target).0?)
    }

    /// The same of a variable.
    pub(super) fn variable_holder(&self, object: ObjectId) -> Option<Holder> {
        self.holder_of(self.variable_place(object))
    }

    fn holder_of(&self, place: Callee) -> Option<Holder> {
        match place {
            Callee::Field(ty, field) => Some(Holder::Field(ty, field)),
            Callee::Global(name) => Some(Holder::Global(name)),
            Callee::Static(name) => Some(Holder::Static(name)),
            Callee::Param(index) => {
                let function = self.found.functions.get(self.function as usize)?;
                let name = self.unit.scopes.object(function.object).name;
                Some(Holder::Argument(self.unit.tokens.names.text(name), index))
            }
            Callee::Direct(_) | Callee::Result(_) | Callee::Any => None,
        }
    }

    /// The enclosing function returns a function pointer.
    pub(super) fn bind_result(&mut self, source: ExprId) {
        if self.points_to_function(self.result)
            && let Some(function) = self.found.functions.get(self.function as usize)
        {
            let name = self.unit.scopes.object(function.object).name;
            self.bind(Some(Holder::Result(self.unit.tokens.names.text(name))), source);
        }
    }

    /// A function pointer gets the value of an expression.
    pub(super) fn bind(&mut self, holder: Option<Holder>, source: ExprId) {
        let Some(holder) = holder else { return };
        let mut sources = Vec::new();
        self.functions_of(source, &mut sources);
        let function = (self.function != OUTSIDE).then_some(self.function);
        for source in sources {
            self.found.bindings.push(FoundBinding { holder: holder.clone(), source, function });
        }
    }

    /// The address of an expression is taken: a function pointer there may be changed out of sight.
    pub(super) fn expose(&mut self, place: ExprId) {
        if self.leads_to_function(self.unit.tree.node(place).ty)
            && let Some(holder) = self.holder(place)
        {
            let function = (self.function != OUTSIDE).then_some(self.function);
            self.found.bindings.push(FoundBinding { holder, source: Callee::Any, function });
        }
    }

    /// The functions, or other function pointers, that an expression may be.
    fn functions_of(&self, expr: ExprId, found: &mut Vec<Callee>) {
        match &self.unit.tree.node(expr).expr {
            Expr::Cast(inner) | Expr::Unary(UnaryOp::Plus | UnaryOp::AddressOf, inner) => {
                self.functions_of(*inner, found);
            }
            Expr::Comma(_, right) => self.functions_of(*right, found),
            Expr::Assign(None, _, source) => self.functions_of(*source, found),
            Expr::Conditional(condition, then, otherwise) => {
                self.functions_of(then.unwrap_or(*condition), found);
                self.functions_of(*otherwise, found);
            }
            _ => found.extend(self.callee(expr).0),
        }
    }
}

/// What a record is called in all files: its name, and where it is defined, for two files may have one of the same name.
pub(super) fn record_name(unit: &Parser, record: RecordId) -> Option<String> {
    let record = unit.types.record(record);
    let name = unit.tokens.names.text(record.tag.or(record.typedef)?);
    let at = unit.tokens.get(record.at);
    let file = unit.tokens.file(at.file);
    let basename = file.rsplit('/').next().unwrap_or(file);
    Some(format!("{name} {basename}:{}", at.line))
}
