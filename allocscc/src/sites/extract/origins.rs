//! Where in the source that stands which the type of a call is found from. For explanations: nothing is decided by it.

use super::values::{CallIndex, Value, ValueId};
use super::{Found, Walk};
use crate::c::scopes::ObjectId;
use crate::c::syntax::{Expr, ExprId, Init, InitId};
use crate::c::token::{Symbol, TokenIndex};
use crate::c::types::TypeId;

/// The deepest nesting of expressions and variables that a size is looked for in.
const DEEPEST: u32 = 12;
/// The most that is kept of one call.
const MOST_ORIGINS: usize = 12;
/// Names of receivers are cut behind so many members.
const MOST_STEPS: u32 = 4;

/// What a value that is being made becomes.
#[derive(Clone, Copy, Default)]
pub(super) enum Here {
    /// Nothing that has a name.
    #[default]
    Nowhere,
    /// What this expression makes of it.
    Expr(ExprId),
    /// The start of this variable.
    Variable(ObjectId, InitId),
    /// What the function returns, by this expression.
    Return(ExprId),
}

/// Something that the type of a call is found from.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Trace {
    Sizeof(TypeId),
    OffsetOf(TypeId, Box<str>),
    Variable(Symbol),
    Receiver(TypeId, String),
}

/// It, and where it stands.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct FoundOrigin {
    pub(super) trace: Trace,
    pub(super) at: TokenIndex,
}

/// A variable gets a value: which, where, and from which expression.
pub(super) struct Assignment {
    value: ValueId,
    at: TokenIndex,
    source: ExprId,
}

impl Found<'_> {
    fn add_origin(&mut self, call: CallIndex, origin: FoundOrigin) {
        let origins = &mut self.calls[call.0 as usize].origins;
        if origins.len() < MOST_ORIGINS && !origins.contains(&origin) {
            origins.push(origin);
        }
    }
}

impl Walk<'_, '_, '_, '_> {
    /// Notes that the block of a call becomes a pointer of this type here. The name of a variable says more than a cast.
    pub(super) fn note_receiver(&mut self, call: CallIndex, ty: TypeId) {
        let Some((at, name)) = self.receiver(call) else { return };
        let is_same = |origin: &FoundOrigin| matches!(origin.trace, Trace::Receiver(of, _) if of == ty);
        let known = self.found.calls[call.0 as usize].origins.iter_mut().find(|origin| is_same(origin));
        match known {
            Some(known) if known.trace == Trace::Receiver(ty, String::new()) => {
                *known = FoundOrigin { trace: Trace::Receiver(ty, name), at };
            }
            Some(_) => {}
            None => self.found.add_origin(call, FoundOrigin { trace: Trace::Receiver(ty, name), at }),
        }
    }

    /// Where the block of a call becomes a pointer, and in words what; no words for a cast.
    fn receiver(&self, call: CallIndex) -> Option<(TokenIndex, String)> {
        let tree = &self.unit.tree;
        let from = |source: ExprId| match tree.node(self.below_casts(source)).expr {
            Expr::Object(_) => format!(", from {}", self.spell(source, MOST_STEPS)),
            _ => String::new(),
        };
        Some(match self.here {
            Here::Nowhere => return None,
            Here::Variable(object, init) => {
                let object = self.unit.scopes.object(object);
                let source = match tree.get_init(init) {
                    Init::Expr(source) => from(*source),
                    Init::List(_) => String::new(),
                };
                (object.at, format!("{}{source}", self.unit.tokens.names.text(object.name)))
            }
            Here::Return(expr) => (tree.node(expr).start, "what the function returns".to_owned()),
            Here::Expr(id) => {
                let node = tree.node(id);
                let words = match &node.expr {
                    Expr::Assign(_, target, source) => {
                        format!("{}{}", self.spell(*target, MOST_STEPS), from(*source))
                    }
                    Expr::Call(callee, ..) if self.calls.get(&id) == Some(&call) => {
                        format!("what {} gives", self.spell(*callee, MOST_STEPS))
                    }
                    Expr::Call(callee, ..) => format!("an argument of {}", self.spell(*callee, MOST_STEPS)),
                    _ => String::new(),
                };
                (node.start, words)
            }
        })
    }

    /// What is assigned to, in the words of the source.
    fn spell(&self, expr: ExprId, steps: u32) -> String {
        let Some(steps) = steps.checked_sub(1) else { return "...".to_owned() };
        let names = &self.unit.tokens.names;
        match self.unit.tree.node(expr).expr {
            Expr::Object(object) => names.text(self.unit.scopes.object(object).name),
            Expr::Member { of, name, arrow, .. } => {
                let dot = if arrow { "->" } else { "." };
                format!("{}{dot}{}", self.spell(of, steps), names.text(name))
            }
            Expr::Index(of, _) => format!("{}[...]", self.spell(of, steps)),
            Expr::Unary(_, of) => format!("*{}", self.spell(of, steps)),
            Expr::Cast(of) => self.spell(of, steps),
            _ => "...".to_owned(),
        }
    }

    /// Notes what a variable is set to.
    pub(super) fn note_assignment(&mut self, object: ObjectId, value: ValueId) {
        let tree = &self.unit.tree;
        if !self.found.values.is_telling(value) {
            return;
        }
        let found = match self.here {
            Here::Expr(id) => match tree.node(id).expr {
                Expr::Assign(_, _, source) => Some((tree.node(id).start, source)),
                _ => None,
            },
            Here::Variable(variable, init) if variable == object => match tree.get_init(init) {
                Init::Expr(source) => Some((self.unit.scopes.object(object).at, *source)),
                Init::List(_) => None,
            },
            _ => None,
        };
        let Some((at, source)) = found else { return };
        let known = self.assignments.entry(object).or_default();
        if !known.iter().any(|known| known.at == at && known.value == value) {
            known.push(Assignment { value, at, source });
        }
    }

    /// Notes where the types stand that the sizes among the arguments of a call name.
    pub(super) fn note_sizes(&mut self, call: CallIndex, id: ExprId) {
        let unit = self.unit;
        let Expr::Call(_, arguments, _) = &unit.tree.node(id).expr else { return };
        let values = self.found.calls[call.0 as usize].arguments.clone();
        for (&argument, value) in arguments.iter().zip(values) {
            let mut named = Vec::new();
            self.found.values.named_types(value, &mut named);
            if !named.is_empty() {
                let mut origins = Vec::new();
                self.trace(argument, &named, DEEPEST, &mut origins);
                origins.into_iter().for_each(|origin| self.found.add_origin(call, origin));
            }
        }
    }

    /// Looks for the types that are `named` in an expression and in what the variables in it were set to.
    fn trace(&self, expr: ExprId, named: &[TypeId], depth: u32, origins: &mut Vec<FoundOrigin>) {
        let Some(depth) = depth.checked_sub(1) else { return };
        if origins.len() > MOST_ORIGINS {
            return;
        }
        let node = self.unit.tree.node(expr);
        let mut add = |ty: TypeId, trace: Trace| {
            if named.contains(&ty) {
                origins.push(FoundOrigin { trace, at: node.start });
            }
        };
        match &node.expr {
            Expr::SizeofType(ty) => add(*ty, Trace::Sizeof(*ty)),
            Expr::SizeofExpr(of) => {
                let ty = self.unit.tree.node(*of).ty;
                add(ty, Trace::Sizeof(ty));
            }
            Expr::Offsetof(ty, path, _) => add(*ty, Trace::OffsetOf(*ty, path.clone())),
            Expr::Object(object) => self.trace_variable(*object, named, depth, origins),
            Expr::Unary(_, of) | Expr::Cast(of) => self.trace(*of, named, depth, origins),
            Expr::Assign(_, _, source) => self.trace(*source, named, depth, origins),
            Expr::Binary(_, left, right) | Expr::Comma(left, right) => {
                self.trace(*left, named, depth, origins);
                self.trace(*right, named, depth, origins);
            }
            Expr::Conditional(condition, then, otherwise) => {
                for part in [then.unwrap_or(*condition), *otherwise] {
                    self.trace(part, named, depth, origins);
                }
            }
            Expr::Call(_, arguments, _) => {
                arguments.iter().for_each(|&argument| self.trace(argument, named, depth, origins));
            }
            _ => {}
        }
    }

    fn trace_variable(&self, object: ObjectId, named: &[TypeId], depth: u32, origins: &mut Vec<FoundOrigin>) {
        let variable = self.unit.scopes.object(object);
        let is_told = |value: ValueId| {
            let mut types = Vec::new();
            self.found.values.named_types(value, &mut types);
            types.iter().any(|ty| named.contains(ty))
        };
        let add = |at: TokenIndex, origins: &mut Vec<FoundOrigin>| {
            let origin = FoundOrigin { trace: Trace::Variable(variable.name), at };
            let is_new = !origins.contains(&origin);
            if is_new {
                origins.push(origin);
            }
            is_new
        };
        let Some(now) = self.environment.get(object) else {
            // A constant outside functions.
            if self.found.constants.get(&object).is_some_and(|&value| is_told(value)) {
                add(variable.at, origins);
            }
            return;
        };
        for assignment in self.assignments.get(&object).into_iter().flatten() {
            let is_it = self.found.values.each(now).any(|value| value == assignment.value);
            if is_it && is_told(assignment.value) && add(assignment.at, origins) {
                self.trace(assignment.source, named, depth, origins);
            }
        }
    }
}

impl super::values::Values {
    /// The types whose sizes a value is made of.
    fn named_types(&self, id: ValueId, types: &mut Vec<TypeId>) {
        match self.get(id) {
            Value::Sizeof(ty) | Value::OffsetOf(ty, _) => types.push(*ty),
            Value::Arithmetic(_, left, right) => {
                self.named_types(*left, types);
                self.named_types(*right, types);
            }
            Value::Alt(parts) | Value::Call(_, parts) => {
                parts.iter().for_each(|&part| self.named_types(part, types));
            }
            Value::Opaque
            | Value::Const(_)
            | Value::Param(_)
            | Value::PointerParam(_)
            | Value::StringLength
            | Value::Block(..)
            | Value::Inside(..)
            | Value::Kept(..) => {}
        }
    }
}
