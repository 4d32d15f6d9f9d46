//! Statements.

use super::attributes::Attributes;
use super::{Parse, Parser};
use crate::c::syntax::{ExprId, Stmt, StmtId};
use crate::c::token::{Punct, Symbol, TokenKind, kw};

impl Parser<'_> {
    /// `{ … }` with a scope of its own.
    pub(super) fn compound(&mut self) -> Parse<StmtId> {
        self.expect(Punct::OpenBrace, "expected `{`")?;
        let depth = self.scopes.depth();
        self.scopes.enter();
        let items = self.nested(|parser| {
            let mut items = Vec::new();
            while !parser.eat(Punct::CloseBrace) {
                parser.block_item(&mut items)?;
            }
            Ok(items)
        });
        self.scopes.leave_to(depth);
        Ok(self.tree.stmt(Stmt::Block(items?.into_boxed_slice())))
    }

    fn block_item(&mut self, items: &mut Vec<StmtId>) -> Parse<()> {
        if self.eat_word(kw::LABEL) {
            return self.label_declaration();
        }
        let mut attributes = Attributes::default();
        self.attributes(&mut attributes)?;
        if self.is_label() || !self.starts_block_declaration() {
            return self.labeled(items);
        }
        self.block_declaration(items)
    }

    fn starts_block_declaration(&self) -> bool {
        let kind = self.kind_behind_extension();
        let is_assertion =
            kind == TokenKind::Name(kw::STATIC_ASSERT) || self.is_soft_word(kw::SOFT_STATIC_ASSERT);
        is_assertion || self.starts_declaration(kind)
    }

    fn is_label(&self) -> bool {
        self.identifier().is_some() && self.is_after(1, Punct::Colon)
    }

    fn label_declaration(&mut self) -> Parse<()> {
        loop {
            if self.identifier().is_none() {
                return self.reject("expected a label");
            }
            self.bump();
            if !self.eat(Punct::Comma) {
                break;
            }
        }
        self.expect(Punct::Semicolon, "expected `;` behind labels")
    }

    fn block_declaration(&mut self, items: &mut Vec<StmtId>) -> Parse<()> {
        while self.eat_word(kw::EXTENSION) {}
        if self.static_assertion()? {
            return Ok(());
        }
        let specifiers = self.specifiers()?;
        if self.eat(Punct::Semicolon) {
            return Ok(());
        }
        let mut declarator = self.declarator()?;
        self.asm_label(&mut declarator.attributes)?;
        let stmt = if self.starts_body(&declarator) {
            let definition = self.nested(|parser| parser.definition(&specifiers, declarator))?;
            Stmt::Function(Box::new(definition))
        } else {
            Stmt::Declaration(self.init_declarators(&specifiers, declarator)?.into_boxed_slice())
        };
        items.push(self.tree.stmt(stmt));
        Ok(())
    }

    /// Labels one after the other, then the statement behind them if there is one.
    fn labeled(&mut self, items: &mut Vec<StmtId>) -> Parse<()> {
        loop {
            self.attributes(&mut Attributes::default())?;
            let stmt = match self.kind() {
                TokenKind::Name(kw::CASE) => {
                    self.bump();
                    let value = self.conditional()?;
                    if self.eat(Punct::Ellipsis) {
                        self.conditional()?;
                    }
                    self.expect(Punct::Colon, "expected `:` behind a case")?;
                    Stmt::Case(Some(value))
                }
                TokenKind::Name(kw::DEFAULT) => {
                    self.bump();
                    self.expect(Punct::Colon, "expected `:` behind default")?;
                    Stmt::Case(None)
                }
                TokenKind::Name(name) if self.is_label() => {
                    self.bump();
                    self.bump();
                    Stmt::Label(name)
                }
                _ => break,
            };
            items.push(self.tree.stmt(stmt));
        }
        // C23: a declaration, or nothing, may stand behind a label.
        if self.is(Punct::CloseBrace) || self.starts_block_declaration() {
            return Ok(());
        }
        let stmt = self.unlabeled()?;
        items.push(stmt);
        Ok(())
    }

    /// A statement with its labels.
    fn statement(&mut self) -> Parse<StmtId> {
        let mut items = Vec::new();
        self.labeled(&mut items)?;
        Ok(match *items.as_slice() {
            [only] => only,
            [] => self.tree.stmt(Stmt::Empty),
            _ => self.tree.stmt(Stmt::Block(items.into_boxed_slice())),
        })
    }

    fn nested_statement(&mut self) -> Parse<StmtId> {
        self.nested(Self::statement)
    }

    fn unlabeled(&mut self) -> Parse<StmtId> {
        let stmt = match self.kind() {
            TokenKind::Punct(Punct::OpenBrace) => return self.compound(),
            TokenKind::Punct(Punct::Semicolon) => {
                self.bump();
                Stmt::Empty
            }
            TokenKind::Name(name) if name.is_keyword() => return self.keyword_statement(name),
            _ => self.expression_statement()?,
        };
        Ok(self.tree.stmt(stmt))
    }

    fn expression_statement(&mut self) -> Parse<Stmt> {
        let expr = self.expression()?;
        self.end_statement()?;
        Ok(Stmt::Expr(expr))
    }

    fn end_statement(&mut self) -> Parse<()> {
        self.expect(Punct::Semicolon, "expected `;`")
    }

    fn condition(&mut self) -> Parse<ExprId> {
        self.expect(Punct::OpenParen, "expected `(`")?;
        let expr = self.expression()?;
        self.expect(Punct::CloseParen, "expected `)` behind a condition")?;
        Ok(expr)
    }

    fn keyword_statement(&mut self, name: Symbol) -> Parse<StmtId> {
        let stmt = match name {
            kw::IF => self.if_statement()?,
            kw::WHILE => {
                self.bump();
                let condition = self.condition()?;
                Stmt::While(condition, self.nested_statement()?)
            }
            kw::DO => {
                self.bump();
                let body = self.nested_statement()?;
                if !self.eat_word(kw::WHILE) {
                    return self.reject("expected `while`");
                }
                let condition = self.condition()?;
                self.end_statement()?;
                Stmt::DoWhile(body, condition)
            }
            kw::FOR => self.for_statement()?,
            kw::SWITCH => {
                self.bump();
                let value = self.condition()?;
                Stmt::Switch(value, self.nested_statement()?)
            }
            kw::GOTO => self.goto_statement()?,
            kw::BREAK | kw::CONTINUE => {
                self.bump();
                self.end_statement()?;
                if name == kw::BREAK { Stmt::Break } else { Stmt::Continue }
            }
            kw::RETURN => {
                self.bump();
                let value = if self.is(Punct::Semicolon) { None } else { Some(self.expression()?) };
                self.end_statement()?;
                Stmt::Return(value)
            }
            kw::ASM => self.asm_statement()?,
            _ => self.expression_statement()?,
        };
        Ok(self.tree.stmt(stmt))
    }

    /// A chain of `else if` of any length.
    fn if_statement(&mut self) -> Parse<Stmt> {
        let mut arms = Vec::new();
        loop {
            self.bump();
            let condition = self.condition()?;
            arms.push((condition, self.nested_statement()?));
            if !self.eat_word(kw::ELSE) {
                return Ok(Stmt::If(arms.into_boxed_slice(), None));
            }
            if !self.is_word(kw::IF) {
                let otherwise = self.nested_statement()?;
                return Ok(Stmt::If(arms.into_boxed_slice(), Some(otherwise)));
            }
        }
    }

    fn for_statement(&mut self) -> Parse<Stmt> {
        self.bump();
        self.expect(Punct::OpenParen, "expected `(` behind for")?;
        let depth = self.scopes.depth();
        self.scopes.enter();
        let mut init = Vec::new();
        if self.starts_block_declaration() {
            self.block_declaration(&mut init)?;
        } else if !self.eat(Punct::Semicolon) {
            let stmt = self.expression_statement()?;
            init.push(self.tree.stmt(stmt));
        }
        let condition = if self.is(Punct::Semicolon) { None } else { Some(self.expression()?) };
        self.end_statement()?;
        let step = if self.is(Punct::CloseParen) { None } else { Some(self.expression()?) };
        self.expect(Punct::CloseParen, "expected `)` behind for")?;
        let body = self.nested_statement()?;
        self.scopes.leave_to(depth);
        Ok(Stmt::For(init.first().copied(), condition, step, body))
    }

    fn goto_statement(&mut self) -> Parse<Stmt> {
        self.bump();
        let stmt = if self.eat(Punct::Star) {
            Stmt::Goto(None, Some(self.expression()?))
        } else {
            let Some(label) = self.identifier() else { return self.reject("expected a label behind goto") };
            self.bump();
            Stmt::Goto(Some(label), None)
        };
        self.end_statement()?;
        Ok(stmt)
    }

    /// `asm qualifiers ( template : outputs : inputs : clobbers : labels );`
    fn asm_statement(&mut self) -> Parse<Stmt> {
        self.bump();
        while matches!(self.kind(), TokenKind::Name(kw::VOLATILE | kw::INLINE | kw::GOTO | kw::CONST)) {
            self.bump();
        }
        self.expect(Punct::OpenParen, "expected `(` behind asm")?;
        let mut operands = Vec::new();
        while !self.eat(Punct::CloseParen) {
            match self.kind() {
                TokenKind::Text | TokenKind::Punct(Punct::Colon | Punct::Comma | Punct::ColonColon) => {
                    self.bump()
                }
                // Symbolic names of operands, and labels.
                TokenKind::Punct(Punct::OpenBracket) => {
                    self.bump();
                    self.bump();
                    self.expect(Punct::CloseBracket, "expected `]` behind the name of an operand")?;
                }
                TokenKind::Name(name) if !name.is_keyword() => self.bump(),
                TokenKind::Punct(Punct::OpenParen) => {
                    self.bump();
                    operands.push(self.expression()?);
                    self.expect(Punct::CloseParen, "expected `)` behind an operand")?;
                }
                _ => return self.reject("expected an operand of asm"),
            }
        }
        self.end_statement()?;
        Ok(Stmt::Asm(operands.into_boxed_slice()))
    }
}
