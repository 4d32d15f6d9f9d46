//! `struct`, `union` and `enum` specifiers.

use super::attributes::Attributes;
use super::{Parse, Parser};
use crate::c::constant;
use crate::c::layout::{self, Packing};
use crate::c::scopes::Entity;
use crate::c::token::{Punct, Symbol, TokenIndex, TokenKind, kw};
use crate::c::types::{self, Member, RecordId, Type, TypeId};
use crate::sites::facts::{BaseType, TagKind};

/// A member that only takes part in the layout.
pub(super) fn unnamed_member(ty: TypeId) -> Member {
    Member { name: None, ty, bits: None, aligned: None, packed: false, offset: None }
}

impl Parser<'_> {
    /// Reads from the keyword on. Also gives the record if it was defined here and has no tag.
    pub(super) fn record_specifier(&mut self) -> Parse<(TypeId, Option<RecordId>)> {
        let kind = match self.kind() {
            TokenKind::Name(kw::UNION) => TagKind::Union,
            TokenKind::Name(kw::ENUM) => TagKind::Enum,
            _ => TagKind::Struct,
        };
        let keyword = self.at;
        self.bump();
        let mut attributes = Attributes::default();
        self.attributes(&mut attributes)?;
        let tag_at = self.at;
        // A typedef name may be a tag as well; a keyword may not.
        let tag = self.identifier();
        if tag.is_some() {
            self.bump();
        }
        self.attributes(&mut attributes)?;
        let mut fixed = None;
        if kind == TagKind::Enum && self.is(Punct::Colon) && self.starts_type(self.kind_after(1)) {
            self.bump();
            let specifiers = self.specifiers()?;
            fixed = self.types.arithmetic(specifiers.ty);
        }
        if !self.is(Punct::OpenBrace) {
            let Some(tag) = tag else { return self.reject("expected a tag or `{`") };
            return Ok((self.tag_reference(kind, tag, tag_at, fixed), None));
        }
        let at = if tag.is_some() { tag_at } else { keyword };
        let record = self.tag_definition(kind, tag, at);
        self.bump();
        if kind == TagKind::Enum {
            self.enumerators(record, fixed, attributes)?;
        } else {
            self.members(record, attributes)?;
        }
        let ty = self.types.intern(Type::Record(record));
        Ok((ty, Some(record).filter(|_| tag.is_none())))
    }

    fn tag_reference(
        &mut self,
        kind: TagKind,
        tag: Symbol,
        at: TokenIndex,
        fixed: Option<BaseType>,
    ) -> TypeId {
        // `struct tag;` declares a new one in this scope.
        let found = if self.is(Punct::Semicolon) {
            self.scopes.find_tag_here(tag)
        } else {
            self.scopes.find_tag(tag)
        };
        if let Some(record) = found.filter(|&record| self.types.record(record).kind == kind) {
            return self.types.intern(Type::Record(record));
        }
        let (record, ty) = self.types.add_record(kind, Some(tag), at);
        if let Some(fixed) = fixed {
            self.complete_enum(record, fixed);
        }
        self.scopes.declare_tag(tag, record);
        ty
    }

    fn tag_definition(&mut self, kind: TagKind, tag: Option<Symbol>, at: TokenIndex) -> RecordId {
        let here = tag.and_then(|tag| self.scopes.find_tag_here(tag));
        let reusable = here.filter(|&record| {
            let record = self.types.record(record);
            record.kind == kind && (!record.complete || kind == TagKind::Enum)
        });
        if let Some(record) = reusable {
            self.types.record_mut(record).at = at;
            return record;
        }
        let (record, _) = self.types.add_record(kind, tag, at);
        if let Some(tag) = tag {
            self.scopes.declare_tag(tag, record);
        }
        record
    }

    fn members(&mut self, record: RecordId, mut attributes: Attributes) -> Parse<()> {
        let pragma = self.tokens.pack_at(self.at);
        let mut members = Vec::new();
        self.nested(|parser| {
            while !parser.eat(Punct::CloseBrace) {
                parser.member_declaration(&mut members)?;
            }
            Ok(())
        })?;
        self.attributes(&mut attributes)?;
        let packing = Packing { packed: attributes.packed, pragma, aligned: attributes.aligned };
        let kind = self.types.record(record).kind;
        let layout = layout::lay_out(&self.types, kind, &mut members, packing);
        let record = self.types.record_mut(record);
        record.members = members;
        record.layout = layout;
        record.complete = true;
        Ok(())
    }

    fn member_declaration(&mut self, members: &mut Vec<Member>) -> Parse<()> {
        while self.eat_word(kw::EXTENSION) {}
        if self.eat(Punct::Semicolon) || self.static_assertion()? {
            return Ok(());
        }
        let start = self.at;
        let specifiers = self.specifiers()?;
        if self.at == start {
            return self.reject("expected a member declaration");
        }
        if self.eat(Punct::Semicolon) {
            // An anonymous struct or union; with a tag it is one under -fms-extensions only.
            let aggregate = self
                .types
                .as_record(specifiers.ty)
                .is_some_and(|r| self.types.record(r).kind != TagKind::Enum);
            if aggregate && (specifiers.untagged.is_some() || self.types.is_complete_object(specifiers.ty)) {
                let aligned = specifiers.attributes.aligned;
                members.push(Member { aligned, ..unnamed_member(specifiers.ty) });
            }
            return Ok(());
        }
        loop {
            let mut attributes = specifiers.attributes;
            self.attributes(&mut attributes)?;
            let declarator = if self.is(Punct::Colon) { None } else { Some(self.declarator()?) };
            let mut bits = None;
            if self.eat(Punct::Colon) {
                let width = self.conditional()?;
                let width = constant::evaluate(&self.types, &self.tree, width);
                bits =
                    Some(width.and_then(|width| u64::try_from(width).ok()).filter(|&width| width <= 1 << 16));
            }
            self.attributes(&mut attributes)?;
            if let Some(declarator) = &declarator {
                attributes.merge(&declarator.attributes);
            }
            let base = self.with_attributes(specifiers.ty, &attributes);
            let (name, ty) = match declarator {
                Some(declarator) => {
                    (declarator.name.map(|(name, _)| name), self.apply(declarator.parts, base))
                }
                None => (None, base),
            };
            let (aligned, packed) = (attributes.aligned, attributes.packed);
            members.push(Member { name, ty, bits, aligned, packed, offset: None });
            if !self.eat(Punct::Comma) {
                break;
            }
        }
        // GNU C lets the last one go without.
        if self.is(Punct::CloseBrace) {
            return Ok(());
        }
        self.expect(Punct::Semicolon, "expected `;` behind a member")
    }

    fn enumerators(
        &mut self,
        record: RecordId,
        fixed: Option<BaseType>,
        mut attributes: Attributes,
    ) -> Parse<()> {
        let int = self.types.base(types::INT);
        let mut next: i128 = 0;
        let (mut low, mut high) = (0, 0);
        while !self.eat(Punct::CloseBrace) {
            let Some(name) = self.identifier() else { return self.reject("expected an enumerator") };
            self.bump();
            self.attributes(&mut Attributes::default())?;
            if self.eat(Punct::Assign) {
                let expr = self.conditional()?;
                next = constant::evaluate(&self.types, &self.tree, expr).unwrap_or(next);
            }
            let ty = if i32::try_from(next).is_ok() { int } else { self.types.base(types::LONG) };
            self.scopes.declare(name, Entity::Constant(next, ty));
            low = low.min(next);
            high = high.max(next);
            next = next.wrapping_add(1);
            if !self.eat(Punct::Comma) && !self.is(Punct::CloseBrace) {
                return self.reject("expected `,` or `}` behind an enumerator");
            }
        }
        self.attributes(&mut attributes)?;
        let underlying = fixed.unwrap_or_else(|| enum_type(low, high, attributes.packed));
        self.complete_enum(record, underlying);
        Ok(())
    }

    fn complete_enum(&mut self, record: RecordId, underlying: BaseType) {
        let record = self.types.record_mut(record);
        record.underlying = underlying;
        let size = u64::from(underlying.size);
        record.layout = Some(layout::Layout { size, align: size.next_power_of_two().clamp(1, 16) });
        record.complete = true;
    }
}

/// The integer type of an enum without a fixed one.
fn enum_type(low: i128, high: i128, packed: bool) -> BaseType {
    let signed = low < 0;
    let fits = |bits: u32| {
        if signed { low >= -(1 << (bits - 1)) && high < 1 << (bits - 1) } else { high < 1 << bits }
    };
    let smallest = if packed { 1 } else { 4 };
    let size = [1, 2, 4, 8].into_iter().find(|&size| size >= smallest && fits(size * 8)).unwrap_or(8);
    let encoding = match (signed, size) {
        (true, 1) => types::SIGNED_CHAR,
        (true, _) => types::SIGNED,
        (false, 1) => types::UNSIGNED_CHAR,
        (false, _) => types::UNSIGNED,
    };
    BaseType { encoding, size }
}
