//! Initialisers and their designators.

use super::{Parse, Parser};
use crate::c::constant;
use crate::c::syntax::{Designator, Expr, Init, InitId};
use crate::c::token::{Punct, TokenKind};
use crate::c::types::{Length, Type, TypeId};

impl Parser<'_> {
    /// An initialiser behind `=`.
    pub(super) fn initializer(&mut self) -> Parse<InitId> {
        if self.is(Punct::OpenBrace) {
            return self.braced_initializer();
        }
        if matches!(self.kind(), TokenKind::Number)
            && (self.is_after(1, Punct::Comma) || self.is_after(1, Punct::CloseBrace))
        {
            return self.plain_number();
        }
        let expr = self.assignment()?;
        Ok(self.tree.init(Init::Expr(expr)))
    }

    /// Embedded data is millions of numbers between commas: equal ones share a node.
    fn plain_number(&mut self) -> Parse<InitId> {
        let text = self.tokens.text(self.token());
        if let Some(&known) = self.numbers.get(text) {
            self.bump();
            return Ok(known);
        }
        let expr = self.primary()?;
        let init = self.tree.init(Init::Expr(expr));
        self.numbers.insert(text, init);
        Ok(init)
    }

    /// `{ … }`
    pub(super) fn braced_initializer(&mut self) -> Parse<InitId> {
        self.expect(Punct::OpenBrace, "expected `{`")?;
        self.nested(|parser| {
            let mut items = Vec::new();
            while !parser.eat(Punct::CloseBrace) {
                let designators = parser.designators()?;
                let init = parser.initializer()?;
                items.push((designators.into_boxed_slice(), init));
                if !parser.eat(Punct::Comma) && !parser.is(Punct::CloseBrace) {
                    return parser.reject("expected `,` or `}` in an initialiser");
                }
            }
            Ok(parser.tree.init(Init::List(items.into_boxed_slice())))
        })
    }

    fn designators(&mut self) -> Parse<Vec<Designator>> {
        let mut designators = Vec::new();
        // `name: value` of old GNU C.
        if let TokenKind::Name(name) = self.kind()
            && !name.is_keyword()
            && self.is_after(1, Punct::Colon)
        {
            self.bump();
            self.bump();
            return Ok(vec![Designator::Member(name)]);
        }
        loop {
            if self.is(Punct::Dot) {
                self.bump();
                let Some(name) = self.identifier() else {
                    return self.reject("expected a member behind `.`");
                };
                self.bump();
                designators.push(Designator::Member(name));
            } else if self.eat(Punct::OpenBracket) {
                let first = self.conditional()?;
                let mut last = first;
                if self.eat(Punct::Ellipsis) {
                    last = self.conditional()?;
                }
                self.expect(Punct::CloseBracket, "expected `]` in a designator")?;
                designators.push(Designator::Index(last));
            } else {
                break;
            }
        }
        // Old GNU C lets `[index]` go without `=`.
        if !designators.is_empty() {
            self.eat(Punct::Assign);
        }
        Ok(designators)
    }

    /// The length that an initialiser gives an array without one.
    pub(super) fn initialized_length(&self, element: TypeId, init: InitId) -> Length {
        let items = match self.tree.get_init(init) {
            Init::Expr(expr) => return self.literal_length(&self.tree.node(*expr).expr, self.type_of(*expr)),
            Init::List(items) => items,
        };
        if let [(designators, only)] = &**items
            && designators.is_empty()
            && let Init::Expr(expr) = *self.tree.get_init(*only)
            && matches!(self.tree.node(expr).expr, Expr::Text)
            && self.types.is_integer(element)
        {
            return self.literal_length(&Expr::Text, self.type_of(expr));
        }
        let is_aggregate = match self.types.get(element) {
            Type::Array(..) => true,
            Type::Record(_) => !self.types.is_integer(element),
            _ => false,
        };
        let (mut next, mut length) = (0u64, 0u64);
        for (designators, item) in items {
            if let Some(Designator::Index(index)) = designators.first() {
                let index = constant::evaluate(&self.types, &self.tree, *index);
                let Some(index) = index.and_then(|index| u64::try_from(index).ok()) else {
                    return Length::Unknown;
                };
                next = index;
            }
            // Without its own braces, an item may be a part of an element only.
            if is_aggregate && designators.is_empty() && !self.fills(element, *item) {
                return Length::Unknown;
            }
            next = next.saturating_add(1);
            length = length.max(next);
        }
        Length::Known(length)
    }

    fn fills(&self, element: TypeId, item: InitId) -> bool {
        match self.tree.get_init(item) {
            Init::List(_) => true,
            Init::Expr(expr) => {
                let is_text = matches!(self.tree.node(*expr).expr, Expr::Text);
                is_text && matches!(self.types.get(element), Type::Array(..))
                    || self.type_of(*expr) == element
            }
        }
    }

    fn literal_length(&self, expr: &Expr, ty: TypeId) -> Length {
        match (expr, self.types.get(ty)) {
            (Expr::Text | Expr::Compound(_), Type::Array(_, length)) => *length,
            _ => Length::Unknown,
        }
    }
}
