//! The types of expressions, from the types of their operands.

use super::syntax::{BinaryOp, UnaryOp};
use super::types::{self, Type, TypeId, Types};
use crate::sites::facts::BaseType;

/// The type of a value: arrays and functions become pointers.
pub fn decay(types: &mut Types, ty: TypeId) -> TypeId {
    match *types.get(ty) {
        Type::Array(element, _) => types.pointer(element),
        Type::Function { .. } => types.pointer(ty),
        _ => ty,
    }
}

fn promote_base(base: BaseType) -> BaseType {
    let small = types::is_integer(base) && base.size < 4;
    if small { types::INT } else { base }
}

/// The type after integer promotion.
pub fn promote(types: &mut Types, ty: TypeId) -> TypeId {
    match types.arithmetic(ty) {
        Some(base) => types.base(promote_base(base)),
        None => decay(types, ty),
    }
}

/// The arithmetic type of both operands after the usual conversions.
#[must_use]
pub fn common_base(left: BaseType, right: BaseType) -> BaseType {
    let rank = |base: BaseType| match base.encoding {
        types::COMPLEX_FLOAT => 3,
        types::DECIMAL_FLOAT => 2,
        types::FLOAT => 1,
        _ => 0,
    };
    let (left, right) = (promote_base(left), promote_base(right));
    if rank(left) != rank(right) {
        return if rank(left) > rank(right) { left } else { right };
    }
    if left.size != right.size {
        return if left.size > right.size { left } else { right };
    }
    if types::is_signed(left) { right } else { left }
}

/// The type of both operands after the usual arithmetic conversions.
pub fn common(types: &mut Types, left: TypeId, right: TypeId) -> TypeId {
    for side in [left, right] {
        if matches!(types.get(side), Type::Vector(..)) {
            return side;
        }
    }
    match (types.arithmetic(left), types.arithmetic(right)) {
        (Some(left), Some(right)) => types.base(common_base(left, right)),
        _ => Types::UNKNOWN,
    }
}

/// The type of an operator with one operand.
pub fn unary(types: &mut Types, op: UnaryOp, operand: TypeId) -> TypeId {
    match op {
        UnaryOp::AddressOf => types.pointer(operand),
        UnaryOp::Deref => match *types.get(operand) {
            Type::Function { .. } => operand,
            _ => types.pointee(operand).unwrap_or(Types::UNKNOWN),
        },
        UnaryOp::Plus | UnaryOp::Minus | UnaryOp::Complement => promote(types, operand),
        UnaryOp::Not => types.base(types::INT),
        UnaryOp::Step => operand,
    }
}

/// The type of an operator with two operands.
pub fn binary(types: &mut Types, op: BinaryOp, left: TypeId, right: TypeId) -> TypeId {
    use BinaryOp as Op;
    let (left, right) = (decay(types, left), decay(types, right));
    let is_pointer = |types: &Types, ty| matches!(types.get(ty), Type::Pointer(_));
    match op {
        Op::Add if is_pointer(types, left) => left,
        Op::Add if is_pointer(types, right) => right,
        Op::Sub if is_pointer(types, left) && is_pointer(types, right) => types.base(types::LONG),
        Op::Sub if is_pointer(types, left) => left,
        Op::Mul | Op::Div | Op::Rem | Op::Add | Op::Sub | Op::And | Op::Xor | Op::Or => {
            common(types, left, right)
        }
        Op::Shl | Op::Shr if matches!(types.get(left), Type::Vector(..)) => left,
        Op::Shl | Op::Shr => promote(types, left),
        Op::Less | Op::Greater | Op::LessEqual | Op::GreaterEqual | Op::Equal | Op::NotEqual => {
            if matches!(types.get(left), Type::Vector(..)) { left } else { types.base(types::INT) }
        }
        Op::AndAnd | Op::OrOr => types.base(types::INT),
    }
}

/// The type of `?:`; `then_null` and `else_null` say which operands are null pointer constants.
pub fn conditional(
    types: &mut Types,
    then: TypeId,
    otherwise: TypeId,
    then_null: bool,
    else_null: bool,
) -> TypeId {
    let (then, otherwise) = (decay(types, then), decay(types, otherwise));
    if then == otherwise {
        return then;
    }
    match (types.get(then), types.get(otherwise)) {
        (Type::Pointer(_), Type::Pointer(_)) if then_null => otherwise,
        (Type::Pointer(_), Type::Pointer(_)) if else_null => then,
        (Type::Pointer(to), _) if *to == Types::VOID && !then_null => then,
        (_, Type::Pointer(to)) if *to == Types::VOID && !else_null => otherwise,
        (Type::Pointer(_), _) => then,
        (_, Type::Pointer(_)) => otherwise,
        (Type::Void, _) | (_, Type::Void) => Types::VOID,
        _ => common(types, then, otherwise),
    }
}
