//! Primary expressions.

use super::{Parse, Parser};
use crate::c::literals;
use crate::c::scopes::Entity;
use crate::c::strings;
use crate::c::syntax::{Expr, ExprId, Stmt};
use crate::c::token::{Punct, Symbol, TokenKind, kw};
use crate::c::types::{self, Length, TypeId, Types};

impl Parser<'_> {
    pub(super) fn primary(&mut self) -> Parse<ExprId> {
        let start = self.at;
        match self.kind() {
            TokenKind::Name(name) => self.name(name),
            TokenKind::Number => self.number(),
            TokenKind::Character => {
                let (value, base) = literals::character(self.tokens.text(self.token()));
                self.bump();
                let ty = self.types.base(base);
                self.make(Expr::Integer(value), start, ty)
            }
            TokenKind::Text => self.text(),
            TokenKind::Punct(Punct::OpenParen) => self.parenthesized(),
            _ => self.reject("expected an expression"),
        }
    }

    fn number(&mut self) -> Parse<ExprId> {
        let start = self.at;
        let Some(number) = literals::number(self.tokens.text(self.token())) else {
            return self.reject("a number that is none of C's");
        };
        self.bump();
        let ty = self.types.base(number.ty);
        let expr = if number.floating { Expr::Float } else { Expr::Integer(number.value) };
        self.make(expr, start, ty)
    }

    /// Adjacent string literals are one.
    fn text(&mut self) -> Parse<ExprId> {
        let start = self.at;
        let mut parts = Vec::new();
        while self.kind() == TokenKind::Text {
            parts.push(self.tokens.text(self.token()));
            self.bump();
        }
        let text = strings::concatenate(&parts);
        let element = self.types.base(text.element);
        let ty = self.types.array(element, Length::Known(text.length()));
        self.make(Expr::Text, start, ty)
    }

    fn parenthesized(&mut self) -> Parse<ExprId> {
        let start = self.at;
        self.bump();
        if !self.is(Punct::OpenBrace) {
            let expr = self.nested(Self::expression)?;
            self.expect(Punct::CloseParen, "expected `)`")?;
            return Ok(expr);
        }
        let body = self.nested(Self::compound)?;
        self.expect(Punct::CloseParen, "expected `)` behind `({ … }`")?;
        let ty = self.block_type(body);
        self.make(Expr::Statements(body), start, ty)
    }

    /// The type of the last expression of a statement expression.
    fn block_type(&mut self, body: crate::c::syntax::StmtId) -> TypeId {
        let Stmt::Block(items) = self.tree.get_stmt(body) else { return Types::VOID };
        match items.last().map(|&last| self.tree.get_stmt(last)) {
            Some(Stmt::Expr(expr)) => self.type_of(*expr),
            _ => Types::VOID,
        }
    }

    fn name(&mut self, name: Symbol) -> Parse<ExprId> {
        let start = self.at;
        if let Some(entity) = self.scopes.find(name) {
            let (expr, ty) = match entity {
                Entity::Object(id) => (Expr::Object(id), self.scopes.object(id).ty),
                Entity::Constant(value, ty) => (Expr::Integer(value), ty),
                Entity::Typedef(_) => return self.reject("a type where an expression is expected"),
            };
            self.bump();
            return self.make(expr, start, ty);
        }
        match name {
            kw::GENERIC => self.nested(Self::generic_selection),
            kw::SOFT_TRUE | kw::SOFT_FALSE => {
                self.bump();
                let ty = self.types.base(types::BOOL);
                self.make(Expr::Integer(i128::from(name == kw::SOFT_TRUE)), start, ty)
            }
            kw::SOFT_NULLPTR | kw::NULL => {
                self.bump();
                let ty = self.types.pointer(Types::VOID);
                self.make(Expr::Integer(0), start, ty)
            }
            _ if name.is_keyword() => self.reject("expected an expression"),
            _ => match self.builtin(name) {
                Some(read) => self.nested(read),
                None => {
                    self.bump();
                    let ty = self.undeclared_type(name);
                    self.make(Expr::Undeclared(name), start, ty)
                }
            },
        }
    }
}
