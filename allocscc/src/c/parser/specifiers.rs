//! Declaration specifiers: storage classes, qualifiers and the words that make a type.

use super::attributes::Attributes;
use super::{Parse, Parser};
use crate::c::constant;
use crate::c::token::{Punct, Symbol, TokenKind, kw};
use crate::c::types::{self, Length, RecordId, TypeId, Types};
use crate::c::typing;
use crate::sites::facts::{BaseType, TagKind};

/// What stands before the declarators.
#[derive(Debug)]
pub(super) struct Specifiers {
    pub(super) ty: TypeId,
    pub(super) storage: StorageWord,
    pub(super) is_const: bool,
    /// The type comes from the initialiser.
    pub(super) is_deduced: bool,
    pub(super) attributes: Attributes,
    /// The struct, union or enum without a tag that is defined here.
    pub(super) untagged: Option<RecordId>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum StorageWord {
    None,
    Typedef,
    Extern,
    Static,
    Auto,
}

/// A keyword that begins a type name.
pub(super) fn is_type_word(name: Symbol) -> bool {
    matches!(
        name,
        kw::VOID
            | kw::CHAR
            | kw::SHORT
            | kw::INT
            | kw::LONG
            | kw::FLOAT
            | kw::DOUBLE
            | kw::SIGNED
            | kw::UNSIGNED
            | kw::BOOL
            | kw::COMPLEX
            | kw::IMAGINARY
            | kw::STRUCT
            | kw::UNION
            | kw::ENUM
            | kw::CONST
            | kw::VOLATILE
            | kw::RESTRICT
            | kw::ATOMIC
            | kw::TYPEOF
            | kw::TYPEOF_UNQUAL
            | kw::AUTO_TYPE
            | kw::BIT_INT
            | kw::FLOAT16
            | kw::FLOAT32
            | kw::FLOAT64
            | kw::FLOAT128
            | kw::FLOAT32X
            | kw::FLOAT64X
            | kw::FLOAT128X
            | kw::DECIMAL32
            | kw::DECIMAL64
            | kw::DECIMAL128
            | kw::INT128
            | kw::ALIGNAS
            | kw::ATTRIBUTE
            | kw::BUILTIN_VA_LIST
            | kw::NULLABILITY
    )
}

/// A word that begins a type name where nothing of that name is declared.
pub(super) fn is_soft_type_word(name: Symbol) -> bool {
    matches!(
        name,
        kw::SOFT_BOOL
            | kw::SOFT_ALIGNAS
            | kw::SOFT_TYPEOF_UNQUAL
            | kw::SOFT_INT128_T
            | kw::SOFT_UINT128_T
            | kw::SOFT_MS_VA_LIST
    )
}

/// The arithmetic type words met, in any order.
#[derive(Clone, Copy, Default)]
struct Words {
    base: Option<Symbol>,
    long: u32,
    short: bool,
    signed: bool,
    unsigned: bool,
    complex: bool,
    /// Width of a `_BitInt`.
    bits: u32,
}

impl Words {
    fn any(self) -> bool {
        self.base.is_some() || self.long > 0 || self.short || self.signed || self.unsigned || self.complex
    }

    fn base_type(self) -> Option<BaseType> {
        let integer = |size| {
            let encoding = if self.unsigned { types::UNSIGNED } else { types::SIGNED };
            BaseType { encoding, size }
        };
        let floating = |encoding, size| {
            if self.complex {
                BaseType { encoding: types::COMPLEX_FLOAT, size: size * 2 }
            } else {
                BaseType { encoding, size }
            }
        };
        Some(match self.base {
            Some(kw::VOID) => return None,
            Some(kw::BOOL) => types::BOOL,
            Some(kw::CHAR) if self.unsigned => types::UCHAR,
            Some(kw::CHAR) => types::CHAR,
            Some(kw::INT128) => integer(16),
            Some(kw::BIT_INT) => integer(bit_int_size(self.bits)),
            Some(kw::FLOAT16) => floating(types::FLOAT, 2),
            Some(kw::FLOAT | kw::FLOAT32) => floating(types::FLOAT, 4),
            Some(kw::DOUBLE) if self.long > 0 => floating(types::FLOAT, 16),
            Some(kw::DOUBLE | kw::FLOAT64 | kw::FLOAT32X) => floating(types::FLOAT, 8),
            Some(kw::FLOAT128 | kw::FLOAT64X | kw::FLOAT128X) => floating(types::FLOAT, 16),
            Some(kw::DECIMAL32) => floating(types::DECIMAL_FLOAT, 4),
            Some(kw::DECIMAL64) => floating(types::DECIMAL_FLOAT, 8),
            Some(kw::DECIMAL128) => floating(types::DECIMAL_FLOAT, 16),
            // `_Complex` alone is that of double, with integer words GNU's complex integers.
            None if self.complex && !self.signed && !self.unsigned && !self.short => {
                floating(types::FLOAT, if self.long > 0 { 16 } else { 8 })
            }
            _ if self.complex => BaseType { encoding: types::COMPLEX_FLOAT, size: 8 },
            _ if self.short => integer(2),
            _ if self.long > 0 => integer(8),
            _ => integer(4),
        })
    }
}

fn bit_int_size(bits: u32) -> u32 {
    match bits {
        0..=8 => 1,
        9..=16 => 2,
        17..=32 => 4,
        33..=64 => 8,
        _ => bits.div_ceil(64).saturating_mul(8),
    }
}

impl Parser<'_> {
    /// Reads declaration specifiers. Where there is no type word the type is `int`, as in old C.
    pub(super) fn specifiers(&mut self) -> Parse<Specifiers> {
        let mut found = Specifiers {
            ty: Types::UNKNOWN,
            storage: StorageWord::None,
            is_const: false,
            is_deduced: false,
            attributes: Attributes::default(),
            untagged: None,
        };
        let mut words = Words::default();
        let mut ty = None;
        loop {
            self.attributes(&mut found.attributes)?;
            let TokenKind::Name(name) = self.kind() else { break };
            if !name.is_keyword() {
                let has_type = ty.is_some() || words.any() || found.is_deduced;
                if !self.soft_specifier(name, has_type, &mut found, &mut ty)? {
                    break;
                }
                continue;
            }
            match name {
                kw::TYPEDEF => found.storage = StorageWord::Typedef,
                kw::EXTERN => found.storage = StorageWord::Extern,
                kw::STATIC => found.storage = StorageWord::Static,
                kw::AUTO => found.storage = StorageWord::Auto,
                kw::CONST => found.is_const = true,
                kw::REGISTER | kw::INLINE | kw::NORETURN | kw::VOLATILE | kw::RESTRICT | kw::EXTENSION => {}
                kw::THREAD_LOCAL | kw::NULLABILITY | kw::IMAGINARY => {}
                kw::ALIGNAS => {
                    self.alignment_specifier(&mut found.attributes)?;
                    continue;
                }
                kw::ATOMIC if self.is_after(1, Punct::OpenParen) => {
                    ty = Some(self.type_in_parentheses()?);
                    continue;
                }
                kw::ATOMIC => {}
                kw::STRUCT | kw::UNION | kw::ENUM => {
                    let (of, untagged) = self.record_specifier()?;
                    ty = Some(of);
                    found.untagged = untagged;
                    continue;
                }
                kw::TYPEOF | kw::TYPEOF_UNQUAL => {
                    ty = Some(self.typeof_specifier()?);
                    continue;
                }
                kw::AUTO_TYPE => found.is_deduced = true,
                kw::BUILTIN_VA_LIST => ty = Some(self.va_list_type()),
                kw::LONG => words.long += 1,
                kw::SHORT => words.short = true,
                kw::SIGNED => words.signed = true,
                kw::UNSIGNED => words.unsigned = true,
                kw::COMPLEX => words.complex = true,
                kw::BIT_INT => {
                    words.base = Some(name);
                    words.bits = self.bit_int_width()?;
                    continue;
                }
                _ if is_type_word(name) => words.base = Some(name),
                _ => break,
            }
            self.bump();
        }
        if found.storage == StorageWord::Auto && ty.is_none() && !words.any() {
            found.is_deduced = true;
        }
        found.ty = match ty {
            Some(ty) => ty,
            None if words.base == Some(kw::VOID) => Types::VOID,
            None => {
                let base = words.base_type().unwrap_or(types::INT);
                self.types.base(base)
            }
        };
        Ok(found)
    }

    /// A typedef name, or a word of C23. Says whether it belonged to the specifiers.
    fn soft_specifier(
        &mut self,
        name: Symbol,
        has_type: bool,
        found: &mut Specifiers,
        ty: &mut Option<TypeId>,
    ) -> Parse<bool> {
        if let Some(typedef) = self.typedef(name) {
            if !has_type {
                *ty = Some(typedef);
                self.bump();
            }
            return Ok(!has_type);
        }
        if self.scopes.find(name).is_some() || !name.is_soft_keyword() {
            return Ok(false);
        }
        match name {
            kw::SOFT_CONSTEXPR => {
                found.is_const = true;
                // C23 lets the initialiser give the type.
                found.is_deduced = !has_type && self.identifier_after_is_declared();
            }
            kw::SOFT_THREAD_LOCAL => {}
            kw::SOFT_ALIGNAS => {
                self.alignment_specifier(&mut found.attributes)?;
                return Ok(true);
            }
            _ if has_type => return Ok(false),
            kw::SOFT_BOOL => *ty = Some(self.types.base(types::BOOL)),
            kw::SOFT_INT128_T => *ty = Some(self.types.base(BaseType { encoding: types::SIGNED, size: 16 })),
            kw::SOFT_UINT128_T => {
                *ty = Some(self.types.base(BaseType { encoding: types::UNSIGNED, size: 16 }))
            }
            kw::SOFT_MS_VA_LIST => *ty = Some(self.types.pointer(Types::VOID)),
            kw::SOFT_TYPEOF_UNQUAL => {
                *ty = Some(self.typeof_specifier()?);
                return Ok(true);
            }
            _ => return Ok(false),
        }
        self.bump();
        Ok(true)
    }

    fn identifier_after_is_declared(&self) -> bool {
        !self.starts_declaration(self.kind_after(1)) && self.is_after(2, Punct::Assign)
    }

    fn alignment_specifier(&mut self, attributes: &mut Attributes) -> Parse<()> {
        self.bump();
        self.expect(Punct::OpenParen, "expected `(` behind _Alignas")?;
        if self.starts_type(self.kind()) {
            let ty = self.type_name()?;
            if let Some(layout) = crate::c::layout::size_and_align(&self.types, ty) {
                attributes.align(layout.align);
            }
        } else {
            let expr = self.conditional()?;
            let value = constant::evaluate(&self.types, &self.tree, expr);
            if let Some(align) = value.and_then(|value| u64::try_from(value).ok()) {
                attributes.align(align);
            }
        }
        self.expect(Punct::CloseParen, "expected `)` behind the argument of _Alignas")
    }

    fn type_in_parentheses(&mut self) -> Parse<TypeId> {
        self.bump();
        self.expect(Punct::OpenParen, "expected `(`")?;
        let ty = self.type_name()?;
        self.expect(Punct::CloseParen, "expected `)` behind a type")?;
        Ok(ty)
    }

    fn typeof_specifier(&mut self) -> Parse<TypeId> {
        self.bump();
        self.expect(Punct::OpenParen, "expected `(` behind typeof")?;
        let ty = if self.starts_type(self.kind_behind_extension()) {
            self.type_name()?
        } else {
            let expr = self.expression()?;
            self.type_of(expr)
        };
        self.expect(Punct::CloseParen, "expected `)` behind the argument of typeof")?;
        Ok(ty)
    }

    fn bit_int_width(&mut self) -> Parse<u32> {
        self.bump();
        self.expect(Punct::OpenParen, "expected `(` behind _BitInt")?;
        let expr = self.conditional()?;
        self.expect(Punct::CloseParen, "expected `)` behind a width")?;
        let value = constant::evaluate(&self.types, &self.tree, expr);
        Ok(value.and_then(|value| u32::try_from(value).ok()).unwrap_or(0))
    }

    /// `struct __va_list_tag [1]`, as both compilers have it.
    pub(super) fn va_list_type(&mut self) -> TypeId {
        if let Some(ty) = self.va_list {
            return ty;
        }
        let tag = self.tokens.names.find("__va_list_tag");
        let (record, element) = self.types.add_record(TagKind::Struct, tag, self.at);
        let uint = self.types.base(types::UINT);
        let pointer = self.types.pointer(Types::VOID);
        let record = self.types.record_mut(record);
        record.complete = true;
        record.layout = Some(crate::c::layout::Layout { size: 24, align: 8 });
        record.members = [uint, uint, pointer, pointer].map(super::records::unnamed_member).to_vec();
        let ty = self.types.array(element, Length::Known(1));
        self.va_list = Some(ty);
        ty
    }

    /// The type that the initialiser of a deduced variable gives it.
    pub(super) fn deduced_type(&mut self, initializer: TypeId) -> TypeId {
        typing::decay(&mut self.types, initializer)
    }
}
