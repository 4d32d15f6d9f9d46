//! The values of integer constant expressions.

use super::syntax::{BinaryOp, Expr, ExprId, Tree, UnaryOp};
use super::types::{self, Type, TypeId, Types};
use super::typing;
use crate::sites::facts::BaseType;

/// The value of an expression, if it is an integer constant.
#[must_use]
pub fn evaluate(types: &Types, tree: &Tree, id: ExprId) -> Option<i128> {
    let node = tree.node(id);
    let value = match node.expr {
        Expr::Integer(value) => value,
        Expr::Unary(op, operand) => {
            let value = evaluate(types, tree, operand)?;
            match op {
                UnaryOp::Plus => value,
                UnaryOp::Minus => value.wrapping_neg(),
                UnaryOp::Complement => !value,
                UnaryOp::Not => i128::from(value == 0),
                UnaryOp::AddressOf | UnaryOp::Deref | UnaryOp::Step => return None,
            }
        }
        Expr::Binary(op, left, right) => binary(types, tree, op, left, right)?,
        Expr::Conditional(condition, then, otherwise) => {
            let value = evaluate(types, tree, condition)?;
            match (value != 0, then) {
                (true, Some(then)) => evaluate(types, tree, then)?,
                (true, None) => value,
                (false, _) => evaluate(types, tree, otherwise)?,
            }
        }
        Expr::Cast(operand) => {
            let value = evaluate(types, tree, operand)?;
            let to_boolean = types.arithmetic(node.ty) == Some(types::BOOL);
            if to_boolean { i128::from(value != 0) } else { value }
        }
        Expr::Comma(_, right) => evaluate(types, tree, right)?,
        Expr::SizeofType(ty) => size(types, ty)?,
        Expr::SizeofExpr(operand) => size(types, tree.node(operand).ty)?,
        Expr::Alignof(ty) => i128::from(super::layout::size_and_align(types, ty)?.align),
        Expr::Offsetof(_, _, offset) => i128::from(offset?),
        _ => return None,
    };
    Some(wrap(types, node.ty, value))
}

fn size(types: &Types, ty: TypeId) -> Option<i128> {
    match types.get(ty) {
        // GNU C counts these as one byte.
        Type::Void | Type::Function { .. } => Some(1),
        _ => types.size_of(ty).map(i128::from),
    }
}

fn binary(types: &Types, tree: &Tree, op: BinaryOp, left: ExprId, right: ExprId) -> Option<i128> {
    use BinaryOp as Op;
    let a = evaluate(types, tree, left);
    match op {
        Op::AndAnd if a == Some(0) => return Some(0),
        Op::OrOr if a.is_some_and(|a| a != 0) => return Some(1),
        _ => {}
    }
    let (mut a, mut b) = (a?, evaluate(types, tree, right)?);
    let operands = [left, right].map(|operand| types.arithmetic(tree.node(operand).ty));
    if let ([Some(left), Some(right)], false) =
        (operands, matches!(op, Op::Shl | Op::Shr | Op::AndAnd | Op::OrOr))
    {
        let common = typing::common_base(left, right);
        (a, b) = (wrap_base(common, a), wrap_base(common, b));
    }
    let truth = |value: bool| Some(i128::from(value));
    match op {
        Op::Mul => Some(a.wrapping_mul(b)),
        Op::Div => a.checked_div(b),
        Op::Rem => a.checked_rem(b),
        Op::Add => Some(a.wrapping_add(b)),
        Op::Sub => Some(a.wrapping_sub(b)),
        Op::Shl => u32::try_from(b).ok().and_then(|b| a.checked_shl(b)),
        Op::Shr => u32::try_from(b).ok().and_then(|b| a.checked_shr(b)),
        Op::Less => truth(a < b),
        Op::Greater => truth(a > b),
        Op::LessEqual => truth(a <= b),
        Op::GreaterEqual => truth(a >= b),
        Op::Equal => truth(a == b),
        Op::NotEqual => truth(a != b),
        Op::And => Some(a & b),
        Op::Xor => Some(a ^ b),
        Op::Or => Some(a | b),
        Op::AndAnd => truth(a != 0 && b != 0),
        Op::OrOr => truth(a != 0 || b != 0),
    }
}

/// A value as the type can hold it.
fn wrap(types: &Types, ty: TypeId, value: i128) -> i128 {
    match types.arithmetic(ty) {
        Some(base) => wrap_base(base, value),
        None => value,
    }
}

fn wrap_base(base: BaseType, value: i128) -> i128 {
    let bits = base.size.saturating_mul(8);
    if bits == 0 || bits >= 128 || !types::is_integer(base) {
        return value;
    }
    let shift = 128 - bits;
    if types::is_signed(base) {
        (value << shift) >> shift
    } else {
        ((value as u128) << shift >> shift) as i128
    }
}
