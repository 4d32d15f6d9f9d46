//! Expressions: operators, casts, and what may stand behind an operand.

use super::{Parse, Parser};
use crate::c::constant;
use crate::c::syntax::{BinaryOp, Expr, ExprId, UnaryOp};
use crate::c::token::{Punct, TokenIndex, TokenKind, kw};
use crate::c::types::{self, Type, TypeId, Types};
use crate::c::typing;

/// A binary operator and how tight it binds.
fn binary_operator(kind: TokenKind) -> Option<(BinaryOp, u8)> {
    let TokenKind::Punct(punct) = kind else { return None };
    Some(match punct {
        Punct::OrOr => (BinaryOp::OrOr, 1),
        Punct::AndAnd => (BinaryOp::AndAnd, 2),
        Punct::Or => (BinaryOp::Or, 3),
        Punct::Caret => (BinaryOp::Xor, 4),
        Punct::And => (BinaryOp::And, 5),
        Punct::Equal => (BinaryOp::Equal, 6),
        Punct::NotEqual => (BinaryOp::NotEqual, 6),
        Punct::Less => (BinaryOp::Less, 7),
        Punct::Greater => (BinaryOp::Greater, 7),
        Punct::LessEqual => (BinaryOp::LessEqual, 7),
        Punct::GreaterEqual => (BinaryOp::GreaterEqual, 7),
        Punct::Shl => (BinaryOp::Shl, 8),
        Punct::Shr => (BinaryOp::Shr, 8),
        Punct::Plus => (BinaryOp::Add, 9),
        Punct::Minus => (BinaryOp::Sub, 9),
        Punct::Star => (BinaryOp::Mul, 10),
        Punct::Slash => (BinaryOp::Div, 10),
        Punct::Percent => (BinaryOp::Rem, 10),
        _ => return None,
    })
}

fn assignment_operator(kind: TokenKind) -> Option<Option<BinaryOp>> {
    let TokenKind::Punct(punct) = kind else { return None };
    Some(Some(match punct {
        Punct::Assign => return Some(None),
        Punct::MulAssign => BinaryOp::Mul,
        Punct::DivAssign => BinaryOp::Div,
        Punct::RemAssign => BinaryOp::Rem,
        Punct::AddAssign => BinaryOp::Add,
        Punct::SubAssign => BinaryOp::Sub,
        Punct::ShlAssign => BinaryOp::Shl,
        Punct::ShrAssign => BinaryOp::Shr,
        Punct::AndAssign => BinaryOp::And,
        Punct::XorAssign => BinaryOp::Xor,
        Punct::OrAssign => BinaryOp::Or,
        _ => return None,
    }))
}

impl Parser<'_> {
    /// An expression, commas included.
    pub(super) fn expression(&mut self) -> Parse<ExprId> {
        let mut left = self.assignment()?;
        while self.eat(Punct::Comma) {
            let right = self.assignment()?;
            let (start, ty) = (self.start_of(left), self.type_of(right));
            left = self.make(Expr::Comma(left, right), start, ty)?;
        }
        Ok(left)
    }

    pub(super) fn start_of(&self, expr: ExprId) -> TokenIndex {
        self.tree.node(expr).start
    }

    /// An expression without commas.
    pub(super) fn assignment(&mut self) -> Parse<ExprId> {
        self.nested(|parser| {
            let left = parser.conditional_rest()?;
            let Some(op) = assignment_operator(parser.kind()) else { return Ok(left) };
            parser.bump();
            let right = parser.assignment()?;
            let (start, ty) = (parser.start_of(left), parser.type_of(left));
            parser.make(Expr::Assign(op, left, right), start, ty)
        })
    }

    /// An expression without commas and assignments: what constants are made of.
    pub(super) fn conditional(&mut self) -> Parse<ExprId> {
        self.nested(Self::conditional_rest)
    }

    fn conditional_rest(&mut self) -> Parse<ExprId> {
        let condition = self.binary(1)?;
        if !self.eat(Punct::Question) {
            return Ok(condition);
        }
        let then = if self.is(Punct::Colon) { None } else { Some(self.expression()?) };
        self.expect(Punct::Colon, "expected `:` behind `?`")?;
        let otherwise = self.conditional()?;
        let value = then.unwrap_or(condition);
        let (then_null, else_null) = (self.is_null(value), self.is_null(otherwise));
        let (value, last) = (self.type_of(value), self.type_of(otherwise));
        let ty = typing::conditional(&mut self.types, value, last, then_null, else_null);
        let start = self.start_of(condition);
        self.make(Expr::Conditional(condition, then, otherwise), start, ty)
    }

    /// A null pointer constant as it is written in practice.
    fn is_null(&self, expr: ExprId) -> bool {
        match self.tree.node(expr).expr {
            Expr::Integer(0) => true,
            Expr::Cast(operand) => matches!(self.tree.node(operand).expr, Expr::Integer(0)),
            _ => false,
        }
    }

    fn binary(&mut self, lowest: u8) -> Parse<ExprId> {
        let mut left = self.cast()?;
        while let Some((op, tightness)) =
            binary_operator(self.kind()).filter(|&(_, tightness)| tightness >= lowest)
        {
            self.bump();
            let right = self.binary(tightness + 1)?;
            let ty = typing::binary(&mut self.types, op, self.tree.node(left).ty, self.tree.node(right).ty);
            let start = self.start_of(left);
            left = self.make(Expr::Binary(op, left, right), start, ty)?;
        }
        Ok(left)
    }

    fn cast(&mut self) -> Parse<ExprId> {
        if !self.is(Punct::OpenParen) || !self.opens_type() {
            return self.unary();
        }
        self.nested(|parser| {
            let start = parser.at;
            let ty = parser.type_in_parens()?;
            if parser.is(Punct::OpenBrace) {
                let literal = parser.compound_literal(start, ty)?;
                return parser.postfix(literal, start);
            }
            let operand = parser.cast()?;
            parser.make(Expr::Cast(operand), start, ty)
        })
    }

    /// Whether a type name follows the next token, an opening parenthesis.
    fn opens_type(&self) -> bool {
        let mut ahead = 1;
        while self.kind_after(ahead) == TokenKind::Name(kw::EXTENSION) {
            ahead += 1;
        }
        self.starts_type(self.kind_after(ahead))
    }

    fn type_in_parens(&mut self) -> Parse<TypeId> {
        self.expect(Punct::OpenParen, "expected `(`")?;
        // C23 lets storage classes stand in compound literals.
        while matches!(self.kind(), TokenKind::Name(kw::STATIC | kw::REGISTER)) {
            self.bump();
        }
        let ty = self.type_name()?;
        self.expect(Punct::CloseParen, "expected `)` behind a type")?;
        Ok(ty)
    }

    fn compound_literal(&mut self, start: TokenIndex, ty: TypeId) -> Parse<ExprId> {
        let init = self.braced_initializer()?;
        let ty = match *self.types.get(ty) {
            Type::Array(element, types::Length::Open) => {
                let length = self.initialized_length(element, init);
                self.types.array(element, length)
            }
            _ => ty,
        };
        self.make(Expr::Compound(init), start, ty)
    }

    fn unary(&mut self) -> Parse<ExprId> {
        let start = self.at;
        let op = match self.kind() {
            TokenKind::Punct(Punct::Increment | Punct::Decrement) => UnaryOp::Step,
            TokenKind::Punct(Punct::And) => UnaryOp::AddressOf,
            TokenKind::Punct(Punct::Star) => UnaryOp::Deref,
            TokenKind::Punct(Punct::Plus) | TokenKind::Name(kw::EXTENSION) => UnaryOp::Plus,
            TokenKind::Name(kw::REAL | kw::IMAG) => return self.complex_part(),
            TokenKind::Punct(Punct::Minus) => UnaryOp::Minus,
            TokenKind::Punct(Punct::Tilde) => UnaryOp::Complement,
            TokenKind::Punct(Punct::Not) => UnaryOp::Not,
            TokenKind::Punct(Punct::AndAnd) => return self.label_address(),
            TokenKind::Name(kw::SIZEOF) => return self.nested(Self::size_of),
            TokenKind::Name(kw::ALIGNOF) => return self.nested(Self::align_of),
            TokenKind::Name(kw::SOFT_ALIGNOF) if self.is_soft_word(kw::SOFT_ALIGNOF) => {
                return self.nested(Self::align_of);
            }
            _ => {
                let primary = self.primary()?;
                return self.postfix(primary, start);
            }
        };
        let is_extension = self.is_word(kw::EXTENSION);
        self.bump();
        let operand = self.nested(Self::cast)?;
        if is_extension {
            return Ok(operand);
        }
        let ty = typing::unary(&mut self.types, op, self.tree.node(operand).ty);
        self.make(Expr::Unary(op, operand), start, ty)
    }

    fn complex_part(&mut self) -> Parse<ExprId> {
        let start = self.at;
        self.bump();
        let operand = self.nested(Self::cast)?;
        let ty = match self.types.arithmetic(self.type_of(operand)) {
            Some(base) if base.encoding == types::COMPLEX_FLOAT => {
                self.types.base(crate::sites::facts::BaseType { encoding: types::FLOAT, size: base.size / 2 })
            }
            _ => self.type_of(operand),
        };
        self.make(Expr::Opaque(Box::new([operand])), start, ty)
    }

    fn label_address(&mut self) -> Parse<ExprId> {
        let start = self.at;
        self.bump();
        if self.identifier().is_none() {
            return self.reject("expected a label behind `&&`");
        }
        self.bump();
        let ty = self.types.pointer(Types::VOID);
        self.make(Expr::Opaque(Box::new([])), start, ty)
    }

    fn size_of(&mut self) -> Parse<ExprId> {
        let start = self.at;
        self.bump();
        let ulong = self.types.base(types::ULONG);
        if self.is(Punct::OpenParen) && self.opens_type() {
            let open = self.at;
            let ty = self.type_in_parens()?;
            if !self.is(Punct::OpenBrace) {
                return self.make(Expr::SizeofType(ty), start, ulong);
            }
            let literal = self.compound_literal(open, ty)?;
            let operand = self.postfix(literal, open)?;
            return self.make(Expr::SizeofExpr(operand), start, ulong);
        }
        let operand = self.unary()?;
        self.make(Expr::SizeofExpr(operand), start, ulong)
    }

    fn align_of(&mut self) -> Parse<ExprId> {
        let start = self.at;
        self.bump();
        let ulong = self.types.base(types::ULONG);
        let ty = if self.is(Punct::OpenParen) && self.opens_type() {
            self.type_in_parens()?
        } else {
            let operand = self.unary()?;
            self.type_of(operand)
        };
        self.make(Expr::Alignof(ty), start, ulong)
    }

    /// What stands behind an operand that begins at `start`, its parentheses included.
    fn postfix(&mut self, operand: ExprId, start: TokenIndex) -> Parse<ExprId> {
        let mut operand = operand;
        loop {
            match self.kind() {
                TokenKind::Punct(Punct::OpenBracket) => {
                    self.bump();
                    let index = self.expression()?;
                    self.expect(Punct::CloseBracket, "expected `]` behind an index")?;
                    let ty = self.element(self.type_of(operand), self.type_of(index));
                    operand = self.make(Expr::Index(operand, index), start, ty)?;
                }
                TokenKind::Punct(Punct::OpenParen) => operand = self.call(operand, start)?,
                TokenKind::Punct(Punct::Dot) => operand = self.member(operand, start, false)?,
                TokenKind::Punct(Punct::Arrow) => operand = self.member(operand, start, true)?,
                TokenKind::Punct(Punct::Increment | Punct::Decrement) => {
                    self.bump();
                    let ty = self.type_of(operand);
                    operand = self.make(Expr::Unary(UnaryOp::Step, operand), start, ty)?;
                }
                _ => return Ok(operand),
            }
        }
    }

    fn element(&self, left: TypeId, right: TypeId) -> TypeId {
        let of = |ty| match *self.types.get(ty) {
            Type::Vector(element, _) => Some(element),
            _ => self.types.pointee(ty),
        };
        of(left).or_else(|| of(right)).unwrap_or(Types::UNKNOWN)
    }

    fn call(&mut self, callee: ExprId, start: TokenIndex) -> Parse<ExprId> {
        self.bump();
        let mut arguments = Vec::new();
        if !self.is(Punct::CloseParen) {
            loop {
                arguments.push(self.argument()?);
                if !self.eat(Punct::Comma) {
                    break;
                }
            }
        }
        let close = self.at;
        self.expect(Punct::CloseParen, "expected `)` behind arguments")?;
        let ty = self.types.result(self.type_of(callee)).unwrap_or(Types::UNKNOWN);
        self.make(Expr::Call(callee, arguments.into_boxed_slice(), close), start, ty)
    }

    /// An argument; some built-in functions take types (`__builtin_has_attribute`, `__builtin_classify_type`).
    fn argument(&mut self) -> Parse<ExprId> {
        if !self.starts_type(self.kind()) {
            return self.assignment();
        }
        let start = self.at;
        let ty = self.type_name()?;
        self.make(Expr::Opaque(Box::new([])), start, ty)
    }

    fn member(&mut self, of: ExprId, start: TokenIndex, arrow: bool) -> Parse<ExprId> {
        self.bump();
        let TokenKind::Name(name) = self.kind() else { return self.reject("expected the name of a member") };
        let at = self.at;
        self.bump();
        let holder = self.type_of(of);
        let holder = if arrow { self.types.pointee(holder).unwrap_or(Types::UNKNOWN) } else { holder };
        let member = self.types.as_record(holder).and_then(|record| self.types.member(record, name));
        let ty = member.map_or(Types::UNKNOWN, |(ty, _)| ty);
        self.make(Expr::Member { of, arrow, name, at }, start, ty)
    }

    /// The value of an integer constant expression.
    pub(super) fn value_of(&self, expr: ExprId) -> Option<i128> {
        constant::evaluate(&self.types, &self.tree, expr)
    }
}
