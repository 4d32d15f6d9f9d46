//! Declarations of variables, functions and typedefs, inside and outside functions.

use super::attributes::Attributes;
use super::declarators::{Declarator, Part};
use super::specifiers::{Specifiers, StorageWord};
use super::{Parse, Parser};
use crate::c::scopes::{Entity, Object, ObjectId, Storage};
use crate::c::syntax::{Declared, Init, InitId};
use crate::c::token::{Punct, Symbol, TokenIndex, TokenKind, kw};
use crate::c::types::{Length, Type, TypeId};

impl Parser<'_> {
    /// `_Static_assert ( … );`, if that is what comes.
    pub(super) fn static_assertion(&mut self) -> Parse<bool> {
        if !self.is_word(kw::STATIC_ASSERT) && !self.is_soft_word(kw::SOFT_STATIC_ASSERT) {
            return Ok(false);
        }
        self.bump();
        self.expect(Punct::OpenParen, "expected `(` behind _Static_assert")?;
        self.conditional()?;
        if self.eat(Punct::Comma) {
            while self.kind() == TokenKind::Text {
                self.bump();
            }
        }
        self.expect(Punct::CloseParen, "expected `)` behind a static assertion")?;
        self.expect(Punct::Semicolon, "expected `;` behind a static assertion")?;
        Ok(true)
    }

    /// `asm ("…")` behind a declarator.
    pub(super) fn asm_label(&mut self, attributes: &mut Attributes) -> Parse<()> {
        self.attributes(attributes)?;
        while self.eat_word(kw::ASM) {
            self.skip_parentheses()?;
            self.attributes(attributes)?;
        }
        Ok(())
    }

    /// The declarators behind the specifiers, up to the semicolon. The first declarator was read already.
    pub(super) fn init_declarators(
        &mut self,
        specifiers: &Specifiers,
        first: Declarator,
    ) -> Parse<Vec<Declared>> {
        let mut declared = Vec::new();
        let mut declarator = first;
        loop {
            let mut attributes = specifiers.attributes;
            attributes.merge(&declarator.attributes);
            self.asm_label(&mut attributes)?;
            self.init_declarator(specifiers, declarator, &attributes, &mut declared)?;
            if !self.eat(Punct::Comma) {
                break;
            }
            self.attributes(&mut Attributes::default())?;
            declarator = self.declarator()?;
        }
        self.expect(Punct::Semicolon, "expected `;`, `,` or `=` in a declaration")?;
        Ok(declared)
    }

    fn init_declarator(
        &mut self,
        specifiers: &Specifiers,
        declarator: Declarator,
        attributes: &Attributes,
        declared: &mut Vec<Declared>,
    ) -> Parse<()> {
        let Some((name, at)) = declarator.name else {
            return self.reject("expected a name in a declaration");
        };
        if specifiers.is_deduced && self.is(Punct::Assign) {
            self.bump();
            let init = self.initializer()?;
            let ty = match *self.tree.get_init(init) {
                Init::Expr(expr) => self.type_of(expr),
                Init::List(_) => specifiers.ty,
            };
            let ty = self.deduced_type(ty);
            let ty = self.apply(declarator.parts, ty);
            let object = self.declare_variable(specifiers, name, at, ty);
            declared.push(Declared { object, init: Some(init) });
            return Ok(());
        }
        let base = self.with_attributes(specifiers.ty, attributes);
        if specifiers.storage == StorageWord::Typedef {
            if let Some(record) = specifiers.untagged.filter(|_| declarator.parts.is_empty()) {
                self.types.record_mut(record).typedef.get_or_insert(name);
            }
            let ty = self.apply(declarator.parts, base);
            self.scopes.declare(name, Entity::Typedef(ty));
            return Ok(());
        }
        let ty = self.apply(declarator.parts, base);
        let object = self.declare_variable(specifiers, name, at, ty);
        let mut init = None;
        if self.eat(Punct::Assign) {
            let id = self.initializer()?;
            self.complete_array(object, id);
            init = Some(id);
        }
        if !matches!(self.types.get(ty), Type::Function { .. }) {
            declared.push(Declared { object, init });
        }
        Ok(())
    }

    fn declare_variable(
        &mut self,
        specifiers: &Specifiers,
        name: Symbol,
        at: TokenIndex,
        ty: TypeId,
    ) -> ObjectId {
        let is_function = matches!(self.types.get(ty), Type::Function { .. });
        let storage = match specifiers.storage {
            StorageWord::Static => Storage::Static,
            StorageWord::Extern => Storage::Global,
            _ if is_function || self.scopes.depth() == 0 => Storage::Global,
            _ => Storage::Local,
        };
        if let Some(Entity::Object(known)) = self.scopes.find_here(name)
            && self.scopes.depth() == 0
        {
            return self.redeclare(known, ty, specifiers.is_const);
        }
        self.scopes.declare_object(Object { name, ty, storage, is_const: specifiers.is_const, at })
    }

    /// A second declaration keeps the first's storage class, and the more telling of the types.
    fn redeclare(&mut self, known: ObjectId, ty: TypeId, is_const: bool) -> ObjectId {
        let before = self.scopes.object(known).ty;
        let loses = match (self.types.get(before), self.types.get(ty)) {
            (Type::Array(_, Length::Known(_)), Type::Array(_, Length::Open)) => true,
            (Type::Function { parameters, .. }, Type::Function { parameters: new, .. }) => {
                !parameters.is_empty() && new.is_empty()
            }
            _ => false,
        };
        let object = &mut self.scopes.objects[known.0 as usize];
        object.is_const |= is_const;
        if !loses {
            object.ty = ty;
        }
        known
    }

    /// `T x[] = …`: the initialiser gives the length.
    fn complete_array(&mut self, object: ObjectId, init: InitId) {
        let ty = self.scopes.object(object).ty;
        if let Type::Array(element, Length::Open) = *self.types.get(ty) {
            let length = self.initialized_length(element, init);
            let ty = self.types.array(element, length);
            self.scopes.objects[object.0 as usize].ty = ty;
        }
    }

    /// The named parameters of a definition: those of the function part next to the name.
    pub(super) fn own_parameters(declarator: &Declarator) -> Vec<ObjectId> {
        match declarator.parts.first() {
            Some(Part::Function { parameters, .. }) => {
                parameters.iter().filter_map(|one| one.object).collect()
            }
            _ => Vec::new(),
        }
    }
}
