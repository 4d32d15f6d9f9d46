//! The walk over expressions: what they are worth, and what they assign.

use super::origins::Here;
use super::values::{Distance, Operation, Value, ValueId, Values};
use super::{FoundSink, Offset, Walk};
use crate::c::scopes::{ObjectId, Storage};
use crate::c::syntax::{BinaryOp, Expr, ExprId, UnaryOp};
use crate::c::token::Symbol;
use crate::c::types::{Length, Type, TypeId, Types};

/// Expressions nested deeper are not walked; only statement expressions within each other get there.
const DEEPEST: u32 = 20_000;

impl Walk<'_, '_, '_, '_> {
    /// What an expression is worth; what it assigns is done.
    pub(super) fn value(&mut self, id: ExprId) -> ValueId {
        if self.depth >= DEEPEST {
            return Values::OPAQUE;
        }
        self.depth += 1;
        let outer = std::mem::replace(&mut self.here, Here::Expr(id));
        let value = self.value_within(id);
        self.here = outer;
        self.depth -= 1;
        value
    }

    /// Does what an expression does.
    pub(super) fn effects(&mut self, id: ExprId) {
        self.value(id);
    }

    fn value_within(&mut self, id: ExprId) -> ValueId {
        let unit = self.unit;
        let node = unit.tree.node(id);
        match &node.expr {
            Expr::Integer(value) => self.found.values.constant(*value),
            Expr::Float | Expr::Text | Expr::Undeclared(_) => Values::OPAQUE,
            Expr::Object(object) => self.variable(id, *object),
            Expr::Unary(op, operand) => self.unary(*op, *operand),
            Expr::Binary(op, left, right) => self.binary(*op, *left, *right, node.ty),
            Expr::Assign(op, target, source) => self.assign(*op, *target, *source),
            Expr::Conditional(condition, then, otherwise) => self.conditional(*condition, *then, *otherwise),
            Expr::Comma(left, right) => {
                self.value(*left);
                self.value(*right)
            }
            Expr::Cast(operand) => {
                let outer = self.context;
                self.context = outer.or(Some(node.start));
                let value = self.value(*operand);
                self.context = outer;
                // A pointer to characters may be made for arithmetic alone: what is done with it says more.
                if !self.is_byte_pointer(node.ty) {
                    self.convert(value, node.ty);
                }
                self.used_as(*operand, value, node.ty, true);
                value
            }
            Expr::Compound(init) => {
                self.initializer(*init, node.ty);
                Values::OPAQUE
            }
            Expr::Call(callee, arguments, close) => self.call(id, *callee, arguments, *close),
            Expr::Member { of, name, arrow: true, .. }
                if matches!(unit.types.get(node.ty), Type::Array(..)) =>
            {
                self.member_inside(*of, *name)
            }
            Expr::Member { of, .. } => {
                self.value(*of);
                self.stored_in(id).unwrap_or_else(|| self.kept_in(id))
            }
            Expr::Index(left, right) => {
                let pointer = self.value(*left);
                self.value(*right);
                self.accessed(*left, pointer);
                self.counted(pointer, unit.tree.node(*left).ty, self.is_literal(*right));
                Values::OPAQUE
            }
            Expr::SizeofType(ty) => self.size_of(*ty),
            Expr::SizeofExpr(operand) => {
                let operand = unit.tree.node(*operand);
                if matches!(operand.expr, Expr::Text) {
                    return self.found.values.leaf(Value::StringLength);
                }
                self.size_of(operand.ty)
            }
            Expr::Alignof(ty) => {
                let align = crate::c::layout::size_and_align(&unit.types, *ty).map(|layout| layout.align);
                align.map_or(Values::OPAQUE, |align| self.found.values.leaf(Value::Const(align)))
            }
            Expr::Offsetof(ty, path, _) => self.found.values.leaf(Value::OffsetOf(*ty, path.clone())),
            Expr::Opaque(operands) => {
                operands.iter().for_each(|&operand| self.effects(operand));
                Values::OPAQUE
            }
            Expr::Statements(body) => {
                let (context, last) = (self.context, self.last);
                self.last = Values::OPAQUE;
                self.statement(*body);
                self.context = context;
                std::mem::replace(&mut self.last, last)
            }
        }
    }

    fn variable(&mut self, expr: ExprId, id: ObjectId) -> ValueId {
        let known = self.environment.get(id).or_else(|| self.found.constants.get(&id).copied());
        known.unwrap_or_else(|| self.kept_in(expr))
    }

    /// `sizeof` a type; that of a variable-length array is a product.
    fn size_of(&mut self, ty: TypeId) -> ValueId {
        match *self.unit.types.get(ty) {
            Type::Unknown | Type::Void | Type::Function { .. } => Values::OPAQUE,
            Type::Array(element, Length::Variable(length)) => {
                let length = self.value(length);
                let element = self.size_of(element);
                self.found.values.arithmetic(Operation::Mul, length, element)
            }
            _ => self.found.values.leaf(Value::Sizeof(ty)),
        }
    }

    fn unary(&mut self, op: UnaryOp, operand: ExprId) -> ValueId {
        match op {
            UnaryOp::Plus => self.value(operand),
            UnaryOp::AddressOf => {
                self.expose(operand);
                self.address_of(operand)
            }
            UnaryOp::Step => {
                let before = self.value(operand);
                let one = self.found.values.leaf(Value::Const(1));
                let after = self.found.values.arithmetic(Operation::Add, before, one);
                let ty = self.unit.tree.node(operand).ty;
                let after = if self.unit.types.is_integer(ty) { after } else { self.step(before, ty, one) };
                self.store(operand, after);
                before
            }
            UnaryOp::Deref => {
                // `*(fn *volatile *)&hook` only reads.
                let below = self.below_casts(operand);
                if let Expr::Unary(UnaryOp::AddressOf, place) = self.unit.tree.node(below).expr {
                    self.address_of(place);
                    return Values::OPAQUE;
                }
                let pointer = self.value(operand);
                self.accessed(operand, pointer);
                Values::OPAQUE
            }
            UnaryOp::Minus | UnaryOp::Complement | UnaryOp::Not => {
                self.value(operand);
                Values::OPAQUE
            }
        }
    }

    fn address_of(&mut self, place: ExprId) -> ValueId {
        self.value(place);
        self.lose_place(place);
        self.forget(place);
        self.address_inside(place)
    }

    fn binary(&mut self, op: BinaryOp, left: ExprId, right: ExprId, ty: TypeId) -> ValueId {
        let one = self.value(left);
        let mut other = Values::OPAQUE;
        if matches!(op, BinaryOp::AndAnd | BinaryOp::OrOr) {
            self.zero_or_once(|walk| walk.effects(right));
        } else {
            other = self.value(right);
        }
        if self.unit.types.is_integer(ty) {
            if op == BinaryOp::And
                && let Some(mask) = self.mask(right)
            {
                let folded = self.folded_mask(one, mask);
                return folded.unwrap_or_else(|| self.found.values.without_rounding(one, mask));
            }
            let combined = self.combine_or_move(op, one, (right, other));
            return self.folded(combined);
        }
        match op {
            BinaryOp::Add if self.unit.types.pointee(self.unit.tree.node(left).ty).is_some() => {
                self.step(one, ty, other)
            }
            BinaryOp::Add => self.step(other, ty, one),
            BinaryOp::Sub => self.moved(one, Distance::Unknown),
            _ => Values::OPAQUE,
        }
    }

    /// The bits that `& ~bits` or `& -(bits + 1)` takes away.
    fn mask(&mut self, right: ExprId) -> Option<ValueId> {
        match self.unit.tree.node(self.below_casts(right)).expr {
            Expr::Unary(UnaryOp::Complement, bits) => Some(self.value(bits)),
            Expr::Unary(UnaryOp::Minus, unit) => {
                let unit = self.value(unit);
                let one = self.found.values.leaf(Value::Const(1));
                Some(self.found.values.arithmetic(Operation::Sub, unit, one))
            }
            _ => None,
        }
    }

    /// A pointer of this type, so many elements further.
    fn step(&mut self, pointer: ValueId, ty: TypeId, count: ValueId) -> ValueId {
        if *self.found.values.get(count) != Value::Const(0) {
            let is_constant = matches!(self.found.values.get(count), Value::Const(_));
            self.counted(pointer, ty, is_constant);
        }
        let by = match (self.unit.types.pointee(ty), self.found.values.get(count)) {
            (_, Value::Const(0)) => return pointer,
            (Some(element), &Value::Const(count)) => Distance::Elements(element, count),
            (Some(element), _) if self.is_byte(element) => Distance::Bytes(count),
            _ => Distance::Unknown,
        };
        self.moved(pointer, by)
    }

    /// Whether an expression is a number. A variable that happens to be 0 when a loop begins is none.
    fn is_literal(&self, expr: ExprId) -> bool {
        matches!(self.unit.tree.node(self.below_casts(expr)).expr, Expr::Integer(_))
    }

    /// Whether so many of these are so many bytes.
    fn is_byte(&self, ty: TypeId) -> bool {
        ty == Types::VOID || self.unit.types.size_of(ty) == Some(1)
    }

    /// `p->member`, if what is wanted of it is where it is.
    fn member_inside(&mut self, of: ExprId, name: Symbol) -> ValueId {
        let unit = self.unit;
        let pointer = self.value(of);
        let Some(ty) = unit.types.pointee(unit.tree.node(of).ty) else { return Values::OPAQUE };
        let member = unit.types.as_record(ty).and_then(|record| unit.types.member(record, name));
        let by = match member.and_then(|(_, offset)| offset) {
            // Characters at the start are what is behind a header that is not there.
            Some(0) if member.is_some_and(|(ty, _)| self.is_character_array(ty)) => {
                Distance::Bytes(self.found.values.leaf(Value::Const(0)))
            }
            Some(0) => return pointer,
            offset if offset == unit.types.size_of(ty) => Distance::Elements(ty, 1),
            _ => {
                let path = unit.tokens.names.text(name).into_boxed_str();
                Distance::Bytes(self.found.values.leaf(Value::OffsetOf(ty, path)))
            }
        };
        self.moved(pointer, by)
    }

    /// `&p->member` and `&p[n]`: what lies inside a block is not the block.
    fn address_inside(&mut self, operand: ExprId) -> ValueId {
        match self.unit.tree.node(operand).expr {
            Expr::Member { of, name, arrow: true, .. } => self.member_inside(of, name),
            Expr::Index(pointer, count) => {
                let ty = self.unit.tree.node(pointer).ty;
                let (pointer, count) = (self.value(pointer), self.value(count));
                self.step(pointer, ty, count)
            }
            Expr::Unary(UnaryOp::Deref, pointer) => self.value(pointer),
            _ => Values::OPAQUE,
        }
    }

    pub(super) fn combine(&mut self, op: BinaryOp, left: ValueId, right: ValueId) -> ValueId {
        let values = &mut self.found.values;
        match op {
            BinaryOp::Mul => values.arithmetic(Operation::Mul, left, right),
            BinaryOp::Add => values.arithmetic(Operation::Add, left, right),
            BinaryOp::Sub => values.arithmetic(Operation::Sub, left, right),
            BinaryOp::Div => values.arithmetic(Operation::Div, left, right),
            BinaryOp::Shl | BinaryOp::Shr => {
                let factor = match *values.get(right) {
                    Value::Const(shift @ 0..=62) => values.leaf(Value::Const(1 << shift)),
                    _ => Values::OPAQUE,
                };
                let operation = if op == BinaryOp::Shl { Operation::Mul } else { Operation::Div };
                values.arithmetic(operation, left, factor)
            }
            // `(size + 7) & ~7` is a size still.
            BinaryOp::And | BinaryOp::Or => {
                if values.is_telling(left) {
                    left
                } else if values.is_telling(right) {
                    right
                } else {
                    Values::OPAQUE
                }
            }
            _ => Values::OPAQUE,
        }
    }

    fn conditional(&mut self, condition: ExprId, then: Option<ExprId>, otherwise: ExprId) -> ValueId {
        let mut one = self.value(condition);
        let mut other = Values::OPAQUE;
        self.either(
            |walk| one = then.map_or(one, |then| walk.value(then)),
            |walk| other = walk.value(otherwise),
        );
        if *self.found.values.get(other) == Value::Const(1) && self.is_guarded(condition, then, one) {
            return one;
        }
        self.found.values.alternatives(&[one, other])
    }

    /// Whether a branch of this value is taken if the value is not 0. `n ? n : 1` is no number but n: the 1 is there for functions that
    /// do not like to be asked for nothing.
    fn is_guarded(&mut self, condition: ExprId, then: Option<ExprId>, value: ValueId) -> bool {
        let tree = &self.unit.tree;
        let tested = match tree.node(self.below_casts(condition)).expr {
            Expr::Binary(BinaryOp::NotEqual | BinaryOp::Greater, tested, zero)
                if matches!(tree.node(self.below_casts(zero)).expr, Expr::Integer(0)) =>
            {
                tested
            }
            _ => condition,
        };
        self.found.values.is_telling(value) && (then.is_none() || self.value(tested) == value)
    }

    fn assign(&mut self, op: Option<BinaryOp>, target: ExprId, source: ExprId) -> ValueId {
        let ty = self.unit.tree.node(target).ty;
        let mut value = self.value(source);
        if self.leads_to_function(ty) {
            self.bind(self.holder(target), source);
        }
        if let Some(op) = op {
            let before = self.value(target);
            let is_number = self.unit.types.is_integer(ty);
            value = match op {
                _ if is_number => self.combine_or_move(op, before, (source, value)),
                BinaryOp::Add => self.step(before, ty, value),
                _ => self.moved(before, Distance::Unknown),
            };
        }
        self.convert(value, ty);
        self.stored(target, source, value);
        self.store(target, value);
        value
    }

    /// Stores a value where an expression points.
    pub(super) fn store(&mut self, target: ExprId, value: ValueId) {
        self.store_within(target, value);
        self.note_stored(target, value);
    }

    fn store_within(&mut self, target: ExprId, value: ValueId) {
        match &self.unit.tree.node(target).expr {
            Expr::Object(object) => self.set(*object, value),
            Expr::Unary(UnaryOp::Deref, pointer) | Expr::Index(pointer, _) => {
                // `*(void **) &p = …`
                let below = self.below_casts(*pointer);
                if let Expr::Unary(UnaryOp::AddressOf, target) = self.unit.tree.node(below).expr {
                    self.expose(target);
                    self.convert(value, self.unit.tree.node(target).ty);
                    return self.store(target, value);
                }
                let at = self.value(*pointer);
                self.accessed(*pointer, at);
                let mut place = at;
                if let Expr::Index(_, count) = self.unit.tree.node(target).expr {
                    let ty = self.unit.tree.node(*pointer).ty;
                    self.counted(at, ty, self.is_literal(count));
                    if self.is_byte_pointer(ty) {
                        let count = self.value(count);
                        place = self.step(at, ty, count);
                    }
                }
                self.write(self.unit.tree.node(target).ty, place, value);
                if let Value::PointerParam(index) = *self.found.values.get(at) {
                    self.receive(value, FoundSink::Out(index, Offset::None));
                }
            }
            Expr::Cast(target) | Expr::Unary(UnaryOp::Plus, target) => self.store(*target, value),
            _ => self.effects(target),
        }
    }

    fn set(&mut self, object: ObjectId, value: ValueId) {
        match self.unit.scopes.object(object).storage {
            Storage::Local | Storage::Parameter(_) => {
                self.note_assignment(object, value);
                self.keep_untyped(object, value);
                self.environment.set(object, value);
            }
            Storage::Global | Storage::Static => {}
        }
    }

    /// Notes that a block is kept in a pointer to void: what that is cast to later is not said where the block is made.
    pub(super) fn keep_untyped(&mut self, object: ObjectId, value: ValueId) {
        let ty = self.unit.scopes.object(object).ty;
        if matches!(*self.unit.types.get(ty), Type::Pointer(Types::VOID)) {
            self.receive(value, FoundSink::Pointer(ty));
        }
    }

    /// A variable whose address is known elsewhere may hold anything.
    pub(super) fn forget(&mut self, target: ExprId) {
        if let Expr::Object(object) = self.unit.tree.node(target).expr {
            if let Some(value) = self.environment.get(object) {
                self.lose(value);
            }
            self.set(object, Values::OPAQUE);
        }
    }

    /// What an expression points to is read or written: characters, if it is a pointer to these.
    fn accessed(&mut self, pointer: ExprId, value: ValueId) {
        let ty = self.unit.tree.node(pointer).ty;
        if self.is_byte_pointer(ty) {
            self.convert(value, ty);
        }
    }

    /// A value becomes one of this type.
    pub(super) fn convert(&mut self, value: ValueId, ty: TypeId) {
        if let Type::Pointer(to) = *self.unit.types.get(ty)
            && to != Types::VOID
        {
            self.receive(value, FoundSink::Pointer(ty));
        }
    }

    /// Adds a sink to the blocks that a value may be. To point into a block says nothing of its type, but may pass it on.
    pub(super) fn receive(&mut self, value: ValueId, sink: FoundSink) {
        let values = &self.found.values;
        let sink_of = |id| match *values.get(id) {
            Value::Block(..) if matches!(sink, FoundSink::Part(_)) => None,
            Value::Block(call, output) => Some((call, output, sink)),
            Value::Inside(call, output, by) => match sink {
                FoundSink::Return(_) => Some((call, output, FoundSink::Return(Offset::Behind(by)))),
                FoundSink::Out(index, _) => Some((call, output, FoundSink::Out(index, Offset::Behind(by)))),
                FoundSink::Carved | FoundSink::Part(_) => Some((call, output, sink)),
                FoundSink::Pointer(_)
                | FoundSink::Argument(..)
                | FoundSink::Kept(_)
                | FoundSink::Lost
                | FoundSink::Ended => None,
            },
            _ => None,
        };
        let sinks: Vec<_> = values.each(value).filter_map(sink_of).collect();
        for (call, output, sink) in sinks {
            if let FoundSink::Pointer(ty) = sink
                && !matches!(*self.unit.types.get(ty), Type::Pointer(Types::VOID))
            {
                self.note_receiver(call, ty);
            }
            let call = &mut self.found.calls[call.0 as usize];
            let sinks = match output {
                None => &mut call.sinks,
                Some(argument) => {
                    if !call.outputs.iter().any(|entry| entry.0 == argument) {
                        call.outputs.push((argument, Vec::new()));
                    }
                    match call.outputs.iter_mut().find(|entry| entry.0 == argument) {
                        Some((_, sinks)) => sinks,
                        None => continue,
                    }
                }
            };
            if !sinks.contains(&sink) {
                sinks.push(sink);
            }
        }
    }
}
