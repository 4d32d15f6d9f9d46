//! Attributes in both spellings; those that change sizes are kept.

use super::{Parse, Parser};
use crate::c::constant;
use crate::c::token::{Punct, Symbol, TokenKind, kw};
use crate::c::types::{self, Type, TypeId};
use crate::sites::facts::BaseType;

/// The attributes that change what a type is or how large it is.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Attributes {
    pub(super) packed: bool,
    pub(super) aligned: Option<u64>,
    vector_size: Option<u64>,
    vector_length: Option<u64>,
    mode: Option<Symbol>,
}

impl Attributes {
    /// Adds those of another place of the same declaration.
    pub(super) fn merge(&mut self, other: &Attributes) {
        self.packed |= other.packed;
        if let Some(align) = other.aligned {
            self.align(align);
        }
        self.vector_size = other.vector_size.or(self.vector_size);
        self.vector_length = other.vector_length.or(self.vector_length);
        self.mode = other.mode.or(self.mode);
    }

    pub(super) fn align(&mut self, align: u64) {
        if align.is_power_of_two() && align <= 1 << 28 {
            self.aligned = Some(self.aligned.unwrap_or(1).max(align));
        }
    }
}

impl Parser<'_> {
    /// Reads any number of attributes of both spellings.
    pub(super) fn attributes(&mut self, found: &mut Attributes) -> Parse<()> {
        loop {
            if self.eat_word(kw::ATTRIBUTE) {
                self.expect(Punct::OpenParen, "expected `((` behind __attribute__")?;
                self.expect(Punct::OpenParen, "expected `((` behind __attribute__")?;
                self.attribute_list(Punct::CloseParen, found)?;
                self.expect(Punct::CloseParen, "expected `))` behind attributes")?;
                self.expect(Punct::CloseParen, "expected `))` behind attributes")?;
            } else if self.is(Punct::OpenBracket) && self.is_after(1, Punct::OpenBracket) {
                self.bump();
                self.bump();
                self.attribute_list(Punct::CloseBracket, found)?;
                self.expect(Punct::CloseBracket, "expected `]]` behind attributes")?;
                self.expect(Punct::CloseBracket, "expected `]]` behind attributes")?;
            } else {
                return Ok(());
            }
        }
    }

    fn attribute_list(&mut self, close: Punct, found: &mut Attributes) -> Parse<()> {
        while !self.is(close) {
            match self.kind() {
                TokenKind::Name(name) => {
                    self.bump();
                    if self.eat(Punct::ColonColon) {
                        continue;
                    }
                    // `:` `:` with a blank between, as clang prints it.
                    if self.is(Punct::Colon) && self.is_after(1, Punct::Colon) {
                        self.bump();
                        self.bump();
                        continue;
                    }
                    self.attribute(name, found)?;
                }
                TokenKind::Punct(Punct::Comma) => self.bump(),
                _ => return self.reject("expected an attribute"),
            }
        }
        Ok(())
    }

    fn attribute(&mut self, name: Symbol, found: &mut Attributes) -> Parse<()> {
        if !self.is(Punct::OpenParen) {
            match name {
                kw::PACKED => found.packed = true,
                kw::ALIGNED => found.align(16),
                _ => {}
            }
            return Ok(());
        }
        match name {
            kw::ALIGNED | kw::VECTOR_SIZE | kw::EXT_VECTOR => {
                self.bump();
                let expr = self.assignment()?;
                self.expect(Punct::CloseParen, "expected `)` behind the argument of an attribute")?;
                let value =
                    constant::evaluate(&self.types, &self.tree, expr).and_then(|v| u64::try_from(v).ok());
                match (name, value) {
                    (_, None) => {}
                    (kw::ALIGNED, Some(value)) => found.align(value),
                    (kw::VECTOR_SIZE, value) => found.vector_size = value,
                    (_, value) => found.vector_length = value,
                }
            }
            kw::MODE => {
                self.bump();
                if let TokenKind::Name(mode) = self.kind() {
                    found.mode = Some(mode);
                    self.bump();
                }
                self.expect(Punct::CloseParen, "expected `)` behind a mode")?;
            }
            _ => self.skip_parentheses()?,
        }
        Ok(())
    }

    /// The type that the attributes make of a declared one.
    pub(super) fn with_attributes(&mut self, ty: TypeId, attributes: &Attributes) -> TypeId {
        let mut ty = ty;
        if let Some(base) = attributes.mode.and_then(|mode| self.mode(ty, mode)) {
            ty = self.types.base(base);
        }
        if let Some(size) = attributes.vector_size {
            ty = self.types.intern(Type::Vector(ty, size));
        } else if let Some(length) = attributes.vector_length
            && let Some(size) = self.types.size_of(ty).and_then(|size| size.checked_mul(length))
        {
            ty = self.types.intern(Type::Vector(ty, size));
        }
        ty
    }

    fn mode(&self, ty: TypeId, mode: Symbol) -> Option<BaseType> {
        let base = self.types.arithmetic(ty)?;
        let text = self.tokens.names.bytes(mode);
        let text = text.strip_prefix(b"__").and_then(|text| text.strip_suffix(b"__")).unwrap_or(text);
        let (integer, size) = match text {
            b"QI" | b"byte" => (true, 1),
            b"HI" => (true, 2),
            b"SI" => (true, 4),
            b"DI" | b"word" | b"pointer" | b"unwind_word" => (true, 8),
            b"TI" => (true, 16),
            b"HF" => (false, 2),
            b"SF" => (false, 4),
            b"DF" => (false, 8),
            b"XF" | b"TF" => (false, 16),
            b"SC" => return Some(BaseType { encoding: types::COMPLEX_FLOAT, size: 8 }),
            b"DC" => return Some(BaseType { encoding: types::COMPLEX_FLOAT, size: 16 }),
            b"XC" | b"TC" => return Some(BaseType { encoding: types::COMPLEX_FLOAT, size: 32 }),
            _ => return None,
        };
        let encoding = match (integer, types::is_signed(base), size) {
            (false, ..) => types::FLOAT,
            (true, true, 1) => types::SIGNED_CHAR,
            (true, true, _) => types::SIGNED,
            (true, false, 1) => types::UNSIGNED_CHAR,
            (true, false, _) => types::UNSIGNED,
        };
        Some(BaseType { encoding, size })
    }
}
