//! External declarations and function definitions.

use rustc_hash::FxHashMap;

use super::attributes::Attributes;
use super::declarators::{Declarator, Part};
use super::specifiers::{Specifiers, StorageWord};
use super::{External, Parse, Parser};
use crate::c::scopes::{Entity, Object, ObjectId, Storage};
use crate::c::syntax::Definition;
use crate::c::token::{Punct, TokenIndex, TokenKind, kw};
use crate::c::types::Types;

impl Parser<'_> {
    /// Reads one external declaration into [`Parser::tree`]; `None` at the end of the file. One that cannot be read counts
    /// as [`External::Nothing`] and is added to [`Parser::skipped`].
    pub fn advance(&mut self) -> Option<External> {
        self.tree.clear();
        self.numbers = FxHashMap::default();
        if self.kind() == TokenKind::End {
            return None;
        }
        let start = self.at;
        Some(self.external().unwrap_or_else(|rejected| {
            self.recover(start, rejected);
            External::Nothing
        }))
    }

    fn external(&mut self) -> Parse<External> {
        while self.eat_word(kw::EXTENSION) {}
        if self.eat(Punct::Semicolon) || self.static_assertion()? {
            return Ok(External::Nothing);
        }
        if self.eat_word(kw::ASM) {
            while matches!(self.kind(), TokenKind::Name(kw::VOLATILE | kw::INLINE)) {
                self.bump();
            }
            self.skip_parentheses()?;
            self.expect(Punct::Semicolon, "expected `;` behind asm")?;
            return Ok(External::Nothing);
        }
        let specifiers = self.specifiers()?;
        if self.eat(Punct::Semicolon) {
            return Ok(External::Nothing);
        }
        let mut declarator = self.declarator()?;
        if declarator.name.is_none() {
            return self.reject("expected a declaration");
        }
        self.asm_label(&mut declarator.attributes)?;
        if self.starts_body(&declarator) {
            return Ok(External::Function(self.definition(&specifiers, declarator)?));
        }
        Ok(External::Variables(self.init_declarators(&specifiers, declarator)?))
    }

    /// Whether a function definition goes on behind its declarator.
    pub(super) fn starts_body(&self, declarator: &Declarator) -> bool {
        matches!(declarator.parts.first(), Some(Part::Function { .. }))
            && (self.is(Punct::OpenBrace) || self.starts_declaration(self.kind_behind_extension()))
    }

    /// The rest of a function definition: declarations of old-style parameters, and the body.
    pub(super) fn definition(
        &mut self,
        specifiers: &Specifiers,
        declarator: Declarator,
    ) -> Parse<Definition> {
        let Some((name, at)) = declarator.name else { return self.reject("expected the name of a function") };
        let parameters = Self::own_parameters(&declarator);
        let is_nested = self.scopes.depth() > 0;
        let depth = self.scopes.depth();
        self.enter_with(&parameters);
        if !self.is(Punct::OpenBrace) {
            self.old_style_parameters(&parameters)?;
        }
        let parts = self.with_parameter_types(declarator.parts);
        let ty = self.apply(parts, specifiers.ty);
        let result = self.types.result(ty).unwrap_or(Types::UNKNOWN);
        let is_static = specifiers.storage == StorageWord::Static
            || matches!(self.scopes.find(name), Some(Entity::Object(known)) if !is_nested && self.scopes.object(known).storage == Storage::Static);
        let storage = if is_static { Storage::Static } else { Storage::Global };
        let object = Object { name, ty, storage, is_const: false, at };
        // The function is known outside its own scope, and inside unless a parameter has its name.
        self.scopes.leave_to(depth);
        let object = self.scopes.declare_object(object);
        self.enter_with(&parameters);
        let body = self.compound()?;
        let end = TokenIndex(self.at.0.saturating_sub(1));
        self.scopes.leave_to(depth);
        Ok(Definition { object, is_static, parameters, result, body, end })
    }

    fn enter_with(&mut self, parameters: &[ObjectId]) {
        self.scopes.enter();
        for &parameter in parameters {
            let name = self.scopes.object(parameter).name;
            self.scopes.declare(name, Entity::Object(parameter));
        }
    }

    fn old_style_parameters(&mut self, parameters: &[ObjectId]) -> Parse<()> {
        while !self.is(Punct::OpenBrace) {
            while self.eat_word(kw::EXTENSION) {}
            if !self.starts_declaration(self.kind()) {
                return self.reject("expected the declaration of a parameter, or `{`");
            }
            let specifiers = self.specifiers()?;
            loop {
                let declarator = self.declarator()?;
                self.attributes(&mut Attributes::default())?;
                let name = declarator.name.map(|(name, _)| name);
                let ty = self.apply(declarator.parts, specifiers.ty);
                let ty = self.adjusted(ty);
                let known = parameters.iter().find(|&&id| Some(self.scopes.object(id).name) == name);
                if let Some(&id) = known {
                    self.scopes.objects[id.0 as usize].ty = ty;
                }
                if !self.eat(Punct::Comma) {
                    break;
                }
            }
            self.expect(Punct::Semicolon, "expected `;` behind the declaration of a parameter")?;
        }
        Ok(())
    }

    /// The types of old-style parameters are known only behind their declarations.
    fn with_parameter_types(&self, mut parts: Vec<Part>) -> Vec<Part> {
        if let Some(Part::Function { parameters, .. }) = parts.first_mut() {
            for parameter in parameters {
                if let Some(object) = parameter.object {
                    parameter.ty = self.scopes.object(object).ty;
                }
            }
        }
        parts
    }
}
