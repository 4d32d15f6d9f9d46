//! Declarators: what turns the type of the specifiers into that of a name.

use super::attributes::Attributes;
use super::specifiers::StorageWord;
use super::{Parse, Parser};
use crate::c::constant;
use crate::c::scopes::{Object, ObjectId, Storage};
use crate::c::token::{Punct, Symbol, TokenIndex, TokenKind, kw};
use crate::c::types::{Length, Type, TypeId};

/// One step from the name outwards.
#[derive(Debug)]
pub(super) enum Part {
    Pointer,
    Array(Length),
    Function { parameters: Vec<Parameter>, variadic: bool },
}

/// A parameter as declared.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parameter {
    pub(super) ty: TypeId,
    pub(super) object: Option<ObjectId>,
}

/// A declarator, or an abstract one without a name.
#[derive(Debug)]
pub(super) struct Declarator {
    pub(super) name: Option<(Symbol, TokenIndex)>,
    /// From the name outwards.
    pub(super) parts: Vec<Part>,
    /// The attributes around the name.
    pub(super) attributes: Attributes,
}

impl Parser<'_> {
    pub(super) fn declarator(&mut self) -> Parse<Declarator> {
        self.nested(|parser| {
            let mut pointers = 0usize;
            loop {
                parser.attributes(&mut Attributes::default())?;
                match parser.kind() {
                    TokenKind::Punct(Punct::Star | Punct::Caret) => pointers += 1,
                    TokenKind::Name(
                        kw::CONST
                        | kw::VOLATILE
                        | kw::RESTRICT
                        | kw::ATOMIC
                        | kw::NULLABILITY
                        | kw::EXTENSION,
                    ) => {}
                    _ => break,
                }
                parser.bump();
            }
            let mut declarator = parser.direct_declarator()?;
            declarator.parts.extend(std::iter::repeat_with(|| Part::Pointer).take(pointers));
            Ok(declarator)
        })
    }

    fn direct_declarator(&mut self) -> Parse<Declarator> {
        let mut declarator = Declarator { name: None, parts: Vec::new(), attributes: Attributes::default() };
        if let Some(name) = self.identifier() {
            declarator.name = Some((name, self.at));
            self.bump();
        } else if self.is(Punct::OpenParen) && !self.is_parameter_list() {
            self.bump();
            declarator = self.declarator()?;
            self.expect(Punct::CloseParen, "expected `)` in a declarator")?;
        }
        loop {
            self.attributes(&mut declarator.attributes)?;
            if self.is(Punct::OpenBracket) {
                let length = self.array_length()?;
                declarator.parts.push(Part::Array(length));
            } else if self.is(Punct::OpenParen) {
                let part = self.parameter_list()?;
                declarator.parts.push(part);
            } else {
                return Ok(declarator);
            }
        }
    }

    /// Whether `(` without a name before it opens the parameters of an abstract function.
    fn is_parameter_list(&self) -> bool {
        let kind = self.kind_after(1);
        match kind {
            TokenKind::Punct(Punct::CloseParen) | TokenKind::Punct(Punct::Ellipsis) => true,
            TokenKind::Punct(Punct::OpenBracket) => self.is_after(2, Punct::OpenBracket),
            // `(__attribute__((cdecl)) *f)` is a declarator.
            TokenKind::Name(kw::ATTRIBUTE | kw::NULLABILITY) => false,
            _ => self.starts_declaration(kind),
        }
    }

    fn array_length(&mut self) -> Parse<Length> {
        self.bump();
        loop {
            self.attributes(&mut Attributes::default())?;
            match self.kind() {
                TokenKind::Name(kw::STATIC | kw::CONST | kw::VOLATILE | kw::RESTRICT | kw::ATOMIC) => {
                    self.bump()
                }
                _ => break,
            }
        }
        if self.eat(Punct::CloseBracket) {
            return Ok(Length::Open);
        }
        if self.is(Punct::Star) && self.is_after(1, Punct::CloseBracket) {
            self.bump();
            self.bump();
            return Ok(Length::Unknown);
        }
        let expr = self.assignment()?;
        self.expect(Punct::CloseBracket, "expected `]` behind the length of an array")?;
        Ok(match constant::evaluate(&self.types, &self.tree, expr) {
            Some(value) => u64::try_from(value).map_or(Length::Unknown, Length::Known),
            None if self.scopes.depth() > 0 => Length::Variable(expr),
            None => Length::Unknown,
        })
    }

    fn parameter_list(&mut self) -> Parse<Part> {
        self.bump();
        self.scopes.enter();
        let depth = self.scopes.depth();
        let part = self.nested(Self::parameters);
        self.scopes.leave_to(depth - 1);
        part
    }

    fn parameters(&mut self) -> Parse<Part> {
        let mut parameters = Vec::new();
        if self.eat(Punct::CloseParen) {
            return Ok(Part::Function { parameters, variadic: true });
        }
        if self.is_word(kw::VOID) && self.is_after(1, Punct::CloseParen) {
            self.bump();
            self.bump();
            return Ok(Part::Function { parameters, variadic: false });
        }
        let is_old_style = self
            .identifier()
            .is_some_and(|name| self.scopes.find(name).is_none() || self.typedef(name).is_none())
            && !self.starts_declaration(self.kind());
        if is_old_style {
            return self.old_style_names();
        }
        loop {
            if self.eat(Punct::Ellipsis) {
                self.expect(Punct::CloseParen, "expected `)` behind `...`")?;
                return Ok(Part::Function { parameters, variadic: true });
            }
            let parameter = self.parameter(parameters.len() as u32)?;
            parameters.push(parameter);
            // `int f(int a; int b[a])`: GNU C declares parameters forward before a semicolon.
            if self.eat(Punct::Semicolon) {
                parameters.clear();
            } else if self.eat(Punct::CloseParen) {
                return Ok(Part::Function { parameters, variadic: false });
            } else {
                self.expect(Punct::Comma, "expected `,` or `)` behind a parameter")?;
            }
        }
    }

    fn parameter(&mut self, index: u32) -> Parse<Parameter> {
        while self.eat_word(kw::EXTENSION) {}
        if !self.starts_declaration(self.kind()) && !self.is(Punct::OpenBracket) {
            return self.reject("expected a parameter");
        }
        let mut specifiers = self.specifiers()?;
        let declarator = self.declarator()?;
        self.attributes(&mut specifiers.attributes)?;
        specifiers.attributes.merge(&declarator.attributes);
        let base = self.with_attributes(specifiers.ty, &specifiers.attributes);
        let ty = self.apply(declarator.parts, base);
        let ty = self.adjusted(ty);
        let object = declarator.name.map(|(name, at)| {
            let storage = Storage::Parameter(index);
            self.scopes.declare_object(Object { name, ty, storage, is_const: specifiers.is_const, at })
        });
        Ok(Parameter { ty, object })
    }

    fn old_style_names(&mut self) -> Parse<Part> {
        let int = self.types.base(crate::c::types::INT);
        let mut parameters = Vec::new();
        loop {
            let Some(name) = self.identifier() else {
                return self.reject("expected the name of a parameter");
            };
            let storage = Storage::Parameter(parameters.len() as u32);
            let object =
                self.scopes.add_object(Object { name, ty: int, storage, is_const: false, at: self.at });
            parameters.push(Parameter { ty: int, object: Some(object) });
            self.bump();
            if self.eat(Punct::CloseParen) {
                return Ok(Part::Function { parameters, variadic: true });
            }
            self.expect(Punct::Comma, "expected `,` or `)` behind the name of a parameter")?;
        }
    }

    /// The type of a parameter: arrays and functions become pointers.
    pub(super) fn adjusted(&mut self, ty: TypeId) -> TypeId {
        crate::c::typing::decay(&mut self.types, ty)
    }

    /// The type that the parts of a declarator make of the specifiers' type.
    pub(super) fn apply(&mut self, parts: Vec<Part>, base: TypeId) -> TypeId {
        parts.into_iter().rev().fold(base, |ty, part| match part {
            Part::Pointer => self.types.pointer(ty),
            Part::Array(length) => self.types.array(ty, length),
            Part::Function { parameters, variadic } => {
                let parameters = parameters.iter().map(|parameter| parameter.ty).collect();
                self.types.intern(Type::Function { result: ty, parameters, variadic })
            }
        })
    }

    /// A type name, as in casts and `sizeof`.
    pub(super) fn type_name(&mut self) -> Parse<TypeId> {
        self.nested(|parser| {
            while parser.eat_word(kw::EXTENSION) {}
            let mut specifiers = parser.specifiers()?;
            if specifiers.storage == StorageWord::Typedef {
                return parser.reject("a storage class in a type name");
            }
            let declarator = parser.declarator()?;
            if declarator.name.is_some() {
                return parser.reject("a name in a type name");
            }
            parser.attributes(&mut specifiers.attributes)?;
            specifiers.attributes.merge(&declarator.attributes);
            let base = parser.with_attributes(specifiers.ty, &specifiers.attributes);
            Ok(parser.apply(declarator.parts, base))
        })
    }
}
