//! Expressions with a syntax of their own that look like calls, and the types of built-in functions.

use super::{Parse, Parser};
use crate::c::scopes::Entity;
use crate::c::syntax::{Expr, ExprId};
use crate::c::token::{Punct, Symbol, TokenKind, kw};
use crate::c::types::{self, Length, Type, TypeId, Types};
use crate::c::typing;

type Reader<'a> = fn(&mut Parser<'a>) -> Parse<ExprId>;

impl<'a> Parser<'a> {
    /// What reads the call of a built-in that takes types as arguments.
    pub(super) fn builtin(&self, name: Symbol) -> Option<Reader<'a>> {
        Some(match name {
            kw::BUILTIN_OFFSETOF => Self::offset_of,
            kw::BUILTIN_VA_ARG => Self::va_arg,
            kw::BUILTIN_CONVERT_VECTOR => Self::convert_vector,
            kw::BUILTIN_TYPES_COMPATIBLE => Self::types_compatible,
            kw::BUILTIN_CHOOSE_EXPR => Self::choose_expr,
            _ => return None,
        })
    }

    /// The type of a function that nothing declares: that of the library function behind a built-in one, else unknown.
    pub(super) fn undeclared_type(&mut self, name: Symbol) -> TypeId {
        if name == kw::FUNC {
            let char = self.types.base(types::CHAR);
            return self.types.array(char, Length::Unknown);
        }
        let text = self.tokens.names.bytes(name);
        let Some(library) = text.strip_prefix(b"__builtin_") else { return Types::UNKNOWN };
        if library == b"alloca" || library.starts_with(b"alloca_with_align") {
            let result = self.types.pointer(Types::VOID);
            return self.types.intern(Type::Function { result, parameters: Box::new([]), variadic: true });
        }
        let declared = std::str::from_utf8(library).ok().and_then(|library| self.tokens.names.find(library));
        match declared.and_then(|symbol| self.scopes.find(symbol)) {
            Some(Entity::Object(id)) => self.scopes.object(id).ty,
            _ => Types::UNKNOWN,
        }
    }

    fn open(&mut self) -> Parse<()> {
        self.bump();
        self.expect(Punct::OpenParen, "expected `(` behind a built-in function")
    }

    fn close(&mut self) -> Parse<()> {
        self.expect(Punct::CloseParen, "expected `)` behind the arguments of a built-in function")
    }

    fn comma(&mut self) -> Parse<()> {
        self.expect(Punct::Comma, "expected `,` between the arguments of a built-in function")
    }

    /// `__builtin_offsetof (type, member.member[index])`
    fn offset_of(&mut self) -> Parse<ExprId> {
        let start = self.at;
        self.open()?;
        let ty = self.type_name()?;
        self.comma()?;
        let (mut path, mut offset, mut inner) = (String::new(), Some(0u64), ty);
        loop {
            match self.kind() {
                TokenKind::Name(name) => {
                    self.bump();
                    path.push_str(&self.tokens.names.text(name));
                    let found =
                        self.types.as_record(inner).and_then(|record| self.types.member(record, name));
                    let (member, at) = found.unwrap_or((Types::UNKNOWN, None));
                    offset = offset.zip(at).and_then(|(outer, at)| outer.checked_add(at));
                    inner = member;
                }
                TokenKind::Punct(Punct::Dot | Punct::Arrow) => {
                    self.bump();
                    path.push('.');
                }
                TokenKind::Punct(Punct::OpenBracket) => {
                    self.bump();
                    let index = self.expression()?;
                    self.expect(Punct::CloseBracket, "expected `]` behind an index")?;
                    path.push_str("[]");
                    inner = self.types.pointee(inner).unwrap_or(Types::UNKNOWN);
                    let index = self.value_of(index).and_then(|index| u64::try_from(index).ok());
                    let by = index
                        .zip(self.types.size_of(inner))
                        .and_then(|(index, size)| index.checked_mul(size));
                    offset = offset.zip(by).and_then(|(outer, by)| outer.checked_add(by));
                }
                _ => break,
            }
        }
        self.close()?;
        let ulong = self.types.base(types::ULONG);
        self.make(Expr::Offsetof(ty, path.into_boxed_str(), offset), start, ulong)
    }

    fn va_arg(&mut self) -> Parse<ExprId> {
        self.expression_and_type()
    }

    fn convert_vector(&mut self) -> Parse<ExprId> {
        // `__builtin_bit_cast` has the type first.
        if self.starts_type(self.kind_after(2)) {
            let start = self.at;
            self.open()?;
            let ty = self.type_name()?;
            self.comma()?;
            let operand = self.assignment()?;
            self.close()?;
            return self.make(Expr::Opaque(Box::new([operand])), start, ty);
        }
        self.expression_and_type()
    }

    fn expression_and_type(&mut self) -> Parse<ExprId> {
        let start = self.at;
        self.open()?;
        let operand = self.assignment()?;
        self.comma()?;
        let ty = self.type_name()?;
        self.close()?;
        self.make(Expr::Opaque(Box::new([operand])), start, ty)
    }

    fn types_compatible(&mut self) -> Parse<ExprId> {
        let start = self.at;
        self.open()?;
        let left = self.type_name()?;
        self.comma()?;
        let right = self.type_name()?;
        self.close()?;
        let int = self.types.base(types::INT);
        self.make(Expr::Integer(i128::from(left == right)), start, int)
    }

    fn choose_expr(&mut self) -> Parse<ExprId> {
        self.open()?;
        let condition = self.assignment()?;
        self.comma()?;
        let then = self.assignment()?;
        self.comma()?;
        let otherwise = self.assignment()?;
        self.close()?;
        Ok(if self.value_of(condition) == Some(0) { otherwise } else { then })
    }

    /// `_Generic`: the operand whose type fits, else the default, else the first.
    pub(super) fn generic_selection(&mut self) -> Parse<ExprId> {
        self.open()?;
        let control = if self.starts_type(self.kind_behind_extension()) {
            self.type_name()?
        } else {
            let control = self.assignment()?;
            let ty = self.type_of(control);
            typing::decay(&mut self.types, ty)
        };
        let (mut exact, mut default, mut first) = (None, None, None);
        while self.eat(Punct::Comma) {
            let ty = if self.eat_word(kw::DEFAULT) { None } else { Some(self.type_name()?) };
            self.expect(Punct::Colon, "expected `:` in _Generic")?;
            let value = self.assignment()?;
            first = first.or(Some(value));
            match ty {
                Some(ty) if ty == control => exact = exact.or(Some(value)),
                Some(_) => {}
                None => default = Some(value),
            }
        }
        self.close()?;
        exact.or(default).or(first).map_or_else(|| self.reject("_Generic without operands"), Ok)
    }
}
